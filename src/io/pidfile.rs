//! The file that holds our process id. A courtesy: nothing that goes wrong with it stops the daemon.

#![expect(clippy::disallowed_methods, reason = "io is where the outside world is")]

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::unistd::Uid;

use super::{directory, ownership};

/// A pidfile that was written.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
    file: File,
}

impl PidFile {
    /// Writes our process id to `path`, unless another daemon that is still alive wrote its own there. A parent
    /// directory that is made for it belongs to whoever we are now: who could write there could name another process.
    ///
    /// # Errors
    /// Among others if there is a file that neither root nor we nor `user`, as whom the daemon runs, may have left.
    pub fn create(path: &Path, user: Option<Uid>) -> io::Result<Self> {
        if let Some(parent) = path.parent() {
            directory::make(parent, None)?;
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o644)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(path)?;
        // Held until the end, so that a second daemon, which will fail to bind, does not take the file away.
        file.try_lock().map_err(|error| match error {
            TryLockError::Error(error) => error,
            TryLockError::WouldBlock => held(),
        })?;
        // Whoever held it may have removed it between our opening and our lock.
        if !fs::metadata(path).is_ok_and(|there| file.metadata().is_ok_and(|ours| ours.ino() == there.ino())) {
            return Err(held());
        }
        ownership::check(&file, &[Uid::effective(), user.unwrap_or_else(Uid::effective)])?;
        file.set_len(0)?;
        writeln!(file, "{}", std::process::id())?;
        let path = path.to_owned();
        Ok(Self { path, file })
    }

    /// Removes the file if that is permitted, else empties it.
    pub fn remove(self) -> io::Result<()> {
        fs::remove_file(&self.path).or_else(|_| self.file.set_len(0))
    }
}

fn held() -> io::Error {
    io::Error::new(io::ErrorKind::WouldBlock, "held by a daemon that still runs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_and_removed() {
        let directory = std::env::temp_dir().join(format!("pidfile-{}", std::process::id()));
        let path = directory.join("run").join("test.pid");
        let pidfile = PidFile::create(&path, None).unwrap();
        let written = fs::read_to_string(&path).unwrap();
        assert_eq!(written, format!("{}\n", std::process::id()));
        pidfile.remove().unwrap();
        assert!(!path.exists());
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn is_left_to_a_daemon_that_lives() {
        let path = std::env::temp_dir().join(format!("pidfile-{}.taken", std::process::id()));
        let first = PidFile::create(&path, None).unwrap();
        let error = PidFile::create(&path, None).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        assert_ne!(fs::read_to_string(&path).unwrap(), "");
        first.remove().unwrap();
    }

    #[test]
    fn anothers_file_is_not_written_over() {
        let path = std::env::temp_dir().join(format!("pidfile-{}.linked", std::process::id()));
        let theirs = path.with_extension("theirs");
        fs::write(&theirs, "precious").unwrap();
        fs::hard_link(&theirs, &path).unwrap();
        let error = PidFile::create(&path, None).unwrap_err();
        let left = fs::read_to_string(&theirs).unwrap();
        [path, theirs].iter().for_each(|path| fs::remove_file(path).unwrap());
        assert!(left == "precious" && error.to_string().contains("hard link"), "{error}: {left}");
    }

    #[test]
    fn is_emptied_where_it_cannot_be_removed() {
        let path = std::env::temp_dir().join(format!("pidfile-{}.pid", std::process::id()));
        let mut pidfile = PidFile::create(&path, None).unwrap();
        // A name that is a directory cannot be removed as a file.
        pidfile.path = std::env::temp_dir();
        pidfile.remove().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "");
        fs::remove_file(path).unwrap();
    }
}
