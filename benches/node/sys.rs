//! Two ways to receive that the daemon has no need of: many messages in one call that waits for the first, and frames
//! without any call.
//!
//! The only `unsafe` of the benchmark.

#![allow(unsafe_code)]

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use libc::{TP_STATUS_KERNEL, TP_STATUS_USER, tpacket_req, tpacket2_hdr};

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

/// Frames that a packet socket received, in memory that the kernel shares with us (packet(7), PACKET_RX_RING).
pub(crate) struct Ring {
    memory: NonNull<u8>,
    /// The slot that the next frame comes in.
    next: usize,
}

/// The length of a slot in bytes: its header, and a frame of 1,514 bytes.
const SLOT_LEN: usize = 2048;
/// How many slots there are. Nothing is lost while fewer frames wait.
const SLOTS: usize = 4096;
/// Slots are allocated in blocks of so many bytes.
const BLOCK_LEN: usize = 1 << 16;

impl Ring {
    /// Gives the socket a ring. From now on it has frames for nobody else.
    pub(crate) fn new(socket: BorrowedFd<'_>) -> io::Result<Self> {
        set_packet_option(socket, libc::PACKET_VERSION, &libc::tpacket_versions::TPACKET_V2)?;
        let request = tpacket_req {
            tp_block_size: BLOCK_LEN as _,
            tp_block_nr: (SLOTS * SLOT_LEN / BLOCK_LEN) as _,
            tp_frame_size: SLOT_LEN as _,
            tp_frame_nr: SLOTS as _,
        };
        set_packet_option(socket, libc::PACKET_RX_RING, &request)?;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping, at an address of the kernel's choice, touches no memory that is in use.
        let memory =
            unsafe { libc::mmap(ptr::null_mut(), SLOTS * SLOT_LEN, access, libc::MAP_SHARED, socket.as_raw_fd(), 0) };
        match NonNull::new(memory) {
            Some(memory) if memory.as_ptr() != libc::MAP_FAILED => Ok(Self { memory: memory.cast(), next: 0 }),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Whether there is a frame.
    pub(crate) fn has_frame(&self) -> bool {
        self.slot().1.load(Ordering::Acquire) & TP_STATUS_USER != 0
    }

    /// Shows the next frame and the time of its arrival, by the kernel's clock, to `look`, and gives its slot back; None if
    /// there is no frame.
    pub(crate) fn take<T>(&mut self, look: impl FnOnce(&[u8], Duration) -> T) -> Option<T> {
        if !self.has_frame() {
            return None;
        }
        let (slot, status) = self.slot();
        // SAFETY: TP_STATUS_USER says that the slot is ours, with header and frame written, until we say otherwise. The
        // frame lies behind the header and within the slot: the kernel cuts off what does not fit.
        let (header, frame) = unsafe {
            let header: tpacket2_hdr = slot.cast().read();
            let start = slot.add(usize::from(header.tp_mac)).as_ptr();
            (header, slice::from_raw_parts(start, header.tp_snaplen as usize))
        };
        let seen = look(frame, Duration::new(header.tp_sec.into(), header.tp_nsec));
        status.store(TP_STATUS_KERNEL, Ordering::Release);
        self.next = (self.next + 1) % SLOTS;
        Some(seen)
    }

    /// The slot that the next frame comes in, and its status.
    fn slot(&self) -> (NonNull<u8>, &AtomicU32) {
        // SAFETY: `next` is below SLOTS, so the slot is within the mapping, which lives as long as `self`. Slots are
        // aligned far beyond a word. Its first word is written by the kernel and by us, atomically by both.
        unsafe {
            let slot = self.memory.add(self.next * SLOT_LEN);
            (slot, AtomicU32::from_ptr(slot.cast().as_ptr()))
        }
    }
}

// SAFETY: the mapping belongs to the process, and to one `Ring` alone.
unsafe impl Send for Ring {}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `new` with this length, and nothing borrows from it any more.
        unsafe { libc::munmap(self.memory.as_ptr().cast(), SLOTS * SLOT_LEN) };
    }
}

/// Sets an option of a packet socket.
fn set_packet_option<T>(socket: BorrowedFd<'_>, name: libc::c_int, value: &T) -> io::Result<()> {
    // SAFETY: the option is read from `value`, of the size that is given.
    let result = unsafe {
        let len = mem::size_of::<T>() as _;
        libc::setsockopt(socket.as_raw_fd(), libc::SOL_PACKET, name, ptr::from_ref(value).cast(), len)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
