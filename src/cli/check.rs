//! `nfdhcpd check`: what is wrong with the configuration and the binding files.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::BAD_CONFIGURATION;
use super::failure::{Failure, conclude};
use super::twins::{Addresses, Guest};
use crate::binding::{self, Binding, BindingError};
use crate::config::{Account, Accounts, Config, ConfigError, Faults, General, Parsed};
use crate::engine::{Engine, Event, Notice};
use crate::io::watch::{self, WatchError};
use crate::io::{access, config_file, privileges};
use crate::text::Shown;

/// Arguments of `nfdhcpd check`.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// The configuration file
    #[arg(short, long = "config", value_name = "FILE", default_value = config_file::DEFAULT_PATH)]
    config: PathBuf,
    /// The directory of binding files, in place of the configuration's datapath
    #[arg(long, value_name = "DIR")]
    bindings: Option<PathBuf>,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    AllGood,
    RejectedBinding,
    BadConfig,
}

impl Check {
    /// Runs the command.
    pub(super) fn run(&self) -> ExitCode {
        let mut output = io::stdout().lock();
        match self.report(&mut output).and_then(|found| output.flush().map(|()| found)) {
            Ok(Found::AllGood) => ExitCode::SUCCESS,
            Ok(Found::RejectedBinding) => ExitCode::from(1),
            Ok(Found::BadConfig) => ExitCode::from(BAD_CONFIGURATION),
            Err(error) => conclude(Err(Failure::Output(error)), ExitCode::FAILURE),
        }
    }

    fn report(&self, output: &mut impl Write) -> io::Result<Found> {
        let (parsed, Faults { errors, warnings, .. }) = self.read_config();
        warnings.iter().try_for_each(|warning| writeln!(output, "warning: {warning}"))?;
        errors.iter().try_for_each(|error| writeln!(output, "error: {error}"))?;
        let datapath = parsed.as_ref().map(|parsed| &parsed.config.general.datapath);
        let Some(directory) = self.bindings.as_ref().or(datapath) else {
            writeln!(output, "the binding files are not checked: --bindings does not say where they are")?;
            return Ok(Found::BadConfig);
        };
        let config = parsed.as_ref().map(|parsed| with_datapath(&parsed.config, directory));
        if let Some(config) = &config {
            let doubts = access::doubts(&self.config, &config.general);
            doubts.iter().try_for_each(|doubt| writeln!(output, "warning: {doubt}"))?;
        }
        let found = match watch::read_all(directory) {
            Ok(files) => report_bindings(output, config.as_ref(), directory, files)?,
            Err(error) => {
                writeln!(output, "error: {}", self.unreadable(parsed.as_ref(), &error))?;
                Found::BadConfig
            }
        };
        Ok(if errors.is_empty() { found } else { Found::BadConfig })
    }

    /// What is wrong where the directory of bindings cannot be read: with the option, or else with the configuration.
    fn unreadable(&self, parsed: Option<&Parsed>, WatchError { path, source }: &WatchError) -> String {
        let path = path.to_string_lossy();
        if self.bindings.is_some() {
            return format!("--bindings={}: cannot be read: {source}", Shown(&path));
        }
        let fault = ConfigError {
            path: self.config.clone(),
            line: parsed.and_then(|parsed| parsed.line_of("general", "datapath")),
            key: Some("general.datapath".to_owned()),
            found: Some(path.into_owned()),
            reason: format!("the directory of bindings cannot be read: {source}"),
        };
        fault.to_string()
    }

    /// The configuration, if it can be used, and all that is wrong with it.
    fn read_config(&self) -> (Option<Parsed>, Faults) {
        let (parsed, mut faults) = match config_file::read(&self.config) {
            Ok(parsed) => {
                let (warnings, accounts) = (parsed.warnings.clone(), Some(Box::new(parsed.accounts.clone())));
                (Some(parsed), Faults { errors: Vec::new(), warnings, accounts })
            }
            Err(faults) => (None, faults),
        };
        if let Some(Accounts { user, control_group }) = faults.accounts.as_deref() {
            faults.errors.extend(self.unknown_user(user));
            faults.warnings.extend(control_group.as_ref().and_then(|group| self.unknown_group(group)));
        }
        (parsed, faults)
    }

    /// What a daemon that starts as root would say of `user`. Where users cannot be looked up, it is not for the
    /// configuration to answer for.
    fn unknown_user(&self, user: &Account) -> Option<ConfigError> {
        matches!(privileges::look_up(&user.name), Ok(None)).then(|| config_file::unknown_user(&self.config, user))
    }

    /// The same of `control_group`, without which the daemon does.
    fn unknown_group(&self, group: &Account) -> Option<ConfigError> {
        let found = privileges::look_up_group(&group.name);
        matches!(found, Ok(None)).then(|| config_file::unknown_group(&self.config, group))
    }
}

/// A configuration whose bindings are elsewhere.
fn with_datapath(config: &Config, directory: &Path) -> Config {
    let general = General { datapath: directory.to_owned(), ..config.general.clone() };
    Config { general, ..config.clone() }
}

fn report_bindings(
    output: &mut impl Write,
    config: Option<&Config>,
    directory: &Path,
    files: Vec<Result<binding::parse::Parsed, BindingError>>,
) -> io::Result<Found> {
    let (mut good, mut rejected) = (0, 0);
    // Only what is said with a configuration can be too large.
    let mut engine = config.map(|config| Engine::new(config.clone(), 0));
    let mut addresses = Addresses::default();
    for file in files {
        let binding = file.as_ref().ok().map(|parsed| parsed.binding.clone());
        let warnings = file.as_ref().map(|parsed| parsed.warnings.clone()).unwrap_or_default();
        warnings.iter().try_for_each(|warning| writeln!(output, "warning: {warning}"))?;
        match file.and_then(|parsed| try_out(engine.as_mut(), parsed)) {
            Ok(doubts) => {
                good += 1;
                let twins = binding.iter().flat_map(|binding| twins(&mut addresses, directory, binding));
                doubts.into_iter().chain(twins).try_for_each(|doubt| writeln!(output, "warning: {doubt}"))?;
            }
            Err(error) => {
                rejected += 1;
                writeln!(output, "error: {error}")?;
            }
        }
    }
    let bindings = if good == 1 { "binding" } else { "bindings" };
    writeln!(output, "{good} {bindings} good, {rejected} rejected")?;
    Ok(if rejected == 0 { Found::AllGood } else { Found::RejectedBinding })
}

/// What of a binding in `directory` the guest of an earlier one has as well.
fn twins(addresses: &mut Addresses, directory: &Path, binding: &Binding) -> Vec<BindingError> {
    let twins = addresses.add(&Guest::from(binding)).into_iter();
    let told = twins.map(|twin| BindingError {
        path: directory.join(binding.tap.as_str()),
        line: binding.lines.line(twin.key),
        key: Some(twin.key.to_owned()),
        reason: twin.reason(),
        found: Some(twin.address),
    });
    told.collect()
}

/// Whether the engine takes the binding, since its replies must fit: if so, what it finds doubtful.
pub(super) fn try_out(
    engine: Option<&mut Engine>,
    parsed: binding::parse::Parsed,
) -> Result<Vec<BindingError>, BindingError> {
    let Some(engine) = engine else { return Ok(Vec::new()) };
    engine.handle_event(Duration::ZERO, Event::BindingLoaded(Box::new(parsed.binding)));
    let mut doubts = Vec::new();
    while let Some(notice) = engine.poll_notice() {
        match notice {
            Notice::Rejected { error, .. } => return Err(error),
            Notice::Doubtful(doubt) => doubts.push(doubt),
            _ => {}
        }
    }
    Ok(doubts)
}
