//! Decisions as they are made, copied to those who follow them. Nobody is waited for: what a follower has no room for is
//! counted, and the count is told when there is room. Without followers all of it is one branch.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use tokio::sync::mpsc;

use crate::binding::InterfaceName;
use crate::engine::{Notice, Now, Outcome, Unsolicited};
use crate::wire::glance::Glance;

/// How much may wait for one follower. Memory is taken only for what does wait.
const CAPACITY: usize = 1024;

/// What a follower is shown.
#[derive(Debug, Clone)]
pub(super) enum Shown {
    /// It follows from now on. The engine's time began then.
    Begin(SystemTime),
    /// The end of a packet.
    Packet(Now, Glance, Outcome),
    /// A frame that nobody asked for.
    Sent(Now, Unsolicited),
    /// What the engine noticed.
    Notice(Now, Box<Notice>),
    /// So much was not shown, for want of room.
    Lost(u64),
}

/// One who follows, as the packet thread knows it.
#[derive(Debug)]
pub(super) struct Follower {
    /// What it follows; None: all taps.
    tap: Option<InterfaceName>,
    to: mpsc::Sender<Entry>,
    missed: Arc<AtomicU64>,
}

/// What one who follows is shown.
#[derive(Debug)]
pub(super) struct View {
    entries: mpsc::Receiver<Entry>,
    missed: Arc<AtomicU64>,
    /// How much of `missed` has been told.
    told: u64,
}

/// What was shown, and how much had been missed by then, ever.
type Entry = (u64, Shown);

/// One who follows `tap`, or all of them, and what it is shown.
pub(super) fn follower(tap: Option<InterfaceName>) -> (Follower, View) {
    let (to, entries) = mpsc::channel(CAPACITY);
    let missed = Arc::new(AtomicU64::new(0));
    (Follower { tap, to, missed: Arc::clone(&missed) }, View { entries, missed, told: 0 })
}

impl Follower {
    fn is_about(&self, tap: Option<InterfaceName>) -> bool {
        self.tap.is_none() || self.tap == tap
    }

    /// Shows it something, or counts it as missed.
    fn show(&self, shown: Shown) {
        // Written here alone.
        let missed = self.missed.load(Ordering::Relaxed);
        if self.to.try_send((missed, shown)).is_err() {
            self.missed.store(missed + 1, Ordering::Release);
        }
    }
}

impl View {
    /// What is shown next, when there is some, at most `limit` at once; nothing: it ended. What was missed is told at its
    /// place, and where nothing comes after it, as soon as all else has been taken.
    pub(super) async fn next(&mut self, limit: usize) -> Vec<Shown> {
        if self.entries.is_empty()
            && let Some(lost) = self.lost_until(self.missed.load(Ordering::Acquire))
        {
            return vec![lost];
        }
        let mut entries = Vec::new();
        self.entries.recv_many(&mut entries, limit).await;
        entries.into_iter().flat_map(|(missed, shown)| self.lost_until(missed).into_iter().chain([shown])).collect()
    }

    /// How much was missed that has not been told.
    fn lost_until(&mut self, missed: u64) -> Option<Shown> {
        let lost = missed.saturating_sub(self.told);
        self.told += lost;
        (lost > 0).then_some(Shown::Lost(lost))
    }
}

/// Those who follow. How many there may be is for others to say.
#[derive(Debug, Default)]
pub(super) struct Tracer(Vec<Follower>);

impl Tracer {
    /// Shows everything from now on to one more; the engine's time began at `epoch`.
    pub(super) fn add(&mut self, follower: Follower, epoch: SystemTime) {
        self.forget_who_left();
        follower.show(Shown::Begin(epoch));
        self.0.push(follower);
    }

    /// Forgets those that do not look any more.
    pub(super) fn forget_who_left(&mut self) {
        self.0.retain(|follower| !follower.to.is_closed());
    }

    /// Shows the end of a packet.
    pub(super) fn show_packet(&self, now: Now, packet: &[u8], outcome: &Outcome) {
        self.show(outcome.tap, || Shown::Packet(now, Glance::at(packet), *outcome));
    }

    /// Shows a frame that nobody asked for.
    pub(super) fn show_sent(&self, now: Now, sent: &Unsolicited) {
        self.show(Some(sent.tap), || Shown::Sent(now, *sent));
    }

    /// Shows what the engine noticed.
    pub(super) fn show_notice(&self, now: Now, notice: &Notice) {
        self.show(notice.link(), || Shown::Notice(now, Box::new(notice.clone())));
    }

    /// Shows something about `tap` to those who follow it. It is made once, and only where somebody does.
    fn show(&self, tap: Option<InterfaceName>, shown: impl FnOnce() -> Shown) {
        let mut followers = self.0.iter().filter(|follower| follower.is_about(tap)).peekable();
        if followers.peek().is_some() {
            let shown = shown();
            followers.for_each(|follower| follower.show(shown.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::engine::{Event, Reason};

    fn tap(name: &str) -> InterfaceName {
        name.parse().unwrap()
    }

    fn sent(name: &str) -> Unsolicited {
        let ifindex = crate::binding::IfIndex::new(7).unwrap();
        Unsolicited {
            tap: tap(name),
            reason: Reason::Advertised,
            transmit: crate::engine::Transmit { ifindex, len: 99 },
        }
    }

    /// What has come, at most so much of it.
    fn take_some(view: &mut View, limit: usize) -> Vec<Shown> {
        let mut next = std::pin::pin!(view.next(limit));
        match next.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(shown) => shown,
            Poll::Pending => Vec::new(),
        }
    }

    /// All that has come, in short.
    fn take(view: &mut View) -> Vec<String> {
        std::iter::from_fn(|| Some(take_some(view, 100)).filter(|shown| !shown.is_empty()))
            .flatten()
            .map(|shown| match shown {
                Shown::Begin(_) => "begin".to_owned(),
                Shown::Packet(..) => "packet".to_owned(),
                Shown::Sent(_, sent) => sent.tap.to_string(),
                Shown::Notice(_, notice) => format!("notice of {}", notice.link().unwrap()),
                Shown::Lost(count) => format!("{count} lost"),
            })
            .collect()
    }

    #[test]
    fn each_is_shown_what_it_follows() {
        let mut tracer = Tracer::default();
        tracer.show_sent(Now::ZERO, &sent("tap0"));
        let (all, mut all_shown) = follower(None);
        let (one, mut one_shown) = follower(Some(tap("tap1")));
        tracer.add(all, SystemTime::UNIX_EPOCH);
        tracer.add(one, SystemTime::UNIX_EPOCH);
        tracer.show_sent(Now::ZERO, &sent("tap0"));
        tracer.show_sent(Now::ZERO, &sent("tap1"));
        tracer.show_notice(Now::ZERO, &Notice::Removed { tap: tap("tap1") });
        tracer.show_notice(Now::ZERO, &Notice::Removed { tap: tap("tap2") });
        assert_eq!(take(&mut all_shown), ["begin", "tap0", "tap1", "notice of tap1", "notice of tap2"]);
        assert_eq!(take(&mut one_shown), ["begin", "tap1", "notice of tap1"]);
    }

    #[test]
    fn what_is_shown_is_made_once_and_only_for_those_who_follow_it() {
        let mut tracer = Tracer::default();
        let (first, mut first_shown) = follower(None);
        let (second, mut second_shown) = follower(None);
        let (other, _other_shown) = follower(Some(tap("tap1")));
        tracer.add(other, SystemTime::UNIX_EPOCH);
        tracer.show(Some(tap("tap0")), || panic!("nobody follows it"));
        tracer.add(first, SystemTime::UNIX_EPOCH);
        tracer.add(second, SystemTime::UNIX_EPOCH);
        let mut made = 0;
        tracer.show(Some(tap("tap0")), || {
            made += 1;
            Shown::Sent(Now::ZERO, sent("tap0"))
        });
        assert_eq!(made, 1);
        assert_eq!(take(&mut first_shown), ["begin", "tap0"]);
        assert_eq!(take(&mut second_shown), ["begin", "tap0"]);
    }

    #[test]
    fn a_packet_without_a_tap_is_for_those_who_follow_all() {
        let mut engine = crate::engine::Engine::new(config(), 0);
        engine.handle_event(Now::ZERO, Event::PacketsLost);
        let ingress = crate::engine::Ingress {
            indev: None,
            physindev: None,
            source_mac: None,
            checksums: crate::wire::Checksums::Verify,
            packet: &[],
        };
        let outcome = engine.handle_packet(Now::ZERO, &ingress, &mut [0; crate::engine::MAX_FRAME]);
        let mut tracer = Tracer::default();
        let (all, mut all_shown) = follower(None);
        let (one, mut one_shown) = follower(Some(tap("tap1")));
        tracer.add(all, SystemTime::UNIX_EPOCH);
        tracer.add(one, SystemTime::UNIX_EPOCH);
        tracer.show_packet(Now::ZERO, &[], &outcome);
        assert_eq!((take(&mut all_shown).len(), take(&mut one_shown).len()), (2, 1));
    }

    fn config() -> crate::config::Config {
        let text = b"[dhcp]\nserver_ip=192.0.2.1\n[ipv6]\nenable_ipv6=no\n";
        crate::config::parse(std::path::Path::new("c"), text).unwrap().config
    }

    #[test]
    fn who_looks_too_slowly_is_told_how_much_it_missed() {
        let mut tracer = Tracer::default();
        let (slow, mut shown) = follower(None);
        tracer.add(slow, SystemTime::UNIX_EPOCH);
        (0..CAPACITY + 2).for_each(|_| tracer.show_sent(Now::ZERO, &sent("tap0")));
        assert!(matches!(take_some(&mut shown, 2)[..], [Shown::Begin(_), Shown::Sent(..)]));
        tracer.show_sent(Now::ZERO, &sent("tap1"));
        let rest = take(&mut shown);
        assert_eq!((rest.len(), rest[CAPACITY - 2..].join(", ")), (CAPACITY, "3 lost, tap1".to_owned()));
    }

    #[test]
    fn what_was_missed_is_told_though_nothing_comes_after_it() {
        let mut tracer = Tracer::default();
        let (slow, mut shown) = follower(None);
        tracer.add(slow, SystemTime::UNIX_EPOCH);
        (0..CAPACITY + 2).for_each(|_| tracer.show_sent(Now::ZERO, &sent("tap0")));
        let all = take(&mut shown);
        assert_eq!((all.len(), all.last().unwrap().as_str()), (CAPACITY + 1, "3 lost"));
        tracer.show_sent(Now::ZERO, &sent("tap1"));
        assert_eq!(take(&mut shown), ["tap1"]);
    }

    #[test]
    fn who_left_is_forgotten() {
        let mut tracer = Tracer::default();
        (0..100).for_each(|_| tracer.add(follower(None).0, SystemTime::UNIX_EPOCH));
        assert_eq!(tracer.0.len(), 1, "but for the last one, until the next comes");
        tracer.forget_who_left();
        assert_eq!(tracer.0.len(), 0);
    }
}
