//! When which tap has something to advertise or to announce. Taps take turns, so that ten thousand of them never make a burst.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Now;
use super::limits::{Bucket, Limit};
use crate::binding::InterfaceName;

/// Unsolicited frames per second over all taps, and at once.
const PACE: Limit = Limit { rate: 2_000, burst: 8 };

/// The due times of all taps.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    due: BTreeSet<(Now, InterfaceName)>,
    pace: Bucket,
    /// Nothing is sent before this: the pace was too fast.
    not_before: Now,
}

impl Schedule {
    /// Moves `tap` from the time it was due to the time it is due now.
    pub(super) fn replace(&mut self, tap: InterfaceName, old: Option<Now>, new: Option<Now>) {
        if old == new {
            return;
        }
        if let Some(old) = old {
            self.due.remove(&(old, tap));
        }
        if let Some(new) = new {
            self.due.insert((new, tap));
        }
    }

    /// When the next tap is due and may send.
    pub(super) fn next(&self) -> Option<Now> {
        self.due.first().map(|(due, _)| (*due).max(self.not_before))
    }

    /// A tap that is due, if the pace allows one. It stays due until [`replace`](Self::replace) moves it.
    pub(super) fn poll(&mut self, now: Now) -> Option<InterfaceName> {
        let (due, tap) = *self.due.first()?;
        if due > now || self.not_before > now {
            return None;
        }
        if self.pace.take(now, PACE) {
            return Some(tap);
        }
        // Half of a burst later there is half of a burst to send.
        self.not_before = now + Duration::from_secs(1) / PACE.rate * (PACE.burst / 2);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tap(number: usize) -> InterfaceName {
        format!("tap{number}").parse().unwrap()
    }

    #[test]
    fn gives_taps_when_they_are_due() {
        let mut schedule = Schedule::default();
        let (early, late) = (Duration::from_secs(1), Duration::from_secs(2));
        schedule.replace(tap(2), None, Some(late));
        schedule.replace(tap(1), None, Some(early));
        assert_eq!(schedule.next(), Some(early));
        assert_eq!(schedule.poll(Duration::ZERO), None);
        assert_eq!(schedule.poll(early), Some(tap(1)));
        schedule.replace(tap(1), Some(early), None);
        assert_eq!((schedule.poll(early), schedule.next()), (None, Some(late)));
    }

    #[test]
    fn ten_thousand_taps_at_once_are_no_burst() {
        let mut schedule = Schedule::default();
        (0..10_000).for_each(|number| schedule.replace(tap(number), None, Some(Now::ZERO)));
        let mut now = Now::ZERO;
        let mut largest = 0;
        while let Some(next) = schedule.next() {
            now = now.max(next);
            let mut sent = 0;
            while let Some(tap) = schedule.poll(now) {
                schedule.replace(tap, Some(Now::ZERO), None);
                sent += 1;
            }
            largest = largest.max(sent);
        }
        assert!(largest <= PACE.burst, "{largest}");
        assert!(now >= Duration::from_secs(4) && now < Duration::from_secs(6), "{now:?}");
    }
}
