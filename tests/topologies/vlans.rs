//! Guests in VLANs: one on a bond under a bridge, two of one trunk with a bridge each, and two in one bridge.

use crate::document;
use crate::harness::frames::ethernet;
use crate::harness::requests::{EVERYBODY, discover};
use crate::harness::{Guest, Lab, queues, soon, tests};
use crate::node::{DataCentre, Hooks, config, configure, load, set_hooks};
use crate::served::{expect_network, expect_untouched, leaks};
use crate::wire::{Wire, tagged, untagged};

tests!(vlans:
    bond_by_nft,
    bond_by_nft_with_hooks,
    bond_by_iptables_at_the_ports,
    bond_by_iptables_at_the_bridges,
    trunk_by_nft,
    trunk_by_iptables_at_the_ports,
    trunk_by_iptables_at_the_bridges,
    trunk_by_nft_inet,
    trunk_by_nft_inet_with_hooks,
    aware_bridge_by_nft,
    aware_bridge_by_iptables_at_the_ports,
    aware_bridge_itself_hears_nobody,
    tag_of_a_guest_is_no_way_into_another_vlan,
);

/// A section of the document, and what its node is plugged into.
struct Site {
    section: &'static str,
    uplinks: &'static [&'static str],
    /// The other end of the uplinks: makes `trunk` of `port0` and so on.
    trunk: &'static str,
    /// The VLANs and their bridges. Each has one guest, and its own 192.0.2.0/24.
    networks: &'static [(u16, &'static str)],
}

const BOND: Site = Site {
    section: "A VLAN on a bond under a bridge",
    uplinks: &["eno1", "eno2"],
    trunk: "ip link add trunk type bond mode 802.3ad lacp_rate fast miimon 100
        ip link set port0 master trunk
        ip link set port1 master trunk",
    networks: &[(100, "br100")],
};

const TRUNK: Site = Site {
    section: "Two VLANs of a trunk, with a bridge each",
    uplinks: &["eno1"],
    trunk: "ip link set port0 name trunk",
    networks: &[(10, "br10"), (20, "br20")],
};

const AWARE: Site = Site {
    section: "One bridge that knows VLANs",
    uplinks: &["eno1"],
    trunk: "ip link set port0 name trunk",
    networks: &[(10, "br0"), (20, "br0")],
};

/// What becomes of a guest's requests, once they are answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Requests {
    /// They go no further than the node.
    Stay,
    /// Everybody in the VLAN hears them too.
    Leak,
}

fn bond_by_nft(lab: &mut Lab) {
    is_served(lab, &BOND, Hooks::Off, "nft", Requests::Stay);
}

fn bond_by_nft_with_hooks(lab: &mut Lab) {
    is_served(lab, &BOND, Hooks::On, "nft", Requests::Stay);
}

fn bond_by_iptables_at_the_ports(lab: &mut Lab) {
    is_served(lab, &BOND, Hooks::On, "iptables, at the ports", Requests::Stay);
}

fn bond_by_iptables_at_the_bridges(lab: &mut Lab) {
    is_served(lab, &BOND, Hooks::Off, "iptables, at the bridges", Requests::Leak);
}

fn trunk_by_nft(lab: &mut Lab) {
    is_served(lab, &TRUNK, Hooks::Off, "nft", Requests::Stay);
}

fn trunk_by_iptables_at_the_ports(lab: &mut Lab) {
    is_served(lab, &TRUNK, Hooks::On, "iptables, at the ports", Requests::Stay);
}

fn trunk_by_iptables_at_the_bridges(lab: &mut Lab) {
    is_served(lab, &TRUNK, Hooks::Off, "iptables, at the bridges", Requests::Leak);
}

fn trunk_by_nft_inet(lab: &mut Lab) {
    is_served(lab, &TRUNK, Hooks::Off, "nft, family inet", Requests::Leak);
}

fn trunk_by_nft_inet_with_hooks(lab: &mut Lab) {
    is_served(lab, &TRUNK, Hooks::On, "nft, family inet", Requests::Stay);
}

fn aware_bridge_by_nft(lab: &mut Lab) {
    is_served(lab, &AWARE, Hooks::Off, "nft", Requests::Stay);
}

fn aware_bridge_by_iptables_at_the_ports(lab: &mut Lab) {
    is_served(lab, &AWARE, Hooks::On, "iptables, at the ports", Requests::Stay);
}

/// It is in no VLAN. What a guest asks is in the VLAN, and never in the queue.
fn aware_bridge_itself_hears_nobody(lab: &mut Lab) {
    let _data_centre = AWARE.build();
    let _networkd = AWARE.configure(Hooks::Off, "iptables, at the bridges");
    let trunk = Wire::tap("dc", "trunk");
    lab.launch(&config());
    for guest in AWARE.plug(lab) {
        guest.send(&[discover(guest.mac, 1)], 1);
    }
    soon("both requests on the trunk", || (trunk.dhcpv4().len() == 2).then_some(()));
    expect_empty_queue();
}

/// Every guest is served, untagged, with what is its own; what is on the trunk goes on as if there were no rules.
fn is_served(lab: &mut Lab, site: &Site, hooks: Hooks, rules: &str, requests: Requests) {
    let data_centre = site.build();
    let _networkd = site.configure(hooks, rules);
    let trunk = Wire::tap("dc", "trunk");
    lab.launch(&config());
    for (guest, (vlan, _)) in site.plug(lab).iter().zip(site.networks) {
        let plug = Wire::tap(&guest.name, "eth0");
        expect_network(guest);
        assert!(plug.frames().iter().all(|frame| untagged(frame).0.is_none()), "a tag at {}", guest.name);
        expect_untouched(&data_centre, *vlan, &trunk, guest);
    }
    assert_eq!(leaks(&trunk), requests == Requests::Leak, "requests of guests on the trunk");
}

impl Site {
    /// The data centre, with a router in each VLAN.
    fn build(&self) -> DataCentre {
        let data_centre = DataCentre::new(self.uplinks, self.trunk);
        for ((vlan, _), guest) in self.networks.iter().zip(1..) {
            data_centre.add_vlan(*vlan, &["192.0.2.1/24", &format!("2001:db8:0:{guest}::1/64")]);
        }
        data_centre
    }

    /// The node, with the rules of this name.
    #[track_caller]
    fn configure(&self, hooks: Hooks, rules: &str) -> impl Sized + use<> {
        let bridges: Vec<&str> = self.networks.iter().map(|(_, bridge)| *bridge).collect();
        let networkd = configure(self.section, &config(), &bridges);
        set_hooks(hooks);
        load(rules, &bridges);
        networkd
    }

    /// A guest in each VLAN. All have the same MAC: only the tap tells them apart.
    fn plug(&self, lab: &Lab) -> Vec<Guest> {
        let plug = |(number, (vlan, bridge)): (u8, &(u16, &str))| {
            let mut guest = Guest::new(number);
            guest.mac[5] = 1;
            let variables = format!("TAP={} BRIDGE={bridge} VLAN={vlan}", guest.tap);
            guest.plug_with(&document::script(self.section, "a tap", &variables));
            lab.bind(&guest, &guest.binding().replace(&format!("INDEV={}", guest.tap), &format!("INDEV={bridge}")));
            guest
        };
        (1..).zip(self.networks).map(plug).collect()
    }
}

/// A guest that tags its frames itself sends them into its own VLAN, with two tags. No rule diverts them.
fn tag_of_a_guest_is_no_way_into_another_vlan(lab: &mut Lab) {
    let _data_centre = TRUNK.build();
    let _networkd = TRUNK.configure(Hooks::Off, "nft");
    let trunk = Wire::tap("dc", "trunk");
    lab.launch(&config());
    let guests = TRUNK.plug(lab);
    for (hooks, rules) in [(Hooks::Off, "iptables, at the bridges"), (Hooks::On, "iptables, at the ports")] {
        set_hooks(hooks);
        load(rules, &["br10", "br20"]);
        let before = trunk.frames().len();
        let mark = ethernet(EVERYBODY, guests[0].mac, 0x88b5, &[0; 46]);
        guests[0].send(&[tagged(20, &discover(guests[0].mac, 1)), mark.clone()], 1);
        soon("what was sent last", || trunk.frames()[before..].contains(&tagged(10, &mark)).then_some(()));
        let twice = tagged(10, &tagged(20, &discover(guests[0].mac, 1)));
        assert!(trunk.frames()[before..].contains(&twice), "{rules}: two tags");
    }
    assert!(guests[0].dhcpv4().iter().all(|message| message.from_guest), "an answer to a tagged request");
    expect_empty_queue();
    assert!(!guests[1].frames().iter().any(|frame| frame[6..12] == guests[0].mac && frame[12..14] == [0x88, 0xb5]));
}

/// No request of DHCPv4 has ever been diverted.
fn expect_empty_queue() {
    let queue = queues::bound().into_iter().find(|queue| queue.number == 42);
    assert_eq!(queue.expect("a queue of the daemon").seen, 0);
}
