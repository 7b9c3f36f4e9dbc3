//! Where the message is in a captured packet, and whether netfilter would divert it.
//!
//! Looks as iptables does, without checking anything: what is malformed must reach the engine, which says so.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::wire::ethernet::{self, Frame};
use crate::wire::ipv6::{EXTENSION_HEADERS, FRAGMENT};
use crate::wire::{dhcpv4, dhcpv6, icmpv6, ipv4, ipv6, udp};

/// An IP packet, as far as it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    /// What the last header names.
    pub(super) protocol: u8,
    /// What follows the last header, whatever the lengths in the headers say. Padding included.
    pub(super) payload: &'a [u8],
    /// Whether the payload is not the beginning: a fragment other than the first.
    is_tail: bool,
}

impl<'a> Packet<'a> {
    /// The IP packet in `frame`, if there are at least its addresses.
    pub(super) fn find(frame: &Frame<'a>) -> Option<Self> {
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
    pub(super) fn is_diverted(&self) -> bool {
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
    pub(super) fn ports(&self) -> Option<(u16, u16)> {
        let [a, b, c, d] = *self.payload.first_chunk().filter(|_| !self.is_tail)?;
        Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
    }

    /// What follows the UDP header.
    pub(super) fn udp_payload(&self) -> &'a [u8] {
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
    use super::*;

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
