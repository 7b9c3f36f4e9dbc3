//! `nfdhcpd wait`, as hooks use it: right after they wrote a binding, before the tap is there, many at once.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::Command;

use serde_json::Value;

use crate::harness::{Guest, Lab, Process, SCRATCH, soon, tests};

tests!(wait:
    rewritten_file_is_never_answered_from_the_old_one,
    waits_for_the_file_and_then_for_the_tap,
    rejected_file_ends_it_at_once,
    time_is_up,
    nobody_is_there_to_wait_for,
    many_wait_and_others_are_heard,
    who_hangs_up_is_forgotten,
    no_more_wait_than_there_is_room_for,
);

const PROGRAM: &str = env!("CARGO_BIN_EXE_nfdhcpd");
const SOCKET: &str = "/run/nfdhcpd/control.sock";
/// How many may wait at once.
const WAITERS: usize = 256;

/// In each of the ways that hooks have: what is told right afterwards is what was written.
fn rewritten_file_is_never_answered_from_the_old_one(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    let path = lab.binding_path(&guest);
    let write_in_place = |text: &str| fs::write(&path, text).unwrap();
    let write_beside = |text: &str| fs::write(format!("{path}.tmp"), text).unwrap();
    let rename_in = |text: &str| {
        write_beside(text);
        fs::rename(format!("{path}.tmp"), &path).unwrap();
    };
    let remove_and_write = |text: &str| {
        fs::remove_file(&path).unwrap();
        write_in_place(text);
    };
    // Nothing but its name tells of such a file: the daemon leaves its writer time.
    let remove_and_link = |text: &str| {
        write_beside(text);
        fs::remove_file(&path).unwrap();
        fs::hard_link(format!("{path}.tmp"), &path).unwrap();
        fs::remove_file(format!("{path}.tmp")).unwrap();
    };
    let ways: [&dyn Fn(&str); 4] = [&write_in_place, &rename_in, &remove_and_write, &remove_and_link];
    for round in 20..220_u8 {
        let address = format!("192.0.2.{round}");
        let good = guest.binding().replace("192.0.2.11", &address);
        let way = ways[usize::from(round) % ways.len()];
        way(&good);
        assert_eq!(answer(&wait("tap1", 10_000))["result"], "serving", "round {round}");
        assert_eq!(show("tap1")["binding"]["ipv4"]["address"], address.as_str());
        way(&good.replace(&address, "192.0.2.300"));
        let waited = answer(&wait("tap1", 10_000));
        assert_eq!(waited["result"], "rejected", "round {round}");
        assert!(waited["reason"].as_str().unwrap().contains("IP=\"192.0.2.300\""), "{waited}");
    }
}

fn waits_for_the_file_and_then_for_the_tap(lab: &mut Lab) {
    let mut guest = Guest::new(1);
    lab.start();
    let mut hook = Process::start(command("wait", &["tap1", "--timeout", "5m"]), "hook");
    assert_eq!(
        run(&["tap1", "--timeout", "0"]),
        (3, "tap1: not served after 0 s: it has no binding file\n".to_owned())
    );
    lab.bind(&guest, &guest.binding());
    let (status, output) = run(&["tap1", "--timeout", "1ms"]);
    assert_eq!((status, output.as_str()), (3, "tap1: not served after 1 ms: there is no interface of this name\n"));
    assert_eq!(hook.ended(), None);
    guest.plug();
    assert!(hook.wait().success(), "{}", hook.log());
    assert_eq!(run(&["tap1"]), (0, String::new()));
    // A tap that goes is missed, and may come back.
    guest.unplug();
    assert_eq!(run(&["tap1", "--timeout", "0"]).0, 3);
    fs::remove_file(lab.binding_path(&guest)).unwrap();
    assert!(run(&["tap1", "--timeout", "0"]).1.ends_with(": it has no binding file\n"));
}

fn rejected_file_ends_it_at_once(lab: &mut Lab) {
    let guest = lab.guest(1);
    fs::write(format!("{SCRATCH}/bindings/tap2"), "MAC=aa\u{1b}[2J\n").unwrap();
    lab.start();
    let (status, output) = run(&["tap2", "--timeout", "5m"]);
    assert_eq!(status, 1, "{output}");
    assert!(output.starts_with("tap2: rejected: ") && output.contains("MAC=\"aa\\u{1b}[2J\""), "{output}");
    assert_eq!(run(&["tap1"]), (0, String::new()));
    lab.bind(&guest, "MAC=aa:00:00:00:00:01\n");
    let (status, output) = run(&["tap1", "--timeout", "5m"]);
    assert_eq!(status, 1, "the last good one is still in force, and not what the file says: {output}");
    assert!(output.contains("HOSTNAME: required"), "{output}");
    // While it waits.
    let mut hook = Process::start(command("wait", &["tap3", "--timeout", "5m"]), "hook");
    soon("a caller that waits", || (run(&["tap3", "--timeout", "0"]).0 == 3).then_some(()));
    fs::write(format!("{SCRATCH}/bindings/tap3"), "MAC=x\n").unwrap();
    assert_eq!(hook.wait().code(), Some(1), "{}", hook.log());
}

fn time_is_up(lab: &mut Lab) {
    lab.start();
    for timeout in ["0", "1ms", "50ms", "1"] {
        let (status, output) = run(&["tap1", "--timeout", timeout]);
        assert_eq!(status, 3, "{output}");
    }
}

fn nobody_is_there_to_wait_for(lab: &mut Lab) {
    lab.start();
    lab.stop();
    let (status, output) = run(&["tap1", "--timeout", "5m"]);
    assert_eq!(status, 2, "{output}");
    assert!(output.contains("(no daemon is running there)"), "{output}");
    lab.launch(&crate::harness::Config::default());
    let mut hook = Process::start(command("wait", &["tap1", "--timeout", "5m"]), "hook");
    let is_asked = |line: &&str| line.ends_with(SOCKET);
    soon("a hook that waits", || {
        (fs::read_to_string("/proc/net/unix").unwrap().lines().filter(is_asked).count() > 1).then_some(())
    });
    lab.stop();
    assert_eq!(hook.wait().code(), Some(2), "{}", hook.log());
}

fn many_wait_and_others_are_heard(lab: &mut Lab) {
    let mut guest = Guest::new(1);
    lab.bind(&guest, &guest.binding());
    lab.start();
    let hooks: Vec<_> = (0..60).map(|_| wait("tap1", 300_000)).collect();
    assert_eq!(show("tap1")["state"], "pending");
    let more: Vec<_> =
        (0..4).map(|n| Process::start(command("wait", &["tap1", "--timeout", "5m"]), &format!("hook{n}"))).collect();
    let (status, shown) = output(command("show", &[]));
    assert_eq!(status, 0, "{shown}");
    guest.plug();
    for hook in &hooks {
        assert_eq!(answer(hook)["result"], "serving");
    }
    for mut hook in more {
        assert!(hook.wait().success(), "{}", hook.log());
    }
}

fn who_hangs_up_is_forgotten(lab: &mut Lab) {
    lab.start();
    let descriptors = || fs::read_dir(format!("/proc/{}/fd", lab.daemon().pid())).unwrap().count();
    assert_eq!(run(&["tap1", "--timeout", "0"]).0, 3);
    let before = soon("nobody on the line", || {
        let lines = fs::read_to_string("/proc/net/unix").unwrap();
        (lines.lines().filter(|line| line.ends_with(SOCKET)).count() == 1).then(descriptors)
    });
    let hooks: Vec<_> = (0..60).map(|_| wait("tap1", 300_000)).collect();
    soon("all that wait", || (descriptors() == before + hooks.len()).then_some(()));
    drop(hooks);
    soon("their end", || (descriptors() == before).then_some(()));
}

fn no_more_wait_than_there_is_room_for(lab: &mut Lab) {
    let mut guest = Guest::new(1);
    lab.bind(&guest, &guest.binding());
    lab.start();
    let mut hooks: Vec<_> = (0..WAITERS).map(|_| wait("tap1", 300_000)).collect();
    let descriptors = || fs::read_dir(format!("/proc/{}/fd", lab.daemon().pid())).unwrap().count();
    soon("all that wait", || (descriptors() > WAITERS).then_some(()));
    let (status, output) = soon("one too many", || Some(run(&["tap1", "--timeout", "1ms"])).filter(|end| end.0 == 2));
    assert!(output.contains("too many wait already"), "{status}: {output}");
    assert_eq!(show("tap1")["state"], "pending");
    drop(hooks.pop());
    soon("room", || (run(&["tap1", "--timeout", "1ms"]).0 == 3).then_some(()));
    guest.plug();
    hooks.iter().for_each(|hook| assert_eq!(answer(hook)["result"], "serving"));
}

/// Asks to wait.
fn wait(tap: &str, timeout_ms: u64) -> UnixStream {
    ask(&format!("{{\"command\":\"wait\",\"tap\":\"{tap}\",\"timeout_ms\":{timeout_ms}}}\n"))
}

/// How a tap stands.
#[track_caller]
fn show(tap: &str) -> Value {
    let answer = read(&ask(&format!("{{\"command\":\"show\",\"tap\":\"{tap}\"}}\n")));
    answer[0]["tap"].clone()
}

fn ask(request: &str) -> UnixStream {
    let mut stream = UnixStream::connect(SOCKET).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// How waiting ended.
#[track_caller]
fn answer(stream: &UnixStream) -> Value {
    let answer = read(stream);
    assert!(answer.len() == 2 && answer[1].get("end").is_some(), "{answer:?}");
    answer[0]["waited"].clone()
}

#[track_caller]
fn read(mut stream: &UnixStream) -> Vec<Value> {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn command(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args([name, "-c", &format!("{SCRATCH}/nfdhcpd.conf")]).args(arguments);
    command
}

/// `nfdhcpd wait`: exit status and output.
fn run(arguments: &[&str]) -> (i32, String) {
    output(command("wait", arguments))
}

fn output(mut command: Command) -> (i32, String) {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.code().unwrap(), text)
}
