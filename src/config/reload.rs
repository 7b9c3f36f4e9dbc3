//! What a running daemon can take over from a configuration that was read again, and what needs a restart.

use super::{Config, Dhcp, General, Ipv6};

impl Config {
    /// The keys, as `section.key`, that differ in `new` and take effect at the next start only.
    ///
    /// The queues are bound, the files open and the privileges gone by the time a configuration is read again. A mode
    /// comes with its queues: where those differ, it waits for the restart with them.
    pub fn needs_restart(&self, new: &Self) -> Vec<&'static str> {
        let (general, new_general) = (&self.general, &new.general);
        let dhcp = self.dhcp.as_ref().zip(new.dhcp.as_ref());
        let ipv6 = self.ipv6.as_ref().zip(new.ipv6.as_ref());
        let ipv6_differs = |differs: fn(&Ipv6, &Ipv6) -> bool| ipv6.is_some_and(|(old, new)| differs(old, new));
        let differences = [
            ("general.pidfile", general.pidfile != new_general.pidfile),
            ("general.datapath", general.datapath != new_general.datapath),
            ("general.logdir", general.logdir != new_general.logdir),
            ("general.user", general.user != new_general.user),
            ("general.control_socket", general.control_socket != new_general.control_socket),
            ("general.control_group", general.control_group != new_general.control_group),
            ("general.metrics_listen", general.metrics_listen != new_general.metrics_listen),
            ("general.log_format", general.log_format != new_general.log_format),
            ("general.sandbox", general.sandbox != new_general.sandbox),
            ("general.queue_length", general.backlog.queue_length != new_general.backlog.queue_length),
            ("general.receive_buffer", general.backlog.receive_buffer != new_general.backlog.receive_buffer),
            ("general.fail_open", general.backlog.fail_open != new_general.backlog.fail_open),
            ("dhcp.enable_dhcp", self.dhcp.is_some() != new.dhcp.is_some()),
            ("dhcp.dhcp_queue", dhcp.is_some_and(|(old, new)| old.queue != new.queue)),
            ("ipv6.enable_ipv6", self.ipv6.is_some() != new.ipv6.is_some()),
            ("ipv6.mode", ipv6_differs(|old, new| old.mode != new.mode && !old.has_queues_of(new))),
            ("ipv6.rs_queue", ipv6_differs(|old, new| old.rs_queue != new.rs_queue)),
            ("ipv6.ns_queue", ipv6_differs(|old, new| old.ns_queue != new.ns_queue)),
            ("ipv6.dhcpv6_queue", ipv6_differs(|old, new| old.dhcpv6_queue != new.dhcpv6_queue)),
        ];
        let differing = differences.into_iter().filter(|(_, differs)| *differs);
        differing.map(|(key, _)| key).collect()
    }

    /// The configuration to run with after `new` was read: `new`, except for what
    /// [`needs_restart`](Self::needs_restart) names. A section that was switched on or off stays as it is.
    pub fn keep_fixed(&self, new: Self) -> Self {
        Self {
            general: self.general.keep_fixed(&new.general),
            lease: new.lease,
            dhcp: keep_section(&self.dhcp, new.dhcp, Dhcp::keep_fixed),
            ipv6: keep_section(&self.ipv6, new.ipv6, Ipv6::keep_fixed),
        }
    }
}

fn keep_section<S: Clone>(old: &Option<S>, new: Option<S>, keep_fixed: fn(&S, S) -> S) -> Option<S> {
    match (old, new) {
        (Some(old), Some(new)) => Some(keep_fixed(old, new)),
        _ => old.clone(),
    }
}

impl General {
    fn keep_fixed(&self, new: &Self) -> Self {
        Self {
            pidfile: self.pidfile.clone(),
            datapath: self.datapath.clone(),
            logdir: self.logdir.clone(),
            user: self.user.clone(),
            control_socket: self.control_socket.clone(),
            control_group: self.control_group.clone(),
            metrics_listen: self.metrics_listen.clone(),
            log_format: self.log_format,
            sandbox: self.sandbox,
            backlog: self.backlog,
            ..new.clone()
        }
    }
}

impl Dhcp {
    fn keep_fixed(&self, new: Self) -> Self {
        Self { queue: self.queue, ..new }
    }
}

impl Ipv6 {
    fn keep_fixed(&self, new: Self) -> Self {
        if self.has_queues_of(&new) {
            return new;
        }
        Self {
            mode: self.mode,
            rs_queue: self.rs_queue,
            ns_queue: self.ns_queue,
            dhcpv6_queue: self.dhcpv6_queue,
            ..new
        }
    }

    fn has_queues_of(&self, other: &Self) -> bool {
        let queues = |ipv6: &Self| (ipv6.rs_queue, ipv6.ns_queue, ipv6.dhcpv6_queue);
        queues(self) == queues(other)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::RateLimit;

    const OLD: &str = "[dhcp]\nserver_ip = 192.0.2.1\n\
                       [ipv6]\nrs_queue = 43\nns_queue = 44\ndhcpv6_queue = 45\n";

    fn config(text: &str) -> Config {
        super::super::parse(Path::new("x.conf"), text.as_bytes()).unwrap().config
    }

    /// What each change needs, and that keeping the rest leaves nothing that needs a restart.
    #[test]
    fn names_what_needs_a_restart_and_keeps_it() {
        let old = config(OLD);
        for (change, expected) in [
            (OLD.to_owned(), vec![]),
            (
                format!("[general]\npidfile=/p\ndatapath=/d\nlogdir=/l\nuser=1\n{OLD}"),
                vec!["general.pidfile", "general.datapath", "general.logdir", "general.user"],
            ),
            (
                format!("[general]\ncontrol_socket = none\ncontrol_group = adm\n{OLD}"),
                vec!["general.control_socket", "general.control_group"],
            ),
            (
                format!("[general]\nmetrics_listen = /m\nlog_format = json\nsandbox = no\n{OLD}"),
                vec!["general.metrics_listen", "general.log_format", "general.sandbox"],
            ),
            (
                format!("[general]\nqueue_length = 7\nreceive_buffer = 131072\nfail_open = yes\n{OLD}"),
                vec!["general.queue_length", "general.receive_buffer", "general.fail_open"],
            ),
            (format!("[general]\nrate_limit=5\n{OLD}ra_period=100\nmode=dhcpv6\n[dhcp]\nlease_lifetime=60"), vec![]),
            (format!("{OLD}[dhcp]\ndhcp_queue = 52"), vec!["dhcp.dhcp_queue"]),
            (format!("{OLD}[dhcp]\nenable_dhcp = no"), vec!["dhcp.enable_dhcp"]),
            (format!("{OLD}enable_ipv6 = no"), vec!["ipv6.enable_ipv6"]),
            (format!("{OLD}rs_queue = 53\nns_queue = 54"), vec!["ipv6.rs_queue", "ipv6.ns_queue"]),
            (format!("{OLD}mode = slaac"), vec!["ipv6.mode", "ipv6.dhcpv6_queue"]),
        ] {
            let new = config(&change);
            assert_eq!(old.needs_restart(&new), expected, "{change}");
            let kept = old.keep_fixed(new);
            assert_eq!(old.needs_restart(&kept), Vec::<&str>::new(), "{change}");
            assert_eq!(kept.queues(), old.queues(), "{change}");
        }
    }

    #[test]
    fn takes_over_the_rest() {
        let old = config(OLD);
        let new = config(&format!(
            "[general]\nuser = 7\nrate_limit = 0\nrate_burst = 6\n{OLD}mode = slaac\nra_period = 99\n\
             [dhcp]\ndhcp_queue = 1\nlease_lifetime = 61"
        ));
        let kept = old.keep_fixed(new.clone());
        assert_eq!((kept.general.rate_limit, kept.general.rate_burst), (RateLimit::Unlimited, 6));
        assert_eq!(kept.general.user, "nobody");
        let (dhcp, ipv6) = (kept.dhcp.unwrap(), kept.ipv6.unwrap());
        assert_eq!((kept.lease.lifetime, dhcp.queue), (61, old.dhcp.unwrap().queue));
        let old_ipv6 = old.ipv6.unwrap();
        assert_eq!((ipv6.ra_period, ipv6.mode, ipv6.dhcpv6_queue), (99, old_ipv6.mode, old_ipv6.dhcpv6_queue));
    }
}
