//! What is measured, read as Prometheus reads it: over a port of the loopback, and over a unix socket.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::Command;

use nix::sys::signal::Signal;

use crate::harness::daemon::write_config;
use crate::harness::frames::ethernet;
use crate::harness::inside::{knows_only_root, need};
use crate::harness::requests::{EVERYBODY, IPV4, discover, discover_message, in_udp4, to_another_server};
use crate::harness::{Config, Guest, Lab, Process, SCRATCH, queues, sh, skip, soon, tests};

tests!(metrics:
    nothing_is_measured_by_default,
    counts_what_became_of_packets,
    measures_how_long_replies_take,
    tells_how_bindings_stand,
    tells_who_says_much,
    tells_what_the_kernel_dropped,
    what_only_root_may_read_is_read_with_that_capability_or_not_at_all,
    promtool_finds_nothing_wrong,
    unix_socket_is_for_root_and_a_group,
    daemon_runs_on_without_metrics,
    what_is_asked_wrongly_is_refused,
    callers_hold_nothing_up,
);

const ADDRESS: &str = "127.0.0.1:9547";
const SOCKET: &str = "/run/nfdhcpd/metrics.sock";
const SOMEBODY_ELSE: [u8; 6] = [0xaa, 0, 0, 0, 0, 0x99];
const XID: u32 = 0x6e66_6468;

/// Neither a socket nor counters: the kernel is not asked to stamp packets either.
fn nothing_is_measured_by_default(lab: &mut Lab) {
    lab.start();
    let listening = |table: &str| fs::read_to_string(format!("/proc/net/{table}")).unwrap().lines().count() - 1;
    assert_eq!((listening("tcp"), listening("tcp6")), (0, 0));
    let sockets = fs::read_to_string("/proc/net/unix").unwrap();
    let ours: Vec<&str> = sockets.lines().filter(|line| line.contains("/run/")).collect();
    assert!(matches!(ours[..], [line] if line.ends_with("/run/nfdhcpd/control.sock")), "{ours:?}");
}

fn counts_what_became_of_packets(lab: &mut Lab) {
    let guest = lab.guest(1);
    start(lab);
    let lie = ethernet(EVERYBODY, SOMEBODY_ELSE, IPV4, &in_udp4(&discover_message(guest.mac, XID)));
    guest.send(&[lie], 3);
    guest.send(&[to_another_server(guest.mac)], 4);
    guest.send(&[discover(guest.mac, XID)], 5);
    let packets =
        |outcome, verdict| format!("nfdhcpd_packets_total{{queue=\"42\",outcome=\"{outcome}\",verdict=\"{verdict}\"}}");
    let offers = packets("dhcpv4_offer", "drop");
    let text = soon("all packets", || Some(scrape()).filter(|text| value(text, &offers) == Some(5.0)));
    for (sample, expected) in [
        (packets("spoofed_frame", "drop"), 3.0),
        (packets("dhcpv4_other_server", "accept"), 4.0),
        (packets("dhcpv4_ack", "drop"), 0.0),
        ("nfdhcpd_replies_total{type=\"dhcpv4_offer\"}".to_owned(), 5.0),
        ("nfdhcpd_replies_total{type=\"dhcpv4_nak\"}".to_owned(), 0.0),
        ("nfdhcpd_send_failures_total".to_owned(), 0.0),
        ("nfdhcpd_receive_buffer_overruns_total{queue=\"42\"}".to_owned(), 0.0),
        (format!("nfdhcpd_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION")), 1.0),
    ] {
        assert_eq!(value(&text, &sample), Some(expected), "{sample} in\n{text}");
    }
    // The guest was told when its tap came up.
    let advertised = "nfdhcpd_unsolicited_frames_total{type=\"router_advertisement\"}";
    soon("an advertisement", || value(&scrape(), advertised).filter(|count| *count > 0.0));
    assert!(value(&text, "nfdhcpd_log_lines_suppressed_total").is_some_and(|lines| lines > 0.0), "{text}");
    assert!(value(&text, "process_start_time_seconds").is_some_and(|time| time > 1e9), "{text}");
}

fn measures_how_long_replies_take(lab: &mut Lab) {
    let guest = lab.guest(1);
    start(lab);
    // The kernel stamps packets from soon after it was asked to.
    let count = |text: &str| value(text, "nfdhcpd_reply_latency_seconds_count{queue=\"42\"}").unwrap();
    let before = soon("a stamp", || {
        guest.send(&[discover(guest.mac, XID)], 1);
        Some(count(&scrape())).filter(|count| *count > 0.0)
    });
    let text = soon("all of them", || {
        let text = scrape();
        let sent = value(&text, "nfdhcpd_replies_total{type=\"dhcpv4_offer\"}").unwrap();
        (sent - count(&text) <= before).then_some(text)
    });
    let [before, sent] = [count(&text), value(&text, "nfdhcpd_replies_total{type=\"dhcpv4_offer\"}").unwrap()];
    guest.send(&[discover(guest.mac, XID), to_another_server(guest.mac)], 10);
    let text = soon("ten more", || {
        let text = scrape();
        (value(&text, "nfdhcpd_replies_total{type=\"dhcpv4_offer\"}") == Some(sent + 10.0)).then_some(text)
    });
    assert_eq!(count(&text), before + 10.0, "{text}");
    let bucket = |bound: &str| format!("nfdhcpd_reply_latency_seconds_bucket{{le=\"{bound}\",queue=\"42\"}}");
    assert_eq!(value(&text, &bucket("+Inf")), Some(before + 10.0), "{text}");
    let sum = value(&text, "nfdhcpd_reply_latency_seconds_sum{queue=\"42\"}").unwrap();
    assert!(sum > 0.0 && sum < 60.0 * count(&text), "{text}");
}

fn tells_how_bindings_stand(lab: &mut Lab) {
    let (guest, absent) = (lab.guest(1), Guest::new(2));
    lab.bind(&absent, &absent.binding());
    fs::write(format!("{SCRATCH}/bindings/tap3"), "MAC=aa\n").unwrap();
    start(lab);
    let stand = |text: &str| {
        let state = |state| value(text, &format!("nfdhcpd_bindings{{state=\"{state}\"}}")).unwrap();
        [state("serving"), state("pending"), state("rejected"), value(text, "nfdhcpd_rejected_binding_files").unwrap()]
    };
    assert_eq!(stand(&scrape()), [1.0, 1.0, 1.0, 1.0]);
    // The last good one is still in force.
    lab.bind(&guest, "MAC=aa\n");
    soon("the rejection", || (stand(&scrape()) == [1.0, 1.0, 1.0, 2.0]).then_some(()));
}

/// More taps than are told, and more than the packet thread tells of at once.
fn tells_who_says_much(lab: &mut Lab) {
    let guest = lab.guest(1);
    for number in 0..200 {
        let mac = format!("aa:00:00:01:00:{number:02x}");
        fs::write(format!("{SCRATCH}/bindings/many\"{number}"), format!("MAC={mac}\nIP=198.51.100.7\n")).unwrap();
    }
    start(lab);
    guest.send(&[discover(guest.mac, XID)], 100);
    let talkers = |text: &str| -> Vec<String> {
        let names = text.lines().filter(|line| line.starts_with("nfdhcpd_top_tap_packets_per_second{"));
        names.map(str::to_owned).collect()
    };
    let told = soon("a talker", || Some(talkers(&scrape())).filter(|talkers| !talkers.is_empty()));
    assert!(
        matches!(&told[..], [one] if one.starts_with("nfdhcpd_top_tap_packets_per_second{tap=\"tap1\"} ")),
        "{told:?}"
    );
}

/// While the daemon stands still, so many packets find no room as came too many.
fn tells_what_the_kernel_dropped(lab: &mut Lab) {
    if !queues::are_visible() {
        skip("this needs root: nobody else sees the counters of the queues");
    }
    lab.may_lose_packets();
    let guest = lab.guest(1);
    lab.start_with(&config().with("general", "queue_length", "100"));
    scrape();
    lab.daemon().signal(Signal::SIGSTOP);
    guest.send(&[discover(guest.mac, XID)], 1_000);
    let queue = || queues::bound().into_iter().find(|queue| queue.number == 42).unwrap();
    soon("packets that find no room", || (queue().waiting == 100 && queue().dropped > 0).then_some(()));
    let dropped = queue().dropped + queue().user_dropped;
    lab.daemon().signal(Signal::SIGCONT);
    let of = |text: &str, cause| {
        value(text, &format!("nfdhcpd_queue_dropped_packets_total{{queue=\"42\",cause=\"{cause}\"}}")).unwrap()
    };
    let text = soon("the drops", || Some(scrape()).filter(|text| of(text, "queue_full") > 0.0));
    assert!(of(&text, "queue_full") + of(&text, "buffer_full") >= dropped as f64, "{dropped} in\n{text}");
    assert_eq!(value(&text, "nfdhcpd_queue_limit_packets{queue=\"42\"}"), Some(100.0));
    let waiting = "nfdhcpd_queue_waiting_packets{queue=\"42\"}";
    soon("an empty queue", || (value(&scrape(), waiting) == Some(0.0)).then_some(()));
}

/// A daemon that root did not start. What it may read at the start it may not open later.
fn what_only_root_may_read_is_read_with_that_capability_or_not_at_all(_lab: &mut Lab) {
    if knows_only_root() || !queues::are_visible() {
        skip("this needs root: a user namespace of one user has no other, and cannot read the list");
    }
    let program = format!("{SCRATCH}/program");
    sh(&format!("touch {program}; mount --bind {} {program}", env!("CARGO_BIN_EXE_nfdhcpd")));
    let file = write_config(&config());
    for (more, is_read) in [("", false), (",+dac_read_search", true)] {
        let capabilities = format!("-all,+net_admin,+net_raw{more}");
        let mut command = Command::new("setpriv");
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]);
        command.args([format!("--inh-caps={capabilities}"), format!("--ambient-caps={capabilities}")]);
        command.args([&program, "-f", "-c", &file]);
        let mut daemon = Process::start(command, &format!("unprivileged-{is_read}"));
        daemon.wait_for_log(" ready ");
        assert_ne!(is_read, daemon.log().contains("how full the queues are is not measured: Permission denied"));
        let text = scrape();
        assert_eq!(value(&text, "nfdhcpd_queue_waiting_packets{queue=\"42\"}"), is_read.then_some(0.0), "{text}");
        assert!(value(&text, "nfdhcpd_receive_buffer_overruns_total{queue=\"42\"}").is_some(), "{text}");
        let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
        assert!(status.contains("CapEff:\t0000000000003000\n"), "{status}");
        daemon.signal(Signal::SIGTERM);
        assert!(daemon.wait().success(), "{}", daemon.log());
    }
}

fn promtool_finds_nothing_wrong(lab: &mut Lab) {
    need("promtool");
    let guest = lab.guest(1);
    start(lab);
    guest.send(&[discover(guest.mac, XID)], 5);
    let text = soon("a talker", || Some(scrape()).filter(|text| text.contains("second{tap=\"tap1\"}")));
    fs::write(format!("{SCRATCH}/metrics.txt"), text).unwrap();
    assert_eq!(sh(&format!("promtool check metrics <{SCRATCH}/metrics.txt 2>&1")), "");
}

fn unix_socket_is_for_root_and_a_group(lab: &mut Lab) {
    let config = Config::default().with("general", "metrics_listen", SOCKET);
    lab.start_with(&config);
    assert_eq!(sh(&format!("stat -c %a {SOCKET}")), "600\n");
    let response = ask(UnixStream::connect(SOCKET).unwrap(), "GET /metrics HTTP/1.1\r\nHost: node\r\n\r\n").unwrap();
    assert!(
        response.starts_with("HTTP/1.1 200 OK\r\n") && response.contains("\nnfdhcpd_uptime_seconds "),
        "{response}"
    );
    lab.stop();
    if knows_only_root() {
        skip("this needs root: a user namespace of one user has no other group");
    }
    lab.launch(&config.with("general", "control_group", "daemon"));
    assert_eq!(sh(&format!("stat -c '%G %a' {SOCKET}")), "daemon 660\n");
}

fn daemon_runs_on_without_metrics(lab: &mut Lab) {
    let guest = lab.guest(1);
    let _taken = TcpListener::bind(ADDRESS).unwrap();
    start(lab);
    lab.daemon().wait_for_log(&format!("no metrics: {}", io::Error::from_raw_os_error(98)));
    lease(&guest);
}

fn what_is_asked_wrongly_is_refused(lab: &mut Lab) {
    start(lab);
    let long = format!("GET /metrics HTTP/1.1\r\nHost: {}\r\n\r\n", "x".repeat(20_000));
    let many = format!("GET /metrics HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(100));
    for (request, status) in [
        ("GET / HTTP/1.1\r\nHost: node\r\n\r\n", "404 Not Found"),
        ("GET /metrics/ HTTP/1.1\r\nHost: node\r\n\r\n", "404 Not Found"),
        ("POST /metrics HTTP/1.1\r\nHost: node\r\nContent-Length: 0\r\n\r\n", "405 Method Not Allowed"),
        ("HEAD /metrics HTTP/1.0\r\n\r\n", "405 Method Not Allowed"),
        ("GET /metrics HTTP/1.0\r\n\r\n", "200 OK"),
        ("GET /metrics?name=x HTTP/1.1\r\nHost: node\r\n\r\n", "200 OK"),
        ("{\"command\":\"show\"}\r\n\r\n", "400 Bad Request"),
        (&long, "431 Request Header Fields Too Large"),
        (&many, "431 Request Header Fields Too Large"),
    ] {
        let response = ask(TcpStream::connect(ADDRESS).unwrap(), request).unwrap_or_default();
        let first = response.lines().next().unwrap_or_default();
        assert!(first.ends_with(status), "{first:?}, not {status}, to {}", &request[..request.len().min(60)]);
    }
}

/// Some say nothing, some say a little, some never read what they asked for: guests get their leases all the same, the daemon
/// holds no more than eight of them, and none in the end.
fn callers_hold_nothing_up(lab: &mut Lab) {
    const CALLERS: usize = 8;
    let guest = lab.guest(1);
    start(lab);
    let of_daemon = |what: &str| fs::read_dir(format!("/proc/{}/{what}", lab.daemon().pid())).unwrap();
    let descriptors = || of_daemon("fd").count();
    // It is the last to start, and has all that it needs.
    let is_packet_thread = |task: fs::DirEntry| fs::read_to_string(task.path().join("comm")).unwrap() == "packets\n";
    soon("the packet thread", || of_daemon("task").any(|task| is_packet_thread(task.unwrap())).then_some(()));
    let before = descriptors();
    let mut callers: Vec<TcpStream> = (0..CALLERS + 4).map(|_| TcpStream::connect(ADDRESS).unwrap()).collect();
    callers.iter_mut().skip(3).for_each(|caller| caller.write_all(b"GET /metrics HTTP/1.1\r\nX-").unwrap());
    soon("as many callers as are heard", || (descriptors() == before + CALLERS).then_some(()));
    for _ in 0..100 {
        let mut caller = TcpStream::connect(ADDRESS).unwrap();
        caller.write_all(&b"GET /metrics HTTP/1.1\r\n\r\n".repeat(100)).unwrap();
        assert!(descriptors() <= before + CALLERS);
    }
    lease(&guest);
    assert!(descriptors() <= before + CALLERS);
    soon("the end of all callers", || (descriptors() == before).then_some(()));
    assert!(scrape().contains("nfdhcpd_packets_total"));
}

fn config() -> Config {
    Config::default().with("general", "metrics_listen", ADDRESS)
}

/// The usual rules, and a daemon that is measured.
#[track_caller]
fn start(lab: &mut Lab) {
    lab.start_with(&config());
}

#[track_caller]
fn lease(guest: &Guest) {
    let mut client = guest.udhcpc("-q -n");
    assert!(client.wait().success(), "{}", client.log());
}

/// The text, as Prometheus asks for it.
#[track_caller]
fn scrape() -> String {
    let request = format!(
        "GET /metrics HTTP/1.1\r\nHost: {ADDRESS}\r\nAccept: application/openmetrics-text;version=1.0.0\r\n\r\n"
    );
    let response = ask(TcpStream::connect(ADDRESS).unwrap(), &request).unwrap();
    let (head, text) = response.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
    assert!(head.contains("\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{head}");
    text.to_owned()
}

/// Says something, and hears all that is answered.
fn ask(mut stream: impl Read + Write, request: &str) -> io::Result<String> {
    let mut response = Vec::new();
    // Who is refused before the end may find the way closed.
    let _ = stream.write_all(request.as_bytes());
    let end = stream.read_to_end(&mut response);
    if response.is_empty() {
        end?;
    }
    Ok(String::from_utf8(response).unwrap())
}

/// The value of a sample.
fn value(text: &str, sample: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' ')?.parse().ok())
}
