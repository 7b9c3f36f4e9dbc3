//! Requests, each in a frame of a guest's `eth0`, and what they are made of.

use std::net::{Ipv4Addr, Ipv6Addr};

use dhcproto::v4::{DhcpOption, Message, MessageType, OptionCode};
use dhcproto::{Encodable as _, Encoder};

use super::frames::{ethernet, icmpv6, udp4, udp6};

/// EtherTypes.
pub(crate) const IPV4: u16 = 0x0800;
pub(crate) const IPV6: u16 = 0x86dd;
/// Where requests go to: on the link, and in the packet.
pub(crate) const EVERYBODY: [u8; 6] = [0xff; 6];
pub(crate) const ALL_ROUTERS_MAC: [u8; 6] = [0x33, 0x33, 0, 0, 0, 2];
pub(crate) const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
pub(crate) const DHCPV6_SERVERS_MAC: [u8; 6] = [0x33, 0x33, 0, 1, 0, 2];
pub(crate) const DHCPV6_SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
/// Types of ICMPv6 (RFC 4861 §4).
pub(crate) const ROUTER_SOLICITATION: u8 = 133;
pub(crate) const NEIGHBOR_SOLICITATION: u8 = 135;

/// A DISCOVER.
pub(crate) fn discover(mac: [u8; 6], xid: u32) -> Vec<u8> {
    dhcpv4(mac, &discover_message(mac, xid))
}

/// A REQUEST for what another server offered.
pub(crate) fn to_another_server(mac: [u8; 6]) -> Vec<u8> {
    let server = DhcpOption::ServerIdentifier(Ipv4Addr::new(198, 51, 100, 1));
    dhcpv4(mac, &message(mac, 0, [DhcpOption::MessageType(MessageType::Request), server]))
}

/// A Router Solicitation.
pub(crate) fn router_solicitation(mac: [u8; 6], source: Ipv6Addr) -> Vec<u8> {
    ethernet(ALL_ROUTERS_MAC, mac, IPV6, &icmpv6(source, ALL_ROUTERS, ROUTER_SOLICITATION, &[0; 4]))
}

/// A Neighbor Solicitation, to the solicited-node address (RFC 4291 §2.7.1) of who is sought.
pub(crate) fn neighbor_solicitation(mac: [u8; 6], source: Ipv6Addr, target: Ipv6Addr) -> Vec<u8> {
    let [.., a, b, c] = target.octets();
    let asked = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | u16::from(a), u16::from_be_bytes([b, c]));
    let body = [&[0; 4], &target.octets()[..]].concat();
    ethernet([0x33, 0x33, 0xff, a, b, c], mac, IPV6, &icmpv6(source, asked, NEIGHBOR_SOLICITATION, &body))
}

/// An Information-Request with an elapsed time of zero (RFC 8415 §21.9). The transaction id has 24 bits.
pub(crate) fn information_request(mac: [u8; 6], source: Ipv6Addr, xid: u32) -> Vec<u8> {
    let [_, xid @ ..] = xid.to_be_bytes();
    dhcpv6(mac, source, &[&[11][..], &xid, &[0, 8, 0, 2, 0, 0]].concat())
}

/// Any DHCPv4 message, in a broadcast frame.
pub(crate) fn dhcpv4(mac: [u8; 6], message: &[u8]) -> Vec<u8> {
    ethernet(EVERYBODY, mac, IPV4, &in_udp4(message))
}

/// The same in its packet, from a guest that has no address yet.
pub(crate) fn in_udp4(message: &[u8]) -> Vec<u8> {
    udp4(Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST, [68, 67], message)
}

/// Any DHCPv6 message, in a frame to all servers.
pub(crate) fn dhcpv6(mac: [u8; 6], source: Ipv6Addr, message: &[u8]) -> Vec<u8> {
    ethernet(DHCPV6_SERVERS_MAC, mac, IPV6, &udp6(source, DHCPV6_SERVERS, [546, 547], message))
}

/// A DISCOVER that asks for the usual, without what is around it.
pub(crate) fn discover_message(mac: [u8; 6], xid: u32) -> Vec<u8> {
    let wanted = DhcpOption::ParameterRequestList(vec![OptionCode::SubnetMask, OptionCode::Router]);
    message(mac, xid, [DhcpOption::MessageType(MessageType::Discover), wanted])
}

fn message(mac: [u8; 6], xid: u32, options: [DhcpOption; 2]) -> Vec<u8> {
    let mut message = Message::default();
    message.set_xid(xid).set_chaddr(&mac);
    options.into_iter().for_each(|option| drop(message.opts_mut().insert(option)));
    let mut bytes = Vec::new();
    message.encode(&mut Encoder::new(&mut bytes)).unwrap();
    bytes
}
