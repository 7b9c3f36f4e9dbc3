//! What these steps have in common with the tests of the lab.

#[path = "../lab/harness/process.rs"]
#[expect(dead_code, reason = "most commands run on a node")]
pub(crate) mod process;
#[path = "../lab/harness/strict.rs"]
mod strict;
#[path = "../lab/harness/wait.rs"]
mod wait;

pub(crate) use process::{Process, outcome, sh, try_sh};
pub(crate) use strict::skipped;
pub(crate) use wait::soon;

/// Where everything is: in memory, on a folder that every machine has.
pub(crate) const SCRATCH: &str = "/mnt";
