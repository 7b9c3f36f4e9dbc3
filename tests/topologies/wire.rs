//! Frames with their VLAN tags. The kernel keeps a tag beside the frame, where only libpcap looks for it.

use std::fs;
use std::process::Command;

use crate::harness::capture::{self, Dhcpv4, Frame, dhcpv4};
use crate::harness::{Process, SCRATCH, soon};

/// The EtherType of a tag (IEEE 802.1Q).
pub(crate) const TAG: u16 = 0x8100;

/// What an interface sends and receives, from the start on.
pub(crate) struct Wire {
    path: String,
    _recorder: Process,
}

impl Wire {
    /// Listens at an interface of a namespace.
    #[track_caller]
    pub(crate) fn tap(netns: &str, interface: &str) -> Self {
        let path = format!("{SCRATCH}/{netns}-tagged.pcap");
        let mut command = Command::new("ip");
        command.args(["netns", "exec", netns, "tcpdump", "-i", interface, "-Z", "root", "-U", "--immediate-mode"]);
        command.args(["-w", &path]);
        let recorder = Process::start(command, &format!("{netns}-tcpdump"));
        soon("the capture", || (fs::metadata(&path).ok()?.len() > 0).then_some(()));
        Self { path, _recorder: recorder }
    }

    /// All frames up to now.
    pub(crate) fn frames(&self) -> Vec<Frame> {
        capture::read(&self.path)
    }

    /// The DHCPv4 messages, each with the VLAN that it is in.
    pub(crate) fn dhcpv4(&self) -> Vec<(Option<u16>, Dhcpv4)> {
        let message = |frame: &Frame| {
            let (vlan, frame) = untagged(frame);
            Some((vlan, dhcpv4(&frame)?))
        };
        self.frames().iter().filter_map(message).collect()
    }
}

/// A frame without its tag, and the VLAN that the tag names.
pub(crate) fn untagged(frame: &[u8]) -> (Option<u16>, Frame) {
    match frame.get(12..16) {
        Some(&[0x81, 0x00, high, low]) => {
            let vlan = u16::from_be_bytes([high, low]) & 0x0fff;
            (Some(vlan), [&frame[..12], &frame[16..]].concat())
        }
        _ => (None, frame.to_vec()),
    }
}

/// The same frame with a tag.
pub(crate) fn tagged(vlan: u16, frame: &[u8]) -> Frame {
    [&frame[..12], &TAG.to_be_bytes(), &vlan.to_be_bytes(), &frame[12..]].concat()
}
