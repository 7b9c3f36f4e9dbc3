//! nftables, by `nft`: what is listed, and transactions.

use std::fs;
use std::io;
use std::time::Duration;

use super::run::{Program, first_line};
use crate::network::filter::{BridgeTracking, LIST_TABLES, Observed, Transaction, list_ours};

/// How long nft may take. A listing of ten thousand taps takes seconds.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How often our tables are listed anew, should somebody take one away between the two questions that it takes.
const ATTEMPTS: usize = 5;
/// The sysctls by which `br_netfilter` shows bridged packets to the tables of IP.
const BRIDGE_SYSCTLS: [&str; 2] =
    ["/proc/sys/net/bridge/bridge-nf-call-iptables", "/proc/sys/net/bridge/bridge-nf-call-ip6tables"];

/// Reads our tables.
pub(super) fn read() -> io::Result<Observed> {
    let mut observed = list();
    for _ in 1..ATTEMPTS {
        if observed.is_ok() {
            break;
        }
        observed = list();
    }
    observed
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

/// Runs nft. The first line of what it said is the error if it failed.
fn nft(arguments: &[&str], input: &str) -> io::Result<String> {
    let output = program(arguments, input).run().map_err(io::Error::other)?;
    if !output.status.success() {
        return Err(io::Error::other(first_line(&output.stderr)));
    }
    String::from_utf8(output.stdout).map_err(io::Error::other)
}

fn program(arguments: &[&str], input: &str) -> Program {
    Program { input: input.as_bytes().to_owned(), ..Program::new("nft", arguments, TIMEOUT) }
}
