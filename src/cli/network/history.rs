//! `LOGFILE`: what was done to the node, and when.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;

/// Appends all log lines of the process to a file. Each is one write, so that lines of several runs do not mix.
pub(super) fn open(path: &Path) -> io::Result<()> {
    // A FIFO that nobody reads must not hold up an instance.
    let file = OpenOptions::new().append(true).create(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let lines = fmt().with_max_level(LevelFilter::INFO).with_ansi(false).with_target(false).log_internal_errors(false);
    lines.with_writer(Mutex::new(file)).try_init().map_err(io::Error::other)
}
