//! The command line: one file per subcommand.

mod bind;
mod check;
mod client;
mod decode;
mod explain;
mod failure;
pub mod network;
mod replay;
mod rules;
mod show;
mod top;
mod trace;
mod twins;
mod unbind;
mod wait;
mod words;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgAction, Args, Parser, Subcommand};

use crate::daemon;
use crate::io::config_file;

/// The exit status for a configuration that cannot be used.
const BAD_CONFIGURATION: u8 = 2;

/// Gives virtual machines their network configuration on the node they run on: answers what netfilter diverts from
/// their taps into NFQUEUE (DHCP, router and neighbour solicitations, DHCPv6) out of binding files.
///
/// Without a command it runs as the daemon, in the foreground.
#[derive(Debug, Parser)]
#[command(
    name = "nfdhcpd",
    version,
    disable_version_flag = true,
    args_conflicts_with_subcommands = true,
    max_term_width = 100
)]
pub struct Cli {
    #[command(flatten)]
    run: Run,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What the original takes.
#[derive(Debug, Args)]
struct Run {
    /// The configuration file
    #[arg(short, long = "config", value_name = "FILE", default_value = config_file::DEFAULT_PATH)]
    config: PathBuf,
    /// Log decisions as well: for each tap and reason a few a minute, and how many more there were
    #[arg(short, long)]
    debug: bool,
    /// Log to standard error only, not to logdir as well (the daemon always stays in the foreground)
    #[arg(short, long)]
    foreground: bool,
    /// Print version
    #[arg(short = 'v', short_alias = 'V', long, action = ArgAction::Version)]
    version: Option<bool>,
}

impl Run {
    fn run(self) -> ExitCode {
        let Self { config, debug, foreground, version: _ } = self;
        match daemon::run(&daemon::Options { config, debug, foreground }) {
            Ok(()) => ExitCode::SUCCESS,
            Err(daemon::Failure::Configuration) => ExitCode::from(BAD_CONFIGURATION),
            Err(daemon::Failure::Operation) => ExitCode::FAILURE,
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the binding of TAP, whole and checked, for hooks; with --wait, wait until the guest is answered as it says
    Bind(bind::Bind),
    /// Check the configuration and every binding file; exit status 0 if all are good, 1 if a binding is rejected, 2 if
    /// the configuration is wrong, or the directory of bindings cannot be read
    Check(check::Check),
    /// Explain why the guest of TAP gets an answer, or none, and what it would be answered now
    Explain(explain::Explain),
    /// Run a capture through the same decisions as the daemon's, without privileges
    Replay(replay::Replay),
    /// Print the rules by which netfilter diverts packets to the daemon, with limits for each tap, for this configuration; with
    /// --check, say which of them the kernel lacks
    Rules(rules::RulesCommand),
    /// Show the bindings of a running daemon, and what became of packets; with TAP, all of one tap
    Show(show::Show),
    /// Watch taps, rates and outcomes of a running daemon as they change
    Top(top::Top),
    /// Follow the decisions of a running daemon as it makes them; with TAP, those about one tap
    Trace(trace::Trace),
    /// Remove the binding of TAP, for hooks
    Unbind(unbind::Unbind),
    /// Wait until a running daemon answers the guest of a tap, for hooks; exit status 0 when it does
    Wait(wait::Wait),
}

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command {
        None => cli.run.run(),
        Some(Command::Bind(bind)) => bind.run(),
        Some(Command::Check(check)) => check.run(),
        Some(Command::Explain(explain)) => explain.run(),
        Some(Command::Replay(replay)) => replay.run(),
        Some(Command::Rules(rules)) => rules.run(),
        Some(Command::Show(show)) => show.run(),
        Some(Command::Top(top)) => top.run(),
        Some(Command::Trace(trace)) => trace.run(),
        Some(Command::Unbind(unbind)) => unbind.run(),
        Some(Command::Wait(wait)) => wait.run(),
    }
}

/// Writes a line to standard error. If nobody is there to read it, so be it.
fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
