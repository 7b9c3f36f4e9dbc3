//! The demonstration: a network with a pool, an instance, a rule, a reboot, a ping.

use crate::cluster::Cluster;
use crate::guest;
use crate::story::steps;

steps!(demo: instance_has_an_address_of_the_pool, first_lease_and_ping);

/// The rules that divert what guests ask, by the bridge's name and by the tap's. The first is that of the demonstration.
const RULES: &str = "
    for port in prv+ tap+; do
        iptables -t mangle -A PREROUTING -i $port -p udp -m udp --dport 67 -j NFQUEUE --queue-num 42
        ip6tables -t mangle -A PREROUTING -i $port -p icmpv6 --icmpv6-type router-solicitation -j NFQUEUE --queue-num 43
        ip6tables -t mangle -A PREROUTING -i $port -p icmpv6 --icmpv6-type neighbour-solicitation -j NFQUEUE --queue-num 44
        ip6tables -t mangle -A PREROUTING -i $port -p udp -m udp --dport 547 -j NFQUEUE --queue-num 45
    done";

fn instance_has_an_address_of_the_pool(cluster: &Cluster) {
    guest::add(cluster, "inst1", "--tags web --net 0:ip=pool,network=net1");
    let instances = cluster.gnt("gnt-instance list --no-headers --separator=: -o name,status,pnode,nic.ips");
    assert_eq!(instances.trim(), "inst1:running:node1.example.com:192.168.1.2");
    let binding = cluster.master.read("/var/lib/nfdhcpd/tap0").unwrap();
    for line in ["INDEV=prv0", "IP=192.168.1.2", "HOSTNAME=inst1", "GATEWAY=192.168.1.1", "SUBNET=192.168.1.0/24"] {
        assert!(binding.lines().any(|found| found == line), "{line} is not in\n{binding}");
    }
    assert!(cluster.master.sh("ip -oneline link show tap0").contains("master prv0"));
}

fn first_lease_and_ping(cluster: &Cluster) {
    for node in cluster.nodes() {
        node.sh(RULES);
    }
    // Before, it would not hear of it.
    guest::says(&cluster.master, "inst1", "up");
    cluster.gnt("gnt-instance reboot inst1");
    guest::says(&cluster.master, "inst1", "eth0 has 192.168.1.2/24 as inst1, router 192.168.1.1,");
    guest::answers("192.168.1.2");
}
