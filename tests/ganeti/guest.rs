//! A guest, as its administrator and its users see it.

use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::cluster::Cluster;
use crate::lab::{soon, try_sh};
use crate::node::Node;

/// How long a connection may take that is not refused.
const CONNECT: Duration = Duration::from_secs(3);

/// Adds an instance on the master. Its console is a file, on each node that it runs on.
pub(crate) fn add(cluster: &Cluster, name: &str, options: &str) {
    cluster.gnt(&format!(
        "gnt-instance add -t diskless -o none+default --no-name-check --no-ip-check -n node1.example.com \
         -B memory=128,vcpus=1 -H 'kvm:kvm_extra=-serial file:{}' {options} {name}",
        console(name)
    ));
}

fn console(instance: &str) -> String {
    format!("/var/log/{instance}.console")
}

/// Waits until the guest says something on its console.
#[track_caller]
pub(crate) fn says(node: &Node, instance: &str, words: &str) {
    let words = format!("guest: {words}");
    soon(&format!("{words:?} on the console of {instance}"), || {
        node.read(&console(instance))?.contains(&words).then_some(())
    });
}

/// Waits until the outside has an answer from the guest.
#[track_caller]
pub(crate) fn answers(address: &str) {
    soon(&format!("a ping from {address}"), || pings(address).then_some(()));
}

/// Whether one ping has an answer.
pub(crate) fn pings(address: &str) -> bool {
    try_sh(&format!("ping -n -c 1 -W 1 {address}")).is_ok()
}

/// Whether the guest's web server can be reached from outside.
pub(crate) fn serves(address: &str) -> bool {
    let address = SocketAddr::new(address.parse::<IpAddr>().unwrap(), 80);
    TcpStream::connect_timeout(&address, CONNECT).is_ok()
}
