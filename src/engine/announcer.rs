//! When the addresses of a guest on a routed tap are announced on the uplink, so that neighbours find them on this node.
//!
//! Bridged guests are not announced: the hypervisor does that itself once a migration is done. To do it earlier would
//! lead traffic away from a guest that still runs elsewhere.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use super::Now;
use super::slot::ABSENCE;
use crate::binding::{Binding, IfIndex, InterfaceName};
use crate::config::Config;
use crate::wire::ndp::{self, NeighborAdvertisement};
use crate::wire::{MacAddr, arp, ethernet, ipv6};

/// How often each address is announced: `ANNOUNCE_NUM` of RFC 5227 §1.1, and within `MAX_NEIGHBOR_ADVERTISEMENT` of
/// RFC 4861 §10.
pub const ROUNDS: u8 = 2;

/// The time between two announcements of an address: `ANNOUNCE_INTERVAL` of RFC 5227 §1.1. RFC 4861 §7.2.6 wants at
/// least `RetransTimer`, which is a second.
pub const INTERVAL: Duration = Duration::from_secs(2);

/// How long announcements wait for their uplink. A port of a switch may take 30 s to open; after a minute neighbours
/// have asked for themselves.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A guest that is here and can be reached through this node, as its neighbours are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presence {
    /// The tap that it is behind. One that was made anew has another index.
    tap: IfIndex,
    /// Where its addresses are announced.
    uplink: InterfaceName,
    /// `IP`, `EUI64` and `IP6`, each once.
    addresses: [Option<IpAddr>; 3],
}

impl Presence {
    /// The guest of `binding`, whose tap is there and can take a frame; None where nothing of it is announced.
    pub fn new(binding: &Binding, tap: IfIndex, config: &Config) -> Option<Self> {
        let uplink = config.general.announce_on?;
        // A guest that hears its own addresses announced takes that for a conflict (RFC 5227 §2.4, RFC 4862 §5.4.4).
        if !binding.is_routed() || uplink == binding.tap {
            return None;
        }
        let v4 = binding.ipv4.filter(|_| config.dhcp.is_some()).map(|ipv4| ipv4.address);
        let v6 = binding.ipv6.as_ref().filter(|_| config.ipv6.is_some());
        let eui64 = v6.and_then(|v6| v6.eui64).filter(is_announced);
        let leased = v6.and_then(|v6| v6.leased).filter(is_announced).filter(|leased| eui64 != Some(*leased));
        let addresses = [v4.map(IpAddr::V4), eui64.map(IpAddr::V6), leased.map(IpAddr::V6)];
        addresses.iter().any(Option::is_some).then_some(Self { tap, uplink, addresses })
    }
}

/// A link-local address is of no use beyond its link (RFC 4291 §2.5.6).
fn is_announced(address: &Ipv6Addr) -> bool {
    !address.is_unicast_link_local()
}

/// The announcements of one guest: what of them is still to be made, and when.
///
/// To be dropped when the binding is gone and [`poll_timeout`](Self::poll_timeout) is None.
#[derive(Debug, Clone, Default)]
pub struct Announcer {
    /// Boxed, for on most nodes nobody is announced.
    presence: Option<Box<Presence>>,
    /// Since when the guest is not here any more.
    gone: Option<Now>,
    pending: Option<Pending>,
    /// Whether the uplink can take a frame.
    has_uplink: bool,
}

/// What is still to be announced.
#[derive(Debug, Clone, Copy)]
struct Pending {
    /// When the guest arrived.
    since: Now,
    /// When the next frame is due.
    at: Now,
    /// Rounds that are over.
    round: u8,
    /// Addresses of this round that are done, or left out.
    done: usize,
}

impl Announcer {
    /// Takes in how things are now. A guest that arrives, or arrives under another address, is announced; one that is
    /// as it was is not. Who comes back before [`ABSENCE`] is over was not away.
    pub fn set(&mut self, now: Now, presence: Option<Presence>) {
        let is_back = self.gone.is_none_or(|gone| now < gone + ABSENCE);
        match presence {
            None if self.presence.is_some() => _ = self.gone.get_or_insert(now),
            Some(_) if presence.as_ref() == self.presence.as_deref() && is_back => self.gone = None,
            _ => {
                self.presence = presence.map(Box::new);
                self.gone = None;
                self.pending = presence.map(|_| Pending { since: now, at: now, round: 0, done: 0 });
            }
        }
    }

    /// Takes in whether the uplink is there and can take a frame. What has waited for it too long is not announced.
    pub fn set_uplink(&mut self, now: Now, has_uplink: bool) {
        if has_uplink && !self.has_uplink {
            self.pending.take_if(|pending| now > pending.since + PATIENCE);
        }
        self.has_uplink = has_uplink;
    }

    /// Whether there is something to announce, and nowhere to do it.
    pub fn is_waiting(&self) -> bool {
        self.gone.is_none() && self.pending.is_some() && !self.has_uplink
    }

    /// When [`poll_transmit`](Self::poll_transmit) is to be called next.
    pub fn poll_timeout(&self) -> Option<Now> {
        let due = self.pending.filter(|_| self.has_uplink).map(|pending| pending.at);
        // Who is gone is not announced, but remembered for a while.
        self.gone.map(|gone| gone + ABSENCE).or(due)
    }

    /// The address to announce now, if one is due. To be called until it returns None.
    pub fn poll_transmit(&mut self, now: Now) -> Option<IpAddr> {
        self.poll_timeout().filter(|at| *at <= now)?;
        if self.gone.is_some() {
            *self = Self { has_uplink: self.has_uplink, ..Self::default() };
            return None;
        }
        let addresses = self.presence.as_ref()?.addresses;
        let pending = self.pending.as_mut()?;
        let rest = addresses.iter().enumerate().skip(pending.done);
        let (index, address) = rest.filter_map(|(index, address)| Some((index, (*address)?))).next()?;
        pending.done = index + 1;
        pending.at = now;
        if !addresses.iter().skip(pending.done).any(Option::is_some) {
            self.pending = pending.next_round(now);
        }
        Some(address)
    }
}

impl Pending {
    fn next_round(self, now: Now) -> Option<Self> {
        let round = self.round + 1;
        (round < ROUNDS).then_some(Self { since: self.since, at: now + INTERVAL, round, done: 0 })
    }
}

/// Writes the announcement that `address` is behind the node whose uplink has the MAC `uplink`. Gives the length of the
/// frame, or None if `frame` is too short.
pub fn put(frame: &mut [u8], uplink: MacAddr, address: IpAddr) -> Option<usize> {
    match address {
        IpAddr::V4(address) => arp::Announcement { mac: uplink, address }.put(frame),
        IpAddr::V6(target) => {
            let ethernet = ethernet::Addresses { source: uplink, destination: MacAddr::ALL_NODES };
            // RFC 4861 §4.4: the source is an address of the sending interface. The target is the guest's.
            ipv6::put_icmpv6(frame, ethernet, uplink.link_local(), ndp::ALL_NODES, &advertisement(uplink, target))
        }
    }
}

/// RFC 4861 §7.2.6 and §7.2.8: unsolicited; and to override, since neighbours are to forget the node where the guest was.
fn advertisement(uplink: MacAddr, target: Ipv6Addr) -> [u8; NeighborAdvertisement::LEN] {
    NeighborAdvertisement {
        // The flag is about the sender (RFC 4861 §4.4), a node that forwards. It is what the kernel says as proxy, and a
        // guest that is a router itself stays one for its neighbours.
        router: true,
        solicited: false,
        overrides: true,
        target,
        target_link_layer: uplink,
    }
    .encode()
}
