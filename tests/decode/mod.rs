//! Replies as text, for expectations that a reviewer can read. DHCP options are decoded by `dhcproto`, which shares
//! nothing with our encoders.

#![allow(dead_code, reason = "each test binary uses what it needs of this")]

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use dhcproto::{Decodable, Decoder, v4, v6};
use nfdhcpd::wire::ethernet::Frame;
use nfdhcpd::wire::udp::{FRAME_PAYLOAD_V4, Udp};
use nfdhcpd::wire::{Checksums, MacAddr, ethernet, ipv4, ipv6};

/// A reply of ours in full. Panics if anything about it is not well-formed, checksums included.
pub(crate) fn reply(bytes: &[u8]) -> String {
    let frame = Frame::parse(bytes).unwrap();
    let mut text = format!("{} > {}\n", frame.addresses.source, frame.addresses.destination);
    match frame.ether_type {
        ethernet::IPV4 => over_ipv4(&mut text, frame.payload),
        ethernet::IPV6 => over_ipv6(&mut text, frame.payload),
        other => panic!("EtherType {other:#x}"),
    }
    text
}

fn over_ipv4(text: &mut String, bytes: &[u8]) {
    let datagram = ipv4::Datagram::parse(bytes).unwrap();
    assert_eq!(datagram.payload.len() + ipv4::HEADER_LEN, bytes.len(), "bytes behind the packet");
    assert_eq!(datagram.protocol, ipv4::UDP);
    let udp = Udp::parse_v4(&datagram, Checksums::Verify).unwrap();
    assert_eq!(udp.payload.len() + 8, datagram.payload.len(), "bytes behind the datagram");
    assert_ne!(datagram.payload[6..8], [0, 0], "no UDP checksum");
    let (from, to) = (datagram.source, datagram.destination);
    writeln!(text, "{from}:{} > {to}:{}, {} bytes", udp.source_port, udp.destination_port, bytes.len()).unwrap();
    dhcpv4(text, udp.payload);
}

fn over_ipv6(text: &mut String, bytes: &[u8]) {
    let datagram = ipv6::Datagram::parse(bytes).unwrap();
    assert_eq!(datagram.payload.len() + ipv6::HEADER_LEN, bytes.len(), "bytes behind the packet");
    let (from, to, limit) = (datagram.source, datagram.destination, datagram.hop_limit);
    if datagram.protocol == ipv6::UDP {
        let udp = Udp::parse_v6(&datagram, Checksums::Verify).unwrap();
        assert_eq!(udp.payload.len() + 8, datagram.payload.len(), "bytes behind the datagram");
        let (source, destination) = (udp.source_port, udp.destination_port);
        writeln!(text, "[{from}]:{source} > [{to}]:{destination}, hop limit {limit}").unwrap();
        dhcpv6(text, udp.payload);
    } else {
        assert_eq!(datagram.protocol, ipv6::ICMPV6);
        datagram.verify_icmpv6(Checksums::Verify).unwrap();
        writeln!(text, "{from} > {to}, hop limit {limit}").unwrap();
        icmpv6(text, datagram.payload);
    }
}

fn dhcpv4(text: &mut String, bytes: &[u8]) {
    let message = v4::Message::decode(&mut Decoder::new(bytes)).unwrap();
    let address = |name: &str, address: Ipv4Addr| format!(", {name} {address}");
    write!(text, "{:?}, xid {:#010x}, flags {:#06x}", message.opcode(), message.xid(), u16::from(message.flags()))
        .unwrap();
    text.push_str(&address("ciaddr", message.ciaddr()));
    text.push_str(&address("yiaddr", message.yiaddr()));
    text.push_str(&address("siaddr", message.siaddr()));
    text.push_str(&address("giaddr", message.giaddr()));
    writeln!(text, ", secs {}, hops {}, {} bytes", message.secs(), message.hops(), bytes.len()).unwrap();
    dhcpv4_names(text, bytes);
    for option in dhcpv4_options(bytes) {
        writeln!(text, "  {}: {}", option.code, dhcpv4_option(option.code, &option.data)).unwrap();
    }
}

/// `sname` and `file` where they hold names: printable, and nothing but zeros behind.
fn dhcpv4_names(text: &mut String, bytes: &[u8]) {
    let overload = overload(&dhcpv4_options(bytes));
    for (name, field, bit) in [("sname", &bytes[44..108], 2), ("file", &bytes[108..236], 1)] {
        if overload & bit == 0 && field[0] != 0 {
            let end = field.iter().position(|byte| *byte == 0).unwrap();
            assert_eq!(field[end..], vec![0; field.len() - end], "bytes behind {name}");
            writeln!(text, "  {name}: {:?}", std::str::from_utf8(&field[..end]).unwrap()).unwrap();
        }
    }
}

/// Whether a reply has an option in several parts (RFC 3396).
pub(crate) fn has_split_option(frame: &[u8]) -> bool {
    let is_dhcpv4 = Frame::parse(frame).unwrap().ether_type == ethernet::IPV4;
    is_dhcpv4 && dhcpv4_options(&frame[FRAME_PAYLOAD_V4..]).iter().any(|option| option.parts > 1)
}

/// An option of a DHCPv4 reply, put together from its parts (RFC 3396).
struct Dhcpv4Option {
    code: u8,
    data: Vec<u8>,
    parts: usize,
}

/// All options of a DHCPv4 reply in the order of their first parts.
fn dhcpv4_options(bytes: &[u8]) -> Vec<Dhcpv4Option> {
    let mut options = Vec::new();
    collect(&mut options, &bytes[240..]);
    let overload = overload(&options);
    if overload & 1 != 0 {
        collect(&mut options, &bytes[108..236]);
    }
    if overload & 2 != 0 {
        collect(&mut options, &bytes[44..108]);
    }
    options
}

fn overload(options: &[Dhcpv4Option]) -> u8 {
    options.iter().find(|option| option.code == 52).map_or(0, |option| option.data[0])
}

/// Walks over one area, which must have an end option and nothing but padding behind it.
fn collect(options: &mut Vec<Dhcpv4Option>, mut area: &[u8]) {
    while area[0] != 255 {
        if area[0] == 0 {
            area = &area[1..];
            continue;
        }
        let (code, len) = (area[0], usize::from(area[1]));
        let data = &area[2..2 + len];
        match options.iter_mut().find(|option| option.code == code) {
            Some(option) => {
                option.data.extend_from_slice(data);
                option.parts += 1;
            }
            None => options.push(Dhcpv4Option { code, data: data.to_vec(), parts: 1 }),
        }
        area = &area[2 + len..];
    }
    assert!(area[1..].iter().all(|byte| *byte == 0), "bytes behind the end option");
}

/// An option as `dhcproto` reads it; bytes where it cannot (it puts no parts together).
fn dhcpv4_option(code: u8, data: &[u8]) -> String {
    let bytes = || format!("{} bytes: {}", data.len(), hex(data));
    match code {
        119 if data.len() > 255 => return format!("{:?}", names(data)),
        121 | 249 => return routes(data).join(", "),
        // `dhcproto` takes text for bytes, and does not know RFC 8925.
        60 | 66 | 67 | 252 => return format!("{:?}", std::str::from_utf8(data).unwrap()),
        108 => return format!("V6ONLY_WAIT {} s", u32_at(data, 0)),
        // RFC 4702; `dhcproto` takes every name for one in label form.
        81 => {
            return format!("flags {:02x}, rcodes {} {}, name {}", data[0], data[1], data[2], data[3..].escape_ascii());
        }
        _ => {}
    }
    let Ok(len) = u8::try_from(data.len()) else { return bytes() };
    let option = [&[code, len], data].concat();
    v4::DhcpOption::decode(&mut Decoder::new(&option)).map_or_else(|_| bytes(), |option| format!("{option:?}"))
}

/// Classless static routes (RFC 3442).
fn routes(mut rest: &[u8]) -> Vec<String> {
    let mut routes = Vec::new();
    while let Some((prefix_len, after)) = rest.split_first() {
        let (network, after) = after.split_at(usize::from(*prefix_len).div_ceil(8));
        let (router, after) = after.split_at(4);
        let mut octets = [0; 4];
        octets[..network.len()].copy_from_slice(network);
        let router = Ipv4Addr::from(<[u8; 4]>::try_from(router).unwrap());
        routes.push(format!("{}/{prefix_len} via {router}", Ipv4Addr::from(octets)));
        rest = after;
    }
    routes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn dhcpv6(text: &mut String, bytes: &[u8]) {
    let message = v6::Message::decode(&mut Decoder::new(bytes)).unwrap();
    writeln!(text, "{:?}, xid {:02x?}", message.msg_type(), message.xid()).unwrap();
    let mut rest = &bytes[4..];
    while !rest.is_empty() {
        let code = u16::from_be_bytes([rest[0], rest[1]]);
        let len = usize::from(u16::from_be_bytes([rest[2], rest[3]]));
        let (option, after) = rest.split_at(4 + len);
        let option = v6::DhcpOption::decode(&mut Decoder::new(option)).unwrap();
        writeln!(text, "  {code}: {}", dhcpv6_option(&option)).unwrap();
        rest = after;
    }
}

/// An option as `dhcproto` reads it; identity associations in one short line.
fn dhcpv6_option(option: &v6::DhcpOption) -> String {
    let lifetimes = |preferred: u32, valid: u32| format!("preferred {preferred}, valid {valid}");
    match option {
        v6::DhcpOption::IANA(ia) => format!("IA_NA {}, T1 {}, T2 {}{}", ia.id, ia.t1, ia.t2, dhcpv6_inside(&ia.opts)),
        v6::DhcpOption::IATA(ia) => format!("IA_TA {}{}", ia.id, dhcpv6_inside(&ia.opts)),
        v6::DhcpOption::IAPD(ia) => format!("IA_PD {}, T1 {}, T2 {}{}", ia.id, ia.t1, ia.t2, dhcpv6_inside(&ia.opts)),
        v6::DhcpOption::IAAddr(lease) => {
            format!("{}, {}", lease.addr, lifetimes(lease.preferred_life, lease.valid_life))
        }
        v6::DhcpOption::IAPrefix(lease) => {
            let lifetimes = lifetimes(lease.preferred_lifetime, lease.valid_lifetime);
            format!("{}/{}, {lifetimes}", lease.prefix_ip, lease.prefix_len)
        }
        v6::DhcpOption::StatusCode(status) => format!("{:?}: {}", status.status, status.msg),
        // RFC 8910: a URI.
        v6::DhcpOption::Unknown(option) if u16::from(option.code()) == 103 => option.data().escape_ascii().to_string(),
        option => format!("{option:?}"),
    }
}

/// The options inside of an identity association.
fn dhcpv6_inside(options: &v6::DhcpOptions) -> String {
    options.iter().map(|option| format!("; {}", dhcpv6_option(option))).collect()
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes(bytes[at..at + 2].try_into().unwrap())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn ipv6_at(bytes: &[u8], at: usize) -> Ipv6Addr {
    Ipv6Addr::from(<[u8; 16]>::try_from(&bytes[at..at + 16]).unwrap())
}

fn icmpv6(text: &mut String, bytes: &[u8]) {
    assert_eq!(bytes[1], 0, "code");
    let flags = |names: &str, byte: u8| -> String {
        names.chars().enumerate().filter(|(bit, _)| byte & (0x80 >> bit) != 0).map(|(_, name)| name).collect()
    };
    let options = match bytes[0] {
        134 => {
            let (limit, reachable, retrans) = (bytes[4], u32_at(bytes, 8), u32_at(bytes, 12));
            assert_eq!(bytes[5] & 0x27, 0, "reserved");
            write!(text, "RA flags [{}], router lifetime {}", flags("MO", bytes[5]), u16_at(bytes, 6)).unwrap();
            let preference = preference(bytes[5]);
            assert!(u16_at(bytes, 6) > 0 || preference == "medium", "no preference without a router");
            if preference != "medium" {
                write!(text, ", preference {preference}").unwrap();
            }
            writeln!(text, ", hop limit {limit}, reachable {reachable}, retrans {retrans}").unwrap();
            &bytes[16..]
        }
        136 => {
            writeln!(text, "NA flags [{}], target {}", flags("RSO", bytes[4]), ipv6_at(bytes, 8)).unwrap();
            assert_eq!((bytes[4] & 0x1f, &bytes[5..8]), (0, &[0; 3][..]), "reserved");
            &bytes[24..]
        }
        other => panic!("ICMPv6 type {other}"),
    };
    nd_options(text, options);
}

fn nd_options(text: &mut String, mut rest: &[u8]) {
    while !rest.is_empty() {
        let len = usize::from(rest[1]) * 8;
        assert_ne!(len, 0, "length of an option");
        let (option, after) = rest.split_at(len);
        writeln!(text, "  {}: {}", option[0], nd_option(option)).unwrap();
        rest = after;
    }
}

fn nd_option(option: &[u8]) -> String {
    match option[0] {
        1 | 2 => format!("link-layer address {}", MacAddr::from_slice(&option[2..]).unwrap()),
        3 => {
            let letters: String =
                [(0x80, 'L'), (0x40, 'A')].iter().filter(|(bit, _)| option[3] & bit != 0).map(|it| it.1).collect();
            assert_eq!((option[3] & 0x3f, u32_at(option, 12)), (0, 0), "reserved");
            let (valid, preferred) = (u32_at(option, 4), u32_at(option, 8));
            format!("prefix {}/{} [{letters}], valid {valid}, preferred {preferred}", ipv6_at(option, 16), option[2])
        }
        5 => format!("MTU {}", u32_at(option, 4)),
        24 => route_information(option),
        25 => {
            let servers: Vec<Ipv6Addr> = (8..option.len()).step_by(16).map(|at| ipv6_at(option, at)).collect();
            format!("RDNSS {servers:?}, lifetime {}", u32_at(option, 4))
        }
        31 => format!("DNSSL {:?}, lifetime {}", names(&option[8..]), u32_at(option, 4)),
        37 => format!("captive portal {}", padded_text(&option[2..])),
        38 => {
            let length = [96, 64, 56, 48, 40, 32][usize::from(option[3] & 7)];
            let prefix = ipv6_at(&[&option[4..], &[0; 4]].concat(), 0);
            format!("PREF64 {prefix}/{length}, lifetime {}", u16_at(option, 2) & !7)
        }
        _ => format!("{option:02x?}"),
    }
}

/// Prf (RFC 4191 §2.1), in the two bits where both messages have it.
fn preference(octet: u8) -> &'static str {
    match octet >> 3 & 3 {
        0b01 => "high",
        0b00 => "medium",
        0b11 => "low",
        _ => panic!("the reserved preference"),
    }
}

/// RFC 4191 §2.3.
fn route_information(option: &[u8]) -> String {
    assert_eq!(option[3] & 0xe7, 0, "reserved");
    let length = usize::from(option[2]);
    assert_eq!(option.len(), 8 + length.div_ceil(64) * 8, "as long as the prefix");
    let mut octets = [0; 16];
    octets[..option.len() - 8].copy_from_slice(&option[8..]);
    let (prefix, preference) = (Ipv6Addr::from(octets), preference(option[3]));
    format!("route {prefix}/{length} {preference}, lifetime {}", u32_at(option, 4))
}

/// Text padded with NUL to a multiple of 8 bytes (RFC 8910 §2.3).
fn padded_text(bytes: &[u8]) -> &str {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    assert!(bytes.len() - end < 8 && bytes[end..].iter().all(|byte| *byte == 0), "padding");
    std::str::from_utf8(&bytes[..end]).unwrap()
}

/// Names in wire format, padded with zeros to the end (RFC 8106 §5.2).
fn names(mut rest: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    while rest.first().is_some_and(|len| *len != 0) {
        let mut name = String::new();
        while rest[0] != 0 {
            let (label, after) = rest[1..].split_at(rest[0].into());
            write!(name, "{}.", std::str::from_utf8(label).unwrap()).unwrap();
            rest = after;
        }
        rest = &rest[1..];
        names.push(name);
    }
    assert!(rest.len() < 8 && rest.iter().all(|byte| *byte == 0), "padding");
    names
}
