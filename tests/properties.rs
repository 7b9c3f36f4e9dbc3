//! What must hold for every frame, whatever is in it: the corpus's frames, changed at random, and random ones.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a panic is how a test fails")]
#![allow(clippy::disallowed_methods, reason = "tests read files")]

mod corpus;
mod decode;

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use nfdhcpd::binding::{Binding, IfIndex};
use nfdhcpd::config::Config;
use nfdhcpd::engine::{Engine, Event, Ingress, Link, MAX_FRAME, Outcome, Reason};
use nfdhcpd::wire::dhcpv4::Request;
use nfdhcpd::wire::ethernet::Frame;
use nfdhcpd::wire::ndp::{NeighborSolicitation, RouterSolicitation};
use nfdhcpd::wire::udp::Udp;
use nfdhcpd::wire::{Checksums, MacAddr, dhcpv6, ethernet, icmpv6, ipv4, ipv6};
use nfdhcpd::{binding, config};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// The node's configuration, less the mode of IPv6.
const CONFIG: &str = "\
[dhcp]
server_ip = 192.0.2.1
rapid_commit = yes
nameservers = 192.0.2.53, 192.0.2.54
domain_search = example.com, example.net
ntp = 192.0.2.123
tftp_server = 192.0.2.69
bootfile = pxelinux.0
bootfile_ipxe = http://boot.example.com/script.ipxe
bootfile_http_efi64 = http://boot.example.com/x64.efi
v6only_wait = 1800
captive_portal = https://portal.example.com/api
option_252 = text:http://wpad.example.com/wpad.dat
[ipv6]
rs_queue = 43
ns_queue = 44
dhcpv6_queue = 45
nameservers = 2001:db8::53
domains = example.com
ntp = 2001:db8::123, ntp.example.com
captive_portal = https://portal.example.com/api
mode = ";

/// A mode without stateful DHCPv6, and one with it.
const MODES: [&str; 2] = ["slaac+dhcpv6", "slaac+stateful"];

/// The MAC of the bridge, and of the routed taps.
const ROUTER: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 1]);
/// The router of the nodes that have a `router_mac`.
const NAMED: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 0x99]);
/// A link without a binding.
const STRANGER: u32 = 90;
const BRIDGE: u32 = 91;

/// What binding files say, in the order of their taps' indices from 1.
const BINDINGS: &[&str] = &[
    // As usual, with more options than 576 bytes hold.
    "MAC=aa:00:00:00:00:01\nHOSTNAME=guest1\nIP=192.0.2.10\nSUBNET=192.0.2.0/24\nGATEWAY=192.0.2.1\nMTU=1400\n\
     SUBNET6=2001:db8::/64\nGATEWAY6=2001:db8::1\nEUI64=2001:db8::a800:ff:fe00:1\n\
     DOMAIN_SEARCH=a.long.name.example.com b.long.name.example.com c.long.name.example.com d.long.name.example.com\n\
     ROUTES=198.51.100.0/24 via 192.0.2.254, 203.0.113.0/24 via 192.0.2.254\n\
     IP6=2001:db8::10\nPREFIX6=2001:db8:1::/48\n",
    // A neighbour.
    "MAC=aa:00:00:00:00:02\nHOSTNAME=guest2\nIP=192.0.2.11\nSUBNET=192.0.2.11/32\nGATEWAY=198.51.100.1\n\
     SUBNET6=2001:db8::/64\nGATEWAY6=2001:db8::1\nEUI64=2001:db8::a800:ff:fe00:2\n\
     BOOTFILE=boot.img\nNEXT_SERVER=192.0.2.70\nTFTP_SERVER=tftp.example.com\nOPTION_43=hex:0104c0000201\n",
    // The guest of the corpus once more, with any MAC.
    "MAC=aa:00:00:00:00:01\nHOSTNAME=guest3\nIP=192.0.2.10\nSUBNET=192.0.2.0/24\nMACSPOOF=1\n\
     SUBNET6=2001:db8::/64\nGATEWAY6=2001:db8::1\nOPTION_60=text:HTTPClient\nOPTION_67=text:other.0\n",
    // The same behind a bridge.
    "MAC=aa:00:00:00:00:01\nHOSTNAME=guest4\nINDEV=br0\nIP=192.0.2.10\nSUBNET=192.0.2.0/24\nPRIVATE=1\n\
     SUBNET6=2001:db8::/64\nGATEWAY6=2001:db8::1\n",
    // The guest of the captures of real clients.
    "MAC=52:54:00:0a:00:01\nHOSTNAME=guest5\nIP=192.0.2.10\nSUBNET=192.0.2.0/24\nGATEWAY=192.0.2.1\n\
     SUBNET6=2001:db8:0:1::/64\nGATEWAY6=2001:db8:0:1::1\n",
];

/// MTU of each tap.
const MTUS: [u32; 5] = [1500, 1500, 600, 1500, 9000];

struct Node {
    engine: Engine,
    bindings: Vec<Binding>,
    router_mac: Option<MacAddr>,
}

fn node(mode: &str) -> Node {
    node_with(mode, None)
}

fn node_with(mode: &str, router_mac: Option<MacAddr>) -> Node {
    let text = format!("{CONFIG}{mode}\n");
    let mut config: Config = config::parse::parse(Path::new("conf"), text.as_bytes()).unwrap().config;
    config.general.router_mac = router_mac;
    let mut engine = Engine::new(config, 0);
    let mut add = |index: u32, name: &str, mtu, master: Option<u32>, is_bridge| {
        let link = Link {
            ifindex: IfIndex::new(index).unwrap(),
            name: name.parse().unwrap(),
            mac: Some(ROUTER),
            mtu,
            master: master.and_then(IfIndex::new),
            is_bridge,
            is_ready: true,
        };
        engine.handle_event(Duration::ZERO, Event::LinkChanged(link));
    };
    add(STRANGER, "stranger", 1500, None, false);
    add(BRIDGE, "br0", 1500, None, true);
    for (index, mtu) in (1..).zip(MTUS) {
        add(index, &format!("tap{index}"), mtu, (index == 4).then_some(BRIDGE), false);
    }
    let parse = |(index, text): (usize, &&str)| {
        let path = format!("tap{}", index + 1);
        binding::parse::parse(Path::new(&path), text.as_bytes()).unwrap().binding
    };
    let bindings: Vec<Binding> = BINDINGS.iter().enumerate().map(parse).collect();
    for binding in &bindings {
        engine.handle_event(Duration::ZERO, Event::BindingLoaded(Box::new(binding.clone())));
    }
    assert_eq!(engine.status().iter().filter(|status| status.binding.is_some()).count(), BINDINGS.len());
    Node { engine, bindings, router_mac }
}

/// Where a packet comes in.
#[derive(Debug, Clone, Copy)]
struct Port {
    indev: Option<u32>,
    physindev: Option<u32>,
}

fn port() -> impl Strategy<Value = Port> {
    let on = |indev, physindev| Port { indev, physindev };
    prop_oneof![
        8 => (1..=5u32).prop_map(move |tap| on(Some(tap), None)),
        2 => Just(on(Some(BRIDGE), Some(4))),
        2 => Just(on(Some(BRIDGE), None)),
        1 => Just(on(Some(STRANGER), None)),
        1 => Just(on(Some(77), Some(78))),
        1 => Just(on(None, None)),
    ]
}

/// Every frame of the corpus.
static FRAMES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let cases = corpus::cases();
    cases.iter().flat_map(|case| corpus::frames(&case.path(case.input()))).filter(|it| it.len() < 3000).collect()
});

/// One change of a frame.
#[derive(Debug, Clone)]
enum Change {
    Set(Index, u8),
    Flip(Index, u8),
    Cut(Index),
    Append(Vec<u8>),
    Insert(Index, Vec<u8>),
    /// Overwrites with a piece of another frame.
    Splice(Index, Index, Index, u8),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, value)| Change::Set(at, value)),
        4 => (any::<Index>(), 0..8u8).prop_map(|(at, bit)| Change::Flip(at, 1 << bit)),
        1 => any::<Index>().prop_map(Change::Cut),
        1 => vec(any::<u8>(), 1..80).prop_map(Change::Append),
        1 => (any::<Index>(), vec(any::<u8>(), 1..20)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        1 => (any::<Index>(), any::<Index>(), any::<Index>(), 1..40u8).prop_map(|(a, b, c, d)| Change::Splice(a, b, c, d)),
    ]
}

fn apply(frame: &mut Vec<u8>, change: &Change) {
    let len = frame.len();
    match change {
        Change::Set(at, value) if len > 0 => frame[at.index(len)] = *value,
        Change::Flip(at, mask) if len > 0 => frame[at.index(len)] ^= mask,
        Change::Cut(at) => frame.truncate(at.index(len + 1)),
        Change::Append(bytes) => frame.extend_from_slice(bytes),
        Change::Insert(at, bytes) => drop(frame.splice(at.index(len + 1)..at.index(len + 1), bytes.iter().copied())),
        Change::Splice(at, other, from, count) if len > 0 => {
            let other = other.get(&FRAMES);
            let piece = other.iter().skip(from.index(other.len().max(1))).take((*count).into());
            let at = at.index(len);
            frame[at..].iter_mut().zip(piece).for_each(|(to, from)| *to = *from);
        }
        Change::Set(..) | Change::Flip(..) | Change::Splice(..) => {}
    }
}

/// A frame of the corpus with a few changes, more often than not behind the headers.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    (any::<Index>(), vec(change(), 0..6)).prop_map(|(index, changes)| {
        let mut frame = index.get(&FRAMES).clone();
        changes.iter().for_each(|change| apply(&mut frame, change));
        frame
    })
}

fn is_spoofed(binding: &Binding, source_mac: Option<MacAddr>, packet: &[u8]) -> bool {
    if binding.settings.macspoof {
        return false;
    }
    let chaddr = request(packet, |request| request.chaddr);
    [source_mac, chaddr, source_link_layer(packet)].into_iter().flatten().any(|mac| mac != binding.mac)
}

/// The source link-layer option of a solicitation.
fn source_link_layer(packet: &[u8]) -> Option<MacAddr> {
    let datagram = ipv6::Datagram::parse(packet).ok().filter(|datagram| datagram.protocol == ipv6::ICMPV6)?;
    let message = icmpv6::Message::parse(datagram.payload).ok()?;
    match message.message_type {
        icmpv6::ROUTER_SOLICITATION => RouterSolicitation::parse(message.body).ok()?.source_link_layer(),
        icmpv6::NEIGHBOR_SOLICITATION => NeighborSolicitation::parse(message.body).ok()?.source_link_layer(),
        _ => None,
    }
}

/// Something of the DHCPv4 message in a packet, if there is one. Its checksums may be wrong.
fn request<T>(packet: &[u8], read: impl Fn(&Request<'_>) -> T) -> Option<T> {
    let datagram = ipv4::Datagram::parse(packet).ok()?;
    let udp = Udp::parse_v4(&datagram, Checksums::NotReady).ok()?;
    Request::parse(udp.payload).ok().map(|request| read(&request))
}

/// The largest packet that a client takes and its tap carries, in bytes.
fn size_limit(packet: &[u8], mtu: u32) -> usize {
    let asked = request(packet, |request| match request.message_type {
        // RFC 1534 §2
        None => 28 + 300,
        Some(_) => request.max_size.unwrap_or(576).max(576),
    });
    let asked = asked.unwrap_or(576);
    let is_ipv4 = packet.first().is_some_and(|byte| byte >> 4 == 4);
    // IPv6 has no such option, and a smallest MTU.
    if is_ipv4 { usize::from(asked).min(mtu as usize) } else { 1280 }
}

/// Checks all that must hold of one packet.
fn check(node: &mut Node, port: Port, checksums: Checksums, frame: &[u8]) -> Result<Outcome, TestCaseError> {
    let Ok(parsed) = Frame::parse(frame) else { return Err(TestCaseError::reject("no frame")) };
    let ingress = Ingress {
        indev: port.indev.and_then(IfIndex::new),
        physindev: port.physindev.and_then(IfIndex::new),
        source_mac: Some(parsed.addresses.source),
        checksums,
        packet: parsed.payload,
    };
    let total = |engine: &Engine| engine.counters().map(|(_, count)| count).sum::<u64>();
    let before = total(&node.engine);
    let mut buffer = vec![0xee; MAX_FRAME];
    let outcome = node.engine.handle_packet(Duration::ZERO, &ingress, &mut buffer);
    prop_assert_eq!(total(&node.engine), before + 1, "exactly one outcome");
    if let Some(reply) = outcome.reply {
        check_reply(node, port, &ingress, reply.ifindex.value(), &buffer[..reply.len])?;
        prop_assert!(buffer[reply.len..].iter().all(|byte| [0, 0xee].contains(byte)), "nothing behind the reply");
    }
    Ok(outcome)
}

fn check_reply(node: &Node, port: Port, ingress: &Ingress<'_>, tap: u32, reply: &[u8]) -> Result<(), TestCaseError> {
    match port {
        // Only the guest of tap4 is on the bridge.
        Port { indev: Some(BRIDGE), physindev: None } => prop_assert_eq!(tap, 4, "another tap than the asker's"),
        Port { indev, physindev } => prop_assert_eq!(Some(tap), physindev.or(indev), "another tap than the asker's"),
    }
    let index = tap as usize - 1;
    let binding = &node.bindings[index];
    prop_assert!(!is_spoofed(binding, ingress.source_mac, ingress.packet), "a spoofed sender");
    let limit = size_limit(ingress.packet, MTUS[index]);
    prop_assert!(reply.len() - ethernet::HEADER_LEN <= limit, "{} bytes where {limit} are allowed", reply.len());
    check_dhcpv6(ingress.packet, reply)?;
    // Panics, and so fails, if anything about it is malformed.
    let text = decode::reply(reply);
    check_router(node, binding, reply, &text)?;
    check_dhcpv4(binding, ingress.packet, &text)
}

/// Whom a reply comes from and speaks of.
fn check_router(node: &Node, binding: &Binding, reply: &[u8], text: &str) -> Result<(), TestCaseError> {
    let router = node.router_mac.filter(|_| !binding.is_routed()).unwrap_or(ROUTER);
    prop_assert!(text.starts_with(&router.to_string()), "a reply that does not come from the router");
    let is_ipv4 = reply[12..14] == ethernet::IPV4.to_be_bytes();
    let is_misfit = binding.is_routed() && node.router_mac.is_some();
    prop_assert!(is_ipv4 || !is_misfit, "IPv6 by a router that the kernel does not listen to");
    let other = if router == NAMED { ROUTER } else { NAMED };
    let is_advertisement = !is_ipv4 && reply[20] == ipv6::ICMPV6;
    let says_other = reply[ipv6::FRAME_PAYLOAD..].windows(6).any(|octets| octets == other.octets());
    prop_assert!(!(is_advertisement && says_other), "another router's MAC in an advertisement");
    Ok(())
}

/// What no reply says but where it may.
fn check_dhcpv4(binding: &Binding, packet: &[u8], text: &str) -> Result<(), TestCaseError> {
    let Some((has_type, list)) = request(packet, |request| {
        (request.message_type.is_some(), request.options.parts(55).flatten().copied().collect::<Vec<u8>>())
    }) else {
        return Ok(());
    };
    let has = |code: u8| text.contains(&format!("\n  {code}: "));
    let names = ["\n  sname: ", "\n  file: "].map(|name| text.contains(name));
    if text.contains("MessageType(Nak)") {
        prop_assert!(text.contains("siaddr 0.0.0.0") && names == [false; 2], "a NAK that says what to boot");
    }
    let may_leave_ipv4 = list.contains(&108) && has_type && !binding.settings.private;
    prop_assert!(may_leave_ipv4 || !has(108), "a guest is told to leave IPv4 that cannot, or did not ask");
    prop_assert!(has_type || !(50..=61).any(has), "an option of DHCP in BOOTP");
    Ok(())
}

/// A DHCPv6 reply has the transaction and the identifier of the client, and one of the server.
fn check_dhcpv6(packet: &[u8], reply: &[u8]) -> Result<(), TestCaseError> {
    let (Some(asked), Some(answered)) = (dhcpv6_message(packet), dhcpv6_message(&reply[ethernet::HEADER_LEN..])) else {
        return Ok(());
    };
    let (asked, answered) = (dhcpv6::Message::parse(asked).unwrap(), dhcpv6::Message::parse(answered).unwrap());
    prop_assert_eq!(asked.transaction_id, answered.transaction_id);
    prop_assert_eq!(asked.client_id(), answered.client_id());
    prop_assert!(answered.server_id().is_some_and(|id| Some(id) != answered.client_id()));
    Ok(())
}

/// The payload of a UDP datagram over IPv6, whatever its checksum.
fn dhcpv6_message(packet: &[u8]) -> Option<&[u8]> {
    let datagram = ipv6::Datagram::parse(packet).ok().filter(|datagram| datagram.protocol == ipv6::UDP)?;
    Some(Udp::parse_v6(&datagram, Checksums::NotReady).ok()?.payload)
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 100_000, ..ProptestConfig::with_cases(4000) })]

    #[test]
    fn holds_for_changed_frames(frame in mutated(), port in port(), mode in select(&MODES)) {
        check(&mut node(mode), port, Checksums::Verify, &frame)?;
    }

    /// Without checksums changes get deeper.
    #[test]
    fn holds_for_changed_messages(frame in mutated(), port in port(), mode in select(&MODES)) {
        check(&mut node(mode), port, Checksums::NotReady, &frame)?;
    }

    #[test]
    fn holds_where_the_router_is_named(frame in mutated(), port in port(), mode in select(&MODES)) {
        check(&mut node_with(mode, Some(NAMED)), port, Checksums::NotReady, &frame)?;
    }

    #[test]
    fn holds_for_random_packets(head in vec(any::<u8>(), 14..=14), version in 4..7u8, rest in vec(any::<u8>(), 0..400), port in port()) {
        let frame = [head, vec![version << 4 | 5], rest].concat();
        check(&mut node(MODES[1]), port, Checksums::NotReady, &frame)?;
    }
}

/// The properties would hold as well if nothing were ever answered.
#[test]
fn the_frames_of_the_corpus_reach_most_outcomes() {
    let mut nodes = MODES.map(node);
    let ports = [1, 2, 3, 5].map(|tap| Port { indev: Some(tap), physindev: None });
    let bridge = [Some(4), None].map(|physindev| Port { indev: Some(BRIDGE), physindev });
    for port in ports.into_iter().chain(bridge) {
        for frame in FRAMES.iter().filter(|frame| frame.len() >= ethernet::HEADER_LEN) {
            for node in &mut nodes {
                check(node, port, Checksums::Verify, frame).unwrap();
            }
        }
    }
    let [stateless, stateful] = nodes.map(|node| node.engine);
    let counts = stateless.counters().zip(stateful.counters()).map(|((reason, one), (_, other))| (reason, one + other));
    let missing: Vec<Reason> =
        counts.filter(|(reason, count)| *count == 0 && !ELSEWHERE.contains(reason)).map(|it| it.0).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// What needs another node to come about.
const ELSEWHERE: &[Reason] = &[
    Reason::Advertised,
    Reason::Announced,
    Reason::UnknownTap,
    Reason::RejectedBinding,
    Reason::AmbiguousSender,
    Reason::ServiceDisabled,
    Reason::NoIpv4,
    Reason::NoIpv6,
    Reason::NoInterface,
    Reason::RateLimited,
    Reason::NoIndev,
    Reason::RouterMacMisfit,
    Reason::SendFailed,
];
