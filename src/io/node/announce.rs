//! Frames that tell the neighbours on an uplink where an address is.

use std::io;

use crate::engine::{MAX_FRAME, announcer};
use crate::io::packet_socket::PacketSocket;
use crate::network::{Announcement, Link};

/// Announces an address on its uplink, by the uplink's MAC.
pub(super) fn send(announcement: &Announcement, uplink: &Link) -> io::Result<()> {
    let mac = uplink.mac.ok_or_else(|| io::Error::other("the uplink has no MAC"))?;
    let mut frame = [0; MAX_FRAME];
    let length = announcer::put(&mut frame, mac, announcement.address);
    let frame = length.and_then(|length| frame.get(..length)).ok_or(io::ErrorKind::InvalidInput)?;
    let mut result = Ok(());
    let failed = |_, errno| result = Err(io::Error::from_raw_os_error(errno));
    PacketSocket::open()?.send(std::iter::once((uplink.ifindex, frame)), failed);
    result
}
