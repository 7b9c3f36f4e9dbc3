//! Receiving many messages in one call that waits for the first: what `nfdhcpd::io::sys` has no need of.
//!
//! The only `unsafe` of the benchmark.

#![allow(unsafe_code)]

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd};

/// How many messages one call takes at most.
pub(crate) const BATCH: usize = 64;

/// Room for the messages of one call, to be used again and again.
pub(crate) struct Inbox {
    memory: Vec<u8>,
    slot_len: usize,
    lens: [usize; BATCH],
    count: usize,
}

impl Inbox {
    /// Room for messages of at most `slot_len` bytes; of longer ones the rest is cut off.
    pub(crate) fn new(slot_len: usize) -> Self {
        Self { memory: vec![0; BATCH * slot_len], slot_len, lens: [0; BATCH], count: 0 }
    }

    /// Receives what is there, and waits only if there is nothing: as long as the socket's own timeout says.
    ///
    /// Errors are those of recvmmsg(2).
    pub(crate) fn receive(&mut self, fd: BorrowedFd<'_>) -> io::Result<usize> {
        self.count = 0;
        // SAFETY: both types are made of integers and pointers that may be null (and of padding, with musl).
        let (mut iovecs, mut headers): ([libc::iovec; BATCH], [libc::mmsghdr; BATCH]) = unsafe { mem::zeroed() };
        let slots = self.memory.chunks_exact_mut(self.slot_len);
        for ((iovec, header), slot) in iovecs.iter_mut().zip(&mut headers).zip(slots) {
            iovec.iov_base = slot.as_mut_ptr().cast();
            iovec.iov_len = slot.len();
            header.msg_hdr.msg_iov = iovec;
            header.msg_hdr.msg_iovlen = 1;
        }
        // SAFETY: each of the BATCH headers points to one iovec, which points to a slot of `memory`. The slots do not
        // overlap, and headers, iovecs and `memory` (borrowed mutably) outlive the call. A null timeout is allowed.
        let count = unsafe {
            let flags = libc::MSG_WAITFORONE;
            libc::recvmmsg(fd.as_raw_fd(), headers.as_mut_ptr(), BATCH as _, flags as _, std::ptr::null_mut())
        };
        self.count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        for (len, header) in self.lens.iter_mut().zip(&headers[..self.count]) {
            *len = (header.msg_len as usize).min(self.slot_len);
        }
        Ok(self.count)
    }

    /// The messages that were received last.
    pub(crate) fn messages(&self) -> impl Iterator<Item = &[u8]> {
        let slots = self.memory.chunks_exact(self.slot_len);
        slots.zip(&self.lens[..self.count]).map(|(slot, len)| &slot[..*len])
    }
}
