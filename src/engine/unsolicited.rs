//! What the engine says unasked: advertisements to guests, announcements to their neighbours, and when.

use std::time::Duration;

use super::announcer::{self, Presence};
use super::ra::Situation;
use super::router::{self, Misfit, NoRouter};
use super::slot::Slot;
use super::{Engine, Link, Notice, Now, Reason, Transmit};
use crate::binding::{IfIndex, InterfaceName};
use crate::wire::{MacAddr, ethernet, ipv6, ndp};

impl Engine {
    /// Works out anew what operator, guest and neighbours are to be told of `tap`, after anything about it changed.
    pub(super) fn refresh(&mut self, now: Now, tap: InterfaceName) {
        let link = self.table.link(tap).map(|link| (link.ifindex, link.is_ready));
        let ready = link.filter(|(_, is_ready)| *is_ready).map(|(ifindex, _)| ifindex);
        let router = self.router(tap);
        let situation = self.situation(tap, router, ready);
        let presence = self.presence(tap, ready);
        let misfit = self.misfit(tap, router);
        let has_uplink = self.uplink().is_some();
        let Some(slot) = self.table.slot(tap) else { return };
        slot.set_router(router);
        self.notices.extend(slot.tell(tap, link.map(|(ifindex, _)| ifindex)));
        self.notices.extend(slot.tell_misfit(misfit));
        let old = slot.poll_timeout();
        slot.advertise(now, situation, ready);
        slot.announcer.set_uplink(now, has_uplink);
        slot.announcer.set(now, presence);
        slot.hold(now);
        self.schedule.replace(tap, old, slot.poll_timeout());
        let is_waiting = slot.announcer.is_waiting();
        self.tell_uplink(is_waiting);
    }

    /// Who the router of the guest of `tap` is.
    fn router(&self, tap: InterfaceName) -> Result<MacAddr, NoRouter> {
        let binding = &self.table.serving(tap).ok_or(NoRouter::NoIndev)?.binding;
        router::of(binding, self.table.link(binding.indev), self.config.general.router_mac)
    }

    /// What the advertisements of `tap`, whose router this is, depend on; None without a binding.
    fn situation(
        &self,
        tap: InterfaceName,
        router: Result<MacAddr, NoRouter>,
        ready: Option<IfIndex>,
    ) -> Option<Situation> {
        let serving = self.table.serving(tap)?;
        let period = self.config.ipv6.as_ref().map(|ipv6| ipv6.ra_period).unwrap_or_default();
        Some(Situation {
            content: serving.advertised.clone(),
            source: router.ok(),
            tap: ready,
            period: Duration::from_secs(period.into()),
        })
    }

    /// What is announced of the guest of `tap`; None where it is not here, or nothing of it is announced.
    fn presence(&self, tap: InterfaceName, ready: Option<IfIndex>) -> Option<Presence> {
        Presence::new(&self.table.serving(tap)?.binding, ready?, &self.config)
    }

    /// What is wrong with the MAC of `tap`, where that leaves a guest without IPv6.
    fn misfit(&self, tap: InterfaceName, router: Result<MacAddr, NoRouter>) -> Option<Misfit> {
        let binding = &self.table.serving(tap)?.binding;
        let is_served = self.config.ipv6.is_some() && binding.ipv6.is_some();
        match router {
            Err(NoRouter::Misfit(misfit)) if is_served => Some(misfit),
            _ => None,
        }
    }

    /// Whether guests are announced on the link `name`.
    pub(super) fn is_uplink(&self, name: InterfaceName) -> bool {
        self.config.general.announce_on == Some(name)
    }

    /// The link on which guests are announced and its MAC, if it can take a frame.
    fn uplink(&self) -> Option<(&Link, MacAddr)> {
        let link = self.table.link(self.config.general.announce_on?)?;
        let mac = link.mac.filter(|mac| mac.is_unicast())?;
        link.is_ready.then_some((link, mac))
    }

    /// Says, once, that the uplink is awaited.
    pub(super) fn tell_uplink(&mut self, is_awaited: bool) {
        let uplink = self.config.general.announce_on;
        if self.missed != uplink || self.uplink().is_some() {
            self.missed = None;
        }
        if is_awaited && self.missed.is_none() {
            self.missed = uplink;
            self.notices.extend(uplink.map(|uplink| Notice::NoUplink { uplink }));
        }
    }

    /// When [`poll_transmit`](Self::poll_transmit) next has something to say, or [`handle_timeout`](Self::handle_timeout) to do, if
    /// nothing happens before.
    pub fn poll_timeout(&self) -> Option<Now> {
        if self.renewal.is_done() { self.schedule.next() } else { Some(Now::ZERO) }
    }

    /// The next unsolicited frame that is due, written into `frame`, which holds at least [`MAX_FRAME`](super::MAX_FRAME) bytes. To be
    /// called until it returns None.
    pub fn poll_transmit(&mut self, now: Now, frame: &mut [u8]) -> Option<Unsolicited> {
        while let Some(tap) = self.schedule.poll(now) {
            let slot = self.table.slot(tap)?;
            let old = slot.poll_timeout();
            slot.next_hop.forget(now);
            let frame = self.advertise(now, tap, frame).or_else(|| self.announce(now, tap, frame));
            let new = self.table.find(tap).and_then(Slot::poll_timeout);
            self.schedule.replace(tap, old, new);
            self.table.prune(tap);
            if let Some(unsolicited) = frame {
                self.count(unsolicited.reason);
                if unsolicited.reason != Reason::NoFit {
                    return Some(unsolicited);
                }
            }
        }
        None
    }

    /// The advertisement that is due to the guest of `tap`, if one is.
    fn advertise(&mut self, now: Now, tap: InterfaceName, frame: &mut [u8]) -> Option<Unsolicited> {
        let random = self.random.next();
        let advertisement = self.table.slot(tap)?.advertiser.poll_transmit(now, random)?;
        let ethernet = ethernet::Addresses { source: advertisement.source, destination: MacAddr::ALL_NODES };
        let source = advertisement.source.link_local();
        let len = ipv6::put_icmpv6(frame, ethernet, source, ndp::ALL_NODES, &advertisement.message)?;
        Some(Unsolicited::new(tap, Reason::Advertised, self.table.link(tap)?, len))
    }

    /// The announcement that is due about the guest of `tap`, if one is.
    fn announce(&mut self, now: Now, tap: InterfaceName, frame: &mut [u8]) -> Option<Unsolicited> {
        let has_uplink = self.uplink().is_some();
        let announcer = &mut self.table.slot(tap)?.announcer;
        // Its turn to hear that the uplink is gone may be yet to come. What it has to say must not be lost till then.
        announcer.set_uplink(now, has_uplink);
        let address = announcer.poll_transmit(now)?;
        let (link, mac) = self.uplink()?;
        let len = announcer::put(frame, mac, address)?;
        Some(Unsolicited::new(tap, Reason::Announced, link, len))
    }
}

/// A frame that nobody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsolicited {
    /// The tap whose guest it is for, or about.
    pub tap: InterfaceName,
    /// What it is counted as.
    pub reason: Reason,
    /// Where it goes.
    pub transmit: Transmit,
}

impl Unsolicited {
    /// A frame of `len` bytes for `link`, if that carries it.
    fn new(tap: InterfaceName, reason: Reason, link: &Link, len: usize) -> Self {
        let reason = if link.carries(len) { reason } else { Reason::NoFit };
        Self { tap, reason, transmit: Transmit { ifindex: link.ifindex, len } }
    }
}
