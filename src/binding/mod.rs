//! What a guest is to be told: one binding per tap, read from the file that a hypervisor hook dropped.

pub mod error;
pub mod interface;
mod keys;
pub mod parse;

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

pub use error::BindingError;
pub use interface::{IfIndex, InterfaceName};
pub use keys::known_keys;

use crate::wire::{DomainName, MacAddr};

/// Everything a binding file says, checked. The name of the file is the name of the tap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The tap, and the name of the file.
    pub tap: InterfaceName,
    /// `INDEV`: the logical interface, the bridge in a bridged set-up, else the tap.
    pub indev: InterfaceName,
    /// `MAC`: the guest's MAC.
    pub mac: MacAddr,
    /// `HOSTNAME`: the guest's name.
    pub hostname: DomainName,
    /// `IP`, `SUBNET`, `GATEWAY`. None: no DHCPv4 for this guest.
    pub ipv4: Option<Ipv4Binding>,
    /// `SUBNET6`, `GATEWAY6`, `EUI64`. None: nothing of IPv6 is answered.
    pub ipv6: Option<Ipv6Binding>,
    /// Everything else that may differ from guest to guest.
    pub settings: Settings,
    /// Where the keys stand in the file.
    pub lines: KeyLines,
}

/// What a file may say besides, each key for itself. A new key has its field here, and its row in the table of keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// `MTU`, in bytes: DHCPv4 option 26, and the RA's MTU option from 1,280 on.
    pub mtu: Option<u16>,
    /// `PRIVATE`: never offer a default route.
    pub private: bool,
    /// `MACSPOOF`: do not check the guest's MAC.
    pub macspoof: bool,
    /// `TAGS`: free text, kept for display.
    pub tags: String,
    /// `NAMESERVERS`: in place of the node's.
    pub nameservers: Option<Vec<Ipv4Addr>>,
    /// `NAMESERVERS6`: in place of the node's.
    pub nameservers6: Option<Vec<Ipv6Addr>>,
    /// `DOMAIN`: in place of the node's.
    pub domain: Option<DomainName>,
    /// `DOMAIN_SEARCH`: in place of the node's, for both families.
    pub domain_search: Option<Vec<DomainName>>,
    /// `ROUTES`: routes beyond the default one.
    pub routes: Vec<Route4>,
    /// `LEASE_LIFETIME`, in seconds: in place of the node's.
    pub lease_lifetime: Option<u32>,
    /// Keys that this version does not know, as written.
    pub unknown: Vec<(String, String)>,
}

/// The line of every key that a file has. Where a key stands is no part of what it says: all are equal.
#[derive(Debug, Clone, Default)]
pub struct KeyLines(Vec<(&'static str, u32)>);

impl KeyLines {
    /// The line of `key`, from 1.
    pub fn line(&self, key: &str) -> Option<u32> {
        self.0.iter().find(|(name, _)| *name == key).map(|(_, line)| *line)
    }
}

impl PartialEq for KeyLines {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for KeyLines {}

impl FromIterator<(&'static str, u32)> for KeyLines {
    fn from_iter<I: IntoIterator<Item = (&'static str, u32)>>(lines: I) -> Self {
        Self(lines.into_iter().collect())
    }
}

/// The IPv4 part of a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ipv4Binding {
    /// `IP`: the guest's address.
    pub address: Ipv4Addr,
    /// `SUBNET`, without host bits; `IP`/32 where the file has none.
    pub subnet: Ipv4Net,
    /// `GATEWAY`: the router, which may lie outside the subnet.
    pub gateway: Option<Ipv4Addr>,
}

impl Ipv4Binding {
    /// Whether the guest reaches its gateway only by a route that says so: a /32, or a gateway outside the subnet.
    pub fn is_gateway_on_link(&self) -> bool {
        self.gateway.is_some_and(|gateway| self.subnet.prefix_len() == 32 || !self.subnet.contains(&gateway))
    }
}

/// The IPv6 part of a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ipv6Binding {
    /// `SUBNET6`, without host bits.
    pub subnet: Ipv6Net,
    /// `GATEWAY6`: the router.
    pub gateway: Option<Ipv6Addr>,
    /// `EUI64`: the guest's address.
    pub address: Option<Ipv6Addr>,
}

/// A route of DHCPv4 option 121 (RFC 3442).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route4 {
    /// Where to.
    pub destination: Ipv4Net,
    /// By which router; 0.0.0.0 means on-link.
    pub router: Ipv4Addr,
}

impl Binding {
    /// Whether the tap is routed by the node (`INDEV` is the tap) rather than a bridge's port.
    pub fn is_routed(&self) -> bool {
        self.indev == self.tap
    }
}
