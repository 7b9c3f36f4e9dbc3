//! Outside: two emulators, and what their guests say.
//!
//! ```text
//! ttyS0  the kernel's console   ──► a file, whose end is shown if the guest dies
//! ttyS1  the tests, as they are ──► our output, up to the line "status N"
//! ```

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::Test;

/// Says inside that this is inside. Its value is the folder of the kernel and its modules.
const FOLDER: &str = "TOPOLOGIES";

/// Which guest this is.
const NUMBER: &str = "TOPOLOGIES_GUEST";

/// How many there are. Each has one processor: an emulator with two takes twice the time for the same.
const GUESTS: usize = 2;

/// A guest that takes longer has come to nothing.
const DEADLINE: Duration = Duration::from_secs(600);

/// How much of the console is shown.
const LAST_LINES: usize = 80;

/// Whether this process runs in a guest.
pub(crate) fn is_this() -> bool {
    env::var_os(FOLDER).is_some()
}

/// The tests that are this guest's to run.
pub(crate) fn share(tests: impl Iterator<Item = Test>) -> impl Iterator<Item = Test> {
    let number: usize = env::var(NUMBER).map_or(0, |number| number.parse().unwrap());
    tests.skip(number).step_by(if is_this() { GUESTS } else { 1 })
}

/// Boots the guests, has them run the tests that `words` choose, and passes on what they say, one after the other.
pub(crate) fn boot(words: &[&str]) -> ExitCode {
    let folder = concat!(env!("CARGO_TARGET_TMPDIR"), "/topologies");
    if let Err(reason) = prepare(folder) {
        return failed(&reason, "");
    }
    let guests: Vec<Guest> = (0..GUESTS).map(|number| Guest::boot(folder, number, words)).collect();
    let failures = guests.into_iter().filter_map(|guest| guest.listen().err()).count();
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Fetches the kernel, if it is not there.
fn prepare(folder: &str) -> Result<(), String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/topologies/kernel.sh");
    let status = Command::new(script).arg(folder).status().map_err(|error| format!("{script}: {error}"))?;
    status.success().then_some(()).ok_or(format!("{script}: {status}"))
}

/// In the words of every other test, for who counts them.
fn failed(reason: &str, console: &str) -> ExitCode {
    let lines: Vec<&str> = console.lines().collect();
    println!("{}", lines[lines.len().saturating_sub(LAST_LINES)..].join("\n"));
    println!("{reason}\ntest the_guest_runs_its_tests ... FAILED\n");
    println!("test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out");
    ExitCode::FAILURE
}

/// A running emulator.
struct Guest {
    emulator: Child,
    console: String,
    lines: Receiver<String>,
    start: Instant,
}

impl Guest {
    fn boot(folder: &str, number: usize, words: &[&str]) -> Self {
        let console = format!("{folder}/console.{number}");
        let mut command = emulator(folder, &console, &parameters(folder, number, words));
        let mut emulator = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let lines = lines(emulator.stdout.take().unwrap());
        Self { emulator, console, lines, start: Instant::now() }
    }

    /// Passes on what its tests print. It is an error if they fail, or never end.
    fn listen(mut self) -> Result<(), ()> {
        let status = self.pass_on();
        let _ = self.emulator.kill();
        self.emulator.wait().unwrap();
        let console = fs::read_to_string(&self.console).unwrap_or_default();
        let _ = fs::remove_file(&self.console);
        if status.is_none() {
            failed(&format!("a guest did not get to the end in {:?}", self.start.elapsed()), &console);
        }
        if status.as_deref() == Some("0") { Ok(()) } else { Err(()) }
    }

    /// Every line but the last, which has the exit status.
    fn pass_on(&self) -> Option<String> {
        loop {
            let line = self.lines.recv_timeout(DEADLINE.saturating_sub(self.start.elapsed())).ok()?;
            match line.trim_end_matches('\r').strip_prefix("status ") {
                Some(status) => return Some(status.to_owned()),
                None => println!("{}", line.trim_end_matches('\r')),
            }
        }
    }
}

/// What the kernel is told, and after the dashes what its init is.
fn parameters(folder: &str, number: usize, words: &[&str]) -> String {
    let strict = env::var("NFDHCPD_STRICT").unwrap_or_default();
    format!(
        "console=ttyS0 quiet panic=-1 mitigations=off {FOLDER}={folder} {NUMBER}={number} LAB_PATIENCE=5 \
         NFDHCPD_STRICT={strict} -- {} --color never {}",
        env::current_exe().unwrap().display(),
        words.join(" ")
    )
}

/// No hardware virtualization, which build machines rarely have; this machine's files, which the guest cannot change; and
/// it ends with us, however we end.
fn emulator(folder: &str, console: &str, parameters: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "1024"]);
    command.args(["-nodefaults", "-no-reboot", "-display", "none"]);
    command.args(["-serial", &format!("file:{console}"), "-serial", "stdio"]);
    command.args(["-kernel", &format!("{folder}/vmlinuz"), "-initrd", &format!("{folder}/initrd")]);
    command.args(["-append", parameters]);
    command.args(["-virtfs", "local,path=/,mount_tag=machine,security_model=none,readonly=on,multidevs=remap"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// What the tests print, line by line, as it comes.
fn lines(output: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = channel();
    let reader = BufReader::new(output);
    thread::spawn(move || reader.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    receiver
}
