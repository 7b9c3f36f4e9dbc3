//! What ifdown, hook and clean do: all that belongs to taps goes.

use std::collections::BTreeSet;

use super::change::{Change, LinkSetting, Plan};
use super::filter;
use super::routing::Routing;
use super::settings::Settings;
use super::state::{Family, State, Sysctl, SysctlKey};
use super::up::{binding_path, no_tap};
use super::variables::VariableError;
use crate::binding::InterfaceName;

/// Plans ifdown: nothing of the tap stays, whether it is still there or not. Packets stop first.
///
/// # Errors
/// It is no tap, and has nothing that would be a tap's.
pub fn plan(tap: InterfaceName, state: &State, settings: &Settings) -> Result<Plan, VariableError> {
    let mut ours = binding_changes(&BTreeSet::from([tap]), state, settings);
    ours.extend(Routing::of(tap, state).removals());
    ours.extend(filter_change(&BTreeSet::from([tap]), state));
    match state.own(tap) {
        Some(what) if ours.is_empty() => Err(no_tap(tap, what)),
        Some(_) => Ok(Plan(ours)),
        None => Ok(Plan(link_changes(tap, state).into_iter().chain(ours).collect())),
    }
}

/// Plans clean: nothing stays of taps that no longer exist. The state must have been read while no tap was being set up.
pub fn clean(state: &State, settings: &Settings) -> Plan {
    let vanished = vanished(state);
    let mut changes = binding_changes(&vanished, state, settings);
    changes.extend(Routing::left_over(state).removals());
    changes.extend(filter_change(&vanished, state));
    Plan(changes)
}

/// The taps that are gone and have left something.
pub fn vanished(state: &State) -> BTreeSet<InterfaceName> {
    let bindings = state.bindings.iter().filter(|(_, text)| is_binding(text)).map(|(tap, _)| *tap);
    let rules = state.rules.iter().map(|rule| rule.tap);
    let elements = state.filters.elements.iter().map(filter::Element::tap);
    let is_gone = |tap: &InterfaceName| !state.links.contains_key(tap);
    bindings.chain(rules).chain(elements).filter(is_gone).collect()
}

/// Whether a file in the directory of bindings is one. Others there, however they came, are somebody's.
fn is_binding(text: &str) -> bool {
    text.lines().any(|line| line.trim_start().starts_with("MAC="))
}

/// What would still have an effect is taken back; MAC, MTU and the rest are the tap's, which goes with its hypervisor or is set
/// up anew.
fn link_changes(tap: InterfaceName, state: &State) -> Vec<Change> {
    let Some(link) = state.links.get(&tap) else { return Vec::new() };
    let settings = [link.is_up.then_some(LinkSetting::Down), link.master.map(|_| LinkSetting::Master(None))];
    let links = settings.into_iter().flatten().map(|setting| Change::Link { name: tap, setting });
    let proxy_arp = Sysctl { family: Family::V4, device: tap, key: SysctlKey::ProxyArp };
    let is_set = state.sysctls.get(&proxy_arp).is_some_and(|value| value != "0");
    links.chain(is_set.then_some(Change::Sysctl { sysctl: proxy_arp, value: "0" })).collect()
}

fn binding_changes(taps: &BTreeSet<InterfaceName>, state: &State, settings: &Settings) -> Vec<Change> {
    let with_binding = taps.iter().filter(|tap| state.bindings.contains_key(tap));
    with_binding.map(|tap| Change::RemoveBinding { path: binding_path(settings, *tap) }).collect()
}

fn filter_change(taps: &BTreeSet<InterfaceName>, state: &State) -> Option<Change> {
    filter::removal(&state.filters, taps).map(Change::Filter)
}
