//! From nothing to a cluster of two nodes that calls both programs.

use crate::document::{block, block_with};
use crate::lab::soon;
use crate::node::Node;
use crate::story::steps;

steps!(cluster: comes_up, takes_a_second_node, calls_both_programs);

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

    /// Gives commands of Ganeti's that are in the document, which have to succeed.
    #[track_caller]
    pub(crate) fn follow(&self, section: &str, name: &str) {
        self.master.sh(&block(section, name));
    }

    /// Both nodes.
    pub(crate) fn nodes(&self) -> [&Node; 2] {
        [&self.master, &self.second]
    }
}

/// What the machines of the document are found with: an address, and ssh.
const MACHINE: &str = "
    ip link set lo up
    ip link set eth0 up
    ip address add 10.99.0.$NODE/24 dev eth0
    ssh-keygen -A >/dev/null
    mkdir -p -m 700 /root/.ssh
    service ssh start";

/// An emulator without hardware, which build machines rarely have. Guests migrate as fast as memory can be copied: the
/// longer an emulated one runs on meanwhile, the likelier is it that QEMU misses what it writes. There is never more than
/// one guest, so its console can be called the same everywhere.
const KVM: &str = "kvm_flag=disabled,kvm_path=/usr/bin/qemu-system-x86_64,\
    kernel_path=/srv/guest/vmlinuz,initrd_path=/srv/guest/initrd,root_path=/dev/ram0,serial_console=false,\
    kernel_args=console=ttyS1 quiet,kvm_extra=-serial file:/var/log/guest.console,\
    migration_bandwidth=2048,migration_downtime=2000";

const LIMITS: &str = "min:cpu-count=1,disk-count=0,disk-size=16,memory-size=32,nic-count=0,spindle-use=0/\
    max:cpu-count=8,disk-count=8,disk-size=1048576,memory-size=32768,nic-count=8,spindle-use=8";

fn comes_up(cluster: &Cluster) {
    let section = "The cluster";
    for node in cluster.nodes() {
        let number = format!("NODE={}", node.number);
        node.write("/etc/hosts", &block(section, "/etc/hosts"));
        node.sh(&format!("{number}\n{MACHINE}"));
        node.sh(&block_with(section, "a bridge, on each node", &number));
        node.sh(&block(section, "an operating system that installs nothing, on each node"));
    }
    cluster.master.sh(&block_with(section, "the cluster", &format!("KVM='{KVM}' LIMITS='{LIMITS}'")));
    assert_eq!(cluster.master.sh("gnt-cluster getmaster").trim(), cluster.master.name());
}

fn takes_a_second_node(cluster: &Cluster) {
    let keys = "/root/.ssh/authorized_keys";
    cluster.second.write(keys, &cluster.master.read(keys).unwrap());
    cluster.second.sh(&format!("chmod 600 {keys}"));
    cluster.follow("The cluster", "the second node");
    let nodes = cluster.master.sh("gnt-node list --no-headers -o name");
    assert_eq!(nodes.lines().count(), 2, "{nodes}");
}

/// The daemon without systemd, which no namespace has.
const DAEMON: &str = "setsid nfdhcpd -d >/var/log/nfdhcpd.log 2>&1 &";

fn calls_both_programs(cluster: &Cluster) {
    for node in cluster.nodes() {
        node.sh(&block("The programs", "what Ganeti calls, on each node"));
        node.sh(DAEMON);
        soon("nfdhcpd", || node.read("/var/log/nfdhcpd.log")?.contains(" ready ").then_some(()));
        node.sh(&block("The programs", "rules, on each node"));
    }
}
