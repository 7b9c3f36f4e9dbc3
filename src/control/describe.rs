//! From what the engine knows to what is answered.

use super::answer::{Binding, Delegated, Exchange, Ipv4, Ipv6, Last, Node, Packets, Spoofed, State, Tap};
use super::settings::settings;
use crate::binding;
use crate::config::Config;
use crate::engine::history;
use crate::engine::slot::Stats;
use crate::engine::{Now, Reason, Status};

impl Tap {
    /// How a tap stands at the time `now`, where this configuration is in force.
    pub fn new(now: Now, status: &Status, config: &Config) -> Self {
        Self {
            tap: status.tap.to_string(),
            state: match (&status.binding, status.ifindex) {
                (None, _) => State::Rejected,
                (Some(_), None) => State::Pending,
                (Some(_), Some(_)) => State::Serving,
            },
            ifindex: status.ifindex.map(|ifindex| ifindex.value()),
            rejected: status.rejected.as_ref().map(ToString::to_string),
            binding: status.binding.as_ref().map(|binding| in_force(binding, status, config)),
            packets: packets(now, &status.stats),
        }
    }
}

fn in_force(binding: &binding::Binding, status: &Status, config: &Config) -> Binding {
    let ipv6 = binding.ipv6.as_ref();
    Binding {
        mac: binding.mac.to_string(),
        hostname: binding.hostname.to_string(),
        indev: binding.indev.to_string(),
        ipv4: binding.ipv4.map(|ipv4| Ipv4 { address: ipv4.address, subnet: ipv4.subnet, gateway: ipv4.gateway }),
        ipv6: ipv6.map(|ipv6| Ipv6 {
            subnets: ipv6.subnets.clone(),
            gateway: ipv6.gateway,
            eui64: ipv6.eui64,
            leased: ipv6.leased,
        }),
        delegated: delegated(binding, status),
        settings: settings(binding, config),
        unknown: binding.settings.unknown.iter().cloned().collect(),
    }
}

/// The node sends by `INDEV`: the tap itself, or the bridge that it is a port of.
fn delegated(binding: &binding::Binding, status: &Status) -> Option<Delegated> {
    let prefix = binding.ipv6.as_ref()?.delegated?;
    let (via, dev) = (status.delegated_via, binding.indev);
    let route = via.map(|via| format!("{prefix} via {via} dev {dev}"));
    Some(Delegated { prefix, via, dev: dev.to_string(), route })
}

fn packets(now: Now, stats: &Stats) -> Packets {
    let Stats { answered, refused, accepted, send_failed, history, spoofed, last_foreign } = *stats;
    let exchanges: Vec<_> = history.iter().map(|exchange| described(now, exchange)).collect();
    let last =
        exchanges.first().map(|newest| Last { outcome: newest.outcome.clone(), seconds_ago: newest.seconds_ago });
    let spoofed = Spoofed { count: spoofed, last_mac: last_foreign.map(|mac| mac.to_string()) };
    Packets { answered, refused, accepted, send_failed, last, exchanges, spoofed }
}

fn described(now: Now, exchange: &history::Exchange) -> Exchange {
    let history::Exchange { reason, times, .. } = *exchange;
    Exchange { outcome: reason.name().to_owned(), times, seconds_ago: exchange.seconds_ago(now) }
}

impl Node {
    /// This version, which has run for `now`. `datapath_gone` says what became of the directory of bindings, if it is gone.
    pub fn new(now: Now, counters: impl IntoIterator<Item = (Reason, u64)>, datapath_gone: Option<String>) -> Self {
        let counters = counters.into_iter().map(|(reason, count)| (reason.name().to_owned(), count));
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_seconds: now.as_secs(),
            counters: counters.collect(),
            datapath_gone,
        }
    }
}
