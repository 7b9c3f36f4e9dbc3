//! The kernel's own account of the queues: `/proc/net/netfilter/nfnetlink_queue` of the node, which is where the calling
//! thread is.

use std::fs;

const PATH: &str = "/proc/thread-self/net/netfilter/nfnetlink_queue";

/// One bound queue (columns as in the kernel's `nfnetlink_queue.c`).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Queue {
    /// The queue's number.
    pub(crate) number: u16,
    /// Packets that wait for a verdict.
    pub(crate) waiting: u64,
    /// Packets lost because the queue was full.
    pub(crate) dropped: u64,
    /// Packets lost because the daemon's socket was full.
    pub(crate) user_dropped: u64,
    /// Packets that were ever queued.
    pub(crate) seen: u64,
}

impl Queue {
    /// No packet was lost on the way to the daemon.
    pub(crate) fn is_lossless(&self) -> bool {
        self.dropped == 0 && self.user_dropped == 0
    }
}

/// The file is readable for the machine's root, and for no other root of a user namespace.
pub(crate) fn are_visible() -> bool {
    fs::read(PATH).is_ok()
}

/// All bound queues: none where they are not visible.
pub(crate) fn bound() -> Vec<Queue> {
    fs::read_to_string(PATH).unwrap_or_default().lines().map(parse).collect()
}

fn parse(line: &str) -> Queue {
    let columns: Vec<u64> = line.split_whitespace().map(|column| column.parse().unwrap()).collect();
    Queue {
        number: columns[0].try_into().unwrap(),
        waiting: columns[2],
        dropped: columns[5],
        user_dropped: columns[6],
        seen: columns[7],
    }
}
