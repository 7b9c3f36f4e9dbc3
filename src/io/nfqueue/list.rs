//! The kernel's list of the queues that are bound in this network namespace.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use super::{BOUND_QUEUES, PROTOCOL, message};
use crate::io::netlink::Socket;
use crate::queue_list::{self, Listed};

/// How much of the list is read at most, in bytes: ten thousand queues and more.
const MAX_LEN: u64 = 1 << 20;
/// How much is read at once, in bytes.
const PIECE: usize = 4096;

/// The list as it is now, for whoever reads it once.
///
/// # Errors
/// Those of [`QueueList`].
pub fn bound() -> io::Result<Vec<Listed>> {
    QueueList::open()?.read()
}

/// The list, kept open: it is root's, and we do not stay root. What was opened can be read ever after.
#[derive(Debug)]
pub struct QueueList(File);

impl QueueList {
    /// Opens the list. Needs root, or CAP_DAC_READ_SEARCH.
    ///
    /// # Errors
    /// Among others if it may not be read, or if the kernel has no queues.
    pub fn open() -> io::Result<Self> {
        match File::open(BOUND_QUEUES) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                load_module()?;
                File::open(BOUND_QUEUES)
            }
            result => result,
        }
        .map(Self)
    }

    /// The list as it is now.
    ///
    /// # Errors
    /// It cannot be read, or is longer than a megabyte.
    pub fn read(&self) -> io::Result<Vec<Listed>> {
        let text = String::from_utf8(self.bytes()?).map_err(|_| io::ErrorKind::InvalidData)?;
        Ok(queue_list::parse(&text).collect())
    }

    fn bytes(&self) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        let mut piece = [0; PIECE];
        loop {
            let length = self.0.read_at(&mut piece, text.len() as u64)?;
            text.extend(piece.iter().take(length));
            if length == 0 {
                return Ok(text);
            }
            if text.len() as u64 > MAX_LEN {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
        }
    }
}

/// Has the kernel load its module for queues, which it does for any message of their subsystem. This one does nothing else.
fn load_module() -> io::Result<()> {
    let mut request = Vec::new();
    message::push_nothing(&mut request);
    Socket::open(PROTOCOL, 0)?.send(&request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_that_does_nothing_can_be_sent_by_anybody() {
        load_module().unwrap();
    }
}
