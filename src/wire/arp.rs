//! ARP over Ethernet (RFC 826): announcements of an IPv4 address. Nothing of ARP is read here.

use std::net::Ipv4Addr;

use super::{MacAddr, ethernet};

/// The length of an ARP packet about Ethernet and IPv4, in bytes.
pub const LEN: usize = 28;

/// Hardware type: Ethernet (RFC 826).
const ETHERNET: [u8; 2] = [0, 1];
/// `ar_op`: a request.
const REQUEST: [u8; 2] = [0, 1];

/// An ARP Announcement (RFC 5227 §2.3): where an address is, said to everybody without being asked.
///
/// It is a request, as RFC 5227 §3 explains: every node that looks at ARP takes the sender's address from a request
/// that is broadcast, while some are not ready for a reply that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announcement {
    /// Sender hardware address: where the address is.
    pub mac: MacAddr,
    /// Sender and target protocol address: what is announced.
    pub address: Ipv4Addr,
}

impl Announcement {
    /// The ARP packet.
    pub fn encode(&self) -> [u8; LEN] {
        let mut packet = [0; LEN];
        packet[..2].copy_from_slice(&ETHERNET);
        packet[2..4].copy_from_slice(&ethernet::IPV4.to_be_bytes());
        packet[4] = 6;
        packet[5] = 4;
        packet[6..8].copy_from_slice(&REQUEST);
        packet[8..14].copy_from_slice(&self.mac.octets());
        packet[14..18].copy_from_slice(&self.address.octets());
        // RFC 5227 §2.1.1: the target hardware address is ignored, and zero.
        packet[24..].copy_from_slice(&self.address.octets());
        packet
    }

    /// Writes the frame: broadcast, from the MAC that it names. Gives its length, or None if `frame` is too short.
    pub fn put(&self, frame: &mut [u8]) -> Option<usize> {
        let addresses = ethernet::Addresses { source: self.mac, destination: MacAddr::BROADCAST };
        ethernet::write_header(frame, addresses, ethernet::ARP)?;
        let len = ethernet::HEADER_LEN + LEN;
        frame.get_mut(ethernet::HEADER_LEN..len)?.copy_from_slice(&self.encode());
        Some(len)
    }
}

#[cfg(test)]
mod tests {
    use pnet_packet::Packet as _;
    use pnet_packet::arp::{ArpHardwareTypes, ArpOperations, ArpPacket};
    use pnet_packet::ethernet::{EtherTypes, EthernetPacket};

    use super::*;

    const ANNOUNCEMENT: Announcement =
        Announcement { mac: MacAddr::new([0x02, 0, 0, 0, 0, 0x77]), address: Ipv4Addr::new(192, 0, 2, 10) };

    #[test]
    fn writes_an_announcement() {
        let mut frame = [0xee; 64];
        assert_eq!(ANNOUNCEMENT.put(&mut frame), Some(42));
        #[rustfmt::skip] // A table: one field, one row.
        let expected = [
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff][..], // Ethernet: to everybody
            &[0x02, 0x00, 0x00, 0x00, 0x00, 0x77],     // from
            &[0x08, 0x06],                             // ARP
            &[0x00, 0x01],                             // hardware: Ethernet
            &[0x08, 0x00],                             // protocol: IPv4
            &[6, 4],                                   // lengths of their addresses
            &[0x00, 0x01],                             // request
            &[0x02, 0x00, 0x00, 0x00, 0x00, 0x77],     // sender hardware address
            &[192, 0, 2, 10],                          // sender protocol address
            &[0, 0, 0, 0, 0, 0],                       // target hardware address
            &[192, 0, 2, 10],                          // target protocol address
        ];
        assert_eq!(frame[..42], expected.concat());
        assert_eq!(frame[42..], [0xee; 22]);
    }

    #[test]
    fn an_independent_decoder_reads_it() {
        let mut frame = [0; 42];
        ANNOUNCEMENT.put(&mut frame).unwrap();
        let ethernet = EthernetPacket::new(&frame).unwrap();
        assert_eq!(ethernet.get_ethertype(), EtherTypes::Arp);
        let arp = ArpPacket::new(ethernet.payload()).unwrap();
        assert_eq!((arp.get_hardware_type(), arp.get_protocol_type()), (ArpHardwareTypes::Ethernet, EtherTypes::Ipv4));
        assert_eq!(arp.get_operation(), ArpOperations::Request);
        assert_eq!(
            (arp.get_sender_proto_addr(), arp.get_target_proto_addr()),
            (ANNOUNCEMENT.address, ANNOUNCEMENT.address)
        );
        assert_eq!(arp.get_sender_hw_addr(), ethernet.get_source());
    }

    #[test]
    fn a_frame_that_is_too_short_stays_unsent() {
        for len in [0, 13, 14, 41] {
            assert_eq!(ANNOUNCEMENT.put(&mut vec![0; len]), None, "{len}");
        }
    }
}
