//! IPv6 (RFC 8200): what is needed to read a guest's packet and to wrap a reply.

use std::net::Ipv6Addr;
use std::ops::Range;

use pnet_packet::ip::IpNextHeaderProtocol;
use pnet_packet::ipv6::{Ipv6Packet, MutableIpv6Packet};

use super::checksum::Sum;
use super::{Checksums, DecodeError, Layer, PacketError, ethernet, ndp};

/// The length of the header, in bytes.
pub const HEADER_LEN: usize = 40;

/// Where the payload of a frame of ours starts.
pub const FRAME_PAYLOAD: usize = ethernet::HEADER_LEN + HEADER_LEN;

/// The smallest MTU that IPv6 allows (RFC 8200 §5), in bytes. Our replies never need more.
pub const MIN_MTU: usize = 1280;

/// The hop limit of our packets, but for neighbour discovery's 255.
pub const HOP_LIMIT: u8 = 64;

/// UDP as next header.
pub const UDP: u8 = 17;
/// ICMPv6 as next header.
pub const ICMPV6: u8 = 58;

/// The fragment header as next header.
pub const FRAGMENT: u8 = 44;
/// The extension headers that can be skipped: those of RFC 8200 §4 but for [`FRAGMENT`], and RFC 4302's.
pub const EXTENSION_HEADERS: [u8; 4] = [HOP_BY_HOP, ROUTING, AUTHENTICATION, DESTINATION_OPTIONS];

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const AUTHENTICATION: u8 = 51;
const DESTINATION_OPTIONS: u8 = 60;

/// How many extension headers are walked. RFC 8200 §4.1 has no use for more than these.
const MAX_EXTENSION_HEADERS: usize = 6;

/// How many options in them are looked at, padding included. RFC 8504 §5.3 has hosts bear eight in a header.
const MAX_OPTIONS: usize = 64;

/// The one option that is a single byte (RFC 8200 §4.2).
const PAD1: u8 = 0;
/// The bits of an option's type that say whether one who does not know it may pass over it, which is 0.
const ACTION: u8 = 0xc0;

/// A whole packet, past its extension headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// The source address.
    pub source: Ipv6Addr,
    /// The destination address.
    pub destination: Ipv6Addr,
    /// The hop limit.
    pub hop_limit: u8,
    /// The protocol of the payload: never an extension header that is known here.
    pub protocol: u8,
    /// What the header announces, no more, behind the extension headers.
    pub payload: &'a [u8],
    /// Whether a header has an option that is not known here, and that says that such a packet must be discarded by who
    /// it is for (RFC 8200 §4.2).
    pub has_unknown_option: bool,
}

impl<'a> Datagram<'a> {
    /// Reads the header and walks the extension headers.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, PacketError> {
        let bad = |field| DecodeError::new(Layer::Ipv6, field);
        let packet = Ipv6Packet::new(bytes).ok_or(bad("length"))?;
        if packet.get_version() != 6 {
            return Err(bad("version").into());
        }
        let end = HEADER_LEN + usize::from(packet.get_payload_length());
        let rest = bytes.get(HEADER_LEN..end).ok_or(bad("payload length"))?;
        let mut options = Options { left: MAX_OPTIONS, has_unknown: false };
        let (protocol, payload) = walk(packet.get_next_header().0, rest, &mut options)?;
        Ok(Self {
            source: packet.get_source(),
            destination: packet.get_destination(),
            hop_limit: packet.get_hop_limit(),
            protocol,
            payload,
            has_unknown_option: options.has_unknown,
        })
    }

    /// Verifies the checksum of an ICMPv6 message (RFC 4443 §2.3), which must have at least its four bytes of header.
    pub fn verify_icmpv6(&self, checksums: Checksums) -> Result<(), PacketError> {
        let Some([_, _, high, low]) = self.payload.first_chunk::<4>() else {
            return Err(DecodeError::new(Layer::Icmpv6, "length").into());
        };
        let expected = icmpv6_checksum(self.payload, self.source, self.destination);
        if checksums == Checksums::Verify && u16::from_be_bytes([*high, *low]) != expected {
            return Err(PacketError::Checksum(Layer::Icmpv6));
        }
        Ok(())
    }
}

/// Skips extension headers, and takes in their options: the protocol behind them and its bytes.
fn walk<'a>(mut next_header: u8, mut bytes: &'a [u8], options: &mut Options) -> Result<(u8, &'a [u8]), PacketError> {
    for _ in 0..=MAX_EXTENSION_HEADERS {
        match next_header {
            known if EXTENSION_HEADERS.contains(&known) => {}
            FRAGMENT => return Err(PacketError::Fragment),
            protocol => return Ok((protocol, bytes)),
        }
        let bad_length = DecodeError::new(Layer::Ipv6, "extension header");
        let [next, length, _, segments_left] = *bytes.first_chunk::<4>().ok_or(bad_length)?;
        // A packet that has further to go is not for us (RFC 8200 §4.4).
        if next_header == ROUTING && segments_left != 0 {
            return Err(PacketError::ExtensionHeaders);
        }
        let len = extension_header_len(next_header, length);
        let (header, rest) = bytes.split_at_checked(len).ok_or(bad_length)?;
        if matches!(next_header, HOP_BY_HOP | DESTINATION_OPTIONS) {
            options.take(header.get(2..).unwrap_or_default())?;
        }
        (next_header, bytes) = (next, rest);
    }
    Err(PacketError::ExtensionHeaders)
}

/// What is known of the options of a packet's extension headers.
struct Options {
    /// How many more there may be.
    left: usize,
    /// Whether one of them forbids to take the packet without knowing it.
    has_unknown: bool,
}

impl Options {
    /// Takes in the options of one header (RFC 8200 §4.2). None of those that must be known is.
    fn take(&mut self, mut options: &[u8]) -> Result<(), PacketError> {
        while let [kind, rest @ ..] = options {
            self.left = self.left.checked_sub(1).ok_or(PacketError::ExtensionHeaders)?;
            self.has_unknown |= kind & ACTION != 0;
            options = if *kind == PAD1 { rest } else { skip_option(rest)? };
        }
        Ok(())
    }
}

/// What follows the option whose length is the first byte.
fn skip_option(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    let rest = bytes.split_first().and_then(|(length, rest)| rest.get(usize::from(*length)..));
    rest.ok_or(DecodeError::new(Layer::Ipv6, "option length"))
}

/// How long the extension header of this kind is, in bytes, with this in its length field.
pub fn extension_header_len(kind: u8, length: u8) -> usize {
    let length = usize::from(length);
    // RFC 4302 §2.2 counts in other units than RFC 8200.
    if kind == AUTHENTICATION { (length + 2) * 4 } else { (length + 1) * 8 }
}

/// What an IPv6 header says of what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload {
    /// Its protocol.
    pub next_header: u8,
    /// How far it may go.
    pub hop_limit: u8,
    /// Its length, in bytes.
    pub length: usize,
}

/// Puts Ethernet and IPv6 headers before the payload at [`FRAME_PAYLOAD`]; None if `frame` is too short.
pub fn write_headers(
    frame: &mut [u8],
    ethernet: ethernet::Addresses,
    source: Ipv6Addr,
    destination: Ipv6Addr,
    payload: Payload,
) -> Option<()> {
    ethernet::write_header(frame, ethernet, ethernet::IPV6)?;
    let packet = frame.get_mut(ethernet::HEADER_LEN..FRAME_PAYLOAD + payload.length)?;
    let mut header = MutableIpv6Packet::new(packet)?;
    header.set_version(6);
    header.set_traffic_class(0);
    header.set_flow_label(0);
    header.set_payload_length(u16::try_from(payload.length).ok()?);
    header.set_next_header(IpNextHeaderProtocol(payload.next_header));
    header.set_hop_limit(payload.hop_limit);
    header.set_source(source);
    header.set_destination(destination);
    Some(())
}

/// Writes a frame with the neighbour discovery message `message`, its checksum filled in. Gives the length of the
/// frame, or None if `frame` is too short.
pub fn put_icmpv6(
    frame: &mut [u8],
    ethernet: ethernet::Addresses,
    source: Ipv6Addr,
    destination: Ipv6Addr,
    message: &[u8],
) -> Option<usize> {
    let payload = Payload { next_header: ICMPV6, hop_limit: ndp::HOP_LIMIT, length: message.len() };
    write_headers(frame, ethernet, source, destination, payload)?;
    let len = FRAME_PAYLOAD + message.len();
    let body = frame.get_mut(FRAME_PAYLOAD..len)?;
    body.copy_from_slice(message);
    let checksum = icmpv6_checksum(body, source, destination).to_be_bytes();
    body.get_mut(2..4)?.copy_from_slice(&checksum);
    Some(len)
}

/// What the checksum field of an ICMPv6 message is to hold (RFC 4443 §2.3).
fn icmpv6_checksum(message: &[u8], source: Ipv6Addr, destination: Ipv6Addr) -> u16 {
    /// Where the checksum is in the message.
    const CHECKSUM: Range<usize> = 2..4;
    // A payload is never longer than a field of 16 bits says.
    let sum = Sum::pseudo_v6(source, destination, ICMPV6, message.len() as u16);
    let sum = sum.with(message.get(..CHECKSUM.start).unwrap_or_default());
    sum.with(message.get(CHECKSUM.end..).unwrap_or_default()).checksum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::MacAddr;
    use crate::wire::ndp::ALL_NODES;

    const SOURCE: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);

    fn frame(message: &[u8]) -> Vec<u8> {
        let mut frame = vec![0; FRAME_PAYLOAD + message.len()];
        let mac = MacAddr::new([2, 0, 0, 0, 0, 1]);
        let ethernet = ethernet::Addresses { source: mac, destination: MacAddr::ALL_NODES };
        put_icmpv6(&mut frame, ethernet, SOURCE, ALL_NODES, message).unwrap();
        frame
    }

    /// A packet with this next header and these bytes.
    fn packet(next_header: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = frame(&[0; 4])[ethernet::HEADER_LEN..FRAME_PAYLOAD].to_vec();
        bytes[4..6].copy_from_slice(&(rest.len() as u16).to_be_bytes());
        bytes[6] = next_header;
        bytes.extend_from_slice(rest);
        bytes
    }

    #[test]
    fn reads_what_it_writes() {
        let frame = frame(&[133, 0, 0, 0, 0, 0, 0, 0]);
        let datagram = Datagram::parse(&frame[ethernet::HEADER_LEN..]).unwrap();
        assert_eq!((datagram.source, datagram.destination), (SOURCE, ALL_NODES));
        assert_eq!((datagram.protocol, datagram.hop_limit), (ICMPV6, 255));
        assert_eq!(datagram.verify_icmpv6(Checksums::Verify), Ok(()));
    }

    #[test]
    fn refuses_a_wrong_icmpv6_checksum_unless_it_is_not_ready() {
        let mut frame = frame(&[133, 0, 0, 0, 0, 0, 0, 0]);
        frame[FRAME_PAYLOAD + 2] ^= 0xff;
        let datagram = Datagram::parse(&frame[ethernet::HEADER_LEN..]).unwrap();
        let error = Err(PacketError::Checksum(Layer::Icmpv6));
        assert_eq!(datagram.verify_icmpv6(Checksums::Verify), error);
        assert_eq!(datagram.verify_icmpv6(Checksums::NotReady), Ok(()));
    }

    #[test]
    fn walks_extension_headers() {
        let hop_by_hop = [DESTINATION_OPTIONS, 0, 1, 4, 0, 0, 0, 0];
        let destination_options = [UDP, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let rest = [&hop_by_hop[..], &destination_options, b"payload"].concat();
        let bytes = packet(HOP_BY_HOP, &rest);
        let datagram = Datagram::parse(&bytes).unwrap();
        assert_eq!((datagram.protocol, datagram.payload), (UDP, &b"payload"[..]));
    }

    #[test]
    fn an_authentication_header_is_counted_in_words() {
        let bytes = packet(AUTHENTICATION, &[&[UDP, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], b"payload"].concat());
        let datagram = Datagram::parse(&bytes).unwrap();
        assert_eq!((datagram.protocol, datagram.payload), (UDP, &b"payload"[..]));
    }

    #[test]
    fn refuses_extension_headers_that_lie() {
        let error = Err(DecodeError::new(Layer::Ipv6, "extension header").into());
        assert_eq!(Datagram::parse(&packet(HOP_BY_HOP, &[UDP, 1, 0, 0, 0, 0, 0, 0])), error);
        assert_eq!(Datagram::parse(&packet(ROUTING, &[UDP, 0, 0])), error);
        assert_eq!(Datagram::parse(&packet(DESTINATION_OPTIONS, &[])), error);
    }

    #[test]
    fn refuses_options_that_lie() {
        let error = Err(DecodeError::new(Layer::Ipv6, "option length").into());
        for kind in [HOP_BY_HOP, DESTINATION_OPTIONS] {
            for options in [[1, 64, 0, 0, 0, 0], [1, 5, 0, 0, 0, 0], [1, 3, 0, 0, 0, 1], [5, 2, 0, 0, 0xc2, 4]] {
                let rest = [&[UDP, 0][..], &options].concat();
                assert_eq!(Datagram::parse(&packet(kind, &rest)), error, "{options:?}");
            }
        }
    }

    #[test]
    fn finds_options_that_must_be_known() {
        for (options, expected) in [
            ([1, 4, 0, 0, 0, 0], false),
            ([0, 0, 0, 0, 0, 0], false),
            ([5, 2, 0, 0, 1, 0], false),
            ([0x3e, 4, 0xc1, 0xc1, 0xc1, 0xc1], false),
            ([0x41, 4, 0, 0, 0, 0], true),
            ([0x81, 4, 0, 0, 0, 0], true),
            ([0xc1, 4, 0, 0, 0, 0], true),
            ([0, 0, 0, 1, 0, 0x41], true),
        ] {
            // The last of those has its length, which is 0, behind the header of 8 bytes.
            let options = [&[UDP, 1][..], &options, &[0; 8]].concat();
            for kind in [HOP_BY_HOP, DESTINATION_OPTIONS] {
                let has_unknown = Datagram::parse(&packet(kind, &options)).unwrap().has_unknown_option;
                assert_eq!(has_unknown, expected, "{options:?}");
            }
        }
        let routing = packet(ROUTING, &[UDP, 0, 0xc1, 0, 0xc1, 0, 0, 0]);
        assert!(!Datagram::parse(&routing).unwrap().has_unknown_option, "no options there");
    }

    #[test]
    fn looks_at_a_bounded_number_of_options() {
        // 62 bytes of padding make a header of 64 bytes; two more are in another one.
        let most = [&[DESTINATION_OPTIONS, 7][..], &[0; 62], &[UDP, 0, 0, 1, 3, 0, 0, 0]].concat();
        assert!(Datagram::parse(&packet(DESTINATION_OPTIONS, &most)).is_ok());
        let more = [&[DESTINATION_OPTIONS, 7][..], &[0; 62], &[UDP, 0, 0, 0, 1, 2, 0, 0]].concat();
        assert_eq!(Datagram::parse(&packet(DESTINATION_OPTIONS, &more)), Err(PacketError::ExtensionHeaders));
        let endless = [&[UDP, 255][..], &[0; 2046]].concat();
        let error = Err(PacketError::ExtensionHeaders);
        assert_eq!(Datagram::parse(&packet(DESTINATION_OPTIONS, &endless)), error);
        assert_eq!(Datagram::parse(&packet(HOP_BY_HOP, &endless)), error);
    }

    #[test]
    fn refuses_fragments_and_detours_and_endless_chains() {
        let fragment = packet(FRAGMENT, &[UDP, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(Datagram::parse(&fragment), Err(PacketError::Fragment));
        let detour = packet(ROUTING, &[UDP, 0, 0, 1, 0, 0, 0, 0]);
        assert_eq!(Datagram::parse(&detour), Err(PacketError::ExtensionHeaders));
        let chain = packet(HOP_BY_HOP, &[[HOP_BY_HOP, 0, 1, 4, 0, 0, 0, 0]; 7].concat());
        assert_eq!(Datagram::parse(&chain), Err(PacketError::ExtensionHeaders));
    }

    #[test]
    fn refuses_lengths_that_lie() {
        let mut bytes = packet(UDP, b"payload");
        bytes[5] += 1;
        let error = Err(DecodeError::new(Layer::Ipv6, "payload length").into());
        assert_eq!(Datagram::parse(&bytes), error);
        assert!(Datagram::parse(&bytes[..39]).is_err());
    }
}
