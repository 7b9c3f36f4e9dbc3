//! A pool of bridges for private networks, beside one routed public network.

use crate::document;
use crate::harness::frames::ethernet;
use crate::harness::requests::EVERYBODY;
use crate::harness::{Config, Guest, Lab, sh, soon, tests};
use crate::node::{DataCentre, Hooks, ROUTER_MAC, configure, set_hooks};
use crate::served::{expect_lease, expect_network};

tests!(private:
    by_nft,
    by_iptables_at_the_ports,
    by_iptables_at_the_bridges,
);

const SECTION: &str = "Private bridges beside a routed network";

/// The strictest that an administrator may have set.
const FILTER: &str = "sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.default.rp_filter=1";

fn by_nft(lab: &mut Lab) {
    are_served(lab, Hooks::Off, "nft");
}

fn by_iptables_at_the_ports(lab: &mut Lab) {
    are_served(lab, Hooks::On, "iptables, at the ports");
}

fn by_iptables_at_the_bridges(lab: &mut Lab) {
    are_served(lab, Hooks::Off, "iptables, at the bridges");
}

/// The public guest reaches the router by the node. Private guests have addresses and no router, two of them even the same
/// ones, and hear nobody but their own network.
fn are_served(lab: &mut Lab, hooks: Hooks, rules: &str) {
    let data_centre = DataCentre::new(&["eno1"], "ip link set port0 name trunk");
    data_centre.sh(&format!(
        "ip link set trunk address {ROUTER_MAC}
         ip address add 192.0.2.1/24 dev trunk
         ip address add 2001:db8:0:1::1/64 dev trunk nodad"
    ));
    sh(FILTER);
    let _networkd = configure(SECTION, &Config::default(), &["eno1"]);
    document::run(SECTION, "settings", "");
    set_hooks(hooks);
    document::run(SECTION, rules, "");
    lab.launch(&Config::default());
    let public = public_guest(lab, 1);
    let private = [(2, "prv0"), (3, "prv1")].map(|(number, bridge)| private_guest(lab, number, bridge));
    expect_network(&public);
    for guest in &private {
        expect_lease(guest);
        assert!(!guest.routes().contains("default"), "{}", guest.routes());
    }
    expect_apart(&private);
}

fn public_guest(lab: &Lab, number: u8) -> Guest {
    let guest = lab.guest(number);
    let variables = format!("TAP={} IP={} EUI64={}", guest.tap, guest.ip(), guest.eui64());
    document::run(SECTION, "a public guest", &variables);
    guest
}

/// A guest of a private network. All of them have the same MAC and the same addresses.
fn private_guest(lab: &Lab, number: u8, bridge: &str) -> Guest {
    let mut guest = Guest::new(number);
    (guest.mac[5], guest.number) = (2, 2);
    let variables = format!("TAP={} BRIDGE={bridge}", guest.tap);
    guest.plug_with(&document::script(SECTION, "a private guest", &variables));
    let binding = guest.binding().replace(&format!("INDEV={}", guest.tap), &format!("INDEV={bridge}"));
    let has_no_gateway = |line: &&str| !line.starts_with("GATEWAY");
    lab.bind(&guest, &binding.lines().filter(has_no_gateway).map(|line| format!("{line}\n")).collect::<String>());
    guest
}

/// A broadcast of the first guest stays in its bridge.
fn expect_apart(guests: &[Guest; 2]) {
    let mark = |number| ethernet(EVERYBODY, guests[0].mac, 0x88b5, &[number; 46]);
    guests[0].send(&[mark(1)], 1);
    sh(&format!("ip link set {} nomaster; ip link set {0} master prv1", guests[0].tap));
    guests[0].send(&[mark(2)], 1);
    soon("a broadcast in the same bridge", || guests[1].frames().contains(&mark(2)).then_some(()));
    assert!(!guests[1].frames().contains(&mark(1)), "a broadcast of another network");
}
