//! The examples of `packaging/examples`, each run with the input that its platform gives: the same guest has the same
//! binding from all of them, nobody's values become anything but values, and nothing stays when the guest goes.
//!
//! Skipped where an interpreter is not installed; a failure then, if NFDHCPD_STRICT is set.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic is how a test fails")]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]
#![allow(clippy::print_stdout, reason = "why a test was skipped")]

mod libvirt;
mod opennebula;
mod qemu;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use nfdhcpd::binding::{Binding, parse};

/// What every platform is to make of the guest.
const GUEST: &str = "\
    INDEV=br0\n\
    MAC=52:54:00:00:00:01\n\
    HOSTNAME=guest1.example.com\n\
    IP=192.0.2.10\n\
    SUBNET=192.0.2.0/24\n\
    GATEWAY=192.0.2.1\n\
    SUBNET6=2001:db8:1::/64\n\
    GATEWAY6=2001:db8:1::1\n\
    EUI64=2001:db8:1:0:5054:ff:fe00:1\n\
    MTU=1400\n";

/// What users have tried as values elsewhere: a further key, a command, another file, another element.
const HOSTILE: [&str; 9] = [
    "192.0.2.10\nMACSPOOF=1",
    "192.0.2.10\r",
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned",
    "'; touch pwned; '",
    "\"/><x a=\"",
    "../../etc/passwd",
    "\u{661}\u{662}",
];

/// A directory of bindings, and what is run on it.
struct Node {
    directory: PathBuf,
}

impl Node {
    /// A new, empty directory for one test.
    fn new(name: &str) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples").join(name);
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(directory.join("bindings")).unwrap();
        Self { directory }
    }

    fn bindings(&self) -> PathBuf {
        self.directory.join("bindings")
    }

    /// `program`, with this directory for its bindings, and itself in the one above.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env("NFDHCPD_STATE_DIR", self.bindings()).current_dir(&self.directory);
        command
    }

    /// The names of all files, hidden ones and those that a command made beside it as well.
    fn files(&self) -> Vec<String> {
        let directories = [self.bindings(), self.directory.clone()];
        let entries = directories.iter().flat_map(|directory| fs::read_dir(directory).unwrap());
        let files = entries.map(Result::unwrap).filter(|entry| entry.file_type().unwrap().is_file());
        let mut names: Vec<_> = files.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The binding of `tap` as the daemon reads it. It has no fault, and deserves no warning.
    fn binding(&self, tap: &str) -> Binding {
        let path = self.bindings().join(tap);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o644, "{tap}");
        let parsed = parse::parse(&path, &fs::read(&path).unwrap()).unwrap();
        assert_eq!(parsed.warnings, []);
        parsed.binding
    }

    /// Which file it is: another one, once it has been replaced.
    fn inode(&self, tap: &str) -> u64 {
        fs::metadata(self.bindings().join(tap)).unwrap().ino()
    }

    /// A binding that somebody else wrote.
    fn add(&self, tap: &str, text: &str) {
        fs::write(self.bindings().join(tap), text).unwrap();
    }
}

/// The binding of `tap` that `text` stands for.
fn binding(tap: &str, text: &str) -> Binding {
    parse::parse(Path::new(tap), text.as_bytes()).unwrap().binding
}

/// A file of the examples.
fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/examples").join(path)
}

/// Exit status, standard output and standard error of a command that reads `input`.
fn run(command: &mut Command, input: &str) -> (i32, String, String) {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // One that refuses its arguments need not read.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8(text).unwrap());
    (status.code().expect("an exit status"), stdout, stderr)
}

fn succeeds(command: &mut Command, input: &str) {
    assert_eq!(run(command, input), (0, String::new(), String::new()), "{command:?}");
}

/// Fails, with one line of complaint, which it returns.
fn fails(command: &mut Command, input: &str) -> String {
    let (status, stdout, complaint) = run(command, input);
    assert_eq!((status, stdout.as_str()), (1, ""), "{command:?}\n{input}\n{complaint}");
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    complaint
}

fn is_installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Says that a test was not run, which is a failure where NFDHCPD_STRICT is set.
fn skip(reason: &str) {
    assert!(std::env::var_os("NFDHCPD_STRICT").is_none(), "{reason}");
    println!("skipped: {reason}");
}

/// `text` as the value of an attribute or an element of XML.
fn escaped(text: &str) -> String {
    let escape = |character: char| match character {
        '&' | '<' | '>' | '"' | '\'' | '\n' | '\r' => format!("&#{};", u32::from(character)),
        _ => character.to_string(),
    };
    text.chars().map(escape).collect()
}

#[test]
fn shell_scripts_are_clean() {
    if !is_installed("shellcheck") {
        return skip("shellcheck is not installed");
    }
    let scripts = ["qemu/nfdhcpd-ifup", "qemu/nfdhcpd-ifdown", "opennebula/update_sg"];
    succeeds(Command::new("shellcheck").args(scripts.map(example)), "");
}
