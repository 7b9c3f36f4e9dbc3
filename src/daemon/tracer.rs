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
    to: mpsc::Sender<Shown>,
    lost: Arc<AtomicU64>,
}

/// What one who follows is shown.
#[derive(Debug)]
pub(super) struct View {
    shown: mpsc::Receiver<Shown>,
    lost: Arc<AtomicU64>,
}

/// One who follows `tap`, or all of them, and what it is shown.
pub(super) fn follower(tap: Option<InterfaceName>) -> (Follower, View) {
    let (to, shown) = mpsc::channel(CAPACITY);
    let lost = Arc::new(AtomicU64::new(0));
    (Follower { tap, to, lost: Arc::clone(&lost) }, View { shown, lost })
}

impl View {
    /// What comes next, when it comes; None: nothing comes any more.
    pub(super) async fn next(&mut self) -> Option<Shown> {
        match self.next_now() {
            None => self.shown.recv().await,
            shown => shown,
        }
    }

    /// What has come and was not taken yet. What was lost since then is told without waiting for what comes after it:
    /// that may be long.
    pub(super) fn next_now(&mut self) -> Option<Shown> {
        self.shown.try_recv().ok().or_else(|| match self.lost.swap(0, Ordering::Relaxed) {
            0 => None,
            lost => Some(Shown::Lost(lost)),
        })
    }
}

impl Follower {
    fn is_about(&self, tap: Option<InterfaceName>) -> bool {
        self.tap.is_none() || self.tap == tap
    }

    /// Shows it something, after what was lost; or counts it as lost.
    fn show(&mut self, shown: Shown) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 && self.to.try_send(Shown::Lost(lost)).is_err() {
            self.lost.fetch_add(lost + 1, Ordering::Relaxed);
        } else if self.to.try_send(shown).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Those who follow. How many there may be is for others to say.
#[derive(Debug, Default)]
pub(super) struct Tracer(Vec<Follower>);

impl Tracer {
    /// Shows everything from now on to one more; the engine's time began at `epoch`.
    pub(super) fn add(&mut self, mut follower: Follower, epoch: SystemTime) {
        self.forget_who_left();
        follower.show(Shown::Begin(epoch));
        self.0.push(follower);
    }

    /// Forgets those that do not look any more.
    pub(super) fn forget_who_left(&mut self) {
        self.0.retain(|follower| !follower.to.is_closed());
    }

    /// Shows the end of a packet.
    pub(super) fn show_packet(&mut self, now: Now, packet: &[u8], outcome: &Outcome) {
        self.show(outcome.tap, || Shown::Packet(now, Glance::at(packet), *outcome));
    }

    /// Shows a frame that nobody asked for.
    pub(super) fn show_sent(&mut self, now: Now, sent: &Unsolicited) {
        self.show(Some(sent.tap), || Shown::Sent(now, *sent));
    }

    /// Shows what the engine noticed.
    pub(super) fn show_notice(&mut self, now: Now, notice: &Notice) {
        self.show(notice.link(), || Shown::Notice(now, Box::new(notice.clone())));
    }

    /// Shows something about `tap` to those who follow it. It is made once, and only where somebody does.
    fn show(&mut self, tap: Option<InterfaceName>, shown: impl FnOnce() -> Shown) {
        let mut followers = self.0.iter_mut().filter(|follower| follower.is_about(tap)).peekable();
        if followers.peek().is_some() {
            let shown = shown();
            followers.for_each(|follower| follower.show(shown.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
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

    fn take(view: &mut View) -> Vec<String> {
        std::iter::from_fn(|| view.next_now())
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
        assert!(matches!(shown.next_now(), Some(Shown::Begin(_))));
        assert!(matches!(shown.next_now(), Some(Shown::Sent(..))));
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
