//! Guests that move from node to node: the router that they keep, and the neighbours that find them again.
//!
//! A node is as good as its bridge here: the guest moves from one bridge to another.

use crate::harness::capture::{Capture, Frame};
use crate::harness::{Config, Guest, Lab, sh, soon, tests};

tests!(migration:
    bridged_guest_keeps_the_router_that_is_named,
    bridged_guest_finds_another_router_without_a_name,
    bridge_may_change_its_address,
    routed_guest_is_announced_on_the_uplink,
    bridged_guest_is_not_announced,
    announcement_waits_for_its_uplink,
    routed_tap_must_have_the_address_of_the_router,
);

/// The router of all nodes.
const ROUTER: &str = "02:00:00:00:00:99";
const ROUTER_LOCAL: &str = "fe80::ff:fe00:99";
/// The nodes' uplink.
const UPLINK: &str = "02:00:00:00:00:ee";

/// No periodic advertisement comes in between.
fn quiet() -> Config {
    Config::default().with("ipv6", "ra_period", "1800")
}

fn named() -> Config {
    quiet().with("general", "router_mac", ROUTER)
}

fn announcing() -> Config {
    quiet().with("general", "announce_on", "up0")
}

fn bridged_guest_keeps_the_router_that_is_named(lab: &mut Lab) {
    let guest = guest_on_first_node(lab);
    lab.launch(&named());
    let before = soon("the router", || only(routers(&guest)));
    assert_eq!(before, router(ROUTER_LOCAL, ROUTER));
    let heard = advertisements(&guest).len();
    move_to_second_node(lab, &guest, &named());
    let news = soon("an advertisement from the second node", || {
        let all = advertisements(&guest);
        (all.len() > heard).then(|| all[heard..].to_vec())
    });
    assert!(news.iter().all(|lifetime| *lifetime > 0), "a farewell: {news:?}");
    assert_eq!(routers(&guest), [before]);
}

/// The first node's router stays behind, in the guest's routes as well.
fn bridged_guest_finds_another_router_without_a_name(lab: &mut Lab) {
    let guest = guest_on_first_node(lab);
    lab.launch(&quiet());
    let first = router("fe80::ff:fe00:b0", "02:00:00:00:00:b0");
    assert_eq!(soon("the router", || only(routers(&guest))), first);
    move_to_second_node(lab, &guest, &quiet());
    let second = router("fe80::ff:fe00:b1", "02:00:00:00:00:b1");
    soon("both routers", || (routers(&guest) == [first.clone(), second.clone()]).then_some(()));
}

fn bridge_may_change_its_address(lab: &mut Lab) {
    let guests = [guest_on_first_node(lab), lab.guest(2)];
    guests[1].wait_for_address("fe80::");
    lab.launch(&named());
    let before = soon("the router", || only(routers(&guests[0])));
    let heard = advertisements(&guests[0]).len();
    sh("ip link set br0 address 02:00:00:00:00:b7");
    // What the daemon hears later is done later.
    sh(&format!("ip link set {} address {ROUTER}", guests[1].tap));
    soon("the router of the routed guest", || only(routers(&guests[1])));
    assert_eq!(routers(&guests[0]), [before]);
    assert_eq!(advertisements(&guests[0]).len(), heard);
    assert!(!lab.daemon().log().contains("changed its address"), "{}", lab.daemon().log());
}

/// Neighbours have the guest where it was before. The kernel's own caches are the judges.
fn routed_guest_is_announced_on_the_uplink(lab: &mut Lab) {
    let peer = Peer::new();
    lab.start_with(&announcing());
    let guest = Guest::new(1);
    let addresses = [guest.ip().to_string(), guest.eui64(), format!("{}::10", guest.prefix6())];
    for address in &addresses {
        peer.sh(&format!("ip neighbour replace {address} lladdr 02:00:00:00:de:ad dev eth0 nud stale"));
    }
    lab.bind(&guest, &format!("{}IP6={}\n", guest.binding(), addresses[2]));
    let mut guest = guest;
    guest.plug();
    for address in &addresses {
        soon("the guest's new place", || peer.neighbour(address).contains(UPLINK).then_some(()));
    }
    // IsRouter: the node forwards.
    assert!(peer.neighbour(&addresses[1]).contains(" router "), "{}", peer.neighbour(&addresses[1]));
    soon("the second round", || (peer.announcements().len() == 6).then_some(()));

    // The file anew, with the same addresses: nothing. Then another address, which is news.
    let heard = peer.announcements().len();
    lab.rebind(&guest, &format!("{}IP6={}\nTAGS=other\n", guest.binding(), addresses[2]));
    lab.rebind(&guest, &guest.binding().replace("192.0.2.11", "192.0.2.77"));
    let news = soon("news", || peer.announcements().get(heard..).and_then(<[_]>::first).cloned());
    assert_eq!(news, "192.0.2.77");
}

fn bridged_guest_is_not_announced(lab: &mut Lab) {
    let peer = Peer::new();
    let bridged = guest_on_first_node(lab);
    lab.start_with(&announcing());
    lab.rebind(&bridged, &bridged_binding(&bridged, "br0").replace("192.0.2.11", "192.0.2.77"));
    let routed = lab.guest(2);
    let round = [routed.ip().to_string(), routed.eui64()];
    let expected = [round.clone(), round].concat();
    soon("both rounds", || (peer.announcements().len() >= expected.len()).then_some(()));
    assert_eq!(peer.announcements(), expected);
}

fn announcement_waits_for_its_uplink(lab: &mut Lab) {
    lab.start_with(&announcing());
    let guest = lab.guest(1);
    lab.daemon().wait_for_log("announce_on");
    let peer = Peer::new();
    soon("an announcement", || (!peer.announcements().is_empty()).then_some(()));
    assert_eq!(peer.announcements()[0], guest.ip().to_string());
    assert_eq!(lab.daemon().log().matches("announce_on").count(), 1, "{}", lab.daemon().log());
}

/// The guest has its lease, the operator knows what to do, and once that is done the guest has IPv6.
fn routed_tap_must_have_the_address_of_the_router(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start_with(&named());
    guest.udhcpc("-q -n").wait();
    assert!(guest.udhcpc_lease().contains("\nip=192.0.2.11\n"), "{}", guest.udhcpc_lease());
    let tap = sh(&format!("cat /sys/class/net/{}/address", guest.tap));
    let cure = format!("ip link set dev {} address {ROUTER}", guest.tap);
    for words in ["ERROR", &format!("router_mac is {ROUTER}"), tap.trim(), &cure, "router_mac_misfit"] {
        lab.daemon().wait_for_log(words);
    }
    assert!(advertisements(&guest).is_empty(), "{:?}", advertisements(&guest));
    sh(&cure);
    guest.wait_for_address(&guest.eui64());
    assert_eq!(soon("the router", || only(routers(&guest))), router(ROUTER_LOCAL, ROUTER));
}

/// A guest behind a port of `br0`, and the second node's `br1`. The guest can hear what is told once, unasked: nothing
/// is diverted here, so nobody answers it.
fn guest_on_first_node(lab: &mut Lab) -> Guest {
    for number in 0..2 {
        sh(&format!(
            "ip link add br{number} address 02:00:00:00:00:b{number} type bridge mcast_snooping 0; \
             ip link set br{number} up"
        ));
    }
    let mut guest = Guest::new(1);
    guest.plug_with("ip link set tap1 master br0");
    lab.bind(&guest, &bridged_binding(&guest, "br0"));
    guest.wait_for_address("fe80::");
    guest
}

/// The second node has a daemon of its own, which knows nothing of the first one's.
fn move_to_second_node(lab: &mut Lab, guest: &Guest, config: &Config) {
    lab.stop();
    sh(&format!("ip link set {} master br1", guest.tap));
    lab.bind(guest, &bridged_binding(guest, "br1"));
    lab.launch(config);
}

fn bridged_binding(guest: &Guest, bridge: &str) -> String {
    guest.binding().replace(&format!("INDEV={}", guest.tap), &format!("INDEV={bridge}"))
}

/// A default router: its link-local address, and its MAC as the guest knows it.
type Router = (String, String);

fn router(address: &str, mac: &str) -> Router {
    (address.to_owned(), mac.to_owned())
}

/// The guest's default routers, in the order of their addresses.
fn routers(guest: &Guest) -> Vec<Router> {
    let routes = guest.sh("ip -6 route show default");
    let mut words = routes.split_whitespace();
    let mut addresses: Vec<&str> = std::iter::from_fn(|| words.find(|word| *word == "via").and(words.next())).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses.into_iter().map(|address| router(address, &mac_of(guest, address))).collect()
}

/// The MAC that the guest knows a neighbour by.
fn mac_of(guest: &Guest, address: &str) -> String {
    let neighbour = guest.sh(&format!("ip -6 neighbour show {address} dev eth0"));
    neighbour.split_whitespace().skip_while(|word| *word != "lladdr").nth(1).unwrap_or_default().to_owned()
}

/// The only one of these.
fn only<T>(mut all: Vec<T>) -> Option<T> {
    all.pop().filter(|_| all.is_empty())
}

/// The router lifetimes of the advertisements that the guest has heard.
fn advertisements(guest: &Guest) -> Vec<u16> {
    let is_advertisement = |frame: &&Frame| frame[12..14] == [0x86, 0xdd] && frame[20] == 58 && frame[54] == 134;
    let lifetime = |frame: &Frame| u16::from_be_bytes([frame[60], frame[61]]);
    guest.frames().iter().filter(is_advertisement).map(lifetime).collect()
}

/// A neighbour of the nodes on the far side of the uplink.
struct Peer {
    capture: Capture,
}

impl Peer {
    const NAME: &str = "peer";

    /// Plugs the uplink in.
    fn new() -> Self {
        sh(&format!(
            "ip netns add peer
             ip link add up0 address {UPLINK} type veth peer name eth0 netns peer
             ip -n peer link set lo up; ip -n peer link set eth0 up
             ip -n peer address add 192.0.2.200/24 dev eth0
             ip -n peer address add 2001:db8::200/32 dev eth0 nodad"
        ));
        let capture = Capture::start(Self::NAME, 0);
        sh("ip link set up0 up");
        Self { capture }
    }

    fn sh(&self, script: &str) -> String {
        sh(&format!("ip netns exec {} sh -ec '{script}'", Self::NAME))
    }

    /// What it knows of a neighbour.
    fn neighbour(&self, address: &str) -> String {
        self.sh(&format!("ip neighbour show {address} dev eth0"))
    }

    /// Whose announcements came, in their order.
    fn announcements(&self) -> Vec<String> {
        self.capture.frames().iter().filter_map(|frame| announced(frame)).collect()
    }
}

/// The address that a frame announces: in an ARP request from the address itself, or an unsolicited advertisement to all.
fn announced(frame: &[u8]) -> Option<String> {
    if frame[12..14] == [0x08, 0x06] {
        let octets = |at: usize| <[u8; 4]>::try_from(&frame[at..at + 4]).unwrap();
        let is_announcement = frame[20..22] == [0, 1] && octets(28) == octets(38);
        return is_announcement.then(|| std::net::Ipv4Addr::from(octets(28)).to_string());
    }
    let is_advertisement = frame[12..14] == [0x86, 0xdd] && frame[20] == 58 && frame[54] == 136;
    let is_to_all = is_advertisement && frame[..6] == [0x33, 0x33, 0, 0, 0, 1];
    is_to_all.then(|| std::net::Ipv6Addr::from(<[u8; 16]>::try_from(&frame[62..78]).unwrap()).to_string())
}
