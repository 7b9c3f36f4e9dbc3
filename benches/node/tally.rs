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
        quantile(&mut self.latencies, share).map(|nanos| Duration::from_nanos(nanos.into()))
    }
}

/// The value that this share of the values does not exceed.
pub(crate) fn quantile<T: Ord + Copy>(values: &mut [T], share: f64) -> Option<T> {
    let last = values.len().checked_sub(1)?;
    let (_, value, _) = values.select_nth_unstable((share * last as f64).round() as usize);
    Some(*value)
}
