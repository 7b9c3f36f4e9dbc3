//! UDP (RFC 768) over IPv4 and IPv6.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use pnet_packet::Packet as _;
use pnet_packet::udp::{MutableUdpPacket, UdpPacket};

use super::checksum::Sum;
use super::{Checksums, DecodeError, Layer, PacketError, ethernet, ipv4, ipv6};

/// The length of the header, in bytes.
pub const HEADER_LEN: usize = 8;

/// Where the checksum is in the header.
const CHECKSUM: Range<usize> = 6..8;

/// Where the UDP payload of an IPv4 frame of ours starts.
pub const FRAME_PAYLOAD_V4: usize = ipv4::FRAME_PAYLOAD + HEADER_LEN;
/// Where the UDP payload of an IPv6 frame of ours starts.
pub const FRAME_PAYLOAD_V6: usize = ipv6::FRAME_PAYLOAD + HEADER_LEN;

/// A UDP datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Udp<'a> {
    /// The source port.
    pub source_port: u16,
    /// The destination port.
    pub destination_port: u16,
    /// What the header announces, no more.
    pub payload: &'a [u8],
}

impl<'a> Udp<'a> {
    /// Reads a datagram that came over IPv4.
    pub fn parse_v4(datagram: &ipv4::Datagram<'a>, checksums: Checksums) -> Result<Self, PacketError> {
        let (bytes, packet) = view(datagram.payload)?;
        // Zero means that the sender made none (RFC 768).
        if checksums == Checksums::Verify && packet.get_checksum() != 0 {
            let pseudo = Sum::pseudo_v4(datagram.source, datagram.destination, ipv4::UDP, packet.get_length());
            verify(&packet, pseudo)?;
        }
        Ok(Self::from_view(bytes, &packet))
    }

    /// Reads a datagram that came over IPv6.
    pub fn parse_v6(datagram: &ipv6::Datagram<'a>, checksums: Checksums) -> Result<Self, PacketError> {
        let (bytes, packet) = view(datagram.payload)?;
        if checksums == Checksums::Verify {
            // Zero is no checksum here (RFC 8200 §8.1), and it never equals what is expected.
            let pseudo = Sum::pseudo_v6(datagram.source, datagram.destination, ipv6::UDP, packet.get_length());
            verify(&packet, pseudo)?;
        }
        Ok(Self::from_view(bytes, &packet))
    }

    fn from_view(bytes: &'a [u8], packet: &UdpPacket<'_>) -> Self {
        Self {
            source_port: packet.get_source(),
            destination_port: packet.get_destination(),
            payload: bytes.get(HEADER_LEN..).unwrap_or_default(),
        }
    }
}

/// The bytes that the length field announces, and a view of them.
fn view(bytes: &[u8]) -> Result<(&[u8], UdpPacket<'_>), DecodeError> {
    let bad_length = DecodeError::new(Layer::Udp, "length");
    let length = usize::from(UdpPacket::new(bytes).ok_or(bad_length)?.get_length());
    let bytes = bytes.get(..length).ok_or(bad_length)?;
    Ok((bytes, UdpPacket::new(bytes).ok_or(bad_length)?))
}

fn verify(packet: &UdpPacket<'_>, pseudo: Sum) -> Result<(), PacketError> {
    let is_right = packet.get_checksum() == checksum(packet.packet(), pseudo);
    if is_right { Ok(()) } else { Err(PacketError::Checksum(Layer::Udp)) }
}

/// What the checksum field of a datagram behind this pseudo-header is to hold (RFC 768).
fn checksum(datagram: &[u8], pseudo: Sum) -> u16 {
    let sum = pseudo.with(datagram.get(..CHECKSUM.start).unwrap_or_default());
    match sum.with(datagram.get(CHECKSUM.end..).unwrap_or_default()).checksum() {
        // A sum of zero goes over the wire as all ones.
        0 => 0xffff,
        checksum => checksum,
    }
}

/// The addresses and ports of a frame of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope<A> {
    /// MAC addresses.
    pub ethernet: ethernet::Addresses,
    /// Source address and port.
    pub source: (A, u16),
    /// Destination address and port.
    pub destination: (A, u16),
}

/// Puts Ethernet, IPv4 and UDP headers before the `payload_len` bytes at [`FRAME_PAYLOAD_V4`]. Gives the length of the
/// frame, or None if `frame` is too short.
pub fn seal_v4(frame: &mut [u8], envelope: &Envelope<Ipv4Addr>, payload_len: usize) -> Option<usize> {
    let length = HEADER_LEN + payload_len;
    ethernet::write_header(frame, envelope.ethernet, ethernet::IPV4)?;
    let packet = frame.get_mut(ethernet::HEADER_LEN..)?;
    ipv4::write_header(packet, envelope.source.0, envelope.destination.0, length)?;
    let udp = packet.get_mut(ipv4::HEADER_LEN..ipv4::HEADER_LEN + length)?;
    let (source, destination) = (envelope.source, envelope.destination);
    write_header(udp, source.1, destination.1, |length| Sum::pseudo_v4(source.0, destination.0, ipv4::UDP, length))?;
    Some(ipv4::FRAME_PAYLOAD + length)
}

/// Puts Ethernet, IPv6 and UDP headers before the `payload_len` bytes at [`FRAME_PAYLOAD_V6`]. Gives the length of the
/// frame, or None if `frame` is too short.
pub fn seal_v6(frame: &mut [u8], envelope: &Envelope<Ipv6Addr>, payload_len: usize) -> Option<usize> {
    let length = HEADER_LEN + payload_len;
    let (source, destination) = (envelope.source, envelope.destination);
    ipv6::write_headers(
        frame,
        envelope.ethernet,
        source.0,
        destination.0,
        ipv6::Payload { next_header: ipv6::UDP, hop_limit: ipv6::HOP_LIMIT, length },
    )?;
    let udp = frame.get_mut(ipv6::FRAME_PAYLOAD..ipv6::FRAME_PAYLOAD + length)?;
    write_header(udp, source.1, destination.1, |length| Sum::pseudo_v6(source.0, destination.0, ipv6::UDP, length))?;
    Some(ipv6::FRAME_PAYLOAD + length)
}

fn write_header(udp: &mut [u8], source_port: u16, destination_port: u16, pseudo: impl Fn(u16) -> Sum) -> Option<()> {
    let length = u16::try_from(udp.len()).ok()?;
    let mut header = MutableUdpPacket::new(udp)?;
    header.set_source(source_port);
    header.set_destination(destination_port);
    header.set_length(length);
    let checksum = checksum(header.packet(), pseudo(length));
    header.set_checksum(checksum);
    Some(())
}
