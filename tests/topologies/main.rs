//! The topologies of the field: VLANs, bonds and nft's `queue`, which a build machine's kernel may lack.
//!
//! Outside, this program boots a guest in an emulator: Debian's kernel over this machine's own files. In there it is
//! called again, and is what `tests/lab` is: each test a process with namespaces of its own. What a test configures is what
//! `docs/topologies.md` shows. `make test-topologies` runs it all, `cargo test --test topologies NAME` one.
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

#[path = "../lab/bridge.rs"]
#[expect(dead_code, reason = "the lab needs more of it")]
mod bridge;
#[path = "../lab/check.rs"]
#[expect(dead_code, reason = "the lab needs more of it")]
mod check;
mod document;
#[path = "../lab/filters/mod.rs"]
#[expect(dead_code, reason = "the lab needs more of it")]
mod filters;
mod firewall;
#[path = "../lab/guard.rs"]
#[expect(dead_code, reason = "the lab needs more of it")]
mod guard;
#[path = "../lab/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the lab needs more of it")]
mod harness;
mod machine;
mod node;
mod private;
mod rules;
mod served;
mod vlans;
mod wire;

use std::env;
use std::process::ExitCode;

use harness::{Test, capture, frames, inside, runner};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [inside::FLAG, name] => inside::run(find(name)),
        [capture::FLAG, interface, file] => capture::record(interface, file),
        [frames::FLAG, interface, file, count] => frames::send(interface, file, count),
        words if machine::is_this() || words.contains(&"--list") => runner::run(machine::share(all())),
        words => machine::boot(words),
    }
}

/// Every test of the topologies.
fn all() -> impl Iterator<Item = Test> {
    [vlans::TESTS, private::TESTS, firewall::TESTS, rules::TESTS].into_iter().flatten().copied()
}

fn find(name: &str) -> Test {
    all().find(|test| test.name == name).unwrap_or_else(|| panic!("no test is called {name}"))
}
