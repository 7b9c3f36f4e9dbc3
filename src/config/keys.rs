//! The table of keys: one key, one row. A new key is a row here and a field in the configuration.

use std::path::PathBuf;

use super::value::Value;
use super::written::Written;
use super::{Ipv6Mode, QueueNum};
use crate::text::{boolean, number, unicast_v4, unicast_v6};
use crate::wire::DomainName;

/// How to read a value, and where it goes.
type Read = fn(&mut Written, &Value<'_>) -> Result<(), String>;

/// A key of the configuration file.
pub(super) struct Key {
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    pub(super) read: Read,
    /// What to write instead of a key that is only taken from old files.
    pub(super) instead: Option<&'static str>,
}

/// The section and name of every key that is understood, those only taken from old files included.
pub fn known_keys() -> impl Iterator<Item = (&'static str, &'static str)> {
    KEYS.iter().map(|key| (key.section, key.name))
}

#[rustfmt::skip] // A table: one key, one row.
pub(super) static KEYS: &[Key] = &[
    key("general", "pidfile", |w, v| v.one(path).map(|path| w.general.pidfile = Some(path))),
    key("general", "datapath", |w, v| v.one(path).map(|path| w.general.datapath = path)),
    key("general", "logdir", |w, v| v.one(path).map(|path| w.general.logdir = Some(path))),
    key("general", "user", |w, v| v.one(user).map(|user| w.general.user = user)),
    key("general", "rate_limit", |w, v| v.one(from_0).map(|rate| w.general.rate_limit = rate)),
    key("general", "rate_burst", |w, v| v.one(from_1).map(|burst| w.general.rate_burst = burst)),
    key("dhcp", "enable_dhcp", |w, v| v.one(boolean).map(|yes| w.enable_dhcp = yes)),
    key("dhcp", "lease_lifetime", |w, v| v.one(from_60).map(|time| w.dhcp.lease_lifetime = time)),
    key("dhcp", "lease_renewal", |w, v| v.one(from_1).map(|time| w.dhcp.lease_renewal = time)),
    key("dhcp", "server_ip", |w, v| v.one(unicast_v4).map(|ip| w.dhcp.server_ip = Some(ip))),
    key("dhcp", "server_on_link", |w, v| v.one(boolean).map(|yes| w.dhcp.server_on_link = yes)),
    key("dhcp", "rapid_commit", |w, v| v.one(boolean).map(|yes| w.dhcp.rapid_commit = yes)),
    key("dhcp", "dhcp_queue", |w, v| v.one(queue).map(|queue| w.dhcp.queue = queue)),
    key("dhcp", "nameservers", |w, v| v.list(unicast_v4).map(|list| w.dhcp.nameservers = list)),
    key("dhcp", "domain", |w, v| v.one(domain).map(|name| w.dhcp.domain = Some(name))),
    key("dhcp", "domain_search", |w, v| v.list(domain).map(|list| w.dhcp.domain_search = list)),
    key("ipv6", "enable_ipv6", |w, v| v.one(boolean).map(|yes| w.enable_ipv6 = yes)),
    key("ipv6", "mode", |w, v| v.one(mode).map(|mode| w.ipv6.mode = mode)),
    key("ipv6", "ra_period", |w, v| v.one(ra_period).map(|time| w.ipv6.ra_period = time)),
    key("ipv6", "router_lifetime", |w, v| v.one(router_lifetime).map(|time| w.ipv6.router_lifetime = Some(time))),
    key("ipv6", "prefix_valid_lifetime", |w, v| v.one(from_1).map(|time| w.ipv6.valid = time)),
    key("ipv6", "prefix_preferred_lifetime", |w, v| v.one(from_0).map(|time| w.ipv6.preferred = Some(time))),
    key("ipv6", "information_refresh_time", |w, v| v.one(refresh_time).map(|time| w.ipv6.refresh_time = time)),
    key("ipv6", "rs_queue", |w, v| v.one(queue).map(|queue| w.ipv6.rs_queue = Some(queue))),
    key("ipv6", "ns_queue", |w, v| v.one(queue).map(|queue| w.ipv6.ns_queue = Some(queue))),
    key("ipv6", "dhcpv6_queue", |w, v| v.one(queue).map(|queue| w.ipv6.dhcpv6_queue = Some(queue))),
    key("ipv6", "nameservers", |w, v| v.list(unicast_v6).map(|list| w.ipv6.nameservers = list)),
    key("ipv6", "domains", |w, v| v.list(domain).map(|list| w.ipv6.domains = list)),
    old_key("ipv6", "dhcp_queue", "dhcpv6_queue", |w, v| v.one(queue).map(|queue| w.ipv6.dhcp_queue = Some(queue))),
    old_key("ipv6", "enable_dhcpv6", "mode, and no dhcpv6_queue where DHCPv6 is off", |w, v| {
        v.one(boolean).map(|yes| w.ipv6.enable_dhcpv6 = yes)
    }),
];

const fn key(section: &'static str, name: &'static str, read: Read) -> Key {
    Key { section, name, read, instead: None }
}

const fn old_key(section: &'static str, name: &'static str, instead: &'static str, read: Read) -> Key {
    Key { section, name, read, instead: Some(instead) }
}

fn path(text: &str) -> Result<PathBuf, String> {
    if text.contains('\0') {
        return Err("not a path: it contains a zero byte".to_owned());
    }
    Ok(PathBuf::from(text))
}

fn user(text: &str) -> Result<String, String> {
    let is_bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ':' | '/');
    if text.contains(is_bad) {
        return Err("not the name or number of a user: white space, ':' or '/' in it".to_owned());
    }
    Ok(text.to_owned())
}

fn domain(text: &str) -> Result<DomainName, String> {
    text.parse::<DomainName>().map_err(|error| error.to_string())
}

fn queue(text: &str) -> Result<QueueNum, String> {
    number(text, 0..=u16::MAX).map(QueueNum)
}

fn from_0(text: &str) -> Result<u32, String> {
    number(text, 0..=u32::MAX)
}

fn from_1(text: &str) -> Result<u32, String> {
    number(text, 1..=u32::MAX)
}

/// Seconds of a lease: one under a minute would be nothing but renewals.
fn from_60(text: &str) -> Result<u32, String> {
    number(text, 60..=u32::MAX)
}

/// `MaxRtrAdvInterval` (RFC 4861 §6.2.1), from 1 as in the original (advertisements are never less than 3 s apart), to
/// 65,535 as RFC 8319 §4 allows.
fn ra_period(text: &str) -> Result<u32, String> {
    number(text, 1..=u32::from(u16::MAX))
}

/// `AdvDefaultLifetime` (RFC 8319 §4); 0 makes no default router of us.
fn router_lifetime(text: &str) -> Result<u16, String> {
    number(text, 0..=u16::MAX)
}

/// At least `IRT_MINIMUM` (RFC 8415 §7.6).
fn refresh_time(text: &str) -> Result<u32, String> {
    number(text, 600..=u32::MAX)
}

/// None is `auto`: the queues decide.
fn mode(text: &str) -> Result<Option<Ipv6Mode>, String> {
    match text {
        "auto" => Ok(None),
        "slaac" => Ok(Some(Ipv6Mode::Slaac)),
        "slaac+dhcpv6" => Ok(Some(Ipv6Mode::SlaacDhcpv6)),
        "dhcpv6" => Ok(Some(Ipv6Mode::Dhcpv6)),
        _ => Err("not auto, slaac, slaac+dhcpv6 or dhcpv6".to_owned()),
    }
}
