//! What is counted: one packet of each kind, as the kernel hands it over.

use std::net::{Ipv4Addr, Ipv6Addr};

use nfdhcpd::io::netlink::{push_attribute, push_message};
use nfdhcpd::wire::{MacAddr, dhcpv4, dhcpv6, ethernet, ipv6, udp};

use crate::node::{CONFIG, GUEST, LIMITED, NO_TAP, mac};

/// A kind of packet.
pub(crate) struct Kind {
    /// What it is called.
    pub(crate) name: &'static str,
    /// The counter that it ends in.
    pub(crate) reason: &'static str,
    /// The node's configuration.
    pub(crate) config: &'static str,
    /// The index of the tap.
    tap: u32,
    /// The packet, from its IP header on.
    packet: fn() -> Vec<u8>,
}

/// Every kind that is counted.
#[rustfmt::skip] // A table.
pub(crate) const KINDS: &[Kind] = &[
    Kind { name: "DISCOVER", reason: "dhcpv4_offer", config: CONFIG, tap: GUEST, packet: discover },
    Kind { name: "REQUEST", reason: "dhcpv4_ack", config: CONFIG, tap: GUEST, packet: request },
    Kind { name: "Router Solicitation", reason: "ra_solicited", config: CONFIG, tap: GUEST, packet: router_solicitation },
    Kind { name: "Neighbor Solicitation", reason: "na_own", config: CONFIG, tap: GUEST, packet: neighbor_solicitation },
    Kind { name: "Information-Request", reason: "dhcpv6_information", config: CONFIG, tap: GUEST, packet: information_request },
    Kind { name: "Solicit", reason: "dhcpv6_advertise", config: CONFIG, tap: GUEST, packet: solicit },
    Kind { name: "rate-limited", reason: "rate_limited", config: LIMITED, tap: GUEST, packet: discover },
    Kind { name: "malformed", reason: "malformed", config: CONFIG, tap: GUEST, packet: malformed },
    Kind { name: "unknown tap", reason: "unknown_tap", config: CONFIG, tap: NO_TAP, packet: discover },
];

/// The guest's link-local address: not that of its MAC, as with most clients of today.
const LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0x1234, 0x5678, 0x9abc, 0xdef0);
const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
const ALL_SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
const GATEWAY: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
/// What a common client asks for in option 55, and that it takes 1,500 bytes.
const WISHES: &[u8] = &[55, 13, 1, 28, 2, 3, 15, 6, 119, 12, 44, 47, 26, 121, 42, 57, 2, 5, 220];

impl Kind {
    /// The packet in a message of NFQUEUE, with the attributes in the kernel's order.
    pub(crate) fn datagram(&self) -> Vec<u8> {
        let kind = (libc::NFNL_SUBSYS_QUEUE as u16) << 8 | libc::NFQNL_MSG_PACKET as u16;
        let hardware = [&[0, 6, 0, 0][..], &mac(GUEST).octets(), &[0, 0]].concat();
        let packet = (self.packet)();
        let mut datagram = Vec::new();
        push_message(&mut datagram, kind, 0, 0, |to| {
            to.extend([libc::AF_INET as u8, 0, 0, 42]);
            push_attribute(to, libc::NFQA_PACKET_HDR as u16, &[0, 0, 0, 7, 8, 0, 0]);
            push_attribute(to, libc::NFQA_IFINDEX_INDEV as u16, &self.tap.to_be_bytes());
            push_attribute(to, libc::NFQA_HWADDR as u16, &hardware);
            push_attribute(to, libc::NFQA_SKB_INFO as u16, &[0; 4]);
            push_attribute(to, libc::NFQA_PAYLOAD as u16, &packet);
        });
        datagram
    }
}

/// A frame from the guest; what netfilter sees of it begins behind its Ethernet header.
fn ethernet() -> ethernet::Addresses {
    ethernet::Addresses { source: mac(GUEST), destination: MacAddr::BROADCAST }
}

fn without_ethernet(mut frame: Vec<u8>) -> Vec<u8> {
    frame.split_off(ethernet::HEADER_LEN)
}

fn discover() -> Vec<u8> {
    dhcpv4(&[&[53, 1, 1], WISHES].concat())
}

fn request() -> Vec<u8> {
    let [.., last] = GUEST.to_be_bytes();
    dhcpv4(&[&[53, 1, 3, 50, 4, 192, 0, 2, last, 54, 4, 192, 0, 2, 1], WISHES].concat())
}

/// A DISCOVER whose last option says that it goes on.
fn malformed() -> Vec<u8> {
    dhcpv4(&[&[53, 1, 1], WISHES, &[77, 200, 1]].concat())
}

/// A DHCPv4 message with these options, a name and a client identifier, padded to 300 bytes.
fn dhcpv4(options: &[u8]) -> Vec<u8> {
    let mut message = vec![0; 240];
    message[..8].copy_from_slice(&[1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef]);
    message[28..34].copy_from_slice(&mac(GUEST).octets());
    message[236..].copy_from_slice(&[99, 130, 83, 99]);
    message.extend([&[61, 7, 1][..], &mac(GUEST).octets(), &[12, 2, b'v', b'm'], options].concat());
    if options.last() != Some(&1) {
        message.push(255);
        message.resize(message.len().max(300), 0);
    }
    let mut frame = vec![0; udp::FRAME_PAYLOAD_V4];
    frame.extend_from_slice(&message);
    let envelope = udp::Envelope {
        ethernet: ethernet(),
        source: (Ipv4Addr::UNSPECIFIED, dhcpv4::CLIENT_PORT),
        destination: (Ipv4Addr::BROADCAST, dhcpv4::SERVER_PORT),
    };
    udp::seal_v4(&mut frame, &envelope, message.len()).unwrap();
    without_ethernet(frame)
}

fn router_solicitation() -> Vec<u8> {
    icmpv6(ALL_ROUTERS, &[133, 0, 0, 0, 0, 0, 0, 0])
}

fn neighbor_solicitation() -> Vec<u8> {
    icmpv6(GATEWAY, &[&[135, 0, 0, 0, 0, 0, 0, 0][..], &GATEWAY.octets()].concat())
}

/// A solicitation with the guest's link-layer address.
fn icmpv6(destination: Ipv6Addr, message: &[u8]) -> Vec<u8> {
    let message = [message, &[1, 1], &mac(GUEST).octets()].concat();
    let mut frame = vec![0; ipv6::FRAME_PAYLOAD + message.len()];
    ipv6::put_icmpv6(&mut frame, ethernet(), LINK_LOCAL, destination, &message).unwrap();
    without_ethernet(frame)
}

fn information_request() -> Vec<u8> {
    dhcpv6(dhcpv6::MessageType::InformationRequest, &[])
}

fn solicit() -> Vec<u8> {
    let ia_na = [0, dhcpv6::option::IA_NA as u8, 0, 12, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0];
    dhcpv6(dhcpv6::MessageType::Solicit, &ia_na)
}

/// A DHCPv6 message with client identifier, elapsed time, option request, and these options.
fn dhcpv6(kind: dhcpv6::MessageType, options: &[u8]) -> Vec<u8> {
    let client_id = [&[0, 1, 0, 14, 0, 1, 0, 1, 1, 2, 3, 4][..], &mac(GUEST).octets()].concat();
    let usual = [0, 8, 0, 2, 0, 0, 0, 6, 0, 8, 0, 23, 0, 24, 0, 32, 0, 56];
    let message = [&[kind.code(), 0xa, 0xb, 0xc], &client_id[..], &usual, options].concat();
    let mut frame = vec![0; udp::FRAME_PAYLOAD_V6];
    frame.extend_from_slice(&message);
    let envelope = udp::Envelope {
        ethernet: ethernet(),
        source: (LINK_LOCAL, dhcpv6::CLIENT_PORT),
        destination: (ALL_SERVERS, dhcpv6::SERVER_PORT),
    };
    udp::seal_v6(&mut frame, &envelope, message.len()).unwrap();
    without_ethernet(frame)
}
