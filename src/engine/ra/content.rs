//! What a Router Advertisement says, before it is bytes.

mod withdrawal;

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;

use crate::binding::{Binding, Ipv6Binding, Settings};
use crate::config::{self, Ipv6Mode};
use crate::engine::fit::{TooLarge, key_of};
use crate::setting::{Preference, Printable, Route6};
use crate::wire::ipv6::{self, MIN_MTU};
use crate::wire::ndp::{
    CaptivePortal, Dnssl, Mtu, Pref64, PrefixInformation, Rdnss, RouteInformation, RouterAdvertisement, SourceLinkLayer,
};
use crate::wire::{DomainName, MacAddr};

/// Cur Hop Limit: the value that RFC 4861 §6.2.1 takes from the assigned numbers.
const CUR_HOP_LIMIT: u8 = 64;

/// What a guest is told about its link. A new option has its place here, in `new`, `encode`, `check_fit` and, if it
/// can be taken back, in `losses`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    managed: bool,
    other: bool,
    router_preference: Preference,
    router_lifetime: u16,
    mtu: Option<u32>,
    prefixes: Vec<PrefixInformation>,
    /// Of `nameservers` and `search`, in seconds.
    dns_lifetime: u32,
    nameservers: Vec<Ipv6Addr>,
    search: Vec<DomainName>,
    routes: Vec<RouteInformation>,
    pref64: Option<Pref64>,
    captive_portal: Option<Printable>,
}

impl Content {
    /// What the guest of `binding` is told on a node with `config`; None where the binding has no IPv6.
    pub fn new(binding: &Binding, config: &config::Ipv6) -> Option<Self> {
        let ipv6 = binding.ipv6.as_ref()?;
        let settings = &binding.settings;
        // RFC 4861 §4.2: M says more than O, and where addresses come from a DHCPv6 server, so does the rest.
        let managed = config.mode.is_stateful();
        let routes = settings.routes6.as_ref().unwrap_or(&config.routes);
        let pref64 = settings.pref64.or(config.pref64);
        Some(Self {
            managed,
            other: managed || config.mode == Ipv6Mode::SlaacDhcpv6,
            router_preference: config.router_preference,
            router_lifetime: router_lifetime(binding, ipv6, config),
            mtu: settings.mtu.map(u32::from).filter(|mtu| *mtu >= MIN_MTU as u32),
            prefixes: ipv6.subnets.iter().map(|subnet| prefix(*subnet, config)).collect(),
            dns_lifetime: config.dns_lifetime,
            nameservers: settings.nameservers6.as_ref().unwrap_or(&config.nameservers).clone(),
            search: settings.domain_search.as_ref().unwrap_or(&config.domains).clone(),
            routes: routes.iter().map(|it| route(it, config)).collect(),
            pref64: pref64.map(|it| Pref64 { lifetime: config.pref64_lifetime, prefix: it.prefix() }),
            captive_portal: settings.captive_portal.as_ref().or(config.captive_portal.as_ref()).cloned(),
        })
    }

    /// Appends the ICMPv6 message, its checksum zero, as the router with the MAC `router` says it.
    pub fn encode(&self, router: MacAddr, out: &mut Vec<u8>) {
        RouterAdvertisement {
            cur_hop_limit: CUR_HOP_LIMIT,
            managed: self.managed,
            other: self.other,
            preference: self.router_preference,
            router_lifetime: self.router_lifetime,
        }
        .encode(out);
        SourceLinkLayer(router).encode(out);
        self.mtu.iter().for_each(|mtu| Mtu(*mtu).encode(out));
        self.prefixes.iter().for_each(|prefix| prefix.encode(out));
        self.servers().encode(out);
        self.names().encode(out);
        self.routes.iter().for_each(|route| route.encode(out));
        self.pref64.iter().for_each(|pref64| pref64.encode(out));
        self.portal().iter().for_each(|portal| portal.encode(out));
    }

    fn servers(&self) -> Rdnss<'_> {
        Rdnss { lifetime: self.dns_lifetime, servers: &self.nameservers }
    }

    fn names(&self) -> Dnssl<'_> {
        Dnssl { lifetime: self.dns_lifetime, names: &self.search }
    }

    fn portal(&self) -> Option<CaptivePortal<'_>> {
        self.captive_portal.as_ref().map(|uri| CaptivePortal(uri.as_str()))
    }

    /// An error, unless the advertisement to the guest of `binding` fits a packet that every IPv6 link carries, and
    /// what takes it back does as well.
    pub fn check_fit(&self, binding: &Binding) -> Result<(), TooLarge> {
        let withdrawal = Self::withdrawal(self, None);
        let len = self.len().max(withdrawal.map_or(0, |withdrawal| withdrawal.len()));
        TooLarge::check("Router Advertisement", ipv6::HEADER_LEN + len, self.parts(&binding.settings))
    }

    /// The length of the ICMPv6 message in bytes.
    fn len(&self) -> usize {
        // One MAC is as long as the other.
        len_of(|out| self.encode(MacAddr::BROADCAST, out))
    }

    /// The keys whose options have no fixed length, and how many bytes they take.
    fn parts(&self, settings: &Settings) -> [(&'static str, usize); 5] {
        let servers = key_of(&settings.nameservers6, "NAMESERVERS6", "ipv6.nameservers");
        let names = key_of(&settings.domain_search, "DOMAIN_SEARCH", "ipv6.domains");
        let routes = key_of(&settings.routes6, "ROUTES6", "ipv6.routes");
        let portal = key_of(&settings.captive_portal, "CAPTIVE_PORTAL", "ipv6.captive_portal");
        [
            ("SUBNET6", len_of(|out| self.prefixes.iter().for_each(|prefix| prefix.encode(out)))),
            (servers, len_of(|out| self.servers().encode(out))),
            (names, len_of(|out| self.names().encode(out))),
            (routes, len_of(|out| self.routes.iter().for_each(|route| route.encode(out)))),
            (portal, len_of(|out| self.portal().iter().for_each(|portal| portal.encode(out)))),
        ]
    }
}

fn len_of(encode: impl FnOnce(&mut Vec<u8>)) -> usize {
    let mut out = Vec::new();
    encode(&mut out);
    out.len()
}

fn router_lifetime(binding: &Binding, ipv6: &Ipv6Binding, config: &config::Ipv6) -> u16 {
    // RFC 4861 §4.2: zero means that this is no default router.
    if binding.settings.private || ipv6.gateway.is_none() { 0 } else { config.router_lifetime }
}

fn prefix(subnet: Ipv6Net, config: &config::Ipv6) -> PrefixInformation {
    let prefix_len = subnet.prefix_len();
    PrefixInformation {
        prefix: subnet,
        // A prefix of one address has no neighbours in it.
        on_link: prefix_len < 128,
        // RFC 4862 §5.5.3 d: prefix and interface identifier make 128 bits; on Ethernet the latter has 64 (RFC 2464 §4).
        autonomous: prefix_len == 64 && config.mode.has_slaac(),
        valid_lifetime: config.prefix_valid_lifetime,
        preferred_lifetime: config.prefix_preferred_lifetime,
    }
}

/// RFC 4191 §2.3: such a route needs no default router, so `PRIVATE` guests have theirs too.
fn route(route: &Route6, config: &config::Ipv6) -> RouteInformation {
    RouteInformation { prefix: route.destination, preference: route.preference, lifetime: config.route_lifetime }
}

#[cfg(test)]
mod tests;
