//! The options of a reply that follow from the binding and the configuration. One option, one row of [`RULES`].

use std::net::Ipv6Addr;

use crate::binding::Binding;
use crate::config::Ipv6;
use crate::engine::fit::key_of;
use crate::setting::NtpServers;
use crate::wire::dhcpv6::{OPTION_HEADER_LEN, ntp, option};

/// An option with its data, ready to be copied into replies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prepared {
    /// Its code.
    pub(super) code: u16,
    /// Its data.
    pub(super) data: Box<[u8]>,
    /// Which replies may have it.
    pub(super) scope: Scope,
    /// Whether a client that asks for nothing in particular gets it.
    pub(super) is_usual: bool,
    /// The key that it comes from, of the binding or of the configuration.
    pub(super) key: &'static str,
}

impl Prepared {
    /// What it takes in a message, in bytes.
    pub(super) fn len(&self) -> usize {
        OPTION_HEADER_LEN + self.data.len()
    }
}

/// Replies to which messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// To all.
    All,
    /// To an Information-Request.
    Informed,
    /// To any other message.
    Stateful,
}

impl Scope {
    /// Whether what is for these replies is for those of `scope` as well.
    pub(super) fn covers(self, scope: Self) -> bool {
        self == Self::All || self == scope
    }
}

/// How one option comes about.
struct Rule {
    code: u16,
    /// The key that it comes from.
    key: fn(&Binding) -> &'static str,
    scope: Scope,
    is_usual: bool,
    /// The data of each such option; none if there is nothing to say.
    data: fn(&Facts<'_>) -> Vec<Vec<u8>>,
}

/// What the options are made of.
struct Facts<'a> {
    binding: &'a Binding,
    config: &'a Ipv6,
}

/// Every option that a client can ask for, in the order used for clients that ask for none in particular.
#[rustfmt::skip] // A table: one option, one row.
const RULES: &[Rule] = &[
    Rule { code: option::DNS_SERVERS, key: nameservers_key, scope: Scope::All, is_usual: true, data: nameservers },
    Rule { code: option::DOMAIN_LIST, key: domains_key, scope: Scope::All, is_usual: true, data: domains },
    // RFC 4075 §4: superseded by option 56, so only for those who ask.
    Rule { code: option::SNTP_SERVERS, key: ntp_key, scope: Scope::All, is_usual: false, data: sntp_servers },
    // RFC 8415 §21.23: in Replies to Information-Requests and nowhere else.
    Rule { code: option::INFORMATION_REFRESH_TIME, key: |_| "ipv6.information_refresh_time", scope: Scope::Informed, is_usual: true, data: refresh_time },
    Rule { code: option::NTP_SERVER, key: ntp_key, scope: Scope::All, is_usual: true, data: ntp_servers },
    // RFC 8415 §21.24: for clients that ask for it.
    Rule { code: option::SOL_MAX_RT, key: |_| "ipv6.sol_max_rt", scope: Scope::Stateful, is_usual: false, data: sol_max_rt },
    // RFC 8415 §21.25: the same.
    Rule { code: option::INF_MAX_RT, key: |_| "ipv6.inf_max_rt", scope: Scope::Informed, is_usual: false, data: inf_max_rt },
    Rule { code: option::CAPTIVE_PORTAL, key: portal_key, scope: Scope::All, is_usual: true, data: captive_portal },
];

/// The options for the guest of `binding`, in the order of [`RULES`].
pub(super) fn prepare(binding: &Binding, config: &Ipv6) -> Vec<Prepared> {
    let facts = Facts { binding, config };
    let prepared = RULES.iter().flat_map(|rule| {
        let Rule { code, key, scope, is_usual, data } = *rule;
        let key = key(binding);
        let data = data(&facts).into_iter();
        data.map(move |data| Prepared { code, data: data.into_boxed_slice(), scope, is_usual, key })
    });
    prepared.collect()
}

/// RFC 3646 §3.
fn nameservers(facts: &Facts<'_>) -> Vec<Vec<u8>> {
    addresses(facts.binding.settings.nameservers6.as_ref().unwrap_or(&facts.config.nameservers))
}

fn nameservers_key(binding: &Binding) -> &'static str {
    key_of(&binding.settings.nameservers6, "NAMESERVERS6", "ipv6.nameservers")
}

/// RFC 3646 §4; RFC 8415 §10: uncompressed, each with its root label.
fn domains(facts: &Facts<'_>) -> Vec<Vec<u8>> {
    let names = facts.binding.settings.domain_search.as_ref().unwrap_or(&facts.config.domains);
    let mut labels = Vec::new();
    names.iter().for_each(|name| name.encode(&mut labels, true));
    not_empty(labels)
}

fn domains_key(binding: &Binding) -> &'static str {
    key_of(&binding.settings.domain_search, "DOMAIN_SEARCH", "ipv6.domains")
}

/// RFC 4075 §4: addresses alone.
fn sntp_servers(facts: &Facts<'_>) -> Vec<Vec<u8>> {
    addresses(&time_servers(facts).ipv6)
}

/// RFC 5908 §4: one option for each server, with one suboption in it.
fn ntp_servers(facts: &Facts<'_>) -> Vec<Vec<u8>> {
    let servers = time_servers(facts);
    let addresses = servers.ipv6.iter().map(|address| (ntp::SERVER_ADDRESS, address.octets().to_vec()));
    let names = servers.names.iter().map(|name| {
        let mut labels = Vec::new();
        name.encode(&mut labels, true);
        (ntp::SERVER_FQDN, labels)
    });
    addresses.chain(names).map(|(code, data)| suboption(code, &data)).collect()
}

/// A suboption is no longer than an address or a name.
fn suboption(code: u16, data: &[u8]) -> Vec<u8> {
    let length = data.len() as u16;
    [&code.to_be_bytes(), &length.to_be_bytes(), data].concat()
}

/// The binding's, if it has any that DHCPv6 can name.
fn time_servers<'a>(facts: &Facts<'a>) -> &'a NtpServers {
    let own = &facts.binding.settings.ntp;
    if own.is_empty_v6() { &facts.config.ntp } else { own }
}

fn ntp_key(binding: &Binding) -> &'static str {
    if binding.settings.ntp.is_empty_v6() { "ipv6.ntp" } else { "NTP" }
}

fn refresh_time(facts: &Facts<'_>) -> Vec<Vec<u8>> {
    number(facts.config.information_refresh_time)
}

fn sol_max_rt(facts: &Facts<'_>) -> Vec<Vec<u8>> {
    number(facts.config.sol_max_rt)
}

fn inf_max_rt(facts: &Facts<'_>) -> Vec<Vec<u8>> {
    number(facts.config.inf_max_rt)
}

/// RFC 8910 §2.2.
fn captive_portal(facts: &Facts<'_>) -> Vec<Vec<u8>> {
    let uri = facts.binding.settings.captive_portal.as_ref().or(facts.config.captive_portal.as_ref());
    uri.map(|uri| uri.as_bytes().to_vec()).into_iter().collect()
}

fn portal_key(binding: &Binding) -> &'static str {
    key_of(&binding.settings.captive_portal, "CAPTIVE_PORTAL", "ipv6.captive_portal")
}

fn addresses(addresses: &[Ipv6Addr]) -> Vec<Vec<u8>> {
    not_empty(addresses.iter().flat_map(Ipv6Addr::octets).collect())
}

fn number(number: u32) -> Vec<Vec<u8>> {
    vec![number.to_be_bytes().to_vec()]
}

fn not_empty(data: Vec<u8>) -> Vec<Vec<u8>> {
    if data.is_empty() { Vec::new() } else { vec![data] }
}
