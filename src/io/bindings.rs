//! Binding files for those who write them, `snf-network` and `nfdhcpd bind`: read all, and written whole or not at all.

#![expect(clippy::disallowed_methods, reason = "io is where the outside world is")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::signal;
use nix::unistd::Pid;

use super::watch;
use crate::binding::InterfaceName;

/// Who may read a binding: all.
const MODE: u32 = 0o644;

/// The text of each file of `directory` that is named as an interface may be, as far as a binding may go. A directory that
/// is missing has none.
pub fn read(directory: &Path) -> io::Result<BTreeMap<InterfaceName, String>> {
    let files = match watch::read_files(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        files => files?,
    };
    let mut bindings = BTreeMap::new();
    for (name, read) in files {
        if let Some(tap) = watch::tap_of(&name) {
            // Text that is none differs from any that is to be there, and so is written anew.
            bindings.insert(tap, String::from_utf8_lossy(&read?).into_owned());
        }
    }
    Ok(bindings)
}

/// Writes a file: whoever reads it sees all of the old text or all of the new. What stands at `path`, be it a link that
/// leads elsewhere, is replaced.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    sweep(path);
    let temporary = temporary(path, std::process::id())?;
    let result = write_new(&temporary, text).and_then(|()| fs::rename(&temporary, path));
    if result.is_err() {
        // The error that is told is the first.
        let _left_over = fs::remove_file(&temporary);
    }
    result
}

/// Whether there is a directory of bindings, such as [`remove`] takes for one without the file.
///
/// # Errors
/// Why there is none.
pub fn check_directory(directory: &Path) -> io::Result<()> {
    if fs::metadata(directory)?.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

/// Removes a file, which may be gone.
pub fn remove(path: &Path) -> io::Result<()> {
    sweep(path);
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Makes a file that was not there. Nobody's link is followed.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path)?;
    // Whatever the umask of whoever runs us.
    file.set_permissions(Permissions::from_mode(MODE))?;
    file.write_all(text.as_bytes())
}

/// Where a file is written before it is moved to `path`: `.NAME.PID`, which is no binding file to anybody.
fn temporary(path: &Path, pid: u32) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    Ok(path.with_file_name(format!(".{}.{pid}", name.to_string_lossy())))
}

/// Removes what writers left in the directory of `path` that did not come to their end. What cannot be removed does no harm.
fn sweep(path: &Path) {
    let Some(entries) = path.parent().and_then(|directory| fs::read_dir(directory).ok()) else { return };
    for entry in entries.flatten() {
        if writer_of(&entry.file_name()).is_some_and(|writer| !is_at_work(writer)) {
            let _kept = fs::remove_file(entry.path());
        }
    }
}

/// Which process wrote a temporary file of this name; None if that is the name of anything else.
fn writer_of(name: &OsStr) -> Option<Pid> {
    let (tap, pid) = name.to_str()?.strip_prefix('.')?.rsplit_once('.')?;
    tap.parse::<InterfaceName>().ok()?;
    let pid = pid.parse().ok().filter(|pid| *pid > 0)?;
    Some(Pid::from_raw(pid))
}

/// Whether a process writes at this moment. A file of our own number is that of a dead one which had it before us.
fn is_at_work(writer: Pid) -> bool {
    writer != Pid::this() && signal::kill(writer, None) != Err(Errno::ESRCH)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A directory of this test's own.
    fn scratch(test: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("node-bindings-{test}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        path
    }

    fn names(directory: &Path) -> Vec<String> {
        let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    /// A number that no process has: its process was waited for.
    fn dead() -> u32 {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        child.id()
    }

    #[test]
    fn what_is_written_is_read_back_and_may_be_read_by_all() {
        let directory = scratch("write");
        for text in ["INDEV=br0\n", "INDEV=br1\nIP=192.0.2.1\n"] {
            write(&directory.join("tap0"), text).unwrap();
            assert_eq!(read(&directory).unwrap(), [("tap0".parse().unwrap(), text.to_owned())].into());
        }
        let mode = fs::metadata(directory.join("tap0")).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o644);
        assert_eq!(names(&directory), ["tap0"]);
        remove(&directory.join("tap0")).unwrap();
        remove(&directory.join("tap0")).unwrap();
        assert_eq!(names(&directory), [""; 0]);
        fs::remove_dir(directory).unwrap();
    }

    #[test]
    fn what_is_no_binding_file_is_not_read() {
        let directory = scratch("read");
        for name in [".tap1.1", "tap2~", "tap3.tmp", "tap4.dpkg-new", "sixteen-letters-", "tap5.swp"] {
            fs::write(directory.join(name), "text").unwrap();
        }
        fs::create_dir(directory.join("tap6")).unwrap();
        nix::unistd::mkfifo(&directory.join("tap7"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        fs::write(directory.join("tap8"), b"\xff").unwrap();
        let read_back = read(&directory).unwrap();
        fs::remove_dir_all(&directory).unwrap();
        assert_eq!(read_back, [("tap8".parse().unwrap(), "\u{fffd}".to_owned())].into());
        assert_eq!(read(&directory).unwrap(), BTreeMap::new(), "a directory that is missing");
    }

    #[test]
    fn links_are_replaced_and_never_followed() {
        let directory = scratch("links");
        let (path, elsewhere) = (directory.join("tap0"), directory.join(".elsewhere"));
        fs::write(&elsewhere, "untouched").unwrap();
        symlink(&elsewhere, &path).unwrap();
        symlink(&elsewhere, temporary(&path, std::process::id()).unwrap()).unwrap();
        write(&path, "new").unwrap();
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
        symlink(&elsewhere, directory.join("tap1")).unwrap();
        remove(&directory.join("tap1")).unwrap();
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "untouched");
        assert_eq!(names(&directory), [".elsewhere", "tap0"]);
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn what_a_dead_writer_left_is_removed_and_nothing_else() {
        let directory = scratch("sweep");
        let living = std::os::unix::process::parent_id();
        let kept =
            [format!(".tap0.{living}"), ".tap1.swp".into(), ".profile".into(), ".tap2.-1".into(), "tap3.1".into()];
        for name in &kept {
            fs::write(directory.join(name), "text").unwrap();
        }
        for tap in ["tap0", "tap9"] {
            fs::write(directory.join(format!(".{tap}.{}", dead())), "text").unwrap();
        }
        remove(&directory.join("tap5")).unwrap();
        let mut expected: Vec<_> = kept.into();
        expected.sort();
        assert_eq!(names(&directory), expected);
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn what_cannot_be_put_in_its_place_leaves_nothing() {
        let directory = scratch("fail");
        fs::create_dir_all(directory.join("tap0").join("inside")).unwrap();
        let error = write(&directory.join("tap0"), "text").unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EISDIR));
        assert_eq!(names(&directory), ["tap0"]);
        assert_eq!(write(&directory.join("missing").join("tap0"), "").unwrap_err().kind(), io::ErrorKind::NotFound);
        fs::remove_dir_all(directory).unwrap();
    }
}
