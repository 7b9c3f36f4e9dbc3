//! NFQUEUE: packets from netfilter, in batches, and their verdicts.
//!
//! One socket for each queue: the kernel tells a socket that its receive buffer overflowed, not which queue suffered.

#![expect(clippy::disallowed_methods, reason = "io is where the outside world is")]

mod batch;
mod holder;
mod list;
pub mod message;
mod takeover;

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::iter;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use caps::{CapSet, Capability};
use nix::sys::socket::SockProtocol;

use super::netlink::Socket;
use super::succession::Refusal;
use super::sys;
use crate::config::{Backlog, QueueNum};
use crate::engine::Verdict;
use crate::engine::pressure::Fill;
pub use batch::Batch;
use batch::SLOT_LEN;
pub use holder::{Holder, holders};
pub use list::{QueueList, bound};
use message::FromKernel;
pub use takeover::TakeOverError;

/// What the sockets of queues speak.
const PROTOCOL: SockProtocol = SockProtocol::NetlinkNetFilter;
/// How much is sent at once, in bytes: whole verdict messages, all of the same length. A datagram that is larger than the
/// socket's send buffer, some 200 KiB where nobody changed that, would never go.
const MAX_SEND: usize = 2048 * message::BATCH_VERDICT_LEN;
/// How often the settings are said again if the kernel's answer finds no room.
const REPETITIONS: usize = 4;
/// Where the kernel lists the queues that are bound in this network namespace.
const BOUND_QUEUES: &str = "/proc/net/netfilter/nfnetlink_queue";

/// Why a queue could not be bound: what is missing, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// `socket()` knows no NETLINK_NETFILTER.
    #[error("queue {0}: the kernel has no nfnetlink: load its module (modprobe nfnetlink_queue)")]
    NoNfnetlink(QueueNum),
    /// nfnetlink knows no subsystem for queues.
    #[error("queue {0}: the kernel has no NFQUEUE: load its module (modprobe nfnetlink_queue)")]
    NoNfqueue(QueueNum),
    /// The queue belongs to another socket.
    #[error("queue {0}: already bound by another process: stop it, or choose another queue")]
    AlreadyBound(QueueNum),
    /// We may not bind queues.
    #[error("queue {0}: CAP_NET_ADMIN is missing in this network namespace: start as root or with that capability")]
    NotPermitted(QueueNum),
    /// Anything else.
    #[error("queue {queue}: {source}")]
    Io {
        /// The queue.
        queue: QueueNum,
        /// What the system said.
        source: io::Error,
    },
}

impl Refusal for BindError {
    fn is_held(&self) -> bool {
        matches!(self, Self::AlreadyBound(_))
    }
}

/// What writes a configuration message of the queue, with this number.
type PushConfig = fn(&mut Vec<u8>, QueueNum, &Backlog, u32);

/// A queue that is bound to us, and the verdicts that are still to be given.
#[derive(Debug)]
pub struct Queue {
    number: QueueNum,
    socket: Socket,
    /// The number of our configuration messages: another one for each owner of a socket, since the answer to the one before
    /// may still wait there. Never 0, as an error about a verdict has.
    sequence: u32,
    /// Datagrams that came before the kernel's answer to our configuration message.
    early: VecDeque<Vec<u8>>,
    /// Verdict messages, not yet sent.
    verdicts: Vec<u8>,
    /// The verdict on the packets noted last, and the number of the last of them. It has no message yet.
    run: Option<(Verdict, u32)>,
    is_retrying: bool,
    overruns: u64,
}

impl Queue {
    /// Binds the queue `number`. Packets wait for us from now on, until its last descriptor is closed.
    pub fn bind(number: QueueNum, backlog: &Backlog) -> Result<Self, BindError> {
        let mut queue = Self::over(number, open(number)?);
        match queue.configure(backlog, message::push_bind) {
            Ok(0) => Ok(queue),
            Ok(errno) => Err(explain(number, errno)),
            Err(source) => Err(BindError::Io { queue: number, source }),
        }
    }

    /// The queue whose packets come by this socket.
    fn over(number: QueueNum, socket: Socket) -> Self {
        Self {
            number,
            socket,
            sequence: RandomState::new().hash_one(number) as u32 | 1,
            early: VecDeque::new(),
            verdicts: Vec::new(),
            run: None,
            is_retrying: false,
            overruns: 0,
        }
    }

    /// The queue's number.
    pub fn number(&self) -> QueueNum {
        self.number
    }

    /// How often the receive buffer overflowed. The kernel dropped the packets that did not fit.
    pub fn overruns(&self) -> u64 {
        self.overruns
    }

    /// How many datagrams came before the queue was ours to use, and wait for [`receive`](Self::receive).
    pub fn early(&self) -> usize {
        self.early.len()
    }

    /// Receives what is there, up to [`MAX_BATCH`](sys::MAX_BATCH) datagrams, without waiting. An overflow is counted and is no error.
    pub fn receive(&mut self, batch: &mut Batch) -> io::Result<()> {
        if !self.early.is_empty() {
            batch.take(&mut self.early);
            return Ok(());
        }
        match batch.receive(self.socket.as_fd()) {
            Ok(()) => {}
            Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => self.overruns += 1,
            Err(error) if is_nothing_there(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// How much of its receive buffer is taken by packets that wait.
    pub fn fill(&self) -> io::Result<Fill> {
        let [waiting, capacity] = sys::receive_memory(self.socket.as_fd())?;
        Ok(Fill { waiting, capacity })
    }

    /// Notes the verdict on the packet `id`, which came after all others that were noted. It is given by
    /// [`send_verdicts`](Self::send_verdicts).
    pub fn push_verdict(&mut self, id: u32, verdict: Verdict) {
        if self.run.is_some_and(|(of_run, _)| of_run != verdict) {
            self.end_run();
        }
        self.run = Some((verdict, id));
    }

    /// One message is enough for packets that follow each other and have the same verdict.
    fn end_run(&mut self) {
        if let Some((verdict, last_id)) = self.run.take() {
            message::push_batch_verdict(&mut self.verdicts, self.number, last_id, verdict);
        }
    }

    /// Gives the verdicts noted so far: in one system call, unless many are left from before. After an error those not
    /// given are still noted, to be tried again.
    pub fn send_verdicts(&mut self) -> io::Result<()> {
        self.end_run();
        while !self.verdicts.is_empty() {
            self.is_retrying = true;
            let length = self.verdicts.len().min(MAX_SEND);
            self.socket.send(self.verdicts.get(..length).unwrap_or(&self.verdicts))?;
            self.verdicts.drain(..length);
        }
        self.is_retrying = false;
        Ok(())
    }

    /// Whether the last attempt to give verdicts failed.
    pub fn is_retrying(&self) -> bool {
        self.is_retrying
    }

    /// Whether verdicts are noted that could not be given yet.
    pub fn has_verdicts(&self) -> bool {
        !self.verdicts.is_empty() || self.run.is_some()
    }

    /// Has the queue as `backlog` says, by the message that `push` writes. Returns the error number that the kernel
    /// answers with.
    ///
    /// The answer may be missing only where the receive buffer had no room for it. That has been emptied then, and the
    /// settings are said again.
    fn configure(&mut self, backlog: &Backlog, push: PushConfig) -> io::Result<i32> {
        self.socket.set_receive_buffer(backlog.receive_buffer() as usize)?;
        for push in iter::once(push).chain(iter::repeat_n(message::push_settings as PushConfig, REPETITIONS)) {
            let mut request = Vec::new();
            push(&mut request, self.number, backlog, self.sequence);
            self.socket.send(&request)?;
            if let Some(errno) = self.read_answer()? {
                return Ok(errno);
            }
        }
        Err(io::Error::other("the kernel does not answer"))
    }

    /// Reads until the answer to our request, which is there as soon as that is sent, and keeps the packets before it.
    /// None if there is no answer.
    fn read_answer(&mut self) -> io::Result<Option<i32>> {
        let mut buffer = vec![0; SLOT_LEN];
        loop {
            let length = match self.socket.receive(&mut buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                    self.overruns += 1;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let datagram = buffer.get(..length).unwrap_or(&buffer);
            if let Some(errno) = config_answer(datagram, self.sequence) {
                return Ok(Some(errno));
            }
            self.early.push_back(datagram.to_vec());
        }
    }
}

impl AsFd for Queue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Opens a socket for the queue.
fn open(number: QueueNum) -> Result<Socket, BindError> {
    Socket::open(PROTOCOL, 0).map_err(|source| match source.raw_os_error() {
        Some(libc::EPROTONOSUPPORT) => BindError::NoNfnetlink(number),
        _ => BindError::Io { queue: number, source },
    })
}

/// The error number of the answer to our configuration message of this number, if `datagram` is that answer.
fn config_answer(datagram: &[u8], ours: u32) -> Option<i32> {
    message::read(datagram).find_map(|message| match message {
        FromKernel::Done { sequence, errno } if sequence == ours => Some(errno),
        _ => None,
    })
}

/// Whether a call only found nothing, or was interrupted.
fn is_nothing_there(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// What a refused bind means. The kernel says EPERM both for a queue that has an owner and for a capability we lack.
fn explain(queue: QueueNum, errno: i32) -> BindError {
    match errno {
        libc::EBUSY => BindError::AlreadyBound(queue),
        libc::EPERM => match is_bound(queue) {
            Some(true) => BindError::AlreadyBound(queue),
            Some(false) => BindError::NotPermitted(queue),
            None if has_net_admin() => BindError::AlreadyBound(queue),
            None => BindError::NotPermitted(queue),
        },
        // What nfnetlink_rcv_msg() says of a subsystem that nobody registered.
        libc::EINVAL if !Path::new(BOUND_QUEUES).exists() => BindError::NoNfqueue(queue),
        _ => BindError::Io { queue, source: io::Error::from_raw_os_error(errno) },
    }
}

/// Whether the queue is bound in this network namespace; None if we may not see that: the list is root's.
fn is_bound(queue: QueueNum) -> Option<bool> {
    Some(bound().ok()?.iter().any(|listed| listed.number == queue.0))
}

/// Whether we have CAP_NET_ADMIN, in our own user namespace at least.
fn has_net_admin() -> bool {
    caps::has_cap(None, CapSet::Effective, Capability::CAP_NET_ADMIN).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_verdicts_can_be_given() {
        // The kernel takes what it is sent, and refuses it only then: nobody bound this queue.
        let mut queue = Queue::over(QueueNum(65_535), open(QueueNum(65_535)).unwrap());
        for id in 0..5_000 {
            queue.push_verdict(2 * id, Verdict::Drop);
            queue.push_verdict(2 * id + 1, Verdict::Accept);
        }
        queue.send_verdicts().unwrap();
        assert!(!queue.has_verdicts() && !queue.is_retrying());
    }
}
