//! What Ganeti says of a NIC, to the end of a plan.

use std::collections::BTreeMap;
use std::path::Path;

use nfdhcpd::binding::{self, IfIndex, InterfaceName};
use nfdhcpd::network::filter::BridgeTracking;
use nfdhcpd::network::state::{Family, Link, LinkKind, State, Uplink};
use nfdhcpd::network::up::{self, Context};
use nfdhcpd::network::{Change, Nic, Settings, Variables, assignments, settings, vif};
use nfdhcpd::wire::MacAddr;

use crate::texts::check_line;

/// A file of a NIC, as Ganeti writes for Xen: its variables are those of a script's environment too. What is planned from them
/// can be said to nft and to nfdhcpd.
pub fn nic(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    settings(text);
    let instance = "inst1".parse().expect("a name");
    let Ok(mut variables) = vif::variables(text, &instance, name("tap0")) else { return };
    plan(&variables);
    // The environment can say everything.
    let all: BTreeMap<_, _> = assignments::read_raw(text)
        .into_iter()
        .flatten()
        .map(|assignment| (assignment.key, assignment.value))
        .collect();
    for (name, value) in all {
        variables.set(&name, value);
    }
    plan(&variables);
}

fn settings(text: &str) {
    match settings::parse(Path::new("snf-network"), text) {
        Ok(parsed) => parsed.warnings.iter().chain(parsed.settings.dns.as_ref().err()).for_each(check_line),
        Err(error) => check_line(&error),
    }
}

fn plan(variables: &Variables) {
    let settings = Settings::default();
    let nic = match Nic::read(variables, &settings) {
        Ok(nic) => nic,
        Err(error) => return check_line(&error),
    };
    let context = Context { settings: &settings, table: Some(100), variables };
    match up::plan(&nic, &node(), &context) {
        Ok(plan) => plan.0.iter().for_each(check),
        Err(error) => check_line(&error),
    }
}

/// A change says what it says in words that mean nothing else to whoever is told.
fn check(change: &Change) {
    match change {
        Change::WriteBinding { path, text } => {
            assert_eq!(path.parent(), Some(Path::new("/var/lib/nfdhcpd")));
            binding::parse::parse(path, text.as_bytes()).expect("the daemon takes it");
        }
        Change::Filter(transaction) => {
            let text = transaction.to_string();
            let verbs = ["add ", "flush ", "delete ", "# "];
            assert!(text.lines().all(|line| verbs.iter().any(|verb| line.starts_with(verb))), "{text}");
        }
        _ => assert_eq!(change.to_string().lines().count(), 1, "{change}"),
    }
}

fn node() -> State {
    let mut state = State::default();
    for (ifindex, interface, kind) in
        [(1, "tap0", LinkKind::Other), (2, "prv0", LinkKind::Bridge), (3, "eth1", LinkKind::Other)]
    {
        let ifindex = IfIndex::new(ifindex).expect("not 0");
        let mac = Some(MacAddr::new([2, 0, 0, 0, 0, 1]));
        state.links.insert(name(interface), Link { ifindex, mac, is_up: false, master: None, mtu: 1500, kind });
    }
    for family in [Family::V4, Family::V6] {
        state.uplinks.insert(Uplink { family, table: 100, metric: 0, device: name("eth1") });
    }
    state.filters.bridge_tracking = Some(BridgeTracking::Bridge);
    state
}

fn name(text: &str) -> InterfaceName {
    text.parse().expect("a name")
}
