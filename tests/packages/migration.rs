//! Our package in the place of the two that were there before.

use crate::debian::{INSTALL, PACKAGE};
use crate::harness::{Lab, tests};
use crate::machine::Machine;

tests!(migration: takes_over_what_was_edited, replaces_what_was_not);

/// What makes the older packages.
const OLDER: &str = include_str!("older.sh");

/// A machine with the older packages, its daemon running, with a guest that has a binding.
#[track_caller]
fn older() -> Machine {
    let machine = Machine::boot();
    machine.write("/tmp/older.sh", OLDER);
    machine.sh(&format!("mkdir /tmp/older; sh /tmp/older.sh /tmp/older; {INSTALL} /tmp/older/*.deb"));
    assert_eq!(machine.sh("systemctl is-active nfdhcpd; cat /var/log/nfdhcpd/nfdhcpd.log"), "active\nstarted\n");
    machine
}

/// Whatever was there of the older packages, and is no setting.
#[track_caller]
fn assert_nothing_is_left(machine: &Machine) {
    let left =
        machine.sh("find /etc/init.d /etc/rc?.d /run/systemd/generator* -name '*nfdhcpd'; pidof -x sleep || true");
    assert_eq!(left, "");
    assert!(!machine.has("/usr/share/pyshared/nfdhcpd"));
    assert_eq!(
        machine.sh("systemctl show --value --property=FragmentPath nfdhcpd"),
        "/lib/systemd/system/nfdhcpd.service\n"
    );
    let states = machine
        .sh("dpkg-query --show --showformat='${Package} ${db:Status-Status} ${Version}\n' nfdhcpd snf-network || true");
    assert!(states.starts_with("nfdhcpd installed 1:"), "{states}");
    assert!(!states.contains("snf-network installed"), "{states}");
}

/// What the administrator did to the older ones.
const EDITS: &str = "
    sed -i 's/^lease_lifetime = .*/lease_lifetime = 7200/' /etc/nfdhcpd/nfdhcpd.conf
    sed -i 's/^DAEMON_OPTS=.*/DAEMON_OPTS=-d/' /etc/default/nfdhcpd
    echo '# mine' >>/etc/init.d/nfdhcpd
    echo MAC_MASK=ff:ff:ff:00:00:00 >>/etc/default/snf-network";

fn takes_over_what_was_edited(lab: &mut Lab) {
    let machine = older();
    machine.sh(EDITS);
    machine.sh(&format!("{INSTALL} -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold {PACKAGE}"));
    assert_nothing_is_left(&machine);
    assert_eq!(machine.sh("grep ^lease_l /etc/nfdhcpd/nfdhcpd.conf"), "lease_lifetime = 7200\n");
    assert_eq!(machine.sh("grep ^MAC_MASK /etc/default/snf-network"), "MAC_MASK=ff:ff:ff:00:00:00\n");
    assert_eq!(machine.sh("cat /etc/default/nfdhcpd.dpkg-bak"), "DAEMON_OPTS=-d\n");
    machine.sh("nfdhcpd check; snf-network status");
    // What is left of the other package takes nothing of ours with it.
    machine.sh("dpkg --purge snf-network; test -e /etc/default/snf-network");
    machine.assert_serves(lab);
    let log = machine.sh("cat /var/log/nfdhcpd/nfdhcpd.log");
    assert!(log.starts_with("started\n") && log.contains(" ready "), "{log}");
}

fn replaces_what_was_not(lab: &mut Lab) {
    let machine = older();
    machine.sh(&format!("{INSTALL} {PACKAGE}"));
    assert_nothing_is_left(&machine);
    assert!(!machine.has("/etc/default/nfdhcpd*"));
    assert_eq!(machine.sh("cat /etc/nfdhcpd/nfdhcpd.conf"), include_str!("../../config/nfdhcpd.conf"));
    assert_eq!(machine.sh("dpkg --verify nfdhcpd"), "");
    machine.assert_serves(lab);
}
