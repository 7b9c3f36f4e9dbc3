//! What Router and Neighbor Solicitations have in common, and the checks that both must pass.

use std::net::Ipv6Addr;

use super::outcome::{Reason, Refusal};
use crate::binding::Binding;
use crate::wire::ndp::HOP_LIMIT;
use crate::wire::{DecodeError, Layer, MacAddr};

/// A solicitation whose checksum, source address and frame are found good.
#[derive(Debug, Clone, Copy)]
pub struct Solicitation<'a> {
    /// The binding of the tap that it came from.
    pub binding: &'a Binding,
    /// The frame's source (`NFQA_HWADDR`), where the kernel names it.
    pub sender: Option<MacAddr>,
    /// The IPv6 header's hop limit.
    pub hop_limit: u8,
    /// The IPv6 header's source.
    pub source: Ipv6Addr,
    /// The IPv6 header's destination.
    pub destination: Ipv6Addr,
    /// The ICMPv6 header's code.
    pub code: u8,
    /// What follows the ICMPv6 header.
    pub body: &'a [u8],
}

impl Solicitation<'_> {
    /// Checks the headers, before the message is read.
    pub(super) fn check_headers(&self) -> Result<(), Refusal> {
        // RFC 4861 §6.1.1 and §7.1.1: "The IP Hop Limit field has a value of 255".
        if self.hop_limit != HOP_LIMIT {
            return Err(Reason::HopLimit.into());
        }
        // RFC 4861 §6.1.1 and §7.1.1: "ICMP Code is 0."
        if self.code != 0 {
            return Err(DecodeError::new(Layer::Icmpv6, "code").into());
        }
        Ok(())
    }

    /// Checks what the message says of its sender: `claimed` is its source link-layer address, where it has one.
    pub(super) fn check_claim(&self, claimed: Option<MacAddr>) -> Result<(), Refusal> {
        let Some(mac) = claimed else { return Ok(()) };
        // RFC 4861 §6.1.1 and §7.1.1: from `::` there is no source link-layer address.
        if self.source.is_unspecified() {
            return Err(DecodeError::new(Layer::Ndp, "Source Link-Layer Address").into());
        }
        if self.binding.allows_mac(mac) { Ok(()) } else { Err(Refusal::spoofed_message(mac)) }
    }

    /// The MAC that a direct answer goes to.
    pub(super) fn asker_mac(&self) -> MacAddr {
        self.sender.unwrap_or(self.binding.mac)
    }
}
