//! The node's filters, with what really gets through them.
//!
//! Whether something was stopped is known without waiting: what is sent behind it on the same way, and allowed, comes after
//! it or alone.

pub(crate) mod firewall;
pub(crate) mod private;
pub(crate) mod sources;
pub(crate) mod tables;

use std::collections::BTreeSet;
use std::env;
use std::fs;

use nfdhcpd::binding::InterfaceName;
use nfdhcpd::network::filter::{BridgeTracking, Element, LIST_TABLES, Observed, Transaction, list_ours, transaction};

use crate::harness::frames;
use crate::harness::inside::need;
use crate::harness::{Guest, SCRATCH, sh, try_sh, wait_for_link};

/// What is there of our tables.
#[track_caller]
fn observe() -> Observed {
    need("nft");
    let ask = |command: &str| sh(&format!("nft --json '{command}'"));
    let commands = list_ours(&ask(LIST_TABLES)).unwrap();
    let listings: String = commands.iter().map(|command| ask(command)).collect();
    Observed::read(&listings).unwrap()
}

/// What would make a tap's elements these.
#[track_caller]
fn change(observed: &Observed, tap: InterfaceName, wanted: &[Element]) -> Option<Transaction> {
    transaction(observed, tap, &wanted.iter().copied().collect::<BTreeSet<_>>()).unwrap()
}

/// Makes a tap's elements these. There is nothing left to do afterwards.
#[track_caller]
pub(crate) fn apply(tap: InterfaceName, wanted: &[Element]) {
    if let Some(transaction) = change(&observe(), tap, wanted) {
        load(&transaction).unwrap_or_else(|error| panic!("{error}\n{transaction}"));
    }
    assert_eq!(change(&observe(), tap, wanted), None, "the second time");
}

/// Has nft carry a transaction out.
fn load(transaction: &Transaction) -> Result<String, String> {
    let file = format!("{SCRATCH}/transaction.nft");
    fs::write(&file, transaction.to_string()).unwrap();
    try_sh(&format!("nft -f {file}"))
}

/// Whether this kernel knows connections in the tables of bridges.
fn has_bridge_tracking() -> bool {
    let file = format!("{SCRATCH}/probe.nft");
    fs::write(&file, BridgeTracking::PROBE).unwrap();
    try_sh(&format!("nft --check -f {file}")).is_ok()
}

pub(crate) fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

/// A guest behind a tap that the node routes to, with addresses of both families, and the way out.
fn routed(number: u8) -> Guest {
    let mut guest = Guest::new(number);
    guest.plug();
    let (tap, ip, prefix) = (&guest.tap, guest.ip(), guest.prefix6());
    sh(&format!(
        "ip address add 192.0.2.1/32 dev {tap}; ip route add {ip}/32 dev {tap}
         ip address add {prefix}::1/64 dev {tap} nodad"
    ));
    guest.sh(&format!(
        "ip address add {ip}/32 dev eth0; ip route add 192.0.2.1 dev eth0; ip route add default via 192.0.2.1
         ip address add {prefix}::2/64 dev eth0 nodad; ip route add default via {prefix}::1"
    ));
    guest
}

/// Sends frames from the node by `br0`.
#[track_caller]
fn send_by_bridge(all: &[Vec<u8>]) {
    let file = format!("{SCRATCH}/node-sent.pcap");
    frames::write(&file, all);
    wait_for_link("", "br0");
    sh(&format!("{} {} br0 {file} 1", env::current_exe().unwrap().display(), frames::FLAG));
}
