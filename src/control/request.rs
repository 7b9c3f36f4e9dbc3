//! What can be asked.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::json::from_line;

/// A question: one line, `{"command": …}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// How one tap stands, or all of them and the node.
    Show {
        /// The tap; None: all.
        #[serde(default)]
        tap: Option<String>,
    },
    /// Waits until the guest of a tap is answered, or its file is rejected.
    Wait {
        /// The tap.
        tap: String,
        /// How long, in milliseconds; at most [`MAX_WAIT`](Self::MAX_WAIT).
        timeout_ms: u64,
    },
    /// Shows decisions as they are made, until the caller hangs up.
    Trace {
        /// The tap; None: all.
        #[serde(default)]
        tap: Option<String>,
    },
    /// Why the guest of a tap is answered as it is, and what it would be answered now.
    Explain {
        /// The tap.
        tap: String,
    },
}

impl Request {
    /// The longest line, in bytes.
    pub const MAX_LEN: usize = 4096;
    /// The longest time to wait.
    pub const MAX_WAIT: Duration = Duration::from_mins(5);

    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it, in words. What this version does not know is wrong: it must not answer something else
    /// than it was asked.
    pub fn from_line(line: &[u8]) -> Result<Self, String> {
        if line.len() > Self::MAX_LEN {
            return Err(format!("more than {} bytes", Self::MAX_LEN));
        }
        let value: Value = from_line(line).map_err(|error| format!("not JSON: {error}"))?;
        match value.as_object().map(|object| object.get("command")) {
            None => return Err("not a JSON object".to_owned()),
            Some(None) => return Err("missing field `command`".to_owned()),
            Some(Some(command)) if !command.is_string() => return Err("`command` is not a string".to_owned()),
            Some(Some(_)) => {}
        }
        // A variant is what Rust calls it.
        serde_json::from_value(value).map_err(|error| error.to_string().replace("unknown variant", "unknown command"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::to_line;
    use super::*;

    #[test]
    fn a_request_survives_its_line() {
        for (request, line) in [
            (Request::Show { tap: None }, "{\"command\":\"show\",\"tap\":null}\n"),
            (Request::Trace { tap: None }, "{\"command\":\"trace\",\"tap\":null}\n"),
            (Request::Explain { tap: "tap0".to_owned() }, "{\"command\":\"explain\",\"tap\":\"tap0\"}\n"),
            (Request::Show { tap: Some("tap0".to_owned()) }, "{\"command\":\"show\",\"tap\":\"tap0\"}\n"),
            (
                Request::Wait { tap: "tap0".to_owned(), timeout_ms: 2_000 },
                "{\"command\":\"wait\",\"tap\":\"tap0\",\"timeout_ms\":2000}\n",
            ),
        ] {
            assert_eq!(to_line(&request), line);
            assert_eq!(Request::from_line(line.as_bytes()), Ok(request));
        }
        assert_eq!(Request::from_line(b"{\"command\": \"show\"}"), Ok(Request::Show { tap: None }));
    }

    #[test]
    fn what_is_not_known_is_refused_with_a_reason() {
        let long = format!("{{\"command\":\"show\"{}}}", " ".repeat(Request::MAX_LEN));
        let deep = format!("{{\"a\":{}", "[".repeat(1_000));
        for (line, expected) in [
            (&b""[..], "EOF"),
            (b"show", "expected value"),
            (b"\xff", "expected value"),
            (b"{}", "missing field `command`"),
            (b"[]", "not a JSON object"),
            (b"{\"command\":7}", "`command` is not a string"),
            (b"{\"command\":\"reboot\"}", "unknown command `reboot`, expected one of `show`, "),
            (b"{\"command\":\"show\",\"tab\":\"tap0\"}", "unknown field `tab`"),
            (b"{\"command\":\"show\",\"tap\":7}", "invalid type"),
            (b"{\"command\":\"show\"} {}", "trailing"),
            (b"{\"command\":\"wait\",\"tap\":\"tap0\"}", "missing field `timeout_ms`"),
            (deep.as_bytes(), "recursion limit"),
            (long.as_bytes(), "more than 4096 bytes"),
        ] {
            let reason = Request::from_line(line).unwrap_err();
            assert!(reason.contains(expected), "{}: {reason}", line.escape_ascii());
            let has_internals = ["enum", "variant", "struct"].iter().any(|word| reason.contains(word));
            assert!(!has_internals, "{reason}");
        }
    }
}
