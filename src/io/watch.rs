//! The directory of binding files: its files read at the start, and whenever they change.
//!
//! The directory is watched, never a file: hooks replace files. What inotify tells only says which name to look at; what
//! is there then decides. A name that did not change in content says nothing. Nothing is looked at without a reason, and
//! the clock is one only where nobody tells of a change.

#![expect(clippy::disallowed_methods, reason = "io is where the outside world is")]

mod file;
mod guard;
mod inotify;
mod pending;
#[cfg(test)]
mod tests;
mod way;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::binding::parse::{Parsed, parse};
use crate::binding::{BindingError, InterfaceName};
use crate::engine::Event;
use crate::io::sandbox;
use file::{File, Stamp};
use guard::Guard;
use pending::{Look, Now};
use way::Way;

/// How often a directory that is missing is looked for, and files that could not be read are tried again. Most of what
/// mends either is told at once; what is behind a link is not.
const CHECK_PERIOD: Duration = Duration::from_secs(2);
/// How often it is checked that the directory is still the one we watch, where the way to it cannot be watched: a
/// directory that may be passed but not read, or a system without watches to spare.
const SLOW_CHECK_PERIOD: Duration = Duration::from_secs(60);
/// How many files are looked at before others get a turn: the main thread has more to do than to read files.
const LOOKS: usize = 64;

/// What the watch has to say.
#[derive(Debug)]
pub enum Told {
    /// Something for the engine.
    Event(Event),
    /// A fault in a file that is not a reason to reject it, or in a file that belongs to no tap.
    Warning(BindingError),
    /// The directory is gone, and all bindings with it; or it cannot be read any more, for this reason.
    DirectoryGone(io::Error),
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
    way: Way,
    /// None while the directory is gone.
    guard: Option<Guard>,
    /// What each name stood for when it was last looked at.
    known: HashMap<OsString, Known>,
    /// Those of them whose files could not be read.
    unreadable: HashSet<OsString>,
    /// Names that are to be looked at for another reason than that somebody told of them.
    backlog: Vec<OsString>,
    /// When it was last checked what nobody tells.
    checked: Now,
    hasher: RandomState,
    start: Instant,
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
    /// Watches the directory, and then finds all names that are in it: [`poll_scan`](Self::poll_scan) reads their files. To be
    /// called inside a runtime.
    pub fn open(directory: &Path) -> Result<Self, WatchError> {
        let fail = |source| WatchError { path: directory.to_owned(), source };
        let directory = std::path::absolute(directory).map_err(fail)?;
        // The way first: should the directory change before it is watched itself, the way tells.
        let way = Way::new(&directory);
        let guard = Guard::post(&directory).map_err(fail)?;
        let mut watch = Self {
            directory: directory.clone(),
            way,
            guard: Some(guard),
            known: HashMap::new(),
            unreadable: HashSet::new(),
            backlog: Vec::new(),
            checked: Now::ZERO,
            hasher: RandomState::new(),
            start: Instant::now(),
        };
        // Nothing is known yet, so nothing is lost.
        watch.scan(&mut Vec::new()).map_err(fail)?;
        Ok(watch)
    }

    /// Reads some of the files that were found at the start; None when all have been read. A few at a time, for all of
    /// them at once would take memory that is never needed again.
    pub fn poll_scan(&mut self) -> Option<Vec<Told>> {
        if self.backlog.is_empty() {
            return None;
        }
        let mut told = Vec::new();
        self.look_at_backlog(LOOKS, &mut told);
        Some(told)
    }

    /// Waits until there may be something to [`poll`](Self::poll). May be dropped at any time.
    pub async fn changed(&self) {
        let told = async {
            match &self.guard {
                Some(guard) => tokio::select! { () = guard.changed() => {}, () = self.way.changed() => {} },
                None => self.way.changed().await,
            }
        };
        match self.next_due() {
            // Elapsing is as good a reason to look as being told.
            Some(due) => drop(tokio::time::timeout(due.saturating_sub(self.start.elapsed()), told).await),
            None => told.await,
        }
    }

    /// When there is something to look at though nothing is told.
    fn next_due(&self) -> Option<Now> {
        let backlog = (!self.backlog.is_empty()).then_some(Now::ZERO);
        let pending = self.guard.as_ref().and_then(|guard| guard.pending.next_due());
        let check = self.check_period().map(|period| self.checked + period);
        [backlog, pending, check].into_iter().flatten().min()
    }

    /// How often to check what nobody tells; None where everything is told.
    fn check_period(&self) -> Option<Duration> {
        if self.guard.is_none() || !self.unreadable.is_empty() {
            Some(CHECK_PERIOD)
        } else {
            (!self.way.is_whole()).then_some(SLOW_CHECK_PERIOD)
        }
    }

    /// Looks at what is due, some of it; the rest stays due.
    pub fn poll(&mut self) -> Vec<Told> {
        let now = self.start.elapsed();
        let is_check_due = self.check_period().is_some_and(|period| now >= self.checked + period);
        let is_doubtful = self.way.take_change() || is_check_due;
        if is_doubtful {
            self.checked = now;
            self.way.walk(&self.directory);
        }
        let mut told = Vec::new();
        let result = if self.is_directory_watched(now) {
            self.look_at_due(now, is_doubtful, &mut told)
        } else {
            self.return_to_directory(&mut told)
        };
        if let Err(error) = result
            && self.guard.is_some()
        {
            self.leave_directory(error, &mut told);
        }
        told
    }

    /// Whether all that was told of the file of `tap` before the last [`poll`](Self::poll) has been looked at. It has not where its
    /// writer may be at work, nor where there was too much to look at in one turn.
    pub fn is_settled(&self, tap: InterfaceName) -> bool {
        let is_settled = |guard: &Guard| guard.is_settled(OsStr::new(tap.as_str()));
        self.backlog.is_empty() && self.guard.as_ref().is_none_or(is_settled)
    }

    /// Whether what we watch is what stands at the path, by all that was told until now.
    fn is_directory_watched(&mut self, now: Now) -> bool {
        self.guard.as_mut().is_some_and(|guard| {
            guard.note_changes(now);
            guard.is_at(&self.directory)
        })
    }

    /// Watches the directory that is at the path now, if there is one, and reads it whole. Otherwise, says so once.
    fn return_to_directory(&mut self, told: &mut Vec<Told>) -> io::Result<()> {
        self.way.walk(&self.directory);
        let guard = Guard::post(&self.directory)?;
        if self.guard.replace(guard).is_none() {
            told.push(Told::DirectoryBack);
        }
        self.scan(told)
    }

    /// Takes the directory for gone.
    fn leave_directory(&mut self, reason: io::Error, told: &mut Vec<Told>) {
        told.push(Told::DirectoryGone(reason));
        for name in std::mem::take(&mut self.known).into_keys() {
            told.extend(removed(&name));
        }
        self.unreadable.clear();
        self.backlog.clear();
        self.guard = None;
    }

    /// Looks at the names that are due, or at all if changes were lost; and at files that could not be read, if it is
    /// time to try them again.
    fn look_at_due(&mut self, now: Now, is_time_to_try: bool, told: &mut Vec<Told>) -> io::Result<()> {
        if self.guard.as_mut().is_some_and(|guard| guard.pending.take_rescan()) {
            self.scan(told)?;
        } else if is_time_to_try && self.backlog.is_empty() {
            self.backlog.extend(self.unreadable.iter().cloned());
        }
        let due = self.guard.as_mut().map(|guard| guard.pending.take_due(now, LOOKS)).unwrap_or_default();
        self.look_at_backlog(LOOKS - due.len(), told);
        for (name, look) in due {
            match look {
                Look::Read => self.look_at(name, told),
                Look::IsGone => self.look_whether_gone(&name, told),
            }
        }
        Ok(())
    }

    /// Has all names of the directory looked at, and forgets those that are no more.
    fn scan(&mut self, told: &mut Vec<Told>) -> io::Result<()> {
        let names = names(&self.directory)?;
        let is_lost = |name: &&OsString| !names.contains(*name);
        let lost: Vec<OsString> = self.known.keys().filter(is_lost).cloned().collect();
        for name in lost {
            self.forget(&name, told);
        }
        self.backlog = names.into_iter().collect();
        Ok(())
    }

    /// Looks at names of the backlog, at most `limit` of them.
    fn look_at_backlog(&mut self, limit: usize, told: &mut Vec<Told>) {
        for name in self.backlog.split_off(self.backlog.len().saturating_sub(limit)) {
            if !self.is_unchanged(&name) {
                self.look_at(name, told);
            }
        }
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
        if result.is_err() {
            self.unreadable.insert(name.clone());
        } else {
            self.unreadable.remove(&name);
        }
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
        self.unreadable.remove(name);
        if self.known.remove(name).is_some() {
            told.extend(removed(name));
        }
    }
}

/// Reads all binding files of `directory` once, in the order of their names, and watches nothing.
pub fn read_all(directory: &Path) -> Result<Vec<Result<Parsed, BindingError>>, WatchError> {
    let files = read_files(directory).map_err(|source| WatchError { path: directory.to_owned(), source })?;
    let parse = |(name, read): (OsString, io::Result<Vec<u8>>)| {
        let path = directory.join(name);
        match read {
            Ok(bytes) => parse(&path, &bytes),
            Err(error) => Err(unreadable(path, &error.to_string())),
        }
    };
    Ok(files.map(parse).collect())
}

/// Reads the binding file of one tap, and watches nothing; None if there is none.
pub fn read_one(directory: &Path, tap: InterfaceName) -> Option<Result<Parsed, BindingError>> {
    let path = directory.join(tap.to_string());
    match file::read(&path) {
        File::Missing => None,
        File::Unreadable(error) => Some(Err(unreadable(path, &error.to_string()))),
        File::Readable(_, bytes) => Some(parse(&path, &bytes)),
    }
}

/// Reads all files of `directory` that may be binding files, in the order of their names: what is in each, up to one byte
/// more than a binding may have, or why it cannot be read.
pub(super) fn read_files(directory: &Path) -> io::Result<impl Iterator<Item = (OsString, io::Result<Vec<u8>>)>> {
    let names: BTreeSet<OsString> = names(directory)?.into_iter().collect();
    let directory = directory.to_owned();
    let read = move |name: OsString| match file::read(&directory.join(&name)) {
        File::Missing => None,
        File::Unreadable(error) => Some((name, Err(error))),
        File::Readable(_, bytes) => Some((name, Ok(bytes))),
    };
    Ok(names.into_iter().filter_map(read))
}

/// Where the files of `directory` are that may be binding files, in the order of their names.
pub(super) fn paths(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let names: BTreeSet<OsString> = names(directory)?.into_iter().collect();
    let paths = names.into_iter().map(|name| directory.join(name));
    Ok(paths.filter(|path| path.is_file()).collect())
}

/// The names in `directory` that may be those of binding files.
fn names(directory: &Path) -> io::Result<HashSet<OsString>> {
    let entries = fs::read_dir(directory).map_err(|error| sandbox::explained(directory, error))?;
    let names = entries.map(|entry| Ok(entry?.file_name()));
    names.filter(|name| !name.as_ref().is_ok_and(|name| pending::is_ignored(name))).collect()
}

/// The tap that a file name names.
pub fn tap_of(name: &OsStr) -> Option<InterfaceName> {
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
