//! Which way the rules of netfilter send a guest's packets.

use super::node::Rules;
use super::report::{Finding, Mark};
use super::summary::{title, wanted};
use crate::binding::InterfaceName;
use crate::config::QueueNum;
use crate::control::{self, Explained};
use crate::rules::{self, Kind, Origin, Pattern, Way, first_way};

/// A line for each kind of packets that the guest is to have answered, or why there is none.
pub(super) fn findings(explained: &Explained, rules: &Result<Rules, String>) -> Vec<Finding> {
    let rules = match rules {
        Ok(rules) => rules,
        Err(reason) => return vec![Finding::new(Mark::Note, "rules", reason)],
    };
    let failures = rules.failures.iter().map(|failure| Finding::new(Mark::Note, "rules", failure));
    let fates = wanted(explained).filter_map(|diverted| {
        let (mark, text) = match hidden_by(explained, rules, diverted) {
            Some(sysctl) => (Mark::Fault, format!("{sysctl} is 0, and the rules match by physdev: it has to be 1")),
            None => told(&way_of(explained, rules, diverted)?, QueueNum(diverted.queue?)),
        };
        Some(Finding::new(mark, "rules", format!("{}: {text}", title(&diverted.kind))))
    });
    failures.chain(fates).collect()
}

fn told(way: &Way, queue: QueueNum) -> (Mark, String) {
    match way {
        Way::Queue(found) if found.is_to(queue) == Some(true) => {
            let bypass = if found.bypass { ", and on if nobody has bound it" } else { "" };
            (Mark::Ok, format!("to queue {queue}{bypass}"))
        }
        Way::Queue(found) if found.is_to(queue) == Some(false) => {
            (Mark::Fault, format!("to {found} and not to queue {queue} ({})", found.rule))
        }
        Way::Queue(found) | Way::OfSome(found) => {
            (Mark::Note, format!("it cannot be told to which queue this sends it: {}", found.rule))
        }
        Way::Unclear(rule) => (Mark::Note, format!("it cannot be told whether this diverts it: {rule}")),
        Way::Rest(_, taker) => {
            (Mark::Note, format!("it cannot be told whether this keeps it from queue {queue}: {}", taker.rule))
        }
        Way::Dropped(rule) => (Mark::Fault, format!("dropped on its way to queue {queue} ({rule})")),
        Way::Passes => (Mark::Fault, format!("no rule diverts it to queue {queue}")),
    }
}

/// Why packets of a kind do not get to their queue, if it is certain that they do not.
pub(super) fn obstacle(explained: &Explained, rules: &Rules, to: &control::Diverted) -> Option<String> {
    if let Some(sysctl) = hidden_by(explained, rules, to) {
        return Some(format!("{sysctl} is 0"));
    }
    let reason = match way_of(explained, rules, to)? {
        Way::Queue(found) if found.is_to(QueueNum(to.queue?)) == Some(false) => "rules send it to another queue",
        Way::Dropped(_) => "rules drop it",
        Way::Passes => "no rule diverts it to its queue",
        Way::Queue(_) | Way::OfSome(_) | Way::Unclear(_) | Way::Rest(..) => return None,
    };
    Some(reason.to_owned())
}

/// What keeps such packets from the rules that would divert them.
fn hidden_by(explained: &Explained, rules: &Rules, to: &control::Diverted) -> Option<&'static str> {
    match way_of(explained, rules, to)? {
        Way::Passes => rules::hidden_by(&rules.installed, &origin(explained)?, to.kind.parse().ok()?),
        _ => None,
    }
}

/// Whether the daemon is told the port of such packets, and not its bridge alone; None if no rule diverts them.
pub(super) fn names_port(explained: &Explained, rules: &Rules, to: &control::Diverted) -> Option<bool> {
    way_of(explained, rules, to)?.names_port(&rules.installed, to.kind.parse().ok()?)
}

/// Whether it cannot be told if such packets get to their queue.
pub(super) fn is_unclear(explained: &Explained, rules: &Rules, to: &control::Diverted) -> bool {
    match way_of(explained, rules, to) {
        Some(Way::Queue(found)) => found.queues.is_none(),
        Some(Way::OfSome(_) | Way::Unclear(_) | Way::Rest(..)) => true,
        Some(Way::Dropped(_) | Way::Passes) | None => false,
    }
}

fn way_of(explained: &Explained, rules: &Rules, to: &control::Diverted) -> Option<Way> {
    let kind: Kind = to.kind.parse().ok()?;
    Some(first_way(&rules.installed, &origin(explained)?, kind))
}

/// Where the guest's packets come in.
fn origin(explained: &Explained) -> Option<Origin> {
    let pattern = |name: &str| name.parse::<InterfaceName>().ok().map(Pattern::from);
    let taps = pattern(&explained.name)?;
    Some(match explained.master.as_ref().filter(|master| master.bridge) {
        Some(bridge) => Origin::Port { taps, bridge: pattern(&bridge.name) },
        None => Origin::Routed(taps),
    })
}
