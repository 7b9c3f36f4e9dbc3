//! Files that we open by their names in a directory that may be another user's: there a name may stand for anything.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;

use nix::unistd::Uid;

/// Checks that a file may be written over or given away: that it is a regular one, without another name by which it may be
/// somebody else's, and belongs to root or one of `users`.
///
/// # Errors
/// What it is instead, as [`ErrorKind::PermissionDenied`].
pub fn check(file: &File, users: &[Uid]) -> io::Result<()> {
    let found = file.metadata()?;
    let owner = Uid::from_raw(found.uid());
    let reason = match found {
        _ if !found.is_file() => "it is no regular file",
        _ if found.nlink() > 1 => "it has another name as well (a hard link)",
        _ if !owner.is_root() && !users.contains(&owner) => "it belongs to neither root nor the daemon's user",
        _ => return Ok(()),
    };
    Err(io::Error::new(ErrorKind::PermissionDenied, reason))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test opens files")]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_a_regular_file_of_one_name_and_a_known_owner_will_do() {
        let path = std::env::temp_dir().join(format!("ownership-{}", std::process::id()));
        let link = path.with_extension("link");
        fs::write(&path, "").unwrap();
        let file = File::open(&path).unwrap();
        let us = Uid::effective();
        let other = Uid::from_raw(us.as_raw() + 1);
        let as_ours = check(&file, &[other, us]);
        let as_others = check(&file, &[other]);
        fs::hard_link(&path, &link).unwrap();
        let linked = check(&file, &[us]);
        [path, link].iter().for_each(|path| fs::remove_file(path).unwrap());
        let directory = check(&File::open(std::env::temp_dir()).unwrap(), &[us]);
        assert!(as_ours.is_ok(), "{as_ours:?}");
        // Root's files are taken for ours.
        assert_eq!(as_others.is_ok(), us.is_root(), "{as_others:?}");
        assert!(linked.unwrap_err().to_string().contains("hard link"));
        assert!(directory.unwrap_err().to_string().contains("regular file"));
    }
}
