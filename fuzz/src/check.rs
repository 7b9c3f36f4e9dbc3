//! What must be true of every frame that we send, by an independent reading: not one line here is the engine's.

use std::net::{Ipv4Addr, Ipv6Addr};

use dhcproto::{Decodable, Decoder, v6};
use nfdhcpd::wire::MacAddr;

use crate::packet::{self, ARP, ETHERNET, IPV4, IPV6, PROTOCOL_ICMPV6, PROTOCOL_UDP, UDP};

/// A frame of ours, read.
#[derive(Debug)]
pub enum Sent {
    /// A DHCPv4 or BOOTP reply.
    Dhcpv4 {
        /// Of the BOOTP message, in bytes.
        len: usize,
    },
    /// A DHCPv6 message.
    Dhcpv6(Box<v6::Message>),
    /// A Router Advertisement.
    RouterAdvertisement {
        /// Router Lifetime, in seconds.
        lifetime: u16,
    },
    /// A Neighbor Advertisement.
    NeighborAdvertisement {
        /// Target Address.
        target: Ipv6Addr,
    },
    /// An ARP Announcement.
    ArpAnnouncement {
        /// Sender and target protocol address.
        address: Ipv4Addr,
    },
}

/// Reads a frame of ours.
///
/// # Panics
/// Where anything is wrong with it.
pub fn frame(frame: &[u8]) -> Sent {
    let packet = &frame[ETHERNET..];
    assert_eq!(frame[6] & 1, 0, "a group address as source");
    match u16::from_be_bytes([frame[12], frame[13]]) {
        0x0806 => arp_announcement(frame),
        0x0800 => ipv4(packet),
        0x86dd => {
            let sent = ipv6(packet);
            check_identity(frame, &sent);
            sent
        }
        other => panic!("EtherType {other:#06x}"),
    }
}

/// The source of a frame of ours.
pub fn source(frame: &[u8]) -> MacAddr {
    MacAddr::from_slice(&frame[6..]).expect("a source")
}

/// An ARP Announcement (RFC 5227 §2.3), in a frame from the MAC that it names.
fn arp_announcement(frame: &[u8]) -> Sent {
    let packet = &frame[ETHERNET..];
    assert_eq!(packet.len(), ARP);
    assert_eq!(frame[..6], [0xff; 6], "not to everybody");
    assert_eq!(packet[..8], [0, 1, 8, 0, 6, 4, 0, 1], "not a request about Ethernet and IPv4");
    assert_eq!(packet[8..14], frame[6..12], "another MAC than the frame's");
    assert_eq!(packet[14..18], packet[24..28], "another address than the sender's");
    let address: [u8; 4] = packet[14..18].try_into().expect("four octets");
    Sent::ArpAnnouncement { address: address.into() }
}

/// The MAC that sends the frame is the one that it speaks of: in its advertisement, and in its link-local source.
fn check_identity(frame: &[u8], sent: &Sent) {
    let packet = &frame[ETHERNET..];
    let message = &packet[IPV6..];
    if !matches!(sent, Sent::NeighborAdvertisement { .. }) {
        assert_eq!(packet[8..24], source(frame).link_local().octets(), "the link-local address of another MAC");
    }
    let named = match sent {
        Sent::RouterAdvertisement { .. } => link_layer(&message[16..], 1),
        Sent::NeighborAdvertisement { .. } => link_layer(&message[24..], 2),
        _ => return,
    };
    assert_eq!(named, Some(source(frame)), "another MAC than the frame's");
}

/// The link-layer address in an option of this type.
fn link_layer(mut options: &[u8], kind: u8) -> Option<MacAddr> {
    while options.first().is_some_and(|first| *first != kind) {
        options = &options[usize::from(options[1]) * 8..];
    }
    MacAddr::from_slice(options.get(2..)?)
}

fn ipv4(packet: &[u8]) -> Sent {
    let (header, payload) = packet.split_at(IPV4);
    assert_eq!(header[0], 0x45, "version and header length");
    assert_eq!(usize::from(u16::from_be_bytes([header[2], header[3]])), packet.len(), "total length");
    assert_eq!(packet::checksum(&[header]), 0, "IPv4 checksum");
    assert_eq!(header[9], PROTOCOL_UDP);
    let [source, destination] = udp_ports(header, payload);
    assert_eq!(source, 67);
    assert!(matches!(destination, 67 | 68), "port {destination}");
    dhcpv4(&payload[UDP..]);
    Sent::Dhcpv4 { len: payload.len() - UDP }
}

fn ipv6(packet: &[u8]) -> Sent {
    let (header, payload) = packet.split_at(IPV6);
    assert_eq!(header[0], 0x60, "version and traffic class");
    assert_eq!(usize::from(u16::from_be_bytes([header[4], header[5]])), payload.len(), "payload length");
    if header[6] == PROTOCOL_UDP {
        assert_eq!(header[8..10], [0xfe, 0x80], "source");
        assert_eq!(udp_ports(header, payload), [547, 546]);
        return Sent::Dhcpv6(Box::new(dhcpv6(&payload[UDP..])));
    }
    assert_eq!(header[6], PROTOCOL_ICMPV6);
    assert_eq!(header[7], 255, "hop limit");
    assert_eq!(packet::transport_checksum(header, PROTOCOL_ICMPV6, payload), 0, "ICMPv6 checksum");
    advertisement(payload)
}

fn udp_ports(ip: &[u8], datagram: &[u8]) -> [u16; 2] {
    let word = |at: usize| u16::from_be_bytes([datagram[at], datagram[at + 1]]);
    assert_eq!(usize::from(word(4)), datagram.len(), "UDP length");
    assert_ne!(word(6), 0, "no UDP checksum");
    assert_eq!(packet::transport_checksum(ip, PROTOCOL_UDP, datagram), 0, "UDP checksum");
    [word(0), word(2)]
}

/// Walks over a DHCPv4 or BOOTP reply, wherever its options are. What is in them is not looked at: `OPTION_<code>` puts
/// anything under any code, and decoders that know better panic.
fn dhcpv4(payload: &[u8]) {
    const COOKIE: [u8; 4] = [99, 130, 83, 99];
    const OVERLOAD: u8 = 52;
    assert_eq!(payload[..3], [2, 1, 6], "op, htype, hlen");
    let Some(options) = payload[236..].strip_prefix(&COOKIE) else {
        return assert!(payload[236..].iter().all(|byte| *byte == 0), "another cookie");
    };
    let overload = walk(options, OVERLOAD).map_or(0, |value| value[0]);
    assert!(overload <= 3, "option overload {overload}");
    for (bit, field) in [(1, &payload[108..236]), (2, &payload[44..108])] {
        if overload & bit != 0 {
            walk(field, OVERLOAD);
        }
    }
}

/// Walks over one area of options, up to its end; gives the value of the first with this code.
fn walk(mut rest: &[u8], wanted: u8) -> Option<&[u8]> {
    let mut found = None;
    loop {
        match rest {
            [255, padding @ ..] => {
                assert!(padding.iter().all(|byte| *byte == 0), "something behind the end");
                return found;
            }
            [0, more @ ..] => rest = more,
            [code, len, more @ ..] => {
                let (value, more) = more.split_at(usize::from(*len));
                found = found.or(Some(value).filter(|_| *code == wanted));
                rest = more;
            }
            _ => panic!("options without an end"),
        }
    }
}

/// Reads a DHCPv6 reply, or an Advertise.
pub fn dhcpv6(payload: &[u8]) -> v6::Message {
    let message = v6::Message::decode(&mut Decoder::new(payload)).expect("DHCPv6");
    assert!(matches!(message.msg_type(), v6::MessageType::Reply | v6::MessageType::Advertise));
    let server_ids = message.opts().iter().filter(|option| matches!(option, v6::DhcpOption::ServerId(_)));
    assert_eq!(server_ids.count(), 1, "server identifiers");
    // The decoder stops at what it cannot read: all must be there again.
    let mut rest = &payload[4..];
    let mut count = 0;
    while let [_, _, high, low, after @ ..] = rest {
        rest = &after[usize::from(u16::from_be_bytes([*high, *low]))..];
        count += 1;
    }
    assert!(rest.is_empty(), "bytes behind the last option");
    assert_eq!(message.opts().iter().count(), count, "options that cannot be read");
    message
}

/// Reads a Router or Neighbor Advertisement, its checksum aside.
pub fn advertisement(message: &[u8]) -> Sent {
    assert_eq!(message[1], 0, "code");
    match message[0] {
        134 => router_advertisement(message),
        136 => {
            assert_eq!(message[24..26], [2, 1], "one option, the target's link-layer address");
            assert_eq!(message.len(), 32);
            Sent::NeighborAdvertisement { target: target(message) }
        }
        other => panic!("ICMPv6 type {other}"),
    }
}

fn router_advertisement(message: &[u8]) -> Sent {
    assert!(message.len() + IPV6 <= 1280, "{} bytes, more than any link carries", message.len());
    assert_eq!(message[5] & 0x27, 0, "reserved");
    assert_ne!(message[5] & 0x18, 0x10, "the reserved preference");
    let has_lifetime = message[6..8] != [0, 0];
    assert!(has_lifetime || message[5] & 0x18 == 0, "a preference without a router");
    let mut options = &message[16..];
    while !options.is_empty() {
        let len = usize::from(options[1]) * 8;
        assert_ne!(len, 0, "an option of no length");
        let (option, rest) = options.split_at(len);
        router_option(option);
        options = rest;
    }
    Sent::RouterAdvertisement { lifetime: u16::from_be_bytes([message[6], message[7]]) }
}

/// One option of a Router Advertisement, by the RFC that defines it.
fn router_option(option: &[u8]) {
    let units = usize::from(option[1]);
    match option[0] {
        1 | 5 => assert_eq!(units, 1),
        3 => {
            assert_eq!((units, option[3] & 0x3f, &option[12..16]), (4, 0, &[0; 4][..]), "prefix information");
            check_prefix(&option[16..], option[2]);
            let lifetime = |at: usize| u32::from_be_bytes(option[at..at + 4].try_into().expect("4 bytes"));
            assert!(lifetime(8) <= lifetime(4), "preferred for longer than valid");
        }
        24 => {
            assert_eq!(units, 1 + usize::from(option[2].div_ceil(64)), "a route as long as its prefix");
            assert_eq!(option[3] & !0x18, 0, "reserved");
            assert_ne!(option[3] & 0x18, 0x10, "the reserved preference");
            check_prefix(&option[8..], option[2]);
        }
        25 => assert_eq!(units % 2, 1, "whole addresses"),
        31 => assert!(units >= 2, "a name"),
        37 => {
            let uri = option[2..].split(|byte| *byte == 0).next().unwrap_or_default();
            assert!(uri.contains(&b':') && uri.iter().all(u8::is_ascii_graphic), "a URI");
            assert_eq!((2 + uri.len()).div_ceil(8), units, "no more padding than it needs");
            assert!(option[2 + uri.len()..].iter().all(|byte| *byte == 0), "padded with NUL");
        }
        38 => {
            assert_eq!(units, 2);
            let lengths = [96, 64, 56, 48, 40, 32];
            let length = lengths.get(usize::from(option[3] & 7)).expect("a known prefix length code");
            check_prefix(&option[4..], *length);
        }
        other => panic!("option {other}"),
    }
}

/// Behind its `length` in bits, a prefix is all zero.
fn check_prefix(prefix: &[u8], length: u8) {
    let is_set = |bit: usize| prefix[bit / 8] & (0x80 >> (bit % 8)) != 0;
    assert!(!(usize::from(length)..prefix.len() * 8).any(is_set), "host bits behind /{length}");
}

fn target(message: &[u8]) -> Ipv6Addr {
    let octets: [u8; 16] = message[8..24].try_into().expect("sixteen octets");
    octets.into()
}
