//! Neighbour discovery (RFC 4861): solicitations read, advertisements written.
//!
//! Decoders take what follows the ICMPv6 header ([`icmpv6::Message::body`](super::icmpv6::Message)). Encoders write
//! the whole ICMPv6 message with a checksum of zero; who writes the IPv6 header fills that in.

mod advertisement;
mod option;
mod preference;
mod solicitation;

use std::net::Ipv6Addr;

pub use advertisement::{NeighborAdvertisement, RouterAdvertisement};
pub use option::{CaptivePortal, Dnssl, Mtu, Pref64, PrefixInformation, Rdnss, RouteInformation, SourceLinkLayer};
pub use preference::Preference;
pub use solicitation::{NdpOption, NeighborSolicitation, Options, RouterSolicitation};

/// The hop limit of every neighbour discovery message: 255 proves that no router forwarded it (RFC 4861 §3.1).
pub const HOP_LIMIT: u8 = 255;

/// All nodes of the link (RFC 4291 §2.7.1). In a frame it goes to [`MacAddr::ALL_NODES`](super::MacAddr::ALL_NODES).
pub const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// Options are counted in units of this many bytes (RFC 4861 §4.6).
const OPTION_UNIT: usize = 8;

/// Option types, each from the section that defines it.
mod code {
    /// RFC 4861 §4.6.1.
    pub(super) const SOURCE_LINK_LAYER: u8 = 1;
    /// RFC 4861 §4.6.1.
    pub(super) const TARGET_LINK_LAYER: u8 = 2;
    /// RFC 4861 §4.6.2.
    pub(super) const PREFIX_INFORMATION: u8 = 3;
    /// RFC 4861 §4.6.4.
    pub(super) const MTU: u8 = 5;
    /// RFC 4191 §2.3.
    pub(super) const ROUTE_INFORMATION: u8 = 24;
    /// RFC 8106 §5.1.
    pub(super) const RDNSS: u8 = 25;
    /// RFC 8106 §5.2.
    pub(super) const DNSSL: u8 = 31;
    /// RFC 8910 §2.3.
    pub(super) const CAPTIVE_PORTAL: u8 = 37;
    /// RFC 8781 §4.
    pub(super) const PREF64: u8 = 38;
}

const fn bit(set: bool, mask: u8) -> u8 {
    if set { mask } else { 0 }
}
