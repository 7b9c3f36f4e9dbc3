//! A guest that goes from one node to another. The second node is a network namespace with directories of its own.

use std::fs;
use std::process::Command;

use super::routed::{ROUTER, WORLD, WORLD6, routed, router};
use super::{Nic, assert_same, belongings, configure, program};
use crate::harness::process::outcome;
use crate::harness::{Guest, Lab, SCRATCH, sh, soon, tests};

tests!(ifup_migration:
    guest_keeps_its_network,
    migration_that_fails_leaves_nothing,
);

/// What Ganeti told the hooks of both nodes after it had migrated an instance.
const HOOKS: [&str; 2] = [
    include_str!("../../ganeti/environments/hook-migrate-source.env"),
    include_str!("../../ganeti/environments/hook-migrate-target.env"),
];

/// Runs the program on the other node.
fn elsewhere(nic: &Nic, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(sh("command -v ip").trim());
    let settings = format!("{SCRATCH}/other.conf");
    command.args(["netns", "exec", "node2", env!("CARGO_BIN_EXE_snf-network"), "--config", &settings]);
    outcome(command.args(arguments).env_clear().envs(&nic.0))
}

/// The router with a switch between it and two nodes, and the other node.
fn two_nodes() -> Guest {
    let router = router();
    fs::create_dir(format!("{SCRATCH}/other-bindings")).unwrap();
    let usual = fs::read_to_string(configure("")).unwrap();
    let other = usual.replace("/state", "/other-state").replace("/bindings", "/other-bindings");
    fs::write(format!("{SCRATCH}/other.conf"), other).unwrap();
    sh("ip netns add node2; ip -n node2 link set lo up
        ip -n node2 link add up0 type veth peer name port2 netns vm9; ip -n node2 link set up0 up
        ip -n vm9 link add sw type bridge mcast_snooping 0
        ip -n vm9 address flush dev eth0
        for port in eth0 port2; do ip -n vm9 link set $port master sw; ip -n vm9 link set $port up; done
        ip -n vm9 link set sw up");
    router.sh("ip address add 203.0.113.1/24 dev sw; ip address add 192.0.2.1/24 dev sw
        ip address add fe80::1/64 dev sw nodad; ip -6 route replace 2001:db8::/48 dev sw");
    sh("ip netns exec node2 sh -ec '
            sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
            sysctl -qw net.ipv4.neigh.up0.proxy_delay=0 net.ipv6.neigh.up0.proxy_delay=0
            sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
            ip address add 203.0.113.3/24 dev up0
            ip route add default via 203.0.113.1 dev up0 table 100
            ip -6 route add default via fe80::1 dev up0 table 100
            ip rule add iif up0 lookup 100; ip -6 rule add iif up0 lookup 100'");
    router
}

/// The guest's end of its card, as it was on the node that it came from.
fn wake(guest: &Guest) {
    guest.sh(&format!(
        "ip address add {}/24 dev eth0; ip route add default via 192.0.2.1
         ip address add {}/64 dev eth0 nodad; ip -6 route add default via {ROUTER} dev eth0
         ip neigh add 192.0.2.1 lladdr cc:47:52:4e:45:54 dev eth0
         ip -6 neigh add {ROUTER} lladdr cc:47:52:4e:45:54 dev eth0",
        guest.ip(),
        guest.eui64()
    ));
}

/// What belongs to taps on the other node.
fn belongings_elsewhere() -> String {
    let script = "nft list ruleset | grep elements; cat /run/lab/other-bindings/*; ip -d neigh show proxy
        ip -d -6 neigh show proxy; { ip -d rule; ip -d -6 rule; } | grep 'proto 119'";
    sh(&format!("ip netns exec node2 sh -c '{}' 2>/dev/null || true", script.replace('\'', "'\\''")))
}

/// Runs the hook on both nodes, as Ganeti does.
fn run_hooks() {
    let [source, target] = HOOKS.map(|text| {
        let variables = text.lines().filter_map(|line| line.split_once('='));
        Nic(variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    });
    assert_eq!(outcome(program(&["hook"]).envs(&source.0)), Ok(String::new()));
    assert_eq!(elsewhere(&target, &["hook"]), Ok(String::new()));
}

/// The router learns of the move at once, and so does who has no idea of it. What the source has is gone when the hooks
/// are through, and nothing of the target is.
fn guest_keeps_its_network(_: &mut Lab) {
    let router = two_nodes();
    let (guest, nic) = routed(1);
    nic.up();
    wake(&guest);
    let ping = format!("ping -4 -c 1 -W 5 {}; ping -6 -c 1 -W 5 {}", guest.ip(), guest.eui64());
    router.sh(&ping);
    guest.unplug();
    sh(
        "ip -n node2 link add tap1 type veth peer name eth0 netns vm1 address aa:00:00:00:00:01; ip -n vm1 link set eth0 up",
    );
    assert_eq!(elsewhere(&nic, &["ifup"]), Ok(String::new()));
    wake(&guest);
    let there = sh("ip netns exec node2 cat /sys/class/net/up0/address");
    for address in [guest.ip().to_string(), guest.eui64()] {
        soon("the router's neighbour", || {
            router.sh(&format!("ip neigh show {address}")).contains(there.trim()).then_some(())
        });
    }
    router.sh(&ping);
    guest.sh(&format!("ping -c 1 -W 5 {WORLD}; ping -c 1 -W 5 {WORLD6}"));
    assert_ne!(belongings(), "");
    let all = belongings_elsewhere();
    run_hooks();
    assert_same(&belongings_elsewhere(), &all);
    assert_eq!(belongings(), "");
    // The router asks anew, and one node answers.
    router.sh(&format!("ip neigh flush dev sw; {ping}"));
    sh("ip -n node2 link del tap1");
    run_hooks();
    assert_eq!(belongings_elsewhere(), "");
}

/// The target was set up before the memory came, and its tap goes with the hypervisor that waited for it.
fn migration_that_fails_leaves_nothing(_: &mut Lab) {
    let router = two_nodes();
    let (guest, nic) = routed(1);
    nic.up();
    wake(&guest);
    let all = belongings();
    sh("ip -n node2 link add tap1 type veth peer name other");
    assert_eq!(elsewhere(&nic, &["ifup"]), Ok(String::new()));
    sh("ip -n node2 link del tap1");
    run_hooks();
    assert_eq!(belongings_elsewhere(), "");
    assert_same(&belongings(), &all);
    // It is announced anew by whoever sets it up anew; until then who asks is answered by the source.
    router.sh(&format!("ip neigh flush dev sw; ping -4 -c 1 -W 5 {}; ping -6 -c 1 -W 5 {}", guest.ip(), guest.eui64()));
}
