//! Each kind of change, done.

use std::io;

use super::rtnetlink::Rtnetlink;
use super::{announce, message, nft, script, sysctl};
use crate::binding::{IfIndex, InterfaceName};
use crate::io::bindings;
use crate::network::{Announcement, Change, LinkSetting, Proxy, Route, Rule};

/// Of what is new: it must not be there.
const CREATE: libc::c_int = libc::NLM_F_CREATE | libc::NLM_F_EXCL;
/// Of what may be there: it is replaced.
const REPLACE: libc::c_int = libc::NLM_F_CREATE | libc::NLM_F_REPLACE;

/// Carries out one change.
pub(super) fn carry_out(rtnetlink: &mut Rtnetlink, change: &Change) -> io::Result<()> {
    match change {
        Change::Link { name, setting } => set_link(rtnetlink, *name, *setting),
        Change::Sysctl { sysctl, value } => sysctl::write(sysctl, value),
        Change::AddRule(rule) => add_rule(rtnetlink, rule),
        Change::RemoveRule(rule) => gone(rtnetlink.change(libc::RTM_DELRULE, 0, &message::of_rule(rule))),
        Change::AddRoute(route) => add_route(rtnetlink, route),
        Change::RemoveRoute(route) => gone(remove_route(rtnetlink, route)),
        Change::AddProxy(proxy) => change_proxy(rtnetlink, libc::RTM_NEWNEIGH, REPLACE, proxy),
        Change::RemoveProxy(proxy) => gone(change_proxy(rtnetlink, libc::RTM_DELNEIGH, 0, proxy)),
        Change::Filter(transaction) => nft::commit(transaction),
        Change::WriteBinding { path, text } => bindings::write(path, text),
        Change::RemoveBinding { path } => bindings::remove(path),
        Change::Announce(announcement) => tell(rtnetlink, announcement),
        Change::Run { script, environment } => script::run(script, environment),
    }
}

fn set_link(rtnetlink: &mut Rtnetlink, name: InterfaceName, setting: LinkSetting) -> io::Result<()> {
    let mut set = |order: Vec<u8>| rtnetlink.change(libc::RTM_SETLINK, 0, &order);
    match setting {
        LinkSetting::Up => set(message::up(name, true)),
        LinkSetting::Down => gone(set(message::up(name, false))),
        LinkSetting::Mac(mac) => set(message::mac(name, mac)),
        LinkSetting::Mtu(mtu) => set(message::mtu(name, mtu)),
        LinkSetting::Master(None) => gone(set(message::master(name, None))),
        LinkSetting::Master(Some(bridge)) => {
            // Told apart from a link that is missing itself.
            let named = |error| io::Error::other(format!("{bridge}: {error}"));
            let bridge = index(rtnetlink, bridge).map_err(named)?;
            rtnetlink.change(libc::RTM_SETLINK, 0, &message::master(name, Some(bridge)))
        }
    }
}

fn add_rule(rtnetlink: &mut Rtnetlink, rule: &Rule) -> io::Result<()> {
    let result = rtnetlink.change(libc::RTM_NEWRULE, CREATE, &message::of_rule(rule));
    there(result, || Ok(super::read::rules(rtnetlink)?.contains(rule)))
}

fn add_route(rtnetlink: &mut Rtnetlink, route: &Route) -> io::Result<()> {
    let device = index(rtnetlink, route.tap)?;
    let result = rtnetlink.change(libc::RTM_NEWROUTE, CREATE, &message::of_route(route, device));
    let Route { destination, table, .. } = *route;
    let wanted = message::SeenRoute::Ours { destination, table, device };
    // The kernel has one route to a destination in a table, whatever its interface.
    there(result, || Ok(super::read::routes(rtnetlink)?.contains(&wanted)))
}

fn remove_route(rtnetlink: &mut Rtnetlink, route: &Route) -> io::Result<()> {
    let device = index(rtnetlink, route.tap)?;
    rtnetlink.change(libc::RTM_DELROUTE, 0, &message::of_route(route, device))
}

fn change_proxy(rtnetlink: &mut Rtnetlink, kind: u16, flags: libc::c_int, proxy: &Proxy) -> io::Result<()> {
    let device = index(rtnetlink, proxy.uplink)?;
    rtnetlink.change(kind, flags, &message::of_proxy(proxy, device))
}

fn tell(rtnetlink: &mut Rtnetlink, announcement: &Announcement) -> io::Result<()> {
    announce::send(announcement, &rtnetlink.link(announcement.uplink)?)
}

fn index(rtnetlink: &mut Rtnetlink, name: InterfaceName) -> io::Result<IfIndex> {
    rtnetlink.link(name).map(|link| link.ifindex)
}

/// What is there already need not be added, if it is what was to be added.
fn there(result: io::Result<()>, is_there: impl FnOnce() -> io::Result<bool>) -> io::Result<()> {
    match result {
        Err(error) if error.raw_os_error() == Some(libc::EEXIST) && is_there()? => Ok(()),
        result => result,
    }
}

/// What is gone, by itself or with its interface, need not be removed.
fn gone(result: io::Result<()>) -> io::Result<()> {
    const GONE: [i32; 4] = [libc::ENOENT, libc::ESRCH, libc::ENODEV, libc::ENXIO];
    match result {
        Err(error) if error.raw_os_error().is_some_and(|number| GONE.contains(&number)) => Ok(()),
        result => result,
    }
}
