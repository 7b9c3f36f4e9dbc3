//! Whether a guard is there: all of its rules, as they are meant and in order, for all of its taps, and no others.

use super::{Chains, PACKETS, PRIORITY, TAPS, Wanted};
use crate::rules::finding::GuardFault;
use crate::rules::installed::{Action, Base, Chain, Condition, Family, Hook, Installed, Rule, Subject, Table, Where};
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
    let found = table.and_then(|table| Some((table, table.chains.get(TAPS).filter(|chain| is_entered(chain))?)));
    let Some((table, entry)) = found else { return vec![GuardFault::NoTable] };
    let rules = wanted.rules();
    let chains = rules.chunk_by(|rule, next| rule.chain == next.chain);
    let of_chains = chains.filter_map(|rules| Some(faults_of_chain(table, &rules.first()?.chain, rules)));
    let of_entry = faults_of_entry(table, entry, taps);
    of_entry.into_iter().chain(of_chains.flatten()).collect()
}

/// Whether the kernel enters it with all packets, and before it does anything else with them.
fn is_entered(chain: &Chain) -> bool {
    let is_first =
        |base: &Base| base.hook == Hook::Prerouting && base.priority == i64::from(PRIORITY) && base.devices.is_empty();
    chain.base.as_ref().is_some_and(is_first)
}

/// Which taps a rule has judged: those of some names, or all. None if it does anything else.
fn judged(rule: &Rule) -> Option<&[Pattern]> {
    let names = match rule.conditions.as_slice() {
        [] => &[][..],
        [Condition { subject: Subject::Interface(names), is_negated: false }] => names,
        _ => return None,
    };
    // Nothing else decides whether it is for a packet: a rate would.
    let is_bare = rule.statements.len() == rule.conditions.len() + 1;
    (is_bare && rule.action == Action::Goto(PACKETS.to_owned())).then_some(names)
}

fn is_for_all(names: &[Pattern], taps: &Pattern) -> bool {
    names.is_empty() || names.iter().any(|name| name.share_of(taps) == Share::All)
}

fn faults_of_entry(table: &Table, entry: &Chain, taps: &[&Pattern]) -> Vec<GuardFault> {
    let judged_by = |taps: &Pattern| entry.rules.iter().filter_map(judged).any(|names| is_for_all(names, taps));
    let unguarded = taps.iter().filter(|taps| !judged_by(taps)).map(|taps| GuardFault::NotFor((*taps).clone()));
    let foreign = entry.rules.iter().filter(|rule| judged(rule).is_none());
    let foreign = foreign.map(|rule| GuardFault::Foreign(Where::of(table, entry, &rule.label)));
    unguarded.chain(foreign).collect()
}

/// What is wrong with a chain that should have these rules and no others.
fn faults_of_chain(table: &Table, name: &str, wanted: &[Wanted]) -> Vec<GuardFault> {
    let empty = Chain { name: name.to_owned(), ..Chain::default() };
    let chain = table.chains.get(name).unwrap_or(&empty);
    let missing = wanted.iter().filter(|rule| !chain.rules.iter().any(|found| found.comment == rule.comment));
    let missing = missing.map(|rule| GuardFault::NoRule { chain: name.to_owned(), rule: rule.comment.clone() });
    let strange = chain.rules.iter().filter_map(|found| {
        let place = || Where::of(table, chain, &found.label);
        match wanted.iter().find(|rule| rule.comment == found.comment) {
            None => Some(GuardFault::Foreign(place())),
            Some(rule) if rule.statements != found.statements => {
                Some(GuardFault::Altered { at: place(), rule: rule.comment.clone() })
            }
            Some(_) => None,
        }
    });
    let faults: Vec<_> = missing.chain(strange).collect();
    let is_in_order = chain.rules.iter().map(|rule| &rule.comment).eq(wanted.iter().map(|rule| &rule.comment));
    let disorder = faults.is_empty() && !is_in_order;
    faults.into_iter().chain(disorder.then(|| GuardFault::Disorder { chain: name.to_owned() })).collect()
}
