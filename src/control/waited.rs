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
