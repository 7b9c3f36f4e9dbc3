//! The network interfaces, as rtnetlink tells of them: all at the start, then every change.

pub mod message;

use std::collections::{HashMap, HashSet};
use std::io;
use std::mem;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Duration;

use nix::sys::socket::SockProtocol;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::netlink::{self, Message, NLM_F_DUMP_INTR, Socket};
use super::sys;
use crate::binding::IfIndex;
use crate::engine::{Event, Link};
use message::Said;

/// What the socket's receive buffer is to hold, in bytes: some thousand messages.
const RECEIVE_BUFFER: usize = 8 << 20;
/// The longest datagram of rtnetlink. The kernel fills at most 32 KiB of a dump, and a single link needs a tenth of that.
pub(super) const DATAGRAM_LEN: usize = 64 << 10;
/// How often changes are read in a row, before what they mean is looked at.
const READS: usize = 64;
/// How long the kernel may take for the next part of the first dump.
const DUMP_TIMEOUT: Duration = Duration::from_secs(10);

/// The links of this network namespace, kept up to date.
#[derive(Debug)]
pub struct Links {
    socket: Socket,
    buffer: Vec<u8>,
    table: Table,
}

impl Links {
    /// Listens for changes, and then reads all links that are there. Returns them as events.
    pub fn open() -> io::Result<(Self, Vec<Event>)> {
        let socket = Socket::open(SockProtocol::NetlinkRoute, libc::RTMGRP_LINK as u32)?;
        socket.set_receive_buffer(RECEIVE_BUFFER)?;
        let mut links = Self { socket, buffer: vec![0; DATAGRAM_LEN], table: Table::default() };
        let events = links.read_all()?;
        Ok((links, events))
    }

    /// Reads the next datagram, without waiting, and returns what changed by it. [`io::ErrorKind::WouldBlock`] when there
    /// is none.
    ///
    /// Where messages were lost, all links are asked for anew as soon as those that were not lost have been read:
    /// an older message must not be taken for a newer one.
    pub fn read(&mut self) -> io::Result<Vec<Event>> {
        let mut events = Vec::new();
        match self.socket.receive(&mut self.buffer) {
            Ok(length) => {
                let datagram = self.buffer.get(..length).unwrap_or(&self.buffer);
                for message in netlink::messages(datagram) {
                    self.table.take(&message, &mut events);
                }
            }
            Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => self.table.resync(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.ask_if_wanted()?;
                return Err(error);
            }
            Err(error) => return Err(error),
        }
        Ok(events)
    }

    /// Waits until all links have been told once. A dump that must be made again does not hold up the start.
    fn read_all(&mut self) -> io::Result<Vec<Event>> {
        let mut events = Vec::new();
        loop {
            match self.read() {
                Ok(mut more) => events.append(&mut more),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.table.is_read {
                        return Ok(events);
                    }
                    self.socket.wait_readable(DUMP_TIMEOUT)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Asks for all links, if that is due.
    fn ask_if_wanted(&mut self) -> io::Result<()> {
        if self.table.sync != Sync::Wanted {
            return Ok(());
        }
        let mut request = Vec::new();
        message::push_dump(&mut request);
        self.socket.send(&request)?;
        self.table.sync = Sync::Running(Dump::default());
        Ok(())
    }
}

/// The changes of [`Links`], for tokio.
#[derive(Debug)]
pub struct LinkChanges {
    links: Links,
    /// Another descriptor of the same socket.
    readiness: AsyncFd<OwnedFd>,
    /// Whether all that was told by the last [`poll`](Self::poll) has been read.
    is_up_to_date: bool,
}

impl LinkChanges {
    /// The changes from now on. To be called inside a runtime.
    pub fn new(links: Links) -> io::Result<Self> {
        let fd = links.socket.as_fd().try_clone_to_owned()?;
        Ok(Self { links, readiness: sys::async_fd(fd, Interest::READABLE)?, is_up_to_date: true })
    }

    /// The changes that were told by now, without waiting for more; some of them, where there are many.
    pub fn poll(&mut self) -> io::Result<Vec<Event>> {
        let mut events = Vec::new();
        self.is_up_to_date = false;
        for _ in 0..READS {
            match self.links.read() {
                Ok(mut more) => events.append(&mut more),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.is_up_to_date = true;
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(events)
    }

    /// Whether no change was missed, and none is left that was told by the last [`poll`](Self::poll).
    pub fn is_complete(&self) -> bool {
        self.is_up_to_date && self.links.table.sync == Sync::Done
    }

    /// Waits for the next changes, or until there are no more of those that the last [`poll`](Self::poll) left: then there are
    /// none. May be dropped at any time.
    pub async fn next(&mut self) -> io::Result<Vec<Event>> {
        loop {
            let mut guard = self.readiness.readable().await?;
            if let Ok(result) = guard.try_io(|_| self.links.read()) {
                return result;
            }
            if !mem::replace(&mut self.is_up_to_date, true) {
                return Ok(Vec::new());
            }
        }
    }
}

/// What is known of the links, and how sure that is.
#[derive(Debug, Default)]
struct Table {
    links: HashMap<IfIndex, Link>,
    sync: Sync,
    /// Whether all links have been told at least once.
    is_read: bool,
}

/// Whether the table is complete, or on the way to be.
#[derive(Debug, Default, PartialEq, Eq)]
enum Sync {
    /// All links are to be asked for.
    #[default]
    Wanted,
    /// They have been asked for; the socket makes one dump at a time.
    Running(Dump),
    /// Every change since is known.
    Done,
}

/// A dump that is going on.
#[derive(Debug, Default, PartialEq, Eq)]
struct Dump {
    /// What it told of so far.
    seen: HashSet<IfIndex>,
    /// What changed while it went on. The kernel may queue a part of the dump behind a change that is newer.
    changed: HashSet<IfIndex>,
    /// Whether something was missed: it must be made again.
    is_incomplete: bool,
}

impl Table {
    /// Messages were lost.
    fn resync(&mut self) {
        match &mut self.sync {
            Sync::Running(dump) => dump.is_incomplete = true,
            sync => *sync = Sync::Wanted,
        }
    }

    /// Takes in a message, and appends what changed by it.
    fn take(&mut self, message: &Message<'_>, events: &mut Vec<Event>) {
        let has_flag = |flag: libc::c_int| i32::from(message.flags) & flag != 0;
        if message.flags & NLM_F_DUMP_INTR != 0 {
            self.resync();
        }
        let is_news = !has_flag(libc::NLM_F_MULTI);
        match message::read(message) {
            Some(Said::There(link)) if self.is_to_be_believed(link.ifindex, is_news) => {
                self.insert(link, events);
            }
            Some(Said::Gone(ifindex)) if self.is_to_be_believed(ifindex, is_news) => {
                self.remove(ifindex, events);
            }
            Some(Said::Complete(is_complete)) => self.finish(is_complete, events),
            _ => {}
        }
    }

    /// Whether a message about this link is the newest one, and not a part of the dump that a change overtook.
    fn is_to_be_believed(&mut self, ifindex: IfIndex, is_news: bool) -> bool {
        let Sync::Running(dump) = &mut self.sync else {
            return true;
        };
        if is_news {
            dump.changed.insert(ifindex);
        } else {
            dump.seen.insert(ifindex);
        }
        is_news || !dump.changed.contains(&ifindex)
    }

    /// Ends the dump: what it did not tell of is gone.
    fn finish(&mut self, is_complete: bool, events: &mut Vec<Event>) {
        let Sync::Running(dump) = mem::take(&mut self.sync) else {
            return;
        };
        self.is_read = true;
        if dump.is_incomplete || !is_complete {
            return;
        }
        self.sync = Sync::Done;
        let is_told = |ifindex| dump.seen.contains(ifindex) || dump.changed.contains(ifindex);
        let vanished: Vec<IfIndex> = self.links.keys().filter(|i| !is_told(i)).copied().collect();
        for ifindex in vanished {
            self.remove(ifindex, events);
        }
    }

    /// Learns a link, if that is news.
    fn insert(&mut self, link: Link, events: &mut Vec<Event>) {
        if self.links.get(&link.ifindex) != Some(&link) {
            self.links.insert(link.ifindex, link.clone());
            events.push(Event::LinkChanged(link));
        }
    }

    /// Forgets a link.
    fn remove(&mut self, ifindex: IfIndex, events: &mut Vec<Event>) {
        if self.links.remove(&ifindex).is_some() {
            events.push(Event::LinkGone(ifindex));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::netlink::{push_attribute, push_message};

    const NEWS: u16 = 0;
    const DUMP: u16 = libc::NLM_F_MULTI as u16;

    /// A message about the link `number` with this MTU, which tells one state from the other.
    fn link(flags: u16, number: i32, mtu: u32) -> Vec<u8> {
        about(libc::RTM_NEWLINK, flags, number, |to| {
            push_attribute(to, 3, format!("tap{number}\0").as_bytes());
            push_attribute(to, 4, &mtu.to_ne_bytes());
        })
    }

    fn gone(number: i32) -> Vec<u8> {
        about(libc::RTM_DELLINK, NEWS, number, |_| {})
    }

    fn about(kind: u16, flags: u16, number: i32, rest: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut bytes = Vec::new();
        push_message(&mut bytes, kind, flags, 0, |to| {
            to.extend_from_slice(&[0; 4]);
            to.extend_from_slice(&number.to_ne_bytes());
            to.extend_from_slice(&[0; 8]);
            rest(to);
        });
        bytes
    }

    fn done(flags: u16) -> Vec<u8> {
        let mut bytes = Vec::new();
        push_message(&mut bytes, libc::NLMSG_DONE as u16, DUMP | flags, 0, |to| {
            to.extend_from_slice(&0_i32.to_ne_bytes());
        });
        bytes
    }

    /// Feeds messages, and returns the events in a short form: name and MTU, or the index of what is gone.
    fn feed(table: &mut Table, messages: &[Vec<u8>]) -> Vec<String> {
        let mut events = Vec::new();
        for bytes in messages {
            for message in netlink::messages(bytes) {
                table.take(&message, &mut events);
            }
        }
        let short = |event: &Event| match event {
            Event::LinkChanged(link) => format!("{} {}", link.name, link.mtu),
            Event::LinkGone(ifindex) => format!("-{ifindex}"),
            other => panic!("{other:?}"),
        };
        events.iter().map(short).collect()
    }

    fn dumping() -> Table {
        Table { sync: Sync::Running(Dump::default()), ..Table::default() }
    }

    #[test]
    fn tells_each_change_once() {
        let mut table = dumping();
        let first = [link(DUMP, 1, 1500), link(DUMP, 2, 1500), done(0)];
        assert_eq!(feed(&mut table, &first), ["tap1 1500", "tap2 1500"]);
        assert_eq!(table.sync, Sync::Done);
        let later = [link(NEWS, 1, 1500), link(NEWS, 2, 9000), gone(1), gone(1), gone(9)];
        assert_eq!(feed(&mut table, &later), ["tap2 9000", "-1"]);
    }

    #[test]
    fn a_second_dump_finds_what_vanished_unseen() {
        let mut table = dumping();
        feed(&mut table, &[link(DUMP, 1, 1500), link(DUMP, 2, 1500), done(0)]);
        table.resync();
        assert_eq!(table.sync, Sync::Wanted);
        table.sync = Sync::Running(Dump::default());
        let second = [link(DUMP, 2, 1500), link(NEWS, 3, 1500), done(0)];
        assert_eq!(feed(&mut table, &second), ["tap3 1500", "-1"]);
    }

    #[test]
    fn a_change_is_newer_than_the_dump_it_overtook() {
        let mut table = dumping();
        let messages =
            [link(NEWS, 1, 9000), link(DUMP, 1, 1500), link(DUMP, 2, 1500), gone(2), link(DUMP, 2, 1500), done(0)];
        assert_eq!(feed(&mut table, &messages), ["tap1 9000", "tap2 1500", "-2"]);
    }

    #[test]
    fn an_interrupted_dump_removes_nothing_and_is_made_again() {
        let interrupted = NLM_F_DUMP_INTR;
        for messages in [vec![link(DUMP | interrupted, 1, 1500), done(0)], vec![done(interrupted)]] {
            let mut table = dumping();
            feed(&mut table, &[link(NEWS, 5, 1500)]);
            table.sync = Sync::Running(Dump::default());
            let events = feed(&mut table, &messages);
            assert!(!events.contains(&"-5".to_owned()), "{events:?}");
            assert_eq!(table.sync, Sync::Wanted);
            assert!(table.is_read, "the start does not wait for a quiet moment");
        }
    }

    #[test]
    fn what_is_lost_during_a_dump_makes_it_void() {
        let mut table = dumping();
        table.resync();
        feed(&mut table, &[done(0)]);
        assert_eq!(table.sync, Sync::Wanted);
    }
}
