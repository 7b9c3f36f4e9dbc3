//! `nfdhcpd trace`: decisions shown as they are made, and what followers cost that do not look.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::harness::requests::discover;
use crate::harness::{Guest, Lab, Process, queues, skip, soon, tests};

tests!(trace:
    shows_a_lease_and_what_happens_to_bindings,
    shows_one_tap_and_not_the_others,
    who_looks_away_is_told_how_much_it_missed,
    who_stops_reading_costs_nothing_and_is_hung_up_on,
    few_follow_at_once,
    ends_quietly,
);

const PROGRAM: &str = env!("CARGO_BIN_EXE_nfdhcpd");
const SOCKET: &str = "/run/nfdhcpd/control.sock";
const XID: u32 = 0x6e66_6468;
/// How many packets are sent at once: fewer than the daemon's queue holds.
const BURST: u32 = 500;
/// How many bursts are more than waits for a follower, in the daemon and in the socket.
const BURSTS_MISSED: u32 = 10;
/// How many may follow at once.
const FOLLOWERS: usize = 4;

fn shows_a_lease_and_what_happens_to_bindings(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    let json = follow("json", &["--json"]);
    json.wait_for_log("{\"following\":{}}");
    let text = follow("text", &["tap1"]);
    lease(&guest);
    lab.bind(&guest, &guest.binding().replace("192.0.2.11", "192.0.2.300"));
    json.wait_for_log("\"event\":\"rejected\"");
    fs::remove_file(lab.binding_path(&guest)).unwrap();
    json.wait_for_log("\"event\":\"removed\"");
    let lines: Vec<Value> = json.log().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = lines.iter().filter(|line| of_tap(line, "tap1")).filter_map(kind).collect();
    let mut kinds = kinds.into_iter();
    for expected in ["dhcpv4_offer", "dhcpv4_ack", "rejected", "removed"] {
        assert!(kinds.any(|kind| kind == expected), "{expected} did not come in its turn: {}", json.log());
    }
    let offer = lines.iter().find(|line| kind(line) == Some("dhcpv4_offer")).unwrap()["decision"].clone();
    assert_eq!((&offer["asked"], &offer["verdict"]), (&"DHCPv4 DISCOVER".into(), &"drop".into()));
    assert!(offer["sent_bytes"].as_u64() > Some(300) && offer["unix_ms"].as_u64() > Some(1_700_000_000_000), "{offer}");
    for words in [
        " tap1: DHCPv4 DISCOVER -> answered a DISCOVER with an OFFER [dhcpv4_offer], ",
        " tap1: DHCPv4 REQUEST -> confirmed an address with an ACK [dhcpv4_ack], ",
        " tap1: rejected: ",
        " tap1: removed: ",
    ] {
        text.wait_for_log(words);
    }
}

fn shows_one_tap_and_not_the_others(lab: &mut Lab) {
    let guests = [lab.guest(1), lab.guest(2)];
    lab.start();
    let mut follower = Follower::new(Some("tap2"));
    guests[0].send(&[discover(guests[0].mac, XID)], 3);
    soon("the packets of the other guest", || (counted("dhcpv4_offer") >= 3).then_some(()));
    guests[1].send(&[discover(guests[1].mac, XID)], 1);
    loop {
        let line = follower.line();
        assert!(of_tap(&line, "tap2"), "{line}");
        if kind(&line) == Some("dhcpv4_offer") {
            break;
        }
    }
}

fn who_looks_away_is_told_how_much_it_missed(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    // Who looks away for too long, on a slow machine, is hung up on, and looks once more.
    soon("a follower that missed something and heard of it", || {
        let mut follower = Follower::new(Some("tap1"));
        let before = counted_all();
        flood(&guest, BURSTS_MISSED);
        let (mut shown, mut lost) = (0, 0);
        while lost == 0 {
            let line = follower.next_line()?;
            shown += u64::from(line.get("decision").is_some());
            lost = line["lost"]["count"].as_u64().unwrap_or_default();
        }
        let counted = counted_all() - before;
        assert!(shown + lost >= u64::from(BURSTS_MISSED * BURST), "{shown} shown, {lost} lost of {counted}");
        Some(())
    });
}

/// It is hung up on, its place is free, and meanwhile no packet was lost for it.
fn who_stops_reading_costs_nothing_and_is_hung_up_on(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    flood(&guest, 4);
    let descriptors = || fs::read_dir(format!("/proc/{}/fd", lab.daemon().pid())).unwrap().count();
    let before = descriptors();
    let followers: Vec<_> = (0..FOLLOWERS).map(|_| Follower::new(None)).collect();
    flood(&guest, 10);
    let memory = resident(lab);
    flood(&guest, 40);
    let grown = resident(lab).saturating_sub(memory);
    assert!(grown < 1024, "{grown} kB for followers that do not read");
    lease(&guest);
    soon("the end of all that do not read", || (descriptors() == before).then_some(()));
    drop(followers);
    Follower::new(None);
    for queue in queues::bound() {
        assert!(queue.is_lossless(), "packets were lost: {queue:?}");
    }
}

fn few_follow_at_once(lab: &mut Lab) {
    lab.start();
    let mut followers: Vec<_> = (0..FOLLOWERS).map(|_| Follower::new(Some("tap1"))).collect();
    let (status, output) = ended(follow("fifth", &[]));
    assert_eq!(status, Some(2), "{output}");
    assert!(output.contains("error: too many follow already"), "{output}");
    for _ in 0..3 {
        // No packet comes by: who leaves is noticed all the same.
        followers.pop();
        followers.push(soon("a free place", || Follower::try_new(Some("tap1"))));
    }
}

fn ends_quietly(lab: &mut Lab) {
    lab.start();
    // Not ignored, as it is by whatever a shell has started in the background.
    let mut interruptible = Command::new("env");
    interruptible.args(["--default-signal=INT", PROGRAM, "trace", "--socket", SOCKET, "--json"]);
    let mut interrupted = Process::start(interruptible, "interrupted");
    interrupted.wait_for_log("{\"following\":{}}");
    interrupted.signal(Signal::SIGINT);
    assert_eq!(interrupted.wait().signal(), Some(Signal::SIGINT as i32));
    assert_eq!(interrupted.log(), "{\"following\":{}}\n");
    // Nothing is written any more, so that only looking tells that nobody reads.
    let mut piped = command(&["--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut reader = BufReader::new(piped.stdout.take().unwrap());
    reader.read_line(&mut line).unwrap();
    // As Ctrl-Z and fg do: who waited goes on waiting.
    let pid = Pid::from_raw(piped.id() as i32);
    kill(pid, Signal::SIGSTOP).unwrap();
    let stat = || fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    soon("a stop", || stat().contains(") T ").then_some(()));
    kill(pid, Signal::SIGCONT).unwrap();
    drop(reader);
    let end = piped.wait_with_output().unwrap();
    assert_eq!((line.as_str(), end.status.code(), end.stderr.as_slice()), ("{\"following\":{}}\n", Some(0), &b""[..]));
    let mut left = follow("left", &["--json"]);
    left.wait_for_log("{\"following\":{}}");
    lab.stop();
    assert_eq!(left.wait().code(), Some(2));
    assert!(left.log().ends_with("the daemon's answer ended early\n"), "{}", left.log());
}

/// A connection on which decisions are followed.
struct Follower(BufReader<UnixStream>);

impl Follower {
    #[track_caller]
    fn new(tap: Option<&str>) -> Self {
        Self::try_new(tap).expect("the daemon lets nobody follow")
    }

    fn try_new(tap: Option<&str>) -> Option<Self> {
        let mut stream = UnixStream::connect(SOCKET).unwrap();
        let tap = tap.map_or("null".to_owned(), |tap| format!("\"{tap}\""));
        stream.write_all(format!("{{\"command\":\"trace\",\"tap\":{tap}}}\n").as_bytes()).unwrap();
        let mut follower = Self(BufReader::new(stream));
        follower.line().get("following").map(|_| follower)
    }

    /// The next line; it comes some time.
    #[track_caller]
    fn line(&mut self) -> Value {
        self.next_line().expect("the daemon hung up")
    }

    /// The next line; None if there is no more.
    fn next_line(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.0.read_line(&mut line).ok()?;
        serde_json::from_str(&line).ok()
    }
}

/// The outcome or the event that a line tells of.
fn kind(line: &Value) -> Option<&str> {
    line["decision"]["outcome"].as_str().or(line["noticed"]["event"].as_str())
}

fn of_tap(line: &Value, tap: &str) -> bool {
    line["decision"]["tap"] == tap || line["noticed"]["tap"] == tap
}

/// Sends packets, and has each burst answered before the next.
#[track_caller]
fn flood(guest: &Guest, bursts: u32) {
    for _ in 0..bursts {
        let before = counted_all();
        guest.send(&[discover(guest.mac, XID)], BURST);
        soon("the end of a burst", || (counted_all() >= before + u64::from(BURST)).then_some(()));
    }
}

/// How many packets ended in anything.
fn counted_all() -> u64 {
    counters().as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum()
}

fn counted(outcome: &str) -> u64 {
    counters()[outcome].as_u64().unwrap()
}

fn counters() -> Value {
    let output = Command::new(PROGRAM).args(["show", "--json", "--socket", SOCKET]).output().unwrap();
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    shown["node"]["counters"].clone()
}

/// `VmRSS` of the daemon, in kB.
fn resident(lab: &Lab) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", lab.daemon().pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_else(|| skip("no VmRSS here"));
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[track_caller]
fn lease(guest: &Guest) {
    let mut client = guest.udhcpc("-q -n");
    assert!(client.wait().success(), "{}", client.log());
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["trace", "--socket", SOCKET]).args(arguments);
    command
}

/// `nfdhcpd trace`, with its output in `NAME.log`.
fn follow(name: &str, arguments: &[&str]) -> Process {
    Process::start(command(arguments), name)
}

fn ended(mut process: Process) -> (Option<i32>, String) {
    (process.wait().code(), process.log())
}
