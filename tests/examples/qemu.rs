//! QEMU's scripts: the name of the tap is the argument, the binding is in the environment.

use std::fs;
use std::io::{BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use super::{GUEST, HOSTILE, Node, binding, example, fails, is_installed, skip, succeeds};

/// Stands in for ip, and says in a file what it was asked to do.
const IP: &str = "#!/bin/sh\necho \"$@\" >>\"$NFDHCPD_STATE_DIR/../ip/calls\"\n";

/// A node with an `ip` that changes nothing.
fn node(name: &str) -> Node {
    let node = Node::new(name);
    let ip = node.directory.join("ip");
    fs::create_dir(&ip).unwrap();
    fs::write(ip.join("ip"), IP).unwrap();
    fs::set_permissions(ip.join("ip"), fs::Permissions::from_mode(0o755)).unwrap();
    node
}

fn ifup(node: &Node, tap: &str) -> Command {
    let mut command = node.command(&example("qemu/nfdhcpd-ifup"));
    command.arg(tap).env("PATH", format!("{}:{}", node.directory.join("ip").display(), env!("PATH")));
    command.envs(GUEST.lines().map(|line| format!("NFDHCPD_{line}")).map(|line| {
        let (key, value) = line.split_once('=').unwrap();
        (key.to_owned(), value.to_owned())
    }));
    command
}

fn ifdown(node: &Node, tap: &str) -> Command {
    let mut command = node.command(&example("qemu/nfdhcpd-ifdown"));
    command.arg(tap);
    command
}

#[test]
fn a_tap_comes_and_goes() {
    let node = node("qemu");
    node.add("tap1", "# of another guest\n");
    succeeds(&mut ifup(&node, "tap0"), "");
    assert_eq!(node.binding("tap0"), binding("tap0", GUEST));
    let calls = fs::read_to_string(node.directory.join("ip/calls")).unwrap();
    assert_eq!(calls, "link set dev tap0 up\nlink set dev tap0 master br0\n");

    let first = node.inode("tap0");
    succeeds(ifup(&node, "tap0").env("NFDHCPD_HOSTNAME", "renamed"), "");
    assert_eq!(node.binding("tap0").hostname.as_str(), "renamed");
    assert_ne!(node.inode("tap0"), first, "written in place");

    for _ in 0..2 {
        succeeds(&mut ifdown(&node, "tap0"), "");
        assert_eq!(node.files(), ["tap1"]);
    }
}

#[test]
fn a_routed_tap_has_no_bridge() {
    let node = node("qemu-routed");
    succeeds(ifup(&node, "tap0").env_remove("NFDHCPD_INDEV"), "");
    assert_eq!(node.binding("tap0").indev.as_str(), "tap0");
    assert_eq!(fs::read_to_string(node.directory.join("ip/calls")).unwrap(), "link set dev tap0 up\n");
}

#[test]
fn refuses_values_that_are_none() {
    let node = node("qemu-hostile");
    for key in ["INDEV", "MAC", "HOSTNAME", "IP", "TAGS"] {
        // A path in a value is no harm: it is never one of a file.
        for value in HOSTILE.iter().filter(|value| key == "INDEV" || !value.starts_with("..")) {
            let complaint = fails(ifup(&node, "tap0").env(format!("NFDHCPD_{key}"), value), "");
            assert!(complaint.contains(&format!("NFDHCPD_{key}")), "{complaint}");
        }
    }
    for key in ["MAC", "HOSTNAME"] {
        assert!(fails(ifup(&node, "tap0").env_remove(format!("NFDHCPD_{key}")), "").contains("missing"));
    }
    assert_eq!(node.files(), [""; 0]);
    assert!(!node.directory.join("ip/calls").exists(), "a link was changed");
}

#[test]
fn refuses_what_names_no_tap() {
    let node = node("qemu-names");
    node.add("tap1", "");
    for tap in ["", ".", "..", ".tap1", "../bindings/tap1", "-rf", "tap 1", "tap1\n", "$(touch pwned)"] {
        fails(&mut ifup(&node, tap), "");
        fails(&mut ifdown(&node, tap), "");
    }
    fails(&mut ifup(&node, "sixteen-letters-"), "");
    assert_eq!(node.files(), ["tap1"]);
}

/// The real thing, with a machine that never starts, in a network of its own.
#[test]
fn qemu_runs_both() {
    const QEMU: &str = "qemu-system-x86_64";
    if !is_installed(QEMU) {
        return skip("qemu-system-x86_64 is not installed");
    }
    let node = Node::new("qemu-itself");
    let prepare = "ip link add br0 type bridge && test -w /dev/net/tun";
    let unshare = ["--user", "--map-root-user", "--net", "sh", "-c"];
    if !Command::new("unshare").args(unshare).arg(prepare).status().is_ok_and(|status| status.success()) {
        return skip("no namespaces, bridges or taps");
    }
    let [up, down] = ["up", "down"].map(|way| example(&format!("qemu/nfdhcpd-if{way}")).display().to_string());
    let mut qemu = ifup(&node, "").arg("").get_envs().fold(Command::new("unshare"), |mut command, (name, value)| {
        command.env(name, value.unwrap());
        command
    });
    qemu.args(unshare).arg(format!("{prepare} && exec \"$@\"")).arg("sh").args([
        QEMU,
        "-accel",
        "tcg",
        "-nodefaults",
        "-nographic",
        "-S",
        "-monitor",
        "stdio",
        "-netdev",
        &format!("tap,id=net0,ifname=tap0,script={up},downscript={down}"),
        "-device",
        "virtio-net-pci,netdev=net0,mac=52:54:00:00:00:01,romfile=",
    ]);
    let mut qemu = qemu.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    wait_for_prompt(qemu.stdout.as_mut().unwrap());
    assert_eq!(node.binding("tap0"), binding("tap0", GUEST));
    qemu.stdin.take().unwrap().write_all(b"quit\n").unwrap();
    assert!(qemu.wait_with_output().unwrap().status.success());
    assert_eq!(node.files(), [""; 0]);
}

/// Until the monitor asks for a command: the network is there by then.
fn wait_for_prompt(monitor: &mut impl std::io::Read) {
    let mut said = Vec::new();
    for byte in BufReader::new(monitor).bytes() {
        said.push(byte.unwrap());
        if said.ends_with(b"(qemu) ") {
            return;
        }
    }
    panic!("QEMU ended: {}", String::from_utf8_lossy(&said));
}
