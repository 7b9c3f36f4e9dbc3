//! `nfdhcpd rules --guard`: what guests must not say goes nowhere, whatever it is wrapped into; what they may say goes on.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::slice;

use crate::bridge::{bridged_guest, expect_both_families, make_bridge, set_hooks};
use crate::check::load_with as load;
use crate::harness::capture::Frame;
use crate::harness::frames::{ethernet, icmpv6, ipv4, ipv6, udp4, udp6};
use crate::harness::requests::{
    ALL_ROUTERS, ALL_ROUTERS_MAC, EVERYBODY, IPV4, IPV6, discover, information_request, neighbor_solicitation,
    router_solicitation,
};
use crate::harness::{Config, Guest, Lab, sh, soon, tests};

tests!(guard:
    hostile_frames_reach_nobody,
    honest_frames_pass,
    trunks_may_send_tags,
    node_follows_no_router_on_a_port,
    node_follows_no_router_on_a_routed_tap,
    routed_guests_offer_nothing_to_each_other,
    guarded_guests_are_served,
);

const NODES: [u8; 6] = [0x33, 0x33, 0, 0, 0, 1];
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 1, 2, 3, 4);
const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 11);
/// Extension headers of IPv6, by their numbers.
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;
const HIP: u8 = 139;
const SHIM6: u8 = 140;
const EXPERIMENT: u8 = 253;
/// ICMPv6.
const NEIGHBOR_SOLICITATION: u8 = 135;
const ROUTER_ADVERTISEMENT: u8 = 134;
const REDIRECT: u8 = 137;
const ICMPV6: u8 = 58;
const UDP: u8 = 17;

/// A frame, and what counts it.
struct Sample {
    what: &'static str,
    /// A reason of the guard; of an honest frame nothing.
    reason: &'static str,
    frame: Frame,
}

fn in_ipv4(what: &'static str, reason: &'static str, packet: Vec<u8>) -> Sample {
    Sample { what, reason, frame: ethernet(EVERYBODY, MAC, IPV4, &packet) }
}

fn in_ipv6(what: &'static str, reason: &'static str, packet: Vec<u8>) -> Sample {
    Sample { what, reason, frame: ethernet(NODES, MAC, IPV6, &packet) }
}

/// A packet in a head that is no EtherType alone.
fn in_head(what: &'static str, reason: &'static str, head: &[u16], packet: &[u8]) -> Sample {
    let head: Vec<u8> = head.iter().copied().flat_map(u16::to_be_bytes).collect();
    Sample { what, reason, frame: [&NODES, &MAC, &head[..], packet].concat() }
}

/// The guest that sends.
const MAC: [u8; 6] = [0xaa, 0, 0, 0, 0, 1];

/// What a server or a router says, in every disguise that a neighbour may see through.
fn hostile() -> Vec<Sample> {
    [of_dhcp(), of_dhcpv6(), of_routers(), of_fragments(), of_frames()].into_iter().flatten().collect()
}

fn offer(ports: [u16; 2]) -> Vec<u8> {
    udp4(ADDRESS, Ipv4Addr::BROADCAST, ports, &[2; 240])
}

fn advertise(ports: [u16; 2]) -> Vec<u8> {
    udp6(LINK_LOCAL, ALL_NODES, ports, &[2; 24])
}

/// With a lifetime of half an hour.
fn router_advertisement() -> Vec<u8> {
    icmpv6(LINK_LOCAL, ALL_NODES, ROUTER_ADVERTISEMENT, &[64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0])
}

fn redirect() -> Vec<u8> {
    icmpv6(LINK_LOCAL, ALL_NODES, REDIRECT, &[0; 36])
}

/// The same packet of IPv4 with other bytes in its head.
fn altered(mut packet: Vec<u8>, at: usize, bytes: &[u8]) -> Vec<u8> {
    packet[at..at + bytes.len()].copy_from_slice(bytes);
    packet
}

fn with_options(packet: &[u8]) -> Vec<u8> {
    let length = u16::try_from(packet.len() + 4).unwrap().to_be_bytes();
    let packet = altered(altered(packet.to_vec(), 0, &[0x46]), 2, &length);
    [&packet[..20], &[1, 1, 1, 0], &packet[20..]].concat()
}

fn of_dhcp() -> Vec<Sample> {
    vec![
        in_ipv4("an offer", "dhcp", offer([67, 68])),
        in_ipv4("an offer to a relay", "dhcp", offer([67, 67])),
        in_ipv4("an offer from another port", "dhcp", offer([4000, 68])),
        in_ipv4("an offer behind options", "dhcp", with_options(&offer([67, 68]))),
        in_ipv4("the first fragment of an offer", "dhcp", altered(offer([67, 68]), 6, &[0x20])),
        in_ipv4("a server's port alone", "dhcp", ipv4(ADDRESS, Ipv4Addr::BROADCAST, UDP, &[0, 67])[..22].to_vec()),
        in_ipv4("an offer longer than its frame", "hidden", altered(offer([67, 68]), 2, &[5, 0xdc])),
        in_ipv4("a head shorter than it can be", "hidden", altered(offer([67, 68]), 0, &[0x44])),
        in_ipv4("IPv6 that is called IPv4", "hidden", router_advertisement()),
        in_ipv4("an ICMP redirect", "redirect", ipv4(ADDRESS, Ipv4Addr::BROADCAST, 1, &[5, 1, 0, 0, 192, 0, 2, 1])),
        in_ipv4("a router of RFC 1256", "ra", ipv4(ADDRESS, Ipv4Addr::BROADCAST, 1, &[9, 0, 0, 0, 1, 2, 7, 8])),
    ]
}

fn of_dhcpv6() -> Vec<Sample> {
    let advertise = || advertise([547, 546]);
    vec![
        in_ipv6("a DHCPv6 server", "dhcpv6", advertise()),
        in_ipv6("a DHCPv6 server's other port", "dhcpv6", self::advertise([4000, 546])),
        in_ipv6("a DHCPv6 relay", "dhcpv6", self::advertise([547, 547])),
        in_ipv6("DHCPv6 behind a header", "dhcpv6", behind(&advertise(), &[DESTINATION])),
        in_ipv6("DHCPv6 behind headers", "dhcpv6", behind(&advertise(), &[HOP_BY_HOP, ROUTING, DESTINATION])),
        in_ipv6("DHCPv6 in one fragment", "dhcpv6", behind(&advertise(), &[FRAGMENT])),
        in_ipv6("DHCPv6 in a first fragment", "hidden", first(behind(&advertise(), &[FRAGMENT, DESTINATION]))),
    ]
}

fn of_routers() -> Vec<Sample> {
    let ra = router_advertisement;
    vec![
        in_ipv6("a router", "ra", ra()),
        in_ipv6("a router behind hop-by-hop options", "ra", behind(&ra(), &[HOP_BY_HOP])),
        in_ipv6("a router behind destination options", "ra", behind(&ra(), &[DESTINATION])),
        in_ipv6("a router behind a routing header", "ra", behind(&ra(), &[ROUTING])),
        in_ipv6("a router behind many headers", "ra", behind(&ra(), &[DESTINATION; 40])),
        in_ipv6("a router in one fragment", "ra", behind(&ra(), &[FRAGMENT])),
        in_ipv6("a router in a fragment of a fragment", "hidden", behind(&ra(), &[FRAGMENT, FRAGMENT])),
        in_ipv6("a router in a first fragment", "hidden", first(behind(&ra(), &[FRAGMENT, DESTINATION]))),
        in_ipv6("a router behind an experiment", "hidden", behind(&ra(), &[EXPERIMENT])),
        in_ipv6("a router longer than its frame", "hidden", altered(ra(), 4, &[5, 0xdc])),
        in_ipv6("IPv4 that is called IPv6", "hidden", offer([67, 68])),
        in_ipv6("a redirect", "redirect", redirect()),
        in_ipv6("a redirect behind a header", "redirect", behind(&redirect(), &[DESTINATION])),
    ]
}

/// Fragments whose first does not say what they are of (RFC 7112), or that must not be (RFC 6980).
fn of_fragments() -> Vec<Sample> {
    let solicitation = icmpv6(LINK_LOCAL, ALL_NODES, NEIGHBOR_SOLICITATION, &[0; 20]);
    let nothing = |next: u8| ipv6(LINK_LOCAL, ALL_NODES, next, 255, &[]);
    let unfinished = altered(first(behind(&nothing(ICMPV6), &[FRAGMENT, DESTINATION])), 49, &[2]);
    let header =
        |kind: u8| in_ipv6("a header in a fragment", "hidden", first(behind(&nothing(UDP), &[FRAGMENT, kind])));
    let headers = [HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION, MOBILITY, HIP, SHIM6, EXPERIMENT];
    let named = vec![
        in_ipv6("a first fragment before ICMPv6", "hidden", first(behind(&nothing(ICMPV6), &[FRAGMENT, DESTINATION]))),
        in_ipv6("a first fragment before UDP", "hidden", first(behind(&nothing(UDP), &[FRAGMENT, DESTINATION]))),
        in_ipv6("a first fragment within a header", "hidden", unfinished),
        in_ipv6("a solicitation in a fragment", "hidden", behind(&solicitation, &[FRAGMENT])),
        in_ipv6("a solicitation in fragments", "hidden", first(behind(&solicitation, &[FRAGMENT]))),
    ];
    named.into_iter().chain(headers.into_iter().map(header)).collect()
}

fn of_frames() -> Vec<Sample> {
    let ra = router_advertisement();
    let snap = u16::try_from(ra.len() + 8).unwrap();
    let to_bridges = |frame: Frame| [&[1, 0x80, 0xc2, 0, 0, 0], &frame[6..]].concat();
    let bpdu = in_head("", "llc", &[38, 0x4242, 0x0300, 0, 0, 0], &[0; 28]).frame;
    vec![
        in_head("a priority tag", "vlan", &[0x8100, 0, IPV6], &ra),
        in_head("a VLAN", "vlan", &[0x8100, 5, IPV6], &ra),
        in_head("a provider's tag", "vlan", &[0x88a8, 0, IPV6], &ra),
        in_head("two tags", "vlan", &[0x88a8, 5, 0x8100, 0, IPV6], &ra),
        in_head("two tags of no VLAN", "vlan", &[0x8100, 0, 0x8100, 0, IPV6], &ra),
        in_head("a tag of old", "vlan", &[0x9100, 0, IPV6], &ra),
        in_head("SNAP", "llc", &[snap, 0xaaaa, 0x0300, 0, IPV6], &ra),
        in_head("SNAP of a bridge", "llc", &[snap, 0xaaaa, 0x0300, 0x00f8, IPV6], &ra),
        in_head("SNAP of a false length", "llc", &[0x05dc, 0xaaaa, 0x0300, 0, IPV6], &ra),
        Sample { what: "spanning tree", reason: "llc", frame: to_bridges(bpdu) },
        in_head("PPPoE", "pppoe", &[0x8864, 0x1100, 1, snap - 6, 0x57], &ra),
        in_head("a PPPoE server", "pppoe", &[0x8863, 0x1107, 0, 4, 0x0101, 0], &[0; 40]),
    ]
}

/// The packet of IPv6 behind extension headers, each of eight bytes.
fn behind(packet: &[u8], headers: &[u8]) -> Vec<u8> {
    let mut next = headers.iter().skip(1).copied().chain([packet[6]]);
    let header = |kind: &u8| {
        let next = next.next().unwrap();
        match *kind {
            FRAGMENT => [next, 0, 0, 0, 0, 0, 0, 9],
            ROUTING => [next, 0, 4, 0, 0, 0, 0, 0],
            // PadN.
            _ => [next, 0, 1, 4, 0, 0, 0, 0],
        }
    };
    let body = [headers.iter().flat_map(header).collect(), packet[40..].to_vec()].concat();
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    let head = altered(altered(packet[..40].to_vec(), 4, &length), 6, &headers[..1]);
    [head, body].concat()
}

/// The packet whose first header is a fragment's, with more to come.
fn first(packet: Vec<u8>) -> Vec<u8> {
    altered(packet, 43, &[1])
}

/// The packet whose first header is a fragment's, as one that is not the first.
fn later(packet: Vec<u8>) -> Vec<u8> {
    altered(packet, 42, &[1, 0])
}

/// What guests say all day.
fn honest() -> Vec<Sample> {
    let plain = |what, frame| Sample { what, reason: "", frame };
    let prefix = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 9);
    let listener = [&[4, 0, 0, 0], &[0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 1, 2, 3][..]].concat();
    let report = icmpv6(LINK_LOCAL, ALL_ROUTERS, 143, &[&[0, 0, 0, 1], &listener[..]].concat());
    let datagram = udp6(LINK_LOCAL, ALL_NODES, [4000, 5000], &[3; 240]);
    let datagram4 = || udp4(ADDRESS, Ipv4Addr::BROADCAST, [4000, 5000], &[3; 240]);
    let ping = icmpv6(LINK_LOCAL, ALL_NODES, 128, &[3; 240]);
    vec![
        plain("a DISCOVER", discover(MAC, 1)),
        plain("a question for DHCPv6", information_request(MAC, LINK_LOCAL, 1)),
        plain("who is a router?", router_solicitation(MAC, LINK_LOCAL)),
        plain("who is a neighbour?", neighbor_solicitation(MAC, LINK_LOCAL, prefix)),
        in_ipv6("I am a neighbour", "", icmpv6(LINK_LOCAL, ALL_NODES, 136, &[0; 20])),
        plain(
            "MLD",
            ethernet(ALL_ROUTERS_MAC, MAC, IPV6, &altered(behind(&report, &[HOP_BY_HOP]), 42, &[5, 2, 0, 0, 1, 0])),
        ),
        in_ipv6("UDP", "", datagram.clone()),
        in_ipv6("UDP behind headers", "", behind(&datagram, &[HOP_BY_HOP, DESTINATION])),
        in_ipv6("a first fragment of UDP", "", first(behind(&datagram, &[FRAGMENT]))),
        in_ipv6("a later fragment of UDP", "", later(behind(&advertise([547, 546]), &[FRAGMENT]))),
        in_ipv6("a first fragment of ping", "", first(behind(&ping, &[FRAGMENT]))),
        in_ipv6("a later fragment of ping", "", later(behind(&router_advertisement(), &[FRAGMENT]))),
        in_ipv6(
            "a first fragment of IPsec",
            "",
            first(behind(&ipv6(LINK_LOCAL, ALL_NODES, 50, 64, &[5; 64]), &[FRAGMENT])),
        ),
        in_ipv6("too big", "", icmpv6(LINK_LOCAL, ALL_NODES, 2, &[0; 100])),
        in_ipv6("no next header", "", ipv6(LINK_LOCAL, ALL_NODES, 59, 64, &[])),
        in_ipv6("IPsec", "", ipv6(LINK_LOCAL, ALL_NODES, 50, 64, &[5; 64])),
        in_ipv6("TCP", "", ipv6(LINK_LOCAL, ALL_NODES, 6, 64, &[5; 20])),
        in_ipv4("a datagram", "", datagram4()),
        in_ipv4("a datagram behind options", "", with_options(&datagram4())),
        in_ipv4("a first fragment", "", altered(datagram4(), 6, &[0x20])),
        in_ipv4("a later fragment", "", altered(offer([67, 68]), 6, &[0x20, 9])),
        in_ipv4("a ping", "", ipv4(ADDRESS, Ipv4Addr::BROADCAST, 1, &[8, 0, 0, 0, 0, 0, 0, 0])),
        in_ipv4("GRE", "", ipv4(ADDRESS, Ipv4Addr::BROADCAST, 47, &[0; 24])),
        plain("ARP", ethernet(EVERYBODY, MAC, 0x0806, &[0, 1, 8, 0, 6, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
        plain("something else", ethernet(EVERYBODY, MAC, 0x88b5, &[7; 46])),
    ]
}

/// A bridge with two guests, and a port that is no tap.
struct Switch {
    guest: Guest,
    ears: [Guest; 2],
}

impl Switch {
    /// It forwards what it is given: br_netfilter would see to it that lengths are right.
    fn new() -> Self {
        set_hooks("0");
        make_bridge();
        let plug = |number, tap: &str| {
            let mut guest = Guest::new(number);
            guest.tap = tap.to_owned();
            guest.plug_with(&format!("ip link set {tap} master br0"));
            // BR_STATE_FORWARDING (linux/if_bridge.h): the kernel takes its time.
            let state = format!("/sys/class/net/{tap}/brport/state");
            soon("a port that forwards", || (fs::read_to_string(&state).unwrap().trim() == "3").then_some(()));
            guest
        };
        Self { guest: plug(1, "tap1"), ears: [plug(2, "tap2"), plug(3, "uplink0")] }
    }

    /// Sends frames, each from a sender of its own and with this behind all that it is made of, and one that goes everywhere.
    /// Which of them has each of the others heard?
    #[track_caller]
    fn heard(&self, round: u8, samples: &[Sample], padding: &[u8]) -> [Vec<&'static str>; 2] {
        let mark =
            |number: usize| [&[0xaa, round][..], &u16::try_from(number).unwrap().to_be_bytes(), &[0, 1]].concat();
        let marked =
            |(number, sample): (usize, &Sample)| [&altered(sample.frame.clone(), 6, &mark(number)), padding].concat();
        let mut frames: Vec<Frame> = samples.iter().enumerate().map(marked).collect();
        frames.push(altered(ethernet(EVERYBODY, MAC, 0x88b6, &[0; 46]), 6, &mark(samples.len())));
        self.guest.send(&frames, 1);
        let has = |ear: &Guest, number| ear.frames().iter().any(|frame| frame[6..12] == mark(number));
        [0, 1].map(|ear| {
            let ear = &self.ears[ear];
            soon("what is sent last", || has(ear, samples.len()).then_some(()));
            let all = samples.iter().enumerate();
            all.filter(|(number, _)| has(ear, *number)).map(|(_, sample)| sample.what).collect()
        })
    }
}

/// What may be behind a packet in its frame: nothing, zeros, or what looks like an honest UDP header or an echo request, for who
/// reads on where the packet has ended.
const PADDINGS: [&[u8]; 4] =
    [&[], &[0; 40], &[0, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 1, 0, 8, 0, 0], &[128, 0, 0, 0, 0, 1, 0, 1]];

/// To another tap and to the uplink. First it is seen that they come, so that it means something if they do not.
pub(crate) fn hostile_frames_reach_nobody(_: &mut Lab) {
    let switch = Switch::new();
    let samples = hostile();
    let all: Vec<_> = samples.iter().map(|sample| sample.what).collect();
    assert_eq!(switch.heard(0, &samples, &[]), [all.clone(), all]);
    load("--bridged --guard");
    let mut expected: BTreeMap<&str, u64> = BTreeMap::new();
    for (round, padding) in (1..).zip(PADDINGS) {
        assert_eq!(switch.heard(round, &samples, padding), [vec![], vec![]] as [Vec<&str>; 2], "before {padding:x?}");
        samples.iter().for_each(|sample| *expected.entry(sample.reason).or_default() += 1);
        for (reason, count) in &expected {
            assert_eq!(counted("bridge", reason, "tap1"), *count, "{reason} before {padding:x?}");
            assert_eq!(counted("bridge", reason, "tap2"), 0, "{reason} of who has said nothing");
        }
    }
}

pub(crate) fn honest_frames_pass(_: &mut Lab) {
    let switch = Switch::new();
    load("--bridged --guard --bypass");
    let samples = honest();
    let all: Vec<_> = samples.iter().map(|sample| sample.what).collect();
    for (round, padding) in (1..).zip(PADDINGS) {
        assert_eq!(switch.heard(round, &samples, padding), [all.clone(), all.clone()], "before {padding:x?}");
    }
    for (guest, host) in [&switch.guest, &switch.ears[0]].into_iter().zip([1, 2]) {
        guest.sh(&format!(
            "ip address add 198.51.100.{host}/24 dev eth0; ip address add 2001:db8:b::{host}/64 dev eth0 nodad"
        ));
    }
    switch.guest.sh("ping -c 1 -W 5 -s 4000 198.51.100.2; ping -c 1 -W 5 -s 4000 2001:db8:b::2");
}

/// But not tags that are none.
pub(crate) fn trunks_may_send_tags(_: &mut Lab) {
    let switch = Switch::new();
    load("--bridged --guard --trunk tap1");
    let passed = ["a VLAN", "two tags"].to_vec();
    assert_eq!(switch.heard(1, &hostile(), &[]), [passed.clone(), passed]);
    load("--bridged --guard --trunk tap2,vnet*");
    assert_eq!(switch.heard(2, &hostile(), &[]), [vec![], vec![]] as [Vec<&str>; 2]);
}

/// What is sent to the bridge itself is forwarded by none: the node takes it as if there were no bridge.
fn node_follows_no_router_on_a_port(_: &mut Lab) {
    let switch = Switch::new();
    let to_bridge = [&[1, 0x80, 0xc2, 0, 0, 0x0e], &ethernet(NODES, MAC, IPV6, &router_advertisement())[6..]].concat();
    expect_no_router(&switch.guest, &to_bridge, "--bridged --guard");
}

fn node_follows_no_router_on_a_routed_tap(lab: &mut Lab) {
    let guest = lab.guest(1);
    expect_no_router(&guest, &ethernet(NODES, guest.mac, IPV6, &router_advertisement()), "--routed --guard");
}

/// The node takes the guest for its router. With the guard it does not, and knows who has tried.
#[track_caller]
fn expect_no_router(guest: &Guest, frame: &Frame, options: &str) {
    let routes = || sh(&format!("ip -6 route show default dev {}", guest.tap));
    sh(&format!("sysctl -qw net.ipv6.conf.{0}.disable_ipv6=0 net.ipv6.conf.{0}.accept_ra=2", guest.tap));
    soon("an address", || (!sh(&format!("ip -6 address show dev {}", guest.tap)).contains("tentative")).then_some(()));
    guest.send(slice::from_ref(frame), 1);
    soon("a false router", || routes().contains("fe80::1:2:3:4").then_some(()));
    load(options);
    sh(&format!("ip -6 route flush default dev {}", guest.tap));
    guest.send(slice::from_ref(frame), 1);
    soon("the counter", || (counted("inet", "ra", &guest.tap) == 1).then_some(()));
    assert_eq!(routes(), "");
}

/// The node would route it: the guard looks at it before.
fn routed_guests_offer_nothing_to_each_other(lab: &mut Lab) {
    let [guest, victim] = [1, 2].map(|number| lab.guest(number));
    sh("sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.tap1.rp_filter=0");
    sh(&format!("ip address add 203.0.113.1/32 dev tap2; ip route add {} dev tap2", victim.ip()));
    let mac = victim.mac_text();
    sh(&format!("ip neighbour replace {} lladdr {mac} dev tap2", victim.ip()));
    let node: [u8; 6] = mac_of("tap1");
    let datagram = |ports, mark: &[u8]| {
        let payload = [&[2; 40], mark].concat();
        ethernet(node, guest.mac, IPV4, &udp4(guest.ip(), victim.ip(), ports, &payload))
    };
    let has = |mark: &[u8]| victim.frames().iter().any(|frame| frame.ends_with(mark));
    guest.send(&[datagram([67, 68], b"offer 1")], 1);
    soon("an offer", || has(b"offer 1").then_some(()));
    load("--routed --guard");
    guest.send(&[datagram([67, 68], b"offer 2"), datagram([4000, 5000], b"the last")], 1);
    soon("another datagram", || has(b"the last").then_some(()));
    assert!(!has(b"offer 2"), "an offer is routed");
    assert_eq!(counted("inet", "dhcp", "tap1"), 1);
}

fn mac_of(interface: &str) -> [u8; 6] {
    let text = sh(&format!("cat /sys/class/net/{interface}/address"));
    let bytes: Vec<u8> = text.trim().split(':').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
    bytes.try_into().unwrap()
}

pub(crate) fn guarded_guests_are_served(lab: &mut Lab) {
    set_hooks("1");
    let guests = [bridged_guest(lab, 1), bridged_guest(lab, 2)];
    load("--bridged --guard");
    lab.launch(&Config::default());
    guests.iter().for_each(expect_both_families);
    for reason in ["dhcp", "dhcpv6", "ra", "redirect", "hidden", "vlan", "llc", "pppoe"] {
        assert_eq!(guests.each_ref().map(|guest| counted("bridge", reason, &guest.tap)), [0, 0], "{reason}");
    }
}

/// How many packets of a tap the guard has dropped, as the kernel tells an administrator.
fn counted(family: &str, reason: &str, tap: &str) -> u64 {
    let set = sh(&format!("nft list set {family} nfdhcpd guard_{reason}"));
    let words: Vec<&str> = set.split_whitespace().collect();
    let element = words.iter().skip_while(|word| **word != format!("\"{tap}\""));
    let packets = element.skip_while(|word| **word != "packets").nth(1);
    packets.map_or(0, |packets| packets.parse().unwrap())
}
