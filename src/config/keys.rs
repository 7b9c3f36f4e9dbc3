//! The table of keys: one key, one row. A new key is a row here and a field in the configuration.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::value::Value;
use super::written::Written;
use super::{Backlog, Ipv6Mode, LogFormat, MetricsListen, QueueNum, RateLimit};
use crate::setting::{BootFiles, BootFor, NtpServer, Preference, Route6, captive_portal, v6only_wait};
use crate::text::{boolean, is_digits, number, parsed, station, unicast_v4, unicast_v6};

/// How to read a value, and where it goes.
type Read = fn(&mut Written, &Value<'_>) -> Result<(), String>;

/// A key of the configuration file, or several that begin alike.
pub(super) struct Key {
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    /// Whether a text that follows the name belongs to the key.
    is_suffix: fn(&str) -> bool,
    pub(super) read: Read,
    nature: Nature,
}

/// What there is to know of a key besides its values.
enum Nature {
    Usual,
    /// Its value is a path.
    Path,
    /// It is only taken from old files. What to write instead.
    Old(&'static str),
}

impl Key {
    /// What deserves a warning where this value is right.
    pub(super) fn remark(&self, value: &Value<'_>) -> Option<String> {
        match self.nature {
            Nature::Old(instead) => Some(format!("an old key; write {instead}")),
            Nature::Path if !value.is_empty() && !value.to_string().starts_with('/') => {
                let reason =
                    "a relative path, which leads from wherever the daemon, or a command, is started; begin it with /";
                Some(reason.to_owned())
            }
            Nature::Path | Nature::Usual => None,
        }
    }
}

/// The section and name of every key that is understood, those only taken from old files included. Of those that begin
/// alike, as one row reads them, it is `option_` and `bootfile`.
pub fn known_keys() -> impl Iterator<Item = (&'static str, &'static str)> {
    KEYS.iter().map(|key| (key.section, key.name))
}

/// The row for a key as written, and what follows the row's name in it.
pub(super) fn find<'k>(section: &str, key: &'k str) -> Option<(&'static Key, &'k str)> {
    KEYS.iter().filter(|row| row.section == section).find_map(|row| {
        let suffix = key.strip_prefix(row.name)?;
        (row.is_suffix)(suffix).then_some((row, suffix))
    })
}

#[rustfmt::skip] // A table: one key, one row.
pub(super) static KEYS: &[Key] = &[
    path_key("general", "pidfile", |w, v| v.one(path).map(|path| w.general.pidfile = Some(path))),
    path_key("general", "datapath", |w, v| v.one(path).map(|path| w.general.datapath = path)),
    path_key("general", "logdir", |w, v| v.one(path).map(|path| w.general.logdir = Some(path))),
    key("general", "user", |w, v| v.one(account).map(|user| w.general.user = user)),
    key("general", "control_socket", |w, v| v.one(socket).map(|path| w.general.control_socket = path)),
    key("general", "control_group", |w, v| v.one(account).map(|group| w.general.control_group = Some(group))),
    key("general", "metrics_listen", |w, v| v.one(metrics_listen).map(|place| w.general.metrics_listen = place)),
    key("general", "log_format", |w, v| v.one(log_format).map(|format| w.general.log_format = format)),
    key("general", "sandbox", |w, v| v.one(boolean).map(|yes| w.general.sandbox = yes)),
    key("general", "rate_limit", |w, v| v.one(rate_limit).map(|limit| w.general.rate_limit = limit)),
    key("general", "rate_burst", |w, v| v.one(from_1).map(|burst| w.general.rate_burst = burst)),
    key("general", "queue_length", |w, v| v.one(queue_length).map(|length| w.general.backlog.queue_length = length)),
    key("general", "receive_buffer", |w, v| v.one(receive_buffer).map(|it| w.general.backlog.receive_buffer = it)),
    key("general", "fail_open", |w, v| v.one(boolean).map(|yes| w.general.backlog.fail_open = yes)),
    key("general", "router_mac", |w, v| v.one(station).map(|mac| w.general.router_mac = Some(mac))),
    key("general", "announce_on", |w, v| v.one(parsed).map(|name| w.general.announce_on = Some(name))),
    key("dhcp", "enable_dhcp", |w, v| v.one(boolean).map(|yes| w.enable_dhcp = yes)),
    key("dhcp", "lease_lifetime", |w, v| v.one(from_60).map(|time| w.lease.lifetime = time)),
    key("dhcp", "lease_renewal", |w, v| v.one(from_1).map(|time| w.lease.renewal = time)),
    key("dhcp", "server_ip", |w, v| v.one(unicast_v4).map(|ip| w.dhcp.server_ip = Some(ip))),
    key("dhcp", "server_on_link", |w, v| v.one(boolean).map(|yes| w.dhcp.server_on_link = yes)),
    key("dhcp", "rapid_commit", |w, v| v.one(boolean).map(|yes| w.dhcp.rapid_commit = yes)),
    key("dhcp", "dhcp_queue", |w, v| v.one(queue).map(|queue| w.dhcp.queue = queue)),
    key("dhcp", "nameservers", |w, v| v.list(unicast_v4).map(|list| w.dhcp.nameservers = list)),
    key("dhcp", "domain", |w, v| v.one(parsed).map(|name| w.dhcp.domain = Some(name))),
    key("dhcp", "domain_search", |w, v| v.list(parsed).map(|list| w.dhcp.domain_search = list)),
    key("dhcp", "ntp", |w, v| v.list(unicast_v4).map(|list| w.dhcp.ntp = list)),
    key("dhcp", "routes", |w, v| v.list(str::parse).map(|list| w.dhcp.routes = list)),
    key("dhcp", "next_server", |w, v| v.one(unicast_v4).map(|ip| w.dhcp.next_server = Some(ip))),
    key("dhcp", "tftp_server", |w, v| v.one(str::parse).map(|name| w.dhcp.tftp_server = Some(name))),
    keys("dhcp", "bootfile", |suffix| bootfile(suffix).is_some(), |w, v| {
        let whom = bootfile(v.suffix()).ok_or("not a known kind of boot file")?;
        v.one(str::parse).map(|file| w.dhcp.bootfiles.insert(whom, file))
    }),
    key("dhcp", "v6only_wait", |w, v| v.one(v6only_wait).map(|time| w.dhcp.v6only_wait = Some(time))),
    key("dhcp", "captive_portal", |w, v| v.one(captive_portal).map(|uri| w.dhcp.captive_portal = Some(uri))),
    keys("dhcp", "option_", is_digits, |w, v| w.dhcp.options.insert(v.suffix(), &raw_option(v)?)),
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
    key("ipv6", "domains", |w, v| v.list(parsed).map(|list| w.ipv6.domains = list)),
    key("ipv6", "router_preference", |w, v| v.one(str::parse::<Preference>).map(|it| w.ipv6.router_preference = it)),
    key("ipv6", "dns_lifetime", |w, v| v.one(from_0).map(|time| w.ipv6.dns_lifetime = Some(time))),
    key("ipv6", "route_lifetime", |w, v| v.one(from_0).map(|time| w.ipv6.route_lifetime = Some(time))),
    key("ipv6", "pref64_lifetime", |w, v| v.one(pref64_lifetime).map(|time| w.ipv6.pref64_lifetime = Some(time))),
    key("ipv6", "rapid_commit", |w, v| v.one(boolean).map(|yes| w.ipv6.rapid_commit = yes)),
    key("ipv6", "sol_max_rt", |w, v| v.one(max_rt).map(|time| w.ipv6.sol_max_rt = time)),
    key("ipv6", "inf_max_rt", |w, v| v.one(max_rt).map(|time| w.ipv6.inf_max_rt = time)),
    key("ipv6", "ntp", |w, v| v.list(ntp_server).map(|list| w.ipv6.ntp = list.into_iter().collect())),
    key("ipv6", "routes", |w, v| v.list(route6).map(|list| w.ipv6.routes = list)),
    key("ipv6", "pref64", |w, v| v.one(str::parse).map(|prefix| w.ipv6.pref64 = Some(prefix))),
    key("ipv6", "captive_portal", |w, v| v.one(captive_portal).map(|uri| w.ipv6.captive_portal = Some(uri))),
    old_key("ipv6", "dhcp_queue", "dhcpv6_queue", |w, v| v.one(queue).map(|queue| w.ipv6.dhcp_queue = Some(queue))),
    old_key("ipv6", "enable_dhcpv6", "mode, and no dhcpv6_queue where DHCPv6 is off", |w, v| {
        v.one(boolean).map(|yes| w.ipv6.enable_dhcpv6 = yes)
    }),
];

const fn key(section: &'static str, name: &'static str, read: Read) -> Key {
    keys(section, name, str::is_empty, read)
}

const fn keys(section: &'static str, name: &'static str, is_suffix: fn(&str) -> bool, read: Read) -> Key {
    Key { section, name, is_suffix, read, nature: Nature::Usual }
}

const fn path_key(section: &'static str, name: &'static str, read: Read) -> Key {
    Key { section, name, is_suffix: str::is_empty, read, nature: Nature::Path }
}

const fn old_key(section: &'static str, name: &'static str, instead: &'static str, read: Read) -> Key {
    Key { section, name, is_suffix: str::is_empty, read, nature: Nature::Old(instead) }
}

fn path(text: &str) -> Result<PathBuf, String> {
    if text.contains('\0') {
        return Err("not a path: it contains a zero byte".to_owned());
    }
    Ok(PathBuf::from(text))
}

/// What `sun_path` (linux/un.h) holds, without its final zero.
const LONGEST_SOCKET: usize = 107;

/// None: no socket.
fn socket(text: &str) -> Result<Option<PathBuf>, String> {
    match text {
        "none" => Ok(None),
        _ if is_socket(text) => path(text).map(Some),
        _ => Err(format!("neither an absolute path of at most {LONGEST_SOCKET} bytes nor none")),
    }
}

/// A client is started elsewhere than the daemon, so only an absolute path means the same to both.
fn is_socket(text: &str) -> bool {
    text.starts_with('/') && text.len() <= LONGEST_SOCKET
}

/// None: nowhere. Who may read what is measured is not asked, so it must not leave the node.
fn metrics_listen(text: &str) -> Result<Option<MetricsListen>, String> {
    if text == "none" {
        return Ok(None);
    }
    if is_socket(text) {
        return path(text).map(MetricsListen::Unix).map(Some);
    }
    let address: Option<SocketAddr> = text.parse().ok();
    let address = address.filter(|address| address.ip().is_loopback() && address.port() != 0);
    address.map(MetricsListen::Tcp).map(Some).ok_or_else(|| {
        format!(
            "not a loopback address with a port, as 127.0.0.1:9547 or [::1]:9547, nor an absolute path of at most \
             {LONGEST_SOCKET} bytes, nor none"
        )
    })
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("neither text nor json".to_owned()),
    }
}

/// The name or number of a user or group.
fn account(text: &str) -> Result<String, String> {
    let is_bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ':' | '/');
    if text.contains(is_bad) {
        return Err("not the name or number of a user or group: white space, ':' or '/' in it".to_owned());
    }
    Ok(text.to_owned())
}

/// None: `auto`.
fn auto_or(text: &str, range: RangeInclusive<u32>) -> Result<Option<u32>, String> {
    let (start, end) = range.clone().into_inner();
    match text {
        "auto" => Ok(None),
        _ => number(text, range).map(Some).map_err(|_| format!("neither auto nor a number from {start} to {end}")),
    }
}

fn rate_limit(text: &str) -> Result<RateLimit, String> {
    auto_or(text, 0..=u32::MAX).map(|rate| match rate.map(NonZeroU32::new) {
        None => RateLimit::Auto,
        Some(None) => RateLimit::Unlimited,
        Some(Some(rate)) => RateLimit::PerSecond(rate),
    })
}

/// A million packets are some gigabytes of the kernel's memory.
fn queue_length(text: &str) -> Result<u32, String> {
    number(text, 1..=1 << 20)
}

/// None: `auto`.
fn receive_buffer(text: &str) -> Result<Option<u32>, String> {
    auto_or(text, Backlog::RECEIVE_BUFFERS)
}

/// A server for DHCPv6: those for DHCPv4 stand in the other section.
fn ntp_server(text: &str) -> Result<NtpServer, String> {
    match text.parse()? {
        NtpServer::V4(_) => Err("an IPv4 address, which belongs to [dhcp]".to_owned()),
        server => Ok(server),
    }
}

/// Addresses are a list. Anything else is one value: a comma in it is meant, and goes between quotes.
fn raw_option(value: &Value<'_>) -> Result<String, String> {
    let all = value.to_string();
    if all.starts_with("ip:") { Ok(all) } else { value.one(|text| Ok(text.to_owned())) }
}

fn bootfile(suffix: &str) -> Option<BootFor> {
    BootFiles::whom(|known| known.to_ascii_lowercase() == suffix)
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

/// RFC 8781 §4: in units of 8 seconds, thirteen bits of them.
fn pref64_lifetime(text: &str) -> Result<u16, String> {
    number(text, 0..=65_528).map(|lifetime: u16| lifetime.next_multiple_of(8))
}

/// RFC 4191 §2.3: an advertised route leads to the router that says it, which is another for each guest.
fn route6(text: &str) -> Result<Route6, String> {
    let route: Route6 = text.parse()?;
    if route.via.is_some() { Err("a route with a router, which only a binding can name".to_owned()) } else { Ok(route) }
}

/// RFC 8415 §21.24 and §21.25: clients ignore anything else.
fn max_rt(text: &str) -> Result<u32, String> {
    number(text, 60..=86_400)
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
        "slaac+stateful" => Ok(Some(Ipv6Mode::SlaacStateful)),
        "dhcpv6" => Ok(Some(Ipv6Mode::Dhcpv6)),
        _ => Err("not auto, slaac, slaac+dhcpv6, slaac+stateful or dhcpv6".to_owned()),
    }
}
