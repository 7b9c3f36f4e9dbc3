//! Who waits for something of a tap, and is told when there is news of it.
//!
//! Whoever asks how a tap stands right after its file was written must not be told of the old one. So the main thread is
//! asked first: it takes in what the kernel has told by then, passes it on to the packet thread, and says whether that
//! was all. Only then does the packet thread's answer count.

use tokio::sync::{mpsc, oneshot};

use super::mailbox::Gone;
use crate::binding::InterfaceName;
use crate::engine::Event;

/// How many inquiries may wait for the main thread. Who has one more waits to make it.
const CAPACITY: usize = 64;

/// What the main thread is asked.
#[derive(Debug)]
pub(super) struct Inquiry {
    /// The tap that it is about.
    pub(super) tap: InterfaceName,
    to: oneshot::Sender<Standing>,
}

/// What it answers.
#[derive(Debug)]
pub(super) struct Standing {
    /// Whether all that the kernel had told of the tap and its file has been passed on. If not, some of it is yet to be
    /// looked at, such as a file whose writer may not be done.
    pub(super) is_settled: bool,
    /// Hears when there is news of the tap.
    pub(super) news: oneshot::Receiver<()>,
}

/// The way to ask the main thread.
#[derive(Debug, Clone)]
pub(super) struct Inquiries(mpsc::Sender<Inquiry>);

impl Inquiries {
    /// Asks how it stands about what is known of `tap`.
    pub(super) async fn ask(&self, tap: InterfaceName) -> Result<Standing, Gone> {
        let (to, answer) = oneshot::channel();
        self.0.send(Inquiry { tap, to }).await.map_err(|_| Gone)?;
        answer.await.map_err(|_| Gone)
    }
}

/// A way to ask, and where it leads.
pub(super) fn inquiries() -> (Inquiries, mpsc::Receiver<Inquiry>) {
    let (to, from) = mpsc::channel(CAPACITY);
    (Inquiries(to), from)
}

/// Those who wait for news, each until there is some or it leaves.
#[derive(Debug, Default)]
pub(super) struct Waiting(Vec<Waiter>);

#[derive(Debug)]
struct Waiter {
    tap: InterfaceName,
    /// Whether it was told so. If not, it is news when that changes.
    is_settled: bool,
    news: oneshot::Sender<()>,
}

impl Waiting {
    /// Answers an inquiry. Who made it waits from now on.
    pub(super) fn answer(&mut self, Inquiry { tap, to }: Inquiry, is_settled: bool) {
        let (news, hears) = oneshot::channel();
        self.0.retain(|waiter| !waiter.news.is_closed());
        if to.send(Standing { is_settled, news: hears }).is_ok() {
            self.0.push(Waiter { tap, is_settled, news });
        }
    }

    /// Tells those whom an event is about, which has been passed on.
    pub(super) fn note(&mut self, event: &Event) {
        let tap = match event {
            Event::BindingLoaded(binding) => binding.tap,
            Event::BindingRejected(tap, _) | Event::BindingRemoved(tap) => *tap,
            Event::LinkChanged(link) => link.name,
            _ => return,
        };
        self.tell(|waiter| waiter.tap == tap);
    }

    /// Tells those for whom all that was known has been passed on by now.
    pub(super) fn note_settled(&mut self, is_settled: impl Fn(InterfaceName) -> bool) {
        self.tell(|waiter| !waiter.is_settled && is_settled(waiter.tap));
    }

    fn tell(&mut self, is_told: impl Fn(&Waiter) -> bool) {
        for waiter in self.0.extract_if(.., |waiter| is_told(waiter)) {
            // Who left has no need of it.
            let _ = waiter.news.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tap(name: &str) -> InterfaceName {
        name.parse().unwrap()
    }

    fn wait(waiting: &mut Waiting, name: &str, is_settled: bool) -> Standing {
        let (to, mut answer) = oneshot::channel();
        waiting.answer(Inquiry { tap: tap(name), to }, is_settled);
        answer.try_recv().unwrap()
    }

    fn has_news(standing: &mut Standing) -> bool {
        standing.news.try_recv().is_ok()
    }

    #[test]
    fn only_those_whom_it_is_about_are_told() {
        let mut waiting = Waiting::default();
        let [mut one, mut two] = ["tap1", "tap2"].map(|name| wait(&mut waiting, name, true));
        waiting.note(&Event::PacketsLost);
        waiting.note(&Event::BindingRemoved(tap("tap3")));
        assert!(!has_news(&mut one) && !has_news(&mut two));
        waiting.note(&Event::BindingRemoved(tap("tap2")));
        assert!(!has_news(&mut one) && has_news(&mut two));
        assert_eq!(waiting.0.len(), 1);
    }

    #[test]
    fn who_was_told_of_more_to_come_is_told_when_it_came() {
        let mut waiting = Waiting::default();
        let [mut settled, mut open] = [true, false].map(|is_settled| wait(&mut waiting, "tap1", is_settled));
        waiting.note_settled(|_| false);
        assert!(!has_news(&mut open));
        waiting.note_settled(|name| name == tap("tap1"));
        assert!(has_news(&mut open) && !has_news(&mut settled));
    }

    #[test]
    fn who_leaves_is_forgotten() {
        let mut waiting = Waiting::default();
        (0..100).for_each(|_| drop(wait(&mut waiting, "tap1", true)));
        assert_eq!(waiting.0.len(), 1, "but for the last one, until the next comes");
        let (to, answer) = oneshot::channel();
        drop(answer);
        waiting.answer(Inquiry { tap: tap("tap1"), to }, true);
        assert_eq!(waiting.0.len(), 0);
    }
}
