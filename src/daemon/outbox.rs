//! Frames on their way out: built in place, sent together.

use crate::binding::IfIndex;
use crate::engine::{MAX_FRAME, Transmit};
use crate::io::packet_socket::PacketSocket;
use crate::io::sys::MAX_BATCH;

/// Room for [`MAX_BATCH`] frames, taken once.
#[derive(Debug)]
pub(super) struct Outbox {
    socket: PacketSocket,
    /// The frames, one behind the other: few are as long as the longest, and what is touched becomes real memory.
    arena: Vec<u8>,
    frames: Vec<Transmit>,
    /// How much of the arena they take, in bytes.
    taken: usize,
}

impl Outbox {
    /// An empty outbox that sends by `socket`.
    pub(super) fn new(socket: PacketSocket) -> Self {
        Self { socket, arena: vec![0; MAX_BATCH * MAX_FRAME], frames: Vec::with_capacity(MAX_BATCH), taken: 0 }
    }

    /// Whether there is no room for another frame before the next [`flush`](Self::flush).
    pub(super) fn is_full(&self) -> bool {
        self.frames.len() >= MAX_BATCH
    }

    /// Where to build the next frame; empty if there is no room.
    pub(super) fn slot(&mut self) -> &mut [u8] {
        self.arena.get_mut(self.taken..self.taken + MAX_FRAME).unwrap_or_default()
    }

    /// Takes the frame that was built in [`slot`](Self::slot).
    pub(super) fn push(&mut self, transmit: Transmit) {
        self.taken += transmit.len;
        self.frames.push(transmit);
    }

    /// Sends all frames. Those that fail are told to `failed`, with their error number.
    pub(super) fn flush(&mut self, failed: impl FnMut(IfIndex, i32)) {
        let mut rest = &self.arena[..];
        let frames = self.frames.iter().map_while(move |transmit| {
            let (frame, behind) = rest.split_at_checked(transmit.len)?;
            rest = behind;
            Some((transmit.ifindex, frame))
        });
        self.socket.send(frames, failed);
        self.frames.clear();
        self.taken = 0;
    }
}
