//! What a guest would be answered, decoded.

use std::fmt;

use serde::Serialize;

use super::report::{Mark, meaning};
use super::summary::is_off;
use crate::cli::decode::{Field, Fields, WIDTH, decode, wrapped};
use crate::control::{Explained, Rehearsed};
use crate::text::Visible;

/// What stands before a question, in characters.
const MARGIN: usize = 4;

/// One question, and its answer in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Decoded {
    mark: Mark,
    /// What is asked, as in [`Rehearsed`].
    inquiry: String,
    outcome: String,
    meaning: String,
    /// How many options would be missing for want of room.
    omitted: usize,
    reply: Vec<Field>,
}

/// All questions in their order.
pub(super) fn decoded(explained: &Explained) -> Vec<Decoded> {
    explained.rehearsals.iter().map(Decoded::new).collect()
}

impl Decoded {
    fn new(rehearsed: &Rehearsed) -> Self {
        let mark = match &rehearsed.reply {
            Some(_) if rehearsed.omitted == 0 => Mark::Ok,
            Some(_) => Mark::Note,
            None if is_off(rehearsed) => Mark::Off,
            None => Mark::Fault,
        };
        Self {
            mark,
            inquiry: rehearsed.inquiry.clone(),
            outcome: rehearsed.outcome.clone(),
            meaning: meaning(&rehearsed.outcome),
            omitted: rehearsed.omitted,
            reply: rehearsed.reply.as_ref().map(|reply| decode(&reply.0)).unwrap_or_default(),
        }
    }

    /// What is asked, as people call it.
    fn title(&self) -> &str {
        match self.inquiry.as_str() {
            "discover" => "DHCPDISCOVER",
            "request" => "DHCPREQUEST",
            "router_solicitation" => "Router Solicitation",
            "neighbor_solicitation" => "Neighbor Solicitation",
            "information_request" => "DHCPv6 Information-Request",
            "solicit" => "DHCPv6 Solicit",
            other => other,
        }
    }
}

impl fmt::Display for Decoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let omitted = match self.omitted {
            0 => String::new(),
            omitted => format!(" ({omitted} options find no room in it)"),
        };
        let text = format!("{}: {}{omitted}", Visible(self.title()), Visible(&self.meaning));
        let mut sign = self.mark.sign();
        for part in wrapped(&text, WIDTH - MARGIN) {
            writeln!(f, "{sign:MARGIN$}{part}")?;
            sign = "";
        }
        Fields(&self.reply, 0).fmt(f)
    }
}
