//! `nfdhcpd rules --check`: what of the rules the kernel lacks, or has otherwise.

use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::cli::complain;
use crate::io::nfqueue;
use crate::io::ruleset::{self, Answer};
use crate::rules::{Finding, Installed, Rules};

/// The exit status if something is missing or wrong.
const FOUND: u8 = 1;
/// The exit status if the kernel cannot be asked, or not for all that it has.
const NOT_ASKED: u8 = 3;

/// Compares, and says what was found.
pub(super) fn run(rules: &Rules) -> ExitCode {
    match ask() {
        Ok((installed, failures)) => report(&rules.findings(&installed, nfqueue::bound().ok().as_deref()), &failures),
        Err(reason) => {
            complain(&format!("error: {reason}"));
            ExitCode::from(NOT_ASKED)
        }
    }
}

/// What there is, and what those programs said that failed.
fn ask() -> Result<(Installed, Vec<String>), String> {
    let Answer { listings, failures } = ruleset::read().map_err(|error| error.to_string())?;
    let installed = Installed::read(&listings).map_err(|error| error.to_string())?;
    Ok((installed, failures))
}

/// A line for each. One that cannot be printed has been found all the same. What a program did not list may be anything: a
/// rule that drops all, for one.
fn report(findings: &[Finding], failures: &[String]) -> ExitCode {
    let mut output = io::stdout().lock();
    let _unread = findings.iter().try_for_each(|finding| writeln!(output, "{finding}"));
    failures.iter().for_each(|failure| complain(&format!("error: not all rules can be seen: {failure}")));
    match (findings, failures) {
        ([], []) => {
            let _unread = writeln!(output, "all rules are there");
            ExitCode::SUCCESS
        }
        ([], _) => ExitCode::from(NOT_ASKED),
        _ => ExitCode::from(FOUND),
    }
}
