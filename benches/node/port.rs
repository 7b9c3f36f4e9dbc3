//! The guest's end of the wire: a packet socket in its namespace.

use std::os::fd::{AsFd, OwnedFd};

use nfdhcpd::io::sys::{Frame, send_frames, set_qdisc_bypass};
use nix::net::if_::if_nametoindex;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::socket::{self, AddressFamily, SockFlag, SockProtocol, SockType};

use crate::net::{Guest, within};
use crate::sys::Ring;

/// How long [`Port::receive`] waits, in milliseconds.
const PATIENCE: u8 = 10;

/// How many frames it shows at most, or a few more.
const BATCH: usize = 64;

/// A socket that sends and receives frames at a guest's `eth0`.
pub(crate) struct Port {
    fd: OwnedFd,
    ifindex: u32,
    ring: Ring,
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
        let ring = Ring::new(fd.as_fd()).unwrap();
        Self { fd, ifindex, ring }
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

    /// Shows frames to `look`, some of those that are there. If there are none it waits for a moment, and may return
    /// without having seen any.
    pub(crate) fn receive(&mut self, mut look: impl FnMut(&[u8])) {
        if self.ring.take(&mut look).is_none() {
            let mut readable = [PollFd::new(self.fd.as_fd(), PollFlags::POLLIN)];
            poll(&mut readable, PATIENCE).unwrap();
        }
        let taken = (0..BATCH).map_while(|_| self.ring.take(&mut look));
        taken.for_each(drop);
    }
}
