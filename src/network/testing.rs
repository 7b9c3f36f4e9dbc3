//! A node on paper, for tests of plans: changes are made to the state that they were planned from.

use super::change::{Change, LinkSetting, Plan};
use super::down::Taken;
use super::filter::{Table, TableFamily};
use super::settings::Settings;
use super::state::{Family, Link, LinkKind, State, Sysctl, SysctlKey, Uplink};
use super::up::{self, Context, UpError};
use super::variables::Variables;
use super::{Nic, down, nic};
use crate::binding::{IfIndex, InterfaceName};
use crate::wire::MacAddr;

/// The name of an interface.
pub(super) fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

/// A node with the bridge `prv0`, the uplink `eth1` of table 100, and one tap.
pub(super) fn node() -> State {
    let mut state = State::default();
    state.filters.tables = TableFamily::ALL.map(|family| (family, Table::whole(family))).into();
    for (ifindex, interface, kind) in [(2, "eth1", LinkKind::Other), (3, "prv0", LinkKind::Bridge)] {
        let link = Link { is_up: true, mtu: 9000, kind, ..link(ifindex) };
        state.links.insert(name(interface), link);
    }
    for family in [Family::V4, Family::V6] {
        state.uplinks.insert(Uplink { family, table: 100, metric: 0, device: name("eth1") });
    }
    add_sysctls(&mut state, name("eth1"));
    add_tap(&mut state, "tap0", 10);
    state
}

/// A tap as QEMU makes one.
pub(super) fn add_tap(state: &mut State, tap: &str, ifindex: u32) {
    state.links.insert(name(tap), link(ifindex));
    add_sysctls(state, name(tap));
}

/// The hypervisor removes a tap, and the kernel its routes.
pub(super) fn remove_tap(state: &mut State, tap: &str) {
    state.links.remove(&name(tap));
    state.routes.retain(|route| route.tap != name(tap));
    state.sysctls.retain(|sysctl, _| sysctl.device != name(tap));
}

fn link(ifindex: u32) -> Link {
    let mac = MacAddr::new([0xfe, 0, 0, 0, 0, 9]);
    Link {
        ifindex: IfIndex::new(ifindex).unwrap(),
        mac: Some(mac),
        is_up: false,
        master: None,
        mtu: 1500,
        kind: LinkKind::Other,
    }
}

fn add_sysctls(state: &mut State, device: InterfaceName) {
    for (family, key) in SysctlKey::ALL {
        let value = if key == SysctlKey::AcceptRa { "1" } else { "0" };
        state.sysctls.insert(Sysctl { family, device, key }, value.to_owned());
    }
}

/// The variables of a NIC: `base` and more, as `KEY=VALUE`. A key without a value is left out.
pub(super) fn variables(base: &[&str], more: &[&str]) -> Variables {
    let mut variables = Variables::default();
    for pair in base.iter().chain(more) {
        let (key, value) = pair.split_once('=').unwrap();
        variables.set(key, value);
    }
    variables
}

/// A NIC on a network with both families.
pub(super) const BRIDGED: &[&str] = &[
    "INTERFACE=tap0",
    "INTERFACE_INDEX=0",
    "INSTANCE=inst1.example.com",
    "MODE=bridged",
    "LINK=prv0",
    "BRIDGE=prv0",
    "MAC=aa:20:00:c2:b2:13",
    "IP=192.0.2.5",
    "NETWORK_SUBNET=192.0.2.0/24",
    "NETWORK_GATEWAY=192.0.2.1",
    "NETWORK_SUBNET6=2001:db8::/64",
    "NETWORK_GATEWAY6=2001:db8::1",
    "NETWORK_TAGS=nfdhcpd",
    "TAGS=web",
    "VLAN=",
];

/// The same, routed.
pub(super) const ROUTED: &[&str] = &["MODE=routed", "LINK=100", "BRIDGE=", "NETWORK_TAGS=nfdhcpd ip-less-routed"];

/// Plans ifup.
pub(super) fn plan(state: &State, variables: &Variables) -> Result<Plan, UpError> {
    with_nic(variables, |nic, context| up::plan(nic, state, context))
}

/// Plans ifup and carries it out; returns what was planned.
pub(super) fn up(state: &mut State, base: &[&str], more: &[&str]) -> Plan {
    up_to(state, base, more, usize::MAX)
}

/// The same, as if what comes behind so many changes had failed.
pub(super) fn up_to(state: &mut State, base: &[&str], more: &[&str], count: usize) -> Plan {
    let variables = variables(base, more);
    let mut plan = plan(state, &variables).unwrap();
    plan.0.truncate(count);
    let elements = with_nic(&variables, |nic, context| up::elements(nic, state, context)).unwrap();
    carry_out(state, &plan);
    // The plan has them as text.
    if plan.0.iter().any(|change| matches!(change, Change::Filter(_))) {
        state.filters.elements.retain(|element| element.tap() != tap(&variables));
        state.filters.elements.extend(elements);
    }
    plan
}

fn tap(variables: &Variables) -> InterfaceName {
    nic::tap(variables).unwrap()
}

fn with_nic<T>(variables: &Variables, f: impl Fn(&Nic, &Context<'_>) -> Result<T, UpError>) -> Result<T, UpError> {
    let settings = Settings::default();
    let table = variables.optional("LINK").and_then(|link| link.parse().ok());
    f(&Nic::read(variables, &settings)?, &Context { settings: &settings, table, variables })
}

/// Plans ifdown and carries it out.
pub(super) fn down(state: &mut State, tap: &str) -> Plan {
    let plan = down::plan(name(tap), state, &Settings::default()).unwrap();
    carry_out(state, &plan);
    state.filters.elements.retain(|element| element.tap() != name(tap));
    plan
}

/// Plans what follows an ifup that failed, and carries it out.
pub(super) fn take_back(state: &mut State, tap: &str, taken: &Taken) -> Plan {
    let plan = down::take_back(name(tap), taken, state, &Settings::default()).unwrap();
    carry_out(state, &plan);
    state.filters.elements.retain(|element| element.tap() != name(tap));
    plan
}

/// Plans clean and carries it out.
pub(super) fn clean(state: &mut State) -> Plan {
    let plan = down::clean(state, &Settings::default());
    carry_out(state, &plan);
    let links = &state.links;
    state.filters.elements.retain(|element| links.contains_key(&element.tap()));
    plan
}

/// Makes the changes of a plan, but for the filters.
///
/// What cannot be done there and then fails as it would in the kernel.
fn carry_out(state: &mut State, plan: &Plan) {
    for change in &plan.0 {
        let is_done = match change {
            Change::AddRule(rule) => state.rules.insert(*rule),
            Change::RemoveRule(rule) => state.rules.remove(rule),
            Change::AddRoute(route) => state.links.contains_key(&route.tap) && state.routes.insert(*route),
            Change::RemoveRoute(route) => state.routes.remove(route),
            Change::AddProxy(proxy) => state.links.contains_key(&proxy.uplink) && state.proxies.insert(*proxy),
            Change::RemoveProxy(proxy) => state.proxies.remove(proxy),
            Change::WriteBinding { path, text } => {
                state.bindings.insert(name(path.file_name().unwrap().to_str().unwrap()), text.clone()).as_ref()
                    != Some(text)
            }
            Change::RemoveBinding { path } => {
                state.bindings.remove(&name(path.file_name().unwrap().to_str().unwrap())).is_some()
            }
            Change::Sysctl { sysctl, value } => {
                state.sysctls.insert(*sysctl, (*value).to_owned()).as_deref() != Some(*value)
            }
            Change::Link { name, setting } => set_link(state, *name, *setting),
            Change::Filter(_) | Change::Announce(_) | Change::Run { .. } => true,
        };
        assert!(is_done, "{change} cannot be done, or changes nothing");
    }
}

fn set_link(state: &mut State, name: InterfaceName, setting: LinkSetting) -> bool {
    let bridge = |bridge| state.links.get(&bridge).map(|link| link.ifindex);
    let master = if let LinkSetting::Master(Some(name)) = setting { bridge(name) } else { None };
    let link = state.links.get_mut(&name).unwrap();
    let before = link.clone();
    match setting {
        LinkSetting::Master(_) => link.master = master,
        LinkSetting::Mac(mac) => link.mac = Some(mac),
        LinkSetting::Mtu(mtu) => link.mtu = mtu,
        LinkSetting::Up => link.is_up = true,
        LinkSetting::Down => link.is_up = false,
    }
    *link != before
}
