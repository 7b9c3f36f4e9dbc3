//! What is set up for every tap, and what taps that are gone have left.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use serde::Serialize;

use super::down;
use super::filter::{Element, Profile};
use super::routing::Routing;
use super::state::{LinkKind, State};
use crate::binding::InterfaceName;
use crate::text::{Visible, joined};

/// The node, tap by tap. As JSON its fields are as they are here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Taps that exist, and that have something of ours or are known to Ganeti, by name.
    pub taps: Vec<Tap>,
    /// What is there of taps that do not exist: `clean` removes it.
    pub left_over: Vec<LeftOver>,
}

/// What a tap has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tap {
    /// Its name.
    pub tap: String,
    /// The guest's name, as its binding has it, or else Ganeti; null if neither has one.
    pub instance: Option<String>,
    /// Whether the link is up.
    pub up: bool,
    /// The bridge whose port it is.
    pub bridge: Option<String>,
    /// The routing table of the guest's packets.
    pub table: Option<u32>,
    /// The addresses that are routed to the tap.
    pub routes: Vec<IpAddr>,
    /// The addresses that the node answers for on an uplink.
    pub proxied: Vec<IpAddr>,
    /// The sources that the guest's packets may have; null: any.
    pub sources: Option<Vec<IpAddr>>,
    /// The MACs from which frames may reach the guest, from the first to the last; null: any.
    pub peers: Option<String>,
    /// The firewall: `protected`, `limited`; null: none.
    pub firewall: Option<&'static str>,
    /// Whether the guest goes out by the node's address.
    pub masquerade: bool,
    /// Whether chains are missing that sources, peers, firewall or masquerade need: they may not hold, until ifup comes
    /// again.
    pub filters_broken: bool,
    /// Whether nfdhcpd has a binding.
    pub binding: bool,
    /// What it lacks, in words, as far as that can be seen.
    pub missing: Vec<String>,
}

/// Something of a tap that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOver {
    /// The tap; null for a proxy that nobody can be told for.
    pub tap: Option<String>,
    /// What it is, in words.
    pub what: Vec<String>,
}

impl Status {
    /// What there is, and what Ganeti says there should be: taps, and whose they are.
    pub fn of(state: &State, known: &BTreeMap<InterfaceName, String>) -> Self {
        let bindings = state.bindings.keys().chain(known.keys()).copied();
        let rules = state.rules.iter().map(|rule| rule.tap).chain(state.routes.iter().map(|route| route.tap));
        let taps: BTreeSet<InterfaceName> =
            bindings.chain(rules).chain(state.filters.elements.iter().map(Element::tap)).collect();
        let taps =
            taps.into_iter().filter_map(|tap| Tap::of(tap, state, known.get(&tap).map(String::as_str))).collect();
        Self { taps, left_over: left_over(state) }
    }
}

impl Tap {
    fn of(name: InterfaceName, state: &State, instance: Option<&str>) -> Option<Self> {
        let link = state.links.get(&name)?;
        let routing = Routing::of(name, state);
        let binding = state.bindings.get(&name);
        let mut tap = Self {
            tap: name.to_string(),
            instance: binding.and_then(|text| value(text, "HOSTNAME=")).or(instance).map(str::to_owned),
            up: link.is_up,
            bridge: link.master.and_then(|master| state.name_of(master)).map(|bridge| bridge.to_string()),
            table: routing.rules.first().map(|rule| rule.table),
            routes: routing.routes.iter().map(|route| route.destination.addr()).collect(),
            proxied: routing.proxies.iter().map(|proxy| proxy.address).collect(),
            filters_broken: !state.filters.is_in_force(name),
            binding: binding.is_some(),
            ..Self::default()
        };
        state.filters.elements.iter().filter(|element| element.tap() == name).for_each(|element| tap.take(element));
        tap.missing = tap.find_missing(binding.and_then(|text| bridge_of(text, state)));
        Some(tap)
    }

    /// A guest that runs has its tap up; and one with a binding for a bridge is heard there. More cannot be told without what
    /// Ganeti tells ifup.
    fn find_missing(&self, bridge: Option<InterfaceName>) -> Vec<String> {
        let bridge = bridge.map(|bridge| bridge.to_string()).filter(|bridge| self.bridge.as_ref() != Some(bridge));
        let has_nothing = !self.up && self.bridge.is_none() && self.table.is_none() && !self.binding;
        let missing = [has_nothing.then(|| "ifup".to_owned()), bridge.map(|bridge| format!("bridge {bridge}"))];
        missing.into_iter().flatten().collect()
    }

    fn take(&mut self, element: &Element) {
        match element {
            Element::Sourced { .. } => drop(self.sources.get_or_insert_default()),
            Element::Source { address, .. } => self.sources.get_or_insert_default().push(*address),
            Element::Peers { prefix, .. } => self.peers = Some(prefix.to_string()),
            Element::Firewall { profile, .. } => self.firewall = Some(word(*profile)),
            Element::Masquerade { .. } => self.masquerade = true,
            Element::Gateway { .. } | Element::Filtered { .. } | Element::Station { .. } => {}
        }
    }

    /// What is done for it, in a few words each.
    fn services(&self) -> Vec<String> {
        let sources = self.sources.as_ref().map(|sources| format!("sources {}", words(sources)));
        let proxied = (!self.proxied.is_empty()).then(|| "proxied".to_owned());
        let services = [
            (!self.up).then(|| "down".to_owned()),
            self.binding.then(|| "binding".to_owned()),
            proxied,
            sources,
            self.peers.as_ref().map(|peers| format!("peers {peers}")),
            self.firewall.map(str::to_owned),
            self.masquerade.then(|| "masquerade".to_owned()),
            self.filters_broken.then(|| "filters broken".to_owned()),
            (!self.missing.is_empty()).then(|| format!("missing: {}", joined(&self.missing))),
        ];
        let services: Vec<_> = services.into_iter().flatten().collect();
        if services.is_empty() { vec!["up".to_owned()] } else { services }
    }
}

fn word(profile: Profile) -> &'static str {
    match profile {
        Profile::Protected => "protected",
        Profile::Limited => "limited",
    }
}

/// What stands behind a key of a binding.
fn value<'b>(binding: &'b str, key: &str) -> Option<&'b str> {
    binding.lines().find_map(|line| line.strip_prefix(key))
}

/// The bridge that a binding names. Of others than the kernel's own, nobody knows the ports here.
fn bridge_of(binding: &str, state: &State) -> Option<InterfaceName> {
    let indev = value(binding, "INDEV=")?.trim().parse().ok()?;
    let is_bridge = state.links.get(&indev).is_some_and(|link| link.kind == LinkKind::Bridge);
    is_bridge.then_some(indev)
}

fn words(addresses: &[IpAddr]) -> String {
    if addresses.is_empty() { "none".to_owned() } else { joined(addresses).replace(", ", " ") }
}

fn left_over(state: &State) -> Vec<LeftOver> {
    let left = Routing::left_over(state);
    let of_tap = |tap: InterfaceName| {
        let count = |what: &str, count: usize| (count > 0).then(|| format!("{what}: {count}"));
        let what = [
            count("bindings", usize::from(state.bindings.contains_key(&tap))),
            count("rules", left.rules.iter().filter(|rule| rule.tap == tap).count()),
            count("elements of filters", state.filters.elements.iter().filter(|element| element.tap() == tap).count()),
        ];
        LeftOver { tap: Some(tap.to_string()), what: what.into_iter().flatten().collect() }
    };
    let proxies: Vec<String> = left.proxies.iter().map(|proxy| format!("proxy {proxy}")).collect();
    let proxies = (!proxies.is_empty()).then_some(LeftOver { tap: None, what: proxies });
    down::vanished(state).into_iter().map(of_tap).chain(proxies).collect()
}

/// A line for each tap, then one for each that left something.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.taps.iter().try_for_each(|tap| writeln!(f, "{tap}"))?;
        self.left_over.iter().try_for_each(|left| writeln!(f, "{left}"))
    }
}

impl fmt::Display for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match (&self.bridge, self.table) {
            (Some(bridge), _) => bridge.clone(),
            (None, Some(table)) => format!("table {table}"),
            (None, None) => "-".to_owned(),
        };
        let instance = Visible(self.instance.as_deref().unwrap_or("-")).to_string();
        write!(f, "{:<15} {instance:<24} {place:<15} ", self.tap)?;
        if !self.routes.is_empty() {
            write!(f, "{}; ", words(&self.routes))?;
        }
        f.write_str(&joined(self.services()))
    }
}

impl fmt::Display for LeftOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<15} left over: {}", self.tap.as_deref().unwrap_or("-"), joined(&self.what))
    }
}

#[cfg(test)]
mod tests {
    use super::super::filter::{Table, TableFamily};
    use super::super::testing::{BRIDGED, ROUTED, add_tap, name, node, remove_tap, up};
    use super::*;

    #[test]
    fn tells_what_is_set_up_and_what_is_left_over() {
        let mut state = node();
        for tap in ["tap1", "tap2"] {
            add_tap(&mut state, tap, 20 + u32::from(tap.ends_with('2')));
        }
        up(&mut state, BRIDGED, &["INTERFACE=tap1", "IP=192.0.2.6", "NETWORK_TAGS=nfdhcpd private-filtered masq"]);
        up(&mut state, BRIDGED, ROUTED);
        up(&mut state, BRIDGED, &[ROUTED, &["INTERFACE=tap2", "IP=192.0.2.7", "MAC=aa:00:00:00:00:07"]].concat());
        remove_tap(&mut state, "tap2");
        let text = Status::of(&state, &BTreeMap::new()).to_string();
        let expected = "\
tap0            inst1.example.com        table 100       192.0.2.5 2001:db8::a820:ff:fec2:b213; binding, proxied, sources 192.0.2.5 2001:db8::a820:ff:fec2:b213
tap1            inst1.example.com        prv0            binding, peers aa:20:00:00:00:00-aa:20:0f:ff:ff:ff, masquerade
tap2            left over: bindings: 1, rules: 2, elements of filters: 4
-               left over: proxy 192.0.2.7 dev eth1, proxy 2001:db8::a800:ff:fe00:7 dev eth1
";
        assert_eq!(text, expected);
        let json = serde_json::to_value(Status::of(&state, &BTreeMap::new())).unwrap();
        assert_eq!(json["taps"][0]["sources"][0], "192.0.2.5");
        assert_eq!(json["left_over"][0]["tap"], name("tap2").as_str());
    }

    #[test]
    fn what_ganeti_knows_and_nobody_set_up_is_told() {
        let mut state = node();
        for (tap, ifindex) in [("tap1", 20), ("tap2", 21), ("tap3", 22)] {
            add_tap(&mut state, tap, ifindex);
        }
        up(&mut state, BRIDGED, &["INTERFACE=tap1"]);
        up(&mut state, BRIDGED, &["INTERFACE=tap2", "NETWORK_TAGS=", "INSTANCE=inst2"]);
        up(&mut state, BRIDGED, &["INTERFACE=tap3", "IP=192.0.2.6", "INSTANCE=inst3"]);
        // Somebody took it out of its bridge.
        state.links.get_mut(&name("tap3")).unwrap().master = None;
        let known = [("tap0", "inst0"), ("tap1", "other"), ("tap2", "inst2"), ("tap9", "gone")];
        let known = known.map(|(tap, instance)| (name(tap), instance.to_owned())).into();
        let expected = "\
tap0            inst0                    -               down, missing: ifup
tap1            inst1.example.com        prv0            binding
tap2            inst2                    prv0            up
tap3            inst3                    -               binding, missing: bridge prv0
";
        assert_eq!(Status::of(&state, &known).to_string(), expected);
    }

    #[test]
    fn filters_without_their_chains_are_told() {
        let mut state = node();
        add_tap(&mut state, "tap1", 20);
        up(&mut state, BRIDGED, &["INTERFACE=tap1", "IP=192.0.2.6", "NETWORK_TAGS=private-filtered"]);
        up(&mut state, BRIDGED, ROUTED);
        for (family, broken) in
            [(None, [false, false]), (Some(TableFamily::Arp), [true, false]), (Some(TableFamily::Bridge), [true, true])]
        {
            family.map(|family| state.filters.tables.insert(family, Table::default()));
            let status = Status::of(&state, &BTreeMap::new());
            assert_eq!(status.taps.iter().map(|tap| tap.filters_broken).collect::<Vec<_>>(), broken, "{family:?}");
            let lines = status.to_string();
            let told = lines.lines().map(|line| line.ends_with(", filters broken"));
            assert_eq!(told.collect::<Vec<_>>(), broken, "{lines}");
        }
        let of_another_version =
            [(TableFamily::Inet, &["source", "sources"]), (TableFamily::Arp, &["gateways", "gateways"])];
        for (family, chains) in of_another_version {
            state.filters.tables.insert(family, Table::of_chains(1, chains.map(|chain| (chain, "layout 0"))));
        }
        assert!(!Status::of(&state, &BTreeMap::new()).taps[0].filters_broken, "an upgrade breaks nothing");
    }
}
