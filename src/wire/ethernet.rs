//! Ethernet II frames.

use pnet_base::MacAddr as PnetMac;
use pnet_packet::ethernet::{EtherType, EthernetPacket, MutableEthernetPacket};

use super::{DecodeError, Layer, MacAddr};

/// The length of the header, in bytes.
pub const HEADER_LEN: usize = 14;

/// EtherType of IPv4.
pub const IPV4: u16 = 0x0800;
/// EtherType of ARP.
pub const ARP: u16 = 0x0806;
/// EtherType of IPv6.
pub const IPV6: u16 = 0x86dd;

/// Who sends a frame to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// The source address.
    pub source: MacAddr,
    /// The destination address.
    pub destination: MacAddr,
}

/// A frame as it was captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Source and destination.
    pub addresses: Addresses,
    /// The EtherType.
    pub ether_type: u16,
    /// What follows the header, padding included.
    pub payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Reads the header.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let packet = EthernetPacket::new(bytes).ok_or(DecodeError::new(Layer::Ethernet, "length"))?;
        Ok(Self {
            addresses: Addresses {
                source: MacAddr::new(packet.get_source().octets()),
                destination: MacAddr::new(packet.get_destination().octets()),
            },
            ether_type: packet.get_ethertype().0,
            payload: bytes.get(HEADER_LEN..).unwrap_or_default(),
        })
    }
}

/// Writes the header at the start of `frame`; None if that is too short.
pub fn write_header(frame: &mut [u8], addresses: Addresses, ether_type: u16) -> Option<()> {
    let mut packet = MutableEthernetPacket::new(frame)?;
    packet.set_source(PnetMac::from(addresses.source.octets()));
    packet.set_destination(PnetMac::from(addresses.destination.octets()));
    packet.set_ethertype(EtherType::new(ether_type));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let addresses = Addresses { source: MacAddr::new([2, 0, 0, 0, 0, 1]), destination: MacAddr::BROADCAST };
        let mut bytes = [0; 15];
        write_header(&mut bytes, addresses, IPV6).unwrap();
        let frame = Frame::parse(&bytes).unwrap();
        assert_eq!((frame.addresses, frame.ether_type, frame.payload), (addresses, IPV6, &[0][..]));
    }

    #[test]
    fn refuses_less_than_a_header() {
        assert!(Frame::parse(&[0; 13]).is_err());
        let addresses = Addresses { source: MacAddr::BROADCAST, destination: MacAddr::BROADCAST };
        assert_eq!(write_header(&mut [0; 13], addresses, IPV4), None);
    }
}
