//! The guest's end of the wire: a packet socket in its namespace.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use nfdhcpd::io::sys::{Frame, send_frames, set_qdisc_bypass};
use nix::errno::Errno;
use nix::net::if_::if_nametoindex;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::socket::{self, AddressFamily, SockFlag, SockProtocol, SockType};

use crate::net::{Guest, within};
use crate::sys::Ring;

/// How long [`Port::wait`] waits, in milliseconds.
const PATIENCE: u8 = 10;

/// How many frames [`Port::receive`] shows at most.
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

    /// Shows frames and the times of their arrival to `look`, some of those that are there. Returns whether there were any.
    pub(crate) fn receive(&mut self, mut look: impl FnMut(&[u8], Duration)) -> bool {
        (0..BATCH).map_while(|_| self.ring.take(&mut look)).count() > 0
    }

    /// The same for all that are there.
    pub(crate) fn receive_all(&mut self, mut look: impl FnMut(&[u8], Duration)) {
        while self.receive(&mut look) {}
    }

    /// Whether there are frames.
    pub(crate) fn has_frames(&self) -> bool {
        self.ring.has_frame()
    }

    /// Sleeps until there are frames, or for a moment.
    pub(crate) fn wait(&self) {
        let mut readable = [PollFd::new(self.fd.as_fd(), PollFlags::POLLIN)];
        match poll(&mut readable, PATIENCE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => panic!("the guest cannot receive: {error}"),
        }
    }
}
