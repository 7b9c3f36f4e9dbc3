//! The configuration file: as written (INI text) and as used ([`Config`]).

pub mod error;
mod keys;
pub mod parse;
mod reload;
mod syntax;
mod value;
mod written;

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

pub use error::{Account, Accounts, ConfigError, Faults};
pub use keys::known_keys;
pub use parse::{Parsed, parse};

use crate::binding::InterfaceName;
use crate::setting::{BootFiles, NtpServers, Pref64, Preference, Printable, RawOptions, Route4, Route6};
use crate::wire::{DomainName, MacAddr};

/// The number of an NFQUEUE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueNum(pub u16);

impl fmt::Display for QueueNum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The configuration as used: checked, with every default filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Section `[general]`.
    pub general: General,
    /// How long leases are, of both families.
    pub lease: LeaseTimes,
    /// Section `[dhcp]`; None when `enable_dhcp` is no.
    pub dhcp: Option<Dhcp>,
    /// Section `[ipv6]`; None when `enable_ipv6` is no.
    pub ipv6: Option<Ipv6>,
}

impl Config {
    /// Every queue to bind, once each: kinds of packets may share one, for they are told apart by what they hold.
    pub fn queues(&self) -> Vec<QueueNum> {
        let dhcp = self.dhcp.iter().map(|dhcp| dhcp.queue);
        let ipv6 = self.ipv6.iter();
        let ipv6 = ipv6.flat_map(|ipv6| [ipv6.rs_queue, ipv6.ns_queue, ipv6.dhcpv6_queue]);
        let mut queues: Vec<QueueNum> = dhcp.chain(ipv6.flatten()).collect();
        queues.sort_unstable();
        queues.dedup();
        queues
    }
}

/// Section `[general]`. Paths and user cannot change without a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct General {
    /// `pidfile`: where to write the process id, if anywhere.
    pub pidfile: Option<PathBuf>,
    /// `datapath`: the directory of binding files.
    pub datapath: PathBuf,
    /// `logdir`: where `nfdhcpd.log` goes, if anywhere.
    pub logdir: Option<PathBuf>,
    /// `user`: name or uid to run as.
    pub user: String,
    /// `control_socket`: where a running daemon is asked; None where it says `none`.
    pub control_socket: Option<PathBuf>,
    /// `control_group`: name or gid of the group that may ask, besides root.
    pub control_group: Option<String>,
    /// `metrics_listen`: where Prometheus reads what is measured; None where it says `none`.
    pub metrics_listen: Option<MetricsListen>,
    /// `log_format`: how the lines of the log are written.
    pub log_format: LogFormat,
    /// `sandbox`: whether the daemon takes from itself what it does not need once it runs (Landlock, seccomp).
    pub sandbox: bool,
    /// `rate_limit`: how many packets of one tap (or bridge, where the kernel names no tap) are looked at.
    pub rate_limit: RateLimit,
    /// `rate_burst`: packets that may come at once before `rate_limit` holds.
    pub rate_burst: u32,
    /// How many packets may wait in the kernel, and what becomes of those beyond.
    pub backlog: Backlog,
    /// `router_mac`: the router as guests see it, in place of the MAC of `INDEV`.
    pub router_mac: Option<MacAddr>,
    /// `announce_on`: the link on which the addresses of guests on routed taps are announced, if anywhere.
    pub announce_on: Option<InterfaceName>,
}

/// `metrics_listen`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetricsListen {
    /// A port of the node's own.
    Tcp(SocketAddr),
    /// A unix stream socket.
    Unix(PathBuf),
}

impl MetricsListen {
    /// Where the unix socket is, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Unix(path) => Some(path),
            Self::Tcp(_) => None,
        }
    }
}

impl fmt::Display for MetricsListen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

/// `log_format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// `text`: for people, and for the journal.
    Text,
    /// `json`: an object on each line.
    Json,
}

/// `rate_limit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimit {
    /// `auto`: one tap is held to its share while packets pile up, and not otherwise.
    Auto,
    /// 0: every packet is looked at.
    Unlimited,
    /// So many packets per second, at all times.
    PerSecond(NonZeroU32),
}

/// What waits in the kernel for the daemon (linux/netfilter/nfnetlink_queue.h), the same for each queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// `queue_length`: packets without a verdict, `NFQA_CFG_QUEUE_MAXLEN`.
    pub queue_length: u32,
    /// `receive_buffer`: the socket's receive buffer in bytes; None: what `queue_length` packets of DHCP need.
    pub receive_buffer: Option<u32>,
    /// `fail_open`: a packet that finds the queue full passes, and is not dropped (`NFQA_CFG_F_FAIL_OPEN`).
    pub fail_open: bool,
}

impl Default for Backlog {
    fn default() -> Self {
        Self { queue_length: 16_384, receive_buffer: None, fail_open: false }
    }
}

impl Backlog {
    /// What a packet of DHCP takes up in a receive buffer, in bytes: itself, attributes, and the kernel's own bookkeeping.
    const PACKET: u32 = 2_048;
    /// The sizes that a receive buffer may have, in bytes: at least a packet of any size; and the kernel keeps the double in an
    /// `int`.
    const RECEIVE_BUFFERS: RangeInclusive<u32> = 1 << 17..=i32::MAX as u32 / 2;

    /// The size of the receive buffer, in bytes.
    pub fn receive_buffer(&self) -> u32 {
        let (smallest, largest) = Self::RECEIVE_BUFFERS.into_inner();
        self.receive_buffer.unwrap_or(self.queue_length.saturating_mul(Self::PACKET).clamp(smallest, largest))
    }
}

/// The keys of section `[dhcp]` that DHCPv6 goes by as well. They hold even when `enable_dhcp` is no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseTimes {
    /// `lease_lifetime`, in seconds, at least 60.
    pub lifetime: u32,
    /// `lease_renewal`: T1 in seconds, before it is bounded by half the lease.
    pub renewal: u32,
}

/// Section `[dhcp]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dhcp {
    /// `dhcp_queue`.
    pub queue: QueueNum,
    /// `server_ip`: server identifier and source of replies.
    pub server_ip: Option<Ipv4Addr>,
    /// `server_on_link`: use the guest's gateway as server identifier. If false, `server_ip` is set.
    pub server_on_link: bool,
    /// `rapid_commit`: answer a DISCOVER that asks for it with an ACK (RFC 4039).
    pub rapid_commit: bool,
    /// `nameservers`.
    pub nameservers: Vec<Ipv4Addr>,
    /// `domain`; None: the part of `HOSTNAME` after its first dot.
    pub domain: Option<DomainName>,
    /// `domain_search`: option 119.
    pub domain_search: Vec<DomainName>,
    /// `ntp`: option 42.
    pub ntp: Vec<Ipv4Addr>,
    /// `routes`: routes beyond the default one.
    pub routes: Vec<Route4>,
    /// `next_server`: `siaddr`.
    pub next_server: Option<Ipv4Addr>,
    /// `tftp_server`: option 66.
    pub tftp_server: Option<Printable>,
    /// `bootfile`, with or without a suffix.
    pub bootfiles: BootFiles,
    /// `v6only_wait`, in seconds: option 108.
    pub v6only_wait: Option<u32>,
    /// `captive_portal`: option 114.
    pub captive_portal: Option<Printable>,
    /// `option_<code>`: further options.
    pub options: RawOptions,
}

/// Section `[ipv6]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ipv6 {
    /// `mode`, never `auto`: that is resolved from the queues that are set.
    pub mode: Ipv6Mode,
    /// `rs_queue`.
    pub rs_queue: Option<QueueNum>,
    /// `ns_queue`.
    pub ns_queue: Option<QueueNum>,
    /// `dhcpv6_queue`; None in mode `slaac`, even where the file sets it.
    pub dhcpv6_queue: Option<QueueNum>,
    /// `ra_period`, in seconds.
    pub ra_period: u32,
    /// `router_lifetime`, in seconds; default 3 × `ra_period`, at least 1,800, at most 65,535.
    pub router_lifetime: u16,
    /// `prefix_valid_lifetime`, in seconds; default 2,592,000 (RFC 4861 §6.2.1).
    pub prefix_valid_lifetime: u32,
    /// `prefix_preferred_lifetime`, in seconds, at most the valid one; default 604,800 (RFC 4861 §6.2.1).
    pub prefix_preferred_lifetime: u32,
    /// `information_refresh_time`, in seconds, at least 600; default 86,400 (RFC 8415 §21.23).
    pub information_refresh_time: u32,
    /// `nameservers`.
    pub nameservers: Vec<Ipv6Addr>,
    /// `domains`.
    pub domains: Vec<DomainName>,
    /// `router_preference`, in Router Advertisements (RFC 4191 §2.2).
    pub router_preference: Preference,
    /// `dns_lifetime`, in seconds: how long advertised name servers and domains hold (RFC 8106 §5).
    pub dns_lifetime: u32,
    /// `route_lifetime`, in seconds: how long advertised routes hold (RFC 4191 §2.3).
    pub route_lifetime: u32,
    /// `pref64_lifetime`, in seconds, at most 65,528 and a multiple of 8 (RFC 8781 §4).
    pub pref64_lifetime: u16,
    /// `rapid_commit`: answer a Solicit that asks for it with a Reply (RFC 8415 §18.3.1).
    pub rapid_commit: bool,
    /// `sol_max_rt`, in seconds (RFC 8415 §21.24).
    pub sol_max_rt: u32,
    /// `inf_max_rt`, in seconds (RFC 8415 §21.25).
    pub inf_max_rt: u32,
    /// `ntp`: addresses and names for DHCPv6.
    pub ntp: NtpServers,
    /// `routes`, in Router Advertisements.
    pub routes: Vec<Route6>,
    /// `pref64`: the NAT64 prefix in Router Advertisements (RFC 8781).
    pub pref64: Option<Pref64>,
    /// `captive_portal`, in Router Advertisements and DHCPv6 (RFC 8910).
    pub captive_portal: Option<Printable>,
}

/// How guests get their IPv6 addresses and the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ipv6Mode {
    /// `slaac`: router advertisements only.
    Slaac,
    /// `slaac+dhcpv6`: addresses by SLAAC, the rest also by stateless DHCPv6 (O flag).
    SlaacDhcpv6,
    /// `slaac+stateful`: addresses by SLAAC and by stateful DHCPv6 (M flag), as the guest likes.
    SlaacStateful,
    /// `dhcpv6`: addresses by stateful DHCPv6 alone (M flag).
    Dhcpv6,
}

impl Ipv6Mode {
    /// Whether guests make addresses from what is advertised.
    pub fn has_slaac(self) -> bool {
        self != Self::Dhcpv6
    }

    /// Whether DHCPv6 gives addresses and prefixes.
    pub fn is_stateful(self) -> bool {
        matches!(self, Self::SlaacStateful | Self::Dhcpv6)
    }
}

impl fmt::Display for Ipv6Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Slaac => "slaac",
            Self::SlaacDhcpv6 => "slaac+dhcpv6",
            Self::SlaacStateful => "slaac+stateful",
            Self::Dhcpv6 => "dhcpv6",
        })
    }
}
