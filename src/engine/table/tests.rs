//! The table against what it stands for: links by index, bindings by name, and nothing else.

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::binding::{Binding, BindingError};
use crate::engine::testing::{dual_stack, node};
use crate::wire::Checksums;

const NAMES: [&str; 4] = ["tap0", "tap1", "br0", "br1"];
/// Indices go from 1 to this.
const INDICES: u32 = 5;
const MACS: [MacAddr; 2] = [MacAddr::new([2, 0, 0, 0, 0, 1]), MacAddr::new([2, 0, 0, 0, 0, 2])];

#[derive(Debug, Clone)]
enum Change {
    Link(Link),
    Gone(IfIndex),
    Binding(Box<Binding>),
    Rejected(InterfaceName),
    Removed(InterfaceName),
}

fn name() -> impl Strategy<Value = InterfaceName> {
    prop::sample::select(NAMES.to_vec()).prop_map(|name| name.parse().unwrap())
}

fn index() -> impl Strategy<Value = IfIndex> {
    (1..=INDICES).prop_map(|number| IfIndex::new(number).unwrap())
}

fn mac() -> impl Strategy<Value = MacAddr> {
    prop::sample::select(MACS.to_vec())
}

fn change() -> impl Strategy<Value = Change> {
    let link = (index(), name(), prop::option::of(index())).prop_map(|(ifindex, name, master)| {
        let is_bridge = name.as_str().starts_with("br");
        Link { ifindex, name, mac: None, mtu: 1500, master, is_bridge, is_ready: true }
    });
    let binding = (name(), name(), mac()).prop_map(|(tap, indev, mac)| Binding { tap, indev, mac, ..dual_stack() });
    prop_oneof![
        3 => link.prop_map(Change::Link),
        1 => index().prop_map(Change::Gone),
        3 => binding.prop_map(|binding| Change::Binding(Box::new(binding))),
        1 => name().prop_map(Change::Rejected),
        1 => name().prop_map(Change::Removed),
    ]
}

/// What the table is to know.
#[derive(Debug, Default)]
struct Model {
    links: HashMap<IfIndex, Link>,
    /// None: the file was rejected.
    bindings: HashMap<InterfaceName, Option<Binding>>,
}

impl Model {
    fn apply(&mut self, change: Change) {
        match change {
            Change::Link(link) => {
                self.links.retain(|_, other| other.name != link.name);
                self.links.insert(link.ifindex, link);
            }
            Change::Gone(ifindex) => _ = self.links.remove(&ifindex),
            Change::Binding(binding) => _ = self.bindings.insert(binding.tap, Some(*binding)),
            Change::Rejected(tap) => _ = self.bindings.entry(tap).or_default(),
            Change::Removed(tap) => _ = self.bindings.remove(&tap),
        }
    }

    fn link(&self, name: InterfaceName) -> Option<&Link> {
        self.links.values().find(|link| link.name == name)
    }

    /// The tap that a packet belongs to, and whether that is only claimed.
    fn identify(&self, ingress: &Ingress<'_>) -> Result<(InterfaceName, bool), Reason> {
        let link = self.links.get(&ingress.physindev.or(ingress.indev).unwrap()).ok_or(Reason::UnknownTap)?;
        match self.bindings.get(&link.name) {
            Some(Some(_)) => return Ok((link.name, false)),
            Some(None) => return Err(Reason::RejectedBinding),
            None if !link.is_bridge || ingress.physindev.is_some() => return Err(Reason::UnknownTap),
            None => {}
        }
        let is_port = |tap| self.link(tap).is_some_and(|port| port.master == Some(link.ifindex));
        let is_senders = |it: &&Binding| it.indev == link.name && Some(it.mac) == ingress.source_mac && is_port(it.tap);
        match self.bindings.values().flatten().filter(is_senders).collect::<Vec<_>>()[..] {
            [] => Err(Reason::UnknownSender),
            [binding] => Ok((binding.tap, true)),
            [..] => Err(Reason::AmbiguousSender),
        }
    }
}

fn apply(table: &mut Table, change: Change) {
    match change {
        Change::Link(link) => _ = table.set_link(link),
        Change::Gone(ifindex) => _ = table.remove_link(ifindex),
        Change::Binding(binding) => {
            table.set_serving(binding.tap, Some(Serving::new(&Arc::new(*binding.clone()), &node()).unwrap()))
        }
        Change::Rejected(tap) => {
            let error = BindingError { path: "x".into(), line: None, key: None, found: None, reason: "bad".into() };
            table.set_rejected(tap, Rejected { error, unfit: None });
        }
        Change::Removed(tap) => {
            table.set_serving(tap, None);
            table.prune(tap);
        }
    }
}

/// Every packet that can be told apart.
fn packets() -> impl Iterator<Item = Ingress<'static>> {
    let indices = || (1..=INDICES).map(IfIndex::new);
    let macs = [None, Some(MACS[0]), Some(MACS[1])];
    let on_bridge = indices().map(|physindev| (IfIndex::new(1), physindev));
    let places = indices().map(|indev| (indev, None)).chain(on_bridge);
    places.flat_map(move |(indev, physindev)| {
        let packet = Ingress { indev, physindev, source_mac: None, checksums: Checksums::Verify, packet: &[] };
        macs.map(|source_mac| Ingress { source_mac, ..packet })
    })
}

/// Who sent a packet, in the model's terms.
fn identify(table: &Table, ingress: &Ingress<'_>) -> Result<(InterfaceName, bool), Reason> {
    let sender = table.identify(ingress).map_err(|stranger| stranger.reason)?;
    let served = table.served(sender.key).expect("a sender has a binding and a link");
    assert_eq!([served.serving.binding.tap, served.link.name], [sender.tap; 2]);
    Ok((sender.tap, sender.is_claimed))
}

proptest! {
    #[test]
    fn the_table_follows_whatever_changes(changes in prop::collection::vec(change(), 1..40)) {
        let (mut table, mut model) = (Table::default(), Model::default());
        for change in changes {
            apply(&mut table, change.clone());
            model.apply(change);
            for ingress in packets() {
                prop_assert_eq!(identify(&table, &ingress), model.identify(&ingress), "{:?}", ingress);
            }
            for name in NAMES.map(|name| name.parse().unwrap()) {
                prop_assert_eq!(table.link(name), model.link(name));
                prop_assert_eq!(table.find(name).is_some(), model.bindings.contains_key(&name));
                let is_user = |it: &&Binding| it.indev == name;
                prop_assert_eq!(table.users(name).len(), model.bindings.values().flatten().filter(is_user).count());
            }
        }
        (1..=INDICES).for_each(|number| apply(&mut table, Change::Gone(IfIndex::new(number).unwrap())));
        NAMES.iter().for_each(|name| apply(&mut table, Change::Removed(name.parse().unwrap())));
        prop_assert!(table.interfaces.is_empty() && table.users.is_empty(), "something is remembered");
    }
}

#[test]
fn a_limit_goes_on_when_its_link_is_renamed() {
    let limit = Limit { rate: 1, burst: 1 };
    let link = |name: &str| Link {
        ifindex: IfIndex::new(1).unwrap(),
        name: name.parse().unwrap(),
        mac: None,
        mtu: 1500,
        master: None,
        is_bridge: false,
        is_ready: true,
    };
    let mut table = Table::default();
    let takes = |table: &mut Table| {
        let key = table.interfaces.key_of_index(IfIndex::new(1).unwrap()).unwrap();
        table.take_token(key, Now::ZERO, limit)
    };
    table.set_link(link("tap0"));
    assert!(takes(&mut table));
    table.set_link(link("tap1"));
    assert!(!takes(&mut table));
}
