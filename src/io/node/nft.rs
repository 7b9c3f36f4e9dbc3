//! nftables, by `nft`: what is listed, and transactions.

use std::fs;
use std::io;
use std::process::Output;
use std::time::Duration;

use super::run::{Program, RunError, first_line};
use crate::network::filter::{BridgeTracking, LIST_TABLES, Observed, Transaction, list_ours};

/// How long nft may take. A listing of ten thousand taps takes seconds, and Xen kills a script after 40 s.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How often our tables are listed anew, should somebody take one away between the two questions that it takes.
const ATTEMPTS: usize = 5;
/// The sysctls by which `br_netfilter` shows bridged packets to the tables of IP.
const BRIDGE_SYSCTLS: [&str; 2] =
    ["/proc/sys/net/bridge/bridge-nf-call-iptables", "/proc/sys/net/bridge/bridge-nf-call-ip6tables"];

/// Reads our tables.
pub(super) fn read() -> io::Result<Observed> {
    for _ in 1..ATTEMPTS {
        match list() {
            Err(error) if has_answered(&error) => {}
            observed => return observed,
        }
    }
    list()
}

/// Has a transaction happen: all of it, or nothing.
pub(super) fn commit(transaction: &Transaction) -> io::Result<()> {
    nft(&["-f", "-"], &transaction.to_string()).map(drop)
}

/// Lists our tables: those that there are, since nft fails for others.
fn list() -> io::Result<Observed> {
    let tables = nft(&["--json", LIST_TABLES], "")?;
    let commands = list_ours(&tables).map_err(io::Error::other)?;
    let listings = commands.iter().map(|command| nft(&["--json", command], "")).collect::<io::Result<String>>()?;
    Observed::read(&listings).map_err(io::Error::other)
}

/// How the kernel lets bridged packets be judged by their connections. In the bridge's own tables, if it can: br_netfilter may be
/// switched off by whoever it is in the way of, and then nothing would be judged any more.
pub(super) fn bridge_tracking() -> io::Result<Option<BridgeTracking>> {
    let probe = program(&["--check", "-f", "-"], BridgeTracking::PROBE).run().map_err(io::Error::other)?;
    if probe.status.success() {
        return Ok(Some(BridgeTracking::Bridge));
    }
    let is_shown = BRIDGE_SYSCTLS.iter().all(|path| fs::read(path).is_ok_and(|value| value == b"1\n"));
    Ok(is_shown.then_some(BridgeTracking::Inet))
}

/// Whether nft ran and failed. One that cannot be run, or hangs, would do so again.
fn has_answered(error: &io::Error) -> bool {
    !error.get_ref().is_some_and(|reason| reason.is::<RunError>())
}

/// Runs nft. The first line of what it said is the error if it failed, or else how it ended.
fn nft(arguments: &[&str], input: &str) -> io::Result<String> {
    let output = program(arguments, input).run().map_err(io::Error::other)?;
    if !output.status.success() {
        return Err(io::Error::other(failure(&output)));
    }
    String::from_utf8(output.stdout).map_err(io::Error::other)
}

fn failure(output: &Output) -> String {
    let said = first_line(&output.stderr);
    if said.is_empty() { output.status.to_string() } else { said }
}

fn program(arguments: &[&str], input: &str) -> Program {
    Program { input: input.as_bytes().to_owned(), ..Program::new("nft", arguments, TIMEOUT) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    use super::super::run::RunFault;
    use super::*;

    #[test]
    fn a_failure_has_a_reason() {
        for (status, said, expected) in [
            (0x0100, "/dev/stdin:1:1-3: Error: no\nadd\n", "/dev/stdin:1:1-3: Error: no"),
            (0x0100, "", "exit status: 1"),
            (9, "", "signal: 9 (SIGKILL)"),
        ] {
            let output = Output { status: ExitStatus::from_raw(status), stdout: Vec::new(), stderr: said.into() };
            assert_eq!(failure(&output), expected);
        }
    }

    #[test]
    fn who_does_not_answer_is_not_asked_again() {
        let hangs = RunError { program: "nft".into(), reason: RunFault::Timeout(TIMEOUT) };
        assert!(!has_answered(&io::Error::other(hangs)));
        assert!(has_answered(&io::Error::other("Error: No such file or directory")));
    }
}
