//! The daemon under test.

use std::fs;
use std::process::Command;

use nix::sys::signal::Signal;

use super::process::Process;
use super::{Config, SCRATCH, queues, soon};

/// A running `nfdhcpd`, all of whose queues are bound.
pub(crate) struct Daemon {
    process: Process,
}

impl Daemon {
    /// Starts it and waits until the kernel knows its queues.
    #[track_caller]
    pub(crate) fn start(config: &Config) -> Self {
        let mut daemon = Self { process: launch(config, "nfdhcpd") };
        soon("the daemon's queues", || {
            if let Some(status) = daemon.process.ended() {
                panic!("the daemon ended with {status}");
            }
            daemon.is_ready(config).then_some(())
        });
        daemon
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

/// Starts the daemon, ready or not, with its output in `NAME.log`.
pub(crate) fn launch(config: &Config, name: &str) -> Process {
    let path = write_config(config);
    let mut command = Command::new(env!("CARGO_BIN_EXE_nfdhcpd"));
    command.args(["-c", &path, "-f", "-d"]);
    Process::start(command, name)
}

/// Writes the configuration to where the daemon reads it.
pub(crate) fn write_config(config: &Config) -> String {
    let path = format!("{SCRATCH}/nfdhcpd.conf");
    fs::write(&path, config.to_string()).unwrap();
    path
}
