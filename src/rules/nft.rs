//! Tables of nft: the limits, and what is diverted.

use std::fmt;

use super::guard::{self, Chains};
use super::{Kind, Limits, NAME, Pattern, Rules};

/// How many taps a limit keeps account of: more than a node has. Beyond that, taps are not limited.
const SET_SIZE: u32 = 65_536;
/// How long a tap that sends nothing is kept account of.
const SET_TIMEOUT: &str = "10m";

/// Where the rules of one of our tables are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    /// What the node itself takes in from an interface.
    Inet,
    /// What a bridge takes in from a port, before it goes anywhere.
    Bridge,
}

impl Family {
    fn name(self) -> &'static str {
        match self {
            Self::Inet => "inet",
            Self::Bridge => "bridge",
        }
    }

    /// Which packets are of a kind. Bridged frames count without a VLAN tag only: what is tagged is not the guest's own
    /// network, and br_netfilter keeps it from iptables as well.
    fn matches(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Inet, Kind::Dhcp) => "meta nfproto ipv4 udp dport 67",
            (Self::Inet, Kind::RouterSolicitation) => "meta nfproto ipv6 icmpv6 type nd-router-solicit",
            (Self::Inet, Kind::NeighborSolicitation) => "meta nfproto ipv6 icmpv6 type nd-neighbor-solicit",
            (Self::Inet, Kind::Dhcpv6) => "meta nfproto ipv6 udp dport 547",
            (Self::Bridge, Kind::Dhcp) => "ether type ip udp dport 67",
            (Self::Bridge, Kind::RouterSolicitation) => "ether type ip6 icmpv6 type nd-router-solicit",
            (Self::Bridge, Kind::NeighborSolicitation) => "ether type ip6 icmpv6 type nd-neighbor-solicit",
            (Self::Bridge, Kind::Dhcpv6) => "ether type ip6 udp dport 547",
        }
    }

    /// When packets are counted: before connection tracking, and on a bridge before br_netfilter (0), so that a flood
    /// costs neither.
    fn limit_priority(self) -> i32 {
        -300
    }

    /// When packets are diverted: as in the mangle table of iptables; on a bridge behind its filters (-200), and before
    /// br_netfilter (0).
    fn divert_priority(self) -> i32 {
        match self {
            Self::Inet => -150,
            Self::Bridge => -190,
        }
    }
}

/// All rules.
pub(super) struct All<'a>(pub(super) &'a Rules);

impl fmt::Display for All<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# What guests ask goes to nfdhcpd, by the rules of nft. Made by \"nfdhcpd rules --format nft\".")?;
        write!(f, "{LOAD}{REMOVE}{}", self.0.who_is_dropped())?;
        Tables { rules: self.0, diverts: true }.fmt(f)
    }
}

/// The limits and nothing else.
pub(super) struct LimitsAlone<'a>(pub(super) &'a Rules);

impl fmt::Display for LimitsAlone<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# {}; other rules divert it. Made by \"nfdhcpd rules\".", self.what())?;
        write!(f, "{LOAD}{REMOVE}{}", self.0.who_is_dropped())?;
        Tables { rules: self.0, diverts: false }.fmt(f)
    }
}

impl LimitsAlone<'_> {
    fn what(&self) -> &'static str {
        match (&self.0.limits, &self.0.guard) {
            (_, None) => "Limits on what each tap sends to nfdhcpd",
            (Some(_), Some(_)) => "What no tap may send, and limits on what each sends to nfdhcpd",
            (None, Some(_)) => "What no tap may send, beside what goes to nfdhcpd",
        }
    }
}

const LOAD: &str =
    "# Load:       nft -f THIS-FILE (or pipe it into nft -f -); as often as you like, it replaces itself\n";
const REMOVE: &str = "# Remove:     nft delete table inet nfdhcpd; nft delete table bridge nfdhcpd\n";

/// The tables that are needed, in one transaction.
///
/// A family that is not needed is not touched: a kernel without it would refuse everything. What may be left there of other
/// options does no harm, for it only matches taps that are still what they were then.
pub(super) struct Tables<'a> {
    pub(super) rules: &'a Rules,
    pub(super) diverts: bool,
}

impl fmt::Display for Tables<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let taps = &self.rules.taps;
        let Self { rules, diverts } = *self;
        let tables = [(Family::Inet, &taps.routed), (Family::Bridge, &taps.bridged)];
        let mut tables = tables.map(|(family, taps)| Table { family, taps, rules, diverts }).into_iter();
        tables.try_for_each(|table| if table.is_needed() { table.fmt(f) } else { Ok(()) })
    }
}

/// One table.
struct Table<'a> {
    family: Family,
    taps: &'a [Pattern],
    rules: &'a Rules,
    diverts: bool,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = format!("{} {NAME}", self.family.name());
        // What is not there cannot be deleted.
        writeln!(f, "\ntable {name}\ndelete table {name}\ntable {name} {{")?;
        if let Some(guard) = &self.rules.guard {
            Hook { chain: guard::TAPS, next: guard::PACKETS, priority: guard::PRIORITY }.write(f, self.guarded())?;
            Chains { of_bridge: self.family == Family::Bridge, trunks: &guard.trunks }.fmt(f)?;
        }
        if !self.taps.is_empty() {
            self.write_limits_and_diversions(f)?;
        }
        writeln!(f, "}}")
    }
}

impl Table<'_> {
    fn is_needed(&self) -> bool {
        !self.taps.is_empty() || self.rules.guard.is_some() && self.guarded().next().is_some()
    }

    /// The taps that are kept from playing server.
    ///
    /// In the node's own tables those of bridges as well: what a bridge takes for itself, since nobody forwards it (IEEE
    /// 802.1Q, table 8-1), comes to the node by the port.
    fn guarded(&self) -> impl Iterator<Item = &Pattern> {
        let bridged = if self.family == Family::Inet { &self.rules.taps.bridged[..] } else { &[] };
        self.taps.iter().chain(bridged.iter().filter(|tap| !self.taps.contains(tap)))
    }

    fn write_limits_and_diversions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(limits) = &self.rules.limits {
            self.write_sets(f)?;
            let priority = self.family.limit_priority();
            Hook { chain: "limit_taps", next: "limit_packets", priority }.write(f, self.taps.iter())?;
            self.write_limits(f, limits)?;
        }
        if self.diverts {
            let priority = self.family.divert_priority();
            Hook { chain: "divert_taps", next: "divert_packets", priority }.write(f, self.taps.iter())?;
            self.write_diversions(f)?;
        }
        Ok(())
    }

    /// One account of taps for each kind of packets.
    fn write_sets(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = format!("type ifname; size {SET_SIZE}; flags dynamic,timeout; timeout {SET_TIMEOUT};");
        let mut kinds = self.rules.diversions.iter().map(|diversion| diversion.kind.name());
        kinds.try_for_each(|kind| writeln!(f, "\tset {kind}_rate {{ {what} }}"))
    }

    /// The counter stands behind the limit, and so counts what is over it.
    fn write_limits(&self, f: &mut fmt::Formatter<'_>, limits: &Limits) -> fmt::Result {
        writeln!(f, "\tchain limit_packets {{")?;
        for kind in self.rules.diversions.iter().map(|diversion| diversion.kind) {
            let limit = limits.of(kind);
            writeln!(
                f,
                "\t\t{} update @{}_rate {{ iifname limit rate over {}/second burst {} packets counter }} drop",
                self.family.matches(kind),
                kind.name(),
                limit.rate,
                limit.burst
            )?;
        }
        writeln!(f, "\t}}")
    }

    fn write_diversions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\tchain divert_packets {{")?;
        let mut diversions = self.rules.diversions.iter();
        diversions.try_for_each(|diversion| {
            let matches = self.family.matches(diversion.kind);
            let bypass = self.rules.bypass(diversion.kind, " bypass");
            writeln!(f, "\t\t{matches} queue num {}{bypass}", diversion.queue)
        })?;
        writeln!(f, "\t}}")
    }
}

/// A chain that the kernel enters with every packet, and leaves with those of no tap.
struct Hook {
    chain: &'static str,
    /// Where those of taps go.
    next: &'static str,
    priority: i32,
}

impl Hook {
    fn write<'a>(&self, f: &mut fmt::Formatter<'_>, mut taps: impl Iterator<Item = &'a Pattern>) -> fmt::Result {
        let Self { chain, next, priority } = self;
        writeln!(f, "\tchain {chain} {{\n\t\ttype filter hook prerouting priority {priority}; policy accept;")?;
        taps.try_for_each(|tap| writeln!(f, "\t\tiifname \"{}\" goto {next}", tap.with_star()))?;
        writeln!(f, "\t}}")
    }
}
