//! What holds for a guest besides its addresses, and who says so: its binding or the configuration.

use std::collections::BTreeMap;

use super::hex::digits;
use crate::binding::{Binding, Settings};
use crate::config::{Config, Dhcp, Ipv6};
use crate::setting::NtpServers;
use crate::text::joined;

/// Every setting in force: `KEY` is the binding's, `section.key` the configuration's where the binding has none.
pub(super) fn settings(binding: &Binding, config: &Config) -> BTreeMap<String, String> {
    let mut list = List::default();
    list.add("TAGS", Some(&binding.tags).filter(|tags| !tags.is_empty()));
    list.add_own(&binding.settings);
    list.add_unless("LEASE_LIFETIME", "dhcp.lease_lifetime", Some(config.lease.lifetime));
    if let Some(dhcp) = config.dhcp.as_ref().filter(|_| binding.ipv4.is_some()) {
        list.add_dhcp(&binding.settings, dhcp);
    }
    if let Some(ipv6) = config.ipv6.as_ref().filter(|_| binding.ipv6.is_some()) {
        list.add_ipv6(&binding.settings, ipv6);
    }
    list.0
}

/// Settings by key.
#[derive(Default)]
struct List(BTreeMap<String, String>);

impl List {
    /// What the binding says.
    fn add_own(&mut self, own: &Settings) {
        let flag = |is_set: bool| is_set.then_some("yes");
        self.add("MTU", own.mtu);
        self.add("PRIVATE", flag(own.private));
        self.add("MACSPOOF", flag(own.macspoof));
        self.add("NAMESERVERS", listed(own.nameservers.iter().flatten()));
        self.add("NAMESERVERS6", listed(own.nameservers6.iter().flatten()));
        self.add("DOMAIN", own.domain.as_ref());
        self.add("DOMAIN_SEARCH", listed(own.domain_search.iter().flatten()));
        self.add("NTP", listed([listed(&own.ntp.ipv4), ntp6(&own.ntp)].iter().flatten()));
        self.add("ROUTES", listed(own.routes.iter().flatten()));
        self.add("ROUTES6", listed(own.routes6.iter().flatten()));
        self.add("LEASE_LIFETIME", own.lease_lifetime);
        self.add("NEXT_SERVER", own.next_server);
        self.add("TFTP_SERVER", own.tftp_server.as_ref());
        own.bootfiles.iter().for_each(|(suffix, file)| self.add(&format!("BOOTFILE{suffix}"), Some(file)));
        self.add("V6ONLY_WAIT", own.v6only_wait);
        self.add("PREF64", own.pref64);
        self.add("CAPTIVE_PORTAL", own.captive_portal.as_ref());
        own.options.iter().for_each(|(code, value)| self.add(&format!("OPTION_{code}"), Some(hex(value))));
    }

    /// What `[dhcp]` says to a guest whose binding does not.
    fn add_dhcp(&mut self, own: &Settings, dhcp: &Dhcp) {
        self.add_unless("NAMESERVERS", "dhcp.nameservers", listed(&dhcp.nameservers));
        self.add_unless("DOMAIN", "dhcp.domain", dhcp.domain.as_ref());
        self.add_unless("DOMAIN_SEARCH", "dhcp.domain_search", listed(&dhcp.domain_search));
        if own.ntp.ipv4.is_empty() {
            self.add("dhcp.ntp", listed(&dhcp.ntp));
        }
        self.add_unless("ROUTES", "dhcp.routes", listed(&dhcp.routes));
        self.add_unless("NEXT_SERVER", "dhcp.next_server", dhcp.next_server);
        self.add_unless("TFTP_SERVER", "dhcp.tftp_server", dhcp.tftp_server.as_ref());
        for (suffix, file) in dhcp.bootfiles.iter().filter(|_| own.bootfiles.is_empty()) {
            self.add(&format!("dhcp.bootfile{}", suffix.to_ascii_lowercase()), Some(file));
        }
        self.add_unless("V6ONLY_WAIT", "dhcp.v6only_wait", dhcp.v6only_wait);
        self.add_unless("CAPTIVE_PORTAL", "dhcp.captive_portal", dhcp.captive_portal.as_ref());
        for (code, value) in dhcp.options.iter() {
            self.add_unless(&format!("OPTION_{code}"), &format!("dhcp.option_{code}"), Some(hex(value)));
        }
    }

    /// What `[ipv6]` says to a guest whose binding does not.
    fn add_ipv6(&mut self, own: &Settings, ipv6: &Ipv6) {
        self.add_unless("NAMESERVERS6", "ipv6.nameservers", listed(&ipv6.nameservers));
        self.add_unless("DOMAIN_SEARCH", "ipv6.domains", listed(&ipv6.domains));
        if own.ntp.is_empty_v6() {
            self.add("ipv6.ntp", ntp6(&ipv6.ntp));
        }
        self.add_unless("ROUTES6", "ipv6.routes", listed(&ipv6.routes));
        self.add_unless("PREF64", "ipv6.pref64", ipv6.pref64);
        self.add_unless("CAPTIVE_PORTAL", "ipv6.captive_portal", ipv6.captive_portal.as_ref());
    }

    /// Adds a setting that has a value.
    fn add(&mut self, key: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.0.insert(key.to_owned(), value.to_string());
        }
    }

    /// The same, unless the binding has its own.
    fn add_unless(&mut self, own: &str, key: &str, value: Option<impl ToString>) {
        if !self.0.contains_key(own) {
            self.add(key, value);
        }
    }
}

/// A list as a file has it, unless it is empty.
fn listed<T: ToString>(items: impl IntoIterator<Item = T>) -> Option<String> {
    Some(joined(items)).filter(|list| !list.is_empty())
}

/// The time servers that DHCPv6 can name.
fn ntp6(servers: &NtpServers) -> Option<String> {
    listed([listed(&servers.ipv6), listed(&servers.names)].iter().flatten())
}

/// A value of any bytes, as a file has it.
fn hex(value: &[u8]) -> String {
    format!("hex:{}", digits(value))
}
