//! A watch over the directory that is at the path: what happens to its names, and whether it is still there.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use nix::sys::inotify::{AddWatchFlags, InotifyEvent};

use super::inotify::Inotify;
use super::pending::{Change, Now, Pending};
use crate::io::sandbox;

/// What means something for a file of the directory. That a file is opened or read does not.
const NAMES: AddWatchFlags = AddWatchFlags::IN_CREATE
    .union(AddWatchFlags::IN_MODIFY)
    .union(AddWatchFlags::IN_ATTRIB)
    .union(AddWatchFlags::IN_CLOSE_WRITE)
    .union(AddWatchFlags::IN_MOVED_FROM)
    .union(AddWatchFlags::IN_MOVED_TO)
    .union(AddWatchFlags::IN_DELETE);
/// What ends the directory itself.
const END: AddWatchFlags = AddWatchFlags::IN_DELETE_SELF.union(AddWatchFlags::IN_MOVE_SELF);
/// What the kernel adds: the file system was unmounted, or the watch is gone with what it was on.
const LOSS: AddWatchFlags = AddWatchFlags::IN_UNMOUNT.union(AddWatchFlags::IN_IGNORED);
/// How often events are read in a row, some hundred at once, before what they mean is looked at.
const READS: usize = 64;

/// A directory, watched. A new one for each directory, so that nothing stale is left.
#[derive(Debug)]
pub(super) struct Guard {
    /// Which directory it is: device and inode.
    identity: (u64, u64),
    inotify: Inotify,
    /// Which names are to be looked at.
    pub(super) pending: Pending,
    /// Whether the directory was removed or moved.
    is_end: bool,
    /// Whether all that was told by the last look has been taken in.
    is_up_to_date: bool,
}

impl Guard {
    /// Watches the directory that is at `path`. To be called inside a runtime.
    ///
    /// # Errors
    /// There is none, or none that can be watched and listed; or it was exchanged just now: then the next attempt may succeed.
    pub(super) fn post(path: &Path) -> io::Result<Self> {
        let inotify = Inotify::new()?;
        let identity = identity_during(path, || {
            inotify.add(path, NAMES | END | AddWatchFlags::IN_ONLYDIR)?;
            // What may be watched may not be listed for all that.
            fs::read_dir(path).map(drop).map_err(|error| sandbox::explained(path, error))
        })?;
        Ok(Self { identity, inotify, pending: Pending::default(), is_end: false, is_up_to_date: true })
    }

    /// Waits until something happens. May be dropped at any time.
    pub(super) async fn changed(&self) {
        self.inotify.readable().await;
    }

    /// Takes in what happened.
    pub(super) fn note_changes(&mut self, now: Now) {
        for _ in 0..READS {
            let events = self.inotify.read();
            self.is_up_to_date = events.is_none();
            let Some(events) = events else { return };
            for event in &events {
                self.note(now, event);
            }
        }
    }

    /// Whether there is nothing to be learned of a name but what has been looked at.
    pub(super) fn is_settled(&self, name: &OsStr) -> bool {
        self.is_up_to_date && !self.pending.is_awaited(name)
    }

    fn note(&mut self, now: Now, event: &InotifyEvent) {
        if event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW) {
            self.pending.note_overflow();
        } else if let Some(name) = &event.name {
            if let Some(change) = change_of(event.mask) {
                self.pending.note(now, name, change);
            }
        } else {
            self.is_end |= event.mask.intersects(END | LOSS);
        }
    }

    /// Whether the watched directory is what is at `path`.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        !self.is_end && identity_of(path).is_ok_and(|identity| identity == self.identity)
    }
}

/// What an event means for the name that it is about.
fn change_of(mask: AddWatchFlags) -> Option<Change> {
    let is = |events| mask.intersects(events);
    if is(AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_MOVED_TO) {
        Some(Change::Completed)
    } else if is(AddWatchFlags::IN_DELETE | AddWatchFlags::IN_MOVED_FROM) {
        Some(Change::Removed)
    } else if is(AddWatchFlags::IN_CREATE) {
        Some(Change::Created)
    } else if is(AddWatchFlags::IN_ATTRIB) {
        Some(Change::Attributes)
    } else {
        is(AddWatchFlags::IN_MODIFY).then_some(Change::Written)
    }
}

/// Which directory stood at `path` when `act` used it by that name. If it stood there only before or after, nothing would
/// ever tell that the wrong one is watched: a link that is exchanged ends no directory, and nor does a mount.
fn identity_during(path: &Path, act: impl FnOnce() -> io::Result<()>) -> io::Result<(u64, u64)> {
    let before = identity_of(path)?;
    act()?;
    let after = identity_of(path)?;
    if before == after { Ok(after) } else { Err(io::Error::other("another directory took its place")) }
}

/// Device and inode of the directory `path`.
fn identity_of(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() { Ok((metadata.dev(), metadata.ino())) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_directory_that_is_exchanged_meanwhile_is_not_taken_for_the_watched_one() {
        let scratch = std::env::temp_dir().join(format!("guard-{}", std::process::id()));
        let (path, old, new) = (scratch.join("path"), scratch.join("old"), scratch.join("new"));
        fs::create_dir_all(&old).unwrap();
        fs::create_dir(&new).unwrap();
        symlink(&old, &path).unwrap();
        let exchanged = identity_during(&path, || {
            fs::remove_file(&path)?;
            symlink(&new, &path)
        });
        let again = identity_during(&path, || Ok(()));
        let expected = identity_of(&new).unwrap();
        fs::remove_dir_all(&scratch).unwrap();
        assert!(exchanged.is_err(), "{exchanged:?}");
        assert_eq!(again.unwrap(), expected);
    }
}
