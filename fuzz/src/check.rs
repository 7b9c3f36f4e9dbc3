//! What must be true of every frame that we send, by an independent reading: not one line here is the engine's.

use dhcproto::{Decodable, Decoder, v4, v6};

use crate::packet::{self, ETHERNET, IPV4, IPV6, PROTOCOL_ICMPV6, PROTOCOL_UDP, UDP};

/// A frame of ours, read.
#[derive(Debug)]
pub enum Sent {
    /// A DHCPv4 or BOOTP reply.
    Dhcpv4(Box<v4::Message>),
    /// A DHCPv6 message.
    Dhcpv6(Box<v6::Message>),
    /// A Router Advertisement.
    RouterAdvertisement,
    /// A Neighbor Advertisement.
    NeighborAdvertisement,
}

/// Reads a frame of ours.
///
/// # Panics
/// Where anything is wrong with it.
pub fn frame(frame: &[u8]) -> Sent {
    let packet = &frame[ETHERNET..];
    assert_eq!(frame[6] & 1, 0, "a group address as source");
    match u16::from_be_bytes([frame[12], frame[13]]) {
        0x0800 => ipv4(packet),
        0x86dd => ipv6(packet),
        other => panic!("EtherType {other:#06x}"),
    }
}

fn ipv4(packet: &[u8]) -> Sent {
    let (header, payload) = packet.split_at(IPV4);
    assert_eq!(header[0], 0x45, "version and header length");
    assert_eq!(usize::from(u16::from_be_bytes([header[2], header[3]])), packet.len(), "total length");
    assert_eq!(packet::checksum(&[header]), 0, "IPv4 checksum");
    assert_eq!(header[9], PROTOCOL_UDP);
    let [source, destination] = udp_ports(header, payload);
    assert_eq!(source, 67);
    assert!(matches!(destination, 67 | 68), "port {destination}");
    Sent::Dhcpv4(Box::new(dhcpv4(&payload[UDP..])))
}

fn ipv6(packet: &[u8]) -> Sent {
    let (header, payload) = packet.split_at(IPV6);
    assert_eq!(header[0], 0x60, "version and traffic class");
    assert_eq!(usize::from(u16::from_be_bytes([header[4], header[5]])), payload.len(), "payload length");
    if header[6] == PROTOCOL_UDP {
        assert_eq!(header[8..10], [0xfe, 0x80], "source");
        assert_eq!(udp_ports(header, payload), [547, 546]);
        return Sent::Dhcpv6(Box::new(dhcpv6(&payload[UDP..])));
    }
    assert_eq!(header[6], PROTOCOL_ICMPV6);
    assert_eq!(header[7], 255, "hop limit");
    assert_eq!(packet::transport_checksum(header, PROTOCOL_ICMPV6, payload), 0, "ICMPv6 checksum");
    advertisement(payload)
}

fn udp_ports(ip: &[u8], datagram: &[u8]) -> [u16; 2] {
    let word = |at: usize| u16::from_be_bytes([datagram[at], datagram[at + 1]]);
    assert_eq!(usize::from(word(4)), datagram.len(), "UDP length");
    assert_ne!(word(6), 0, "no UDP checksum");
    assert_eq!(packet::transport_checksum(ip, PROTOCOL_UDP, datagram), 0, "UDP checksum");
    [word(0), word(2)]
}

/// Reads a DHCPv4 or BOOTP reply.
pub fn dhcpv4(payload: &[u8]) -> v4::Message {
    assert!(payload.len() >= 300, "{} bytes of BOOTP", payload.len());
    let message = v4::Message::decode(&mut Decoder::new(payload)).expect("DHCPv4");
    assert_eq!(message.opcode(), v4::Opcode::BootReply);
    message
}

/// Reads a DHCPv6 reply.
pub fn dhcpv6(payload: &[u8]) -> v6::Message {
    let message = v6::Message::decode(&mut Decoder::new(payload)).expect("DHCPv6");
    assert_eq!(message.msg_type(), v6::MessageType::Reply);
    message
}

/// Reads a Router or Neighbor Advertisement, its checksum aside.
pub fn advertisement(message: &[u8]) -> Sent {
    assert_eq!(message[1], 0, "code");
    let (sent, mut options) = match message[0] {
        134 => (Sent::RouterAdvertisement, &message[16..]),
        136 => (Sent::NeighborAdvertisement, &message[24..]),
        other => panic!("ICMPv6 type {other}"),
    };
    while !options.is_empty() {
        let len = usize::from(options[1]) * 8;
        assert_ne!(len, 0, "an option of no length");
        options = &options[len..];
    }
    sent
}
