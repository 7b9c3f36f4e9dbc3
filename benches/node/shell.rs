//! Commands in namespaces: those that end by themselves, and those that stay.

use std::ops::{Deref, DerefMut};
use std::process::Command;

use nix::sys::signal::Signal;

use crate::lab::process::{Process, outcome, try_sh};

pub(crate) use crate::lab::process::sh;

/// Runs a shell script in a network namespace, which has to succeed, for what it prints.
#[track_caller]
pub(crate) fn sh_in(netns: &str, script: &str) -> String {
    let output = outcome(command_in(netns, "sh").args(["-ec", script]));
    output.unwrap_or_else(|output| panic!("{netns}: {script}\n{output}"))
}

/// Whether a program is installed.
pub(crate) fn has(program: &str) -> bool {
    try_sh(&format!("command -v {program}")).is_ok()
}

/// A command that will run in a network namespace.
pub(crate) fn command_in(netns: &str, program: &str) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", netns, program]);
    command
}

/// A process that stays until this value goes.
pub(crate) struct Leashed(Process);

impl Leashed {
    /// Starts a command whose output goes to `NAME.log`.
    pub(crate) fn start(command: Command, name: &str) -> Self {
        Self(Process::start(command, name))
    }
}

impl Deref for Leashed {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.0
    }
}

impl DerefMut for Leashed {
    fn deref_mut(&mut self) -> &mut Process {
        &mut self.0
    }
}

impl Drop for Leashed {
    fn drop(&mut self) {
        // It may have ended by itself.
        if self.ended().is_none() {
            self.signal(Signal::SIGKILL);
            self.wait();
        }
    }
}
