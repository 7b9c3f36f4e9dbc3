//! What is wrong with a configuration file.

use std::fmt;
use std::path::PathBuf;

use crate::text::{Shown, write_place};

/// A fault in the configuration file: where, which key, what was found, what is allowed.
///
/// Shown on one line; what comes from the file is escaped and cut to a bounded length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1; None where something is missing.
    pub line: Option<u32>,
    /// The section and key, as `dhcp.server_ip`; None where the fault is in no key.
    pub key: Option<String>,
    /// What was found, unescaped; None where nothing was.
    pub found: Option<String>,
    /// What is wrong, or what is allowed.
    pub reason: String,
}

/// What is wrong with a configuration file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    /// Why it cannot be used, in the order of the file; of one that cannot be used there is at least one.
    pub errors: Vec<ConfigError>,
    /// What deserves a warning besides.
    pub warnings: Vec<ConfigError>,
    /// Whom it names all the same; None of a file that is no text.
    pub accounts: Option<Box<Accounts>>,
}

/// Users and groups that a configuration names. Whether the machine has them is not for the file to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    /// `user`.
    pub user: Account,
    /// `control_group`.
    pub control_group: Option<Account>,
}

/// A user or a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The key that names it, of section `[general]`.
    pub key: &'static str,
    /// Its name or number.
    pub name: String,
    /// The line, from 1, of the key; None where it has its default.
    pub line: Option<u32>,
}

impl From<ConfigError> for Faults {
    fn from(error: ConfigError) -> Self {
        Self { errors: vec![error], warnings: Vec::new(), accounts: None }
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_place(f, &self.path, self.line)?;
        match (&self.key, &self.found) {
            (Some(key), Some(found)) => write!(f, "{key} = {}: ", Shown(found))?,
            (Some(key), None) => write!(f, "{key}: ")?,
            (None, Some(found)) => write!(f, "{}: ", Shown(found))?,
            (None, None) => {}
        }
        f.write_str(&self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_shown_on_one_line() {
        let error = |line, key: Option<&str>, found: Option<&str>| ConfigError {
            path: "/etc/n.conf".into(),
            line,
            key: key.map(str::to_owned),
            found: found.map(str::to_owned),
            reason: "wrong".to_owned(),
        };
        for (error, expected) in [
            (error(Some(7), Some("dhcp.server_ip"), Some("x\n")), r#"/etc/n.conf:7: dhcp.server_ip = "x\n": wrong"#),
            (error(None, Some("dhcp.server_ip"), None), "/etc/n.conf: dhcp.server_ip: wrong"),
            (error(Some(2), None, Some("[x")), r#"/etc/n.conf:2: "[x": wrong"#),
            (error(None, None, None), "/etc/n.conf: wrong"),
        ] {
            assert_eq!(error.to_string(), expected);
        }
    }
}
