//! What a Router Advertisement says, before it is bytes.

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;

use crate::binding::{Binding, Ipv6Binding};
use crate::config::{self, Ipv6Mode};
use crate::engine::fit::{TooLarge, key_of};
use crate::wire::ipv6::MIN_MTU;
use crate::wire::ndp::{Dnssl, Mtu, PrefixInformation, Rdnss, RouterAdvertisement, SourceLinkLayer};
use crate::wire::{DomainName, MacAddr};

/// Cur Hop Limit: the value that RFC 4861 §6.2.1 takes from the assigned numbers.
const CUR_HOP_LIMIT: u8 = 64;

/// The length of the IPv6 header in bytes.
const IPV6_HEADER_LEN: usize = 40;

/// What a guest is told about its link. A new option has its place here, in `new`, `encode` and `losses`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    managed: bool,
    other: bool,
    router_lifetime: u16,
    mtu: Option<u32>,
    prefixes: Vec<PrefixInformation>,
    /// Of `nameservers` and `search`, in seconds.
    dns_lifetime: u32,
    nameservers: Vec<Ipv6Addr>,
    search: Vec<DomainName>,
}

impl Content {
    /// What the guest of `binding` is told on a node with `config`; None where the binding has no IPv6.
    pub fn new(binding: &Binding, config: &config::Ipv6) -> Option<Self> {
        let ipv6 = binding.ipv6.as_ref()?;
        // RFC 4861 §4.2: M says more than O, and where addresses come from a DHCPv6 server, so does the rest.
        let managed = config.mode.is_stateful();
        let router_lifetime = router_lifetime(binding, ipv6, config);
        let nameservers = binding.settings.nameservers6.as_ref();
        let search = binding.settings.domain_search.as_ref();
        Some(Self {
            managed,
            other: managed || config.mode == Ipv6Mode::SlaacDhcpv6,
            router_lifetime,
            mtu: binding.settings.mtu.map(u32::from).filter(|mtu| *mtu >= MIN_MTU as u32),
            prefixes: ipv6.subnets.iter().map(|subnet| prefix(*subnet, config)).collect(),
            dns_lifetime: dns_lifetime(router_lifetime, config),
            nameservers: nameservers.unwrap_or(&config.nameservers).clone(),
            search: search.unwrap_or(&config.domains).clone(),
        })
    }

    /// What must be said once because `new` (None: nothing any more) takes it back. None where nothing is taken back.
    ///
    /// It is an advertisement of its own, sent before that of `new`. Its router lifetime is that of `new`, and zero
    /// without. It is never longer than the advertisement of `old`. An MTU cannot be withdrawn: it has no lifetime.
    pub fn withdrawal(old: &Self, new: Option<&Self>) -> Option<Self> {
        let withdrawal = Self { router_lifetime: new.map_or(0, |new| new.router_lifetime), ..Self::losses(old, new) };
        withdrawal.takes_from(old).then_some(withdrawal)
    }

    /// What the router says for the last time from the address that it leaves behind when it changes its MAC: that it
    /// is a default router no more, and what `new` takes back. None where there is neither.
    pub fn farewell(old: &Self, new: &Self) -> Option<Self> {
        let farewell = Self::losses(old, Some(new));
        farewell.takes_from(old).then_some(farewell)
    }

    /// The router, and what `old` says and `new` does not, all without lifetime.
    fn losses(old: &Self, new: Option<&Self>) -> Self {
        let prefixes = new.map_or(&[][..], |new| &new.prefixes);
        Self {
            managed: new.is_some_and(|new| new.managed),
            other: new.is_some_and(|new| new.other),
            router_lifetime: 0,
            mtu: None,
            prefixes: old.prefixes.iter().filter_map(|prefix| withdrawn(prefix, prefixes)).collect(),
            dns_lifetime: 0,
            nameservers: missing(&old.nameservers, new.map(|new| &*new.nameservers)),
            search: missing(&old.search, new.map(|new| &*new.search)),
        }
    }

    /// Whether this withdrawal takes anything from a guest that knows `old`.
    fn takes_from(&self, old: &Self) -> bool {
        let takes_router = old.router_lifetime > 0 && self.router_lifetime == 0;
        takes_router || self.has_options()
    }

    /// Appends the ICMPv6 message, its checksum zero, as the router with the MAC `router` says it.
    pub fn encode(&self, router: MacAddr, out: &mut Vec<u8>) {
        RouterAdvertisement {
            cur_hop_limit: CUR_HOP_LIMIT,
            managed: self.managed,
            other: self.other,
            router_lifetime: self.router_lifetime,
        }
        .encode(out);
        SourceLinkLayer(router).encode(out);
        if let Some(mtu) = self.mtu {
            Mtu(mtu).encode(out);
        }
        for prefix in &self.prefixes {
            prefix.encode(out);
        }
        let lifetime = self.dns_lifetime;
        let (servers, names) = (&*self.nameservers, &*self.search);
        Rdnss { lifetime, servers }.encode(out);
        Dnssl { lifetime, names }.encode(out);
    }

    /// An error, unless the advertisement to the guest of `binding` fits a packet that every IPv6 link carries.
    pub fn check_fit(&self, binding: &Binding) -> Result<(), TooLarge> {
        let mut message = Vec::new();
        // One MAC is as long as the other.
        self.encode(MacAddr::BROADCAST, &mut message);
        let settings = &binding.settings;
        let servers = key_of(&settings.nameservers6, "NAMESERVERS6", "ipv6.nameservers");
        let search = key_of(&settings.domain_search, "DOMAIN_SEARCH", "ipv6.domains");
        let parts = [
            (servers, self.nameservers.len() * size_of::<Ipv6Addr>()),
            (search, self.search.iter().map(|name| name.as_str().len() + 2).sum()),
        ];
        TooLarge::check("Router Advertisement", IPV6_HEADER_LEN + message.len(), parts)
    }

    fn has_options(&self) -> bool {
        !(self.prefixes.is_empty() && self.nameservers.is_empty() && self.search.is_empty())
    }
}

fn router_lifetime(binding: &Binding, ipv6: &Ipv6Binding, config: &config::Ipv6) -> u16 {
    // RFC 4861 §4.2: zero means that this is no default router.
    if binding.settings.private || ipv6.gateway.is_none() { 0 } else { config.router_lifetime }
}

/// RFC 8106 §5.1: at least three advertisements long, and not shorter than the router that leads to the servers lives.
fn dns_lifetime(router_lifetime: u16, config: &config::Ipv6) -> u32 {
    config.ra_period.saturating_mul(3).max(router_lifetime.into())
}

fn prefix(subnet: Ipv6Net, config: &config::Ipv6) -> PrefixInformation {
    let prefix_len = subnet.prefix_len();
    PrefixInformation {
        prefix: subnet,
        // A prefix of one address has no neighbours in it.
        on_link: prefix_len < 128,
        // RFC 4862 §5.5.3 d: prefix and interface identifier make 128 bits; on Ethernet the latter has 64 (RFC 2464 §4).
        autonomous: prefix_len == 64 && config.mode.has_slaac(),
        valid_lifetime: config.prefix_valid_lifetime,
        preferred_lifetime: config.prefix_preferred_lifetime,
    }
}

/// `old` as it is to be taken back: with the flags that it has in `new` no more, and without lifetimes.
///
/// A valid lifetime of zero ends an on-link prefix at once (RFC 4861 §6.3.4). An address made from it lives on for up
/// to two hours (RFC 4862 §5.5.3 e), but its preferred lifetime ends: nothing new is begun from it.
fn withdrawn(old: &PrefixInformation, new: &[PrefixInformation]) -> Option<PrefixInformation> {
    let same = new.iter().find(|new| new.prefix == old.prefix);
    let on_link = old.on_link && !same.is_some_and(|new| new.on_link);
    let autonomous = old.autonomous && !same.is_some_and(|new| new.autonomous);
    (on_link || autonomous).then_some(PrefixInformation {
        prefix: old.prefix,
        on_link,
        autonomous,
        valid_lifetime: 0,
        preferred_lifetime: 0,
    })
}

/// Those of `old` that `new` does not have.
fn missing<T: Clone + PartialEq>(old: &[T], new: Option<&[T]>) -> Vec<T> {
    let new = new.unwrap_or_default();
    old.iter().filter(|item| !new.contains(item)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use pnet_packet::Packet;
    use pnet_packet::icmpv6::ndp::{NdpOptionTypes, RouterAdvertPacket};

    use super::*;
    use crate::engine::testing::{ROUTER, binding, config};

    fn content() -> Content {
        Content::new(&binding(), &config()).unwrap()
    }

    fn with_binding(change: impl FnOnce(&mut Binding)) -> Content {
        let mut binding = binding();
        change(&mut binding);
        Content::new(&binding, &config()).unwrap()
    }

    fn with_config(change: impl FnOnce(&mut config::Ipv6)) -> Content {
        let mut config = config();
        change(&mut config);
        Content::new(&binding(), &config).unwrap()
    }

    fn subnet(text: &str) -> Content {
        with_binding(|binding| binding.ipv6.as_mut().unwrap().subnets = vec![text.parse::<Ipv6Net>().unwrap().trunc()])
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
    fn dns_lives_three_periods_and_as_long_as_the_router() {
        let cases = [(600, 1800, 1800), (100, 1800, 1800), (3600, 1800, 10_800), (u32::MAX, 0, u32::MAX)];
        for (ra_period, router_lifetime, expected) in cases {
            let content = with_config(|config| {
                config.ra_period = ra_period;
                config.router_lifetime = router_lifetime;
            });
            assert_eq!(content.dns_lifetime, expected);
        }
        let mut binding = binding();
        binding.settings.private = true;
        let config = config::Ipv6 { ra_period: 100, ..config() };
        assert_eq!(Content::new(&binding, &config).unwrap().dns_lifetime, 300);
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
        let content = with_binding(|binding| binding.settings.mtu = Some(1400));
        let mut message = Vec::new();
        content.encode(ROUTER, &mut message);
        let packet = RouterAdvertPacket::new(&message).unwrap();
        assert_eq!((packet.get_hop_limit(), packet.get_flags()), (64, 0x40));
        assert_eq!(packet.get_lifetime(), 1800);
        assert_eq!((packet.get_reachable_time(), packet.get_retrans_time()), (0, 0));
        let options = packet.get_options();
        let codes: Vec<_> = options.iter().map(|option| option.option_type.0).collect();
        assert_eq!(codes, [1, 5, 3, 25, 31]);
        assert_eq!(options[0].option_type, NdpOptionTypes::SourceLLAddr);
        assert_eq!(options[0].data, ROUTER.octets());
        assert_eq!(options[1].data, [0, 0, 0, 0, 5, 120]);
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

    #[test]
    fn nothing_is_withdrawn_without_a_loss() {
        let content = content();
        let longer = with_config(|config| {
            config.nameservers.push(Ipv6Addr::LOCALHOST);
            config.router_lifetime = 9000;
        });
        assert_eq!(Content::withdrawal(&content, Some(&content)), None);
        assert_eq!(Content::withdrawal(&content, Some(&longer)), None);
    }

    #[test]
    fn what_vanished_is_withdrawn() {
        let (old, new) = (subnet("2001:db8::/64"), subnet("2001:db8:1::/64"));
        let withdrawal = Content::withdrawal(&old, Some(&new)).unwrap();
        let expected = Content {
            router_lifetime: 1800,
            mtu: None,
            prefixes: vec![PrefixInformation { valid_lifetime: 0, preferred_lifetime: 0, ..old.prefixes[0] }],
            dns_lifetime: 0,
            nameservers: Vec::new(),
            search: Vec::new(),
            ..new
        };
        assert_eq!(withdrawal, expected);
    }

    #[test]
    fn servers_and_domains_are_withdrawn_one_by_one() {
        let old = with_config(|config| config.nameservers.push(Ipv6Addr::LOCALHOST));
        let new = with_config(|config| config.domains.clear());
        let withdrawal = Content::withdrawal(&old, Some(&new)).unwrap();
        assert_eq!(withdrawal.nameservers, [Ipv6Addr::LOCALHOST]);
        assert_eq!(withdrawal.search, ["example.com".parse().unwrap()]);
        assert!(withdrawal.prefixes.is_empty());
        assert_eq!(withdrawal.dns_lifetime, 0);
    }

    #[test]
    fn a_flag_that_vanished_is_withdrawn_alone() {
        let new = with_config(|config| config.mode = Ipv6Mode::Dhcpv6);
        let withdrawal = Content::withdrawal(&content(), Some(&new)).unwrap();
        let prefix = withdrawal.prefixes[0];
        assert_eq!((prefix.on_link, prefix.autonomous), (false, true));
        assert_eq!((prefix.valid_lifetime, prefix.preferred_lifetime), (0, 0));
    }

    #[test]
    fn a_router_that_leaves_says_so() {
        let old = content();
        let private = with_binding(|binding| binding.settings.private = true);
        let withdrawal = Content::withdrawal(&old, Some(&private)).unwrap();
        assert_eq!(withdrawal.router_lifetime, 0);
        assert!(!withdrawal.has_options());
        assert_eq!(Content::withdrawal(&private, Some(&private)), None);
    }

    #[test]
    fn without_successor_everything_is_withdrawn() {
        let old = content();
        let withdrawal = Content::withdrawal(&old, None).unwrap();
        assert_eq!(withdrawal.router_lifetime, 0);
        assert_eq!(withdrawal.prefixes[0].prefix, old.prefixes[0].prefix);
        assert_eq!(withdrawal.nameservers, old.nameservers);
        assert_eq!(withdrawal.search, old.search);
    }

    #[test]
    fn a_farewell_takes_the_router_and_what_is_lost() {
        let old = content();
        let farewell = Content::farewell(&old, &old).unwrap();
        assert_eq!(farewell.router_lifetime, 0);
        assert!(!farewell.has_options());
        let farewell = Content::farewell(&old, &subnet("2001:db8:1::/64")).unwrap();
        assert_eq!(farewell.router_lifetime, 0);
        assert_eq!(farewell.prefixes[0].prefix, old.prefixes[0].prefix);
        let private = with_binding(|binding| binding.settings.private = true);
        assert_eq!(Content::farewell(&private, &private), None);
    }
}
