//! Frames that tell the neighbours on an uplink where an address is.

use std::io;
use std::iter;
use std::thread;
use std::time::Duration;

use crate::binding::IfIndex;
use crate::engine::{MAX_FRAME, announcer};
use crate::io::packet_socket::PacketSocket;
use crate::network::{Announcement, Link};

/// How often a frame is offered to an uplink whose queue is full.
const ATTEMPTS: usize = 20;
/// How long such a queue is given to empty itself. The kernel does not tell when it has.
const PAUSE: Duration = Duration::from_millis(1);

/// Announces an address on its uplink, by the uplink's MAC. If the uplink is too busy, the frame is lost, as it may be
/// anywhere on its way: that is no reason to keep a guest from starting.
pub(super) fn send(announcement: &Announcement, uplink: &Link) -> io::Result<()> {
    let mac = uplink.mac.ok_or_else(|| io::Error::other("the uplink has no MAC"))?;
    let mut frame = [0; MAX_FRAME];
    let length = announcer::put(&mut frame, mac, announcement.address);
    let frame = length.and_then(|length| frame.get(..length)).ok_or(io::ErrorKind::InvalidInput)?;
    let socket = PacketSocket::open()?;
    for _ in 0..ATTEMPTS {
        match offer(&socket, uplink.ifindex, frame) {
            Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => thread::sleep(PAUSE),
            result => return result,
        }
    }
    Ok(())
}

fn offer(socket: &PacketSocket, ifindex: IfIndex, frame: &[u8]) -> io::Result<()> {
    let mut result = Ok(());
    socket.send(iter::once((ifindex, frame)), |_, errno| result = Err(io::Error::from_raw_os_error(errno)));
    result
}
