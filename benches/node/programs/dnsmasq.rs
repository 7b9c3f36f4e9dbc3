//! dnsmasq, on plain sockets of the node's own stack.

use super::Program;
use crate::net::{Guest, Node, mac_text};
use crate::packet::Kind;
use crate::shell::{Leashed, command_in};

/// One process for all that it does. Neighbours are solicited from the kernel, not from it.
pub(super) const PROGRAM: Program = Program {
    name: "dnsmasq",
    processes: &[&[Kind::Dhcpv4, Kind::RouterSolicitation, Kind::InformationRequest, Kind::Solicit]],
    needs: &["dnsmasq"],
    version: Some("dnsmasq --version | sed -nE 's/^Dnsmasq version ([^ ]+).*/dnsmasq \\1/p'"),
    start,
};

fn start(node: &Node, guest: &Guest, _kinds: &[Kind]) -> Leashed {
    node.address(guest);
    node.know_neighbours(guest);
    let mut command = command_in(&node.netns, "dnsmasq");
    // No daemon: it stays in front and as who it is, which in a user namespace nobody else could be.
    command.args("--no-daemon --port=0 --conf-file=/dev/null --log-facility=-".split(' '));
    command.args("--bind-interfaces --dhcp-authoritative --quiet-dhcp --quiet-dhcp6 --quiet-ra --no-ping".split(' '));
    command.args([
        format!("--interface={}", guest.tap),
        format!("--dhcp-leasefile={}", node.path("leases")),
        "--dhcp-range=198.18.0.0,static,255.254.0.0,7d".to_owned(),
        format!("--dhcp-range={},static,64,7d", guest.subnet6()),
        format!("--dhcp-host={},{},[{}],guest1", mac_text(guest.mac()), guest.ip(), guest.address6()),
        "--enable-ra".to_owned(),
        "--dhcp-option=option:dns-server,192.0.2.1,192.0.2.2".to_owned(),
        "--dhcp-option=option6:dns-server,[2001:db8:100::1],[2001:db8:200::2]".to_owned(),
        "--dhcp-option=option6:domain-search,example.com".to_owned(),
    ]);
    Leashed::start(command, &node.netns)
}
