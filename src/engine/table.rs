//! Bindings and links, and which binding a packet belongs to.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;

use super::event::Link;
use super::limits::{Bucket, Limit};
use super::outcome::Reason;
use super::ra::Advertiser;
use super::slot::{Serving, Slot};
use super::{Ingress, Now};
use crate::binding::{IfIndex, InterfaceName};
use crate::wire::MacAddr;

/// Bindings by tap, links by index and by name. Follows whatever changes; neither needs the other to be there.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Boxed, for a table of large values would keep as much again for those to come.
    slots: HashMap<InterfaceName, Box<Slot>>,
    /// The taps that have a slot, so that an operator can be told of them piece by piece and in order.
    names: BTreeSet<InterfaceName>,
    links: HashMap<IfIndex, Known>,
    indices: HashMap<InterfaceName, IfIndex>,
    /// Taps by `INDEV` and `MAC`: who uses an interface, and who may claim a frame that the kernel saw on a bridge.
    users: HashMap<InterfaceName, HashMap<MacAddr, Vec<InterfaceName>>>,
}

/// A link, and what goes with it as long as it lives.
#[derive(Debug)]
struct Known {
    link: Link,
    /// What is left of its limit.
    bucket: Bucket,
    /// Whether it was told that the link, a bridge, changed its address.
    is_change_told: bool,
}

/// The binding that a packet belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sender {
    /// The tap, whose slot has a binding in force.
    pub(super) tap: InterfaceName,
    /// Whether only the frame's source MAC says so, on a bridge.
    pub(super) is_claimed: bool,
    /// The interface that the kernel named: tap or bridge.
    pub(super) named: IfIndex,
}

/// A packet that belongs to no binding in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stranger {
    /// Why.
    pub(super) reason: Reason,
    /// The interface that the kernel named, where it is known.
    pub(super) name: Option<InterfaceName>,
}

impl Table {
    /// Every slot, in no order.
    pub(super) fn slots(&self) -> impl Iterator<Item = (InterfaceName, &Slot)> {
        self.slots.iter().map(|(tap, slot)| (*tap, &**slot))
    }

    /// The slots of the taps whose names follow `after`, in the order of their names.
    pub(super) fn slots_after(&self, after: Option<InterfaceName>) -> impl Iterator<Item = (InterfaceName, &Slot)> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let names = self.names.range((start, Bound::Unbounded));
        names.filter_map(|tap| Some((*tap, self.find(*tap)?)))
    }

    /// Every slot, in no order, for change.
    pub(super) fn slots_mut(&mut self) -> impl Iterator<Item = (InterfaceName, &mut Slot)> {
        self.slots.iter_mut().map(|(tap, slot)| (*tap, &mut **slot))
    }

    /// The slot of `tap`, made if it is not there.
    pub(super) fn slot(&mut self, tap: InterfaceName) -> &mut Slot {
        self.slots.entry(tap).or_insert_with(|| {
            self.names.insert(tap);
            Box::default()
        })
    }

    /// The slot of `tap`, to be looked at, if there is one.
    pub(super) fn find(&self, tap: InterfaceName) -> Option<&Slot> {
        self.slots.get(&tap).map(|slot| &**slot)
    }

    /// The slot of `tap`, if there is one.
    pub(super) fn known_slot(&mut self, tap: InterfaceName) -> Option<&mut Slot> {
        self.slots.get_mut(&tap).map(|slot| &mut **slot)
    }

    /// The binding in force for `tap`, with what is said to its guest.
    pub(super) fn serving(&self, tap: InterfaceName) -> Option<&Serving> {
        self.slots.get(&tap)?.serving.as_ref()
    }

    /// The binding in force for `tap`, its advertisements, and its link; None without a binding or without the link.
    pub(super) fn guest(&self, tap: InterfaceName) -> Option<(&Serving, &Advertiser, &Link)> {
        let slot = self.slots.get(&tap)?;
        Some((slot.serving.as_ref()?, &slot.advertiser, self.link(tap)?))
    }

    /// Whether the file of `tap` as it is now is not in force.
    pub(super) fn is_rejected(&self, tap: InterfaceName) -> bool {
        self.slots.get(&tap).is_some_and(|slot| slot.rejected.is_some())
    }

    /// Drops the slot of `tap` if nothing is in it any more.
    pub(super) fn prune(&mut self, tap: InterfaceName) {
        if self.find(tap).is_some_and(Slot::is_empty) {
            self.slots.remove(&tap);
            self.names.remove(&tap);
        }
    }

    /// Puts a binding in force, or takes it out of force.
    pub(super) fn set_serving(&mut self, tap: InterfaceName, serving: Option<Serving>) {
        let new = serving.as_ref().map(|serving| (serving.binding.indev, serving.binding.mac));
        let old = std::mem::replace(&mut self.slot(tap).serving, serving);
        if let Some(old) = old {
            self.forget_user(old.binding.indev, old.binding.mac, tap);
        }
        if let Some((indev, mac)) = new {
            self.users.entry(indev).or_default().entry(mac).or_default().push(tap);
        }
    }

    fn forget_user(&mut self, indev: InterfaceName, mac: MacAddr, tap: InterfaceName) {
        let Some(by_mac) = self.users.get_mut(&indev) else { return };
        if let Some(taps) = by_mac.get_mut(&mac) {
            taps.retain(|user| *user != tap);
            if taps.is_empty() {
                by_mac.remove(&mac);
            }
        }
        if by_mac.is_empty() {
            self.users.remove(&indev);
        }
    }

    /// The link of this name.
    pub(super) fn link(&self, name: InterfaceName) -> Option<&Link> {
        Some(&self.links.get(self.indices.get(&name)?)?.link)
    }

    /// The name of the link with this index.
    pub(super) fn name(&self, ifindex: IfIndex) -> Option<InterfaceName> {
        Some(self.links.get(&ifindex)?.link.name)
    }

    /// Takes in a link; gives what was known of it before.
    pub(super) fn set_link(&mut self, link: Link) -> Option<Link> {
        let (ifindex, name) = (link.ifindex, link.name);
        let known = self.links.get(&ifindex);
        let bucket = known.map(|known| known.bucket).unwrap_or_default();
        let is_change_told = known.is_some_and(|known| known.is_change_told);
        let old = self.links.insert(ifindex, Known { link, bucket, is_change_told }).map(|known| known.link);
        if let Some(old) = old.as_ref().filter(|old| old.name != name) {
            self.forget_index(old.name, ifindex);
        }
        // Two links never have one name: that the older one is gone, or has another name by now, is news to come.
        if let Some(older) = self.indices.insert(name, ifindex).filter(|older| *older != ifindex) {
            self.links.remove(&older);
        }
        old
    }

    /// Takes a link out; gives what was known of it.
    pub(super) fn remove_link(&mut self, ifindex: IfIndex) -> Option<Link> {
        let old = self.links.remove(&ifindex)?.link;
        self.forget_index(old.name, ifindex);
        Some(old)
    }

    /// Another link may have taken the name in the meantime.
    fn forget_index(&mut self, name: InterfaceName, ifindex: IfIndex) {
        if self.indices.get(&name) == Some(&ifindex) {
            self.indices.remove(&name);
        }
    }

    /// The taps whose `INDEV` is `indev`.
    pub(super) fn users(&self, indev: InterfaceName) -> Vec<InterfaceName> {
        self.users.get(&indev).into_iter().flat_map(HashMap::values).flatten().copied().collect()
    }

    /// Whether this is the first time that the link's change of address is asked about.
    pub(super) fn is_first_change(&mut self, ifindex: IfIndex) -> bool {
        self.links.get_mut(&ifindex).is_some_and(|known| !std::mem::replace(&mut known.is_change_told, true))
    }

    /// Takes a token of the interface that the kernel named.
    pub(super) fn take_token(&mut self, named: IfIndex, now: Now, limit: Limit) -> bool {
        self.links.get_mut(&named).is_none_or(|known| known.bucket.take(now, limit))
    }

    /// Whose packet this is. The bridge port alone decides where the kernel names one.
    pub(super) fn identify(&self, ingress: &Ingress<'_>) -> Result<Sender, Stranger> {
        let named = ingress.physindev.or(ingress.indev);
        let named = named.ok_or(Stranger { reason: Reason::NoInterface, name: None })?;
        let stranger = Stranger { reason: Reason::UnknownTap, name: self.name(named) };
        let Some(Known { link, .. }) = self.links.get(&named) else { return Err(stranger) };
        match self.slots.get(&link.name) {
            Some(slot) if slot.serving.is_some() => Ok(Sender { tap: link.name, is_claimed: false, named }),
            Some(slot) if slot.rejected.is_some() => Err(Stranger { reason: Reason::RejectedBinding, ..stranger }),
            _ if link.is_bridge && ingress.physindev.is_none() => {
                let claimed = self.claimed(link, ingress.source_mac);
                claimed.map_err(|reason| Stranger { reason, ..stranger })
            }
            _ => Err(stranger),
        }
    }

    /// The one binding on this bridge that has the sender's MAC, and whose tap is a port of it now.
    fn claimed(&self, bridge: &Link, source: Option<MacAddr>) -> Result<Sender, Reason> {
        let users = source.and_then(|mac| self.users.get(&bridge.name)?.get(&mac));
        let is_port = |tap: &InterfaceName| self.link(*tap).is_some_and(|link| link.master == Some(bridge.ifindex));
        let mut ports = users.into_iter().flatten().copied().filter(is_port);
        match (ports.next(), ports.next()) {
            (None, _) => Err(Reason::UnknownSender),
            (Some(tap), None) => Ok(Sender { tap, is_claimed: true, named: bridge.ifindex }),
            (Some(_), Some(_)) => Err(Reason::AmbiguousSender),
        }
    }
}
