//! The node and the guests that the targets know. The files are seeds as well.

use std::path::Path;

use nfdhcpd::binding::{self, Binding, IfIndex};
use nfdhcpd::config::{self, Config};
use nfdhcpd::engine::{Event, Ingress, Link};
use nfdhcpd::wire::{Checksums, MacAddr};

use crate::node::Node;

/// The MAC of most guests.
pub const GUEST: MacAddr = MacAddr::new([0x52, 0x54, 0, 0x0a, 0, 1]);

/// The configuration file.
pub const CONFIG: &[u8] = include_bytes!("../fixtures/nfdhcpd.conf");

/// Every binding file, with its tap.
pub const BINDINGS: [(&str, &[u8]); 4] = [
    ("tap0", include_bytes!("../fixtures/bindings/tap0")),
    ("tap1", include_bytes!("../fixtures/bindings/tap1")),
    ("tap2", include_bytes!("../fixtures/bindings/tap2")),
    ("tap3", include_bytes!("../fixtures/bindings/tap3")),
];

/// How a packet comes to the engine: which guest sends it, and what the kernel names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From `tap0`, which is routed.
    Routed,
    /// From `tap1`, a port of `br0`.
    Bridged,
    /// From `tap2`, a port of `br1`, where the kernel names no port.
    Claimed,
    /// From `tap3`, whose guest may use any MAC.
    Spoofing,
}

impl Way {
    /// All ways.
    pub const ALL: [Self; 4] = [Self::Routed, Self::Bridged, Self::Claimed, Self::Spoofing];

    /// A packet that comes this way from the MAC of most guests.
    pub fn ingress(self, packet: &[u8]) -> Ingress<'_> {
        let (indev, physindev) = match self {
            Self::Routed => (1, None),
            Self::Bridged => (5, Some(2)),
            Self::Claimed => (6, None),
            Self::Spoofing => (4, None),
        };
        Ingress {
            indev: IfIndex::new(indev),
            physindev: physindev.and_then(IfIndex::new),
            source_mac: Some(GUEST),
            checksums: Checksums::Verify,
            packet,
        }
    }
}

/// The configuration.
pub fn config() -> Config {
    config::parse(Path::new("nfdhcpd.conf"), CONFIG).expect("a good configuration").config
}

/// The bindings.
pub fn bindings() -> impl Iterator<Item = Binding> {
    BINDINGS.into_iter().map(|(tap, text)| binding::parse::parse(Path::new(tap), text).expect("a good binding").binding)
}

/// The links: four taps and two bridges.
pub fn links() -> [Link; 6] {
    [
        link(1, "tap0", None),
        link(2, "tap1", Some(5)),
        link(3, "tap2", Some(6)),
        link(4, "tap3", None),
        Link { is_bridge: true, ..link(5, "br0", None) },
        Link { is_bridge: true, ..link(6, "br1", None) },
    ]
}

/// A link that is up, with an MTU of 1,500 bytes and a MAC made of its index.
pub fn link(ifindex: u8, name: &str, master: Option<u32>) -> Link {
    Link {
        ifindex: IfIndex::new(ifindex.into()).expect("an index that is not 0"),
        name: name.parse().expect("an interface name"),
        mac: Some(MacAddr::new([2, 0, 0, 0, 1, ifindex])),
        mtu: 1500,
        master: master.and_then(IfIndex::new),
        is_bridge: false,
        is_ready: true,
    }
}

/// A node where all of this is there, and everything due at its start is sent.
pub fn node() -> Node {
    let mut node = Node::new(config(), 1);
    for link in links() {
        node.handle_event(Event::LinkChanged(link));
    }
    for binding in bindings() {
        node.handle_event(Event::BindingLoaded(Box::new(binding)));
    }
    node.drain();
    node
}
