//! The package for Debian in the smallest root directory there is: what it depends on is all that comes along.

use std::path::Path;
use std::process::Command;

use crate::debian::{INSTALL, PACKAGE};
use crate::harness::inside::knows_only_root;
use crate::harness::process::outcome;
use crate::harness::{Lab, sh, skip, tests};
use crate::machine::{ENVIRONMENT, packages};

tests!(minimal: installs_and_runs_with_what_it_depends_on);

/// Such a root directory: `minimal.sh` makes it, and puts the packages beside it that are to be installed.
const ARCHIVE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/minimal.tar");
/// Where it is unpacked.
const ROOT: &str = "/run/lab/minimal";

/// Runs a script in there, which has to succeed, for what it prints.
#[track_caller]
fn inside(script: &str) -> String {
    let mut command = Command::new("chroot");
    outcome(command.args([ROOT, "env"]).args(ENVIRONMENT).args(["sh", "-ec", script])).unwrap()
}

#[track_caller]
fn unpack() {
    if knows_only_root() {
        skip("this needs root: files of other users are unpacked");
    }
    if !Path::new(ARCHIVE).exists() {
        skip("target/minimal.tar is not there (`make target/minimal.tar` makes it)");
    }
    sh(&format!(
        "mkdir {ROOT}; tar --extract --numeric-owner --file={ARCHIVE} --directory={ROOT}
        mkdir {ROOT}/srv/packages; mount --bind {} {ROOT}/srv/packages; mount -t proc proc {ROOT}/proc",
        packages().unwrap()
    ));
}

/// What is installed.
const INSTALLED: &str = "dpkg-query --show --showformat='${Package} ${db:Status-Status}\n'";

fn installs_and_runs_with_what_it_depends_on(_: &mut Lab) {
    unpack();
    let before = inside(INSTALLED);
    inside(&format!("{INSTALL} {PACKAGE}"));
    assert!(inside(INSTALLED).contains("nfdhcpd installed\n"));
    for program in ["nfdhcpd", "snf-network"] {
        let version = format!("{program} {}\n", env!("CARGO_PKG_VERSION"));
        assert_eq!(inside(&format!("{program} --version")), version);
        let libraries = inside(&format!("ldd /usr/sbin/{program}"));
        assert!(libraries.contains("libc.so") && !libraries.contains("not found"), "{libraries}");
    }
    inside("nfdhcpd check; snf-network --help; id nfdhcpd; test -d /var/lib/nfdhcpd; dpkg --verify nfdhcpd");

    inside("apt-get purge --yes --auto-remove nfdhcpd");
    assert_eq!(inside(INSTALLED), before);
    assert_eq!(inside("find /etc /usr /var -name '*nfdhcpd*' -o -name 'snf-network*'"), "");
}
