//! The daemon under test.

use std::fs;
use std::process::Command;

use nix::sys::signal::Signal;

use super::process::Process;
use super::{Config, SCRATCH, queues, soon};

/// Foreground and debug: all that the daemon says is in the output that a test reads.
pub(crate) const USUAL_FLAGS: &[&str] = &["-f", "-d"];

/// A running `nfdhcpd`, all of whose queues are bound.
pub(crate) struct Daemon {
    process: Process,
}

impl Daemon {
    /// Starts it, with these flags, and waits until the kernel knows its queues.
    #[track_caller]
    pub(crate) fn start(config: &Config, flags: &[&str]) -> Self {
        let mut daemon = Self { process: Process::start(command(config, flags), "nfdhcpd") };
        soon("the daemon's queues", || {
            if let Some(status) = daemon.process.ended() {
                panic!("the daemon ended with {status}");
            }
            daemon.is_ready(config).then_some(())
        });
        daemon
    }

    /// Ends it as a crash does.
    #[track_caller]
    pub(crate) fn kill(mut self) {
        self.process.signal(Signal::SIGKILL);
        self.process.wait();
    }

    /// The kernel knows the queues. Where it does not say so, the daemon's word counts.
    fn is_ready(&self, config: &Config) -> bool {
        if !queues::are_visible() {
            return self.process.log().contains(" ready ");
        }
        let bound = queues::bound();
        config.queues().iter().all(|number| bound.iter().any(|queue| queue.number == *number))
    }

    /// The process, for its log and signals.
    pub(crate) fn process(&self) -> &Process {
        &self.process
    }

    /// Ends it as a supervisor does, which has to succeed.
    #[track_caller]
    pub(crate) fn stop(mut self) {
        self.process.signal(Signal::SIGTERM);
        let status = self.process.wait();
        assert!(status.success(), "the daemon ended with {status} on SIGTERM");
    }
}

impl From<Process> for Daemon {
    /// A daemon that somebody else started.
    fn from(process: Process) -> Self {
        Self { process }
    }
}

/// Starts the daemon, ready or not, with its output in `NAME.log`.
pub(crate) fn launch(config: &Config, name: &str) -> Process {
    Process::start(command(config, USUAL_FLAGS), name)
}

/// The daemon's command line, over a configuration that is there.
fn command(config: &Config, flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nfdhcpd"));
    command.args(["-c", &write_config(config)]).args(flags);
    command
}

/// Writes the configuration to where the daemon reads it.
pub(crate) fn write_config(config: &Config) -> String {
    let path = format!("{SCRATCH}/nfdhcpd.conf");
    fs::write(&path, config.to_string()).unwrap();
    path
}
