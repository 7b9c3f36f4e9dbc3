//! A pool of bridges for private networks, beside one routed public network. The companion plugs in the taps.

use std::slice;

use crate::document;
use crate::harness::frames::ethernet;
use crate::harness::requests::EVERYBODY;
use crate::harness::{Config, Guest, Lab, Process, sh, soon, tests};
use crate::node::{DataCentre, Hooks, ROUTER_MAC, configure, set_hooks};
use crate::served::{expect_lease, expect_network};

tests!(private:
    by_nft,
    by_iptables_at_the_ports,
    by_iptables_at_the_bridges,
    networks_are_apart,
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
/// ones.
fn are_served(lab: &mut Lab, hooks: Hooks, rules: &str) {
    let _networkd = configure_node();
    set_hooks(hooks);
    document::run(SECTION, rules, "");
    lab.launch(&config());
    let public = public_guest(1);
    let private = [(2, "prv0"), (3, "prv1")].map(|(number, bridge)| private_guest(number, 0, 2, bridge));
    expect_network(&public);
    for guest in &private {
        expect_lease(guest);
        assert!(!guest.routes().contains("default"), "{}", guest.routes());
    }
}

/// Also in one bridge, by the first bytes of the MAC.
fn networks_are_apart(_: &mut Lab) {
    let _networkd = configure_node();
    let one = private_guest(1, 0x20, 1, "prv0");
    let neighbour = private_guest(2, 0x20, 2, "prv0");
    let strangers = [(3, 0x30, "prv0"), (4, 0x20, "prv1")]
        .map(|(number, network, bridge)| private_guest(number, network, number, bridge));
    let mark = |guest: &Guest| ethernet(EVERYBODY, guest.mac, 0x88b5, &[0; 46]);
    one.send(&[mark(&one)], 1);
    soon("a broadcast in the network", || neighbour.frames().contains(&mark(&one)).then_some(()));
    for stranger in &strangers {
        // What it says itself is on its wire behind what it had heard by then.
        stranger.send(slice::from_ref(&mark(stranger)), 1);
        soon("its own", || stranger.frames().contains(&mark(stranger)).then_some(()));
        assert!(!stranger.frames().contains(&mark(&one)), "{} hears another network", stranger.name);
    }
}

/// The node, with a strict `rp_filter`, and the router of the public network.
#[track_caller]
fn configure_node() -> Process {
    DataCentre::new(&["eno1"], "ip link set port0 name trunk").sh(&format!(
        "ip link set trunk address {ROUTER_MAC}
         ip address add 192.0.2.1/24 dev trunk
         ip address add 2001:db8:0:1::1/64 dev trunk nodad"
    ));
    sh(FILTER);
    let networkd = configure(SECTION, &config(), &["eno1"]);
    document::run(SECTION, "settings", "");
    networkd
}

/// The node is the router. Bindings are where the companion writes them.
fn config() -> Config {
    Config::default().with("general", "datapath", "/var/lib/nfdhcpd")
}

/// A guest of the public network.
fn public_guest(number: u8) -> Guest {
    let mut guest = Guest::new(number);
    plug(&mut guest, "a public guest", "");
    guest
}

/// A guest of a private network, whose MAC and addresses are those of the guest with the number `like`.
fn private_guest(number: u8, network: u8, like: u8, bridge: &str) -> Guest {
    let mut guest = Guest::new(number);
    (guest.mac[1], guest.mac[5], guest.number) = (network, like, like);
    plug(&mut guest, "a private guest", &format!("BRIDGE={bridge}"));
    guest
}

/// Has the companion set up the tap.
#[track_caller]
fn plug(guest: &mut Guest, block: &str, variables: &str) {
    let prefix = guest.prefix6();
    let variables = format!(
        "TAP={} MAC={} IP={} SUBNET6={prefix}::/64 GATEWAY6={prefix}::1 {variables}",
        guest.tap,
        guest.mac_text(),
        guest.ip()
    );
    guest.plug_with(&document::script(SECTION, block, &variables));
}
