//! From captures to seeds: the frames that clients sent, in the form of each target's input.
//!
//! Of little-endian order only, and read without the reader that is fuzzed itself.

#![expect(clippy::disallowed_methods, reason = "seeds are files")]

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;

use nfdhcpd::io::netlink;
use nfdhcpd::wire::MacAddr;
use nfdhcpd::wire::duid::server_duid;

use crate::fixtures::{GUEST, Way};
use crate::flags;
use crate::packet::{ETHERNET, IPV4, IPV6, PROTOCOL_UDP, UDP};

/// Where the record of the first packet starts.
const FILE_HEADER: usize = 24;
/// The length of a record's header, in bytes.
const RECORD_HEADER: usize = 16;

/// The type of a pcapng block that holds a packet, and how many bytes are before the packet.
const PACKET_BLOCK: u32 = 6;
const PACKET_BLOCK_HEADER: usize = 28;

/// Writes the seeds that are in a capture of little-endian order, pcap or pcapng. Anything else has none.
pub fn write(capture: &[u8]) {
    match capture {
        [0xd4, 0xc3, 0xb2, 0xa1, ..] | [0x4d, 0x3c, 0xb2, 0xa1, ..] => write_pcap(capture),
        [0x0a, 0x0d, 0x0d, 0x0a, _, _, _, _, 0x4d, 0x3c, 0x2b, 0x1a, ..] => write_pcapng(capture),
        _ => return,
    }
    save("pcap", capture);
}

fn write_pcap(capture: &[u8]) {
    let mut rest = capture.get(FILE_HEADER..).unwrap_or_default();
    while let Some((header, after)) = rest.split_first_chunk::<RECORD_HEADER>() {
        let length = u32::from_le_bytes([header[8], header[9], header[10], header[11]]);
        let Some((frame, after)) = after.split_at_checked(length as usize) else { break };
        write_frame(&from_guest(frame));
        rest = after;
    }
}

fn write_pcapng(capture: &[u8]) {
    let word = |block: &[u8], at: usize| block.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    let mut rest = capture;
    // Type and length of the block; behind that a packet's interface, time stamp and captured length.
    while let (Some(kind), Some(length)) = (word(rest, 0), word(rest, 4)) {
        let Some((block, after)) = rest.split_at_checked(length.max(12) as usize) else { break };
        let captured = word(block, 20).unwrap_or_default() as usize;
        let frame = block.get(PACKET_BLOCK_HEADER..).and_then(|data| data.get(..captured));
        if let Some(frame) = frame.filter(|_| kind == PACKET_BLOCK) {
            write_frame(&from_guest(frame));
        }
        rest = after;
    }
}

/// The frame as our guest would have sent it: its own MAC wherever the sender's was, and its server's DUID.
fn from_guest(frame: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    let Some(sender) = frame.get(6..12).and_then(MacAddr::from_slice) else { return frame };
    replace(&mut frame, &server_duid(sender), &server_duid(GUEST));
    replace(&mut frame, &sender.octets(), &GUEST.octets());
    frame
}

/// Replaces `old` by `new`, which is as long, wherever it is.
fn replace(frame: &mut [u8], old: &[u8], new: &[u8]) {
    for at in 0..=frame.len().saturating_sub(old.len()) {
        if frame[at..].starts_with(old) {
            frame[at..at + old.len()].copy_from_slice(new);
        }
    }
}

fn write_frame(frame: &[u8]) {
    for way in 0..Way::ALL.len() as u8 {
        save("engine_frame", &[&[way | flags::REPAIR], frame].concat());
    }
    let Some(packet) = frame.get(ETHERNET..) else { return };
    save("ip", &[&[1], packet].concat());
    save("nfqueue_message", &nfqueue_message(packet));
    match packet.first().map(|byte| byte >> 4) {
        Some(4) => save("dhcpv4", packet.get(IPV4 + UDP..).unwrap_or_default()),
        Some(6) if packet.get(6) == Some(&PROTOCOL_UDP) => save("dhcpv6", packet.get(IPV6 + UDP..).unwrap_or_default()),
        Some(6) => {
            let body = packet.get(IPV6 + 4..).unwrap_or_default();
            save("ndp", &[&[1, 255, 0], packet.get(8..IPV6).unwrap_or_default(), body].concat());
        }
        _ => {}
    }
}

/// The packet as NFQUEUE would deliver it from the first link.
fn nfqueue_message(packet: &[u8]) -> Vec<u8> {
    const PACKET_HEADER: u16 = 1;
    const INDEV: u16 = 5;
    const HARDWARE_ADDRESS: u16 = 9;
    const PAYLOAD: u16 = 10;
    let mut bytes = Vec::new();
    netlink::push_message(&mut bytes, 0x0300, 0, 0, |to| {
        to.extend([0, 0, 0, 42]);
        netlink::push_attribute(to, PACKET_HEADER, &[0, 0, 0, 1, 8, 0, 1]);
        netlink::push_attribute(to, INDEV, &[0, 0, 0, 1]);
        netlink::push_attribute(to, HARDWARE_ADDRESS, &[&[0, 6, 0, 0][..], &GUEST.octets(), &[0, 0]].concat());
        netlink::push_attribute(to, PAYLOAD, packet);
    });
    bytes
}

/// Saves a seed under a name that says what is in it, so that none is there twice.
fn save(target: &str, seed: &[u8]) {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut hasher = DefaultHasher::new();
    seed.hash(&mut hasher);
    let write = || {
        fs::create_dir_all(&directory)?;
        fs::write(directory.join(format!("seed-{:016x}", hasher.finish())), seed)
    };
    write().expect("the corpus can be written");
}
