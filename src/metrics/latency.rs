//! How long something took: a histogram of fixed size.

use std::time::Duration;

/// The upper bounds of the buckets, in microseconds: what a node under load shows, and what a client would notice. The kernel
/// counts in microseconds as well.
const BOUNDS: [u64; 16] =
    [10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000];

/// How many took how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Latency {
    /// How many are within each bound and within none before it.
    within: [u64; BOUNDS.len()],
    /// How many are beyond all of them.
    beyond: u64,
    /// How long all of them took together.
    sum: Duration,
}

impl Latency {
    /// Takes in one that took so long.
    pub fn observe(&mut self, time: Duration) {
        let bucket = BOUNDS.iter().zip(&mut self.within).find(|(bound, _)| time <= Duration::from_micros(**bound));
        *bucket.map_or(&mut self.beyond, |(_, count)| count) += 1;
        self.sum = self.sum.saturating_add(time);
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.within.iter().sum::<u64>() + self.beyond
    }

    /// How long they took together, in seconds.
    pub fn sum(&self) -> f64 {
        self.sum.as_secs_f64()
    }

    /// Each bound in seconds, with how many are within it and within none before it. The last is infinite.
    pub fn buckets(&self) -> Vec<(f64, u64)> {
        let bounds = BOUNDS.iter().map(|bound| Duration::from_micros(*bound).as_secs_f64());
        bounds.zip(self.within).chain([(f64::INFINITY, self.beyond)]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        for (micros, bucket) in
            [(0, 0), (10, 0), (11, 1), (25, 1), (1_000, 6), (999_999, 15), (1_000_000, 15), (1_000_001, 16)]
        {
            let mut latency = Latency::default();
            latency.observe(Duration::from_micros(micros));
            let counts: Vec<u64> = latency.buckets().iter().map(|(_, count)| *count).collect();
            assert_eq!(counts.iter().position(|count| *count == 1), Some(bucket), "{micros}");
            assert_eq!((latency.count(), counts.len()), (1, BOUNDS.len() + 1));
        }
    }

    #[test]
    fn all_times_are_summed_up() {
        let mut latency = Latency::default();
        [250, 750, 2_000_000].into_iter().for_each(|millis| latency.observe(Duration::from_millis(millis)));
        assert_eq!((latency.count(), latency.sum()), (3, 2_001.0));
        latency.observe(Duration::MAX);
        assert_eq!(latency.count(), 4);
    }

    #[test]
    fn bounds_ascend_to_infinity() {
        let bounds: Vec<f64> = Latency::default().buckets().iter().map(|(bound, _)| *bound).collect();
        assert!(bounds.is_sorted() && bounds.first() == Some(&0.000_01) && bounds.last() == Some(&f64::INFINITY));
    }
}
