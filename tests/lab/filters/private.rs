//! Private networks on one bridge.

use std::slice;

use nfdhcpd::network::filter::Element;
use nfdhcpd::network::mac_prefix::MacMask;
use nfdhcpd::wire::MacAddr;

use super::{apply, name, send_by_bridge};
use crate::bridge::{make_bridge, on_bridge, set_hooks};
use crate::harness::frames::ethernet;
use crate::harness::{Config, Guest, Lab, soon, tests};

tests!(private:
    networks_do_not_hear_each_other,
    node_is_not_of_the_network,
    station_has_one_address,
    guest_still_gets_its_network,
);

/// An EtherType for experiments (IEEE 802).
const EXPERIMENT: u16 = 0x88b5;
const BROADCAST: [u8; 6] = [0xff; 6];
/// ff02::1 (RFC 2464 §7).
const ALL_NODES: [u8; 6] = [0x33, 0x33, 0, 0, 0, 1];

fn networks_do_not_hear_each_other(_: &mut Lab) {
    let [one, two] = [1, 2].map(|number| enclosed(number, 0x20));
    let strangers = [3, 4].map(|number| enclosed(number, 0x30));
    // One to a MAC that nobody has goes everywhere.
    for (number, to) in (0..).zip([BROADCAST, ALL_NODES, [0xaa; 6], strangers[0].mac]) {
        let frame = ethernet(to, one.mac, EXPERIMENT, &[number; 46]);
        one.send(slice::from_ref(&frame), 1);
        if to != strangers[0].mac {
            soon("the neighbour", || heard(&two, &frame).then_some(()));
        }
        assert_missed(&strangers, &frame);
    }
    let frame = ethernet(two.mac, one.mac, EXPERIMENT, &[9; 46]);
    one.send(slice::from_ref(&frame), 1);
    soon("the neighbour", || heard(&two, &frame).then_some(()));
    for guest in [&one, &two] {
        guest.sh(&format!("ip address add {}/24 dev eth0", guest.ip()));
    }
    one.sh(&format!("ping -c 1 -W 5 {}", two.ip()));
}

fn node_is_not_of_the_network(_: &mut Lab) {
    let strangers = [1, 2].map(|number| enclosed(number, 0x20));
    let open = plugged(3, 0x30);
    let frame = ethernet(BROADCAST, [2, 0, 0, 0, 0, 0xb0], EXPERIMENT, &[1; 46]);
    send_by_bridge(slice::from_ref(&frame));
    soon("a guest without filters", || heard(&open, &frame).then_some(()));
    assert_missed(&strangers, &frame);
}

/// Neither a neighbour's address, nor one of another network, whatever that would reach.
fn station_has_one_address(_: &mut Lab) {
    let [one, two] = [1, 2].map(|number| enclosed(number, 0x20));
    let strangers = [3, 4].map(|number| enclosed(number, 0x30));
    for (number, from) in (0..).zip([two.mac, [0xaa, 0x20, 0, 0, 0, 0x77], strangers[1].mac]) {
        let false_one = ethernet(BROADCAST, from, EXPERIMENT, &[number; 46]);
        let own = ethernet(BROADCAST, one.mac, EXPERIMENT, &[number; 46]);
        one.send(&[false_one.clone(), own.clone()], 1);
        soon("the neighbour", || heard(&two, &own).then_some(()));
        assert!(!heard(&two, &false_one), "from {from:x?}");
        assert_missed(&strangers, &false_one);
    }
}

/// What the daemon sends goes to the tap itself, by no bridge.
fn guest_still_gets_its_network(lab: &mut Lab) {
    set_hooks("1");
    let guest = enclosed(1, 0x20);
    lab.bind(&guest, &on_bridge(&guest));
    lab.divert("-m physdev --physdev-in tap+");
    lab.launch(&Config::default());
    let mut client = guest.udhcpc("-q -n");
    assert!(client.wait().success(), "{}", client.log());
}

/// A guest on the bridge, whose MAC has this second byte.
fn plugged(number: u8, network: u8) -> Guest {
    make_bridge();
    let mut guest = Guest::new(number);
    guest.mac[1] = network;
    guest.plug_with(&format!("ip link set tap{number} master br0"));
    guest
}

/// The same, and it is in the private network of its MAC.
fn enclosed(number: u8, network: u8) -> Guest {
    let guest = plugged(number, network);
    let (tap, mac) = (name(&guest.tap), MacAddr::new(guest.mac));
    let prefix = MacMask::USUAL.prefix_of(mac);
    apply(tap, &[Element::Filtered { tap }, Element::Station { tap, mac }, Element::Peers { tap, prefix }]);
    guest
}

fn heard(guest: &Guest, frame: &[u8]) -> bool {
    guest.frames().iter().any(|heard| heard == frame)
}

/// The first of two guests in a network hears what the other one says last, and no frame before that.
#[track_caller]
fn assert_missed([ear, mouth]: &[Guest; 2], frame: &[u8]) {
    let last = |number: u32| {
        let body = [&number.to_be_bytes()[..], &[0x77; 42]].concat();
        ethernet(BROADCAST, mouth.mac, EXPERIMENT, &body)
    };
    let last = (0..).map(last).find(|last| !heard(ear, last)).unwrap();
    mouth.send(slice::from_ref(&last), 1);
    soon("what is said last", || heard(ear, &last).then_some(()));
    assert!(!heard(ear, frame), "{} heard {frame:x?}", ear.name);
}
