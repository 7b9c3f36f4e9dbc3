//! The administrator's own script, and the names by which the program is called.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use super::{Nic, assert_same, belongings, configure, program};
use crate::bridge::make_bridge;
use crate::harness::process::outcome;
use crate::harness::{Guest, Lab, SCRATCH, sh, tests};

tests!(ifup_script:
    script_has_the_environment,
    script_that_fails_takes_all_back,
    script_that_may_not_run_is_none,
    script_leaves_nothing_to_wait_for,
    names_stand_for_commands,
);

const PATH: &str = "/run/lab/extra";

fn write_script(text: &str, mode: u32) {
    fs::write(PATH, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(PATH, fs::Permissions::from_mode(mode)).unwrap();
}

fn bridged() -> Nic {
    make_bridge();
    let mut guest = Guest::new(1);
    guest.insert();
    Nic::bridged(&guest, "nfdhcpd private-filtered").with("INSTANCE_NOTE", "$(id) 'a\nb'")
}

/// All of it, at the end: the binding is written, and the tap is up.
fn script_has_the_environment(_: &mut Lab) {
    let nic = bridged();
    write_script(
        "env -0 >/run/lab/environment; cat /run/lab/bindings/$INTERFACE /sys/class/net/$INTERFACE/flags >/run/lab/seen",
        0o755,
    );
    nic.up();
    let environment = fs::read_to_string(format!("{SCRATCH}/environment")).unwrap();
    let variables: Vec<_> = environment.split('\0').collect();
    for (name, value) in &nic.0 {
        assert!(variables.contains(&&*format!("{name}={value}")), "{name}");
    }
    let seen = fs::read_to_string(format!("{SCRATCH}/seen")).unwrap();
    assert!(seen.contains("\nIP=192.0.2.11\n") && seen.ends_with("3\n"), "{seen}");
    let names: Vec<_> = variables.iter().filter_map(|variable| variable.split_once('=')).map(|pair| pair.0).collect();
    let more: Vec<_> = names.into_iter().filter(|name| !nic.0.contains_key(*name)).collect();
    assert!(more.iter().all(|name| ["PATH", "LC_ALL", "PWD", "OLDPWD", "SHLVL", "_"].contains(name)), "{more:?}");
}

fn script_that_fails_takes_all_back(_: &mut Lab) {
    let nic = bridged();
    let nothing = belongings();
    for (text, said) in
        [("echo first; echo \"it's why\" >&2; exit 7", "exit status: 7: it's why"), ("kill -9 $$", "signal: 9")]
    {
        write_script(text, 0o755);
        let error = nic.try_up().unwrap_err();
        assert!(error.contains(&format!("run {PATH}: {said}")), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert_same(&belongings(), &nothing);
    }
    // Also of a tap that was in order before: the NIC is as the script left it, or not at all.
    write_script("true", 0o755);
    nic.up();
    write_script("exit 1", 0o755);
    nic.try_up().unwrap_err();
    assert_same(&belongings(), &nothing);
}

fn script_that_may_not_run_is_none(_: &mut Lab) {
    let nic = bridged();
    write_script("exit 1", 0o644);
    nic.up();
    fs::remove_file(PATH).unwrap();
    fs::create_dir(PATH).unwrap();
    nic.up();
    configure("IFUP_EXTRA_SCRIPT=\n");
    assert_eq!(nic.plan(), "");
}

/// It may leave something running, which keeps neither Ganeti nor the next one waiting.
fn script_leaves_nothing_to_wait_for(_: &mut Lab) {
    let nic = bridged();
    write_script("sleep 1000 & echo $! >/run/lab/background", 0o755);
    nic.up();
    let pid = fs::read_to_string(format!("{SCRATCH}/background")).unwrap();
    assert!(fs::exists(format!("/proc/{}", pid.trim())).unwrap());
    assert_eq!(super::run(&["clean"]), "", "the lock is held");
    sh(&format!("kill {pid}"));
}

/// As an administrator links them.
fn names_stand_for_commands(_: &mut Lab) {
    let nic = bridged();
    let config = configure("");
    sh(&format!("mkdir -p /etc/default; cp {config} /etc/default/snf-network"));
    let nothing = belongings();
    let call = |name: &str, arguments: &[&str]| {
        let path = format!("{SCRATCH}/{name}");
        let _there = symlink(env!("CARGO_BIN_EXE_snf-network"), &path);
        let mut command = Command::new(path);
        command.args(arguments).env_clear().envs(&nic.0);
        command
    };
    for name in ["kvm-vif-bridge", "kvm-ifup-custom"] {
        assert_eq!(outcome(&mut call(name, &[])), Ok(String::new()));
        assert!(belongings().contains("tap1"));
        assert_eq!(outcome(&mut call("kvm-ifdown-custom", &[])), Ok(String::new()));
        assert_same(&belongings(), &nothing);
    }
    // The name that it is called by counts, not that of the file.
    let mut by_name = program(&[]);
    let mut by_name_alone = Command::new(env!("CARGO_BIN_EXE_snf-network"));
    by_name_alone.arg0("/etc/ganeti/kvm-vif-bridge").env_clear().envs(&nic.0);
    assert_eq!(outcome(&mut by_name_alone), Ok(String::new()));
    assert!(outcome(&mut by_name).is_err(), "no command");
    assert!(belongings().contains("tap1"));
    sh("ip link del tap1");
    let said = outcome(&mut call("snf-network-hook", &[])).unwrap();
    assert!(said.contains("GANETI_HOOKS_PATH: not set") && said.lines().count() == 1, "{said}");
    assert_same(&belongings(), &nothing);
    assert_eq!(outcome(&mut call("snf-network-dns", &[])), Ok(String::new()));
    let eui64 = outcome(&mut call("mac2eui64", &["aa:00:00:00:00:01", "2001:db8::/64"]));
    assert_eq!(eui64.unwrap().trim(), "2001:db8::a800:ff:fe00:1");
    assert!(outcome(&mut call("vif-custom", &["online"])).unwrap_err().contains("vif: not set"));
}
