//! Whoever started us, if it speaks as systemd does (sd_notify(3)): it is told how we are, and keeps descriptors for the
//! next of us.
//!
//! Without NOTIFY_SOCKET in the environment there is nobody to tell, and that is no error.

#![expect(clippy::disallowed_methods, reason = "io is where the outside world is")]

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use sd_notify::{NotifyState, notify, notify_with_fds};

use super::sys;

/// Descriptors that were kept for us, by their names; or why there are none to use.
pub type Kept = io::Result<Vec<(String, OwnedFd)>>;

/// Where the supervisor listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// There is none.
    Nobody,
    /// On a socket with a path.
    Path,
    /// On a socket in Linux's abstract namespace.
    Abstract,
}

/// Where we would tell how we are.
pub fn listener() -> Listener {
    match std::env::var_os("NOTIFY_SOCKET") {
        None => Listener::Nobody,
        Some(address) if address.as_encoded_bytes().starts_with(b"@") => Listener::Abstract,
        Some(_) => Listener::Path,
    }
}

/// We are ready, or ready again after [`reloading`]; `status` is a line for whoever asks.
pub fn ready(status: &str) -> io::Result<()> {
    notify(&[NotifyState::Ready, NotifyState::Status(status)])
}

/// The configuration is being read again, from now on until [`ready`].
pub fn reloading() -> io::Result<()> {
    notify(&[NotifyState::Reloading, NotifyState::monotonic_usec_now()?])
}

/// We are about to end.
pub fn stopping() -> io::Result<()> {
    notify(&[NotifyState::Stopping])
}

/// How long we may be silent before we are ended as one that hangs; None if nobody minds.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero())
}

/// We work; to be said again before [`watchdog`] is over.
pub fn alive() -> io::Result<()> {
    notify(&[NotifyState::Watchdog])
}

/// Has a descriptor kept, for the next start, under this name. One that is kept already is not kept twice.
pub fn keep(name: &str, fd: BorrowedFd<'_>) -> io::Result<()> {
    // A netlink socket that overflowed is one with an error, and without FDPOLL=0 such are kept no longer.
    let store = [NotifyState::FdStore, NotifyState::FdName(name), NotifyState::Custom("FDPOLL=0")];
    notify_with_fds(&store, &[fd])
}

/// The descriptors that were kept for us. They are there once.
///
/// # Errors
/// The environment and the open descriptors do not agree.
pub fn take_kept() -> Kept {
    sys::take_passed_descriptors()
}

/// Has all descriptors of this name kept no longer.
pub fn forget(name: &str) -> io::Result<()> {
    notify(&[NotifyState::FdStoreRemove, NotifyState::FdName(name)])
}
