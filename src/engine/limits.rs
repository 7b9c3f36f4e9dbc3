//! How often one guest may ask: a token bucket for each interface that the kernel names.

use super::Now;

/// Packets per second, and how many may come at once. A rate of 0 is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Packets per second.
    pub rate: u32,
    /// Packets at once.
    pub burst: u32,
}

/// What is left of a limit. Starts full.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bucket {
    /// How much of the burst is used up, in tokens.
    used: f64,
    since: Now,
}

impl Bucket {
    /// Takes a token, if there is one.
    pub fn take(&mut self, now: Now, limit: Limit) -> bool {
        if limit.rate == 0 {
            return true;
        }
        let refilled = now.saturating_sub(self.since).as_secs_f64() * f64::from(limit.rate);
        self.used = (self.used - refilled).max(0.0);
        self.since = now;
        let has_token = self.used + 1.0 <= f64::from(limit.burst.max(1));
        if has_token {
            self.used += 1.0;
        }
        has_token
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn lets_a_burst_through_and_then_the_rate() {
        let limit = Limit { rate: 10, burst: 3 };
        let mut bucket = Bucket::default();
        let mut taken = |millis| bucket.take(Duration::from_millis(millis), limit);
        assert_eq!([taken(0), taken(0), taken(0), taken(0)], [true, true, true, false]);
        assert_eq!([taken(99), taken(100), taken(150), taken(200)], [false, true, false, true]);
        assert_eq!([taken(9000), taken(9000), taken(9000), taken(9000)], [true, true, true, false]);
    }

    #[test]
    fn a_rate_of_zero_is_no_limit() {
        let mut bucket = Bucket::default();
        assert!((0..10_000).all(|_| bucket.take(Duration::ZERO, Limit { rate: 0, burst: 1 })));
    }
}
