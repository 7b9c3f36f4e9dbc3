//! The configuration file as a file.

#![expect(clippy::disallowed_methods, reason = "io is where the outside world is")]

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::sandbox;
use crate::config::{self, ConfigError, Parsed};

/// Where it is, unless `-c` says otherwise.
pub const DEFAULT_PATH: &str = "/etc/nfdhcpd/nfdhcpd.conf";

/// Reads and parses the configuration file.
///
/// # Errors
/// Every fault in it; or the one that it cannot be read.
pub fn read(path: &Path) -> Result<Parsed, Vec<ConfigError>> {
    let bytes = fs::read(path).map_err(|error| sandbox::explained(path, error)).map_err(|error| {
        vec![ConfigError {
            path: path.to_owned(),
            line: None,
            key: None,
            found: None,
            reason: format!("cannot be read: {error}"),
        }]
    })?;
    config::parse(path, &bytes)
}

/// Tries whether the file can be read by the user we are now.
pub fn probe(path: &Path) -> io::Result<()> {
    File::open(path).map(drop).map_err(|error| sandbox::explained(path, error))
}

/// What is wrong with a configuration whose `user` is nobody on this machine.
pub fn unknown_user(path: &Path, parsed: &Parsed) -> ConfigError {
    let found = Some(parsed.config.general.user.clone());
    unknown(path, parsed, "user", found, "no user of this name on this machine; allowed is a name or a uid")
}

/// What is wrong with a configuration whose `control_group` is none of this machine.
pub fn unknown_group(path: &Path, parsed: &Parsed) -> ConfigError {
    let found = parsed.config.general.control_group.clone();
    let reason = "no group of this name on this machine; allowed is a name or a gid; there will be no control socket";
    unknown(path, parsed, "control_group", found, reason)
}

fn unknown(path: &Path, parsed: &Parsed, key: &str, found: Option<String>, reason: &str) -> ConfigError {
    ConfigError {
        path: path.to_owned(),
        line: parsed.line_of("general", key),
        key: Some(format!("general.{key}")),
        found,
        reason: reason.to_owned(),
    }
}
