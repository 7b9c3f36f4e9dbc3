//! What the packet thread has to say, and how it gets to the log: through a channel, so that it formats no line itself.

use std::io;

use tokio::sync::mpsc;
use tracing::{Level, enabled};

use super::line_limit::{Key, LineLimit, Suppressed};
use crate::config::QueueNum;
use crate::engine::outcome::Severity;
use crate::engine::{Notice, Now, Outcome, Reason};

/// How much news may wait for the log. What comes beyond is only counted.
const CAPACITY: usize = 16 * 1024;
/// The counter of receive buffers that overflowed.
const QUEUE_OVERRUN: &str = "queue_overrun";
/// What lines about verdicts are counted by that the kernel would not take.
const VERDICTS_REFUSED: &str = "verdicts_refused";
/// What lines about delegated prefixes are counted by.
const DELEGATED: &str = "delegated";

/// Something for the log.
#[derive(Debug)]
pub(super) enum News {
    /// The end of a packet.
    Outcome(Outcome),
    /// What the engine noticed.
    Notice(Notice),
    /// The receive buffer of a queue has overflowed, so often by now.
    Overrun(QueueNum, u64),
    /// The kernel did not take the verdicts of a queue, for this reason.
    VerdictsRefused(QueueNum, io::Error),
    /// Lines that were not written, of a span that is over.
    Suppressed(Suppressed),
    /// So much news was lost, because the main thread was too slow.
    Lost(u64),
}

/// The packet thread's end: lets through as much news as is admitted, and never waits.
#[derive(Debug)]
pub(super) struct Teller {
    limit: LineLimit,
    to: mpsc::Sender<News>,
    /// News that was lost and is not told yet.
    lost: u64,
    untold: Untold,
}

/// How much was not told, since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Untold {
    /// Not admitted, since it was like what had been told.
    pub(super) suppressed: u64,
    /// Lost, because the main thread was too slow.
    pub(super) lost: u64,
}

/// A teller, and where its news arrives.
pub(super) fn teller() -> (Teller, mpsc::Receiver<News>) {
    let (to, news) = mpsc::channel(CAPACITY);
    (Teller { limit: LineLimit::new(), to, lost: 0, untold: Untold::default() }, news)
}

impl Teller {
    /// Tells the end of a packet.
    pub(super) fn tell_outcome(&mut self, now: Now, outcome: &Outcome) {
        let Outcome { reason, tap, .. } = *outcome;
        if is_shown(reason.severity()) && self.admit(now, (tap, reason.name())) {
            self.tell(News::Outcome(*outcome));
        }
    }

    /// Tells that the receive buffer of a queue has overflowed, `total` times by now.
    pub(super) fn tell_overrun(&mut self, now: Now, queue: QueueNum, total: u64) {
        if self.admit(now, (None, QUEUE_OVERRUN)) {
            self.tell(News::Overrun(queue, total));
        }
    }

    /// Tells that the kernel did not take the verdicts of a queue.
    pub(super) fn tell_refused(&mut self, now: Now, queue: QueueNum, error: io::Error) {
        if self.admit(now, (None, VERDICTS_REFUSED)) {
            self.tell(News::VerdictsRefused(queue, error));
        }
    }

    /// Tells what the engine noticed. How often a frame cannot be sent, or a prefix moves, is in the guest's hands; all
    /// else is not.
    pub(super) fn tell_notice(&mut self, now: Now, notice: Notice) {
        let is_admitted = match notice {
            Notice::SendFailed { tap: link, .. } | Notice::AnnounceFailed { uplink: link, .. } => {
                self.admit(now, (Some(link), Reason::SendFailed.name()))
            }
            Notice::Delegated { tap, .. } => self.admit(now, (Some(tap), DELEGATED)),
            _ => true,
        };
        if is_admitted {
            self.tell(News::Notice(notice));
        }
    }

    /// Tells how many lines were suppressed in spans that are over.
    pub(super) fn tell_suppressed(&mut self, now: Now) {
        while let Some(suppressed) = self.limit.poll_suppressed(now) {
            self.tell(News::Suppressed(suppressed));
        }
    }

    /// When [`tell_suppressed`](Self::tell_suppressed) is next to be called.
    pub(super) fn poll_timeout(&self) -> Option<Now> {
        self.limit.poll_timeout()
    }

    /// How much was not told.
    pub(super) fn untold(&self) -> Untold {
        self.untold
    }

    /// Whether something may be told. If not, it is counted.
    fn admit(&mut self, now: Now, key: Key) -> bool {
        let is_admitted = self.limit.admit(now, key);
        self.untold.suppressed += u64::from(!is_admitted);
        is_admitted
    }

    /// Passes news on, after what was lost; or counts it as lost.
    fn tell(&mut self, news: News) {
        if self.lost > 0 && self.to.try_send(News::Lost(self.lost)).is_ok() {
            self.lost = 0;
        }
        if self.lost > 0 || self.to.try_send(news).is_err() {
            self.lost += 1;
            self.untold.lost += 1;
        }
    }
}

/// Whether lines of this severity are printed at all.
fn is_shown(severity: Severity) -> bool {
    match severity {
        Severity::Debug => enabled!(Level::DEBUG),
        Severity::Info => enabled!(Level::INFO),
        Severity::Warn => enabled!(Level::WARN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice() -> Notice {
        Notice::Removed { tap: "tap0".parse().unwrap() }
    }

    #[test]
    fn a_log_that_is_too_slow_costs_lines_and_not_time() {
        let (mut teller, mut news) = teller();
        (0..CAPACITY + 3).for_each(|_| teller.tell_notice(Now::ZERO, notice()));
        assert!(matches!(news.try_recv(), Ok(News::Notice(_))));
        assert!(matches!(news.try_recv(), Ok(News::Notice(_))));
        teller.tell_notice(Now::ZERO, notice());
        let rest: Vec<News> = std::iter::from_fn(|| news.try_recv().ok()).collect();
        assert_eq!(rest.len(), CAPACITY);
        assert!(matches!(rest[CAPACITY - 2..], [News::Lost(3), News::Notice(_)]), "{:?}", &rest[CAPACITY - 2..]);
        assert_eq!(teller.untold(), Untold { suppressed: 0, lost: 3 });
    }

    #[test]
    fn failures_to_send_are_admitted_like_packets() {
        let (mut teller, mut news) = teller();
        let failed = || Notice::SendFailed { tap: "tap0".parse().unwrap(), errno: 105 };
        (0..1000).for_each(|_| teller.tell_notice(Now::ZERO, failed()));
        assert_eq!(std::iter::from_fn(|| news.try_recv().ok()).count(), 3);
        assert_eq!(teller.untold(), Untold { suppressed: 997, lost: 0 });
    }

    #[test]
    fn what_a_flood_does_to_a_queue_is_told_a_few_times() {
        let (mut teller, mut news) = teller();
        for total in 0..1000 {
            teller.tell_overrun(Now::ZERO, QueueNum(42), total);
            teller.tell_refused(Now::ZERO, QueueNum(42), io::ErrorKind::OutOfMemory.into());
        }
        assert_eq!(std::iter::from_fn(|| news.try_recv().ok()).count(), 6);
        assert_eq!(teller.untold(), Untold { suppressed: 2 * 997, lost: 0 });
    }

    #[test]
    fn a_prefix_that_moves_is_told_a_few_times() {
        let (mut teller, mut news) = teller();
        let delegated = |via: u128| Notice::Delegated {
            tap: "tap0".parse().unwrap(),
            prefix: "2001:db8:1::/48".parse().unwrap(),
            via: Some(via.into()),
        };
        (0..1000).for_each(|via| teller.tell_notice(Now::ZERO, delegated(via)));
        assert_eq!(std::iter::from_fn(|| news.try_recv().ok()).count(), 3);
    }
}
