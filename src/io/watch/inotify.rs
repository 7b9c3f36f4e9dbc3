//! One inotify instance, read by tokio's leave.
//!
//! Each watch names the events it is for, so that whoever opens, lists or reads what is watched wakes nobody.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;

use nix::sys::inotify::{self, AddWatchFlags, InitFlags, InotifyEvent};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::io::sys;

/// What nix has no name for (inotify_add_watch(2)): the events are watched for besides those of before.
const MASK_ADD: AddWatchFlags = AddWatchFlags::from_bits_retain(libc::IN_MASK_ADD);

/// Files and directories that are watched, and what happened to them.
#[derive(Debug)]
pub(super) struct Inotify {
    instance: inotify::Inotify,
    /// Another descriptor of the same instance.
    readiness: AsyncFd<OwnedFd>,
}

impl Inotify {
    /// An instance that watches nothing. To be called inside a runtime.
    pub(super) fn new() -> io::Result<Self> {
        let instance = inotify::Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC).map_err(explained)?;
        let fd = instance.as_fd().try_clone_to_owned()?;
        Ok(Self { instance, readiness: sys::async_fd(fd, Interest::READABLE)? })
    }

    /// Watches what is at `path` for `events`, besides those that it is watched for already.
    pub(super) fn add(&self, path: &Path, events: AddWatchFlags) -> io::Result<()> {
        self.instance.add_watch(path, events | MASK_ADD).map_err(explained)?;
        Ok(())
    }

    /// Waits until there may be something to [`read`](Self::read). May be dropped at any time.
    pub(super) async fn readable(&self) {
        // It fails only when the runtime ends, and then nobody waits any more.
        let _ = self.readiness.readable().await;
    }

    /// The next events, in their order; None when there are none.
    pub(super) fn read(&self) -> Option<Vec<InotifyEvent>> {
        self.readiness.try_io(Interest::READABLE, |_| Ok(self.instance.read_events()?)).ok()
    }
}

/// An error of inotify, with what to do about it where its text misleads (inotify_add_watch(2), inotify_init(2)).
fn explained(errno: nix::Error) -> io::Error {
    match errno {
        nix::Error::ENOSPC => {
            io::Error::other("no inotify watch left for this user: raise fs.inotify.max_user_watches")
        }
        nix::Error::EMFILE => io::Error::other(
            "no inotify instance left for this user, or no descriptor: raise fs.inotify.max_user_instances",
        ),
        errno => errno.into(),
    }
}
