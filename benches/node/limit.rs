//! The limit: the least that any program with an NFQUEUE can do.
//!
//! It takes packets, sends a frame that was made before for each, and gives the verdicts. It knows no guests and looks at
//! nothing but the number of a request, which the frame must bear. Either in batches, with three system calls for as many
//! packets as there are, or with three system calls for each packet.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nfdhcpd::io::netlink::{attributes, messages, push_attribute, push_message};
use nfdhcpd::io::sys::{Frame, send_frames, set_qdisc_bypass};
use nix::net::if_::if_nametoindex;
use nix::sys::socket::{
    self, AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, send, sockopt,
};
use pcap_file::pcap::PcapReader;

use crate::packet::{Kind, Mark, VARIANT};
use crate::sys::{BATCH, Inbox};

/// What the queue's socket may hold, in bytes.
const RECEIVE_BUFFER: usize = 4 << 20;
/// How many packets may wait for a verdict.
const QUEUE_MAXLEN: u32 = 4096;
/// A packet of 1,500 bytes, and its attributes.
const SLOT_LEN: usize = 2048;
/// The length of `struct nfgenmsg`, in bytes.
const GENMSG_LEN: usize = 4;

/// Arguments of `node limit`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What to answer
    #[arg(value_enum)]
    kind: Kind,
    /// The capture of one answer to each variant, with the numbers 0, VARIANT and so on
    answers: String,
    /// The interface to answer by
    tap: String,
    /// One packet at a time
    #[arg(long)]
    single: bool,
}

/// Answers until it is killed.
pub(crate) fn run(arguments: &Arguments) {
    let mut limit = Limit::new(arguments);
    let mut memory = vec![0; SLOT_LEN];
    loop {
        if arguments.single { limit.serve_one(&mut memory) } else { limit.serve_batch() }
    }
}

/// A packet in a message of the kernel's: its id, and the number of the request that it is.
struct Queued {
    id: u32,
    number: u32,
}

struct Limit {
    netlink: OwnedFd,
    inbox: Inbox,
    responder: Responder,
    verdict: Verdict,
}

impl Limit {
    fn new(arguments: &Arguments) -> Self {
        let queue = arguments.kind.queue();
        Self {
            netlink: bind(queue),
            inbox: Inbox::new(SLOT_LEN),
            responder: Responder::new(arguments),
            verdict: Verdict { queue, message: Vec::new() },
        }
    }

    /// recvmmsg, sendmmsg, and one verdict for all that came.
    fn serve_batch(&mut self) {
        if self.inbox.receive(self.netlink.as_fd()).is_err() {
            return;
        }
        let mark = self.responder.request;
        let mut last = None;
        for packet in self.inbox.messages().filter_map(|message| read(message, mark)) {
            self.responder.prepare(packet.number);
            last = Some(packet.id);
        }
        self.responder.send();
        if let Some(id) = last {
            self.verdict.drop(&self.netlink, libc::NFQNL_MSG_VERDICT_BATCH, id);
        }
    }

    /// The same for one packet.
    fn serve_one(&mut self, memory: &mut [u8]) {
        let Ok(len) = recv(self.netlink.as_raw_fd(), memory, MsgFlags::empty()) else {
            return;
        };
        if let Some(packet) = read(&memory[..len], self.responder.request) {
            self.responder.prepare(packet.number);
            self.responder.send();
            self.verdict.drop(&self.netlink, libc::NFQNL_MSG_VERDICT, packet.id);
        }
    }
}

/// Reads a message; None if it is no packet.
fn read(datagram: &[u8], mark: Mark) -> Option<Queued> {
    let message = messages(datagram).next()?;
    let (mut id, mut number) = (None, None);
    for (kind, value) in attributes(message.payload.get(GENMSG_LEN..)?).flatten() {
        match i32::from(kind) {
            libc::NFQA_PACKET_HDR => id = value.first_chunk().map(|id| u32::from_be_bytes(*id)),
            libc::NFQA_PAYLOAD => number = mark.read_packet(value),
            _ => {}
        }
    }
    Some(Queued { id: id?, number: number? })
}

/// Opens a socket that waits, and binds the queue to it.
fn bind(queue: u16) -> OwnedFd {
    let protocol = SockProtocol::NetlinkNetFilter;
    let fd = socket::socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol).unwrap();
    // A user namespace has no right to more than the system's limit.
    let _ = socket::setsockopt(&fd, sockopt::RcvBufForce, &RECEIVE_BUFFER);
    socket::connect(fd.as_raw_fd(), &NetlinkAddr::new(0, 0)).unwrap();
    let mut request = Vec::new();
    push(&mut request, queue, libc::NFQNL_MSG_CONFIG, |to| {
        push_attribute(to, libc::NFQA_CFG_CMD as u16, &[libc::NFQNL_CFG_CMD_BIND as u8, 0, 0, 0]);
        // Packets whole, as for a program that looks at them.
        push_attribute(to, libc::NFQA_CFG_PARAMS as u16, &[0, 0, 0xff, 0xff, libc::NFQNL_COPY_PACKET as u8]);
        push_attribute(to, libc::NFQA_CFG_QUEUE_MAXLEN as u16, &QUEUE_MAXLEN.to_be_bytes());
    });
    send(fd.as_raw_fd(), &request, MsgFlags::empty()).unwrap();
    fd
}

/// Appends a message about a queue.
fn push(to: &mut Vec<u8>, queue: u16, kind: i32, write: impl FnOnce(&mut Vec<u8>)) {
    let subsystem = (libc::NFNL_SUBSYS_QUEUE as u16) << 8;
    push_message(to, subsystem | kind as u16, libc::NLM_F_REQUEST as u16, 0, |to| {
        let [high, low] = queue.to_be_bytes();
        to.extend([libc::AF_UNSPEC as u8, libc::NFNETLINK_V0 as u8, high, low]);
        write(to);
    });
}

/// What tells the kernel to drop packets.
struct Verdict {
    queue: u16,
    message: Vec<u8>,
}

impl Verdict {
    /// Drops the packet of this id; with `NFQNL_MSG_VERDICT_BATCH`, all packets up to it.
    fn drop(&mut self, netlink: &OwnedFd, kind: i32, id: u32) {
        self.message.clear();
        push(&mut self.message, self.queue, kind, |to| {
            let header = [(libc::NF_DROP as u32).to_be_bytes(), id.to_be_bytes()].concat();
            push_attribute(to, libc::NFQA_VERDICT_HDR as u16, &header);
        });
        send(netlink.as_raw_fd(), &self.message, MsgFlags::empty()).unwrap();
    }
}

/// What sends answers that were made before.
struct Responder {
    request: Mark,
    answer: Mark,
    packets: OwnedFd,
    ifindex: u32,
    /// For each packet of a batch, a frame of each variant.
    frames: Vec<Vec<Vec<u8>>>,
    /// The variants that the packets of this batch ask for.
    variants: Vec<usize>,
}

impl Responder {
    fn new(arguments: &Arguments) -> Self {
        let mut reader = PcapReader::new(File::open(&arguments.answers).unwrap()).unwrap();
        let mut answers = Vec::new();
        while let Some(packet) = reader.next_packet() {
            answers.push(packet.unwrap().data.into_owned());
        }
        let packets = socket::socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, None).unwrap();
        set_qdisc_bypass(packets.as_fd()).unwrap();
        Self {
            request: arguments.kind.request_mark(),
            answer: arguments.kind.answer_mark(),
            packets,
            ifindex: if_nametoindex(arguments.tap.as_str()).unwrap(),
            frames: vec![answers; BATCH],
            variants: Vec::with_capacity(BATCH),
        }
    }

    /// Numbers the answer to the next packet of the batch.
    fn prepare(&mut self, number: u32) {
        let variant = usize::from(number & VARIANT != 0);
        let frame = &mut self.frames[self.variants.len()][variant];
        self.answer.write(frame, number);
        self.variants.push(variant);
    }

    /// Sends the answers of the batch. One that does not go is lost.
    fn send(&mut self) {
        let frames = self.frames.iter().zip(&self.variants);
        let mut frames = frames.map(|(frames, variant)| Frame { ifindex: self.ifindex, bytes: &frames[*variant] });
        while frames.len() > 0 {
            let sent = send_frames(self.packets.as_fd(), frames.clone()).unwrap_or(1);
            frames.by_ref().take(sent).for_each(drop);
        }
        self.variants.clear();
    }
}
