//! The life of an instance on a bridge, after its first day.

use std::process::{Command, Stdio};

use nix::sys::signal::Signal;

use crate::cluster::Cluster;
use crate::document::block;
use crate::guest::{address6, answers, says, serves};
use crate::lab::Process;
use crate::left::{nothing_of, nothing_on};
use crate::story::steps;

steps!(bridged:
    firewall_holds_after_a_soft_reboot,
    shutdown_leaves_nothing,
    nic_is_plugged_in,
    its_address_is_changed,
    it_is_pulled_out,
    migrates_live,
    fails_over,
    removal_leaves_nothing,
);

const ADDRESS: &str = "192.168.1.2";

/// A soft reboot makes the same tap anew, with what tags say by then.
fn firewall_holds_after_a_soft_reboot(cluster: &Cluster) {
    assert!(serves(ADDRESS), "without a profile everything is let through");
    cluster.follow("An instance", "a guest that nobody may call");
    answers(ADDRESS);
    says(&cluster.master, "eth0 reaches 203.0.113.1");
    assert!(!serves(ADDRESS), "a protected guest takes no connection");
}

fn shutdown_leaves_nothing(cluster: &Cluster) {
    let script = block("An instance", "that anybody may call again");
    let (down, up) = script.split_at(script.find("gnt-instance startup").unwrap());
    cluster.master.sh(down);
    nothing_on(&cluster.master);
    cluster.master.sh(up);
    says(&cluster.master, "eth0 has 192.168.1.2/24");
    answers(ADDRESS);
    assert!(serves(ADDRESS), "the profile is gone with its tag");
}

/// Both families, and a private network, whose members know each other by the prefix of their MAC addresses.
fn nic_is_plugged_in(cluster: &Cluster) {
    cluster.follow("A private network", "a private network");
    cluster.follow("A private network", "a NIC is plugged in");
    says(&cluster.master, "eth1 has 192.168.2.2/24 as inst1, router 192.168.2.1,");
    let address6 = address6(cluster, "1", "inst1", "2001:db8:20::/64");
    says(&cluster.master, &format!("eth1 has {address6}/64"));
    says(&cluster.master, "eth1 reaches 203.0.113.1");
    answers("192.168.2.2");
    answers(&address6);
}

/// Ganeti pulls it out and plugs it in again.
fn its_address_is_changed(cluster: &Cluster) {
    cluster.follow("A private network", "its address is changed");
    says(&cluster.master, "eth1 has 192.168.2.77/24");
    answers("192.168.2.77");
    let binding = cluster.master.read("/var/lib/nfdhcpd/tap1").unwrap();
    assert!(binding.contains("IP=192.168.2.77\n"), "{binding}");
}

fn it_is_pulled_out(cluster: &Cluster) {
    cluster.follow("A private network", "it is pulled out");
    nothing_of(&cluster.master, "tap1");
    answers(ADDRESS);
}

/// With a ping running, ten times a second.
fn migrates_live(cluster: &Cluster) {
    let ping = ping(ADDRESS);
    cluster.follow("To the other node", "migration");
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
    cluster.follow("To the other node", "failover");
    says(&cluster.master, "eth0 has 192.168.1.2/24");
    answers(ADDRESS);
    nothing_on(&cluster.second);
}

fn removal_leaves_nothing(cluster: &Cluster) {
    cluster.follow("To the other node", "the end");
    nothing_on(&cluster.master);
}
