//! ICMPv6 (RFC 4443): the header that all neighbour discovery messages share.

use super::{DecodeError, Layer};

/// Router Solicitation (RFC 4861 §4.1).
pub const ROUTER_SOLICITATION: u8 = 133;
/// Router Advertisement (RFC 4861 §4.2).
pub const ROUTER_ADVERTISEMENT: u8 = 134;
/// Neighbor Solicitation (RFC 4861 §4.3).
pub const NEIGHBOR_SOLICITATION: u8 = 135;
/// Neighbor Advertisement (RFC 4861 §4.4).
pub const NEIGHBOR_ADVERTISEMENT: u8 = 136;

/// The length of type, code and checksum in bytes.
pub const HEADER_LEN: usize = 4;

/// An ICMPv6 message. The checksum is not looked at: it needs the IPv6 header as well (RFC 8200 §8.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Type.
    pub message_type: u8,
    /// Code.
    pub code: u8,
    /// What follows the checksum.
    pub body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads the payload of an IPv6 packet.
    pub fn parse(payload: &'a [u8]) -> Result<Self, DecodeError> {
        let ([message_type, code, _, _], body) =
            payload.split_first_chunk::<HEADER_LEN>().ok_or(DecodeError::new(Layer::Icmpv6, "length"))?;
        Ok(Self { message_type: *message_type, code: *code, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_header_and_body() {
        let message = Message::parse(&[133, 7, 0xab, 0xcd, 1, 2]).unwrap();
        assert_eq!((message.message_type, message.code), (133, 7));
        assert_eq!(message.body, [1, 2]);
    }

    #[test]
    fn refuses_less_than_a_header() {
        for payload in [&[][..], &[133], &[133, 0, 0]] {
            assert_eq!(Message::parse(payload).unwrap_err().field, "length");
        }
    }
}
