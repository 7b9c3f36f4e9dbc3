//! Which names of the directory are to be looked at, and when. Pure: time is an argument.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::time::Duration;

use crate::binding;

/// Monotonic time, since an epoch of the caller's choice.
pub(super) type Now = Duration;

/// How long after a bare creation, or the last write behind it, a file is read if nobody closes it after writing.
pub(super) const SETTLE: Duration = Duration::from_millis(50);
/// How many names are remembered. Beyond, the whole directory is read.
const MAX_NAMES: usize = 4096;

/// What happened to a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It is new: a file that is about to be written, or a link to one that is complete.
    Created,
    /// Its file was written to.
    Written,
    /// Its file is complete: closed after writing, renamed in.
    Completed,
    /// Its file has another mode or owner.
    Attributes,
    /// It is gone.
    Removed,
}

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Read the file of this name.
    Read,
    /// See whether the file of this name is gone. If it is there again, it is about to be written: do not read it.
    IsGone,
}

/// Names that changed, each once.
#[derive(Debug, Default)]
pub(super) struct Pending {
    names: HashMap<OsString, (Look, Now)>,
    needs_rescan: bool,
}

impl Pending {
    /// Notes a change.
    pub(super) fn note(&mut self, now: Now, name: &OsStr, change: Change) {
        if is_ignored(name) || self.needs_rescan {
            return;
        }
        let waits = matches!(self.names.get(name), Some((Look::Read, due)) if *due > now);
        let entry = match change {
            Change::Created => (Look::Read, now + SETTLE),
            // A writer is at work: leave it time to close the file. Without a creation, its close is told anyway.
            Change::Written if waits => (Look::Read, now + SETTLE),
            Change::Attributes if waits => return,
            Change::Written => return,
            Change::Completed | Change::Attributes => (Look::Read, now),
            Change::Removed => (Look::IsGone, now),
        };
        if self.names.len() < MAX_NAMES || self.names.contains_key(name) {
            self.names.insert(name.to_owned(), entry);
        } else {
            self.note_overflow();
        }
    }

    /// Notes that changes were lost.
    pub(super) fn note_overflow(&mut self) {
        self.needs_rescan = true;
        self.names.clear();
    }

    /// Whether the whole directory is to be read; asked once.
    pub(super) fn take_rescan(&mut self) -> bool {
        std::mem::take(&mut self.needs_rescan)
    }

    /// Takes names that are due, at most `limit` of them.
    pub(super) fn take_due(&mut self, now: Now, limit: usize) -> Vec<(OsString, Look)> {
        let due = self.names.extract_if(|_, (_, due)| *due <= now);
        due.take(limit).map(|(name, (look, _))| (name, look)).collect()
    }

    /// Whether a name, or the whole directory, is yet to be looked at.
    pub(super) fn is_awaited(&self, name: &OsStr) -> bool {
        self.needs_rescan || self.names.contains_key(name)
    }

    /// When something is next due.
    pub(super) fn next_due(&self) -> Option<Now> {
        if self.needs_rescan {
            return Some(Now::ZERO);
        }
        self.names.values().map(|(_, due)| *due).min()
    }
}

/// Whether a file of this name is no binding.
pub(super) fn is_ignored(name: &OsStr) -> bool {
    binding::is_temporary(name.as_encoded_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Change::*;

    const T0: Now = Now::from_secs(100);

    fn after(changes: &[(u64, Change)]) -> Pending {
        let mut pending = Pending::default();
        for (millis, change) in changes {
            pending.note(T0 + Duration::from_millis(*millis), "tap0".as_ref(), *change);
        }
        pending
    }

    /// When, in milliseconds, and how the name is looked at.
    fn plan(changes: &[(u64, Change)]) -> Option<(u64, Look)> {
        let mut pending = after(changes);
        let due = pending.next_due()?;
        let look = pending.take_due(due, 2);
        assert_eq!(pending.next_due(), None, "each name once");
        Some(((due - T0).as_millis() as u64, look[0].1))
    }

    #[test]
    fn a_file_is_read_when_it_is_complete() {
        type Case<'a> = (&'a [(u64, Change)], Option<(u64, Look)>);
        let cases: &[Case<'_>] = &[
            (&[(0, Created)], Some((50, Look::Read))),
            (&[(0, Created), (10, Completed)], Some((10, Look::Read))),
            (&[(0, Created), (40, Written)], Some((90, Look::Read))),
            (&[(0, Created), (5, Written), (6, Attributes)], Some((55, Look::Read))),
            (&[(0, Written)], None),
            (&[(0, Written), (3, Completed)], Some((3, Look::Read))),
            (&[(0, Attributes)], Some((0, Look::Read))),
            (&[(0, Removed)], Some((0, Look::IsGone))),
            (&[(0, Removed), (1, Created)], Some((51, Look::Read))),
            (&[(0, Completed), (1, Removed)], Some((1, Look::IsGone))),
            (&[(0, Completed), (1, Completed)], Some((1, Look::Read))),
        ];
        for (changes, expected) in cases {
            assert_eq!(plan(changes), *expected, "{changes:?}");
        }
    }

    #[test]
    fn too_many_names_are_a_rescan() {
        let mut pending = Pending::default();
        for number in 0..=MAX_NAMES {
            pending.note(T0, format!("tap{number}").as_ref(), Completed);
        }
        assert_eq!(pending.next_due(), Some(Now::ZERO));
        assert!(pending.take_rescan());
        assert!(!pending.take_rescan());
        assert!(pending.take_due(T0, 1).is_empty());
    }

    #[test]
    fn temporary_names_are_no_bindings() {
        for name in [".tap0", ".", "tap0~", "tap0.swp", "tap0.tmp", "tap0.dpkg-new", "a.dpkg-dist"] {
            assert!(is_ignored(name.as_ref()), "{name}");
        }
        for name in ["tap0", "tap0.100", "tmp", "swp", "tap0.dpkg"] {
            assert!(!is_ignored(name.as_ref()), "{name}");
        }
    }
}
