//! Why a binding file was rejected.

use std::fmt;
use std::path::PathBuf;

use crate::text::{Shown, write_place};

/// A binding file that cannot be used: where, which key, what was found, what is allowed.
///
/// Shown on one line; what comes from the file is escaped and cut to a bounded length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindingError {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1; None where the fault is not in one line (a key that is missing, a file too large).
    pub line: Option<u32>,
    /// The key, as written; None where the fault is in no key.
    pub key: Option<String>,
    /// What was found, unescaped; None where nothing was.
    pub found: Option<String>,
    /// What is wrong, or what is allowed.
    pub reason: String,
}

impl std::error::Error for BindingError {}

impl fmt::Display for BindingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_place(f, &self.path, self.line)?;
        if let Some(key) = &self.key {
            write_key(f, key)?;
        }
        match (&self.key, &self.found) {
            (Some(_), Some(found)) => write!(f, "={}: ", Shown(found))?,
            (None, Some(found)) => write!(f, "{}: ", Shown(found))?,
            (Some(_), None) => f.write_str(": ")?,
            (None, None) => {}
        }
        f.write_str(&self.reason)
    }
}

/// A key as it is written in a file; one that could not be, in quotes.
fn write_key(f: &mut fmt::Formatter<'_>, key: &str) -> fmt::Result {
    const LONGEST: usize = 40;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if key.len() <= LONGEST && key.bytes().all(is_plain) { f.write_str(key) } else { write!(f, "{}", Shown(key)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_shown_on_one_line() {
        let long = "K".repeat(1_000);
        let cut = format!("b/tap0:2: \"{}…\"=\"\": wrong", "K".repeat(80));
        for (line, key, found, expected) in [
            (Some(3), Some("IP"), Some("x\n"), r#"b/tap0:3: IP="x\n": wrong"#),
            (Some(3), Some("a\tb"), Some(""), r#"b/tap0:3: "a\tb"="": wrong"#),
            (Some(2), Some(long.as_str()), Some(""), cut.as_str()),
            (None, Some("MAC"), None, "b/tap0: MAC: wrong"),
            (Some(1), None, Some("junk"), r#"b/tap0:1: "junk": wrong"#),
            (None, None, None, "b/tap0: wrong"),
        ] {
            let error = BindingError {
                path: "b/tap0".into(),
                line,
                key: key.map(str::to_owned),
                found: found.map(str::to_owned),
                reason: "wrong".to_owned(),
            };
            assert_eq!(error.to_string(), expected);
        }
    }
}
