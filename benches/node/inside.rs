//! Namespaces of our own, before anything else: what is done to the network is done in there.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use crate::shell::sh;

/// Where everything keeps its files: on the tmpfs that hides the machine's `/run`.
pub(crate) const SCRATCH: &str = "/run/bench";

/// Set for the program inside.
const MARK: &str = "NFDHCPD_BENCH_INSIDE";

/// The process namespace ends with its first process, so nothing outlives a run.
const NAMESPACES: &[&str] =
    &["--net", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"];

/// What makes an ordinary user root in there.
const AS_ORDINARY_USER: &[&str] = &["--user", "--map-root-user"];

/// Goes on inside: starts this program again with the same arguments, as root of its own namespaces.
pub(crate) fn enter() {
    if env::var_os(MARK).is_none() {
        let mut command = unshare(way_in());
        command.arg(env::current_exe().unwrap()).args(env::args_os().skip(1)).env(MARK, "1");
        panic!("{}", command.exec());
    }
    sh("mount -t sysfs sysfs /sys; mount -t tmpfs tmpfs /run");
    sh(&format!("mkdir -p {SCRATCH}"));
}

/// The options of `unshare` that work here: plain for root, with a user namespace for anybody else.
fn way_in() -> &'static [&'static str] {
    let works = |options: &&[&str]| {
        let output = unshare(options).args(["mount", "-t", "sysfs", "sysfs", "/sys"]).output();
        output.is_ok_and(|output| output.status.success())
    };
    [&[][..], AS_ORDINARY_USER].into_iter().find(works).unwrap_or_else(|| {
        eprintln!("no namespaces here: this needs root, or a kernel that lets users make them");
        exit(1)
    })
}

fn unshare(options: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    // Where an ordinary user does not look, but the tools are.
    command.env("PATH", env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin");
    command.args(options).args(NAMESPACES);
    command
}
