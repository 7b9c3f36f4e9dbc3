//! Who may change the node at the same time: those who work on taps of different names may, who works on all is alone.
//!
//! The locks are the kernel's, on ranges of one empty file: `F_OFD_SETLK` of fcntl(2). They end with their process however that
//! ends, so none is left behind; and the file, which stays, is all that there ever is, however many taps come and go.

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};

use crate::binding::InterfaceName;

/// The file in the directory that is locked. It is never written.
const FILE: &str = "lock";

/// Held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// What is worked on, and by nobody else meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// A tap, whether it is there or not.
    Tap(InterfaceName),
    /// All of them.
    All,
}

/// The lock cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot lock {}: {reason}", .path.display())]
pub struct LockError {
    /// What was to be locked.
    pub path: PathBuf,
    /// Why it is not.
    pub reason: LockFault,
}

/// Why the lock cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LockFault {
    /// Others still work.
    #[error("another snf-network still works on {0} after {1:?}")]
    Timeout(Extent, Duration),
    /// A system call failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Lock {
    /// Locks `extent` by a file in `directory`, both of which are made if they are missing. Waits for others, but no longer than
    /// `timeout`.
    ///
    /// Both are made for their owner alone: whoever may open the file may lock it as well, and so keep every guest from its
    /// network.
    ///
    /// # Errors
    /// Others still work, or the file can be neither made nor opened.
    pub fn take(directory: &Path, extent: Extent, timeout: Duration) -> Result<Self, LockError> {
        let path = directory.join(FILE);
        let taken = open(directory, &path).map_err(LockFault::from).and_then(|file| lock(file, extent, timeout));
        taken.map(|file| Self { _file: file }).map_err(|reason| LockError { path, reason })
    }
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tap(tap) => write!(f, "{tap}, or on all taps,"),
            Self::All => f.write_str("some tap"),
        }
    }
}

impl Extent {
    /// A byte for each tap, far behind the end of the file; or all bytes. Two names may share a byte: then one waits for the
    /// other, and nothing worse.
    fn range(self) -> libc::flock {
        let (l_start, l_len) = match self {
            Self::Tap(tap) => (place(tap), 1),
            Self::All => (0, 0),
        };
        let (l_type, l_whence) = (libc::F_WRLCK as libc::c_short, libc::SEEK_SET as libc::c_short);
        libc::flock { l_type, l_whence, l_start, l_len, l_pid: 0 }
    }
}

/// The same in every version of the program. Short names have a place of their own.
fn place(tap: InterfaceName) -> libc::off_t {
    let folded = tap.as_str().bytes().fold(0_u64, |folded, byte| folded.rotate_left(8) ^ u64::from(byte));
    (folded & libc::off_t::MAX as u64) as libc::off_t
}

fn open(directory: &Path, path: &Path) -> io::Result<File> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.custom_flags(libc::O_NOFOLLOW).open(path)
}

/// Locks at once, or else waits in a thread: fcntl(2) knows no timeout. A thread that waits in vain ends with the process;
/// should it have the lock before, nobody takes its file, and the lock goes with that.
fn lock(file: File, extent: Extent, timeout: Duration) -> Result<File, LockFault> {
    let range = extent.range();
    match fcntl(&file, FcntlArg::F_OFD_SETLK(&range)) {
        Ok(_) => return Ok(file),
        Err(Errno::EAGAIN | Errno::EACCES) => {}
        Err(errno) => return Err(io::Error::from(errno).into()),
    }
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let result = wait(&file, &range);
        let _too_late = sender.send(result.map(|()| file));
    });
    Ok(receiver.recv_timeout(timeout).map_err(|_| LockFault::Timeout(extent, timeout))??)
}

/// Locks when nobody else does any more.
fn wait(file: &File, range: &libc::flock) -> io::Result<()> {
    loop {
        match fcntl(file, FcntlArg::F_OFD_SETLKW(range)) {
            Err(Errno::EINTR) => {}
            result => return result.map(drop).map_err(io::Error::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);
    const AT_ONCE: Duration = Duration::from_millis(1);

    fn scratch(test: &str) -> PathBuf {
        std::env::temp_dir().join(format!("node-lock-{test}-{}", std::process::id())).join("made")
    }

    fn remove(directory: &Path) {
        fs::remove_dir_all(directory.parent().unwrap()).unwrap();
    }

    fn tap(name: &str) -> Extent {
        Extent::Tap(name.parse().unwrap())
    }

    #[test]
    fn each_tap_has_one_who_works_on_it_or_all_have() {
        let directory = scratch("extent");
        let take = |extent| Lock::take(&directory, extent, AT_ONCE);
        let says = |extent, what: &str| {
            let error = take(extent).unwrap_err().to_string();
            let expected =
                format!("cannot lock {}/lock: another snf-network still works on {what}", directory.display());
            assert!(error.starts_with(&expected), "{error}");
        };
        let first = take(tap("tap0")).unwrap();
        let second = take(tap("tap1")).unwrap();
        says(tap("tap0"), "tap0, or on all taps, after 1ms");
        says(Extent::All, "some tap after 1ms");
        drop(first);
        let first = Lock::take(&directory, tap("tap0"), PATIENCE).unwrap();
        says(tap("tap1"), "tap1");
        drop((first, second));
        let alone = Lock::take(&directory, Extent::All, PATIENCE).unwrap();
        says(tap("tap7"), "tap7");
        drop(alone);
        Lock::take(&directory, tap("tap7"), PATIENCE).unwrap();
        remove(&directory);
    }

    #[test]
    fn there_is_one_empty_file_of_its_owners() {
        let directory = scratch("file");
        let taps = (0..100).map(|number| Lock::take(&directory, tap(&format!("tap{number}")), PATIENCE).unwrap());
        let all: Vec<_> = taps.collect();
        let files: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap()).collect();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!((all.len(), files.len(), files[0].metadata().unwrap().len()), (100, 1, 0));
        assert_eq!((mode(&directory), mode(&files[0].path())), (0o700, 0o600));
        remove(&directory);
    }

    #[test]
    fn names_have_places_of_their_own() {
        let names = [
            "tap0",
            "tap1",
            "tap10",
            "vif3.0",
            "vif3.0-emu",
            "vif13.0-emu",
            "a",
            "\u{fc}tap-is-hybrid",
            "123456789012345",
        ];
        let places: std::collections::BTreeSet<_> = names.map(|name| place(name.parse().unwrap())).into();
        assert_eq!(places.len(), names.len(), "{places:?}");
        assert!(places.iter().all(|place| *place >= 0), "{places:?}");
    }

    #[test]
    fn who_waits_has_it_when_it_is_let_go() {
        let directory = scratch("wait");
        for (held, wanted) in [(tap("tap0"), tap("tap0")), (tap("tap0"), Extent::All), (Extent::All, tap("tap0"))] {
            let held = Lock::take(&directory, held, PATIENCE).unwrap();
            thread::scope(|scope| {
                let waiting = scope.spawn(|| Lock::take(&directory, wanted, PATIENCE));
                drop(held);
                waiting.join().unwrap().unwrap();
            });
        }
        remove(&directory);
    }

    #[test]
    fn what_cannot_be_made_is_named() {
        let directory = scratch("name");
        let says = || Lock::take(&directory, Extent::All, AT_ONCE).unwrap_err().to_string();
        fs::create_dir_all(directory.parent().unwrap()).unwrap();
        fs::write(&directory, "").unwrap();
        let is_file = says();
        fs::remove_file(&directory).unwrap();
        fs::create_dir(&directory).unwrap();
        symlink("/etc/passwd", directory.join(FILE)).unwrap();
        let is_elsewhere = says();
        remove(&directory);
        for error in [is_file, is_elsewhere] {
            assert!(error.starts_with(&format!("cannot lock {}/lock: ", directory.display())), "{error}");
        }
    }
}
