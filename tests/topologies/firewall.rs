//! Firewall profiles on ports of a bridge, where the kernel tracks the connections of bridges by itself.

use nfdhcpd::network::filter::{Element, Port};

use crate::filters::firewall::{Host, PROFILES, Place, expect_profile};
use crate::filters::{apply, name};
use crate::harness::{Lab, tests};
use crate::node::{Hooks, set_hooks};

tests!(firewall:
    port_has_its_profile_without_br_netfilter,
);

/// From one port to another, and from the node.
fn port_has_its_profile_without_br_netfilter(_: &mut Lab) {
    set_hooks(Hooks::Off);
    let [host, neighbour, open] = [1, 2, 3].map(Host::bridged);
    let tap = name(&host.guest.tap);
    for profile in PROFILES {
        let firewall = profile.map(|profile| Element::Firewall { tap, profile, port: Port::Bridged });
        apply(tap, firewall.as_slice());
        expect_profile(profile, Place::Host(&neighbour), &host);
        expect_profile(profile, Place::Node, &host);
    }
    expect_profile(None, Place::Host(&neighbour), &open);
}
