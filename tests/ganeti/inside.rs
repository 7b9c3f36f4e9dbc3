//! Inside: the first process of namespaces that end with it.

use std::env;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Command, ExitCode, exit};
use std::thread;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};

use crate::lab::{SCRATCH, outcome, sh};
use crate::{evidence, outside, story};

/// The argument that leads here.
pub(crate) const FLAG: &str = "--inside";

/// A story that takes longer, in milliseconds, has got stuck.
const DEADLINE_MS: i32 = 15 * 60_000;

/// Packages, downloaded once.
const CACHE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/ganeti");

/// The kernel that all guests have.
const KERNEL: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/topologies");

const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");

/// The programs, where packages would put them.
const PROGRAMS: &[&str] = &[env!("CARGO_BIN_EXE_nfdhcpd"), env!("CARGO_BIN_EXE_snf-network")];

/// Their configuration as it is shipped, and where it goes.
const CONFIGURATION: &[(&str, &str)] =
    &[("nfdhcpd.conf", "/etc/nfdhcpd/nfdhcpd.conf"), ("snf-network.default", "/etc/default/snf-network")];

/// Every network's gateway, and addresses that are beyond it. Private networks share a bridge, and are kept apart by the
/// prefix of their MAC addresses: the gateway of one has to have that too.
const OUTSIDE: &str = "
    ip link set lo up
    ip address add 203.0.113.1/32 dev lo
    ip address add 2001:db8:ffff::1/128 dev lo
    for number in 0 1 2; do ip link add switch$number type bridge; ip link set switch$number up; done
    sysctl -qw net.ipv4.conf.all.arp_ignore=1
    ip address add 192.168.1.1/24 dev switch1
    ip link add gateway2 address aa:20:00:00:00:01 type veth peer name port2
    ip link set port2 up master switch1
    ip link set gateway2 up
    ip address add 192.168.2.1/24 dev gateway2
    ip address add 2001:db8:20::1/64 dev gateway2 nodad
    ip address add 198.51.100.1/24 dev switch2
    ip address add 2001:db8:100::1/64 dev switch2 nodad";

/// Makes what nodes are made of, and tells the story.
pub(crate) fn run() -> ExitCode {
    thread::spawn(hold_leash);
    sh(&format!("mount -t tmpfs tmpfs {SCRATCH}; mkdir -p {CACHE}"));
    if let Err(output) = make_base() {
        println!("{output}");
        return outside::report(output.trim().lines().last().unwrap_or("without a word"));
    }
    // From here on no packet leaves these namespaces.
    unshare(CloneFlags::CLONE_NEWNET).unwrap();
    sh(&format!("mount -t sysfs sysfs /sys\n{OUTSIDE}"));
    story::tell()
}

/// The layer that both nodes stand on: packages, a guest's files, our programs.
fn make_base() -> Result<(), String> {
    let base = format!("{SCRATCH}/base.up");
    outcome(Command::new(format!("{PACKAGE}/tests/ganeti/base.sh")).args([SCRATCH, CACHE]))?;
    outcome(Command::new(format!("{PACKAGE}/tests/ganeti/guest.sh")).args([&format!("{base}/srv/guest"), KERNEL]))?;
    for program in PROGRAMS {
        let name = Path::new(program).file_name().unwrap().display();
        sh(&format!("install -D '{program}' {base}/usr/sbin/{name}"));
    }
    for (file, path) in CONFIGURATION {
        sh(&format!("install -D -m 644 '{PACKAGE}/config/{file}' {base}{path}"));
    }
    Ok(())
}

/// Ends this process, and with it all others in the namespace, when the one outside is gone or has waited long enough.
fn hold_leash() {
    let stdin = std::io::stdin();
    let mut leash = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    if poll(&mut leash, PollTimeout::try_from(DEADLINE_MS).unwrap()) == Ok(0) {
        println!("not done after {} s", DEADLINE_MS / 1000);
        evidence::print();
        println!("test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out");
    }
    exit(1)
}
