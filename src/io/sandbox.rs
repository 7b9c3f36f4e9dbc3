//! What the running daemon takes from itself: files that are none of its own (Landlock), system calls that it never makes
//! (seccomp). Whoever finds a way to run code of theirs in it gets no further than it does.
//!
//! Both hold for the thread that calls [`enter`] and for all that it starts, and cannot be taken back.

mod landlock;
mod needs;
mod seccomp;

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::unistd::{AccessFlags, access};

pub use needs::{Needs, is_within_reach};

/// Whether Landlock is in force, so that a file may be out of reach for its sake.
static IS_LANDLOCKED: AtomicBool = AtomicBool::new(false);

/// What came of it.
#[derive(Debug)]
pub struct Sandbox {
    /// What Landlock holds, in words.
    pub landlock: Result<String, Lack>,
    /// What seccomp holds, in words.
    pub seccomp: Result<String, Lack>,
}

/// Why a part of the sandbox is not to be had on this system.
#[derive(Debug, thiserror::Error)]
pub enum Lack {
    /// ENOSYS.
    #[error("this kernel does not have it")]
    Missing,
    /// EOPNOTSUPP, of Landlock.
    #[error("it is switched off since boot (lsm= of the kernel's command line)")]
    SwitchedOff,
    /// EPERM and EACCES.
    #[error("whoever started the daemon forbids it (a container, or a filter of system calls)")]
    Forbidden,
    /// The system calls of this processor are not known here.
    #[error("it is not written for this processor")]
    Processor,
    /// Anything else.
    #[error("{0}")]
    Other(io::Error),
}

impl Lack {
    fn of(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::ENOSYS) => Self::Missing,
            Some(libc::EOPNOTSUPP) => Self::SwitchedOff,
            Some(libc::EPERM | libc::EACCES) => Self::Forbidden,
            _ => Self::Other(error),
        }
    }
}

/// Leaves this thread, and those that it starts from now on, with what the daemon needs. To be
/// called when privileges are given up, while there is one thread only.
///
/// # Errors
/// A mistake of ours in the rules. What the system does not have is no error.
pub fn enter(needs: &Needs<'_>) -> io::Result<Sandbox> {
    // Landlock first: its own system calls are none that the daemon needs afterwards.
    let landlock = landlock::restrict(needs)?;
    IS_LANDLOCKED.store(landlock.is_ok(), Ordering::Relaxed);
    let seccomp = seccomp::install(needs)?;
    Ok(Sandbox { landlock, seccomp })
}

/// The error with which `path` could not be opened for reading, in words that name the sandbox where it is why: the
/// permissions of the file would let us.
pub fn explained(path: &Path, error: io::Error) -> io::Error {
    let reason = "it is beyond what the sandbox lets the daemon read (general.sandbox)";
    named(error, || access(path, AccessFlags::R_OK).is_ok(), reason)
}

/// The same of a file that could not be opened for writing. Where there is none yet, permissions are those of its directory.
pub fn explained_of_writing(path: &Path, error: io::Error) -> io::Error {
    let reason = "it is beyond where the sandbox lets the daemon write, until a restart (general.sandbox)";
    let may_make =
        || path.parent().is_some_and(|directory| access(directory, AccessFlags::W_OK | AccessFlags::X_OK).is_ok());
    let is_permitted = || match access(path, AccessFlags::W_OK) {
        Err(Errno::ENOENT) => may_make(),
        result => result.is_ok(),
    };
    named(error, is_permitted, reason)
}

/// This reason in place of a denial that is not for lack of permissions. Landlock has no say in access(2).
fn named(error: io::Error, is_permitted: impl FnOnce() -> bool, reason: &'static str) -> io::Error {
    let is_denied = error.kind() == io::ErrorKind::PermissionDenied && IS_LANDLOCKED.load(Ordering::Relaxed);
    if is_denied && is_permitted() { io::Error::new(io::ErrorKind::PermissionDenied, reason) } else { error }
}
