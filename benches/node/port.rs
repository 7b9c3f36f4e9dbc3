//! The guest's end of the wire: a packet socket in its namespace.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nfdhcpd::io::sys::{Frame, send_frames, set_qdisc_bypass};
use nix::net::if_::if_nametoindex;
use nix::sys::socket::{self, AddressFamily, SockFlag, SockProtocol, SockType, sockopt};
use nix::sys::time::TimeVal;

use crate::net::{Guest, within};
use crate::sys::Inbox;

/// How long [`Port::receive`] waits, in microseconds.
const PATIENCE: i64 = 10_000;
/// What the socket may hold, in bytes: nothing is to be lost here.
const BUFFER: usize = 16 << 20;
/// Of an answer this much is looked at.
const SLOT_LEN: usize = 1536;

/// A socket that sends and receives frames at a guest's `eth0`.
pub(crate) struct Port {
    fd: OwnedFd,
    ifindex: u32,
    inbox: Inbox,
}

impl Port {
    /// Opens the socket. It sees all frames from now on; its own pass it by, since they pass by the queueing discipline.
    pub(crate) fn open(guest: &Guest) -> Self {
        let (fd, ifindex) = within(&guest.netns, || {
            let flags = SockFlag::SOCK_CLOEXEC;
            let fd = socket::socket(AddressFamily::Packet, SockType::Raw, flags, SockProtocol::EthAll).unwrap();
            (fd, if_nametoindex("eth0").unwrap())
        });
        set_qdisc_bypass(fd.as_fd()).unwrap();
        // A user namespace has no right to more than the system's limit.
        let _ = socket::setsockopt(&fd, sockopt::RcvBufForce, &BUFFER);
        let timeout = TimeVal::new(0, PATIENCE);
        socket::setsockopt(&fd, sockopt::ReceiveTimeout, &timeout).unwrap();
        Self { fd, ifindex, inbox: Inbox::new(SLOT_LEN) }
    }

    /// Sends the first of `frames`, as many as one system call takes, and returns how many went.
    pub(crate) fn send<'a>(&self, frames: impl Iterator<Item = &'a [u8]>) -> usize {
        let frames = frames.map(|bytes| Frame { ifindex: self.ifindex, bytes });
        match send_frames(self.fd.as_fd(), frames) {
            Ok(count) => count,
            // The node's backlog is full: what it has comes first.
            Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => 0,
            Err(error) => panic!("the guest cannot send: {error}"),
        }
    }

    /// Receives frames. If there are none it waits for a moment, and may return with none.
    pub(crate) fn receive(&mut self) -> impl Iterator<Item = &[u8]> {
        if let Err(error) = self.inbox.receive(self.fd.as_fd())
            && !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
        {
            panic!("the guest cannot receive: {error}");
        }
        self.inbox.messages()
    }
}
