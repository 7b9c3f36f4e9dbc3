//! The kinds of packets that guests send to be answered.

use std::str::FromStr;

use crate::config::{Config, QueueNum};

/// A version of IP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IpVersion {
    V4,
    V6,
}

/// What a guest asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// IPv4 UDP to port 67: DHCPv4, BOOTP.
    Dhcp,
    /// ICMPv6 Router Solicitations.
    RouterSolicitation,
    /// ICMPv6 Neighbor Solicitations.
    NeighborSolicitation,
    /// IPv6 UDP to port 547: DHCPv6.
    Dhcpv6,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Dhcp, Self::RouterSolicitation, Self::NeighborSolicitation, Self::Dhcpv6];

    /// What it is called in options and rules, as in the names of the configuration's queues.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dhcp => "dhcp",
            Self::RouterSolicitation => "rs",
            Self::NeighborSolicitation => "ns",
            Self::Dhcpv6 => "dhcpv6",
        }
    }

    /// What packets of it are called.
    pub(super) fn plural(self) -> &'static str {
        match self {
            Self::Dhcp => "DHCPv4 requests",
            Self::RouterSolicitation => "Router Solicitations",
            Self::NeighborSolicitation => "Neighbor Solicitations",
            Self::Dhcpv6 => "DHCPv6 requests",
        }
    }

    pub(super) fn version(self) -> IpVersion {
        if self == Self::Dhcp { IpVersion::V4 } else { IpVersion::V6 }
    }

    /// Its queue, if a daemon with this configuration binds one for it.
    pub fn queue(self, config: &Config) -> Option<QueueNum> {
        let ipv6 = config.ipv6.as_ref();
        match self {
            Self::Dhcp => config.dhcp.as_ref().map(|dhcp| dhcp.queue),
            Self::RouterSolicitation => ipv6?.rs_queue,
            Self::NeighborSolicitation => ipv6?.ns_queue,
            Self::Dhcpv6 => ipv6?.dhcpv6_queue,
        }
    }
}

/// The text names no kind of packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a kind of packets: dhcp, rs, ns or dhcpv6")]
pub struct UnknownKind;

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or(UnknownKind)
    }
}

/// Packets of a kind go to a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Diversion {
    /// Which packets.
    pub kind: Kind,
    /// Where to. Kinds may share a queue.
    pub queue: QueueNum,
}

/// What a daemon with this configuration wants diverted.
pub(super) fn diversions(config: &Config) -> Vec<Diversion> {
    let diversion = |kind: Kind| kind.queue(config).map(|queue| Diversion { kind, queue });
    Kind::ALL.into_iter().filter_map(diversion).collect()
}
