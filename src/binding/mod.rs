//! What a guest is to be told: one binding per tap, read from the file that a hypervisor hook dropped.

pub mod error;
pub mod interface;
mod keys;
pub mod parse;
mod sparse;

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

pub use error::BindingError;
pub use interface::{IfIndex, InterfaceName};
pub(crate) use keys::{OUTER_HYPHEN, unknown_key};
pub use keys::{is_known_key, known_keys};
pub use sparse::SparseSettings;

use crate::setting::{BootFiles, NtpServers, Pref64, Printable, RawOptions, Route4, Route6};
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
    /// `SUBNET6`, `GATEWAY6`, `EUI64`, `IP6`, `PREFIX6`. None: nothing of IPv6 is answered.
    pub ipv6: Option<Ipv6Binding>,
    /// `TAGS`: free text, kept for display.
    pub tags: Box<str>,
    /// Everything else that may differ from guest to guest.
    pub settings: SparseSettings,
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
    /// `NAMESERVERS`: in place of the node's.
    pub nameservers: Option<Vec<Ipv4Addr>>,
    /// `NAMESERVERS6`: in place of the node's.
    pub nameservers6: Option<Vec<Ipv6Addr>>,
    /// `DOMAIN`: in place of the node's.
    pub domain: Option<DomainName>,
    /// `DOMAIN_SEARCH`: in place of the node's, for both families.
    pub domain_search: Option<Vec<DomainName>>,
    /// `NTP`: in place of the node's, for each kind of server that it names.
    pub ntp: NtpServers,
    /// `ROUTES`: routes beyond the default one, in place of the node's.
    pub routes: Option<Vec<Route4>>,
    /// `ROUTES6`: the same, in Router Advertisements.
    pub routes6: Option<Vec<Route6>>,
    /// `LEASE_LIFETIME`, in seconds: in place of the node's.
    pub lease_lifetime: Option<u32>,
    /// `NEXT_SERVER`: `siaddr`, in place of the node's.
    pub next_server: Option<Ipv4Addr>,
    /// `TFTP_SERVER`: option 66, in place of the node's.
    pub tftp_server: Option<Printable>,
    /// `BOOTFILE`, with or without a suffix: if there is any, in place of all of the node's.
    pub bootfiles: BootFiles,
    /// `V6ONLY_WAIT`, in seconds: option 108 (RFC 8925), in place of the node's.
    pub v6only_wait: Option<u32>,
    /// `PREF64`: the NAT64 prefix in Router Advertisements (RFC 8781), in place of the node's.
    pub pref64: Option<Pref64>,
    /// `CAPTIVE_PORTAL`: its URI (RFC 8910), in place of the node's, for both families.
    pub captive_portal: Option<Printable>,
    /// `OPTION_<code>`: further DHCPv4 options, each in place of the node's with the same code.
    pub options: RawOptions,
    /// Keys that this version does not know, as written.
    pub unknown: Vec<(String, String)>,
}

/// The line of every key that has a value in the file. Where a key stands is no part of what it says: all are equal.
///
/// Kept as text, a key and its line in each line of it: nothing is smaller, and it is seldom asked.
#[derive(Debug, Clone, Default)]
pub struct KeyLines(Box<str>);

impl KeyLines {
    /// The line of `key`, from 1.
    pub fn line(&self, key: &str) -> Option<u32> {
        self.0.lines().filter_map(|entry| entry.split_once(' ')).find(|(name, _)| *name == key)?.1.parse().ok()
    }
}

impl PartialEq for KeyLines {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for KeyLines {}

impl<'a> FromIterator<(&'a str, u32)> for KeyLines {
    fn from_iter<I: IntoIterator<Item = (&'a str, u32)>>(lines: I) -> Self {
        let text: String = lines.into_iter().map(|(key, line)| format!("{key} {line}\n")).collect();
        Self(text.into())
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
    pub fn needs_gateway_route(&self) -> bool {
        self.gateway.is_some_and(|gateway| self.subnet.prefix_len() == 32 || !self.subnet.contains(&gateway))
    }
}

/// The IPv6 part of a binding.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ipv6Binding {
    /// `SUBNET6`, without host bits, each once; `IP6`/128 where the file has none. Empty where the guest has a delegated
    /// prefix and nothing else.
    pub subnets: Vec<Ipv6Net>,
    /// `GATEWAY6`: the router.
    pub gateway: Option<Ipv6Addr>,
    /// `EUI64`: the address that the guest makes for itself.
    pub eui64: Option<Ipv6Addr>,
    /// `IP6`: the address that DHCPv6 gives; without it `EUI64`, else that of a `SUBNET6` of one address.
    pub leased: Option<Ipv6Addr>,
    /// `PREFIX6`: the prefix that is delegated to the guest, without host bits.
    pub delegated: Option<Ipv6Net>,
}

impl Ipv6Binding {
    /// Whether `address` is in one of the prefixes of the link.
    pub fn is_on_link(&self, address: Ipv6Addr) -> bool {
        self.subnets.iter().any(|subnet| subnet.contains(&address))
    }

    /// Whether `address` is the guest's own on this link. A `SUBNET6` of one address is for nobody else.
    pub fn is_guests(&self, address: Ipv6Addr) -> bool {
        self.eui64 == Some(address) || self.leased == Some(address) || self.subnets.contains(&address.into())
    }

    /// Whether `address` is behind the guest.
    pub fn is_delegated(&self, address: Ipv6Addr) -> bool {
        self.delegated.is_some_and(|prefix| prefix.contains(&address))
    }
}

/// Whether a file in the directory of bindings is none by its name: hidden, or an editor's or packager's temporary one.
pub fn is_temporary(name: &[u8]) -> bool {
    let is_dpkg = || name.windows(6).any(|part| part == b".dpkg-");
    name.starts_with(b".") || name.ends_with(b"~") || name.ends_with(b".swp") || name.ends_with(b".tmp") || is_dpkg()
}

impl Binding {
    /// Whether the tap is routed by the node (`INDEV` is the tap) rather than a bridge's port.
    pub fn is_routed(&self) -> bool {
        self.indev == self.tap
    }

    /// Whether the guest may say that `mac` is its own: it is, or `MACSPOOF` lets it say what it likes.
    pub fn allows_mac(&self, mac: MacAddr) -> bool {
        mac == self.mac || self.settings.macspoof
    }
}
