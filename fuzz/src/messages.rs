//! Targets for one protocol each: the bytes of a message in, without the layers below.

use std::io::Cursor;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use nfdhcpd::binding::Binding;
use nfdhcpd::config::{Config, Ipv6, Ipv6Mode};
use nfdhcpd::engine::solicitation::Solicitation;
use nfdhcpd::engine::{dhcpv4 as v4, dhcpv6 as v6, na, ra};
use nfdhcpd::io::nfqueue::message::{self, FromKernel};
use nfdhcpd::io::{links, netlink, pcap};
use nfdhcpd::wire::dhcpv4::{OptionList, Request};
use nfdhcpd::wire::ndp::{NeighborSolicitation, RouterSolicitation};
use nfdhcpd::wire::udp::{self, Udp};
use nfdhcpd::wire::{Checksums, MacAddr, dhcpv6, ipv4, ipv6};

use crate::check::{self, Sent};
use crate::fixtures::{self, GUEST};
use crate::packet;

/// The largest frame of a reply, in bytes.
const FRAME: usize = nfdhcpd::engine::MAX_FRAME;
/// The MAC of the node.
const ROUTER: MacAddr = MacAddr::new([2, 0, 0, 0, 1, 1]);

/// A binding, and what its guest is told.
struct Guest {
    binding: Binding,
    dhcpv4: v4::Answers,
    /// In a stateless and a stateful mode.
    dhcpv6: [v6::Answers; 2],
}

impl Guest {
    fn new(binding: Binding) -> Self {
        let config = fixtures::config();
        Self {
            dhcpv4: v4::Answers::new(&binding, &config).expect("replies that fit").expect("an IPv4 address"),
            dhcpv6: [Ipv6Mode::SlaacDhcpv6, Ipv6Mode::SlaacStateful].map(|mode| {
                let ipv6 = config.ipv6.clone().map(|ipv6| Ipv6 { mode, ..ipv6 });
                v6::Answers::new(&binding, &Config { ipv6, ..config.clone() }).expect("IPv6")
            }),
            binding,
        }
    }
}

static GUESTS: LazyLock<Vec<Guest>> = LazyLock::new(|| fixtures::bindings().map(Guest::new).collect());

/// The payload of a UDP datagram to port 67.
pub fn dhcpv4(data: &[u8]) {
    let Ok(request) = Request::parse(data) else { return };
    let total: usize = request.options.iter().map(|(_, value)| 2 + value.len()).sum();
    assert!(total <= data.len(), "options of {total} bytes");
    for guest in &*GUESTS {
        for mtu in [576, 1500, 9000] {
            answer_dhcpv4(&guest.dhcpv4, &request, mtu);
        }
    }
}

fn answer_dhcpv4(answers: &v4::Answers, request: &Request<'_>, mtu: u32) {
    let context =
        v4::Context { is_claimed: mtu == 9000, source: Ipv4Addr::UNSPECIFIED, source_mac: GUEST, own_mac: ROUTER, mtu };
    let mut frame = [0xff; FRAME];
    let Ok(answer) = answers.reply(request, &context, &mut OptionList::default(), &mut frame) else { return };
    let size = request.max_size.unwrap_or(576).max(576);
    assert!(answer.len <= 14 + (mtu as usize).min(size.into()), "{} bytes", answer.len);
    assert!(matches!(check::frame(&frame[..answer.len]), Sent::Dhcpv4 { len: 300.. }));
}

/// The payload of a UDP datagram to port 547.
pub fn dhcpv6(data: &[u8]) {
    if let Ok(message) = dhcpv6::Message::parse(data) {
        let total: usize = message.options().map(|option| 4 + option.data.len()).sum();
        assert_eq!(total + dhcpv6::HEADER_LEN, data.len(), "all of it is options");
        if let Ok(ias) = message.ias() {
            let leases: usize = ias.map(|ia| ia.leases().count()).sum();
            assert!(leases <= dhcpv6::MAX_OPTIONS, "{leases} leases");
        }
    }
    for answers in GUESTS.iter().flat_map(|guest| &guest.dhcpv6) {
        for is_claimed in [false, true] {
            answer_dhcpv6(answers, is_claimed, data);
        }
    }
}

fn answer_dhcpv6(answers: &v6::Answers, is_claimed: bool, data: &[u8]) {
    let context =
        v6::Context { is_claimed, source: GUEST.link_local(), destination: Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2) };
    let mut out = [0xff; FRAME - udp::FRAME_PAYLOAD_V6];
    let Ok(reply) = v6::decide(answers, &context, data, &mut out) else { return };
    let message = check::dhcpv6(&out[..reply.len]);
    assert_eq!(message.xid(), &data[1..4], "transaction id");
    assert!(reply.len + 48 <= ipv6::MIN_MTU, "{} bytes", reply.len);
    assert!(!(is_claimed && reply.delegation.is_some()), "a prefix goes to whoever claims to be its guest");
}

/// Flags, hop limit, code, source and destination of a packet, then what follows the ICMPv6 header.
pub fn ndp(data: &[u8]) {
    let Some(([flags, hop_limit, code], rest)) = data.split_first_chunk::<3>() else { return };
    let Some((source, rest)) = rest.split_first_chunk::<16>() else { return };
    let Some((destination, body)) = rest.split_first_chunk::<16>() else { return };
    let (source, destination) = (Ipv6Addr::from_octets(*source), Ipv6Addr::from_octets(*destination));
    let sender = (flags & 1 != 0).then_some(GUEST);
    // Most inputs have a hop limit that gets them further.
    let hop_limit = if flags & 2 == 0 { 255 } else { *hop_limit };
    let code = if flags & 4 == 0 { 0 } else { *code };
    if let Ok(message) = RouterSolicitation::parse(body) {
        assert!(message.options().count() <= body.len() / 8);
    }
    if let Ok(message) = NeighborSolicitation::parse(body) {
        assert!(!message.target().is_multicast() && message.options().count() <= body.len() / 8);
    }
    for Guest { binding, .. } in &*GUESTS {
        let solicitation = Solicitation { binding, sender, hop_limit, source, destination, code, body };
        let _ = ra::solicited(&solicitation);
        let Ok(reply) = na::decide(&solicitation, Ok(ROUTER)) else { continue };
        assert!(matches!(check::advertisement(&reply.message), Sent::NeighborAdvertisement { .. }));
        let own = binding.ipv6.as_ref().and_then(|ipv6| ipv6.eui64);
        assert!(own.is_none_or(|own| reply.message[8..24] != own.octets()), "the guest's own address is answered for");
    }
}

/// A datagram of NFQUEUE: every packet in it goes to a node.
pub fn nfqueue_message(data: &[u8]) {
    let mut node = fixtures::node();
    for message in message::read(data) {
        if let FromKernel::Packet(packet) = message {
            assert!(packet.ingress.packet.len() <= data.len());
            node.handle_packet(&packet.ingress);
        }
    }
}

/// A datagram of rtnetlink about links.
pub fn link_message(data: &[u8]) {
    for message in netlink::messages(data) {
        let _ = links::message::read(&message);
    }
}

/// A capture, pcap or pcapng: read to its end, which must come.
pub fn pcap(data: &[u8]) {
    let Ok(reader) = pcap::Reader::new(Box::new(Cursor::new(data.to_vec()))) else { return };
    let _ = reader.resolution();
    // A packet has a header of its own, of at least 16 bytes.
    let most = data.len() / 16 + 1;
    let mut count = 0;
    for packet in reader {
        count += 1;
        assert!(count <= most, "more packets than bytes for them");
        assert!(
            packet.is_err() || packet.is_ok_and(|packet| packet.data.len() <= data.len()),
            "more bytes than there are"
        );
    }
}

/// A byte (bit 0: lengths and checksums are put right first), then an IP packet.
pub fn ip(data: &[u8]) {
    let Some((flags, packet)) = data.split_first() else { return };
    let mut packet = packet.to_vec();
    if flags & 1 != 0 {
        packet::repair_ip(&mut packet);
    }
    if let Ok(datagram) = ipv4::Datagram::parse(&packet) {
        let good = Udp::parse_v4(&datagram, Checksums::Verify);
        assert!(good.is_err() || good == Udp::parse_v4(&datagram, Checksums::NotReady));
    }
    if let Ok(datagram) = ipv6::Datagram::parse(&packet) {
        let good = Udp::parse_v6(&datagram, Checksums::Verify);
        assert!(good.is_err() || good == Udp::parse_v6(&datagram, Checksums::NotReady));
        if datagram.verify_icmpv6(Checksums::Verify).is_ok() {
            let sum = packet::transport_checksum(&packet, packet::PROTOCOL_ICMPV6, datagram.payload);
            assert_eq!(sum, 0, "a wrong checksum goes for a right one");
        }
    }
}
