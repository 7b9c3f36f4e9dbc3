//! Packets with right lengths and checksums: made, or put right. The sums are our own, not those of the engine.

/// The length of an Ethernet header, in bytes.
pub const ETHERNET: usize = 14;
/// The length of an ARP packet about Ethernet and IPv4, in bytes.
pub const ARP: usize = 28;
/// The length of an IPv4 header without options, in bytes.
pub const IPV4: usize = 20;
/// The length of an IPv6 header, in bytes.
pub const IPV6: usize = 40;
/// The length of a UDP header, in bytes.
pub const UDP: usize = 8;

/// UDP among the protocols.
pub const PROTOCOL_UDP: u8 = 17;
/// ICMPv6 among the protocols.
pub const PROTOCOL_ICMPV6: u8 = 58;

/// The sum of RFC 1071 over parts of which all but the last have an even length; 0 where a checksum is right.
pub fn checksum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let mut sum: u64 = words.map(|word| u64::from(word[0]) << 8 | u64::from(*word.get(1).unwrap_or(&0))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// The checksum over `payload` and the pseudo-header of the IP packet whose header is `ip`.
pub fn transport_checksum(ip: &[u8], protocol: u8, payload: &[u8]) -> u16 {
    let addresses = if ip[0] >> 4 == 4 { &ip[12..20] } else { &ip[8..40] };
    let length = (payload.len() as u32).to_be_bytes();
    checksum(&[addresses, &length, &[0, protocol], payload])
}

/// A UDP datagram from and to these ports.
pub fn udp(source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(source.to_be_bytes());
    bytes.extend(destination.to_be_bytes());
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

/// An IPv4 packet.
pub fn ipv4(source: [u8; 4], destination: [u8; 4], protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0];
    bytes.extend(source);
    bytes.extend(destination);
    bytes.extend(payload);
    repair_ipv4(&mut bytes);
    bytes
}

/// An IPv6 packet.
pub fn ipv6(source: [u8; 16], destination: [u8; 16], protocol: u8, hop_limit: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x60, 0, 0, 0, 0, 0, protocol, hop_limit];
    bytes.extend(source);
    bytes.extend(destination);
    bytes.extend(payload);
    repair_ipv6(&mut bytes);
    bytes
}

/// Puts lengths and checksums of an Ethernet frame right, as far as its headers go.
pub fn repair(frame: &mut [u8]) {
    if let Some(packet) = frame.get_mut(ETHERNET..) {
        repair_ip(packet);
    }
}

/// The same for an IP packet.
pub fn repair_ip(packet: &mut [u8]) {
    match packet.first().map(|byte| byte >> 4) {
        Some(4) => repair_ipv4(packet),
        Some(6) => repair_ipv6(packet),
        _ => {}
    }
}

fn repair_ipv4(packet: &mut [u8]) {
    let header_len = usize::from(packet[0] & 15) * 4;
    let Ok(total_len) = u16::try_from(packet.len()) else { return };
    if header_len < IPV4 || header_len > packet.len() {
        return;
    }
    let (header, payload) = packet.split_at_mut(header_len);
    header[2..4].copy_from_slice(&total_len.to_be_bytes());
    header[10..12].fill(0);
    let sum = checksum(&[header]);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    repair_transport(header, header[9], payload);
}

fn repair_ipv6(packet: &mut [u8]) {
    let Some((header, payload)) = packet.split_at_mut_checked(IPV6) else { return };
    let Ok(length) = u16::try_from(payload.len()) else { return };
    header[4..6].copy_from_slice(&length.to_be_bytes());
    let Some((protocol, start)) = transport(header[6], payload) else { return };
    if let Some(payload) = payload.get_mut(start..) {
        repair_transport(header, protocol, payload);
    }
}

/// The protocol behind the extension headers, and where it starts.
fn transport(mut protocol: u8, payload: &[u8]) -> Option<(u8, usize)> {
    let mut start = 0;
    while matches!(protocol, 0 | 43 | 60) {
        protocol = *payload.get(start)?;
        start += 8 + usize::from(*payload.get(start + 1)?) * 8;
    }
    Some((protocol, start))
}

fn repair_transport(ip: &[u8], protocol: u8, payload: &mut [u8]) {
    let at = match protocol {
        PROTOCOL_UDP if payload.len() >= UDP => {
            let length = payload.len() as u16;
            payload[4..6].copy_from_slice(&length.to_be_bytes());
            6
        }
        PROTOCOL_ICMPV6 if payload.len() >= 4 => 2,
        _ => return,
    };
    payload[at..at + 2].fill(0);
    let sum = match transport_checksum(ip, protocol, payload) {
        0 if protocol == PROTOCOL_UDP => 0xffff,
        sum => sum,
    };
    payload[at..at + 2].copy_from_slice(&sum.to_be_bytes());
}
