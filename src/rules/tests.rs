use std::path::Path;

use super::*;

/// The rules for a configuration with these keys of `[ipv6]`, for routed taps, without limits.
fn rules(dhcp: &str, ipv6: &str) -> Rules {
    let text = format!("[dhcp]\nserver_ip = 192.0.2.1\n{dhcp}\n[ipv6]\n{ipv6}\n");
    let config = crate::config::parse(Path::new("nfdhcpd.conf"), text.as_bytes()).unwrap().config;
    Rules::new(&config, Taps { routed: patterns("tap*"), ..Taps::default() }, None, Vec::new())
}

fn patterns(texts: &str) -> Vec<Pattern> {
    texts.split(',').map(|text| text.parse().unwrap()).collect()
}

/// Which rules are about the queue with a number.
fn lines_with(text: &str, words: &str) -> Vec<String> {
    text.lines().filter(|line| line.contains(words)).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn diverts_what_the_daemon_binds_and_nothing_else() {
    const ALL: &str = "rs_queue = 43\nns_queue = 44\ndhcpv6_queue = 45";
    for (dhcp, ipv6, expected) in [
        ("", "enable_ipv6 = no", &[("dhcp", 42)][..]),
        ("enable_dhcp = no", ALL, &[("rs", 43), ("ns", 44), ("dhcpv6", 45)]),
        ("dhcp_queue = 7", &format!("{ALL}\nmode = slaac"), &[("dhcp", 7), ("rs", 43), ("ns", 44)]),
        ("", "mode = dhcpv6\ndhcpv6_queue = 45", &[("dhcp", 42), ("dhcpv6", 45)]),
        (
            "",
            "rs_queue = 42\nns_queue = 42\ndhcpv6_queue = 42",
            &[("dhcp", 42), ("rs", 42), ("ns", 42), ("dhcpv6", 42)],
        ),
        ("", &format!("{ALL}\nenable_dhcpv6 = no"), &[("dhcp", 42), ("rs", 43), ("ns", 44)]),
    ] {
        let rules = rules(dhcp, ipv6);
        let found: Vec<_> = rules.diversions.iter().map(|it| (it.kind.name(), it.queue.0)).collect();
        assert_eq!(found, expected, "{dhcp} {ipv6}");
        for (format, target) in
            [(Format::Nft, "queue num"), (Format::Iptables, "--queue-num"), (Format::Ferm, "queue-num")]
        {
            let text = rules.in_format(format);
            let queues = lines_with(&text, target).len();
            assert_eq!(queues, expected.len(), "{text}");
            let all_named = expected.iter().all(|(_, queue)| text.contains(&format!("{target} {queue}")));
            assert!(all_named, "{text}");
        }
    }
}

#[test]
fn each_place_is_matched_as_the_format_can() {
    let mut rules = rules("", "enable_ipv6 = no");
    for (routed, bridged, by_bridge, expected) in [
        ("tap0", "", "", [&["-i tap0"][..], &["interface (tap0)"], &["iifname \"tap0\""]]),
        (
            "tap0,tap1*",
            "",
            "",
            [&["-i tap0", "-i tap1+"], &["interface (tap0 tap1+)"], &["iifname \"tap0\"", "iifname \"tap1*\""]],
        ),
        (
            "",
            "v+",
            "",
            [&["-m physdev --physdev-in v+"], &["mod physdev physdev-in (v+)"], &["bridge", "iifname \"v*\""]],
        ),
        ("", "v+", "br0,br1", [&["-i br0", "-i br1"], &["interface (br0 br1)"], &["bridge", "iifname \"v*\""]]),
        (
            "t+",
            "v+",
            "",
            [&["-i t+", "--physdev-in v+"], &["interface (t+)", "physdev-in (v+)"], &["\"t*\"", "\"v*\""]],
        ),
    ] {
        let read = |texts: &str| if texts.is_empty() { Vec::new() } else { patterns(texts) };
        rules.taps = Taps { routed: read(routed), bridged: read(bridged), by_bridge: read(by_bridge) };
        for (format, words) in [Format::Iptables, Format::Ferm, Format::Nft].into_iter().zip(expected) {
            let text = rules.in_format(format);
            assert!(words.iter().all(|words| text.contains(words)), "{words:?} in\n{text}");
        }
    }
}

#[test]
fn bypass_is_said_of_the_kinds_that_pass() {
    let mut rules = rules("", "rs_queue = 43\nns_queue = 44");
    for (format, words) in
        [(Format::Nft, "bypass"), (Format::Iptables, "--queue-bypass"), (Format::Ferm, "queue-bypass")]
    {
        for (bypass, expected) in [(&[][..], 0), (&[Kind::NeighborSolicitation], 1), (&Kind::ALL, 3)] {
            rules.bypass = bypass.to_vec();
            assert_eq!(lines_with(&rules.in_format(format), words).len(), expected);
        }
    }
}

#[test]
fn each_kind_has_a_limit_of_its_own() {
    let mut rules = rules("", "rs_queue = 43\nns_queue = 44\ndhcpv6_queue = 45");
    assert!(!rules.in_format(Format::Nft).contains("limit"), "{rules:?}");
    assert!(!rules.in_format(Format::Ferm).contains("@hook"));
    rules.limits = Some(Limits::new(vec![Amount::rate("ns=77").unwrap()], vec!["rs=9".parse().unwrap()]));
    for text in [rules.in_format(Format::Nft), rules.in_format(Format::Iptables), rules.limits_alone()] {
        for (set, limit) in [("dhcp", "20/second burst 40"), ("rs", "20/second burst 9"), ("ns", "77/second burst 154")]
        {
            let rule = format!("update @{set}_rate {{ iifname limit rate over {limit} packets counter }} drop");
            assert_eq!(lines_with(&text, &rule).len(), 1, "{rule} in\n{text}");
        }
    }
    assert!(!rules.limits_alone().contains("queue num"), "the limits alone divert nothing");
}
