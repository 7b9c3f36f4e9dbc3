//! Frames that no client would send: built here, sent by this program from within a guest's namespace.

use std::fs::File;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::process::ExitCode;
use std::time::Duration;

use pcap_file::pcap::{PcapPacket, PcapReader, PcapWriter};
use pnet_datalink::{Channel, Config, channel, interfaces};
use pnet_packet::icmpv6::{Icmpv6Packet, checksum as icmpv6_checksum};
use pnet_packet::ip::IpNextHeaderProtocols::{Icmpv6, Udp};
use pnet_packet::ipv4::{Ipv4Packet, checksum as ipv4_checksum};
use pnet_packet::udp::{UdpPacket, ipv4_checksum as udp4_checksum, ipv6_checksum as udp6_checksum};

/// The argument that leads to [`send`].
pub(crate) const FLAG: &str = "--send";

/// The largest frame that any interface takes.
const LARGEST: usize = 1 << 16;

/// Writes frames to a capture file.
pub(crate) fn write(path: &str, frames: &[Vec<u8>]) {
    let mut writer = PcapWriter::new(File::create(path).unwrap()).unwrap();
    for frame in frames {
        let length = frame.len().try_into().unwrap();
        writer.write_packet(&PcapPacket::new(Duration::ZERO, length, frame)).unwrap();
    }
}

/// Sends all frames of a capture out of an interface, `count` times.
pub(crate) fn send(interface: &str, path: &str, count: &str) -> ExitCode {
    let interface = interfaces().into_iter().find(|known| known.name == interface).expect("the interface");
    let options = Config { write_buffer_size: LARGEST, ..Config::default() };
    let Ok(Channel::Ethernet(mut sender, _)) = channel(&interface, options) else { panic!("no packet socket") };
    let mut reader = PcapReader::new(File::open(path).unwrap()).unwrap();
    let mut frames = Vec::new();
    while let Some(packet) = reader.next_packet() {
        frames.push(packet.unwrap().data.into_owned());
    }
    for _ in 0..count.parse().unwrap() {
        for frame in &frames {
            sender.send_to(frame, None).expect("a way out").expect("a frame on its way");
        }
    }
    ExitCode::SUCCESS
}

/// An Ethernet frame.
pub(crate) fn ethernet(destination: [u8; 6], source: [u8; 6], ethertype: u16, payload: &[u8]) -> Vec<u8> {
    [&destination, &source, &ethertype.to_be_bytes()[..], payload].concat()
}

/// An IPv4 packet without options, with a right checksum.
pub(crate) fn ipv4(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + payload.len()).unwrap().to_be_bytes();
    let mut packet = vec![0x45, 0, length[0], length[1], 0, 0, 0, 0, 64, protocol, 0, 0];
    packet.extend(source.octets());
    packet.extend(destination.octets());
    let sum = ipv4_checksum(&Ipv4Packet::new(&packet).unwrap());
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet.extend(payload);
    packet
}

/// An IPv6 packet.
pub(crate) fn ipv6(source: Ipv6Addr, destination: Ipv6Addr, next: u8, hops: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    let mut packet = vec![0x60, 0, 0, 0, length[0], length[1], next, hops];
    packet.extend(source.octets());
    packet.extend(destination.octets());
    packet.extend(payload);
    packet
}

/// A UDP datagram in IPv4, with a right checksum.
pub(crate) fn udp4(source: Ipv4Addr, destination: Ipv4Addr, ports: [u16; 2], payload: &[u8]) -> Vec<u8> {
    let mut datagram = udp(ports, payload);
    let sum = udp4_checksum(&UdpPacket::new(&datagram).unwrap(), &source, &destination);
    datagram[6..8].copy_from_slice(&sum.to_be_bytes());
    ipv4(source, destination, Udp.0, &datagram)
}

/// A UDP datagram in IPv6, with a right checksum.
pub(crate) fn udp6(source: Ipv6Addr, destination: Ipv6Addr, ports: [u16; 2], payload: &[u8]) -> Vec<u8> {
    let mut datagram = udp(ports, payload);
    let sum = udp6_checksum(&UdpPacket::new(&datagram).unwrap(), &source, &destination);
    datagram[6..8].copy_from_slice(&sum.to_be_bytes());
    ipv6(source, destination, Udp.0, 64, &datagram)
}

fn udp(ports: [u16; 2], payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + payload.len()).unwrap();
    let head = [ports[0], ports[1], length, 0].map(u16::to_be_bytes).concat();
    [&head[..], payload].concat()
}

/// A neighbour discovery message, with hop limit 255 and a right checksum.
pub(crate) fn icmpv6(source: Ipv6Addr, destination: Ipv6Addr, kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = [&[kind, 0, 0, 0], body].concat();
    let sum = icmpv6_checksum(&Icmpv6Packet::new(&message).unwrap(), &source, &destination);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    ipv6(source, destination, Icmpv6.0, 255, &message)
}
