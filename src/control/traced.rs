//! What whoever follows decisions is shown, as they are made.

use std::io;

use serde::{Deserialize, Serialize};

use crate::engine::{Notice, Outcome, Unsolicited, Verdict};
use crate::wire::glance::Glance;

/// What became of a packet, or a frame that nobody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// When, in milliseconds since the epoch of Unix.
    pub unix_ms: u64,
    /// The tap, where it is known.
    pub tap: Option<String>,
    /// What the packet seems to be; None if there was none.
    pub asked: Option<String>,
    /// What it is counted as.
    pub outcome: String,
    /// The same in words.
    pub description: String,
    /// What netfilter is told about the packet, `accept` or `drop`; None if there was none.
    pub verdict: Option<String>,
    /// The field that was wrong, where the packet was malformed.
    pub detail: Option<String>,
    /// The MAC that stood for the guest's, where the packet was spoofed.
    pub foreign_mac: Option<String>,
    /// The length of the frame that is sent, in bytes.
    pub sent_bytes: Option<usize>,
    /// How many options the reply lacks because the client takes no larger message.
    pub omitted: usize,
}

impl Decision {
    /// The end of a packet.
    pub fn of_packet(unix_ms: u64, asked: Glance, outcome: &Outcome) -> Self {
        let verdict = match outcome.verdict() {
            Verdict::Accept => "accept",
            Verdict::Drop => "drop",
        };
        Self {
            unix_ms,
            tap: outcome.tap.map(|tap| tap.to_string()),
            asked: Some(asked.to_string()),
            outcome: outcome.reason.name().to_owned(),
            description: outcome.reason.to_string(),
            verdict: Some(verdict.to_owned()),
            detail: outcome.detail.map(|detail| detail.to_string()),
            foreign_mac: outcome.foreign.map(|mac| mac.to_string()),
            sent_bytes: outcome.reply.map(|reply| reply.len),
            omitted: outcome.omitted,
        }
    }

    /// A frame that nobody asked for.
    pub fn of_unsolicited(unix_ms: u64, sent: &Unsolicited) -> Self {
        Self {
            unix_ms,
            tap: Some(sent.tap.to_string()),
            asked: None,
            outcome: sent.reason.name().to_owned(),
            description: sent.reason.to_string(),
            verdict: None,
            detail: None,
            foreign_mac: None,
            sent_bytes: Some(sent.transmit.len),
            omitted: 0,
        }
    }
}

/// What the daemon noticed of a binding or a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noticed {
    /// When, in milliseconds since the epoch of Unix.
    pub unix_ms: u64,
    /// The tap or another link, where it is about one.
    pub tap: Option<String>,
    /// What kind of thing: `serving`, `rejected`, `removed` and others.
    pub event: String,
    /// For people.
    pub message: String,
}

impl Noticed {
    /// What an operator is told.
    pub fn new(unix_ms: u64, notice: &Notice) -> Self {
        let (event, message) = in_words(notice);
        let tap = notice.link().map(|link| link.to_string());
        Self { unix_ms, tap, event: event.to_owned(), message }
    }
}

/// A notice: its kind, and what there is to say.
fn in_words(notice: &Notice) -> (&'static str, String) {
    let failure = |errno: i32| io::Error::from_raw_os_error(errno).to_string();
    match notice {
        Notice::Serving { ifindex, .. } => ("serving", format!("interface {ifindex}")),
        Notice::Pending { .. } => ("pending", "the binding waits for its tap".to_owned()),
        Notice::Rejected { error, keeps_last: true, .. } => {
            ("rejected", format!("{error}; the last good one is still in force"))
        }
        Notice::Rejected { error, keeps_last: false, .. } => ("rejected", error.to_string()),
        Notice::Doubtful(doubt) => ("doubtful", doubt.to_string()),
        Notice::Removed { .. } => ("removed", "the binding file is gone".to_owned()),
        Notice::BridgeMacChanged { old, new, .. } => ("bridge_mac_changed", format!("{old} is {new} now")),
        Notice::Delegated { prefix, via: Some(via), .. } => ("delegated", format!("{prefix} via {via}")),
        Notice::Delegated { prefix, via: None, .. } => ("prefix_released", prefix.to_string()),
        Notice::RouterMacMisfit(misfit) => ("router_mac_misfit", misfit.to_string()),
        Notice::NoUplink { .. } => ("no_uplink", "what is announced waits for this link".to_owned()),
        Notice::SendFailed { errno, .. } => ("send_failed", failure(*errno)),
        Notice::AnnounceFailed { errno, .. } => ("announce_failed", failure(*errno)),
    }
}

/// What was not shown, because the follower was too slow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// How many decisions and notices.
    pub count: u64,
}
