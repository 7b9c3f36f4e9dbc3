//! What ifdown, hook and clean do, and ifup when it has failed: all that belongs to taps goes.

use std::collections::BTreeSet;

use super::change::{Change, LinkSetting, Plan};
use super::filter::{self, Element};
use super::routing::Routing;
use super::settings::Settings;
use super::state::{Family, Route, State, Sysctl, SysctlKey};
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

/// The routes that an ifup took from other taps: an address is where it came last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken(BTreeSet<Route>);

impl Taken {
    /// Takes note of a change that was made for `tap`.
    pub fn note(&mut self, tap: InterfaceName, change: &Change) {
        if let Change::RemoveRoute(route) = change
            && route.tap != tap
        {
            self.0.insert(*route);
        }
    }
}

/// Plans what follows an ifup that failed midway: nothing of its tap stays, and other taps have back what it took from them.
///
/// # Errors
/// As of [`plan`].
pub fn take_back(tap: InterfaceName, taken: &Taken, state: &State, settings: &Settings) -> Result<Plan, VariableError> {
    let returned: BTreeSet<Route> = taken.0.iter().filter(|route| may_return(route, tap, state)).copied().collect();
    // The proxies of these addresses then are no longer those of this tap.
    let mut as_before = state.clone();
    as_before.routes.extend(&returned);
    let mut plan = plan(tap, &as_before, settings)?;
    plan.0.extend(returned.into_iter().map(Change::AddRoute));
    Ok(plan)
}

/// Whether a route may be again what it was before `tap` took it. Its own tap may have gone meanwhile, or have been given other
/// addresses, which its source filter tells; and a third may have come.
fn may_return(route: &Route, tap: InterfaceName, state: &State) -> bool {
    let is_up = state.links.get(&route.tap).is_some_and(|link| link.is_up);
    let source = Element::Source { tap: route.tap, address: route.destination.addr() };
    let is_same = |there: &Route| (there.destination, there.table) == (route.destination, route.table);
    let is_elsewhere = state.routes.iter().any(|there| there.tap != tap && is_same(there));
    is_up && state.filters.elements.contains(&source) && !is_elsewhere
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
    let elements = state.filters.elements.iter().map(Element::tap);
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
