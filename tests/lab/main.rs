//! The second ring of proof: the real daemon, real NFQUEUEs and real DHCP clients, in namespaces.
//!
//! Each test runs in a process with network, mount and process namespaces of its own, with root or without it. It starts
//! from nothing but a node's network stack and leaves nothing behind, also when it panics or is killed. `cargo test
//! --test lab NAME` runs one; a test whose client or kernel feature is missing is ignored with the reason, and fails
//! when `NFDHCPD_STRICT=1`.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "all of this is a test: it waits, reads files, and fails by panic"
)]

mod advertisements;
mod bind;
mod bindings;
mod boot;
mod bridge;
mod check;
mod control;
mod daemon;
#[path = "../decode/mod.rs"]
mod decode;
mod dhcpv4;
mod dhcpv6;
mod dns;
mod explain;
mod filters;
mod guard;
mod harness;
mod hostile;
mod ipv6;
mod metrics;
mod migration;
mod network;
mod restart;
mod routed;
mod rules;
mod sandbox;
mod scale;
mod systemd;
mod trace;
mod wait;

use std::env;
use std::process::ExitCode;

use harness::{Test, capture, frames, inside, load, runner};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [inside::FLAG, name] => inside::run(find(name)),
        [capture::FLAG, interface, file] => capture::record(interface, file),
        [frames::FLAG, interface, file, count] => frames::send(interface, file, count),
        [load::FLAG, number, again, progress, enough] => load::run(number, again, progress, enough),
        _ => runner::run(all()),
    }
}

/// Every test of the lab.
fn all() -> impl Iterator<Item = Test> {
    let guests = [dhcpv4::TESTS, boot::TESTS, routed::TESTS, ipv6::TESTS, advertisements::TESTS, dhcpv6::TESTS];
    let node = [
        bridge::TESTS,
        bind::TESTS,
        bindings::TESTS,
        daemon::TESTS,
        sandbox::TESTS,
        control::TESTS,
        metrics::TESTS,
        trace::TESTS,
        wait::TESTS,
        explain::TESTS,
        restart::TESTS,
        systemd::TESTS,
        hostile::TESTS,
        migration::TESTS,
        rules::TESTS,
        guard::TESTS,
        check::TESTS,
        filters::sources::TESTS,
        filters::private::TESTS,
        filters::firewall::TESTS,
        filters::tables::TESTS,
        scale::TESTS,
        dns::TESTS,
        network::bridged::TESTS,
        network::routed::TESTS,
        network::life::TESTS,
        network::private::TESTS,
        network::firewall::TESTS,
        network::migration::TESTS,
        network::input::TESTS,
        network::vif::TESTS,
        network::script::TESTS,
        network::many::TESTS,
    ];
    guests.into_iter().flatten().chain(node.into_iter().flatten()).copied()
}

fn find(name: &str) -> Test {
    all().find(|test| test.name == name).unwrap_or_else(|| panic!("no test is called {name}"))
}
