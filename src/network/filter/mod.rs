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
