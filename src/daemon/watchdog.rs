//! The supervisor's watchdog: it hears from us as long as both threads work, and starts us anew when it does not.
//!
//! This runs on the main thread, so it is silent when that one hangs; and it says something only after the packet thread
//! has answered in time.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};

use super::mailbox::Sender;
use super::warn_unless_told;
use crate::io::supervisor;

/// Lets the supervisor hear from us, if it wants to, until the packet thread ends.
pub(super) async fn keep_alive(packets: Sender) {
    if let Some(limit) = supervisor::watchdog() {
        watch_over(&packets, limit, || warn_unless_told(supervisor::alive())).await;
    }
}

/// Calls `say_alive` in time for each `limit`: twice as often, and so that an answer that takes a quarter of it is no
/// reason to be late.
async fn watch_over(packets: &Sender, limit: Duration, say_alive: impl Fn()) {
    let mut ticks = interval(limit / 2);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // Any answer will do. One that comes too late is nobody's.
        match timeout(limit / 4, packets.counts()).await {
            Ok(Ok(_)) => say_alive(),
            Ok(Err(_)) => return,
            Err(_) => {}
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "in place of the packet thread there is another")]
mod tests {
    use std::cell::Cell;
    use std::os::fd::AsFd as _;

    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use tokio::runtime::Builder;
    use tokio::sync::oneshot;

    use super::super::mailbox::{Command, Counts, Receiver, mailbox};
    use super::*;
    use crate::engine::Now;

    /// Short, so that many fit into a test. How long it really takes does not matter.
    const LIMIT: Duration = Duration::from_millis(20);

    /// Waits for the next question.
    fn question(mailbox: &Receiver) -> oneshot::Sender<Counts> {
        loop {
            match mailbox.take() {
                Some(Command::Count(to)) => return to,
                Some(other) => panic!("{other:?}"),
                None => drop(poll(&mut [PollFd::new(mailbox.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE).unwrap()),
            }
            mailbox.hush();
        }
    }

    fn answer(to: oneshot::Sender<Counts>) -> bool {
        to.send(Counts { now: Now::ZERO, counters: Vec::new() }).is_ok()
    }

    /// How often a packet thread that does `work`, and then ends, is said to be alive.
    fn said_of(work: impl FnOnce(&Receiver) + Send + 'static) -> u32 {
        let (packets, mailbox) = mailbox().unwrap();
        let thread = std::thread::spawn(move || work(&mailbox));
        let said = Cell::new(0);
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(watch_over(&packets, LIMIT, || said.set(said.get() + 1)));
        thread.join().unwrap();
        said.get()
    }

    #[test]
    fn says_so_as_often_as_the_packet_thread_answers_in_time() {
        let said = said_of(|mailbox| while !(0..3).all(|_| answer(question(mailbox))) {});
        assert!(said >= 3, "{said}");
    }

    #[test]
    fn is_silent_when_the_packet_thread_does_not_answer() {
        let said = said_of(|mailbox| {
            let _never_answered: Vec<_> = (0..5).map(|_| question(mailbox)).collect();
        });
        assert_eq!(said, 0);
    }

    #[test]
    fn an_answer_that_is_too_late_is_none() {
        let said = said_of(|mailbox| {
            let mut late = question(mailbox);
            for _ in 0..5 {
                let next = question(mailbox);
                assert!(!answer(late), "somebody waited for it still");
                late = next;
            }
        });
        assert_eq!(said, 0);
    }
}
