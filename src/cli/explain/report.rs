//! All that is said: what was found, one line for each thing, and what the guest would be answered.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;

use super::answers::{self, Decoded};
use super::node::Node;
use super::rules;
use super::sender;
use super::summary::{self, title};
use crate::cli::decode::{WIDTH, wrapped};
use crate::cli::show::Detail;
use crate::cli::words;
use crate::control::{Diverted, Explained, Link, State, Tap};
use crate::io::nfqueue::Holder;
use crate::queue_list::Listed;
use crate::text::Visible;

/// How wide marks and names of findings are.
const NAMES: usize = 14;

/// What a finding means for the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mark {
    /// As it should be.
    Ok,
    /// This is why it gets no answer.
    Fault,
    /// It is answered all the same, and somebody should look at this.
    Note,
    /// Not configured.
    Off,
}

impl Mark {
    /// What it is on a terminal.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Fault => "!!",
            Self::Note => "!",
            Self::Off => "--",
        }
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) mark: Mark,
    /// What it is about.
    pub(super) about: &'static str,
    pub(super) text: String,
}

impl Finding {
    pub(super) fn new(mark: Mark, about: &'static str, text: impl ToString) -> Self {
        Self { mark, about, text: Visible(&text.to_string()).to_string() }
    }
}

/// All that is said of a tap.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Report {
    /// Whether the guest is answered in all that is configured for it. Not, if the rules could not be read or understood.
    pub(super) answered: bool,
    /// The same in words, and why.
    pub(super) summary: String,
    pub(super) findings: Vec<Finding>,
    /// What it would be answered.
    pub(super) answers: Vec<Decoded>,
    /// What all of that was made of.
    pub(super) explained: Explained,
}

impl Report {
    /// What is known of a tap; `failure` says why no daemon told so, if none did.
    pub(super) fn new(explained: Explained, failure: Option<String>, node: &Node) -> Self {
        let explained = sender::as_named(explained, node);
        let summary = summary::summary(&explained, failure.as_deref(), node);
        Self {
            answered: summary.is_answered,
            summary: summary.text,
            findings: findings(&explained, failure, node),
            answers: answers::decoded(&explained),
            explained,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in wrapped(&format!("{}: {}", Visible(&self.explained.name), self.summary), WIDTH) {
            writeln!(f, "{line}")?;
        }
        writeln!(f)?;
        self.findings.iter().try_for_each(|finding| finding.fmt(f))?;
        if let Some(tap) = &self.explained.tap {
            write!(f, "\n{}", Detail(tap))?;
        }
        self.answers.iter().try_for_each(|told| write!(f, "\n{told}"))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut head = format!("{:2}  {}", self.mark.sign(), self.about);
        for part in wrapped(&self.text, WIDTH - NAMES) {
            writeln!(f, "{}", format!("{head:NAMES$}{part}").trim_end())?;
            head.clear();
        }
        Ok(())
    }
}

/// What stands between a guest and its answer, in the order in which a packet meets it; the daemon first.
fn findings(explained: &Explained, failure: Option<String>, node: &Node) -> Vec<Finding> {
    let mut findings = Vec::new();
    let instead = "what follows is what one would do that starts now";
    findings.extend(failure.map(|failure| Finding::new(Mark::Fault, "daemon", format!("{failure}; {instead}"))));
    findings.push(binding(explained));
    findings.extend(explained.doubts.iter().map(|doubt| Finding::new(Mark::Note, "doubt", doubt)));
    findings.push(tap(explained));
    findings.extend(explained.tap.as_ref().and_then(|tap| indev(explained, tap)));
    findings.extend(sender::finding(explained, node));
    findings.extend(rules::findings(explained, &node.rules));
    findings.extend(queues(explained, node));
    findings.extend(explained.tap.as_ref().map(spoofing));
    findings.extend(explained.tap.as_ref().and_then(rate));
    findings
}

fn binding(explained: &Explained) -> Finding {
    let finding = |mark, text: String| Finding::new(mark, "binding", text);
    let file = &explained.file;
    match explained.tap.as_ref().map(|tap| (tap.state, &tap.rejected)) {
        None => finding(
            Mark::Fault,
            match &explained.datapath_gone {
                Some(gone) => format!("the directory of bindings is gone: {gone}"),
                None => format!("there is no file {file}"),
            },
        ),
        Some((State::Rejected, reason)) => finding(Mark::Fault, reason.clone().unwrap_or_default()),
        Some((_, Some(reason))) => finding(Mark::Note, format!("{reason}; the last good one is still in force")),
        Some((_, None)) => finding(Mark::Ok, file.clone()),
    }
}

fn tap(explained: &Explained) -> Finding {
    let finding = |mark, text: String| Finding::new(mark, "tap", text);
    let Some(link) = &explained.link else {
        return finding(Mark::Fault, "there is no interface of this name".to_owned());
    };
    let port = explained.master.as_ref().map(|master| format!(", port of {}", master.name)).unwrap_or_default();
    let text = format!("{}{port}", described(link));
    finding(if link.up { Mark::Ok } else { Mark::Fault }, text)
}

fn described(link: &Link) -> String {
    let state = if link.up { "up" } else { "not up, or nobody is at its other end" };
    let mac = link.mac.as_ref().map_or_else(|| "no MAC".to_owned(), |mac| format!("MAC {mac}"));
    format!("interface {}, {state}, {mac}, MTU {}", link.ifindex, link.mtu)
}

/// The interface of `INDEV`, where it is not the tap itself.
fn indev(explained: &Explained, tap: &Tap) -> Option<Finding> {
    let name = &tap.binding.as_ref()?.indev;
    if *name == explained.name {
        return None;
    }
    let finding = |mark, text: String| Some(Finding::new(mark, "INDEV", text));
    let is_needed = explained.rehearsals.iter().any(|rehearsed| rehearsed.outcome == "no_indev");
    let Some(indev) = &explained.indev else {
        let mark = if is_needed { Mark::Fault } else { Mark::Note };
        return finding(mark, format!("{name}: there is no interface of this name"));
    };
    let text = format!("{name}: {}", described(indev));
    match &explained.master {
        _ if explained.link.is_none() => finding(Mark::Ok, text),
        Some(master) if master.name == *name => finding(Mark::Ok, text),
        _ => finding(Mark::Note, format!("{text}; the tap is no port of it")),
    }
}

/// What an outcome means.
pub(super) fn meaning(outcome: &str) -> String {
    words::meaning(outcome).map_or_else(|| outcome.to_owned(), str::to_owned)
}

fn queues(explained: &Explained, node: &Node) -> Vec<Finding> {
    let finding = |mark, text: String| Finding::new(mark, "queue", text);
    match &node.queues {
        Ok(bound) => explained.queues.iter().map(|diverted| queue(explained, diverted, bound, &node.holders)).collect(),
        Err(reason) => vec![finding(Mark::Note, format!("whether queues are bound is not known: {reason}"))],
    }
}

fn queue(explained: &Explained, diverted: &Diverted, bound: &[Listed], holders: &HashMap<u16, Holder>) -> Finding {
    let finding = |mark, text: String| Finding::new(mark, "queue", text);
    let kind = title(&diverted.kind);
    let Some(number) = diverted.queue else {
        return finding(Mark::Off, format!("{kind}: none in the configuration"));
    };
    if let Some(holder) = holders.get(&number).filter(|holder| holder.is_stranger()) {
        return finding(Mark::Fault, format!("{number} ({kind}): bound by {holder}, which is no nfdhcpd"));
    }
    match bound.iter().find(|queue| queue.number == number) {
        None => {
            let mark = if summary::is_wanted(explained, diverted) { Mark::Fault } else { Mark::Note };
            finding(mark, format!("{number} ({kind}): no program has bound it"))
        }
        Some(Listed { waiting, dropped_full, dropped_unread, .. }) => {
            let dropped = u64::from(*dropped_full) + u64::from(*dropped_unread);
            let text = format!("{number} ({kind}): bound, {waiting} waiting, {dropped} dropped");
            match dropped {
                0 => finding(Mark::Ok, text),
                _ => finding(Mark::Note, format!("{text} because too many waited")),
            }
        }
    }
}

fn spoofing(tap: &Tap) -> Finding {
    let spoofed = &tap.packets.spoofed;
    let finding = |mark, text: String| Finding::new(mark, "spoofing", text);
    match spoofed.count {
        0 => finding(Mark::Ok, "none seen".to_owned()),
        count => {
            let mac = spoofed.last_mac.as_deref().unwrap_or("unknown");
            let mark = if summary::is_spoofed_now(tap) { Mark::Fault } else { Mark::Note };
            finding(mark, format!("{count} packets with another MAC were refused, the last one with {mac}"))
        }
    }
}

/// Whether the guest asks too often at this moment.
fn rate(tap: &Tap) -> Option<Finding> {
    let told = || Finding::new(Mark::Note, "rate", format!("its last packets: {}", meaning("rate_limited")));
    summary::is_limited_now(tap).then(told)
}
