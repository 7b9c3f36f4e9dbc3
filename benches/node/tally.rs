//! What a load counted.

use std::time::Duration;

/// The counts of one run of requests.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// How long requests were sent.
    pub(crate) time: Duration,
    /// Right answers within that time.
    pub(crate) answers: u64,
    /// Requests that never got their right answer.
    pub(crate) lost: u64,
    /// How long each right answer took, in nanoseconds, those to the last requests included.
    pub(crate) latencies: Vec<u32>,
    /// The processor time that the load generator worked, without that in which it only looked for answers.
    pub(crate) own_cpu: Duration,
}

impl Tally {
    /// Right answers per second.
    pub(crate) fn rate(&self) -> f64 {
        self.answers as f64 / self.time.as_secs_f64()
    }

    /// The latency that this share of the answers did not exceed.
    pub(crate) fn quantile(&mut self, share: f64) -> Option<Duration> {
        let last = self.latencies.len().checked_sub(1)?;
        let at = (share * last as f64).round() as usize;
        let (_, value, _) = self.latencies.select_nth_unstable(at);
        Some(Duration::from_nanos(u64::from(*value)))
    }
}
