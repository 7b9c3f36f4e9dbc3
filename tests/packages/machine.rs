//! A machine to install packages on, with systemd, in the namespaces of a test.

use std::env;
use std::fs;

use crate::harness::process::outcome;
use crate::harness::systemd::FirstProcess;
use crate::harness::{Guest, Lab, sh, soon};

/// Says where the packages are.
pub(crate) const PACKAGES: &str = "NFDHCPD_PACKAGES";

/// The root directory of the machine, as the test sees it.
const ROOT: &str = "/run/lab/machine";

/// Arguments of `env`: a clean environment in which nothing asks.
pub(crate) const ENVIRONMENT: &[&str] = &[
    "-i",
    "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "LC_ALL=C.UTF-8",
    "DEBIAN_FRONTEND=noninteractive",
    "SYSTEMD_COLORS=0",
    "SYSTEMD_PAGER=",
];

/// Makes the configuration one that no daemon starts with, and good again.
pub(crate) const SPOIL: &str = "sed -i 's/^server_ip = .*/server_ip = 192.0.2/' /etc/nfdhcpd/nfdhcpd.conf";
pub(crate) const MEND: &str = "sed -i 's/^server_ip = .*/server_ip = 192.0.2.1/' /etc/nfdhcpd/nfdhcpd.conf";

/// Asserts that whoever installs a package is told what is wrong with the configuration, and what that means.
#[track_caller]
pub(crate) fn assert_is_told(said: &str) {
    for words in ["error: /etc/nfdhcpd/nfdhcpd.conf:", "server_ip", "nfdhcpd would not start with this configuration"] {
        assert!(said.contains(words), "{words}\n{said}");
    }
}

/// The directory with the packages, if there are any to test.
pub(crate) fn packages() -> Option<String> {
    env::var(PACKAGES).ok()
}

/// The one package whose name is like this.
#[track_caller]
pub(crate) fn package(pattern: &str) -> String {
    sh(&format!("ls {}/{pattern}", packages().unwrap())).trim().to_owned()
}

/// A running machine on which nothing is installed yet.
pub(crate) struct Machine(FirstProcess);

impl Machine {
    /// Boots it.
    #[track_caller]
    pub(crate) fn boot() -> Self {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/packages/machine.sh");
        let machine = Self(FirstProcess::start(program, &[ROOT, &packages().unwrap()], "machine"));
        soon("systemd", || machine.try_sh("systemctl is-active basic.target").ok());
        machine
    }

    /// Runs a script on the machine, which has to succeed, for what it prints.
    #[track_caller]
    pub(crate) fn sh(&self, script: &str) -> String {
        self.try_sh(script).unwrap_or_else(|output| {
            let journal = self.try_sh("journalctl --no-pager --lines=50").unwrap_or_default();
            panic!("{script}\n{output}\n--- journal\n{journal}")
        })
    }

    /// The same: what it prints, as an error if it fails.
    pub(crate) fn try_sh(&self, script: &str) -> Result<String, String> {
        let mut command = self.0.enter().ok_or("the machine is not there yet")?;
        outcome(command.args(["--root", "--wdns=/", "env"]).args(ENVIRONMENT).args(["sh", "-ec", script]))
    }

    /// Whether there is such a file or directory.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.try_sh(&format!("test -e {path} || test -L {path}")).is_ok()
    }

    /// Its root directory, as seen from outside.
    pub(crate) fn root(&self) -> String {
        format!("/proc/{}/root", self.0.id().unwrap())
    }

    /// Writes a file whole.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root() + path;
        fs::write(format!("{path}.tmp"), text).unwrap();
        fs::rename(format!("{path}.tmp"), path).unwrap();
    }

    /// What systemd says of the daemon.
    #[track_caller]
    pub(crate) fn daemon(&self, property: &str) -> String {
        self.sh(&format!("systemctl show --value --property={property} nfdhcpd")).trim().to_owned()
    }

    /// Asserts that the daemon runs as its own user, is started with the machine, and gives a guest its address.
    #[track_caller]
    pub(crate) fn assert_serves(&self, lab: &Lab) {
        assert_eq!(self.sh("systemctl is-active nfdhcpd; systemctl is-enabled nfdhcpd"), "active\nenabled\n");
        assert_eq!(self.sh("stat -c %U /proc/$(systemctl show --value --property=MainPID nfdhcpd)"), "nfdhcpd\n");
        let guest = self.guest(lab);
        guest.udhcpc("-q -n").wait();
        assert!(guest.udhcpc_lease().contains("\nip=192.0.2.11\n"), "{}", guest.udhcpc_lease());
        let shown = self.sh("nfdhcpd show");
        assert!(shown.contains("1 serving"), "{shown}");
    }

    /// A guest whose packets the daemon gets, and whom it knows.
    #[track_caller]
    pub(crate) fn guest(&self, lab: &Lab) -> Guest {
        let guest = lab.guest(1);
        lab.divert("-i tap+");
        self.write(&format!("/var/lib/nfdhcpd/{}", guest.tap), &guest.binding());
        self.sh(&format!("nfdhcpd wait {} --timeout 20s", guest.tap));
        guest
    }
}

/// Each queue with the number of the socket that it belongs to, the same for as long as that socket is there.
pub(crate) fn queues() -> String {
    sh("awk '{ print $1, $2 }' /proc/net/netfilter/nfnetlink_queue")
}
