//! What guests must not say: the words of servers and routers, and what can hide them.
//!
//! The chains are text for nft, beside this file. Each of their rules has a comment: it is what people read in listings, and
//! how a rule is found again.

mod check;

use std::fmt;

use super::{Pattern, statement};

pub(super) use check::faults;

/// How many taps are kept account of: more than a node has.
const SET_SIZE: u32 = 65_536;
/// How long.
const SET_TIMEOUT: &str = "1d";

/// What the kernel enters with the packets of all interfaces, and what those of the taps go through.
pub(super) const TAPS: &str = "guard_taps";
pub(super) const PACKETS: &str = "guard_packets";

/// When: before all else, and before fragments are put together (-400), so that it judges what the tap has sent.
pub(super) const PRIORITY: i32 = -450;

/// Why something is dropped. Each has a chain, and an account of the taps that it came from.
const REASONS_OF_PACKETS: [&str; 5] = ["dhcp", "dhcpv6", "ra", "redirect", "hidden"];
/// The same of frames of a bridge, besides those.
const REASONS_OF_FRAMES: [&str; 3] = ["vlan", "llc", "pppoe"];

/// A rule of a guard.
pub(super) struct Wanted {
    chain: String,
    /// What it is known by in its chain.
    comment: String,
    /// What it asks and does: see [`statement`].
    statements: Vec<String>,
}

/// Chains of a guard, but for the one that the kernel enters.
pub(super) struct Chains<'a> {
    /// It looks at frames of a bridge, and not at what the node itself takes in.
    pub(super) of_bridge: bool,
    /// Taps that may send frames with VLAN tags.
    pub(super) trunks: &'a [Pattern],
}

impl fmt::Display for Chains<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reasons().try_for_each(|reason| {
            writeln!(
                f,
                "\tset guard_{reason} {{ type ifname; size {SET_SIZE}; flags dynamic,timeout; timeout {SET_TIMEOUT}; }}"
            )
        })?;
        self.reasons().try_for_each(|reason| write_drop(f, reason))?;
        f.write_str(include_str!("ip.nft"))?;
        if self.of_bridge { self.write_frames(f) } else { f.write_str(include_str!("packets.nft")) }
    }
}

impl Chains<'_> {
    fn reasons(&self) -> impl Iterator<Item = &'static str> {
        let of_frames = if self.of_bridge { &REASONS_OF_FRAMES[..] } else { &[] };
        REASONS_OF_PACKETS.into_iter().chain(of_frames.iter().copied())
    }

    fn write_frames(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in include_str!("frames.nft").lines() {
            if line == "TRUNKS" {
                let mut names = self.trunks.iter().map(Pattern::with_star);
                names.try_for_each(|name| {
                    writeln!(f, "\t\tiifname \"{name}\" goto guard_trunk comment \"trunk {name}\"")
                })?;
            } else {
                writeln!(f, "{line}")?;
            }
        }
        Ok(())
    }

    /// Every rule, in order.
    pub(super) fn rules(&self) -> Vec<Wanted> {
        let mut chain = "";
        let text = self.to_string();
        let rule = |line| {
            let words = str::trim_start(line);
            chain = words.strip_prefix("chain ").and_then(|rest| rest.strip_suffix(" {")).unwrap_or(chain);
            let (_, comment) = words.strip_suffix('"')?.split_once(" comment \"")?;
            let (chain, comment) = (chain.to_owned(), comment.to_owned());
            Some(Wanted { chain, comment, statements: statement::of_text(words) })
        };
        text.lines().filter_map(rule).collect()
    }
}

/// A tap that finds the account full is dropped all the same.
fn write_drop(f: &mut fmt::Formatter<'_>, reason: &str) -> fmt::Result {
    writeln!(
        f,
        "\tchain drop_{reason} {{\n\t\tupdate @guard_{reason} {{ iifname counter }} comment \"counts the tap\""
    )?;
    writeln!(f, "\t\tcounter drop comment \"drops\"\n\t}}")
}
