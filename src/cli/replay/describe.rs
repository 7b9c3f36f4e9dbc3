//! Packets in words. Of what a guest wrote only numbers and addresses are shown, never text.

use std::fmt::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::wire::dhcpv4::{self, Request};
use crate::wire::ethernet::Frame;
use crate::wire::glance::Packet;
use crate::wire::{MacAddr, dhcpv6, icmpv6, ipv4, ipv6};

/// What a captured frame is, and who sent it.
pub(super) struct Asked<'a>(pub(super) &'a Frame<'a>);

impl fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(packet) = Packet::find(self.0) else {
            return write!(f, "EtherType 0x{:04x} from {}", self.0.ether_type, self.0.addresses.source);
        };
        write!(f, "{} from {} ({})", message(&packet, self.0.addresses.source), packet.source, self.0.addresses.source)
    }
}

/// What a reply is, and to whom it goes.
pub(super) struct Answered<'a>(pub(super) &'a Frame<'a>);

impl fmt::Display for Answered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(packet) = Packet::find(self.0) else { return Ok(()) };
        write!(
            f,
            "{} to {} ({})",
            message(&packet, self.0.addresses.destination),
            packet.destination,
            self.0.addresses.destination
        )
    }
}

/// What the packet says; `guest` is the MAC in the frame's header that is shown anyway.
fn message(packet: &Packet<'_>, guest: MacAddr) -> String {
    let is_at = |port| packet.ports().is_some_and(|(source, destination)| source == port || destination == port);
    match (packet.source, packet.protocol) {
        (IpAddr::V4(_), ipv4::UDP) if is_at(dhcpv4::SERVER_PORT) => dhcpv4(packet.udp_payload(), guest),
        (IpAddr::V6(_), ipv6::UDP) if is_at(dhcpv6::SERVER_PORT) => dhcpv6(packet.udp_payload()),
        (IpAddr::V6(_), ipv6::ICMPV6) => icmpv6(packet.payload),
        (_, protocol) => format!("IP protocol {protocol}"),
    }
}

fn dhcpv4(bytes: &[u8], guest: MacAddr) -> String {
    let Ok(message) = Request::parse(bytes) else { return "DHCPv4 message that is malformed".to_owned() };
    let kind = match message.message_type {
        Some(message_type) => format!("DHCPv4 {message_type}"),
        None if message.op == dhcpv4::BOOTREQUEST => "BOOTP request".to_owned(),
        None => "BOOTP reply".to_owned(),
    };
    let xid = bytes.get(4..).and_then(|rest| rest.first_chunk()).copied().map(u32::from_be_bytes).unwrap_or_default();
    let mut text = format!("{kind} xid 0x{xid:08x}");
    if message.chaddr != guest {
        // Writing into a String cannot fail, here and below.
        let _ = write!(text, " chaddr {}", message.chaddr);
    }
    let mut add = |name: &str, address: Option<Ipv4Addr>| {
        if let Some(address) = address.filter(|address| !address.is_unspecified()) {
            let _ = write!(text, " {name} {address}");
        }
    };
    add("ciaddr", Some(message.ciaddr));
    add("yiaddr", bytes.get(16..).and_then(|rest| rest.first_chunk::<4>()).copied().map(Ipv4Addr::from));
    add("giaddr", Some(message.giaddr));
    add("requested", message.requested_address);
    add("server", message.server_id);
    text
}

fn dhcpv6(bytes: &[u8]) -> String {
    use dhcpv6::MessageType;
    let Some([number, a, b, c]) = bytes.first_chunk::<4>() else {
        return "DHCPv6 message that is malformed".to_owned();
    };
    match MessageType::from(*number) {
        // These have no transaction id.
        name @ (MessageType::RelayForward | MessageType::RelayReply | MessageType::Other(_)) => {
            format!("DHCPv6 {name}")
        }
        name => format!("DHCPv6 {name} xid 0x{a:02x}{b:02x}{c:02x}"),
    }
}

fn icmpv6(bytes: &[u8]) -> String {
    let target = || {
        let octets = bytes.get(8..)?.first_chunk::<16>()?;
        Some(Ipv6Addr::from(*octets).to_string())
    };
    let target = || target().unwrap_or_else(|| "nothing".to_owned());
    match bytes.first() {
        Some(&icmpv6::ROUTER_SOLICITATION) => "RS".to_owned(),
        Some(&icmpv6::ROUTER_ADVERTISEMENT) => "RA".to_owned(),
        Some(&icmpv6::NEIGHBOR_SOLICITATION) => format!("NS who has {}", target()),
        Some(&icmpv6::NEIGHBOR_ADVERTISEMENT) => format!("NA of {}", target()),
        Some(number) => format!("ICMPv6 type {number}"),
        None => "ICMPv6 of no length".to_owned(),
    }
}
