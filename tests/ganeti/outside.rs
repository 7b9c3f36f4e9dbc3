//! Outside: what has to be there, and the namespaces.

use std::env;
use std::process::{Command, ExitCode, Stdio};

use libtest_mimic::{Arguments, Trial};

use crate::inside;
use crate::lab::{skipped, try_sh};

/// The network is left for one of its own when the packages are there. The process namespace ends with its first process,
/// and the mounts with the last.
const NAMESPACES: &[&str] = &["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"];

/// What a cluster takes: root, Debian's packages, layers over files, and taps.
const NEEDS: &str = "
    [ $(id -u) = 0 ] || { echo this needs root; exit 1; }
    for program in apt-get dpkg-deb unshare nsenter ip ping; do
        command -v $program >/dev/null || { echo $program is not installed; exit 1; }
    done
    grep -qw overlay /proc/filesystems || { echo the kernel has no overlay file system; exit 1; }
    [ -c /dev/net/tun ] || grep -qw tun /proc/misc || { echo the kernel has no taps; exit 1; }";

/// How many times longer than in the lab things may take: guests are emulated, and cluster and guests share a machine.
const PATIENCE: &str = "9";

/// Set by `make test-ganeti`. Others who run all tests would wait for minutes.
const ASKED_FOR: &str = "NFDHCPD_GANETI";

/// Tells the story, or why it cannot be told.
pub(crate) fn run() -> ExitCode {
    if env::var_os(ASKED_FOR).is_none() {
        println!("{ASKED_FOR} is not set, as it is by `make test-ganeti`: no steps");
        return libtest_mimic::run(&Arguments::default(), Vec::new()).exit_code();
    }
    if let Err(reason) = try_sh(NEEDS) {
        return report(reason.trim());
    }
    let mut child = unshare().spawn().unwrap();
    let leash = child.stdin.take();
    let status = child.wait().unwrap();
    drop(leash);
    if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn unshare() -> Command {
    let mut command = Command::new("unshare");
    command.args(NAMESPACES).arg(env::current_exe().unwrap()).arg(inside::FLAG);
    // Where a user does not look, but the tools are.
    command.env("PATH", env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin");
    command.env("LAB_PATIENCE", PATIENCE);
    // Standard input is the leash: inside, all ends when this process, and with it the other end, is gone.
    command.stdin(Stdio::piped());
    command
}

/// All of it as one test that could not be run.
pub(crate) fn report(reason: &str) -> ExitCode {
    let reason = reason.to_owned();
    let trial = Trial::ignorable_test("cluster", move || skipped(&reason));
    libtest_mimic::run(&Arguments::default(), vec![trial]).exit_code()
}
