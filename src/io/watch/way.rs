//! The way to the directory: what tells that its path may lead to another one by now, or to none.
//!
//! Each directory and each symbolic link on the way is watched for its own end or change, which nothing else that happens
//! in those directories wakes us for. The kernel's table of mounts tells when a file system comes in between, or goes.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use nix::sys::inotify::{AddWatchFlags, InotifyEvent};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::inotify::Inotify;
use crate::io::{MAX_SYMLINKS, sys};

/// What can happen to a step of the way itself. Permissions are among its attributes.
const STEP: AddWatchFlags = AddWatchFlags::IN_MOVE_SELF
    .union(AddWatchFlags::IN_DELETE_SELF)
    .union(AddWatchFlags::IN_ATTRIB)
    .union(AddWatchFlags::IN_DONT_FOLLOW);
/// What can happen in the last directory that is there, for a step that is missing.
const ARRIVAL: AddWatchFlags = AddWatchFlags::IN_CREATE.union(AddWatchFlags::IN_MOVED_TO);

/// The way to a directory, watched.
#[derive(Debug)]
pub(super) struct Way {
    mounts: Option<Mounts>,
    steps: Option<Inotify>,
    is_whole: bool,
}

impl Way {
    /// The way to `directory`, as far as it can be gone and watched. To be called inside a runtime.
    pub(super) fn new(directory: &Path) -> Self {
        let mut way = Self { mounts: Mounts::open().ok(), steps: None, is_whole: false };
        way.walk(directory);
        way
    }

    /// Watches the way as it is now. What was told of it before is forgotten: look at the directory afterwards.
    pub(super) fn walk(&mut self, directory: &Path) {
        self.steps = Inotify::new().ok();
        let is_watched = self.steps.as_ref().is_some_and(|steps| watch_steps(steps, directory));
        self.is_whole = is_watched && self.mounts.is_some();
    }

    /// Whether every change of the way will be told. Not so where a directory on it may be passed but not read, where the
    /// system has no watches left, or no /proc.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Waits until something may have changed. May be dropped at any time.
    pub(super) async fn changed(&self) {
        let steps = async {
            match &self.steps {
                Some(steps) => steps.readable().await,
                None => std::future::pending().await,
            }
        };
        let mounts = async {
            match &self.mounts {
                Some(mounts) => mounts.changed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! { () = steps => {}, () = mounts => {} }
    }

    /// Whether something changed since this was last asked, so that the way must be walked anew.
    pub(super) fn take_change(&mut self) -> bool {
        let events = self.steps.as_ref().and_then(Inotify::read).unwrap_or_default();
        let is_step_changed = events.iter().any(is_about_the_way);
        let is_mount_changed = self.mounts.as_ref().is_some_and(Mounts::take_change);
        is_step_changed || is_mount_changed
    }
}

/// Whether an event is about a step itself, or about one that was missing. Who watches the attributes of a directory is
/// also told of what is in it.
fn is_about_the_way(event: &InotifyEvent) -> bool {
    event.name.is_none() || event.mask.intersects(ARRIVAL)
}

/// Watches all that is on the way to `directory`, up to the first step that is missing. Returns whether nothing was left out.
fn watch_steps(watches: &Inotify, directory: &Path) -> bool {
    let mut is_whole = true;
    let mut links = 0;
    // Where we are, by a path without links.
    let mut here = PathBuf::from("/");
    let mut ahead = steps_of(directory);
    while let Some(name) = ahead.pop_front() {
        if name == ".." {
            here.pop();
            continue;
        }
        let step = here.join(name);
        match watches.add(&step, STEP) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return is_whole && watches.add(&here, ARRIVAL).is_ok();
            }
            Err(_) => is_whole = false,
        }
        // Read behind the watch: a link that is replaced from now on tells of it.
        let Ok(target) = fs::read_link(&step) else {
            here = step;
            continue;
        };
        links += 1;
        if links > MAX_SYMLINKS {
            return is_whole;
        }
        if target.is_absolute() {
            here = PathBuf::from("/");
        }
        let mut detour = steps_of(&target);
        detour.append(&mut ahead);
        ahead = detour;
    }
    is_whole
}

/// The names on a path, `..` among them.
fn steps_of(path: &Path) -> VecDeque<OsString> {
    let names = path.components().filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir));
    names.map(|part| part.as_os_str().to_owned()).collect()
}

/// The mounts that this process sees.
#[derive(Debug)]
struct Mounts(AsyncFd<OwnedFd>);

impl Mounts {
    fn open() -> io::Result<Self> {
        let table = File::open("/proc/self/mountinfo")?;
        Ok(Self(sys::async_fd(table.into(), Interest::PRIORITY)?))
    }

    /// Waits until a file system was mounted or unmounted: then this file has an exceptional condition (proc(5)).
    async fn changed(&self) {
        // It fails only when the runtime ends, and then nobody waits any more.
        let _ = self.0.ready(Interest::PRIORITY).await;
    }

    /// Whether that happened since this was last asked.
    fn take_change(&self) -> bool {
        let mut is_changed = false;
        // There is nothing to read. That it would block has tokio wait for the next time.
        let _ = self.0.try_io(Interest::PRIORITY, |_| {
            is_changed = true;
            Err::<(), _>(io::ErrorKind::WouldBlock.into())
        });
        is_changed
    }
}
