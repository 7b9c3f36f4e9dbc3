//! What the tables hold for one tap.

use std::net::{IpAddr, Ipv4Addr};

use crate::binding::InterfaceName;
use crate::network::mac_prefix::MacPrefix;
use crate::wire::MacAddr;

/// An element of one of our sets or maps: one of these is one of nft's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Element {
    /// The tap's packets have one of its sources, or go nowhere.
    Sourced {
        /// The tap.
        tap: InterfaceName,
    },
    /// A source that the tap's packets may have.
    Source {
        /// The tap.
        tap: InterfaceName,
        /// The guest's address.
        address: IpAddr,
    },
    /// Who the node's ARP requests towards the guest come from.
    Gateway {
        /// The tap.
        tap: InterfaceName,
        /// The guest's gateway.
        address: Ipv4Addr,
    },
    /// From the tap only frames of its stations, to the tap only those of its peers.
    Filtered {
        /// The tap.
        tap: InterfaceName,
    },
    /// A source that the tap's frames may have.
    Station {
        /// The tap.
        tap: InterfaceName,
        /// The guest's MAC.
        mac: MacAddr,
    },
    /// Whose frames may go to the tap: those of stations whose MAC starts like this.
    Peers {
        /// The tap.
        tap: InterfaceName,
        /// How all MACs of the private network start.
        prefix: MacPrefix,
    },
    /// Which new connections may reach the tap.
    Firewall {
        /// The tap.
        tap: InterfaceName,
        /// Which.
        profile: Profile,
        /// How packets get there.
        port: Port,
    },
    /// What the guest sends beyond `inside` comes from the node's address.
    Masquerade {
        /// The tap.
        tap: InterfaceName,
        /// The guest's address.
        address: Ipv4Addr,
        /// The interface by which the guest is reached: its bridge, or the tap.
        inside: InterfaceName,
    },
}

impl Element {
    /// The tap that it is there for.
    pub fn tap(&self) -> InterfaceName {
        match *self {
            Self::Sourced { tap }
            | Self::Source { tap, .. }
            | Self::Gateway { tap, .. }
            | Self::Filtered { tap }
            | Self::Station { tap, .. }
            | Self::Peers { tap, .. }
            | Self::Firewall { tap, .. }
            | Self::Masquerade { tap, .. } => tap,
        }
    }

    /// Every name in it.
    pub(super) fn names(&self) -> impl Iterator<Item = InterfaceName> {
        let other = match *self {
            Self::Masquerade { inside, .. } => Some(inside),
            _ => None,
        };
        [self.tap()].into_iter().chain(other)
    }
}

/// How packets get to a tap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Port {
    /// The node routes them.
    Routed,
    /// A bridge, in whose tables connections are known.
    Bridged,
    /// A bridge, which shows them to the tables of IP.
    Shown,
}

/// A firewall profile of Ganeti's instance tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Profile {
    /// Established traffic, answers of DNS, ping.
    Protected,
    /// And ssh, RDP.
    Limited,
}
