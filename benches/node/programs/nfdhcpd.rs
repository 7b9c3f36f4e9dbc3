//! The daemon itself.

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::Program;
use crate::net::{GATEWAY, Guest, Node};
use crate::packet::Kind;
use crate::shell::{Leashed, command_in};

/// Its executable, built as a release is.
pub(crate) const PATH: &str = env!("CARGO_BIN_EXE_nfdhcpd");

/// One process for everything.
pub(super) const PROGRAM: Program =
    Program { name: "nfdhcpd", processes: &[&Kind::ALL], needs: &[], version: None, start };

fn start(node: &Node, guest: &Guest, kinds: &[Kind]) -> Leashed {
    node.divert(kinds);
    write_bindings(node, &[guest]);
    let mut command = command_in(&node.netns, PATH);
    command.args(["-f", "-c", &write_config(node)]);
    Leashed::start(command, &node.netns)
}

/// Writes a binding for each guest, and returns the folder.
pub(crate) fn write_bindings(node: &Node, guests: &[&Guest]) -> String {
    let folder = node.path("bindings");
    fs::create_dir(&folder).unwrap();
    for guest in guests {
        fs::write(format!("{folder}/{}", guest.tap), guest.binding()).unwrap();
    }
    folder
}

/// Writes a configuration without a limit for each guest, and returns its path.
pub(crate) fn write_config(node: &Node) -> String {
    write_config_with(node, "control_socket = none\nrate_limit = 0", 604_800)
}

/// Writes a configuration that leaves to the daemon what it does about floods, and returns its path. The daemon can be asked.
pub(crate) fn write_usual_config(node: &Node, lease_lifetime: u32) -> String {
    write_config_with(node, &format!("control_socket = {}", control_socket(node)), lease_lifetime)
}

/// What `nfdhcpd show --json` says of the daemon on this node, which has the usual configuration.
pub(crate) fn shown(node: &Node) -> Option<Value> {
    let output = Command::new(PATH).args(["show", "--json", "--socket", &control_socket(node)]).output();
    serde_json::from_slice(&output.unwrap().stdout).ok()
}

fn control_socket(node: &Node) -> String {
    node.path("control.sock")
}

/// Writes a configuration with these lines in its first section, and returns its path: the original's sample with all
/// queues, which also answers a guest that wants its address by DHCPv6.
fn write_config_with(node: &Node, general: &str, lease_lifetime: u32) -> String {
    let path = node.path("nfdhcpd.conf");
    let text = format!(
        "[general]
        datapath = {}
        {general}

        [dhcp]
        enable_dhcp = yes
        dhcp_queue = 42
        lease_lifetime = {lease_lifetime}
        lease_renewal = 3600
        server_ip = {GATEWAY}
        nameservers = 192.0.2.1, 192.0.2.2

        [ipv6]
        enable_ipv6 = yes
        mode = slaac+stateful
        rs_queue = 43
        ns_queue = 44
        dhcpv6_queue = 45
        nameservers = 2001:db8:100::1, 2001:db8:200::2
        domains = example.com
        ",
        node.path("bindings")
    );
    fs::write(&path, text.replace("\n        ", "\n")).unwrap();
    path
}
