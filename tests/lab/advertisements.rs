//! What advertisements give and take back, as the kernel, real clients and the wire show it.

use std::fs;

use nix::sys::signal::Signal;
use pnet_packet::Packet;
use pnet_packet::ethernet::EthernetPacket;
use pnet_packet::icmpv6::{Icmpv6Packet, Icmpv6Types};
use pnet_packet::ipv6::Ipv6Packet;

use crate::decode;
use crate::harness::daemon::write_config;
use crate::harness::inside::need;
use crate::harness::process::Process;
use crate::harness::{Config, Guest, Lab, sh, skip, soon, tests};

tests!(advertisements:
    kernel_has_an_address_in_each_prefix,
    prefix_is_withdrawn_at_once,
    routes_come_and_go,
    routes_move_with_the_router,
    preference_follows_the_configuration,
    name_servers_come_and_go,
    nat64_and_portal_come_and_go,
    removed_binding_withdraws_the_router,
    guest_with_one_address_gets_out,
);

/// Long enough that no periodic advertisement comes while a test runs: what changes is news.
fn quiet() -> Config {
    Config::default().with("ipv6", "ra_period", "1800")
}

fn two_prefixes(guest: &Guest) -> String {
    let prefix = guest.prefix6();
    guest.binding().replace(&format!("{prefix}::/64"), &format!("{prefix}::/64, 2001:db8:1:1::/64"))
}

fn kernel_has_an_address_in_each_prefix(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.bind(&guest, &two_prefixes(&guest));
    lab.start_with(&quiet());
    guest.wait_for_address(&guest.eui64());
    guest.wait_for_address("2001:db8:1:1:a800:ff:fe00:1/64");
}

/// The address stays for what is under way, and nothing new is begun from it. The way to its neighbours ends.
fn prefix_is_withdrawn_at_once(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.bind(&guest, &two_prefixes(&guest));
    lab.start_with(&quiet());
    guest.wait_for_address("2001:db8:1:1:");
    assert!(guest.routes().contains("2001:db8:1:1::/64"), "{}", guest.routes());
    lab.bind(&guest, &guest.binding());
    soon("a deprecated address and no route", || {
        let addresses = guest.addresses();
        let lost = addresses.lines().find(|line| line.contains(" 2001:db8:1:1:"))?;
        (lost.contains("deprecated") && !guest.routes().contains("2001:db8:1:1::/64")).then_some(())
    });
    let addresses = guest.addresses();
    let kept = addresses.lines().find(|line| line.contains(&guest.eui64())).expect("the other address");
    assert!(!kept.contains("deprecated"), "{addresses}");
}

/// A guest whose kernel takes advertised routes, which it does not by itself.
fn guest_with_routes(lab: &Lab, keys: &str) -> Guest {
    const SETTING: &str = "net.ipv6.conf.default.accept_ra_rt_info_max_plen";
    let mut guest = Guest::new(1);
    if guest.try_sh(&format!("sysctl -qw {SETTING}=128")).is_err() {
        skip("this kernel knows no route information");
    }
    guest.plug();
    lab.bind(&guest, &format!("{}{keys}", guest.binding()));
    guest
}

/// The route of `guest` to `destination`, as `ip` shows it.
fn route(guest: &Guest, destination: &str) -> Option<String> {
    let routes = guest.routes();
    routes.lines().find(|line| line.starts_with(&format!("{destination} "))).map(str::to_owned)
}

/// They need no default route, which a `PRIVATE` guest has not.
fn routes_come_and_go(lab: &mut Lab) {
    let guest = guest_with_routes(lab, "PRIVATE=yes\nROUTES6=2001:db8:8000::/33 low, 2001:db8::53/128\n");
    lab.start_with(&quiet());
    let low = soon("a route", || route(&guest, "2001:db8:8000::/33"));
    assert!(low.contains("via fe80::") && low.contains("pref low"), "{low}");
    let host = soon("a route to a host", || route(&guest, "2001:db8::53"));
    assert!(host.contains("pref medium"), "{host}");
    assert_eq!(route(&guest, "default"), None);
    lab.bind(&guest, &format!("{}PRIVATE=yes\nROUTES6=2001:db8:8000::/33 high\n", guest.binding()));
    soon("one route, and it preferred", || {
        let high = route(&guest, "2001:db8:8000::/33")?;
        (high.contains("pref high") && route(&guest, "2001:db8::53").is_none()).then_some(())
    });
    lab.bind(&guest, &format!("{}PRIVATE=yes\n", guest.binding()));
    soon("no route", || route(&guest, "2001:db8:8000::/33").is_none().then_some(()));
}

fn routes_move_with_the_router(lab: &mut Lab) {
    let guest = guest_with_routes(lab, "ROUTES6=2001:db8:8000::/33\n");
    lab.start_with(&quiet());
    soon("a route", || route(&guest, "2001:db8:8000::/33"));
    sh(&format!("ip link set {} address 02:00:00:00:00:77", guest.tap));
    soon("the route by the new router, and by it alone", || {
        let routes = guest.routes();
        let routes: Vec<_> = routes.lines().filter(|line| line.starts_with("2001:db8:8000::/33 ")).collect();
        matches!(routes[..], [only] if only.contains("via fe80::ff:fe00:77 ")).then_some(())
    });
}

fn preference_follows_the_configuration(lab: &mut Lab) {
    need("rdisc6");
    let guest = lab.guest(1);
    lab.start_with(&quiet().with("ipv6", "router_preference", "high"));
    guest.wait_for_address("fe80::");
    soon("a preferred router", || route(&guest, "default")?.contains("pref high").then_some(()));
    let seen = guest.sh("rdisc6 -1 -r 5 eth0");
    assert!(seen.lines().any(|line| line.starts_with("Router preference") && line.ends_with("high")), "{seen}");
    write_config(&quiet().with("ipv6", "router_preference", "low"));
    lab.daemon().signal(Signal::SIGHUP);
    soon("a router of last resort", || route(&guest, "default")?.contains("pref low").then_some(()));
}

/// Where `systemd-networkd` keeps what it knows of a link.
const LINKS: &str = "/run/systemd/netif/links";

/// What the kernel leaves to others: `systemd-networkd` takes advertisements by itself, here without DHCPv6.
fn networkd(guest: &Guest) -> Process {
    guest.networkd(&[("eth0", "[Network]\nIPv6AcceptRA=yes\n[IPv6AcceptRA]\nUseDomains=yes\nDHCPv6Client=no\n")])
}

/// The words of `networkd` for a key of the guest's link, sorted.
fn known(guest: &Guest, key: &str) -> Vec<String> {
    let index = guest.sh("cat /sys/class/net/eth0/ifindex");
    let state = fs::read_to_string(format!("{LINKS}/{}", index.trim())).unwrap_or_default();
    let line = state.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).unwrap_or_default();
    let mut words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
    words.sort();
    words
}

fn name_servers_come_and_go(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.bind(&guest, &format!("{}NAMESERVERS6=2001:db8::1:53, 2001:db8::2:53\n", guest.binding()));
    lab.start_with(&quiet());
    let _client = networkd(&guest);
    let knows = |what: &str, key: &str, words: &[&str]| soon(what, || (known(&guest, key) == words).then_some(()));
    knows("two name servers", "DNS", &["2001:db8::1:53", "2001:db8::2:53"]);
    knows("two domains", "DOMAINS", &["example.com", "example.net"]);
    let keys = "NAMESERVERS6=2001:db8::2:53\nDOMAIN_SEARCH=example.net\n";
    lab.bind(&guest, &format!("{}{keys}", guest.binding()));
    knows("one name server", "DNS", &["2001:db8::2:53"]);
    knows("one domain", "DOMAINS", &["example.net"]);
}

/// The advertisements that the guest heard, as an independent decoder reads them.
fn heard(guest: &Guest) -> Vec<String> {
    let frames = guest.frames();
    frames
        .iter()
        .filter(|frame| is_advertisement(frame).unwrap_or_default())
        .map(|frame| decode::reply(frame))
        .collect()
}

fn is_advertisement(frame: &[u8]) -> Option<bool> {
    let ethernet = EthernetPacket::new(frame)?;
    let ip = Ipv6Packet::new(ethernet.payload())?;
    let message = Icmpv6Packet::new(ip.payload())?;
    Some(ip.get_version() == 6 && message.get_icmpv6_type() == Icmpv6Types::RouterAdvert)
}

/// Clients here are too old for these; the wire shows them.
fn nat64_and_portal_come_and_go(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.bind(&guest, &format!("{}PREF64=64:ff9b::/96\nCAPTIVE_PORTAL=https://p.example.com\n", guest.binding()));
    lab.start_with(&quiet());
    let hears = |what: &str, lines: [&str; 2]| {
        soon(what, || heard(&guest).iter().any(|text| lines.iter().all(|line| text.contains(line))).then_some(()));
    };
    hears("both", ["PREF64 64:ff9b::/96, lifetime 5400\n", "captive portal https://p.example.com\n"]);
    lab.bind(&guest, &guest.binding());
    let unrestricted = "captive portal urn:ietf:params:capport:unrestricted\n";
    hears("their end", ["PREF64 64:ff9b::/96, lifetime 0\n", unrestricted]);
    soon("neither", || (!heard(&guest).pop()?.contains("PREF64")).then_some(()));
}

/// Its tap lives on. A file may be away for a moment, so this takes one.
fn removed_binding_withdraws_the_router(lab: &mut Lab) {
    let guest = guest_with_routes(lab, "ROUTES6=2001:db8:8000::/33\n");
    lab.start_with(&quiet());
    guest.wait_for_address(&guest.eui64());
    soon("a route", || route(&guest, "2001:db8:8000::/33"));
    assert!(route(&guest, "default").is_some(), "{}", guest.routes());
    fs::remove_file(lab.binding_path(&guest)).unwrap();
    soon("no routes", || {
        let prefix = format!("{}::/64", guest.prefix6());
        ["default", "2001:db8:8000::/33", &prefix].iter().all(|to| route(&guest, to).is_none()).then_some(())
    });
    let addresses = guest.addresses();
    let own = addresses.lines().find(|line| line.contains(&guest.eui64())).expect("the address");
    assert!(own.contains("deprecated"), "{addresses}");
}

/// One address, no neighbours, and a gateway that is link-local and nobody's: the default route is advertised, and by
/// hand it is the gateway's.
fn guest_with_one_address_gets_out(lab: &mut Lab) {
    const OUTSIDE: &str = "2001:db8:ffff::1";
    let guest = lab.guest(1);
    let own = format!("{}::5", guest.prefix6());
    lab.bind(&guest, &format!("{}SUBNET6={own}/128\nGATEWAY6=fe80::1\n", guest.binding4()));
    sh(&format!("ip address add {OUTSIDE}/128 dev lo; ip -6 route add {own}/128 dev {}", guest.tap));
    lab.start_with(&quiet());
    guest.sh(&format!("ip address add {own}/128 dev eth0"));
    guest.wait_for_address(&own);
    soon("a default route", || route(&guest, "default"));
    let routes = guest.routes();
    assert!(!routes.contains("::/64 dev eth0 proto ra"), "{routes}");
    guest.sh(&format!("ping -c 1 -W 5 {OUTSIDE}"));
    guest.sh("ip -6 route replace default via fe80::1 dev eth0 metric 1");
    guest.sh(&format!("ping -c 1 -W 5 {OUTSIDE}"));
    let gateway = guest.sh("ip neighbour show fe80::1");
    let tap = sh(&format!("cat /sys/class/net/{}/address", guest.tap));
    assert!(gateway.contains(tap.trim()), "{gateway}");
}
