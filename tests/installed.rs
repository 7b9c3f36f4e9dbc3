//! What a configuration needs against rules as tools list them: those of other programs, of hands, and parts of ours.
//!
//! `tests/rules/installed/` has the listings of two nodes: `original`, with the rules that the original is documented with,
//! once for each backend of iptables; `ports`, whose administrator has matched ports of a bridge, and made mistakes.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a panic is how a test fails")]
#![allow(clippy::disallowed_methods, reason = "tests read files")]

use std::fs;
use std::path::Path;

use nfdhcpd::queue_list;
use nfdhcpd::rules::{Installed, Kind, Limits, Listings, Origin, Pattern, Rules, Taker, Taps, Way, first_way, way};

const QUEUES: &str = "[dhcp]\nserver_ip = 192.0.2.1\n[ipv6]\nrs_queue = 43\nns_queue = 44\ndhcpv6_queue = 45\n";

/// All four queues, as the kernel lists them, and one of somebody else.
const BOUND: &str = "   42  31245     0 2  65531     0     0        0  1
   43 -4109992     0 2  65531     0     0        7  1
   44  31245     0 2  65531     0     0        0  1
   45  31245     0 2  65531     0     0        0  1
    7    912     3 2  65531     0     0        3  1
";

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules/installed").join(name);
    fs::read_to_string(path).unwrap()
}

/// What the tools of a node say.
fn node(nft: &str, iptables: &[&str], ip6tables: &[&str]) -> Listings {
    Listings {
        nft: Some(nft.to_owned()),
        iptables: iptables.iter().map(|name| fixture(name)).collect(),
        ip6tables: ip6tables.iter().map(|name| fixture(name)).collect(),
        calls_iptables: true,
        calls_ip6tables: true,
    }
}

/// A node whose rules are nft's alone.
fn nft(chains: &str) -> Listings {
    node(&format!("{{\"nftables\": [{chains}]}}"), &[], &[])
}

fn routed(taps: &str) -> Taps {
    Taps { routed: vec![taps.parse().unwrap()], ..Taps::default() }
}

fn bridged(taps: &str) -> Taps {
    Taps { bridged: vec![taps.parse().unwrap()], ..Taps::default() }
}

/// What is found while a daemon has bound all of its queues.
fn findings(listings: &Listings, taps: Taps, limits: Option<Limits>, bypass: &[Kind]) -> Vec<String> {
    findings_with(Some(BOUND), listings, taps, limits, bypass)
}

fn findings_with(
    bound: Option<&str>,
    listings: &Listings,
    taps: Taps,
    limits: Option<Limits>,
    bypass: &[Kind],
) -> Vec<String> {
    let config = nfdhcpd::config::parse(Path::new("nfdhcpd.conf"), QUEUES.as_bytes()).unwrap().config;
    let rules = Rules::new(&config, taps, limits, bypass.to_vec());
    let installed = Installed::read(listings).unwrap();
    let bound: Option<Vec<_>> = bound.map(|text| queue_list::parse(text).collect());
    rules.findings(&installed, bound.as_deref()).iter().map(ToString::to_string).collect()
}

#[test]
fn rules_of_the_original_are_understood() {
    let json = fixture("original.json");
    for listings in [
        node(&json, &["original.nft4"], &["original.nft6"]),
        node("{\"nftables\": []}", &["original.legacy4"], &["original.legacy6"]),
        Listings { nft: None, ..node("", &["original.legacy4"], &["original.legacy6"]) },
    ] {
        assert_eq!(findings(&listings, routed("tap*"), None, &[]), [""; 0]);
        assert_eq!(findings(&listings, routed("tap7"), None, &[]), [""; 0]);
        let missing = findings(&listings, routed("tap*"), Some(Limits::default()), &[]);
        assert_eq!(missing.len(), 4, "no limits: {missing:#?}");
        let missing = findings(&listings, routed("vnet*"), None, &[]);
        let expected = [
            "queue 42 (dhcp): no rule diverts DHCPv4 requests from vnet*",
            "queue 43 (rs): no rule diverts Router Solicitations from vnet*",
            "queue 44 (ns): no rule diverts Neighbor Solicitations from vnet*",
            "queue 45 (dhcpv6): no rule diverts DHCPv6 requests from vnet*",
        ];
        assert_eq!(missing, expected);
    }
}

/// nft alone shows that there is a queue, and not which.
#[test]
fn what_only_nft_lists_of_iptables_is_not_missing() {
    let found = findings(&node(&fixture("original.json"), &[], &[]), routed("tap*"), None, &[]);
    assert_eq!(found.len(), 4, "{found:#?}");
    assert!(found.iter().all(|finding| finding.contains("cannot tell")), "{found:#?}");
}

#[test]
fn ports_are_seen_where_the_bridge_shows_them() {
    let json = fixture("ports.json");
    let mut listings = node(&json, &["ports.nft4"], &["ports.nft6"]);
    let mangle6 = "table ip6 mangle, chain PREROUTING: -A PREROUTING";
    let elsewhere = format!(
        "queue 99: no daemon of this configuration binds it, nor has anybody else; it is where a rule sends packets \
         to ({mangle6} -p ipv6-icmp -m icmp6 --icmpv6-type 134 -j NFQUEUE --queue-num 99)"
    );
    let expected = [
        "queue 42 (dhcp): the rule has bypass, which was not asked for with --bypass (table ip mangle, chain guests: \
         -A guests -p udp -m multiport --dports 67,4011 -j NFQUEUE --queue-num 42 --queue-bypass)",
        &format!(
            "queue 43 (rs): Router Solicitations from tap* (bridged) are diverted to queues 43 to 46 instead ({mangle6} \
         -p ipv6-icmp -m physdev --physdev-in tap+ -m icmp6 --icmpv6-type 133/0 -j NFQUEUE --queue-balance 43:46)"
        ),
        "queue 44 (ns): Neighbor Solicitations from tap* (bridged) are dropped before they get there (table ip6 raw, chain \
         PREROUTING: -A PREROUTING -p ipv6-icmp -m icmp6 --icmpv6-type 135 -m limit --limit 10/sec -j DROP)",
        &format!(
            "queue 45 (dhcpv6): cannot tell whether DHCPv6 requests from tap* (bridged) are diverted by this rule: {mangle6} \
         ! -s fe80::1/128 -p udp -m physdev --physdev-in tap+ -m udp --dport 547 -j NFQUEUE --queue-num 45"
        ),
        &elsewhere,
    ];
    assert_eq!(findings(&listings, bridged("tap*"), None, &[]), expected);
    (listings.calls_iptables, listings.calls_ip6tables) = (false, false);
    let hidden = findings(&listings, bridged("tap*"), None, &[]);
    assert_eq!(
        hidden[..2],
        [
            "queue 42 (dhcp): bridge-nf-call-iptables is 0, and the rules for DHCPv4 requests from tap* (bridged) match by physdev: \
             it has to be 1",
            "queue 43 (rs): bridge-nf-call-ip6tables is 0, and the rules for Router Solicitations from tap* (bridged) match by \
             physdev: it has to be 1",
        ]
    );
    let routed = findings(&listings, routed("tap*"), None, &[]);
    assert_eq!(routed[0], "queue 42 (dhcp): no rule diverts DHCPv4 requests from tap*");
}

#[test]
fn nobody_has_bound_what_rules_lead_to() {
    let listings = node(&fixture("original.json"), &["original.nft4"], &["original.nft6"]);
    let without_ns = BOUND.lines().filter(|line| !line.contains("  44 ")).collect::<Vec<_>>().join("\n");
    let expected = ["queue 44: rules present, no program has bound it: is nfdhcpd running?"];
    assert_eq!(findings_with(Some(&without_ns), &listings, routed("tap*"), None, &[]), expected);
    assert_eq!(findings_with(None, &listings, routed("tap*"), None, &[]), [""; 0], "we may not know");
    let found = findings(&listings, routed("tap*"), None, &[Kind::NeighborSolicitation]);
    assert_eq!(
        found,
        [
            "queue 44 (ns): rule present, but no bypass (table ip6 mangle, chain PREROUTING: -A PREROUTING -i tap+ -p ipv6-icmp -m \
          icmp6 --icmpv6-type 135 -j NFQUEUE --queue-num 44)"
        ]
    );
}

/// A base chain of nft, in a table of its family. The rules are lists of statements.
fn chain(family: &str, priority: i32, rules: &[&str]) -> String {
    let table = format!(r#""family": "{family}", "table": "t""#);
    let rule =
        |statements: &&str| format!(r#", {{"rule": {{{table}, "chain": "c", "handle": 9, "expr": [{statements}]}}}}"#);
    let rules: String = rules.iter().map(rule).collect();
    format!(
        r#"{{"table": {{"family": "{family}", "name": "t", "handle": 1}}}},
        {{"chain": {{{table}, "name": "c", "handle": 1, "type": "filter", "hook": "prerouting", "prio": {priority}, "policy": "accept"}}}},
        {{"set": {{{table}, "name": "taps", "type": "ifname", "handle": 2, "elem": ["tap0", {{"elem": {{"val": "tap1"}}}}]}}}}
        {rules}"#
    )
}

const DPORT: &str =
    r#"{"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": 67}}"#;
const QUEUE: &str = r#"{"queue": {"num": 42}}"#;

#[test]
fn rules_of_nft_are_understood() {
    let from = |right: &str| {
        format!(r#"{{"match": {{"op": "==", "left": {{"meta": {{"key": "iifname"}}}}, "right": {right}}}}}, {DPORT}"#)
    };
    let diverts = |rule: String, origin: &Origin| {
        let listings = nft(&chain("inet", -150, &[&rule]));
        match way(&Installed::read(&listings).unwrap(), origin, Kind::Dhcp) {
            Way::Queue(diverted) => format!("{diverted}{}", if diverted.bypass { ", bypass" } else { "" }),
            Way::OfSome(diverted) => format!("some {diverted}"),
            Way::Unclear(_) => "unclear".to_owned(),
            Way::Dropped(_) => "dropped".to_owned(),
            Way::Rest(..) => "the rest".to_owned(),
            Way::Passes => "passes".to_owned(),
        }
    };
    let [one, all] = ["tap1", "tap*"].map(|taps| Origin::Routed(taps.parse::<Pattern>().unwrap()));
    let meta = |key: &str, right: &str| {
        format!(
            r#"{{"match": {{"op": "==", "left": {{"meta": {{"key": "{key}"}}}}, "right": {right}}}}}, {DPORT}, {QUEUE}"#
        )
    };
    for (rule, of_one, of_all) in [
        (format!("{}, {QUEUE}", from(r#""tap*""#)), "queue 42", "queue 42"),
        (format!("{}, {QUEUE}", from(r#""tap1""#)), "queue 42", "some queue 42"),
        (format!("{}, {QUEUE}", from(r#""@taps""#)), "queue 42", "some queue 42"),
        (format!("{}, {QUEUE}", from(r#"{"set": ["tap0", "tap2"]}"#)), "passes", "some queue 42"),
        (format!("{}, {QUEUE}", from(r#""eth0""#)), "passes", "passes"),
        (
            format!(r#"{}, {{"queue": {{"num": {{"range": [42, 45]}}, "flags": ["bypass", "fanout"]}}}}"#, from(r#""tap*""#)),
            "queues 42 to 45, bypass",
            "queues 42 to 45, bypass",
        ),
        (format!(r#"{}, {{"queue": {{"num": 42, "flags": "bypass"}}}}"#, from(r#""tap*""#)), "queue 42, bypass", "queue 42, bypass"),
        (format!(r#"{}, {{"drop": null}}"#, from(r#""tap*""#)), "dropped", "dropped"),
        (
            r#"{"vmap": {"key": {"meta": {"key": "iifname"}}, "data": {"set": [["tap1", {"drop": null}], ["tap2", {"accept": null}]]}}}"#.to_owned(),
            "dropped",
            "passes",
        ),
        (meta("nfproto", r#""ipv4""#), "queue 42", "queue 42"),
        (meta("nfproto", r#""ipv6""#), "passes", "passes"),
        (meta("l4proto", r#"{"set": ["tcp", "udp"]}"#), "queue 42", "queue 42"),
        (meta("l4proto", r#""tcp""#), "passes", "passes"),
        (meta("cgroup", "1"), "unclear", "unclear"),
        (format!(r#"{DPORT}, {{"limit": {{"rate": 9, "burst": 5, "per": "second", "inv": true}}}}, {{"drop": null}}"#), "passes", "passes"),
    ] {
        assert_eq!([diverts(rule.clone(), &one), diverts(rule.clone(), &all)], [of_one, of_all], "{rule}");
    }
}

/// Rules of iptables before the one that diverts, in tables that the kernel enters before and with it.
#[test]
fn what_takes_packets_away_is_told() {
    let of = |raw: &str, mangle: &str, taps: &str| {
        let queue = "-A PREROUTING -i tap+ -p udp -m udp --dport 67 -j NFQUEUE --queue-num 42";
        let text = format!(
            "*raw\n:PREROUTING ACCEPT [0:0]\n{raw}\nCOMMIT\n*mangle\n:PREROUTING ACCEPT [0:0]\n:x - [0:0]\n{mangle}\n{queue}\nCOMMIT\n"
        );
        let installed = Installed::read(&Listings { iptables: vec![text], ..Listings::default() }).unwrap();
        match way(&installed, &Origin::Routed(taps.parse().unwrap()), Kind::Dhcp) {
            Way::Queue(_) => "queue",
            Way::Rest(_, Taker { is_certain, .. }) => {
                if is_certain {
                    "some"
                } else {
                    "may"
                }
            }
            Way::OfSome(_) => "of some",
            Way::Dropped(_) => "dropped",
            Way::Unclear(_) | Way::Passes => "other",
        }
    };
    for (rule, in_raw, in_mangle) in [
        ("-i tap5 -j ACCEPT", "queue", "some"),
        ("-i tap5 -j RETURN", "queue", "some"),
        ("-i tap5 -j DROP", "some", "some"),
        ("-i tap5 -g x", "queue", "some"),
        ("-i tap5 -j x", "queue", "queue"),
        ("-s 0.0.0.0/32 -j DROP", "some", "some"),
        ("-s 0.0.0.0/32 -j ACCEPT", "queue", "some"),
        ("-s 198.51.100.0/24 -j DROP", "may", "may"),
        ("-m mark --mark 0x1 -j DROP", "may", "may"),
        ("-i eth0 -s 192.0.2.1 -j DROP", "queue", "queue"),
        ("-p tcp -m set --match-set x src -j DROP", "queue", "queue"),
        ("-m conntrack --ctstate INVALID -j DROP", "queue", "queue"),
        ("-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "queue", "queue"),
        ("-m conntrack --ctstate NEW -j DROP", "may", "may"),
        ("-m conntrack ! --ctstate INVALID -j DROP", "dropped", "dropped"),
        ("-m rpfilter --validmark --invert -j DROP", "queue", "queue"),
        ("-i tap5 -j NFQUEUE --queue-num 42", "queue", "queue"),
        ("-i tap5 -j NFQUEUE --queue-num 7", "some", "some"),
    ] {
        let rule = format!("-A PREROUTING {rule}");
        assert_eq!([of(&rule, "", "tap*"), of("", &rule, "tap*")], [in_raw, in_mangle], "{rule}");
    }
    assert_eq!(of("", "-A PREROUTING -i tap5 -j ACCEPT", "tap6"), "queue");
    assert_eq!(of("", "-A PREROUTING -j x\n-A x -i tap5 -j RETURN\n-A x -i tap6 -j ACCEPT", "tap5"), "queue");
    assert_eq!(of("", "-A PREROUTING -j x\n-A x -i tap5 -j RETURN\n-A x -i tap6 -j ACCEPT", "tap*"), "some");
}

/// As iptables lists addresses, and nft. A guest that asks for the first time has none.
#[test]
fn first_requests_are_told_from_others_by_their_addresses() {
    let queue = "-A PREROUTING -p udp -m udp --dport 67 -j NFQUEUE --queue-num 42\n-A PREROUTING -p udp -m udp --dport 547 -j \
         NFQUEUE --queue-num 45\n-A PREROUTING -p ipv6-icmp -j NFQUEUE --queue-num 43\nCOMMIT\n";
    let of_iptables = |rule: &str| {
        let text = vec![format!("*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING {rule} -j DROP\n{queue}")];
        let listings = match rule.contains(':') {
            true => Listings { ip6tables: text, ..Listings::default() },
            false => Listings { iptables: text, ..Listings::default() },
        };
        Installed::read(&listings).unwrap()
    };
    let of_nft = |(field, right): (&str, &str)| {
        let protocol = if right.contains(':') && !right.contains('.') { "ip6" } else { "ip" };
        let rule = format!(
            r#"{{"match": {{"op": "==", "left": {{"payload": {{"protocol": "{protocol}", "field": "{field}"}}}}, "right": {right}}}}}, {{"drop": null}}"#
        );
        Installed::read(&nft(&chain("inet", -150, &[&rule, r#"{"queue": {"num": 42}}"#]))).unwrap()
    };
    let told = |installed: &Installed, kind| match first_way(installed, &Origin::Routed("tap0".parse().unwrap()), kind)
    {
        Way::Queue(_) => "queue",
        Way::Rest(..) => "may",
        Way::Dropped(_) => "dropped",
        other => panic!("{other:?}"),
    };
    let solicitations = [Kind::RouterSolicitation, Kind::NeighborSolicitation, Kind::Dhcpv6];
    for (rule, expected) in [
        ("-s 0.0.0.0/32", "dropped"),
        ("-d 255.255.255.255/32", "dropped"),
        ("-s 0.0.0.0/8 -d 224.0.0.0/3", "dropped"),
        ("-s 198.51.100.0/24", "queue"),
        ("! -s 0.0.0.0/32", "queue"),
        ("! -s 198.51.100.0/24", "dropped"),
        ("-s 10.0.0.0/255.0.255.0", "may"),
    ] {
        assert_eq!(told(&of_iptables(rule), Kind::Dhcp), expected, "{rule}");
    }
    for (rule, expected) in [
        ("-s fe80::/10", ["dropped"; 3]),
        ("-s fe80::1/128", ["may"; 3]),
        ("-s 2001:db8::/32", ["queue"; 3]),
        ("-d ff02::2/128", ["dropped", "queue", "queue"]),
        ("-d ff02::1:2/128", ["queue", "queue", "dropped"]),
        ("-d ff02::1:ff00:0/104", ["queue", "dropped", "queue"]),
        ("-d ff00::/8", ["dropped"; 3]),
    ] {
        assert_eq!(solicitations.map(|kind| told(&of_iptables(rule), kind)), expected, "{rule}");
    }
    for (matched, expected) in [
        (("saddr", r#""0.0.0.0""#), ["dropped", "queue"]),
        (("saddr", r#"{"prefix": {"addr": "0.0.0.0", "len": 8}}"#), ["dropped", "queue"]),
        (("saddr", r#"{"range": ["0.0.0.0", "9.255.255.255"]}"#), ["dropped", "queue"]),
        (("saddr", r#"{"set": ["198.51.100.7", {"prefix": {"addr": "203.0.113.0", "len": 24}}]}"#), ["queue", "queue"]),
        (("daddr", r#"{"set": ["198.51.100.7", {"elem": {"val": "255.255.255.255"}}]}"#), ["dropped", "queue"]),
        (("saddr", r#""fe80::1""#), ["queue", "may"]),
        (("daddr", r#""ff02::2""#), ["queue", "dropped"]),
        (("daddr", r#""a-name""#), ["may", "may"]),
    ] {
        let installed = of_nft(matched);
        let found = [Kind::Dhcp, Kind::RouterSolicitation].map(|kind| told(&installed, kind));
        assert_eq!(found, expected, "{matched:?}");
    }
}

/// As nft lists the flag, and as its version 1.0.6 does.
#[test]
fn dormant_tables_do_nothing() {
    for (flags, is_awake) in
        [(r#""dormant""#, false), (r#"["owner", "dormant"]"#, false), (r#""t""#, false), (r#""owner""#, true)]
    {
        let text = chain("inet", -150, &[&format!("{DPORT}, {QUEUE}")]);
        let text = text.replacen(r#""handle": 1"#, &format!(r#""handle": 1, "flags": {flags}"#), 1);
        let way = way(&Installed::read(&nft(&text)).unwrap(), &Origin::Routed("tap0".parse().unwrap()), Kind::Dhcp);
        assert_eq!(matches!(way, Way::Queue(_)), is_awake, "{flags}");
    }
}

#[test]
fn a_limit_that_drops_nothing_is_none() {
    let rate = r#"{"set": {"op": "update", "elem": {"meta": {"key": "iifname"}}, "set": "@dhcp_rate", "stmt": [{"limit":
        {"rate": 20, "burst": 40, "per": "second", "inv": true}}]}}"#;
    let missing = |rule: &str| {
        let found = findings(&nft(&chain("inet", -300, &[rule])), routed("tap*"), Some(Limits::default()), &[]);
        found.iter().any(|finding| finding.starts_with("queue 42 (dhcp): no limit"))
    };
    assert!(!missing(&format!(r#"{DPORT}, {rate}, {{"drop": null}}"#)));
    assert!(missing(&format!("{DPORT}, {rate}")));
}

/// Whoever removes the rule that drops them finds the limit in force.
#[test]
fn a_limit_behind_what_drops_is_there() {
    let rate = r#"{"set": {"op": "update", "elem": {"meta": {"key": "iifname"}}, "set": "@dhcp_rate", "stmt": [{"limit":
        {"rate": 20, "burst": 40, "per": "second", "inv": true}}]}}"#;
    let limit = chain("inet", -300, &[&format!(r#"{DPORT}, {rate}, {{"drop": null}}"#)]);
    let before = |rules: &[&str]| chain("ip", -400, rules);
    let found = |before: &str| {
        let found =
            findings(&nft(&format!("{before}, {limit}")), routed("tap*"), Some(Limits::default()), &[]).join("\n");
        ["no limit on DHCPv4", "DHCPv4 requests from tap* are dropped"].map(|words| found.contains(words))
    };
    let mark = r#"{"match": {"op": "==", "left": {"meta": {"key": "mark"}}, "right": 1}}, {"drop": null}"#;
    assert_eq!(found(&before(&[&format!(r#"{DPORT}, {{"drop": null}}"#)])), [false, true]);
    assert_eq!(found(&before(&[]).replace("\"accept\"", "\"drop\"")), [false, true]);
    assert_eq!(found(&before(&[mark])), [false, false]);
    let without = findings(&nft(&before(&[mark])), routed("tap*"), Some(Limits::default()), &[]).join("\n");
    assert!(without.contains("no limit on DHCPv4"), "{without}");
}

#[test]
fn bridges_have_the_first_word() {
    let bridge = chain("bridge", -190, &[&format!("{DPORT}, {QUEUE}")]);
    let drop = chain("inet", -150, &[r#"{"drop": null}"#]);
    let of = |listings: &Listings, origin: &Origin| way(&Installed::read(listings).unwrap(), origin, Kind::Dhcp);
    let taps: Pattern = "tap*".parse().unwrap();
    let port = Origin::Port { taps: taps.clone(), bridge: None };
    let both = nft(&format!("{bridge}, {drop}"));
    assert!(matches!(of(&both, &port), Way::Queue(_)));
    assert!(matches!(of(&both, &Origin::Routed(taps.clone())), Way::Dropped(_)));
    let by_bridge = r#"{"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "br0"}}"#;
    let above = nft(&chain("inet", -150, &[&format!("{by_bridge}, {DPORT}, {QUEUE}")]));
    assert!(matches!(of(&above, &port), Way::Unclear(_)), "whether that is the bridge");
    for (bridge, expected) in [("br0", true), ("br1", false)] {
        let port = Origin::Port { taps: taps.clone(), bridge: Some(bridge.parse().unwrap()) };
        assert_eq!(matches!(of(&above, &port), Way::Queue(_)), expected);
    }
}

#[test]
fn what_is_no_listing_is_refused() {
    for text in ["", "Error: no", "{}", "[]"] {
        Installed::read(&Listings { nft: Some(text.to_owned()), ..Listings::default() }).unwrap_err();
    }
    let odd =
        r#"{"nftables": [{"rule": 7}, {"chain": {"family": "inet"}}, {}, {"table": {"family": "x", "name": "y"}}]}"#;
    Installed::read(&Listings { nft: Some(odd.to_owned()), ..Listings::default() }).unwrap();
}

/// Each chain leads to the next by ten rules: ten to the power of fifteen ways.
#[test]
fn jumps_that_nobody_can_follow_are_told() {
    let chain = |number: usize| format!("-A c{number} -j c{}\n", number + 1).repeat(10);
    let names: String = (0..=15).map(|number| format!(":c{number} - [0:0]\n")).collect();
    let chains: String = (0..15).map(chain).collect();
    let queue = "-A PREROUTING -i tap+ -p udp -m udp --dport 67 -j NFQUEUE --queue-num 42\n";
    let text = format!("*mangle\n:PREROUTING ACCEPT [0:0]\n{names}-A PREROUTING -j c0\n{chains}{queue}COMMIT\n");
    let installed =
        Installed::read(&Listings { iptables: vec![text], ..node("{\"nftables\": []}", &[], &[]) }).unwrap();
    let way = way(&installed, &Origin::Routed("tap0".parse().unwrap()), Kind::Dhcp);
    let Way::Rest(_, taker) = &way else { panic!("{way:?}") };
    assert!(taker.rule.to_string().contains("too many jumps to follow") && !taker.is_certain, "{taker:?}");
}
