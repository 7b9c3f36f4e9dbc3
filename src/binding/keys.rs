//! The table of keys: one key, one row. A new key is a row here and a field of [`Settings`].

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::{InterfaceName, Settings};
use crate::setting::{BootFiles, BootFor, NtpServer, Route4, Route6, captive_portal, v6only_wait};
use crate::text::{
    self, boolean, is_order, is_unicast_v6, nearest, network_v4, network_v6, number, parsed, station, unicast_v4,
    unicast_v6,
};
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
    pub(super) subnet6: Vec<Ipv6Net>,
    pub(super) gateway6: Option<Ipv6Addr>,
    pub(super) eui64: Option<Ipv6Addr>,
    pub(super) ip6: Option<Ipv6Addr>,
    pub(super) prefix6: Option<Ipv6Net>,
    pub(super) tags: Box<str>,
    pub(super) settings: Settings,
}

/// A value that is being read; never empty.
pub(super) struct Field<'a> {
    /// What follows the name of its row in the key.
    pub(super) suffix: &'a str,
    pub(super) value: &'a str,
    /// What deserves a warning.
    pub(super) notes: Vec<String>,
}

/// How to read a value, and where it goes. An error says what is wrong with the value.
type Read = fn(&mut Draft, &mut Field<'_>) -> Result<(), String>;

/// A key of a binding file, or several that begin alike.
pub(super) struct Key {
    pub(super) name: &'static str,
    /// Whether a text that follows the name belongs to the key.
    is_suffix: fn(&str) -> bool,
    pub(super) read: Read,
}

/// The name of every key that is understood. Of those that begin alike, as one row reads them, it is `OPTION_` and
/// `BOOTFILE`.
pub fn known_keys() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|key| key.name)
}

/// Whether a key is understood, as it is written in a binding.
pub fn is_known_key(key: &str) -> bool {
    find(key).is_some()
}

/// What is doubtful in a name of a guest (RFC 952, RFC 1123 §2.1).
pub(crate) const OUTER_HYPHEN: &str =
    "a part of the name begins or ends with '-', which no host's may: to a script of the guest it looks like an option";

/// What is wrong with a key that is not understood, and which one may be meant.
pub(crate) fn unknown_key(name: &str) -> String {
    let hint = nearest(name, known_keys()).map_or_else(String::new, |key| format!("; did you mean {key}?"));
    format!("unknown key{hint}")
}

/// The row for a key as written, and what follows the row's name in it.
pub(super) fn find(key: &str) -> Option<(&'static Key, &str)> {
    KEYS.iter().find_map(|row| {
        let suffix = key.strip_prefix(row.name)?;
        (row.is_suffix)(suffix).then_some((row, suffix))
    })
}

#[rustfmt::skip] // A table: one key, one row.
pub(super) static KEYS: &[Key] = &[
    key("MAC", |d, f| station(f.value).map(|mac| d.mac = Some(mac))),
    key("HOSTNAME", |d, f| hostname(f).map(|name| d.hostname = Some(name))),
    key("INDEV", |d, f| parsed(f.value).map(|name| d.indev = Some(name))),
    key("IP", |d, f| unicast_v4(f.value).map(|ip| d.ip = Some(ip))),
    key("SUBNET", |d, f| subnet(f).map(|net| d.subnet = Some(net))),
    key("GATEWAY", |d, f| unicast_v4(f.value).map(|ip| d.gateway = Some(ip))),
    key("SUBNET6", |d, f| subnets6(f).map(|nets| d.subnet6 = nets)),
    key("GATEWAY6", |d, f| unicast_v6(f.value).map(|ip| d.gateway6 = Some(ip))),
    key("EUI64", |d, f| unicast_v6(f.value).map(|ip| d.eui64 = Some(ip))),
    key("IP6", |d, f| global_v6(f.value).map(|ip| d.ip6 = Some(ip))),
    key("PREFIX6", |d, f| prefix6(f).map(|net| d.prefix6 = Some(net))),
    key("MTU", |d, f| number(f.value, 68..=u16::MAX).map(|mtu| d.settings.mtu = Some(mtu))),
    key("PRIVATE", |d, f| { d.settings.private = flag(f); Ok(()) }),
    key("MACSPOOF", |d, f| { d.settings.macspoof = flag(f); Ok(()) }),
    key("TAGS", |d, f| { d.tags = tags(f); Ok(()) }),
    key("NAMESERVERS", |d, f| list(f.value, unicast_v4).map(|list| d.settings.nameservers = Some(list))),
    key("NAMESERVERS6", |d, f| list(f.value, unicast_v6).map(|list| d.settings.nameservers6 = Some(list))),
    key("DOMAIN", |d, f| parsed(f.value).map(|name| d.settings.domain = Some(name))),
    key("DOMAIN_SEARCH", |d, f| list(f.value, parsed).map(|list| d.settings.domain_search = Some(list))),
    key("NTP", |d, f| list(f.value, str::parse::<NtpServer>).map(|list| d.settings.ntp = list.into_iter().collect())),
    key("ROUTES", |d, f| commas(f.value, str::parse::<Route4>).map(|routes| d.settings.routes = Some(routes))),
    key("ROUTES6", |d, f| commas(f.value, str::parse::<Route6>).map(|routes| d.settings.routes6 = Some(routes))),
    key("LEASE_LIFETIME", |d, f| number(f.value, 60..=u32::MAX).map(|time| d.settings.lease_lifetime = Some(time))),
    key("NEXT_SERVER", |d, f| unicast_v4(f.value).map(|ip| d.settings.next_server = Some(ip))),
    key("TFTP_SERVER", |d, f| f.value.parse().map(|name| d.settings.tftp_server = Some(name))),
    keys("BOOTFILE", |suffix| bootfile(suffix).is_some(), |d, f| {
        let whom = bootfile(f.suffix).ok_or("not a known kind of boot file")?;
        f.value.parse().map(|file| d.settings.bootfiles.insert(whom, file))
    }),
    key("V6ONLY_WAIT", |d, f| v6only_wait(f.value).map(|time| d.settings.v6only_wait = Some(time))),
    key("PREF64", |d, f| f.value.parse().map(|prefix| d.settings.pref64 = Some(prefix))),
    key("CAPTIVE_PORTAL", |d, f| captive_portal(f.value).map(|uri| d.settings.captive_portal = Some(uri))),
    keys("OPTION_", text::is_digits, |d, f| d.settings.options.insert(f.suffix, f.value)),
];

const fn key(name: &'static str, read: Read) -> Key {
    Key { name, is_suffix: str::is_empty, read }
}

const fn keys(name: &'static str, is_suffix: fn(&str) -> bool, read: Read) -> Key {
    Key { name, is_suffix, read }
}

fn bootfile(suffix: &str) -> Option<BootFor> {
    BootFiles::whom(|known| known == suffix)
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

/// A name as guests' clients take it. The original takes hyphens anywhere, and so must its files be taken.
fn hostname(field: &mut Field<'_>) -> Result<DomainName, String> {
    let name: DomainName = parsed(field.value)?;
    if name.has_outer_hyphen() {
        field.notes.push(OUTER_HYPHEN.to_owned());
    }
    Ok(name)
}

/// Any text. Where it is shown it is escaped.
fn tags(field: &mut Field<'_>) -> Box<str> {
    if field.value.contains(is_order) {
        field.notes.push("has control characters, or marks that turn the direction of text; shown escaped".to_owned());
    }
    field.value.into()
}

/// A list with commas or white space between its items.
fn list<T>(value: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    not_empty(text::list(text::items(value), read)?)
}

/// A list with commas between its items.
fn commas<T>(value: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    let items = value.split(',').map(str::trim).filter(|item| !item.is_empty());
    not_empty(text::list(items, read)?)
}

fn not_empty<T>(list: Vec<T>) -> Result<Vec<T>, String> {
    if list.is_empty() { Err("a list without elements".to_owned()) } else { Ok(list) }
}

fn subnet(field: &mut Field<'_>) -> Result<Ipv4Net, String> {
    let written = network_v4(field.value)?;
    if written.prefix_len() == 0 {
        return Err("not a subnet: its prefix length is 0".to_owned());
    }
    field.note_host_bits(written != written.trunc(), written.trunc());
    Ok(written.trunc())
}

fn subnets6(field: &mut Field<'_>) -> Result<Vec<Ipv6Net>, String> {
    let mut networks = Vec::new();
    for written in list(field.value, prefix_of_hosts)? {
        field.note_host_bits(written != written.trunc(), written.trunc());
        if networks.contains(&written.trunc()) {
            field.notes.push(format!("has {} twice", written.trunc()));
        } else {
            networks.push(written.trunc());
        }
    }
    Ok(networks)
}

fn prefix6(field: &mut Field<'_>) -> Result<Ipv6Net, String> {
    let written = prefix_of_hosts(field.value)?;
    field.note_host_bits(written != written.trunc(), written.trunc());
    Ok(written.trunc())
}

/// A network whose addresses hosts can have and routers forward.
fn prefix_of_hosts(text: &str) -> Result<Ipv6Net, String> {
    let written = network_v6(text)?;
    if written.prefix_len() == 0 {
        return Err("not a subnet: its prefix length is 0".to_owned());
    }
    let network = written.trunc().network();
    // RFC 4861 §4.6.2: hosts ignore the link-local prefix.
    if !is_unicast_v6(network) || network.is_unicast_link_local() {
        return Err("not a prefix for the addresses of hosts (link-local, multicast or reserved)".to_owned());
    }
    Ok(written)
}

/// An address that a server gives to a host.
fn global_v6(text: &str) -> Result<Ipv6Addr, String> {
    let address = unicast_v6(text)?;
    if address.is_unicast_link_local() {
        return Err("a link-local address, which a guest makes for itself".to_owned());
    }
    Ok(address)
}

impl Field<'_> {
    fn note_host_bits(&mut self, has_host_bits: bool, network: impl std::fmt::Display) {
        if has_host_bits {
            self.notes.push(format!("has host bits; taken as {network}"));
        }
    }
}
