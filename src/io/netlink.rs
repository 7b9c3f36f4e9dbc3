//! What all netlink families share: the socket, and the framing of messages and attributes (linux/netlink.h).
//!
//! The readers here and in [`nfqueue::message`](super::nfqueue::message), [`links::message`](super::links::message) and
//! [`node::message`](super::node) borrow, allocate nothing and never panic. A full decoder of rtnetlink would refuse a whole message for one nested
//! attribute that it does not understand; a bridge must not go unseen because a newer kernel says more of it.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{self, AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, sockopt};

use super::sys;

/// The length of `struct nlmsghdr`, in bytes.
pub const HEADER_LEN: usize = 16;
/// `NLMSG_ALIGNTO` and `NLA_ALIGNTO`.
const ALIGN: usize = 4;
/// linux/netlink.h: the dump may have missed something.
pub const NLM_F_DUMP_INTR: u16 = 0x10;
/// `NLA_TYPE_MASK`: an attribute's type without its flags.
const TYPE_MASK: u16 = 0x3fff;

/// A netlink socket, non-blocking, which hears the kernel only.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
}

impl Socket {
    /// Opens a socket of this family that receives these multicast groups (a mask, linux/rtnetlink.h `RTMGRP_*`).
    pub fn open(protocol: SockProtocol, groups: u32) -> io::Result<Self> {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let fd = socket::socket(AddressFamily::Netlink, SockType::Raw, flags, protocol)?;
        socket::bind(fd.as_raw_fd(), &NetlinkAddr::new(0, groups))?;
        connect_to_kernel(&fd)?;
        Ok(Self { fd })
    }

    /// Goes on with a socket that another process opened, if it is one of this family in our network namespace.
    pub fn adopt(fd: OwnedFd, protocol: SockProtocol) -> Result<Self, AdoptError> {
        let number = |option| sys::socket_option(fd.as_fd(), option).map(i32::from_ne_bytes);
        // ENOTSOCK is one of the reasons why it would not say.
        if number(libc::SO_DOMAIN).ok() != Some(libc::AF_NETLINK) {
            return Err(AdoptError::NotNetlink);
        }
        if number(libc::SO_PROTOCOL)? != protocol as i32 {
            return Err(AdoptError::OtherProtocol);
        }
        if namespace(fd.as_fd()) != namespace(Self::open(protocol, 0)?.as_fd()) {
            return Err(AdoptError::OtherNamespace);
        }
        fcntl(&fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
        fcntl(&fd, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        connect_to_kernel(&fd)?;
        Ok(Self { fd })
    }

    /// Makes room for `bytes` of messages: past the system's limit if allowed (CAP_NET_ADMIN), else up to it.
    pub fn set_receive_buffer(&self, bytes: usize) -> io::Result<()> {
        socket::setsockopt(&self.fd, sockopt::RcvBufForce, &bytes)
            .or_else(|_| socket::setsockopt(&self.fd, sockopt::RcvBuf, &bytes))?;
        Ok(())
    }

    /// Sends messages, all in one datagram. The kernel has worked on them when this returns.
    pub fn send(&self, messages: &[u8]) -> io::Result<()> {
        socket::send(self.fd.as_raw_fd(), messages, MsgFlags::empty())?;
        Ok(())
    }

    /// Receives one datagram into `buffer` and returns its whole length, which is more than `buffer` holds if it was cut.
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(socket::recv(self.fd.as_raw_fd(), buffer, MsgFlags::MSG_TRUNC)?)
    }

    /// Waits until there is something to receive; [`io::ErrorKind::TimedOut`] if that takes longer than `timeout`.
    pub fn wait_readable(&self, timeout: Duration) -> io::Result<()> {
        let timeout = PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(self.as_fd(), PollFlags::POLLIN)], timeout) {
            Ok(0) => Err(io::ErrorKind::TimedOut.into()),
            Ok(_) | Err(nix::Error::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// To a connected socket nobody but its peer can send, and port 0 is the kernel.
fn connect_to_kernel(fd: &OwnedFd) -> nix::Result<()> {
    socket::connect(fd.as_raw_fd(), &NetlinkAddr::new(0, 0))
}

/// A number for the network namespace of a socket. Before Linux 5.14 none has one, and all are taken for the same.
fn namespace(fd: BorrowedFd<'_>) -> Option<u64> {
    sys::socket_option(fd, libc::SO_NETNS_COOKIE).map(u64::from_ne_bytes).ok()
}

/// Why a descriptor is no socket to go on with.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// It is something else.
    #[error("it is no netlink socket")]
    NotNetlink,
    /// It speaks with another part of the kernel.
    #[error("it is a netlink socket of another protocol")]
    OtherProtocol,
    /// It would work elsewhere.
    #[error("it is of another network namespace")]
    OtherNamespace,
    /// A system call failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<nix::Error> for AdoptError {
    fn from(error: nix::Error) -> Self {
        Self::Io(error.into())
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// A netlink message: the fields of its header that matter, and what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// `nlmsg_type`.
    pub kind: u16,
    /// `nlmsg_flags`.
    pub flags: u16,
    /// `nlmsg_seq`.
    pub sequence: u32,
    /// What follows the header.
    pub payload: &'a [u8],
}

impl Message<'_> {
    /// The number of an `NLMSG_ERROR` (0 for an acknowledgement) or `NLMSG_DONE`; None for any other message.
    pub fn errno(&self) -> Option<i32> {
        let ends = [libc::NLMSG_ERROR, libc::NLMSG_DONE].contains(&i32::from(self.kind));
        let error = self.payload.first_chunk::<4>().filter(|_| ends)?;
        Some(i32::from_ne_bytes(*error).saturating_neg())
    }
}

/// The messages of a datagram. A message longer than the datagram is given as far as it goes.
pub fn messages(datagram: &[u8]) -> impl Iterator<Item = Message<'_>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let header = rest.first_chunk::<HEADER_LEN>()?;
        let [l0, l1, l2, l3, k0, k1, f0, f1, s0, s1, s2, s3, ..] = *header;
        let length = u32::from_ne_bytes([l0, l1, l2, l3]) as usize;
        let length = length.min(rest.len());
        let payload = rest.get(HEADER_LEN..length)?;
        rest = after(rest, length);
        Some(Message {
            kind: u16::from_ne_bytes([k0, k1]),
            flags: u16::from_ne_bytes([f0, f1]),
            sequence: u32::from_ne_bytes([s0, s1, s2, s3]),
            payload,
        })
    })
}

/// A netlink attribute: its type without flags, and its value.
pub type Attribute<'a> = (u16, &'a [u8]);

/// Attributes whose lengths do not fit what they are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadAttributes;

/// The attributes in `bytes`; an error, once and at the end, where a length lies.
pub fn attributes(bytes: &[u8]) -> impl Iterator<Item = Result<Attribute<'_>, BadAttributes>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let attribute = first_attribute(rest);
        rest = attribute.map_or(&[], |(_, value)| after(rest, 4 + value.len()));
        Some(attribute.ok_or(BadAttributes))
    })
}

/// The attribute that `bytes` begins with.
fn first_attribute(bytes: &[u8]) -> Option<Attribute<'_>> {
    let [l0, l1, k0, k1] = *bytes.first_chunk::<4>()?;
    let length = usize::from(u16::from_ne_bytes([l0, l1]));
    let value = bytes.get(4..length)?;
    Some((u16::from_ne_bytes([k0, k1]) & TYPE_MASK, value))
}

/// A string without the zero that ends it.
pub fn text(value: &[u8]) -> &[u8] {
    value.split(|byte| *byte == 0).next().unwrap_or(value)
}

/// The number in the first four bytes, in the machine's order, as rtnetlink has it.
pub fn ne32(value: &[u8]) -> Option<u32> {
    value.first_chunk::<4>().map(|bytes| u32::from_ne_bytes(*bytes))
}

/// The number in the first four bytes, in the order of the network, as netfilter has it.
pub fn be32(value: &[u8]) -> Option<u32> {
    value.first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes))
}

/// What follows the first `length` bytes and their padding.
fn after(bytes: &[u8], length: usize) -> &[u8] {
    bytes.get(length.next_multiple_of(ALIGN)..).unwrap_or(&[])
}

/// Appends a message whose payload `write` appends.
pub fn push_message(to: &mut Vec<u8>, kind: u16, flags: u16, sequence: u32, write: impl FnOnce(&mut Vec<u8>)) {
    let start = to.len();
    to.extend_from_slice(&[0; 4]);
    to.extend_from_slice(&kind.to_ne_bytes());
    to.extend_from_slice(&flags.to_ne_bytes());
    to.extend_from_slice(&sequence.to_ne_bytes());
    to.extend_from_slice(&[0; 4]);
    write(to);
    let length = (to.len() - start) as u32;
    if let Some(field) = to.get_mut(start..start + 4) {
        field.copy_from_slice(&length.to_ne_bytes());
    }
}

/// Appends an attribute with its padding. The value is shorter than 65,532 bytes.
pub fn push_attribute(to: &mut Vec<u8>, kind: u16, value: &[u8]) {
    debug_assert!(value.len() < usize::from(u16::MAX) - 4);
    to.extend_from_slice(&((value.len() + 4) as u16).to_ne_bytes());
    to.extend_from_slice(&kind.to_ne_bytes());
    to.extend_from_slice(value);
    to.resize(to.len().next_multiple_of(ALIGN), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_and_attributes_come_back_as_written() {
        let mut bytes = Vec::new();
        push_message(&mut bytes, 7, 1, 9, |to| {
            push_attribute(to, 3, b"odd");
            push_attribute(to, 4, b"");
        });
        push_message(&mut bytes, 8, 0, 10, |_| {});
        let read: Vec<_> = messages(&bytes).collect();
        assert_eq!(read.iter().map(|m| (m.kind, m.flags, m.sequence)).collect::<Vec<_>>(), [(7, 1, 9), (8, 0, 10)]);
        let values: Vec<_> = attributes(read[0].payload).collect();
        assert_eq!(values, [Ok((3, &b"odd"[..])), Ok((4, &b""[..]))]);
    }

    #[test]
    fn a_message_longer_than_its_datagram_is_given_as_far_as_it_goes() {
        let mut bytes = Vec::new();
        push_message(&mut bytes, 7, 0, 0, |to| to.extend_from_slice(&[1; 8]));
        bytes.truncate(HEADER_LEN + 5);
        let read: Vec<_> = messages(&bytes).collect();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].payload, [1; 5]);
    }

    #[test]
    fn lengths_that_lie_end_the_reading() {
        for bytes in [&[0, 0, 1, 0][..], &[3, 0, 1, 0], &[9, 0, 1, 0, 1, 2, 3, 4], &[4, 0, 1]] {
            let read: Vec<_> = attributes(bytes).collect();
            assert_eq!(read, [Err(BadAttributes)], "{bytes:?}");
        }
        assert_eq!(messages(&[0; HEADER_LEN]).count(), 0, "length 0");
        assert_eq!(messages(&[16; HEADER_LEN - 1]).count(), 0, "half a header");
    }

    #[test]
    fn an_acknowledgement_is_error_zero() {
        let message = |kind, error: i32| {
            let mut bytes = Vec::new();
            push_message(&mut bytes, kind, 0, 0, |to| {
                to.extend_from_slice(&error.to_ne_bytes());
            });
            messages(&bytes).next().unwrap().errno()
        };
        assert_eq!(message(libc::NLMSG_ERROR as u16, 0), Some(0));
        assert_eq!(message(libc::NLMSG_ERROR as u16, -libc::EPERM), Some(libc::EPERM));
        assert_eq!(message(0x300, -1), None);
    }
}
