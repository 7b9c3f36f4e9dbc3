//! The package for distributions with RPM, as far as it can be seen on another one: checked, and installed on a machine
//! that has RPM's tools, with a database of its own.

use crate::harness::inside::need;
use crate::harness::{Lab, sh, soon, tests};
use crate::machine::{MEND, Machine, SPOIL, assert_is_told, package, queues};

tests!(rpm:
    rpmlint_finds_nothing,
    goes_into_an_empty_root_and_out_again,
    installs_serves_and_is_upgraded,
    upgrade_with_a_wrong_configuration_leaves_the_daemon_alone,
    removal_keeps_what_was_edited,
);

/// Both releases, as the machine sees them.
const PACKAGE: &str = "/srv/packages/nfdhcpd-*-1.*.rpm";
const NEXT_RELEASE: &str = "/srv/packages/nfdhcpd-*-2.*.rpm";

/// The database of the machine knows no package that ours could depend on.
const RPM: &str = "rpm --nodeps";

fn rpmlint_finds_nothing(_: &mut Lab) {
    need("rpmlint");
    let filters = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/rpm/rpmlint.toml");
    let found = sh(&format!("rpmlint --strict --config {filters} {}", package("nfdhcpd-*-1.*.rpm")));
    assert!(found.contains(" 0 errors, 0 warnings, "), "{found}");
}

/// What rpm does in a root directory where there is nothing, not even a shell for the package's scripts.
const IN_EMPTY_ROOT: &str = "rpm --root=/run/lab/empty --dbpath=/var/lib/rpm --nodeps --noscripts";

/// What is in there, but for the database.
const FOUND: &str = r"cd /run/lab/empty; find . -path ./var/lib/rpm -prune -o -type f -printf '/%P\n' | sort";

/// The files of a package that is not installed.
const FILES: &str =
    r"rpm -qp --queryformat '[%{FILEMODES:perms} %{FILENAMES}\n]' $PACKAGE | sed -n 's/^-[^ ]* //p' | sort";

fn goes_into_an_empty_root_and_out_again(_: &mut Lab) {
    need("rpm");
    let file = package("nfdhcpd-*-1.*.rpm");
    sh(&format!("mkdir /run/lab/empty; {IN_EMPTY_ROOT} --install {file}; {IN_EMPTY_ROOT} --verify nfdhcpd"));
    assert_eq!(sh(FOUND), sh(&format!("PACKAGE={file}; {FILES}")));
    sh(&format!("{IN_EMPTY_ROOT} --erase nfdhcpd"));
    assert_eq!(sh(FOUND), "");
    assert_eq!(sh("find /run/lab/empty -name '*nfdhcpd*'"), "");
}

/// A machine with the package, and the daemon started, as such distributions leave it to the administrator.
#[track_caller]
fn installed() -> Machine {
    need("rpm");
    let machine = Machine::boot();
    machine.sh(&format!("{RPM} --install {PACKAGE}; systemctl start nfdhcpd"));
    machine
}

fn installs_serves_and_is_upgraded(lab: &mut Lab) {
    need("udhcpc");
    let machine = installed();
    assert_eq!(machine.sh("rpm --verify --nodeps nfdhcpd"), "");
    machine.sh("sed -i 's/^lease_lifetime = .*/lease_lifetime = 7200/' /etc/nfdhcpd/nfdhcpd.conf");
    let (before, pid) = (queues(), machine.daemon("MainPID"));
    assert_eq!(before.lines().count(), 4, "{before}");

    machine.sh(&format!("{RPM} --upgrade {NEXT_RELEASE}"));
    assert_eq!(machine.sh("rpm --query --queryformat='%{RELEASE}' nfdhcpd"), "2");
    assert_ne!(machine.daemon("MainPID"), pid, "the old program runs on");
    assert_eq!(queues(), before, "other sockets");
    assert_eq!(machine.sh("grep ^lease_lifetime /etc/nfdhcpd/nfdhcpd.conf"), "lease_lifetime = 7200\n");
    machine.assert_serves(lab);
}

fn upgrade_with_a_wrong_configuration_leaves_the_daemon_alone(_: &mut Lab) {
    let machine = installed();
    let pid = machine.daemon("MainPID");
    machine.sh(SPOIL);
    assert_is_told(&machine.sh(&format!("{RPM} --upgrade {NEXT_RELEASE} 2>&1")));
    assert_eq!(machine.sh("rpm --query --queryformat='%{RELEASE}' nfdhcpd"), "2");
    assert_eq!((machine.daemon("MainPID"), machine.daemon("ActiveState")), (pid, "active".to_owned()));
    machine.sh(&format!("{MEND}; nfdhcpd show; systemctl restart nfdhcpd"));
}

fn removal_keeps_what_was_edited(lab: &mut Lab) {
    let machine = installed();
    machine.guest(lab);
    machine.sh("echo '# mine' >>/etc/nfdhcpd/nfdhcpd.conf; systemctl enable --now snf-network-clean.timer");
    machine.sh("rpm --erase nfdhcpd");
    soon("the end of the queues", || queues().is_empty().then_some(()));
    assert_eq!(
        machine.sh("systemctl is-active nfdhcpd.service snf-network-clean.timer || true"),
        "inactive\ninactive\n"
    );
    let left = machine.sh("find /etc /usr -name '*nfdhcpd*' -o -name 'snf-network*'");
    assert_eq!(left, "/etc/nfdhcpd\n/etc/nfdhcpd/nfdhcpd.conf.rpmsave\n");
    assert!(machine.has("/var/lib/nfdhcpd/tap1"));
}
