//! The life of an instance on a routed network, in which its node has no address.

use crate::bridged::{end, ping};
use crate::cluster::Cluster;
use crate::document::block;
use crate::guest::{address6, answers, says};
use crate::left::nothing_on;
use crate::node::Node;
use crate::story::steps;

steps!(routed: nodes_have_an_uplink, guest_reaches_the_outside, migrates_live, removal_leaves_nothing);

const SECTION: &str = "A routed network";

const ADDRESS: &str = "198.51.100.2";

fn nodes_have_an_uplink(cluster: &Cluster) {
    for node in cluster.nodes() {
        node.sh(&block(SECTION, "a table and its uplink, on each node"));
    }
    cluster.follow(SECTION, "a routed network");
}

fn guest_reaches_the_outside(cluster: &Cluster) {
    cluster.follow(SECTION, "an instance in it");
    let address6 = address6_of(cluster);
    says(&cluster.master, "eth0 has 198.51.100.2/24 as inst2, router 198.51.100.1,");
    says(&cluster.master, &format!("eth0 has {address6}/64"));
    says(&cluster.master, "eth0 reaches 203.0.113.1");
    says(&cluster.master, "eth0 reaches 2001:db8:ffff::1");
    answers(ADDRESS);
    answers(&address6);
    has_its_part(&cluster.master, &address6);
}

fn address6_of(cluster: &Cluster) -> String {
    address6(cluster, "0", "inst2", "2001:db8:100::/64")
}

/// Rules, routes and proxies, for both families.
#[track_caller]
fn has_its_part(node: &Node, address6: &str) {
    let seen = node.sh(&block(SECTION, "its part of the node"));
    let lines = [
        "iif tap0 lookup 100".to_owned(),
        format!("{ADDRESS} dev tap0"),
        format!("{address6} dev tap0"),
        format!("{ADDRESS} dev eth2"),
        format!("{address6} dev eth2"),
    ];
    for line in lines {
        assert!(seen.contains(&line), "{line} is not on {}:\n{seen}", node.name());
    }
}

/// The router finds the guest on the other node at once.
fn migrates_live(cluster: &Cluster) {
    let ping = ping(ADDRESS);
    cluster.follow(SECTION, "its migration");
    answers(ADDRESS);
    println!("\n    {}", end(ping));
    let address6 = address6_of(cluster);
    answers(&address6);
    has_its_part(&cluster.second, &address6);
    nothing_on(&cluster.master);
}

fn removal_leaves_nothing(cluster: &Cluster) {
    cluster.follow(SECTION, "its end");
    nothing_on(&cluster.second);
}
