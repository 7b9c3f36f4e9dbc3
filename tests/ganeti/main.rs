//! Both programs on a real cluster: Debian's Ganeti on two nodes, in namespaces of this machine, with guests under QEMU.
//!
//! ```text
//! outside   every network's gateway, and what is beyond it
//!   │││
//!   ││└─ eth2   uplink of routed networks  ─┐
//!   │└── eth1   a port of the bridge prv0  ─┼─ node 1: master     node 2
//!   └─── eth0   Ganeti's own               ─┘
//! ```
//!
//! The steps are one story, that of `docs/ganeti.md`: each starts where the one before has left the cluster, and none is
//! tried after one that failed. `make test-ganeti` tells it. Nothing stays on the machine: the programs, the cluster and the guests live in
//! layers over its files, in memory, which end with this process however it ends. Packages that were downloaded stay in
//! `target`.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "all of this is a test: it waits, reads files, and fails by panic"
)]

mod bridged;
mod cluster;
mod demo;
mod document;
mod evidence;
mod guest;
mod inside;
mod lab;
mod left;
mod node;
mod outside;
mod routed;
mod story;

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    match env::args().nth(1).as_deref() {
        Some(inside::FLAG) => inside::run(),
        _ => outside::run(),
    }
}
