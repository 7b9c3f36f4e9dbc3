//! The kinds of packets that guests send, each request with a number by which its answer is known.

mod answer;
mod request;

use std::net::Ipv6Addr;

use clap::ValueEnum;

pub(crate) use answer::number_of;
pub(crate) use request::requests;

/// What a guest asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Kind {
    /// DISCOVER and REQUEST, by turns.
    Dhcpv4,
    /// Router Solicitation.
    #[value(name = "rs")]
    RouterSolicitation,
    /// Neighbor Solicitation for the gateway.
    #[value(name = "ns")]
    NeighbourSolicitation,
    /// Information-Request of DHCPv6.
    InformationRequest,
    /// Solicit of DHCPv6.
    Solicit,
}

impl Kind {
    /// All kinds, in the order of their queues.
    pub(crate) const ALL: [Self; 5] =
        [Self::Dhcpv4, Self::RouterSolicitation, Self::NeighbourSolicitation, Self::InformationRequest, Self::Solicit];

    /// What tables call it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Dhcpv4 => "DHCPv4: DISCOVER and REQUEST by turns",
            Self::RouterSolicitation => "Router Solicitation",
            Self::NeighbourSolicitation => "Neighbor Solicitation for the gateway",
            Self::InformationRequest => "DHCPv6: Information-Request",
            Self::Solicit => "DHCPv6: Solicit",
        }
    }

    /// The queue that takes it.
    pub(crate) fn queue(self) -> u16 {
        match self {
            Self::Dhcpv4 => 42,
            Self::RouterSolicitation => 43,
            Self::NeighbourSolicitation => 44,
            Self::InformationRequest | Self::Solicit => 45,
        }
    }

    /// The tool and the words that select such packets: the original's sample rules.
    pub(crate) fn rule(self) -> (&'static str, &'static str) {
        match self {
            Self::Dhcpv4 => ("iptables", "-p udp -m udp --dport 67"),
            Self::RouterSolicitation => ("ip6tables", "-p icmpv6 --icmpv6-type router-solicitation"),
            Self::NeighbourSolicitation => ("ip6tables", "-p icmpv6 --icmpv6-type neighbour-solicitation"),
            Self::InformationRequest | Self::Solicit => ("ip6tables", "-p udp -m udp --dport 547"),
        }
    }

    /// How many numbers there are for requests of this kind and variant.
    ///
    /// The number of a solicitation is part of an address, and a node that answers from its own stack has to know each of
    /// them; so there are few. A request's number comes back after that many others at the earliest.
    pub(crate) fn numbers(self) -> u32 {
        match self {
            Self::RouterSolicitation | Self::NeighbourSolicitation => 1 << 10,
            _ => VARIANT,
        }
    }

    /// Where the number is in a request: in the transaction id, or in the link-local address that it comes from.
    pub(crate) fn request_mark(self) -> Mark {
        match self {
            Self::Dhcpv4 => DHCPV4_MARK,
            Self::RouterSolicitation | Self::NeighbourSolicitation => Mark { word: IPV6 + 20, checksum: IPV6 + 42 },
            Self::InformationRequest | Self::Solicit => DHCPV6_MARK,
        }
    }

    /// Where it is in the answer: in the transaction id, or in the address that it goes to.
    pub(crate) fn answer_mark(self) -> Mark {
        match self {
            Self::Dhcpv4 => DHCPV4_MARK,
            Self::RouterSolicitation | Self::NeighbourSolicitation => Mark { word: IPV6 + 36, checksum: IPV6 + 42 },
            Self::InformationRequest | Self::Solicit => DHCPV6_MARK,
        }
    }
}

/// The offset of the IP header in a frame.
pub(crate) const IP_HEADER: usize = 14;
const IPV6: usize = IP_HEADER;

/// `xid` (RFC 2131 §2), behind Ethernet, IPv4 without options, and UDP.
const DHCPV4_MARK: Mark = Mark { word: IP_HEADER + 20 + 8 + 4, checksum: IP_HEADER + 20 + 6 };

/// `msg-type` and `transaction-id` (RFC 8415 §8), behind Ethernet, IPv6 and UDP.
const DHCPV6_MARK: Mark = Mark { word: IPV6 + 40 + 8, checksum: IPV6 + 40 + 6 };

/// The bit of a number that says which of two variants a request is. Numbers have 24 bits.
pub(crate) const VARIANT: u32 = 1 << 23;
const NUMBER: u32 = (1 << 24) - 1;

/// The address that the solicitation of this number comes from.
pub(crate) fn numbered_address(number: u32) -> Ipv6Addr {
    Ipv6Addr::from_bits(NUMBERED.to_bits() + u128::from(number))
}

/// The address of number 0.
const NUMBERED: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0xb, 0, 0);

/// Where a frame has its number: the lower 24 bits of a word at an even offset, and the checksum that covers it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    /// The offset of the word.
    word: usize,
    /// The offset of the checksum.
    checksum: usize,
}

impl Mark {
    /// The number in a frame.
    pub(crate) fn read(self, frame: &[u8]) -> Option<u32> {
        let word = frame.get(self.word..)?.first_chunk()?;
        Some(u32::from_be_bytes(*word) & NUMBER)
    }

    /// The number in a packet that lacks the Ethernet header.
    pub(crate) fn read_packet(self, packet: &[u8]) -> Option<u32> {
        Self { word: self.word - IP_HEADER, ..self }.read(packet)
    }

    /// Writes the number, and corrects the checksum for it (RFC 1624 §3, equation 3).
    pub(crate) fn write(self, frame: &mut [u8], number: u32) {
        let word: &mut [u8; 4] = frame[self.word..].first_chunk_mut().unwrap();
        let old = u32::from_be_bytes(*word);
        let new = old & !NUMBER | number;
        *word = new.to_be_bytes();
        let checksum: &mut [u8; 2] = frame[self.checksum..].first_chunk_mut().unwrap();
        let sum = !u16::from_be_bytes(*checksum);
        let mut sum = u32::from(sum) + halves(!old) + halves(new);
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        // Zero would mean that there is none (RFC 768); where that does not hold, it is as right as zero.
        let sum = if sum == 0xffff { 0xffff } else { !(sum as u16) };
        *checksum = sum.to_be_bytes();
    }
}

/// The sum of the two halves of a word.
fn halves(word: u32) -> u32 {
    (word >> 16) + (word & 0xffff)
}
