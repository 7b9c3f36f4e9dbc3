//! Commands: those that end by themselves, and those that stay.

use std::fs::{self, File};
use std::process::{Child, Command, ExitStatus};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{SCRATCH, soon};

/// Runs a shell script that has to succeed, for what it prints.
#[track_caller]
pub(crate) fn sh(script: &str) -> String {
    try_sh(script).unwrap_or_else(|output| panic!("{script}\n{output}"))
}

/// Runs a shell script: what it prints, as an error if it fails.
pub(crate) fn try_sh(script: &str) -> Result<String, String> {
    outcome(Command::new("sh").args(["-ec", script]))
}

/// Runs a command: what it prints on both of its outputs, as an error if it fails.
pub(crate) fn outcome(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    if output.status.success() { Ok(text) } else { Err(text) }
}

/// A process that stays until it is told to go, with all that it says in a file of the scratch folder.
pub(crate) struct Process {
    child: Child,
    log: String,
}

impl Process {
    /// Starts a command whose output goes to `NAME.log`.
    pub(crate) fn start(mut command: Command, name: &str) -> Self {
        let log = format!("{SCRATCH}/{name}.log");
        let file = File::create(&log).unwrap();
        command.stdout(file.try_clone().unwrap()).stderr(file);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, log }
    }

    /// What it has said so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }

    /// Its process id, in the test's namespace.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How often its threads have gone to sleep so far.
    pub(crate) fn wake_ups(&self) -> u64 {
        let threads = fs::read_dir(format!("/proc/{}/task", self.pid())).unwrap();
        let sleeps = threads.map(|thread| {
            let status = fs::read_to_string(thread.unwrap().path().join("status")).unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).unwrap();
            line.trim().parse::<u64>().unwrap()
        });
        sleeps.sum()
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid().cast_signed()), signal).unwrap();
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        soon("the end of a process", || self.ended())
    }

    /// Waits for words in its log.
    #[track_caller]
    pub(crate) fn wait_for_log(&self, words: &str) {
        soon(&format!("{words:?} in {}", self.log), || self.log().contains(words).then_some(()));
    }
}
