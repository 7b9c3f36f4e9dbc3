//! By what the daemon knows whose packets they are. On a bridge it depends on the rules: some have the kernel name the port to
//! it, and others the bridge alone, where only the MAC tells guests apart.

use super::node::Node;
use super::report::{Finding, Mark, meaning};
use super::rules::names_port;
use super::summary::{is_off, wanted};
use crate::control::{Binding, Explained, Link, Rehearsed};

/// What is answered with the rules that there are. A daemon knows of none, and tells what is answered where the port is named.
pub(super) fn as_named(mut explained: Explained, node: &Node) -> Explained {
    let Some(outcome) = explained.unclaimed.clone() else { return explained };
    let unnamed = unnamed(&explained, node);
    let is_unknown = |rehearsed: &Rehearsed| unnamed.contains(&rehearsed.kind) && !is_off(rehearsed);
    // Whoever is offered nothing requests nothing.
    explained.rehearsals.retain(|rehearsed| !(is_unknown(rehearsed) && rehearsed.inquiry == "request"));
    for rehearsed in explained.rehearsals.iter_mut().filter(|rehearsed| is_unknown(rehearsed)) {
        (rehearsed.outcome, rehearsed.omitted, rehearsed.reply) = (outcome.clone(), 0, None);
    }
    explained
}

/// The kinds of packets that come without the name of their port.
fn unnamed(explained: &Explained, node: &Node) -> Vec<String> {
    let Ok(rules) = &node.rules else { return Vec::new() };
    let unnamed = wanted(explained).filter(|diverted| names_port(explained, rules, diverted) == Some(false));
    unnamed.map(|diverted| diverted.kind.clone()).collect()
}

/// By what the guest of a port is known, if any of its packets are diverted.
pub(super) fn finding(explained: &Explained, node: &Node) -> Option<Finding> {
    let binding = explained.tap.as_ref()?.binding.as_ref()?;
    let bridge = explained.master.as_ref().filter(|master| master.bridge)?;
    let rules = node.rules.as_ref().ok()?;
    let is_diverted = wanted(explained).any(|diverted| names_port(explained, rules, diverted).is_some());
    let (mark, text) = if unnamed(explained, node).is_empty() {
        (Mark::Ok, "known by its port, which the kernel names with these rules".to_owned())
    } else {
        by_mac(explained, binding, bridge)
    };
    is_diverted.then(|| Finding::new(mark, "sender", text))
}

fn by_mac(explained: &Explained, binding: &Binding, bridge: &Link) -> (Mark, String) {
    let by = format!("without br_netfilter iptables sees {} and not the port", bridge.name);
    match &explained.unclaimed {
        None => (Mark::Ok, format!("{by}: the guest is known by its MAC")),
        Some(outcome) => {
            let must = if binding.indev == bridge.name { "" } else { &format!("; INDEV must be {}", bridge.name) };
            (Mark::Fault, format!("{by}, where the guest is not known: {}{must}", meaning(outcome)))
        }
    }
}
