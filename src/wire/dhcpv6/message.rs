//! Messages read: their header, their options, and what must hold of both.

use super::{HEADER_LEN, Ias, MAX_OPTIONS, MessageType, OPTION_HEADER_LEN, bad, option};
use crate::wire::{DecodeError, duid};

/// A message between client and server (RFC 8415 §8); not a relay's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// msg-type.
    pub message_type: MessageType,
    /// transaction-id.
    pub transaction_id: [u8; 3],
    options: Options<'a>,
    client_id: Option<&'a [u8]>,
    server_id: Option<&'a [u8]>,
    option_request: Option<&'a [u8]>,
}

impl<'a> Message<'a> {
    /// Reads the payload of a UDP datagram.
    ///
    /// Checked here are the length of every option, that client id, server id and option request come once at most
    /// (RFC 8415 §21), the length of the two DUIDs (RFC 8415 §11.1), that the option request holds whole codes, and that
    /// neither the options nor the codes are more than [`MAX_OPTIONS`].
    pub fn parse(payload: &'a [u8]) -> Result<Self, DecodeError> {
        let (&[code, a, b, c], options) = payload.split_first_chunk::<HEADER_LEN>().ok_or(bad("length"))?;
        let mut left = MAX_OPTIONS;
        let options = Options::parse(options, &mut left)?;
        let [mut client_id, mut server_id, mut option_request] = [Once::default(); 3];
        for option in options {
            match option.code {
                option::CLIENT_ID => client_id.take(option.data),
                option::SERVER_ID => server_id.take(option.data),
                option::ORO => option_request.take(option.data),
                _ => {}
            }
        }
        Ok(Self {
            message_type: code.into(),
            transaction_id: [a, b, c],
            options,
            client_id: client_id.duid("Client Identifier")?,
            server_id: server_id.duid("Server Identifier")?,
            option_request: option_request.codes("Option Request")?,
        })
    }

    /// All options, in their order.
    pub fn options(&self) -> Options<'a> {
        self.options
    }

    /// The contents of the first option with this code.
    pub fn option(&self, code: u16) -> Option<&'a [u8]> {
        self.options().find(|option| option.code == code).map(|option| option.data)
    }

    /// The client's DUID: 3 to 130 bytes.
    pub fn client_id(&self) -> Option<&'a [u8]> {
        self.client_id
    }

    /// The DUID of the server that the message is for: 3 to 130 bytes.
    pub fn server_id(&self) -> Option<&'a [u8]> {
        self.server_id
    }

    /// The identity associations, in their order, if every one of them is well-formed.
    pub fn ias(&self) -> Result<Ias<'a>, DecodeError> {
        Ias::parse(self.options)
    }

    /// The flags of the Client FQDN option, if there is one (RFC 4704 §4.1).
    pub fn fqdn_flags(&self) -> Option<u8> {
        self.option(option::CLIENT_FQDN)?.first().copied()
    }

    /// Whether the option request option asks for `code`.
    pub fn requests(&self, code: u16) -> bool {
        self.requested_options().is_some_and(|mut codes| codes.any(|requested| requested == code))
    }

    /// The codes of the option request option, in its order. None where there is no such option.
    pub fn requested_options(&self) -> Option<impl Iterator<Item = u16> + use<'a>> {
        let (codes, _) = self.option_request?.as_chunks::<2>();
        Some(codes.iter().map(|code| u16::from_be_bytes(*code)))
    }
}

/// What is found of an option that may come once at most (RFC 8415 §21).
#[derive(Clone, Copy, Default)]
struct Once<'a> {
    first: Option<&'a [u8]>,
    is_repeated: bool,
}

impl<'a> Once<'a> {
    fn take(&mut self, data: &'a [u8]) {
        self.is_repeated |= self.first.replace(data).is_some();
    }

    /// The option, if it comes but once and `is_good`.
    fn checked(
        self,
        field: &'static str,
        is_good: impl FnOnce(&[u8]) -> bool,
    ) -> Result<Option<&'a [u8]>, DecodeError> {
        if self.is_repeated || !self.first.is_none_or(is_good) { Err(bad(field)) } else { Ok(self.first) }
    }

    /// The same of a DUID (RFC 8415 §11.1).
    fn duid(self, field: &'static str) -> Result<Option<&'a [u8]>, DecodeError> {
        self.checked(field, |duid| (duid::MIN_LEN..=duid::MAX_LEN).contains(&duid.len()))
    }

    /// The same of a list of codes (RFC 8415 §21.7).
    fn codes(self, field: &'static str) -> Result<Option<&'a [u8]>, DecodeError> {
        self.checked(field, |codes| codes.len() % 2 == 0 && codes.len() / 2 <= MAX_OPTIONS)
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

/// The options of a message, or those inside of another option, all lengths checked. Iterates over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options<'a> {
    rest: &'a [u8],
}

impl<'a> Options<'a> {
    /// Checks the lengths of all options, which may be as many as are `left`.
    pub(super) fn parse(bytes: &'a [u8], left: &mut usize) -> Result<Self, DecodeError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            *left = left.checked_sub(1).ok_or(bad("option count"))?;
            (_, rest) = split_option(rest)?;
        }
        Ok(Self { rest: bytes })
    }

    /// Options whose lengths were checked, or are our own. They end where a length lies nevertheless.
    pub(super) fn checked(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = Dhcpv6Option<'a>;

    fn next(&mut self) -> Option<Dhcpv6Option<'a>> {
        // The end of the bytes is the only error that is left where lengths were checked.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::dhcpv6::Encoder;

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
        let cases: [(Given<'_>, &str); 10] = [
            (&[(1, b"abc"), (1, b"abc")], "Client Identifier"),
            (&[(2, b"abc"), (8, b""), (2, b"abd")], "Server Identifier"),
            (&[(6, &[0, 23]), (6, &[0, 24])], "Option Request"),
            (&[(6, &[0, 23, 0])], "Option Request"),
            (&[(1, b"")], "Client Identifier"),
            (&[(1, &[0, 4])], "Client Identifier"),
            (&[(1, &long)], "Client Identifier"),
            (&[(2, b"")], "Server Identifier"),
            (&[(2, &[0, 4])], "Server Identifier"),
            (&[(2, &long)], "Server Identifier"),
        ];
        for (options, field) in cases {
            assert_eq!(Message::parse(&message(options)), Err(bad(field)));
        }
        for duid in [&long[1..], &long[..3]] {
            assert!(Message::parse(&message(&[(1, duid), (2, duid)])).is_ok());
        }
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
