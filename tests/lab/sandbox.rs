//! The daemon in its sandbox: what it does later still works, and what is out of its reach is said to be.

use std::fs;

use nix::sys::signal::Signal;

use crate::harness::{Config, Guest, Lab, SCRATCH, sh, soon, tests};

tests!(sandbox:
    holds_for_every_thread,
    can_be_switched_off,
    configuration_behind_a_link_is_renamed_over,
    directory_is_moved_away_and_back,
    directory_is_mounted_over,
    directory_behind_a_link_is_exchanged,
    link_to_a_file_out_of_reach_is_rejected,
    directory_whose_parent_is_exchanged_is_out_of_reach,
    log_directory_is_made_late,
    log_directory_that_is_replaced_is_out_of_reach,
    what_it_made_is_removed_at_the_end,
);

/// The folder of the bindings.
fn bindings() -> String {
    format!("{SCRATCH}/bindings")
}

fn holds_for_every_thread(lab: &mut Lab) {
    let _guest = lab.guest(1);
    lab.start();
    lab.daemon().wait_for_log("sandbox: Landlock is in force");
    lab.daemon().wait_for_log("sandbox: seccomp is in force");
    let threads = seccomp_of_threads(lab);
    assert!(threads.len() > 1 && threads.iter().all(|mode| mode == "2"), "{threads:?}");
}

fn can_be_switched_off(lab: &mut Lab) {
    lab.start_with(&Config::default().with("general", "sandbox", "no"));
    lab.daemon().wait_for_log("no sandbox: general.sandbox is no");
    assert!(seccomp_of_threads(lab).iter().all(|mode| mode == "0"));
}

/// The field `Seccomp` of each thread: 2 is SECCOMP_MODE_FILTER.
fn seccomp_of_threads(lab: &Lab) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{}/task", lab.daemon().pid())).unwrap();
    let mode = |status: String| {
        let line = status.lines().find_map(|line| line.strip_prefix("Seccomp:")).unwrap();
        line.trim().to_owned()
    };
    tasks.map(|task| mode(fs::read_to_string(task.unwrap().path().join("status")).unwrap())).collect()
}

fn configuration_behind_a_link_is_renamed_over(lab: &mut Lab) {
    let guest = lab.guest(1);
    sh(&format!("mkdir /run/elsewhere; ln -s /run/elsewhere/real.conf {SCRATCH}/nfdhcpd.conf"));
    lab.start();
    for (number, place) in ["/run/elsewhere/real.conf".to_owned(), format!("{SCRATCH}/nfdhcpd.conf")].iter().enumerate()
    {
        let seconds = (7_000 + number).to_string();
        let text = Config::default().with("dhcp", "lease_lifetime", &seconds).to_string();
        fs::write("/run/elsewhere/new", text).unwrap();
        sh(&format!("mv /run/elsewhere/new {place}"));
        lab.daemon().signal(Signal::SIGHUP);
        expect_lease(&guest, &format!("\nlease={seconds}\n"));
    }
}

fn directory_is_moved_away_and_back(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    sh(&format!("mv {0} {0}.away", bindings()));
    lab.daemon().wait_for_log("the directory of bindings is gone");
    sh(&format!("mv {0}.away {0}", bindings()));
    lab.daemon().wait_for_log("the directory of bindings is back");
    expect_lease(&guest, "\nip=192.0.2.11\n");
    lab.bind(&guest, &other_binding(&guest));
    expect_lease(&guest, "\nip=192.0.2.22\n");
}

fn directory_is_mounted_over(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    sh(&format!("mount -t tmpfs tmpfs {}", bindings()));
    lab.bind(&guest, &other_binding(&guest));
    expect_lease(&guest, "\nip=192.0.2.22\n");
    sh(&format!("umount {}", bindings()));
    expect_lease(&guest, "\nip=192.0.2.11\n");
}

/// Links are followed to wherever they led at the start, and their own directory is a place for others.
fn directory_behind_a_link_is_exchanged(lab: &mut Lab) {
    let guest = lab.guest(1);
    sh(&format!("mkdir /run/elsewhere; mv {0} /run/elsewhere/first; ln -s /run/elsewhere/first {0}", bindings()));
    lab.start();
    expect_lease(&guest, "\nip=192.0.2.11\n");
    sh("mkdir /run/elsewhere/second");
    fs::write("/run/elsewhere/second/tap1", other_binding(&guest)).unwrap();
    sh(&format!("ln -sfn /run/elsewhere/second {}", bindings()));
    expect_lease(&guest, "\nip=192.0.2.22\n");
    sh(&format!("rm {0}; mkdir {0}", bindings()));
    lab.bind(&guest, &guest.binding());
    expect_lease(&guest, "\nip=192.0.2.11\n");
}

fn link_to_a_file_out_of_reach_is_rejected(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    let binding = lab.binding_path(&guest);
    fs::write("/etc/binding", other_binding(&guest)).unwrap();
    sh(&format!("ln -sfn /etc/binding {binding}"));
    lab.daemon().wait_for_log("cannot be read: it is beyond what the sandbox lets the daemon read (general.sandbox)");
    expect_lease(&guest, "\nip=192.0.2.11\n");
    fs::write(format!("{SCRATCH}/binding"), other_binding(&guest)).unwrap();
    sh(&format!("ln -sfn ../binding {binding}"));
    expect_lease(&guest, "\nip=192.0.2.22\n");
}

fn directory_whose_parent_is_exchanged_is_out_of_reach(lab: &mut Lab) {
    let guest = Guest::new(1);
    sh("mkdir -p /run/parent/bindings");
    lab.start_with(&Config::default().with("general", "datapath", "/run/parent/bindings"));
    sh("mv /run/parent /run/gone; mkdir -p /run/parent/bindings");
    fs::write("/run/parent/bindings/tap1", guest.binding()).unwrap();
    lab.daemon().wait_for_log("all bindings with it: it is beyond what the sandbox lets the daemon read");
    assert!(!lab.daemon().log().contains("the directory of bindings is back"), "{}", lab.daemon().log());
    sh("rm -r /run/parent; mv /run/gone /run/parent");
    lab.daemon().wait_for_log("the directory of bindings is back");
}

/// The log is written on standard error until then.
fn log_directory_is_made_late(lab: &mut Lab) {
    let logdir = format!("{SCRATCH}/log");
    fs::write(&logdir, "in the way").unwrap();
    start_logging(lab, &logdir);
    lab.daemon().wait_for_log("no log file: ");
    lab.daemon().signal(Signal::SIGHUP);
    lab.daemon().wait_for_log("the log file cannot be opened: Not a directory");
    sh(&format!("rm {logdir}; mkdir -m 777 {logdir}"));
    lab.daemon().signal(Signal::SIGHUP);
    soon("a line in the log file", || {
        fs::read_to_string(format!("{logdir}/nfdhcpd.log")).ok().filter(|log| log.contains("configuration reloaded"))
    });
}

fn log_directory_that_is_replaced_is_out_of_reach(lab: &mut Lab) {
    let logdir = format!("{SCRATCH}/log");
    start_logging(lab, &logdir);
    sh(&format!("mv {logdir} {logdir}.old; mkdir -m 777 {logdir}"));
    lab.daemon().signal(Signal::SIGHUP);
    lab.daemon().wait_for_log("the log file cannot be opened: it is beyond where the sandbox lets the daemon write");
    assert!(!fs::exists(format!("{logdir}/nfdhcpd.log")).unwrap());
}

/// A daemon that writes a log file, unlike others here.
fn start_logging(lab: &mut Lab, logdir: &str) {
    lab.launch_with(&Config::default().with("general", "logdir", logdir), &[]);
    lab.daemon().wait_for_log(" ready ");
}

fn what_it_made_is_removed_at_the_end(lab: &mut Lab) {
    let made = [format!("{SCRATCH}/own/nfdhcpd.pid"), format!("{SCRATCH}/control/control.sock")];
    let config = Config::default().with("general", "user", "root");
    let config = config.with("general", "pidfile", &made[0]).with("general", "control_socket", &made[1]);
    lab.start_with(&config);
    assert!(made.iter().all(|path| fs::exists(path).unwrap()));
    lab.stop();
    assert!(!made.iter().any(|path| fs::exists(path).unwrap()), "{}", sh(&format!("ls -R {SCRATCH}")));
}

fn other_binding(guest: &Guest) -> String {
    guest.binding().replace("192.0.2.11", "192.0.2.22")
}

/// Waits until the guest gets a lease that says this.
#[track_caller]
fn expect_lease(guest: &Guest, words: &str) {
    soon(&format!("a lease with {words:?}"), || {
        guest.udhcpc("-q -n").wait();
        guest.udhcpc_lease().contains(words).then_some(())
    });
}
