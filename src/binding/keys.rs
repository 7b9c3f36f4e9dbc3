//! The table of keys: one key, one row. A new key is a row here and a field of [`Settings`].

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::{InterfaceName, Route4, Settings};
use crate::text::{self, boolean, is_unicast_v6, number, unicast_v4, unicast_v6};
use crate::wire::{DomainName, MacAddr};

/// What the keys of a file say, each for itself.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) mac: Option<MacAddr>,
    pub(super) hostname: Option<DomainName>,
    pub(super) indev: Option<InterfaceName>,
    pub(super) ip: Option<Ipv4Addr>,
    pub(super) subnet: Option<Ipv4Net>,
    pub(super) gateway: Option<Ipv4Addr>,
    pub(super) subnet6: Option<Ipv6Net>,
    pub(super) gateway6: Option<Ipv6Addr>,
    pub(super) eui64: Option<Ipv6Addr>,
    pub(super) settings: Settings,
}

/// A value that is being read; never empty.
pub(super) struct Field<'a> {
    pub(super) value: &'a str,
    /// What deserves a warning.
    pub(super) notes: Vec<String>,
}

/// How to read a value, and where it goes. An error says what is wrong with the value.
type Read = fn(&mut Draft, &mut Field<'_>) -> Result<(), String>;

/// A key of a binding file.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) read: Read,
}

/// The name of every key that is understood.
pub fn known_keys() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|key| key.name)
}

#[rustfmt::skip] // A table: one key, one row.
pub(super) static KEYS: &[Key] = &[
    key("MAC", |d, f| mac(f.value).map(|mac| d.mac = Some(mac))),
    key("HOSTNAME", |d, f| domain(f.value).map(|name| d.hostname = Some(name))),
    key("INDEV", |d, f| indev(f.value).map(|name| d.indev = Some(name))),
    key("IP", |d, f| unicast_v4(f.value).map(|ip| d.ip = Some(ip))),
    key("SUBNET", |d, f| subnet(f).map(|net| d.subnet = Some(net))),
    key("GATEWAY", |d, f| unicast_v4(f.value).map(|ip| d.gateway = Some(ip))),
    key("SUBNET6", |d, f| subnet6(f).map(|net| d.subnet6 = Some(net))),
    key("GATEWAY6", |d, f| unicast_v6(f.value).map(|ip| d.gateway6 = Some(ip))),
    key("EUI64", |d, f| unicast_v6(f.value).map(|ip| d.eui64 = Some(ip))),
    key("MTU", |d, f| number(f.value, 68..=u16::MAX).map(|mtu| d.settings.mtu = Some(mtu))),
    key("PRIVATE", |d, f| { d.settings.private = flag(f); Ok(()) }),
    key("MACSPOOF", |d, f| { d.settings.macspoof = flag(f); Ok(()) }),
    key("TAGS", |d, f| { d.settings.tags = f.value.to_owned(); Ok(()) }),
    key("NAMESERVERS", |d, f| list(f.value, unicast_v4).map(|list| d.settings.nameservers = Some(list))),
    key("NAMESERVERS6", |d, f| list(f.value, unicast_v6).map(|list| d.settings.nameservers6 = Some(list))),
    key("DOMAIN", |d, f| domain(f.value).map(|name| d.settings.domain = Some(name))),
    key("DOMAIN_SEARCH", |d, f| list(f.value, domain).map(|list| d.settings.domain_search = Some(list))),
    key("ROUTES", |d, f| routes(f).map(|routes| d.settings.routes = routes)),
    key("LEASE_LIFETIME", |d, f| number(f.value, 60..=u32::MAX).map(|time| d.settings.lease_lifetime = Some(time))),
];

const fn key(name: &'static str, read: Read) -> Key {
    Key { name, read }
}

fn mac(text: &str) -> Result<MacAddr, String> {
    let mac: MacAddr = text.parse().map_err(display)?;
    if mac.is_unicast() { Ok(mac) } else { Err("not the MAC address of one station (a group, or all zero)".to_owned()) }
}

fn domain(text: &str) -> Result<DomainName, String> {
    text.parse().map_err(display)
}

fn indev(text: &str) -> Result<InterfaceName, String> {
    text.parse().map_err(display)
}

fn display(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Any value sets a flag, as with the original, but for the words that cannot be meant so.
fn flag(field: &mut Field<'_>) -> bool {
    let is_set = boolean(field.value) != Ok(false);
    if !is_set {
        let note = "taken as unset, where the original takes any value as set; leave the value empty";
        field.notes.push(note.to_owned());
    }
    is_set
}

/// A list with commas or white space between its items.
fn list<T>(value: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    let is_between = |c: char| c == ',' || c.is_whitespace();
    items(value.split(is_between), read)
}

fn items<'t, T>(
    items: impl Iterator<Item = &'t str>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let list = text::list(items.filter(|item| !item.is_empty()), read)?;
    if list.is_empty() {
        return Err("a list without elements".to_owned());
    }
    Ok(list)
}

fn subnet(field: &mut Field<'_>) -> Result<Ipv4Net, String> {
    let written = network_v4(field.value)?;
    if written.prefix_len() == 0 {
        return Err("not a subnet: its prefix length is 0".to_owned());
    }
    field.note_host_bits(written != written.trunc(), written.trunc());
    Ok(written.trunc())
}

fn subnet6(field: &mut Field<'_>) -> Result<Ipv6Net, String> {
    let written = network_v6(field.value)?;
    if written.prefix_len() == 0 {
        return Err("not a subnet: its prefix length is 0".to_owned());
    }
    let network = written.trunc().network();
    // RFC 4861 §4.6.2: hosts ignore the link-local prefix.
    if !is_unicast_v6(network) || network.is_unicast_link_local() {
        return Err("not a prefix for the addresses of hosts (link-local, multicast or reserved)".to_owned());
    }
    field.note_host_bits(written != written.trunc(), written.trunc());
    Ok(written.trunc())
}

impl Field<'_> {
    fn note_host_bits(&mut self, has_host_bits: bool, network: impl std::fmt::Display) {
        if has_host_bits {
            self.notes.push(format!("has host bits; taken as {network}"));
        }
    }
}

/// Reads `a.b.c.d/length`, with or without host bits.
fn network_v4(text: &str) -> Result<Ipv4Net, String> {
    let network = text
        .split_once('/')
        .and_then(|(address, length)| Ipv4Net::new(address.parse().ok()?, number(length, 0..=32).ok()?).ok());
    network.ok_or_else(|| "not an IPv4 network, which is written as 192.0.2.0/24".to_owned())
}

/// Reads `address/length`, with or without host bits.
fn network_v6(text: &str) -> Result<Ipv6Net, String> {
    let network = text
        .split_once('/')
        .and_then(|(address, length)| Ipv6Net::new(address.parse().ok()?, number(length, 0..=128).ok()?).ok());
    network.ok_or_else(|| "not an IPv6 network, which is written as 2001:db8::/64".to_owned())
}

fn routes(field: &mut Field<'_>) -> Result<Vec<Route4>, String> {
    let written = items(field.value.split(',').map(str::trim), route)?;
    let mask = |route: Route4| {
        let destination = route.destination.trunc();
        field.note_host_bits(destination != route.destination, destination);
        Route4 { destination, ..route }
    };
    Ok(written.into_iter().map(mask).collect())
}

/// Reads `network via router`.
fn route(text: &str) -> Result<Route4, String> {
    let mut words = text.split_whitespace();
    let (Some(destination), Some("via"), Some(router), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Err("not a route, which is written as 198.51.100.0/24 via 192.0.2.254".to_owned());
    };
    let destination = network_v4(destination).map_err(|_| "not a route: it begins with no IPv4 network")?;
    if destination.prefix_len() == 0 {
        return Err("the default route, which is for GATEWAY to give".to_owned());
    }
    let router = match router {
        "0.0.0.0" => Ipv4Addr::UNSPECIFIED,
        router => unicast_v4(router).map_err(|_| "a route whose router is neither a host's address nor 0.0.0.0")?,
    };
    Ok(Route4 { destination, router })
}
