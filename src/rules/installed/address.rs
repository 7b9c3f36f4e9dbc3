//! Addresses that rules ask for, and those that requests have.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use ipnet::IpNet;

use crate::rules::Kind;
use crate::rules::kind::IpVersion;
use crate::rules::pattern::Share;

/// Which of the two addresses of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rules) enum End {
    Source,
    Destination,
}

/// Addresses of one version of IP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rules) struct Addresses(Vec<RangeInclusive<IpAddr>>);

impl Addresses {
    /// All of these; None if there are none, or of both versions.
    pub(super) fn new(ranges: Vec<RangeInclusive<IpAddr>>) -> Option<Self> {
        let is_ipv4 = ranges.first()?.start().is_ipv4();
        let is_alike =
            |range: &RangeInclusive<IpAddr>| [range.start(), range.end()].iter().all(|end| end.is_ipv4() == is_ipv4);
        ranges.iter().all(is_alike).then_some(Self(ranges))
    }

    /// An address, or a prefix.
    pub(super) fn read(text: &str) -> Option<RangeInclusive<IpAddr>> {
        let prefix = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()?;
        Some(prefix.network()..=prefix.broadcast())
    }

    /// Whether packets of this version can have them.
    pub(super) fn are_of(&self, version: IpVersion) -> bool {
        self.0.iter().all(|range| range.start().is_ipv4() == (version == IpVersion::V4))
    }

    /// How many requests of a kind have one of them; or first requests alone.
    pub(super) fn share(&self, end: End, kind: Kind, is_first: bool) -> Share {
        let first = first(end, kind);
        let has = |range: &RangeInclusive<IpAddr>| range.contains(first.start()) && range.contains(first.end());
        let meets = |range: &RangeInclusive<IpAddr>| range.start() <= first.end() && first.start() <= range.end();
        match self.0.iter().any(has) {
            true if is_first => Share::All,
            true => Share::Some,
            // A guest that renews has an address of its own, and may ask the one that it got it from.
            false if is_first && !self.0.iter().any(meets) => Share::None,
            false => Share::Unclear,
        }
    }
}

/// What the first request of a guest has: RFC 2131 §4.1, RFC 4861 §4.1 and §4.3, RFC 8415 §13; for
/// neighbours and routers from its link-local address, though it may ask for routers from none before.
fn first(end: End, kind: Kind) -> RangeInclusive<IpAddr> {
    let one = |address: Ipv6Addr| IpAddr::from(address)..=IpAddr::from(address);
    match (end, kind) {
        (End::Source, Kind::Dhcp) => Ipv4Addr::UNSPECIFIED.into()..=Ipv4Addr::UNSPECIFIED.into(),
        (End::Destination, Kind::Dhcp) => Ipv4Addr::BROADCAST.into()..=Ipv4Addr::BROADCAST.into(),
        // fe80::/64 (RFC 4291 §2.5.6).
        (End::Source, _) => {
            let [first, last] = [0, u16::MAX].map(|part| Ipv6Addr::new(0xfe80, 0, 0, 0, part, part, part, part));
            first.into()..=last.into()
        }
        (End::Destination, Kind::RouterSolicitation) => one(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2)),
        (End::Destination, Kind::Dhcpv6) => one(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2)),
        // Solicited-node addresses (RFC 4291 §2.7.1).
        (End::Destination, Kind::NeighborSolicitation) => {
            let node = |high, low| IpAddr::from(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, high, low));
            node(0xff00, 0)..=node(0xffff, u16::MAX)
        }
    }
}
