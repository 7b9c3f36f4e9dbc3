//! Kea: a server for each protocol, without lease files.

use std::fs;

use serde_json::{Value, json};

use super::Program;
use crate::net::{GATEWAY, Guest, Node, SUBNET, mac_text};
use crate::packet::Kind;
use crate::shell::{Leashed, command_in};

/// DHCPv4, on a raw socket.
pub(super) const PROGRAM_4: Program = Program {
    name: "kea",
    processes: &[&[Kind::Dhcpv4]],
    needs: &["kea-dhcp4"],
    version: Some("kea-dhcp4 -v | sed 's/^/Kea /'"),
    start: |node, guest, _| start(node, guest, "kea-dhcp4", &dhcp4(guest)),
};

/// DHCPv6.
pub(super) const PROGRAM_6: Program = Program {
    name: "kea",
    processes: &[&[Kind::InformationRequest, Kind::Solicit]],
    needs: &["kea-dhcp6"],
    version: None,
    start: |node, guest, _| start(node, guest, "kea-dhcp6", &dhcp6(guest)),
};

fn start(node: &Node, guest: &Guest, program: &str, config: &Value) -> Leashed {
    node.address(guest);
    node.know_neighbours(guest);
    let path = node.path("kea.conf");
    fs::write(&path, config.to_string()).unwrap();
    let mut command = command_in(&node.netns, program);
    command.args(["-c", &path]);
    command.env("KEA_PIDFILE_DIR", node.path("")).env("KEA_LOCKFILE_DIR", "none");
    Leashed::start(command, &node.netns)
}

fn dhcp4(guest: &Guest) -> Value {
    json!({ "Dhcp4": {
        "interfaces-config": { "interfaces": [guest.tap], "dhcp-socket-type": "raw" },
        "lease-database": { "type": "memfile", "persist": false },
        "authoritative": true,
        "valid-lifetime": 604_800,
        "subnet4": [{
            "id": 1,
            "subnet": SUBNET,
            "reservations": [{ "hw-address": mac_text(guest.mac()), "ip-address": guest.ip() }],
            "option-data": [
                { "name": "routers", "data": GATEWAY.to_string() },
                { "name": "domain-name-servers", "data": "192.0.2.1, 192.0.2.2" },
            ],
        }],
        "loggers": [quiet("kea-dhcp4")],
    }})
}

fn dhcp6(guest: &Guest) -> Value {
    let duid = format!("00:03:00:01:{}", mac_text(guest.mac()));
    json!({ "Dhcp6": {
        "interfaces-config": { "interfaces": [guest.tap] },
        "lease-database": { "type": "memfile", "persist": false },
        "server-id": { "type": "LL", "persist": false },
        "valid-lifetime": 604_800,
        "subnet6": [{
            "id": 1,
            "subnet": format!("{}/64", guest.subnet6()),
            "interface": guest.tap,
            "reservations": [{ "duid": duid, "ip-addresses": [guest.address6()] }],
        }],
        "option-data": [
            { "name": "dns-servers", "data": "2001:db8:100::1, 2001:db8:200::2" },
            { "name": "domain-search", "data": "example.com" },
        ],
        "loggers": [quiet("kea-dhcp6")],
    }})
}

fn quiet(name: &str) -> Value {
    json!({ "name": name, "severity": "WARN", "output_options": [{ "output": "stdout" }] })
}
