//! Links and slots by name: each name once, found by the name and by the index that its link has now.

use std::collections::BTreeMap;
use std::ops::Bound;

use rustc_hash::FxHashMap;
use slab::Slab;

use crate::binding::{IfIndex, InterfaceName};
use crate::engine::event::Link;
use crate::engine::limits::Bucket;
use crate::engine::slot::Slot;

/// Where an interface is found at once: as long as it has a link, or a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) struct Key(usize);

impl Key {
    /// The first of all in their order.
    pub(super) const MIN: Self = Self(0);
    /// The last of all in their order.
    pub(super) const MAX: Self = Self(usize::MAX);
}

/// All that is known under one name.
#[derive(Debug)]
pub(super) struct Interface {
    pub(super) name: InterfaceName,
    /// The link of this name, if it is there.
    pub(super) known: Option<Known>,
    /// The slot, if the name is that of a binding file. Boxed, for most links of some nodes have none.
    pub(super) slot: Option<Box<Slot>>,
}

/// A link, and what goes with it as long as it lives, whatever it is called.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) link: Link,
    /// What is left of its limit.
    pub(super) bucket: Bucket,
    /// Whether it was told that the link, a bridge, changed its address.
    pub(super) is_change_told: bool,
}

/// Every interface that has a link or a slot, and no other.
#[derive(Debug, Default)]
pub(super) struct Interfaces {
    all: Slab<Interface>,
    /// In their order, so that an operator can be told of them piece by piece.
    by_name: BTreeMap<InterfaceName, Key>,
    /// Those that have a link. Indices are the kernel's choice and no guest's, so any hash will do.
    by_index: FxHashMap<IfIndex, Key>,
}

impl Interfaces {
    /// The interface at `key`.
    pub(super) fn at(&self, key: Key) -> Option<&Interface> {
        self.all.get(key.0)
    }

    /// The interface at `key`, for change. Whoever takes link or slot out of it has to [`prune`](Self::prune).
    pub(super) fn at_mut(&mut self, key: Key) -> Option<&mut Interface> {
        self.all.get_mut(key.0)
    }

    /// Where the interface of this name is.
    pub(super) fn key(&self, name: InterfaceName) -> Option<Key> {
        self.by_name.get(&name).copied()
    }

    /// The interface of this name.
    pub(super) fn find(&self, name: InterfaceName) -> Option<&Interface> {
        self.at(self.key(name)?)
    }

    /// The interface of this name, for change.
    pub(super) fn find_mut(&mut self, name: InterfaceName) -> Option<&mut Interface> {
        self.at_mut(self.key(name)?)
    }

    /// Where the interface is whose link has this index now.
    pub(super) fn key_of_index(&self, ifindex: IfIndex) -> Option<Key> {
        self.by_index.get(&ifindex).copied()
    }

    /// Whether nothing is known at all.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty() && self.by_name.is_empty() && self.by_index.is_empty()
    }

    /// The interfaces whose names follow `after`, in the order of their names.
    pub(super) fn iter_after(&self, after: Option<InterfaceName>) -> impl Iterator<Item = &Interface> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.by_name.range((start, Bound::Unbounded)).filter_map(|(_, key)| self.at(*key))
    }

    /// Where the interface of this name is, made if it is not there. It is not to be left empty.
    pub(super) fn make(&mut self, name: InterfaceName) -> Key {
        let all = &mut self.all;
        *self.by_name.entry(name).or_insert_with(|| Key(all.insert(Interface { name, known: None, slot: None })))
    }

    /// Takes in a link; gives what was known of it before.
    pub(super) fn set_link(&mut self, link: Link) -> Option<Link> {
        let (ifindex, name) = (link.ifindex, link.name);
        let old = self.remove_link(ifindex);
        let known = Known {
            link,
            bucket: old.as_ref().map(|old| old.bucket).unwrap_or_default(),
            is_change_told: old.as_ref().is_some_and(|old| old.is_change_told),
        };
        let key = self.make(name);
        // Two links never have one name: that the older one is gone, or has another name by now, is news to come.
        if let Some(older) = self.at_mut(key).and_then(|interface| interface.known.replace(known)) {
            self.by_index.remove(&older.link.ifindex);
        }
        self.by_index.insert(ifindex, key);
        old.map(|old| old.link)
    }

    /// Takes a link out; gives what was known of it.
    pub(super) fn remove_link(&mut self, ifindex: IfIndex) -> Option<Known> {
        let key = self.by_index.remove(&ifindex)?;
        let known = self.at_mut(key)?.known.take();
        self.prune(key);
        known
    }

    /// Forgets the interface if it has neither link nor slot.
    pub(super) fn prune(&mut self, key: Key) {
        let is_empty = |interface: &Interface| interface.known.is_none() && interface.slot.is_none();
        if self.at(key).is_some_and(is_empty)
            && let Some(interface) = self.all.try_remove(key.0)
        {
            self.by_name.remove(&interface.name);
        }
    }
}
