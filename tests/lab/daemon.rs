//! The daemon as a process: signals, privileges, and the company it refuses to keep.

use std::fs;

use nix::sys::signal::Signal;

use crate::harness::daemon::write_config;
use crate::harness::inside::knows_only_root;
use crate::harness::lab::second_daemon;
use crate::harness::{Config, Lab, SCRATCH, sh, skip, soon, tests};

tests!(daemon:
    ends_well_on_sigterm_and_sigint,
    reload_keeps_the_old_configuration_when_the_new_one_is_wrong,
    reload_takes_what_can_change,
    second_daemon_says_whose_queues_they_are,
    missing_directory_is_an_error_at_start,
    wrong_configuration_is_an_error_at_start,
    unknown_user_is_an_error_at_start,
    runs_unprivileged,
    packet_socket_receives_nothing,
    unprivileged_daemon_follows_taps_and_files,
    shows_its_bindings_on_sigusr1,
    warns_of_a_configuration_that_a_reload_could_not_read,
    writes_a_log_file_and_follows_it_through_a_rotation,
    writes_no_log_file_in_the_foreground,
);

fn ends_well_on_sigterm_and_sigint(lab: &mut Lab) {
    let pidfile = format!("{SCRATCH}/nfdhcpd.pid");
    lab.start();
    soon("the pid file", || Some(fs::read_to_string(&pidfile).ok()?.trim() == lab.daemon().pid().to_string()));
    lab.stop();
    // It may have become a user who may not remove it.
    let left = fs::read_to_string(&pidfile).unwrap_or_default();
    assert!(left.is_empty(), "the pid file still says {left}");
    lab.launch(&Config::default());
    lab.daemon().signal(Signal::SIGINT);
    soon("the end of the queues", || crate::harness::queues::bound().is_empty().then_some(()));
}

fn reload_keeps_the_old_configuration_when_the_new_one_is_wrong(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    write_config(&Config::default().with("dhcp", "lease_lifetime", "a while"));
    lab.daemon().signal(Signal::SIGHUP);
    lab.daemon().wait_for_log("a while");
    guest.udhcpc("-q -n").wait();
    assert!(guest.udhcpc_lease().contains("\nlease=3600\n"), "{}", guest.udhcpc_lease());
}

fn reload_takes_what_can_change(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    write_config(&Config::default().with("dhcp", "lease_lifetime", "7777").with("dhcp", "dhcp_queue", "52"));
    lab.daemon().signal(Signal::SIGHUP);
    lab.daemon().wait_for_log("dhcp_queue");
    soon("the new lease time", || {
        guest.sh("true");
        let mut client = guest.udhcpc("-q -n");
        client.wait();
        guest.udhcpc_lease().contains("\nlease=7777\n").then_some(())
    });
}

fn second_daemon_says_whose_queues_they_are(lab: &mut Lab) {
    lab.start();
    let config = Config::default().with("general", "pidfile", format!("{SCRATCH}/second.pid"));
    let mut second = second_daemon(&config);
    assert_eq!(second.wait().code(), Some(1), "{}", second.log());
    let log = second.log();
    assert!(log.contains("42") && log.contains("another process"), "{log}");
}

fn missing_directory_is_an_error_at_start(_: &mut Lab) {
    let mut daemon = second_daemon(&Config::default().with("general", "datapath", "/run/lab/nowhere"));
    assert_eq!(daemon.wait().code(), Some(1), "{}", daemon.log());
    assert!(daemon.log().contains("/run/lab/nowhere"), "{}", daemon.log());
}

fn wrong_configuration_is_an_error_at_start(_: &mut Lab) {
    let mut daemon = second_daemon(&Config::default().with("dhcp", "server_ip", "192.0.2"));
    assert_eq!(daemon.wait().code(), Some(2), "{}", daemon.log());
    let log = daemon.log();
    assert!(log.contains("nfdhcpd.conf:") && log.contains("server_ip") && log.contains("192.0.2"), "{log}");
}

fn unknown_user_is_an_error_at_start(_: &mut Lab) {
    let mut daemon = second_daemon(&Config::default().with("general", "user", "no-such-user"));
    assert_eq!(daemon.wait().code(), Some(2), "{}", daemon.log());
    let log = daemon.log();
    assert!(
        log.contains("nfdhcpd.conf:") && log.contains("general.user = \"no-such-user\": no user of this name"),
        "{log}"
    );
}

/// CAP_NET_ADMIN and CAP_NET_RAW, as in linux/capability.h.
const CAPABILITIES: &str = "0000000000003000";

fn runs_unprivileged(lab: &mut Lab) {
    lab.start_with(&unprivileged());
    let nobody = sh("id -u nobody");
    let tasks = format!("/proc/{}/task", lab.daemon().pid());
    for task in fs::read_dir(tasks).unwrap() {
        let status = fs::read_to_string(task.unwrap().path().join("status")).unwrap();
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_once(':').unwrap().1.split_whitespace().collect::<Vec<_>>()
        };
        assert_eq!(field("Uid"), [nobody.trim(); 4], "{status}");
        assert!(field("Groups").is_empty(), "{status}");
        assert_eq!(field("NoNewPrivs"), ["1"], "{status}");
        for set in ["CapPrm", "CapEff", "CapBnd"] {
            assert_eq!(field(set), [CAPABILITIES], "{set}\n{status}");
        }
        assert_eq!(field("CapInh"), ["0000000000000000"], "{status}");
    }
}

fn packet_socket_receives_nothing(lab: &mut Lab) {
    lab.start();
    let sockets = sh("tail -n +2 /proc/net/packet");
    let protocols: Vec<_> = sockets.lines().map(|line| line.split_whitespace().nth(3).unwrap()).collect();
    assert_eq!(protocols, ["0000"], "{sockets}");
}

/// Nothing needs root later: not a new tap, not a new file, not a reload.
fn unprivileged_daemon_follows_taps_and_files(lab: &mut Lab) {
    let config = unprivileged();
    lab.start_with(&config);
    let guest = lab.guest(1);
    write_config(&config.with("dhcp", "lease_lifetime", "7777"));
    lab.daemon().signal(Signal::SIGHUP);
    soon("a lease of the new length", || {
        guest.udhcpc("-q -n").wait();
        guest.udhcpc_lease().contains("\nlease=7777\n").then_some(())
    });
    guest.wait_for_address(&guest.eui64());
}

/// A configuration with another user to run as. There is none where this namespace knows only root.
pub(crate) fn unprivileged() -> Config {
    if knows_only_root() {
        skip("this needs root: a user namespace of one user has nobody else to run as");
    }
    Config::default().with("general", "user", "nobody")
}

fn shows_its_bindings_on_sigusr1(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    lab.daemon().signal(Signal::SIGUSR1);
    for words in ["tap1", &guest.mac_text()[..], "192.0.2.11", "2001:db8:0:1::/64"] {
        lab.daemon().wait_for_log(words);
    }
}

fn warns_of_a_configuration_that_a_reload_could_not_read(lab: &mut Lab) {
    let config = unprivileged();
    sh(&format!("chmod 600 {}", write_config(&config)));
    let guest = lab.guest(1);
    lab.start_with(&config);
    let nobody = sh("id -u nobody");
    lab.daemon().wait_for_log("SIGHUP will not be able to read the configuration as this user: ");
    let path = format!("path=\"{SCRATCH}/nfdhcpd.conf\" uid={}", nobody.trim());
    assert!(lab.daemon().log().contains(&path), "{}", lab.daemon().log());
    guest.udhcpc("-q -n").wait();
    assert!(guest.udhcpc_lease().contains("\nlease=3600\n"), "{}", guest.udhcpc_lease());

    lab.daemon().signal(Signal::SIGHUP);
    lab.daemon().wait_for_log("the configuration stays as it was");
    lab.stop();
    sh(&format!("chmod 644 {SCRATCH}/nfdhcpd.conf"));
    lab.launch(&config);
    lab.daemon().wait_for_log(" ready ");
    assert!(!lab.daemon().log().contains("SIGHUP"), "{}", lab.daemon().log());
}

fn writes_a_log_file_and_follows_it_through_a_rotation(lab: &mut Lab) {
    let user = if knows_only_root() { "root" } else { "nobody" };
    let logdir = format!("{SCRATCH}/log");
    let (path, rotated) = (format!("{logdir}/nfdhcpd.log"), format!("{logdir}/rotated"));
    let config = Config::default().with("general", "logdir", &logdir).with("general", "user", user);
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    lab.launch_with(&config, &[]);
    soon("a line in the log file", || read(&path).contains(" ready ").then_some(()));
    assert_eq!(sh(&format!("stat -c '%U %a' {logdir} {path}")), format!("{user} 755\n{user} 640\n"));
    lab.daemon().wait_for_log(" ready ");

    fs::rename(&path, &rotated).unwrap();
    lab.daemon().signal(Signal::SIGHUP);
    soon("a line in a new log file", || read(&path).contains("configuration reloaded").then_some(()));
    assert!(!read(&rotated).contains("configuration reloaded"), "{}", read(&rotated));
    assert_eq!(sh(&format!("stat -c '%U %a' {path}")), format!("{user} 640\n"));
}

fn writes_no_log_file_in_the_foreground(lab: &mut Lab) {
    let logdir = format!("{SCRATCH}/log");
    lab.launch(&Config::default().with("general", "logdir", &logdir));
    lab.daemon().wait_for_log(" ready ");
    assert!(!fs::exists(&logdir).unwrap());
}
