//! `nfdhcpd check`: what is wrong with the configuration and the binding files.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::BAD_CONFIGURATION;
use super::failure::{Failure, conclude};
use super::twins::{Addresses, Guest};
use crate::binding::parse::Parsed;
use crate::binding::{Binding, BindingError};
use crate::config::{self, Config, ConfigError, Faults};
use crate::engine::{Engine, Event, Notice};
use crate::io::{access, config_file, privileges, watch};

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
        let (mut config, Faults { errors, warnings }) = self.read_config();
        warnings.iter().try_for_each(|warning| writeln!(output, "warning: {warning}"))?;
        errors.iter().try_for_each(|error| writeln!(output, "error: {error}"))?;
        if let (Some(config), Some(bindings)) = (&mut config, &self.bindings) {
            config.general.datapath.clone_from(bindings);
        }
        let datapath = config.as_ref().map(|config| config.general.datapath.clone());
        let Some(directory) = self.bindings.clone().or(datapath) else {
            writeln!(output, "the binding files are not checked: --bindings does not say where they are")?;
            return Ok(Found::BadConfig);
        };
        if let Some(config) = &config {
            let doubts = access::doubts(&self.config, &config.general);
            doubts.iter().try_for_each(|doubt| writeln!(output, "warning: {doubt}"))?;
        }
        let found = match watch::read_all(&directory) {
            Ok(files) => report_bindings(output, config.as_ref(), &directory, files)?,
            Err(error) => {
                writeln!(output, "error: {error}")?;
                Found::RejectedBinding
            }
        };
        Ok(if errors.is_empty() { found } else { Found::BadConfig })
    }

    /// The configuration, if it can be used, and all that is wrong with it.
    fn read_config(&self) -> (Option<Config>, Faults) {
        match config_file::read(&self.config) {
            Ok(parsed) => {
                let errors = self.unknown_user(&parsed).into_iter().collect();
                let group = self.unknown_group(&parsed);
                let warnings = parsed.warnings.into_iter().chain(group).collect();
                (Some(parsed.config), Faults { errors, warnings })
            }
            Err(faults) => (None, faults),
        }
    }

    /// What a daemon that starts as root would say of `user`. Where users cannot be looked up, it is not for the
    /// configuration to answer for.
    fn unknown_user(&self, parsed: &config::Parsed) -> Option<ConfigError> {
        let user = privileges::look_up(&parsed.config.general.user);
        matches!(user, Ok(None)).then(|| config_file::unknown_user(&self.config, parsed))
    }

    /// The same of `control_group`, without which the daemon does.
    fn unknown_group(&self, parsed: &config::Parsed) -> Option<ConfigError> {
        let group = parsed.config.general.control_group.as_deref().map(privileges::look_up_group)?;
        matches!(group, Ok(None)).then(|| config_file::unknown_group(&self.config, parsed))
    }
}

fn report_bindings(
    output: &mut impl Write,
    config: Option<&Config>,
    directory: &Path,
    files: Vec<Result<Parsed, BindingError>>,
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
pub(super) fn try_out(engine: Option<&mut Engine>, parsed: Parsed) -> Result<Vec<BindingError>, BindingError> {
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
