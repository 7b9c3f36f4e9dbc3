//! What the fuzz targets share. Every target is one function here, called by one file in `fuzz_targets/`.
//!
//! | module | what it is |
//! |---|---|
//! | [`nic`] | the target for what Ganeti says of a NIC |
//! | [`node`] | an engine with its links and bindings, whose every answer is checked |
//! | [`check`] | what must be true of every frame that we send, by an independent reading |
//! | [`packet`] | packets with right lengths and checksums, so that inputs get past them |
//! | [`fixtures`] | the node and the guests that the targets know |
//! | [`listings`] | the target for what the kernel's rules are listed as |
//! | [`messages`] | targets for one protocol each |
//! | [`texts`] | targets for the two text formats, and for the lines of the control socket |
//! | [`scenario`] | the target for sequences of events |
//! | [`seeds`] | from captures to seeds |

pub mod check;
pub mod fixtures;
pub mod listings;
pub mod messages;
pub mod nic;
pub mod node;
pub mod packet;
pub mod scenario;
pub mod seeds;
pub mod texts;

use nfdhcpd::wire::Checksums;
use nfdhcpd::wire::ethernet::Frame;

use fixtures::Way;

/// The bits of the first byte of an input of [`engine_frame`].
pub mod flags {
    /// Which guest sends: an index into [`Way::ALL`](crate::fixtures::Way::ALL).
    pub const WAY: u8 = 0x03;
    /// Lengths and checksums are put right first.
    pub const REPAIR: u8 = 0x04;
    /// The kernel says that the checksums are not computed yet.
    pub const NOT_READY: u8 = 0x08;
    /// The kernel names no hardware address.
    pub const NO_MAC: u8 = 0x10;
}

/// A byte of [`flags`] and an Ethernet frame in, an outcome out.
pub fn engine_frame(data: &[u8]) {
    let Some((flag, frame)) = data.split_first() else { return };
    let mut frame = frame.to_vec();
    if flag & flags::REPAIR != 0 {
        packet::repair(&mut frame);
    }
    let Ok(frame) = Frame::parse(&frame) else { return };
    let mut node = fixtures::node();
    let way = Way::ALL[usize::from(flag & flags::WAY)];
    let mut ingress = way.ingress(frame.payload);
    ingress.source_mac = (flag & flags::NO_MAC == 0).then_some(frame.addresses.source);
    if flag & flags::NOT_READY != 0 {
        ingress.checksums = Checksums::NotReady;
    }
    node.handle_packet(&ingress);
    node.drain();
}
