//! `nfdhcpd explain`: why a guest gets an answer, or none, and which.

mod answers;
mod node;
mod report;
mod rules;
mod sender;
mod summary;
#[cfg(test)]
mod tests;
mod without_daemon;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Args;

use super::client::{AskError, Daemon};
use super::failure::{Failure, NOT_ASKED, conclude};
use super::show::Shown;
use super::twins::{self, Guest};
use crate::binding::InterfaceName;
use crate::control::{Answer, Explained, Request, to_pretty};
use node::Node;
use report::Report;

/// The exit status where the guest is not answered in all that is configured for it.
const UNANSWERED: u8 = 1;

/// Arguments of `nfdhcpd explain`.
#[derive(Debug, Args)]
#[command(after_help = "\
Lines begin with ok; with !! where this is why the guest gets no answer; with ! where something else deserves a look; or
with -- where nothing is configured. What netfilter has is read by the command itself, which root alone may.

Without a daemon it says what one would do that starts now.

Exit status: 0 if the guest is answered in all that is configured for it; 1 if it is not, if the
rules could not be read, or not be understood where they concern it, or the tap has no binding file; 2 if there is no daemon, or it may not be asked.")]
pub(super) struct Explain {
    /// The tap
    #[arg(value_name = "TAP")]
    tap: InterfaceName,
    /// Print JSON: one object, with the same findings and replies, and all that they were made of
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Daemon,
}

impl Explain {
    /// Runs the command.
    pub(super) fn run(&self) -> ExitCode {
        let (explained, failure) = match self.ask() {
            Ok(explained) => (explained, None),
            Err(error) => match without_daemon::explain(&self.daemon, self.tap) {
                Ok(explained) => (explained, Some(error)),
                Err(reason) => {
                    super::complain(&format!("error: {error}"));
                    super::complain(&format!("error: nothing can be said without a daemon either: {reason}"));
                    return ExitCode::from(NOT_ASKED);
                }
            },
        };
        let report = Report::new(explained, failure.as_ref().map(ToString::to_string), &Node::read(failure.is_none()));
        let code = match (&failure, report.answered) {
            (Some(_), _) => ExitCode::from(NOT_ASKED),
            (None, false) => ExitCode::from(UNANSWERED),
            (None, true) => ExitCode::SUCCESS,
        };
        conclude(self.print(&report).map_err(Failure::Output), code)
    }

    fn ask(&self) -> Result<Explained, AskError> {
        let mut explained =
            self.daemon.ask_for(&Request::Explain { tap: self.tap.to_string() }, |answer| match answer {
                Answer::Explained(explained) => Some(*explained),
                _ => None,
            })?;
        // The daemon looks at one binding at a time: there may be ten thousand, and packets to be answered.
        if let Some(guest) = explained.tap.as_ref().and_then(Guest::of_tap) {
            let all = Shown::ask(&self.daemon, None)?.taps;
            explained.doubts.extend(twins::doubts(&guest, all.iter().filter_map(Guest::of_tap)));
        }
        Ok(explained)
    }

    fn print(&self, report: &Report) -> io::Result<()> {
        let text = if self.json { to_pretty(report) } else { report.to_string() };
        let mut output = io::stdout().lock();
        output.write_all(text.as_bytes())?;
        output.flush()
    }
}
