//! How a command ends that asks a running daemon.

use std::io;
use std::process::ExitCode;

use super::client::AskError;
use crate::control::FaultKind;

/// The exit status where the daemon could not be asked.
pub(super) const NOT_ASKED: u8 = 2;
/// The exit status for anything else that goes wrong, and where there is no such tap.
const FAILED: u8 = 1;

/// Why nothing, or not all, was printed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The daemon has not answered.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// Nobody can be told.
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
}

impl Failure {
    /// Says it, for an exit status.
    pub(super) fn tell(&self) -> ExitCode {
        super::complain(&format!("error: {self}"));
        ExitCode::from(match self {
            Self::Ask(AskError::Refused(fault)) if fault.kind == FaultKind::UnknownTap => FAILED,
            Self::Ask(_) => NOT_ASKED,
            Self::Output(_) => FAILED,
        })
    }
}

/// The exit status of a command that ended so: `code`, if it has printed what it had to print.
pub(super) fn conclude(result: Result<(), Failure>, code: ExitCode) -> ExitCode {
    match result {
        Ok(()) => code,
        // `show | head` is no mistake.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => code,
        Err(failure) => failure.tell(),
    }
}
