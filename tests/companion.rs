//! `snf-network` as an administrator types it, without a node that it could change: options, messages, exit statuses.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a panic is how a test fails")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read and write files")]

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_snf-network"));
    command.args(arguments).env_clear();
    command
}

/// Exit status and both outputs.
fn run(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// A file of settings with this text, for one test.
fn settings(name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("companion");
    fs::create_dir_all(&directory).unwrap();
    let path = directory.join(name);
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn mac2eui64_prints_the_address_that_a_station_makes() {
    for (mac, prefix, address) in [
        ("aa:00:00:00:00:01", "2001:db8::/64", "2001:db8::a800:ff:fe00:1"),
        ("AA-00-00-C2-B2-13", "2001:db8:0:1::", "2001:db8:0:1:a800:ff:fec2:b213"),
        ("00:00:5e:00:53:01", "2001:db8::ffff/64", "2001:db8::200:5eff:fe00:5301"),
    ] {
        let expected = (0, format!("{address}\n"), String::new());
        assert_eq!(run(&mut program(&["mac2eui64", mac, prefix])), expected, "{mac}");
        assert_eq!(run(program(&[mac, prefix]).arg0("/usr/bin/mac2eui64")), expected, "{mac}");
    }
}

#[test]
fn mac2eui64_says_what_is_wrong() {
    for (arguments, said) in [
        (&["aa:00:00:00:00", "2001:db8::/64"][..], "aa:00:00:00:00"),
        (&["aa:00:00:00:00:01", "2001:db8::/80"], "not a prefix of 64 bits"),
        (&["aa:00:00:00:00:01", "192.0.2.0/24"], "192.0.2.0/24"),
        (&["aa:00:00:00:00:01"], "<PREFIX>"),
    ] {
        let (status, stdout, stderr) = run(program(&["mac2eui64"]).args(arguments));
        assert_eq!((status, stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(stderr.contains(said), "{arguments:?}: {stderr}");
    }
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let arguments = ["mac2eui64", "aa:00:00:00:00:01", "2001:db8::/64"];
    let output = program(&arguments).stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn help_names_every_command() {
    let (status, help, stderr) = run(&mut program(&["--help"]));
    assert_eq!((status, stderr.as_str()), (0, ""));
    for command in ["ifup", "ifdown", "vif", "hook", "dns", "clean", "status", "mac2eui64"] {
        assert!(help.contains(&format!("\n  {command} ")), "{command} is not in\n{help}");
        let (status, help, _) = run(&mut program(&[command, "--help"]));
        assert!(status == 0 && help.contains("--dry-run"), "{command}: {help}");
    }
    assert_eq!(run(&mut program(&["--version"])).1, format!("snf-network {}\n", env!("CARGO_PKG_VERSION")));
    for arguments in [&[][..], &["up"], &["ifup", "tap0"], &["ifdown", "tap/0"], &["clean", "--force"]] {
        let (status, stdout, stderr) = run(&mut program(arguments));
        assert!(status == 2 && stdout.is_empty() && !stderr.is_empty(), "{arguments:?}: {stderr}");
    }
}

#[test]
fn settings_that_cannot_be_are_an_error_of_every_command() {
    for (name, text, said) in [
        ("key", &b"MAC_MASK=ff\n"[..], ":1: MAC_MASK"),
        ("shell", b"# comment\nSTATE_DIR=$(reboot)\n", ":2: "),
        ("quote", b"STATE_DIR='/x\n", ":1: "),
        ("relative", b"NFDHCPD_STATE_DIR=var/lib\n", "NFDHCPD_STATE_DIR"),
        ("bytes", b"STATE_DIR=/\xff\n", "UTF-8"),
        ("long", &[b'#'; 70_000], "more than 65536 bytes"),
    ] {
        let path = settings(name, text);
        for command in ["ifup", "ifdown", "hook", "clean", "status"] {
            let (status, stdout, stderr) = run(program(&[command, "--dry-run", "--config"]).arg(&path));
            assert_eq!((status, stdout.as_str(), stderr.lines().count()), (1, "", 1), "{command}: {stderr}");
            let start = format!("snf-network: {command}: {}", path.display());
            assert!(stderr.starts_with(&start) && stderr.contains(said), "{stderr}");
        }
    }
    let (status, _, stderr) = run(&mut program(&["clean", "-n", "--config", "/"]));
    assert!(status == 1 && stderr.starts_with("snf-network: clean: /: "), "{stderr}");
}

/// Whoever looks holds up nobody, and needs no directory for it.
#[test]
fn who_changes_nothing_locks_nothing() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("companion/nobody-makes-this");
    let path = settings("dry", format!("LOGFILE=\nSTATE_DIR={}\n", directory.display()));
    for arguments in [&["clean", "-n"][..], &["hook", "-n"], &["ifdown", "-n", "tap0"], &["status"]] {
        // Whether it may look at the node depends on who runs it.
        run(program(arguments).arg("--config").arg(&path));
        assert!(!directory.exists(), "{arguments:?}");
    }
}

#[test]
fn variables_are_asked_for_before_the_node_is() {
    let path = settings("none", "LOGFILE=\n");
    for (command, said) in
        [("ifup", "snf-network: ifup: INTERFACE: not set\n"), ("ifdown", "snf-network: ifdown: INTERFACE: not set\n")]
    {
        let expected = (1, String::new(), said.to_owned());
        assert_eq!(run(program(&[command, "--config"]).arg(&path)), expected);
        assert_eq!(run(program(&[command, "-n", "--config"]).arg(&path).env("INTERFACE", " ")), expected);
    }
}
