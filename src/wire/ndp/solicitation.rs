//! Solicitations, as guests send them.

use std::net::Ipv6Addr;

use super::{OPTION_UNIT, code};
use crate::wire::{DecodeError, Layer, MacAddr};

const fn bad(field: &'static str) -> DecodeError {
    DecodeError::new(Layer::Ndp, field)
}

/// A Router Solicitation (RFC 4861 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouterSolicitation<'a> {
    options: Options<'a>,
}

impl<'a> RouterSolicitation<'a> {
    /// Reads what follows the ICMPv6 header.
    pub fn parse(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (_reserved, options) = body.split_first_chunk::<4>().ok_or(bad("length"))?;
        Ok(Self { options: Options::parse(options)? })
    }

    /// All options, in their order.
    pub fn options(&self) -> Options<'a> {
        self.options
    }

    /// The source link-layer address option, where there is one.
    pub fn source_link_layer(&self) -> Option<MacAddr> {
        self.options.source_link_layer()
    }
}

/// A Neighbor Solicitation (RFC 4861 §4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NeighborSolicitation<'a> {
    target: Ipv6Addr,
    options: Options<'a>,
}

impl<'a> NeighborSolicitation<'a> {
    /// Reads what follows the ICMPv6 header.
    pub fn parse(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (_reserved, rest) = body.split_first_chunk::<4>().ok_or(bad("length"))?;
        let (target, options) = rest.split_first_chunk::<16>().ok_or(bad("length"))?;
        let target = Ipv6Addr::from_octets(*target);
        // RFC 4861 §7.1.1: "Target Address is not a multicast address."
        if target.is_multicast() {
            return Err(bad("Target Address"));
        }
        Ok(Self { target, options: Options::parse(options)? })
    }

    /// Whose link-layer address is asked for. Never multicast.
    pub fn target(&self) -> Ipv6Addr {
        self.target
    }

    /// All options, in their order.
    pub fn options(&self) -> Options<'a> {
        self.options
    }

    /// The source link-layer address option, where there is one.
    pub fn source_link_layer(&self) -> Option<MacAddr> {
        self.options.source_link_layer()
    }
}

/// One option of a solicitation (RFC 4861 §4.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NdpOption<'a> {
    /// Type.
    pub code: u8,
    /// What follows type and length; with these two octets a multiple of 8 bytes.
    pub data: &'a [u8],
}

/// The options of a solicitation, all lengths checked. Iterates over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options<'a> {
    rest: &'a [u8],
}

impl<'a> Options<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut rest = bytes;
        let mut source = None;
        while !rest.is_empty() {
            let (option, after) = split_option(rest)?;
            if option.code == code::SOURCE_LINK_LAYER {
                let mac = link_layer_address(option.data)?;
                // Two that disagree: one of them could slip past a check of the other.
                if source.is_some_and(|first| first != mac) {
                    return Err(bad("Source Link-Layer Address"));
                }
                source = Some(mac);
            }
            rest = after;
        }
        Ok(Self { rest: bytes })
    }

    fn source_link_layer(mut self) -> Option<MacAddr> {
        self.find(|option| option.code == code::SOURCE_LINK_LAYER).and_then(|option| MacAddr::from_slice(option.data))
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = NdpOption<'a>;

    fn next(&mut self) -> Option<NdpOption<'a>> {
        // The end of the bytes is the only error that is left after `parse`.
        let (option, rest) = split_option(self.rest).ok()?;
        self.rest = rest;
        Some(option)
    }
}

fn split_option(bytes: &[u8]) -> Result<(NdpOption<'_>, &[u8]), DecodeError> {
    let (&[code, units], rest) = bytes.split_first_chunk::<2>().ok_or(bad("option"))?;
    // RFC 4861 §4.6: "Nodes MUST silently discard an ND packet that contains an option with length zero."
    let length = (usize::from(units) * OPTION_UNIT).checked_sub(2).ok_or(bad("option length"))?;
    let (data, rest) = rest.split_at_checked(length).ok_or(bad("option length"))?;
    Ok((NdpOption { code, data }, rest))
}

/// RFC 2464 §6: on Ethernet the option is one unit long.
fn link_layer_address(data: &[u8]) -> Result<MacAddr, DecodeError> {
    <[u8; 6]>::try_from(data).map(MacAddr::new).map_err(|_| bad("Source Link-Layer Address"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GUEST: MacAddr = MacAddr::new([0xaa, 0, 0, 0, 0, 1]);
    const SLLA: [u8; 8] = [1, 1, 0xaa, 0, 0, 0, 0, 1];

    fn router_solicitation(options: &[&[u8]]) -> Vec<u8> {
        [&[0; 4], options.concat().as_slice()].concat()
    }

    fn neighbor_solicitation(target: &str, options: &[&[u8]]) -> Vec<u8> {
        let target: Ipv6Addr = target.parse().unwrap();
        [&[0; 4], &target.octets()[..], &options.concat()].concat()
    }

    #[test]
    fn reads_a_router_solicitation() {
        let nonce = [14, 1, 1, 2, 3, 4, 5, 6];
        let body = router_solicitation(&[&nonce, &SLLA]);
        let solicitation = RouterSolicitation::parse(&body).unwrap();
        let codes: Vec<_> = solicitation.options().map(|option| option.code).collect();
        assert_eq!(codes, [14, 1]);
        assert_eq!(solicitation.source_link_layer(), Some(GUEST));
    }

    #[test]
    fn reads_a_neighbor_solicitation() {
        let body = neighbor_solicitation("2001:db8::1", &[]);
        let solicitation = NeighborSolicitation::parse(&body).unwrap();
        assert_eq!(solicitation.target().to_string(), "2001:db8::1");
        assert_eq!(solicitation.source_link_layer(), None);
        assert_eq!(solicitation.options().count(), 0);
    }

    #[test]
    fn refuses_bad_options() {
        let other = [1, 1, 0xaa, 0, 0, 0, 0, 2];
        let mut long = [0; 16];
        long[..2].copy_from_slice(&[1, 2]);
        let cases: [(&[&[u8]], &str); 7] = [
            (&[&[1]], "option"),
            (&[&[0, 0]], "option length"),
            (&[&SLLA, &[14, 0, 0, 0, 0, 0, 0, 0]], "option length"),
            (&[&[14, 2, 0, 0, 0, 0, 0, 0]], "option length"),
            (&[&SLLA[..7]], "option length"),
            (&[&long], "Source Link-Layer Address"),
            (&[&SLLA, &other], "Source Link-Layer Address"),
        ];
        for (options, field) in cases {
            let router = router_solicitation(options);
            let neighbor = neighbor_solicitation("2001:db8::1", options);
            let expected = Err(bad(field));
            assert_eq!(RouterSolicitation::parse(&router).map(|_| ()), expected);
            assert_eq!(NeighborSolicitation::parse(&neighbor).map(|_| ()), expected);
        }
    }

    #[test]
    fn refuses_short_bodies_and_multicast_targets() {
        assert_eq!(RouterSolicitation::parse(&[0; 3]), Err(bad("length")));
        assert_eq!(NeighborSolicitation::parse(&[0; 19]), Err(bad("length")));
        let body = neighbor_solicitation("ff02::1", &[]);
        assert_eq!(NeighborSolicitation::parse(&body), Err(bad("Target Address")));
    }

    #[test]
    fn a_repeated_source_link_layer_address_is_no_contradiction() {
        let body = router_solicitation(&[&SLLA, &SLLA]);
        let solicitation = RouterSolicitation::parse(&body).unwrap();
        assert_eq!(solicitation.source_link_layer(), Some(GUEST));
    }

    proptest! {
        #[test]
        fn takes_any_bytes(body in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(solicitation) = RouterSolicitation::parse(&body) {
                let seen: usize = solicitation.options().map(|option| option.data.len() + 2).sum();
                prop_assert_eq!(seen, body.len() - 4);
            }
            let _ = NeighborSolicitation::parse(&body);
        }

        #[test]
        fn finds_the_address_among_options(codes in prop::collection::vec(2..=255u8, 0..9)) {
            let mut body = vec![0; 4];
            for code in codes {
                body.extend([code, 1, 0, 0, 0, 0, 0, 0]);
            }
            body.extend(SLLA);
            let solicitation = RouterSolicitation::parse(&body).unwrap();
            prop_assert_eq!(solicitation.source_link_layer(), Some(GUEST));
        }
    }
}
