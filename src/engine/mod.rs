//! What becomes of a packet: the daemon's decisions, without sockets, files, clocks or threads.

pub mod announcer;
pub mod dhcpv4;
pub mod dhcpv6;
pub mod doubt;
pub mod event;
pub mod fit;
mod guest;
pub mod history;
mod lease;
pub mod limits;
pub mod na;
mod name;
mod next_hop;
pub mod outcome;
pub mod pressure;
pub mod ra;
mod reach;
pub mod rehearsal;
mod renewal;
mod router;
mod schedule;
pub mod slot;
pub mod solicitation;
mod table;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod unsolicited;

use std::collections::VecDeque;
use std::net::Ipv6Addr;
use std::sync::Arc;
use std::time::Duration;

pub use event::{Event, Link, Notice};
use guest::Guest;
use limits::Limit;
pub use outcome::{Outcome, Reason, Severity, Verdict};
use pressure::Pressure;
use renewal::Renewal;
pub use router::Misfit;
use schedule::Schedule;
use slot::{LastNotice, Rejected, Serving, Slot, Stats};
use table::{Sender, Served, Table};
pub use unsolicited::Unsolicited;

use crate::binding::{Binding, BindingError, IfIndex, InterfaceName};
use crate::config::{Config, RateLimit};
use crate::wire::dhcpv4::OptionList;
use crate::wire::{Checksums, MacAddr};

/// Monotonic time, since an epoch of the caller's choice.
pub type Now = Duration;

/// The largest frame that the engine makes, in bytes: an Ethernet header and 1,500 bytes.
pub const MAX_FRAME: usize = 14 + 1500;

/// How many packets of one tap are looked at in a second while packets pile up: more than an honest guest ever sends, and
/// little of what the daemon can do.
const SHARE: u32 = 1_000;
/// How many guests count where only a bridge is named. All of them have this together, be they more, and one of them may
/// take it all: so it has to be little of what the daemon can do as well.
const CROWD: u32 = 32;

/// A packet that netfilter diverted, as NFQUEUE delivers it.
#[derive(Debug, Clone, Copy)]
pub struct Ingress<'a> {
    /// `NFQA_IFINDEX_INDEV`: the interface the packet came in on.
    pub indev: Option<IfIndex>,
    /// `NFQA_IFINDEX_PHYSINDEV`: the bridge port, where the kernel names one.
    pub physindev: Option<IfIndex>,
    /// `NFQA_HWADDR`: the frame's source address, where the kernel gives one.
    pub source_mac: Option<MacAddr>,
    /// `NFQA_SKB_INFO`: whether the checksums are complete.
    pub checksums: Checksums,
    /// The packet, from its IP header on.
    pub packet: &'a [u8],
}

/// A frame to send: the first `len` bytes of the buffer, out of the interface `ifindex`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transmit {
    /// The tap, or the uplink.
    pub ifindex: IfIndex,
    /// The length of the frame in bytes, Ethernet header included.
    pub len: usize,
}

/// Bindings, links, configuration, and what follows from them for each packet.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    table: Table,
    schedule: Schedule,
    renewal: Renewal,
    random: Random,
    counters: [u64; Reason::ALL.len()],
    notices: VecDeque<Notice>,
    /// Whether packets pile up.
    pressure: Pressure,
    /// The uplink that the operator knows to be missing.
    missed: Option<InterfaceName>,
    /// Reused from reply to reply.
    options: OptionList,
}

/// One tap as it stands, for display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The tap.
    pub tap: InterfaceName,
    /// Its index, if it is there.
    pub ifindex: Option<IfIndex>,
    /// The binding in force.
    pub binding: Option<Arc<Binding>>,
    /// Why the file as it is now is not in force.
    pub rejected: Option<BindingError>,
    /// By which address of the guest its delegated prefix is reached; None until it asked for it.
    pub delegated_via: Option<Ipv6Addr>,
    /// What became of its packets.
    pub stats: Stats,
}

impl Engine {
    /// An engine that knows no binding and no link yet. `seed` spreads the periodic advertisements.
    pub fn new(config: Config, seed: u64) -> Self {
        Self {
            config,
            table: Table::default(),
            schedule: Schedule::default(),
            renewal: Renewal::default(),
            random: Random(seed),
            counters: [0; Reason::ALL.len()],
            notices: VecDeque::new(),
            pressure: Pressure::default(),
            missed: None,
            options: OptionList::default(),
        }
    }

    /// Decides on one packet. A reply, if there is one, is in `frame`, which holds at least [`MAX_FRAME`] bytes.
    pub fn handle_packet(&mut self, now: Now, ingress: &Ingress<'_>, frame: &mut [u8]) -> Outcome {
        let outcome = match self.table.identify(ingress) {
            Ok(sender) => self.handle_known(now, sender, ingress, frame),
            Err(stranger) => Outcome::refused(stranger.reason.into(), stranger.name),
        };
        self.count(outcome.reason);
        outcome
    }

    /// Decides on a packet of a guest with a binding.
    fn handle_known(&mut self, now: Now, sender: Sender, ingress: &Ingress<'_>, frame: &mut [u8]) -> Outcome {
        // Before anything is read: to refuse a flood must cost less than to make it.
        let outcome = if self.table.take_token(sender.named, now, self.limit(now, sender)) {
            self.answer(sender, ingress, frame)
        } else {
            Outcome::refused(Reason::RateLimited.into(), Some(sender.tap))
        };
        let Some(slot) = self.table.slot_at(sender.key) else { return outcome };
        slot.stats.count(now, &outcome);
        if outcome.reason == Reason::RouterAdvertised {
            slot.advertiser.mark_told();
        }
        if let Some(delegation) = outcome.delegation {
            self.notices.extend(slot.delegate(sender.tap, delegation));
        }
        outcome
    }

    /// What the sender may ask for now. A bridge that hides its ports has a share for each of its guests, up to a number.
    fn limit(&self, now: Now, sender: Sender) -> Limit {
        let is_pressed = || self.pressure.is_felt(now);
        let (rate, guests) = match self.config.general.rate_limit {
            RateLimit::PerSecond(rate) => (rate.get(), 1),
            RateLimit::Auto if is_pressed() && sender.is_claimed => (SHARE, self.table.crowd(sender.named, CROWD)),
            RateLimit::Auto if is_pressed() => (SHARE, 1),
            RateLimit::Auto | RateLimit::Unlimited => (0, 1),
        };
        Limit { rate: rate.saturating_mul(guests), burst: self.config.general.rate_burst.saturating_mul(guests) }
    }

    fn answer(&mut self, sender: Sender, ingress: &Ingress<'_>, frame: &mut [u8]) -> Outcome {
        answer(&self.table, &self.config, sender, ingress, &mut self.options, frame)
    }

    /// Takes in a change of bindings, links or configuration.
    pub fn handle_event(&mut self, now: Now, event: Event) {
        match event {
            Event::BindingLoaded(binding) => self.load(now, binding.into()),
            Event::BindingRejected(tap, error) => self.reject_file(now, tap, error),
            Event::BindingRemoved(tap) => self.remove(now, tap),
            Event::LinkChanged(link) => self.change_link(now, link),
            Event::LinkGone(ifindex) => self.lose_link(now, ifindex),
            Event::ConfigChanged(config) => self.reconfigure(now, &config),
            Event::SendFailed(ifindex, errno) => self.count_send_failure(now, ifindex, errno),
            Event::Waiting(fill) => self.pressure.take(now, fill),
            Event::PacketsLost => self.pressure.take_loss(now),
        }
    }

    fn load(&mut self, now: Now, binding: Arc<Binding>) {
        let tap = binding.tap;
        let is_known = self.table.serving(tap).is_some_and(|serving| serving.binding == binding);
        if is_known && !self.table.is_rejected(tap) {
            return;
        }
        if let Some(slot) = self.table.slot(tap) {
            slot.told = LastNotice::Nothing;
        }
        self.put_in_force(now, binding);
    }

    /// Makes the answers of `binding`; if they fit, it is in force from now on.
    fn put_in_force(&mut self, now: Now, binding: Arc<Binding>) {
        let tap = binding.tap;
        match Serving::new(&binding, &self.config) {
            Ok(serving) => {
                self.tell_doubts(&serving);
                self.table.set_serving(tap, Some(serving));
            }
            Err(error) => self.reject(tap, error, Some(binding)),
        }
        // The router may be another one even where the answers stay as they were.
        self.refresh(now, tap);
    }

    /// Tells what is doubtful of a binding that is about to be in force, and was not so of the one that is.
    fn tell_doubts(&mut self, serving: &Serving) {
        let known = self.table.serving(serving.binding.tap).map(|old| &*old.doubts).unwrap_or_default();
        let news = serving.doubts.iter().filter(|doubt| !known.contains(doubt));
        self.notices.extend(news.cloned().map(Notice::Doubtful));
    }

    /// Keeps the last good binding, if there is one.
    fn reject_file(&mut self, now: Now, tap: InterfaceName, error: BindingError) {
        self.reject(tap, error, None);
        self.refresh(now, tap);
    }

    fn reject(&mut self, tap: InterfaceName, error: BindingError, unfit: Option<Arc<Binding>>) {
        let keeps_last = self.table.set_rejected(tap, Rejected { error: error.clone(), unfit });
        self.notices.push_back(Notice::Rejected { tap, error, keeps_last });
    }

    fn remove(&mut self, now: Now, tap: InterfaceName) {
        let Some(slot) = self.table.slot(tap) else { return };
        slot.told = LastNotice::Nothing;
        self.table.set_serving(tap, None);
        self.notices.push_back(Notice::Removed { tap });
        self.refresh(now, tap);
        self.table.prune(tap);
    }

    fn change_link(&mut self, now: Now, link: Link) {
        let old = self.table.set_link(link.clone());
        if old.as_ref() == Some(&link) {
            return;
        }
        if let Some(old) = &old {
            self.tell_bridge(old, &link);
        }
        if let Some(old) = old.as_ref().filter(|old| old.name != link.name) {
            self.refresh_users(now, old.name);
        }
        if old.as_ref().is_some_and(|old| old.name == link.name && old.mac == link.mac) {
            self.refresh(now, link.name);
        } else {
            self.refresh_users(now, link.name);
        }
        if self.is_uplink(link.name) || old.is_some_and(|old| self.is_uplink(old.name)) {
            self.refresh_uplink(now);
        }
    }

    fn lose_link(&mut self, now: Now, ifindex: IfIndex) {
        if let Some(old) = self.table.remove_link(ifindex) {
            self.refresh_users(now, old.name);
            if self.is_uplink(old.name) {
                self.refresh_uplink(now);
            }
        }
    }

    /// A bridge without an address of its own takes that of a port, and its guests see another router; unless
    /// `router_mac` says who that is.
    fn tell_bridge(&mut self, old: &Link, new: &Link) {
        if self.config.general.router_mac.is_some() {
            return;
        }
        let (Some(old_mac), Some(new_mac)) = (old.mac, new.mac) else { return };
        let is_news = new.is_bridge && old_mac != new_mac && !self.table.users(new.name).is_empty();
        if is_news && self.table.is_first_change(new.ifindex) {
            self.notices.push_back(Notice::BridgeMacChanged { bridge: new.name, old: old_mac, new: new_mac });
        }
    }

    /// Counts a frame, beside the outcome of the packet that it was to answer, which has had its verdict.
    fn count_send_failure(&mut self, now: Now, ifindex: IfIndex, errno: i32) {
        self.count(Reason::SendFailed);
        let Some(name) = self.table.name(ifindex) else { return };
        if let Some(slot) = self.table.slot(name) {
            slot.stats.count_send_failure(now);
            self.notices.push_back(Notice::SendFailed { tap: name, errno });
        } else if self.is_uplink(name) {
            self.notices.push_back(Notice::AnnounceFailed { uplink: name, errno });
        }
    }

    fn count(&mut self, reason: Reason) {
        // Reason::ALL has them in the order of their declaration, so the counter is always there.
        if let Some(counter) = self.counters.get_mut(reason as usize) {
            *counter += 1;
        }
    }

    /// The next thing that an operator should know. To be called until it returns None.
    pub fn poll_notice(&mut self) -> Option<Notice> {
        self.notices.pop_front()
    }

    /// How often each reason came about.
    pub fn counters(&self) -> impl Iterator<Item = (Reason, u64)> {
        Reason::ALL.iter().copied().zip(self.counters)
    }

    /// Every tap that has a binding file, in the order of their names.
    pub fn status(&self) -> Vec<Status> {
        self.status_after(None).collect()
    }

    /// The taps that have a binding file and whose names follow `after`, in the order of their names. To copy ten
    /// thousand bindings takes longer than packets should wait; so many at a time as are wanted takes no more than that.
    pub fn status_after(&self, after: Option<InterfaceName>) -> impl Iterator<Item = Status> {
        self.table.slots_after(after).filter_map(|(tap, slot)| self.status_in(tap, slot))
    }

    /// One tap, if it has a binding file.
    pub fn status_of(&self, tap: InterfaceName) -> Option<Status> {
        self.status_in(tap, self.table.find(tap)?)
    }

    /// None for a tap whose file is gone, and whose guest is yet to hear of it.
    fn status_in(&self, tap: InterfaceName, slot: &Slot) -> Option<Status> {
        slot.has_file().then(|| Status {
            tap,
            ifindex: self.table.link(tap).map(|link| link.ifindex),
            binding: slot.serving.as_ref().map(|serving| Arc::clone(&serving.binding)),
            rejected: slot.rejected.as_ref().map(|rejected| rejected.error.clone()),
            delegated_via: slot.delegated_via(),
            stats: slot.stats,
        })
    }
}

/// What the sender's packet is answered by what is known now. Changes nothing; `options` is working space.
fn answer(
    table: &Table,
    config: &Config,
    sender: Sender,
    ingress: &Ingress<'_>,
    options: &mut OptionList,
    frame: &mut [u8],
) -> Outcome {
    let Some(Served { slot, serving, link }) = table.served(sender.key) else {
        return Outcome::refused(Reason::UnknownTap.into(), Some(sender.tap));
    };
    let guest = Guest { serving, advertiser: &slot.advertiser, config, tap: link, is_claimed: sender.is_claimed };
    match guest.answer(ingress, options, frame) {
        Ok(answer) => Outcome::answered(answer, link.ifindex, sender.tap),
        Err(refusal) => Outcome::refused(refusal, Some(sender.tap)),
    }
}

/// A source of numbers that need not be secret: SplitMix64.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
