//! What cannot be: one line that names the variable, and nothing has changed.

use std::fs;

use super::routed::{routed, router};
use super::{Nic, assert_same, belongings, configure, dump, elements, program, run};
use crate::bridge::{make_bridge, set_hooks};
use crate::harness::process::outcome;
use crate::harness::{Config, Guest, Lab, SCRATCH, sh, tests};

tests!(ifup_input:
    what_cannot_be_is_named,
    hostile_values_stay_values,
    hostile_taps_are_set_up_or_refused,
    what_fails_midway_is_taken_back,
    node_that_cannot_be_held_is_left_alone,
    settings_that_are_wrong_are_named,
    ganetis_own_tap_is_left_alone,
);

/// Variables that are wrong, and what is said first. An empty value is none.
const BRIDGED: &[(&str, &str, &str)] = &[
    ("INTERFACE", "", "INTERFACE: not set"),
    ("INTERFACE", "tap/1", "INTERFACE=\"tap/1\": "),
    ("INTERFACE", "sixteen-letters-", "INTERFACE="),
    ("INTERFACE", "tap77", "INTERFACE=\"tap77\": there is no such interface"),
    ("MAC", "", "MAC: not set"),
    ("MAC", "aa:00:00:00:00", "MAC="),
    ("MAC", "ff:ff:ff:ff:ff:ff", "MAC="),
    ("MAC", "00:00:00:00:00:00", "MAC="),
    ("INSTANCE", "", "INSTANCE: not set"),
    ("INSTANCE", "../../etc/passwd", "INSTANCE="),
    ("INSTANCE", "a\nMAC=02:00:00:00:00:01", "INSTANCE="),
    ("MODE", "", "MODE: not set"),
    ("MODE", "openvswitch", "MODE=\"openvswitch\": not bridged or routed"),
    ("BRIDGE", "br77", "BRIDGE=\"br77\": there is no such interface"),
    ("BRIDGE", "lo", "BRIDGE=\"lo\": not a bridge"),
    ("BRIDGE", "$(id)", "BRIDGE="),
    ("BRIDGE", "a b", "BRIDGE="),
    ("VLAN", ".10", "VLAN="),
    ("IP", "192.0.2", "IP="),
    ("IP", "2001:db8::g", "IP="),
    ("IP", "224.0.0.1", "IP="),
    ("NETWORK_SUBNET", "192.0.2.0", "NETWORK_SUBNET="),
    ("NETWORK_SUBNET", "192.0.2.0/33", "NETWORK_SUBNET="),
    ("NETWORK_GATEWAY", "router", "NETWORK_GATEWAY="),
    ("NETWORK_SUBNET6", "2001:db8::/129", "NETWORK_SUBNET6="),
    ("NETWORK_GATEWAY6", "ff02::1", "NETWORK_GATEWAY6="),
    ("NETWORK_TAGS", "nfdhcpd nfdhcpd:mut:1400", "NETWORK_TAGS="),
    ("NETWORK_TAGS", "nfdhcpd nfdhcpd:mac:02:00:00:00:00:01", "NETWORK_TAGS="),
    ("NETWORK_TAGS", "nfdhcpd nfdhcpd:mtu:many", "the guest's binding would be rejected: "),
    ("NETWORK_TAGS", "ip-less-routed", "MODE=\"bridged\": "),
    ("TAGS", "synnefo:network:0:open", "TAGS="),
];

const ROUTED: &[(&str, &str, &str)] = &[
    ("LINK", "", "LINK: not set"),
    ("LINK", "77777", "LINK=\"77777\": the routing table has no ipv4 default route"),
    ("LINK", "blue", "LINK=\"blue\": no routing table"),
    ("LINK", "0", "LINK=\"0\": no routing table"),
    ("LINK", "$(id)", "LINK=\"$(id)\": no routing table"),
    ("NETWORK_GATEWAY", "", "NETWORK_GATEWAY: not set"),
];

fn what_cannot_be_is_named(_: &mut Lab) {
    let _router = router();
    make_bridge();
    let (guest, routed) = routed(1);
    let bridged = Nic::bridged(&guest, "nfdhcpd private-filtered masq");
    run(&["clean"]);
    let before = dump();
    for (nic, cases) in [(bridged, BRIDGED), (routed, ROUTED)] {
        for (name, value, expected) in cases {
            let nic = nic.clone().with(name, value);
            let said = nic.try_up().expect_err(&format!("{name}={value:?}"));
            assert_eq!(said.lines().count(), 1, "{name}={value:?}: {said}");
            let (_, message) = said.strip_prefix("snf-network: ifup").unwrap().split_once(": ").unwrap();
            assert!(message.starts_with(expected), "{name}={value:?}: {said}");
            assert_eq!(outcome(&mut nic.command(&["ifup", "-n"])).unwrap_err(), said);
        }
        assert_same(&dump(), &before);
    }
}

/// They reach the binding as they are, or an error; nothing is executed, and no file has another name.
fn hostile_values_stay_values(lab: &mut Lab) {
    make_bridge();
    set_hooks("1");
    lab.launch(&Config::default());
    let mut guest = Guest::new(1);
    guest.insert();
    let words = "$(touch /run/lab/owned) `touch /run/lab/owned` '; touch /run/lab/owned;' \"x ../../../run/lab/owned } drop; # a\\";
    let nic = Nic::bridged(&guest, "nfdhcpd private-filtered $(touch${IFS}/run/lab/owned) ';}' \"\\")
        .with("TAGS", &format!("{words}\nMAC=02:00:00:00:00:01 synnefo:network:0:limited"))
        .with("NETWORK_NAME", words)
        .with("INTERFACE_NAME", words)
        .with("INTERFACE_UUID", "'\n\"")
        .with("IFS", "/")
        .with("PATH", "/run/lab")
        .with("LD_PRELOAD_X", "x");
    nic.up();
    let binding = fs::read_to_string(format!("{SCRATCH}/bindings/tap1")).unwrap();
    assert!(binding.contains(&format!("\nTAGS={} MAC=02:00", words.replace("a\\", "a"))), "{binding}");
    assert_eq!(binding.matches("\nMAC=").count(), 1, "{binding}");
    assert!(!fs::exists(format!("{SCRATCH}/owned")).unwrap());
    assert_eq!(
        sh("ls -A /run/lab/bindings /run/lab/state | tr '\\n' ' '").trim(),
        "/run/lab/bindings: tap1  /run/lab/state: lock"
    );
    nic.down();
    assert_eq!(belongings(), "");
}

/// The kernel lets an interface have any of these names. nft has no word for one with a double quote.
fn hostile_taps_are_set_up_or_refused(_: &mut Lab) {
    make_bridge();
    for (tap, is_expressible) in
        [("$(id)", true), ("'`\\;#", true), ("-n", true), ("tap1.100", true), ("a\"b", false), ("t*", false)]
    {
        let mut guest = Guest::new(1);
        sh("ip -n vm1 link set lo up");
        tap.clone_into(&mut guest.tap);
        let quoted = format!("'{}'", tap.replace('\'', "'\\''"));
        sh(&format!("ip link add x1 type veth peer name eth0 netns vm1; ip link set x1 name {quoted}"));
        let nic = Nic::bridged(&guest, "nfdhcpd private-filtered");
        let result = nic.try_up();
        assert_eq!(result.is_ok(), is_expressible, "{tap}: {result:?}");
        let said = result.unwrap_or_else(|said| said);
        assert!(said.lines().count() <= 1, "{said}");
        let found = elements().iter().filter(|element| element.contains(&tap.replace('\\', "\\\\"))).count();
        assert_eq!(found > 0, is_expressible, "{tap}: {:?}", elements());
        // One of a tap that is gone is as good as any other.
        sh(&format!("ip link set {quoted} down; ip link set {quoted} name x1; ip link del x1; ip netns del vm1"));
        assert_eq!(run(&["clean"]), "");
        assert_eq!(belongings(), "", "{tap}");
    }
}

/// Each of these fails when something has been set up already.
fn what_fails_midway_is_taken_back(_: &mut Lab) {
    let _router = router();
    make_bridge();
    let (guest, routed) = routed(1);
    let bridged = Nic::bridged(&guest, "nfdhcpd private-filtered");
    routed.up();
    routed.down();
    let before = belongings();
    let link_before = super::link("tap1");
    let read_only = "mount -t tmpfs -o ro tmpfs /run/lab/bindings";
    let no_space = "mount -t tmpfs -o size=4k,nr_inodes=1 tmpfs /run/lab/bindings";
    for (break_it, mend, said) in [
        (read_only, "umount /run/lab/bindings", "write /run/lab/bindings/tap1: Read-only file system"),
        (no_space, "umount /run/lab/bindings", "write /run/lab/bindings/tap1: No space left"),
        (
            "printf '#!/bin/sh\\necho why; exit 3' >/run/lab/extra; chmod 755 /run/lab/extra",
            "rm /run/lab/extra",
            "run /run/lab/extra: exit status: 3: why",
        ),
    ] {
        for nic in [&routed, &bridged] {
            sh(break_it);
            let result = nic.try_up();
            sh(mend);
            let error = result.unwrap_err();
            assert!(error.contains(said) && error.lines().count() == 1, "{error}");
            assert_same(&belongings(), &before);
            assert!(super::link("tap1").contains("up=0\n"), "{}", super::link("tap1"));
            nic.up();
            nic.down();
        }
    }
    assert!(link_before.contains("up=0"), "{link_before}");
}

/// Without a lock, without nft, or with one that fails, nothing is done.
fn node_that_cannot_be_held_is_left_alone(_: &mut Lab) {
    make_bridge();
    let mut guest = Guest::new(1);
    guest.insert();
    let nic = Nic::bridged(&guest, "nfdhcpd private-filtered");
    run(&["clean"]);
    let before = dump();
    for (break_it, mend, said) in [
        (
            "rm -r /run/lab/state; touch /run/lab/state",
            "rm /run/lab/state; mkdir /run/lab/state",
            "cannot lock /run/lab/state/lock: ",
        ),
        (
            "mount -t tmpfs tmpfs /usr/local/sbin; ln -s /bin/false /usr/local/sbin/nft",
            "umount /usr/local/sbin",
            "nft: ",
        ),
        (
            "ln -s $(command -v nft) /run/lab/nft; mount --bind /dev/null $(command -v nft)",
            "umount $(readlink /run/lab/nft)",
            "nft: nft: cannot be run: ",
        ),
        (
            "rmdir /run/lab/bindings; touch /run/lab/bindings",
            "rm /run/lab/bindings; mkdir /run/lab/bindings",
            "/run/lab/bindings: ",
        ),
    ] {
        sh(break_it);
        let results = [nic.try_up(), outcome(&mut program(&["clean"])), outcome(&mut nic.command(&["ifdown"]))];
        sh(mend);
        for result in results {
            let error = result.unwrap_err();
            assert!(error.contains(said) && error.lines().count() == 1, "{error}");
        }
        assert_same(&dump(), &before);
    }
    // A log that cannot be written, and a directory that is not there yet, keep nobody from his network.
    configure("LOGFILE=/proc/nowhere\nSTATE_DIR=/run/lab/state/of/mine\n");
    let said = nic.try_up().unwrap();
    assert!(said.contains("no log in /proc/nowhere") && said.lines().count() == 1, "{said}");
}

fn settings_that_are_wrong_are_named(_: &mut Lab) {
    make_bridge();
    let mut guest = Guest::new(1);
    guest.insert();
    let nic = Nic::bridged(&guest, "nfdhcpd");
    let before = belongings();
    for (line, said) in [
        ("MAC_MASK=ff:00:ff:00:00:00", "MAC_MASK"),
        ("STATE_DIR=$(touch /run/lab/owned)", "snf-network.conf:7: "),
        ("STATE_DIR=relative", "STATE_DIR"),
        ("TAP_CONSTANT_MAC=ff:ff:ff:ff:ff:ff", "TAP_CONSTANT_MAC"),
        ("touch /run/lab/owned", "snf-network.conf:7: "),
    ] {
        configure(&format!("{line}\n"));
        let error = nic.try_up().unwrap_err();
        assert!(error.contains(said) && error.lines().count() == 1, "{error}");
        assert_eq!(belongings(), before);
    }
    // What only the name server needs keeps no guest from its network.
    configure("SERVER='nowhere at all'\nNETWORK=x\n");
    let said = nic.try_up().unwrap();
    assert!(said.contains("warning") && said.contains("NETWORK") && said.lines().count() == 1, "{said}");
    assert!(!fs::exists(format!("{SCRATCH}/owned")).unwrap());
}

/// Ganeti calls the script for the tap by which it speaks with a guest itself as well.
fn ganetis_own_tap_is_left_alone(_: &mut Lab) {
    let mut guest = Guest::new(1);
    "gnt.com.0".clone_into(&mut guest.tap);
    guest.insert();
    sh("ip rule add iif gnt.com.0 lookup 100");
    let before = dump();
    Nic::routed(&guest, "nfdhcpd ip-less-routed").up();
    Nic::routed(&guest, "nfdhcpd ip-less-routed").down();
    let after = dump();
    assert!(before.lines().filter(|line| !line.contains("state")).all(|line| after.contains(line)), "{before}{after}");
    assert_eq!(belongings(), "");
}
