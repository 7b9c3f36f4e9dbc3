//! What the packet thread counts for the metrics, beyond what the engine counts anyway.

use std::time::Duration;

use super::Latency;
use crate::config::QueueNum;
use crate::engine::{Now, Reason};

/// What became of the packets of one queue.
#[derive(Debug, Clone)]
pub struct QueueCounts {
    /// The queue.
    pub queue: QueueNum,
    /// How often the receive buffer overflowed.
    pub overruns: u64,
    /// How long replies took, from the kernel's stamp on the packet until they were sent.
    pub latency: Latency,
    outcomes: [u64; Reason::ALL.len()],
}

impl QueueCounts {
    /// A queue without packets so far.
    pub fn new(queue: QueueNum) -> Self {
        Self { queue, overruns: 0, latency: Latency::default(), outcomes: [0; Reason::ALL.len()] }
    }

    /// Counts a packet that ended so.
    pub fn count(&mut self, reason: Reason) {
        // Reason::ALL has them in the order of their declaration, so the counter is always there.
        if let Some(counter) = self.outcomes.get_mut(reason as usize) {
            *counter += 1;
        }
    }

    /// How many packets ended in which way.
    pub fn outcomes(&self) -> impl Iterator<Item = (Reason, u64)> {
        Reason::ALL.iter().copied().zip(self.outcomes)
    }
}

/// The counters of all queues. It takes its memory once.
#[derive(Debug)]
pub struct Meter {
    queues: Vec<QueueCounts>,
    /// When packets were received whose replies are on their way, since the Unix epoch.
    received: Vec<Duration>,
}

impl Meter {
    /// A meter for these queues, which are known by their position. No more than `most` replies leave at once.
    pub fn new(queues: impl IntoIterator<Item = QueueNum>, most: usize) -> Self {
        let queues = queues.into_iter().map(QueueCounts::new).collect();
        Self { queues, received: Vec::with_capacity(most) }
    }

    /// Counts a packet of a queue that ended so. `received` is the kernel's stamp of a packet that is answered.
    pub fn count(&mut self, queue: usize, reason: Reason, received: Option<Duration>) {
        if let Some(counts) = self.queues.get_mut(queue) {
            counts.count(reason);
        }
        if self.received.len() < self.received.capacity() {
            self.received.extend(received);
        }
    }

    /// Whether there are replies that took a time to be noted.
    pub fn is_waiting(&self) -> bool {
        !self.received.is_empty()
    }

    /// All replies to packets of this queue are sent by now, a time since the Unix epoch. Where that clock was set back
    /// meanwhile, nobody knows how long it took.
    pub fn sent(&mut self, queue: usize, now: Duration) {
        let times = self.received.drain(..).filter_map(|received| now.checked_sub(received));
        if let Some(counts) = self.queues.get_mut(queue) {
            times.for_each(|time| counts.latency.observe(time));
        }
    }

    /// The counters as they are now, with those that the queues themselves keep.
    pub fn queues(&self, overruns: impl IntoIterator<Item = u64>) -> Vec<QueueCounts> {
        let queues = self.queues.iter().zip(overruns);
        queues.map(|(counts, overruns)| QueueCounts { overruns, ..counts.clone() }).collect()
    }
}

/// What the packet thread counted, when it was asked.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// How long the daemon runs.
    pub now: Now,
    /// What became of the packets of each queue.
    pub queues: Vec<QueueCounts>,
    /// How often each reason came about, in all queues and outside of them.
    pub counters: Vec<(Reason, u64)>,
    /// Lines of the log that were counted and not written, since they were like others.
    pub suppressed_lines: u64,
    /// Lines of the log that the packet thread could not get rid of.
    pub lost_lines: u64,
}

impl Measured {
    /// How often this reason came about.
    pub fn total(&self, reason: Reason) -> u64 {
        self.counters.iter().find(|(other, _)| *other == reason).map_or(0, |(_, count)| *count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn packets_are_counted_by_queue_and_outcome() {
        let mut meter = Meter::new([QueueNum(42), QueueNum(43)], 8);
        for (queue, reason) in [(0, Reason::Acked), (0, Reason::Acked), (1, Reason::SendFailed), (2, Reason::Acked)] {
            meter.count(queue, reason, None);
        }
        let [first, second] = &meter.queues([0, 7])[..] else { panic!() };
        let counted = |queue: &QueueCounts| queue.outcomes().filter(|(_, count)| *count > 0).collect::<Vec<_>>();
        assert_eq!((counted(first), counted(second)), (vec![(Reason::Acked, 2)], vec![(Reason::SendFailed, 1)]));
        assert_eq!((first.overruns, second.overruns), (0, 7));
    }

    #[test]
    fn a_reply_takes_as_long_as_it_takes_to_send_it() {
        let mut meter = Meter::new([QueueNum(42), QueueNum(43)], 8);
        meter.count(1, Reason::Offered, Some(SECOND));
        meter.count(1, Reason::Malformed, None);
        meter.count(1, Reason::Acked, Some(2 * SECOND));
        assert!(meter.is_waiting());
        meter.sent(1, 4 * SECOND);
        assert!(!meter.is_waiting());
        let [first, second] = &meter.queues([0, 0])[..] else { panic!() };
        assert_eq!((first.latency.count(), second.latency.count(), second.latency.sum()), (0, 2, 5.0));
    }

    #[test]
    fn a_clock_that_was_set_back_is_not_believed() {
        let mut meter = Meter::new([QueueNum(42)], 8);
        meter.count(0, Reason::Offered, Some(2 * SECOND));
        meter.sent(0, SECOND);
        assert!(!meter.is_waiting());
        assert_eq!(meter.queues([0])[0].latency, Latency::default());
    }

    #[test]
    fn takes_no_more_memory_than_at_first() {
        let mut meter = Meter::new([QueueNum(42)], 8);
        let capacity = meter.received.capacity();
        (0..1_000).for_each(|_| meter.count(0, Reason::Offered, Some(SECOND)));
        assert_eq!(meter.received.capacity(), capacity);
    }
}
