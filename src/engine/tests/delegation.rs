//! Where a delegated prefix leads, and for how long that is remembered.

use super::*;
use crate::engine::slot::ABSENCE;

const REQUEST: u8 = 3;
const RELEASE: u8 = 8;

const PREFIX: &str = "2001:db8:1::/48";
const OTHER_PREFIX: &str = "2001:db8:2::/48";

/// A guest to which `prefix` is delegated.
fn delegated(prefix: &str) -> Binding {
    let ipv6 = Ipv6Binding { delegated: prefix.parse().ok(), ..dual_stack().ipv6.unwrap() };
    Binding { ipv6: Some(ipv6), ..dual_stack() }
}

/// The guest of tap0, on a node that gives prefixes.
fn lab_with(general: config::General) -> Lab {
    let mut lab = Lab::routed();
    let stateful = config::Ipv6 { mode: Ipv6Mode::Dhcpv6, ..node().ipv6.unwrap() };
    lab.event(Event::ConfigChanged(Arc::new(Config { general, ipv6: Some(stateful), ..node() })));
    lab.event(loaded(delegated(PREFIX)));
    lab.drain(START);
    lab.notices();
    lab
}

/// The same, and the guest asked for its prefix from fe80::1.
fn asked() -> Lab {
    let mut lab = lab_with(node().general);
    assert_eq!(lab.packet(&prefix_message(REQUEST, "fe80::1", PREFIX)).reason, Reason::Dhcpv6Requested);
    assert_eq!(lab.notices(), [notice(Some("fe80::1"))]);
    lab
}

fn loaded(binding: Binding) -> Event {
    Event::BindingLoaded(Box::new(binding))
}

fn removed() -> Event {
    Event::BindingRemoved(name("tap0"))
}

fn rejected() -> Event {
    let error = BindingError { path: "x".into(), line: None, key: None, found: None, reason: "bad".into() };
    Event::BindingRejected(name("tap0"), error)
}

fn notice(via: Option<&str>) -> Notice {
    let via = via.map(|via| via.parse().unwrap());
    Notice::Delegated { tap: name("tap0"), prefix: PREFIX.parse().unwrap(), via }
}

/// By which address the prefix is reached, as an operator is shown it.
fn via(lab: &Lab) -> Option<Ipv6Addr> {
    lab.engine.status().first()?.delegated_via
}

/// A DHCPv6 message of this type from `source`, with an IA_PD that lists `prefix`.
fn prefix_message(message_type: u8, source: &str, prefix: &str) -> Vec<u8> {
    let prefix: ipnet::Ipv6Net = prefix.parse().unwrap();
    let listed = [&[0, 26, 0, 25][..], &[0; 8], &[prefix.prefix_len()], &prefix.addr().octets()].concat();
    let ids = [&[0, 1, 0, 3, 0, 9, 7, 0, 2, 0, 18][..], &server_duid(GUEST)].concat();
    udp6(source, &[&[message_type, 1, 2, 3], &ids[..], &[0, 25, 0, 41], &[0; 12], &listed].concat())
}

#[test]
fn the_operator_hears_where_a_delegated_prefix_is() {
    let mut lab = lab_with(node().general);
    assert_eq!(via(&lab), None);
    for (source, expected) in
        [("fe80::1", vec![notice(Some("fe80::1"))]), ("fe80::1", vec![]), ("fe80::2", vec![notice(Some("fe80::2"))])]
    {
        assert_eq!(lab.packet(&prefix_message(REQUEST, source, PREFIX)).reason, Reason::Dhcpv6Requested);
        assert_eq!(lab.notices(), expected);
        assert_eq!(via(&lab), source.parse().ok());
    }
    lab.packet(&prefix_message(RELEASE, "fe80::2", OTHER_PREFIX));
    assert_eq!(via(&lab), "fe80::2".parse().ok(), "what is released is not the guest's");
    lab.packet(&prefix_message(RELEASE, "fe80::2", PREFIX));
    assert_eq!((via(&lab), lab.notices()), (None, vec![notice(None)]));
}

#[test]
fn what_is_known_of_one_prefix_or_guest_says_nothing_of_another() {
    let no_ipv6 = Binding { ipv6: None, ..dual_stack() };
    let renamed = Binding { hostname: "renamed".parse().unwrap(), ..delegated(PREFIX) };
    let cases = [
        (renamed, "fe80::1".parse().ok()),
        (delegated(OTHER_PREFIX), None),
        (Binding { mac: OTHER, ..delegated(PREFIX) }, None),
        (dual_stack(), None),
        (no_ipv6, None),
    ];
    for (binding, expected) in cases {
        for is_removed in [false, true] {
            let mut lab = asked();
            if is_removed {
                lab.event(removed());
            }
            lab.event(loaded(binding.clone()));
            assert_eq!(via(&lab), expected, "{binding:?}");
            lab.event(loaded(delegated(PREFIX)));
            assert_eq!(via(&lab), expected, "remembered behind the back of {binding:?}");
            lab.drain(START + ABSENCE);
            assert!(lab.engine.poll_timeout().is_some_and(|at| at > START + ABSENCE), "something is overdue");
        }
    }
}

/// Hooks remove a file and write it anew; the guest does not ask again before T1.
#[test]
fn a_file_that_is_written_anew_does_not_lose_the_way() {
    let mut lab = asked();
    for between in [vec![], vec![rejected()], vec![rejected(), removed()]] {
        lab.event(removed());
        between.into_iter().for_each(|event| lab.event(event));
        assert_eq!(via(&lab), None, "nobody is served");
        lab.event(loaded(delegated(PREFIX)));
        assert_eq!(via(&lab), "fe80::1".parse().ok());
        lab.notices();
        lab.packet(&prefix_message(REQUEST, "fe80::1", PREFIX));
        assert_eq!(lab.notices(), [], "no news");
    }
    lab.drain(START + ABSENCE);
    assert_eq!(via(&lab), "fe80::1".parse().ok(), "what was to be forgotten is not, if the file is back");
}

#[test]
fn a_bad_file_keeps_the_way_for_as_long_as_it_stays() {
    let mut lab = asked();
    lab.event(removed());
    lab.event(rejected());
    lab.drain(START + 10 * ABSENCE);
    assert_eq!(via(&lab), None);
    lab.event(loaded(delegated(PREFIX)));
    assert_eq!(via(&lab), "fe80::1".parse().ok());
}

#[test]
fn a_file_that_stays_away_takes_the_way_with_it() {
    let mut lab = asked();
    // Nothing else keeps the slot: the guest heard nothing, for its tap is down.
    lab.event(Event::LinkChanged(Link { is_ready: false, ..link(1, "tap0", ROUTER) }));
    lab.event(removed());
    lab.drain(START + ABSENCE / 2);
    assert_eq!(lab.engine.poll_timeout(), Some(START + ABSENCE));
    assert_eq!(lab.engine.table.slots().count(), 1);
    lab.drain(START + ABSENCE);
    assert_eq!((lab.engine.poll_timeout(), lab.engine.table.slots().count()), (None, 0), "something is remembered");
    lab.event(loaded(delegated(PREFIX)));
    assert_eq!(via(&lab), None);
}

#[test]
fn a_prefix_that_nobody_asked_for_keeps_nothing() {
    for is_released in [false, true] {
        let mut lab = lab_with(node().general);
        if is_released {
            lab.packet(&prefix_message(REQUEST, "fe80::1", PREFIX));
            lab.packet(&prefix_message(RELEASE, "fe80::1", PREFIX));
        }
        lab.event(Event::ConfigChanged(Arc::new(Config { ipv6: None, ..node() })));
        lab.drain(START);
        lab.event(removed());
        assert_eq!(lab.engine.table.slots().count(), 0);
    }
}

/// A reply that the limit holds back has told the guest nothing.
#[test]
fn a_prefix_is_not_taken_by_a_reply_that_is_not_sent() {
    let mut lab = lab_with(config::General { rate_limit: per_second(1), rate_burst: 1, ..node().general });
    assert_eq!(lab.ask(DISCOVER), Reason::Offered);
    assert_eq!(lab.packet(&prefix_message(REQUEST, "fe80::1", PREFIX)).reason, Reason::RateLimited);
    assert_eq!(via(&lab), None);
}
