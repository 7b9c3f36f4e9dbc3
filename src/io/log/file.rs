//! The log file, which follows its name when it is rotated.

#![expect(clippy::disallowed_methods, reason = "io is where the outside world is")]

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Uid};

use crate::io::{directory, ownership, sandbox};

/// The name of the log file in its directory.
const FILE_NAME: &str = "nfdhcpd.log";

/// A log file that follows its name: when that stands for another file, as after a rotation, or for none, it is opened
/// anew.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    /// None while it cannot be opened: lines are gone, and the next one tries again.
    file: Option<File>,
}

impl LogFile {
    /// The log file in `directory`, which is not open yet.
    pub fn new(directory: &Path) -> Self {
        Self { path: directory.join(FILE_NAME), file: None }
    }

    /// Opens it to append to it. The directory is made if it is missing; it and the file belong to `owner`.
    ///
    /// # Errors
    /// Among others if the file is not known to be ours to give away.
    pub fn open(&mut self, owner: Option<(Uid, Gid)>) -> io::Result<()> {
        if let Some(directory) = self.path.parent() {
            directory::make(directory, owner)?;
        }
        let file = open(&self.path)?;
        if let Some((uid, gid)) = owner {
            ownership::check(&file, &[uid])?;
            fchown(&file, Some(uid.as_raw()), Some(gid.as_raw()))?;
        }
        self.file = Some(file);
        Ok(())
    }

    /// Opens the file that has the name now. Where that fails, the old one has to do, if there is one.
    pub fn reopen(&mut self) -> io::Result<()> {
        let opened = open(&self.path).map_err(|error| sandbox::explained_of_writing(&self.path, error));
        self.file = Some(opened?);
        Ok(())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Changes to the file that the name stands for.
    fn follow_name(&mut self) {
        if !self.has_name() {
            // Who wants to know why it fails asks for it to be opened anew.
            let _ = self.reopen();
        }
    }

    /// Whether the open file still has its name.
    fn has_name(&self) -> bool {
        let identity = |metadata: Metadata| (metadata.dev(), metadata.ino());
        let named = fs::symlink_metadata(&self.path).map(identity);
        let opened = self.file.as_ref().and_then(|file| file.metadata().ok()).map(identity);
        opened.is_some() && opened == named.ok()
    }
}

/// Each call is a line. Two calls of stat(2) more cost it little, and how many lines there are is bounded elsewhere.
impl Write for LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.follow_name();
        self.file.as_mut().map_or(Err(io::ErrorKind::NotConnected.into()), |file| file.write(line))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), File::flush)
    }
}

/// Opens a log file to append to it. It is made if it is missing, for its owner and to be read by its group. A symbolic link
/// is not followed, and a FIFO that nobody reads holds nobody up.
///
/// # Errors
/// Those of open(2).
pub fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log file in a new directory of its own.
    fn log_file(name: &str) -> (LogFile, PathBuf) {
        let directory = std::env::temp_dir().join(format!("log-{name}-{}", std::process::id()));
        let mut log = LogFile::new(&directory);
        log.open(None).unwrap();
        (log, directory)
    }

    #[test]
    fn follows_its_name_when_it_is_rotated() {
        let (mut log, directory) = log_file("rotated");
        let (path, rotated) = (directory.join(FILE_NAME), directory.join("rotated"));
        let read = |path| fs::read_to_string(path).unwrap();
        writeln!(log, "first").unwrap();
        fs::rename(&path, &rotated).unwrap();
        writeln!(log, "second").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o137, 0);
        writeln!(log, "third").unwrap();
        assert_eq!((read(&rotated), read(&path)), ("first\n".to_owned(), "second\nthird\n".to_owned()));
        // As logrotate's `create` does it: another file is already there.
        fs::rename(&path, &rotated).unwrap();
        fs::write(&path, "").unwrap();
        writeln!(log, "fourth").unwrap();
        assert_eq!((read(&rotated), read(&path)), ("second\nthird\n".to_owned(), "fourth\n".to_owned()));
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn stays_with_the_old_file_where_there_can_be_no_new_one() {
        let (mut log, directory) = log_file("stuck");
        let rotated = directory.join("rotated");
        fs::rename(directory.join(FILE_NAME), &rotated).unwrap();
        // What a name stands for is not followed by way of a symbolic link.
        std::os::unix::fs::symlink("elsewhere", directory.join(FILE_NAME)).unwrap();
        writeln!(log, "line").unwrap();
        assert_eq!(fs::read_to_string(&rotated).unwrap(), "line\n");
        assert!(!directory.join("elsewhere").exists());
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn what_may_be_anothers_file_is_not_given_away() {
        let (mut log, directory) = log_file("linked");
        let owner = fs::metadata(log.path()).map(|found| (Uid::from_raw(found.uid()), Gid::from_raw(found.gid())));
        let owner = owner.unwrap();
        log.open(Some(owner)).unwrap();
        fs::hard_link(log.path(), directory.join("link")).unwrap();
        let error = log.open(Some(owner)).unwrap_err();
        fs::remove_dir_all(directory).unwrap();
        assert!(error.to_string().contains("hard link"), "{error}");
    }

    #[test]
    fn goes_on_after_copytruncate() {
        let (mut log, directory) = log_file("truncated");
        let path = directory.join(FILE_NAME);
        writeln!(log, "first").unwrap();
        OpenOptions::new().write(true).truncate(true).open(&path).unwrap();
        writeln!(log, "second").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "second\n");
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn is_opened_as_soon_as_that_is_possible() {
        let directory = std::env::temp_dir().join(format!("log-late-{}", std::process::id()));
        fs::write(&directory, "in the way").unwrap();
        let mut log = LogFile::new(&directory);
        log.open(None).unwrap_err();
        writeln!(log, "lost").unwrap_err();
        log.reopen().unwrap_err();
        fs::remove_file(&directory).unwrap();
        fs::create_dir(&directory).unwrap();
        log.reopen().unwrap();
        writeln!(log, "line").unwrap();
        assert_eq!(fs::read_to_string(log.path()).unwrap(), "line\n");
        fs::remove_dir_all(directory).unwrap();
    }
}
