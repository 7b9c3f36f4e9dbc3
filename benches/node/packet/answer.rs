//! Answers: which of them are right, and which request each belongs to.
//!
//! Checksums are not looked at: what comes from a socket has none yet when it gets here, since no hardware is passed.

use super::{IP_HEADER, Kind, VARIANT};
use crate::net::Guest;

/// The number of the request that a frame answers; None if it is no right answer to any of this kind.
pub(crate) fn number_of(kind: Kind, guest: &Guest, frame: &[u8]) -> Option<u32> {
    let number = kind.answer_mark().read(frame)?;
    let packet = frame.get(IP_HEADER..)?;
    let is_right = match kind {
        Kind::Dhcpv4 => gives_address4(guest, packet, number),
        Kind::RouterSolicitation => advertises_prefix(guest, packet),
        Kind::NeighbourSolicitation => advertises_gateway(guest, packet),
        Kind::InformationRequest => is_reply_with_servers(packet),
        Kind::Solicit => advertises_address6(guest, packet),
    }?;
    let is_ours = frame.starts_with(&guest.mac()) || frame.starts_with(&[0xff; 6]);
    (is_right && is_ours).then_some(number)
}

/// An OFFER or ACK, as asked for, of the guest's address.
fn gives_address4(guest: &Guest, packet: &[u8], number: u32) -> Option<bool> {
    const BOOTREPLY: u8 = 2;
    const MESSAGE_TYPE: u8 = 53;
    let [offer, ack] = [2, 5];
    let message = packet.get(28..).filter(|_| packet[0] == 0x45 && packet[20..24] == [0, 67, 0, 68])?;
    let (fixed, options) = message.split_at_checked(240)?;
    let expected = if number & VARIANT == 0 { offer } else { ack };
    Some(
        fixed[0] == BOOTREPLY
            && fixed[16..20] == guest.ip().octets()
            && fixed[28..34] == guest.mac()
            && option4(options, MESSAGE_TYPE)? == [expected],
    )
}

/// The value of an option of DHCPv4.
fn option4(mut options: &[u8], code: u8) -> Option<&[u8]> {
    loop {
        let (&[found, len], rest) = options.split_first_chunk()?;
        let value = rest.get(..usize::from(len))?;
        if found == code {
            return Some(value);
        }
        options = &rest[value.len()..];
    }
}

/// A Router Advertisement of the guest's network.
fn advertises_prefix(guest: &Guest, packet: &[u8]) -> Option<bool> {
    const ROUTER_ADVERTISEMENT: u8 = 134;
    const PREFIX_INFORMATION: u8 = 3;
    let mut options = icmpv6(packet, ROUTER_ADVERTISEMENT)?.get(16..)?;
    loop {
        let &[kind, len] = options.first_chunk()?;
        let option = options.get(..usize::from(len.max(1)) * 8)?;
        if kind == PREFIX_INFORMATION {
            return Some(option.get(16..32)? == guest.subnet6().octets());
        }
        options = &options[option.len()..];
    }
}

/// A solicited Neighbour Advertisement of the gateway.
fn advertises_gateway(guest: &Guest, packet: &[u8]) -> Option<bool> {
    const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
    const SOLICITED: u8 = 0x40;
    let message = icmpv6(packet, NEIGHBOUR_ADVERTISEMENT)?;
    Some(message.get(4)? & SOLICITED != 0 && message.get(8..24)? == guest.gateway6().octets())
}

/// The neighbour discovery message of this type.
fn icmpv6(packet: &[u8], kind: u8) -> Option<&[u8]> {
    const ICMPV6: u8 = 58;
    let (header, message) = packet.split_at_checked(40)?;
    (header[0] >> 4 == 6 && header[6] == ICMPV6 && header[7] == 255 && *message.first()? == kind).then_some(message)
}

/// A Reply that names servers of names.
fn is_reply_with_servers(packet: &[u8]) -> Option<bool> {
    const REPLY: u8 = 7;
    const DNS_SERVERS: u16 = 23;
    let options = dhcpv6(packet, REPLY)?;
    Some(option6(options, DNS_SERVERS).is_some())
}

/// An Advertise with the guest's address in an IA_NA.
fn advertises_address6(guest: &Guest, packet: &[u8]) -> Option<bool> {
    const ADVERTISE: u8 = 2;
    const IA_NA: u16 = 3;
    const IAADDR: u16 = 5;
    let ia = option6(dhcpv6(packet, ADVERTISE)?, IA_NA)?;
    Some(option6(ia.get(12..)?, IAADDR)?.get(..16)? == guest.address6().octets())
}

/// The options of the DHCPv6 message of this type.
fn dhcpv6(packet: &[u8], kind: u8) -> Option<&[u8]> {
    const UDP: u8 = 17;
    let (header, datagram) = packet.split_at_checked(40)?;
    let (header8, message) = datagram.split_at_checked(8)?;
    let is_one = header[0] >> 4 == 6 && header[6] == UDP && header8[..4] == [2, 35, 2, 34];
    message.get(4..).filter(|_| is_one && message[0] == kind)
}

/// The value of an option of DHCPv6.
fn option6(mut options: &[u8], code: u16) -> Option<&[u8]> {
    loop {
        let (&[c0, c1, l0, l1], rest) = options.split_first_chunk()?;
        let value = rest.get(..usize::from(u16::from_be_bytes([l0, l1])))?;
        if u16::from_be_bytes([c0, c1]) == code {
            return Some(value);
        }
        options = &rest[value.len()..];
    }
}
