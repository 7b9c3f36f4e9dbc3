//! The messages of NFQUEUE (linux/netfilter/nfnetlink_queue.h): those of the kernel read, ours written.
//!
//! Pure, and without panics for any bytes.

use std::time::Duration;

use crate::binding::IfIndex;
use crate::config::{Backlog, QueueNum};
use crate::engine::{Ingress, Verdict};
use crate::io::netlink::{self, be32, push_attribute, push_message};
use crate::wire::{Checksums, MacAddr};

/// `NFNL_SUBSYS_QUEUE << 8`: the family of message types.
const SUBSYSTEM: u16 = (libc::NFNL_SUBSYS_QUEUE as u16) << 8;
/// The length of `struct nfgenmsg`, in bytes.
const GENMSG_LEN: usize = 4;
/// The length of what [`push_batch_verdict`] appends, in bytes: headers, and an attribute with a
/// `struct nfqnl_msg_verdict_hdr`.
pub const BATCH_VERDICT_LEN: usize = netlink::HEADER_LEN + GENMSG_LEN + 4 + 8;
/// How much of a packet we want: all. The kernel's limit is four bytes lower, the header of the attribute.
const COPY_RANGE: u32 = 0xffff;
/// Flags that we set or clear. Without GSO, the kernel completes checksums and cuts segments itself.
const FLAGS: u32 = (libc::NFQA_CFG_F_GSO
    | libc::NFQA_CFG_F_FAIL_OPEN
    | libc::NFQA_CFG_F_CONNTRACK
    | libc::NFQA_CFG_F_UID_GID
    | libc::NFQA_CFG_F_SECCTX) as u32;

/// A message from the kernel.
#[derive(Debug, Clone, Copy)]
pub enum FromKernel<'a> {
    /// A packet, which waits for its verdict.
    Packet(Packet<'a>),
    /// The end of a request of ours: the error number, 0 if all is well.
    Done {
        /// The number that the request bore.
        sequence: u32,
        /// `errno`, or 0.
        errno: i32,
    },
    /// Something else. It holds no packet that could get a verdict.
    Other,
}

/// A packet, and its number in the queue.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// `packet_id`, by which the verdict names the packet.
    pub id: u32,
    /// What the engine is told.
    pub ingress: Ingress<'a>,
    /// `NFQA_TIMESTAMP`: when the kernel received the packet, since the Unix epoch; None where nobody has it stamp packets.
    pub received: Option<Duration>,
}

/// The messages of a datagram.
pub fn read(datagram: &[u8]) -> impl Iterator<Item = FromKernel<'_>> {
    netlink::messages(datagram).map(|message| {
        if let Some(errno) = message.errno() {
            let sequence = message.sequence;
            FromKernel::Done { sequence, errno }
        } else if message.kind == SUBSYSTEM | libc::NFQNL_MSG_PACKET as u16 {
            read_packet(message.payload).map_or(FromKernel::Other, FromKernel::Packet)
        } else {
            FromKernel::Other
        }
    })
}

/// Reads an `NFQNL_MSG_PACKET`; None only where there is no packet id.
///
/// Of a message that breaks off behind its id nothing else is believed. The packet then has no interface, and so no
/// binding: it passes as if the daemon did not exist.
fn read_packet(payload: &[u8]) -> Option<Packet<'_>> {
    let attributes = payload.get(GENMSG_LEN..)?;
    let mut id = None;
    let mut ingress = NOTHING_KNOWN;
    let mut received = None;
    for attribute in netlink::attributes(attributes) {
        let Ok((kind, value)) = attribute else {
            ingress = NOTHING_KNOWN;
            break;
        };
        match i32::from(kind) {
            libc::NFQA_PACKET_HDR => id = be32(value),
            libc::NFQA_TIMESTAMP => received = read_timestamp(value),
            libc::NFQA_IFINDEX_INDEV => ingress.indev = be32(value).and_then(IfIndex::new),
            libc::NFQA_IFINDEX_PHYSINDEV => ingress.physindev = be32(value).and_then(IfIndex::new),
            libc::NFQA_HWADDR => ingress.source_mac = read_hardware_address(value),
            libc::NFQA_SKB_INFO => ingress.checksums = read_checksums(value),
            // NFQA_CAP_LEN, which says that a packet was cut, is not read: its IP header says the same.
            libc::NFQA_PAYLOAD => ingress.packet = value,
            _ => {}
        }
    }
    Some(Packet { id: id?, ingress, received })
}

/// A packet of which nothing is known.
const NOTHING_KNOWN: Ingress<'static> =
    Ingress { indev: None, physindev: None, source_mac: None, checksums: Checksums::Verify, packet: &[] };

/// Reads a `struct nfqnl_msg_packet_hw`; None where the address is none of Ethernet.
fn read_hardware_address(value: &[u8]) -> Option<MacAddr> {
    let (length, rest) = value.split_first_chunk::<2>()?;
    let address = rest.get(2..)?;
    (u16::from_be_bytes(*length) == 6).then(|| MacAddr::from_slice(address)).flatten()
}

/// Reads a `struct nfqnl_msg_packet_timestamp`: seconds and microseconds.
fn read_timestamp(value: &[u8]) -> Option<Duration> {
    let (seconds, rest) = value.split_first_chunk::<8>()?;
    let micros = rest.first_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes))?;
    Duration::from_secs(u64::from_be_bytes(*seconds)).checked_add(Duration::from_micros(micros))
}

/// Reads `NFQA_SKB_INFO`.
fn read_checksums(value: &[u8]) -> Checksums {
    let not_ready = libc::NFQA_SKB_CSUMNOTREADY as u32;
    if be32(value).is_some_and(|info| info & not_ready != 0) { Checksums::NotReady } else { Checksums::Verify }
}

/// Appends the request that binds a queue and sets all its parameters; it is answered by a [`FromKernel::Done`].
///
/// One message, so that no packet is queued before the queue knows that we want packets whole.
pub fn push_bind(to: &mut Vec<u8>, queue: QueueNum, backlog: &Backlog, sequence: u32) {
    push_config(to, queue, sequence, |to| {
        push_attribute(to, libc::NFQA_CFG_CMD as u16, &[libc::NFQNL_CFG_CMD_BIND as u8, 0, 0, 0]);
        push_parameters(to, backlog);
    });
}

/// Appends the request that sets all parameters of a queue that is ours already; answered likewise.
pub fn push_settings(to: &mut Vec<u8>, queue: QueueNum, backlog: &Backlog, sequence: u32) {
    push_config(to, queue, sequence, |to| push_parameters(to, backlog));
}

/// Appends the request that ends a queue, and drops what is in it; answered likewise.
pub fn push_unbind(to: &mut Vec<u8>, queue: QueueNum, sequence: u32) {
    push_config(to, queue, sequence, |to| {
        push_attribute(to, libc::NFQA_CFG_CMD as u16, &[libc::NFQNL_CFG_CMD_UNBIND as u8, 0, 0, 0]);
    });
}

/// Appends a request of the queues' subsystem that does nothing: a command that is obsolete (linux 3.8).
pub fn push_nothing(to: &mut Vec<u8>) {
    push_message(to, SUBSYSTEM | libc::NFQNL_MSG_CONFIG as u16, libc::NLM_F_REQUEST as u16, 0, |to| {
        push_genmsg(to, QueueNum(0));
        push_attribute(to, libc::NFQA_CFG_CMD as u16, &[libc::NFQNL_CFG_CMD_PF_UNBIND as u8, 0, 0, 0]);
    });
}

/// Appends an `NFQNL_MSG_CONFIG` whose attributes `write` appends.
fn push_config(to: &mut Vec<u8>, queue: QueueNum, sequence: u32, write: impl FnOnce(&mut Vec<u8>)) {
    let flags = (libc::NLM_F_REQUEST | libc::NLM_F_ACK) as u16;
    let kind = SUBSYSTEM | libc::NFQNL_MSG_CONFIG as u16;
    push_message(to, kind, flags, sequence, |to| {
        push_genmsg(to, queue);
        write(to);
    });
}

/// Appends all parameters of a queue.
fn push_parameters(to: &mut Vec<u8>, backlog: &Backlog) {
    let [r0, r1, r2, r3] = COPY_RANGE.to_be_bytes();
    push_attribute(to, libc::NFQA_CFG_PARAMS as u16, &[r0, r1, r2, r3, libc::NFQNL_COPY_PACKET as u8]);
    push_attribute(to, libc::NFQA_CFG_QUEUE_MAXLEN as u16, &backlog.queue_length.to_be_bytes());
    let flags = if backlog.fail_open { libc::NFQA_CFG_F_FAIL_OPEN as u32 } else { 0 };
    push_attribute(to, libc::NFQA_CFG_FLAGS as u16, &flags.to_be_bytes());
    push_attribute(to, libc::NFQA_CFG_MASK as u16, &FLAGS.to_be_bytes());
}

/// Appends the verdict on every packet of the queue that has none yet, up to `last_id`, that one included: one message
/// for any number of packets. It is answered only when it fails.
///
/// The kernel numbers packets in their order, and compares numbers by their distance: they may wrap around.
pub fn push_batch_verdict(to: &mut Vec<u8>, queue: QueueNum, last_id: u32, verdict: Verdict) {
    let verdict = match verdict {
        Verdict::Accept => libc::NF_ACCEPT as u32,
        Verdict::Drop => libc::NF_DROP as u32,
    };
    let kind = SUBSYSTEM | libc::NFQNL_MSG_VERDICT_BATCH as u16;
    push_message(to, kind, libc::NLM_F_REQUEST as u16, 0, |to| {
        push_genmsg(to, queue);
        let mut header = [0; 8];
        let (first, second) = header.split_at_mut(4);
        first.copy_from_slice(&verdict.to_be_bytes());
        second.copy_from_slice(&last_id.to_be_bytes());
        push_attribute(to, libc::NFQA_VERDICT_HDR as u16, &header);
    });
}

/// Appends a `struct nfgenmsg`: any family, version 0, the queue.
fn push_genmsg(to: &mut Vec<u8>, queue: QueueNum) {
    let [high, low] = queue.0.to_be_bytes();
    to.extend_from_slice(&[libc::AF_UNSPEC as u8, libc::NFNETLINK_V0 as u8, high, low]);
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: u16 = SUBSYSTEM | libc::NFQNL_MSG_PACKET as u16;

    /// A message of these attributes, as the kernel would send it.
    fn packet_message(attributes: &[(i32, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        push_message(&mut bytes, PACKET, 0, 0, |to| {
            push_genmsg(to, QueueNum(42));
            for (kind, value) in attributes {
                push_attribute(to, *kind as u16, value);
            }
        });
        bytes
    }

    fn only_packet(bytes: &[u8]) -> Packet<'_> {
        match read(bytes).collect::<Vec<_>>()[..] {
            [FromKernel::Packet(packet)] => packet,
            ref other => panic!("{other:?}"),
        }
    }

    const ID_7: (i32, &[u8]) = (libc::NFQA_PACKET_HDR, &[0, 0, 0, 7, 8, 0, 0]);

    #[test]
    fn reads_a_bridged_packet() {
        let bytes = packet_message(&[
            ID_7,
            (libc::NFQA_IFINDEX_INDEV, &[0, 0, 0, 5]),
            (libc::NFQA_IFINDEX_PHYSINDEV, &[0, 0, 1, 2]),
            (libc::NFQA_HWADDR, &[0, 6, 0, 0, 0xaa, 0, 0, 0, 0, 1, 0x77, 0x77]),
            (libc::NFQA_SKB_INFO, &[0, 0, 0, 1]),
            (libc::NFQA_PAYLOAD, &[0x45, 0, 0]),
        ]);
        let packet = only_packet(&bytes);
        assert_eq!(packet.id, 7);
        assert_eq!(packet.ingress.indev, IfIndex::new(5));
        assert_eq!(packet.ingress.physindev, IfIndex::new(258));
        let mac = MacAddr::new([0xaa, 0, 0, 0, 0, 1]);
        assert_eq!(packet.ingress.source_mac, Some(mac));
        assert_eq!(packet.ingress.checksums, Checksums::NotReady);
        assert_eq!(packet.ingress.packet, [0x45, 0, 0]);
    }

    #[test]
    fn believes_no_hardware_address_but_ethernet() {
        for address in [
            &[0, 8, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8][..],
            &[0, 6, 0, 0, 1, 2, 3],
            &[0xff, 0xff, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8],
            &[],
        ] {
            let bytes = packet_message(&[ID_7, (libc::NFQA_HWADDR, address)]);
            assert_eq!(only_packet(&bytes).ingress.source_mac, None, "{address:02x?}");
        }
    }

    #[test]
    fn checksums_are_verified_unless_the_kernel_says_otherwise() {
        let gso_only = packet_message(&[ID_7, (libc::NFQA_SKB_INFO, &[0, 0, 0, 2])]);
        assert_eq!(only_packet(&gso_only).ingress.checksums, Checksums::Verify);
        let silent = packet_message(&[ID_7]);
        assert_eq!(only_packet(&silent).ingress.checksums, Checksums::Verify);
    }

    #[test]
    fn a_stamp_is_in_microseconds() {
        let stamp = |seconds: u64, micros: u64| [seconds.to_be_bytes(), micros.to_be_bytes()].concat();
        for (value, received) in [
            (stamp(1_700_000_000, 999_999), Some(Duration::from_micros(1_700_000_000_999_999))),
            (stamp(u64::MAX, u64::MAX), None),
            (vec![0; 15], None),
        ] {
            let bytes = packet_message(&[(libc::NFQA_TIMESTAMP, &value), ID_7]);
            assert_eq!(only_packet(&bytes).received, received, "{value:02x?}");
        }
        assert_eq!(only_packet(&packet_message(&[ID_7])).received, None);
    }

    #[test]
    fn a_packet_that_breaks_off_keeps_its_id_and_nothing_else() {
        let mut bytes =
            packet_message(&[ID_7, (libc::NFQA_IFINDEX_INDEV, &[0, 0, 0, 5]), (libc::NFQA_PAYLOAD, &[1; 100])]);
        bytes.truncate(bytes.len() - 50);
        let packet = only_packet(&bytes);
        assert_eq!(packet.id, 7);
        assert_eq!(packet.ingress.indev, None);
        assert!(packet.ingress.packet.is_empty());
    }

    #[test]
    fn without_an_id_there_is_no_packet() {
        for bytes in
            [packet_message(&[(libc::NFQA_PAYLOAD, &[1, 2])]), packet_message(&[(libc::NFQA_PACKET_HDR, &[0, 0])])]
        {
            assert!(matches!(read(&bytes).collect::<Vec<_>>()[..], [FromKernel::Other]));
        }
    }

    /// What each attribute of a configuration message is to hold, by `enum nfqnl_attr_config`.
    #[test]
    fn bind_says_everything_at_once_and_settings_all_but_the_bind() {
        let bind = Ok((1, &[1, 0, 0, 0][..]));
        let settings = |fail_open| {
            let params = Ok((2, &[0, 0, 0xff, 0xff, 2][..]));
            [params, Ok((3, &[0, 0, 0x10, 0])), Ok((5, fail_open)), Ok((4, &[0, 0, 0, 0x1f]))]
        };
        let closed = Backlog { queue_length: 4096, receive_buffer: None, fail_open: false };
        let open = Backlog { fail_open: true, ..closed };
        let mut bytes = Vec::new();
        push_bind(&mut bytes, QueueNum(42), &closed, 3);
        push_settings(&mut bytes, QueueNum(42), &open, 4);
        let messages: Vec<_> = netlink::messages(&bytes).collect();
        for message in &messages {
            assert_eq!((message.kind, message.flags), (0x0302, 5), "request, acknowledge");
            assert_eq!(message.payload[..4], [0, 0, 0, 42]);
        }
        let attributes = |number: usize| netlink::attributes(&messages[number].payload[4..]).collect::<Vec<_>>();
        assert_eq!(attributes(0), [&[bind][..], &settings(&[0, 0, 0, 0])].concat());
        assert_eq!(attributes(1), settings(&[0, 0, 0, 1]));
    }

    #[test]
    fn unbind_says_nothing_else() {
        let mut bytes = Vec::new();
        push_unbind(&mut bytes, QueueNum(42), 5);
        let message = netlink::messages(&bytes).next().unwrap();
        assert_eq!((message.kind, message.sequence), (0x0302, 5));
        assert_eq!(message.payload, [0, 0, 0, 42, 8, 0, 1, 0, 2, 0, 0, 0]);
    }

    #[test]
    fn verdicts_are_of_32_bytes_and_follow_each_other() {
        let mut bytes = Vec::new();
        push_batch_verdict(&mut bytes, QueueNum(300), 1, Verdict::Accept);
        push_batch_verdict(&mut bytes, QueueNum(300), 0x0102_0304, Verdict::Drop);
        assert_eq!(bytes.len(), 2 * BATCH_VERDICT_LEN);
        assert!(netlink::messages(&bytes).all(|message| message.kind == 0x0303));
        let payloads: Vec<_> = netlink::messages(&bytes).map(|m| m.payload).collect();
        assert_eq!(payloads[0], [0, 0, 1, 44, 12, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
        assert_eq!(payloads[1], [0, 0, 1, 44, 12, 0, 2, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
    }

    #[test]
    fn errors_and_acknowledgements_name_their_request() {
        let mut bytes = Vec::new();
        push_message(&mut bytes, libc::NLMSG_ERROR as u16, 0, 9, |to| {
            to.extend_from_slice(&(-libc::EPERM).to_ne_bytes());
        });
        assert!(matches!(read(&bytes).collect::<Vec<_>>()[..], [FromKernel::Done { sequence: 9, errno: libc::EPERM }]));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(bytes: Vec<u8>) {
            read(&bytes).for_each(drop);
            let packet = packet_message(&[ID_7, (libc::NFQA_HWADDR, &bytes)]);
            proptest::prop_assert_eq!(only_packet(&packet).id, 7);
        }

        #[test]
        fn any_attributes_are_read(attributes: Vec<u8>) {
            let mut bytes = Vec::new();
            push_message(&mut bytes, PACKET, 0, 0, |to| {
                push_genmsg(to, QueueNum(42));
                push_attribute(to, ID_7.0 as u16, ID_7.1);
                to.extend_from_slice(&attributes);
            });
            read(&bytes).for_each(drop);
        }
    }
}
