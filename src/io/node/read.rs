//! What is there, asked for in an order that never makes something look left over that is not.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;

use super::message::{self, SeenRoute};
use super::rtnetlink::Rtnetlink;
use super::sysctl;
use crate::binding::{IfIndex, InterfaceName};
use crate::network::{Proxy, Route, Rule, State, Sysctl, SysctlKey, Uplink};

/// Reads what the kernel has of links, rules, routes and proxies into `state`.
///
/// The links come last: what belongs to a tap that is made meanwhile must not be seen without it.
pub(super) fn read_kernel(state: &mut State) -> io::Result<()> {
    let mut rtnetlink = Rtnetlink::open()?;
    state.rules = rules(&mut rtnetlink)?;
    let routes = routes(&mut rtnetlink)?;
    let proxies = rtnetlink.dump(libc::RTM_GETNEIGH, &message::PROXIES, message::proxy)?;
    state.links = rtnetlink.dump(libc::RTM_GETLINK, &message::all_links(), message::link)?.into_iter().collect();
    let names: HashMap<_, _> = state.links.iter().map(|(name, link)| (link.ifindex, *name)).collect();
    for route in routes {
        take_route(state, &names, route);
    }
    // A route or proxy whose interface has no name went with it.
    let named = |(address, index)| Some(Proxy { address, uplink: *names.get(&index)? });
    state.proxies = proxies.into_iter().filter_map(named).collect();
    Ok(())
}

/// Our rules.
pub(super) fn rules(rtnetlink: &mut Rtnetlink) -> io::Result<BTreeSet<Rule>> {
    Ok(rtnetlink.dump(libc::RTM_GETRULE, &message::EVERYTHING, message::rule)?.into_iter().collect())
}

/// Our routes, and the default routes.
pub(super) fn routes(rtnetlink: &mut Rtnetlink) -> io::Result<Vec<SeenRoute>> {
    rtnetlink.dump(libc::RTM_GETROUTE, &message::EVERYTHING, message::route)
}

fn take_route(state: &mut State, names: &HashMap<IfIndex, InterfaceName>, route: SeenRoute) {
    match route {
        SeenRoute::Ours { destination, table, device } => {
            state.routes.extend(names.get(&device).map(|tap| Route { destination, tap: *tap, table }));
        }
        SeenRoute::Default { family, table, metric, device } => {
            state.uplinks.extend(names.get(&device).map(|name| Uplink { family, table, metric, device: *name }));
        }
    }
}

/// The sysctls that matter of some interfaces.
pub(super) fn sysctls(devices: BTreeSet<InterfaceName>) -> io::Result<BTreeMap<Sysctl, String>> {
    let mut values = BTreeMap::new();
    for device in devices {
        for (family, key) in SysctlKey::ALL {
            let sysctl = Sysctl { family, device, key };
            values.extend(sysctl::read(&sysctl)?.map(|value| (sysctl, value)));
        }
    }
    Ok(values)
}
