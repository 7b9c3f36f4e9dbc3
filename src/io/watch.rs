//! The directory of binding files: its files read at the start, and whenever they change.
//!
//! The directory is watched through `notify`, never a file: hooks replace files. What notify tells only says which name
//! to look at; what is there then decides. A name that did not change in content says nothing.

#![expect(clippy::disallowed_methods, reason = "io is where the outside world is")]

mod file;
mod pending;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, CreateKind, EventKind, ModifyKind, RenameMode};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;

use crate::binding::parse::{Parsed, parse};
use crate::binding::{BindingError, InterfaceName};
use crate::engine::Event;
use file::{File, Stamp};
use pending::{Change, Look, Pending};

/// How often it is checked that the directory is still the one we watch. Most changes of that are told at once; a file
/// system mounted over it, or a parent that was moved, is not.
const CHECK_PERIOD: Duration = Duration::from_secs(2);

/// What the watch has to say.
#[derive(Debug)]
pub enum Told {
    /// Something for the engine.
    Event(Event),
    /// A fault in a file that is not a reason to reject it, or in a file that belongs to no tap.
    Warning(BindingError),
    /// The directory is gone, and all bindings with it.
    DirectoryGone,
    /// The directory is there again.
    DirectoryBack,
}

/// The directory could not be watched or read.
#[derive(Debug, thiserror::Error)]
#[error("{path:?}: {source}")]
pub struct WatchError {
    /// The directory.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// The directory of binding files, watched.
#[derive(Debug)]
pub struct Watch {
    directory: PathBuf,
    guard: Guard,
    /// What each name stood for when it was last looked at.
    known: HashMap<OsString, Known>,
    hasher: RandomState,
    start: Instant,
}

/// What is watched.
#[derive(Debug)]
enum Guard {
    /// The directory.
    Directory {
        /// Which directory it is: device and inode.
        identity: (u64, u64),
        sentry: Sentry,
    },
    /// The directory is gone: its parent, if there is one, for its return.
    Parent(Option<Sentry>),
}

/// A file as it was when last looked at.
#[derive(Debug, PartialEq, Eq)]
struct Known {
    /// None for a file that could not be read.
    stamp: Option<Stamp>,
    /// A hash of its contents, or of the reason why they could not be read.
    content: u64,
}

impl Watch {
    /// Watches the directory, and then reads all files that are in it.
    pub fn open(directory: &Path) -> Result<(Self, Vec<Told>), WatchError> {
        let fail = |source| WatchError { path: directory.to_owned(), source };
        let directory = std::path::absolute(directory).map_err(fail)?;
        let start = Instant::now();
        let mut watch = Self {
            guard: guard_directory(&directory, start).map_err(fail)?,
            directory: directory.clone(),
            known: HashMap::new(),
            hasher: RandomState::new(),
            start,
        };
        let mut told = Vec::new();
        watch.scan(&mut told).map_err(fail)?;
        Ok((watch, told))
    }

    /// Waits until there may be something to [`poll`](Self::poll). May be dropped at any time.
    pub async fn changed(&self) {
        let (due, sentry) = match &self.guard {
            Guard::Directory { sentry, .. } => (sentry.lock().pending.next_due(), Some(sentry)),
            Guard::Parent(sentry) => (None, sentry.as_ref()),
        };
        let wait = due.map_or(CHECK_PERIOD, |due| due.saturating_sub(self.start.elapsed()).min(CHECK_PERIOD));
        let woken = async {
            match sentry {
                Some(sentry) => sentry.shared.wake.notified().await,
                None => std::future::pending().await,
            }
        };
        // Elapsing is as good a reason to look as being woken.
        let _ = tokio::time::timeout(wait, woken).await;
    }

    /// Looks at what is due.
    pub fn poll(&mut self) -> Vec<Told> {
        let mut told = Vec::new();
        let result =
            if self.is_directory_watched() { self.look_at_due(&mut told) } else { self.return_to_directory(&mut told) };
        if result.is_err() && matches!(self.guard, Guard::Directory { .. }) {
            self.leave_directory(&mut told);
        }
        told
    }

    /// Whether what we watch is what stands at the path.
    fn is_directory_watched(&self) -> bool {
        match &self.guard {
            Guard::Directory { identity, sentry } => {
                !sentry.lock().is_end && identity_of(&self.directory).is_ok_and(|i| i == *identity)
            }
            Guard::Parent(_) => false,
        }
    }

    /// Watches the directory that is at the path now, if there is one, and reads it whole. Otherwise, says so once.
    fn return_to_directory(&mut self, told: &mut Vec<Told>) -> io::Result<()> {
        let guard = guard_directory(&self.directory, self.start)?;
        if matches!(self.guard, Guard::Parent(_)) {
            told.push(Told::DirectoryBack);
        }
        self.guard = guard;
        self.scan(told)
    }

    /// Takes the directory for gone.
    fn leave_directory(&mut self, told: &mut Vec<Told>) {
        told.push(Told::DirectoryGone);
        for name in std::mem::take(&mut self.known).into_keys() {
            told.extend(removed(&name));
        }
        let parent = self.directory.parent();
        let sentry = parent.and_then(|parent| Sentry::post(parent, self.start).ok());
        self.guard = Guard::Parent(sentry);
    }

    /// Looks at the names that are due, or at all if changes were lost.
    fn look_at_due(&mut self, told: &mut Vec<Told>) -> io::Result<()> {
        let Guard::Directory { sentry, .. } = &self.guard else {
            return Ok(());
        };
        let (needs_rescan, due) = {
            let mut state = sentry.lock();
            let now = self.start.elapsed();
            (state.pending.take_rescan(), state.pending.take_due(now))
        };
        if needs_rescan {
            return self.scan(told);
        }
        for (name, look) in due {
            match look {
                Look::Read => self.look_at(name, told),
                Look::IsGone => self.look_whether_gone(&name, told),
            }
        }
        self.look_at_unreadable(told);
        Ok(())
    }

    /// Looks again at files that could not be read: nothing tells when the way to them is open.
    fn look_at_unreadable(&mut self, told: &mut Vec<Told>) {
        let is_unreadable = |(name, known): (&OsString, &Known)| known.stamp.is_none().then(|| name.clone());
        let names: Vec<OsString> = self.known.iter().filter_map(is_unreadable).collect();
        for name in names {
            self.look_at(name, told);
        }
    }

    /// Looks at all names of the directory, and at those that are no more.
    fn scan(&mut self, told: &mut Vec<Told>) -> io::Result<()> {
        let names = names(&self.directory)?;
        let is_lost = |name: &&OsString| !names.contains(*name);
        let lost: Vec<OsString> = self.known.keys().filter(is_lost).cloned().collect();
        for name in lost {
            self.forget(&name, told);
        }
        for name in names {
            // Opening a file is told to the watch as well: a scan that opened all again and again might never end.
            if !self.is_unchanged(&name) {
                self.look_at(name, told);
            }
        }
        Ok(())
    }

    /// Whether the file is the one that was read last, as far as can be told from outside.
    fn is_unchanged(&self, name: &OsStr) -> bool {
        let known = self.known.get(name).and_then(|known| known.stamp);
        known.is_some() && file::stamp(&self.directory.join(name)).is_ok_and(|now| now == known)
    }

    /// Looks at a name that may be gone. A file that stands there again is read when its writer is done with it.
    fn look_whether_gone(&mut self, name: &OsStr, told: &mut Vec<Told>) {
        if file::stamp(&self.directory.join(name)).is_ok_and(|stamp| stamp.is_none()) {
            self.forget(name, told);
        }
    }

    /// Looks at a name: reads its file, if it is one.
    fn look_at(&mut self, name: OsString, told: &mut Vec<Told>) {
        let path = self.directory.join(&name);
        let (stamp, result) = match file::read(&path) {
            File::Missing => return self.forget(&name, told),
            File::Unreadable(error) => (None, Err(error.to_string())),
            File::Readable(stamp, bytes) => (Some(stamp), Ok(bytes)),
        };
        let content = self.hasher.hash_one(&result);
        let before = self.known.insert(name.clone(), Known { stamp, content });
        if before.is_none_or(|before| before.content != content) {
            let parsed = match result {
                Ok(bytes) => parse(&path, &bytes),
                Err(reason) => Err(unreadable(path, &reason)),
            };
            told.extend(loaded_or_rejected(&name, parsed));
        }
    }

    /// Takes a file for gone.
    fn forget(&mut self, name: &OsStr, told: &mut Vec<Told>) {
        if self.known.remove(name).is_some() {
            told.extend(removed(name));
        }
    }
}

/// Reads all binding files of `directory` once, in the order of their names, and watches nothing.
pub fn read_all(directory: &Path) -> Result<Vec<Result<Parsed, BindingError>>, WatchError> {
    let names = names(directory).map_err(|source| WatchError { path: directory.to_owned(), source })?;
    let names: BTreeSet<OsString> = names.into_iter().collect();
    let read = |name: &OsString| {
        let path = directory.join(name);
        match file::read(&path) {
            File::Missing => None,
            File::Unreadable(error) => Some(Err(unreadable(path, &error.to_string()))),
            File::Readable(_, bytes) => Some(parse(&path, &bytes)),
        }
    };
    Ok(names.iter().filter_map(read).collect())
}

/// The names in `directory` that may be those of binding files.
fn names(directory: &Path) -> io::Result<HashSet<OsString>> {
    let names = fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name()));
    names.filter(|name| !name.as_ref().is_ok_and(|name| pending::is_ignored(name))).collect()
}

/// The tap that a file name names.
fn tap_of(name: &OsStr) -> Option<InterfaceName> {
    name.to_str()?.parse().ok()
}

/// The fault of a file that cannot be read.
fn unreadable(path: PathBuf, reason: &str) -> BindingError {
    BindingError { path, line: None, key: None, found: None, reason: format!("cannot be read: {reason}") }
}

/// What there is to tell of a file that was read.
fn loaded_or_rejected(name: &OsStr, parsed: Result<Parsed, BindingError>) -> Vec<Told> {
    match (parsed, tap_of(name)) {
        (Ok(Parsed { binding, warnings }), _) => {
            let loaded = Told::Event(Event::BindingLoaded(Box::new(binding)));
            let warnings = warnings.into_iter().map(Told::Warning);
            std::iter::once(loaded).chain(warnings).collect()
        }
        (Err(error), Some(tap)) => vec![Told::Event(Event::BindingRejected(tap, error))],
        (Err(error), None) => vec![Told::Warning(error)],
    }
}

/// What there is to tell of a file that is gone.
fn removed(name: &OsStr) -> Option<Told> {
    tap_of(name).map(|tap| Told::Event(Event::BindingRemoved(tap)))
}

/// Device and inode of the directory `path`.
fn identity_of(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() { Ok((metadata.dev(), metadata.ino())) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

/// Watches the directory `path`.
fn guard_directory(path: &Path, start: Instant) -> io::Result<Guard> {
    identity_of(path)?;
    let sentry = Sentry::post(path, start)?;
    // Taken behind the watch: if another directory stands there by now, the watch tells the end of the one it has.
    let identity = identity_of(path)?;
    Ok(Guard::Directory { identity, sentry })
}

/// A watch on one directory, with what it told so far. A new one for each directory, so that nothing stale is left.
#[derive(Debug)]
struct Sentry {
    shared: Arc<Shared>,
    _watcher: RecommendedWatcher,
}

/// What notify's thread tells ours.
#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    wake: Notify,
}

/// Bounded by the bounds of [`Pending`].
#[derive(Debug, Default)]
struct State {
    pending: Pending,
    /// Whether the watched directory itself was removed or moved.
    is_end: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sentry {
    /// Watches the directory `path`.
    fn post(path: &Path, start: Instant) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let handler = {
            let (shared, path) = (Arc::clone(&shared), path.to_owned());
            move |event: notify::Result<notify::Event>| {
                let mut state = shared.lock();
                if note(&mut state, start.elapsed(), &path, event) {
                    shared.wake.notify_one();
                }
            }
        };
        let mut watcher = notify::recommended_watcher(handler).map_err(into_io)?;
        watcher.watch(path, RecursiveMode::NonRecursive).map_err(into_io)?;
        Ok(Self { shared, _watcher: watcher })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.lock()
    }
}

/// Notes what notify tells of the directory. Returns whether that is of interest.
fn note(state: &mut State, now: Duration, directory: &Path, event: notify::Result<notify::Event>) -> bool {
    let Ok(event) = event else {
        state.pending.note_overflow();
        return true;
    };
    if event.need_rescan() {
        state.pending.note_overflow();
        return true;
    }
    let Some(change) = change_of(event.kind) else {
        return false;
    };
    for path in &event.paths {
        match path.file_name() {
            _ if path == directory => state.is_end |= change == Change::Removed,
            Some(name) => state.pending.note(now, name, change),
            None => {}
        }
    }
    true
}

/// What an event of notify means to us.
fn change_of(kind: EventKind) -> Option<Change> {
    match kind {
        EventKind::Create(CreateKind::File | CreateKind::Any) => Some(Change::Created),
        EventKind::Create(CreateKind::Folder) => Some(Change::Completed),
        EventKind::Modify(ModifyKind::Data(_)) => Some(Change::Written),
        EventKind::Modify(ModifyKind::Metadata(_)) => Some(Change::Attributes),
        EventKind::Modify(ModifyKind::Name(RenameMode::From)) => Some(Change::Removed),
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Some(Change::Completed),
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Change::Completed),
        EventKind::Remove(_) => Some(Change::Removed),
        // RenameMode::Both repeats From and To; who opens or reads a file does not matter.
        _ => None,
    }
}

/// An error of notify as one of the system's.
fn into_io(error: notify::Error) -> io::Error {
    match error.kind {
        notify::ErrorKind::Io(error) => error,
        notify::ErrorKind::PathNotFound => io::ErrorKind::NotFound.into(),
        notify::ErrorKind::MaxFilesWatch => {
            io::Error::other("no inotify watch left for this user: raise fs.inotify.max_user_watches")
        }
        _ => io::Error::other(error),
    }
}
