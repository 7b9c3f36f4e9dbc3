//! The rules, routes and proxies that belong to taps.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::change::Change;
use super::filter::Element;
use super::state::{Family, Proxy, Route, Rule, State};
use crate::binding::InterfaceName;

/// Rules, routes and proxies: what a tap has, or should have, or what is too much.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Routing {
    pub(super) rules: BTreeSet<Rule>,
    pub(super) routes: BTreeSet<Route>,
    pub(super) proxies: BTreeSet<Proxy>,
}

impl Routing {
    /// What there is of a tap. A proxy does not name its tap: it is the tap's if the address is, by a route or a source
    /// filter, and if no other tap has it by the same uplink.
    pub(super) fn of(tap: InterfaceName, state: &State) -> Self {
        let routes: BTreeSet<Route> = of_tap(&state.routes, |route| route.tap == tap);
        let mut addresses: BTreeSet<IpAddr> = routes.iter().map(|route| route.destination.addr()).collect();
        addresses.extend(state.filters.elements.iter().filter_map(|element| source(element, tap)));
        let is_anothers =
            |proxy: &Proxy| state.routes.iter().any(|route| route.tap != tap && leads_to(route, proxy, state));
        Self {
            rules: of_tap(&state.rules, |rule| rule.tap == tap),
            proxies: of_tap(&state.proxies, |proxy| addresses.contains(&proxy.address) && !is_anothers(proxy)),
            routes,
        }
    }

    /// All that there is.
    pub(super) fn all(state: &State) -> Self {
        Self { rules: state.rules.clone(), routes: state.routes.clone(), proxies: state.proxies.clone() }
    }

    /// What taps that are gone have left. Routes have gone with them, and a proxy that no route leads to has nobody behind it.
    pub(super) fn left_over(state: &State) -> Self {
        let has_route = |address| state.routes.iter().any(|route| route.destination.addr() == address);
        Self {
            rules: of_tap(&state.rules, |rule| !state.links.contains_key(&rule.tap)),
            routes: BTreeSet::new(),
            proxies: of_tap(&state.proxies, |proxy| !has_route(proxy.address)),
        }
    }

    /// What stands in the way of these: a guest's address can be in one place only, and who came last is right.
    pub(super) fn rivals(&self, state: &State) -> Self {
        let is_rival = |there: &Route| {
            let same = |route: &Route| (route.destination, route.table) == (there.destination, there.table);
            self.routes.iter().any(same) && !self.routes.contains(there)
        };
        // Another network may have the same addresses, by a table and an uplink of its own.
        let has_its_own =
            |there: &Proxy| state.routes.iter().any(|route| !is_rival(route) && leads_to(route, there, state));
        let is_elsewhere = |there: &Proxy| {
            let is_same = self.proxies.iter().any(|proxy| proxy.address == there.address);
            is_same && !self.proxies.contains(there) && !has_its_own(there)
        };
        Self {
            rules: BTreeSet::new(),
            routes: of_tap(&state.routes, is_rival),
            proxies: of_tap(&state.proxies, is_elsewhere),
        }
    }

    /// These and those.
    pub(super) fn with(&self, other: &Self) -> Self {
        Self {
            rules: &self.rules | &other.rules,
            routes: &self.routes | &other.routes,
            proxies: &self.proxies | &other.proxies,
        }
    }

    /// These but not those.
    pub(super) fn without(&self, other: &Self) -> Self {
        Self {
            rules: &self.rules - &other.rules,
            routes: &self.routes - &other.routes,
            proxies: &self.proxies - &other.proxies,
        }
    }

    /// The changes by which all of it comes: the way to the guest before anybody is told of it.
    pub(super) fn additions(&self) -> Vec<Change> {
        let rules = self.rules.iter().copied().map(Change::AddRule);
        let routes = self.routes.iter().copied().map(Change::AddRoute);
        rules.chain(routes).chain(self.proxies.iter().copied().map(Change::AddProxy)).collect()
    }

    /// The changes by which all of it goes.
    pub(super) fn removals(&self) -> Vec<Change> {
        let proxies = self.proxies.iter().copied().map(Change::RemoveProxy);
        let routes = self.routes.iter().copied().map(Change::RemoveRoute);
        proxies.chain(routes).chain(self.rules.iter().copied().map(Change::RemoveRule)).collect()
    }
}

fn of_tap<T: Copy + Ord>(all: &BTreeSet<T>, is_wanted: impl Fn(&T) -> bool) -> BTreeSet<T> {
    all.iter().filter(|one| is_wanted(one)).copied().collect()
}

/// The address of a source filter of the tap.
fn source(element: &Element, tap: InterfaceName) -> Option<IpAddr> {
    match element {
        Element::Source { tap: of, address } if *of == tap => Some(*address),
        _ => None,
    }
}

/// Whether a route is why the node answers for an address on an uplink.
fn leads_to(route: &Route, proxy: &Proxy, state: &State) -> bool {
    route.destination.addr() == proxy.address
        && state.uplink(Family::of(proxy.address), route.table) == Some(proxy.uplink)
}
