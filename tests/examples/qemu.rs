//! QEMU's scripts: the name of the tap is the argument, the binding is in the environment.

use std::fs;
use std::io::{BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{GUEST, HOSTILE, Node, binding, example, fails, is_installed, run, skip, succeeds};

/// Stands in for ip, and says in a file what it was asked to do, which fails for a bridge that is not there.
const IP: &str = "#!/bin/sh\necho \"$@\" >>ip/calls\n! [ \"$6\" = missing ]\n";

/// A node with a configuration of its own.
fn configured(name: &str) -> Node {
    let node = Node::new(name);
    let general = format!("[general]\ndatapath = {}\n", node.bindings().display());
    let sections = "[dhcp]\nserver_ip = 192.0.2.1\n[ipv6]\nrs_queue = 43\nns_queue = 44\n";
    fs::create_dir(node.directory.join("etc")).unwrap();
    fs::write(node.directory.join("etc/nfdhcpd.conf"), general + sections).unwrap();
    node
}

/// The same with an `ip` that changes nothing.
fn node(name: &str) -> Node {
    let node = configured(name);
    let ip = node.directory.join("ip");
    fs::create_dir(&ip).unwrap();
    fs::write(ip.join("ip"), IP).unwrap();
    fs::set_permissions(ip.join("ip"), fs::Permissions::from_mode(0o755)).unwrap();
    node
}

/// One of the scripts, which finds our program, and asks this node's configuration.
fn script(node: &Node, name: &str, tap: &str) -> Command {
    let mut command = node.command(&example(name));
    let ours = Path::new(env!("CARGO_BIN_EXE_nfdhcpd")).parent().unwrap();
    command
        .arg(tap)
        .env("PATH", format!("{}:{}:{}", node.directory.join("ip").display(), ours.display(), env!("PATH")));
    command.env("NFDHCPD_CONFIG", node.directory.join("etc/nfdhcpd.conf"));
    command
}

fn ifup(node: &Node, tap: &str) -> Command {
    let mut command = script(node, "qemu/nfdhcpd-ifup", tap);
    command.envs(GUEST.lines().map(|line| format!("NFDHCPD_{line}")).map(|line| {
        let (key, value) = line.split_once('=').unwrap();
        (key.to_owned(), value.to_owned())
    }));
    command
}

fn ifdown(node: &Node, tap: &str) -> Command {
    script(node, "qemu/nfdhcpd-ifdown", tap)
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
    for key in ["INDEV", "MAC", "HOSTNAME", "IP"] {
        // White space around a value is none of it, and an interface may well have another script's digits.
        let is_none = |value: &&str| value.trim() == *value && (key != "INDEV" || value.is_ascii());
        for value in HOSTILE.into_iter().filter(is_none) {
            let complaint = fails(ifup(&node, "tap0").env(format!("NFDHCPD_{key}"), value), "");
            assert!(complaint.starts_with(&format!("error: --set {key}=")), "{complaint}");
        }
    }
    for key in ["MAC", "HOSTNAME"] {
        let complaint = fails(ifup(&node, "tap0").env_remove(format!("NFDHCPD_{key}")), "");
        assert!(complaint.ends_with(": required\n"), "{complaint}");
    }
    assert_eq!(node.files(), [""; 0]);
    assert!(!node.directory.join("ip/calls").exists(), "a link was changed");
}

/// Free text: whatever it is, it is one line of the file, and no command.
#[test]
fn text_is_nothing_but_text() {
    let node = node("qemu-text");
    for value in HOSTILE {
        let (status, ..) = run(ifup(&node, "tap0").env("NFDHCPD_TAGS", value), "");
        assert_eq!(status, i32::from(value.contains('\n')), "{value:?}");
        if status == 0 {
            assert_eq!(&*node.binding("tap0").tags, value.trim());
        }
    }
    assert_eq!(node.files(), ["tap0"]);
}

#[test]
fn a_tap_that_cannot_be_used_has_no_binding() {
    let node = node("qemu-no-bridge");
    let (status, ..) = run(ifup(&node, "tap0").env("NFDHCPD_INDEV", "missing"), "");
    assert_ne!(status, 0);
    assert_eq!(node.files(), [""; 0]);
}

#[test]
fn refuses_what_names_no_tap() {
    let node = node("qemu-names");
    node.add("tap1", "");
    for tap in ["", ".", "..", "../bindings/tap1", "tap 1", "tap1\n", "$(touch pwned)", "sixteen-letters-"] {
        for mut command in [ifup(&node, tap), ifdown(&node, tap)] {
            let (status, _, complaint) = run(&mut command, "");
            assert!(status != 0 && complaint.contains("not an interface name"), "{tap:?}: {complaint}");
        }
    }
    assert_eq!(node.files(), ["tap1"]);
}

/// The real thing, with a machine that never starts, in a network of its own.
#[test]
fn qemu_runs_both() {
    const QEMU: &str = "qemu-system-x86_64";
    if !is_installed(QEMU) {
        return skip("qemu-system-x86_64 is not installed");
    }
    let node = configured("qemu-itself");
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
