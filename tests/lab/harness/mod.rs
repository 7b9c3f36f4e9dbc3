//! What every test of the lab stands on: namespaces, a node with the daemon, guests with clients, and ways to wait.
//!
//! ```text
//! runner ──unshare──► inside ──► Lab ─┬─ Node: rules, configuration, bindings, the daemon
//!                                     └─ Guest: a tap's other end, with clients and a capture
//! ```

pub(crate) mod capture;
pub(crate) mod config;
pub(crate) mod daemon;
pub(crate) mod evidence;
pub(crate) mod frames;
pub(crate) mod guest;
pub(crate) mod inside;
pub(crate) mod lab;
pub(crate) mod load;
pub(crate) mod netns;
pub(crate) mod process;
pub(crate) mod queues;
pub(crate) mod requests;
pub(crate) mod runner;
pub(crate) mod strict;
pub(crate) mod supervisor;
pub(crate) mod systemd;
pub(crate) mod wait;

pub(crate) use config::Config;
pub(crate) use guest::{Guest, wait_for_link};
pub(crate) use inside::{SCRATCH, skip};
pub(crate) use lab::Lab;
pub(crate) use load::Load;
pub(crate) use process::{Process, sh, try_sh};
pub(crate) use supervisor::Supervisor;
pub(crate) use systemd::Systemd;
pub(crate) use wait::soon;

/// One test: what it is called and what it does in a lab of its own.
#[derive(Clone, Copy)]
pub(crate) struct Test {
    /// As on the command line: `module::function`.
    pub(crate) name: &'static str,
    /// Fails by panic.
    pub(crate) body: fn(&mut Lab),
}

/// The table of a module's tests.
macro_rules! tests {
    ($module:ident: $($name:ident),+ $(,)?) => {
        /// The tests of this module.
        pub(crate) const TESTS: &[$crate::harness::Test] = &[$(
            $crate::harness::Test { name: concat!(stringify!($module), "::", stringify!($name)), body: $name },
        )+];
    };
}
pub(crate) use tests;
