//! The life of an instance on a routed network, in which its node has no address.

use crate::bridged::{end, ping};
use crate::cluster::Cluster;
use crate::guest::{self, answers, says};
use crate::left::nothing_on;
use crate::node::Node;
use crate::story::steps;

steps!(routed: node_has_a_table_and_an_uplink, guest_reaches_the_outside, migrates_live, removal_leaves_nothing);

const ADDRESS: &str = "198.51.100.2";

/// What the guest pings, by its router.
const BEYOND: &str = "203.0.113.1";
const BEYOND6: &str = "2001:db8:ffff::1";

/// What the administrator does once: a table with the way out, a rule for what comes in from there, and forwarding.
const UPLINK: &str = "
    sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    ip route add default via 198.51.100.1 dev eth2 onlink table 100
    ip rule add iif eth2 lookup 100
    ip -6 route add default via 2001:db8:100::1 dev eth2 onlink table 100
    ip -6 rule add iif eth2 lookup 100";

fn node_has_a_table_and_an_uplink(cluster: &Cluster) {
    for node in cluster.nodes() {
        node.sh(UPLINK);
    }
}

fn guest_reaches_the_outside(cluster: &Cluster) {
    guest::add(cluster, "inst2", "--net 0:ip=pool,network=public");
    let address6 = eui64(cluster);
    says(&cluster.master, "inst2", "eth0 has 198.51.100.2/24 as inst2, router 198.51.100.1,");
    says(&cluster.master, "inst2", &format!("eth0 has {address6}/64"));
    says(&cluster.master, "inst2", &format!("eth0 reaches {BEYOND}"));
    says(&cluster.master, "inst2", &format!("eth0 reaches {BEYOND6}"));
    answers(ADDRESS);
    answers(&address6);
    has_it(&cluster.master, &address6);
}

fn eui64(cluster: &Cluster) -> String {
    let mac = cluster.gnt("gnt-instance list --no-headers -o nic.mac/0 inst2");
    cluster.master.sh(&format!("snf-network mac2eui64 {} 2001:db8:100::/64", mac.trim())).trim().to_owned()
}

/// What an administrator would look at.
#[track_caller]
fn has_it(node: &Node, address6: &str) {
    let seen =
        node.sh("ip rule; ip -6 rule; ip route show table 100; ip -6 route show table 100; ip -6 neighbour show proxy");
    let proxied = format!("{address6} dev eth2");
    for words in ["iif tap0 lookup 100", "198.51.100.2 dev tap0", &format!("{address6} dev tap0"), &proxied] {
        assert!(seen.contains(words), "{words} is not on {}:\n{seen}", node.name());
    }
}

/// The router finds the guest on the other node at once.
fn migrates_live(cluster: &Cluster) {
    let ping = ping(ADDRESS);
    cluster.gnt("gnt-instance migrate --force --target-node node2.example.com inst2");
    answers(ADDRESS);
    println!("\n    {}", end(ping));
    let address6 = eui64(cluster);
    answers(&address6);
    has_it(&cluster.second, &address6);
    nothing_on(&cluster.master);
}

fn removal_leaves_nothing(cluster: &Cluster) {
    cluster.gnt("gnt-instance remove --force --shutdown-timeout=30 inst2");
    nothing_on(&cluster.second);
}
