//! A shell script that diverts by iptables. The limits in it are nft's.

use std::fmt::{Display, Formatter, Result};

use super::kind::IpVersion;
use super::{Diversion, Kind, NAME, Pattern, Rules, Source, nft};

/// All rules, as a script.
pub(super) struct Script<'a>(pub(super) &'a Rules);

impl Display for Script<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(f, "#!/bin/sh")?;
        write!(f, "{HEAD}{}", self.0.who_is_dropped())?;
        writeln!(f, "set -eu")?;
        self.write_limits(f)?;
        self.write_chain(f, "iptables", IpVersion::V4)?;
        self.write_chain(f, "ip6tables", IpVersion::V6)
    }
}

const HEAD: &str = "\
# What guests ask goes to nfdhcpd, by the rules of iptables. Made by \"nfdhcpd rules --format iptables\".
# Load:       sh THIS-FILE as root (or pipe it into sh); as often as you like, it replaces itself.
#             NFQUEUE rules that were loaded otherwise stay: remove those.
# Remove:     iptables -t mangle -D PREROUTING -j nfdhcpd; iptables -t mangle -F nfdhcpd; iptables -t mangle -X nfdhcpd
#             the same with ip6tables
#             nft delete table inet nfdhcpd; nft delete table bridge nfdhcpd
";

impl Script<'_> {
    fn write_limits(&self, f: &mut Formatter<'_>) -> Result {
        if !self.0.has_tables() {
            writeln!(f, "\n# No limits, and none left of earlier ones.\nfor family in inet bridge; do")?;
            return writeln!(f, "    nft delete table $family {NAME} 2>/dev/null || true\ndone");
        }
        writeln!(f, "\n# iptables cannot keep a rate for each interface: this is for nft.\nnft -f - <<'END'")?;
        writeln!(f, "{}END", nft::Tables { rules: self.0, diverts: false })
    }

    /// A chain of our own, filled in one go, and one rule that leads to it.
    fn write_chain(&self, f: &mut Formatter<'_>, tool: &str, version: IpVersion) -> Result {
        let diversions: Vec<_> = self.0.of_version(version).collect();
        if diversions.is_empty() {
            writeln!(f, "\n# Nothing of this version of IP is diverted, and nothing is left of earlier rules.")?;
            return writeln!(f, "{tool} --wait -t mangle -F {NAME} 2>/dev/null || true");
        }
        writeln!(f, "\n{tool}-restore --wait --noflush <<'END'\n*mangle\n:{NAME} - [0:0]")?;
        for (source, taps) in self.0.taps.sources() {
            self.write_rules(f, source, taps, &diversions)?;
        }
        writeln!(f, "COMMIT\nEND")?;
        writeln!(f, "{tool} --wait -t mangle -C PREROUTING -j {NAME} 2>/dev/null ||")?;
        writeln!(f, "    {tool} --wait -t mangle -A PREROUTING -j {NAME}")
    }

    fn write_rules(&self, f: &mut Formatter<'_>, source: Source, taps: &[Pattern], diversions: &[Diversion]) -> Result {
        let from = match source {
            Source::Interface => "-i",
            Source::Port => "-m physdev --physdev-in",
        };
        for Diversion { kind, queue } in diversions {
            let (what, bypass) = (matches(*kind), self.0.bypass(*kind, " --queue-bypass"));
            for tap in taps.iter().map(Pattern::with_plus) {
                writeln!(f, "-A {NAME} {from} {tap} {what} -j NFQUEUE --queue-num {queue}{bypass}")?;
            }
        }
        Ok(())
    }
}

/// Which packets are of a kind.
fn matches(kind: Kind) -> &'static str {
    match kind {
        Kind::Dhcp => "-p udp --dport 67",
        Kind::RouterSolicitation => "-p icmpv6 --icmpv6-type router-solicitation",
        Kind::NeighborSolicitation => "-p icmpv6 --icmpv6-type neighbour-solicitation",
        Kind::Dhcpv6 => "-p udp --dport 547",
    }
}
