//! The Internet checksum (RFC 1071), four bytes at a time.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A ones' complement sum in the making.
///
/// Kept in the machine's order of bytes, in which it can be added up just as well (RFC 1071 §2 B), and wide enough for
/// 16 gigabytes without a carry.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sum(u64);

impl Sum {
    /// The sum of an IPv4 pseudo-header (RFC 768).
    pub fn pseudo_v4(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, length: u16) -> Self {
        Self::default().with(&source.octets()).with(&destination.octets()).with_word(protocol.into()).with_word(length)
    }

    /// The sum of an IPv6 pseudo-header (RFC 8200 §8.1).
    pub fn pseudo_v6(source: Ipv6Addr, destination: Ipv6Addr, next_header: u8, length: u16) -> Self {
        let addresses = Self::default().with(&source.octets()).with(&destination.octets());
        addresses.with_word(next_header.into()).with_word(length)
    }

    /// With `bytes` behind it; with one of zero behind these, if they are an odd number.
    pub fn with(self, bytes: &[u8]) -> Self {
        let (words, rest) = bytes.as_chunks::<4>();
        let sum: u64 = words.iter().map(|word| u64::from(u32::from_ne_bytes(*word))).sum();
        let mut last = [0; 4];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        Self(self.0 + sum + u64::from(u32::from_ne_bytes(last)))
    }

    fn with_word(self, word: u16) -> Self {
        Self(self.0 + u64::from(word.to_be()))
    }

    /// What goes into the checksum field.
    pub fn checksum(self) -> u16 {
        let halved = (self.0 >> 32) + (self.0 & 0xffff_ffff);
        let mut folded = halved;
        // Three words of 16 bits at most, then two, then one and a carry.
        for _ in 0..3 {
            folded = (folded >> 16) + (folded & 0xffff);
        }
        u16::from_be(!(folded as u16))
    }
}

#[cfg(test)]
mod tests {
    use pnet_packet::ip::IpNextHeaderProtocol;
    use pnet_packet::util;
    use proptest::prelude::*;

    use super::*;

    /// RFC 1071 §3: the numbers of its example.
    #[test]
    fn sums_as_the_rfc_does() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(Sum::default().with(&bytes).checksum(), !0xddf2);
        assert_eq!(Sum::default().checksum(), 0xffff);
        assert_eq!(Sum::default().with(&[0xff; 65_535]).checksum(), 0x00ff);
    }

    proptest! {
        #[test]
        fn agrees_with_an_independent_sum(
            bytes in prop::collection::vec(any::<u8>(), 1..100),
            one: [u8; 16],
            other: [u8; 16],
            protocol: u8,
        ) {
            /// A word that is not left out of the sum: there is none of this number.
            const NONE: usize = usize::MAX / 2;
            let length = bytes.len() as u16;
            let next = IpNextHeaderProtocol(protocol);
            prop_assert_eq!(Sum::default().with(&bytes).checksum(), util::checksum(&bytes, NONE));

            let (source, destination) = (Ipv6Addr::from(one), Ipv6Addr::from(other));
            let expected = util::ipv6_checksum(&bytes, NONE, &[], &source, &destination, next);
            prop_assert_eq!(Sum::pseudo_v6(source, destination, protocol, length).with(&bytes).checksum(), expected);

            let first = |octets: [u8; 16]| Ipv4Addr::from(*octets.first_chunk::<4>().unwrap());
            let (source, destination) = (first(one), first(other));
            let expected = util::ipv4_checksum(&bytes, NONE, &[], &source, &destination, next);
            prop_assert_eq!(Sum::pseudo_v4(source, destination, protocol, length).with(&bytes).checksum(), expected);
        }
    }
}
