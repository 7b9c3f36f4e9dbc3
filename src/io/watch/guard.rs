//! A watch over the directory that is at the path: what happens to its names, and whether it is still there.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use nix::sys::inotify::{AddWatchFlags, InotifyEvent};

use super::inotify::Inotify;
use super::pending::{Change, Now, Pending};

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
}

impl Guard {
    /// Watches the directory that is at `path`. To be called inside a runtime.
    pub(super) fn post(path: &Path) -> io::Result<Self> {
        let inotify = Inotify::new()?;
        inotify.add(path, NAMES | END | AddWatchFlags::IN_ONLYDIR)?;
        // Taken behind the watch: if another directory stands there by now, the watch tells the end of the one it has.
        let identity = identity_of(path)?;
        Ok(Self { identity, inotify, pending: Pending::default(), is_end: false })
    }

    /// Waits until something happens. May be dropped at any time.
    pub(super) async fn changed(&self) {
        self.inotify.readable().await;
    }

    /// Takes in what happened.
    pub(super) fn note_changes(&mut self, now: Now) {
        for _ in 0..READS {
            let Some(events) = self.inotify.read() else { return };
            for event in &events {
                self.note(now, event);
            }
        }
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

/// Device and inode of the directory `path`.
fn identity_of(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() { Ok((metadata.dev(), metadata.ino())) } else { Err(io::ErrorKind::NotADirectory.into()) }
}
