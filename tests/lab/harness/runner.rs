//! Outside: every test in a child process, in namespaces of its own.

use std::env;
use std::io::{self, Read, pipe};
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use super::strict::skipped;
use super::{Test, inside};

/// Namespaces of a test. The process namespace ends with its first process, so nothing outlives a test.
const NAMESPACES: &[&str] =
    &["--net", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"];

/// What makes an ordinary user root in there.
const AS_ORDINARY_USER: &[&str] = &["--user", "--map-root-user"];

/// Programs whose packages are not installed, since they would start a service: tests/install-tools.sh puts them there.
const UNPACKED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools/bin");

/// Where an ordinary user does not look, but the tools are.
const OF_ROOT: &str = "/usr/sbin:/sbin";

/// Runs the tests that the command line names, with cargo's kind of output.
pub(crate) fn run(tests: impl Iterator<Item = Test>) -> ExitCode {
    let arguments = Arguments::from_args();
    let way_in = if arguments.list { Ok(&[][..]) } else { way_in() };
    let trials = tests.map(|test| {
        let way_in = way_in.clone();
        Trial::ignorable_test(test.name, move || match way_in {
            Ok(way_in) => run_inside(way_in, test.name),
            Err(obstacle) => skipped(&obstacle),
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// The options of `unshare` that work here: plain for root, with a user namespace for anybody else.
fn way_in() -> Result<&'static [&'static str], String> {
    let mut obstacle = String::new();
    for options in [&[][..], AS_ORDINARY_USER] {
        match unshare(options).args(["mount", "-t", "sysfs", "sysfs", "/sys"]).output() {
            Ok(output) if output.status.success() => return Ok(options),
            Ok(output) => obstacle = String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            Err(error) => obstacle = format!("unshare: {error}"),
        }
    }
    Err(format!("no namespaces here: {obstacle}"))
}

fn unshare(options: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    let path = env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{UNPACKED}:{path}:{OF_ROOT}"));
    command.args(options).args(NAMESPACES);
    command
}

fn run_inside(way_in: &[&str], name: &str) -> Result<Completion, Failed> {
    let (status, output) = collect(way_in, name).map_err(|error| format!("unshare: {error}"))?;
    match status.code() {
        Some(0) => Ok(Completion::Completed),
        Some(inside::SKIPPED) => skipped(output.lines().last().unwrap_or("without a word")),
        _ => Err(format!("{status}\n{output}").into()),
    }
}

/// The child's end, and all that it and its children said.
fn collect(way_in: &[&str], name: &str) -> io::Result<(ExitStatus, String)> {
    let (mut reader, writer) = pipe()?;
    let mut command = unshare(way_in);
    command.arg(env::current_exe()?).args([inside::FLAG, name]);
    // Standard input is the leash: the child ends when this process, and with it the other end, is gone.
    command.stdin(Stdio::piped()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn()?;
    drop(command);
    let leash = child.stdin.take();
    let mut output = Vec::new();
    reader.read_to_end(&mut output)?;
    let status = child.wait()?;
    drop(leash);
    Ok((status, String::from_utf8_lossy(&output).into_owned()))
}
