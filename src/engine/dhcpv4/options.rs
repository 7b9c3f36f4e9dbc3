//! The options of a reply that follow from the binding and the configuration. One option, one row of [`RULES`].

use std::borrow::Cow;
use std::net::Ipv4Addr;

use super::boot::{self, Boot, Choice, HTTP_CLIENT};
use crate::binding::{Binding, Ipv4Binding};
use crate::config::{Config, Dhcp};
use crate::engine::fit::key_of;
use crate::engine::name;
use crate::engine::reach::is_left_without_route;
use crate::setting::Route4;
use crate::wire::dhcpv4::code;

/// An option with its value, ready to be copied into replies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prepared {
    /// Its code.
    pub(super) code: u8,
    /// Its value.
    pub(super) value: Value,
    /// Whether a reply must not go out without it, once it is asked for.
    pub(super) is_required: bool,
    /// Whether it is only for clients that name it in their parameter request list.
    pub(super) is_only_asked: bool,
    /// The key that it mostly comes from: `KEY` of the binding or `section.key` of the configuration.
    pub(super) key: Cow<'static, str>,
}

/// The value of an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// The same for every client, of any length.
    Fixed(Box<[u8]>),
    /// It depends on the client.
    Chosen(Chosen),
}

/// A value that depends on what the client boots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chosen {
    /// The boot file that fits the client.
    Bootfile,
    /// That the boot file is for UEFI HTTP Boot, if it is.
    HttpClient,
}

impl Value {
    /// What it comes to for a client that boots `choice`; None if nothing is to be said.
    pub(super) fn bytes<'a>(&'a self, choice: Option<Choice<'a>>) -> Option<&'a [u8]> {
        match self {
            Self::Fixed(value) => Some(value),
            Self::Chosen(chosen) => chosen.bytes(choice),
        }
    }
}

impl Chosen {
    /// What it comes to for a client that boots `choice`; None if nothing is to be said.
    pub(super) fn bytes(self, choice: Option<Choice<'_>>) -> Option<&[u8]> {
        match self {
            Self::Bootfile => Some(choice?.file.as_bytes()),
            Self::HttpClient => choice.filter(|choice| choice.is_http).map(|_| HTTP_CLIENT),
        }
    }
}

/// What the options are made of.
struct Facts<'a> {
    binding: &'a Binding,
    ipv4: &'a Ipv4Binding,
    dhcp: &'a Dhcp,
    config: &'a Config,
    boot: &'a Boot,
}

/// How one option comes about.
struct Rule {
    code: u8,
    /// The key that it mostly comes from.
    key: fn(&Facts<'_>) -> Cow<'static, str>,
    said: Said,
    /// The value, or None if there is nothing to say.
    value: fn(&Facts<'_>) -> Option<Value>,
}

/// When an option is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// Where there is room, if it is asked for or nothing in particular is.
    Gladly,
    /// The same, and no reply goes out where there is no room.
    Always,
    /// Where there is room, if it is asked for.
    OnlyAsked,
}

/// Every option that a client can ask for, in the order used for clients that ask for none in particular.
#[rustfmt::skip] // A table: one option, one row.
const RULES: &[Rule] = &[
    Rule { code: code::ROUTER, key: |_| "GATEWAY".into(), said: Said::Always, value: |f| fixed(router(f)) },
    Rule { code: code::DNS_SERVER, key: nameservers_key, said: Said::Gladly, value: |f| fixed(nameservers(f)) },
    Rule { code: code::HOST_NAME, key: |_| "HOSTNAME".into(), said: Said::Gladly, value: |f| fixed(hostname(f)) },
    Rule { code: code::DOMAIN_NAME, key: domain_key, said: Said::Gladly, value: |f| fixed(domain_name(f)) },
    Rule { code: code::MTU, key: |_| "MTU".into(), said: Said::Gladly, value: |f| fixed(mtu(f)) },
    Rule { code: code::BROADCAST, key: |_| "SUBNET".into(), said: Said::Gladly, value: |f| fixed(broadcast(f)) },
    Rule { code: code::NTP_SERVER, key: ntp_key, said: Said::Gladly, value: |f| fixed(ntp(f)) },
    Rule { code: code::VENDOR_CLASS, key: bootfile_key, said: Said::Gladly, value: |f| booting(f, Chosen::HttpClient) },
    Rule { code: code::TFTP_SERVER, key: tftp_server_key, said: Said::Gladly, value: |f| fixed(tftp_server(f)) },
    Rule { code: code::BOOTFILE, key: bootfile_key, said: Said::Gladly, value: |f| booting(f, Chosen::Bootfile) },
    Rule { code: code::V6ONLY_PREFERRED, key: v6only_key, said: Said::OnlyAsked, value: |f| fixed(v6only_wait(f)) },
    Rule { code: code::CAPTIVE_PORTAL, key: portal_key, said: Said::Gladly, value: |f| fixed(captive_portal(f)) },
    Rule { code: code::DOMAIN_SEARCH, key: domain_search_key, said: Said::Gladly, value: |f| fixed(domain_search(f)) },
    Rule { code: code::CLASSLESS_ROUTE, key: routes_key, said: Said::Always, value: |f| fixed(routes(f)) },
    Rule { code: code::CLASSLESS_ROUTE_MICROSOFT, key: routes_key, said: Said::Gladly, value: |f| fixed(routes(f)) },
];

/// The options for the guest of `binding`, in the order of [`RULES`], then those that are given by number. One of these
/// takes the place of the rule for its code.
pub(super) fn prepare(
    binding: &Binding,
    ipv4: &Ipv4Binding,
    dhcp: &Dhcp,
    config: &Config,
    boot: &Boot,
) -> Vec<Prepared> {
    let facts = Facts { binding, ipv4, dhcp, config, boot };
    let raw = raw_options(&facts);
    let is_raw = |code: u8| raw.iter().any(|option| option.code == code);
    let ruled = RULES.iter().filter(|rule| !is_raw(rule.code)).filter_map(|rule| rule.prepare(&facts));
    let mut prepared: Vec<Prepared> = ruled.collect();
    prepared.extend(raw);
    prepared
}

impl Rule {
    fn prepare(&self, facts: &Facts<'_>) -> Option<Prepared> {
        Some(Prepared {
            code: self.code,
            value: (self.value)(facts)?,
            is_required: self.said == Said::Always,
            is_only_asked: self.said == Said::OnlyAsked,
            key: (self.key)(facts),
        })
    }
}

/// `OPTION_<code>`: those of the binding, and those of the node under codes for which the binding says nothing.
fn raw_options(facts: &Facts<'_>) -> Vec<Prepared> {
    let (own, nodes) = (&facts.binding.settings.options, &facts.dhcp.options);
    let own_ones = own.iter().map(|(code, value)| (code, value, format!("OPTION_{code}")));
    let is_left_to_node = |code| own.value(code).is_none() && !is_said_by_binding(facts, code);
    let nodes_ones = nodes.iter().filter(|(code, _)| is_left_to_node(*code));
    let all = own_ones.chain(nodes_ones.map(|(code, value)| (code, value, format!("dhcp.option_{code}"))));
    let prepared = all.map(|(code, value, key)| Prepared {
        code,
        value: Value::Fixed(value.into()),
        is_required: false,
        is_only_asked: false,
        key: key.into(),
    });
    prepared.collect()
}

/// Whether a key of the binding says what goes under `code`.
fn is_said_by_binding(facts: &Facts<'_>, code: u8) -> bool {
    let Some(rule) = RULES.iter().find(|rule| rule.code == code) else { return false };
    let key = (rule.key)(facts);
    // A domain that is part of the name, and the class of what is booted: nobody said them.
    let is_derived = (code == code::DOMAIN_NAME && key == "HOSTNAME") || code == code::VENDOR_CLASS;
    let is_nodes = key.contains('.');
    !is_derived && !is_nodes && (rule.value)(facts).is_some()
}

fn fixed(value: Option<Vec<u8>>) -> Option<Value> {
    value.map(|value| Value::Fixed(value.into_boxed_slice()))
}

/// A value that depends on the client, if there is anything to boot.
fn booting(facts: &Facts<'_>, chosen: Chosen) -> Option<Value> {
    (!facts.boot.is_empty()).then_some(Value::Chosen(chosen))
}

/// RFC 2132 §3.5; RFC 3442: also for clients that know no option 121.
fn router(facts: &Facts<'_>) -> Option<Vec<u8>> {
    Some(default_router(facts)?.octets().to_vec())
}

fn default_router(facts: &Facts<'_>) -> Option<Ipv4Addr> {
    facts.ipv4.gateway.filter(|_| !facts.binding.settings.private)
}

/// RFC 2132 §3.8.
fn nameservers(facts: &Facts<'_>) -> Option<Vec<u8>> {
    let servers = facts.binding.settings.nameservers.as_ref().unwrap_or(&facts.dhcp.nameservers);
    not_empty(servers.iter().flat_map(Ipv4Addr::octets).collect())
}

fn nameservers_key(facts: &Facts<'_>) -> Cow<'static, str> {
    key_of(&facts.binding.settings.nameservers, "NAMESERVERS", "dhcp.nameservers").into()
}

/// RFC 2132 §3.14.
fn hostname(facts: &Facts<'_>) -> Option<Vec<u8>> {
    Some(facts.binding.hostname.as_str().into())
}

/// RFC 2132 §3.17.
fn domain_name(facts: &Facts<'_>) -> Option<Vec<u8>> {
    Some(name::domain(facts.binding, Some(facts.dhcp))?.as_str().into())
}

fn domain_key(facts: &Facts<'_>) -> Cow<'static, str> {
    key_of(&facts.binding.settings.domain, "DOMAIN", key_of(&facts.dhcp.domain, "dhcp.domain", "HOSTNAME")).into()
}

/// RFC 2132 §5.1.
fn mtu(facts: &Facts<'_>) -> Option<Vec<u8>> {
    Some(facts.binding.settings.mtu?.to_be_bytes().into())
}

/// RFC 2132 §5.3. A subnet of one or two addresses has none (RFC 3021 §2.2).
fn broadcast(facts: &Facts<'_>) -> Option<Vec<u8>> {
    let subnet = facts.ipv4.subnet;
    (subnet.prefix_len() < 31).then(|| subnet.broadcast().octets().to_vec())
}

/// RFC 2132 §8.3.
fn ntp(facts: &Facts<'_>) -> Option<Vec<u8>> {
    let own = &facts.binding.settings.ntp.ipv4;
    let servers = if own.is_empty() { &facts.dhcp.ntp } else { own };
    not_empty(servers.iter().flat_map(Ipv4Addr::octets).collect())
}

fn ntp_key(facts: &Facts<'_>) -> Cow<'static, str> {
    if facts.binding.settings.ntp.ipv4.is_empty() { "dhcp.ntp".into() } else { "NTP".into() }
}

/// RFC 2132 §9.4.
fn tftp_server(facts: &Facts<'_>) -> Option<Vec<u8>> {
    let own = facts.binding.settings.tftp_server.as_ref();
    Some(own.or(facts.dhcp.tftp_server.as_ref())?.as_bytes().into())
}

fn tftp_server_key(facts: &Facts<'_>) -> Cow<'static, str> {
    key_of(&facts.binding.settings.tftp_server, "TFTP_SERVER", "dhcp.tftp_server").into()
}

fn bootfile_key(facts: &Facts<'_>) -> Cow<'static, str> {
    boot::longest_key(&facts.binding.settings, facts.dhcp)
}

/// RFC 8925 §3.1. Who takes this gives up IPv4. What the binding says is meant for this very guest, whoever its router
/// is. What the node says to all is kept from a guest that we advertise to and that has no default route of it.
fn v6only_wait(facts: &Facts<'_>) -> Option<Vec<u8>> {
    let node = || facts.dhcp.v6only_wait.filter(|_| !is_left_without_route(facts.binding, facts.config));
    let wait = facts.binding.settings.v6only_wait.or_else(node)?;
    Some(wait.to_be_bytes().into())
}

fn v6only_key(facts: &Facts<'_>) -> Cow<'static, str> {
    key_of(&facts.binding.settings.v6only_wait, "V6ONLY_WAIT", "dhcp.v6only_wait").into()
}

/// RFC 8910 §2.1.
fn captive_portal(facts: &Facts<'_>) -> Option<Vec<u8>> {
    let own = facts.binding.settings.captive_portal.as_ref();
    Some(own.or(facts.dhcp.captive_portal.as_ref())?.as_bytes().into())
}

fn portal_key(facts: &Facts<'_>) -> Cow<'static, str> {
    key_of(&facts.binding.settings.captive_portal, "CAPTIVE_PORTAL", "dhcp.captive_portal").into()
}

/// RFC 3397 §2, without compression.
fn domain_search(facts: &Facts<'_>) -> Option<Vec<u8>> {
    let names = facts.binding.settings.domain_search.as_ref().unwrap_or(&facts.dhcp.domain_search);
    let mut value = Vec::new();
    names.iter().for_each(|name| name.encode(&mut value, true));
    not_empty(value)
}

fn domain_search_key(facts: &Facts<'_>) -> Cow<'static, str> {
    key_of(&facts.binding.settings.domain_search, "DOMAIN_SEARCH", "dhcp.domain_search").into()
}

/// RFC 3442: a client that takes this ignores option 3, so the default route is here as well. A gateway that is not in
/// the subnet needs a route of its own first.
fn routes(facts: &Facts<'_>) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    let gateway = facts.ipv4.gateway.filter(|_| facts.ipv4.needs_gateway_route());
    if let Some(gateway) = gateway {
        push_route(&mut value, gateway, 32, Ipv4Addr::UNSPECIFIED);
    }
    if let Some(router) = default_router(facts) {
        push_route(&mut value, Ipv4Addr::UNSPECIFIED, 0, router);
    }
    for Route4 { destination, router } in facts.binding.settings.routes.as_ref().unwrap_or(&facts.dhcp.routes) {
        push_route(&mut value, destination.network(), destination.prefix_len(), *router);
    }
    not_empty(value)
}

fn routes_key(facts: &Facts<'_>) -> Cow<'static, str> {
    key_of(&facts.binding.settings.routes, "ROUTES", "dhcp.routes").into()
}

/// A route as RFC 3442 writes it: the prefix length, as many octets as it covers, the router.
fn push_route(value: &mut Vec<u8>, destination: Ipv4Addr, prefix_len: u8, router: Ipv4Addr) {
    value.push(prefix_len);
    value.extend(destination.octets().iter().take(usize::from(prefix_len.div_ceil(8))));
    value.extend_from_slice(&router.octets());
}

fn not_empty(value: Vec<u8>) -> Option<Vec<u8>> {
    if value.is_empty() { None } else { Some(value) }
}
