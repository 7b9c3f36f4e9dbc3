//! Directories that are missing: those of the log file, the pidfile and the control socket.

#![expect(clippy::disallowed_methods, reason = "io is where the outside world is")]

use std::fs;
use std::io;
use std::os::unix::fs::chown;
use std::path::Path;

use nix::unistd::{Gid, Uid};

/// Makes a directory that is missing, its parents included, and gives the directory itself to `owner`.
pub fn make(path: &Path, owner: Option<(Uid, Gid)>) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path)?;
    match owner {
        Some((uid, gid)) => chown(path, Some(uid.as_raw()), Some(gid.as_raw())),
        None => Ok(()),
    }
}
