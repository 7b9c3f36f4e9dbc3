//! What an operator reads.

use std::collections::BTreeMap;

use super::detail::Detail;
use super::table::{Table, Totals};
use crate::control::{Binding, Delegated, Exchange, Ipv4, Ipv6, Last, Node, Packets, Spoofed, State, Tap};
use crate::engine::Reason;

fn packets() -> Packets {
    let spoofed = Spoofed::default();
    Packets { answered: 0, refused: 0, accepted: 0, send_failed: 0, last: None, exchanges: vec![], spoofed }
}

fn list(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn binding() -> Binding {
    Binding {
        mac: "aa:00:00:00:00:01".to_owned(),
        hostname: "guest1.example.com".to_owned(),
        indev: "tap0".to_owned(),
        ipv4: Some(Ipv4 {
            address: "192.0.2.10".parse().unwrap(),
            subnet: "192.0.2.0/24".parse().unwrap(),
            gateway: None,
        }),
        ipv6: Some(Ipv6 {
            subnets: vec!["2001:db8:1::/64".parse().unwrap(), "2001:db8:2::/64".parse().unwrap()],
            gateway: Some("fe80::1".parse().unwrap()),
            eui64: None,
            leased: Some("2001:db8:1::10".parse().unwrap()),
        }),
        delegated: None,
        settings: list(&[("MTU", "1400"), ("TAGS", "\u{1b}[2J"), ("dhcp.lease_lifetime", "3600")]),
        unknown: list(&[("COL\u{9b}", "blue")]),
    }
}

fn serving() -> Tap {
    let last = Some(Last { outcome: "dhcpv4_ack".to_owned(), seconds_ago: 200 });
    Tap {
        tap: "tap0".to_owned(),
        state: State::Serving,
        ifindex: Some(7),
        rejected: None,
        binding: Some(binding()),
        packets: Packets { answered: 12, refused: 3, accepted: 1, last, exchanges: exchanges(), ..packets() },
    }
}

fn exchanges() -> Vec<Exchange> {
    let exchanges = [("dhcpv4_ack", 1, 200), ("spoofed\u{1b}", 70_000, 200), ("dhcpv4_offer", 2, 4_000)];
    let exchange = |(outcome, times, seconds_ago)| Exchange { outcome: str::to_owned(outcome), times, seconds_ago };
    exchanges.map(exchange).to_vec()
}

fn delegating(via: Option<&str>) -> Tap {
    let delegated = Delegated {
        prefix: "2001:db8:f::/56".parse().unwrap(),
        via: via.map(|via| via.parse().unwrap()),
        dev: "tap1".to_owned(),
        route: via.map(|via| format!("2001:db8:f::/56 via {via} dev tap1")),
    };
    Tap { tap: "tap1".to_owned(), binding: Some(Binding { delegated: Some(delegated), ..binding() }), ..serving() }
}

fn pending() -> Tap {
    let ipv6 = Ipv6 { subnets: vec!["2001:db8:3::/64".parse().unwrap()], gateway: None, eui64: None, leased: None };
    let hostname = "a".repeat(40);
    Tap {
        tap: "tap2".to_owned(),
        state: State::Pending,
        ifindex: None,
        rejected: Some("b/tap2:3: IP=\"x\": not an IPv4 address".to_owned()),
        binding: Some(Binding { ipv4: None, ipv6: Some(ipv6), hostname, ..binding() }),
        packets: packets(),
    }
}

fn rejected() -> Tap {
    let rejected = Some("b/tap3: MAC: required".to_owned());
    Tap { tap: "tap3".to_owned(), state: State::Rejected, binding: None, rejected, packets: packets(), ..pending() }
}

fn assert_lines(shown: impl std::fmt::Display, expected: &[&str]) {
    let shown = shown.to_string();
    assert_eq!(shown.lines().collect::<Vec<_>>(), expected, "\n{shown}");
}

#[test]
#[rustfmt::skip] // As it is shown.
fn the_table_has_two_lines_for_each_tap_and_more_where_there_is_more_to_say() {
    let taps = [serving(), delegating(Some("fe80::1234")), delegating(None), pending(), rejected()];
    assert_lines(Table(&taps), &[
        "TAP   STATE     MAC / HOSTNAME                    IPV4 / IPV6      ANSWERED  REFUSED  ACCEPTED  LAST",
        "tap0  serving   aa:00:00:00:00:01                 192.0.2.10             12        3         1  dhcpv4_ack",
        "                guest1.example.com                2001:db8:1::10                                3 min ago",
        "tap1  serving   aa:00:00:00:00:01                 192.0.2.10             12        3         1  dhcpv4_ack",
        "                guest1.example.com                2001:db8:1::10                                3 min ago",
        "        delegated 2001:db8:f::/56 via fe80::1234 dev tap1",
        "tap1  serving   aa:00:00:00:00:01                 192.0.2.10             12        3         1  dhcpv4_ack",
        "                guest1.example.com                2001:db8:1::10                                3 min ago",
        "        delegated 2001:db8:f::/56, not asked for yet",
        "tap2  pending!  aa:00:00:00:00:01                                         0        0         0  -",
        "                aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…  2001:db8:3::/64",
        "        ! b/tap2:3: IP=\"x\": not an IPv4 address; the last good one is still in force",
        "tap3  rejected                                                            0        0         0  -",
        "        ! b/tap3: MAC: required",
    ]);
    assert_lines(Table(&[]), &["no bindings"]);
}

#[test]
fn totals_leave_out_what_never_happened() {
    let counters = [("dhcpv4_ack", 12), ("no_fit", 0), ("of_a_later_version", 1)];
    let counters = counters.into_iter().map(|(outcome, count)| (outcome.to_owned(), count)).collect();
    let gone = Some("/b: \u{7}No such file or directory".to_owned());
    let node = Node { version: "1.2.3".to_owned(), uptime_seconds: 7_300, counters, datapath_gone: gone };
    assert_lines(
        Totals(&[serving(), pending(), rejected(), rejected()], &node),
        &[
            "nfdhcpd 1.2.3, running for 2 h: 1 serving, 1 pending, 2 rejected",
            r"! the directory of bindings is gone: /b: \u{7}No such file or directory",
            "          12  dhcpv4_ack                        confirmed an address with an ACK",
            "           1  of_a_later_version",
        ],
    );
}

#[test]
fn one_tap_is_shown_in_full_and_nothing_of_it_obeyed() {
    let mut tap = delegating(Some("fe80::1234"));
    tap.packets.spoofed = Spoofed { count: 2, last_mac: Some("aa:00:00:00:00:02".to_owned()) };
    assert_lines(
        Detail(&Tap { rejected: Some("b/tap1:3: x\u{1b}[m".to_owned()), ..tap }),
        &[
            "tap1: serving (interface 7)",
            r"  rejected             b/tap1:3: x\u{1b}[m; the last good one is still in force",
            "  MAC                  aa:00:00:00:00:01",
            "  HOSTNAME             guest1.example.com",
            "  INDEV                tap0",
            "  IP                   192.0.2.10",
            "  SUBNET               192.0.2.0/24",
            "  SUBNET6              2001:db8:1::/64, 2001:db8:2::/64",
            "  GATEWAY6             fe80::1",
            "  IP6                  2001:db8:1::10",
            "  PREFIX6              2001:db8:f::/56 via fe80::1234 dev tap1",
            "  MTU                  1400",
            r"  TAGS                 \u{1b}[2J",
            "  dhcp.lease_lifetime  3600",
            r"  COL\u{9b}            blue (no key that is known)",
            "  answered             12",
            "  refused              3",
            "  accepted             1",
            "  not sent             0",
            "  spoofed              2, the last by aa:00:00:00:00:02",
            "  last                 dhcpv4_ack, 3 min ago: confirmed an address with an ACK",
            "  exchanges            3 min ago  dhcpv4_ack",
            r"                       3 min ago  spoofed\u{1b}  ×70000",
            "                         1 h ago  dhcpv4_offer  ×2",
        ],
    );
    assert_lines(
        Detail(&rejected()),
        &[
            "tap3: rejected (not there)",
            "  rejected  b/tap3: MAC: required",
            "  answered  0",
            "  refused   0",
            "  accepted  0",
            "  not sent  0",
        ],
    );
}

#[test]
fn eighty_columns_hold_what_became_of_the_last_packet() {
    for outcome in Reason::ALL {
        let last = Some(Last { outcome: outcome.name().to_owned(), seconds_ago: 23 * 3_600 });
        let tap = Tap { packets: Packets { last, ..packets() }, ..serving() };
        let text = Detail(&tap).to_string();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
}
