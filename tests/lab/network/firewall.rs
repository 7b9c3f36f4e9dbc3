//! What an instance's tags let in, and whose address a guest has outside.

use std::net::IpAddr;

use nfdhcpd::network::filter::Profile;

use super::routed::{ROUTER, WORLD, WORLD6, configured, router};
use super::{Nic, run};
use crate::bridge::{make_bridge, set_hooks};
use crate::filters::firewall::{Host, Place, expect_profile};
use crate::harness::{Guest, Lab, sh, tests};

tests!(ifup_firewall:
    bridged_guest_has_its_profile,
    routed_guest_has_its_profile,
    private_guest_has_its_profile,
    profile_needs_a_kernel_that_knows_connections,
    guest_is_masqueraded,
    one_address_is_masqueraded_once,
    missing_chains_are_told,
);

/// What the NIC is called in tags, with the profile that they come to.
const TAGS: [(&str, Option<Profile>); 5] = [
    ("web synnefo:network:1:protected synnefo:network:other:protected", None),
    ("synnefo:network:0:protected", Some(Profile::Protected)),
    ("a synnefo:network:94d4b0ce-6ab6-4b33-9b5d-6a14a4f7ee7c:limited b", Some(Profile::Limited)),
    ("synnefo:network:second:unprotected", None),
    ("synnefo:network:0:limited synnefo:network:second:protected", Some(Profile::Protected)),
];

fn named(nic: Nic) -> Nic {
    nic.with("INTERFACE_UUID", "94d4b0ce-6ab6-4b33-9b5d-6a14a4f7ee7c").with("INTERFACE_NAME", "second")
}

/// A port of `br0`, by which the node has an address as well. The guest has those that are in its NIC.
fn bridged(number: u8, tags: &str) -> (Host, Nic) {
    make_bridge();
    set_hooks("1");
    sh("ip address replace 192.0.2.1/24 dev br0; ip address replace 2001:db8::1/64 dev br0 nodad");
    let mut guest = Guest::new(number);
    guest.insert();
    let nic = Nic::bridged(&guest, tags).with("NETWORK_SUBNET6", "2001:db8::/64").without("NETWORK_GATEWAY6");
    nic.up();
    let addresses: [IpAddr; 2] = [guest.ip().into(), format!("2001:db8::a800:ff:fe00:{number:x}").parse().unwrap()];
    guest.sh(&format!(
        "ip address add {}/24 dev eth0; ip route add default via 192.0.2.1
         ip address add {}/64 dev eth0 nodad; ip route add default via 2001:db8::1",
        addresses[0], addresses[1]
    ));
    let gateways = [IpAddr::from([192, 0, 2, 1]), "2001:db8::1".parse().unwrap()];
    (Host { guest, addresses, gateways }, named(nic))
}

/// From a neighbour, and from the node itself, whose packets go by another way.
fn bridged_guest_has_its_profile(_: &mut Lab) {
    let [(host, nic), (neighbour, _)] = [1, 2].map(|number| bridged(number, ""));
    for (tags, profile) in TAGS {
        nic.clone().with("TAGS", tags).up();
        expect_profile(profile, Place::Host(&neighbour), &host);
        expect_profile(profile, Place::Node, &host);
    }
}

/// From beyond the uplink.
fn routed_guest_has_its_profile(_: &mut Lab) {
    let world = router();
    let addresses = [WORLD, WORLD6].map(|address| address.parse().unwrap());
    let world = Host { guest: world, addresses, gateways: addresses };
    let guest = configured(1);
    let nic = named(Nic::routed(&guest, "ip-less-routed"));
    let addresses = [guest.ip().into(), guest.eui64().parse().unwrap()];
    let gateways = [IpAddr::from([192, 0, 2, 1]), ROUTER.parse().unwrap()];
    let host = Host { guest, addresses, gateways };
    for (tags, profile) in TAGS {
        nic.clone().with("TAGS", tags).up();
        expect_profile(profile, Place::Host(&world), &host);
    }
}

/// Both kinds of filters at once.
fn private_guest_has_its_profile(_: &mut Lab) {
    let [(host, nic), (neighbour, _)] = [1, 2].map(|number| bridged(number, "private-filtered"));
    for (tags, profile) in [TAGS[2], TAGS[0]] {
        nic.clone().with("TAGS", tags).up();
        expect_profile(profile, Place::Host(&neighbour), &host);
    }
}

/// Rather no guest than one without its firewall.
fn profile_needs_a_kernel_that_knows_connections(_: &mut Lab) {
    let (_host, nic) = bridged(1, "");
    set_hooks("0");
    let nic = nic.with("TAGS", "synnefo:network:0:protected");
    match nic.try_up() {
        Ok(said) => assert_eq!(said, "", "this kernel has nf_conntrack_bridge"),
        Err(error) => {
            assert!(error.contains("TAGS=") && error.contains("bridge-nf-call-iptables"), "{error}");
            assert_eq!((error.lines().count(), super::elements()), (1, Vec::new()), "{error}");
        }
    }
}

/// Beyond its bridge or tap, and nowhere else.
fn guest_is_masqueraded(_: &mut Lab) {
    let world = router();
    world.sh("ip route add 192.0.2.77 via 203.0.113.2 dev eth0");
    let addresses = [WORLD, WORLD6].map(|address| address.parse().unwrap());
    let world = Host { guest: world, addresses, gateways: addresses };
    let outside = IpAddr::from([203, 0, 113, 2]);
    sh("ip route add default via 203.0.113.1 dev up0");
    let [(host, nic), (neighbour, _)] = [1, 2].map(|number| bridged(number, ""));
    sh("ip rule del iif up0 lookup 100");
    nic.clone().with("NETWORK_TAGS", "masq").up();
    assert_eq!(host.seen_by(&world, addresses[0]), outside);
    assert_eq!(host.seen_by(&neighbour, neighbour.addresses[0]), host.addresses[0]);
    sh("ip address del 192.0.2.1/24 dev br0; ip rule add iif up0 lookup 100");
    let mut guest = Guest::new(5);
    guest.insert();
    let nic = Nic::routed(&guest, "ip-less-routed masq");
    nic.up();
    guest.sh("ip address add 192.0.2.15/24 dev eth0; ip route add default via 192.0.2.1");
    let addresses5 = [guest.ip().into(), WORLD6.parse().unwrap()];
    let routed_host = Host { guest, addresses: addresses5, gateways: addresses };
    assert_eq!(routed_host.seen_by(&world, addresses[0]), outside);
    nic.with("NETWORK_TAGS", "ip-less-routed").up();
    assert_eq!(routed_host.seen_by(&world, addresses[0]), routed_host.addresses[0]);
}

/// While the first one has its tap.
fn one_address_is_masqueraded_once(_: &mut Lab) {
    let [(one, first), (_other, second)] = [1, 2].map(|number| bridged(number, "masq"));
    let second = second.with("NETWORK_TAGS", "masq").with("IP", &one.addresses[0].to_string());
    first.up();
    let before = super::elements();
    let said = second.try_up().unwrap_err();
    assert!(said.contains("IP=\"192.0.2.11\": already masqueraded for tap1"), "{said}");
    assert_eq!(super::elements(), before);
    one.guest.unplug();
    second.up();
    assert!(!super::elements().iter().any(|element| element.contains("tap1")), "{:?}", super::elements());
}

/// And come back with ifup.
fn missing_chains_are_told(_: &mut Lab) {
    let _world = router();
    let guest = configured(1);
    let routed = Nic::routed(&guest, "ip-less-routed").with("TAGS", "synnefo:network:0:protected");
    let (_host, bridged) = bridged(2, "");
    let bridged = bridged.with("TAGS", "synnefo:network:0:limited");
    [&routed, &bridged].into_iter().for_each(Nic::up);
    for (nic, tap, damage) in [
        (&routed, "tap1", "flush chain inet snf_network source"),
        (&routed, "tap1", "delete chain inet snf_network sources"),
        (&routed, "tap1", "flush chain inet snf_network firewall_forward"),
        (&bridged, "tap2", "flush chain bridge snf_network wrapped"),
    ] {
        let broken = || -> Vec<String> {
            let status = run(&["status"]);
            let lines = status.lines().filter(|line| line.ends_with(", filters broken"));
            lines.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
        };
        assert!(broken().is_empty(), "before: {damage}");
        sh(&format!("nft '{damage}'"));
        assert_eq!(broken(), [tap], "{damage}");
        nic.up();
        assert!(broken().is_empty(), "after: {damage}");
    }
}
