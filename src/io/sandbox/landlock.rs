//! Files, TCP, signals: what Landlock (landlock(7)) leaves.

use std::error::Error;
use std::io;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, RestrictionStatus, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

use super::Lack;
use super::needs::{Needs, Use};
use crate::io::supervisor::Listener;
use crate::io::sys;

/// The newest version of which anything is used. An older kernel does what it knows of it.
const NEWEST: ABI = ABI::V6;

impl Use {
    /// What may be done with the files below.
    fn rights(self) -> BitFlags<AccessFs> {
        match self {
            Self::Read => AccessFs::ReadFile | AccessFs::ReadDir,
            Self::Log => AccessFs::WriteFile | AccessFs::MakeReg,
            Self::Remove => AccessFs::RemoveFile.into(),
        }
    }
}

/// Restricts this thread to these files, to no TCP port, and to no process but our own. Returns what is in force.
///
/// # Errors
/// The library takes the rules for wrong.
pub(super) fn restrict(needs: &Needs<'_>) -> io::Result<Result<String, Lack>> {
    let version = match sys::landlock_version() {
        Ok(version) => version,
        Err(error) => return Ok(Err(Lack::of(error))),
    };
    match try_to_restrict(needs) {
        Ok(RestrictionStatus { ruleset: RulesetStatus::NotEnforced, .. }) => Ok(Err(Lack::Missing)),
        Ok(_) => Ok(Ok(in_words(version))),
        Err(error) => match errno(&error) {
            Some(errno) => Ok(Err(Lack::of(io::Error::from_raw_os_error(errno)))),
            None => Err(io::Error::other(error)),
        },
    }
}

/// All rights that are handled are taken, but for what is granted. To run programs is granted nowhere, and nor is TCP:
/// connections that come in need no right.
fn try_to_restrict(needs: &Needs<'_>) -> Result<RestrictionStatus, RulesetError> {
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(scopes(needs.supervisor))?
        .create()?;
    for (path, usage) in needs.grants() {
        ruleset = ruleset.add_rules(path_beneath_rules([path], usage.rights()))?;
    }
    ruleset.restrict_self()
}

/// Nothing of other processes: no signals to them, no abstract sockets of theirs, unless the supervisor's is one.
fn scopes(supervisor: Listener) -> BitFlags<Scope> {
    match supervisor {
        Listener::Abstract => Scope::Signal.into(),
        Listener::Nobody | Listener::Path => Scope::from_all(NEWEST),
    }
}

/// What the kernel said, if it was the kernel.
fn errno(error: &RulesetError) -> Option<i32> {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return error.raw_os_error();
        }
        cause = error.source();
    }
    None
}

/// What a version can restrict of what we want.
fn in_words(version: u32) -> String {
    let what = match version {
        ..4 => "files",
        4..6 => "files, TCP",
        6.. => "files, TCP, signals",
    };
    format!("version {version}: {what}")
}
