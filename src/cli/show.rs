//! `nfdhcpd show`: how the taps of a running daemon stand.

mod detail;
mod table;
#[cfg(test)]
mod tests;

pub(super) use detail::Detail;

use std::io::{self, BufWriter, Write as _};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::client::{AskError, Daemon};
use super::failure::{Failure, conclude};
use crate::binding::InterfaceName;
use crate::control::{Answer, Node, Request, Tap, to_pretty};

/// Arguments of `nfdhcpd show`.
#[derive(Debug, Args)]
#[command(after_help = "\
States: serving (the guest is answered), pending (the binding waits for its tap), rejected (the file is wrong). With a
\"!\" the file is wrong now, and the last good one is still in force.

A delegated prefix is shown as the route that the node needs, ready for \"ip -6 route replace\".

Exit status: 0; 1 if the tap has no binding file; 2 if there is no daemon or it may not be asked.")]
pub(super) struct Show {
    /// The tap [default: all of them, and the counters]
    #[arg(value_name = "TAP")]
    tap: Option<InterfaceName>,
    /// Print JSON: {"taps": [...], "node": {...}}, the latter without TAP only
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Daemon,
}

/// All of an answer.
#[derive(Debug, Default, Serialize)]
pub(super) struct Shown {
    /// One tap, or all of them in the order of their names.
    pub(super) taps: Vec<Tap>,
    /// The daemon as a whole, where all taps were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) node: Option<Node>,
}

impl Shown {
    /// Asks a daemon; None: for all taps.
    pub(super) fn ask(daemon: &Daemon, tap: Option<InterfaceName>) -> Result<Self, AskError> {
        let mut shown = Self::default();
        for answer in daemon.ask(&Request::Show { tap: tap.map(|tap| tap.to_string()) })? {
            match answer? {
                Answer::Tap(tap) => shown.taps.push(*tap),
                Answer::Node(node) => shown.node = Some(node),
                // What other requests are answered.
                _ => {}
            }
        }
        Ok(shown)
    }
}

impl Show {
    /// Runs the command.
    pub(super) fn run(&self) -> ExitCode {
        conclude(self.show(), ExitCode::SUCCESS)
    }

    fn show(&self) -> Result<(), Failure> {
        let shown = Shown::ask(&self.daemon, self.tap)?;
        let mut output = BufWriter::new(io::stdout().lock());
        if self.json {
            output.write_all(to_pretty(&shown).as_bytes())?;
        } else if self.tap.is_some() {
            shown.taps.iter().try_for_each(|tap| write!(output, "{}", detail::Detail(tap)))?;
        } else {
            write!(output, "{}", table::Table(&shown.taps))?;
            shown.node.iter().try_for_each(|node| write!(output, "\n{}", table::Totals(&shown.taps, node)))?;
        }
        Ok(output.flush()?)
    }
}
