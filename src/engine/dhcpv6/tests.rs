//! What is common to all messages, and Information-Requests.

use dhcproto::v6::{self, DhcpOption, OptionCode};
use dhcproto::{Decodable, Decoder};
use proptest::prelude::*;

use super::*;
use crate::binding::Settings;
use crate::config::{self, Ipv6Mode};
use crate::engine::testing::{OTHER, binding, config, node, with_settings};
use crate::setting::NtpServers;

const SERVERS_AND_RELAY_AGENTS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
const INFORMATION_REQUEST: u8 = 11;
const SOLICIT: u8 = 1;

/// How a message of the guest comes.
pub(super) const CONTEXT: Context = Context {
    is_claimed: false,
    source: Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x1234),
    destination: SERVERS_AND_RELAY_AGENTS,
};

/// Code and data of each option.
pub(super) type Options<'a> = &'a [(u16, &'a [u8])];

fn answers() -> Answers {
    Answers::new(&binding(), &node()).unwrap()
}

/// The same on a node that is otherwise like this.
fn answers_with(binding: &Binding, ipv6: config::Ipv6) -> Answers {
    let dhcpv6_queue = Some(config::QueueNum(45));
    Answers::new(binding, &Config { ipv6: Some(config::Ipv6 { dhcpv6_queue, ..ipv6 }), ..node() }).unwrap()
}

pub(super) fn message(message_type: u8, options: Options<'_>) -> Vec<u8> {
    let mut buffer = [0; 20_000];
    let mut encoder = Encoder::new(&mut buffer, message_type.into(), [1, 2, 3]).unwrap();
    for (code, data) in options {
        encoder.option(*code, data).unwrap();
    }
    let len = encoder.finish();
    buffer[..len].to_vec()
}

/// What is decided, and the reply as `dhcproto` reads it.
pub(super) fn decided(answers: &Answers, context: &Context, payload: &[u8]) -> Result<(Reply, v6::Message), Reason> {
    let mut out = [0; 1452];
    let reply = decide(answers, context, payload, &mut out).map_err(|refusal| refusal.reason)?;
    Ok((reply, v6::Message::decode(&mut Decoder::new(&out[..reply.len])).unwrap()))
}

fn reply(answers: &Answers, payload: &[u8]) -> Result<v6::Message, Reason> {
    let (reply, message) = decided(answers, &CONTEXT, payload)?;
    assert_eq!(reply.reason, Reason::Dhcpv6Informed);
    assert_eq!((reply.omitted, reply.delegation), (0, None));
    Ok(message)
}

/// The codes of the options of a reply, in their order.
pub(super) fn codes_in_order(answers: &Answers, payload: &[u8]) -> Vec<u16> {
    let mut out = [0; 1452];
    let reply = decide(answers, &CONTEXT, payload, &mut out).unwrap();
    Message::parse(&out[..reply.len]).unwrap().options().map(|option| option.code).collect()
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
        (&[(1, b"client")], &[1, 2, 23, 24, 32]),
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
    let request = message(INFORMATION_REQUEST, &[(1, b"client"), (6, &[0, 32, 0, 24, 0, 23])]);
    assert_eq!(codes_in_order(&answers(), &request), [2, 1, 32, 24, 23]);
}

/// A node with everything that it can have.
fn furnished() -> config::Ipv6 {
    let server = |text: &str| text.parse().unwrap();
    let ntp = NtpServers {
        ipv6: vec![server("2001:db8::123"), server("2001:db8::124")],
        names: vec!["ntp.example.com".parse().unwrap()],
        ..NtpServers::default()
    };
    let captive_portal = Some("https://portal.example.com/api".parse().unwrap());
    config::Ipv6 { ntp, captive_portal, mode: Ipv6Mode::SlaacStateful, ..config() }
}

/// One option, one case: what it says, to whom, and what the binding puts in its place.
#[test]
fn each_option_says_what_it_has_to() {
    let ntp = |code: u8, data: &[u8]| [&[0, code, 0, data.len() as u8], data].concat();
    let address = |last: u8| [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, last];
    let cases: [(u16, u8, Vec<Vec<u8>>); 11] = [
        (23, INFORMATION_REQUEST, vec!["2001:db8::53".parse::<Ipv6Addr>().unwrap().octets().to_vec()]),
        (24, SOLICIT, vec![b"\x07example\x03com\0".to_vec()]),
        (31, INFORMATION_REQUEST, vec![[address(0x23), address(0x24)].concat()]),
        (32, INFORMATION_REQUEST, vec![vec![0, 1, 0x51, 0x80]]),
        (32, SOLICIT, vec![]),
        (56, SOLICIT, vec![ntp(1, &address(0x23)), ntp(1, &address(0x24)), ntp(3, b"\x03ntp\x07example\x03com\0")]),
        (82, SOLICIT, vec![vec![0, 0, 0x0e, 0x10]]),
        (82, INFORMATION_REQUEST, vec![]),
        (83, INFORMATION_REQUEST, vec![vec![0, 0, 0x0e, 0x10]]),
        (83, SOLICIT, vec![]),
        (103, INFORMATION_REQUEST, vec![b"https://portal.example.com/api".to_vec()]),
    ];
    let answers = answers_with(&binding(), furnished());
    for (code, message_type, expected) in cases {
        // RFC 8415 §21: asked for twice, said once.
        let oro = [code.to_be_bytes(), code.to_be_bytes()].concat();
        let payload = message(message_type, &[(1, b"client"), (6, &oro)]);
        let mut out = [0; 1232];
        let len = decide(&answers, &CONTEXT, &payload, &mut out).unwrap().len;
        let message = Message::parse(&out[..len]).unwrap();
        let said: Vec<_> = message.options().filter(|option| option.code == code).map(|option| option.data).collect();
        assert_eq!(said, expected, "{code} in an answer to {message_type}");
    }
}

#[test]
fn who_asks_for_nothing_gets_what_is_usual() {
    let answers = answers_with(&binding(), furnished());
    let asked = |message_type| codes_in_order(&answers, &message(message_type, &[(1, b"client")]));
    assert_eq!(asked(INFORMATION_REQUEST), [2, 1, 23, 24, 32, 56, 56, 56, 103]);
    assert_eq!(asked(SOLICIT), [2, 1, 23, 24, 56, 56, 56, 103]);
}

#[test]
fn the_binding_overrides_the_node() {
    let binding = with_settings(Settings {
        nameservers6: Some(vec!["2001:db8::1".parse().unwrap(); 2]),
        domain_search: Some(Vec::new()),
        ntp: NtpServers { ipv6: vec!["2001:db8::7".parse().unwrap()], ..NtpServers::default() },
        captive_portal: Some("urn:own".parse().unwrap()),
        ..Settings::default()
    });
    let message = reply(&answers_with(&binding, furnished()), &message(INFORMATION_REQUEST, &[])).unwrap();
    let options: Vec<_> = message.opts().iter().skip(1).cloned().collect();
    let unknown = |code: u16, data: &[u8]| DhcpOption::Unknown(v6::UnknownOption::new(code.into(), data.to_vec()));
    let expected = [
        DhcpOption::DomainNameServers(vec!["2001:db8::1".parse().unwrap(); 2]),
        unknown(32, &86_400u32.to_be_bytes()),
        DhcpOption::NtpServer(vec![v6::NtpSuboption::ServerAddress("2001:db8::7".parse().unwrap())]),
        unknown(103, b"urn:own"),
    ];
    assert_eq!(options, expected);
}

/// NTP servers of IPv4 are none for DHCPv6: the node's stay.
#[test]
fn time_servers_of_the_other_family_override_nothing() {
    let ntp = NtpServers { ipv4: vec!["192.0.2.123".parse().unwrap()], ..NtpServers::default() };
    let binding = with_settings(Settings { ntp, ..Settings::default() });
    let payload = message(INFORMATION_REQUEST, &[(6, &[0, 56])]);
    assert_eq!(codes_in_order(&answers_with(&binding, furnished()), &payload), [2, 56, 56, 56]);
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
        (&[(1, b"one"), (1, b"two")], Reason::Malformed),
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

/// RFC 8415 §16 and RFC 9915 §16, type by type: what is missing, what is too much, and a wrong destination.
#[test]
fn refuses_what_must_be_discarded() {
    let ours = server_duid(binding().mac);
    let answers = answers_with(&binding(), furnished());
    let ids: [Options<'_>; 4] = [&[], &[(1, b"client")], &[(2, &ours)], &[(1, b"client"), (2, &ours)]];
    use Reason::{NeedlessServerId, NoClientId, NoServerId};
    let cases = [
        (vec![1, 4, 6], [Err(NoClientId), Ok(()), Err(NoClientId), Err(NeedlessServerId)]),
        (vec![3, 5, 8, 9], [Err(NoClientId), Err(NoServerId), Err(NoClientId), Ok(())]),
        (vec![11], [Ok(()), Ok(()), Ok(()), Ok(())]),
    ];
    for (message_types, expected) in cases {
        for message_type in message_types {
            let ends = ids.map(|ids| decided(&answers, &CONTEXT, &message(message_type, ids)).map(|_| ()));
            // A Confirm that is right in all this has nothing to confirm.
            let ends = ends.map(|end| if end == Err(Reason::NothingToConfirm) { Ok(()) } else { end });
            assert_eq!(ends, expected, "{message_type}");
            let unicast = Context { destination: "fe80::1".parse().unwrap(), ..CONTEXT };
            let end = decided(&answers, &unicast, &message(message_type, ids[3])).unwrap_err();
            assert_eq!(end, Reason::BadDestination, "{message_type}");
            let own = [(1, &ours[..]), (2, &ours[..])];
            let own = if expected[1] == Ok(()) { &own[..1] } else { &own };
            let end = decided(&answers, &CONTEXT, &message(message_type, own)).unwrap_err();
            assert_eq!(end, Reason::OwnDuid, "{message_type}");
        }
    }
}

#[test]
fn a_guest_without_ipv6_or_a_node_without_a_queue_has_no_answers() {
    let without_ipv6 = Binding { ipv6: None, ..binding() };
    assert_eq!(Answers::new(&without_ipv6, &node()), None);
    let config = Config { ipv6: Some(config::Ipv6 { dhcpv6_queue: None, ..config() }), ..node() };
    assert_eq!(Answers::new(&binding(), &config), None);
}

#[test]
fn what_fits_is_known_beforehand() {
    let mut binding = binding();
    binding.settings.domain_search = Some(Vec::new());
    let longest_request = message(INFORMATION_REQUEST, &[(1, &[7; 130])]);
    // 40 + 8 + 4 of headers, 22 + 134 of identifiers, 8 of refresh time, 8 of INF_MAX_RT, 4 + 16 for each server.
    for (servers, expected) in [(65, Ok(())), (66, Err(1284))] {
        binding.settings.nameservers6 = Some(vec![Ipv6Addr::LOCALHOST; servers]);
        let answers = Answers::new(&binding, &node()).unwrap();
        let fit = answers.check_fit(&binding, &config());
        assert_eq!(fit.map_err(|error| error.len), expected);
        assert_eq!(fit.map_err(|error| error.key).err(), expected.err().map(|_| "NAMESERVERS6"));
        // This one asks for all but INF_MAX_RT.
        let (reply, _) = decided(&answers, &CONTEXT, &longest_request).unwrap();
        assert_eq!(HEADERS_LEN + reply.len + 8, 228 + 16 * servers);
    }
}

proptest! {
    #[test]
    fn takes_any_bytes(first in 0..16u8, rest in prop::collection::vec(any::<u8>(), 0..100)) {
        let payload = [&[first], rest.as_slice()].concat();
        let _ = decide(&answers(), &CONTEXT, &payload, &mut [0; 1232]);
        let _ = decide(&answers_with(&binding(), furnished()), &CONTEXT, &payload, &mut [0; 1232]);
    }
}
