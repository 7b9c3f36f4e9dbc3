//! The interfaces of a node that is not there: made up from the bindings.

use std::collections::{BTreeMap, BTreeSet};

use crate::binding::{Binding, IfIndex, InterfaceName};
use crate::engine::{Event, Link};
use crate::wire::MacAddr;

/// What Ethernet carries, in bytes.
const MTU: u32 = 1500;

/// The index of an interface that the engine knows nothing of.
const UNKNOWN: u32 = u32::MAX;

/// Every interface that the bindings name, and whose is which.
#[derive(Debug, Default)]
pub(super) struct Taps {
    indices: BTreeMap<InterfaceName, u32>,
    /// The interface that the kernel names as the one the packet came in on, for each tap.
    indevs: BTreeMap<InterfaceName, InterfaceName>,
    /// Which taps have a guest of this MAC.
    guests: BTreeMap<MacAddr, Vec<InterfaceName>>,
}

/// Where a packet came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Port {
    /// `NFQA_IFINDEX_INDEV`.
    pub(super) indev: Option<IfIndex>,
    /// `NFQA_IFINDEX_PHYSINDEV`.
    pub(super) physindev: Option<IfIndex>,
}

impl Taps {
    /// Takes in a good binding: its tap and its `INDEV`.
    pub(super) fn add(&mut self, binding: &Binding) {
        self.add_tap(binding.tap);
        self.index(binding.indev);
        self.indevs.insert(binding.tap, binding.indev);
        self.guests.entry(binding.mac).or_default().push(binding.tap);
    }

    /// Takes in a tap of whose binding nothing more is known.
    pub(super) fn add_tap(&mut self, tap: InterfaceName) {
        self.index(tap);
        self.indevs.insert(tap, tap);
    }

    fn index(&mut self, name: InterfaceName) -> u32 {
        let next = self.indices.len() as u32 + 1;
        *self.indices.entry(name).or_insert(next)
    }

    /// All interfaces, for the engine. What is some guest's `INDEV` has the address `indev_mac`: the guest's router.
    pub(super) fn links(&self, indev_mac: MacAddr) -> Vec<Event> {
        let indevs: BTreeSet<&InterfaceName> = self.indevs.values().collect();
        let link = |(name, index): (&InterfaceName, &u32)| {
            let master = self.indevs.get(name).filter(|indev| *indev != name).and_then(|indev| self.ifindex(indev));
            Some(Event::LinkChanged(Link {
                ifindex: IfIndex::new(*index)?,
                name: *name,
                mac: indevs.contains(name).then_some(indev_mac),
                mtu: MTU,
                master,
                is_bridge: !self.indevs.contains_key(name),
                is_ready: true,
            }))
        };
        self.indices.iter().filter_map(link).collect()
    }

    fn ifindex(&self, name: &InterfaceName) -> Option<IfIndex> {
        self.indices.get(name).and_then(|index| IfIndex::new(*index))
    }

    /// Whether the name is an `INDEV` and no tap: then it does not say whose packet this is.
    pub(super) fn is_bridge(&self, name: &InterfaceName) -> bool {
        self.indices.contains_key(name) && !self.indevs.contains_key(name)
    }

    /// The one tap whose guest has this MAC.
    pub(super) fn of_guest(&self, mac: MacAddr) -> Option<InterfaceName> {
        match self.guests.get(&mac)?.as_slice() {
            [tap] => Some(*tap),
            _ => None,
        }
    }

    /// What the kernel would name for a packet from `tap`, whether that is known or not.
    pub(super) fn port(&self, tap: Option<InterfaceName>) -> Port {
        let indev = tap.and_then(|tap| self.indevs.get(&tap).map(|indev| (tap, *indev)));
        match indev {
            None => Port { indev: IfIndex::new(UNKNOWN), physindev: None },
            Some((tap, indev)) if tap == indev => Port { indev: self.ifindex(&tap), physindev: None },
            Some((tap, indev)) => Port { indev: self.ifindex(&indev), physindev: self.ifindex(&tap) },
        }
    }
}
