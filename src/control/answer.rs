//! What is answered. Names of fields and outcomes stay as they are; new ones may be added.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::explained::Explained;
use super::json::from_line;
use super::traced::{Decision, Lost, Noticed};
use super::waited::Waited;

/// One line of an answer. The last one is [`End`](Self::End) or [`Error`](Self::Error); an answer without it is not
/// whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// A tap. All of them come in the order of their names.
    Tap(Box<Tap>),
    /// Why the guest of a tap is answered as it is.
    Explained(Box<Explained>),
    /// The daemon as a whole.
    Node(Node),
    /// How waiting ended.
    Waited(Waited),
    /// Decisions follow, as they are made.
    Following {},
    /// What became of a packet, or was sent unasked.
    Decision(Box<Decision>),
    /// What was noticed of a binding or a link.
    Noticed(Noticed),
    /// What was not shown.
    Lost(Lost),
    /// There is no more.
    End {},
    /// It cannot be answered.
    Error(Fault),
}

impl Answer {
    /// The kinds of lines, as they are called there.
    const KINDS: [&str; 10] =
        ["tap", "explained", "node", "waited", "following", "decision", "noticed", "lost", "end", "error"];

    /// Whether a line is of a kind that only a later version knows, to be passed over.
    pub fn is_later_kind(line: &[u8]) -> bool {
        let fields: serde_json::Result<BTreeMap<String, IgnoredAny>> = from_line(line);
        fields.is_ok_and(|fields| fields.len() == 1 && fields.keys().all(|kind| !Self::KINDS.contains(&kind.as_str())))
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// For programs.
    pub kind: FaultKind,
    /// For people.
    pub message: String,
}

/// What kind of reason that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Not a request that this version knows.
    BadRequest,
    /// No such tap has a binding file.
    UnknownTap,
    /// Too many ask for the same already.
    Busy,
    /// A kind that a later version knows.
    #[serde(other)]
    Other,
}

/// One tap that has a binding file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tap {
    /// Its name.
    pub tap: String,
    /// How it stands.
    pub state: State,
    /// Its index, if the tap is there.
    pub ifindex: Option<u32>,
    /// Why the file as it is now is not in force. With any other state than `rejected` the last good one still is.
    pub rejected: Option<String>,
    /// What is in force; None in state `rejected`.
    pub binding: Option<Binding>,
    /// What became of the guest's packets.
    pub packets: Packets,
}

/// How a tap stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A binding is in force, and waits for its tap.
    Pending,
    /// A binding is in force, and the guest is answered.
    Serving,
    /// The file is wrong, and no good one came before it.
    Rejected,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pending => "pending",
            Self::Serving => "serving",
            Self::Rejected => "rejected",
        })
    }
}

/// A binding in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// `MAC`.
    pub mac: String,
    /// `HOSTNAME`.
    pub hostname: String,
    /// `INDEV`, else the tap.
    pub indev: String,
    /// The IPv4 part.
    pub ipv4: Option<Ipv4>,
    /// The IPv6 part.
    pub ipv6: Option<Ipv6>,
    /// `PREFIX6`: the prefix that DHCPv6 delegates, and how it is to be routed.
    pub delegated: Option<Delegated>,
    /// What else is set: as `KEY` by the binding, as `section.key` by the configuration where the binding leaves it to
    /// that. The values as a file says them.
    pub settings: BTreeMap<String, String>,
    /// Keys of the file that are not known, and mean nothing.
    pub unknown: BTreeMap<String, String>,
}

/// The IPv4 part of a binding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ipv4 {
    /// `IP`.
    pub address: Ipv4Addr,
    /// `SUBNET`.
    pub subnet: Ipv4Net,
    /// `GATEWAY`.
    pub gateway: Option<Ipv4Addr>,
}

/// The IPv6 part of a binding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ipv6 {
    /// `SUBNET6`.
    pub subnets: Vec<Ipv6Net>,
    /// `GATEWAY6`.
    pub gateway: Option<Ipv6Addr>,
    /// `EUI64`.
    pub eui64: Option<Ipv6Addr>,
    /// `IP6`, or what DHCPv6 gives in its place.
    pub leased: Option<Ipv6Addr>,
}

/// A delegated prefix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegated {
    /// The prefix.
    pub prefix: Ipv6Net,
    /// The guest's address that it is reached by; None until the guest asked for the prefix.
    pub via: Option<Ipv6Addr>,
    /// The link that the guest is on.
    pub dev: String,
    /// What `ip -6 route replace` takes; None as long as `via` is not known.
    pub route: Option<String>,
}

/// What became of a guest's packets, since its file appeared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packets {
    /// Answered.
    pub answered: u64,
    /// For us, and not answered.
    pub refused: u64,
    /// None of ours.
    pub accepted: u64,
    /// Frames that could not be sent.
    pub send_failed: u64,
    /// The last one.
    pub last: Option<Last>,
    /// The last ones, the newest first; those that ended alike are one.
    #[serde(default)]
    pub exchanges: Vec<Exchange>,
    /// Those that had somebody else's MAC.
    #[serde(default)]
    pub spoofed: Spoofed,
}

/// The last packet of a guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Last {
    /// What it is counted as.
    pub outcome: String,
    /// How long ago that was.
    pub seconds_ago: u64,
}

/// Packets of a guest that ended alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// What they are counted as.
    pub outcome: String,
    /// How many they are since this outcome is among the last ones.
    pub times: u32,
    /// How long ago the last of them came.
    pub seconds_ago: u64,
}

/// Packets of a guest in which somebody else's MAC stood for the guest's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Spoofed {
    /// How many.
    pub count: u64,
    /// The last such MAC.
    pub last_mac: Option<String>,
}

/// The daemon as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its version.
    pub version: String,
    /// How long it runs.
    pub uptime_seconds: u64,
    /// How many packets of all taps ended in each outcome.
    pub counters: BTreeMap<String, u64>,
    /// Why no binding is in force, where the directory of bindings is gone: its path, and the reason.
    #[serde(default)]
    pub datapath_gone: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_later_version_is_known_by_its_kind_alone() {
        for (line, is_later) in [
            (r#"{"omen":{"of":["old",3]}}"#, true),
            (r#"{"omen":null}"#, true),
            (r#"{"end":{}}"#, false),
            (r#"{"tap":{"malformed":true}}"#, false),
            (r#"{"omen":{},"tap":{}}"#, false),
            ("{}", false),
            (r#""end""#, false),
            ("220 mail.example.com ESMTP", false),
        ] {
            assert_eq!(Answer::is_later_kind(line.as_bytes()), is_later, "{line}");
        }
    }

    #[test]
    fn all_kinds_of_lines_are_known() {
        let error = from_line::<Answer>(br#"{"omen":{}}"#).unwrap_err().to_string();
        let kinds = Answer::KINDS.map(|kind| format!("`{kind}`")).join(", ");
        assert!(error.contains(&format!("expected one of {kinds} ")), "{error}");
    }
}
