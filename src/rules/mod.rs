//! What netfilter is told, for a configuration: which packets go to which queue, and how many of them one tap may send.
//!
//! Text out of a [`Config`] and options, and nothing else: who loads it, and when, is the administrator's affair. What is
//! loaded, by whomever, can be compared with it: [`Rules::findings`], and [`way()`] for the requests of one tap.
//!
//! The limits are nft tables in every format, since iptables cannot keep a rate for each interface (its `hashlimit` knows
//! addresses, and every DISCOVER comes from 0.0.0.0). What is diverted comes from the configuration alone, so that no
//! rule sends packets to a queue that nobody binds.

mod check;
mod ferm;
mod finding;
mod guard;
mod installed;
mod iptables;
mod kind;
mod limit;
mod nft;
mod pattern;
mod statement;
#[cfg(test)]
mod tests;
mod way;

pub use finding::{Fault, Finding, GuardFault};
pub use installed::{Installed, ListingError, Listings, Where};
pub use kind::{Diversion, Kind, UnknownKind};
pub use limit::{Amount, AmountError, Limit, Limits};
pub use pattern::{Pattern, PatternError};
pub use way::{Diverted, Origin, Taker, Way, first_way, hidden_by, way};

use std::fmt;

use crate::config::Config;

/// What all that we make in netfilter is called: tables of nft, chains of iptables.
const NAME: &str = "nfdhcpd";

/// Lines among the comments at the top.
const WHO_FLOODS: &str =
    "# Who floods: nft list table inet nfdhcpd (or bridge): the counters are packets dropped over the limit\n";
const WHO_PLAYS_SERVER: &str = "# Who plays server: the sets guard_* of the same tables\n";

/// In which words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Tables, for `nft -f`.
    Nft,
    /// A shell script around `iptables-restore`, and `nft` for the limits.
    Iptables,
    /// A fragment of ferm's configuration, which loads the limits from a file.
    Ferm,
}

/// Where packets come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taps {
    /// Taps that the node routes for.
    pub routed: Vec<Pattern>,
    /// Taps that are ports of a bridge.
    pub bridged: Vec<Pattern>,
    /// Bridges that do not call iptables: it gets their packets without the port. If empty, `bridged` is matched by port.
    /// nft needs no such help.
    pub by_bridge: Vec<Pattern>,
}

/// The rules for a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    diversions: Vec<Diversion>,
    taps: Taps,
    limits: Option<Limits>,
    bypass: Vec<Kind>,
    guard: Option<Guard>,
}

/// Guests are kept from playing server or router.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Guard {
    trunks: Vec<Pattern>,
}

impl Rules {
    /// The rules for all packets that a daemon with this configuration answers.
    ///
    /// Without `limits` a tap may fill the queues. Packets of the kinds in `bypass` pass while no daemon has bound their
    /// queue; the kernel drops all others.
    pub fn new(config: &Config, taps: Taps, limits: Option<Limits>, bypass: Vec<Kind>) -> Self {
        Self { diversions: kind::diversions(config), taps, limits, bypass, guard: None }
    }

    /// The same, and rules that keep guests from playing server or router. Taps among `trunks` may send frames with VLAN tags.
    #[must_use]
    pub fn guarded(self, trunks: Vec<Pattern>) -> Self {
        Self { guard: Some(Guard { trunks }), ..self }
    }

    /// All of them as text.
    pub fn in_format(&self, format: Format) -> String {
        match format {
            Format::Nft => nft::All(self).to_string(),
            Format::Iptables => iptables::Script(self).to_string(),
            Format::Ferm => ferm::Fragment(self).to_string(),
        }
    }

    /// The limits alone, and the guard, for `nft -f`, beside rules that divert already.
    pub fn limits_alone(&self) -> String {
        nft::LimitsAlone(self).to_string()
    }

    /// The word for a kind's rule, if it passes while nobody listens.
    fn bypass(&self, kind: Kind, word: &'static str) -> &'static str {
        if self.bypass.contains(&kind) { word } else { "" }
    }

    /// Whether anything of it is for nft in every format.
    fn has_tables(&self) -> bool {
        self.limits.is_some() || self.guard.is_some()
    }

    /// How to see what the limits and the guard do, if there are any.
    fn who_is_dropped(&self) -> impl fmt::Display {
        let limits = if self.limits.is_some() { WHO_FLOODS } else { "" };
        let guard = if self.guard.is_some() { WHO_PLAYS_SERVER } else { "" };
        [limits, guard].concat()
    }

    /// What is diverted of one version of IP.
    fn of_version(&self, version: kind::IpVersion) -> impl Iterator<Item = Diversion> {
        self.diversions.iter().copied().filter(move |diversion| diversion.kind.version() == version)
    }
}

/// How iptables, and ferm which speaks for it, may match where a packet comes from.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// By an interface of the node.
    Interface,
    /// By a port of a bridge, with br_netfilter.
    Port,
}

impl Taps {
    /// All places to match, and how.
    fn sources(&self) -> impl Iterator<Item = (Source, &[Pattern])> {
        let bridged = match &self.by_bridge[..] {
            [] => (Source::Port, &self.bridged[..]),
            bridges => (Source::Interface, bridges),
        };
        [(Source::Interface, &self.routed[..]), bridged].into_iter().filter(|(_, taps)| !taps.is_empty())
    }
}
