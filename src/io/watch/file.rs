//! Reading one file of the directory, whatever it turns out to be.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use crate::binding::parse::MAX_FILE_SIZE;
use crate::io::sandbox;

/// What a name of the directory stands for.
#[derive(Debug)]
pub(super) enum File {
    /// No binding file: nothing, a broken link, or something that is no regular file.
    Missing,
    /// A file that cannot be read, and why.
    Unreadable(io::Error),
    /// A file, with its contents up to one byte more than a binding may have.
    Readable(Stamp, Vec<u8>),
}

/// By what a file is known to be the same, without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// The stamp of the regular file (or link to one) `path`; None if there is none.
pub(super) fn stamp(path: &Path) -> io::Result<Option<Stamp>> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(Some(Stamp::of(&metadata))),
        Ok(_) => Ok(None),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads `path`. Nothing here waits for another process, also if the file is exchanged for a FIFO meanwhile.
pub(super) fn read(path: &Path) -> File {
    // What is no regular file is not even opened: that may have effects.
    match stamp(path).and_then(|stamp| stamp.map(|_| open_and_read(path)).transpose()) {
        Ok(Some(Some((stamp, bytes)))) => File::Readable(stamp, bytes),
        Ok(_) => File::Missing,
        Err(error) if is_missing(&error) => File::Missing,
        Err(error) => File::Unreadable(error),
    }
}

/// Opens and reads a file; None if it is no regular one.
fn open_and_read(path: &Path) -> io::Result<Option<(Stamp, Vec<u8>)>> {
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = file.map_err(|error| sandbox::explained(path, error))?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE_SIZE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(Some((Stamp::of(&metadata), bytes)))
}

/// Whether an error means that there is no such file, or a link that leads nowhere.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ELOOP | libc::ENOTDIR | libc::ENXIO))
}
