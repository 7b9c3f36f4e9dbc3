//! What is said, key by key.

use pnet_packet::Packet;
use pnet_packet::icmpv6::ndp::{NdpOptionTypes, RouterAdvertPacket};

use super::*;
use crate::engine::testing::{ROUTER, binding, config};

pub(super) fn content() -> Content {
    Content::new(&binding(), &config()).unwrap()
}

pub(super) fn with_binding(change: impl FnOnce(&mut Binding)) -> Content {
    let mut binding = binding();
    change(&mut binding);
    Content::new(&binding, &config()).unwrap()
}

pub(super) fn with_config(change: impl FnOnce(&mut config::Ipv6)) -> Content {
    let mut config = config();
    change(&mut config);
    Content::new(&binding(), &config).unwrap()
}

pub(super) fn subnet(text: &str) -> Content {
    with_binding(|binding| binding.ipv6.as_mut().unwrap().subnets = vec![text.parse::<Ipv6Net>().unwrap().trunc()])
}

/// What a guest with one of each option is told.
pub(super) fn full() -> Content {
    with_binding(fill)
}

fn fill(binding: &mut Binding) {
    let ipv6 = binding.ipv6.as_mut().unwrap();
    ipv6.subnets.push("2001:db8:1::/64".parse().unwrap());
    binding.settings = Settings {
        mtu: Some(1400),
        routes6: Some(vec![
            "2001:db8:8000::/33 high".parse().unwrap(),
            "2001:db8:ffff:ffff:8000::/65".parse().unwrap(),
        ]),
        pref64: Some("64:ff9b::/96".parse().unwrap()),
        captive_portal: Some("https://portal.test/api".parse().unwrap()),
        ..Settings::default()
    }
    .into();
}

#[test]
fn flags_follow_the_mode() {
    let cases = [
        (Ipv6Mode::Slaac, (false, false, true)),
        (Ipv6Mode::SlaacDhcpv6, (false, true, true)),
        (Ipv6Mode::Dhcpv6, (true, true, false)),
        (Ipv6Mode::SlaacStateful, (true, true, true)),
    ];
    for (mode, (managed, other, autonomous)) in cases {
        let content = with_config(|config| config.mode = mode);
        assert_eq!((content.managed, content.other), (managed, other), "{mode:?}");
        assert_eq!(content.prefixes[0].autonomous, autonomous, "{mode:?}");
    }
}

#[test]
fn a_private_guest_or_one_without_gateway_has_no_default_router() {
    assert_eq!(content().router_lifetime, 1800);
    assert_eq!(with_binding(|b| b.settings.private = true).router_lifetime, 0);
    let without = with_binding(|b| b.ipv6.as_mut().unwrap().gateway = None);
    assert_eq!(without.router_lifetime, 0);
    assert_eq!(Content::new(&Binding { ipv6: None, ..binding() }, &config()), None);
}

#[test]
fn the_prefix_is_the_network() {
    let cases = [
        ("2001:db8::5/64", "2001:db8::/64", true, true),
        ("2001:db8::/48", "2001:db8::/48", true, false),
        ("2001:db8::/80", "2001:db8::/80", true, false),
        ("2001:db8::5/128", "2001:db8::5/128", false, false),
    ];
    for (written, prefix, on_link, autonomous) in cases {
        let expected = PrefixInformation {
            prefix: prefix.parse().unwrap(),
            on_link,
            autonomous,
            valid_lifetime: 2_592_000,
            preferred_lifetime: 604_800,
        };
        assert_eq!(subnet(written).prefixes, [expected], "{written}");
    }
}

#[test]
fn small_mtus_are_not_told() {
    for (mtu, expected) in [(None, None), (Some(1279), None), (Some(1280), Some(1280))] {
        assert_eq!(with_binding(|binding| binding.settings.mtu = mtu).mtu, expected);
    }
}

#[test]
fn every_prefix_is_told() {
    let content = with_binding(|binding| {
        let subnets = ["2001:db8::/64", "2001:db8:1::/64", "2001:db8:2::5/128", "2001:db8:3::/56"];
        binding.ipv6.as_mut().unwrap().subnets = subnets.map(|subnet| subnet.parse().unwrap()).into();
    });
    let flags: Vec<_> = content.prefixes.iter().map(|prefix| (prefix.on_link, prefix.autonomous)).collect();
    assert_eq!(flags, [(true, true), (true, true), (false, false), (true, false)]);
    let none = with_binding(|binding| binding.ipv6.as_mut().unwrap().subnets.clear());
    assert!(none.prefixes.is_empty());
    assert_eq!(none.router_lifetime, 1800);
}

#[test]
fn lifetimes_are_the_configurations() {
    let config = config::Ipv6 { dns_lifetime: 5, route_lifetime: 6, pref64_lifetime: 8, ..config() };
    let mut binding = binding();
    fill(&mut binding);
    let content = Content::new(&binding, &config).unwrap();
    assert_eq!((content.servers().lifetime, content.names().lifetime), (5, 5));
    assert!(content.routes.iter().all(|route| route.lifetime == 6));
    assert_eq!(content.pref64.unwrap().lifetime, 8);
}

#[test]
fn routes_need_no_default_router() {
    let routes = full().routes;
    let said: Vec<_> = routes.iter().map(|route| (route.prefix.to_string(), route.preference)).collect();
    let expected = [("2001:db8:8000::/33", Preference::High), ("2001:db8:ffff:ffff:8000::/65", Preference::Medium)];
    assert_eq!(said, expected.map(|(prefix, preference)| (prefix.to_owned(), preference)));
    let private = with_binding(|binding| {
        fill(binding);
        binding.settings.private = true;
        binding.ipv6.as_mut().unwrap().gateway = None;
    });
    assert_eq!((private.router_lifetime, private.routes), (0, routes));
}

#[test]
fn the_node_speaks_where_the_binding_is_silent() {
    let node = config::Ipv6 {
        routes: vec!["2001:db8:4000::/34 low".parse().unwrap()],
        pref64: Some("2001:db8:64::/48".parse().unwrap()),
        captive_portal: Some("https://node.test".parse().unwrap()),
        router_preference: Preference::High,
        ..config()
    };
    let content = Content::new(&binding(), &node).unwrap();
    assert_eq!(content.router_preference, Preference::High);
    assert_eq!(content.routes[0].prefix, node.routes[0].destination);
    assert_eq!(content.pref64.unwrap().prefix, node.pref64.unwrap().prefix());
    assert_eq!(content.captive_portal, node.captive_portal);
    let mut own = binding();
    fill(&mut own);
    let content = Content::new(&own, &node).unwrap();
    assert_eq!(content.routes, full().routes);
    assert_eq!(content.pref64, full().pref64);
    assert_eq!(content.captive_portal, full().captive_portal);
}

#[test]
fn the_binding_overrides_the_node() {
    let content = with_binding(|binding| {
        binding.settings.nameservers6 = Some(vec![Ipv6Addr::LOCALHOST]);
        binding.settings.domain_search = Some(Vec::new());
    });
    assert_eq!(content.nameservers, [Ipv6Addr::LOCALHOST]);
    assert!(content.search.is_empty());
}

#[test]
fn another_decoder_reads_the_same() {
    let mut message = Vec::new();
    full().encode(ROUTER, &mut message);
    let packet = RouterAdvertPacket::new(&message).unwrap();
    assert_eq!((packet.get_hop_limit(), packet.get_flags()), (64, 0x40));
    assert_eq!(packet.get_lifetime(), 1800);
    assert_eq!((packet.get_reachable_time(), packet.get_retrans_time()), (0, 0));
    let options = packet.get_options();
    let seen: Vec<_> = options.iter().map(|option| (option.option_type.0, option.length)).collect();
    let expected = [(1, 1), (5, 1), (3, 4), (3, 4), (25, 3), (31, 3), (24, 2), (24, 3), (38, 2), (37, 4)];
    assert_eq!(seen, expected);
    assert_eq!(options[0].option_type, NdpOptionTypes::SourceLLAddr);
    assert_eq!(options[0].data, ROUTER.octets());
    assert_eq!(options[1].data, [0, 0, 0, 0, 5, 120]);
    assert_eq!(options[6].data, [33, 8, 0, 0, 7, 8, 0x20, 1, 0xd, 0xb8, 0x80, 0, 0, 0]);
    assert_eq!(options[8].data, [7, 8, 0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(options[9].data, b"https://portal.test/api\0\0\0\0\0\0\0");
    let used: usize = options.iter().map(|option| usize::from(option.length) * 8).sum();
    assert_eq!(16 + used, message.len());
    assert!(packet.payload().is_empty());
}

#[test]
fn what_fits_is_known_beforehand() {
    // 40 + 16 of headers, 8 + 32 of address and prefix, 24 of search list, 8 + 16 for each server.
    for (servers, expected) in [(72, Ok(())), (73, Err(1296))] {
        let content = with_binding(|binding| {
            binding.settings.nameservers6 = Some(vec![Ipv6Addr::LOCALHOST; servers]);
        });
        assert_eq!(content.check_fit(&binding()).map_err(|error| error.len), expected);
    }
}

/// 40 + 16 of headers, 8 of address, 32 for each prefix, 8 of a portal, which takes 40 to be taken back.
#[test]
fn what_takes_back_fits_as_well() {
    for (prefixes, expected) in [(36, Ok(())), (37, Err(1288))] {
        let content = Content {
            prefixes: vec![content().prefixes[0]; prefixes],
            nameservers: Vec::new(),
            search: Vec::new(),
            captive_portal: Some("urn:x".parse().unwrap()),
            ..content()
        };
        assert!(ipv6::HEADER_LEN + content.len() <= MIN_MTU);
        assert_eq!(content.check_fit(&binding()).map_err(|error| error.len), expected);
    }
}

#[test]
fn names_the_key_that_takes_most() {
    type Change = fn(&mut Binding, &mut config::Ipv6);
    let cases: [(&str, Change); 9] = [
        ("SUBNET6", |binding, _| set_subnets(binding, 40)),
        ("NAMESERVERS6", |binding, _| binding.settings.nameservers6 = Some(servers(73))),
        ("ipv6.nameservers", |_, config| config.nameservers = servers(73)),
        ("DOMAIN_SEARCH", |binding, _| binding.settings.domain_search = Some(domains(80))),
        ("ipv6.domains", |_, config| config.domains = domains(80)),
        ("ROUTES6", |binding, _| binding.settings.routes6 = Some(routes(73))),
        ("ipv6.routes", |_, config| config.routes = routes(73)),
        ("CAPTIVE_PORTAL", |binding, config| {
            set_much_of_all(binding, config);
            binding.settings.captive_portal = portal();
        }),
        ("ipv6.captive_portal", |binding, config| {
            set_much_of_all(binding, config);
            config.captive_portal = portal();
        }),
    ];
    for (key, change) in cases {
        let (mut binding, mut config) = (binding(), config());
        change(&mut binding, &mut config);
        let content = Content::new(&binding, &config).unwrap();
        assert_eq!(content.check_fit(&binding).map_err(|error| error.key), Err(key));
    }
}

/// As much of each as takes 256 bytes at the most.
fn set_much_of_all(binding: &mut Binding, config: &mut config::Ipv6) {
    set_subnets(binding, 8);
    config.nameservers = servers(15);
    config.domains = domains(15);
    config.routes = routes(16);
}

fn set_subnets(binding: &mut Binding, count: usize) {
    binding.ipv6.as_mut().unwrap().subnets = vec!["2001:db8::/64".parse().unwrap(); count];
}

fn servers(count: usize) -> Vec<Ipv6Addr> {
    vec![Ipv6Addr::LOCALHOST; count]
}

fn domains(count: usize) -> Vec<DomainName> {
    vec!["domain.example".parse().unwrap(); count]
}

fn routes(count: usize) -> Vec<Route6> {
    vec!["2001:db8::/48".parse().unwrap(); count]
}

fn portal() -> Option<Printable> {
    Some(format!("https://{}", "x".repeat(247)).parse().unwrap())
}
