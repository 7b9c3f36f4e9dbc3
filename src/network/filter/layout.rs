//! Tables and chains as they have to be, in parts: a node has those that its taps need. To know of connections costs every
//! packet of the node, and a kernel may lack a family.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::Hasher;
use std::sync::LazyLock;

use rustc_hash::FxHasher;

/// What our tables are called, in every family.
pub const TABLE: &str = "snf_network";

/// A family of nft's tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableFamily {
    /// Packets of both versions of IP.
    Inet,
    /// Frames that go by a bridge.
    Bridge,
    /// What the node itself says and hears by ARP.
    Arp,
}

impl TableFamily {
    /// All in which we may have a table.
    pub const ALL: [Self; 3] = [Self::Inet, Self::Bridge, Self::Arp];

    /// What nft calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inet => "inet",
            Self::Bridge => "bridge",
            Self::Arp => "arp",
        }
    }

    /// The family with a name, if it is one of these.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }
}

impl fmt::Display for TableFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What belongs together of a table: chains, and the sets that they look into. Each after those that it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Sources,
    Masquerade,
    InetOpenings,
    InetProfiles,
    Routed,
    Shown,
    Stations,
    BridgeOpenings,
    BridgeProfiles,
    Wrapped,
    Bridged,
    Marks,
    Gateways,
}

impl Part {
    const ALL: [Self; 13] = [
        Self::Sources,
        Self::Masquerade,
        Self::InetOpenings,
        Self::InetProfiles,
        Self::Routed,
        Self::Shown,
        Self::Stations,
        Self::BridgeOpenings,
        Self::BridgeProfiles,
        Self::Wrapped,
        Self::Bridged,
        Self::Marks,
        Self::Gateways,
    ];

    /// The family of its table.
    pub(super) fn family(self) -> TableFamily {
        match self {
            Self::Sources | Self::Masquerade | Self::InetOpenings | Self::InetProfiles | Self::Routed | Self::Shown => {
                TableFamily::Inet
            }
            Self::Stations
            | Self::BridgeOpenings
            | Self::BridgeProfiles
            | Self::Wrapped
            | Self::Bridged
            | Self::Marks => TableFamily::Bridge,
            Self::Gateways => TableFamily::Arp,
        }
    }

    /// What makes it, for nft. It may be there already, or half of it.
    pub(super) fn text(self) -> String {
        let comment = format!("comment \"{}\"", *MARK);
        self.template().replace("FAMILY", self.family().name()).replace("comment \"layout\"", &comment)
    }

    fn template(self) -> &'static str {
        match self {
            Self::Sources => include_str!("layout/sources.nft"),
            Self::Masquerade => include_str!("layout/masquerade.nft"),
            Self::InetOpenings | Self::BridgeOpenings => include_str!("layout/openings.nft"),
            Self::InetProfiles | Self::BridgeProfiles => include_str!("layout/profiles.nft"),
            Self::Routed => include_str!("layout/routed.nft"),
            Self::Shown => include_str!("layout/shown.nft"),
            Self::Stations => include_str!("layout/stations.nft"),
            Self::Wrapped => include_str!("layout/wrapped.nft"),
            Self::Bridged => include_str!("layout/bridged.nft"),
            Self::Marks => include_str!("layout/marks.nft"),
            Self::Gateways => include_str!("layout/gateways.nft"),
        }
    }

    /// The names of its chains.
    fn chains(self) -> impl Iterator<Item = &'static str> {
        let flushed = self.template().lines().filter(|line| line.starts_with("flush chain "));
        flushed.filter_map(|line| line.split(' ').next_back())
    }
}

/// How the comment of the last rule of every chain begins, in every version of the program.
const VERSION: &str = "layout ";

/// The comment of the last rule of every chain. Another text of any part makes another mark, so that nobody can forget to.
static MARK: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = FxHasher::default();
    Part::ALL.iter().for_each(|part| hasher.write(part.template().as_bytes()));
    format!("{VERSION}{:016x}", hasher.finish())
});

/// A table of ours, as it was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// The kernel's number for this very table: another one of the same name has another.
    pub handle: u64,
    /// The chains that have rules, each with the comment of its last rule.
    pub(super) chains: BTreeMap<String, String>,
}

impl Table {
    /// Whether a part is there, as this version of the program makes it. Of a chain that was flushed, it is not.
    pub(super) fn has(&self, part: Part) -> bool {
        part.chains().all(|chain| self.chains.get(chain) == Some(&*MARK))
    }

    /// Whether the chains of a part are there, and nothing behind the rules that some version of the program has put there.
    pub(super) fn holds(&self, part: Part) -> bool {
        part.chains().all(|chain| self.chains.get(chain).is_some_and(|comment| comment.starts_with(VERSION)))
    }

    /// Whether another version of the program made it, or somebody else.
    pub(super) fn is_foreign(&self) -> bool {
        self.chains.values().any(|comment| *comment != *MARK)
    }
}

#[cfg(test)]
impl Table {
    /// A table with every part of its family.
    pub(in crate::network) fn whole(family: TableFamily) -> Self {
        let parts = Part::ALL.into_iter().filter(|part| part.family() == family);
        Self::of_chains(1, parts.flat_map(Part::chains).map(|chain| (chain, MARK.as_str())))
    }

    /// A table whose chains end in these comments.
    pub(in crate::network) fn of_chains<'a>(handle: u64, chains: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let chains = chains.into_iter().map(|(chain, comment)| (chain.to_owned(), comment.to_owned())).collect();
        Self { handle, chains }
    }
}
