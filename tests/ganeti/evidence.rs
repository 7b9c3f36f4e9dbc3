//! What is printed when a step fails: what everybody said, and what the nodes have.

use crate::lab::{SCRATCH, try_sh};
use crate::node::Node;

/// The ends of the logs that matter.
const LOGS: &str = "
    cd /var/log
    for log in ganeti/node-daemon.log ganeti/master-daemon.log ganeti/jobs.log ganeti/kvm/*.log *.console nfdhcpd.log \
        snf-network.log snf-network/*.log; do
        [ ! -s $log ] || { echo \"--- $log\"; tail -n 60 $log | cut -c 1-400; }
    done";

/// What the node has for its guests.
const STATE: &str = "
    ip address
    ip rule; ip route show table all; ip neighbour show proxy
    ip -6 rule; ip -6 route show table all; ip -6 neighbour show proxy
    nft list ruleset
    grep -s . /var/lib/nfdhcpd/* || true
    snf-network status || true";

/// Prints all there is.
pub(crate) fn print() {
    for node in [1, 2].into_iter().filter_map(Node::running) {
        for script in [LOGS, STATE] {
            let output = node.try_sh(script).unwrap_or_else(|output| output);
            println!("=== {}\n{}", node.name(), output.trim_end());
        }
    }
    println!("=== outside\n{}", try_sh(&format!("tail {SCRATCH}/*.log; ip address")).unwrap_or_else(|output| output));
}
