//! The configuration as written, and what it comes to: defaults, and what the keys of a section ask of each other.

use std::net::Ipv6Addr;
use std::path::PathBuf;

use super::{
    Backlog, Config, Dhcp, General, Ipv6, Ipv6Mode, LeaseTimes, LogFormat, MetricsListen, QueueNum, RateLimit,
};
use crate::setting::{BootFiles, NtpServers, Pref64, Preference, Printable, RawOptions, Route6};
use crate::wire::DomainName;

/// The configuration as written, with the defaults of keys that do not depend on others.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) general: General,
    pub(super) lease: LeaseTimes,
    pub(super) enable_dhcp: bool,
    pub(super) dhcp: Dhcp,
    pub(super) enable_ipv6: bool,
    pub(super) ipv6: WrittenIpv6,
}

/// Section `[ipv6]` as written.
#[derive(Debug)]
pub(super) struct WrittenIpv6 {
    /// None: `auto`.
    pub(super) mode: Option<Ipv6Mode>,
    pub(super) ra_period: u32,
    pub(super) router_lifetime: Option<u16>,
    pub(super) valid: u32,
    pub(super) preferred: Option<u32>,
    pub(super) refresh_time: u32,
    pub(super) rs_queue: Option<QueueNum>,
    pub(super) ns_queue: Option<QueueNum>,
    pub(super) dhcpv6_queue: Option<QueueNum>,
    /// The older name of `dhcpv6_queue`.
    pub(super) dhcp_queue: Option<QueueNum>,
    /// From old files: whether `dhcpv6_queue` counts.
    pub(super) enable_dhcpv6: bool,
    pub(super) nameservers: Vec<Ipv6Addr>,
    pub(super) domains: Vec<DomainName>,
    pub(super) router_preference: Preference,
    pub(super) dns_lifetime: Option<u32>,
    pub(super) route_lifetime: Option<u32>,
    pub(super) pref64_lifetime: Option<u16>,
    pub(super) rapid_commit: bool,
    pub(super) sol_max_rt: u32,
    pub(super) inf_max_rt: u32,
    pub(super) ntp: NtpServers,
    pub(super) routes: Vec<Route6>,
    pub(super) pref64: Option<Pref64>,
    pub(super) captive_portal: Option<Printable>,
}

/// What is wrong between keys that are right, each for itself.
#[derive(Debug)]
pub(super) struct Conflict {
    pub(super) section: &'static str,
    pub(super) key: &'static str,
    pub(super) reason: String,
}

/// What a configuration comes to.
#[derive(Debug)]
pub(super) struct Resolved {
    /// The configuration as used; None where there are conflicts.
    pub(super) config: Option<Config>,
    /// Why it cannot be used.
    pub(super) conflicts: Vec<Conflict>,
    /// What deserves a warning.
    pub(super) doubts: Vec<Conflict>,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            general: General {
                pidfile: None,
                datapath: PathBuf::from("/var/lib/nfdhcpd"),
                logdir: None,
                user: "nobody".to_owned(),
                control_socket: Some(PathBuf::from("/run/nfdhcpd/control.sock")),
                control_group: None,
                metrics_listen: None,
                log_format: LogFormat::Text,
                sandbox: true,
                rate_limit: RateLimit::Auto,
                rate_burst: 100,
                backlog: Backlog::default(),
                router_mac: None,
                announce_on: None,
            },
            lease: LeaseTimes { lifetime: 604_800, renewal: 3_600 },
            enable_dhcp: true,
            dhcp: Dhcp {
                queue: QueueNum(42),
                server_ip: None,
                server_on_link: false,
                rapid_commit: false,
                nameservers: Vec::new(),
                domain: None,
                domain_search: Vec::new(),
                ntp: Vec::new(),
                routes: Vec::new(),
                next_server: None,
                tftp_server: None,
                bootfiles: BootFiles::default(),
                v6only_wait: None,
                captive_portal: None,
                options: RawOptions::default(),
            },
            enable_ipv6: true,
            ipv6: WrittenIpv6::default(),
        }
    }
}

impl Default for WrittenIpv6 {
    fn default() -> Self {
        Self {
            mode: None,
            ra_period: 600,
            router_lifetime: None,
            valid: 2_592_000,
            preferred: None,
            refresh_time: 86_400,
            rs_queue: None,
            ns_queue: None,
            dhcpv6_queue: None,
            dhcp_queue: None,
            enable_dhcpv6: true,
            nameservers: Vec::new(),
            domains: Vec::new(),
            router_preference: Preference::default(),
            dns_lifetime: None,
            route_lifetime: None,
            pref64_lifetime: None,
            rapid_commit: true,
            sol_max_rt: 3_600,
            inf_max_rt: 3_600,
            ntp: NtpServers::default(),
            routes: Vec::new(),
            pref64: None,
            captive_portal: None,
        }
    }
}

impl Written {
    /// What it comes to, with every conflict in it.
    pub(super) fn resolve(self) -> Resolved {
        let has_dhcpv6_queue = self.ipv6.dhcpv6_queue.is_some();
        let mut conflicts: Vec<Conflict> = self.general.shared_paths().collect();
        if !self.enable_dhcp && !self.enable_ipv6 {
            let reason = "nothing to do: enable_ipv6 and dhcp.enable_dhcp are both no";
            conflicts.push(conflict("enable_ipv6", reason.to_owned()));
        }
        if self.enable_dhcp && self.dhcp.server_ip.is_none() && !self.dhcp.server_on_link {
            conflicts.push(Conflict {
                section: "dhcp",
                key: "server_ip",
                reason: "required, unless server_on_link or enable_dhcp say otherwise".to_owned(),
            });
        }
        let ipv6 = if self.enable_ipv6 { self.ipv6.resolve(&mut conflicts) } else { None };
        let doubts = ipv6.as_ref().map(|ipv6| doubts(ipv6, has_dhcpv6_queue)).unwrap_or_default();
        let dhcp = self.enable_dhcp.then_some(self.dhcp);
        let config = Config { general: self.general, lease: self.lease, dhcp, ipv6 };
        Resolved { config: conflicts.is_empty().then_some(config), conflicts, doubts }
    }
}

impl General {
    /// Keys whose file another one has: whichever is made last takes the other's place, or fails.
    fn shared_paths(&self) -> impl Iterator<Item = Conflict> {
        let metrics = self.metrics_listen.as_ref().and_then(MetricsListen::path);
        let control = ("control_socket", self.control_socket.as_deref());
        let metrics = ("metrics_listen", metrics);
        let pidfile = ("pidfile", self.pidfile.as_deref());
        let pairs = [(control, metrics), (control, pidfile), (metrics, pidfile)];
        let shared = pairs.into_iter().filter(|((_, first), (_, second))| first.is_some() && first == second);
        shared.map(|((first, _), (second, _))| Conflict {
            section: "general",
            key: second,
            reason: format!("the path of {first} as well; each needs a file of its own"),
        })
    }
}

impl WrittenIpv6 {
    /// The section as used; None where something was added to `conflicts`.
    fn resolve(mut self, conflicts: &mut Vec<Conflict>) -> Option<Ipv6> {
        self.dhcpv6_queue = self.dhcpv6_queue.or(self.dhcp_queue).filter(|_| self.enable_dhcpv6);
        let router_lifetime = noted(conflicts, self.router_lifetime());
        let preferred = noted(conflicts, self.preferred());
        let mode = noted(conflicts, self.mode())?;
        let router_lifetime = router_lifetime?;
        Some(Ipv6 {
            mode,
            rs_queue: self.rs_queue,
            ns_queue: self.ns_queue,
            dhcpv6_queue: self.dhcpv6_queue.filter(|_| mode != Ipv6Mode::Slaac),
            ra_period: self.ra_period,
            router_lifetime,
            prefix_valid_lifetime: self.valid,
            prefix_preferred_lifetime: preferred?,
            information_refresh_time: self.refresh_time,
            // RFC 8106 §5.1: not shorter than the router that leads to the servers lives.
            dns_lifetime: self.dns_lifetime.unwrap_or(self.usual_lifetime().max(router_lifetime.into())),
            route_lifetime: self.route_lifetime.unwrap_or(self.usual_lifetime()),
            pref64_lifetime: self.pref64_lifetime.unwrap_or_else(|| self.usual_pref64_lifetime()),
            nameservers: self.nameservers,
            domains: self.domains,
            router_preference: self.router_preference,
            rapid_commit: self.rapid_commit,
            sol_max_rt: self.sol_max_rt,
            inf_max_rt: self.inf_max_rt,
            ntp: self.ntp,
            routes: self.routes,
            pref64: self.pref64,
            captive_portal: self.captive_portal,
        })
    }

    /// What is advertised outlives two advertisements that are lost, and is at least half an hour.
    fn usual_lifetime(&self) -> u32 {
        self.ra_period.saturating_mul(3).max(1_800)
    }

    /// RFC 8781 §4.1: rounded up to a multiple of 8, and at most 65,528.
    fn usual_pref64_lifetime(&self) -> u16 {
        let lifetime = self.usual_lifetime().min(65_528).next_multiple_of(8);
        u16::try_from(lifetime).unwrap_or(65_528)
    }

    /// A lifetime under `ra_period` would run out between two advertisements (RFC 4861 §6.2.1).
    fn router_lifetime(&self) -> Result<u16, Conflict> {
        let Some(lifetime) = self.router_lifetime else {
            return Ok(u16::try_from(self.usual_lifetime()).unwrap_or(u16::MAX));
        };
        if lifetime != 0 && u32::from(lifetime) < self.ra_period {
            let reason = format!("less than ra_period, which is {}; 0 is allowed", self.ra_period);
            return Err(conflict("router_lifetime", reason));
        }
        Ok(lifetime)
    }

    /// RFC 4861 §6.2.1: `AdvPreferredLifetime` is at most `AdvValidLifetime`.
    fn preferred(&self) -> Result<u32, Conflict> {
        let Some(preferred) = self.preferred else {
            return Ok(self.valid.min(604_800));
        };
        if preferred > self.valid {
            let reason = format!("more than prefix_valid_lifetime, which is {}", self.valid);
            return Err(conflict("prefix_preferred_lifetime", reason));
        }
        Ok(preferred)
    }

    fn mode(&self) -> Result<Ipv6Mode, Conflict> {
        let Some(mode) = self.mode else {
            return self.automatic_mode();
        };
        let missing = self.missing_queues(mode);
        if missing.is_empty() {
            return Ok(mode);
        }
        let but = if self.enable_dhcpv6 { "" } else { " (enable_dhcpv6 = no drops dhcpv6_queue)" };
        let reason = format!("mode {mode} needs {}{but}", missing.join(" and "));
        Err(conflict("mode", reason))
    }

    /// `auto`: what the queues that are set amount to.
    fn automatic_mode(&self) -> Result<Ipv6Mode, Conflict> {
        let has_dhcpv6 = self.dhcpv6_queue.is_some();
        let mode = match (self.rs_queue.is_some(), self.ns_queue.is_some()) {
            (false, false) if has_dhcpv6 => Ipv6Mode::Dhcpv6,
            (false, false) => {
                let reason = "auto needs rs_queue and ns_queue (slaac), dhcpv6_queue as well (slaac+dhcpv6) or \
                              dhcpv6_queue alone (dhcpv6), and none is set; enable_ipv6 = no does without";
                return Err(conflict("mode", reason.to_owned()));
            }
            _ if has_dhcpv6 => Ipv6Mode::SlaacDhcpv6,
            _ => Ipv6Mode::Slaac,
        };
        let missing = self.missing_queues(mode).join(" and ");
        if missing.is_empty() {
            return Ok(mode);
        }
        let or = if has_dhcpv6 { "; mode = dhcpv6 does without" } else { "" };
        Err(conflict("mode", format!("auto with these queues means {mode}, which needs {missing}{or}")))
    }

    /// The queues that `mode` needs and that are not set.
    fn missing_queues(&self, mode: Ipv6Mode) -> Vec<&'static str> {
        let needs_nd = mode != Ipv6Mode::Dhcpv6;
        let needs_dhcpv6 = mode != Ipv6Mode::Slaac;
        let mut missing = vec![
            ("rs_queue", needs_nd && self.rs_queue.is_none()),
            ("ns_queue", needs_nd && self.ns_queue.is_none()),
            ("dhcpv6_queue", needs_dhcpv6 && self.dhcpv6_queue.is_none()),
        ];
        missing.retain(|(_, is_missing)| *is_missing);
        missing.into_iter().map(|(name, _)| name).collect()
    }
}

/// What an operator should know of a section that is in order.
fn doubts(config: &Ipv6, has_dhcpv6_queue: bool) -> Vec<Conflict> {
    let mut doubts = short_lifetimes(config);
    if config.mode == Ipv6Mode::Slaac && has_dhcpv6_queue {
        let reason = "unused in mode slaac: the queue is not bound, so packets sent to it are dropped by the kernel";
        doubts.push(conflict("dhcpv6_queue", reason.to_owned()));
    }
    doubts
}

/// What runs out before it is advertised again. RFC 8106 §5.1 wants three times `MaxRtrAdvInterval` for name servers, and
/// RFC 4861 §6.2.1 at least once for the router. Zero says that it is not to be used.
fn short_lifetimes(config: &Ipv6) -> Vec<Conflict> {
    let lifetimes = [
        ("dns_lifetime", config.dns_lifetime),
        ("route_lifetime", config.route_lifetime),
        ("pref64_lifetime", config.pref64_lifetime.into()),
    ];
    let period = config.ra_period;
    let is_short = |lifetime: u32| config.rs_queue.is_some() && (1..period).contains(&lifetime);
    let short = lifetimes.into_iter().filter(|(_, lifetime)| is_short(*lifetime));
    let reason = || format!("less than ra_period, which is {period}: what has it runs out between two advertisements");
    short.map(|(key, _)| conflict(key, reason())).collect()
}

fn noted<T>(conflicts: &mut Vec<Conflict>, result: Result<T, Conflict>) -> Option<T> {
    result.map_err(|conflict| conflicts.push(conflict)).ok()
}

fn conflict(key: &'static str, reason: String) -> Conflict {
    Conflict { section: "ipv6", key, reason }
}
