//! `nfdhcpd unbind`: removes a binding, for hooks of a guest that has gone.

use std::process::ExitCode;

use clap::Args;

use super::bind::place::{Misplaced, Place, bindable};
use crate::binding::InterfaceName;
use crate::io::bindings;

/// Arguments of `nfdhcpd unbind`.
#[derive(Debug, Args)]
#[command(after_help = "\
It needs no daemon. A running one gives the guest no more answers.

Exit status: 0, also if there was no binding; 2 if the configuration or the directory cannot be used, or the arguments are wrong.")]
pub(super) struct Unbind {
    /// The tap
    #[arg(value_name = "TAP", value_parser = bindable)]
    tap: InterfaceName,
    #[command(flatten)]
    place: Place,
}

impl Unbind {
    /// Runs the command.
    pub(super) fn run(&self) -> ExitCode {
        match self.remove() {
            Ok(()) => ExitCode::SUCCESS,
            Err(misplaced) => {
                super::complain(&format!("error: {misplaced}"));
                ExitCode::from(Misplaced::STATUS)
            }
        }
    }

    fn remove(&self) -> Result<(), Misplaced> {
        let directory = self.place.directory()?;
        let path = directory.join(self.tap.as_str());
        // Without it there is no binding either; but it is more likely that the wrong one was named.
        bindings::check_directory(&directory).map_err(|error| Misplaced::Directory(directory, error))?;
        bindings::remove(&path).map_err(|error| Misplaced::Directory(path, error))
    }
}
