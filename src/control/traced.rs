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

#[cfg(test)]
mod tests {
    use super::super::{Answer, from_line, to_line};
    use super::*;
    use crate::binding::{BindingError, IfIndex, InterfaceName};
    use crate::engine::{Reason, Transmit};
    use crate::wire::{DecodeError, Layer};

    const MS: u64 = 1_700_000_000_123;

    fn tap() -> InterfaceName {
        "tap0".parse().unwrap()
    }

    fn sent(len: usize) -> Transmit {
        Transmit { ifindex: IfIndex::new(7).unwrap(), len }
    }

    fn outcome(reason: Reason) -> Outcome {
        Outcome { reason, detail: None, foreign: None, tap: Some(tap()), reply: None, omitted: 0, delegation: None }
    }

    #[track_caller]
    fn assert_line(answer: Answer, expected: &str) {
        let line = to_line(&answer);
        assert_eq!(line.trim_end(), expected);
        assert_eq!(from_line::<Answer>(line.as_bytes()).unwrap(), answer);
    }

    /// The names of the fields are other programs' business too.
    #[test]
    fn a_decision_has_these_fields() {
        let asked = Glance::Icmpv6(133);
        let answered = Outcome { reply: Some(sent(118)), omitted: 2, ..outcome(Reason::RouterAdvertised) };
        assert_line(
            Answer::Decision(Box::new(Decision::of_packet(MS, asked, &answered))),
            concat!(
                r#"{"decision":{"unix_ms":1700000000123,"tap":"tap0","asked":"RS","outcome":"ra_solicited","#,
                r#""description":"answered a Router Solicitation","verdict":"drop","detail":null,"foreign_mac":null,"#,
                r#""sent_bytes":118,"omitted":2}}"#
            ),
        );
        let refused = Outcome {
            detail: Some(DecodeError::new(Layer::Ndp, "options")),
            foreign: Some("aa:00:00:00:00:02".parse().unwrap()),
            tap: None,
            ..outcome(Reason::NoIpv6)
        };
        assert_line(
            Answer::Decision(Box::new(Decision::of_packet(MS, Glance::Nothing, &refused))),
            concat!(
                r#"{"decision":{"unix_ms":1700000000123,"tap":null,"asked":"no IP packet","outcome":"no_ipv6","#,
                r#""description":"the binding has no IPv6 prefix","verdict":"accept","detail":"ND: bad options","#,
                r#""foreign_mac":"aa:00:00:00:00:02","sent_bytes":null,"omitted":0}}"#
            ),
        );
        let unasked = Unsolicited { tap: tap(), reason: Reason::Announced, transmit: sent(42) };
        assert_line(
            Answer::Decision(Box::new(Decision::of_unsolicited(MS, &unasked))),
            concat!(
                r#"{"decision":{"unix_ms":1700000000123,"tap":"tap0","asked":null,"outcome":"announced","#,
                r#""description":"announced a guest's address on the uplink","verdict":null,"detail":null,"#,
                r#""foreign_mac":null,"sent_bytes":42,"omitted":0}}"#
            ),
        );
    }

    #[test]
    fn other_lines_have_these_fields() {
        let removed = Noticed::new(MS, &Notice::Removed { tap: tap() });
        let fields = r#""unix_ms":1700000000123,"tap":"tap0","event":"removed","message":"the binding file is gone""#;
        assert_line(Answer::Noticed(removed), &format!("{{\"noticed\":{{{fields}}}}}"));
        assert_line(Answer::Lost(Lost { count: 3 }), r#"{"lost":{"count":3}}"#);
        assert_line(Answer::Following {}, r#"{"following":{}}"#);
    }

    #[test]
    fn a_notice_says_what_it_is_about() {
        let error = BindingError { path: "b/tap0".into(), line: Some(3), key: None, found: None, reason: "bad".into() };
        let rejected = |keeps_last| Notice::Rejected { tap: tap(), error: error.clone(), keeps_last };
        let (prefix, via) = ("2001:db8:f::/56".parse().unwrap(), "fe80::1".parse().unwrap());
        for (notice, link, event, message) in [
            (rejected(false), Some("tap0"), "rejected", "b/tap0:3: bad"),
            (rejected(true), Some("tap0"), "rejected", "b/tap0:3: bad; the last good one is still in force"),
            (Notice::Doubtful(error.clone()), None, "doubtful", "b/tap0:3: bad"),
            (Notice::Pending { tap: tap() }, Some("tap0"), "pending", "the binding waits for its tap"),
            (
                Notice::Delegated { tap: tap(), prefix, via: Some(via) },
                Some("tap0"),
                "delegated",
                "2001:db8:f::/56 via fe80::1",
            ),
            (Notice::Delegated { tap: tap(), prefix, via: None }, Some("tap0"), "prefix_released", "2001:db8:f::/56"),
            (
                Notice::SendFailed { tap: tap(), errno: 100 },
                Some("tap0"),
                "send_failed",
                "Network is down (os error 100)",
            ),
            (
                Notice::NoUplink { uplink: "eth0".parse().unwrap() },
                Some("eth0"),
                "no_uplink",
                "what is announced waits for this link",
            ),
        ] {
            let noticed = Noticed::new(MS, &notice);
            assert_eq!((noticed.tap.as_deref(), &*noticed.event, &*noticed.message), (link, event, message));
        }
    }
}
