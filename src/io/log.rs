//! Where log lines go: to stderr, and to a file if the configuration names a directory.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _};
use std::os::unix::fs::{OpenOptionsExt as _, fchown};
use std::path::Path;
use std::sync::Arc;

use nix::unistd::{Gid, Uid};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use super::pidfile::make_directory;

/// The name of the log file in its directory.
const FILE_NAME: &str = "nfdhcpd.log";

/// Opens the log file in `directory`, to append to it. The directory is made if it is missing; it and the file belong
/// to `owner`.
pub fn open_file(directory: &Path, owner: Option<(Uid, Gid)>) -> io::Result<File> {
    make_directory(directory, owner)?;
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(directory.join(FILE_NAME))?;
    if let Some((uid, gid)) = owner {
        fchown(&file, Some(uid.as_raw()), Some(gid.as_raw()))?;
    }
    Ok(file)
}

/// Sends all log lines of the process to stderr and to `file`, from level debug or info on.
pub fn init(debug: bool, file: Option<File>) -> Result<(), TryInitError> {
    let level = if debug { LevelFilter::DEBUG } else { LevelFilter::INFO };
    let stderr = fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal()).with_target(false);
    // The journal has its own time.
    let stderr =
        if std::env::var_os("JOURNAL_STREAM").is_some() { stderr.without_time().boxed() } else { stderr.boxed() };
    let file = file.map(|file| fmt::layer().with_writer(Arc::new(file)).with_ansi(false).with_target(false));
    tracing_subscriber::registry().with(level).with(stderr).with(file).try_init()
}
