//! Directories that are missing: those of the log file, the pidfile and the control socket.

#![expect(clippy::disallowed_methods, reason = "io is where the outside world is")]

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, fchown};
use std::path::Path;

use nix::unistd::{Gid, Uid};

/// Makes a directory that is missing, its parents included, and gives the directory itself to `owner`.
pub fn make(path: &Path, owner: Option<(Uid, Gid)>) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path)?;
    match owner {
        Some(owner) => give(path, owner),
        None => Ok(()),
    }
}

/// Gives a directory that was just made to `owner`. A link that somebody put in its place meanwhile is not followed.
fn give(path: &Path, (uid, gid): (Uid, Gid)) -> io::Result<()> {
    let made = OpenOptions::new().read(true).custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW).open(path)?;
    fchown(made, Some(uid.as_raw()), Some(gid.as_raw()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_a_link_leads_to_is_not_given_away() {
        let scratch = std::env::temp_dir().join(format!("directory-{}", std::process::id()));
        let us = (Uid::effective(), Gid::effective());
        let [made, link] = ["far/made", "link"].map(|name| scratch.join(name));
        make(&made, Some(us)).unwrap();
        symlink(&made, &link).unwrap();
        let refusal = give(&link, us);
        fs::remove_dir_all(&scratch).unwrap();
        refusal.unwrap_err();
    }
}
