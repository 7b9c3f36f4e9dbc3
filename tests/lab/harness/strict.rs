//! Tests that cannot be run.

use std::env;

use libtest_mimic::{Completion, Failed};

/// A test that cannot be run here. Where everything has to be, that is a failure.
pub(crate) fn skipped(reason: &str) -> Result<Completion, Failed> {
    match env::var("NFDHCPD_STRICT").as_deref() {
        Ok("1") => Err(format!("skipped, which NFDHCPD_STRICT forbids: {reason}").into()),
        _ => Ok(Completion::ignored_with(reason)),
    }
}
