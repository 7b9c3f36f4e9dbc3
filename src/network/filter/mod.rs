//! Our tables of nft: what each tap's packets must look like, and which may reach it.
//!
//! All that concerns a tap are elements of sets and maps, keyed by its name, so that a packet costs one lookup however many
//! taps there are. The chains around them never change; `layout/` has them as text for nft.
//!
//! ```text
//! nft --json LIST_TABLES ──► list_ours ──► nft --json, for each ──► Observed::read
//!                                                                        ▼
//!                          wanted elements ──► transaction, removal ──► Transaction ──► nft -f -
//! ```

mod element;
mod entry;
mod layout;
mod listing;
#[cfg(test)]
mod tests;
mod transaction;

use std::collections::{BTreeMap, BTreeSet};

use entry::Entry;

use crate::binding::InterfaceName;

pub use element::{Element, Port, Profile};
pub use layout::{TABLE, Table, TableFamily};
pub use listing::{LIST_TABLES, ListingError, list_ours};
pub use transaction::{InexpressibleName, Transaction, removal, transaction};

/// What is there of our tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// The tables.
    pub tables: BTreeMap<TableFamily, Table>,
    /// The elements of all taps.
    pub elements: BTreeSet<Element>,
    /// How the kernel lets bridged packets be judged by their connections.
    pub bridge_tracking: Option<BridgeTracking>,
}

impl Observed {
    /// The other taps that have the place of an element: their own goes when it comes.
    pub fn rivals(&self, element: &Element) -> impl Iterator<Item = InterfaceName> {
        let (tap, place) = (element.tap(), Entry::from(element).place());
        let others = self.elements.iter().filter(move |other| other.tap() != tap);
        others.filter(move |other| Entry::from(*other).place() == place).map(Element::tap)
    }

    /// Whether the chains are all there that a tap's elements are for. Those of another version of the program count as well:
    /// they hold until an ifup replaces them.
    pub fn is_in_force(&self, tap: InterfaceName) -> bool {
        let elements = self.elements.iter().filter(|element| element.tap() == tap);
        let mut parts = elements.flat_map(|element| Entry::from(element).set.parts());
        parts.all(|part| self.tables.get(&part.family()).is_some_and(|table| table.holds(*part)))
    }
}

/// How bridged packets are judged by their connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BridgeTracking {
    /// `nf_conntrack_bridge`: in the tables of the bridge itself. `nft --check -f -` takes [`PROBE`](Self::PROBE).
    Bridge,
    /// `br_netfilter`: the bridge shows its packets to the tables of IP. `net.bridge.bridge-nf-call-iptables` and
    /// `bridge-nf-call-ip6tables` are 1.
    Inet,
}

impl BridgeTracking {
    /// Text that `nft --check -f -` takes where there is [`Bridge`](Self::Bridge).
    pub const PROBE: &str = "\
add table bridge snf_network_probe
add chain bridge snf_network_probe probe
add rule bridge snf_network_probe probe ct state established accept
";
}
