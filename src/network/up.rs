//! What ifup does: from a NIC and what is there to the changes that bring the one to the other.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::change::{Announcement, Change, LinkSetting, Plan};
use super::filter::{self, BridgeTracking, Element, Port};
use super::guest_binding;
use super::nic::{Attachment, Nic};
use super::routing::Routing;
use super::settings::Settings;
use super::state::{Family, Link, LinkKind, Proxy, Route, Rule, State, Sysctl, SysctlKey};
use super::tags::MAC_FILTERED;
use super::variables::{VariableError, Variables};
use crate::binding::{self, BindingError, InterfaceName};
use crate::wire::MacAddr;

/// What ifup needs to know beside the NIC and the node.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The administrator's choices.
    pub settings: &'a Settings,
    /// The routing table that `LINK` means, if the NIC is routed and there is such a table.
    pub table: Option<u32>,
    /// What the NIC was read from: the environment of the administrator's script.
    pub variables: &'a Variables,
}

/// Why a NIC cannot be set up. Nothing has been done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpError {
    /// A variable is wrong, in itself or on this node.
    #[error(transparent)]
    Variable(#[from] VariableError),
    /// The daemon would reject the binding.
    #[error("the guest's binding would be rejected: {0}")]
    Binding(#[from] BindingError),
    /// The filters cannot be expressed.
    #[error(transparent)]
    Filter(#[from] filter::InexpressibleName),
}

/// Plans ifup. What an earlier life of the tap left goes, what is there already stays, and what is missing comes; filters
/// come before packets can.
///
/// # Errors
/// The NIC cannot be, on this node. There is no half of a plan.
pub fn plan(nic: &Nic, state: &State, context: &Context<'_>) -> Result<Plan, UpError> {
    let link = tap(nic, state)?;
    let target = Target::of(nic, link, state, context)?;
    let before = Routing::of(nic.tap, state);
    let mut changes = before.without(&target.routing).with(&target.routing.rivals(state)).removals();
    changes.extend(target.filter_change(nic, state)?);
    changes.extend(target.sysctl_changes(state));
    changes.extend(target.link_changes(nic, link, state));
    changes.extend(target.routing.without(&Routing::all(state)).additions());
    changes.extend(target.binding_change(nic, state, context)?);
    changes.extend(target.announcements(&before));
    changes.extend(script(context));
    Ok(Plan(changes))
}

/// The filters that ifup gives a NIC: a plan has them as text only.
#[cfg(test)]
pub(super) fn elements(nic: &Nic, state: &State, context: &Context<'_>) -> Result<BTreeSet<Element>, UpError> {
    let link = tap(nic, state)?;
    Ok(Target::of(nic, link, state, context)?.elements)
}

/// The tap. A slip in a name must not cut off the node.
fn tap<'s>(nic: &Nic, state: &'s State) -> Result<&'s Link, VariableError> {
    let link = state.links.get(&nic.tap).ok_or_else(|| no_interface("INTERFACE", nic.tap))?;
    match state.own(nic.tap) {
        Some(what) => Err(no_tap(nic.tap, what)),
        None => Ok(link),
    }
}

/// What is to be there.
#[derive(Debug, Default)]
struct Target {
    /// Rules, routes and proxies.
    routing: Routing,
    elements: BTreeSet<Element>,
    sysctls: Vec<(Sysctl, &'static str)>,
    bridge: Option<InterfaceName>,
    mac: Option<MacAddr>,
    mtu: Option<u32>,
}

impl Target {
    fn of(nic: &Nic, link: &Link, state: &State, context: &Context<'_>) -> Result<Self, UpError> {
        let mut target = match &nic.attachment {
            Attachment::Bridged(bridge) => Self::bridged(nic, *bridge, state, context)?,
            Attachment::Routed(_) => Self::routed(nic, context),
        };
        if nic.services.ip_less_routed {
            target.route(nic, state, context)?;
        } else {
            // An earlier life of the tap may have needed it.
            target.sysctls.extend(settings_of(nic.tap, &[(Family::V4, SysctlKey::ProxyArp, "0")]));
        }
        target.filter_stations(nic, context)?;
        target.filter_connections(nic, state)?;
        target.masquerade(nic, state)?;
        target.mtu = target.mtu.filter(|mtu| *mtu != link.mtu);
        Ok(target)
    }

    /// The node has no address on the guest's network, and says nothing there. The MTU is the bridge's, which would else take
    /// the port's.
    fn bridged(nic: &Nic, bridge: InterfaceName, state: &State, context: &Context<'_>) -> Result<Self, VariableError> {
        let name = bridge_variable(bridge, context);
        let link = state.links.get(&bridge).ok_or_else(|| no_interface(name, bridge))?;
        if link.kind != LinkKind::Bridge {
            return Err(VariableError::new(name, bridge.as_str(), "not a bridge"));
        }
        Ok(Self {
            bridge: Some(bridge),
            mac: Some(port_mac(nic.mac)),
            mtu: Some(link.mtu),
            sysctls: settings_of(nic.tap, &[(Family::V6, SysctlKey::DisableIpv6, "1")]),
            ..Self::default()
        })
    }

    /// A guest must not play router for the node. Nor may it keep the node from its address there, which is the same for every
    /// tap: with that in doubt, for a second or for good, the node could not ask where the guest is.
    fn routed(nic: &Nic, context: &Context<'_>) -> Self {
        let sysctls = [
            (Family::V6, SysctlKey::AcceptDad, "0"),
            (Family::V6, SysctlKey::DisableIpv6, "0"),
            (Family::V6, SysctlKey::AcceptRa, "0"),
        ];
        Self {
            mac: Some(context.settings.tap_constant_mac),
            sysctls: settings_of(nic.tap, &sysctls),
            ..Self::default()
        }
    }

    /// Routes to the guest, and from it by a table of its own.
    fn route(&mut self, nic: &Nic, state: &State, context: &Context<'_>) -> Result<(), UpError> {
        let table = routing_table(nic, context)?;
        if let Some(ipv4) = nic.ipv4 {
            let gateway = ipv4.gateway.ok_or_else(|| missing("NETWORK_GATEWAY"))?;
            if gateway == ipv4.address {
                let reason = "the same as NETWORK_GATEWAY, which the node is for the guest";
                return Err(VariableError::new("IP", &ipv4.address.to_string(), reason).into());
            }
            self.route_address(nic, ipv4.address.into(), table, state)?;
            self.elements.insert(Element::Gateway { tap: nic.tap, address: gateway });
            // What the source filter lets through needs no second opinion, and that one does not look into our table.
            let sysctls = [(Family::V4, SysctlKey::ProxyArp, "1"), (Family::V4, SysctlKey::RpFilter, "0")];
            self.sysctls.extend(settings_of(nic.tap, &sysctls));
        }
        if let Some(address) = nic.eui64() {
            let uplink = self.route_address(nic, address.into(), table, state)?;
            // nfdhcpd answers on the tap; on the uplink only the addresses that are proxied are answered for.
            self.sysctls.extend(settings_of(nic.tap, &[(Family::V6, SysctlKey::ProxyNdp, "0")]));
            self.sysctls.extend(settings_of(uplink, &[(Family::V6, SysctlKey::ProxyNdp, "1")]));
        }
        self.elements.insert(Element::Sourced { tap: nic.tap });
        Ok(())
    }

    /// Rule, route, proxy and source filter of one address. Returns the uplink.
    fn route_address(
        &mut self,
        nic: &Nic,
        address: IpAddr,
        table: u32,
        state: &State,
    ) -> Result<InterfaceName, VariableError> {
        let (tap, family) = (nic.tap, Family::of(address));
        let uplink = state.uplink(family, table).ok_or_else(|| no_uplink(nic, family))?;
        self.routing.rules.insert(Rule { family, tap, table });
        self.routing.routes.insert(Route { destination: host(address), tap, table });
        self.routing.proxies.insert(Proxy { address, uplink });
        self.elements.insert(Element::Source { tap, address });
        Ok(uplink)
    }

    /// A private network among others on the same bridge. A guest that is to be kept from others must not run without.
    fn filter_stations(&mut self, nic: &Nic, context: &Context<'_>) -> Result<(), VariableError> {
        if !nic.services.mac_filtered {
            return Ok(());
        }
        if self.bridge.is_none() {
            return Err(no_bridge(context));
        }
        let (tap, mac) = (nic.tap, nic.mac);
        let prefix = context.settings.mac_mask.prefix_of(mac);
        self.elements.extend([
            Element::Filtered { tap },
            Element::Station { tap, mac },
            Element::Peers { tap, prefix },
        ]);
        Ok(())
    }

    fn filter_connections(&mut self, nic: &Nic, state: &State) -> Result<(), VariableError> {
        let (Some(profile), tap) = (nic.profile, nic.tap) else { return Ok(()) };
        let port = match state.filters.bridge_tracking {
            _ if self.bridge.is_none() => Port::Routed,
            Some(BridgeTracking::Bridge) => Port::Bridged,
            Some(BridgeTracking::Inet) => Port::Shown,
            None => return Err(no_tracking(nic)),
        };
        self.elements.insert(Element::Firewall { tap, profile, port });
        Ok(())
    }

    /// Of two guests with one address on one bridge, the node could not tell to which an answer is.
    fn masquerade(&mut self, nic: &Nic, state: &State) -> Result<(), VariableError> {
        let Some(ipv4) = nic.ipv4.filter(|_| nic.services.masquerade) else { return Ok(()) };
        let wanted = Element::Masquerade { tap: nic.tap, address: ipv4.address, inside: nic.indev() };
        let rival = state.filters.rivals(&wanted).find(|tap| state.links.contains_key(tap));
        if let Some(rival) = rival {
            let reason = format!("already masqueraded for {rival}, on the same bridge");
            return Err(VariableError::new("IP", &ipv4.address.to_string(), reason));
        }
        self.elements.insert(wanted);
        Ok(())
    }

    fn filter_change(&self, nic: &Nic, state: &State) -> Result<Option<Change>, filter::InexpressibleName> {
        Ok(filter::transaction(&state.filters, nic.tap, &self.elements)?.map(Change::Filter))
    }

    /// A sysctl that is not there belongs to a protocol that the kernel does without.
    fn sysctl_changes(&self, state: &State) -> Vec<Change> {
        let differs = |(sysctl, value): &&(Sysctl, &str)| state.sysctls.get(sysctl).is_some_and(|is| is != value);
        self.sysctls.iter().filter(differs).map(|(sysctl, value)| Change::Sysctl { sysctl: *sysctl, value }).collect()
    }

    /// The MAC is set while the link is down, and the link is up last.
    fn link_changes(&self, nic: &Nic, link: &Link, state: &State) -> Vec<Change> {
        let master = link.master.and_then(|master| state.name_of(master));
        let settings = [
            (link.master.is_some() && master != self.bridge).then_some(LinkSetting::Master(None)),
            self.mac.filter(|mac| link.mac != Some(*mac)).map(LinkSetting::Mac),
            self.mtu.map(LinkSetting::Mtu),
            self.bridge.filter(|bridge| master != Some(*bridge)).map(|bridge| LinkSetting::Master(Some(bridge))),
            (!link.is_up).then_some(LinkSetting::Up),
        ];
        settings.into_iter().flatten().map(|setting| Change::Link { name: nic.tap, setting }).collect()
    }

    fn binding_change(&self, nic: &Nic, state: &State, context: &Context<'_>) -> Result<Option<Change>, UpError> {
        let path = binding_path(context.settings, nic.tap);
        let old = state.bindings.get(&nic.tap);
        if !nic.services.nfdhcpd {
            return Ok(old.map(|_| Change::RemoveBinding { path }));
        }
        if binding::is_temporary(nic.tap.as_str().as_bytes()) {
            let reason = "nfdhcpd takes a file of this name for a temporary one, and no binding";
            return Err(VariableError::new("INTERFACE", nic.tap.as_str(), reason).into());
        }
        let text = guest_binding::text(nic, &path)?;
        Ok((old != Some(&text)).then_some(Change::WriteBinding { path, text }))
    }

    /// A move is news for router and peers only when the route or the proxy is new. Proxies come last: where one is missing,
    /// an earlier run was cut short before it told anybody, or told it elsewhere.
    fn announcements(&self, before: &Routing) -> Vec<Change> {
        let has_route = |proxy: &Proxy| before.routes.iter().any(|route| route.destination == host(proxy.address));
        let is_new = |proxy: &&Proxy| !has_route(proxy) || !before.proxies.contains(*proxy);
        let proxies = self.routing.proxies.iter().filter(is_new);
        proxies.map(|proxy| Change::Announce(Announcement { address: proxy.address, uplink: proxy.uplink })).collect()
    }
}

fn script(context: &Context<'_>) -> Option<Change> {
    let script = context.settings.ifup_extra_script.clone()?;
    Some(Change::Run { script, environment: context.variables.clone() })
}

/// Where the binding of a tap is.
pub fn binding_path(settings: &Settings, tap: InterfaceName) -> PathBuf {
    settings.bindings.join(tap.as_str())
}

/// The MAC of a bridge's port. Bridges take the lowest of their ports' for their own, so it starts high. It is never the
/// guest's: what is sent to a port's MAC is for the node, and would not reach the guest.
fn port_mac(guest: MacAddr) -> MacAddr {
    let [first, b, c, d, e, g] = guest.octets();
    MacAddr::new([if first == 0xfe { 0xfa } else { 0xfe }, b, c, d, e, g])
}

/// An address as a network of one.
fn host(address: IpAddr) -> IpNet {
    match address {
        IpAddr::V4(address) => Ipv4Net::from(address).into(),
        IpAddr::V6(address) => Ipv6Net::from(address).into(),
    }
}

fn settings_of(device: InterfaceName, settings: &[(Family, SysctlKey, &'static str)]) -> Vec<(Sysctl, &'static str)> {
    settings.iter().map(|(family, key, value)| (Sysctl { family: *family, device, key: *key }, *value)).collect()
}

/// The variable that names the bridge: what Ganeti's administrator calls a link, unless the two differ.
fn bridge_variable(bridge: InterfaceName, context: &Context<'_>) -> &'static str {
    if context.variables.optional("LINK") == Some(bridge.as_str()) { "LINK" } else { "BRIDGE" }
}

/// The table that a routed guest's packets are looked up in.
fn routing_table(nic: &Nic, context: &Context<'_>) -> Result<u32, VariableError> {
    let Attachment::Routed(link) = &nic.attachment else {
        return Err(VariableError::new(
            "MODE",
            "bridged",
            "the network is tagged for routing, so the mode must be routed",
        ));
    };
    let link = link.as_deref().ok_or_else(|| missing("LINK"))?;
    let unknown =
        || VariableError::new("LINK", link, "no routing table: a number, or a name in /etc/iproute2/rt_tables");
    context.table.ok_or_else(unknown)
}

fn missing(name: &'static str) -> VariableError {
    VariableError { name: name.to_owned(), found: None, reason: "not set".to_owned() }
}

/// The interface is the node's own.
pub(super) fn no_tap(interface: InterfaceName, what: &str) -> VariableError {
    VariableError::new("INTERFACE", interface.as_str(), format_args!("no tap, but {what} of the node"))
}

fn no_interface(name: &'static str, interface: InterfaceName) -> VariableError {
    VariableError::new(name, interface.as_str(), "there is no such interface")
}

fn no_uplink(nic: &Nic, family: Family) -> VariableError {
    let link = match &nic.attachment {
        Attachment::Routed(Some(link)) => link,
        Attachment::Routed(None) | Attachment::Bridged(_) => "",
    };
    let reason = format!("the routing table has no {family} default route, so there is no uplink");
    VariableError::new("LINK", link, reason)
}

/// Packets that are routed to a guest have no other guest's MAC.
fn no_bridge(context: &Context<'_>) -> VariableError {
    let tags = context.variables.optional("NETWORK_TAGS").unwrap_or_default();
    let reason = format!(
        "{} (or {MAC_FILTERED}) keeps networks apart that share a bridge, so the mode must be bridged, and MODE is routed",
        context.settings.tags.mac_filtered
    );
    VariableError::new("NETWORK_TAGS", tags, reason)
}

fn no_tracking(nic: &Nic) -> VariableError {
    let reason = "a firewall profile on a bridge needs the kernel's nf_conntrack_bridge, or br_netfilter with \
        net.bridge.bridge-nf-call-iptables = 1 and net.bridge.bridge-nf-call-ip6tables = 1";
    VariableError::new("TAGS", &nic.instance_tags, reason)
}
