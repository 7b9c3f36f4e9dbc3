//! Inside: the first process of a test's namespaces.

use std::fs;
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{ExitCode, exit};
use std::thread;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::wait::PATIENCE;
use super::{Lab, Test, evidence, sh, try_sh};

/// The argument that leads here.
pub(crate) const FLAG: &str = "--inside";

/// Exit status of a test that cannot be run on this machine. The last line of its output is the reason.
pub(crate) const SKIPPED: i32 = 77;

/// Where a test keeps its files: on the tmpfs that hides the machine's `/run`.
pub(crate) const SCRATCH: &str = "/run/lab";

/// A test that takes longer waits for what will not come.
const DEADLINE: Duration = Duration::from_secs(60);

/// Folders in which clients keep leases and duids.
const CLIENT_STATE: &[&str] = &["/var/lib/dhcp", "/var/lib/dhcpcd", "/var/lib/dhcpv6"];

/// Runs one test in a fresh lab.
pub(crate) fn run(test: Test) -> ExitCode {
    thread::spawn(hold_leash);
    hide_machine();
    let mut lab = Lab::new();
    let result = catch_unwind(AssertUnwindSafe(|| {
        (test.body)(&mut lab);
        lab.finish();
    }));
    if result.is_err() {
        evidence::print();
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Ends the test, here and now, as one that this machine cannot run.
pub(crate) fn skip(reason: &str) -> ! {
    println!("\n{reason}");
    exit(SKIPPED)
}

/// Skips the test if a program is not installed.
pub(crate) fn need(program: &str) {
    if try_sh(&format!("command -v {program}")).is_err() {
        skip(&format!("{program} is not installed (tests/install-tools.sh does that)"));
    }
}

/// Ends this process, and with it all others in the namespace, when the runner is gone or has waited long enough.
fn hold_leash() {
    let stdin = std::io::stdin();
    let mut leash = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    let deadline = DEADLINE * *PATIENCE;
    if poll(&mut leash, PollTimeout::try_from(deadline).unwrap()) == Ok(0) {
        println!("not done after {deadline:?}");
        evidence::print();
    }
    exit(1)
}

/// Lays a file system of our own over every place that tools and clients write to.
fn hide_machine() {
    sh("mount -t sysfs sysfs /sys; mount -t tmpfs tmpfs /run");
    for folder in CLIENT_STATE.iter().filter(|folder| Path::new(folder).is_dir()) {
        sh(&format!("mount -t tmpfs tmpfs {folder}"));
    }
    hide_etc();
}

/// Puts a copy in the place of `/etc`, less what only root may read: an ordinary user's overlay could not be written to.
fn hide_etc() {
    let copy = format!("{SCRATCH}/etc");
    fs::create_dir_all(&copy).unwrap();
    sh(&format!("cp -r /etc/. {copy} 2>/dev/null || true; mount --bind {copy} /etc"));
    sh("rm -f /etc/resolv.conf; touch /etc/resolv.conf");
    if knows_only_root() {
        // Clients that change to a user of their own have none to change to.
        sh(r"sed -i -E 's/^(dhcpcd|systemd-network):x:[0-9]+:[0-9]+:/\1:x:0:0:/' /etc/passwd");
    }
}

/// Whether this user namespace has no user but root, as that of an ordinary user.
pub(crate) fn knows_only_root() -> bool {
    fs::read_to_string("/proc/self/setgroups").unwrap().trim() == "deny"
}
