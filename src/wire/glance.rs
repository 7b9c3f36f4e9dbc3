//! Where the message is in a packet and what it seems to be, for people; and whether netfilter would divert it.
//!
//! Looks as iptables does, without checking anything: what is malformed must reach the engine, which says so.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::ethernet::{self, Frame};
use super::ipv6::{EXTENSION_HEADERS, FRAGMENT};
use super::{dhcpv4, dhcpv6, icmpv6, ipv4, ipv6, udp};

/// What a packet seems to be, at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glance {
    /// A DHCPv4 message.
    Dhcpv4(dhcpv4::MessageType),
    /// A BOOTP message, which has no type.
    Bootp,
    /// No DHCPv4 message, and in its place.
    BadDhcpv4,
    /// A DHCPv6 message.
    Dhcpv6(dhcpv6::MessageType),
    /// An ICMPv6 message of this type.
    Icmpv6(u8),
    /// Something else, of this protocol.
    Protocol(u8),
    /// No IP packet.
    Nothing,
}

impl Glance {
    /// Looks at a packet, from its IP header on.
    pub fn at(packet: &[u8]) -> Self {
        let Some(packet) = Packet::of(packet) else { return Self::Nothing };
        let is_at = |port| packet.destination_port() == Some(port);
        match (packet.source, packet.protocol) {
            (IpAddr::V4(_), ipv4::UDP) if is_at(dhcpv4::SERVER_PORT) => Self::at_dhcpv4(packet.udp_payload()),
            (IpAddr::V6(_), ipv6::UDP) if is_at(dhcpv6::SERVER_PORT) => {
                let message_type = dhcpv6::MessageType::peek(packet.udp_payload());
                message_type.map_or(Self::Protocol(ipv6::UDP), Self::Dhcpv6)
            }
            (IpAddr::V6(_), ipv6::ICMPV6) if !packet.is_tail => {
                packet.payload.first().map_or(Self::Protocol(ipv6::ICMPV6), |number| Self::Icmpv6(*number))
            }
            (_, protocol) => Self::Protocol(protocol),
        }
    }

    fn at_dhcpv4(payload: &[u8]) -> Self {
        match dhcpv4::Request::parse(payload) {
            Ok(message) => message.message_type.map_or(Self::Bootp, Self::Dhcpv4),
            Err(_) => Self::BadDhcpv4,
        }
    }
}

impl fmt::Display for Glance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dhcpv4(message_type) => write!(f, "DHCPv4 {message_type}"),
            Self::Bootp => f.write_str("BOOTP"),
            Self::BadDhcpv4 => f.write_str("DHCPv4"),
            Self::Dhcpv6(message_type) => write!(f, "DHCPv6 {message_type}"),
            Self::Icmpv6(icmpv6::ROUTER_SOLICITATION) => f.write_str("RS"),
            Self::Icmpv6(icmpv6::ROUTER_ADVERTISEMENT) => f.write_str("RA"),
            Self::Icmpv6(icmpv6::NEIGHBOR_SOLICITATION) => f.write_str("NS"),
            Self::Icmpv6(icmpv6::NEIGHBOR_ADVERTISEMENT) => f.write_str("NA"),
            Self::Icmpv6(number) => write!(f, "ICMPv6 type {number}"),
            Self::Protocol(number) => write!(f, "IP protocol {number}"),
            Self::Nothing => f.write_str("no IP packet"),
        }
    }
}

/// An IP packet, as far as it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The source in its IP header.
    pub source: IpAddr,
    /// The destination there.
    pub destination: IpAddr,
    /// What the last header names.
    pub protocol: u8,
    /// What follows the last header, whatever the lengths in the headers say. Padding included.
    pub payload: &'a [u8],
    /// Whether the payload is not the beginning: a fragment other than the first.
    is_tail: bool,
}

impl<'a> Packet<'a> {
    /// The IP packet of which these are the bytes, if there are at least its addresses.
    pub fn of(bytes: &'a [u8]) -> Option<Self> {
        match bytes.first()? >> 4 {
            4 => Self::find_v4(bytes),
            6 => Self::find_v6(bytes),
            _ => None,
        }
    }

    /// The IP packet in `frame`, if there are at least its addresses.
    pub fn find(frame: &Frame<'a>) -> Option<Self> {
        match frame.ether_type {
            ethernet::IPV4 => Self::find_v4(frame.payload),
            ethernet::IPV6 => Self::find_v6(frame.payload),
            _ => None,
        }
    }

    fn find_v4(bytes: &'a [u8]) -> Option<Self> {
        let header = bytes.first_chunk::<{ ipv4::HEADER_LEN }>()?;
        let [version_and_length, ..] = *header;
        let header_len = usize::from(version_and_length & 0xf) * 4;
        let [offset_high, offset_low] = *header.get(6..)?.first_chunk()?;
        Some(Self {
            source: Ipv4Addr::from(*header.get(12..)?.first_chunk::<4>()?).into(),
            destination: Ipv4Addr::from(*header.get(16..)?.first_chunk::<4>()?).into(),
            protocol: *header.get(9)?,
            payload: bytes.get(header_len.max(ipv4::HEADER_LEN)..).unwrap_or_default(),
            is_tail: u16::from_be_bytes([offset_high & 0x1f, offset_low]) != 0,
        })
    }

    fn find_v6(bytes: &'a [u8]) -> Option<Self> {
        let (header, rest) = bytes.split_first_chunk::<{ ipv6::HEADER_LEN }>()?;
        let (protocol, payload, is_tail) = walk(*header.get(6)?, rest);
        Some(Self {
            source: Ipv6Addr::from(*header.get(8..)?.first_chunk::<16>()?).into(),
            destination: Ipv6Addr::from(*header.get(24..)?.first_chunk::<16>()?).into(),
            protocol,
            payload,
            is_tail,
        })
    }

    /// Whether the rules divert it: IPv4 UDP to port 67, Router and Neighbor Solicitations, IPv6 UDP to port 547.
    pub fn is_diverted(&self) -> bool {
        if self.is_tail {
            return false;
        }
        match (self.source, self.protocol) {
            (IpAddr::V4(_), ipv4::UDP) => self.destination_port() == Some(dhcpv4::SERVER_PORT),
            (IpAddr::V6(_), ipv6::UDP) => self.destination_port() == Some(dhcpv6::SERVER_PORT),
            (IpAddr::V6(_), ipv6::ICMPV6) => {
                matches!(self.payload.first(), Some(&icmpv6::ROUTER_SOLICITATION | &icmpv6::NEIGHBOR_SOLICITATION))
            }
            _ => false,
        }
    }

    fn destination_port(&self) -> Option<u16> {
        self.ports().map(|(_, destination)| destination)
    }

    /// Source and destination port of UDP, if they are there.
    pub fn ports(&self) -> Option<(u16, u16)> {
        let [a, b, c, d] = *self.payload.first_chunk().filter(|_| !self.is_tail)?;
        Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
    }

    /// What follows the UDP header.
    pub fn udp_payload(&self) -> &'a [u8] {
        self.payload.get(udp::HEADER_LEN..).unwrap_or_default()
    }
}

/// Walks over extension headers: the protocol behind them, its bytes, and whether these are not the beginning.
///
/// As netfilter does it, which diverts also what [`ipv6::Datagram`] refuses: any number of headers, first fragments,
/// routing headers with a way to go.
fn walk(mut next_header: u8, mut bytes: &[u8]) -> (u8, &[u8], bool) {
    while let Some([next, length, offset_high, offset_low]) = bytes.first_chunk::<4>() {
        let header_len = match next_header {
            known if EXTENSION_HEADERS.contains(&known) => ipv6::extension_header_len(known, *length),
            FRAGMENT if u16::from_be_bytes([*offset_high, *offset_low]) & 0xfff8 != 0 => return (*next, bytes, true),
            FRAGMENT => 8,
            _ => break,
        };
        next_header = *next;
        bytes = bytes.get(header_len..).unwrap_or_default();
    }
    (next_header, bytes, false)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_glance_says_what_a_packet_seems_to_be() {
        let to = |port: u16, payload: &[u8]| [&[0, 68][..], &port.to_be_bytes(), &[0; 4], payload].concat();
        let mut bootp = vec![0; 240];
        bootp[..4].copy_from_slice(&[1, 1, 6, 0]);
        bootp[236..].copy_from_slice(&[99, 130, 83, 99]);
        let discover = [&bootp[..], &[53, 1, 1, 255]].concat();
        for (packet, expected) in [
            (ipv4(0x45, [0, 0], 17, &to(67, &discover)), "DHCPv4 DISCOVER"),
            (ipv4(0x45, [0, 0], 17, &to(67, &bootp)), "BOOTP"),
            (ipv4(0x45, [0, 0], 17, &to(67, &bootp[..100])), "DHCPv4"),
            (ipv4(0x45, [0, 0], 17, &to(53, &discover)), "IP protocol 17"),
            (ipv4(0x45, [0, 1], 17, &to(67, &discover)), "IP protocol 17"),
            (ipv6(17, &to(547, &[11, 1, 2, 3])), "DHCPv6 Information-Request"),
            (ipv6(17, &to(547, &[99])), "DHCPv6 type 99"),
            (ipv6(17, &to(547, &[])), "IP protocol 17"),
            (ipv6(58, &[133]), "RS"),
            (ipv6(58, &[135]), "NS"),
            (ipv6(58, &[128]), "ICMPv6 type 128"),
            (ipv6(58, &[]), "IP protocol 58"),
            (ipv6(6, &[]), "IP protocol 6"),
            (vec![0x45; 19], "no IP packet"),
            (vec![], "no IP packet"),
        ] {
            assert_eq!(Glance::at(&packet).to_string(), expected, "{packet:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_may_be_glanced_at(mut bytes: Vec<u8>, version in 0_u8..16) {
            bytes.insert(0, version << 4 | 5);
            let _ = Glance::at(&bytes).to_string();
        }
    }

    fn frame(ether_type: u16, payload: &[u8]) -> Vec<u8> {
        [&[0; 12][..], &ether_type.to_be_bytes(), payload].concat()
    }

    fn is_diverted(ether_type: u16, payload: &[u8]) -> bool {
        let bytes = frame(ether_type, payload);
        Packet::find(&Frame::parse(&bytes).unwrap()).is_some_and(|packet| packet.is_diverted())
    }

    fn ipv4(first: u8, fragment: [u8; 2], protocol: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 20];
        bytes[0] = first;
        bytes[6..8].copy_from_slice(&fragment);
        bytes[9] = protocol;
        [&bytes, rest].concat()
    }

    fn ipv6(next_header: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 40];
        bytes[0] = 0x60;
        bytes[6] = next_header;
        [&bytes, rest].concat()
    }

    #[test]
    fn diverts_what_goes_to_port_67() {
        let to = |port: u8| [0, 68, 0, port];
        for (packet, expected) in [
            (ipv4(0x45, [0, 0], 17, &to(67)), true),
            (ipv4(0x46, [0, 0], 17, &[&[0; 4][..], &to(67)].concat()), true),
            (ipv4(0x45, [0x20, 0], 17, &to(67)), true),
            (ipv4(0x40, [0, 0], 17, &to(67)), true),
            (ipv4(0x45, [0, 1], 17, &to(67)), false),
            (ipv4(0x45, [0, 0], 6, &to(67)), false),
            (ipv4(0x45, [0, 0], 17, &to(68)), false),
            (ipv4(0x45, [0, 0], 17, &to(67)[..3]), false),
            (ipv4(0x4f, [0, 0], 17, &to(67)), false),
        ] {
            assert_eq!(is_diverted(ethernet::IPV4, &packet), expected, "{packet:?}");
        }
        assert!(!is_diverted(ethernet::IPV4, &[0x45; 19]));
        assert!(!is_diverted(0x8100, &ipv4(0x45, [0, 0], 17, &to(67))));
    }

    #[test]
    fn diverts_solicitations_and_what_goes_to_port_547() {
        let to = |port: u16| [[2, 34], port.to_be_bytes()].concat();
        let before_udp = |header: &[u8]| [header, &to(547)].concat();
        for (packet, expected) in [
            (ipv6(17, &to(547)), true),
            (ipv6(17, &to(67)), false),
            (ipv6(58, &[133]), true),
            (ipv6(58, &[135, 9]), true),
            (ipv6(58, &[134]), false),
            (ipv6(58, &[]), false),
            (ipv6(0, &before_udp(&[17, 0, 0, 0, 0, 0, 0, 0])), true),
            (ipv6(60, &before_udp(&[17, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])), true),
            (ipv6(51, &before_udp(&[17, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])), true),
            (ipv6(44, &before_udp(&[17, 0, 0, 1, 0, 0, 0, 0])), true),
            (ipv6(44, &before_udp(&[17, 0, 0, 8, 0, 0, 0, 0])), false),
            (ipv6(0, &[17, 255, 0, 0]), false),
        ] {
            assert_eq!(is_diverted(ethernet::IPV6, &packet), expected, "{packet:?}");
        }
    }
}
