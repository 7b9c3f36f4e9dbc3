//! DHCPv6 without addresses (RFC 8415 §6.1): Information-Requests and their Replies.

use std::net::Ipv6Addr;

use super::fit::{TooLarge, key_of};
use super::outcome::{Reason, Refusal};
use crate::binding::Binding;
use crate::config;
use crate::wire::dhcpv6::{self, Encoder, Message, MessageType, NoRoom, option};
use crate::wire::duid::{self, SERVER_DUID_LEN, server_duid};

/// The length of the IPv6 and UDP headers in bytes.
const HEADERS_LEN: usize = 40 + 8;

/// What one guest is answered, built when its binding or the configuration changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    server_id: [u8; SERVER_DUID_LEN],
    options: Vec<Answer>,
}

/// One option that a guest may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    /// The key that it comes from.
    key: &'static str,
    code: u16,
    data: Vec<u8>,
}

impl Answers {
    /// The answers for the guest of `binding`. What the binding names takes the place of what the node's `config` names.
    pub fn new(binding: &Binding, config: &config::Ipv6) -> Self {
        let servers = binding.settings.nameservers6.as_ref();
        let domains = binding.settings.domain_search.as_ref();
        let mut names = Vec::new();
        for domain in domains.unwrap_or(&config.domains) {
            // RFC 8415 §10: uncompressed, each with its root label.
            domain.encode(&mut names, true);
        }
        let refresh_time = config.information_refresh_time.to_be_bytes();
        let servers_key = key_of(&binding.settings.nameservers6, "NAMESERVERS6", "ipv6.nameservers");
        let domains_key = key_of(&binding.settings.domain_search, "DOMAIN_SEARCH", "ipv6.domains");
        let options = [
            (servers_key, option::DNS_SERVERS, octets(servers.unwrap_or(&config.nameservers))),
            (domains_key, option::DOMAIN_LIST, names),
            ("ipv6.information_refresh_time", option::INFORMATION_REFRESH_TIME, refresh_time.to_vec()),
        ];
        Self {
            server_id: server_duid(binding.mac),
            options: options
                .into_iter()
                .filter(|(_, _, data)| !data.is_empty())
                .map(|(key, code, data)| Answer { key, code, data })
                .collect(),
        }
    }

    /// An error, unless the largest reply fits a packet that every IPv6 link carries.
    pub fn check_fit(&self) -> Result<(), TooLarge> {
        let option_len = |data_len: usize| dhcpv6::OPTION_HEADER_LEN + data_len;
        let options: usize = self.options.iter().map(|answer| option_len(answer.data.len())).sum();
        let ids = option_len(SERVER_DUID_LEN) + option_len(duid::MAX_LEN);
        let parts = self.options.iter().map(|answer| (answer.key, answer.data.len()));
        TooLarge::check("DHCPv6 reply", HEADERS_LEN + dhcpv6::HEADER_LEN + ids + options, parts)
    }

    fn encode(&self, request: &Message<'_>, out: &mut [u8]) -> Result<usize, NoRoom> {
        let mut reply = Encoder::new(out, MessageType::Reply, request.transaction_id)?;
        reply.option(option::SERVER_ID, &self.server_id)?;
        // RFC 8415 §18.3.6: the client identifier is copied when there is one.
        if let Some(client_id) = request.client_id() {
            reply.option(option::CLIENT_ID, client_id)?;
        }
        match request.requested_options() {
            Some(codes) => self.encode_requested(codes, &mut reply)?,
            None => self.encode_all(&mut reply)?,
        }
        Ok(reply.finish())
    }

    /// RFC 8415 §18.3.6 and §21.7: what the client asks for and we have, in the client's order.
    fn encode_requested(&self, codes: impl Iterator<Item = u16>, reply: &mut Encoder<'_>) -> Result<(), NoRoom> {
        for code in codes {
            // RFC 8415 §21: an option comes once, however often it is asked for.
            let answer = self.options.iter().find(|answer| answer.code == code);
            if let Some(answer) = answer.filter(|answer| !reply.contains(answer.code)) {
                reply.option(answer.code, &answer.data)?;
            }
        }
        Ok(())
    }

    /// A client without an option request says nothing of what it can use: it gets all there is.
    fn encode_all(&self, reply: &mut Encoder<'_>) -> Result<(), NoRoom> {
        self.options.iter().try_for_each(|answer| reply.option(answer.code, &answer.data))
    }
}

fn octets(addresses: &[Ipv6Addr]) -> Vec<u8> {
    addresses.iter().flat_map(Ipv6Addr::octets).collect()
}

/// A reply to send from port 547 to port 546 of the request's source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// Which kind of answer this is.
    pub reason: Reason,
    /// The length of the UDP payload in bytes.
    pub len: usize,
}

/// Decides on a UDP payload that came to port 547 of `destination`. The payload of the reply is in `out`.
pub fn decide(answers: &Answers, destination: Ipv6Addr, payload: &[u8], out: &mut [u8]) -> Result<Reply, Refusal> {
    check_type(payload)?;
    let message = Message::parse(payload)?;
    // RFC 8415 §16: a message with the identifier of another server is for that one.
    if message.server_id().is_some_and(|id| id != answers.server_id) {
        return Err(Reason::OtherServer6.into());
    }
    if message.message_type != MessageType::InformationRequest {
        return Err(Reason::StatefulUnserved.into());
    }
    check_information_request(answers, destination, &message)?;
    let len = answers.encode(&message, out).map_err(|NoRoom| Reason::NoFit)?;
    Ok(Reply { reason: Reason::Dhcpv6Informed, len })
}

/// Refuses what is not a client's message to a server, by its type alone: other types have other headers.
fn check_type(payload: &[u8]) -> Result<(), Refusal> {
    match MessageType::peek(payload)? {
        MessageType::RelayForward | MessageType::RelayReply => Err(Reason::Relayed.into()),
        // RFC 8415 §16.3, §16.10, §16.11: servers discard what servers send.
        MessageType::Advertise | MessageType::Reply | MessageType::Reconfigure => Err(Reason::ServerMessage.into()),
        MessageType::Other(_) => Err(Reason::UnexpectedMessage.into()),
        MessageType::Solicit
        | MessageType::Request
        | MessageType::Confirm
        | MessageType::Renew
        | MessageType::Rebind
        | MessageType::Release
        | MessageType::Decline
        | MessageType::InformationRequest => Ok(()),
    }
}

fn check_information_request(answers: &Answers, destination: Ipv6Addr, message: &Message<'_>) -> Result<(), Reason> {
    // RFC 8415 §16: servers discard an Information-Request with a unicast destination.
    if !destination.is_multicast() {
        return Err(Reason::BadDestination);
    }
    // RFC 8415 §16.12: and one with an IA option.
    let is_ia = |code| matches!(code, option::IA_NA | option::IA_TA | option::IA_PD);
    if message.options().any(|option| is_ia(option.code)) {
        return Err(Reason::BadInformationRequest);
    }
    if message.client_id() == Some(&answers.server_id) {
        return Err(Reason::OwnDuid);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use dhcproto::v6::{self, DhcpOption, OptionCode};
    use dhcproto::{Decodable, Decoder};
    use proptest::prelude::*;

    use super::*;
    use crate::engine::testing::{OTHER, binding, config};

    const SERVERS_AND_RELAY_AGENTS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
    const INFORMATION_REQUEST: u8 = 11;

    /// Code and data of each option.
    type Options<'a> = &'a [(u16, &'a [u8])];

    fn answers() -> Answers {
        Answers::new(&binding(), &config())
    }

    fn message(message_type: u8, options: Options<'_>) -> Vec<u8> {
        let mut buffer = [0; 1000];
        let mut encoder = Encoder::new(&mut buffer, message_type.into(), [1, 2, 3]).unwrap();
        for (code, data) in options {
            encoder.option(*code, data).unwrap();
        }
        let len = encoder.finish();
        buffer[..len].to_vec()
    }

    fn reply(answers: &Answers, payload: &[u8]) -> Result<v6::Message, Reason> {
        let mut out = [0; 1232];
        let reply = decide(answers, SERVERS_AND_RELAY_AGENTS, payload, &mut out).map_err(|refusal| refusal.reason)?;
        assert_eq!(reply.reason, Reason::Dhcpv6Informed);
        Ok(v6::Message::decode(&mut Decoder::new(&out[..reply.len])).unwrap())
    }

    fn codes(options: Options<'_>) -> Vec<u16> {
        let message = reply(&answers(), &message(INFORMATION_REQUEST, options)).unwrap();
        message.opts().iter().map(|option| OptionCode::from(option).into()).collect()
    }

    #[test]
    fn replies_with_what_the_node_knows() {
        let request = message(INFORMATION_REQUEST, &[(1, b"client")]);
        let message = reply(&answers(), &request).unwrap();
        assert_eq!(message.msg_type(), v6::MessageType::Reply);
        assert_eq!(message.xid(), [1, 2, 3]);
        let options: Vec<_> = message.opts().iter().cloned().collect();
        let expected = [
            DhcpOption::ClientId(b"client".to_vec()),
            DhcpOption::ServerId(server_duid(binding().mac).to_vec()),
            DhcpOption::DomainNameServers(vec!["2001:db8::53".parse().unwrap()]),
            DhcpOption::DomainSearchList(vec!["example.com.".parse().unwrap()]),
            DhcpOption::Unknown(v6::UnknownOption::new(32.into(), 86_400u32.to_be_bytes().to_vec())),
        ];
        assert_eq!(options, expected);
    }

    #[test]
    fn the_option_request_chooses() {
        let cases: [(Options<'_>, &[u16]); 6] = [
            (&[], &[2, 23, 24, 32]),
            (&[(1, b"c")], &[1, 2, 23, 24, 32]),
            (&[(6, &[])], &[2]),
            (&[(6, &[0, 24])], &[2, 24]),
            (&[(6, &[0, 99, 0, 32, 1, 23])], &[2, 32]),
            (&[(6, &[0, 23, 0, 23])], &[2, 23]),
        ];
        for (options, expected) in cases {
            assert_eq!(codes(options), expected, "{options:?}");
        }
    }

    #[test]
    fn options_come_in_the_order_of_the_request() {
        let request = message(INFORMATION_REQUEST, &[(1, b"c"), (6, &[0, 32, 0, 24, 0, 23])]);
        let mut out = [0; 1232];
        let reply = decide(&answers(), SERVERS_AND_RELAY_AGENTS, &request, &mut out).unwrap();
        let message = Message::parse(&out[..reply.len]).unwrap();
        let codes: Vec<_> = message.options().map(|option| option.code).collect();
        assert_eq!(codes, [2, 1, 32, 24, 23]);
    }

    #[test]
    fn the_binding_overrides_the_node() {
        let mut binding = binding();
        binding.settings.nameservers6 = Some(vec!["2001:db8::1".parse().unwrap(); 2]);
        binding.settings.domain_search = Some(Vec::new());
        let answers = Answers::new(&binding, &config());
        let message = reply(&answers, &message(INFORMATION_REQUEST, &[])).unwrap();
        let servers = DhcpOption::DomainNameServers(vec!["2001:db8::1".parse().unwrap(); 2]);
        assert_eq!(message.opts().get(OptionCode::DomainNameServers), Some(&servers));
        assert_eq!(message.opts().get(OptionCode::DomainSearchList), None);
    }

    #[test]
    fn each_type_has_its_end() {
        let ours = server_duid(binding().mac);
        let cases = [
            (1, Reason::StatefulUnserved),
            (2, Reason::ServerMessage),
            (3, Reason::StatefulUnserved),
            (4, Reason::StatefulUnserved),
            (5, Reason::StatefulUnserved),
            (6, Reason::StatefulUnserved),
            (7, Reason::ServerMessage),
            (8, Reason::StatefulUnserved),
            (9, Reason::StatefulUnserved),
            (10, Reason::ServerMessage),
            (12, Reason::Relayed),
            (13, Reason::Relayed),
            (0, Reason::UnexpectedMessage),
            (14, Reason::UnexpectedMessage),
            (255, Reason::UnexpectedMessage),
        ];
        for (message_type, expected) in cases {
            let payload = message(message_type, &[(2, &ours)]);
            assert_eq!(reply(&answers(), &payload).unwrap_err(), expected, "{message_type}");
        }
    }

    #[test]
    fn messages_to_another_server_are_not_ours() {
        for message_type in [1, 3, 4, 5, 6, 8, 9, 11] {
            let payload = message(message_type, &[(2, &server_duid(OTHER))]);
            assert_eq!(reply(&answers(), &payload).unwrap_err(), Reason::OtherServer6);
        }
    }

    #[test]
    fn refuses_what_an_information_request_must_not_have() {
        let ours = server_duid(binding().mac);
        let long = [7; 131];
        let cases: [(Options<'_>, Reason); 8] = [
            (&[(3, &[0; 12])], Reason::BadInformationRequest),
            (&[(4, &[0; 4])], Reason::BadInformationRequest),
            (&[(25, &[0; 12])], Reason::BadInformationRequest),
            (&[(1, &ours)], Reason::OwnDuid),
            (&[(1, &[])], Reason::Malformed),
            (&[(1, &long)], Reason::Malformed),
            (&[(1, b"a"), (1, b"b")], Reason::Malformed),
            (&[(6, &[0])], Reason::Malformed),
        ];
        for (options, expected) in cases {
            let payload = message(INFORMATION_REQUEST, options);
            assert_eq!(reply(&answers(), &payload).unwrap_err(), expected, "{options:?}");
        }
        assert_eq!(reply(&answers(), &[]).unwrap_err(), Reason::Malformed);
    }

    #[test]
    fn our_own_server_identifier_is_no_obstacle() {
        assert_eq!(codes(&[(2, &server_duid(binding().mac)), (6, &[])]), [2]);
    }

    #[test]
    fn a_unicast_request_is_refused() {
        let payload = message(INFORMATION_REQUEST, &[]);
        let unicast = "fe80::1".parse().unwrap();
        let result = decide(&answers(), unicast, &payload, &mut [0; 1232]);
        assert_eq!(result, Err(Reason::BadDestination.into()));
    }

    #[test]
    fn what_fits_is_known_beforehand() {
        let mut binding = binding();
        binding.settings.domain_search = Some(Vec::new());
        let longest_request = message(INFORMATION_REQUEST, &[(1, &[7; 130])]);
        // 40 + 8 + 4 of headers, 22 + 134 of identifiers, 8 of refresh time, 4 + 16 for each server.
        for (servers, expected) in [(66, Ok(())), (67, Err(1292))] {
            binding.settings.nameservers6 = Some(vec![Ipv6Addr::LOCALHOST; servers]);
            let answers = Answers::new(&binding, &config());
            assert_eq!(answers.check_fit().map_err(|error| error.len), expected);
            let mut out = [0; 1280 - HEADERS_LEN];
            let fits = decide(&answers, SERVERS_AND_RELAY_AGENTS, &longest_request, &mut out);
            assert_eq!(fits.is_ok(), expected.is_ok());
        }
    }

    proptest! {
        #[test]
        fn takes_any_bytes(first in 0..16u8, rest in prop::collection::vec(any::<u8>(), 0..100)) {
            let payload = [&[first], rest.as_slice()].concat();
            let mut out = [0; 1232];
            let _ = decide(&answers(), SERVERS_AND_RELAY_AGENTS, &payload, &mut out);
        }
    }
}
