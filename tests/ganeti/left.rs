//! What a node has for the taps of its guests, by the tools of the system: bindings, links of bridges, rules, routes,
//! proxies and filters.

use crate::cluster::Cluster;
use crate::node::Node;
use crate::story::steps;

steps!(left: nothing);

/// A line for each thing that is made for a tap, whoever made it.
const TRACES: &str = "
    find /var/lib/nfdhcpd /var/lib/snf-network -name '*tap*'
    {
        ip -4 rule; ip -6 rule
        ip -4 route show table all; ip -6 route show table all
        ip -oneline link
        nft list ruleset 2>/dev/null
    } | grep 'tap[0-9]' || true
    ip -4 neighbour show proxy; ip -6 neighbour show proxy";

/// Asserts that a node has nothing for any tap.
#[track_caller]
pub(crate) fn nothing_on(node: &Node) {
    let traces = node.sh(TRACES);
    assert_eq!(traces, "", "left on {}", node.name());
    assert_eq!(node.sh("snf-network --dry-run clean; snf-network status"), "");
}

/// Asserts that a node has nothing for a tap that is gone.
#[track_caller]
pub(crate) fn nothing_of(node: &Node, tap: &str) {
    let traces = node.sh(TRACES);
    assert!(!traces.contains(tap), "left of {tap} on {}:\n{traces}", node.name());
}

fn nothing(cluster: &Cluster) {
    for node in cluster.nodes() {
        nothing_on(node);
    }
}
