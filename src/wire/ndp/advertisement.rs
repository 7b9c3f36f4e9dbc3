//! Advertisements, as far as their options.

use std::net::Ipv6Addr;

use super::{Preference, bit, code};
use crate::wire::{MacAddr, icmpv6};

/// A Neighbor Advertisement (RFC 4861 §4.4), always with a target link-layer address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NeighborAdvertisement {
    /// R: the sender is a router.
    pub router: bool,
    /// S: an answer to a solicitation, sent to the asker.
    pub solicited: bool,
    /// O: replaces the link-layer address that the receiver knows.
    pub overrides: bool,
    /// Target Address.
    pub target: Ipv6Addr,
    /// Target Link-Layer Address.
    pub target_link_layer: MacAddr,
}

impl NeighborAdvertisement {
    /// The length of the ICMPv6 message in bytes.
    pub const LEN: usize = 32;

    /// The ICMPv6 message.
    pub fn encode(&self) -> [u8; Self::LEN] {
        let flags = bit(self.router, 0x80) | bit(self.solicited, 0x40) | bit(self.overrides, 0x20);
        let mut message = [0; Self::LEN];
        message[0] = icmpv6::NEIGHBOR_ADVERTISEMENT;
        message[4] = flags;
        message[8..24].copy_from_slice(&self.target.octets());
        message[24] = code::TARGET_LINK_LAYER;
        message[25] = 1;
        message[26..].copy_from_slice(&self.target_link_layer.octets());
        message
    }
}

/// What a Router Advertisement says before its options (RFC 4861 §4.2). Its options follow, each by its own `encode`.
///
/// The reachable and retransmission timers are left to the host (zero).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouterAdvertisement {
    /// Cur Hop Limit; zero leaves it to the host.
    pub cur_hop_limit: u8,
    /// M: addresses are given by DHCPv6.
    pub managed: bool,
    /// O: other configuration is given by DHCPv6.
    pub other: bool,
    /// Prf: whether hosts prefer this default router to others. Not said where the router lifetime is zero.
    pub preference: Preference,
    /// Router Lifetime in seconds; zero means "no default router".
    pub router_lifetime: u16,
}

impl RouterAdvertisement {
    /// Appends the ICMPv6 message as far as the options.
    pub fn encode(&self, out: &mut Vec<u8>) {
        // RFC 4191 §2.2: with a router lifetime of zero the preference is (00), which is medium.
        let preference = if self.router_lifetime == 0 { Preference::Medium } else { self.preference };
        let flags = bit(self.managed, 0x80) | bit(self.other, 0x40) | preference.bits();
        out.extend([icmpv6::ROUTER_ADVERTISEMENT, 0, 0, 0]);
        out.extend([self.cur_hop_limit, flags]);
        out.extend(self.router_lifetime.to_be_bytes());
        out.extend([0; 8]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUEST: MacAddr = MacAddr::new([0xaa, 0, 0, 0, 0, 1]);

    #[test]
    fn writes_a_neighbor_advertisement() {
        let message = NeighborAdvertisement {
            router: true,
            solicited: false,
            overrides: true,
            target: "2001:db8::1".parse().unwrap(),
            target_link_layer: GUEST,
        }
        .encode();
        let expected = [
            136, 0, 0, 0, 0xa0, 0, 0, 0, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, //
            2, 1, 0xaa, 0, 0, 0, 0, 1,
        ];
        assert_eq!(message, expected);
    }

    #[test]
    fn writes_the_fixed_part_of_a_router_advertisement() {
        let cases = [
            (false, true, Preference::Medium, 1800, [0x40, 7, 8]),
            (true, true, Preference::High, 1800, [0xc8, 7, 8]),
            (false, false, Preference::Low, u16::MAX, [0x18, 255, 255]),
            (false, false, Preference::Low, 0, [0, 0, 0]),
        ];
        for (managed, other, preference, router_lifetime, [flags, high, low]) in cases {
            let mut out = Vec::new();
            RouterAdvertisement { cur_hop_limit: 64, managed, other, preference, router_lifetime }.encode(&mut out);
            assert_eq!(out, [134, 0, 0, 0, 64, flags, high, low, 0, 0, 0, 0, 0, 0, 0, 0]);
        }
    }
}
