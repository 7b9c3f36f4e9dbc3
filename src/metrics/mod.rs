//! What is measured, and the text that Prometheus reads.
//!
//! The packet thread counts with a [`Meter`]; all else is gathered when somebody asks. How many lines the text has depends on
//! the configuration alone, whatever guests do: queues, outcomes, and so many taps at most.

mod families;
mod latency;
mod meter;
mod reply;
mod talkers;

use std::time::Duration;

pub use families::{Family, Kind, families, render};
pub use latency::Latency;
pub use meter::{Measured, Meter, QueueCounts};
pub use talkers::{MOST, Talker, Talkers};

use crate::engine::Status;
use crate::queue_list::Listed;

/// All that is told at one time.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// When the daemon started, since the Unix epoch.
    pub started: Duration,
    /// What the packet thread counted.
    pub measured: Measured,
    /// What the kernel says of its queues, of others' as well; empty if it may not be asked.
    pub listed: Vec<Listed>,
    /// How many packets a queue of ours holds at most.
    pub queue_limit: u32,
    /// How bindings stand.
    pub bindings: Bindings,
    /// The taps that said the most of late.
    pub talkers: Vec<Talker>,
    /// Lines that the log had no room for.
    pub lost_lines: u64,
}

/// How many bindings are in which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bindings {
    /// In force, and the tap is there.
    pub serving: u64,
    /// In force, and the tap is not there.
    pub pending: u64,
    /// The file is wrong, and no good one came before it.
    pub rejected: u64,
    /// Files that are wrong, those included where the last good one is still in force.
    pub rejected_files: u64,
}

impl Bindings {
    /// Counts one tap.
    pub fn count(&mut self, status: &Status) {
        *match (&status.binding, status.ifindex) {
            (None, _) => &mut self.rejected,
            (Some(_), None) => &mut self.pending,
            (Some(_), Some(_)) => &mut self.serving,
        } += 1;
        self.rejected_files += u64::from(status.rejected.is_some());
    }
}
