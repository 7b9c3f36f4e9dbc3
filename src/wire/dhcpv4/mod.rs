//! DHCPv4 and BOOTP (RFC 951, 2131, 2132): a view of what a client sent, and the layout of what a server answers.

mod boot;
mod code_set;
mod layout;
mod reply;
mod request;

use std::fmt;

pub use code_set::CodeSet;
pub use layout::{MAX_VALUE, Names, OPTION_HEADER, OptionList, Space, Written, encode_option};
pub use reply::{Header, write};
pub use request::{Fqdn, Options, Request};

/// The server's port.
pub const SERVER_PORT: u16 = 67;
/// The client's port.
pub const CLIENT_PORT: u16 = 68;

/// `op` of a request.
pub const BOOTREQUEST: u8 = 1;
/// `op` of a reply.
pub const BOOTREPLY: u8 = 2;

/// The smallest message that every client must take, IP and UDP headers included (RFC 2132 §9.10), in bytes.
pub const MIN_MAX_SIZE: u16 = 576;

/// What IP and UDP headers take of a maximum message size, in bytes.
pub const IP_UDP_LEN: usize = 28;

/// The smallest BOOTP message (RFC 1542 §2.1), in bytes.
pub const MIN_LEN: usize = 300;

/// What comes before options (RFC 2131 §3).
pub const COOKIE: [u8; 4] = [99, 130, 83, 99];

/// The offsets of RFC 2131 figure 1, in bytes.
mod offset {
    use std::ops::Range;

    pub(super) const HOPS: usize = 3;
    pub(super) const SECS: Range<usize> = 8..10;
    pub(super) const FLAGS: Range<usize> = 10..12;
    pub(super) const CIADDR: Range<usize> = 12..16;
    pub(super) const YIADDR: Range<usize> = 16..20;
    pub(super) const SIADDR: Range<usize> = 20..24;
    pub(super) const GIADDR: Range<usize> = 24..28;
    pub(super) const CHADDR: Range<usize> = 28..44;
    pub(super) const SNAME: Range<usize> = 44..108;
    pub(super) const FILE: Range<usize> = 108..236;
    pub(super) const COOKIE: Range<usize> = 236..240;
    pub(super) const OPTIONS: usize = 240;
}

/// Option codes (RFC 2132 unless said otherwise).
pub mod code {
    /// Pad (§3.1).
    pub const PAD: u8 = 0;
    /// Subnet Mask (§3.3).
    pub const SUBNET_MASK: u8 = 1;
    /// Router (§3.5).
    pub const ROUTER: u8 = 3;
    /// Domain Name Server (§3.8).
    pub const DNS_SERVER: u8 = 6;
    /// Host Name (§3.14).
    pub const HOST_NAME: u8 = 12;
    /// Domain Name (§3.17).
    pub const DOMAIN_NAME: u8 = 15;
    /// Interface MTU (§5.1).
    pub const MTU: u8 = 26;
    /// Broadcast Address (§5.3).
    pub const BROADCAST: u8 = 28;
    /// Network Time Protocol Servers (§8.3).
    pub const NTP_SERVER: u8 = 42;
    /// Requested IP Address (§9.1).
    pub const REQUESTED_ADDRESS: u8 = 50;
    /// IP Address Lease Time (§9.2).
    pub const LEASE_TIME: u8 = 51;
    /// Option Overload (§9.3).
    pub const OVERLOAD: u8 = 52;
    /// DHCP Message Type (§9.6).
    pub const MESSAGE_TYPE: u8 = 53;
    /// Server Identifier (§9.7).
    pub const SERVER_ID: u8 = 54;
    /// Parameter Request List (§9.8).
    pub const PARAMETER_REQUEST_LIST: u8 = 55;
    /// Message (§9.9).
    pub const MESSAGE: u8 = 56;
    /// Maximum DHCP Message Size (§9.10).
    pub const MAX_SIZE: u8 = 57;
    /// Renewal (T1) Time (§9.11).
    pub const T1: u8 = 58;
    /// Rebinding (T2) Time (§9.12).
    pub const T2: u8 = 59;
    /// Vendor Class Identifier (§9.13).
    pub const VENDOR_CLASS: u8 = 60;
    /// Client Identifier (§9.14).
    pub const CLIENT_ID: u8 = 61;
    /// TFTP Server Name (§9.4).
    pub const TFTP_SERVER: u8 = 66;
    /// Bootfile Name (§9.5).
    pub const BOOTFILE: u8 = 67;
    /// User Class (RFC 3004).
    pub const USER_CLASS: u8 = 77;
    /// Rapid Commit (RFC 4039).
    pub const RAPID_COMMIT: u8 = 80;
    /// Client FQDN (RFC 4702).
    pub const FQDN: u8 = 81;
    /// Relay Agent Information (RFC 3046).
    pub const RELAY_AGENT: u8 = 82;
    /// Client System Architecture Type (RFC 4578 §2.1).
    pub const CLIENT_ARCHITECTURE: u8 = 93;
    /// IPv6-Only Preferred (RFC 8925).
    pub const V6ONLY_PREFERRED: u8 = 108;
    /// Captive-Portal (RFC 8910).
    pub const CAPTIVE_PORTAL: u8 = 114;
    /// Domain Search (RFC 3397).
    pub const DOMAIN_SEARCH: u8 = 119;
    /// Classless Static Route (RFC 3442).
    pub const CLASSLESS_ROUTE: u8 = 121;
    /// What Etherboot and its heirs, iPXE among them, say of themselves: assigned tentatively, and used by nobody else.
    pub const ETHERBOOT: u8 = 175;
    /// Classless Static Route, as old Windows clients ask for it.
    pub const CLASSLESS_ROUTE_MICROSOFT: u8 = 249;
    /// End (§3.2).
    pub const END: u8 = 255;
}

/// Option 53 (RFC 2132 §9.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// DHCPDISCOVER.
    Discover,
    /// DHCPOFFER.
    Offer,
    /// DHCPREQUEST.
    Request,
    /// DHCPDECLINE.
    Decline,
    /// DHCPACK.
    Ack,
    /// DHCPNAK.
    Nak,
    /// DHCPRELEASE.
    Release,
    /// DHCPINFORM.
    Inform,
    /// Any other number.
    Other(u8),
}

impl MessageType {
    /// The type with this number.
    pub const fn from_number(number: u8) -> Self {
        match number {
            1 => Self::Discover,
            2 => Self::Offer,
            3 => Self::Request,
            4 => Self::Decline,
            5 => Self::Ack,
            6 => Self::Nak,
            7 => Self::Release,
            8 => Self::Inform,
            other => Self::Other(other),
        }
    }

    /// Its number.
    pub const fn number(self) -> u8 {
        match self {
            Self::Discover => 1,
            Self::Offer => 2,
            Self::Request => 3,
            Self::Decline => 4,
            Self::Ack => 5,
            Self::Nak => 6,
            Self::Release => 7,
            Self::Inform => 8,
            Self::Other(other) => other,
        }
    }
}

/// As RFC 2131 has it, without the `DHCP` that all of them begin with.
impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discover => "DISCOVER",
            Self::Offer => "OFFER",
            Self::Request => "REQUEST",
            Self::Decline => "DECLINE",
            Self::Ack => "ACK",
            Self::Nak => "NAK",
            Self::Release => "RELEASE",
            Self::Inform => "INFORM",
            Self::Other(number) => return write!(f, "type {number}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_types_keep_their_number() {
        for number in 0..=u8::MAX {
            assert_eq!(MessageType::from_number(number).number(), number);
        }
    }
}
