//! Whether a guard is there: all of its rules, for all of its taps, and no others.

use super::{Chains, PACKETS, TAPS};
use crate::rules::finding::GuardFault;
use crate::rules::installed::{Action, Chain, Condition, Family, Hook, Installed, Rule, Subject, Table, Where};
use crate::rules::pattern::Share;
use crate::rules::{NAME, Pattern};

/// What is wrong with the guard of a family, if it should be there for these taps.
pub(in crate::rules) fn faults(
    installed: &Installed,
    family: Family,
    taps: &[&Pattern],
    wanted: &Chains<'_>,
) -> Vec<GuardFault> {
    if taps.is_empty() {
        return Vec::new();
    }
    let table = installed.tables.iter().find(|table| table.family == family && table.name == NAME);
    let entry = |table: &Table| table.chains.get(TAPS).filter(|chain| is_entered(chain)).cloned();
    let Some((table, entry)) = table.and_then(|table| Some((table, entry(table)?))) else {
        return vec![GuardFault::NoTable];
    };
    let unguarded = taps.iter().filter(|taps| !entry.rules.iter().any(|rule| leads_from(rule, taps)));
    let unguarded = unguarded.map(|taps| GuardFault::NotFor((*taps).clone()));
    unguarded.chain(faults_of_rules(table, wanted)).collect()
}

fn is_entered(chain: &Chain) -> bool {
    chain.base.as_ref().is_some_and(|base| base.hook == Hook::Prerouting)
}

/// Whether a rule has what comes from taps judged.
fn leads_from(rule: &Rule, taps: &Pattern) -> bool {
    let is_for_all = match rule.conditions.as_slice() {
        [] => true,
        [Condition { subject: Subject::Interface(names), is_negated: false }] => {
            names.iter().any(|name| name.share_of(taps) == Share::All)
        }
        _ => false,
    };
    is_for_all && rule.action == Action::Goto(PACKETS.to_owned())
}

fn faults_of_rules(table: &Table, wanted: &Chains<'_>) -> Vec<GuardFault> {
    let wanted = wanted.rules();
    let has = |chain: &str, comment: &str| {
        table.chains.get(chain).is_some_and(|chain| chain.rules.iter().any(|rule| rule.comment == comment))
    };
    let missing = wanted.iter().filter(|(chain, comment)| !has(chain, comment));
    let missing = missing.map(|(chain, rule)| GuardFault::NoRule { chain: chain.clone(), rule: rule.clone() });
    let chains = table.chains.values().filter(|chain| wanted.iter().any(|(name, _)| *name == chain.name));
    let rules = chains.flat_map(|chain| chain.rules.iter().map(move |rule| (chain, rule)));
    let is_wanted = |chain: &Chain, rule: &Rule| {
        wanted.iter().any(|(name, comment)| *name == chain.name && *comment == rule.comment)
    };
    let foreign = rules.filter(|(chain, rule)| !is_wanted(chain, rule));
    let foreign = foreign.map(|(chain, rule)| GuardFault::Foreign(Where::of(table, chain, &rule.label)));
    missing.chain(foreign).collect()
}
