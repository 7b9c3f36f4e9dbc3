//! What a guest's interface sent and received.
//!
//! The capture is taken at the guest's end: frames that leave by a socket with `PACKET_QDISC_BYPASS` pass no packet
//! tap on their way out.

use std::env;
use std::fs::{self, File};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::process::{Child, Command, ExitCode};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use dhcproto::v4::{DhcpOption, Message, MessageType, OptionCode};
use dhcproto::{Decodable, Decoder, v6};
use pcap_file::pcap::{PcapHeader, PcapPacket, PcapReader, PcapWriter};
use pnet_datalink::{Channel, Config, channel, interfaces};
use pnet_packet::Packet;
use pnet_packet::ethernet::{EtherTypes, EthernetPacket};
use pnet_packet::ip::IpNextHeaderProtocols;
use pnet_packet::ipv4::Ipv4Packet;
use pnet_packet::ipv6::Ipv6Packet;
use pnet_packet::udp::UdpPacket;

use super::{SCRATCH, soon};

/// The bytes of one Ethernet frame.
pub(crate) type Frame = Vec<u8>;

/// The argument that leads to [`record`].
pub(crate) const FLAG: &str = "--record";

/// How often, and how many times, it is looked whether a recorder has written all that came.
const GLANCE: Duration = Duration::from_millis(5);
const GLANCES: u32 = 200;

/// The largest frame that any interface gives.
const LARGEST: usize = 1 << 16;

/// Writes what an interface sends and receives into a capture file, until the interface is gone.
pub(crate) fn record(interface: &str, path: &str) -> ExitCode {
    let interface = interfaces().into_iter().find(|known| known.name == interface).expect("the interface");
    let options = Config { read_buffer_size: LARGEST, ..Config::default() };
    let Ok(Channel::Ethernet(_, mut receiver)) = channel(&interface, options) else { panic!("no packet socket") };
    let header = PcapHeader { snaplen: LARGEST.try_into().unwrap(), ..PcapHeader::default() };
    let mut writer = PcapWriter::with_header(File::create(path).unwrap(), header).unwrap();
    while let Ok(frame) = receiver.next() {
        let time = UNIX_EPOCH.elapsed().unwrap();
        let length = frame.len().try_into().unwrap();
        writer.write_packet(&PcapPacket::new(time, length, frame)).unwrap();
    }
    ExitCode::SUCCESS
}

/// A process that records and the file that it writes. Ours needs no user to run as, which `tcpdump` does.
pub(crate) struct Capture {
    path: String,
    recorder: Child,
}

impl Capture {
    /// Captures `eth0` of a namespace, from now on.
    pub(crate) fn start(netns: &str, number: usize) -> Self {
        let path = format!("{SCRATCH}/{netns}-{number}.pcap");
        let recorder = Command::new("ip")
            .args(["netns", "exec", netns])
            .arg(env::current_exe().unwrap())
            .args([FLAG, "eth0", &path])
            .spawn()
            .unwrap();
        soon("the capture", || (fs::metadata(&path).ok()?.len() > 0).then_some(()));
        Self { path, recorder }
    }

    /// All frames up to now.
    pub(crate) fn frames(&self) -> Vec<Frame> {
        // Not waited for where frames never cease.
        let _settled = (0..GLANCES).any(|_| {
            let is_settled = self.is_settled();
            if !is_settled {
                thread::sleep(GLANCE);
            }
            is_settled
        });
        read(&self.path)
    }

    /// Whether the recorder has written all that came: nothing waits in its socket (`Rmem` of /proc/net/packet), and it
    /// sleeps until something does; or it has ended with its interface.
    fn is_settled(&self) -> bool {
        let directory = format!("/proc/{}", self.recorder.id());
        let read = |name: &str| fs::read_to_string(format!("{directory}/{name}")).unwrap_or_default();
        let sockets: Vec<_> = fs::read_dir(format!("{directory}/fd"))
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(fs::read_link(entry.ok()?.path()).ok()?.to_string_lossy().into_owned()))
            .collect();
        let waiting = read("net/packet").lines().skip(1).any(|line| {
            let columns: Vec<_> = line.split_ascii_whitespace().collect();
            columns[6] != "0" && sockets.contains(&format!("socket:[{}]", columns[8]))
        });
        !waiting && !read("stat").contains(") R ")
    }
}

/// The frames of a file that is being written. One that is half written does not count yet.
pub(crate) fn read(path: &str) -> Vec<Frame> {
    let Ok(mut reader) = PcapReader::new(File::open(path).unwrap()) else {
        return Vec::new();
    };
    let mut frames = Vec::new();
    while let Some(Ok(packet)) = reader.next_packet() {
        frames.push(packet.data.into_owned());
    }
    frames
}

/// A DHCPv4 message and how it travelled.
#[derive(Debug)]
pub(crate) struct Dhcpv4 {
    /// It went to a server's port.
    pub(crate) from_guest: bool,
    /// The IPv4 source.
    pub(crate) source: Ipv4Addr,
    /// The IPv4 destination.
    pub(crate) destination: Ipv4Addr,
    /// The message, as an independent decoder reads it.
    pub(crate) message: Message,
}

impl Dhcpv4 {
    /// Whether it is of this type, sent by the daemon.
    pub(crate) fn is_answer(&self, kind: MessageType) -> bool {
        !self.from_guest && self.is(kind)
    }

    /// Whether it is of this type.
    pub(crate) fn is(&self, kind: MessageType) -> bool {
        self.message.opts().get(OptionCode::MessageType) == Some(&DhcpOption::MessageType(kind))
    }

    /// Whether it has the option.
    pub(crate) fn has(&self, code: OptionCode) -> bool {
        self.message.opts().get(code).is_some()
    }
}

/// The DHCPv4 message in a frame, if there is one.
pub(crate) fn dhcpv4(frame: &[u8]) -> Option<Dhcpv4> {
    let ethernet = EthernetPacket::new(frame)?;
    if ethernet.get_ethertype() != EtherTypes::Ipv4 {
        return None;
    }
    let ip = Ipv4Packet::new(ethernet.payload())?;
    let udp = UdpPacket::new(ip.payload())?;
    let ports = [udp.get_source(), udp.get_destination()];
    if ports != [68, 67] && ports != [67, 68] {
        return None;
    }
    let message = Message::decode(&mut Decoder::new(udp.payload())).ok()?;
    let from_guest = udp.get_destination() == 67;
    Some(Dhcpv4 { from_guest, source: ip.get_source(), destination: ip.get_destination(), message })
}

/// A DHCPv6 message and which way it went.
#[derive(Debug)]
pub(crate) struct Dhcpv6 {
    /// It went to a server's port.
    pub(crate) from_guest: bool,
    /// The message, as an independent decoder reads it.
    pub(crate) message: v6::Message,
}

impl Dhcpv6 {
    /// Whether it is of this type.
    pub(crate) fn is(&self, kind: v6::MessageType) -> bool {
        self.message.msg_type() == kind
    }

    /// The addresses and prefixes in its identity associations, and how long each is valid.
    pub(crate) fn leases(&self) -> Vec<(Ipv6Addr, u32)> {
        let inside = self.message.opts().iter().filter_map(|option| match option {
            v6::DhcpOption::IANA(ia) => Some(&ia.opts),
            v6::DhcpOption::IAPD(ia) => Some(&ia.opts),
            _ => None,
        });
        let lease = |option: &v6::DhcpOption| match option {
            v6::DhcpOption::IAAddr(lease) => Some((lease.addr, lease.valid_life)),
            v6::DhcpOption::IAPrefix(lease) => Some((lease.prefix_ip, lease.valid_lifetime)),
            _ => None,
        };
        inside.flat_map(v6::DhcpOptions::iter).filter_map(lease).collect()
    }
}

/// The DHCPv6 message in a frame, if there is one.
pub(crate) fn dhcpv6(frame: &[u8]) -> Option<Dhcpv6> {
    let ethernet = EthernetPacket::new(frame)?;
    if ethernet.get_ethertype() != EtherTypes::Ipv6 {
        return None;
    }
    let ip = Ipv6Packet::new(ethernet.payload())?;
    let udp = UdpPacket::new(ip.payload()).filter(|_| ip.get_next_header() == IpNextHeaderProtocols::Udp)?;
    let ports = [udp.get_source(), udp.get_destination()];
    if ports != [546, 547] && ports != [547, 546] {
        return None;
    }
    let message = v6::Message::decode(&mut Decoder::new(udp.payload())).ok()?;
    Some(Dhcpv6 { from_guest: udp.get_destination() == 547, message })
}
