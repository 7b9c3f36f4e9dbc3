//! System calls that nix lacks, or has only in a form that allocates for each call.
//!
//! The only `unsafe` of the program. Each function takes slices and returns counts; no raw pointer leaves this file.

#![allow(unsafe_code)]

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// How many messages one call takes or gives at most.
pub const MAX_BATCH: usize = 64;

/// Receives up to [`MAX_BATCH`] messages without waiting, one into each of `rooms`: into its first part, and what that has
/// no room for into its second.
///
/// Writes their lengths in bytes to `lengths` and returns how many there are. What a room is too small for is cut off.
/// Errors are those of recvmmsg(2).
pub fn recv_batch<'a>(
    fd: BorrowedFd<'_>,
    rooms: impl Iterator<Item = [&'a mut [u8]; 2]>,
    lengths: &mut [usize; MAX_BATCH],
) -> io::Result<usize> {
    let mut iovecs = [[EMPTY_IOVEC; 2]; MAX_BATCH];
    let mut wanted = 0;
    for (iovecs, room) in iovecs.iter_mut().zip(rooms) {
        *iovecs = room.map(|part| libc::iovec { iov_base: part.as_mut_ptr().cast(), iov_len: part.len() });
        wanted += 1;
    }
    let mut headers = [empty_header(); MAX_BATCH];
    for (header, iovecs) in headers.iter_mut().zip(&mut iovecs) {
        header.msg_hdr.msg_iov = iovecs.as_mut_ptr();
        header.msg_hdr.msg_iovlen = iovecs.len() as _;
    }
    // SAFETY: the first `wanted` headers each point to two iovecs of this stack frame, which point to two parts of a room.
    // These are borrowed mutably, so no two overlap, and for 'a, longer than the call. A null timeout is allowed.
    let count = unsafe {
        libc::recvmmsg(fd.as_raw_fd(), headers.as_mut_ptr(), wanted, libc::MSG_DONTWAIT as _, std::ptr::null_mut())
    };
    let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
    for ((length, header), [first, second]) in lengths.iter_mut().zip(&headers).zip(&iovecs).take(count) {
        *length = (header.msg_len as usize).min(first.iov_len + second.iov_len);
    }
    Ok(count)
}

/// A frame to send out of an interface.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// `sll_ifindex`.
    pub ifindex: u32,
    /// The frame, from its Ethernet header on.
    pub bytes: &'a [u8],
}

/// Sends the first of `frames`, up to [`MAX_BATCH`], on a packet socket without waiting, and returns how many went.
///
/// The error is that of the first frame; a later frame that fails only ends the count (sendmmsg(2)).
pub fn send_frames<'a>(fd: BorrowedFd<'_>, frames: impl Iterator<Item = Frame<'a>>) -> io::Result<usize> {
    let mut iovecs = [EMPTY_IOVEC; MAX_BATCH];
    // SAFETY: all fields of sockaddr_ll are integers, for which zero is a value.
    let mut addresses: [libc::sockaddr_ll; MAX_BATCH] = unsafe { mem::zeroed() };
    let mut wanted = 0;
    for ((iovec, address), frame) in iovecs.iter_mut().zip(&mut addresses).zip(frames) {
        iovec.iov_base = frame.bytes.as_ptr().cast_mut().cast();
        iovec.iov_len = frame.bytes.len();
        address.sll_family = libc::AF_PACKET as _;
        address.sll_ifindex = frame.ifindex as _;
        address.sll_protocol = ethertype(frame.bytes);
        wanted += 1;
    }
    let mut headers = [empty_header(); MAX_BATCH];
    for ((header, iovec), address) in headers.iter_mut().zip(&mut iovecs).zip(&mut addresses) {
        header.msg_hdr.msg_name = (address as *mut libc::sockaddr_ll).cast();
        header.msg_hdr.msg_namelen = mem::size_of::<libc::sockaddr_ll>() as _;
        header.msg_hdr.msg_iov = iovec;
        header.msg_hdr.msg_iovlen = 1;
    }
    // SAFETY: the first `wanted` headers each point to one address and one iovec of this stack frame, which the kernel
    // only reads; the iovecs point to `bytes` of frames, which live for 'a, longer than the call.
    let count = unsafe { libc::sendmmsg(fd.as_raw_fd(), headers.as_mut_ptr(), wanted, libc::MSG_DONTWAIT as _) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

/// The Ethernet type, as it stands in the frame: in network order, as `sll_protocol` wants it.
fn ethertype(frame: &[u8]) -> u16 {
    match frame.get(12..14) {
        Some(&[high, low]) => u16::from_ne_bytes([high, low]),
        _ => 0,
    }
}

/// Sets PACKET_QDISC_BYPASS: frames go to the driver at once, past the interface's queueing discipline.
pub fn set_qdisc_bypass(fd: BorrowedFd<'_>) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the option's value is read from `on`, a c_int of the size that is given.
    let result = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            libc::SOL_PACKET,
            PACKET_QDISC_BYPASS,
            (&raw const on).cast(),
            mem::size_of_val(&on) as _,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// How many bytes wait in the receive buffer of a socket, and how many it holds; counted as the kernel counts them: with its
/// own bookkeeping.
pub fn receive_memory(fd: BorrowedFd<'_>) -> io::Result<[u32; 2]> {
    // `SK_MEMINFO_RMEM_ALLOC` and `SK_MEMINFO_RCVBUF`, the first of several (linux/sock_diag.h).
    let [w0, w1, w2, w3, h0, h1, h2, h3] = socket_option(fd, libc::SO_MEMINFO)?;
    Ok([u32::from_ne_bytes([w0, w1, w2, w3]), u32::from_ne_bytes([h0, h1, h2, h3])])
}

/// Reads an option of SOL_SOCKET whose value begins with these N bytes.
pub fn socket_option<const N: usize>(fd: BorrowedFd<'_>, option: libc::c_int) -> io::Result<[u8; N]> {
    let mut value = [0; N];
    let mut length = N as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes to `value`, which has as many, and any byte is a value.
    let result = unsafe {
        libc::getsockopt(fd.as_raw_fd(), libc::SOL_SOCKET, option, value.as_mut_ptr().cast(), &raw mut length)
    };
    if result == 0 { Ok(value) } else { Err(io::Error::last_os_error()) }
}

/// The descriptors that whoever started us passed on (sd_listen_fds(3)), by the names it gave them. The first call takes
/// them all: each has one owner. LISTEN_FDS may say more than there are, and this process may have opened the rest itself; so
/// only what came through exec(2) is taken.
///
/// They are closed on the next exec. The environment stays as it is: we start no programs, and LISTEN_PID names us alone.
///
/// # Errors
/// The environment and the open descriptors do not agree.
pub fn take_passed_descriptors() -> io::Result<Vec<(String, OwnedFd)>> {
    static ARE_TAKEN: AtomicBool = AtomicBool::new(false);
    if ARE_TAKEN.swap(true, Ordering::Relaxed) {
        return Ok(Vec::new());
    }
    // They have no gaps. To be counted first: the library has them closed on exec.
    let inherited = (FIRST_PASSED..).take_while(|fd| is_inherited(*fd)).count();
    // Names of none are no fault: what is in the environment may be meant for another process, as LISTEN_PID says.
    if sd_notify::listen_fds()?.len() == 0 {
        return Ok(Vec::new());
    }
    let passed = sd_notify::listen_fds_with_names()?;
    if passed.len() > inherited {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "LISTEN_FDS says more than were passed on"));
    }
    // SAFETY: `is_inherited` has found all of them open and not to be closed on exec. Everything that this process opens is
    // closed on exec, so they were open before it began, and nothing in it owns them; standard input and output, which the
    // standard library lends to everybody, are not among them. ARE_TAKEN lets nobody own them again.
    let own = |fd| unsafe { OwnedFd::from_raw_fd(fd) };
    Ok(passed.map(|(fd, name)| (name, own(fd))).collect())
}

/// `SD_LISTEN_FDS_START` of sd_listen_fds(3).
const FIRST_PASSED: RawFd = 3;

/// Whether this descriptor is open and came through exec(2). What this process opens itself is closed on exec.
fn is_inherited(fd: RawFd) -> bool {
    // SAFETY: F_GETFD takes no argument and changes nothing. Any number will do: it says so if none is open.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
    flags >= 0 && flags & libc::FD_CLOEXEC == 0
}

/// Which version of Landlock the kernel has (landlock_create_ruleset(2)).
///
/// # Errors
/// Also why there is none, which the library does not tell: ENOSYS, EOPNOTSUPP, or what a filter of system calls says.
pub fn landlock_version() -> io::Result<u32> {
    // linux/landlock.h.
    const CREATE_RULESET_VERSION: libc::c_uint = 1;
    // SAFETY: with this flag there are no attributes to point to, and their size is zero.
    let version = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<libc::c_void>(),
            0_usize,
            CREATE_RULESET_VERSION,
        )
    };
    u32::try_from(version).map_err(|_| io::Error::last_os_error())
}

/// Has tokio tell when `fd` is ready for what is of `interest`. To be called inside a runtime.
pub fn async_fd(fd: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an OwnedFd owns a valid descriptor until it is dropped, and nothing exchanges it inside the AsyncFd.
    let registered = unsafe { AsyncFd::register_with_interest(fd, interest) };
    Ok(registered?)
}

/// linux/if_packet.h.
const PACKET_QDISC_BYPASS: libc::c_int = 20;

/// An iovec of nothing.
const EMPTY_IOVEC: libc::iovec = libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 };

/// A message of nothing to nobody.
fn empty_header() -> libc::mmsghdr {
    // SAFETY: mmsghdr is made of integers and pointers that may be null (and of padding, with musl).
    unsafe { mem::zeroed() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::fcntl::{FcntlArg, FdFlag, fcntl};
    use nix::sys::socket::{
        AddressFamily, MsgFlags, SockFlag, SockType, getsockopt, send, setsockopt, socketpair, sockopt,
    };
    use std::os::fd::AsFd;

    #[test]
    fn receives_a_batch_into_the_parts_of_rooms() {
        let (ours, theirs) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC).unwrap();
        for message in [&b"one"[..], b"two two", b"three and more"] {
            send(std::os::fd::AsRawFd::as_raw_fd(&theirs), message, MsgFlags::empty()).unwrap();
        }
        let (mut firsts, mut seconds) = ([b'-'; 4 * 4], [b'-'; 4 * 8]);
        let rooms = firsts.chunks_mut(4).zip(seconds.chunks_mut(8)).map(|(first, second)| [first, second]);
        let mut lengths = [0; MAX_BATCH];
        let count = recv_batch(ours.as_fd(), rooms, &mut lengths).unwrap();
        assert_eq!(lengths[..count], [3, 7, 12]);
        assert_eq!(&firsts, b"one-two thre----");
        assert_eq!(&seconds, b"--------two-----e and mo--------");
    }

    #[test]
    fn an_empty_socket_does_not_block() {
        let (ours, _theirs) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC).unwrap();
        let mut lengths = [0; MAX_BATCH];
        let error = recv_batch(ours.as_fd(), std::iter::once([&mut [0; 8][..], &mut []]), &mut lengths).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn a_socket_holds_what_the_kernel_gave_it() {
        let (socket, _) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC).unwrap();
        // The kernel doubles it, unless that is more than anybody may have.
        setsockopt(&socket, sockopt::RcvBuf, &50_000).unwrap();
        let capacity = getsockopt(&socket, sockopt::RcvBuf).unwrap() as u32;
        assert_ne!(capacity, 50_000);
        assert_eq!(receive_memory(socket.as_fd()).unwrap(), [0, capacity]);
    }

    #[test]
    fn what_this_process_opens_is_not_inherited() {
        let (ours, _theirs) = io::pipe().unwrap();
        let fd = ours.as_raw_fd();
        assert!(!is_inherited(fd));
        fcntl(&ours, FcntlArg::F_SETFD(FdFlag::empty())).unwrap();
        assert!(is_inherited(fd));
        fcntl(&ours, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).unwrap();
        assert!(!is_inherited(RawFd::MAX));
    }

    #[test]
    fn ethertype_keeps_the_order_of_the_wire() {
        let mut frame = [0; 14];
        frame[12] = 0x86;
        frame[13] = 0xdd;
        assert_eq!(ethertype(&frame), 0x86dd_u16.to_be());
        assert_eq!(ethertype(&frame[..13]), 0);
    }
}
