//! Firewall profiles on ports of a bridge, where the kernel tracks the connections of bridges by itself.

use nfdhcpd::network::filter::{Element, Port, Profile};

use crate::document;
use crate::filters::firewall::{Host, PROFILES, Place, expect_profile, expect_wrapped};
use crate::filters::{apply, name};
use crate::harness::{Config, Lab, sh, tests};
use crate::node::{Hooks, install, set_hooks};

tests!(firewall:
    port_has_its_profile_without_br_netfilter,
    untagged_port_of_a_bridge_that_knows_vlans_has_its_profile,
    what_comes_by_a_tagged_port_is_judged_or_stopped,
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
        expect_wrapped(profile.is_none(), Place::Host(&neighbour), &host);
        expect_wrapped(profile.is_none(), Place::Node, &host);
    }
    expect_profile(None, Place::Host(&neighbour), &open);
}

/// Frames are in VLAN 1 until they leave by the port. The node is in it itself, or by an interface above the bridge.
fn untagged_port_of_a_bridge_that_knows_vlans_has_its_profile(_: &mut Lab) {
    let [host, neighbour] = [1, 2].map(Host::bridged);
    sh("ip link set br0 type bridge vlan_filtering 1");
    let tap = name(&host.guest.tap);
    for (hooks, port) in [(Hooks::On, Port::Shown), (Hooks::Off, Port::Bridged)] {
        set_hooks(hooks);
        for profile in [Profile::Limited, Profile::Protected] {
            apply(tap, &[Element::Firewall { tap, profile, port }]);
            expect_profile(Some(profile), Place::Host(&neighbour), &host);
            expect_profile(Some(profile), Place::Node, &host);
            expect_wrapped(false, Place::Host(&neighbour), &host);
        }
    }
    let [v4, v6] = host.gateways;
    sh(&format!(
        "bridge vlan add dev br0 vid 1 self
         ip address flush dev br0; ip link add link br0 name br0.1 type vlan id 1; ip link set br0.1 up
         ip address add {v4}/24 dev br0.1; ip address add {v6}/64 dev br0.1 nodad"
    ));
    for (hooks, port) in [(Hooks::On, Port::Shown), (Hooks::Off, Port::Bridged)] {
        set_hooks(hooks);
        apply(tap, &[Element::Firewall { tap, profile: Profile::Limited, port }]);
        expect_profile(Some(Profile::Limited), Place::Node, &host);
    }
}

/// br_netfilter looks into frames that come with a tag only if it is told to.
fn what_comes_by_a_tagged_port_is_judged_or_stopped(_: &mut Lab) {
    let [host, neighbour] = [1, 2].map(Host::bridged);
    let [from, to] = [neighbour.addresses[0], host.addresses[0]];
    sh("ip link set br0 type bridge vlan_filtering 1; bridge vlan add dev tap2 vid 1");
    neighbour.guest.sh(&format!(
        "ip address flush dev eth0; ip link add link eth0 name eth0.1 type vlan id 1; ip link set eth0.1 up
         ip address add {from}/24 dev eth0.1"
    ));
    set_hooks(Hooks::On);
    let tap = name(&host.guest.tap);
    let apply = |profile: Option<Profile>| {
        let element = profile.map(|profile| Element::Firewall { tap, profile, port: Port::Shown });
        apply(tap, element.as_slice());
    };
    let ping = |seconds: u8| neighbour.guest.try_sh(&format!("ping -c 1 -W {seconds} {to}"));
    // Nobody listens there: who gets through is refused.
    let connect = || neighbour.guest.try_sh(&format!("timeout 1 bash -c ': >/dev/tcp/{to}/81' 2>&1")).unwrap_err();
    apply(None);
    ping(5).unwrap();
    assert!(connect().contains("refused"), "without a profile");
    apply(Some(Profile::Protected));
    ping(1).unwrap_err();
    sh("sysctl -w net.bridge.bridge-nf-filter-vlan-tagged=1");
    ping(5).unwrap();
    assert!(!connect().contains("refused"), "with a profile");
}
