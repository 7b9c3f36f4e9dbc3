//! Our tables of nft: what each tap's packets must look like, and which may reach it.
//!
//! All that concerns a tap are elements of sets and maps, keyed by its name, so that a packet costs one lookup however many
//! taps there are. The chains around them never change.

mod element;

use std::collections::BTreeSet;
use std::fmt;

pub use element::{Element, Port, Profile};

/// What is there of our tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// The elements of all taps.
    pub elements: BTreeSet<Element>,
    /// How the kernel lets bridged packets be judged by their connections.
    pub bridge_tracking: Option<BridgeTracking>,
}

/// How bridged packets are judged by their connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BridgeTracking {
    /// `nf_conntrack_bridge`: in the tables of the bridge itself.
    Bridge,
    /// `br_netfilter`: the bridge shows its packets to the tables of IP.
    Inet,
}

/// Text for `nft -f`: all of it happens, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction(String);

impl fmt::Display for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
