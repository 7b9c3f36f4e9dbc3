//! The administrator's own script.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use nix::unistd::{AccessFlags, access};

use super::run::{Program, last_line};
use crate::network::Variables;

/// How long the script may take. Xen kills all of it after 40 s.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Runs a script with an environment, if there is one that may be executed. Without a `PATH` of its own it has ours.
pub(super) fn run(script: &Path, environment: &Variables) -> io::Result<()> {
    let is_executable = fs::metadata(script).is_ok_and(|metadata| metadata.is_file());
    if !is_executable || access(script, AccessFlags::X_OK).is_err() {
        return Ok(());
    }
    let mut program = Program::new(script, &[], TIMEOUT);
    program.environment.extend(environment.iter().map(|(name, value)| (name.into(), value.into())));
    let output = program.run().map_err(io::Error::other)?;
    if output.status.success() { Ok(()) } else { Err(io::Error::other(failure(&output))) }
}

/// How a script failed: its status, and the last that it said.
fn failure(output: &Output) -> String {
    let said = [&output.stderr, &output.stdout].map(|said| last_line(said));
    match said.iter().find(|line| !line.is_empty()) {
        Some(line) => format!("{}: {line}", output.status),
        None => output.status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// What running a script of this text and mode comes to.
    fn result(name: &str, text: &str, mode: u32) -> Result<(), String> {
        let path = env::temp_dir().join(format!("node-script-{name}-{}", std::process::id()));
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let environment = [("INTERFACE", "tap0")].into_iter().collect();
        let result = run(&path, &environment);
        fs::remove_file(&path).unwrap();
        result.map_err(|error| error.to_string())
    }

    #[test]
    fn a_failure_is_told_with_status_and_last_words() {
        let fails = |name, text| result(name, text, 0o755).unwrap_err();
        assert_eq!(fails("both", "#!/bin/sh\necho out; echo why >&2; exit 3\n"), "exit status: 3: why");
        assert_eq!(fails("out", "#!/bin/sh\necho first; echo last; exit 1\n"), "exit status: 1: last");
        assert_eq!(fails("mute", "#!/bin/sh\nexit 1\n"), "exit status: 1");
        assert_eq!(fails("killed", "#!/bin/sh\nkill -9 $$\n"), "signal: 9 (SIGKILL)");
        assert!(fails("binary", "no program").contains("cannot be run: "));
    }

    #[test]
    fn the_environment_tells_of_the_nic() {
        assert_eq!(result("environment", "#!/bin/sh\ntest \"$INTERFACE\" = tap0 && test \"$PATH\"\n", 0o755), Ok(()));
    }

    #[test]
    fn what_may_not_be_executed_is_not() {
        assert_eq!(result("mode", "#!/bin/sh\nexit 1\n", 0o644), Ok(()));
        assert!(run(Path::new("/nonexistent/script"), &Variables::default()).is_ok());
        assert!(run(Path::new("/"), &Variables::default()).is_ok());
    }
}
