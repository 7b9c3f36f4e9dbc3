//! Small files that are read whole: settings, and what Ganeti writes of a NIC.

use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::config::ConfigError;
use crate::network::settings::{self, Parsed};

use super::NodeError;

/// The longest file of settings, in bytes.
const MAX_SETTINGS: u64 = 64 << 10;

/// Reads the settings. Without a file all is as usual.
///
/// # Errors
/// The file is there and cannot be read, or says what cannot be.
pub fn read_settings(path: &Path) -> Result<Parsed, ConfigError> {
    let unreadable = |NodeError { reason, .. }| ConfigError {
        path: path.to_owned(),
        line: None,
        key: None,
        found: None,
        reason: reason.to_string(),
    };
    match read_if_there(path, MAX_SETTINGS).map_err(unreadable)? {
        Some(text) => settings::parse(path, &text),
        None => Ok(Parsed::default()),
    }
}

/// Reads a file of at most `max` bytes of text; None if there is none.
///
/// # Errors
/// It is longer, no text, or cannot be read.
pub fn read_if_there(path: &Path, max: u64) -> Result<Option<String>, NodeError> {
    match read(path, max) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some).map_err(NodeError::of(path.display().to_string())),
    }
}

fn read(path: &Path, max: u64) -> io::Result<String> {
    let mut text = String::new();
    // Whatever else may have the name: a FIFO is not waited for.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    file.take(max + 1).read_to_string(&mut text)?;
    if text.len() as u64 > max { Err(io::Error::other(format!("more than {max} bytes"))) } else { Ok(text) }
}
