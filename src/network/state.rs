//! What is there, as the kernel and the directory of bindings tell it at one moment.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use super::filter;
use crate::binding::{IfIndex, InterfaceName};
use crate::wire::MacAddr;

/// Everything that a plan is made from. Of rules, routes and proxies only what is ours, marked with
/// [`PROTOCOL`](super::PROTOCOL).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Every interface of the node.
    pub links: BTreeMap<InterfaceName, Link>,
    /// Our rules.
    pub rules: BTreeSet<Rule>,
    /// Our routes, of all tables.
    pub routes: BTreeSet<Route>,
    /// Our proxies.
    pub proxies: BTreeSet<Proxy>,
    /// The default routes of all tables but `local`, whoever made them.
    pub uplinks: BTreeSet<Uplink>,
    /// Our tables of nft.
    pub filters: filter::Observed,
    /// The text of every binding file, by the tap it is named after.
    pub bindings: BTreeMap<InterfaceName, String>,
    /// The sysctls that matter, of the interfaces that were asked for. What does not exist is not in it.
    pub sysctls: BTreeMap<Sysctl, String>,
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its index.
    pub ifindex: IfIndex,
    /// Its MAC. None for links that have none of 48 bits.
    pub mac: Option<MacAddr>,
    /// `IFF_UP`.
    pub is_up: bool,
    /// `IFLA_MASTER`: the bridge whose port it is.
    pub master: Option<IfIndex>,
    /// `IFLA_MTU`, in bytes.
    pub mtu: u32,
    /// What it is.
    pub kind: LinkKind,
}

/// What a link is, as far as that matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// `IFLA_INFO_KIND` "bridge".
    Bridge,
    /// Anything else: a tap, a veth, a card.
    Other,
}

/// A version of IP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// That of an address.
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "ipv4",
            Self::V6 => "ipv6",
        })
    }
}

/// `ip rule iif TAP lookup TABLE`, with our priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// Of which packets.
    pub family: Family,
    /// `FRA_IIFNAME`: where they come from. The interface need not exist.
    pub tap: InterfaceName,
    /// `FRA_TABLE`: where their routes are.
    pub table: u32,
}

/// `ip route DESTINATION dev TAP table TABLE`, on the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// `RTA_DST`.
    pub destination: IpNet,
    /// `RTA_OIF`: a route goes with its interface.
    pub tap: InterfaceName,
    /// `RTA_TABLE`.
    pub table: u32,
}

/// `ip neigh add proxy ADDRESS dev UPLINK`: the node answers there for the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Proxy {
    /// `NDA_DST`.
    pub address: IpAddr,
    /// `ndm_ifindex`: where it is asked for.
    pub uplink: InterfaceName,
}

/// A default route: its device is the uplink of its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Uplink {
    /// Of which packets.
    pub family: Family,
    /// `RTA_TABLE`.
    pub table: u32,
    /// `RTA_PRIORITY`: the lowest is the one in use.
    pub metric: u32,
    /// `RTA_OIF`, of the first next hop if there are several.
    pub device: InterfaceName,
}

/// `net.FAMILY.conf.DEVICE.KEY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sysctl {
    /// Under `net.ipv4` or `net.ipv6`.
    pub family: Family,
    /// Of this interface.
    pub device: InterfaceName,
    /// The last part of the name.
    pub key: SysctlKey,
}

/// The settings of an interface that matter (networking/ip-sysctl of the kernel's documentation).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SysctlKey {
    /// Answer ARP for addresses that are routed elsewhere. IPv4.
    ProxyArp,
    /// Check where the way back to a source would go. IPv4.
    RpFilter,
    /// Answer Neighbor Solicitations for the addresses that are proxied. IPv6.
    ProxyNdp,
    /// Take routers and prefixes from whoever announces them. IPv6.
    AcceptRa,
    /// Use no address before it is known that nobody else has it. IPv6.
    AcceptDad,
    /// Have no IPv6 address there, and say nothing. IPv6.
    DisableIpv6,
}

impl SysctlKey {
    /// All that are read of an interface, with their families.
    pub const ALL: [(Family, Self); 6] = [
        (Family::V4, Self::ProxyArp),
        (Family::V4, Self::RpFilter),
        (Family::V6, Self::ProxyNdp),
        (Family::V6, Self::AcceptRa),
        (Family::V6, Self::AcceptDad),
        (Family::V6, Self::DisableIpv6),
    ];

    /// The file under `/proc/sys/net/FAMILY/conf/DEVICE`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ProxyArp => "proxy_arp",
            Self::RpFilter => "rp_filter",
            Self::ProxyNdp => "proxy_ndp",
            Self::AcceptRa => "accept_ra",
            Self::AcceptDad => "accept_dad",
            Self::DisableIpv6 => "disable_ipv6",
        }
    }
}

impl fmt::Display for Sysctl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "net.{}.conf.{}.{}", self.family, self.device, self.key.name())
    }
}

impl State {
    /// The uplink of a table: the device of its default route.
    pub fn uplink(&self, family: Family, table: u32) -> Option<InterfaceName> {
        let of_table = |uplink: &&Uplink| uplink.family == family && uplink.table == table;
        self.uplinks.iter().find(of_table).map(|uplink| uplink.device)
    }

    /// What a link is that belongs to the node itself, and is no tap.
    pub fn own(&self, name: InterfaceName) -> Option<&'static str> {
        let link = self.links.get(&name)?;
        match link.mac {
            _ if link.kind == LinkKind::Bridge => Some("a bridge"),
            Some(mac) if !mac.is_unicast() => Some("the loopback"),
            _ if self.uplinks.iter().any(|uplink| uplink.device == name) => Some("the way of a default route"),
            _ => None,
        }
    }

    /// The name of an interface.
    pub fn name_of(&self, ifindex: IfIndex) -> Option<InterfaceName> {
        self.links.iter().find(|(_, link)| link.ifindex == ifindex).map(|(name, _)| *name)
    }
}
