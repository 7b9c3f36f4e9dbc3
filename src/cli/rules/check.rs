//! `nfdhcpd rules --check`: what of the rules the kernel lacks, or has otherwise.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::cli::complain;
use crate::config::QueueNum;
use crate::io::nfqueue;
use crate::io::ruleset::{self, Answer};
use crate::queue_list::Listed;
use crate::rules::{Finding, Installed, Rules};

/// The exit status if something is missing or wrong.
const FOUND: u8 = 1;
/// The exit status if the kernel cannot be asked, or not for all that it has.
const NOT_ASKED: u8 = 3;

/// Compares, and says what was found.
pub(super) fn run(rules: &Rules) -> ExitCode {
    match ask() {
        Ok((installed, failures)) => {
            let bound = nfqueue::bound().ok();
            let mut findings = rules.findings(&installed, bound.as_deref());
            findings.extend(rules.taken(strangers(&bound.unwrap_or_default())));
            report(&findings, &failures)
        }
        Err(reason) => {
            complain(&format!("error: {reason}"));
            ExitCode::from(NOT_ASKED)
        }
    }
}

/// Other programs that have bound queues.
fn strangers(bound: &[Listed]) -> Vec<(QueueNum, String)> {
    let holders = BTreeMap::from_iter(nfqueue::holders(bound));
    let strangers = holders.into_iter().filter(|(_, holder)| holder.is_stranger());
    strangers.map(|(queue, holder)| (QueueNum(queue), holder.to_string())).collect()
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
