//! What the kernel says besides: who has bound queues, and what bridges show to iptables.

#![expect(clippy::disallowed_methods, reason = "files of the kernel's, of a few lines")]

use std::fs;

/// Where the kernel lists the queues that are bound in this network namespace. For root alone.
const QUEUES: &str = "/proc/net/netfilter/nfnetlink_queue";
/// Whether bridges call iptables; they are there with br_netfilter alone.
const HOOKS: [&str; 2] =
    ["/proc/sys/net/bridge/bridge-nf-call-iptables", "/proc/sys/net/bridge/bridge-nf-call-ip6tables"];

/// What was found.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// The queues that are bound, or why that is not known.
    pub(super) queues: Result<Vec<Queue>, String>,
    /// Whether bridges call iptables for both versions of IP, so that rules see the port.
    pub(super) has_hooks: bool,
}

/// A queue, as `seq_show` of net/netfilter/nfnetlink_queue.c prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Queue {
    /// Its number.
    pub(super) number: u16,
    /// Packets that have no verdict yet.
    pub(super) waiting: u32,
    /// Packets that came when so many waited as the queue holds.
    pub(super) dropped_full: u32,
    /// Packets that found no room in the receive buffer.
    pub(super) dropped_unread: u32,
}

impl Node {
    /// What there is now.
    pub(super) fn read() -> Self {
        let list = fs::read_to_string(QUEUES).map_err(|error| format!("{QUEUES}: {error}"));
        let is_set = |path: &&str| fs::read_to_string(path).is_ok_and(|value| value.trim() == "1");
        Self { queues: list.map(|list| queues(&list)), has_hooks: HOOKS.iter().all(is_set) }
    }
}

/// The queues of the list. A line that is not understood is passed over.
fn queues(list: &str) -> Vec<Queue> {
    list.lines().filter_map(queue).collect()
}

/// The columns are queue, owner, waiting, copy mode, copy range, dropped, dropped by the socket, last id, and a one.
fn queue(line: &str) -> Option<Queue> {
    let mut columns = line.split_ascii_whitespace();
    let number = columns.next()?.parse().ok()?;
    let waiting = columns.nth(1)?.parse().ok()?;
    let dropped_full = columns.nth(2)?.parse().ok()?;
    let dropped_unread = columns.next()?.parse().ok()?;
    Some(Queue { number, waiting, dropped_full, dropped_unread })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_kernel_prints() {
        let list = "   42  31115     7 2 65531     3     5      118  1\nnonsense\n43 1 2\n";
        assert_eq!(queues(list), [Queue { number: 42, waiting: 7, dropped_full: 3, dropped_unread: 5 }]);
    }
}
