//! The options of a reply that follow from the binding and the configuration. One option, one row of [`RULES`].

use std::net::Ipv4Addr;

use crate::binding::{Binding, Ipv4Binding};
use crate::config::Dhcp;
use crate::setting::Route4;
use crate::wire::DomainName;
use crate::wire::dhcpv4::code;

/// An option with its value, ready to be copied into replies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prepared {
    /// Its code.
    pub(super) code: u8,
    /// Its value, of any length.
    pub(super) value: Box<[u8]>,
    /// Whether a reply must not go out without it, once it is asked for.
    pub(super) is_required: bool,
    /// The key that it mostly comes from, of the binding or of the configuration.
    pub(super) key: &'static str,
}

/// What the options are made of.
struct Facts<'a> {
    binding: &'a Binding,
    ipv4: &'a Ipv4Binding,
    config: &'a Dhcp,
}

/// How one option comes about.
struct Rule {
    code: u8,
    /// The key that it mostly comes from.
    key: fn(&Binding) -> &'static str,
    is_required: bool,
    /// The value, or None if there is nothing to say.
    value: fn(&Facts<'_>) -> Option<Vec<u8>>,
}

/// Every option that a client can ask for, in the order used for clients that ask for none in particular.
const RULES: &[Rule] = &[
    Rule { code: code::ROUTER, key: |_| "GATEWAY", is_required: true, value: router },
    Rule { code: code::DNS_SERVER, key: nameservers_key, is_required: false, value: nameservers },
    Rule { code: code::HOST_NAME, key: |_| "HOSTNAME", is_required: false, value: hostname },
    Rule { code: code::DOMAIN_NAME, key: |_| "DOMAIN", is_required: false, value: domain_name },
    Rule { code: code::MTU, key: |_| "MTU", is_required: false, value: mtu },
    Rule { code: code::BROADCAST, key: |_| "SUBNET", is_required: false, value: broadcast },
    Rule { code: code::DOMAIN_SEARCH, key: domain_search_key, is_required: false, value: domain_search },
    Rule { code: code::CLASSLESS_ROUTE, key: |_| "ROUTES", is_required: true, value: routes },
    Rule { code: code::CLASSLESS_ROUTE_MICROSOFT, key: |_| "ROUTES", is_required: false, value: routes },
];

/// The options for the guest of `binding`, in the order of [`RULES`].
pub(super) fn prepare(binding: &Binding, ipv4: &Ipv4Binding, config: &Dhcp) -> Vec<Prepared> {
    let facts = Facts { binding, ipv4, config };
    let prepared = RULES.iter().filter_map(|rule| {
        let value = (rule.value)(&facts)?.into_boxed_slice();
        Some(Prepared { code: rule.code, value, is_required: rule.is_required, key: (rule.key)(binding) })
    });
    prepared.collect()
}

/// The domain that the guest is in: its own, the node's, or what follows the first dot of its name.
pub(super) fn domain(binding: &Binding, config: &Dhcp) -> Option<DomainName> {
    binding.settings.domain.clone().or_else(|| config.domain.clone()).or_else(|| binding.hostname.parent())
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
    let servers = facts.binding.settings.nameservers.as_ref().unwrap_or(&facts.config.nameservers);
    not_empty(servers.iter().flat_map(Ipv4Addr::octets).collect())
}

fn nameservers_key(binding: &Binding) -> &'static str {
    if binding.settings.nameservers.is_some() { "NAMESERVERS" } else { "dhcp.nameservers" }
}

/// RFC 2132 §3.14.
fn hostname(facts: &Facts<'_>) -> Option<Vec<u8>> {
    Some(facts.binding.hostname.as_str().into())
}

/// RFC 2132 §3.17.
fn domain_name(facts: &Facts<'_>) -> Option<Vec<u8>> {
    Some(domain(facts.binding, facts.config)?.as_str().into())
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

/// RFC 3397 §2, without compression.
fn domain_search(facts: &Facts<'_>) -> Option<Vec<u8>> {
    let names = facts.binding.settings.domain_search.as_ref().unwrap_or(&facts.config.domain_search);
    let mut value = Vec::new();
    names.iter().for_each(|name| name.encode(&mut value, true));
    not_empty(value)
}

fn domain_search_key(binding: &Binding) -> &'static str {
    if binding.settings.domain_search.is_some() { "DOMAIN_SEARCH" } else { "dhcp.domain_search" }
}

/// RFC 3442: a client that takes this ignores option 3, so the default route is here as well. A gateway that is not in
/// the subnet needs a route of its own first.
fn routes(facts: &Facts<'_>) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    let gateway = facts.ipv4.gateway.filter(|_| facts.ipv4.is_gateway_on_link());
    if let Some(gateway) = gateway {
        push_route(&mut value, gateway, 32, Ipv4Addr::UNSPECIFIED);
    }
    if let Some(router) = default_router(facts) {
        push_route(&mut value, Ipv4Addr::UNSPECIFIED, 0, router);
    }
    for Route4 { destination, router } in facts.binding.settings.routes.as_ref().unwrap_or(&facts.config.routes) {
        push_route(&mut value, destination.network(), destination.prefix_len(), *router);
    }
    not_empty(value)
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
