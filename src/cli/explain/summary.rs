//! Whether a guest is answered, in one sentence.

use super::node::Node;
use super::report::meaning;
use super::rules;
use crate::control::{Diverted, Explained, Rehearsed, State, Tap};
use crate::queue_list::Listed;
use crate::text::Visible;

/// Outcomes that mean that something is not configured, for this guest or at all.
const OFF: [&str; 4] = ["service_disabled", "no_ipv4", "no_ipv6", "dhcpv6_stateful"];

/// Outcomes that mean that somebody else's MAC stood for the guest's.
const SPOOFED: [&str; 2] = ["spoofed_frame", "spoofed_message"];

/// Whether a guest is answered as far as we could look, and in words that a terminal can show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) is_answered: bool,
    pub(super) text: String,
}

/// What a kind of packets brings the guest, as people call it.
pub(super) fn title(kind: &str) -> &'static str {
    match kind {
        "dhcp" => "DHCP",
        "rs" => "RA",
        "ns" => "NA",
        "dhcpv6" => "DHCPv6",
        _ => "other packets",
    }
}

/// Whether that is not configured.
pub(super) fn is_off(rehearsed: &Rehearsed) -> bool {
    OFF.contains(&rehearsed.outcome.as_str())
}

/// Whether the guest is answered in all that is configured for it; `failure` says why there is no daemon, if there is none.
pub(super) fn summary(explained: &Explained, failure: Option<&str>, node: &Node) -> Summary {
    let wanted: Vec<&Diverted> = wanted(explained).collect();
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for diverted in &wanted {
        let Some(reason) = obstacle(explained, failure, node, diverted) else { continue };
        let title = title(&diverted.kind);
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, titles)) => titles.push(title),
            None => reasons.push((reason, vec![title])),
        }
    }
    let doubt = node.doubt().or_else(|| doubt(explained, node, &wanted));
    let is_answered = !wanted.is_empty() && reasons.is_empty() && doubt.is_none();
    let text = match reasons.as_slice() {
        [] if wanted.is_empty() => "gets nothing: nothing is configured for it".to_owned(),
        [] => {
            let reservation = doubt.map(|doubt| format!(", if the rules are right: {doubt}")).unwrap_or_default();
            format!("answered ({}){reservation}", titles(&wanted))
        }
        reasons => {
            let words = reasons.iter().map(|(reason, titles)| format!("no {}: {reason}", titles.join(", ")));
            format!("gets {}", words.collect::<Vec<_>>().join("; "))
        }
    };
    Summary { is_answered, text: Visible(&text).to_string() }
}

/// Why it is not certain that packets get to their queues.
fn doubt(explained: &Explained, node: &Node, wanted: &[&Diverted]) -> Option<&'static str> {
    let rules = node.rules.as_ref().ok()?;
    let is_unclear = wanted.iter().any(|diverted| rules::is_unclear(explained, rules, diverted));
    is_unclear.then_some("not all are understood")
}

fn titles(wanted: &[&Diverted]) -> String {
    wanted.iter().map(|diverted| title(&diverted.kind)).collect::<Vec<_>>().join(", ")
}

/// The kinds of packets that the guest is to have answered.
pub(super) fn wanted(explained: &Explained) -> impl Iterator<Item = &Diverted> {
    explained.queues.iter().filter(|diverted| is_wanted(explained, diverted))
}

/// Whether the guest is to have answers of this kind.
pub(super) fn is_wanted(explained: &Explained, diverted: &Diverted) -> bool {
    let has_family = |tap: &Tap| {
        let binding = tap.binding.as_ref();
        let has = binding
            .map(|binding| if diverted.kind == "dhcp" { binding.ipv4.is_some() } else { binding.ipv6.is_some() });
        // Of a file that is rejected nobody knows what it means.
        has.unwrap_or(true)
    };
    diverted.queue.is_some()
        && explained.tap.as_ref().is_none_or(has_family)
        && !of_kind(explained, diverted).any(is_off)
}

fn of_kind<'a>(explained: &'a Explained, diverted: &'a Diverted) -> impl Iterator<Item = &'a Rehearsed> {
    explained.rehearsals.iter().filter(|rehearsed| rehearsed.kind == diverted.kind)
}

/// The first thing that keeps packets of a kind from being answered.
fn obstacle(explained: &Explained, failure: Option<&str>, node: &Node, diverted: &Diverted) -> Option<String> {
    if failure.is_some() {
        return Some("no daemon can be asked".to_owned());
    }
    match &explained.tap {
        None if explained.datapath_gone.is_some() => return Some("the directory of bindings is gone".to_owned()),
        None => return Some("it has no binding file".to_owned()),
        Some(tap) if tap.state == State::Rejected => return Some("its binding file is rejected".to_owned()),
        Some(_) if explained.link.is_none() => return Some("there is no such interface".to_owned()),
        Some(_) => {}
    }
    if let Some(reason) = before_the_daemon(explained) {
        return Some(reason);
    }
    let refused = of_kind(explained, diverted).find(|rehearsed| rehearsed.reply.is_none());
    refused.map(|rehearsed| meaning(&rehearsed.outcome)).or_else(|| on_the_way(explained, node, diverted))
}

/// What keeps all packets of the guest from being taken for its own.
fn before_the_daemon(explained: &Explained) -> Option<String> {
    if explained.link.as_ref().is_some_and(|link| !link.up) {
        return Some("the tap is down, or nobody is at its other end".to_owned());
    }
    let spoofed = is_spoofed_now(explained.tap.as_ref()?).then_some(&explained.tap.as_ref()?.packets.spoofed)?;
    let mac = spoofed.last_mac.as_deref().unwrap_or("another MAC");
    Some(format!("its packets are refused as spoofed: they come from {mac}, which is not the MAC of its binding"))
}

/// Whether the last that was heard from the guest was refused for its MAC.
pub(super) fn is_spoofed_now(tap: &Tap) -> bool {
    tap.packets.spoofed.count > 0 && newest(tap).is_some_and(|outcome| SPOOFED.contains(&outcome))
}

/// Whether the last that was heard from the guest was too much.
pub(super) fn is_limited_now(tap: &Tap) -> bool {
    newest(tap) == Some("rate_limited")
}

fn newest(tap: &Tap) -> Option<&str> {
    tap.packets.exchanges.first().map(|exchange| exchange.outcome.as_str())
}

/// What keeps packets from getting to the daemon.
fn on_the_way(explained: &Explained, node: &Node, diverted: &Diverted) -> Option<String> {
    let is_bound = |bound: &Vec<Listed>| bound.iter().any(|queue| Some(queue.number) == diverted.queue);
    let is_unbound = node.queues.as_ref().is_ok_and(|bound| !is_bound(bound));
    let by_rules = node.rules.as_ref().ok().and_then(|rules| rules::obstacle(explained, rules, diverted));
    by_rules.or_else(|| is_unbound.then(|| "no program has bound its queue".to_owned()))
}
