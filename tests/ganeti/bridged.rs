//! The life of an instance on a bridge.

use std::process::{Command, Stdio};

use nix::sys::signal::Signal;

use crate::cluster::Cluster;
use crate::guest::{answers, says, serves};
use crate::lab::Process;
use crate::left::{nothing_of, nothing_on};
use crate::story::steps;

steps!(bridged:
    firewall_holds_after_a_soft_reboot,
    shutdown_leaves_nothing,
    starts_again,
    nic_is_plugged_in,
    its_address_is_changed,
    nic_is_pulled_out,
    migrates_live,
    fails_over,
    removal_leaves_nothing,
);

const ADDRESS: &str = "192.168.1.2";

/// A soft reboot makes the same tap anew, with what tags say by then.
fn firewall_holds_after_a_soft_reboot(cluster: &Cluster) {
    assert!(serves(ADDRESS), "without a profile everything is let through");
    cluster.gnt("gnt-instance add-tags inst1 synnefo:network:0:protected");
    cluster.gnt("gnt-instance reboot --type=soft inst1");
    answers(ADDRESS);
    assert!(!serves(ADDRESS), "a protected guest takes no connection");
    cluster.gnt("gnt-instance remove-tags inst1 synnefo:network:0:protected");
}

fn shutdown_leaves_nothing(cluster: &Cluster) {
    cluster.gnt("gnt-instance shutdown inst1");
    nothing_on(&cluster.master);
}

fn starts_again(cluster: &Cluster) {
    cluster.gnt("gnt-instance startup inst1");
    says(&cluster.master, "inst1", "eth0 has 192.168.1.2/24");
    answers(ADDRESS);
    assert!(serves(ADDRESS), "the profile is gone with its tag");
}

/// Both families, and a private network, whose members know each other by the prefix of their MAC addresses.
fn nic_is_plugged_in(cluster: &Cluster) {
    cluster.gnt("gnt-instance modify --hotplug --net add:ip=pool,network=net2,name=second inst1");
    says(&cluster.master, "inst1", "eth1 has 192.168.2.2/24 as inst1, router 192.168.2.1,");
    says(&cluster.master, "inst1", "eth1 has 2001:db8:20:0:a820:ff:fe");
    answers("192.168.2.2");
    answers(&eui64(cluster));
    let binding = cluster.master.read("/var/lib/nfdhcpd/tap1").unwrap();
    assert!(binding.contains("SUBNET6=2001:db8:20::/64"), "{binding}");
}

/// The address that the guest made of its second MAC.
fn eui64(cluster: &Cluster) -> String {
    let mac = cluster.gnt("gnt-instance list --no-headers -o nic.mac/1 inst1");
    cluster.master.sh(&format!("snf-network mac2eui64 {} 2001:db8:20::/64", mac.trim())).trim().to_owned()
}

/// Ganeti pulls it out and plugs it in again.
fn its_address_is_changed(cluster: &Cluster) {
    cluster.gnt("gnt-instance modify --force --hotplug --net 1:modify,ip=192.168.2.77 inst1");
    says(&cluster.master, "inst1", "eth1 has 192.168.2.77/24");
    answers("192.168.2.77");
    let binding = cluster.master.read("/var/lib/nfdhcpd/tap1").unwrap();
    assert!(binding.contains("IP=192.168.2.77\n"), "{binding}");
}

fn nic_is_pulled_out(cluster: &Cluster) {
    cluster.gnt("gnt-instance modify --force --hotplug --net 1:remove inst1");
    nothing_of(&cluster.master, "tap1");
    answers(ADDRESS);
}

/// With a ping running, ten times a second.
fn migrates_live(cluster: &Cluster) {
    let ping = ping(ADDRESS);
    cluster.gnt("gnt-instance migrate --force --target-node node2.example.com inst1");
    answers(ADDRESS);
    println!("\n    {}", end(ping));
    nothing_on(&cluster.master);
    assert!(cluster.second.read("/var/lib/nfdhcpd/tap0").is_some());
}

/// Pings all the time, and says at the end how many were lost.
pub(crate) fn ping(address: &str) -> Process {
    let mut command = Command::new("ping");
    command.args(["-n", "-q", "-i", "0.1", address]).stdin(Stdio::null());
    Process::start(command, "ping")
}

/// What it has to say.
pub(crate) fn end(mut ping: Process) -> String {
    ping.signal(Signal::SIGINT);
    ping.wait();
    let log = ping.log();
    log.lines().find(|line| line.contains("packet loss")).unwrap_or(&log).to_owned()
}

/// Starts anew on the other node.
fn fails_over(cluster: &Cluster) {
    cluster.gnt("gnt-instance failover --force --target-node node1.example.com inst1");
    says(&cluster.master, "inst1", "eth0 has 192.168.1.2/24");
    answers(ADDRESS);
    nothing_on(&cluster.second);
}

fn removal_leaves_nothing(cluster: &Cluster) {
    cluster.gnt("gnt-instance remove --force --shutdown-timeout=30 inst1");
    nothing_on(&cluster.master);
}
