//! `nfdhcpd bind` and `unbind`, as the hooks of a guest's life use them, beside the real daemon.

use std::process::Command;

use crate::harness::daemon::write_config;
use crate::harness::{Config, Guest, Lab, SCRATCH, sh, tests};

tests!(bind:
    guest_is_bound_and_bound_again_and_unbound,
    binding_is_written_before_there_is_a_daemon,
    unprivileged_daemon_reads_what_is_bound,
);

const PROGRAM: &str = env!("CARGO_BIN_EXE_nfdhcpd");

fn guest_is_bound_and_bound_again_and_unbound(lab: &mut Lab) {
    let mut guest = Guest::new(1);
    guest.plug();
    lab.start();
    assert_eq!(bind(&guest, "192.0.2.11/24", &["--wait", "1m"]), (0, String::new()));
    guest.udhcpc("-q -n").wait();
    assert!(guest.addresses().contains("192.0.2.11/24"), "{}", guest.addresses());

    let (status, output) = bind(&guest, "192.0.2.300/24", &["--wait", "1m"]);
    assert!(status == 1 && output.starts_with("error: --ip=\"192.0.2.300/24\": "), "{output}");
    assert_eq!(run("wait", &guest, &[]), (0, String::new()), "the daemon has never seen it");

    assert_eq!(bind(&guest, "192.0.2.99/24", &["--wait", "1m"]), (0, String::new()));
    guest.udhcpc("-q -n").wait();
    assert!(guest.addresses().contains("192.0.2.99/24"), "{}", guest.addresses());

    for _ in 0..2 {
        assert_eq!(run("unbind", &guest, &[]), (0, String::new()));
        let (status, output) = run("wait", &guest, &["--timeout", "0"]);
        assert!(status == 3 && output.ends_with(": it has no binding file\n"), "{output}");
    }
}

fn binding_is_written_before_there_is_a_daemon(lab: &mut Lab) {
    let mut guest = Guest::new(1);
    guest.plug();
    write_config(&Config::default());
    assert_eq!(bind(&guest, "192.0.2.11/24", &[]), (0, String::new()));
    let (status, output) = bind(&guest, "192.0.2.12/24", &["--wait"]);
    assert!(status == 2 && output.contains("(no daemon is running there)"), "{output}");
    lab.start();
    guest.udhcpc("-q -n").wait();
    assert!(guest.addresses().contains("192.0.2.12/24"), "it was written all the same: {}", guest.addresses());
}

/// Whatever the umask of the hook.
fn unprivileged_daemon_reads_what_is_bound(lab: &mut Lab) {
    let mut guest = Guest::new(1);
    guest.plug();
    lab.start_with(&crate::daemon::unprivileged());
    let arguments = format!("--mac {} --hostname guest1 --ip 192.0.2.11/24 --wait 1m", guest.mac_text());
    sh(&format!("umask 077; {PROGRAM} bind {} -c {SCRATCH}/nfdhcpd.conf {arguments}", guest.tap));
    guest.udhcpc("-q -n").wait();
    assert!(guest.addresses().contains("192.0.2.11/24"), "{}", guest.addresses());
}

fn bind(guest: &Guest, ip: &str, more: &[&str]) -> (i32, String) {
    let mac = guest.mac_text();
    let arguments = ["--mac", &mac, "--hostname", "guest1", "--ip", ip, "--gateway", "192.0.2.1"];
    run("bind", guest, &[&arguments, more].concat())
}

/// A command about a guest's tap: exit status and output.
fn run(command: &str, guest: &Guest, arguments: &[&str]) -> (i32, String) {
    let mut program = Command::new(PROGRAM);
    program.args([command, &guest.tap, "-c", &format!("{SCRATCH}/nfdhcpd.conf")]).args(arguments);
    let output = program.output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.code().unwrap(), text)
}
