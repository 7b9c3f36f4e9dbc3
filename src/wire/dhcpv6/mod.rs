//! DHCPv6 (RFC 8415, and RFC 9915, which replaces it): clients' messages read, server messages written.

mod encoder;
mod ia;
mod message;

use std::fmt;

pub use encoder::{Encoder, NoRoom, encode_option};
pub use ia::{Ia, IaKind, Ias, Lease};
pub use message::{Dhcpv6Option, Message, Options};

use super::{DecodeError, Layer};

/// The port that clients listen on (RFC 8415 §7.2).
pub const CLIENT_PORT: u16 = 546;
/// The port that servers listen on (RFC 8415 §7.2).
pub const SERVER_PORT: u16 = 547;

/// The length of message type and transaction id in bytes (RFC 8415 §8).
pub const HEADER_LEN: usize = 4;
/// The length of an option's code and length in bytes (RFC 8415 §21.1).
pub const OPTION_HEADER_LEN: usize = 4;

/// How many options a message may have, how many its IAs may have together, and how many it may ask for: several times
/// as many as there are. It bounds what a message of the greatest length costs, which could hold sixteen thousand empty
/// ones.
pub const MAX_OPTIONS: usize = 1024;

/// Option codes: RFC 8415 §21 and what is named with each.
pub mod option {
    /// Client Identifier (RFC 8415 §21.2).
    pub const CLIENT_ID: u16 = 1;
    /// Server Identifier (RFC 8415 §21.3).
    pub const SERVER_ID: u16 = 2;
    /// Identity Association for Non-temporary Addresses (RFC 8415 §21.4).
    pub const IA_NA: u16 = 3;
    /// Identity Association for Temporary Addresses (RFC 8415 §21.5), obsolete since RFC 9915.
    pub const IA_TA: u16 = 4;
    /// IA Address (RFC 8415 §21.6).
    pub const IA_ADDRESS: u16 = 5;
    /// Option Request (RFC 8415 §21.7).
    pub const ORO: u16 = 6;
    /// Preference (RFC 8415 §21.8).
    pub const PREFERENCE: u16 = 7;
    /// Status Code (RFC 8415 §21.13).
    pub const STATUS_CODE: u16 = 13;
    /// Rapid Commit (RFC 8415 §21.14).
    pub const RAPID_COMMIT: u16 = 14;
    /// DNS Recursive Name Server (RFC 3646 §3).
    pub const DNS_SERVERS: u16 = 23;
    /// Domain Search List (RFC 3646 §4).
    pub const DOMAIN_LIST: u16 = 24;
    /// Identity Association for Prefix Delegation (RFC 8415 §21.21).
    pub const IA_PD: u16 = 25;
    /// IA Prefix (RFC 8415 §21.22).
    pub const IA_PREFIX: u16 = 26;
    /// Simple Network Time Protocol Servers (RFC 4075 §4).
    pub const SNTP_SERVERS: u16 = 31;
    /// Information Refresh Time (RFC 8415 §21.23).
    pub const INFORMATION_REFRESH_TIME: u16 = 32;
    /// Client FQDN (RFC 4704 §4).
    pub const CLIENT_FQDN: u16 = 39;
    /// NTP Server (RFC 5908 §4).
    pub const NTP_SERVER: u16 = 56;
    /// SOL_MAX_RT (RFC 8415 §21.24).
    pub const SOL_MAX_RT: u16 = 82;
    /// INF_MAX_RT (RFC 8415 §21.25).
    pub const INF_MAX_RT: u16 = 83;
    /// Captive-Portal (RFC 8910 §2.2).
    pub const CAPTIVE_PORTAL: u16 = 103;
}

/// Suboptions of [`option::NTP_SERVER`] (RFC 5908 §4).
pub mod ntp {
    /// NTP Server Address (RFC 5908 §4.1).
    pub const SERVER_ADDRESS: u16 = 1;
    /// NTP Server FQDN (RFC 5908 §4.3).
    pub const SERVER_FQDN: u16 = 3;
}

/// Flags of [`option::CLIENT_FQDN`] (RFC 4704 §4.1).
pub mod fqdn {
    /// S: the server updates the DNS.
    pub const SERVER_UPDATES: u8 = 1;
    /// O: the server does not as the client wants about S.
    pub const OVERRIDDEN: u8 = 2;
    /// N: the server updates nothing.
    pub const NO_UPDATE: u8 = 4;
}

/// What a Status Code option says (RFC 8415 §21.13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Success (0).
    Success,
    /// NoAddrsAvail (2).
    NoAddrsAvail,
    /// NoBinding (3).
    NoBinding,
    /// NotOnLink (4).
    NotOnLink,
    /// NoPrefixAvail (6).
    NoPrefixAvail,
}

impl Status {
    /// The status-code field.
    pub const fn code(self) -> u16 {
        match self {
            Self::Success => 0,
            Self::NoAddrsAvail => 2,
            Self::NoBinding => 3,
            Self::NotOnLink => 4,
            Self::NoPrefixAvail => 6,
        }
    }

    /// The status-message field: what a client shows to its user.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Success => "done",
            Self::NoAddrsAvail => "no address for this",
            Self::NoBinding => "nothing here is yours",
            Self::NotOnLink => "not your address here",
            Self::NoPrefixAvail => "no prefix for this",
        }
    }
}

const fn bad(field: &'static str) -> DecodeError {
    DecodeError::new(Layer::Dhcpv6, field)
}

/// The type of a message (RFC 8415 §7.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// SOLICIT (1).
    Solicit,
    /// ADVERTISE (2).
    Advertise,
    /// REQUEST (3).
    Request,
    /// CONFIRM (4).
    Confirm,
    /// RENEW (5).
    Renew,
    /// REBIND (6).
    Rebind,
    /// REPLY (7).
    Reply,
    /// RELEASE (8).
    Release,
    /// DECLINE (9).
    Decline,
    /// RECONFIGURE (10).
    Reconfigure,
    /// INFORMATION-REQUEST (11).
    InformationRequest,
    /// RELAY-FORW (12). Has another header than the types above.
    RelayForward,
    /// RELAY-REPL (13). Has another header than the types above.
    RelayReply,
    /// Anything else.
    Other(u8),
}

impl MessageType {
    /// The type of the message in `payload`, whatever follows it.
    pub fn peek(payload: &[u8]) -> Result<Self, DecodeError> {
        payload.first().map(|code| Self::from(*code)).ok_or(bad("length"))
    }

    /// The octet of the wire.
    pub const fn code(self) -> u8 {
        match self {
            Self::Solicit => 1,
            Self::Advertise => 2,
            Self::Request => 3,
            Self::Confirm => 4,
            Self::Renew => 5,
            Self::Rebind => 6,
            Self::Reply => 7,
            Self::Release => 8,
            Self::Decline => 9,
            Self::Reconfigure => 10,
            Self::InformationRequest => 11,
            Self::RelayForward => 12,
            Self::RelayReply => 13,
            Self::Other(code) => code,
        }
    }
}

/// As RFC 8415 has it in its text.
impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Solicit => "Solicit",
            Self::Advertise => "Advertise",
            Self::Request => "Request",
            Self::Confirm => "Confirm",
            Self::Renew => "Renew",
            Self::Rebind => "Rebind",
            Self::Reply => "Reply",
            Self::Release => "Release",
            Self::Decline => "Decline",
            Self::Reconfigure => "Reconfigure",
            Self::InformationRequest => "Information-Request",
            Self::RelayForward => "Relay-Forward",
            Self::RelayReply => "Relay-Reply",
            Self::Other(number) => return write!(f, "type {number}"),
        })
    }
}

impl From<u8> for MessageType {
    fn from(code: u8) -> Self {
        match code {
            1 => Self::Solicit,
            2 => Self::Advertise,
            3 => Self::Request,
            4 => Self::Confirm,
            5 => Self::Renew,
            6 => Self::Rebind,
            7 => Self::Reply,
            8 => Self::Release,
            9 => Self::Decline,
            10 => Self::Reconfigure,
            11 => Self::InformationRequest,
            12 => Self::RelayForward,
            13 => Self::RelayReply,
            code => Self::Other(code),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_its_own_octet() {
        for code in 0..=255 {
            assert_eq!(MessageType::from(code).code(), code);
        }
        assert_eq!(MessageType::peek(&[]), Err(bad("length")));
    }
}
