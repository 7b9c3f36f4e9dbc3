//! What the bytes of each protocol mean, one file per protocol. Pure: bytes in, values out, and back.
//!
//! Decoders take any bytes and never panic: each checks every length before it looks, and says in a [`DecodeError`]
//! which field of which layer was wrong. Encoders write into a buffer of the caller's and say when it is too small.

pub mod arp;
pub mod checksum;
pub mod dhcpv4;
pub mod dhcpv6;
pub mod domain;
pub mod duid;
pub mod ethernet;
pub mod glance;
pub mod icmpv6;
pub mod ipv4;
pub mod ipv6;
pub mod mac;
pub mod ndp;
pub mod udp;

pub use domain::DomainName;
pub use mac::MacAddr;

/// A protocol layer, as a [`DecodeError`] names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layer {
    /// Ethernet II.
    Ethernet,
    /// IPv4 (RFC 791).
    Ipv4,
    /// IPv6 (RFC 8200).
    Ipv6,
    /// UDP (RFC 768).
    Udp,
    /// ICMPv6 (RFC 4443).
    Icmpv6,
    /// Neighbour discovery (RFC 4861).
    Ndp,
    /// DHCPv4 and BOOTP (RFC 2131, 951).
    Dhcpv4,
    /// DHCPv6 (RFC 8415).
    Dhcpv6,
}

impl std::fmt::Display for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ethernet => "Ethernet",
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
            Self::Udp => "UDP",
            Self::Icmpv6 => "ICMPv6",
            Self::Ndp => "ND",
            Self::Dhcpv4 => "DHCPv4",
            Self::Dhcpv6 => "DHCPv6",
        })
    }
}

/// Why bytes are not what they claim to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{layer}: bad {field}")]
pub struct DecodeError {
    /// The layer whose decoder refused.
    pub layer: Layer,
    /// The RFC's name of the field that was wrong.
    pub field: &'static str,
}

impl DecodeError {
    /// An error in `field` of `layer`.
    pub const fn new(layer: Layer, field: &'static str) -> Self {
        Self { layer, field }
    }
}

/// How far the checksums of a packet can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Checksums {
    /// They are complete: verify them.
    #[default]
    Verify,
    /// The kernel says that they are not computed yet (`NFQA_SKB_CSUMNOTREADY`): take them as right.
    NotReady,
}

/// Why a packet is refused before its message is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PacketError {
    /// Bytes that are not what they claim to be.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// A wrong checksum in this layer.
    #[error("{0}: wrong checksum")]
    Checksum(Layer),
    /// A fragment, or an IPv6 packet with a Fragment header (RFC 6980).
    #[error("fragment")]
    Fragment,
    /// IPv6 extension headers that are too many, or have too many options, or route the packet elsewhere.
    #[error("extension headers")]
    ExtensionHeaders,
}
