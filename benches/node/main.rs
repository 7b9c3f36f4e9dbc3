//! What the daemon can do, measured on a node of its own beside others that can do the same: `make bench`.
//!
//! ```text
//! inside ──unshare──► Node ─┬─ tap0 ═veth═ eth0 ─── Guest ── Port ◄── load: a closed loop of requests and answers
//!                           └─ a program: the limit · nfdhcpd · dnsmasq · Kea
//! ```
//!
//! Everything is in namespaces that end with this program. `docs/performance.md` says what the figures mean.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark waits, reads files, and fails by panic"
)]

mod compare;
mod cpus;
mod exchange;
mod fairness;
mod filters;
mod flood;
mod inside;
mod lab;
mod limit;
mod load;
mod net;
mod over;
mod packet;
mod port;
mod programs;
mod restart;
mod scale;
mod shell;
mod soak;
mod supervised;
mod sys;
mod table;
mod tally;
mod traffic;
mod usage;

use clap::{CommandFactory, Parser, Subcommand};

/// The benchmark of nfdhcpd
#[derive(Debug, Parser)]
#[command(name = "node")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// What `cargo bench` adds to every command line
    #[arg(long, global = true, hide = true)]
    bench: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Programs side by side
    Compare(compare::Arguments),
    /// The daemon with few bindings and with many
    Scale(scale::Arguments),
    /// One guest's leases while another floods
    Fairness(fairness::Arguments),
    /// A guest that asks on while the daemon is restarted or killed
    Restart(restart::Arguments),
    /// A guest's own packets, with the daemon and without it
    Traffic(traffic::Arguments),
    /// A packet and the node's filters, with many taps
    Filters(filters::Arguments),
    /// Guests, bindings and taps that come and go, under load, for as long as you like
    Soak(soak::Arguments),
    /// The least that a program with an NFQUEUE can do
    #[command(hide = true)]
    Limit(limit::Arguments),
}

fn main() {
    match Arguments::parse().command {
        // `cargo bench` without a word, or `cargo test --benches`.
        None => Arguments::command().print_help().unwrap(),
        Some(Command::Compare(arguments)) => compare::run(&arguments),
        Some(Command::Scale(arguments)) => scale::run(&arguments),
        Some(Command::Fairness(arguments)) => fairness::run(&arguments),
        Some(Command::Restart(arguments)) => restart::run(&arguments),
        Some(Command::Traffic(arguments)) => traffic::run(&arguments),
        Some(Command::Filters(arguments)) => filters::run(&arguments),
        Some(Command::Soak(arguments)) => soak::run(&arguments),
        Some(Command::Limit(arguments)) => limit::run(&arguments),
    }
}
