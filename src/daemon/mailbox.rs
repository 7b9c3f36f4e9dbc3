//! How the control side reaches the packet thread: a bounded channel, and a bell that poll hears.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};

use nix::sys::eventfd::{EfdFlags, EventFd};
use tokio::sync::oneshot;

use crate::engine::{Event, Now, Status};

/// How many commands may wait. A sender beyond that waits itself.
const CAPACITY: usize = 1024;

/// What the packet thread is asked to do.
#[derive(Debug)]
pub(super) enum Command {
    /// Tell the engine.
    Tell(Event),
    /// Say how every tap stands.
    Report(oneshot::Sender<Report>),
    /// End.
    Stop,
}

/// How every tap stands, and when.
#[derive(Debug)]
pub(super) struct Report {
    /// The engine's time.
    pub(super) now: Now,
    /// Every tap that has a binding file.
    pub(super) taps: Vec<Status>,
}

/// The packet thread is gone.
#[derive(Debug)]
pub(super) struct Gone;

/// The control side's end.
#[derive(Debug)]
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
