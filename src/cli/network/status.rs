//! `snf-network status`: what there is, tap by tap.

use clap::Args;

use super::Common;
use super::session::{Failure, Session};
use crate::io::node::ganeti;
use crate::network::status::Status;

/// Arguments of `snf-network status`.
#[derive(Debug, Args)]
pub(super) struct StatusCommand {
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl StatusCommand {
    /// Runs the command.
    pub(super) fn run(&self, common: &Common) -> Result<(), Failure> {
        let session = Session::look(common, "status")?;
        let known = session.unless_failed(ganeti::taps(&session.settings.ganeti_kvm_nic_dir))?;
        let status = Status::of(&session.read(None, None, false)?, &known);
        if self.json {
            let json = session.unless_failed(serde_json::to_string_pretty(&status))?;
            session.print(format_args!("{json}\n"))
        } else {
            session.print(status)
        }
    }
}
