//! What Xen's tools keep of a NIC, read and written by their own programs.

use std::io;
use std::time::Duration;

use super::NodeError;
use super::run::{Program, first_line};

/// How long one of the programs may take: Xen kills a script after 40 s.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Reads the value of a key.
///
/// # Errors
/// There is no such key, or no xenstore.
pub fn read(key: &str) -> Result<String, NodeError> {
    run("xenstore-read", &[key])
}

/// Sets keys to values, all at once.
///
/// # Errors
/// There is no xenstore, or it refuses.
pub fn write(values: &[(&str, &str)]) -> Result<(), NodeError> {
    let arguments: Vec<&str> = values.iter().flat_map(|(key, value)| [*key, *value]).collect();
    run("xenstore-write", &arguments).map(drop)
}

fn run(program: &str, arguments: &[&str]) -> Result<String, NodeError> {
    run_it(program, arguments).map_err(NodeError::of(format!("{program} {}", arguments.join(" "))))
}

fn run_it(program: &str, arguments: &[&str]) -> io::Result<String> {
    let output = Program::new(program, arguments, TIMEOUT).run().map_err(io::Error::other)?;
    if output.status.success() {
        Ok(first_line(&output.stdout))
    } else {
        Err(io::Error::other(format!("{}: {}", output.status, first_line(&output.stderr))))
    }
}
