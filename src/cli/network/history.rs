//! `LOGFILE`: what was done to the node, and when.

use std::io;
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;

use crate::io::log;

/// Appends all log lines of the process to a file. Each is one write, so that lines of several runs do not mix.
pub(super) fn open(path: &Path) -> io::Result<()> {
    let file = log::open(path)?;
    let lines = fmt().with_max_level(LevelFilter::INFO).with_ansi(false).with_target(false).log_internal_errors(false);
    lines.with_writer(Mutex::new(file)).try_init().map_err(io::Error::other)
}
