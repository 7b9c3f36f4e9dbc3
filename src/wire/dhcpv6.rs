//! DHCPv6 (RFC 8415): clients' messages read, server messages written.

use super::{DecodeError, Layer, duid};

/// The port that clients listen on (RFC 8415 §7.2).
pub const CLIENT_PORT: u16 = 546;
/// The port that servers listen on (RFC 8415 §7.2).
pub const SERVER_PORT: u16 = 547;

/// The length of message type and transaction id in bytes (RFC 8415 §8).
pub const HEADER_LEN: usize = 4;
/// The length of an option's code and length in bytes (RFC 8415 §21.1).
pub const OPTION_HEADER_LEN: usize = 4;

/// How many options a message may have, and ask for: several times as many as there are. It bounds what a message of
/// the greatest length costs, which could hold sixteen thousand empty ones.
pub const MAX_OPTIONS: usize = 1024;

/// Option codes: RFC 8415 §21, RFC 3646.
pub mod option {
    /// Client Identifier (RFC 8415 §21.2).
    pub const CLIENT_ID: u16 = 1;
    /// Server Identifier (RFC 8415 §21.3).
    pub const SERVER_ID: u16 = 2;
    /// Identity Association for Non-temporary Addresses (RFC 8415 §21.4).
    pub const IA_NA: u16 = 3;
    /// Identity Association for Temporary Addresses (RFC 8415 §21.5).
    pub const IA_TA: u16 = 4;
    /// Option Request (RFC 8415 §21.7).
    pub const ORO: u16 = 6;
    /// DNS Recursive Name Server (RFC 3646 §3).
    pub const DNS_SERVERS: u16 = 23;
    /// Domain Search List (RFC 3646 §4).
    pub const DOMAIN_LIST: u16 = 24;
    /// Identity Association for Prefix Delegation (RFC 8415 §21.21).
    pub const IA_PD: u16 = 25;
    /// Information Refresh Time (RFC 8415 §21.23).
    pub const INFORMATION_REFRESH_TIME: u16 = 32;
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

/// A message between client and server (RFC 8415 §8); not a relay's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// msg-type.
    pub message_type: MessageType,
    /// transaction-id.
    pub transaction_id: [u8; 3],
    options: Options<'a>,
}

impl<'a> Message<'a> {
    /// Reads the payload of a UDP datagram.
    ///
    /// Checked here are the length of every option, that client id, server id and option request come once at most
    /// (RFC 8415 §21), the length of the two DUIDs (RFC 8415 §11.1), that the option request holds whole codes, and that
    /// neither the options nor the codes are more than [`MAX_OPTIONS`].
    pub fn parse(payload: &'a [u8]) -> Result<Self, DecodeError> {
        let (&[code, a, b, c], options) = payload.split_first_chunk::<HEADER_LEN>().ok_or(bad("length"))?;
        let message = Self { message_type: code.into(), transaction_id: [a, b, c], options: Options::parse(options)? };
        message.check_duid(option::CLIENT_ID, "Client Identifier")?;
        message.check_duid(option::SERVER_ID, "Server Identifier")?;
        let request = message.option_once(option::ORO, "Option Request")?;
        if request.is_some_and(|data| data.len() % 2 != 0 || data.len() / 2 > MAX_OPTIONS) {
            return Err(bad("Option Request"));
        }
        Ok(message)
    }

    /// All options, in their order.
    pub fn options(&self) -> Options<'a> {
        self.options
    }

    /// The contents of the first option with this code.
    pub fn option(&self, code: u16) -> Option<&'a [u8]> {
        self.options().find(|option| option.code == code).map(|option| option.data)
    }

    /// The client's DUID: 1 to 130 bytes.
    pub fn client_id(&self) -> Option<&'a [u8]> {
        self.option(option::CLIENT_ID)
    }

    /// The DUID of the server that the message is for: 1 to 130 bytes.
    pub fn server_id(&self) -> Option<&'a [u8]> {
        self.option(option::SERVER_ID)
    }

    /// The codes of the option request option, in its order. None where there is no such option.
    pub fn requested_options(&self) -> Option<impl Iterator<Item = u16> + use<'a>> {
        let (codes, _) = self.option(option::ORO)?.as_chunks::<2>();
        Some(codes.iter().map(|code| u16::from_be_bytes(*code)))
    }

    fn check_duid(&self, code: u16, field: &'static str) -> Result<(), DecodeError> {
        match self.option_once(code, field)? {
            Some(duid) if duid.is_empty() || duid.len() > duid::MAX_LEN => Err(bad(field)),
            _ => Ok(()),
        }
    }

    fn option_once(&self, code: u16, field: &'static str) -> Result<Option<&'a [u8]>, DecodeError> {
        let mut found = self.options().filter(|option| option.code == code);
        let first = found.next();
        match found.next() {
            None => Ok(first.map(|option| option.data)),
            Some(_) => Err(bad(field)),
        }
    }
}

/// One option (RFC 8415 §21.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dhcpv6Option<'a> {
    /// option-code.
    pub code: u16,
    /// option-data.
    pub data: &'a [u8],
}

/// The options of a message, all lengths checked. Iterates over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options<'a> {
    rest: &'a [u8],
}

impl<'a> Options<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut rest = bytes;
        let mut left = MAX_OPTIONS;
        while !rest.is_empty() {
            left = left.checked_sub(1).ok_or(bad("option count"))?;
            (_, rest) = split_option(rest)?;
        }
        Ok(Self { rest: bytes })
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = Dhcpv6Option<'a>;

    fn next(&mut self) -> Option<Dhcpv6Option<'a>> {
        // The end of the bytes is the only error that is left after `parse`.
        let (option, rest) = split_option(self.rest).ok()?;
        self.rest = rest;
        Some(option)
    }
}

fn split_option(bytes: &[u8]) -> Result<(Dhcpv6Option<'_>, &[u8]), DecodeError> {
    let (&[a, b, c, d], rest) = bytes.split_first_chunk::<OPTION_HEADER_LEN>().ok_or(bad("option"))?;
    let length = usize::from(u16::from_be_bytes([c, d]));
    let (data, rest) = rest.split_at_checked(length).ok_or(bad("option length"))?;
    let code = u16::from_be_bytes([a, b]);
    Ok((Dhcpv6Option { code, data }, rest))
}

/// A message in the making, in a buffer of the caller's.
#[derive(Debug)]
pub struct Encoder<'a> {
    buffer: &'a mut [u8],
    len: usize,
}

/// The message does not fit the buffer, or its data not their option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the DHCPv6 message does not fit")]
pub struct NoRoom;

impl<'a> Encoder<'a> {
    /// Begins a message.
    pub fn new(buffer: &'a mut [u8], message_type: MessageType, transaction_id: [u8; 3]) -> Result<Self, NoRoom> {
        let mut message = Self { buffer, len: 0 };
        message.put(&[message_type.code()])?;
        message.put(&transaction_id)?;
        Ok(message)
    }

    /// Appends an option.
    pub fn option(&mut self, code: u16, data: &[u8]) -> Result<(), NoRoom> {
        let length = u16::try_from(data.len()).map_err(|_| NoRoom)?;
        self.put(&code.to_be_bytes())?;
        self.put(&length.to_be_bytes())?;
        self.put(data)
    }

    /// Whether an option with this code was appended.
    pub fn contains(&self, code: u16) -> bool {
        let written = self.buffer.get(HEADER_LEN..self.len);
        let mut options = Options { rest: written.unwrap_or_default() };
        options.any(|option| option.code == code)
    }

    /// The length of the message in bytes, which is done now.
    pub fn finish(self) -> usize {
        self.len
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), NoRoom> {
        let end = self.len + bytes.len();
        self.buffer.get_mut(self.len..end).ok_or(NoRoom)?.copy_from_slice(bytes);
        self.len = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEADER: [u8; 4] = [11, 0xa, 0xb, 0xc];

    fn message(options: &[(u16, &[u8])]) -> Vec<u8> {
        let mut buffer = [0; 600];
        let mut encoder = Encoder::new(&mut buffer, MessageType::InformationRequest, [0xa, 0xb, 0xc]).unwrap();
        for (code, data) in options {
            encoder.option(*code, data).unwrap();
        }
        let len = encoder.finish();
        buffer[..len].to_vec()
    }

    #[test]
    fn reads_a_message() {
        let bytes = message(&[(1, b"client"), (6, &[0, 24, 0, 23]), (8, &[0, 0])]);
        let message = Message::parse(&bytes).unwrap();
        assert_eq!(message.message_type, MessageType::InformationRequest);
        assert_eq!(message.transaction_id, [0xa, 0xb, 0xc]);
        assert_eq!(message.client_id(), Some(&b"client"[..]));
        assert_eq!(message.server_id(), None);
        assert_eq!(message.option(8), Some(&[0, 0][..]));
        let requested: Vec<_> = message.requested_options().unwrap().collect();
        assert_eq!(requested, [24, 23]);
    }

    #[test]
    fn an_empty_option_request_is_not_a_missing_one() {
        let bytes = message(&[(6, &[])]);
        let message = Message::parse(&bytes).unwrap();
        assert_eq!(message.requested_options().unwrap().count(), 0);
        assert!(Message::parse(&HEADER).unwrap().requested_options().is_none());
    }

    #[test]
    fn refuses_what_lies() {
        let cases: [(&[u8], &str); 5] = [
            (&[], "length"),
            (&HEADER[..3], "length"),
            (&[11, 0, 0, 0, 0], "option"),
            (&[11, 0, 0, 0, 0, 8, 0, 2, 0], "option length"),
            (&[11, 0, 0, 0, 0, 8, 0xff, 0xff], "option length"),
        ];
        for (bytes, field) in cases {
            assert_eq!(Message::parse(bytes), Err(bad(field)), "{bytes:?}");
        }
    }

    #[test]
    fn reads_a_bounded_number_of_options() {
        let options = |count| [&HEADER[..], &[0, 8, 0, 0].repeat(count)].concat();
        assert_eq!(Message::parse(&options(MAX_OPTIONS)).unwrap().options().count(), MAX_OPTIONS);
        assert_eq!(Message::parse(&options(MAX_OPTIONS + 1)), Err(bad("option count")));
        let request = |count: usize| {
            let length = (count as u16 * 2).to_be_bytes();
            [&HEADER[..], &[0, 6], &length, &[0, 23].repeat(count)].concat()
        };
        assert!(Message::parse(&request(MAX_OPTIONS)).is_ok());
        assert_eq!(Message::parse(&request(MAX_OPTIONS + 1)), Err(bad("Option Request")));
    }

    #[test]
    fn refuses_options_that_break_their_rules() {
        let long = [7; 131];
        type Given<'a> = &'a [(u16, &'a [u8])];
        let cases: [(Given<'_>, &str); 8] = [
            (&[(1, b"a"), (1, b"a")], "Client Identifier"),
            (&[(2, b"a"), (8, b""), (2, b"b")], "Server Identifier"),
            (&[(6, &[0, 23]), (6, &[0, 24])], "Option Request"),
            (&[(6, &[0, 23, 0])], "Option Request"),
            (&[(1, b"")], "Client Identifier"),
            (&[(1, &long)], "Client Identifier"),
            (&[(2, b"")], "Server Identifier"),
            (&[(2, &long)], "Server Identifier"),
        ];
        for (options, field) in cases {
            assert_eq!(Message::parse(&message(options)), Err(bad(field)));
        }
        assert!(Message::parse(&message(&[(1, &long[1..])])).is_ok());
    }

    #[test]
    fn every_type_has_its_own_octet() {
        for code in 0..=255 {
            assert_eq!(MessageType::from(code).code(), code);
        }
        assert_eq!(MessageType::peek(&[]), Err(bad("length")));
    }

    #[test]
    fn knows_what_it_has_written() {
        let mut buffer = [0; 30];
        let mut encoder = Encoder::new(&mut buffer, MessageType::Reply, [0; 3]).unwrap();
        encoder.option(2, &[0, 32, 0, 0]).unwrap();
        encoder.option(24, &[]).unwrap();
        assert!(encoder.contains(2) && encoder.contains(24));
        assert!(!encoder.contains(32) && !encoder.contains(0));
    }

    #[test]
    fn says_when_there_is_no_room() {
        let mut buffer = [0; 8];
        assert!(Encoder::new(&mut buffer[..3], MessageType::Reply, [0; 3]).is_err());
        let mut encoder = Encoder::new(&mut buffer, MessageType::Reply, [0; 3]).unwrap();
        assert_eq!(encoder.option(32, &[0; 4]), Err(NoRoom));
        assert!(!encoder.contains(32));
        let mut large = vec![0; 70_000];
        let mut encoder = Encoder::new(&mut large, MessageType::Reply, [0; 3]).unwrap();
        assert_eq!(encoder.option(32, &[0; 65_536]), Err(NoRoom));
    }

    proptest! {
        #[test]
        fn takes_any_bytes(payload in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(message) = Message::parse(&payload) {
                let seen: usize = message.options().map(|option| option.data.len() + 4).sum();
                prop_assert_eq!(seen, payload.len() - 4);
            }
        }

        #[test]
        fn reads_what_it_writes(
            options in prop::collection::vec(
                (7..100u16, prop::collection::vec(any::<u8>(), 0..20)),
                0..9,
            )
        ) {
            let borrowed: Vec<_> = options.iter().map(|(code, data)| (*code, data.as_slice())).collect();
            let bytes = message(&borrowed);
            let message = Message::parse(&bytes).unwrap();
            let read: Vec<_> = message.options().map(|option| (option.code, option.data)).collect();
            prop_assert_eq!(read, borrowed);
        }
    }
}
