mod values;

use std::path::Path;

use proptest::prelude::*;

use super::super::*;
use crate::setting::{BootFiles, NtpServers, Preference, Printable, RawOptions};

/// The least that is a whole configuration.
const LEAST: &str = "[dhcp]\nserver_ip = 192.0.2.1\n[ipv6]\nenable_ipv6 = no\n";

/// As an administrator has it who comes from the original: its keys, inline comments, lists and spacing.
const ORIGINAL: &str = "\
## Settings for the whole daemon
[general]
pidfile = /run/nfdhcpd/nfdhcpd.pid
datapath = /srv/bindings # the hooks write here
logdir = /var/log/nfdhcpd
user = nobody # who to become

[dhcp] # version 4
enable_dhcp = yes
lease_lifetime = 604800 # 1 week
lease_renewal = 3600\t# 1 hour
server_ip = 192.0.2.1
dhcp_queue = 42 # as in the mangle table
# Both are optional
nameservers = 192.0.2.1, 192.0.2.2 # IPv4 servers
#domain = example.com

[ipv6]
enable_ipv6 = yes
mode = auto
ra_period = 300 # seconds
rs_queue = 43
ns_queue = 44
dhcpv6_queue = 45
nameservers = 2001:db8:100::1, 2001:db8:200::2
domains = example.com, example.net
";

fn read(text: &str) -> Result<Parsed, Vec<String>> {
    parse(Path::new("n.conf"), text.as_bytes()).map_err(|faults| shown(&faults.errors))
}

fn shown(faults: &[ConfigError]) -> Vec<String> {
    faults.iter().map(ToString::to_string).collect()
}

fn good(text: &str) -> Config {
    read(text).unwrap_or_else(|errors| panic!("{text}\n{errors:?}")).config
}

fn errors(text: &str) -> Vec<String> {
    read(text).map(|parsed| parsed.config).expect_err(text)
}

fn warnings(text: &str) -> Vec<String> {
    shown(&read(text).unwrap().warnings)
}

fn names(names: &[&str]) -> Vec<DomainName> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

#[test]
fn the_originals_file_loads_unchanged() {
    let parsed = read(ORIGINAL).unwrap();
    assert_eq!(parsed.warnings, []);
    let expected = Config {
        general: General {
            pidfile: Some("/run/nfdhcpd/nfdhcpd.pid".into()),
            datapath: "/srv/bindings".into(),
            logdir: Some("/var/log/nfdhcpd".into()),
            user: "nobody".into(),
            control_socket: Some("/run/nfdhcpd/control.sock".into()),
            control_group: None,
            metrics_listen: None,
            log_format: LogFormat::Text,
            sandbox: true,
            rate_limit: RateLimit::Auto,
            rate_burst: 100,
            backlog: Backlog { queue_length: 16_384, receive_buffer: None, fail_open: false },
            router_mac: None,
            announce_on: None,
        },
        lease: LeaseTimes { lifetime: 604_800, renewal: 3_600 },
        dhcp: Some(original_dhcp()),
        ipv6: Some(original_ipv6()),
    };
    assert_eq!(parsed.config, expected);
    assert_eq!(expected.queues(), [42, 43, 44, 45].map(QueueNum));
}

/// Section `[dhcp]` of [`ORIGINAL`], as used.
fn original_dhcp() -> Dhcp {
    Dhcp {
        queue: QueueNum(42),
        server_ip: Some(Ipv4Addr::new(192, 0, 2, 1)),
        server_on_link: false,
        rapid_commit: false,
        nameservers: vec![Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2)],
        domain: None,
        domain_search: vec![],
        ntp: Vec::new(),
        routes: Vec::new(),
        next_server: None,
        tftp_server: None,
        bootfiles: BootFiles::default(),
        v6only_wait: None,
        captive_portal: None,
        options: RawOptions::default(),
    }
}

/// Section `[ipv6]` of [`ORIGINAL`], as used.
fn original_ipv6() -> Ipv6 {
    Ipv6 {
        mode: Ipv6Mode::SlaacDhcpv6,
        rs_queue: Some(QueueNum(43)),
        ns_queue: Some(QueueNum(44)),
        dhcpv6_queue: Some(QueueNum(45)),
        ra_period: 300,
        router_lifetime: 1_800,
        prefix_valid_lifetime: 2_592_000,
        prefix_preferred_lifetime: 604_800,
        information_refresh_time: 86_400,
        nameservers: vec!["2001:db8:100::1".parse().unwrap(), "2001:db8:200::2".parse().unwrap()],
        domains: names(&["example.com", "example.net"]),
        router_preference: Preference::Medium,
        dns_lifetime: 1_800,
        route_lifetime: 1_800,
        pref64_lifetime: 1_800,
        rapid_commit: true,
        sol_max_rt: 3_600,
        inf_max_rt: 3_600,
        ntp: NtpServers::default(),
        routes: vec![],
        pref64: None,
        captive_portal: None,
    }
}

#[test]
fn line_ends_byte_order_mark_and_indentation_do_not_matter() {
    let expected = good(ORIGINAL);
    assert_eq!(good(&ORIGINAL.replace('\n', "\r\n")), expected);
    assert_eq!(good(&format!("\u{feff}{ORIGINAL}")), expected);
    assert_eq!(good(&ORIGINAL.replace('\n', "  \n\t ")), expected);
    assert_eq!(good(&ORIGINAL.replace(" = ", "=")), expected);
}

#[test]
fn the_least_has_the_documented_defaults() {
    let config = good(LEAST);
    let general = &config.general;
    assert_eq!((general.datapath.to_str(), general.user.as_str()), (Some("/var/lib/nfdhcpd"), "nobody"));
    assert_eq!((&general.pidfile, &general.logdir), (&None, &None));
    assert_eq!((general.rate_limit, general.rate_burst), (RateLimit::Auto, 100));
    let dhcp = config.dhcp.as_ref().unwrap();
    assert_eq!((dhcp.queue, config.lease.lifetime, config.lease.renewal), (QueueNum(42), 604_800, 3_600));
    assert!(!dhcp.rapid_commit && !dhcp.server_on_link && config.ipv6.is_none());
    assert_eq!(config.queues(), [QueueNum(42)]);
}

/// A whole configuration with one key more. The key's last value wins.
fn with(section: &str, key: &str, value: &str) -> String {
    // The row of the keys that begin alike.
    let code = if key == "option_" { "43" } else { "" };
    format!("{ORIGINAL}[{section}]\n{key}{code} = {value}\n")
}

#[test]
fn the_code_of_an_option_has_one_spelling() {
    let found = errors(&with("dhcp", "option_06", "ip:192.0.2.1"));
    assert!(found.len() == 1 && found[0].contains("dhcp.option_06") && found[0].contains("leading zeros"), "{found:?}");
}

#[test]
fn an_error_names_file_line_key_value_and_what_is_allowed() {
    assert_eq!(
        errors("[dhcp]\nserver_ip = x\u{7} # ours\n[ipv6]\nenable_ipv6 = no\n"),
        [r#"n.conf:2: dhcp.server_ip = "x\u{7}": not an IPv4 address, which is written as 192.0.2.1"#]
    );
}

#[test]
fn all_errors_come_at_once_in_the_order_of_the_file() {
    let found = errors("[ipv6]\nmode = 1\nnonsense\n[dhcp]\ndhcp_queue = x\n[ipv6\nenable_dhcp = 2\n");
    let places: Vec<_> = found.iter().map(|error| error.split(": ").next().unwrap()).collect();
    assert_eq!(places, ["n.conf:2", "n.conf:3", "n.conf:5", "n.conf:6", "n.conf:7"]);
}

#[test]
fn a_disabled_section_requires_nothing_but_is_read() {
    assert!(good("[dhcp]\nenable_dhcp = no\n[ipv6]\ndhcpv6_queue = 45").dhcp.is_none());
    assert_eq!(errors(&format!("{LEAST}mode = x")).len(), 1);
    assert_eq!(errors("[dhcp]\nenable_dhcp = no\nserver_ip = x\n[ipv6]\ndhcpv6_queue = 45").len(), 1);
    let times = good("[dhcp]\nenable_dhcp = no\nlease_lifetime = 61\n[ipv6]\ndhcpv6_queue = 45").lease;
    assert_eq!((times.lifetime, times.renewal), (61, 3_600), "of DHCPv6");
    let found = errors("[dhcp]\nenable_dhcp = no\n[ipv6]\nenable_ipv6 = no\n");
    assert!(found[0].starts_with("n.conf:4: ipv6.enable_ipv6 = \"no\": nothing to do"), "{found:?}");
}

#[test]
fn server_ip_or_server_on_link_is_required() {
    let found = errors("[ipv6]\nenable_ipv6 = no");
    assert!(found[0].starts_with("n.conf: dhcp.server_ip: required"), "{found:?}");
    let found = errors("[dhcp]\nserver_ip =\n[ipv6]\nenable_ipv6 = no");
    assert!(found[0].starts_with("n.conf:2: dhcp.server_ip = \"\": required"), "{found:?}");
    assert!(good("[dhcp]\nserver_on_link = yes\n[ipv6]\nenable_ipv6 = no").dhcp.unwrap().server_ip.is_none());
}

#[test]
#[rustfmt::skip] // A table: one case, one line.
fn the_mode_follows_the_queues() {
    use Ipv6Mode::*;
    for (keys, expected) in [
        ("rs_queue=1\nns_queue=2\ndhcpv6_queue=3", Ok((SlaacDhcpv6, Some(3)))),
        ("rs_queue=1\nns_queue=2", Ok((Slaac, None))),
        ("dhcpv6_queue=3", Ok((Dhcpv6, Some(3)))),
        ("dhcp_queue=4", Ok((Dhcpv6, Some(4)))),
        ("dhcp_queue=4\ndhcpv6_queue=3", Ok((Dhcpv6, Some(3)))),
        ("mode=auto\nrs_queue=1\nns_queue=2\ndhcpv6_queue=3\nenable_dhcpv6=no", Ok((Slaac, None))),
        ("rs_queue=1\nns_queue=2\ndhcpv6_queue=3\nenable_dhcpv6=yes", Ok((SlaacDhcpv6, Some(3)))),
        ("mode=slaac\nrs_queue=1\nns_queue=2\ndhcpv6_queue=3", Ok((Slaac, None))),
        ("mode=dhcpv6\nrs_queue=1\nns_queue=2\ndhcpv6_queue=3", Ok((Dhcpv6, Some(3)))),
        ("mode=dhcpv6\nrs_queue=1\ndhcpv6_queue=3", Ok((Dhcpv6, Some(3)))),
        ("mode=slaac+stateful\nrs_queue=1\nns_queue=2\ndhcpv6_queue=3", Ok((SlaacStateful, Some(3)))),
        ("mode=slaac+stateful\ndhcpv6_queue=3", Err("mode slaac+stateful needs rs_queue and ns_queue")),
        ("", Err("none is set")),
        ("rs_queue=1", Err("auto with these queues means slaac, which needs ns_queue")),
        ("ns_queue=1", Err("auto with these queues means slaac, which needs rs_queue")),
        ("ns_queue=1\ndhcpv6_queue=3", Err("means slaac+dhcpv6, which needs rs_queue; mode = dhcpv6 does without")),
        ("mode=slaac\ndhcpv6_queue=3", Err("mode slaac needs rs_queue and ns_queue")),
        ("mode=slaac+dhcpv6\nrs_queue=1\nns_queue=2", Err("mode slaac+dhcpv6 needs dhcpv6_queue")),
        ("mode=dhcpv6\nrs_queue=1\nns_queue=2", Err("mode dhcpv6 needs dhcpv6_queue")),
        ("mode=dhcpv6\ndhcpv6_queue=3\nenable_dhcpv6=no", Err("(enable_dhcpv6 = no drops dhcpv6_queue)")),
    ] {
        let text = format!("[dhcp]\nenable_dhcp=no\n[ipv6]\n{keys}\n");
        match (read(&text), expected) {
            (Ok(parsed), Ok(expected)) => {
                let ipv6 = parsed.config.ipv6.unwrap();
                assert_eq!((ipv6.mode, ipv6.dhcpv6_queue.map(|queue| queue.0)), expected, "{keys}");
            }
            (Err(found), Err(expected)) => {
                assert!(found[0].contains(expected), "{keys}: {found:?}")
            }
            (other, _) => panic!("{keys}: {other:?}"),
        }
    }
}

#[test]
fn a_mode_that_does_less_than_it_seems_is_warned_about() {
    let text = "[dhcp]\nenable_dhcp=no\n[ipv6]\nmode=slaac\nrs_queue=1\nns_queue=2\ndhcpv6_queue=3\n";
    let found = warnings(text);
    let expected = "n.conf:7: ipv6.dhcpv6_queue = \"3\": unused in mode slaac";
    assert!(found.len() == 1 && found[0].starts_with(expected), "{found:?}");
}

#[test]
fn what_runs_out_between_two_advertisements_is_warned_about() {
    for key in ["dns_lifetime", "route_lifetime", "pref64_lifetime"] {
        for (keys, is_short) in [
            (format!("ra_period = 1000\n{key} = 992\n"), true),
            (format!("ra_period = 1000\n{key} = 1\n"), true),
            (format!("ra_period = 1000\n{key} = 1000\n"), false),
            (format!("ra_period = 1000\n{key} = 0\n"), false),
            (format!("{key} = 600\n"), false),
        ] {
            let found = warnings(&format!("{ORIGINAL}{keys}"));
            let start = format!("ipv6.{key} = ");
            let is_told =
                found.iter().any(|it| it.contains(&start) && it.contains("less than ra_period, which is 1000"));
            assert_eq!(is_told, is_short, "{keys}: {found:?}");
        }
    }
    let silent = "[dhcp]\nenable_dhcp=no\n[ipv6]\nmode=dhcpv6\ndhcpv6_queue=3\ndns_lifetime=1\n";
    assert_eq!(warnings(silent), Vec::<String>::new(), "nothing is advertised");
}

#[test]
fn lifetimes_follow_each_other() {
    for (keys, router, preferred) in [
        ("ra_period = 4", 1_800, 604_800),
        ("ra_period = 601", 1_803, 604_800),
        ("ra_period = 40000", 65_535, 604_800),
        ("router_lifetime = 300", 300, 604_800),
        ("prefix_valid_lifetime = 7200", 1_800, 7_200),
    ] {
        let ipv6 = good(&format!("{ORIGINAL}{keys}")).ipv6.unwrap();
        assert_eq!((ipv6.router_lifetime, ipv6.prefix_preferred_lifetime), (router, preferred), "{keys}");
    }
}

#[test]
fn kinds_may_share_a_queue() {
    let config = good(&ORIGINAL.replace("44", "42").replace("45", "43"));
    assert_eq!(config.queues(), [42, 43].map(QueueNum));
}

#[test]
#[rustfmt::skip] // A table: one case, one line.
fn what_is_unknown_old_or_double_is_warned_about() {
    for (keys, expected) in [
        ("[dhcp]\nserverip = 1", "n.conf:6: \"serverip\": unknown key in [dhcp], ignored; did you mean server_ip?"),
        ("[dhcp]\nra_period = 1", "n.conf:6: \"ra_period\": unknown key in [dhcp], ignored; it belongs to [ipv6]"),
        ("[dhcp]\nfoo\u{1b} = 1", "n.conf:6: \"foo\\u{1b}\": unknown key in [dhcp], ignored"),
        ("[dhpc]\nfoo = 1", "n.conf:5: \"[dhpc]\": unknown section, ignored; did you mean [dhcp]?"),
        ("[other]\nfoo = 1", "n.conf:5: \"[other]\": unknown section, ignored"),
        ("[ipv6]\nenable_ipv6 = no", "n.conf:6: ipv6.enable_ipv6 = \"no\": overrides the same key in line 4"),
        ("[ipv6]\ndhcp_queue = 45 # old", "n.conf:6: ipv6.dhcp_queue = \"45\": an old key; write dhcpv6_queue"),
        (
            "[ipv6]\nenable_dhcpv6 = no",
            "n.conf:6: ipv6.enable_dhcpv6 = \"no\": an old key; write mode, and no dhcpv6_queue where DHCPv6 is off",
        ),
    ] {
        assert_eq!(warnings(&format!("{LEAST}{keys}\n")), [expected]);
    }
    assert_eq!(warnings(&format!("user = x\n{LEAST}")), ["n.conf:1: \"user\": a key before the first [section], ignored"]);
}

#[test]
fn the_last_of_two_wins_even_if_the_first_is_wrong_or_the_last_empty() {
    assert_eq!(good("[dhcp]\nserver_ip = x\n[ipv6]\nenable_ipv6 = 0\n[dhcp]\nserver_ip = 192.0.2.7").queues().len(), 1);
    assert_eq!(good(&format!("[general]\nuser = x\nuser =\n{LEAST}")).general.user, "nobody");
}

#[test]
fn what_is_not_text_is_refused() {
    let errors = parse(Path::new("n.conf"), b"[dhcp]\ndomain = \xff\n").unwrap_err().errors;
    assert_eq!(errors[0].to_string(), "n.conf:2: not UTF-8 text");
}

#[test]
fn an_error_hides_no_warning_and_no_error_of_another_section() {
    let text = "[general]\nuser = a b\nlogdir = log\nuesr = x\n[dhcp]\n[ipv6]\n\
                rs_queue = 43\nns_queue = 44\ndns_lifetime = 9\nrouter_lifetime = 9\n[ipv4]\n";
    let Faults { errors, warnings, accounts } = parse(Path::new("n.conf"), text.as_bytes()).unwrap_err();
    assert_eq!(accounts.unwrap().user.line, Some(2));
    let begins = |faults: &[ConfigError], beginnings: &[&str]| {
        let all = shown(faults);
        assert!(all.len() == beginnings.len(), "{all:?}");
        assert!(all.iter().zip(beginnings).all(|(fault, beginning)| fault.starts_with(beginning)), "{all:?}");
    };
    begins(
        &errors,
        &[
            "n.conf:2: general.user = \"a b\": not the name",
            "n.conf:10: ipv6.router_lifetime = \"9\": less than ra_period",
            "n.conf: dhcp.server_ip: required",
        ],
    );
    begins(
        &warnings,
        &[
            "n.conf:3: general.logdir = \"log\": a relative path",
            "n.conf:4: \"uesr\": unknown key in [general], ignored; did you mean user?",
            "n.conf:11: \"[ipv4]\": unknown section",
        ],
    );
}

#[test]
fn what_a_wrong_value_may_be_the_reason_of_is_not_told() {
    for (wrong, rest) in [
        ("[ipv6]\nra_period = 0", "dns_lifetime = 9\nrouter_lifetime = 9\nrs_queue = 43\nns_queue = 44"),
        ("[ipv6]\nrs_queue = x", "ns_queue = 44"),
        ("[dhcp]\nserver_ip = 192.0.2.300", "[ipv6]\nenable_ipv6 = no"),
        // It may have been meant for any section.
        ("server_ip", "[ipv6]\nmode = slaac"),
    ] {
        let text = format!("{wrong}\n{rest}\n");
        let Faults { errors, warnings, .. } = parse(Path::new("n.conf"), text.as_bytes()).unwrap_err();
        let of_ipv6 = errors.iter().filter(|error| error.key.as_deref().is_some_and(|key| key.starts_with("ipv6")));
        assert!(of_ipv6.count() <= 1 && warnings.is_empty(), "{errors:?} {warnings:?}");
        let line = 1 + wrong.lines().count() as u32 - 1;
        assert_eq!(errors.first().and_then(|error| error.line), Some(line), "{errors:?}");
    }
}

#[test]
fn one_path_is_for_one_file() {
    let text = |keys: &str| format!("[general]\n{keys}\n{LEAST}");
    for (keys, key, other) in [
        ("control_socket = /run/x\nmetrics_listen = /run/x", "metrics_listen", "control_socket"),
        ("pidfile = /run//x\nmetrics_listen = /run/x", "pidfile", "metrics_listen"),
        ("pidfile = /run/nfdhcpd/control.sock", "pidfile", "control_socket"),
    ] {
        let found = errors(&text(keys));
        let is_told = found.len() == 1 && found[0].contains(&format!("general.{key} = "));
        assert!(is_told && found[0].contains(&format!("the path of {other} as well")), "{found:?}");
    }
    good(&text("control_socket = none\nmetrics_listen = /run/x\npidfile = /run/y"));
}

#[test]
fn relative_paths_are_told() {
    for key in ["pidfile", "datapath", "logdir"] {
        let text = |path: &str| format!("[general]\n{key} = {path}\n{LEAST}");
        let found = warnings(&text("./a"));
        assert!(
            found.len() == 1 && found[0].starts_with(&format!("n.conf:2: general.{key} = \"./a\": a relative path"))
        );
        for path in ["", "/", "/a", "'/a'"] {
            assert_eq!(warnings(&text(path)), Vec::<String>::new());
        }
    }
}

#[test]
fn long_lines_are_shown_cut() {
    let long = "x".repeat(1_000_000);
    let found = errors(&format!("{LEAST}mode = {long}\n{long}\n"));
    assert!(found.len() == 2 && found.iter().all(|error| error.len() < 300), "{}", found.len());
}

/// The shipped file, where a key that is not set stands behind a `#` with its default or an example.
mod shipped {
    use super::*;

    const SHIPPED: &str = include_str!("../../../config/nfdhcpd.conf");

    /// The part of the file that belongs to `section`.
    fn text_of(section: &str) -> &'static str {
        let (_, rest) = SHIPPED.split_once(&format!("\n[{section}]\n")).unwrap();
        rest.split_once("\n[").map_or(rest, |(text, _)| text)
    }

    #[test]
    fn parses_without_warning() {
        assert_eq!(warnings(SHIPPED), Vec::<String>::new());
        assert_eq!(good(SHIPPED).queues(), [42, 43, 44, 45].map(QueueNum));
    }

    #[test]
    fn documents_every_key() {
        for (section, name) in known_keys() {
            let name = if name == "option_" { "option_252" } else { name };
            let stands = |line: &str| line.trim_start_matches('#').starts_with(&format!("{name} = "));
            let is_old = section == "ipv6" && matches!(name, "dhcp_queue" | "enable_dhcpv6");
            let text = text_of(section);
            assert!(text.lines().any(stands) != is_old, "{section}.{name}");
            assert!(text.contains(name), "{section}.{name}");
        }
    }

    #[test]
    fn has_examples_that_are_right() {
        let uncommented: String = SHIPPED.lines().map(|line| uncomment(line) + "\n").collect();
        assert_ne!(uncommented, SHIPPED);
        assert_eq!(warnings(&uncommented), Vec::<String>::new());
    }

    /// `#key = value` has no space after the `#`; prose has one.
    fn uncomment(line: &str) -> String {
        let example = line.strip_prefix('#').filter(|rest| !rest.starts_with([' ', '#']));
        example.unwrap_or(line).to_owned()
    }
}

proptest! {
    #[test]
    fn never_panics_on_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _ = parse(Path::new("n.conf"), &bytes);
    }

    #[test]
    fn never_panics_and_errs_with_a_reason_on_near_misses(
        lines in proptest::collection::vec("\\[?(dhcp|ipv6|[a-z_6]{0,9}|mode|user)\\]?( ?= ?)?\\PC{0,12}", 0..20),
    ) {
        if let Err(Faults { errors, .. }) = parse(Path::new("n.conf"), lines.join("\n").as_bytes()) {
            prop_assert!(!errors.is_empty());
            prop_assert!(errors.iter().all(|error| !error.reason.is_empty() && !error.to_string().contains('\n')));
        }
    }

    #[test]
    fn any_value_of_any_key_is_taken_or_refused_by_its_line(index in 0..known_keys().count(), value in "\\PC{0,24}") {
        let (section, key) = known_keys().nth(index).unwrap();
        let text = with(section, key, &value);
        let line = text.lines().count() as u32;
        if let Err(Faults { errors, .. }) = parse(Path::new("n.conf"), text.as_bytes()) {
            // A queue that is taken away leaves the mode wrong, in its own line.
            let is_mode = |error: &ConfigError| error.key.as_deref() == Some("ipv6.mode");
            let is_at_fault = |error: &ConfigError| error.line.is_none_or(|at| at == line) || is_mode(error);
            prop_assert!(errors.iter().all(is_at_fault), "{errors:?}");
        }
    }
}

#[test]
fn tells_the_line_of_a_key() {
    let text = format!("[general]\nuser = a\n\n user = b # again\ndatapath = # empty\n{LEAST}");
    let parsed = parse(Path::new("n.conf"), text.as_bytes()).unwrap();
    for (section, key, expected) in [
        ("general", "user", Some(4)),
        ("dhcp", "server_ip", Some(7)),
        ("general", "pidfile", None),
        ("dhcp", "user", None),
    ] {
        assert_eq!(parsed.line_of(section, key), expected, "{section}.{key}");
    }
}
