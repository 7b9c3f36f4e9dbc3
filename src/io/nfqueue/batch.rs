//! Room for the datagrams of one call.

use std::collections::VecDeque;
use std::io;
use std::os::fd::BorrowedFd;

use super::message::{self, FromKernel};
use crate::io::sys::{self, MAX_BATCH};

/// A packet of 65,535 bytes, and its attributes.
pub(super) const SLOT_LEN: usize = 65_536 + 4_096;
/// Nearly every packet that there is, and its attributes.
const HEAD_LEN: usize = 1_024;

/// Room for the datagrams of one call, to be used again and again, by one queue after the other.
pub struct Batch {
    /// The beginnings of [`MAX_BATCH`] datagrams. They are close together, so that they take little real memory.
    heads: Vec<u8>,
    /// As many slots for datagrams that are longer. Zeroed by the allocator, so that what is never used never becomes real
    /// memory.
    slots: Vec<u8>,
    lengths: [usize; MAX_BATCH],
    count: usize,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        let (heads, slots) = (vec![0; MAX_BATCH * HEAD_LEN], vec![0; MAX_BATCH * SLOT_LEN]);
        Self { heads, slots, lengths: [0; MAX_BATCH], count: 0 }
    }

    /// How many datagrams were received last.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The messages that were received last.
    pub fn messages(&self) -> impl Iterator<Item = FromKernel<'_>> {
        let rooms = self.heads.chunks_exact(HEAD_LEN).zip(self.slots.chunks_exact(SLOT_LEN));
        rooms.zip(self.lengths.iter().take(self.count)).flat_map(|((head, slot), length)| {
            let datagram = head.get(..*length).or(slot.get(..*length));
            message::read(datagram.unwrap_or_default())
        })
    }

    /// Receives what is there in place of what was received before.
    pub(super) fn receive(&mut self, socket: BorrowedFd<'_>) -> io::Result<()> {
        self.count = 0;
        let rooms = self.heads.chunks_exact_mut(HEAD_LEN).zip(self.slots.chunks_exact_mut(SLOT_LEN));
        let rooms = rooms.map(|(head, slot)| [head, slot.get_mut(HEAD_LEN..).unwrap_or_default()]);
        self.count = sys::recv_batch(socket, rooms, &mut self.lengths)?;
        self.join();
        Ok(())
    }

    /// Puts the beginnings of long datagrams before what follows them.
    fn join(&mut self) {
        let rooms = self.heads.chunks_exact(HEAD_LEN).zip(self.slots.chunks_exact_mut(SLOT_LEN));
        for ((head, slot), length) in rooms.zip(&self.lengths).take(self.count) {
            if *length > HEAD_LEN {
                fill(slot, head);
            }
        }
    }

    /// Moves datagrams from the front of `early` to where received ones would be.
    pub(super) fn take(&mut self, early: &mut VecDeque<Vec<u8>>) {
        self.count = 0;
        let rooms = self.heads.chunks_exact_mut(HEAD_LEN).zip(self.slots.chunks_exact_mut(SLOT_LEN));
        for ((head, slot), length) in rooms.zip(&mut self.lengths) {
            let Some(datagram) = early.pop_front() else {
                return;
            };
            *length = datagram.len().min(SLOT_LEN);
            fill(if *length > HEAD_LEN { slot } else { head }, &datagram);
            self.count += 1;
        }
    }
}

/// Copies as much of `from` as there is room for.
fn fill(to: &mut [u8], from: &[u8]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
}

impl Default for Batch {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch").field("count", &self.count).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::{AsFd as _, AsRawFd as _};

    use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, send, setsockopt, socketpair, sockopt};

    use super::*;
    use crate::io::netlink::{push_attribute, push_message};

    /// A message of the kernel's with a packet of these bytes.
    fn datagram(id: u8, packet: &[u8]) -> Vec<u8> {
        let mut datagram = Vec::new();
        let kind = (libc::NFNL_SUBSYS_QUEUE << 8 | libc::NFQNL_MSG_PACKET) as u16;
        push_message(&mut datagram, kind, 0, 0, |to| {
            to.extend([0; 4]);
            push_attribute(to, libc::NFQA_PACKET_HDR as u16, &[0, 0, 0, id, 0, 0, 0]);
            push_attribute(to, libc::NFQA_PAYLOAD as u16, packet);
        });
        datagram
    }

    /// The number of each packet, its length, and its first and last byte.
    fn packets(batch: &Batch) -> Vec<(u32, usize, u8, u8)> {
        let packets = batch.messages().map(|message| match message {
            FromKernel::Packet(packet) => packet,
            other => panic!("{other:?}"),
        });
        let bytes = packets.map(|packet| (packet.id, packet.ingress.packet));
        bytes.map(|(id, packet)| (id, packet.len(), packet[0], packet[packet.len() - 1])).collect()
    }

    /// Around the length of a beginning, and nearly the longest that there is.
    const LENGTHS: [usize; 6] = [1, HEAD_LEN - 36 - 4, HEAD_LEN - 36, HEAD_LEN - 36 + 1, 1500, 65_530];

    /// Packets of these lengths, each with its number as its first and last byte.
    fn datagrams() -> Vec<Vec<u8>> {
        let packet = |id: u8, len: usize| {
            let mut packet = vec![0xee; len];
            packet[0] = id;
            packet[len - 1] = id;
            packet
        };
        (1..).zip(LENGTHS).map(|(id, len)| datagram(id, &packet(id, len))).collect()
    }

    fn expected() -> Vec<(u32, usize, u8, u8)> {
        (1..).zip(LENGTHS).map(|(id, len)| (id.into(), len, id, id)).collect()
    }

    #[test]
    fn a_long_datagram_is_as_whole_as_a_short_one() {
        let (ours, theirs) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC).unwrap();
        setsockopt(&theirs, sockopt::SndBuf, &(1 << 20)).unwrap();
        let mut batch = Batch::new();
        for _ in 0..2 {
            for datagram in datagrams() {
                send(theirs.as_raw_fd(), &datagram, MsgFlags::empty()).unwrap();
            }
            batch.receive(ours.as_fd()).unwrap();
            assert_eq!(packets(&batch), expected());
        }
    }

    #[test]
    fn early_datagrams_come_first_and_a_batch_at_a_time() {
        let mut batch = Batch::new();
        let mut early = VecDeque::from(datagrams());
        batch.take(&mut early);
        assert_eq!(packets(&batch), expected());
        let mut early = VecDeque::from(vec![datagram(7, &[7]); MAX_BATCH + 3]);
        for expected in [MAX_BATCH, 3, 0] {
            batch.take(&mut early);
            assert_eq!(batch.messages().count(), expected);
        }
    }
}
