//! The configuration file as a file.

#![expect(clippy::disallowed_methods, reason = "io is where the outside world is")]

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::sandbox;
use crate::config::{self, Account, ConfigError, Faults, Parsed};

/// The largest configuration, in bytes.
const MAX_SIZE: u64 = 1024 * 1024;

/// Where it is, unless `-c` says otherwise.
pub const DEFAULT_PATH: &str = "/etc/nfdhcpd/nfdhcpd.conf";

/// Reads and parses the configuration file.
///
/// # Errors
/// Everything that is wrong with it; or that it cannot be read.
pub fn read(path: &Path) -> Result<Parsed, Faults> {
    let bytes = read_bytes(path).map_err(|error| ConfigError {
        path: path.to_owned(),
        line: None,
        key: None,
        found: None,
        reason: format!("cannot be read: {error}"),
    })?;
    config::parse(path, &bytes)
}

/// Tries whether the file can be read by the user we are now.
pub fn probe(path: &Path) -> io::Result<()> {
    open(path).map(drop)
}

fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(MAX_SIZE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_SIZE {
        return Err(io::Error::other(format!("more than {MAX_SIZE} bytes")));
    }
    Ok(bytes)
}

/// Opens a regular file, or a link to one. It waits for nobody: a FIFO would stop the daemon at a SIGHUP.
fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path);
    let file = file.map_err(|error| sandbox::explained(path, error))?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    Ok(file)
}

/// What is wrong with a configuration whose `user` is nobody on this machine.
pub fn unknown_user(path: &Path, user: &Account) -> ConfigError {
    unknown(path, user, "no user of this name on this machine; allowed is a name or a uid")
}

/// What is wrong with a configuration whose `control_group` is none of this machine.
pub fn unknown_group(path: &Path, group: &Account) -> ConfigError {
    let reason = "no group of this name on this machine; allowed is a name or a gid; there will be no control socket";
    unknown(path, group, reason)
}

fn unknown(path: &Path, Account { key, name, line }: &Account, reason: &str) -> ConfigError {
    ConfigError {
        path: path.to_owned(),
        line: *line,
        key: Some(format!("general.{key}")),
        found: Some(name.clone()),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use nix::sys::stat::Mode;

    use super::*;

    fn reason(path: &Path) -> String {
        read(path).unwrap_err().errors.remove(0).reason
    }

    #[test]
    fn only_a_regular_file_of_bounded_size_is_read() {
        let directory = std::env::temp_dir().join(format!("config-file-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let (fifo, large) = (directory.join("fifo"), directory.join("large"));
        nix::unistd::mkfifo(&fifo, Mode::S_IRWXU).unwrap();
        File::create(&large).unwrap().set_len(MAX_SIZE + 1).unwrap();
        for path in [Path::new("/dev/zero"), &fifo] {
            assert_eq!(reason(path), "cannot be read: not a regular file");
        }
        assert_eq!(reason(&large), "cannot be read: more than 1048576 bytes");
        fs::remove_dir_all(directory).unwrap();
    }
}
