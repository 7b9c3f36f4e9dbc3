//! A fragment of ferm's configuration. The limits are nft's, in a file beside it.

use std::fmt::{Display, Formatter, Result};

use super::kind::IpVersion;
use super::{Diversion, Kind, NAME, Pattern, Rules, Source};

/// All rules but the limits, and what loads those.
pub(super) struct Fragment<'a>(pub(super) &'a Rules);

impl Display for Fragment<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(HEAD)?;
        self.write_chain(f, "ip", IpVersion::V4)?;
        self.write_chain(f, "ip6", IpVersion::V6)?;
        if self.0.has_tables() {
            self.write_hooks(f)?;
        }
        Ok(())
    }
}

const HEAD: &str = "\
# What guests ask goes to nfdhcpd, by the rules of ferm. Made by \"nfdhcpd rules --format ferm\".
# Load: @include this file in ferm.conf, and reload ferm
";

/// ferm speaks iptables, which cannot keep a rate for each interface.
const LIMITS_HEAD: &str = "\
# A rate for each tap is beyond ferm and iptables, so the limits (and the guard) are nft's. Write their file with the same
# options:
#     nfdhcpd rules --limits-only ... >/etc/nfdhcpd/limits.nft
";

impl Fragment<'_> {
    fn write_chain(&self, f: &mut Formatter<'_>, domain: &str, version: IpVersion) -> Result {
        let diversions: Vec<_> = self.0.of_version(version).collect();
        if diversions.is_empty() {
            return Ok(());
        }
        writeln!(f, "\ndomain {domain} table mangle chain PREROUTING {{")?;
        for (source, taps) in self.0.taps.sources() {
            self.write_rules(f, source, taps, &diversions)?;
        }
        writeln!(f, "}}")
    }

    fn write_rules(&self, f: &mut Formatter<'_>, source: Source, taps: &[Pattern], diversions: &[Diversion]) -> Result {
        let from = match source {
            Source::Interface => "interface",
            Source::Port => "mod physdev physdev-in",
        };
        let taps: Vec<_> = taps.iter().map(Pattern::with_plus).collect();
        let taps = taps.join(" ");
        diversions.iter().try_for_each(|Diversion { kind, queue }| {
            let bypass = self.0.bypass(*kind, " queue-bypass");
            writeln!(f, "    {from} ({taps}) {} NFQUEUE queue-num {queue}{bypass};", matches(*kind))
        })
    }

    fn write_hooks(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(f)?;
        f.write_str(LIMITS_HEAD)?;
        writeln!(f, "@hook post \"nft -f /etc/nfdhcpd/limits.nft\";")?;
        writeln!(f, "@hook flush \"nft delete table inet {NAME}; nft delete table bridge {NAME}\";")
    }
}

/// Which packets are of a kind.
fn matches(kind: Kind) -> &'static str {
    match kind {
        Kind::Dhcp => "proto udp dport 67",
        Kind::RouterSolicitation => "proto icmpv6 icmpv6-type router-solicitation",
        Kind::NeighborSolicitation => "proto icmpv6 icmpv6-type neighbour-solicitation",
        Kind::Dhcpv6 => "proto udp dport 547",
    }
}
