//! Commands: those that end by themselves, and those that stay.

use std::fs::{self, File};
use std::process::{Child, Command, ExitStatus};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::inside::SCRATCH;

/// Runs a shell script that has to succeed, for what it prints.
#[track_caller]
pub(crate) fn sh(script: &str) -> String {
    outcome(Command::new("sh").args(["-ec", script]))
}

/// The same in a network namespace.
#[track_caller]
pub(crate) fn sh_in(netns: &str, script: &str) -> String {
    outcome(command_in(netns, "sh").args(["-ec", script]))
}

/// Whether a program is installed.
pub(crate) fn has(program: &str) -> bool {
    let script = format!("command -v {program} >/dev/null");
    Command::new("sh").args(["-c", &script]).status().is_ok_and(|status| status.success())
}

/// A command that will run in a network namespace.
pub(crate) fn command_in(netns: &str, program: &str) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", netns, program]);
    command
}

#[track_caller]
fn outcome(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let words = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{command:?}\n{words}");
    words
}

/// A process that stays until this value goes, with all that it says in a file.
pub(crate) struct Process {
    child: Child,
    log: String,
}

impl Process {
    /// Starts a command whose output goes to `NAME.log`.
    #[track_caller]
    pub(crate) fn start(mut command: Command, name: &str) -> Self {
        let log = format!("{SCRATCH}/{name}.log");
        let file = File::create(&log).unwrap();
        command.stdout(file.try_clone().unwrap()).stderr(file);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, log }
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has said so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }

    /// Whether it is still there.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid().cast_signed()), signal).unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
