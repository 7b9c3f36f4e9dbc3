//! The programs of `make static`: nothing of the machine but its kernel, in a directory where there is nothing else.

use std::fs;
use std::process::Command;

use crate::harness::inside::need;
use crate::harness::{Config, Lab, Process, sh, soon, tests, try_sh};
use crate::machine::packages;

tests!(statically:
    asks_for_no_library,
    starts_where_there_is_nothing_else,
    knows_users_and_groups_by_name,
    serves_a_guest_as_a_user_of_that_name,
);

const PROGRAMS: [&str; 2] = ["nfdhcpd", "snf-network"];

/// A root directory with the programs, users, and what the daemon reads.
const ROOT: &str = "/run/lab/alone";

/// Users that no other file system has, and a configuration that names them.
#[track_caller]
fn alone() -> Config {
    sh(&format!(
        "mkdir -p {ROOT}/etc {ROOT}/bindings {ROOT}/proc {ROOT}/run; cp {}/static/* {ROOT}",
        packages().unwrap()
    ));
    fs::write(format!("{ROOT}/etc/passwd"), "root:x:0:0::/:\ndhcpuser:x:4242:4243::/:\n").unwrap();
    fs::write(format!("{ROOT}/etc/group"), "root:x:0:\ndhcpgroup:x:4243:\nwatchers:x:4244:\n").unwrap();
    let config =
        Config::default().with("general", "datapath", "/bindings").with("general", "pidfile", "/run/nfdhcpd.pid");
    config.with("general", "user", "dhcpuser").with("general", "control_group", "watchers")
}

fn configure(config: &Config) {
    fs::write(format!("{ROOT}/etc/nfdhcpd.conf"), config.to_string()).unwrap();
}

fn asks_for_no_library(_: &mut Lab) {
    need("readelf");
    for program in PROGRAMS {
        let headers =
            sh(&format!("readelf --wide --program-headers --dynamic {}/static/{program}", packages().unwrap()));
        assert!(headers.contains(" LOAD "), "{headers}");
        assert!(!headers.contains("INTERP") && !headers.contains("(NEEDED)"), "{program}\n{headers}");
    }
}

fn starts_where_there_is_nothing_else(_: &mut Lab) {
    alone();
    for program in PROGRAMS {
        let said = sh(&format!("chroot {ROOT} /{program} --version"));
        assert_eq!(said, format!("{program} {}\n", env!("CARGO_PKG_VERSION")));
    }
    assert_eq!(
        sh(&format!("chroot {ROOT} /snf-network mac2eui64 aa:00:00:00:00:01 2001:db8::/64")),
        "2001:db8::a800:ff:fe00:1\n"
    );
}

fn knows_users_and_groups_by_name(_: &mut Lab) {
    let config = alone();
    let check = || try_sh(&format!("chroot {ROOT} /nfdhcpd check --config /etc/nfdhcpd.conf"));
    configure(&config);
    assert_eq!(check().map(|said| said.contains("warning")), Ok(false));
    configure(&config.clone().with("general", "user", "daemonuser"));
    assert!(check().unwrap_err().contains("daemonuser"));
    configure(&config.with("general", "control_group", "lookers"));
    assert!(check().unwrap().contains("lookers"));
}

fn serves_a_guest_as_a_user_of_that_name(lab: &mut Lab) {
    need("udhcpc");
    configure(&alone());
    sh(&format!("mount -t proc proc {ROOT}/proc"));
    let guest = lab.guest(1);
    lab.divert("-i tap+");
    fs::write(format!("{ROOT}/bindings/{}", guest.tap), guest.binding()).unwrap();
    let mut command = Command::new("chroot");
    command.args([ROOT, "/nfdhcpd", "-f", "-c", "/etc/nfdhcpd.conf"]);
    let daemon = Process::start(command, "nfdhcpd");
    daemon.wait_for_log(" ready ");
    assert_eq!(sh(&format!("stat -c '%u %g' /proc/{}", daemon.pid())), "4242 4243\n");
    guest.udhcpc("-q -n").wait();
    assert!(guest.udhcpc_lease().contains(&format!("\nip={}\n", guest.ip())), "{}", guest.udhcpc_lease());
    soon("an address of IPv6", || guest.addresses().contains(&guest.prefix6()).then_some(()));
    let shown = sh(&format!(
        "chroot {ROOT} /nfdhcpd show --config /etc/nfdhcpd.conf; stat -c %g {ROOT}/run/nfdhcpd/control.sock"
    ));
    assert!(shown.contains("1 serving") && shown.ends_with("\n4244\n"), "{shown}");
}
