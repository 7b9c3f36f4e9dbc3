//! `nfdhcpd explain`: what it says of a guest, and whether that is what the guest then gets.

use std::process::Command;

use nfdhcpd::config::{Backlog, QueueNum};
use nfdhcpd::io::nfqueue::Queue;
use serde_json::Value;

use crate::bridge::{bridged_guest, on_bridge, set_hooks};
use crate::harness::frames::ethernet;
use crate::harness::requests::{EVERYBODY, IPV4, discover_message, in_udp4};
use crate::harness::{Config, Guest, Lab, SCRATCH, queues, sh, skip, soon, tests, try_sh};

tests!(explain:
    tells_what_a_client_then_gets,
    tells_why_a_file_is_rejected,
    tells_that_the_tap_is_missing,
    tells_that_there_is_no_file,
    tells_that_the_directory_is_gone,
    tells_of_spoofing,
    tells_a_guest_with_ipv6_alone,
    tells_a_guest_on_a_bridge_without_br_netfilter,
    tells_who_has_the_same_address_until_it_goes,
    tells_who_has_bound_queues,
    tells_which_program_has_bound_a_queue,
    tells_which_rules_are_missing,
    tells_of_rules_before_its_own,
    tells_which_sysctl_hides_packets_from_rules,
    tells_what_would_be_without_a_daemon,
);

const ANSWERED: i32 = 0;
const UNANSWERED: i32 = 1;
const NOT_ASKED: i32 = 2;

/// udhcpc for DHCP, the kernel for Router Advertisements.
fn tells_what_a_client_then_gets(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    let report = json(ANSWERED, "tap1");
    assert_eq!(report["summary"], "answered (DHCP, RA, NA, DHCPv6)");
    // The kernel of the guest may have asked for routers and neighbours by itself, but nobody for DHCP as yet.
    let is_dhcp = |exchange: &Value| exchange["outcome"].as_str().unwrap().starts_with("dhcp");
    let exchanges = || json(ANSWERED, "tap1")["explained"]["tap"]["packets"]["exchanges"].as_array().unwrap().clone();
    assert!(!exchanges().iter().any(is_dhcp), "what is only explained is counted");
    let text = explain(ANSWERED, "tap1");
    assert!(text.lines().all(|line| line.len() <= 80), "{text}");

    let mut client = guest.udhcpc("-q -n");
    assert!(client.wait().success(), "{}", client.log());
    let lease = guest.udhcpc_lease();
    for (code, variable) in [
        (1, "subnet"),
        (3, "router"),
        (6, "dns"),
        (12, "hostname"),
        (15, "domain"),
        (28, "broadcast"),
        (54, "serverid"),
    ] {
        let told = option(&report, "request", code).replace(", ", " ");
        assert!(lease.contains(&format!("\n{variable}={told}\n")), "{variable}={told} is not in\n{lease}");
    }
    let seconds = option(&report, "request", 51).replace(" s", "");
    assert!(lease.contains(&format!("\nlease={seconds}\n")), "{seconds}\n{lease}");
    let (yiaddr, ip) = (field(&report, "request", "your address (yiaddr)"), guest.ip());
    assert!(yiaddr == ip.to_string() && lease.contains(&format!("\nip={yiaddr}\n")), "{yiaddr}\n{lease}");

    // An advertisement is the same whoever asked, but for its addresses and checksum.
    let told = bytes(&report["explained"]["rehearsals"][2]["reply"]);
    let body = &told[58..];
    soon("the same Router Advertisement", || {
        guest.frames().iter().any(|frame| frame.get(54) == Some(&134) && frame[58..] == *body).then_some(())
    });
    assert!(exchanges().iter().any(|exchange| exchange["outcome"] == "dhcpv4_ack"), "{:?}", exchanges());
}

fn tells_why_a_file_is_rejected(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.bind(&guest, &guest.binding().replace("192.0.2.11", "192.0.2.300"));
    lab.start();
    let text = explain(UNANSWERED, "tap1");
    assert!(text.starts_with("tap1: gets no DHCP, RA, NA, DHCPv6: its binding file is rejected\n"), "{text}");
    assert!(text.contains("\n!!  binding   /run/lab/bindings/tap1:2: IP=\"192.0.2.300\": "), "{text}");
    assert!(text.contains("\nok  tap       interface "), "{text}");

    lab.rebind(&guest, &guest.binding());
    lab.bind(&guest, "MAC=nonsense\n");
    let text =
        soon("the rejection", || Some(explain(ANSWERED, "tap1")).filter(|text| text.contains("MAC=\"nonsense\"")));
    assert!(text.contains("\n!   binding ") && text.contains("the last good one is"), "{text}");
}

fn tells_that_the_tap_is_missing(lab: &mut Lab) {
    let absent = Guest::new(2);
    lab.bind(&absent, &absent.binding());
    lab.start();
    let text = explain(UNANSWERED, "tap2");
    assert!(text.starts_with("tap2: gets no DHCP, RA, NA, DHCPv6: there is no such interface\n"), "{text}");
    assert!(text.contains("\n!!  tap       there is no interface of this name\n"), "{text}");
}

fn tells_that_there_is_no_file(lab: &mut Lab) {
    let mut stranger = Guest::new(3);
    stranger.plug();
    lab.start();
    let text = explain(UNANSWERED, "tap3");
    assert!(text.starts_with("tap3: gets no DHCP, RA, NA, DHCPv6: it has no binding file\n"), "{text}");
    assert!(text.contains("\n!!  binding   there is no file /run/lab/bindings/tap3\n"), "{text}");
    assert!(text.contains("\nok  tap       interface "), "{text}");
}

fn tells_that_the_directory_is_gone(lab: &mut Lab) {
    const GONE: &str = "the directory of bindings is gone: /run/lab/bindings: No such";
    let _guest = lab.guest(1);
    lab.start();
    let show = || sh(&format!("{} show -c {SCRATCH}/nfdhcpd.conf", env!("CARGO_BIN_EXE_nfdhcpd")));
    assert!(!show().contains("directory of bindings"));
    sh(&format!("mv {SCRATCH}/bindings {SCRATCH}/away"));
    soon("the end of the binding", || show().contains(&format!("\n! {GONE}")).then_some(()));
    let text = explain(UNANSWERED, "tap1");
    assert!(text.starts_with("tap1: gets no DHCP, RA, NA, DHCPv6: the directory of bindings is gone\n"), "{text}");
    assert!(text.contains(&format!("\n!!  binding   {GONE}")), "{text}");
    sh(&format!("mv {SCRATCH}/away {SCRATCH}/bindings"));
    soon("the binding", || (run(&["tap1"]).0 == ANSWERED).then_some(()));
    assert!(!show().contains("directory of bindings"));
    sh(&format!("mv {SCRATCH}/bindings {SCRATCH}/away"));
    lab.stop();
    assert!(explain(NOT_ASKED, "tap1").contains("\n!!  binding   the directory of bindings is gone: "));
    sh(&format!("mv {SCRATCH}/away {SCRATCH}/bindings"));
}

fn tells_of_spoofing(lab: &mut Lab) {
    const SOMEBODY_ELSE: [u8; 6] = [0xaa, 0, 0, 0, 0, 0x99];
    let guest = lab.guest(1);
    lab.start();
    let frame = ethernet(EVERYBODY, SOMEBODY_ELSE, IPV4, &in_udp4(&discover_message(guest.mac, 7)));
    guest.send(&[frame], 3);
    // Whether that is why it gets no answer depends on what the guest's kernel has sent since.
    let finding =
        "  spoofing  3 packets with another MAC were refused, the last one with\n              aa:00:00:00:00:99\n";
    soon("what was spoofed", || run(&["tap1"]).1.contains(finding).then_some(()));
}

fn tells_a_guest_with_ipv6_alone(lab: &mut Lab) {
    let guest = lab.guest(1);
    let file = guest.binding().replace(&format!("IP={}\n", guest.ip()), "");
    let file = file.replace("GATEWAY=192.0.2.1\nSUBNET=192.0.2.0/24\n", "");
    lab.bind(&guest, &file);
    lab.start_with(&Config::default().with("ipv6", "mode", "slaac+stateful"));
    let text = explain(ANSWERED, "tap1");
    assert!(text.starts_with("tap1: answered (RA, NA, DHCPv6)\n"), "{text}");
    for words in [
        "\n--  DHCPDISCOVER: the binding has no IPv4 address\n",
        "\nok  DHCPv6 Solicit: answered a DHCPv6 Solicit with an Advertise\n",
        &format!("\n      5 address                  {}, preferred ", guest.eui64()),
    ] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    guest.wait_for_address(&guest.eui64());
}

fn tells_a_guest_on_a_bridge_without_br_netfilter(lab: &mut Lab) {
    set_hooks("0");
    let [guest, twin] = [bridged_guest(lab, 1), bridged_guest(lab, 2)];
    lab.divert("-i br0");
    lab.launch(&Config::default());
    let text = explain(ANSWERED, "tap1");
    assert!(text.contains(", port of br0\n"), "{text}");
    assert!(text.contains("\nok  INDEV     br0: interface "), "{text}");
    assert!(text.contains("\nok  sender    without br_netfilter iptables sees br0 and not the port:"), "{text}");
    let mut client = guest.udhcpc("-q -n");
    assert!(client.wait().success(), "{}", client.log());

    lab.rebind(&twin, &on_bridge(&twin).replace(&twin.mac_text(), &guest.mac_text()));
    expect_no_lease(&guest, "two bindings on this bridge");
    lab.rebind(&twin, &on_bridge(&twin));
    explain(ANSWERED, "tap1");

    lab.rebind(&guest, &guest.binding().replace("INDEV=tap1\n", ""));
    expect_no_lease(&guest, "no binding claims this sender");
    assert!(explain(UNANSWERED, "tap1").contains("\n              INDEV must be br0\n"));
}

/// The guest gets no answer, and why is what it is told as.
#[track_caller]
fn expect_no_lease(guest: &Guest, reason: &str) {
    let text = explain(UNANSWERED, &guest.tap);
    assert!(text.starts_with(&format!("{}: gets no DHCP, RA, NA, DHCPv6: {reason} ", guest.tap)), "{text}");
    assert!(text.contains("\n!!  sender    without br_netfilter "), "{text}");
    let mut client = guest.udhcpc("-q -n -t 1 -T 1");
    assert!(!client.wait().success(), "{}", client.log());
}

fn tells_who_has_the_same_address_until_it_goes(lab: &mut Lab) {
    let guest = lab.guest(1);
    let other = lab.guest(2);
    lab.start();
    let is_told = || explain(ANSWERED, "tap1").contains("has it as well");
    assert!(!is_told());
    lab.bind(&other, &other.binding().replace(&other.ip().to_string(), &guest.ip().to_string()));
    let told = format!("\n!   doubt     IP={}: the guest of tap2 has it as well;", guest.ip());
    soon("the other guest", || explain(ANSWERED, "tap1").contains(&told).then_some(()));
    lab.rebind(&other, &other.binding());
    soon("the end of it", || (!is_told()).then_some(()));
}

fn tells_who_has_bound_queues(lab: &mut Lab) {
    let _guest = lab.guest(1);
    lab.start();
    let text = explain(ANSWERED, "tap1");
    if queues::are_visible() {
        assert!(text.contains("\nok  queue     42 (DHCP): bound, 0 waiting, 0 dropped\n"), "{text}");
    } else {
        assert!(text.contains("\n!   queue     whether queues are bound is not known: "), "{text}");
    }
}

/// A daemon that starts now would not get the queue.
fn tells_which_program_has_bound_a_queue(lab: &mut Lab) {
    let _guest = lab.guest(1);
    lab.start();
    lab.stop();
    if !queues::are_visible() {
        skip("the list of queues is not visible here");
    }
    let _queue = Queue::bind(QueueNum(42), &Backlog::default()).unwrap();
    let by = format!("bound by process {} (", std::process::id());
    let text = explain(NOT_ASKED, "tap1");
    assert!(text.contains(&format!("\n!!  queue     42 (DHCP): {by}")), "{text}");
    let check = format!("{} rules --check --no-limit -c {SCRATCH}/nfdhcpd.conf", env!("CARGO_BIN_EXE_nfdhcpd"));
    let said = try_sh(&check).unwrap_err();
    assert!(said.contains(&format!("queue 42: {by}")), "{said}");
}

fn tells_which_rules_are_missing(lab: &mut Lab) {
    let _guest = lab.guest(1);
    lab.launch(&Config::default());
    let text = explain(UNANSWERED, "tap1");
    assert!(text.starts_with("tap1: gets no DHCP, RA, NA, DHCPv6: no rule diverts it to its queue\n"), "{text}");
    assert!(text.contains("\n!!  rules     DHCP: no rule diverts it to queue 42\n"), "{text}");
    lab.divert("-i tap2");
    assert!(explain(UNANSWERED, "tap1").contains("\n!!  rules     RA: no rule diverts it to queue 43\n"));
    lab.divert("-i tap+");
    let text = explain(ANSWERED, "tap1");
    assert!(text.contains("\nok  rules     DHCP: to queue 42\n"), "{text}");
}

/// A rule that drops what a guest asks before it has an address, and one that nobody understands.
fn tells_of_rules_before_its_own(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    let with = |rule: &str| {
        sh(&format!("iptables -t mangle -I PREROUTING {rule} -j DROP"));
        let text = explain(UNANSWERED, "tap1");
        let has_lease = guest.udhcpc("-q -n -t 1 -T 1").wait().success();
        sh(&format!("iptables -t mangle -D PREROUTING {rule} -j DROP"));
        (text, has_lease)
    };
    let (text, has_lease) = with("-s 0.0.0.0/32");
    assert!(text.starts_with("tap1: gets no DHCP: rules drop it\n") && !has_lease, "{text}");
    let (text, has_lease) = with("-m mark --mark 0x1");
    assert!(text.contains(", if the rules are right: not all are\nunderstood\n") && has_lease, "{text}");
    sh("iptables -t mangle -I PREROUTING -s 198.51.100.0/24 -j DROP");
    explain(ANSWERED, "tap1");
}

/// Rules that match ports, on a bridge that shows them nothing.
fn tells_which_sysctl_hides_packets_from_rules(lab: &mut Lab) {
    set_hooks("0");
    let _guest = bridged_guest(lab, 1);
    lab.divert("-m physdev --physdev-in tap+");
    lab.launch(&Config::default());
    let text = explain(UNANSWERED, "tap1");
    assert!(text.starts_with("tap1: gets no DHCP: bridge-nf-call-iptables is 0; no RA, NA, DHCPv6:\n"), "{text}");
    let told = "\n!!  rules     DHCP: bridge-nf-call-iptables is 0, and the rules match by\n              physdev: it has to be 1\n";
    assert!(text.contains(told), "{text}");
    set_hooks("1");
    assert!(explain(ANSWERED, "tap1").contains("\nok  sender    known by its port, "));
}

fn tells_what_would_be_without_a_daemon(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    let before = json(ANSWERED, "tap1");
    lab.stop();
    let text = explain(NOT_ASKED, "tap1");
    assert!(text.starts_with("tap1: gets no DHCP, RA, NA, DHCPv6: no daemon can be asked\n"), "{text}");
    assert!(text.contains("\n!!  daemon    /run/nfdhcpd/control.sock: "), "{text}");
    assert!(text.contains("\nok  binding   /run/lab/bindings/tap1\n"), "{text}");
    if queues::are_visible() {
        assert!(text.contains("\n!!  queue     42 (DHCP): no program has bound it\n"), "{text}");
    }
    let after = json(NOT_ASKED, "tap1");
    assert_eq!(after["explained"]["rehearsals"], before["explained"]["rehearsals"]);

    lab.bind(&guest, "MAC=nonsense\n");
    assert!(explain(NOT_ASKED, "tap1").contains("\n!!  binding   /run/lab/bindings/tap1:1: MAC=\"nonsense\""));
    sh(&format!("rm {SCRATCH}/nfdhcpd.conf"));
    let (status, output) = run(&["tap1"]);
    assert_eq!(status, NOT_ASKED, "{output}");
    assert!(output.contains("error: nothing can be said without a daemon either: "), "{output}");
}

/// `nfdhcpd explain` with the lab's configuration: exit status and output.
fn run(arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nfdhcpd"));
    command.args(["explain", "-c", &format!("{SCRATCH}/nfdhcpd.conf")]).args(arguments);
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.code().unwrap(), text)
}

#[track_caller]
fn explain(expected: i32, tap: &str) -> String {
    let (status, output) = run(&[tap]);
    assert_eq!(status, expected, "{output}");
    output
}

#[track_caller]
fn json(expected: i32, tap: &str) -> Value {
    let (status, output) = run(&[tap, "--json"]);
    assert_eq!(status, expected, "{output}");
    serde_json::from_str(&output).unwrap()
}

/// What the decoded reply to `inquiry` says in its message.
fn message<'a>(report: &'a Value, inquiry: &str) -> &'a Vec<Value> {
    let answers = report["answers"].as_array().unwrap();
    let answer = answers.iter().find(|answer| answer["inquiry"] == inquiry).unwrap();
    answer["reply"].as_array().unwrap().last().unwrap()["inside"].as_array().unwrap()
}

fn option(report: &Value, inquiry: &str, code: u16) -> String {
    let found = message(report, inquiry).iter().find(|field| field["code"] == code);
    found.unwrap_or_else(|| panic!("no option {code} in {report:#}"))["value"].as_str().unwrap().to_owned()
}

fn field(report: &Value, inquiry: &str, name: &str) -> String {
    let found = message(report, inquiry).iter().find(|field| field["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {report:#}"))["value"].as_str().unwrap().to_owned()
}

/// The bytes of two hexadecimal digits each.
fn bytes(hex: &Value) -> Vec<u8> {
    let digits = hex.as_str().unwrap();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}
