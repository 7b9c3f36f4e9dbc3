//! Frames on their way out: built in place, sent together.

use crate::binding::IfIndex;
use crate::engine::{MAX_FRAME, Transmit};
use crate::io::packet_socket::PacketSocket;
use crate::io::sys::MAX_BATCH;

/// Room for [`MAX_BATCH`] frames, taken once.
#[derive(Debug)]
pub(super) struct Outbox {
    socket: PacketSocket,
    arena: Vec<u8>,
    /// What lies in the first slots of the arena.
    frames: Vec<Transmit>,
}

impl Outbox {
    /// An empty outbox that sends by `socket`.
    pub(super) fn new(socket: PacketSocket) -> Self {
        Self { socket, arena: vec![0; MAX_BATCH * MAX_FRAME], frames: Vec::with_capacity(MAX_BATCH) }
    }

    /// Whether there is no room for another frame before the next [`flush`](Self::flush).
    pub(super) fn is_full(&self) -> bool {
        self.frames.len() >= MAX_BATCH
    }

    /// Where to build the next frame; empty if there is no room.
    pub(super) fn slot(&mut self) -> &mut [u8] {
        let start = self.frames.len() * MAX_FRAME;
        self.arena.get_mut(start..start + MAX_FRAME).unwrap_or_default()
    }

    /// Takes the frame that was built in [`slot`](Self::slot).
    pub(super) fn push(&mut self, transmit: Transmit) {
        self.frames.push(transmit);
    }

    /// Sends all frames. Those that fail are told to `failed`, with their error number.
    pub(super) fn flush(&mut self, failed: impl FnMut(IfIndex, i32)) {
        let slots = self.arena.chunks_exact(MAX_FRAME);
        let frames = self.frames.iter().zip(slots).map(|(transmit, slot)| {
            let bytes = slot.get(..transmit.len).unwrap_or(slot);
            (transmit.ifindex, bytes)
        });
        self.socket.send(frames, failed);
        self.frames.clear();
    }
}
