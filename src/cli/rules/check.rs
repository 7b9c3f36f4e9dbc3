//! `nfdhcpd rules --check`: what of the rules the kernel lacks, or has otherwise.

use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::cli::complain;
use crate::io::{nfqueue, ruleset};
use crate::rules::{Finding, Installed, Rules};

/// The exit status if something is missing or wrong.
const FOUND: u8 = 1;
/// The exit status if the kernel cannot be asked.
const NOT_ASKED: u8 = 3;

/// Compares, and says what was found.
pub(super) fn run(rules: &Rules) -> ExitCode {
    match ask() {
        Ok(installed) => report(&rules.findings(&installed, nfqueue::bound().ok().as_deref())),
        Err(reason) => {
            complain(&format!("error: {reason}"));
            ExitCode::from(NOT_ASKED)
        }
    }
}

fn ask() -> Result<Installed, String> {
    let answer = ruleset::read().map_err(|error| error.to_string())?;
    answer.failures.iter().for_each(|failure| complain(&format!("warning: {failure}")));
    Installed::read(&answer.listings).map_err(|error| error.to_string())
}

/// A line for each. One that cannot be printed has been found all the same.
fn report(findings: &[Finding]) -> ExitCode {
    let mut output = io::stdout().lock();
    let _unread = findings.iter().try_for_each(|finding| writeln!(output, "{finding}"));
    if findings.is_empty() {
        let _unread = writeln!(output, "all rules are there");
    }
    if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FOUND) }
}
