//! What last became of a guest's packets, and of our frames to it that could not be sent: a few entries that never grow, however much the guest sends.

use super::{Now, Reason};

/// Packets that ended alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// What they are counted as.
    pub reason: Reason,
    /// How many they are since they are remembered, up to the largest number that there is room for.
    pub times: u32,
    /// When the last of them came, in seconds of [`Now`]. Whole ones: there are a lot of taps to remember this of.
    pub seconds: u32,
}

impl Exchange {
    /// How long ago the last of them came, in seconds.
    pub fn seconds_ago(&self, now: Now) -> u64 {
        now.as_secs().saturating_sub(self.seconds.into())
    }
}

/// The last exchanges of a guest. All that end alike share an entry, so that a flood hides nothing that was before it, be it
/// of several kinds by turns. What is new takes the place of what has been silent longest, whose count is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct History([Option<Exchange>; History::LEN]);

impl History {
    /// How many exchanges are remembered.
    pub const LEN: usize = 8;

    /// The exchanges, the newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Exchange> {
        self.0.iter().flatten()
    }

    /// Takes in one more packet, or frame.
    pub(crate) fn push(&mut self, now: Now, reason: Reason) {
        let seconds = u32::try_from(now.as_secs()).unwrap_or(u32::MAX);
        let is_alike = |exchange: &Exchange| exchange.reason == reason;
        let known = self.0.iter().position(|entry| entry.as_ref().is_some_and(is_alike));
        // Its entry comes to the front; or that which has been silent longest, to be written over.
        if let Some(moved) = self.0.get_mut(..=known.unwrap_or(Self::LEN - 1)) {
            moved.rotate_right(1);
        }
        let [newest, ..] = &mut self.0;
        let times = newest.filter(is_alike).map_or(0, |exchange| exchange.times);
        *newest = Some(Exchange { reason, times: times.saturating_add(1), seconds });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(packets: &[(u64, Reason)]) -> Vec<(Reason, u32, u32)> {
        let mut history = History::default();
        packets.iter().for_each(|(seconds, reason)| history.push(Now::from_secs(*seconds), *reason));
        history.iter().map(|exchange| (exchange.reason, exchange.times, exchange.seconds)).collect()
    }

    #[test]
    fn equal_ones_share_an_entry() {
        use Reason::{Acked, Malformed, Offered};
        assert_eq!(after(&[]), []);
        let packets = [(1, Offered), (2, Acked), (3, Malformed), (4, Malformed), (9, Malformed), (10, Acked)];
        assert_eq!(after(&packets), [(Acked, 2, 10), (Malformed, 3, 9), (Offered, 1, 1)]);
    }

    #[test]
    fn those_longest_silent_are_forgotten() {
        let packets: Vec<_> = (0..).zip(Reason::ALL.iter().copied()).take(History::LEN + 2).collect();
        let expected: Vec<_> = packets[2..].iter().rev().map(|(when, reason)| (*reason, 1, *when as u32)).collect();
        assert_eq!(after(&packets), expected);
    }

    #[test]
    fn what_was_forgotten_counts_from_one_again() {
        let others = Reason::ALL.iter().copied().filter(|reason| *reason != Reason::Acked);
        let mut packets = vec![(1, Reason::Acked), (2, Reason::Acked)];
        packets.extend((3..).zip(others).take(History::LEN));
        assert!(after(&packets).iter().all(|(reason, ..)| *reason != Reason::Acked));
        packets.push((99, Reason::Acked));
        assert_eq!(after(&packets)[0], (Reason::Acked, 1, 99));
    }

    #[test]
    fn a_flood_hides_nothing_before_it() {
        let flood = std::iter::repeat_n((2, Reason::RateLimited), 100_000);
        let packets: Vec<_> = std::iter::once((1, Reason::Acked)).chain(flood).collect();
        assert_eq!(after(&packets), [(Reason::RateLimited, 100_000, 2), (Reason::Acked, 1, 1)]);
    }

    #[test]
    fn a_flood_of_two_kinds_hides_nothing_before_it() {
        use Reason::{Acked, Malformed, Offered};
        let flood = std::iter::repeat_n([(2, Offered), (2, Malformed)], 1_000).flatten();
        let packets: Vec<_> = [(1, Acked), (1, Offered)].into_iter().chain(flood).collect();
        assert_eq!(after(&packets), [(Malformed, 1_000, 2), (Offered, 1_001, 2), (Acked, 1, 1)]);
    }

    #[test]
    fn numbers_stop_at_their_end() {
        let mut history = History::default();
        history.push(Now::MAX, Reason::Acked);
        let [Some(exchange), ..] = &mut history.0 else { panic!() };
        assert_eq!((exchange.seconds, exchange.seconds_ago(Now::ZERO)), (u32::MAX, 0));
        exchange.times = u32::MAX;
        history.push(Now::MAX, Reason::Acked);
        assert_eq!(history.iter().next().unwrap().times, u32::MAX);
    }

    /// There may be ten thousand of them.
    #[test]
    fn it_takes_little_memory() {
        assert_eq!(size_of::<History>(), 96);
    }
}
