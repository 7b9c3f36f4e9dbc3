//! The name server, spoken with by other programs, in bounded time: an instance operation waits for us.
#![expect(clippy::disallowed_methods, reason = "the time that is left is measured here")]

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::process::Output;
use std::time::{Duration, Instant};

use super::node::run::Program;
use crate::network::dns::{Change, Command, Place, Target, Update, answer};
use crate::text::Visible;
use crate::wire::DomainName;

/// How long all of it may take. Each program gives up earlier by itself, and says why.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A name server, for as long as there is [patience](PATIENCE).
#[derive(Debug, Clone, Copy)]
pub struct Client<'s> {
    target: Target<'s>,
    deadline: Instant,
}

/// The server did not do as it was told. Shown on one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("name server {server}, {place}: {reason}")]
pub struct Failure {
    /// Which server.
    pub server: String,
    /// Which names.
    pub place: Place,
    /// Why.
    pub reason: String,
}

/// What this machine calls itself.
///
/// # Errors
/// It is a name that is no text.
pub fn host_name() -> io::Result<String> {
    let no_text = |_| io::Error::other("the name of this machine is no text");
    nix::unistd::gethostname()?.into_string().map_err(no_text)
}

impl<'s> Client<'s> {
    /// The time runs from now on.
    pub fn new(target: Target<'s>) -> Self {
        Self { target, deadline: Instant::now() + PATIENCE }
    }

    /// The messages that bring a change about. The server is asked what it has, if that matters; nothing is changed.
    ///
    /// # Errors
    /// It does not say.
    pub fn prepare(&self, change: &Change) -> Result<Vec<Update>, Failure> {
        let known = change.asks_for().map(|name| self.addresses(name)).transpose()?.unwrap_or_default();
        Ok(change.updates(&known, self.target.zone, self.target.ttl))
    }

    /// Sends a message.
    ///
    /// # Errors
    /// The server refused it, or could not be reached. It has changed all of it or nothing.
    pub fn send(&self, update: &Update) -> Result<(), Failure> {
        let place = &update.place;
        let output = self.run(&self.target.sends(update), place)?;
        if output.status.success() { Ok(()) } else { Err(self.failure(place, complaint(&output))) }
    }

    /// Whether the time for all of it is over: whatever else is to be sent would not be.
    pub fn is_late(&self) -> bool {
        Instant::now() >= self.deadline
    }

    fn addresses(&self, name: &DomainName) -> Result<BTreeSet<IpAddr>, Failure> {
        let place = Place::Zone(self.target.zone.clone());
        let output = self.run(&self.target.asks(name), &place)?;
        let refusal = |status: Option<String>| {
            let reason = status.unwrap_or_else(|| complaint(&output));
            self.failure(&place, format!("asked for the addresses of {name}: {reason}"))
        };
        answer::read(&String::from_utf8_lossy(&output.stdout), name).map_err(refusal)
    }

    /// Runs a program in what is left of the time.
    fn run(&self, command: &Command, place: &Place) -> Result<Output, Failure> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        // It may be shown: without a tail of digits.
        let timeout = Duration::from_millis(left.as_millis() as u64);
        if timeout.is_zero() {
            return Err(self.failure(place, format!("not tried, since {PATIENCE:?} are over")));
        }
        let program = Program {
            arguments: command.arguments.clone(),
            input: command.input.clone().into_bytes(),
            ..Program::new(command.program, &[], timeout)
        };
        program.run().map_err(|error| self.failure(place, error.to_string()))
    }

    fn failure(&self, place: &Place, reason: String) -> Failure {
        Failure { server: self.target.server.to_string(), place: place.clone(), reason }
    }
}

/// What a program says when it fails: its errors, or else what it printed. `dig` and `nsupdate` mark remarks with
/// semicolons, and say one for each attempt.
fn complaint(output: &Output) -> String {
    let said = if output.stderr.trim_ascii().is_empty() { &output.stdout } else { &output.stderr };
    let said = String::from_utf8_lossy(said);
    let mut remarks: Vec<&str> = Vec::new();
    for line in said.lines().map(|line| line.trim_start_matches(';').trim()) {
        if !line.is_empty() && !remarks.contains(&line) {
            remarks.push(line);
        }
    }
    let remarks = if remarks.is_empty() { output.status.to_string() } else { remarks.join("; ") };
    Visible(&remarks.chars().take(400).collect::<String>()).to_string()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    use super::*;

    fn said(stdout: &str, stderr: &str) -> String {
        complaint(&Output { status: ExitStatus::from_raw(0x0200), stdout: stdout.into(), stderr: stderr.into() })
    }

    #[test]
    fn a_complaint_is_one_line() {
        let attempts = ";; communications error to ::1#53: timed out\n;; communications error to ::1#53: timed out\n";
        for (stdout, stderr, expected) in [
            ("", "; TSIG error\nupdate failed: NOTAUTH(BADSIG)\n\n", "TSIG error; update failed: NOTAUTH(BADSIG)"),
            (attempts, " \n", "communications error to ::1#53: timed out"),
            ("", "\x1b[31mno\n", "\\u{1b}[31mno"),
            ("", "", "exit status: 2"),
        ] {
            assert_eq!(said(stdout, stderr), expected);
        }
    }
}
