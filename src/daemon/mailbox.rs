//! How the control side reaches the packet thread: a bounded channel, and a bell that poll hears.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};

use nix::sys::eventfd::{EfdFlags, EventFd};
use tokio::sync::oneshot;

use super::tracer::Follower;
use crate::binding::InterfaceName;
use crate::engine::rehearsal::Explanation;
use crate::engine::{Event, Now, Reason, Status};
use crate::metrics::Measured;

/// How many commands may wait, four rounds of the packet thread. A sender beyond that waits itself. The channel takes its
/// memory at once.
const CAPACITY: usize = 256;

/// What the packet thread is asked to do.
#[derive(Debug)]
pub(super) enum Command {
    /// Tell the engine.
    Tell(Event),
    /// Say how taps stand.
    Report(Which, oneshot::Sender<Report>),
    /// Say what the guest of this tap would be answered, and why.
    Explain(InterfaceName, oneshot::Sender<Explained>),
    /// Say how often each reason came about.
    Count(oneshot::Sender<Counts>),
    /// Say what was measured.
    Measure(oneshot::Sender<Measured>),
    /// Copy to this follower what is decided, from now on.
    Follow(Follower),
    /// Forget the followers that left.
    Unfollow,
    /// End.
    Stop,
}

/// Which taps a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// This one, if it has a binding file.
    One(InterfaceName),
    /// Some of those whose names follow; to be asked again until there are none.
    After(Option<InterfaceName>),
}

/// How taps stand, and when.
#[derive(Debug)]
pub(super) struct Report {
    /// The engine's time.
    pub(super) now: Now,
    /// In the order of their names.
    pub(super) taps: Vec<Status>,
}

impl Report {
    /// How the next report goes on; None if this one is empty.
    pub(super) fn next(&self) -> Option<Which> {
        self.taps.last().map(|status| Which::After(Some(status.tap)))
    }
}

/// What the guest of a tap would be answered, and when.
#[derive(Debug)]
pub(super) struct Explained {
    /// The engine's time.
    pub(super) now: Now,
    /// All that there is to say.
    pub(super) explanation: Explanation,
}

/// How often each reason came about, and when that was counted.
#[derive(Debug)]
pub(super) struct Counts {
    /// The engine's time.
    pub(super) now: Now,
    /// Every reason.
    pub(super) counters: Vec<(Reason, u64)>,
}

/// The packet thread is gone.
#[derive(Debug)]
pub(super) struct Gone;

/// The control side's end.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    channel: SyncSender<Command>,
    bell: Arc<EventFd>,
}

impl Sender {
    /// Sends a command; waits while there are too many.
    pub(super) fn send(&self, command: Command) -> Result<(), Gone> {
        self.channel.send(command).map_err(|_| Gone)?;
        // It only fails when it has rung 2^64 - 2 times unheard.
        let _ = self.bell.write(1);
        Ok(())
    }

    /// Asks how taps stand.
    pub(super) async fn report(&self, which: Which) -> Result<Report, Gone> {
        self.ask(|to| Command::Report(which, to)).await
    }

    /// Asks what the guest of a tap would be answered.
    pub(super) async fn explain(&self, tap: InterfaceName) -> Result<Explained, Gone> {
        self.ask(|to| Command::Explain(tap, to)).await
    }

    /// Asks how often each reason came about.
    pub(super) async fn counts(&self) -> Result<Counts, Gone> {
        self.ask(Command::Count).await
    }

    /// Asks what was measured.
    pub(super) async fn measured(&self) -> Result<Measured, Gone> {
        self.ask(Command::Measure).await
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, Gone> {
        let (to, answer) = oneshot::channel();
        self.send(command(to))?;
        answer.await.map_err(|_| Gone)
    }
}

/// The packet thread's end.
#[derive(Debug)]
pub(super) struct Receiver {
    channel: mpsc::Receiver<Command>,
    bell: Arc<EventFd>,
}

impl Receiver {
    /// The next command, if there is one.
    pub(super) fn take(&self) -> Option<Command> {
        self.channel.try_recv().ok()
    }

    /// Stops the bell. To be called before the commands are taken.
    pub(super) fn hush(&self) {
        // Nothing to read means that it does not ring.
        let _ = self.bell.read();
    }
}

impl AsFd for Receiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}

/// A mailbox.
pub(super) fn mailbox() -> io::Result<(Sender, Receiver)> {
    let bell = Arc::new(EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?);
    let (to, from) = mpsc::sync_channel(CAPACITY);
    let sender = Sender { channel: to, bell: Arc::clone(&bell) };
    let receiver = Receiver { channel: from, bell };
    Ok((sender, receiver))
}
