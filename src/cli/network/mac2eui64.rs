//! `snf-network mac2eui64`: the address that a station makes for itself.

use std::io::{self, Write as _};

use clap::Args;
use ipnet::Ipv6Net;

use super::session::Failure;
use crate::cli::complain;
use crate::network::nic;
use crate::wire::MacAddr;

/// Arguments of `snf-network mac2eui64`.
#[derive(Debug, Args)]
pub(super) struct Mac2eui64 {
    /// The station's MAC
    mac: MacAddr,
    /// The prefix, as 2001:db8::/64
    #[arg(value_parser = nic::prefix64)]
    prefix: Ipv6Net,
}

impl Mac2eui64 {
    /// Runs the command.
    pub(super) fn run(&self) -> Result<(), Failure> {
        let address = nic::eui64(self.mac, self.prefix).ok_or(Failure::Before)?;
        writeln!(io::stdout().lock(), "{address}").map_err(|error| {
            complain(&format!("snf-network: mac2eui64: standard output: {error}"));
            Failure::Before
        })
    }
}
