//! Taking over a queue from a daemon that is gone: its socket outlived it, and packets went on waiting there.
//!
//! What the predecessor had read and not judged stays in the queue, and nobody will ever read it again. It is freed
//! before anything else is judged, since one verdict of ours may speak for all packets before it. It is dropped, and not
//! queued anew (NF_REPEAT): one of those packets may be why the predecessor is gone. A client whose request it was asks
//! again.

use std::io;
use std::os::fd::OwnedFd;

use super::message::{self, FromKernel};
use super::{PROTOCOL, Queue};
use crate::config::{Backlog, QueueNum};
use crate::engine::Verdict;
use crate::io::netlink::{AdoptError, Socket};

/// Why a descriptor is not the socket of a queue that we could go on with.
#[derive(Debug, thiserror::Error)]
pub enum TakeOverError {
    /// It is no socket for queues, or none for those of here.
    #[error(transparent)]
    Socket(#[from] AdoptError),
    /// The kernel does not let it have the queue: nobody has bound that, or somebody else.
    #[error("the queue is not bound to it: {0}")]
    NotBound(io::Error),
    /// A system call failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Queue {
    /// Goes on with the queue `number`, which is bound to the socket `fd`, and frees what the predecessor left unjudged.
    ///
    /// # Errors
    /// Whatever is wrong with the descriptor, the queue is no longer bound to it, and can be bound anew.
    pub fn take_over(number: QueueNum, fd: OwnedFd, backlog: &Backlog) -> Result<Self, TakeOverError> {
        let mut queue = Self::over(number, Socket::adopt(fd, PROTOCOL)?);
        match queue.make_ours(backlog) {
            Ok(()) => Ok(queue),
            Err(error) => {
                queue.unbind();
                Err(error)
            }
        }
    }

    /// Ends the queue `number`, if it is bound to the socket `fd`.
    ///
    /// To close the descriptor is not enough: whoever kept it for us has another one.
    pub fn end(number: QueueNum, fd: OwnedFd) -> Result<(), TakeOverError> {
        Self::over(number, Socket::adopt(fd, PROTOCOL)?).unbind();
        Ok(())
    }

    fn make_ours(&mut self, backlog: &Backlog) -> Result<(), TakeOverError> {
        match self.configure(backlog, message::push_settings)? {
            0 => Ok(self.free_unjudged()?),
            errno => Err(TakeOverError::NotBound(io::Error::from_raw_os_error(errno))),
        }
    }

    /// Drops the packets that were read and not judged: those before the first that was not read. A packet that comes
    /// just now, where none waits, is dropped with them, but answered: it is read all the same.
    fn free_unjudged(&self) -> io::Result<()> {
        let waiting = self.early.iter().flat_map(|datagram| message::read(datagram));
        let first = waiting.into_iter().find_map(|message| match message {
            FromKernel::Packet(packet) => Some(packet.id),
            _ => None,
        });
        let mut verdicts = Vec::new();
        for last_id in ids_before(first) {
            message::push_batch_verdict(&mut verdicts, self.number, last_id, Verdict::Drop);
        }
        self.socket.send(&verdicts)
    }

    /// Ends the queue, if it is bound to this socket.
    fn unbind(&self) {
        let mut request = Vec::new();
        message::push_unbind(&mut request, self.number, self.sequence);
        // If the queue is not ours to end, there is nothing to do.
        let _ = self.socket.send(&request);
    }
}

/// The ids up to which packets are to be dropped, one after the other, so that none is left before `first`; without a
/// `first`, so that none is left.
///
/// The kernel goes through the packets in their order until one comes after the id, and that is so if it is more than 0
/// and less than 2^31 ahead (`nfq_id_after`). So two ids cover all the numbers; and the first of them once more, for
/// packets on both sides of where the numbers wrap around.
fn ids_before(first: Option<u32>) -> Vec<u32> {
    const HALF: u32 = u32::MAX / 2;
    match first {
        Some(id) => vec![id.wrapping_sub(1)],
        None => vec![HALF, u32::MAX - 1, HALF],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of packets with these ids, by `nfqnl_recv_verdict_batch`.
    fn left(mut ids: &[u32], first: Option<u32>) -> Vec<u32> {
        for last in ids_before(first) {
            while let [id, rest @ ..] = ids
                && id.wrapping_sub(last).cast_signed() <= 0
            {
                ids = rest;
            }
        }
        ids.to_vec()
    }

    #[test]
    fn nothing_is_left_before_the_first_packet_that_waits() {
        for (ids, first, expected) in [
            (&[1, 2, 3][..], 1, &[1, 2, 3][..]),
            (&[1, 2, 3], 3, &[3]),
            (&[1, 2, 3], 4, &[]),
            (&[u32::MAX - 1, u32::MAX, 0, 1], 0, &[0, 1]),
            (&[u32::MAX - 1, u32::MAX, 0, 1], u32::MAX, &[u32::MAX, 0, 1]),
            (&[0x7fff_ffff, 0x8000_0000, 0x8000_0001], 0x8000_0001, &[0x8000_0001]),
        ] {
            assert_eq!(left(ids, Some(first)), expected, "{ids:x?} before {first:x}");
        }
    }

    #[test]
    fn nothing_is_left_where_no_packet_waits() {
        for start in [0, 1, 5, 0x7fff_fff0, 0x7fff_fffe, 0x8000_0000, 0xdead_beef, 0xffff_fff0, u32::MAX] {
            let ids: Vec<_> = (0..40).map(|offset| u32::wrapping_add(start, offset)).collect();
            assert_eq!(left(&ids, None), Vec::<u32>::new(), "{start:x}");
        }
    }
}
