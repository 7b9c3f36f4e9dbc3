//! What `make deb`, `make rpm` and `make static` have made, as who installs it meets it.
//!
//! Each test is what those of `tests/lab` are: a process with namespaces of its own. Where a package is installed, there is
//! a machine in them besides: this one's files below a layer in memory, and systemd. `make test-packages` makes the packages
//! and runs it all; `NFDHCPD_PACKAGES`, where they are, says to `cargo test` that it is meant to.
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

mod debian;
#[path = "../lab/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the lab needs more of it")]
mod harness;
mod machine;
mod migration;
mod minimal;
mod notices;
mod rpm;
mod sources;
mod statically;

use std::env;
use std::process::ExitCode;

use harness::{Test, capture, frames, inside, runner};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [inside::FLAG, name] => inside::run(find(name)),
        [capture::FLAG, interface, file] => capture::record(interface, file),
        [frames::FLAG, interface, file, count] => frames::send(interface, file, count),
        _ if machine::packages().is_none() => {
            println!("{} is not set, as it is by `make test-packages`: no tests", machine::PACKAGES);
            runner::run(std::iter::empty())
        }
        _ => runner::run(all()),
    }
}

/// Every test of the packages.
fn all() -> impl Iterator<Item = Test> {
    let tests = [
        debian::TESTS,
        migration::TESTS,
        minimal::TESTS,
        notices::TESTS,
        rpm::TESTS,
        sources::TESTS,
        statically::TESTS,
    ];
    tests.into_iter().flatten().copied()
}

fn find(name: &str) -> Test {
    all().find(|test| test.name == name).unwrap_or_else(|| panic!("no test is called {name}"))
}
