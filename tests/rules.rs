//! `nfdhcpd rules` as an administrator uses it, line by line. `tests/lab/rules.rs` loads what is expected here.
//!
//! `UPDATE_GOLDEN=1 cargo test --test rules` takes what comes out for right.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]
#![allow(clippy::disallowed_methods, reason = "tests run the program and read files")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// What is printed for which options, over the configuration that is shipped.
const EXPECTED: &[(&str, &[&str])] = &[
    ("routed.nft", &[]),
    ("mixed.nft", &["--routed", "--bridged", "vnet*,gnt.com.*", "--bypass", "--limit", "ns=1000", "--burst", "50"]),
    ("routed.sh", &["--format", "iptables"]),
    ("bridged.sh", &["--format", "iptables", "--bridged", "--limit", "10/second", "--bypass", "ns"]),
    ("by-bridge.sh", &["--format", "iptables", "--bridged", "--by-bridge", "br0,br1", "--bypass", "--no-limit"]),
    ("mixed.ferm", &["--format", "ferm", "--routed", "tap+,vnet0", "--bridged", "tap+", "--bypass"]),
    ("limits.nft", &["--limits-only", "--bridged", "--by-bridge", "br0"]),
    ("guard.nft", &["--routed", "vnet*", "--bridged", "--guard", "--trunk", "tap9,tap1*", "--no-limit"]),
    ("guard.ferm", &["--format", "ferm", "--guard", "--no-limit"]),
    ("guard-alone.nft", &["--guard", "--limits-only", "--no-limit"]),
];

#[test]
fn prints_what_is_expected() {
    for (name, options) in EXPECTED {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules").join(name);
        let (status, found, complaints) = run(options);
        assert_eq!((status, complaints.as_str()), (0, ""));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&path, &found).unwrap();
        }
        assert_eq!(found, fs::read_to_string(&path).unwrap(), "{name}");
    }
}

#[test]
fn refuses_what_has_no_meaning() {
    for (options, expected) in [
        (&["--bridged", "--by-bridge", "br0"][..], "nft sees the ports"),
        (&["--format", "iptables", "--by-bridge", "br0"], "--bridged"),
        (&["--limits-only", "--format", "iptables"], "leave --format out"),
        (&["--format", "pf"], "nft, iptables, ferm"),
        (&["--routed", "tap\"; reboot"], "not an interface"),
        (&["--bypass", "arp"], "not a kind of packets"),
        (&["--limit", "arp=3"], "not a kind of packets"),
        (&["--limit", "3/minute"], "not a number"),
        (&["--no-limit", "--limit", "3"], "cannot be used with"),
        (&["--no-limit", "--limits-only"], "cannot be used with"),
        (&["--check", "--limits-only"], "cannot be used with"),
        (&["--trunk", "tap0"], "--guard"),
        (&["-c", "/nonexistent/nfdhcpd.conf"], "/nonexistent/nfdhcpd.conf: cannot be read"),
    ] {
        let (status, stdout, complaint) = run(options);
        assert_eq!((status, stdout.as_str()), (2, ""), "{options:?}");
        assert!(complaint.contains(expected), "{expected:?} is not in\n{complaint}");
    }
}

/// Exit status, standard output and standard error.
fn run(options: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nfdhcpd"));
    command.arg("rules").args(options);
    if !options.contains(&"-c") {
        command.args(["-c", concat!(env!("CARGO_MANIFEST_DIR"), "/config/nfdhcpd.conf")]);
    }
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}
