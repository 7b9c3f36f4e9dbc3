//! `nfdhcpd replay`, `check`, `bind`, `unbind`, `show`, `top`, `wait` and `trace` as an operator uses them: options, messages, exit statuses.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a panic is how a test fails")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read and write files and sockets")]

#[path = "commands/bind.rs"]
mod bind;
mod corpus;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

fn nfdhcpd(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nfdhcpd"));
    command.args(args).current_dir(corpus::directory());
    command
}

fn run(args: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = nfdhcpd(args).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// A new, empty directory for one test.
fn scratch(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("commands").join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

const MESSAGES: &str = "dhcpv4-messages/input.pcap";
const BINDINGS: &str = "dhcpv4-messages/bindings";

#[test]
fn replay_needs_no_configuration() {
    let (status, stdout, stderr) = run(&["replay", "identity-by-mac/input.pcap", "--bindings", BINDINGS]);
    assert_eq!((status, stderr.as_str()), (0, ""));
    for kind in ["[dhcpv4_offer]", "[ra_solicited]", "[na_own]", "[dhcpv6_information]"] {
        assert!(stdout.contains(kind), "{kind} is not in\n{stdout}");
    }
    assert!(stdout.contains("server 192.0.2.1"), "the gateway is not the server:\n{stdout}");
}

#[test]
fn replay_answers_every_guest_of_a_large_bridge() {
    let bindings = scratch("large-bridge");
    let binding = fs::read_to_string(corpus::directory().join(BINDINGS).join("tap1")).unwrap();
    for number in 1..=100 {
        let text = binding.replace("00:01\n", &format!("00:{number:02x}\n")) + "INDEV=vmbr0\n";
        fs::write(bindings.join(format!("tap{number}")), text).unwrap();
    }
    let (status, stdout, stderr) =
        run(&["replay", "identity-by-mac/input.pcap", "--bindings", bindings.to_str().unwrap()]);
    assert_eq!((status, stderr.as_str()), (0, ""));
    for kind in ["[dhcpv4_offer]", "[ra_solicited]", "[na_own]", "[dhcpv6_information]"] {
        assert!(stdout.contains(kind), "{kind} is not in\n{stdout}");
    }
}

#[test]
fn replay_takes_the_tap_and_the_mac_that_it_is_told() {
    let args = ["replay", "identity-by-mac/input.pcap", "--bindings", BINDINGS, "--tap", "tap1"];
    let (_, stdout, _) = run(&[&args[..], &["--indev-mac", "02:00:00:00:00:fe"]].concat());
    let lines: Vec<&str> = stdout.lines().collect();
    assert!(lines[1].contains("RA to"), "{}", lines[1]);
    assert!(lines[4].contains(" tap1: ") && lines[4].contains("[spoofed_frame]"), "{}", lines[4]);
    let replies = scratch("indev-mac").join("out.pcap");
    run(&[&args[..], &["--indev-mac", "02:00:00:00:00:fe", "-w", replies.to_str().unwrap()]].concat());
    assert!(corpus::frames(&replies).iter().all(|frame| frame[6..12] == [2, 0, 0, 0, 0, 0xfe]));
}

#[test]
fn replay_answers_what_comes_before_the_end_of_a_truncated_capture() {
    let truncated = scratch("truncated").join("in.pcap");
    let bytes = fs::read(corpus::directory().join(MESSAGES)).unwrap();
    fs::write(&truncated, &bytes[..24 + 2 * (16 + 320)]).unwrap();
    let (status, stdout, stderr) = run(&["replay", truncated.to_str().unwrap(), "--bindings", BINDINGS]);
    assert_eq!(status, 1);
    assert!(stdout.contains("[dhcpv4_offer]") && stdout.contains("answered: "), "{stdout}");
    assert!(stderr.ends_with("the capture is cut off in the middle of a packet or header\n"), "{stderr}");
}

#[test]
fn replay_does_not_overwrite_what_it_reads() {
    let path = scratch("same").join("in.pcap");
    let bytes = fs::read(corpus::directory().join(MESSAGES)).unwrap();
    fs::write(&path, &bytes).unwrap();
    let path = path.to_str().unwrap();
    let (status, _, stderr) = run(&["replay", path, "--bindings", BINDINGS, "-w", path]);
    assert_eq!((status, fs::read(path).unwrap() == bytes), (1, true), "{stderr}");
}

#[test]
fn replay_ends_quietly_when_nobody_reads_on() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = nfdhcpd(&["replay", MESSAGES, "--bindings", BINDINGS]);
    let Output { status, stderr, .. } = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((status.code(), stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn replay_says_what_is_wrong_with_its_arguments() {
    let bad = scratch("bad").join("nfdhcpd.conf");
    fs::write(&bad, "[dhcp]\nserver_ip = here\n").unwrap();
    let bad = bad.to_str().unwrap();
    for (args, expected_status, expected) in [
        (&["replay", MESSAGES, "--bindings", "none"][..], 1, "none"),
        (&["replay", "none.pcap", "--bindings", BINDINGS], 1, "none.pcap"),
        (&["replay", "README.md", "--bindings", BINDINGS], 1, "neither a pcap nor a pcapng file"),
        (&["replay", MESSAGES, "--bindings", BINDINGS, "-c", bad], 2, "nfdhcpd.conf:2: dhcp.server_ip"),
        (&["replay", MESSAGES, "--bindings", BINDINGS, "-c", "none.conf"], 2, "none.conf"),
        (&["replay", MESSAGES, "--bindings", BINDINGS, "-w", "none/out.pcap"], 1, "none/out.pcap"),
        (&["replay", MESSAGES, "--bindings", BINDINGS, "--tap", "a/b"], 2, "--tap"),
        (&["replay", MESSAGES], 2, "--bindings"),
    ] {
        let (status, _, stderr) = run(args);
        assert_eq!(status, expected_status, "{args:?}: {stderr}");
        assert!(stderr.contains(expected), "{args:?}: {stderr}");
    }
}

#[test]
fn check_shows_every_fault_and_its_status_says_the_worst() {
    let (conf, bindings) = ("dhcpv4-bindings/nfdhcpd.conf", "dhcpv4-bindings/bindings");
    let (status, stdout, _) = run(&["check", "-c", conf, "--bindings", bindings]);
    assert_eq!(status, 1, "{stdout}");
    for line in [
        "warning: dhcpv4-bindings/bindings/tap16:9: PRIVATE=\"no\": ",
        "error: dhcpv4-bindings/bindings/tap18:3: IP=\"198.51.100.7\": outside SUBNET",
        "error: dhcpv4-bindings/bindings/tap19: MAC: required",
        "error: dhcpv4-bindings/bindings/tap20:9: DOMAIN_SEARCH: the reply would not fit 1500 bytes",
        "17 bindings good, 3 rejected",
    ] {
        assert!(stdout.lines().any(|found| found.starts_with(line)), "{line} is not in\n{stdout}");
    }
    let (status, stdout, _) = run(&["check", "-c", conf, "--bindings", BINDINGS]);
    assert_eq!((status, stdout.as_str()), (0, "1 binding good, 0 rejected\n"));
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let Output { status, stderr, .. } =
        nfdhcpd(&["check", "-c", conf, "--bindings", BINDINGS]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert!(status.code() == Some(1) && stderr.starts_with("error: standard output: "), "{stderr}");
}

#[test]
fn check_warns_of_what_is_set_in_vain_and_takes_it() {
    let (conf, bindings) = ("dhcpv4-ipv6-mostly/nfdhcpd.conf", "dhcpv4-ipv6-mostly/bindings");
    let (status, stdout, _) = run(&["check", "-c", conf, "--bindings", bindings]);
    assert_eq!(status, 0, "{stdout}");
    let doubt = "warning: dhcpv4-ipv6-mostly/bindings/tap4:10: V6ONLY_WAIT: the guest may give up IPv4, but has no";
    assert!(stdout.lines().any(|line| line.starts_with(doubt)), "{stdout}");
    assert!(stdout.ends_with("\n6 bindings good, 0 rejected\n"), "{stdout}");
}

#[test]
fn check_reads_bindings_where_the_configuration_says_and_in_spite_of_its_faults() {
    let directory = scratch("check");
    let bindings = directory.join("bindings");
    fs::create_dir(&bindings).unwrap();
    fs::write(bindings.join("tap1"), "MAC=nonsense\nHOSTNAME=a\n").unwrap();
    fs::write(bindings.join(".hidden"), "MAC=nonsense\n").unwrap();
    fs::create_dir(bindings.join("folder")).unwrap();
    let conf = directory.join("nfdhcpd.conf");
    let write = |text: &str| fs::write(&conf, format!("[general]\ndatapath = {}\n{text}", bindings.display())).unwrap();
    let check = || run(&["check", "-c", conf.to_str().unwrap()]);

    write("[dhcp]\nserver_ip = 192.0.2.1\nserverip = 1\n[ipv6]\nenable_ipv6 = no\n");
    let (status, stdout, _) = check();
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!((status, lines.len()), (1, 3), "{stdout}");
    assert!(lines[0].starts_with("warning: ") && lines[0].contains("serverip"), "{stdout}");
    assert!(lines[1].starts_with("error: ") && lines[1].contains("tap1:1: MAC=\"nonsense\""), "{stdout}");
    assert_eq!(lines[2], "0 bindings good, 1 rejected");

    write("[dhcp]\nserver_ip = here\nserverip = 1\n");
    let (status, stdout, _) = check();
    assert_eq!(status, 2);
    assert!(stdout.contains("error: ") && stdout.contains("--bindings"), "{stdout}");
    assert!(stdout.starts_with("warning: ") && stdout.contains("did you mean server_ip?"), "{stdout}");
    let args = ["check", "-c", conf.to_str().unwrap(), "--bindings", bindings.to_str().unwrap()];
    let (status, stdout, _) = run(&args);
    assert_eq!(status, 2);
    assert!(stdout.contains("server_ip") && stdout.contains("tap1:1: MAC"), "{stdout}");

    write("user = no-such-user\n[dhcp]\nserver_ip = 192.0.2.1\n[ipv6]\nenable_ipv6 = no\n");
    let (status, stdout, _) = check();
    assert_eq!(status, 2);
    let fault = "nfdhcpd.conf:3: general.user = \"no-such-user\": no user of this name on this machine";
    assert!(stdout.contains(fault) && stdout.contains("tap1:1: MAC"), "{stdout}");

    write("control_group = no-such-group\n[dhcp]\nserver_ip = 192.0.2.1\n[ipv6]\nenable_ipv6 = no\n");
    let (_, stdout, _) = check();
    let warning = "nfdhcpd.conf:3: general.control_group = \"no-such-group\": no group of this name on this machine";
    assert!(stdout.contains(warning) && stdout.contains("warning: "), "{stdout}");

    // What is unknown to the machine is told with what is wrong in itself.
    write("user = no-such-user\ncontrol_group = no-such-group\nlog_format = xml\n[dhcp]\nserver_on_link = yes\n");
    let (status, stdout, _) = check();
    assert_eq!(status, 2);
    for fault in
        ["general.log_format = \"xml\"", "general.user = \"no-", "general.control_group = \"no-", "ipv6.mode: auto"]
    {
        assert!(stdout.contains(fault), "{fault} is not in\n{stdout}");
    }
    // The daemon tells warnings as well when it does not start.
    write("log_format = xml\nlog_fromat = json\n");
    let (status, _, stderr) = run(&["-c", conf.to_str().unwrap()]);
    assert_eq!(status, 2);
    let warning = stderr.lines().any(|line| line.starts_with("warning: ") && line.contains("did you mean log_format?"));
    assert!(warning && stderr.contains("error: ") && stderr.contains("\"xml\""), "{stderr}");

    fs::remove_dir_all(&bindings).unwrap();
    write("[dhcp]\nserver_ip = 192.0.2.1\n[ipv6]\nenable_ipv6 = no\n");
    let (status, stdout, _) = check();
    let bindings = bindings.display();
    let fault = format!(
        "error: {}:2: general.datapath = \"{bindings}\": the directory of bindings cannot be read: No such",
        conf.display()
    );
    assert!(status == 2 && stdout.starts_with(&fault), "{stdout}");
    let (status, stdout, _) = run(&args);
    assert!(
        status == 2 && stdout.starts_with(&format!("error: --bindings=\"{bindings}\": cannot be read: No such")),
        "{stdout}"
    );
}

/// What root can read and the daemon cannot. Modes are looked at by root alone, who can read all.
#[test]
fn check_warns_of_what_the_daemon_may_not_be_able_to_read() {
    let directory = scratch("reach");
    let (bindings, elsewhere) = (directory.join("lib/bindings"), directory.join("elsewhere"));
    let conf = directory.join("etc/nfdhcpd.conf");
    for folder in [&bindings, &elsewhere, &directory.join("etc")] {
        fs::create_dir_all(folder).unwrap();
    }
    let text = fs::read_to_string(corpus::directory().join(BINDINGS).join("tap1")).unwrap();
    for path in [bindings.join("tap1"), bindings.join("tap2"), directory.join("lib/near"), elsewhere.join("far")] {
        fs::write(path, &text).unwrap();
    }
    symlink("../near", bindings.join("tap3")).unwrap();
    symlink(elsewhere.join("far"), bindings.join("tap4")).unwrap();
    let check = |sandbox: &str, mode: u32| {
        let user = "user = 4294967294\n[dhcp]\nserver_ip = 192.0.2.1\n[ipv6]\nenable_ipv6 = no\n";
        let text = format!("[general]\nsandbox = {sandbox}\ndatapath = {}\n{user}", bindings.display());
        fs::write(&conf, text).unwrap();
        let others = mode & 0o077;
        for (path, mode) in [(&bindings, 0o700 | others), (&conf, mode), (&bindings.join("tap2"), mode)] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        let (status, stdout, _) = run(&["check", "-c", conf.to_str().unwrap()]);
        assert_eq!(status, 0, "{stdout}");
        let warnings = stdout.lines().filter_map(|line| line.strip_prefix("warning: ")).map(str::to_owned);
        // All of these guests are the same.
        warnings.filter(|warning| !warning.contains(" has it as well")).collect::<Vec<_>>()
    };
    assert_eq!(check("no", 0o655), [""; 0]);
    let beyond = "tap4: a link to where the sandbox does not let the daemon read (general.sandbox)";
    assert_eq!(check("yes", 0o655), [format!("{}/{beyond}", bindings.display())]);
    // In a user namespace root may not have this user.
    let has_all_users = fs::read_to_string("/proc/self/uid_map").unwrap().contains("4294967295");
    if has_all_users && fs::metadata("/proc/self").unwrap().uid() == 0 {
        let warnings = check("no", 0o600);
        let starts = [("etc/nfdhcpd.conf", "0600"), ("lib/bindings", "0700"), ("lib/bindings/tap2", "0600")];
        let starts = starts.map(|(path, mode)| format!("{}: mode {mode}: ", directory.join(path).display()));
        assert_eq!(warnings.len(), starts.len(), "{warnings:?}");
        assert!(warnings.iter().zip(&starts).all(|(warning, start)| warning.starts_with(start)), "{warnings:?}");
    }
}

#[test]
fn two_guests_with_one_address_are_told_of() {
    let directory = scratch("twins");
    let conf = directory.join("nfdhcpd.conf");
    for (number, ip, indev) in [(1, 1, "br0"), (2, 2, "br0"), (3, 1, "br0"), (4, 1, "br1")] {
        let text = format!("INDEV={indev}\nMAC=aa:00:00:00:00:0{number}\nHOSTNAME=a\nIP=192.0.2.{ip}\n");
        fs::write(directory.join(format!("tap{number}")), text).unwrap();
    }
    let text = "[dhcp]\nserver_ip = 192.0.2.9\n[ipv6]\nenable_ipv6 = no\n[general]\nsandbox = no\ndatapath = ";
    fs::write(&conf, format!("{text}{}\n", directory.display())).unwrap();
    let reason = |tap| format!("the guest of {tap} has it as well; one of them is not reached");
    let conf = conf.to_str().unwrap();
    let (_, stdout, _) = run(&["check", "-c", conf]);
    let told: Vec<_> = stdout.lines().filter(|line| line.contains(" has it as well")).collect();
    let expected = format!("warning: {}/tap3:4: IP=\"192.0.2.1\": {}", directory.display(), reason("tap1"));
    assert!(told.len() == 1 && told[0].starts_with(&expected), "{stdout}");
    let socket = directory.join("none.sock");
    for (tap, other) in [("tap1", Some("tap3")), ("tap2", None), ("tap3", Some("tap1")), ("tap4", None)] {
        let (_, stdout, _) = run(&["explain", tap, "-c", conf, "--socket", socket.to_str().unwrap(), "--json"]);
        let expected = other.map(|other| format!("IP=192.0.2.1: {}", reason(other)));
        assert_eq!(stdout.contains("has it as well"), expected.is_some(), "{stdout}");
        assert!(expected.is_none_or(|expected| stdout.contains(&expected)), "{stdout}");
    }
}

#[test]
fn what_is_no_name_of_a_tap_is_told_alike() {
    for command in ["show", "explain", "wait", "trace", "bind", "unbind"] {
        for name in ["a/b", "..", "sixteen-letters-"] {
            let (status, stdout, stderr) = run(&[command, name]);
            let expected = format!("error: invalid value '{name}' for '");
            assert!((status, stdout.as_str()) == (2, "") && stderr.starts_with(&expected), "{command}: {stderr}");
            let reason = stderr.lines().next().unwrap().split_once("': not an interface name: ");
            assert!(reason.is_some(), "{command}: {stderr}");
        }
    }
}

#[test]
fn show_says_why_there_is_no_daemon_to_ask() {
    let directory = scratch("show");
    let conf = directory.join("nfdhcpd.conf");
    fs::write(directory.join("dead.sock"), "").unwrap();
    let at = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    drop(UnixListener::bind(at("stale.sock")).unwrap());
    for (general, arguments, expected) in [
        ("", vec!["--socket".to_owned(), at("none.sock")], "none.sock: No such file"),
        ("", vec!["--socket".to_owned(), at("stale.sock")], "(no daemon is running there)"),
        ("", vec!["--json".to_owned(), "--socket".to_owned(), at("dead.sock")], "dead.sock: "),
        ("control_socket = none\n", vec![], "nfdhcpd.conf: general.control_socket is none"),
        ("control_socket = x\n", vec![], "nfdhcpd.conf:2: general.control_socket = \"x\": neither an absolute path"),
        ("control_socket = x\n", vec![], "; --socket says where the daemon's socket is"),
        ("control_socket = /nowhere/x\n", vec!["tap0".to_owned()], "/nowhere/x: No such file"),
    ] {
        fs::write(&conf, format!("[general]\n{general}[dhcp]\nserver_on_link = 1\n[ipv6]\nenable_ipv6 = 0\n")).unwrap();
        let conf = ["show", "-c", conf.to_str().unwrap()];
        let arguments: Vec<&str> = conf.into_iter().chain(arguments.iter().map(String::as_str)).collect();
        let (status, stdout, stderr) = run(&arguments);
        assert_eq!((status, stdout.as_str()), (2, ""), "{stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains(expected), "{expected} is not in {stderr}");
    }
}

/// Whoever listens there may not be a daemon, or not a well one.
#[test]
fn show_takes_no_nonsense_for_an_answer() {
    let socket = scratch("nonsense").join("s");
    let listener = UnixListener::bind(&socket).unwrap();
    let node = r#"{"node":{"version":"9\u001b","uptime_seconds":1,"counters":{"x\u009b":1}}}"#;
    for (answer, expected_status, expected) in [
        (String::new(), 2, "the daemon's answer ended early"),
        (format!("{node}\n"), 2, "the daemon's answer ended early"),
        ("HTTP/1.1 400 Bad Request\r\n".to_owned(), 2, "not the answer of a daemon: "),
        ("\u{1b}".repeat(2 << 20), 2, "the daemon's answer ended early"),
        (r#"{"error":{"kind":"unknown_tap","message":"no\u001b[2J"}}"#.to_owned() + "\n", 1, r"error: no\u{1b}[2J"),
        (r#"{"error":{"kind":"of_a_later_version","message":"no"}}"#.to_owned() + "\n", 2, "error: no\n"),
        (format!("{node}\n{{\"end\":{{}}}}\n"), 0, r"nfdhcpd 9\u{1b}, running for 1 s"),
    ] {
        let listener = listener.try_clone().unwrap();
        let daemon = thread::spawn(move || {
            let caller = listener.accept().unwrap().0;
            let mut request = String::new();
            BufReader::new(&caller).read_line(&mut request).unwrap();
            assert_eq!(request, "{\"command\":\"show\",\"tap\":null}\n");
            // The program may have heard enough.
            let _ = (&caller).write_all(answer.as_bytes());
        });
        let (status, stdout, stderr) = run(&["show", "--socket", socket.to_str().unwrap()]);
        daemon.join().unwrap();
        let output = stdout + &stderr;
        assert_eq!(status, expected_status, "{output}");
        assert!(output.contains(expected) && !output.contains(['\u{1b}', '\u{9b}']), "{expected} is not in {output}");
    }
}

#[test]
fn wait_says_what_is_wrong_with_its_arguments() {
    for (arguments, expected) in [
        (&[][..], "<TAP>"),
        (&["a/b"], "'a/b'"),
        (&["tap0", "--timeout", "soon"], "neither 2s, 500ms, 1m nor a number of seconds"),
        (&["tap0", "--timeout", "301"], "more than 5m"),
        (&["tap0", "--socket", "none.sock"], "none.sock: No such file"),
    ] {
        let (status, stdout, stderr) = run(&[&["wait"], arguments].concat());
        assert_eq!((status, stdout.as_str()), (2, ""), "{stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains(expected), "{expected} is not in {stderr}");
    }
}

/// The exit status says how it ended, and what the daemon says is not obeyed.
#[test]
fn wait_ends_as_the_daemon_says() {
    let end = "{\"end\":{}}\n";
    let waited = |result: &str, reason: &str| {
        format!("{{\"waited\":{{\"tap\":\"tap0\",\"result\":\"{result}\",\"reason\":{reason}}}}}\n{end}")
    };
    for (answer, expected_status, expected) in [
        (waited("serving", "null"), 0, ""),
        (waited("rejected", "\"bad\\u001b\""), 1, "tap0: rejected: bad\\u{1b}\n"),
        (waited("timeout", "\"why\""), 3, "tap0: not served after 1500 ms: why\n"),
        (waited("of_a_later_version", "null"), 2, "error: "),
        (r#"{"error":{"kind":"busy","message":"too many"}}"#.to_owned() + "\n", 2, "error: too many\n"),
        (end.to_owned(), 2, "the daemon's answer ended early\n"),
        (String::new(), 2, "the daemon's answer ended early\n"),
    ] {
        let socket = scratch("wait").join("s");
        let listener = UnixListener::bind(&socket).unwrap();
        let daemon = thread::spawn(move || {
            let caller = listener.accept().unwrap().0;
            let mut request = String::new();
            BufReader::new(&caller).read_line(&mut request).unwrap();
            assert_eq!(request, "{\"command\":\"wait\",\"tap\":\"tap0\",\"timeout_ms\":1500}\n");
            (&caller).write_all(answer.as_bytes()).unwrap();
        });
        let (status, stdout, stderr) =
            run(&["wait", "tap0", "--timeout", "1500ms", "--socket", socket.to_str().unwrap()]);
        daemon.join().unwrap();
        assert_eq!((status, stdout.as_str()), (expected_status, ""), "{stderr}");
        assert!(stderr.contains(expected) && (!stderr.is_empty() || status == 0), "{expected} is not in {stderr}");
    }
}

#[test]
fn trace_says_what_is_wrong_and_obeys_nothing_that_it_is_told() {
    for (arguments, expected) in [(&["a/b"][..], "'a/b'"), (&["--socket", "none.sock"], "none.sock: No such file")] {
        let (status, stdout, stderr) = run(&[&["trace"], arguments].concat());
        assert_eq!((status, stdout.as_str()), (2, ""), "{stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains(expected), "{expected} is not in {stderr}");
    }
    let noticed = r#"{"noticed":{"unix_ms":1,"tap":"tap0","event":"rejected","message":"b\u001b[2J"}}"#;
    let lost = r#"{"lost":{"count":7}}"#;
    let answer = format!("{{\"following\":{{}}}}\n{noticed}\n{lost}\n");
    let shown = "00:00:00.001 tap0: rejected: b\\u{1b}[2J\n(7 more, which came too fast to be shown)\n";
    for (json, expected) in [(&[][..], shown), (&["--json"], answer.as_str())] {
        let socket = scratch("trace").join("s");
        let listener = UnixListener::bind(&socket).unwrap();
        let answer = answer.clone();
        let daemon = thread::spawn(move || {
            let caller = listener.accept().unwrap().0;
            let mut request = String::new();
            BufReader::new(&caller).read_line(&mut request).unwrap();
            assert_eq!(request, "{\"command\":\"trace\",\"tap\":\"tap0\"}\n");
            (&caller).write_all(answer.as_bytes()).unwrap();
        });
        let (status, stdout, stderr) = run(&[&["trace", "tap0", "--socket", socket.to_str().unwrap()], json].concat());
        daemon.join().unwrap();
        assert_eq!((status, stdout.as_str()), (2, expected), "{stderr}");
        assert!(stderr.ends_with("the daemon's answer ended early\n"), "{stderr}");
    }
}

#[test]
fn top_needs_a_terminal() {
    let (status, stdout, stderr) = run(&["top", "--socket", "none.sock"]);
    assert_eq!((status, stdout.as_str()), (1, ""), "{stderr}");
    assert_eq!(stderr, "error: standard output is no terminal; see \"nfdhcpd show\"\n");
}
