//! The package for Debian: checked, installed, upgraded, misconfigured, removed.

use crate::harness::inside::need;
use crate::harness::{Lab, sh, soon, tests};
use crate::machine::{MEND, Machine, SPOIL, assert_is_told, package, queues};

tests!(debian:
    lintian_finds_nothing,
    installs_and_serves,
    upgrade_keeps_queues_and_what_was_edited,
    upgrade_with_a_wrong_configuration_leaves_the_daemon_alone,
    starts_nothing_with_a_wrong_configuration,
    the_configuration_that_the_unit_names_counts,
    removal_and_purge_leave_what_is_not_its_own,
    installs_where_services_may_not_start,
);

/// Installs packages as an administrator does who cannot be asked.
pub(crate) const INSTALL: &str = "apt-get install --yes --no-install-recommends --reinstall";

/// The package, as the machine sees it.
pub(crate) const PACKAGE: &str = "/srv/packages/nfdhcpd_*.deb";

/// Packs what is installed by a package file anew, as version 1:9: an upgrade.
const NEXT_VERSION: &str = "
    dpkg-deb --raw-extract /srv/packages/nfdhcpd_*.deb /tmp/next
    sed -i 's/^Version: .*/Version: 1:9-1/' /tmp/next/DEBIAN/control
    echo '# New in version 9.' >>/tmp/next/etc/nfdhcpd/nfdhcpd.conf
    dpkg-deb --root-owner-group -Zgzip -z1 --build /tmp/next /tmp/next.deb >/dev/null";

fn lintian_finds_nothing(_: &mut Lab) {
    need("lintian");
    let found = sh(&format!("lintian --allow-root --fail-on error,warning {}", package("nfdhcpd_*.deb")));
    assert_eq!(found, "");
}

/// A machine with the package.
#[track_caller]
fn installed() -> Machine {
    let machine = Machine::boot();
    machine.sh(&format!("{INSTALL} {PACKAGE}"));
    machine
}

fn installs_and_serves(lab: &mut Lab) {
    for program in ["udhcpc", "debsums", "logrotate", "man"] {
        need(program);
    }
    let machine = installed();
    machine.assert_serves(lab);
    assert_eq!(machine.sh("dpkg --verify nfdhcpd; debsums --all --silent nfdhcpd"), "");
    assert_eq!(
        machine.sh("nfdhcpd check >/dev/null; systemctl is-enabled snf-network-clean.timer || true"),
        "disabled\n"
    );
    assert_eq!(machine.sh("stat -c '%U %a' /var/lib/nfdhcpd"), "root 755\n");
    machine.sh("snf-network --version; logrotate --debug /etc/logrotate.d/nfdhcpd 2>&1");
    machine.sh("man --where 8 nfdhcpd snf-network; man --where 5 nfdhcpd.conf nfdhcpd-binding");
}

fn upgrade_keeps_queues_and_what_was_edited(lab: &mut Lab) {
    need("udhcpc");
    let machine = installed();
    machine.sh(
        "sed -i 's/^lease_lifetime = .*/lease_lifetime = 7200/' /etc/nfdhcpd/nfdhcpd.conf; systemctl restart nfdhcpd",
    );
    machine.sh("systemctl enable --now snf-network-clean.timer");
    let (before, pid) = (queues(), machine.daemon("MainPID"));
    assert_eq!(before.lines().count(), 4, "{before}");

    machine.sh(&format!(
        "{NEXT_VERSION}\n{INSTALL} -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold /tmp/next.deb"
    ));
    assert_eq!(machine.sh("dpkg-query --show --showformat='${Version}' nfdhcpd"), "1:9-1");
    assert_ne!(machine.daemon("MainPID"), pid, "the old program runs on");
    assert_eq!(queues(), before, "other sockets");
    assert_eq!(machine.sh("grep ^lease_lifetime /etc/nfdhcpd/nfdhcpd.conf"), "lease_lifetime = 7200\n");
    assert!(machine.has("/etc/nfdhcpd/nfdhcpd.conf.dpkg-dist"));
    assert_eq!(
        machine.sh("systemctl is-active snf-network-clean.timer; systemctl is-enabled snf-network-clean.timer"),
        "active\nenabled\n"
    );
    machine.assert_serves(lab);
}

fn upgrade_with_a_wrong_configuration_leaves_the_daemon_alone(lab: &mut Lab) {
    need("udhcpc");
    let machine = installed();
    let pid = machine.daemon("MainPID");
    machine.sh(SPOIL);
    let said = machine.sh(&format!(
        "{NEXT_VERSION}\n{INSTALL} -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold /tmp/next.deb 2>&1"
    ));
    assert_is_told(&said);
    assert_eq!(
        machine.sh("dpkg-query --show --showformat='${db:Status-Status} ${Version}' nfdhcpd"),
        "installed 1:9-1"
    );
    assert_eq!(machine.daemon("MainPID"), pid, "{said}");
    // Its commands read the file as well.
    machine.sh(MEND);
    machine.assert_serves(lab);

    let said = machine.sh(&format!("{INSTALL} /tmp/next.deb 2>&1"));
    assert!(!said.contains("would not start"), "{said}");
    assert_ne!(machine.daemon("MainPID"), pid, "the old program runs on");
    assert_eq!(machine.daemon("ActiveState"), "active");
}

fn starts_nothing_with_a_wrong_configuration(_: &mut Lab) {
    let machine = installed();
    machine.sh(&format!("apt-get remove --yes nfdhcpd; {SPOIL}"));
    assert_is_told(&machine.sh(&format!("{INSTALL} {PACKAGE} 2>&1")));
    assert_eq!(
        machine.sh("systemctl is-active nfdhcpd || systemctl is-enabled nfdhcpd; systemctl is-failed nfdhcpd || true"),
        "inactive\nenabled\ninactive\n"
    );
    assert_eq!(machine.sh("dpkg-query --show --showformat='${db:Status-Status}' nfdhcpd"), "installed");
}

/// A drop-in of the administrator's, and another file.
const OTHER_ARGUMENTS: &str = r"
    cp /etc/nfdhcpd/nfdhcpd.conf /etc/nfdhcpd/other.conf
    mkdir /etc/systemd/system/nfdhcpd.service.d
    printf '[Service]\nExecStart=\nExecStart=/usr/sbin/nfdhcpd -d -c /etc/nfdhcpd/other.conf\n' \
        >/etc/systemd/system/nfdhcpd.service.d/arguments.conf
    systemctl daemon-reload
    systemctl restart nfdhcpd";

fn the_configuration_that_the_unit_names_counts(_: &mut Lab) {
    let machine = installed();
    machine.sh(OTHER_ARGUMENTS);
    let (pid, in_other) = (machine.daemon("MainPID"), |edit: &str| edit.replace("nfdhcpd.conf", "other.conf"));
    machine.sh(&in_other(SPOIL));
    let said = machine.sh(&format!("{INSTALL} {PACKAGE} 2>&1"));
    assert!(said.contains("error: /etc/nfdhcpd/other.conf:") && said.contains("would not start"), "{said}");
    assert_eq!(machine.daemon("MainPID"), pid);

    machine.sh(&format!("{}; {SPOIL}", in_other(MEND)));
    let said = machine.sh(&format!("{INSTALL} {PACKAGE} 2>&1"));
    assert!(!said.contains("would not start"), "{said}");
    assert_ne!(machine.daemon("MainPID"), pid, "the old program runs on");
}

fn removal_and_purge_leave_what_is_not_its_own(lab: &mut Lab) {
    let machine = installed();
    machine.guest(lab);
    machine
        .sh("systemctl enable --now snf-network-clean.timer; snf-network clean; touch /var/log/snf-network.log.1.gz");
    machine.sh("sed -i 's/^#logdir/logdir/' /etc/nfdhcpd/nfdhcpd.conf; systemctl restart nfdhcpd");

    machine.sh("apt-get remove --yes nfdhcpd");
    soon("the end of the queues", || queues().is_empty().then_some(()));
    assert_eq!(
        machine.sh("systemctl is-active nfdhcpd.service snf-network-clean.timer || true"),
        "inactive\ninactive\n"
    );
    for kept in [
        "/etc/nfdhcpd/nfdhcpd.conf",
        "/etc/default/snf-network",
        "/var/log/nfdhcpd/nfdhcpd.log",
        "/var/lib/nfdhcpd/tap1",
    ] {
        assert!(machine.has(kept), "{kept} is gone");
    }

    machine.sh("apt-get purge --yes nfdhcpd");
    let left = machine.sh("find /etc /usr /lib/systemd /var /run -name '*nfdhcpd*' -o -name '*snf-network*'");
    assert_eq!(left, "/var/lib/nfdhcpd\n");
    assert_eq!(machine.sh("ls /var/lib/nfdhcpd; id -nu nfdhcpd"), "tap1\nnfdhcpd\n");
}

/// As in an image that is being built: no systemd that runs, and a policy for those who look for none.
const IMAGE: &str = r"
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod +x /usr/sbin/policy-rc.d
    mount -t tmpfs tmpfs /run
    mkdir /run/lock";

fn installs_where_services_may_not_start(_: &mut Lab) {
    let machine = Machine::boot();
    machine.sh(&format!("unshare --mount sh -ec '{}\n{INSTALL} {PACKAGE}'", IMAGE.replace('\'', r"'\''")));
    assert!(machine.has("/etc/systemd/system/multi-user.target.wants/nfdhcpd.service"));
    machine.sh("id nfdhcpd; test -d /var/lib/nfdhcpd; ! pidof nfdhcpd");
}
