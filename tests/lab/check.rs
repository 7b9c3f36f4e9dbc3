//! `nfdhcpd rules --check`, asked of a kernel that has the rules, or all but one of them.

use std::fs;

use crate::bridge::set_hooks;
use crate::harness::daemon::write_config;
use crate::harness::inside::need;
use crate::harness::{Config, Lab, SCRATCH, queues, sh, skip, soon, tests, try_sh};

tests!(check:
    all_rules_are_there,
    each_rule_is_missed,
    altered_guard_is_told,
    what_goes_another_way_is_told,
    rules_of_the_original_are_taken,
    rules_of_ferm_are_taken,
    deaf_queues_and_hidden_ports_are_told,
    who_may_not_ask_is_told,
);

/// What is loaded and asked for, unless a test says otherwise.
const OPTIONS: &str = "--routed --bridged --guard --trunk tap9 --bypass ns --limit 30";

pub(crate) fn all_rules_are_there(lab: &mut Lab) {
    set_hooks("1");
    lab.launch(&Config::default());
    for options in ["", "--routed --bridged", "--bridged --no-limit --guard", OPTIONS] {
        load(&rules(options));
        assert_eq!(check(options), (0, "all rules are there".to_owned()), "{options}");
    }
    let (status, findings) = check("--routed tap7 --bridged vnet* --limit 30 --bypass ns");
    assert_eq!((status, findings.lines().count()), (1, 8), "vnet* has nothing: {findings}");
    assert!(findings.lines().all(|finding| finding.contains("vnet* (bridged)")), "{findings}");
    let (_, findings) = check(&OPTIONS.replace("tap9", "tap8").replace("limit 30", "limit rs=30 --limit 20"));
    let expected =
        ["is 30/second, burst 60, not 20/second, burst 40", "a rule that was not asked for", "missing: trunk tap8"];
    assert!(expected.iter().all(|words| findings.contains(words)), "{findings}");
    assert!(!findings.contains("(rs)"), "{findings}");
}

/// Every line, one after the other.
pub(crate) fn each_rule_is_missed(lab: &mut Lab) {
    set_hooks("1");
    lab.launch(&Config::default());
    let text = rules(OPTIONS);
    let mut missed = 0;
    for (number, line) in text.lines().enumerate() {
        let Some((count, words)) = expected_without(line) else { continue };
        let others = text.lines().enumerate().filter(|(other, _)| *other != number);
        let others: Vec<&str> = others.map(|(_, line)| line).collect();
        load(&(others.join("\n") + "\n"));
        let (status, findings) = check(OPTIONS);
        let found: Vec<&str> = findings.lines().collect();
        assert_eq!(status, 1, "without {line}");
        if line.contains(" accept ") {
            // What it would have let pass may be told as well.
            assert!(findings.contains(&words), "without {line}, not {words}: {findings}");
        } else {
            assert_eq!(found.len(), count, "without {line}: {findings}");
            assert!(found.iter().all(|finding| finding.contains(&words)), "without {line}, not {words}: {findings}");
        }
        missed += 1;
    }
    assert!(missed > 60, "{missed} rules in\n{text}");
}

/// Rules that let something past the guard, each beside all the others.
fn altered_guard_is_told(lab: &mut Lab) {
    lab.launch(&Config::default());
    let options = "--bridged --guard --no-limit";
    let text = rules(options);
    let hook = "policy accept;\n\t\tiifname \"tap*\" goto guard_packets";
    let ports = "udp sport 67 goto drop_dhcp comment";
    let entry = "iifname \"tap*\" goto guard_packets";
    let ra = "\t\ticmpv6 type nd-router-advert goto drop_ra comment \"Router Advertisements\"\n";
    for (from, to, expected) in [
        (hook, hook.replace('\n', "\naccept\n"), "a rule that was not asked for"),
        (hook, hook.replace('\n', "\niifname tap5 accept\n"), "a rule that was not asked for"),
        (
            entry,
            "iifname \"tap*\" limit rate 9/second goto guard_packets".to_owned(),
            "does not look at what comes from",
        ),
        ("priority -450", "priority 450".to_owned(), "guard table missing"),
        (ports, "udp sport 67 accept comment".to_owned(), "not the rule that its comment names"),
        (ports, "udp sport 68 goto drop_dhcp comment".to_owned(), "not the rule that its comment names"),
        (ra, ra.repeat(2), "in another order, or there twice"),
        ("counter drop comment", "counter comment".to_owned(), "not the rule that its comment names (drops)"),
    ] {
        assert!(text.contains(from), "{from} is not in\n{text}");
        load(&text.replace(from, &to));
        let (status, findings) = check(options);
        assert!(status == 1 && findings.contains(expected), "{expected}, with {to}: {findings}");
    }
    load(&text);
    assert_eq!(check(options), (0, "all rules are there".to_owned()));
    for family in ["inet", "bridge"] {
        sh(&format!("nft add table {family} nfdhcpd '{{ flags dormant; }}'"));
        let (status, findings) = check(options);
        let expected = format!("guard table missing: table {family} nfdhcpd");
        assert!(status == 1 && findings.contains(&expected), "{family}: {findings}");
        sh(&format!("nft add table {family} nfdhcpd"));
    }
}

/// Rules of others that take packets away, for some taps or for what cannot be told.
fn what_goes_another_way_is_told(lab: &mut Lab) {
    lab.launch(&Config::default());
    let options = "--routed --no-limit";
    load(&rules("--format iptables --routed --no-limit"));
    for (rule, expected) in [
        ("mangle -I PREROUTING -i tap5 -j ACCEPT", "keeps some of"),
        ("raw -A PREROUTING -s 0.0.0.0/32 -j DROP", "keeps some of"),
        ("raw -A PREROUTING -m ttl --ttl-lt 2 -j DROP", "cannot tell"),
        ("raw -A PREROUTING -i eth0 -j DROP", "all rules are there"),
        ("raw -A PREROUTING -p tcp -s 192.0.2.1 -j DROP", "all rules are there"),
        ("raw -A PREROUTING -s 192.0.2.1 -j ACCEPT", "all rules are there"),
        ("mangle -A PREROUTING -s 192.0.2.1 -j ACCEPT", "all rules are there"),
    ] {
        sh(&format!("iptables -t {rule}"));
        let (status, findings) = check(options);
        let is_right = (status == 0) == expected.starts_with("all") && findings.contains(expected);
        assert!(is_right, "{expected}, with {rule}: {status}: {findings}");
        sh(&format!("iptables -t {}", rule.replace(" -I ", " -D ").replace(" -A ", " -D ")));
    }
    assert_eq!(check(options).0, 0);
}

/// How many things are found if a line is not there, and what is said of each.
fn expected_without(line: &str) -> Option<(usize, String)> {
    let word_behind = |mark: &str| Some(line.split_once(mark)?.1.split([' ', '_']).next()?.to_owned());
    if let Some((_, comment)) = line.split_once(" comment \"") {
        return Some((1, format!("this rule is missing: {}", comment.trim_end_matches('"'))));
    }
    if let Some(queue) = word_behind("queue-num ").or(word_behind("queue num ")) {
        return Some((1, format!("queue {queue} (")));
    }
    if let Some(kind) = word_behind("update @") {
        return Some((1, format!("({kind}): no limit")));
    }
    match line.trim_start().strip_prefix("iifname \"tap*\" goto ")? {
        "guard_packets" => Some((1, "does not look at what comes from tap*".to_owned())),
        "limit_packets" => Some((4, "no limit on".to_owned())),
        "divert_packets" => Some((4, "no rule diverts".to_owned())),
        _ => None,
    }
}

/// Of either backend of iptables.
fn rules_of_the_original_are_taken(lab: &mut Lab) {
    lab.launch(&Config::default());
    for backend in ["nft", "legacy"] {
        let rules = |verb: &str| {
            sh(&format!(
                "iptables-{backend}  -t mangle {verb} PREROUTING -i tap+ -p udp -m udp --dport 67 -j NFQUEUE --queue-num 42
                 ip6tables-{backend} -t mangle {verb} PREROUTING -i tap+ -p icmpv6 --icmpv6-type router-solicitation \
                    -j NFQUEUE --queue-num 43
                 ip6tables-{backend} -t mangle {verb} PREROUTING -i tap+ -p icmpv6 --icmpv6-type neighbour-solicitation \
                    -j NFQUEUE --queue-num 44
                 ip6tables-{backend} -t mangle {verb} PREROUTING -i tap+ -p udp --dport 547 -j NFQUEUE --queue-num 45"
            ))
        };
        rules("-A");
        assert_eq!(check("--no-limit"), (0, "all rules are there".to_owned()), "{backend}");
        rules("-D");
        let (status, findings) = check("--no-limit");
        assert_eq!((status, findings.matches("no rule diverts").count()), (1, 4), "{backend}: {findings}");
    }
}

fn rules_of_ferm_are_taken(lab: &mut Lab) {
    need("ferm");
    need("nft");
    lab.launch(&Config::default());
    let path = write_config(&Config::default());
    let program = env!("CARGO_BIN_EXE_nfdhcpd");
    let folder = format!("{SCRATCH}/ferm");
    sh(&format!(
        "mkdir {folder}
         {program} rules -c {path} --guard --limits-only >{folder}/limits.nft
         {program} rules -c {path} --guard --format ferm | sed s,/etc/nfdhcpd,{folder}, >{folder}/nfdhcpd.ferm
         echo '@include \"{folder}/nfdhcpd.ferm\";' >{folder}/ferm.conf
         ferm {folder}/ferm.conf"
    ));
    assert_eq!(check("--guard"), (0, "all rules are there".to_owned()));
}

fn deaf_queues_and_hidden_ports_are_told(lab: &mut Lab) {
    if !queues::are_visible() {
        skip("the list of queues is hidden");
    }
    set_hooks("1");
    load(&rules("--format iptables --bridged"));
    let deaf = |queue: u16| format!("queue {queue}: rules present, no program has bound it: is nfdhcpd running?\n");
    let all: String = [42, 43, 44, 45].map(deaf).concat();
    assert_eq!(check("--bridged"), (1, all.trim_end().to_owned()));
    lab.launch(&Config::default());
    soon("the queues", || (check("--bridged").0 == 0).then_some(()));
    sh("sysctl -qw net.bridge.bridge-nf-call-ip6tables=0");
    let (status, findings) = check("--bridged");
    let hidden = findings.matches("bridge-nf-call-ip6tables is 0").count();
    assert_eq!((status, hidden, findings.lines().count()), (1, 3, 3), "{findings}");
}

fn who_may_not_ask_is_told(_: &mut Lab) {
    need("setpriv");
    let path = write_config(&Config::default());
    let program = env!("CARGO_BIN_EXE_nfdhcpd");
    let said = sh(&format!(
        "setpriv --bounding-set -all --inh-caps -all {program} rules -c {path} --check 2>&1 || echo status $?"
    ));
    assert!(said.contains("CAP_NET_ADMIN is missing") && said.ends_with("status 3\n"), "{said}");
    let said = sh(&format!("{program} rules -c {SCRATCH}/nowhere --check 2>&1 || echo status $?"));
    assert!(said.ends_with("status 2\n"), "{said}");
}

/// Whether the kernel has nft's `queue`: then nft's format is what is tested, and else that of iptables.
pub(crate) fn has_queue() -> bool {
    need("nft");
    try_sh("echo 'table inet probe { chain c { queue num 0; }; }' | nft -c -f -").is_ok()
}

/// Rules in the best format that the kernel takes, unless the options say which.
#[track_caller]
fn rules(options: &str) -> String {
    let (program, path) = (env!("CARGO_BIN_EXE_nfdhcpd"), write_config(&Config::default()));
    let format = if options.contains("--format") || has_queue() { "" } else { "--format iptables" };
    sh(&format!("{program} rules -c {path} {format} {options}"))
}

/// Loads rules, of whichever format, in the place of all others.
#[track_caller]
pub(crate) fn load(text: &str) {
    need("nft");
    let path = format!("{SCRATCH}/rules");
    fs::write(&path, text).unwrap();
    let tool = if text.starts_with("#!/bin/sh") { "sh" } else { "nft -f" };
    sh(&format!("nft flush ruleset; {tool} {path}"));
}

/// Prints and loads what the guard's tests need.
#[track_caller]
pub(crate) fn load_with(options: &str) {
    load(&rules(options));
}

/// Exit status, and what is printed.
#[track_caller]
fn check(options: &str) -> (i32, String) {
    let (program, path) = (env!("CARGO_BIN_EXE_nfdhcpd"), write_config(&Config::default()));
    let said = sh(&format!("status=0; {program} rules -c {path} --check {options} || status=$?; echo $status"));
    let (findings, status) = said.trim_end().rsplit_once('\n').unwrap();
    (status.parse().unwrap(), findings.to_owned())
}
