//! The socket that frames leave by (packet(7)).

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};

use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, sockopt};

use super::sys::{self, Frame};
use crate::binding::IfIndex;

/// A packet socket that sends out of any interface and receives nothing.
///
/// Its protocol is 0, so the kernel shows it no frame, whoever sends one. It passes by the queueing disciplines: a tap
/// with a shaper or a full queue refuses its own frame at once, and delays nobody else's.
#[derive(Debug)]
pub struct PacketSocket {
    fd: OwnedFd,
}

impl PacketSocket {
    /// Opens the socket. Needs CAP_NET_RAW.
    pub fn open() -> io::Result<Self> {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let fd = socket::socket(AddressFamily::Packet, SockType::Raw, flags, None)?;
        sys::set_qdisc_bypass(fd.as_fd())?;
        Ok(Self { fd })
    }

    /// Has the kernel stamp every packet that it receives with the time, on all of the machine's interfaces, as long as this socket
    /// is open. It does so as soon as one socket asks for it (SO_TIMESTAMP, `net_enable_timestamp()` of net/core/dev.c).
    pub fn have_packets_stamped(&self) -> io::Result<()> {
        Ok(socket::setsockopt(&self.fd, sockopt::ReceiveTimestamp, &true)?)
    }

    /// Sends frames in as few system calls as possible. A frame that fails is told to `failed`, with its error number,
    /// and the others still go.
    pub fn send<'a, I>(&self, frames: I, mut failed: impl FnMut(IfIndex, i32))
    where
        I: Iterator<Item = (IfIndex, &'a [u8])> + Clone,
    {
        let mut rest = frames;
        while rest.clone().next().is_some() {
            let batch = rest.clone().map(|(ifindex, bytes)| Frame { ifindex: ifindex.value(), bytes });
            let done = match sys::send_frames(self.fd.as_fd(), batch) {
                Ok(sent) => sent,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    if let Some((ifindex, _)) = rest.clone().next() {
                        failed(ifindex, error.raw_os_error().unwrap_or_default());
                    }
                    1
                }
            };
            // sendmmsg(2) never sends none without an error; if it did, this would end all the same.
            rest.by_ref().take(done.max(1)).for_each(drop);
        }
    }
}
