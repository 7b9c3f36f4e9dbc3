//! Private networks that share a bridge, told apart by how the MACs of their NICs start.

use std::slice;

use super::{Nic, configure};
use crate::bridge::{make_bridge, set_hooks};
use crate::harness::frames::ethernet;
use crate::harness::{Config, Guest, Lab, soon, tests};

tests!(ifup_private:
    networks_do_not_hear_each_other,
    station_has_one_mac,
    mask_says_where_a_network_ends,
    guests_get_their_networks,
);

/// A guest in the network of its MAC's second byte, with an address that all of them could reach.
fn enclosed(number: u8, network: u8, tag: &str) -> Guest {
    make_bridge();
    let mut guest = Guest::new(number);
    guest.mac[1] = network;
    guest.insert();
    Nic::bridged(&guest, tag).up();
    guest
        .sh(&format!("ip address add {}/24 dev eth0; ip address add 2001:db8::{number}/64 dev eth0 nodad", guest.ip()));
    guest
}

/// Two networks of two guests. The first network goes by the other name of the tag.
fn two_networks() -> [[Guest; 2]; 2] {
    [(0x20, "mac-filtered", 1), (0x30, "nfdhcpd private-filtered", 3)]
        .map(|(network, tag, first)| [first, first + 1].map(|number| enclosed(number, network, tag)))
}

/// What a guest has heard of another.
fn heard(ear: &Guest, mouth: &Guest) -> usize {
    ear.frames().iter().filter(|frame| frame[6..12] == mouth.mac).count()
}

/// Both hear each other, by unicast, broadcast (ARP) and multicast (ND).
#[track_caller]
fn talk([one, two]: [&Guest; 2]) {
    let to = [format!("{}", two.ip()), format!("2001:db8::{}", two.ip().octets()[3] - 10)];
    to.iter().for_each(|to| drop(one.sh(&format!("ping -c 1 -W 5 {to}"))));
}

/// Neither unicast, whoever has learned the MAC however, nor broadcast, nor multicast. Who listens has heard his own network
/// since.
fn networks_do_not_hear_each_other(_: &mut Lab) {
    let networks = two_networks();
    let [[one, two], [three, four]] = &networks;
    networks.iter().for_each(|[one, two]| talk([one, two]));
    let learned = format!("lladdr {} nud permanent dev eth0", three.mac_text());
    one.sh(&format!(
        "ping -c 1 -W 0.2 {three} && exit 1; ping -c 1 -W 0.2 2001:db8::3 && exit 1; ping -c 1 -W 0.2 -I eth0 ff02::1 || true
         ip neigh replace {three} {learned}; ip neigh replace 2001:db8::3 {learned}
         ping -c 1 -W 0.2 {three} && exit 1; ping -c 1 -W 0.2 2001:db8::3 && exit 1; ping -b -c 1 -W 0.2 192.0.2.255 || true",
        three = three.ip()
    ));
    talk([four, three]);
    talk([two, one]);
    for (ears, mouths) in [(&networks[0], &networks[1]), (&networks[1], &networks[0])] {
        let all: Vec<_> = ears.iter().flat_map(|ear| mouths.iter().map(move |mouth| heard(ear, mouth))).collect();
        assert_eq!(all, [0; 4]);
    }
}

/// Neither a neighbour's nor one that nobody has.
fn station_has_one_mac(_: &mut Lab) {
    let [[one, two], [three, _]] = &two_networks();
    let say = |from: [u8; 6], number: u8| ethernet([0xff; 6], from, 0x88b5, &[number; 46]);
    let spoofed = [two.mac, three.mac, [0xaa, 0x20, 0, 0, 0, 0x77], [2, 0, 0, 0, 0, 0xb0]].map(|from| say(from, 1));
    let last = say(one.mac, 2);
    one.send(&[&spoofed[..], slice::from_ref(&last)].concat(), 1);
    soon("what is sent last", || two.frames().contains(&last).then_some(()));
    for ear in [two, three] {
        assert!(ear.frames().iter().all(|frame| !spoofed.contains(frame)), "{}", ear.name);
    }
    // The bridge has learned nothing from them.
    talk([one, two]);
}

/// `MAC_MASK`: aa:20 and aa:30 are one network under a shorter one.
fn mask_says_where_a_network_ends(_: &mut Lab) {
    configure("MAC_MASK=ff:00:00:00:00:00\n");
    let [[one, _], [three, _]] = &two_networks();
    talk([one, three]);
}

/// nfdhcpd's frames go to the tap itself, by no bridge, whether the kernel names it or not.
fn guests_get_their_networks(lab: &mut Lab) {
    make_bridge();
    lab.divert("-i br0");
    lab.launch(&Config::default());
    for (number, network, hooks) in [(1, 0x20, "1"), (2, 0x30, "0")] {
        set_hooks(hooks);
        let mut guest = Guest::new(number);
        guest.mac[1] = network;
        guest.insert();
        let prefix = guest.prefix6();
        Nic::bridged(&guest, "nfdhcpd private-filtered").up();
        let _client = guest.udhcpc("");
        guest.wait_for_address(&format!("{}/24", guest.ip()));
        guest.wait_for_address(&format!("{prefix}:a8{network:02x}:ff:fe00:{number}"));
    }
}
