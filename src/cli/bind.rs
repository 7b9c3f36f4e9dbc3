//! `nfdhcpd bind`: writes a binding, for hooks that are shell scripts.

mod draft;
mod options;
pub(super) mod place;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::check::try_out;
use super::client::Daemon;
use super::complain;
use super::wait::{Wait, parse_time};
use crate::binding::InterfaceName;
use crate::config::Config;
use crate::engine::Engine;
use crate::io::bindings;
use draft::{Draft, Fault};
use options::Options;
use place::{Misplaced, Place, bindable};

/// Arguments of `nfdhcpd bind`.
#[derive(Debug, Args)]
#[command(after_help = "\
The file is what the options say and no more: what an earlier one said is gone. It is checked as nfdhcpd check does, then takes
the place of the earlier one at once, and may be read by all. Where it is refused, the earlier one stays. An option with an
empty value is as none. It needs no daemon, unless it is to wait for one.

  nfdhcpd bind tap0 --mac 52:54:00:00:00:01 --hostname guest1 \\
      --ip 192.0.2.10/24 --gateway 192.0.2.1 --set DOMAIN=example.com --wait

With --datapath, a configuration that cannot be used is a warning, and whether replies fit it is not checked.

Exit status: 0 if the binding is written; 1 if it is refused, with the option and the reason on standard error; 2 if the
configuration or the directory cannot be used, or the arguments are wrong. Once it is written, --wait ends as nfdhcpd wait does:
0 if the guest is answered; 1 if the daemon rejects the file; 2 if the daemon cannot be asked; 3 if the time was up.")]
pub(super) struct Bind {
    /// The tap
    #[arg(value_name = "TAP", value_parser = bindable)]
    tap: InterfaceName,
    #[command(flatten)]
    options: Options,
    /// Print the file, and write none
    #[arg(long)]
    dry_run: bool,
    /// Wait until the guest is answered, as nfdhcpd wait does, for 2s or for TIME: 5s, 500ms, 1m, or seconds without a unit; at
    /// most 5m
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "2s", value_parser = parse_time)]
    #[arg(conflicts_with = "dry_run")]
    wait: Option<Duration>,
    /// The socket of the daemon to wait for, in place of the configuration's control_socket
    #[arg(long, value_name = "PATH", requires = "wait")]
    socket: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Refused(#[from] Fault),
    #[error(transparent)]
    Misplaced(#[from] Misplaced),
    #[error("standard output: {0}")]
    Output(io::Error),
}

impl Bind {
    /// Runs the command.
    pub(super) fn run(self) -> ExitCode {
        match (self.bind(), self.wait) {
            (Ok(()), None) => ExitCode::SUCCESS,
            (Ok(()), Some(time)) => Wait::new(self.tap, time, Daemon::new(self.place.config, self.socket)).run(),
            (Err(failure), _) => {
                complain(&format!("error: {failure}"));
                ExitCode::from(if matches!(failure, Failure::Misplaced(_)) { Misplaced::STATUS } else { 1 })
            }
        }
    }

    fn bind(&self) -> Result<(), Failure> {
        let draft = Draft::new(&self.options.0)?;
        let (directory, config) = self.place.read()?;
        let path = directory.join(self.tap.as_str());
        check(&draft, &path, config)?;
        let text = draft.text();
        if self.dry_run {
            return io::stdout().lock().write_all(text.as_bytes()).map_err(Failure::Output);
        }
        bindings::write(&path, &text).map_err(|error| Misplaced::Directory(path, error).into())
    }
}

/// Checks what is to be written as `path`, and says what is doubtful.
fn check(draft: &Draft<'_>, path: &Path, config: Option<Config>) -> Result<(), Fault> {
    let parsed = draft.parse(path)?;
    let warnings = parsed.warnings.clone();
    // Only what is said with a configuration can be too large.
    let mut engine = config.map(|config| Engine::new(config, 0));
    let doubts = try_out(engine.as_mut(), parsed).map_err(|error| draft.explain(error))?;
    let all = warnings.into_iter().chain(doubts).map(|doubt| draft.explain(doubt));
    all.for_each(|doubt| complain(&format!("warning: {doubt}")));
    Ok(())
}
