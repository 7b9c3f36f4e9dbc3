//! What every command that touches the node does: settings, the log, reading, planning, carrying out.

#![expect(clippy::disallowed_methods, reason = "settings come from the environment of the hook")]

use std::env;
use std::fmt::Display;
use std::io::{self, Write as _};
use std::time::Duration;

use super::{Common, history};
use crate::binding::InterfaceName;
use crate::cli::complain;
use crate::config::ConfigError;
use crate::io::node::lock::{Extent, Lock};
use crate::io::node::{self, Interest, files};
use crate::network::{Change, Plan, Settings, State, Variables, settings};

/// How long to wait for others who change the node. Xen kills a script after 40 s.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often a plan is made, should others overtake it.
const ATTEMPTS: usize = 5;

/// A command failed, and has said why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nothing has been changed.
    Before,
    /// Some of a plan has been carried out.
    Midway,
}

/// A run of a command.
pub(super) struct Session {
    /// What is said in front of every line: the command, and the tap if it is known.
    title: String,
    /// The administrator's choices.
    pub(super) settings: Settings,
    dry_run: bool,
}

impl Session {
    /// Reads the settings and opens the log.
    pub(super) fn start(common: &Common, command: &str) -> Result<Self, Failure> {
        let (session, warnings) = Self::read_settings(common, command)?;
        // What would be done is for the terminal alone.
        if !session.dry_run {
            session.open_log();
        }
        warnings.iter().for_each(|warning| session.warn(warning));
        Ok(session)
    }

    /// Reads the settings, for a command that only looks: there is nothing to log.
    pub(super) fn look(common: &Common, command: &str) -> Result<Self, Failure> {
        let (session, warnings) = Self::read_settings(common, command)?;
        warnings.iter().for_each(|warning| session.warn(warning));
        Ok(session)
    }

    /// The settings, and what they deserve a warning for.
    fn read_settings(common: &Common, command: &str) -> Result<(Self, Vec<ConfigError>), Failure> {
        let title = command.to_owned();
        let parsed = files::read_settings(&common.config).map_err(|error| {
            complain(&format!("snf-network: {title}: {error}"));
            Failure::Before
        })?;
        let settings::Parsed { settings, warnings } = parsed;
        Ok((Self { title, settings, dry_run: common.dry_run }, warnings))
    }

    fn open_log(&self) {
        if let Some(path) = &self.settings.logfile
            && let Err(error) = history::open(path)
        {
            complain(&format!("snf-network: {}: no log in {}: {error}", self.title, path.display()));
        }
    }

    /// Says from now on which tap it is about.
    pub(super) fn about(&mut self, tap: impl Display) {
        self.title = format!("{} {tap}", self.title);
    }

    /// Keeps others who change the same off as long as the result lives. Who only looks need not.
    pub(super) fn hold(&self, extent: Extent) -> Result<Option<Lock>, Failure> {
        if self.dry_run {
            return Ok(None);
        }
        self.unless_failed(Lock::take(&self.settings.state_dir, extent, PATIENCE)).map(Some)
    }

    /// Reads what is there; of the details what matters to a NIC, if it is about one.
    pub(super) fn read(
        &self,
        tap: Option<InterfaceName>,
        table: Option<u32>,
        bridge_tracking: bool,
    ) -> Result<State, Failure> {
        let bindings = &self.settings.bindings;
        self.unless_failed(node::read(&Interest { bindings, taps: tap.as_slice(), table, bridge_tracking }))
    }

    /// Makes a plan and carries it out, or prints it. One that others have overtaken is made anew; if there is none any more,
    /// what was done of the first one stays half done.
    pub(super) fn carry_out(&self, plan: impl Fn() -> Result<Plan, Failure>) -> Result<(), Failure> {
        self.carry_out_noting(plan, |_| {})
    }

    /// The same, and tells `note` of each change that was made, of plans that others have overtaken as well.
    pub(super) fn carry_out_noting(
        &self,
        plan: impl Fn() -> Result<Plan, Failure>,
        mut note: impl FnMut(&Change),
    ) -> Result<(), Failure> {
        let mut failure = Failure::Before;
        let mut attempts = ATTEMPTS;
        loop {
            let plan = plan().map_err(|_| failure)?;
            if self.dry_run {
                return self.print(plan);
            }
            let done = |change: &Change| {
                self.tell(change.title());
                note(change);
            };
            let Err(error) = node::carry_out(&plan, done) else { return Ok(()) };
            failure = Failure::Midway;
            if !error.may_be_outdated || attempts == 1 {
                self.fail(error);
                return Err(failure);
            }
            attempts -= 1;
        }
    }

    /// Prints what the command is for.
    pub(super) fn print(&self, text: impl Display) -> Result<(), Failure> {
        let printed = write!(io::stdout().lock(), "{text}");
        self.unless_failed(printed.map_err(|error| format!("standard output: {error}")))
    }

    /// Whether changes are only to be printed.
    pub(super) fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// Tells the log what was done.
    pub(super) fn tell(&self, what: impl Display) {
        tracing::info!("{}: {what}", self.title);
    }

    /// Tells the log and standard error of something that is not as it should be.
    pub(super) fn warn(&self, what: impl Display) {
        tracing::warn!("{}: {what}", self.title);
        complain(&format!("snf-network: {}: warning: {what}", self.title));
    }

    /// Tells the log and standard error why the command failed. Ganeti shows the latter to the administrator.
    pub(super) fn fail(&self, why: impl Display) -> Failure {
        tracing::error!("{}: {why}", self.title);
        complain(&format!("snf-network: {}: {why}", self.title));
        Failure::Before
    }

    /// The value; or the failure, told.
    pub(super) fn unless_failed<T, E: Display>(&self, result: Result<T, E>) -> Result<T, Failure> {
        result.map_err(|error| self.fail(error))
    }
}

/// The environment. A value that is no text is a fault only where it is asked for, and then it says so: it has the
/// replacement character in it.
pub(super) fn environment() -> Variables {
    env::vars_os().map(|(name, value)| (lossy(&name), lossy(&value))).collect()
}

fn lossy(text: &std::ffi::OsStr) -> String {
    text.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::network::Route;

    /// A route to a tap that is not there: somebody may have been faster.
    fn outdated() -> Plan {
        let route =
            Route { destination: "192.0.2.1/32".parse().unwrap(), tap: "no-such-tap".parse().unwrap(), table: 1 };
        Plan(vec![Change::AddRoute(route)])
    }

    #[test]
    fn a_plan_that_cannot_be_made_again_is_half_done() {
        let session = Session { title: "test".to_owned(), settings: Settings::default(), dry_run: false };
        let made = Cell::new(0);
        let planned = |plans: usize| {
            made.set(0);
            session
                .carry_out(|| if made.replace(made.get() + 1) < plans { Ok(outdated()) } else { Err(Failure::Before) })
        };
        assert_eq!((planned(0), made.get()), (Err(Failure::Before), 1));
        assert_eq!((planned(1), made.get()), (Err(Failure::Midway), 2));
        assert_eq!((planned(usize::MAX), made.get()), (Err(Failure::Midway), ATTEMPTS));
    }
}
