//! The control socket, and `nfdhcpd show` on it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::harness::daemon::write_config;
use crate::harness::inside::knows_only_root;
use crate::harness::lab::second_daemon;
use crate::harness::requests::{dhcpv4, discover_message};
use crate::harness::{Config, Guest, Lab, SCRATCH, queues, sh, skip, soon, tests};

tests!(control:
    shows_what_is_serving_pending_and_rejected,
    shows_one_tap_in_full,
    shows_what_last_became_of_a_guest_and_who_was_spoofed,
    shows_all_taps_in_the_order_of_their_names,
    shows_settings_of_the_configuration_in_force,
    socket_is_for_root_alone,
    socket_is_for_a_group_as_well,
    socket_comes_and_goes_with_the_daemon,
    dead_daemons_socket_is_replaced,
    living_daemons_socket_is_left_alone,
    daemon_runs_on_without_a_socket,
    callers_hold_nothing_up,
);

const PROGRAM: &str = env!("CARGO_BIN_EXE_nfdhcpd");
const SOCKET: &str = "/run/nfdhcpd/control.sock";

fn shows_what_is_serving_pending_and_rejected(lab: &mut Lab) {
    let (guest, absent) = (lab.guest(1), Guest::new(2));
    lab.bind(&absent, &absent.binding());
    fs::write(format!("{SCRATCH}/bindings/tap3"), "MAC=aa\u{1b}[2J\n").unwrap();
    lab.start();
    lease(&guest);
    lab.bind(&guest, &guest.binding().replace("192.0.2.11", "192.0.2.300"));
    let shown = soon("the rejection", || Some(json(&[])).filter(|shown| !shown["taps"][0]["rejected"].is_null()));
    let states: Vec<_> = shown["taps"].as_array().unwrap().iter().map(|tap| [&tap["tap"], &tap["state"]]).collect();
    assert_eq!(states, [["tap1", "serving"], ["tap2", "pending"], ["tap3", "rejected"]]);
    assert_eq!(shown["taps"][0]["binding"]["ipv4"]["address"], "192.0.2.11");
    assert!(shown["node"]["counters"]["dhcpv4_ack"].as_u64() >= Some(1), "{shown}");

    let text = expect_shown(&[]);
    for words in [
        "\ntap1  serving!  aa:00:00:00:00:01  192.0.2.11 ",
        "IP=\"192.0.2.300\": ",
        "; the last good one is still in force\n",
        "\ntap2  pending   aa:00:00:00:00:02  192.0.2.12 ",
        "\ntap3  rejected ",
        "MAC=\"aa\\u{1b}[2J\"",
        "1 serving, 1 pending, 1 rejected\n",
        "confirmed an address with an ACK\n",
    ] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "{text}");
}

fn shows_one_tap_in_full(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.bind(&guest, &format!("{}PREFIX6=2001:db8:f::/56\nMTU=1400\n", guest.binding()));
    lab.start();
    lease(&guest);
    let text = expect_shown(&["tap1"]);
    for words in [
        "tap1: serving (interface ",
        "\n  PREFIX6 ",
        " 2001:db8:f::/56, not asked for yet\n",
        "\n  MTU ",
        "\n  dhcp.nameservers ",
        " 192.0.2.53, 198.51.100.53\n",
        " ago: ",
    ] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    let shown = json(&["tap1"]);
    assert_eq!(shown["taps"].as_array().unwrap().len(), 1);
    assert_eq!(shown["taps"][0]["binding"]["delegated"]["via"], Value::Null);
    assert!(shown.get("node").is_none());
    assert_eq!(show(&["tap9"]), (1, "error: no binding file for tap9\n".to_owned()));
}

fn shows_what_last_became_of_a_guest_and_who_was_spoofed(lab: &mut Lab) {
    const XID: u32 = 0x6e66_6468;
    let guest = lab.guest(1);
    lab.start();
    lease(&guest);
    let packets = || json(&["tap1"])["taps"][0]["packets"].clone();
    assert_eq!(packets()["spoofed"], serde_json::json!({ "count": 0, "last_mac": null }));
    guest.send(&[dhcpv4(guest.mac, &discover_message([0xaa, 0, 0, 0, 0, 0x99], XID))], 300);
    let packets = soon("all spoofed packets", || Some(packets()).filter(|it| it["spoofed"]["count"] == 300));
    assert_eq!(packets["spoofed"]["last_mac"], "aa:00:00:00:00:99");
    let outcomes: Vec<_> = packets["exchanges"].as_array().unwrap().iter().map(|it| it["outcome"].clone()).collect();
    for outcome in ["spoofed_message", "dhcpv4_ack", "dhcpv4_offer"] {
        assert!(outcomes.contains(&outcome.into()), "{outcome} is hidden: {packets}");
    }
    let text = expect_shown(&["tap1"]);
    assert!(text.contains("\n  spoofed ") && text.contains(" 300, the last by aa:00:00:00:00:99\n"), "{text}");
    let ack = text.lines().find(|line| line.contains(" ago  dhcpv4_ack")).unwrap_or_else(|| panic!("no ACK in {text}"));
    assert!(ack.chars().count() <= 80, "{ack}");
}

/// More than one report of the packet thread holds.
fn shows_all_taps_in_the_order_of_their_names(lab: &mut Lab) {
    bind_many(1_000);
    lab.start();
    let shown = json(&[]);
    let names: Vec<_> = shown["taps"].as_array().unwrap().iter().map(|tap| tap["tap"].as_str().unwrap()).collect();
    assert!(names.len() == 1_000 && names.is_sorted(), "{names:?}");
}

fn shows_settings_of_the_configuration_in_force(lab: &mut Lab) {
    let _guest = lab.guest(1);
    lab.start();
    let lifetime = || json(&["tap1"])["taps"][0]["binding"]["settings"]["dhcp.lease_lifetime"].clone();
    assert_eq!(lifetime(), "3600");
    write_config(&Config::default().with("dhcp", "lease_lifetime", "7777").with("general", "control_socket", "none"));
    lab.daemon().signal(Signal::SIGHUP);
    soon("the new configuration", || {
        let (_, text) = show_at(SOCKET, &["tap1"]);
        text.lines().any(|line| line.starts_with("  dhcp.lease_lifetime ") && line.ends_with(" 7777")).then_some(())
    });
    lab.daemon().wait_for_log("key=\"general.control_socket\"");
}

fn socket_is_for_root_alone(lab: &mut Lab) {
    let nobody = other_user();
    lab.start();
    assert_eq!(sh(&format!("stat -c '%U %a' {SOCKET}")), "root 600\n");
    let (status, output) = run(as_user(&nobody, "nogroup").args(["--socket", SOCKET]));
    assert_eq!(status, 2, "{output}");
    assert!(output.contains(SOCKET) && output.contains("(only root and general.control_group may ask"), "{output}");
}

fn socket_is_for_a_group_as_well(lab: &mut Lab) {
    let nobody = other_user();
    lab.start_with(&Config::default().with("general", "control_group", "daemon"));
    assert_eq!(sh(&format!("stat -c '%U %G %a' {SOCKET}")), "root daemon 660\n");
    for (group, expected) in [("daemon", 0), ("nogroup", 2)] {
        let (status, output) = run(as_user(&nobody, group).args(["--socket", SOCKET]));
        assert_eq!(status, expected, "{group}: {output}");
    }
}

fn socket_comes_and_goes_with_the_daemon(lab: &mut Lab) {
    lab.start();
    expect_shown(&[]);
    // Nobody but root may put another in its place.
    let directory = fs::metadata(Path::new(SOCKET).parent().unwrap()).unwrap();
    assert_eq!((directory.uid(), directory.mode() & 0o022), (0, 0));
    lab.stop();
    let (status, output) = show(&[]);
    assert_eq!(status, 2, "{output}");
    assert!(output.contains(SOCKET) && output.contains("(no daemon is running there)"), "{output}");
}

fn dead_daemons_socket_is_replaced(lab: &mut Lab) {
    lab.start();
    lab.daemon().signal(Signal::SIGKILL);
    soon("the end of the queues", || queues::bound().is_empty().then_some(()));
    let (status, output) = soon("a socket without a daemon", || Some(show(&[])).filter(|(status, _)| *status != 0));
    assert_eq!((status, fs::exists(SOCKET).unwrap()), (2, true), "{output}");
    lab.launch(&Config::default());
    expect_shown(&[]);
}

fn living_daemons_socket_is_left_alone(lab: &mut Lab) {
    lab.start();
    let mut second = second_daemon(&Config::default().with("general", "pidfile", format!("{SCRATCH}/second.pid")));
    assert_eq!(second.wait().code(), Some(1), "{}", second.log());
    assert!(second.log().contains("no control socket: held by a daemon that still runs"), "{}", second.log());
    expect_shown(&[]);
}

fn daemon_runs_on_without_a_socket(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start_with(&Config::default().with("general", "control_socket", "/proc/nfdhcpd/control.sock"));
    lab.daemon().wait_for_log("no control socket: ");
    lease(&guest);
    assert_eq!(show(&[]).0, 2);
    lab.stop();

    lab.launch(&Config::default().with("general", "control_socket", "none"));
    let (status, output) = show(&[]);
    assert_eq!(status, 2, "{output}");
    assert!(output.contains("general.control_socket is none") && !fs::exists(SOCKET).unwrap(), "{output}");
}

/// Some say nothing, some never read what they asked for, some ask and are gone: guests get their leases all the same,
/// the daemon holds no more than eight of them, and none in the end.
fn callers_hold_nothing_up(lab: &mut Lab) {
    const CALLERS: usize = 8;
    let guest = lab.guest(1);
    bind_many(1_000);
    lab.start();
    expect_shown(&[]);
    let descriptors = || fs::read_dir(format!("/proc/{}/fd", lab.daemon().pid())).unwrap().count();
    let is_callers = |line: &&str| line.ends_with(SOCKET);
    // One is the daemon's own, where callers arrive.
    let are_gone = || sh("cat /proc/net/unix").lines().filter(is_callers).count() == 1;
    let before = soon("nobody on the line", || are_gone().then(descriptors));
    let mut callers: Vec<UnixStream> = (0..CALLERS + 4).map(|_| UnixStream::connect(SOCKET).unwrap()).collect();
    callers.iter_mut().skip(4).for_each(|caller| caller.write_all(b"{\"command\":\"show\"}\n").unwrap());
    soon("as many callers as are heard", || (descriptors() == before + CALLERS).then_some(()));
    for _ in 0..100 {
        let mut caller = UnixStream::connect(SOCKET).unwrap();
        caller.write_all(&b"{\"command\":\"show\"}\n".repeat(100)).unwrap();
        assert!(descriptors() <= before + CALLERS);
    }
    lease(&guest);
    // Its turn comes when those before it have had theirs, twice as long as the daemon waits for each.
    soon("an answer to who comes after them", || (show(&["tap1"]).0 == 0).then_some(()));
    assert!(descriptors() <= before + CALLERS);
    soon("the end of all callers", || (descriptors() == before).then_some(()));
    for mut caller in callers {
        let mut answer = String::new();
        caller.read_to_string(&mut answer).unwrap();
        assert!(!answer.ends_with("{\"end\":{}}\n"), "a caller that did not read was waited for");
    }
}

/// Bindings that wait for their taps: an answer of a megabyte.
fn bind_many(count: u16) {
    for number in 0..count {
        let mac = format!("aa:00:00:01:{:02x}:{:02x}", number >> 8, number & 0xff);
        let text = format!("MAC={mac}\nHOSTNAME=guest{number}\nIP=198.51.100.7\nTAGS={}\n", "tag ".repeat(200));
        fs::write(format!("{SCRATCH}/bindings/many{number}"), text).unwrap();
    }
}

#[track_caller]
fn lease(guest: &Guest) {
    let mut client = guest.udhcpc("-q -n");
    assert!(client.wait().success(), "{}", client.log());
}

/// `nfdhcpd show` with the lab's configuration: exit status and output.
fn show(arguments: &[&str]) -> (i32, String) {
    run(Command::new(PROGRAM).args(["show", "-c", &format!("{SCRATCH}/nfdhcpd.conf")]).args(arguments))
}

/// The same, whatever the configuration says.
fn show_at(socket: &str, arguments: &[&str]) -> (i32, String) {
    run(Command::new(PROGRAM).args(["show", "--socket", socket]).args(arguments))
}

#[track_caller]
fn expect_shown(arguments: &[&str]) -> String {
    let (status, output) = show(arguments);
    assert_eq!(status, 0, "{output}");
    output
}

#[track_caller]
fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&expect_shown(&[arguments, &["--json"]].concat())).unwrap()
}

fn run(command: &mut Command) -> (i32, String) {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.code().unwrap(), text)
}

/// Puts the program where a user without rights finds it.
fn other_user() -> String {
    if knows_only_root() {
        skip("this needs root: a user namespace of one user has nobody else to ask as");
    }
    let path = format!("{SCRATCH}/program");
    sh(&format!("touch {path}; mount --bind {PROGRAM} {path}"));
    path
}

/// `nfdhcpd show` as nobody in a group.
fn as_user(program: &str, group: &str) -> Command {
    let id = |script: &str| sh(script).trim().parse::<u32>().unwrap();
    let mut command = Command::new(program);
    command.arg("show").uid(id("id -u nobody")).gid(id(&format!("getent group {group} | cut -d: -f3")));
    command
}
