//! IPv4 (RFC 791): what is needed to read a guest's datagram and to wrap a reply.

use std::net::Ipv4Addr;
use std::ops::Range;

use pnet_packet::Packet as _;
use pnet_packet::ip::{IpNextHeaderProtocol, IpNextHeaderProtocols};
use pnet_packet::ipv4::{Ipv4Flags, Ipv4Packet, MutableIpv4Packet};

use super::checksum::Sum;
use super::ethernet;
use super::{DecodeError, Layer, PacketError};

/// The length of a header without options, in bytes.
pub const HEADER_LEN: usize = 20;

/// Where the payload of a frame of ours starts.
pub const FRAME_PAYLOAD: usize = ethernet::HEADER_LEN + HEADER_LEN;

/// Where the checksum is in the header.
const CHECKSUM: Range<usize> = 10..12;

/// The time to live of our packets (RFC 1700's default).
const TTL: u8 = 64;

/// A whole datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// The source address.
    pub source: Ipv4Addr,
    /// The destination address.
    pub destination: Ipv4Addr,
    /// The protocol of the payload.
    pub protocol: u8,
    /// What the header announces, no more.
    pub payload: &'a [u8],
}

impl<'a> Datagram<'a> {
    /// Reads the header, options skipped; verifies its checksum, which no hardware leaves open.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, PacketError> {
        let bad = |field| DecodeError::new(Layer::Ipv4, field);
        let packet = Ipv4Packet::new(bytes).ok_or(bad("length"))?;
        if packet.get_version() != 4 {
            return Err(bad("version").into());
        }
        let header_len = usize::from(packet.get_header_length()) * 4;
        let total_len = usize::from(packet.get_total_length());
        if header_len < HEADER_LEN || header_len > total_len {
            return Err(bad("header length").into());
        }
        let payload = bytes.get(header_len..total_len).ok_or(bad("total length"))?;
        if packet.get_checksum() != header_checksum(bytes.get(..header_len).unwrap_or_default()) {
            return Err(PacketError::Checksum(Layer::Ipv4));
        }
        if packet.get_fragment_offset() != 0 || packet.get_flags() & Ipv4Flags::MoreFragments != 0 {
            return Err(PacketError::Fragment);
        }
        Ok(Self {
            source: packet.get_source(),
            destination: packet.get_destination(),
            protocol: packet.get_next_level_protocol().0,
            payload,
        })
    }
}

/// Writes the header of a datagram with `payload_len` bytes of UDP at the start of `packet`; None if it does not fit.
pub fn write_header(packet: &mut [u8], source: Ipv4Addr, destination: Ipv4Addr, payload_len: usize) -> Option<()> {
    let total_len = u16::try_from(HEADER_LEN + payload_len).ok()?;
    let mut header = MutableIpv4Packet::new(packet.get_mut(..usize::from(total_len))?)?;
    header.set_version(4);
    header.set_header_length(5);
    header.set_dscp(0);
    header.set_ecn(0);
    header.set_total_length(total_len);
    header.set_identification(0);
    header.set_flags(0);
    header.set_fragment_offset(0);
    header.set_ttl(TTL);
    header.set_next_level_protocol(IpNextHeaderProtocols::Udp);
    header.set_source(source);
    header.set_destination(destination);
    let checksum = header_checksum(header.packet().get(..HEADER_LEN)?);
    header.set_checksum(checksum);
    Some(())
}

/// What the checksum field of this header, options included, is to hold (RFC 791 §3.1).
fn header_checksum(header: &[u8]) -> u16 {
    let sum = Sum::default().with(header.get(..CHECKSUM.start).unwrap_or_default());
    sum.with(header.get(CHECKSUM.end..).unwrap_or_default()).checksum()
}

/// UDP's number among the protocols.
pub const UDP: u8 = {
    let IpNextHeaderProtocol(number) = IpNextHeaderProtocols::Udp;
    number
};

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
    const DESTINATION: Ipv4Addr = Ipv4Addr::BROADCAST;

    fn packet() -> Vec<u8> {
        let mut bytes = vec![0; HEADER_LEN + 8];
        write_header(&mut bytes, SOURCE, DESTINATION, 8).unwrap();
        bytes
    }

    #[test]
    fn reads_what_it_writes() {
        let mut bytes = packet();
        bytes.extend_from_slice(b"padding");
        let datagram = Datagram::parse(&bytes).unwrap();
        assert_eq!(datagram.source, SOURCE);
        assert_eq!(datagram.destination, DESTINATION);
        assert_eq!(datagram.protocol, 17);
        assert_eq!(datagram.payload, [0; 8]);
    }

    #[test]
    fn refuses_lengths_that_lie() {
        let bad = |at: usize, value: u8, field| {
            let mut bytes = packet();
            bytes[at] = value;
            assert_eq!(
                Datagram::parse(&bytes),
                Err(DecodeError::new(Layer::Ipv4, field).into()),
                "byte {at} = {value}"
            );
        };
        bad(0, 0x65, "version");
        bad(0, 0x44, "header length");
        bad(0, 0x4f, "header length");
        bad(3, 19, "header length");
        bad(3, 29, "total length");
        assert!(Datagram::parse(&packet()[..19]).is_err());
        assert!(Datagram::parse(&[]).is_err());
    }

    #[test]
    fn refuses_a_wrong_header_checksum() {
        let mut bytes = packet();
        bytes[8] ^= 1;
        assert_eq!(Datagram::parse(&bytes), Err(PacketError::Checksum(Layer::Ipv4)));
    }

    #[test]
    fn refuses_fragments() {
        for flags_and_offset in [[0x20, 0], [0, 1], [0x3f, 0xff]] {
            let mut bytes = packet();
            bytes[6..8].copy_from_slice(&flags_and_offset);
            let checksum = header_checksum(&bytes[..HEADER_LEN]);
            bytes[CHECKSUM].copy_from_slice(&checksum.to_be_bytes());
            assert_eq!(Datagram::parse(&bytes), Err(PacketError::Fragment));
        }
    }
}
