//! The lines of the log: what an operator reads of packets, of bindings and of their taps.

use std::io;
use std::net::Ipv4Addr;

use tracing::field::{DisplayValue, display};
use tracing::{debug, error, info, warn};

use super::line_limit::Suppressed;
use super::mailbox::Report;
use super::telling::News;
use crate::binding::{Binding, InterfaceName};
use crate::engine::announcer::PATIENCE;
use crate::engine::outcome::Severity;
use crate::engine::slot::Stats;
use crate::engine::{Notice, Outcome, Reason, Status};
use crate::text::joined;
use crate::wire::{DomainName, MacAddr};

/// Writes what the packet thread tells.
pub(super) fn write_news(news: &News) {
    match news {
        News::Outcome(outcome) => write_outcome(outcome),
        News::Notice(notice) => write_notice(notice),
        News::Overrun(queue, total) => {
            warn!(queue = queue.0, total, "packets came faster than they were read: the kernel dropped some");
        }
        News::VerdictsRefused(queue, error) => {
            warn!(queue = queue.0, "verdicts could not be given, trying again: {error}");
        }
        News::Suppressed(suppressed) => write_suppressed(suppressed),
        News::Lost(lines) => warn!(lines, "the log is too slow: lines were lost"),
    }
}

fn write_notice(notice: &Notice) {
    match notice {
        Notice::Serving { ifindex, binding } => {
            let Identity { hostname, mac, ip, prefix } = Identity::of(binding);
            info!(tap = %binding.tap, ifindex = ifindex.value(), %hostname, %mac, ip, prefix, "serving");
        }
        Notice::Pending { tap } => info!(%tap, "binding waits for its tap"),
        Notice::Rejected { tap, error, keeps_last } => warn!(%tap, keeps_last, "binding rejected: {error}"),
        Notice::Doubtful(doubt) => warn!("{doubt}"),
        Notice::Removed { tap } => info!(%tap, "binding removed"),
        Notice::BridgeMacChanged { bridge, old, new } => warn!(
            %bridge, %old, %new,
            "a bridge changed its address, so guests see another router: give it a fixed one"
        ),
        Notice::Delegated { tap, prefix, via: Some(via) } => info!(%tap, %prefix, %via, "delegated prefix in use"),
        Notice::Delegated { tap, prefix, via: None } => info!(%tap, %prefix, "delegated prefix released"),
        Notice::RouterMacMisfit(misfit) => error!(tap = %misfit.tap, "{misfit}"),
        Notice::NoUplink { uplink } => warn!(
            %uplink,
            "announce_on: no Ethernet link of this name is up; what is announced waits for it, {} s at most",
            PATIENCE.as_secs()
        ),
        Notice::SendFailed { tap, errno } => write_failure(*tap, *errno),
        Notice::AnnounceFailed { uplink, errno } => {
            let error = io::Error::from_raw_os_error(*errno);
            warn!(%uplink, reason = Reason::SendFailed.name(), "an announcement could not be sent: {error}");
        }
    }
}

fn write_failure(tap: InterfaceName, errno: i32) {
    let reason = Reason::SendFailed;
    let error = io::Error::from_raw_os_error(errno);
    warn!(%tap, reason = reason.name(), "{reason}: {error}");
}

fn write_suppressed(Suppressed { key, lines }: &Suppressed) {
    match key {
        Some((tap, reason)) => info!(tap = tap.map(display), reason, suppressed = lines, "more of the same"),
        None => info!(suppressed = lines, "more, of too many kinds to list"),
    }
}

fn write_outcome(outcome: &Outcome) {
    let Outcome { reason, detail, tap, omitted, .. } = *outcome;
    let (name, tap, detail) = (reason.name(), tap.map(display), detail.map(display));
    let omitted = Some(omitted).filter(|omitted| *omitted > 0);
    match reason.severity() {
        Severity::Debug => debug!(tap, reason = name, detail, omitted, "{reason}"),
        Severity::Info => info!(tap, reason = name, detail, omitted, "{reason}"),
        Severity::Warn => warn!(tap, reason = name, detail, omitted, "{reason}"),
    }
}

/// What an operator knows a guest by.
struct Identity<'a> {
    hostname: &'a DomainName,
    mac: MacAddr,
    ip: Option<DisplayValue<Ipv4Addr>>,
    prefix: Option<String>,
}

impl<'a> Identity<'a> {
    fn of(binding: &'a Binding) -> Self {
        Self {
            hostname: &binding.hostname,
            mac: binding.mac,
            ip: binding.ipv4.map(|ipv4| display(ipv4.address)),
            prefix: binding.ipv6.as_ref().map(|ipv6| joined(&ipv6.subnets)).filter(|list| !list.is_empty()),
        }
    }
}

/// Writes a line for each tap of a report.
pub(super) fn write_report(Report { now, taps }: &Report) {
    for Status { tap, ifindex, binding, rejected, delegated_via, stats } in taps {
        let ifindex = ifindex.map(|ifindex| ifindex.value());
        let Stats { answered, refused, accepted, send_failed, history, spoofed, .. } = *stats;
        let newest = history.iter().next();
        let last_seconds = newest.map(|exchange| exchange.seconds_ago(*now));
        let last = newest.map(|exchange| exchange.reason.name());
        let spoofed = Some(spoofed).filter(|spoofed| *spoofed > 0);
        if let Some(binding) = binding {
            let Identity { hostname, mac, ip, prefix } = Identity::of(binding);
            let delegated = binding.ipv6.as_ref().and_then(|ipv6| ipv6.delegated).map(display);
            let via = delegated_via.map(display);
            info!(
                %tap, ifindex, indev = %binding.indev, %hostname, %mac, ip, prefix, delegated, via, answered, refused,
                accepted, send_failed, spoofed, last, last_seconds, "binding"
            );
        }
        if let Some(error) = rejected {
            warn!(%tap, ifindex, "binding rejected: {error}");
        }
    }
}
