//! What netfilter has, asked of the programs that list it.

#![expect(clippy::disallowed_methods, reason = "io is where the outside world is")]

use std::fs;
use std::io;
use std::process::Output;
use std::time::Duration;

use caps::{CapSet, Capability};

use super::node::run::{Program, RunFault, first_line};
use crate::rules::Listings;

/// How long a program may take. A ruleset of ten thousand taps takes seconds.
const TIMEOUT: Duration = Duration::from_secs(20);
/// By which br_netfilter shows bridged packets to the tables of IP. Not there: it does not.
const CALLS_IPTABLES: &str = "/proc/sys/net/bridge/bridge-nf-call-iptables";
const CALLS_IP6TABLES: &str = "/proc/sys/net/bridge/bridge-nf-call-ip6tables";

/// What the programs said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// All that they list.
    pub listings: Listings,
    /// What those said that failed, while others answered.
    pub failures: Vec<String>,
}

/// The kernel cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum RulesetError {
    /// We may not.
    #[error("netfilter cannot be asked for its rules: CAP_NET_ADMIN is missing: run this as root")]
    NotPermitted,
    /// Neither nft nor iptables-save is there.
    #[error("netfilter cannot be asked for its rules: there is neither nft nor iptables-save")]
    NoProgram,
    /// None of those that are there has answered.
    #[error("netfilter cannot be asked for its rules: {0}")]
    NoAnswer(String),
}

/// Asks all programs that there are, in the network namespace that we are in. Not to be called inside a runtime.
///
/// # Errors
/// None has answered, or we may not ask.
pub fn read() -> Result<Answer, RulesetError> {
    // Some of them say nothing, and call that a success.
    if !caps::has_cap(None, CapSet::Effective, Capability::CAP_NET_ADMIN).unwrap_or(false) {
        return Err(RulesetError::NotPermitted);
    }
    let mut answer = Answer::default();
    answer.listings.nft = answer.take(ask("nft", &["--json", "list", "ruleset"]));
    answer.listings.iptables = answer.iptables("iptables");
    answer.listings.ip6tables = answer.iptables("ip6tables");
    answer.listings.calls_iptables = is_set(CALLS_IPTABLES);
    answer.listings.calls_ip6tables = is_set(CALLS_IP6TABLES);
    answer.check()
}

/// A program that is there has failed.
struct Failure(String);

impl Answer {
    /// Both backends of iptables, each under its own name; where there are no such names, the one that there is.
    fn iptables(&mut self, tool: &str) -> Vec<String> {
        let backends = ["nft", "legacy"].map(|backend| ask(&format!("{tool}-{backend}-save"), &[]));
        if backends.iter().all(|said| matches!(said, Ok(None))) {
            return self.take(ask(&format!("{tool}-save"), &[])).into_iter().collect();
        }
        backends.into_iter().filter_map(|said| self.take(said)).collect()
    }

    fn take(&mut self, said: Result<Option<String>, Failure>) -> Option<String> {
        said.unwrap_or_else(|Failure(failure)| {
            self.failures.push(failure);
            None
        })
    }

    fn check(self) -> Result<Self, RulesetError> {
        let Listings { nft, iptables, ip6tables, .. } = &self.listings;
        if nft.is_some() || !iptables.is_empty() || !ip6tables.is_empty() {
            return Ok(self);
        }
        match self.failures.into_iter().next() {
            None => Err(RulesetError::NoProgram),
            Some(failure) => Err(RulesetError::NoAnswer(failure)),
        }
    }
}

/// Runs a program; None if there is none.
fn ask(program: &str, arguments: &[&str]) -> Result<Option<String>, Failure> {
    let fail = |reason: String| Failure(format!("{program}: {reason}"));
    let Output { status, stdout, stderr } = match Program::new(program, arguments, TIMEOUT).run() {
        Ok(output) => output,
        Err(error) => {
            return match error.reason {
                RunFault::Start(reason) if reason.kind() == io::ErrorKind::NotFound => Ok(None),
                reason => Err(fail(reason.to_string())),
            };
        }
    };
    if !status.success() {
        let said = first_line(&stderr);
        return Err(fail(if said.is_empty() { status.to_string() } else { said }));
    }
    String::from_utf8(stdout).map(Some).map_err(|error| fail(error.to_string()))
}

fn is_set(sysctl: &str) -> bool {
    fs::read(sysctl).is_ok_and(|value| value.trim_ascii() == b"1")
}
