//! What root can read and the daemon may not: it gives up root, and sandboxes itself.

#![expect(clippy::disallowed_methods, reason = "io is where the outside world is")]

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Uid};

use super::privileges::RunAs;
use super::{sandbox, watch};
use crate::config::General;
use crate::text::Visible;

/// The bits of a file that is read.
const READ: u32 = 0o4;
/// Those of a directory whose files are.
const LIST: u32 = 0o5;
/// The bit of a directory that leads to something.
const SEARCH: u32 = 0o1;

/// A file or directory that the daemon may find out of its reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    path: PathBuf,
    reason: String,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", Visible(&self.path.to_string_lossy()), self.reason)
    }
}

/// What a daemon with this configuration may not be able to read, as far as permissions and the sandbox say: the file
/// `config` itself, the directory of bindings, each binding, and the directories on the way to them. What is not there is
/// none of this.
pub fn doubts(config: &Path, general: &General) -> Vec<Doubt> {
    // Whoever is not root starts it as himself, and has tried by reading.
    let user = RunAs::find(&general.user).ok().flatten().and_then(|user| user.owner());
    let bindings = &general.datapath;
    let files: Vec<PathBuf> = watch::paths(bindings).unwrap_or_default();
    let by_mode = user.map(|user| denials(config, bindings, &files, user)).unwrap_or_default();
    let is_beyond = |path: &&PathBuf| general.sandbox && !sandbox::is_within_reach(config, bindings, path);
    by_mode.into_iter().chain(files.iter().filter(is_beyond).map(|path| beyond(path))).collect()
}

/// What this user may not read of it. A directory on the way is told of once, however much is below.
fn denials(config: &Path, bindings: &Path, files: &[PathBuf], user: (Uid, Gid)) -> Vec<Doubt> {
    let files = || files.iter().map(PathBuf::as_path);
    let mut ways: BTreeSet<PathBuf> = [config, bindings].into_iter().chain(files()).flat_map(way).collect();
    ways.remove(bindings);
    let own = [(config, READ), (bindings, LIST)].into_iter().chain(files().map(|file| (file, READ)));
    let all = ways.iter().map(|directory| (directory.as_path(), SEARCH)).chain(own);
    all.filter_map(|(path, bits)| denied(path, bits, user)).collect()
}

/// The directories on the way to `path`, as it is written, and to what that leads to.
fn way(path: &Path) -> Vec<PathBuf> {
    let paths = [std::path::absolute(path), fs::canonicalize(path)].into_iter().flatten();
    paths.flat_map(|path| path.ancestors().skip(1).map(Path::to_owned).collect::<Vec<_>>()).collect()
}

/// Why this user may not read what is there.
fn denied(path: &Path, bits: u32, user: (Uid, Gid)) -> Option<Doubt> {
    let found = fs::metadata(path).ok().filter(|found| !is_permitted(found, bits, user))?;
    let mode = found.mode() & 0o7777;
    let what = if bits == SEARCH { "what is below" } else { "it" };
    let reason =
        format!("mode {mode:04o}: the daemon does not run as root (general.user) and may not be able to read {what}");
    Some(Doubt { path: path.to_owned(), reason })
}

/// Whether the mode lets the user, who has no group but its own, do all of this.
fn is_permitted(found: &Metadata, bits: u32, (uid, gid): (Uid, Gid)) -> bool {
    let shift = match found {
        _ if found.uid() == uid.as_raw() => 6,
        _ if found.gid() == gid.as_raw() => 3,
        _ => 0,
    };
    found.mode() >> shift & bits == bits
}

fn beyond(path: &Path) -> Doubt {
    let reason = "a link to where the sandbox does not let the daemon read (general.sandbox)".to_owned();
    Doubt { path: path.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn what_a_mode_lets_a_user_read() {
        let path = std::env::temp_dir().join(format!("reach-{}", std::process::id()));
        fs::write(&path, "").unwrap();
        let owner = fs::metadata(&path).map(|found| (found.uid(), found.gid())).unwrap();
        let (uid, gid) = (Uid::from_raw(owner.0), Gid::from_raw(owner.1));
        let (other_uid, other_gid) = (Uid::from_raw(owner.0 + 1), Gid::from_raw(owner.1 + 1));
        let mut found = Vec::new();
        for (mode, user) in [
            (0o644, (other_uid, other_gid)),
            (0o600, (other_uid, other_gid)),
            (0o600, (uid, other_gid)),
            (0o640, (other_uid, gid)),
            (0o604, (other_uid, gid)),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            found.push(denied(&path, READ, user).map(|doubt| doubt.reason[..9].to_owned()));
        }
        let listed = denied(&path, LIST, (uid, gid)).is_some();
        fs::remove_file(&path).unwrap();
        assert_eq!(found, [None, Some("mode 0600".to_owned()), None, None, Some("mode 0604".to_owned())]);
        assert!(listed, "a directory that may not be searched");
    }
    #[test]
    fn a_directory_on_the_way_is_told_of_once() {
        let scratch = std::env::temp_dir().join(format!("reach-way-{}", std::process::id()));
        let [etc, elsewhere, bindings] = ["etc", "elsewhere", "lib/bindings"].map(|name| scratch.join(name));
        for directory in [&etc, &elsewhere, &bindings] {
            fs::create_dir_all(directory).unwrap();
        }
        let [config, bound, target] = [etc.join("conf"), bindings.join("tap1"), elsewhere.join("file")];
        for file in [&config, &bound, &target] {
            fs::write(file, "").unwrap();
            for way in file.ancestors().take_while(|way| way.starts_with(&scratch)) {
                fs::set_permissions(way, fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
        let linked = bindings.join("tap2");
        symlink(target, &linked).unwrap();
        let owner = fs::metadata(&etc).unwrap();
        let other = (Uid::from_raw(owner.uid() + 1), Gid::from_raw(owner.gid() + 1));
        let files = [bound, linked];
        let doubted = |closed: &Path| {
            fs::set_permissions(closed, fs::Permissions::from_mode(0o700)).unwrap();
            let doubts = denials(&config, &bindings, &files, other).into_iter();
            let ours: Vec<Doubt> = doubts.filter(|doubt| doubt.path.starts_with(&scratch)).collect();
            fs::set_permissions(closed, fs::Permissions::from_mode(0o755)).unwrap();
            ours
        };
        let closed = [etc, elsewhere, bindings.parent().unwrap().to_owned(), bindings.clone()];
        let results = closed.each_ref().map(|closed| doubted(closed));
        fs::remove_dir_all(&scratch).unwrap();
        for (closed, doubts) in closed.iter().zip(results) {
            assert!(matches!(&doubts[..], [one] if one.path == *closed), "{closed:?}: {doubts:?}");
        }
    }
}
