//! Bindings and links, and which binding a packet belongs to.

mod interfaces;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use interfaces::{Interface, Interfaces, Key, Known};

use super::event::Link;
use super::limits::Limit;
use super::outcome::Reason;
use super::slot::{Rejected, Serving, Slot};
use super::{Ingress, Now};
use crate::binding::{IfIndex, InterfaceName};
use crate::wire::MacAddr;

/// Bindings and links by name. Follows whatever changes; neither needs the other to be there. A packet finds its binding
/// by the index of an interface, in one step; everything else goes by names.
#[derive(Debug, Default)]
pub(super) struct Table {
    interfaces: Interfaces,
    /// Taps with a binding in force, by its `INDEV` and `MAC`: who uses an interface, and who may claim a frame that the
    /// kernel saw on a bridge.
    users: BTreeSet<(InterfaceName, MacAddr, Key)>,
}

/// The binding that a packet belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sender {
    /// The tap, whose slot has a binding in force.
    pub(super) tap: InterfaceName,
    /// Where the tap is.
    pub(super) key: Key,
    /// Whether only the frame's source MAC says so, on a bridge.
    pub(super) is_claimed: bool,
    /// The interface that the kernel named: tap or bridge.
    pub(super) named: Key,
}

/// A tap with a binding in force, whose link is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Served<'a> {
    pub(super) slot: &'a Slot,
    pub(super) serving: &'a Serving,
    pub(super) link: &'a Link,
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
    /// Every slot, in the order of the names of their taps.
    pub(super) fn slots(&self) -> impl Iterator<Item = (InterfaceName, &Slot)> {
        self.slots_after(None)
    }

    /// The slots of the taps whose names follow `after`, in the order of their names.
    pub(super) fn slots_after(&self, after: Option<InterfaceName>) -> impl Iterator<Item = (InterfaceName, &Slot)> {
        self.interfaces.iter_after(after).filter_map(|interface| Some((interface.name, interface.slot.as_deref()?)))
    }

    /// The slot of `tap`, to be looked at, if there is one.
    pub(super) fn find(&self, tap: InterfaceName) -> Option<&Slot> {
        self.interfaces.find(tap)?.slot.as_deref()
    }

    /// The slot of `tap`, if there is one.
    pub(super) fn slot(&mut self, tap: InterfaceName) -> Option<&mut Slot> {
        self.interfaces.find_mut(tap)?.slot.as_deref_mut()
    }

    /// The slot at `key`, found before anything changed.
    pub(super) fn slot_at(&mut self, key: Key) -> Option<&mut Slot> {
        self.interfaces.at_mut(key)?.slot.as_deref_mut()
    }

    /// The binding in force for `tap`, with what is said to its guest.
    pub(super) fn serving(&self, tap: InterfaceName) -> Option<&Serving> {
        self.find(tap)?.serving.as_ref()
    }

    /// The tap at `key`, found before anything changed; None without a binding or without the link.
    pub(super) fn served(&self, key: Key) -> Option<Served<'_>> {
        let interface = self.interfaces.at(key)?;
        let slot = interface.slot.as_deref()?;
        Some(Served { slot, serving: slot.serving.as_ref()?, link: &interface.known.as_ref()?.link })
    }

    /// Whether the file of `tap` as it is now is not in force.
    pub(super) fn is_rejected(&self, tap: InterfaceName) -> bool {
        self.find(tap).is_some_and(|slot| slot.rejected.is_some())
    }

    /// Drops the slot of `tap` if nothing is in it any more.
    pub(super) fn prune(&mut self, tap: InterfaceName) {
        if let Some(key) = self.interfaces.key(tap)
            && let Some(interface) = self.interfaces.at_mut(key)
        {
            interface.slot.take_if(|slot| slot.is_empty());
            self.interfaces.prune(key);
        }
    }

    /// Puts a binding in force, or takes it out of force. Either way the file is not rejected any more.
    pub(super) fn set_serving(&mut self, tap: InterfaceName, serving: Option<Serving>) {
        let key = self.interfaces.make(tap);
        let user = |serving: &Serving| (serving.binding.indev, serving.binding.mac, key);
        let new = serving.as_ref().map(user);
        let Some(interface) = self.interfaces.at_mut(key) else { return };
        let slot = interface.slot.get_or_insert_default();
        slot.rejected = None;
        if let Some(old) = std::mem::replace(&mut slot.serving, serving) {
            self.users.remove(&user(&old));
        }
        self.users.extend(new);
    }

    /// Notes that a file is not in force. Returns whether an earlier binding still is.
    pub(super) fn set_rejected(&mut self, tap: InterfaceName, rejected: Rejected) -> bool {
        let key = self.interfaces.make(tap);
        let Some(interface) = self.interfaces.at_mut(key) else { return false };
        let slot = interface.slot.get_or_insert_default();
        slot.rejected = Some(Box::new(rejected));
        slot.serving.is_some()
    }

    /// The link of this name.
    pub(super) fn link(&self, name: InterfaceName) -> Option<&Link> {
        Some(&self.interfaces.find(name)?.known.as_ref()?.link)
    }

    /// The name of the link with this index.
    pub(super) fn name(&self, ifindex: IfIndex) -> Option<InterfaceName> {
        Some(self.interfaces.at(self.interfaces.key_of_index(ifindex)?)?.name)
    }

    /// Takes in a link; gives what was known of it before.
    pub(super) fn set_link(&mut self, link: Link) -> Option<Link> {
        self.interfaces.set_link(link)
    }

    /// Takes a link out; gives what was known of it.
    pub(super) fn remove_link(&mut self, ifindex: IfIndex) -> Option<Link> {
        self.interfaces.remove_link(ifindex).map(|known| known.link)
    }

    /// How many guests the interface is the `INDEV` of: at least one, and no more than `most`.
    pub(super) fn crowd(&self, named: Key, most: u32) -> u32 {
        let users = self.interfaces.at(named).into_iter().flat_map(|interface| self.keys_of_users(interface.name));
        users.zip(1..=most).last().map_or(1, |(_, count)| count)
    }

    /// The taps whose `INDEV` is `indev`.
    pub(super) fn users(&self, indev: InterfaceName) -> Vec<InterfaceName> {
        self.keys_of_users(indev).filter_map(|key| Some(self.interfaces.at(key)?.name)).collect()
    }

    /// Where the taps are whose `INDEV` is `indev`.
    fn keys_of_users(&self, indev: InterfaceName) -> impl Iterator<Item = Key> {
        let users = self.users.range((indev, MacAddr::MIN, Key::MIN)..);
        users.take_while(move |(name, ..)| *name == indev).map(|(_, _, key)| *key)
    }

    /// Whether this is the first time that the link's change of address is asked about.
    pub(super) fn is_first_change(&mut self, ifindex: IfIndex) -> bool {
        let known = self.interfaces.key_of_index(ifindex).and_then(|key| self.known_mut(key));
        known.is_some_and(|known| !std::mem::replace(&mut known.is_change_told, true))
    }

    /// Takes a token of the interface that the kernel named.
    pub(super) fn take_token(&mut self, named: Key, now: Now, limit: Limit) -> bool {
        self.known_mut(named).is_none_or(|known| known.bucket.take(now, limit))
    }

    fn known_mut(&mut self, key: Key) -> Option<&mut Known> {
        self.interfaces.at_mut(key)?.known.as_mut()
    }

    /// Whose packet this is. The bridge port alone decides where the kernel names one.
    pub(super) fn identify(&self, ingress: &Ingress<'_>) -> Result<Sender, Stranger> {
        let named = ingress.physindev.or(ingress.indev);
        let named = named.ok_or(Stranger { reason: Reason::NoInterface, name: None })?;
        let known = self.interfaces.key_of_index(named).and_then(|key| Some((key, self.interfaces.at(key)?)));
        let (key, interface) = known.ok_or(Stranger { reason: Reason::UnknownTap, name: None })?;
        let sender = match &interface.slot {
            Some(slot) if slot.serving.is_some() => {
                Ok(Sender { tap: interface.name, key, is_claimed: false, named: key })
            }
            Some(slot) if slot.rejected.is_some() => Err(Reason::RejectedBinding),
            _ if ingress.physindev.is_none() => self.claimed(key, interface, ingress.source_mac),
            _ => Err(Reason::UnknownTap),
        };
        sender.map_err(|reason| Stranger { reason, name: Some(interface.name) })
    }

    /// The one binding on this bridge that has the sender's MAC, and whose tap is a port of it now.
    fn claimed(&self, named: Key, interface: &Interface, source: Option<MacAddr>) -> Result<Sender, Reason> {
        let bridge = interface.known.as_ref().map(|known| &known.link).filter(|link| link.is_bridge);
        let bridge = bridge.ok_or(Reason::UnknownTap)?;
        let source = source.ok_or(Reason::UnknownSender)?;
        let users = self.users.range((bridge.name, source, Key::MIN)..=(bridge.name, source, Key::MAX));
        let links = users.filter_map(|(_, _, key)| Some((*key, &self.interfaces.at(*key)?.known.as_ref()?.link)));
        let mut ports = links.filter(|(_, link)| link.master == Some(bridge.ifindex));
        match (ports.next(), ports.next()) {
            (None, _) => Err(Reason::UnknownSender),
            (Some((key, link)), None) => Ok(Sender { tap: link.name, key, is_claimed: true, named }),
            (Some(_), Some(_)) => Err(Reason::AmbiguousSender),
        }
    }
}
