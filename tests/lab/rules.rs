//! What `nfdhcpd rules` prints, loaded into a kernel, with guests that ask and guests that flood.

use std::fs;
use std::net::Ipv6Addr;

use crate::bridge::{bridged_guest, expect_both_families, set_hooks};
use crate::harness::daemon::write_config;
use crate::harness::frames::ethernet;
use crate::harness::inside::need;
use crate::harness::requests::{discover, information_request, neighbor_solicitation, router_solicitation};
use crate::harness::{Config, Guest, Lab, SCRATCH, sh, soon, tests, try_sh};
use crate::hostile::seen;

tests!(rules:
    routed_guests_are_served,
    ports_of_a_bridge_are_served,
    ports_are_served_by_their_bridge,
    nft_takes_its_format,
    flood_from_a_routed_tap_is_held,
    flood_from_a_port_is_held,
    flood_from_a_port_is_held_without_br_netfilter,
    flood_of_one_kind_leaves_the_guest_the_others,
    loading_again_replaces_what_was_loaded,
    bypass_lets_packets_pass_while_nobody_listens,
);

/// How taps are plugged in, and the options that say so.
#[derive(Clone, Copy)]
struct Place {
    options: &'static str,
    /// Where the limits are: a family of nft's tables.
    family: &'static str,
    guest: fn(&Lab, u8) -> Guest,
}

const ROUTED: Place = Place { options: "--routed", family: "inet", guest: |lab, number| lab.guest(number) };
/// With br_netfilter.
const PORT: Place = Place { options: "--bridged", family: "bridge", guest: port };
/// Without.
const BY_BRIDGE: Place = Place { options: "--bridged --by-bridge br0", family: "bridge", guest: port_without_hooks };

fn port(lab: &Lab, number: u8) -> Guest {
    set_hooks("1");
    bridged_guest(lab, number)
}

fn port_without_hooks(lab: &Lab, number: u8) -> Guest {
    set_hooks("0");
    bridged_guest(lab, number)
}

fn routed_guests_are_served(lab: &mut Lab) {
    are_served(lab, ROUTED);
}

fn ports_of_a_bridge_are_served(lab: &mut Lab) {
    are_served(lab, PORT);
}

fn ports_are_served_by_their_bridge(lab: &mut Lab) {
    are_served(lab, BY_BRIDGE);
}

fn are_served(lab: &mut Lab, place: Place) {
    let guests = [1, 2].map(|number| (place.guest)(lab, number));
    load(place.options);
    lab.launch(&Config::default());
    guests.iter().for_each(expect_both_families);
}

/// A kernel without nft's `queue` still takes all the rest. One that has it serves guests, for which a bridge needs
/// nothing else.
fn nft_takes_its_format(lab: &mut Lab) {
    need("nft");
    set_hooks("0");
    let guests = [lab.guest(1), bridged_guest(lab, 2)];
    let has_queue = try_sh("echo 'table inet probe { chain c { queue num 0; }; }' | nft -c -f -").is_ok();
    let rules = rules(&Config::default(), "--format nft --routed --bridged");
    let is_known = |line: &&str| has_queue || !line.contains(" queue num ");
    let rules: Vec<&str> = rules.lines().filter(is_known).collect();
    fs::write(format!("{SCRATCH}/rules.nft"), rules.join("\n") + "\n").unwrap();
    sh(&format!("nft -c -f {SCRATCH}/rules.nft; nft -f {SCRATCH}/rules.nft"));
    if has_queue {
        lab.launch(&Config::default());
        guests.iter().for_each(expect_both_families);
    }
}

fn flood_from_a_routed_tap_is_held(lab: &mut Lab) {
    floods_are_held(lab, ROUTED);
}

fn flood_from_a_port_is_held(lab: &mut Lab) {
    floods_are_held(lab, PORT);
}

fn flood_from_a_port_is_held_without_br_netfilter(lab: &mut Lab) {
    floods_are_held(lab, BY_BRIDGE);
}

/// How many packets a flood has.
const FLOOD: u32 = 50_000;

/// How often the other guest gets its lease meanwhile. Two packets each, for four floods: less than it may send at once.
const LEASES: u32 = 4;

/// One kind of packets: what its limit is called, its queue, and the most that one tap gets into the queue while a test
/// lasts, which is a minute at the longest.
struct Kind {
    name: &'static str,
    queue: u16,
    most: u64,
    frame: fn(&Guest) -> Vec<u8>,
}

/// Where the guests' solicitations come from.
const LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 1, 2, 3, 4);

const KINDS: [Kind; 4] = [
    Kind { name: "dhcp", queue: 42, most: 40 + 60 * 20, frame: |guest| discover(guest.mac, 1) },
    Kind { name: "rs", queue: 43, most: 40 + 60 * 20, frame: |guest| router_solicitation(guest.mac, LINK_LOCAL) },
    Kind {
        name: "ns",
        queue: 44,
        most: 1_000 + 60 * 500,
        frame: |guest| neighbor_solicitation(guest.mac, LINK_LOCAL, guest.gateway6()),
    },
    Kind {
        name: "dhcpv6",
        queue: 45,
        most: 40 + 60 * 20,
        frame: |guest| information_request(guest.mac, LINK_LOCAL, 1),
    },
];

/// One guest floods as fast as it can, with each kind in turn. The other one gets its lease every time that it asks, no
/// queue loses a packet (every test of the lab ends with that), and the kernel knows who it was.
fn floods_are_held(lab: &mut Lab, place: Place) {
    let [loud, quiet] = [1, 2].map(|number| (place.guest)(lab, number));
    load(place.options);
    lab.launch(&Config::default());
    for kind in &KINDS {
        let dropped = |guest: &Guest| dropped(place.family, kind, guest);
        let before = seen(kind.queue);
        let mut flood = loud.start_sending(&[(kind.frame)(&loud)], FLOOD);
        soon("the limit", || (dropped(&loud) > 0).then_some(()));
        for _ in 0..LEASES {
            let mut client = quiet.udhcpc("-q -n");
            assert!(client.wait().success(), "a flood of {}: {}", kind.name, client.log());
        }
        assert!(flood.wait().success(), "{}", flood.log());
        let queued = seen(kind.queue) - before;
        assert!(queued < kind.most, "{queued} packets of {FLOOD} in the queue of {}", kind.name);
        assert_eq!(dropped(&quiet), 0, "{}: a limit on who does not flood", kind.name);
    }
}

/// Who asks for leases without end still finds its router and its neighbours.
fn flood_of_one_kind_leaves_the_guest_the_others(lab: &mut Lab) {
    need("rdisc6");
    let guest = lab.guest(1);
    load("");
    lab.launch(&Config::default());
    guest.wait_for_address(&guest.eui64());
    let mut flood = guest.start_sending(&[discover(guest.mac, 1)], FLOOD);
    soon("the limit", || (dropped("inet", &KINDS[0], &guest) > 0).then_some(()));
    guest.sh("rdisc6 -1 -q eth0");
    guest.sh(&format!("ndisc6 -1 -q {}::1 eth0", guest.prefix6()));
    assert!(flood.wait().success(), "{}", flood.log());
}

fn loading_again_replaces_what_was_loaded(_: &mut Lab) {
    load("--routed --bridged");
    let once = loaded();
    load("--routed --bridged");
    assert_eq!(loaded(), once);
    load("--routed vnet0 --bridged vnet1 --limit 7");
    let other = loaded();
    assert!(
        other.contains("vnet0")
            && other.contains("rate over 7/second")
            && !other.contains("\"tap")
            && !other.contains("tap+"),
        "{other}"
    );
    let only_ipv4 = Config::default().with("ipv6", "enable_ipv6", "no");
    load_with(&only_ipv4, "--routed --no-limit");
    let less = loaded();
    assert!(less.contains("--queue-num 42") && !less.contains("--queue-num 43") && !less.contains("limit"), "{less}");
}

/// On a bridge they get as far as any other, to the guests beside it.
fn bypass_lets_packets_pass_while_nobody_listens(lab: &mut Lab) {
    let [guest, neighbour] = [1, 2].map(|number| port(lab, number));
    let marker = |number: u8| ethernet([0xff; 6], guest.mac, 0x88b5, &[number; 46]);
    let heard = |frame: &[u8]| neighbour.frames().iter().filter(|heard| *heard == frame).count();
    for (number, (options, expected)) in [("--bridged", 0), ("--bridged --bypass", 1)].into_iter().enumerate() {
        load(options);
        let marker = marker(number.try_into().unwrap());
        guest.send(&[discover(guest.mac, 1), marker.clone()], 1);
        soon("what was sent last", || (heard(&marker) == 1).then_some(()));
        assert_eq!(heard(&discover(guest.mac, 1)), expected, "{options}");
    }
}

/// Loads the rules of iptables for the usual configuration.
#[track_caller]
fn load(options: &str) {
    load_with(&Config::default(), options);
}

/// Loads the rules of iptables for a configuration, as the help says.
#[track_caller]
fn load_with(config: &Config, options: &str) {
    need("nft");
    let path = format!("{SCRATCH}/rules.sh");
    fs::write(&path, rules(config, &format!("--format iptables {options}"))).unwrap();
    sh(&format!("sh {path}"));
}

/// What the command prints.
#[track_caller]
fn rules(config: &Config, options: &str) -> String {
    let (program, path) = (env!("CARGO_BIN_EXE_nfdhcpd"), write_config(config));
    sh(&format!("{program} rules -c {path} {options}"))
}

/// Every rule that there is, in the words of the tools.
fn loaded() -> String {
    let text = sh("iptables-save -t mangle; ip6tables-save -t mangle; nft list table inet nfdhcpd 2>&1 || true
        nft list table bridge nfdhcpd 2>&1 || true");
    text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n")
}

/// How many packets of a kind a tap sent in vain, as the kernel tells an administrator.
fn dropped(family: &str, kind: &Kind, guest: &Guest) -> u64 {
    let set = sh(&format!("nft list set {family} nfdhcpd {}_rate", kind.name));
    let words: Vec<&str> = set.split_whitespace().collect();
    let tap = format!("\"{}\"", guest.tap);
    let element = words.iter().skip_while(|word| **word != tap);
    let counter = element.skip_while(|word| **word != "counter").nth(2);
    counter.map_or(0, |packets| packets.parse().unwrap())
}
