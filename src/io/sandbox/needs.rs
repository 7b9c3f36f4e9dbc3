//! What the daemon keeps: its files, as rules on directories.
//!
//! A rule of Landlock holds for what it was made on and all below, wherever that is moved; what takes its place by the
//! same name is another thing. So a rule is made on the directory that *holds* what may be replaced: that of the
//! configuration, which editors rename over, and that of the directory of bindings, which may be removed and made again,
//! moved away and back, or mounted over. The root of all files never is such a directory: then the rule is on the thing
//! itself, and its successor is out of reach.

#![expect(clippy::disallowed_methods, reason = "io is where the outside world is")]

use std::fs;
use std::path::{Path, PathBuf};

use crate::io::MAX_SYMLINKS;
use crate::io::supervisor::Listener;

/// What the running daemon works with.
#[derive(Debug, Clone)]
pub struct Needs<'a> {
    /// The configuration file, which SIGHUP has read again.
    pub config: &'a Path,
    /// The directory of bindings.
    pub bindings: &'a Path,
    /// Where the log file is written, and made after a rotation; None without a log file. If there is no such directory, an
    /// administrator may still make it.
    pub log_directory: Option<&'a Path>,
    /// What is removed at the end.
    pub removed: Vec<&'a Path>,
    /// Who is told how we are.
    pub supervisor: Listener,
}

/// What may be done with what is below a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Read files, list directories.
    Read,
    /// Make files, write files.
    Log,
    /// Remove files.
    Remove,
}

/// A directory, or a file, and what may be done with it and with all below.
pub(super) type Grant = (PathBuf, Use);

impl Needs<'_> {
    /// The rules on files. Paths that lead nowhere are left out: what comes to be there is out of reach.
    pub(super) fn grants(&self) -> Vec<Grant> {
        let read = read_below(self.config, self.bindings).into_iter();
        // How the watch hears of file systems that are mounted.
        let read = read.chain([PathBuf::from("/proc/self/mountinfo")]).map(|path| (path, Use::Read));
        let log = self.log_directory.and_then(log_holder).map(|path| (path, Use::Log));
        let parent = |path: &&Path| fs::canonicalize(path.parent()?).ok();
        let removed = self.removed.iter().filter_map(parent).map(|path| (path, Use::Remove));
        let mut grants: Vec<Grant> =
            read.chain(log).chain(removed).filter(|(path, _)| path != Path::new("/")).collect();
        grants.dedup();
        grants
    }
}

/// Whether the sandbox of a daemon with this configuration and directory of bindings lets it read what `path` leads to. What
/// leads nowhere is none of the sandbox's.
pub fn is_within_reach(config: &Path, bindings: &Path, path: &Path) -> bool {
    let Ok(target) = fs::canonicalize(path) else { return true };
    read_below(config, bindings).iter().any(|holder| holder != Path::new("/") && target.starts_with(holder))
}

/// Below what files are read that belong to it.
fn read_below(config: &Path, bindings: &Path) -> Vec<PathBuf> {
    [config, bindings].into_iter().flat_map(holders).collect()
}

/// The directory of the log; what holds it, where there is none. Others' logs are often beside it, so that what holds it is not
/// given otherwise, and no directory further up at all.
fn log_holder(path: &Path) -> Option<PathBuf> {
    let found = fs::canonicalize(path).ok().filter(|found| found.is_dir());
    found.or_else(|| fs::canonicalize(std::path::absolute(path).ok()?.parent()?).ok())
}

/// The directories that hold `path`, and each symbolic link that it leads through; in the place of the root of all
/// files, what is there itself.
fn holders(path: &Path) -> Vec<PathBuf> {
    let Ok(mut here) = std::path::absolute(path) else { return Vec::new() };
    let mut holders = Vec::new();
    for _ in 0..MAX_SYMLINKS {
        let Some(holder) = here.parent().and_then(|parent| fs::canonicalize(parent).ok()) else { break };
        let is_root = holder == Path::new("/");
        holders.extend(if is_root { fs::canonicalize(&here).ok() } else { Some(holder.clone()) });
        let Ok(target) = fs::read_link(&here) else { break };
        here = holder.join(target);
    }
    holders
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_rule_is_made_on_what_holds_a_file_and_the_links_to_it() {
        let scratch = std::env::temp_dir().join(format!("holders-{}", std::process::id()));
        let place = |name: &str| scratch.join(name);
        for name in ["etc", "srv", "lib/bindings"] {
            fs::create_dir_all(place(name)).unwrap();
        }
        fs::write(place("srv/file"), "").unwrap();
        symlink("../srv/file", place("lib/link")).unwrap();
        symlink(place("lib/link"), place("etc/conf")).unwrap();
        let scratch = fs::canonicalize(&scratch).unwrap();
        let found = |name: &str| -> Vec<PathBuf> {
            let holders = holders(&place(name)).into_iter();
            holders.map(|holder| holder.strip_prefix(&scratch).unwrap().to_owned()).collect()
        };
        let cases: [(&str, &[&str]); 6] = [
            ("srv/file", &["srv"]),
            ("etc/conf", &["etc", "lib", "srv"]),
            ("lib/bindings", &["lib"]),
            ("lib/bindings/", &["lib"]),
            ("etc/not-there-yet", &["etc"]),
            ("nowhere/file", &[]),
        ];
        let results: Vec<_> = cases.iter().map(|(name, _)| found(name)).collect();
        fs::remove_dir_all(&scratch).unwrap();
        for ((name, expected), result) in cases.iter().zip(results) {
            assert_eq!(result, expected.iter().map(PathBuf::from).collect::<Vec<_>>(), "{name}");
        }
    }

    #[test]
    fn what_holds_a_log_directory_is_given_only_where_that_is_missing() {
        let scratch = std::env::temp_dir().join(format!("log-holder-{}", std::process::id()));
        fs::create_dir_all(scratch.join("log/there")).unwrap();
        fs::write(scratch.join("log/in-the-way"), "").unwrap();
        let scratch = fs::canonicalize(&scratch).unwrap();
        let holder = |name: &str| log_holder(&scratch.join(name));
        let found = ["log/there", "log/missing", "log/missing/", "log/in-the-way", "log/missing/far"].map(holder);
        fs::remove_dir_all(&scratch).unwrap();
        let log = Some(scratch.join("log"));
        assert_eq!(found, [Some(scratch.join("log/there")), log.clone(), log.clone(), log, None]);
    }

    #[test]
    fn the_root_of_all_files_is_never_given() {
        let root = Path::new("/");
        assert_eq!(holders(Path::new("/dev")), [PathBuf::from("/dev")]);
        assert!(holders(Path::new("/no-such-file")).is_empty());
        let needs = Needs {
            config: root,
            bindings: root,
            log_directory: Some(root),
            removed: vec![Path::new("/pid")],
            supervisor: Listener::Nobody,
        };
        assert_eq!(needs.grants(), [(PathBuf::from("/proc/self/mountinfo"), Use::Read)]);
        let needs = Needs { log_directory: Some(Path::new("/no-such-directory")), ..needs };
        assert_eq!(needs.grants(), [(PathBuf::from("/proc/self/mountinfo"), Use::Read)]);
    }
}
