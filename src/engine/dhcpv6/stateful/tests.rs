//! What becomes of identity associations, read back by `dhcproto`.

use std::net::Ipv6Addr;

use dhcproto::v6::{self, DhcpOption, DhcpOptions};
use ipnet::Ipv6Net;
use proptest::prelude::*;

use crate::binding::{Binding, Ipv6Binding};
use crate::config::{self, Config, Ipv6Mode};
use crate::engine::dhcpv6::tests::{CONTEXT, Options, codes_in_order, decided, message};
use crate::engine::dhcpv6::{Answers, Context, MAX_LEN, Reply};
use crate::engine::outcome::{Delegation, Reason};
use crate::engine::testing::{binding, node};
use crate::wire::dhcpv6::{Encoder, IaKind, Lease, MessageType};
use crate::wire::duid::server_duid;

const SOLICIT: u8 = 1;
const REQUEST: u8 = 3;
const CONFIRM: u8 = 4;
const RENEW: u8 = 5;
const REBIND: u8 = 6;
const RELEASE: u8 = 8;
const DECLINE: u8 = 9;

/// The guest's own.
const OWN: &str = "2001:db8::5";
const PREFIX: &str = "2001:db8:1::/48";
/// Another address of its link, and one of none.
const NEIGHBOUR: &str = "2001:db8::6";
const FOREIGN: &str = "2001:db8:ffff::1";
const FOREIGN_PREFIX: &str = "2001:db8:2::/48";

/// A guest with an address and a prefix.
fn guest() -> Binding {
    let own = Ipv6Binding { leased: OWN.parse().ok(), delegated: PREFIX.parse().ok(), ..binding().ipv6.unwrap() };
    Binding { ipv6: Some(own), ..binding() }
}

/// A node whose mode is stateful.
fn stateful(change: impl FnOnce(&mut config::Ipv6)) -> Config {
    let mut config = node();
    let ipv6 = config.ipv6.as_mut().unwrap();
    ipv6.mode = Ipv6Mode::Dhcpv6;
    ipv6.rapid_commit = true;
    change(ipv6);
    config
}

fn answers() -> Answers {
    Answers::new(&guest(), &stateful(|_| ())).unwrap()
}

/// What an identity association of this kind holds, written as text: an address, or a prefix.
fn lease(text: &str) -> Lease {
    text.parse().map(Lease::Prefix).or_else(|_| text.parse().map(Lease::Address)).unwrap()
}

/// The data of an identity association.
fn ia(kind: IaKind, iaid: u32, leases: &[&str]) -> (u16, Vec<u8>) {
    let mut buffer = [0; 3000];
    let mut encoder = Encoder::new(&mut buffer, MessageType::Request, [0; 3]).unwrap();
    let inside = |to: &mut Encoder<'_>| leases.iter().try_for_each(|text| to.lease(&lease(text), 7));
    encoder.ia(kind, iaid.to_be_bytes(), [0; 2], inside).unwrap();
    let len = encoder.finish();
    (kind.code(), buffer[8..len].to_vec())
}

fn na(iaid: u32, leases: &[&str]) -> (u16, Vec<u8>) {
    ia(IaKind::Addresses, iaid, leases)
}

fn ta(iaid: u32, leases: &[&str]) -> (u16, Vec<u8>) {
    ia(IaKind::TemporaryAddresses, iaid, leases)
}

fn pd(iaid: u32, leases: &[&str]) -> (u16, Vec<u8>) {
    ia(IaKind::Prefixes, iaid, leases)
}

/// A message with the identifiers that its type must have, and these options.
fn request(message_type: u8, options: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let server_id = server_duid(guest().mac);
    let mut all: Vec<(u16, &[u8])> = vec![(1, b"client")];
    if ![SOLICIT, CONFIRM, REBIND].contains(&message_type) {
        all.push((2, &server_id));
    }
    all.extend(options.iter().map(|(code, data)| (*code, data.as_slice())));
    message(message_type, &all)
}

fn ask_as(context: &Context, message_type: u8, options: &[(u16, Vec<u8>)]) -> (Reply, v6::Message) {
    decided(&answers(), context, &request(message_type, options)).unwrap()
}

/// What is said of leases: the status of the message, then a line for each identity association.
fn said(message: &v6::Message) -> Vec<String> {
    let options = message.opts();
    let line = |option: &DhcpOption| match option {
        DhcpOption::StatusCode(status) => Some(format!("{:?}", status.status)),
        DhcpOption::IANA(ia) => Some(format!("NA {}: {}", ia.id, inside(&ia.opts))),
        DhcpOption::IATA(ia) => Some(format!("TA {}: {}", ia.id, inside(&ia.opts))),
        DhcpOption::IAPD(ia) => Some(format!("PD {}: {}", ia.id, inside(&ia.opts))),
        _ => None,
    };
    let mut lines: Vec<String> = options.iter().filter_map(line).collect();
    lines.sort_by_key(|line| line.contains(':'));
    lines
}

/// Leases with their lifetimes, and the status.
fn inside(options: &DhcpOptions) -> String {
    let one = |option: &DhcpOption| match option {
        DhcpOption::IAAddr(lease) => {
            assert_eq!(lease.preferred_life, lease.valid_life);
            format!("{} for {}", lease.addr, lease.valid_life)
        }
        DhcpOption::IAPrefix(lease) => {
            assert_eq!(lease.preferred_lifetime, lease.valid_lifetime);
            format!("{}/{} for {}", lease.prefix_ip, lease.prefix_len, lease.valid_lifetime)
        }
        DhcpOption::StatusCode(status) => format!("{:?}", status.status),
        other => panic!("{other:?}"),
    };
    options.iter().map(one).collect::<Vec<_>>().join(", ")
}

const GOT: &str = "2001:db8::5 for 604800";
const GOT_PREFIX: &str = "2001:db8:1::/48 for 604800";

/// Type, identity associations, and what is said of them.
type Case<'a> = (u8, Vec<(u16, Vec<u8>)>, Vec<String>);

#[test]
fn gives_what_is_in_the_binding() {
    let cases: [Case<'_>; 18] = [
        (SOLICIT, vec![na(1, &[])], vec![format!("NA 1: {GOT}")]),
        (REQUEST, vec![na(0, &[OWN])], vec![format!("NA 0: {GOT}")]),
        (REQUEST, vec![pd(u32::MAX, &[])], vec![format!("PD 4294967295: {GOT_PREFIX}")]),
        (SOLICIT, vec![na(1, &[]), pd(1, &[])], vec![format!("NA 1: {GOT}"), format!("PD 1: {GOT_PREFIX}")]),
        // Wishes change nothing.
        (
            SOLICIT,
            vec![na(1, &[FOREIGN]), pd(2, &["::/56"])],
            vec![format!("NA 1: {GOT}"), format!("PD 2: {GOT_PREFIX}")],
        ),
        (REQUEST, vec![na(1, &[NEIGHBOUR])], vec![format!("NA 1: {GOT}")]),
        // There is one address and one prefix.
        (SOLICIT, vec![na(1, &[]), na(2, &[])], vec![format!("NA 1: {GOT}"), "NA 2: NoAddrsAvail".to_owned()]),
        (REQUEST, vec![na(1, &[]), na(2, &[OWN])], vec!["NA 1: NoAddrsAvail".to_owned(), format!("NA 2: {GOT}")]),
        (
            REQUEST,
            vec![pd(1, &[FOREIGN_PREFIX]), pd(2, &["2001:db8:1::9/48"])],
            vec!["PD 1: NoPrefixAvail".to_owned(), format!("PD 2: {GOT_PREFIX}")],
        ),
        (
            SOLICIT,
            vec![ta(1, &[]), ta(2, &[OWN])],
            vec!["TA 1: NoAddrsAvail".to_owned(), "TA 2: NoAddrsAvail".to_owned()],
        ),
        // RFC 8415 §18.3.2
        (
            REQUEST,
            vec![na(1, &[FOREIGN]), pd(1, &[])],
            vec!["NA 1: NotOnLink".to_owned(), format!("PD 1: {GOT_PREFIX}")],
        ),
        // What begins anew has not taken the address from another.
        (REQUEST, vec![na(1, &[FOREIGN]), na(2, &[])], vec!["NA 1: NotOnLink".to_owned(), format!("NA 2: {GOT}")]),
        (REQUEST, vec![na(1, &[OWN, FOREIGN]), na(2, &[])], vec!["NA 1: NotOnLink".to_owned(), format!("NA 2: {GOT}")]),
        (SOLICIT, vec![na(1, &[FOREIGN]), na(2, &[])], vec![format!("NA 1: {GOT}"), "NA 2: NoAddrsAvail".to_owned()]),
        // An IAID that comes again has its answer; it is not the same in another kind.
        (SOLICIT, vec![na(1, &[]), na(1, &[])], vec![format!("NA 1: {GOT}")]),
        (REQUEST, vec![na(1, &[FOREIGN]), na(1, &[OWN])], vec![format!("NA 1: {GOT}")]),
        (SOLICIT, vec![na(1, &[]), ta(1, &[])], vec![format!("NA 1: {GOT}"), "TA 1: NoAddrsAvail".to_owned()]),
        (SOLICIT, vec![], vec![]),
    ];
    for (message_type, ias, expected) in cases {
        let (reply, message) = ask_as(&CONTEXT, message_type, &ias);
        assert_eq!(said(&message), expected, "{message_type} {ias:?}");
        assert_eq!(reply.omitted, 0);
        let (reason, kind) = match message_type {
            SOLICIT => (Reason::Dhcpv6Advertised, v6::MessageType::Advertise),
            _ => (Reason::Dhcpv6Requested, v6::MessageType::Reply),
        };
        assert_eq!((reply.reason, message.msg_type()), (reason, kind));
    }
}

/// RFC 8415 §18.3.4 and §18.3.5.
#[test]
fn extends_what_is_in_the_binding_and_ends_the_rest() {
    let zero = |text: &str| format!("{text} for 0");
    let cases = [
        (vec![na(1, &[OWN])], vec![format!("NA 1: {GOT}")]),
        (vec![na(1, &[])], vec![format!("NA 1: {GOT}")]),
        (vec![na(1, &[NEIGHBOUR])], vec![format!("NA 1: {GOT}, {}", zero(NEIGHBOUR))]),
        (vec![na(1, &[FOREIGN, OWN])], vec![format!("NA 1: {GOT}, {}", zero(FOREIGN))]),
        (vec![na(1, &[OWN]), na(2, &[FOREIGN])], vec![format!("NA 1: {GOT}"), format!("NA 2: {}", zero(FOREIGN))]),
        // It only asks, and is not to begin anew because of that.
        (vec![na(1, &[OWN]), na(2, &[])], vec![format!("NA 1: {GOT}"), "NA 2: NoAddrsAvail".to_owned()]),
        (vec![na(1, &[]), na(2, &["::"])], vec![format!("NA 1: {GOT}"), "NA 2: NoAddrsAvail".to_owned()]),
        (
            vec![pd(1, &["::/56"]), pd(2, &[PREFIX])],
            vec!["PD 1: NoPrefixAvail".to_owned(), format!("PD 2: {GOT_PREFIX}")],
        ),
        // Had it in two, it must not be told to give it up.
        (vec![na(1, &[OWN]), na(2, &[OWN])], vec![format!("NA 1: {GOT}"), "NA 2: NoBinding".to_owned()]),
        (
            vec![ta(1, &[FOREIGN]), ta(2, &[])],
            vec![format!("TA 1: {}", zero(FOREIGN)), "TA 2: NoAddrsAvail".to_owned()],
        ),
        (vec![pd(1, &[FOREIGN_PREFIX, "::/56"])], vec![format!("PD 1: {GOT_PREFIX}, {}", zero(FOREIGN_PREFIX))]),
        (vec![na(1, &[OWN]), na(1, &[OWN])], vec![format!("NA 1: {GOT}")]),
        (vec![pd(1, &["2001:db8:1::9/48"])], vec![format!("PD 1: {GOT_PREFIX}")]),
        // Part of the guest's own prefix is not the prefix.
        (vec![pd(1, &["2001:db8:1::/56"])], vec![format!("PD 1: {GOT_PREFIX}, {}", zero("2001:db8:1::/56"))]),
    ];
    for (ias, expected) in cases {
        for (message_type, reason) in [(RENEW, Reason::Dhcpv6Renewed), (REBIND, Reason::Dhcpv6Rebound)] {
            let (reply, message) = ask_as(&CONTEXT, message_type, &ias);
            assert_eq!(said(&message), expected, "{ias:?}");
            assert_eq!((reply.reason, message.msg_type()), (reason, v6::MessageType::Reply));
        }
    }
}

#[test]
fn says_what_a_guest_without_leases_has() {
    let none = Ipv6Binding { leased: None, delegated: None, ..guest().ipv6.unwrap() };
    let answers = Answers::new(&Binding { ipv6: Some(none), ..guest() }, &stateful(|_| ())).unwrap();
    let both = [na(1, &[OWN]), pd(1, &[])];
    let ask = |message_type| said(&decided(&answers, &CONTEXT, &request(message_type, &both)).unwrap().1);
    assert_eq!(ask(SOLICIT), ["NA 1: NoAddrsAvail", "PD 1: NoPrefixAvail"]);
    assert_eq!(ask(REQUEST), ["NA 1: NoAddrsAvail", "PD 1: NoPrefixAvail"]);
    assert_eq!(ask(RENEW), ["NA 1: 2001:db8::5 for 0", "PD 1: NoPrefixAvail"]);
    assert_eq!(ask(CONFIRM), ["NotOnLink"]);
    assert_eq!(ask(RELEASE), ["Success", "NA 1: NoBinding", "PD 1: NoBinding"]);
}

/// RFC 8415 §18.3.3.
#[test]
fn confirms_the_guests_own_address_and_no_other() {
    let cases = [
        (vec![na(1, &[OWN])], Ok("Success")),
        (vec![na(1, &[OWN]), ta(1, &[OWN])], Ok("Success")),
        (vec![na(1, &[NEIGHBOUR])], Ok("NotOnLink")),
        (vec![na(1, &[OWN, FOREIGN])], Ok("NotOnLink")),
        (vec![na(1, &[OWN]), ta(1, &[NEIGHBOUR])], Ok("NotOnLink")),
        (vec![na(1, &[])], Err(Reason::NothingToConfirm)),
        (vec![pd(1, &[PREFIX])], Err(Reason::NothingToConfirm)),
        (vec![], Err(Reason::NothingToConfirm)),
    ];
    for (ias, expected) in cases {
        let result = decided(&answers(), &CONTEXT, &request(CONFIRM, &ias));
        let status = result.map(|(reply, message)| {
            let is_right = reply.reason == Reason::Dhcpv6Confirmed;
            assert_eq!(is_right, said(&message) == ["Success"]);
            said(&message)
        });
        assert_eq!(status, expected.map(|status| vec![status.to_owned()]), "{ias:?}");
    }
}

/// RFC 8415 §18.3.7 and §18.3.8.
#[test]
fn takes_back_what_is_released_or_declined() {
    let cases = [
        (vec![na(1, &[OWN])], true, vec!["Success"]),
        (vec![na(1, &[OWN, FOREIGN]), pd(1, &[PREFIX])], true, vec!["Success"]),
        (vec![na(1, &[NEIGHBOUR]), pd(1, &[PREFIX])], true, vec!["Success", "NA 1: NoBinding"]),
        (vec![na(1, &[FOREIGN]), pd(1, &[])], false, vec!["Success", "NA 1: NoBinding", "PD 1: NoBinding"]),
        (vec![pd(1, &[FOREIGN_PREFIX])], false, vec!["Success", "PD 1: NoBinding"]),
        (vec![ta(3, &[OWN])], false, vec!["Success", "TA 3: NoBinding"]),
        (vec![], false, vec!["Success"]),
    ];
    for (ias, is_own, expected) in cases {
        for (message_type, reason) in [(RELEASE, Reason::Dhcpv6Released), (DECLINE, Reason::Dhcpv6Declined)] {
            let (reply, message) = ask_as(&CONTEXT, message_type, &ias);
            assert_eq!(said(&message), expected, "{ias:?}");
            let reason = if is_own { reason } else { Reason::Dhcpv6NoBinding };
            assert_eq!((reply.reason, message.msg_type()), (reason, v6::MessageType::Reply));
        }
    }
}

#[test]
fn rapid_commit_takes_both_sides() {
    let ask = |allows: bool, asks: bool| {
        let answers = Answers::new(&guest(), &stateful(|ipv6| ipv6.rapid_commit = allows)).unwrap();
        let options = [na(1, &[]), (14, Vec::new())];
        let payload = request(SOLICIT, if asks { &options } else { &options[..1] });
        let (reply, message) = decided(&answers, &CONTEXT, &payload).unwrap();
        assert_eq!(said(&message), [format!("NA 1: {GOT}")]);
        (reply.reason, message.msg_type(), codes_in_order(&answers, &payload)[2])
    };
    let advertised = (Reason::Dhcpv6Advertised, v6::MessageType::Advertise, 7);
    assert_eq!(ask(true, true), (Reason::Dhcpv6RapidCommitted, v6::MessageType::Reply, 14));
    assert_eq!([ask(true, false), ask(false, true), ask(false, false)], [advertised; 3]);
}

/// A client that hears of no preference waits for other servers, which may have what this one has not.
#[test]
fn who_has_nothing_to_give_commits_nothing_and_claims_no_preference() {
    let without = |change: fn(&mut Ipv6Binding)| {
        let mut binding = guest();
        change(binding.ipv6.as_mut().unwrap());
        Answers::new(&binding, &stateful(|_| ())).unwrap()
    };
    let nothing = without(|ipv6| (ipv6.leased, ipv6.delegated) = (None, None));
    let prefix = without(|ipv6| ipv6.leased = None);
    let (na, pd, rapid) = (na(1, &[]), pd(1, &[]), (14, Vec::new()));
    let cases: [(&Answers, _, &[u16]); 6] = [
        (&nothing, vec![na.clone(), pd.clone(), rapid.clone()], &[2, 1, 3, 25]),
        (&nothing, vec![na.clone()], &[2, 1, 3]),
        (&prefix, vec![na.clone(), rapid.clone()], &[2, 1, 3]),
        (&prefix, vec![na.clone(), pd.clone()], &[2, 1, 7, 3, 25]),
        (&prefix, vec![na, pd, rapid.clone()], &[2, 1, 14, 3, 25]),
        (&prefix, vec![rapid], &[2, 1]),
    ];
    for (answers, mut options, expected) in cases {
        options.push((6, Vec::new()));
        let payload = request(SOLICIT, &options);
        assert_eq!(codes_in_order(answers, &payload), expected, "{options:?}");
        let is_rapid = expected.contains(&14);
        let reason = if is_rapid { Reason::Dhcpv6RapidCommitted } else { Reason::Dhcpv6Advertised };
        let message_type = if is_rapid { v6::MessageType::Reply } else { v6::MessageType::Advertise };
        let (reply, message) = decided(answers, &CONTEXT, &payload).unwrap();
        assert_eq!((reply.reason, message.msg_type()), (reason, message_type));
    }
}

#[test]
fn times_follow_the_lease() {
    let mut binding = guest();
    binding.settings.lease_lifetime = Some(u32::MAX);
    let answers = Answers::new(&binding, &stateful(|_| ())).unwrap();
    let (_, message) = decided(&answers, &CONTEXT, &request(REQUEST, &[na(1, &[]), pd(1, &[]), na(2, &[])])).unwrap();
    let times: Vec<_> = message
        .opts()
        .iter()
        .filter_map(|option| match option {
            DhcpOption::IANA(ia) => Some((ia.t1, ia.t2)),
            DhcpOption::IAPD(ia) => Some((ia.t1, ia.t2)),
            _ => None,
        })
        .collect();
    assert_eq!(times, [(3600, u32::MAX); 3], "the same in all of them");
}

/// RFC 4704 §6.
#[test]
fn the_guest_is_told_its_name_if_it_sends_one_and_asks() {
    let oro = (6, vec![0, 39]);
    let name = b"\x03vm1\x07example\x03com\0";
    let ask = |options: &[(u16, Vec<u8>)]| {
        let mut out = [0; MAX_LEN];
        let reply = super::super::decide(&answers(), &CONTEXT, &request(REQUEST, options), &mut out).unwrap();
        let message = crate::wire::dhcpv6::Message::parse(&out[..reply.len]).unwrap();
        message.option(39).map(<[u8]>::to_vec)
    };
    for (flags, expected) in [(0, 4), (1, 6), (4, 4), (0xff, 6)] {
        let fqdn = (39, vec![flags, 1, b'x']);
        assert_eq!(ask(&[fqdn, oro.clone()]), Some([&[expected], &name[..]].concat()), "{flags}");
    }
    assert_eq!(ask(std::slice::from_ref(&oro)), None, "it sends none");
    assert_eq!(ask(&[(39, vec![1])]), None, "it does not ask");
    assert_eq!(ask(&[(39, Vec::new()), oro]), None, "no flags");
}

#[test]
fn options_follow_the_identity_associations() {
    let ask = |message_type, ias: &[(u16, Vec<u8>)]| {
        let options = [ias, &[(6, vec![0, 82, 0, 24, 0, 39]), (39, vec![0])]].concat();
        codes_in_order(&answers(), &request(message_type, &options))
    };
    assert_eq!(ask(SOLICIT, &[na(1, &[]), pd(1, &[])]), [2, 1, 7, 3, 25, 82, 24, 39]);
    assert_eq!(ask(RENEW, &[pd(1, &[]), na(1, &[])]), [2, 1, 25, 3, 82, 24, 39]);
    assert_eq!(ask(CONFIRM, &[na(1, &[OWN])]), [2, 1, 13, 82, 24, 39]);
    assert_eq!(ask(CONFIRM, &[na(1, &[FOREIGN])]), [2, 1, 13]);
    assert_eq!(ask(RELEASE, &[na(1, &[FOREIGN])]), [2, 1, 13, 3]);
}

#[test]
fn says_what_becomes_of_the_prefix() {
    let taken = Some(Delegation::Taken(CONTEXT.source));
    let cases = [
        (SOLICIT, vec![pd(1, &[])], None),
        (SOLICIT, vec![pd(1, &[]), (14, Vec::new())], taken),
        (REQUEST, vec![pd(1, &[])], taken),
        (REQUEST, vec![na(1, &[])], None),
        (RENEW, vec![pd(1, &[FOREIGN_PREFIX])], taken),
        (REBIND, vec![na(1, &[]), pd(1, &[PREFIX])], taken),
        (RELEASE, vec![pd(1, &[PREFIX])], Some(Delegation::Released)),
        (RELEASE, vec![pd(1, &[FOREIGN_PREFIX])], None),
        (RELEASE, vec![na(1, &[OWN])], None),
        (DECLINE, vec![pd(1, &[PREFIX])], None),
    ];
    let claimed = Context { is_claimed: true, ..CONTEXT };
    for (message_type, options, expected) in cases {
        assert_eq!(ask_as(&CONTEXT, message_type, &options).0.delegation, expected, "{message_type} {options:?}");
        assert_eq!(ask_as(&claimed, message_type, &options).0.delegation, None, "only claimed");
    }
}

#[test]
fn a_prefix_leads_to_no_address_but_the_guests() {
    let own = Ipv6Binding { gateway: "fe80::1".parse().ok(), ..guest().ipv6.unwrap() };
    let answers = Answers::new(&Binding { ipv6: Some(own), ..guest() }, &stateful(|_| ())).unwrap();
    let cases = [
        ("fe80::2", true),
        (OWN, true),
        ("2001:db8::a800:ff:fe00:1", true),
        (NEIGHBOUR, false),
        (FOREIGN, false),
        ("2001:db8:1::1", false),
        ("fe80::1", false),
    ];
    for (source, is_guests) in cases {
        let context = Context { source: source.parse().unwrap(), ..CONTEXT };
        let ask = |message_type| decided(&answers, &context, &request(message_type, &[pd(1, &[PREFIX])])).unwrap();
        let (reply, message) = ask(REQUEST);
        assert_eq!(said(&message), [format!("PD 1: {GOT_PREFIX}")], "answered from wherever it asks");
        assert_eq!(reply.delegation, is_guests.then_some(Delegation::Taken(context.source)), "{source}");
        assert_eq!(ask(RELEASE).0.delegation, Some(Delegation::Released), "{source}");
    }
}

/// It could be a neighbour that wants the guest to lose its address.
#[test]
fn a_sender_that_is_only_claimed_ends_nothing() {
    let claimed = Context { is_claimed: true, ..CONTEXT };
    let payload = request(CONFIRM, &[na(1, &[FOREIGN])]);
    assert_eq!(decided(&answers(), &claimed, &payload).unwrap_err(), Reason::ClaimedNotOnLink);
    let both = [na(1, &[FOREIGN]), na(2, &[FOREIGN])];
    assert_eq!(said(&ask_as(&claimed, RENEW, &both).1), [format!("NA 1: {GOT}"), "NA 2: NoBinding".to_owned()]);
    assert_eq!(said(&ask_as(&claimed, REQUEST, &both[..1]).1), [format!("NA 1: {GOT}")]);
    assert_eq!(said(&ask_as(&claimed, CONFIRM, &[na(1, &[OWN])]).1), ["Success"]);
}

#[test]
fn refuses_malformed_identity_associations() {
    let cases = [
        (3, vec![0; 11]),
        (25, vec![0; 11]),
        (4, vec![0; 3]),
        (3, [&[0; 12][..], &[0, 5, 0, 23], &[0; 23]].concat()),
        (25, [&[0; 12][..], &[0, 26, 0, 24], &[0; 24]].concat()),
        (25, [&[0; 12][..], &[0, 26, 0, 25], &[0; 8], &[129], &[0; 16]].concat()),
        (3, [&[0; 12][..], &[0, 13, 0, 9]].concat()),
        (3, [&[0; 12][..], &[0, 5, 0, 28], &[0; 24], &[0, 13, 0, 1]].concat()),
    ];
    for malformed in cases {
        for message_type in [SOLICIT, REQUEST, CONFIRM, RENEW, REBIND, RELEASE, DECLINE] {
            let payload = request(message_type, &[na(1, &[OWN]), malformed.clone()]);
            assert_eq!(decided(&answers(), &CONTEXT, &payload).unwrap_err(), Reason::Malformed, "{malformed:?}");
        }
    }
}

/// What there is room for is answered, and the options come whatever the identity associations take.
#[test]
fn answers_as_many_as_fit() {
    let many: Vec<_> = (1..60).map(|iaid| na(iaid, &[])).collect();
    let (reply, message) = ask_as(&CONTEXT, REQUEST, &many);
    let lines = said(&message);
    assert_eq!(lines[0], format!("NA 1: {GOT}"));
    assert_eq!(lines.len() + reply.omitted, many.len());
    assert!(reply.omitted > 0 && lines.len() > 20 && reply.len <= MAX_LEN);
    let has_servers = message.opts().iter().any(|option| matches!(option, DhcpOption::DomainNameServers(_)));
    assert!(has_servers);

    let old: Vec<String> = (1..80).map(|last| format!("2001:db8:ffff::{last:x}")).collect();
    let old: Vec<&str> = old.iter().map(String::as_str).collect();
    let (reply, message) = ask_as(&CONTEXT, RENEW, &[na(1, &old), pd(1, &[])]);
    let lines = said(&message);
    assert!(lines[0].starts_with(&format!("NA 1: {GOT}, 2001:db8:ffff::1 for 0")), "{lines:?}");
    assert!(reply.omitted > 0 && reply.len <= MAX_LEN);
}

/// RFC 8415 §18.3.9: an Advertise that is preferred to all others has what it promises.
#[test]
fn what_is_the_guests_own_has_room_wherever_it_stands() {
    let empty: Vec<_> = (1..60).map(|iaid| na(iaid, &[])).collect();
    let old: Vec<String> = (1..80).map(|last| format!("2001:db8:ffff::{last:x}")).collect();
    let old: Vec<&str> = old.iter().map(String::as_str).collect();
    for before in [&empty[..], &[na(98, &old)], &[na(98, &[]), ta(97, &old)]] {
        for message_type in [SOLICIT, REQUEST, RENEW, REBIND] {
            let (reply, message) =
                ask_as(&CONTEXT, message_type, &[before, &[na(99, &[&[OWN], &old[..]].concat()), pd(1, &[])]].concat());
            let lines = said(&message);
            let has = |start: String| lines.iter().any(|line| line.starts_with(&start));
            let is_anew = message_type == REQUEST;
            assert!(is_anew || has(format!("NA 99: {GOT}")), "{message_type}: {lines:?}");
            assert!(has(format!("PD 1: {GOT_PREFIX}")), "{message_type}: {lines:?}");
            assert!(reply.len <= MAX_LEN);
        }
    }
}

/// The largest reply to an honest client is as long as [`Answers::check_fit`] says: so long that one byte more is too
/// much.
#[test]
fn what_fits_is_known_beforehand() {
    let mut binding = guest();
    binding.settings.nameservers6 = Some(vec![Ipv6Addr::LOCALHOST; 40]);
    let long_name = |len: usize| format!("{}.{}", "a".repeat(63), "b".repeat(len)).parse().unwrap();
    let config = stateful(|_| ());
    let mut with_name = |len: usize| {
        binding.settings.domain_search = Some(vec![long_name(60), long_name(len)]);
        let answers = Answers::new(&binding, &config).unwrap();
        let fit = answers.check_fit(&binding, config.ipv6.as_ref().unwrap());
        (answers, fit)
    };
    let (last, first) = (1..64).map(|len| (len, with_name(len).1)).fold((0, None), |(last, first), (len, result)| {
        if result.is_ok() { (len, first) } else { (last, first.or(result.err())) }
    });
    let too_large = first.unwrap();
    assert_eq!((too_large.len, too_large.key), (1281, "NAMESERVERS6"));
    let duid = [7; 130];
    let oro: Vec<u8> = [23u16, 24, 82, 39].iter().flat_map(|code| code.to_be_bytes()).collect();
    let (old, old_prefix) = (na(1, &[FOREIGN]), pd(1, &[FOREIGN_PREFIX]));
    let options: Options<'_> = &[(1, &duid), (6, &oro), (39, &[1]), (3, &old.1), (25, &old_prefix.1)];
    let (reply, message) = decided(&with_name(last).0, &CONTEXT, &message(REBIND, options)).unwrap();
    // Without the Preference option, which an Advertise has.
    assert_eq!((reply.len, reply.omitted), (MAX_LEN - 5, 0));
    assert_eq!(said(&message).join(" ").matches(" for 0").count(), 2);
}

fn any_lease() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![OWN, NEIGHBOUR, FOREIGN, "::"])
}

fn any_prefix() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![PREFIX, FOREIGN_PREFIX, "::/56", "2001:db8:1::1/48"])
}

fn any_ia() -> impl Strategy<Value = (u16, Vec<u8>)> {
    let ias = |kind, leases: &[&'static str], iaid| ia(kind, iaid, leases);
    prop_oneof![
        (prop::collection::vec(any_lease(), 0..9), any::<u32>()).prop_map(move |(leases, iaid)| ias(
            IaKind::Addresses,
            &leases,
            iaid
        )),
        (prop::collection::vec(any_lease(), 0..3), any::<u32>()).prop_map(move |(leases, iaid)| ias(
            IaKind::TemporaryAddresses,
            &leases,
            iaid
        )),
        (prop::collection::vec(any_prefix(), 0..9), any::<u32>()).prop_map(move |(leases, iaid)| ias(
            IaKind::Prefixes,
            &leases,
            iaid
        )),
    ]
}

proptest! {
    /// Whatever a client has and asks for: its transaction and identifier come back, each lease is given once at most
    /// and to nobody else, and IAIDs are its own.
    #[test]
    fn replies_hold_together(
        message_type in prop::sample::select(vec![SOLICIT, REQUEST, CONFIRM, RENEW, REBIND, RELEASE, DECLINE]),
        ias in prop::collection::vec(any_ia(), 0..40),
    ) {
        let Ok((reply, message)) = decided(&answers(), &CONTEXT, &request(message_type, &ias)) else {
            prop_assert_eq!(message_type, CONFIRM);
            return Ok(());
        };
        prop_assert!(reply.len <= MAX_LEN);
        prop_assert_eq!(message.xid(), [1, 2, 3]);
        let options: Vec<_> = message.opts().iter().collect();
        prop_assert!(options.contains(&&DhcpOption::ClientId(b"client".to_vec())));
        prop_assert!(options.contains(&&DhcpOption::ServerId(server_duid(guest().mac).to_vec())));
        let text = said(&message).join("\n");
        for lease in [OWN, PREFIX] {
            prop_assert!(text.matches(&format!("{lease} for 604800")).count() <= 1, "{}", text);
            prop_assert!(!text.contains(&format!("{lease} for 0")), "{}", text);
        }
        for foreign in [NEIGHBOUR, FOREIGN, FOREIGN_PREFIX] {
            prop_assert!(!text.contains(&format!("{foreign} for 604800")), "{}", text);
        }
        let prefix: Ipv6Net = PREFIX.parse().unwrap();
        prop_assert_eq!(
            reply.delegation == Some(Delegation::Taken(CONTEXT.source)),
            message_type != SOLICIT && text.contains(&format!("{prefix} for 604800"))
        );
    }
}
