//! The daemon's configuration file, written from a few keys.

use std::collections::BTreeMap;
use std::fmt;

use super::SCRATCH;

/// What the daemon is told: the four queues of the original's sample and one key here and there.
#[derive(Clone)]
pub(crate) struct Config {
    sections: BTreeMap<&'static str, BTreeMap<&'static str, String>>,
}

impl Default for Config {
    fn default() -> Self {
        Self { sections: BTreeMap::new() }
            .with("general", "datapath", format!("{SCRATCH}/bindings"))
            .with("general", "pidfile", format!("{SCRATCH}/nfdhcpd.pid"))
            .with("dhcp", "enable_dhcp", "yes")
            .with("dhcp", "lease_lifetime", "3600")
            .with("dhcp", "server_ip", "192.0.2.254")
            .with("dhcp", "dhcp_queue", "42")
            .with("dhcp", "nameservers", "192.0.2.53, 198.51.100.53")
            .with("dhcp", "domain", "example.com")
            .with("ipv6", "enable_ipv6", "yes")
            .with("ipv6", "ra_period", "300")
            .with("ipv6", "rs_queue", "43")
            .with("ipv6", "ns_queue", "44")
            .with("ipv6", "dhcpv6_queue", "45")
            .with("ipv6", "nameservers", "2001:db8::53")
            .with("ipv6", "domains", "example.com, example.net")
    }
}

impl Config {
    /// The same with one key set, or set anew.
    pub(crate) fn with(mut self, section: &'static str, key: &'static str, value: impl Into<String>) -> Self {
        self.sections.entry(section).or_default().insert(key, value.into());
        self
    }

    /// The same without a key.
    pub(crate) fn without(mut self, section: &'static str, key: &'static str) -> Self {
        self.sections.entry(section).or_default().remove(key);
        self
    }

    /// The queues that the daemon will bind.
    pub(crate) fn queues(&self) -> Vec<u16> {
        self.sections
            .values()
            .flatten()
            .filter(|(key, _)| key.ends_with("_queue"))
            .map(|(_, value)| value.parse().unwrap())
            .collect()
    }
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (section, keys) in &self.sections {
            writeln!(f, "[{section}]")?;
            keys.iter().try_for_each(|(key, value)| writeln!(f, "{key} = {value}"))?;
        }
        Ok(())
    }
}
