//! The demonstration: a network with a pool, an instance, a lease, a ping.

use crate::cluster::Cluster;
use crate::document::block;
use crate::guest::{answers, says};
use crate::story::steps;

steps!(demo: network_has_a_pool, instance_has_an_address_of_it, first_lease, reboot_and_ping);

fn network_has_a_pool(cluster: &Cluster) {
    cluster.follow("An instance", "a network with a pool");
    let networks = cluster.master.sh("gnt-network list --no-headers --separator=: -o name,free_count,group_list");
    assert_eq!(networks.trim(), "net1:253:default (bridged, prv0, )");
}

fn instance_has_an_address_of_it(cluster: &Cluster) {
    cluster.follow("An instance", "an instance");
    let instances = cluster.master.sh("gnt-instance list --no-headers --separator=: -o name,status,pnode,nic.ips");
    assert_eq!(instances.trim(), "inst1:running:node1.example.com:192.168.1.2");
    let binding = cluster.master.read("/var/lib/nfdhcpd/tap0").unwrap();
    for line in ["INDEV=prv0", "IP=192.168.1.2", "HOSTNAME=inst1", "GATEWAY=192.168.1.1", "SUBNET=192.168.1.0/24"] {
        assert!(binding.lines().any(|found| found == line), "{line} is not in\n{binding}");
    }
    assert!(cluster.master.sh("ip -oneline link show tap0").contains("master prv0"));
}

fn first_lease(cluster: &Cluster) {
    says(&cluster.master, "eth0 has 192.168.1.2/24 as inst1, router 192.168.1.1,");
    answers("192.168.1.2");
    let status = cluster.master.sh(&block("An instance", "what is set up"));
    let words: Vec<_> = status.split_whitespace().collect();
    assert_eq!(words, ["tap0", "inst1", "prv0", "binding"]);
}

fn reboot_and_ping(cluster: &Cluster) {
    cluster.master.sh("gnt-instance reboot inst1");
    says(&cluster.master, "eth0 has 192.168.1.2/24");
    says(&cluster.master, "eth0 reaches 203.0.113.1");
    answers("192.168.1.2");
}
