//! Firewall profiles on ports of a bridge, where the kernel tracks the connections of bridges by itself.

use crate::document;
use crate::filters::firewall::{Host, PROFILES, Place, expect_profile};
use crate::harness::{Config, Lab, tests};
use crate::node::{Hooks, install, set_hooks};

tests!(firewall:
    port_has_its_profile_without_br_netfilter,
);

const SECTION: &str = "A firewall on a bridge";

/// From another port, and from the node.
fn port_has_its_profile_without_br_netfilter(_: &mut Lab) {
    install(&Config::default());
    set_hooks(Hooks::Off);
    let [host, neighbour, open] = [1, 2, 3].map(Host::bridged);
    for profile in PROFILES {
        let named = profile.map_or("unprotected".to_owned(), |profile| format!("{profile:?}").to_lowercase());
        let variables = format!("TAP={} MAC={} PROFILE={named}", host.guest.tap, host.guest.mac_text());
        document::run(SECTION, "a guest with a profile", &variables);
        expect_profile(profile, Place::Host(&neighbour), &host);
        expect_profile(profile, Place::Node, &host);
    }
    expect_profile(None, Place::Host(&neighbour), &open);
}
