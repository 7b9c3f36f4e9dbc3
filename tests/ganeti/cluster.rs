//! From nothing to a cluster of two nodes that has both programs and three networks.

use crate::lab::soon;
use crate::node::Node;
use crate::story::steps;

steps!(cluster: comes_up, takes_a_second_node, runs_both_programs, knows_networks);

/// The nodes, the first of which is the master.
pub(crate) struct Cluster {
    /// Where Ganeti's commands are given.
    pub(crate) master: Node,
    /// The node that joins.
    pub(crate) second: Node,
}

impl Cluster {
    /// Two machines that know nothing of each other.
    pub(crate) fn new() -> Self {
        Self { master: Node::start(1), second: Node::start(2) }
    }

    /// Gives a command of Ganeti's, which has to succeed, for what it prints.
    #[track_caller]
    pub(crate) fn gnt(&self, command: &str) -> String {
        self.master.sh(command)
    }

    /// Both nodes.
    pub(crate) fn nodes(&self) -> [&Node; 2] {
        [&self.master, &self.second]
    }
}

/// What Ganeti wants of a machine: a name, a network, a bridge, ssh, and an operating system to install.
const MACHINE: &str = "
    ip link set lo up
    for cable in 0 1 2; do ip link set eth$cable up; done
    number=$(hostname | tr -cd 0-9)
    ip address add 10.99.0.$number/24 dev eth0
    ip link add prv0 address 02:00:00:00:00:0$number type bridge
    ip link set prv0 up
    ip link set eth1 master prv0
    ssh-keygen -A >/dev/null
    mkdir -p -m 700 /root/.ssh
    service ssh start
    mkdir -p /srv/ganeti/os/none
    cd /srv/ganeti/os/none
    echo 20 >ganeti_api_version
    echo default >variants.list
    touch parameters.list
    for script in create import export rename verify; do
        printf '#!/bin/sh\n' >$script
        chmod +x $script
    done";

/// An emulator without hardware, which build machines rarely have, and guests that have no disk. They migrate as fast as
/// memory can be copied: the longer an emulated guest runs on meanwhile, the likelier is it that QEMU loses what it writes.
const INIT: &str = "gnt-cluster init --master-netdev=eth0 --enabled-hypervisors=kvm --enabled-disk-templates=diskless \
    --no-etc-hosts --nic-parameters=mode=bridged,link=prv0 \
    -H kvm:kvm_flag=disabled,kvm_path=/usr/bin/qemu-system-x86_64,\
kernel_path=/srv/guest/vmlinuz,initrd_path=/srv/guest/initrd,root_path=/dev/ram0,serial_console=false,\
migration_bandwidth=2048,migration_downtime=2000,\
kernel_args='console=ttyS1 quiet' \
    --ipolicy-bounds-specs min:cpu-count=1,disk-count=0,disk-size=16,memory-size=32,nic-count=0,spindle-use=0/\
max:cpu-count=8,disk-count=8,disk-size=1048576,memory-size=32768,nic-count=8,spindle-use=8 \
    cluster.example.com";

fn comes_up(cluster: &Cluster) {
    for node in cluster.nodes() {
        node.sh(MACHINE);
    }
    cluster.gnt(INIT);
    assert_eq!(cluster.gnt("gnt-cluster getmaster").trim(), cluster.master.name());
}

fn takes_a_second_node(cluster: &Cluster) {
    let keys = "/root/.ssh/authorized_keys";
    cluster.second.write(keys, &cluster.master.read(keys).unwrap());
    cluster.second.sh(&format!("chmod 600 {keys}"));
    cluster.gnt("gnt-node add --no-ssh-key-check node2.example.com");
    let nodes = cluster.gnt("gnt-node list --no-headers -o name,role");
    assert_eq!(nodes.lines().count(), 2, "{nodes}");
}

/// As packages and an administrator leave them: configuration, the daemon, and the names by which Ganeti calls
/// `snf-network`.
const PROGRAMS: &str = "
    mkdir -p /var/lib/nfdhcpd /etc/ganeti/hooks
    setsid nfdhcpd -d >/var/log/nfdhcpd.log 2>&1 &
    for name in kvm-vif-bridge kvm-ifup-custom kvm-ifdown-custom; do
        ln -s /usr/sbin/snf-network /etc/ganeti/$name
    done
    cd /etc/ganeti/hooks
    for operation in stop failover remove migrate modify; do
        mkdir -p instance-$operation-post.d
        ln -s /usr/sbin/snf-network instance-$operation-post.d/snf-network-hook
    done
    for operation in add rename remove modify; do
        mkdir -p instance-$operation-post.d
        ln -s /usr/sbin/snf-network instance-$operation-post.d/snf-network-dns
    done";

fn runs_both_programs(cluster: &Cluster) {
    for node in cluster.nodes() {
        node.sh(PROGRAMS);
        soon("nfdhcpd", || node.read("/var/log/nfdhcpd.log")?.contains(" ready ").then_some(()));
    }
}

/// One network of each kind: bridged as in the demo, private with both families, routed.
const NETWORKS: &str = "
    gnt-network add --network 192.168.1.0/24 --gateway 192.168.1.1 --tags nfdhcpd net1
    gnt-network connect --nic-parameters=mode=bridged,link=prv0 net1
    gnt-network add --network 192.168.2.0/24 --gateway 192.168.2.1 --network6 2001:db8:20::/64 \
        --gateway6 2001:db8:20::1 --mac-prefix aa:20:00 --tags nfdhcpd,private-filtered net2
    gnt-network connect --nic-parameters=mode=bridged,link=prv0 net2
    gnt-network add --network 198.51.100.0/24 --gateway 198.51.100.1 --network6 2001:db8:100::/64 \
        --gateway6 2001:db8:100::1 --tags nfdhcpd,ip-less-routed public
    gnt-network connect --nic-parameters=mode=routed,link=100 public";

fn knows_networks(cluster: &Cluster) {
    cluster.gnt(NETWORKS);
    let networks = cluster.gnt("gnt-network list --no-headers -o name,group_list");
    for (name, how) in [("net1", "bridged, prv0"), ("net2", "bridged, prv0"), ("public", "routed, 100")] {
        assert!(networks.lines().any(|line| line.starts_with(name) && line.contains(how)), "{name}: {networks}");
    }
}
