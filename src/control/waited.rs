//! What whoever waited for a tap is answered.

use serde::{Deserialize, Serialize};

/// How waiting for a tap ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waited {
    /// The tap.
    pub tap: String,
    /// How it ended.
    pub result: WaitResult,
    /// What is wrong with the file, or what was waited for in vain; None if the guest is answered.
    pub reason: Option<String>,
}

/// How waiting ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitResult {
    /// The file as it is now is in force, and the guest is answered.
    Serving,
    /// The file as it is now is not in force, be an earlier one or not.
    Rejected,
    /// Neither came about in time.
    Timeout,
}

#[cfg(test)]
mod tests {
    use super::super::{Answer, from_line, to_line};
    use super::*;

    /// The names of the fields are other programs' business too.
    #[test]
    fn how_waiting_ended_has_these_fields() {
        for (result, reason, expected) in [
            (WaitResult::Serving, None, r#""result":"serving","reason":null"#),
            (WaitResult::Rejected, Some("b/tap0:3: bad".to_owned()), r#""result":"rejected","reason":"b/tap0:3: bad""#),
            (WaitResult::Timeout, Some("why".to_owned()), r#""result":"timeout","reason":"why""#),
        ] {
            let waited = Answer::Waited(Waited { tap: "tap0".to_owned(), result, reason });
            let line = to_line(&waited);
            assert_eq!(line, format!("{{\"waited\":{{\"tap\":\"tap0\",{expected}}}}}\n"));
            assert_eq!(from_line::<Answer>(line.as_bytes()).unwrap(), waited);
        }
    }
}
