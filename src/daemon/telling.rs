//! What an operator reads of packets and of the engine's notices.

use std::net::Ipv4Addr;

use ipnet::Ipv6Net;
use tracing::field::{DisplayValue, display};
use tracing::{Level, debug, enabled, info, warn};

use super::mailbox::Report;
use super::outcome_log::{OutcomeLog, Suppressed};
use crate::binding::{Binding, InterfaceName};
use crate::config::QueueNum;
use crate::engine::outcome::Severity;
use crate::engine::slot::Stats;
use crate::engine::{Notice, Now, Outcome, Reason, Status};
use crate::wire::{DomainName, MacAddr};

/// The counter of receive buffers that overflowed.
const QUEUE_OVERRUN: &str = "queue_overrun";

/// Writes log lines, as many as are admitted.
#[derive(Debug)]
pub(super) struct Teller {
    log: OutcomeLog,
}

impl Teller {
    /// Nothing told yet.
    pub(super) fn new() -> Self {
        Self { log: OutcomeLog::new() }
    }

    /// Tells the end of a packet.
    pub(super) fn tell_outcome(&mut self, now: Now, outcome: &Outcome) {
        let Outcome { reason, tap, .. } = *outcome;
        if is_shown(reason.severity()) && self.log.admit(now, (tap, reason.name())) {
            tell_reason(outcome);
        }
    }

    /// Tells that the receive buffer of a queue has overflowed, `total` times by now.
    pub(super) fn tell_overrun(&mut self, now: Now, queue: QueueNum, total: u64) {
        if self.log.admit(now, (None, QUEUE_OVERRUN)) {
            warn!(%queue, total, "packets came faster than they were read: the kernel dropped some");
        }
    }

    /// Tells what the engine noticed.
    pub(super) fn tell_notice(&mut self, now: Now, notice: &Notice) {
        match notice {
            Notice::Serving { ifindex, binding } => {
                let Identity { hostname, mac, ip, prefix } = Identity::of(binding);
                info!(tap = %binding.tap, %ifindex, %hostname, %mac, ip, prefix, "serving");
            }
            Notice::Pending { tap } => info!(%tap, "binding waits for its tap"),
            Notice::Rejected { tap, error, keeps_last } => warn!(%tap, keeps_last, "binding rejected: {error}"),
            Notice::Removed { tap } => info!(%tap, "binding removed"),
            Notice::BridgeMacChanged { bridge, old, new } => warn!(
                %bridge, %old, %new,
                "a bridge changed its address, so guests see another router: give it a fixed one"
            ),
            Notice::SendFailed { tap, errno } => self.tell_failure(now, *tap, *errno),
        }
    }

    /// Tells how many lines were suppressed in spans that are over.
    pub(super) fn tell_suppressed(&mut self, now: Now) {
        while let Some(Suppressed { key, lines }) = self.log.poll_suppressed(now) {
            match key {
                Some((Some(tap), reason)) => {
                    info!(%tap, reason, suppressed = lines, "more of the same")
                }
                Some((None, reason)) => info!(reason, suppressed = lines, "more of the same"),
                None => info!(suppressed = lines, "more, of too many kinds to list"),
            }
        }
    }

    /// When [`tell_suppressed`](Self::tell_suppressed) is next to be called.
    pub(super) fn poll_timeout(&self) -> Option<Now> {
        self.log.poll_timeout()
    }

    /// Tells that a frame could not be sent. How often that happens is in the guest's hands.
    fn tell_failure(&mut self, now: Now, tap: InterfaceName, errno: i32) {
        let reason = Reason::SendFailed;
        if self.log.admit(now, (Some(tap), reason.name())) {
            let error = std::io::Error::from_raw_os_error(errno);
            warn!(%tap, reason = reason.name(), "{reason}: {error}");
        }
    }
}

/// Whether lines of this severity are printed at all.
fn is_shown(severity: Severity) -> bool {
    match severity {
        Severity::Debug => enabled!(Level::DEBUG),
        Severity::Info => enabled!(Level::INFO),
        Severity::Warn => enabled!(Level::WARN),
    }
}

/// Writes the line of a packet's end.
fn tell_reason(outcome: &Outcome) {
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
    prefix: Option<DisplayValue<Ipv6Net>>,
}

impl<'a> Identity<'a> {
    fn of(binding: &'a Binding) -> Self {
        Self {
            hostname: &binding.hostname,
            mac: binding.mac,
            ip: binding.ipv4.map(|ipv4| display(ipv4.address)),
            prefix: binding.ipv6.map(|ipv6| display(ipv6.subnet)),
        }
    }
}

/// Writes a line for each tap that has a binding file.
pub(super) fn tell_report(Report { now, taps }: &Report) {
    for Status { tap, ifindex, binding, rejected, stats } in taps {
        let ifindex = ifindex.map(display);
        let Stats { answered, refused, accepted, send_failed, last } = *stats;
        let last_seconds = last.map(|(when, _)| now.saturating_sub(when).as_secs());
        let last = last.map(|(_, reason)| reason.name());
        if let Some(binding) = binding {
            let Identity { hostname, mac, ip, prefix } = Identity::of(binding);
            info!(
                %tap, ifindex, indev = %binding.indev, %hostname, %mac, ip, prefix, answered, refused, accepted,
                send_failed, last, last_seconds, "binding"
            );
        }
        if let Some(error) = rejected {
            warn!(%tap, ifindex, "binding rejected: {error}");
        }
    }
    info!(count = taps.len(), "bindings");
}
