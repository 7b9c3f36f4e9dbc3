//! A guest, as its administrator and its users see it.

use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::cluster::Cluster;
use crate::document::block_with;
use crate::lab::{soon, try_sh};
use crate::node::Node;

/// How long a connection may take that is not refused.
const CONNECT: Duration = Duration::from_secs(3);

/// Waits until the guest on a node says something on its console.
#[track_caller]
pub(crate) fn says(node: &Node, words: &str) {
    let words = format!("guest: {words}");
    soon(&format!("{words:?} on the guest's console"), || {
        node.read("/var/log/guest.console")?.contains(&words).then_some(())
    });
}

/// Waits until the outside has an answer from the guest.
#[track_caller]
pub(crate) fn answers(address: &str) {
    soon(&format!("a ping from {address}"), || try_sh(&format!("ping -n -c 1 -W 1 {address}")).ok());
}

/// Whether the guest's web server can be reached from outside.
pub(crate) fn serves(address: &str) -> bool {
    let address = SocketAddr::new(address.parse::<IpAddr>().unwrap(), 80);
    TcpStream::connect_timeout(&address, CONNECT).is_ok()
}

/// The IPv6 address that an instance makes for one of its NICs.
pub(crate) fn address6(cluster: &Cluster, nic: &str, instance: &str, prefix: &str) -> String {
    let mac = cluster.master.sh(&format!("gnt-instance list --no-headers -o nic.mac/{nic} {instance}"));
    let variables = format!("MAC={}", mac.trim());
    let script = block_with("A private network", "the address that it makes", &variables);
    cluster.master.sh(&script.replace("2001:db8:20::/64", prefix)).trim().to_owned()
}
