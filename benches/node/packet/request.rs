//! Requests as guests make them.

use std::net::{Ipv4Addr, Ipv6Addr};

use dhcproto::v4::{self, Flags};
use dhcproto::{Encodable, v6};

use super::{Kind, VARIANT, numbered_address};
use crate::lab::frames::{ethernet, icmpv6, udp4, udp6};
use crate::net::{GATEWAY, Guest};

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
/// All routers on the link.
const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
/// All DHCPv6 servers on the link (RFC 8415 §7.1).
const ALL_SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
/// BOOTP relays of old drop what is shorter (RFC 1542 §2.1).
const MIN_BOOTP: usize = 300;

/// The frames of all variants of a kind, to be sent by turns, with the numbers 0, [`VARIANT`] and so on.
pub(crate) fn requests(kind: Kind, guest: &Guest) -> Vec<Vec<u8>> {
    match kind {
        Kind::Dhcpv4 => {
            vec![dhcpv4(guest, v4::MessageType::Discover, 0), dhcpv4(guest, v4::MessageType::Request, VARIANT)]
        }
        Kind::RouterSolicitation => vec![router_solicitation(guest)],
        Kind::NeighbourSolicitation => vec![neighbour_solicitation(guest)],
        Kind::InformationRequest => vec![dhcpv6(guest, v6::MessageType::InformationRequest)],
        Kind::Solicit => vec![dhcpv6(guest, v6::MessageType::Solicit)],
    }
}

/// A message of a client that has no address yet and chose us.
fn dhcpv4(guest: &Guest, kind: v4::MessageType, number: u32) -> Vec<u8> {
    use v4::{DhcpOption, OptionCode};
    let unset = Ipv4Addr::UNSPECIFIED;
    let mut message = v4::Message::new_with_id(number, unset, unset, unset, unset, &guest.mac());
    message.set_flags(Flags::default());
    let options = message.opts_mut();
    options.insert(DhcpOption::MessageType(kind));
    options.insert(DhcpOption::ClientIdentifier([&[1][..], &guest.mac()].concat()));
    options.insert(DhcpOption::MaxMessageSize(1500));
    options.insert(DhcpOption::ParameterRequestList(vec![
        OptionCode::SubnetMask,
        OptionCode::ClasslessStaticRoute,
        OptionCode::Router,
        OptionCode::DomainNameServer,
        OptionCode::DomainName,
        OptionCode::InterfaceMtu,
        OptionCode::NtpServers,
        OptionCode::DomainSearch,
    ]));
    if kind == v4::MessageType::Request {
        options.insert(DhcpOption::RequestedIpAddress(guest.ip()));
        options.insert(DhcpOption::ServerIdentifier(GATEWAY));
    }
    let mut payload = message.to_vec().unwrap();
    payload.resize(payload.len().max(MIN_BOOTP), 0);
    ethernet([0xff; 6], guest.mac(), IPV4, &udp4(unset, Ipv4Addr::BROADCAST, [68, 67], &payload))
}

fn router_solicitation(guest: &Guest) -> Vec<u8> {
    let body = [&[0; 4][..], &source_link_layer(guest)].concat();
    solicitation(guest, ALL_ROUTERS, 133, &body)
}

fn neighbour_solicitation(guest: &Guest) -> Vec<u8> {
    let target = guest.gateway6().octets();
    let body = [&[0; 4][..], &target, &source_link_layer(guest)].concat();
    // The solicited-node address (RFC 4291 §2.7.1).
    let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 1);
    solicitation(guest, group, 135, &body)
}

fn solicitation(guest: &Guest, to: Ipv6Addr, kind: u8, body: &[u8]) -> Vec<u8> {
    multicast(guest, to, &icmpv6(numbered_address(0), to, kind, body))
}

/// The option of RFC 4861 §4.6.1.
fn source_link_layer(guest: &Guest) -> Vec<u8> {
    [&[1, 1][..], &guest.mac()].concat()
}

/// A message of DHCPv6, from a DUID of type 3.
fn dhcpv6(guest: &Guest, kind: v6::MessageType) -> Vec<u8> {
    use v6::{DhcpOption, OptionCode};
    let mut message = v6::Message::new_with_id(kind, [0; 3]);
    let options = message.opts_mut();
    options.insert(DhcpOption::ClientId([&[0, 3, 0, 1][..], &guest.mac()].concat()));
    options.insert(DhcpOption::ElapsedTime(0));
    options
        .insert(DhcpOption::ORO(v6::ORO { opts: vec![OptionCode::DomainNameServers, OptionCode::DomainSearchList] }));
    if kind == v6::MessageType::Solicit {
        let opts = v6::DhcpOptions::default();
        options.insert(DhcpOption::IANA(v6::IANA { id: 1, t1: 0, t2: 0, opts }));
    }
    let payload = message.to_vec().unwrap();
    multicast(guest, ALL_SERVERS, &udp6(guest.link_local(), ALL_SERVERS, [546, 547], &payload))
}

/// A frame to an IPv6 multicast group (RFC 2464 §7).
fn multicast(guest: &Guest, to: Ipv6Addr, packet: &[u8]) -> Vec<u8> {
    let [.., g0, g1, g2, g3] = to.octets();
    ethernet([0x33, 0x33, g0, g1, g2, g3], guest.mac(), IPV6, packet)
}
