//! Questions and orders to rtnetlink(7), each answered before the next.
//!
//! A dump is complete or is no dump: what is left over is found by what is not in one, and must not be taken for left over
//! because the kernel was changing something else meanwhile.

use std::io;
use std::time::Duration;

use nix::sys::socket::SockProtocol;

use super::message;
use crate::binding::InterfaceName;
use crate::io::links::DATAGRAM_LEN;
use crate::io::netlink::{self, Message, NLM_F_DUMP_INTR, Socket};
use crate::network::Link;

/// How long the kernel may take for the next part of an answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often a dump is asked for that others interrupt.
const ATTEMPTS: usize = 200;

/// A socket of rtnetlink that is asked and answers.
#[derive(Debug)]
pub(super) struct Rtnetlink {
    socket: Socket,
    buffer: Vec<u8>,
    /// `nlmsg_seq` of what was asked last.
    sequence: u32,
}

impl Rtnetlink {
    pub(super) fn open() -> io::Result<Self> {
        let socket = Socket::open(SockProtocol::NetlinkRoute, 0)?;
        Ok(Self { socket, buffer: vec![0; DATAGRAM_LEN], sequence: 0 })
    }

    /// Asks for all things of a kind, with this header, and returns what `read` makes of them.
    ///
    /// # Errors
    /// Besides those of the kernel: it changes faster than it can be read.
    pub(super) fn dump<T>(
        &mut self,
        kind: u16,
        header: &[u8],
        read: impl Fn(&Message<'_>) -> Option<T>,
    ) -> io::Result<Vec<T>> {
        for _ in 0..ATTEMPTS {
            let mut seen = Vec::new();
            if self.exchange(kind, libc::NLM_F_DUMP, header, |message| seen.extend(read(message)))? {
                return Ok(seen);
            }
        }
        Err(io::Error::other("it changes faster than it can be read"))
    }

    /// Has the kernel change something.
    pub(super) fn change(&mut self, kind: u16, flags: libc::c_int, body: &[u8]) -> io::Result<()> {
        self.exchange(kind, flags | libc::NLM_F_ACK, body, |_| {}).map(drop)
    }

    /// The link that has this name now. ENODEV if there is none.
    pub(super) fn link(&mut self, name: InterfaceName) -> io::Result<Link> {
        let mut link = None;
        let question = message::link_of(name);
        self.exchange(libc::RTM_GETLINK, libc::NLM_F_ACK, &question, |message| link = message::link(message))?;
        link.map(|(_, link)| link).ok_or_else(|| io::Error::from_raw_os_error(libc::ENODEV))
    }

    /// Sends a message and takes in all of the answer. Returns whether that is sure to be complete.
    fn exchange(
        &mut self,
        kind: u16,
        flags: libc::c_int,
        body: &[u8],
        mut take: impl FnMut(&Message<'_>),
    ) -> io::Result<bool> {
        self.ask(kind, flags, body)?;
        let mut is_complete = true;
        loop {
            let length = self.receive()?;
            let datagram = self.buffer.get(..length).unwrap_or(&self.buffer);
            // A late answer to an earlier question is no answer to this one.
            for message in netlink::messages(datagram).filter(|message| message.sequence == self.sequence) {
                is_complete &= message.flags & NLM_F_DUMP_INTR == 0;
                match message.errno() {
                    None => take(&message),
                    Some(0) => return Ok(is_complete),
                    Some(errno) => return Err(io::Error::from_raw_os_error(errno)),
                }
            }
        }
    }

    fn ask(&mut self, kind: u16, flags: libc::c_int, body: &[u8]) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut request = Vec::new();
        let flags = (libc::NLM_F_REQUEST | flags) as u16;
        netlink::push_message(&mut request, kind, flags, self.sequence, |to| to.extend_from_slice(body));
        self.socket.send(&request)
    }

    /// Waits for the next datagram.
    fn receive(&mut self) -> io::Result<usize> {
        loop {
            match self.socket.receive(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.socket.wait_readable(TIMEOUT)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}
