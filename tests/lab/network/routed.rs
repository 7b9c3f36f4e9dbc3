//! Guests in whose network the node has no address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Nic, belongings};
use crate::bridge::expect_both_families;
use crate::harness::capture::Frame;
use crate::harness::frames::{ethernet, icmpv6, udp4, udp6};
use crate::harness::requests::{IPV4, IPV6, NEIGHBOR_SOLICITATION};
use crate::harness::{Config, Guest, Lab, sh, soon, tests};

tests!(ifup_routed:
    guest_and_world_reach_each_other,
    node_asks_as_the_gateway,
    spoofed_sources_go_nowhere,
    guest_can_be_reached_at_once,
    node_answers_for_its_guests_alone,
    move_is_announced_once,
    reverse_path_filters_do_not_matter,
    node_needs_no_ipv6,
);

/// Beyond the router.
pub(super) const WORLD: &str = "198.51.100.1";
pub(super) const WORLD6: &str = "2001:db8:ff::1";

/// What the administrator does once for a table (docs/snf-network.md), on a node whose other ways lead elsewhere.
const ADMINISTRATOR: &str = "
    ip route add default via 203.0.113.1 dev up0 table 100
    ip -6 route add default via fe80::1 dev up0 table 100
    ip rule add iif up0 lookup 100; ip -6 rule add iif up0 lookup 100
    sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1";

/// The router, at the other end of the node's uplink. The guests' networks are on the link for it.
pub(super) fn router() -> Guest {
    let mut router = Guest::new(9);
    router.tap = "up0".to_owned();
    // Nobody answers by an address that may be another's, for a second or two.
    sh("sysctl -qw net.ipv6.conf.default.accept_dad=0");
    router.plug();
    sh("sysctl -qw net.ipv6.conf.default.accept_dad=1");
    answer_at_once("up0");
    router.sh(&format!(
        "ip address add 203.0.113.1/24 dev eth0; ip address add 192.0.2.1/24 dev eth0
         ip address add {WORLD}/32 dev lo; ip address add {WORLD6}/128 dev lo
         ip address add fe80::1/64 dev eth0 nodad; ip -6 route add 2001:db8::/48 dev eth0
         sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"
    ));
    sh("ip address add 203.0.113.2/24 dev up0");
    sh(ADMINISTRATOR);
    router
}

/// A proxy waits for the owner to answer, for up to a second.
fn answer_at_once(device: &str) {
    sh(&format!("sysctl -qw net.ipv4.neigh.{device}.proxy_delay=0 net.ipv6.neigh.{device}.proxy_delay=0"));
}

/// The NIC of a guest behind a new tap.
pub(super) fn routed(number: u8) -> (Guest, Nic) {
    let mut guest = Guest::new(number);
    guest.insert();
    answer_at_once(&guest.tap);
    let nic = Nic::routed(&guest, "nfdhcpd ip-less-routed");
    (guest, nic)
}

/// The same, set up, with the addresses that nfdhcpd would give it.
pub(super) fn configured(number: u8) -> Guest {
    let (guest, nic) = routed(number);
    nic.up();
    guest.sh(&format!(
        "ip address add {}/24 dev eth0; ip route add default via 192.0.2.1
         ip address add {}/64 dev eth0 nodad; ip -6 route add default via {ROUTER} dev eth0",
        guest.ip(),
        guest.eui64()
    ));
    guest
}

/// The link-local address of every tap, and its MAC.
pub(super) const ROUTER: &str = "fe80::ce47:52ff:fe4e:4554";
const ROUTER_MAC: [u8; 6] = [0xcc, 0x47, 0x52, 0x4e, 0x45, 0x54];

#[track_caller]
fn reach_each_other(guest: &Guest, router: &Guest) {
    for (ping, address) in [("ping -4", guest.ip().to_string()), ("ping -6", guest.eui64())] {
        router.sh(&format!("{ping} -c 1 -W 5 {address}"));
    }
    for (ping, address) in [("ping -4", WORLD), ("ping -6", WORLD6), ("ping -4", "192.0.2.1")] {
        guest.sh(&format!("{ping} -c 1 -W 5 {address}"));
    }
}

/// With a real client, and nothing set by hand. Two guests on one node reach each other as well.
fn guest_and_world_reach_each_other(lab: &mut Lab) {
    let router = router();
    lab.divert("-i tap+");
    lab.launch(&Config::default());
    let guests = [1, 2].map(|number| {
        let (guest, nic) = routed(number);
        nic.up();
        guest
    });
    guests.iter().for_each(expect_both_families);
    for guest in &guests {
        reach_each_other(guest, &router);
        assert!(guest.sh("ip neighbour show 192.0.2.1").contains("cc:47:52:4e:45:54"));
    }
    guests[0].sh(&format!("ping -4 -c 1 -W 5 {0}; ping -6 -c 1 -W 5 {1}", guests[1].ip(), guests[1].eui64()));
}

/// It has no address in the guest's network, and others elsewhere.
fn node_asks_as_the_gateway(_: &mut Lab) {
    let router = router();
    let guest = configured(1);
    router.sh(&format!("ping -c 1 -W 5 {}", guest.ip()));
    let asked = |frame: &Frame| {
        let is_request = frame[12..14] == [8, 6] && frame[20..22] == [0, 1] && frame[6..12] == ROUTER_MAC;
        is_request.then(|| Ipv4Addr::new(frame[28], frame[29], frame[30], frame[31]))
    };
    let mut askers: Vec<_> = guest.frames().iter().filter_map(asked).collect();
    askers.dedup();
    assert_eq!(askers, [Ipv4Addr::new(192, 0, 2, 1)]);
}

/// Not after a second or two in which the tap's own address may be somebody else's; a guest that says so is not believed.
fn guest_can_be_reached_at_once(_: &mut Lab) {
    let router = router();
    let mut guest = Guest::new(1);
    guest.insert();
    guest.sh(&format!("ip address add {ROUTER}/64 dev eth0 nodad"));
    Nic::routed(&guest, "ip-less-routed").up();
    guest.sh(&format!("ip address add {}/64 dev eth0 nodad; ip address del {ROUTER}/64 dev eth0", guest.eui64()));
    guest.sh(&format!("ip -6 route add default via {ROUTER} dev eth0"));
    let address = sh("ip -6 address show dev tap1");
    assert!(address.contains(ROUTER) && !address.contains("tentative") && !address.contains("dadfailed"), "{address}");
    router.sh(&format!("ping -c 1 -W 5 {}", guest.eui64()));
}

/// A packet that is allowed goes the same way behind each, so what has not come before it does not come.
fn spoofed_sources_go_nowhere(_: &mut Lab) {
    let router = router();
    let guests = [1, 2].map(configured);
    let [guest, other] = &guests;
    reach_each_other(guest, &router);
    let world: (Ipv4Addr, Ipv6Addr) = (WORLD.parse().unwrap(), WORLD6.parse().unwrap());
    let v4 =
        |from: Ipv4Addr, word: &[u8]| ethernet(ROUTER_MAC, guest.mac, IPV4, &udp4(from, world.0, [4000, 4000], word));
    let v6 =
        |from: Ipv6Addr, word: &[u8]| ethernet(ROUTER_MAC, guest.mac, IPV6, &udp6(from, world.1, [4000, 4000], word));
    let nobodys: [Ipv4Addr; 3] = [Ipv4Addr::new(192, 0, 2, 77), Ipv4Addr::new(203, 0, 113, 2), Ipv4Addr::UNSPECIFIED];
    let nobodys6 = [format!("{}::77", guest.prefix6()), other.eui64(), WORLD6.to_owned(), "::".to_owned()];
    let mut frames: Vec<_> = nobodys.iter().chain([&other.ip()]).map(|from| v4(*from, b"spoofed")).collect();
    frames.extend(nobodys6.iter().map(|from| v6(from.parse().unwrap(), b"spoofed")));
    frames.extend([v4(guest.ip(), b"the last4"), v6(guest.eui64().parse().unwrap(), b"the last6")]);
    guest.send(&frames, 1);
    for last in [b"the last4", b"the last6"] {
        soon("what is sent last", || ends_with(&router, last).then_some(()));
    }
    assert!(!ends_with(&router, b"spoofed") && !ends_with(other, b"spoofed"));
    // A link-local source is let in, for neighbours; it is never forwarded.
    let link_local = v6("fe80::a800:ff:fe00:1".parse().unwrap(), b"spoofed");
    guest.send(&[link_local, v6(guest.eui64().parse().unwrap(), b"the end")], 1);
    soon("what is sent last", || ends_with(&router, b"the end").then_some(()));
    assert!(!ends_with(&router, b"spoofed"));
}

fn ends_with(guest: &Guest, word: &[u8]) -> bool {
    guest.frames().iter().any(|frame| frame.ends_with(word))
}

/// By ARP and ND on the uplink: for those of its guests, and for no other address of their networks.
fn node_answers_for_its_guests_alone(_: &mut Lab) {
    let router = router();
    let guest = configured(1);
    let ask = |address: IpAddr| {
        let frame = match address {
            IpAddr::V4(address) => arp_request(router.mac, address),
            IpAddr::V6(address) => solicitation(router.mac, address),
        };
        router.send(&[frame], 1);
    };
    let own: [IpAddr; 2] = [guest.ip().into(), guest.eui64().parse().unwrap()];
    let others = ["192.0.2.12".to_owned(), "192.0.2.1".to_owned(), format!("{}::77", guest.prefix6())];
    others.iter().for_each(|address| ask(address.parse().unwrap()));
    own.iter().copied().for_each(ask);
    let answered = || answers(&router);
    soon("answers for the guest", || own.iter().all(|address| answered().contains(address)).then_some(()));
    assert!(answered().iter().all(|address| own.contains(address)), "{:?}", answered());
    // Nor for one that is gone. The route has gone with its tap; who asks next is answered first.
    guest.unplug();
    super::run(&["clean"]);
    let next = configured(2);
    let before = answered().len();
    own.iter().copied().for_each(ask);
    let later: [IpAddr; 2] = [next.ip().into(), next.eui64().parse().unwrap()];
    later.iter().copied().for_each(ask);
    soon("answers for the next guest", || {
        later.iter().all(|address| answered()[before..].contains(address)).then_some(())
    });
    assert!(answered()[before..].iter().all(|address| !own.contains(address)), "{:?}", answered());
}

fn arp_request(mac: [u8; 6], target: Ipv4Addr) -> Frame {
    let fixed: [u8; 8] = [0, 1, 8, 0, 6, 4, 0, 1];
    let body = [&fixed[..], &mac, &[192, 0, 2, 1], &[0; 6], &target.octets()].concat();
    ethernet([0xff; 6], mac, 0x0806, &body)
}

/// From the router, with its MAC in an option (RFC 4861 §4.3).
fn solicitation(mac: [u8; 6], target: Ipv6Addr) -> Frame {
    let [.., a, b, c] = target.octets();
    let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | u16::from(a), u16::from_be_bytes([b, c]));
    let body = [&[0; 4][..], &target.octets(), &[1, 1], &mac].concat();
    let packet = icmpv6("fe80::1".parse().unwrap(), group, NEIGHBOR_SOLICITATION, &body);
    ethernet([0x33, 0x33, 0xff, a, b, c], mac, IPV6, &packet)
}

/// The addresses that somebody else answered for to who asked: by ARP replies, and by solicited advertisements.
fn answers(asker: &Guest) -> Vec<IpAddr> {
    let frames = asker.frames();
    let received = frames.iter().filter(|frame| frame[0..6] == asker.mac);
    received.filter_map(|frame| arp_reply(frame).or_else(|| advertisement(frame, true))).collect()
}

fn arp_reply(frame: &Frame) -> Option<IpAddr> {
    let is_reply = frame[12..14] == [8, 6] && frame[20..22] == [0, 2];
    is_reply.then(|| Ipv4Addr::new(frame[28], frame[29], frame[30], frame[31]).into())
}

/// The target of a Neighbor Advertisement (RFC 4861 §4.4).
fn advertisement(frame: &Frame, solicited: bool) -> Option<IpAddr> {
    let is_one = frame.len() >= 78 && frame[12..14] == [0x86, 0xdd] && frame[20] == 58 && frame[54] == 136;
    let target: [u8; 16] = frame.get(62..78)?.try_into().unwrap();
    (is_one && (frame[58] & 0x40 != 0) == solicited).then(|| Ipv6Addr::from(target).into())
}

/// What was announced at the router.
fn announced(router: &Guest) -> Vec<IpAddr> {
    let gratuitous = |frame: &Frame| {
        let is_arp = frame[12..14] == [8, 6] && frame[28..32] == frame[38..42] && frame[0..6] == [0xff; 6];
        is_arp.then(|| Ipv4Addr::new(frame[28], frame[29], frame[30], frame[31]).into())
    };
    let frames = router.frames();
    frames.iter().filter_map(|frame| gratuitous(frame).or_else(|| advertisement(frame, false))).collect()
}

/// The router has forgotten by then where the guest was; a second run is no news, and a new tap is.
fn move_is_announced_once(_: &mut Lab) {
    let router = router();
    router.sh("ip neigh replace 192.0.2.11 lladdr 02:00:00:00:00:99 nud stale dev eth0");
    let (mut guest, nic) = routed(1);
    let own: [IpAddr; 2] = [guest.ip().into(), guest.eui64().parse().unwrap()];
    router.sh(&format!("ip neigh replace {} lladdr 02:00:00:00:00:99 nud stale dev eth0", own[1]));
    nic.up();
    soon("both announcements", || (announced(&router) == own).then_some(()));
    let uplink = sh("cat /sys/class/net/up0/address");
    for address in own {
        soon("the router's neighbour", || {
            router.sh(&format!("ip neigh show {address}")).contains(uplink.trim()).then_some(())
        });
    }
    nic.up();
    guest.unplug();
    guest.insert();
    nic.up();
    soon("new announcements", || (announced(&router).len() >= 4).then_some(()));
    assert_eq!(announced(&router), [own, own].concat());
}

/// As distributions set them for new interfaces, and strict ones: the kernel looks for the way back as if it were asked from
/// the interface that a packet leaves by, and both have their rules.
fn reverse_path_filters_do_not_matter(_: &mut Lab) {
    sh("sysctl -qw net.ipv4.conf.default.rp_filter=2; ip route add unreachable default metric 4278198272");
    let router = router();
    let guest = configured(1);
    reach_each_other(&guest, &router);
    assert_eq!(sh("cat /proc/sys/net/ipv4/conf/tap1/rp_filter").trim(), "0");
    for filter in ["up0.rp_filter=1", "all.rp_filter=2", "all.rp_filter=1"] {
        sh(&format!("sysctl -qw net.ipv4.conf.{filter}"));
        reach_each_other(&guest, &router);
    }
}

/// The kernel has it switched off; the network does not use it.
fn node_needs_no_ipv6(_: &mut Lab) {
    let router = router();
    sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1");
    let mut guest = Guest::new(1);
    guest.insert();
    let nic = Nic::routed(&guest, "ip-less-routed").without("NETWORK_SUBNET6").without("NETWORK_GATEWAY6");
    nic.up();
    guest.sh(&format!("ip address add {}/24 dev eth0; ip route add default via 192.0.2.1", guest.ip()));
    guest.sh(&format!("ping -c 1 -W 5 {WORLD}"));
    router.sh(&format!("ping -c 1 -W 5 {}", guest.ip()));
    assert!(nic.plan().is_empty() || nic.plan().starts_with("run "), "{}", nic.plan());
    let error = nic.with("NETWORK_SUBNET6", "2001:db8:0:1::/64").try_up().unwrap_err();
    assert!(error.contains("LINK") && error.lines().count() == 1, "{error}");
    assert!(!belongings().contains("2001:db8"), "{}", belongings());
}
