//! Taps in bridges, with the bridge's netfilter hooks and without.

use std::fs;

use crate::harness::{Config, Guest, Lab, sh, skip, tests};

tests!(bridge:
    port_is_named_by_br_netfilter,
    bridge_alone_is_named_without_br_netfilter,
    neighbours_on_a_bridge_find_each_other,
    tap_moves_into_a_bridge,
    tap_moves_out_of_a_bridge,
);

/// Switches the hooks of the bridge.
const HOOKS: &[&str] = &["bridge-nf-call-iptables", "bridge-nf-call-ip6tables"];

fn port_is_named_by_br_netfilter(lab: &mut Lab) {
    set_hooks("1");
    let guest = bridged_guest(lab, 1);
    lab.divert("-m physdev --physdev-in tap+");
    lab.launch(&Config::default());
    expect_both_families(&guest);
}

fn bridge_alone_is_named_without_br_netfilter(lab: &mut Lab) {
    set_hooks("0");
    let guests = [bridged_guest(lab, 1), bridged_guest(lab, 2)];
    lab.divert("-i br0");
    lab.launch(&Config::default());
    guests.iter().for_each(expect_both_families);
}

/// What is between guests is theirs: the daemon answers for no neighbour on a bridge.
fn neighbours_on_a_bridge_find_each_other(lab: &mut Lab) {
    set_hooks("1");
    let guests = [bridged_guest(lab, 1), bridged_guest(lab, 2)];
    lab.divert("-m physdev --physdev-in tap+");
    lab.launch(&Config::default());
    let prefix = guests[0].prefix6();
    for (guest, host) in guests.iter().zip(["a", "b"]) {
        guest.sh(&format!("ip address add {prefix}::{host}/64 dev eth0"));
    }
    for (guest, host) in guests.iter().zip(["a", "b"]) {
        guest.wait_for_address(&format!("{prefix}::{host}"));
    }
    guests[0].sh(&format!("ping -c 1 -W 5 {prefix}::b"));
}

/// A hypervisor makes the tap first and puts it into the bridge afterwards.
fn tap_moves_into_a_bridge(lab: &mut Lab) {
    set_hooks("1");
    make_bridge();
    let guest = lab.guest(1);
    lab.bind(&guest, &on_bridge(&guest));
    lab.divert("-m physdev --physdev-in tap+");
    lab.launch(&Config::default());
    sh(&format!("ip link set {} master br0", guest.tap));
    expect_both_families(&guest);
}

/// The kernel tells this as the end of a link, of the bridge's family: the tap is still there.
fn tap_moves_out_of_a_bridge(lab: &mut Lab) {
    set_hooks("1");
    let guest = bridged_guest(lab, 1);
    lab.divert("-m physdev --physdev-in tap+");
    lab.divert("-i tap+");
    lab.launch(&Config::default());
    expect_both_families(&guest);
    lab.bind(&guest, &guest.binding().replace("192.0.2.11", "192.0.2.22"));
    sh("ip link set tap1 nomaster");
    let mut client = guest.udhcpc("-q -n");
    assert!(client.wait().success(), "{}", client.log());
    assert!(guest.udhcpc_lease().contains("\nip=192.0.2.22\n"), "{}", guest.udhcpc_lease());
}

/// The guest has its addresses and its router.
#[track_caller]
pub(crate) fn expect_both_families(guest: &Guest) {
    let _client = guest.udhcpc("");
    guest.wait_for_address(&format!("{}/24", guest.ip()));
    guest.wait_for_address(&guest.eui64());
    assert!(guest.routes().contains("default via fe80::"), "{}", guest.routes());
}

/// A guest whose tap is a port of `br0`.
pub(crate) fn bridged_guest(lab: &Lab, number: u8) -> Guest {
    make_bridge();
    let mut guest = Guest::new(number);
    guest.plug_with(&format!("ip link set tap{number} master br0"));
    lab.bind(&guest, &on_bridge(&guest));
    guest
}

/// The guest's binding, as it is for a tap in the bridge.
pub(crate) fn on_bridge(guest: &Guest) -> String {
    guest.binding().replace(&format!("INDEV={}", guest.tap), "INDEV=br0")
}

/// A bridge with a fixed address, which no port that comes or goes changes.
pub(crate) fn make_bridge() {
    if !fs::exists("/sys/class/net/br0").unwrap() {
        sh("ip link add br0 address 02:00:00:00:00:b0 type bridge mcast_snooping 0; ip link set br0 up");
    }
}

/// Has the bridge call iptables, or not.
pub(crate) fn set_hooks(value: &str) {
    for hook in HOOKS {
        let path = format!("/proc/sys/net/bridge/{hook}");
        match fs::write(&path, value) {
            Ok(()) => {}
            Err(_) if value == "0" && !fs::exists(&path).unwrap() => {}
            Err(error) => skip(&format!("{path}: {error} (the kernel module br_netfilter is not loaded)")),
        }
    }
}
