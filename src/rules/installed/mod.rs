//! What netfilter has: the rules of everybody, as far as they say what becomes of the packets of taps.
//!
//! Rules are read in the words of the tools that list them, whoever made them. A condition that is not understood is kept as
//! such ([`Subject::Unreadable`]), so that nobody takes it for one that is not there.

mod address;
mod condition;
mod iptables;
mod nft;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use address::{Addresses, End};
pub(super) use condition::{Condition, Field, Sight, Subject};

use super::kind::IpVersion;
use super::{Limit, Pattern};
use crate::text::Visible;

/// What the tools said, and what the kernel is set to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listings {
    /// `nft --json list ruleset`, if there is nft.
    pub nft: Option<String>,
    /// What each `iptables-save` said: of the backend of nft, and of the legacy one.
    pub iptables: Vec<String>,
    /// The same of `ip6tables-save`.
    pub ip6tables: Vec<String>,
    /// Whether bridges show packets to the tables of IPv4 (`bridge-nf-call-iptables`).
    pub calls_iptables: bool,
    /// The same of IPv6 (`bridge-nf-call-ip6tables`).
    pub calls_ip6tables: bool,
}

/// nft says something that is no listing.
#[derive(Debug, thiserror::Error)]
#[error("cannot read what nft lists: {0}")]
pub struct ListingError(#[from] serde_json::Error);

/// What netfilter has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Installed {
    pub(super) tables: Vec<Table>,
    calls_iptables: bool,
    calls_ip6tables: bool,
}

impl Installed {
    /// Reads what was said.
    ///
    /// # Errors
    /// That of nft is no listing.
    pub fn read(listings: &Listings) -> Result<Self, ListingError> {
        let of_version =
            |texts: &[String], family| texts.iter().flat_map(|text| iptables::tables(text, family)).collect::<Vec<_>>();
        let mut tables = of_version(&listings.iptables, Family::Ip);
        tables.extend(of_version(&listings.ip6tables, Family::Ip6));
        // What iptables keeps in nft is listed by both. nft shows conditions of iptables by their name alone.
        let is_listed = |table: &Table| tables.iter().any(|listed| listed.is_in_nft && listed.is_same(table));
        let of_nft = listings.nft.as_deref().map(nft::tables).transpose()?.unwrap_or_default();
        let (dormant, of_nft): (Vec<Table>, Vec<Table>) = of_nft.into_iter().partition(|table| table.is_dormant);
        let of_nft: Vec<Table> = of_nft.into_iter().filter(|table| !is_listed(table)).collect();
        tables.retain(|table| !(table.is_in_nft && dormant.iter().any(|dormant| dormant.is_same(table))));
        tables.extend(of_nft);
        Ok(Self { tables, calls_iptables: listings.calls_iptables, calls_ip6tables: listings.calls_ip6tables })
    }

    /// Whether bridges show packets to the tables of a version of IP, by br_netfilter.
    pub(super) fn is_shown(&self, version: IpVersion) -> bool {
        match version {
            IpVersion::V4 => self.calls_iptables,
            IpVersion::V6 => self.calls_ip6tables,
        }
    }

    /// Every rule, with the place of its chain.
    pub(super) fn rules(&self) -> impl Iterator<Item = (&Table, &Chain, &Rule)> {
        let chains = self.tables.iter().flat_map(|table| table.chains.values().map(move |chain| (table, chain)));
        chains.flat_map(|(table, chain)| chain.rules.iter().map(move |rule| (table, chain, rule)))
    }
}

/// A family of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Ip,
    Ip6,
    Inet,
    Bridge,
    Netdev,
}

impl Family {
    const ALL: [Self; 5] = [Self::Ip, Self::Ip6, Self::Inet, Self::Bridge, Self::Netdev];

    /// What nft calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Ip6 => "ip6",
            Self::Inet => "inet",
            Self::Bridge => "bridge",
            Self::Netdev => "netdev",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }
}

/// A table. Rules lead to chains of their own table only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) family: Family,
    pub(super) name: String,
    /// The kernel enters none of its chains (nft's flag `dormant`).
    is_dormant: bool,
    /// It is one of iptables, which keeps it in nft.
    is_in_nft: bool,
    pub(super) chains: BTreeMap<String, Chain>,
}

impl Table {
    fn is_same(&self, other: &Self) -> bool {
        self.family == other.family && self.name == other.name
    }
}

/// A chain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) name: String,
    /// When the kernel enters it by itself, if it does.
    pub(super) base: Option<Base>,
    pub(super) rules: Vec<Rule>,
}

/// When the kernel enters a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) hook: Hook,
    pub(super) priority: i64,
    /// What no rule decides on is dropped.
    pub(super) drops: bool,
    /// The interfaces that it is for, if not for all.
    pub(super) devices: Vec<Pattern>,
}

/// Where in the kernel. Those of packets that the node sends are of no interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hook {
    /// Before anything else.
    Ingress,
    /// Before it is known where a packet goes.
    Prerouting,
    /// Of what the node takes for itself, or passes on.
    Later,
}

impl Hook {
    fn named(name: &str) -> Option<Self> {
        match name {
            "ingress" => Some(Self::Ingress),
            "prerouting" => Some(Self::Prerouting),
            "input" | "forward" => Some(Self::Later),
            _ => None,
        }
    }
}

/// A rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) conditions: Vec<Condition>,
    /// It is for what an interface sends beyond this.
    pub(super) limit: Option<Limit>,
    pub(super) action: Action,
    /// How to find it: a line of iptables, a handle of nft.
    pub(super) label: String,
    pub(super) comment: String,
    /// All that it asks and does, if nft lists it: see [`statement`](super::statement).
    pub(super) statements: Vec<String>,
}

/// What a rule does with what it matches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Action {
    /// Nothing that matters here.
    #[default]
    None,
    Accept,
    Drop,
    Return,
    Jump(String),
    Goto(String),
    Queue(Queues),
}

/// Where a rule sends packets to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Queues {
    /// Their numbers, if they can be told.
    pub(super) numbers: Option<RangeInclusive<u16>>,
    pub(super) bypass: bool,
}

/// A rule, for people to find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Where {
    family: &'static str,
    table: String,
    chain: String,
    label: String,
}

impl Where {
    pub(super) fn of(table: &Table, chain: &Chain, label: &str) -> Self {
        let (name, chain) = (table.name.clone(), chain.name.clone());
        Self { family: table.family.name(), table: name, chain, label: label.to_owned() }
    }

    /// Whether the bridge has the rule, and not IP above it.
    pub(super) fn is_of_bridge(&self) -> bool {
        self.family == Family::Bridge.name()
    }
}

impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { family, table, chain, label } = self;
        write!(f, "table {family} {}, chain {}: {}", Visible(table), Visible(chain), Visible(label))
    }
}
