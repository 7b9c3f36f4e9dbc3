//! `/proc/net/netfilter/nfnetlink_queue`: what the kernel says of its queues.
//!
//! The list is that of the network namespace it is read in, and has the queues of all programs there.

/// A queue that a program has bound, as `seq_show` of net/netfilter/nfnetlink_queue.c prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// `queue_num`.
    pub number: u16,
    /// `peer_portid`: the port of the netlink socket that has bound it.
    pub port: u32,
    /// `queue_total`: packets that have no verdict yet.
    pub waiting: u32,
    /// `queue_dropped`: packets that came when so many waited as the queue holds.
    pub dropped_full: u32,
    /// `queue_user_dropped`: packets that found no room in the receive buffer.
    pub dropped_unread: u32,
}

/// The queues of the list. A line that is not understood is passed over: a newer kernel may have others.
pub fn parse(text: &str) -> impl Iterator<Item = Listed> {
    text.lines().filter_map(listed)
}

/// The columns are queue, owner, waiting, copy mode, copy range, dropped, dropped by the socket, last id, and a one.
fn listed(line: &str) -> Option<Listed> {
    let mut columns = line.split_ascii_whitespace();
    let number = columns.next()?.parse().ok()?;
    let port = port(columns.next()?)?;
    let waiting = columns.next()?.parse().ok()?;
    let dropped_full = columns.nth(2)?.parse().ok()?;
    let dropped_unread = columns.next()?.parse().ok()?;
    Some(Listed { number, port, waiting, dropped_full, dropped_unread })
}

/// Some kernels print large ports as negative numbers.
fn port(text: &str) -> Option<u32> {
    text.parse().ok().or_else(|| text.parse().ok().map(i32::cast_unsigned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_kernel_prints() {
        let text = "   42  31115     7 2 65531     3     5      118  1\n65535 -1 0 2 65531 4294967295 0 1 1\n";
        let listed: Vec<_> = parse(text).collect();
        let first = Listed { number: 42, port: 31115, waiting: 7, dropped_full: 3, dropped_unread: 5 };
        let second = Listed { number: 65_535, port: u32::MAX, waiting: 0, dropped_full: u32::MAX, dropped_unread: 0 };
        assert_eq!(listed, [first, second]);
    }

    #[test]
    fn passes_over_what_it_does_not_understand() {
        for line in [
            "",
            "   42",
            "42 1 2 2 65531 3",
            "x 1 7 2 65531 3 5 118 1",
            "65536 1 7 2 65531 3 5 118 1",
            "42 1 -7 2 1 3 5",
        ] {
            assert_eq!(parse(line).next(), None, "{line:?}");
        }
    }
}
