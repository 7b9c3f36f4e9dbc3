//! From two looks at a daemon to what happens in a second.

use std::time::Duration;

use crate::control::{Node, Packets, Tap};

/// One look at a daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sample {
    /// When, since the first look.
    pub(super) when: Duration,
    /// All taps, in the order of their names.
    pub(super) taps: Vec<Tap>,
    /// The daemon as a whole.
    pub(super) node: Node,
}

/// How many packets a second; nothing before there is a second look.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Rate {
    /// Answered.
    pub(super) answered: f64,
    /// For us, and not answered.
    pub(super) refused: f64,
    /// None of ours.
    pub(super) accepted: f64,
}

impl Rate {
    /// All of them together.
    pub(super) fn sum(self) -> f64 {
        self.answered + self.refused + self.accepted
    }
}

/// An outcome: how often at all, and in a second.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tally {
    /// Its name.
    pub(super) outcome: String,
    /// Since the daemon started.
    pub(super) count: u64,
    /// In a second.
    pub(super) rate: f64,
}

/// What happened from one look to the next.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Rates {
    /// For each tap of the later look, in its order.
    pub(super) taps: Vec<Rate>,
    /// What happened at all, the most frequent first: now, then ever.
    pub(super) outcomes: Vec<Tally>,
}

impl Rates {
    /// The rates of `new`. A daemon that was started again in between has none yet.
    pub(super) fn new(old: Option<&Sample>, new: &Sample) -> Self {
        let old = old.filter(|old| old.node.uptime_seconds <= new.node.uptime_seconds);
        let seconds = old.map_or(0.0, |old| new.when.saturating_sub(old.when).as_secs_f64());
        let per_second = |old: u64, new: u64| per_second(old, new, seconds);
        let taps = new.taps.iter().map(|tap| match old.and_then(|old| find(old, &tap.tap)) {
            Some(before) => rate(&before.packets, &tap.packets, &per_second),
            None => Rate::default(),
        });
        let outcomes = new.node.counters.iter().filter(|(_, count)| **count > 0).map(|(outcome, count)| {
            let before = old.map_or(*count, |old| old.node.counters.get(outcome).copied().unwrap_or_default());
            Tally { outcome: outcome.clone(), count: *count, rate: per_second(before, *count) }
        });
        let mut outcomes: Vec<Tally> = outcomes.collect();
        outcomes.sort_by(|a, b| b.rate.total_cmp(&a.rate).then(b.count.cmp(&a.count)));
        Self { taps: taps.collect(), outcomes }
    }
}

/// The daemon gives taps in the order of their names.
fn find<'a>(sample: &'a Sample, tap: &str) -> Option<&'a Tap> {
    let place = sample.taps.binary_search_by(|other| other.tap.as_str().cmp(tap)).ok()?;
    sample.taps.get(place)
}

fn rate(old: &Packets, new: &Packets, per_second: &impl Fn(u64, u64) -> f64) -> Rate {
    Rate {
        answered: per_second(old.answered, new.answered),
        refused: per_second(old.refused, new.refused),
        accepted: per_second(old.accepted, new.accepted),
    }
}

/// Counters of a tap begin anew with its file.
fn per_second(old: u64, new: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { new.saturating_sub(old) as f64 / seconds } else { 0.0 }
}
