//! Who may change the node at the same time: those who work on one tap each may, who works on all is alone.
//!
//! The lock is the kernel's, on the directory itself (flock(2)). It ends with its process however that ends, so there is no
//! file that could be left behind.

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _directory: File,
}

/// Who may hold the lock beside us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Others who share it: we work on one tap.
    Shared,
    /// Nobody: we work on all taps.
    Exclusive,
}

/// The lock cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot lock {}: {reason}", .directory.display())]
pub struct LockError {
    /// What was to be locked.
    pub directory: PathBuf,
    /// Why it is not.
    pub reason: LockFault,
}

/// Why the lock cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LockFault {
    /// Others still work.
    #[error("another snf-network still works there after {0:?}")]
    Timeout(Duration),
    /// A system call failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Lock {
    /// Locks `directory`, which is made if it is missing. Waits for others, but no longer than `timeout`.
    ///
    /// It is made for its owner alone: whoever may open it may lock it as well, and so keep every guest from its network.
    ///
    /// # Errors
    /// Others still work, or the directory can be neither made nor opened.
    pub fn take(directory: &Path, share: Share, timeout: Duration) -> Result<Self, LockError> {
        let fail = |reason| LockError { directory: directory.to_owned(), reason };
        let file = open(directory).map_err(|error| fail(error.into()))?;
        lock(file, share, timeout).map(|file| Self { _directory: file }).map_err(fail)
    }
}

fn open(directory: &Path) -> io::Result<File> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    File::open(directory)
}

/// Locks at once, or else waits in a thread: flock(2) knows no timeout. A thread that waits in vain ends with the process;
/// should it have the lock before, nobody takes its file, and the lock goes with that.
fn lock(file: File, share: Share, timeout: Duration) -> Result<File, LockFault> {
    let attempt = match share {
        Share::Shared => file.try_lock_shared(),
        Share::Exclusive => file.try_lock(),
    };
    match attempt {
        Ok(()) => return Ok(file),
        Err(TryLockError::Error(error)) => return Err(error.into()),
        Err(TryLockError::WouldBlock) => {}
    }
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let result = match share {
            Share::Shared => file.lock_shared(),
            Share::Exclusive => file.lock(),
        };
        let _too_late = sender.send(result.map(|()| file));
    });
    Ok(receiver.recv_timeout(timeout).map_err(|_| LockFault::Timeout(timeout))??)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);
    const AT_ONCE: Duration = Duration::from_millis(1);

    fn scratch(test: &str) -> PathBuf {
        std::env::temp_dir().join(format!("node-lock-{test}-{}", std::process::id())).join("made")
    }

    fn remove(directory: &Path) {
        fs::remove_dir_all(directory.parent().unwrap()).unwrap();
    }

    #[test]
    fn one_tap_each_or_all_alone() {
        let directory = scratch("share");
        let take = |share| Lock::take(&directory, share, AT_ONCE);
        let first = take(Share::Shared).unwrap();
        let second = take(Share::Shared).unwrap();
        let error = take(Share::Exclusive).unwrap_err();
        assert!(error.to_string().ends_with("another snf-network still works there after 1ms"), "{error}");
        drop((first, second));
        let alone = Lock::take(&directory, Share::Exclusive, PATIENCE).unwrap();
        assert!(matches!(take(Share::Shared).unwrap_err().reason, LockFault::Timeout(AT_ONCE)));
        drop(alone);
        Lock::take(&directory, Share::Shared, PATIENCE).unwrap();
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
        assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o7777, 0o700);
        remove(&directory);
    }

    #[test]
    fn who_waits_has_it_when_it_is_let_go() {
        let directory = scratch("wait");
        let held = Lock::take(&directory, Share::Exclusive, PATIENCE).unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| Lock::take(&directory, Share::Exclusive, PATIENCE));
            drop(held);
            waiting.join().unwrap().unwrap();
        });
        remove(&directory);
    }

    #[test]
    fn what_is_no_directory_is_named() {
        let directory = scratch("file");
        fs::create_dir_all(directory.parent().unwrap()).unwrap();
        fs::write(&directory, "").unwrap();
        let error = Lock::take(&directory, Share::Shared, AT_ONCE).unwrap_err().to_string();
        remove(&directory);
        assert!(error.starts_with(&format!("cannot lock {}: ", directory.display())), "{error}");
    }
}
