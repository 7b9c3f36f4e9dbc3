//! What the packet thread has to say, and how it gets to the log: through a channel, so that it formats no line itself.

use std::io;

use tokio::sync::mpsc;
use tracing::{Level, enabled};

use super::line_limit::{Key, LINES_PER_SPAN, LineLimit, MAX_BINDINGS, Suppressed, WARNINGS_PER_SPAN};
use crate::binding::{BindingError, InterfaceName};
use crate::config::QueueNum;
use crate::engine::outcome::Severity;
use crate::engine::{Notice, Now, Outcome, Reason};
use crate::io::watch::tap_of;

/// How much news may wait for the log. What comes beyond is only counted.
const CAPACITY: usize = 16 * 1024;
/// The counter of receive buffers that overflowed.
const QUEUE_OVERRUN: &str = "queue_overrun";
/// What lines about verdicts are counted by that the kernel would not take.
const VERDICTS_REFUSED: &str = "verdicts_refused";
/// What lines about delegated prefixes are counted by.
const DELEGATED: &str = "delegated";
/// What those about bindings are counted by.
const SERVING: &str = "serving";
const PENDING: &str = "pending";
const REJECTED: &str = "rejected";
const REMOVED: &str = "removed";
const DOUBTFUL: &str = "doubtful";
const ROUTER_MAC_MISFIT: &str = "router_mac_misfit";

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
    /// Of lines about bindings: hooks, and taps that come and go, decide how many there are.
    bindings: LineLimit,
    /// Of warnings about bindings, of which one can have several.
    doubts: LineLimit,
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
    let teller = Teller {
        limit: LineLimit::new(),
        bindings: LineLimit::with_limits(LINES_PER_SPAN, MAX_BINDINGS),
        doubts: LineLimit::with_limits(WARNINGS_PER_SPAN, MAX_BINDINGS),
        to,
        lost: 0,
        untold: Untold::default(),
    };
    (teller, news)
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

    /// Tells what the engine noticed. How often a frame cannot be sent, or a prefix moves, is in the guest's hands; how often
    /// a binding changes, in those of whoever writes it. The rest is told once.
    pub(super) fn tell_notice(&mut self, now: Now, notice: Notice) {
        let is_admitted = match &notice {
            Notice::SendFailed { tap: link, .. } | Notice::AnnounceFailed { uplink: link, .. } => {
                self.admit(now, (Some(*link), Reason::SendFailed.name()))
            }
            Notice::Delegated { tap, .. } => self.admit(now, (Some(*tap), DELEGATED)),
            Notice::Serving { binding, .. } => self.admit_binding(now, binding.tap, SERVING),
            Notice::Pending { tap } => self.admit_binding(now, *tap, PENDING),
            Notice::Rejected { tap, .. } => self.admit_binding(now, *tap, REJECTED),
            Notice::Removed { tap } => self.admit_binding(now, *tap, REMOVED),
            Notice::RouterMacMisfit(misfit) => self.admit_binding(now, misfit.tap, ROUTER_MAC_MISFIT),
            Notice::Doubtful(doubt) => self.admit_doubt(now, doubt),
            Notice::BridgeMacChanged { .. } | Notice::NoUplink { .. } => true,
        };
        if is_admitted {
            self.tell(News::Notice(notice));
        }
    }

    /// Tells how many lines were suppressed in spans that are over.
    pub(super) fn tell_suppressed(&mut self, now: Now) {
        while let Some(suppressed) = self.poll_suppressed(now) {
            self.tell(News::Suppressed(suppressed));
        }
    }

    /// Lines that were suppressed in a span that is over.
    fn poll_suppressed(&mut self, now: Now) -> Option<Suppressed> {
        let limits = [&mut self.limit, &mut self.bindings, &mut self.doubts];
        limits.into_iter().find_map(|limit| limit.poll_suppressed(now))
    }

    /// When [`tell_suppressed`](Self::tell_suppressed) is next to be called.
    pub(super) fn poll_timeout(&self) -> Option<Now> {
        let limits = [&self.limit, &self.bindings, &self.doubts];
        limits.into_iter().filter_map(LineLimit::poll_timeout).min()
    }

    /// How much was not told.
    pub(super) fn untold(&self) -> Untold {
        self.untold
    }

    /// Whether something may be told. If not, it is counted.
    fn admit(&mut self, now: Now, key: Key) -> bool {
        let is_admitted = self.limit.admit(now, key);
        self.count_untold(is_admitted)
    }

    /// The same of what became of a binding.
    fn admit_binding(&mut self, now: Now, tap: InterfaceName, kind: &'static str) -> bool {
        let is_admitted = self.bindings.admit(now, (Some(tap), kind));
        self.count_untold(is_admitted)
    }

    /// The same of a warning about a binding.
    fn admit_doubt(&mut self, now: Now, doubt: &BindingError) -> bool {
        let tap = doubt.path.file_name().and_then(tap_of);
        let is_admitted = self.doubts.admit(now, (tap, DOUBTFUL));
        self.count_untold(is_admitted)
    }

    fn count_untold(&mut self, is_admitted: bool) -> bool {
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

    fn removed(number: usize) -> Notice {
        Notice::Removed { tap: format!("tap{number}").parse().unwrap() }
    }

    #[test]
    fn a_log_that_is_too_slow_costs_lines_and_not_time() {
        let (mut teller, mut news) = teller();
        (0..CAPACITY + 3).for_each(|number| teller.tell_notice(Now::ZERO, removed(number)));
        assert!(matches!(news.try_recv(), Ok(News::Notice(_))));
        assert!(matches!(news.try_recv(), Ok(News::Notice(_))));
        teller.tell_notice(Now::ZERO, removed(CAPACITY + 3));
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
    fn each_binding_is_told_of_and_one_that_changes_all_the_time_a_few_times() {
        let (mut teller, mut news) = teller();
        (0..10_000).for_each(|number| teller.tell_notice(Now::ZERO, removed(number)));
        assert_eq!(std::iter::from_fn(|| news.try_recv().ok()).count(), 10_000);
        let doubt = |reason: String| BindingError { path: "b/tap1".into(), line: None, key: None, found: None, reason };
        for number in 0..1_000 {
            teller.tell_notice(Now::ZERO, removed(1));
            teller.tell_notice(Now::ZERO, Notice::Pending { tap: "tap1".parse().unwrap() });
            teller.tell_notice(Now::ZERO, Notice::Doubtful(doubt(number.to_string())));
        }
        assert_eq!(std::iter::from_fn(|| news.try_recv().ok()).count(), 2 + 3 + 20);
        let span = teller.poll_timeout().unwrap();
        teller.tell_suppressed(span);
        let lines = |news| match news {
            News::Suppressed(Suppressed { key: Some((tap, kind)), lines }) => (tap.unwrap().to_string(), kind, lines),
            other => panic!("{other:?}"),
        };
        let told: Vec<_> = std::iter::from_fn(|| news.try_recv().ok()).map(lines).collect();
        let tap = || "tap1".to_owned();
        assert_eq!(told, [(tap(), REMOVED, 998), (tap(), PENDING, 997), (tap(), DOUBTFUL, 980)]);
        teller.tell_notice(span, removed(1));
        assert!(news.try_recv().is_ok() && teller.untold().suppressed == 998 + 997 + 980, "a new span");
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
