//! Replies of ours in words: layer by layer, options by the names that RFCs give them.
//!
//! Checksums are not looked at, for nothing was on a wire. Any bytes may come, and none make it panic. What `dhcproto`
//! reads well it reads: the header of DHCPv4, and options whose codes are listed here. It is given nothing else, since it
//! asserts lengths of some and nests without a bound.

mod dhcpv4;
mod dhcpv6;
mod field;
mod ndp;
#[cfg(test)]
mod tests;

pub(super) use field::{Field, Fields, WIDTH, wrapped};

use crate::wire::ethernet::{self, Frame};
use crate::wire::udp::Udp;
use crate::wire::{Checksums, PacketError, ipv4, ipv6};

/// What a frame says, from its Ethernet header on.
pub(super) fn decode(frame: &[u8]) -> Vec<Field> {
    let mut fields = Vec::new();
    if let Err(error) = add_frame(&mut fields, frame) {
        fields.push(Field::new("malformed", error));
    }
    fields
}

fn add_frame(fields: &mut Vec<Field>, bytes: &[u8]) -> Result<(), PacketError> {
    let Frame { addresses, ether_type, payload } = Frame::parse(bytes)?;
    fields.push(Field::new("Ethernet", format!("{} > {}", addresses.source, addresses.destination)));
    match ether_type {
        ethernet::IPV4 => add_ipv4(fields, payload),
        ethernet::IPV6 => add_ipv6(fields, payload),
        other => {
            fields.push(Field::new("EtherType", format!("0x{other:04x}")));
            Ok(())
        }
    }
}

fn add_ipv4(fields: &mut Vec<Field>, bytes: &[u8]) -> Result<(), PacketError> {
    let datagram = ipv4::Datagram::parse(bytes)?;
    let (from, to, len) = (datagram.source, datagram.destination, bytes.len());
    fields.push(Field::new("IPv4", format!("{from} > {to}, {len} bytes")));
    if datagram.protocol != ipv4::UDP {
        fields.push(Field::new("protocol", datagram.protocol));
        return Ok(());
    }
    let udp = Udp::parse_v4(&datagram, Checksums::NotReady)?;
    fields.push(ports(&udp));
    fields.push(dhcpv4::message(udp.payload)?);
    Ok(())
}

fn add_ipv6(fields: &mut Vec<Field>, bytes: &[u8]) -> Result<(), PacketError> {
    let datagram = ipv6::Datagram::parse(bytes)?;
    let (from, to, len) = (datagram.source, datagram.destination, bytes.len());
    fields.push(Field::new("IPv6", format!("{from} > {to}, hop limit {}, {len} bytes", datagram.hop_limit)));
    match datagram.protocol {
        ipv6::ICMPV6 => {
            fields.push(ndp::message(datagram.payload)?);
        }
        ipv6::UDP => {
            let udp = Udp::parse_v6(&datagram, Checksums::NotReady)?;
            fields.push(ports(&udp));
            fields.push(dhcpv6::message(udp.payload)?);
        }
        other => fields.push(Field::new("protocol", other)),
    }
    Ok(())
}

fn ports(udp: &Udp<'_>) -> Field {
    Field::new("UDP", format!("{} > {}", udp.source_port, udp.destination_port))
}
