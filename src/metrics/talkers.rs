//! Which taps say the most: a few of them, however many there are.

use rustc_hash::FxHashMap;

use crate::binding::InterfaceName;
use crate::engine::Now;

/// How many taps are told at most.
pub const MOST: usize = 10;
/// How far back it goes at least, once the daemon runs that long. Never less than from one look to the next.
const SPAN: Now = Now::from_secs(60);

/// A tap that says much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Talker {
    /// The tap.
    pub tap: InterfaceName,
    /// How many packets of its guest came in a second, on average.
    pub rate: f64,
}

/// How many packets each tap had at some time. A guest chooses no names, so none can make keys that collide.
#[derive(Debug, Default)]
struct Tally {
    at: Now,
    packets: FxHashMap<InterfaceName, u64>,
}

/// Two earlier tallies. Whoever looks how often makes no difference to others who do.
#[derive(Debug, Default)]
pub struct Talkers {
    /// What is compared with.
    base: Tally,
    /// What will be, once it is [`SPAN`] old.
    next: Tally,
}

impl Talkers {
    /// Takes in how many packets each tap has had by now; gives those that had the most since an earlier look, the first
    /// first. A tap that had none is not told.
    pub fn look(&mut self, now: Now, packets: FxHashMap<InterfaceName, u64>) -> Vec<Talker> {
        let is_due = now.saturating_sub(self.next.at) >= SPAN;
        if is_due {
            self.base = std::mem::take(&mut self.next);
        }
        let talkers = self.base.compare(now, &packets);
        if is_due {
            self.next = Tally { at: now, packets };
        }
        talkers
    }
}

impl Tally {
    fn compare(&self, now: Now, packets: &FxHashMap<InterfaceName, u64>) -> Vec<Talker> {
        let mut news: Vec<(u64, InterfaceName)> =
            packets.iter().map(|(tap, count)| (self.since(*tap, *count), *tap)).filter(|(new, _)| *new > 0).collect();
        news.sort_unstable_by(|(new, tap), (other_new, other_tap)| other_new.cmp(new).then(tap.cmp(other_tap)));
        news.truncate(MOST);
        let seconds = now.saturating_sub(self.at).as_secs_f64().max(1.0);
        news.into_iter().map(|(new, tap)| Talker { tap, rate: new as f64 / seconds }).collect()
    }

    /// How many packets came since this tally. A count that fell began anew, with its binding.
    fn since(&self, tap: InterfaceName, count: u64) -> u64 {
        let before = self.packets.get(&tap).copied().unwrap_or_default();
        count.checked_sub(before).unwrap_or(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(seconds: u64) -> Now {
        Now::from_secs(seconds)
    }

    fn look(talkers: &mut Talkers, at: u64, packets: &[(&str, u64)]) -> Vec<(String, f64)> {
        let packets = packets.iter().map(|(tap, count)| (tap.parse().unwrap(), *count)).collect();
        talkers.look(secs(at), packets).into_iter().map(|talker| (talker.tap.to_string(), talker.rate)).collect()
    }

    fn told(of: &[(&str, f64)]) -> Vec<(String, f64)> {
        of.iter().map(|(tap, rate)| ((*tap).to_owned(), *rate)).collect()
    }

    #[test]
    fn who_spoke_long_ago_is_told_no_more() {
        let mut talkers = Talkers::default();
        assert_eq!(look(&mut talkers, 10, &[("a", 100), ("b", 20)]), told(&[("a", 10.0), ("b", 2.0)]));
        assert_eq!(look(&mut talkers, 60, &[("a", 600), ("b", 20)]), told(&[("a", 10.0), ("b", 20.0 / 60.0)]));
        assert_eq!(look(&mut talkers, 100, &[("a", 600), ("b", 20)])[0].0, "a", "not long ago");
        assert_eq!(look(&mut talkers, 120, &[("a", 600), ("b", 620)]), told(&[("b", 10.0)]));
    }

    #[test]
    fn a_binding_that_came_anew_counts_from_the_start() {
        let mut talkers = Talkers::default();
        look(&mut talkers, 60, &[("a", 600)]);
        look(&mut talkers, 120, &[("a", 600)]);
        assert_eq!(look(&mut talkers, 130, &[("a", 70), ("b", 140)]), told(&[("b", 2.0), ("a", 1.0)]));
    }

    #[test]
    fn a_few_are_told_and_the_loudest_first() {
        let names: Vec<String> = (0..1_000).map(|number| format!("tap{number}")).collect();
        let packets: Vec<(&str, u64)> = names.iter().map(String::as_str).zip(0..).collect();
        let told = look(&mut Talkers::default(), 1, &packets);
        let expected: Vec<_> = (990..1_000).rev().map(|number| (format!("tap{number}"), f64::from(number))).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn the_first_moment_is_no_eternity() {
        assert_eq!(look(&mut Talkers::default(), 0, &[("a", 5)]), told(&[("a", 5.0)]));
    }
}
