//! A tap that becomes a port of a bridge.

use super::{Nic, belongings};
use crate::bridge::{expect_both_families, make_bridge, set_hooks};
use crate::harness::capture::Frame;
use crate::harness::{Config, Guest, Lab, sh, soon, tests};

tests!(ifup_bridged:
    guest_gets_its_network,
    network_says_more_by_tags,
    tap_does_not_change_its_bridge,
    guest_of_any_mac_can_be_reached,
);

fn guest_gets_its_network(lab: &mut Lab) {
    let guest = started(lab, "nfdhcpd");
    expect_both_families(&guest);
    let router = guest.sh("ip -6 route show default").split_whitespace().nth(2).unwrap().to_owned();
    let own = "fe80::a800:ff:fe00:1";
    guest.wait_for_address(own);
    soon("the bridge's own address", || (!sh("ip address show dev br0").contains("tentative")).then_some(()));
    guest.sh(&format!("ip neighbour flush dev eth0; ping -c 1 -W 5 -I {own}%eth0 {router}%eth0"));
    assert!(guest.sh(&format!("ip neighbour show {router}")).contains("02:00:00:00:00:b0"), "the bridge's MAC");
}

/// What a network's tags say beyond the NIC reaches the guest, by both protocols.
fn network_says_more_by_tags(lab: &mut Lab) {
    let guest = started(lab, "web nfdhcpd:mtu:1400 nfdhcpd nfdhcpd:ntp:192.0.2.123+192.0.2.124");
    let _client = guest.udhcpc("-O mtu -O ntpsrv");
    guest.wait_for_address(&format!("{}/24", guest.ip()));
    for told in ["mtu=1400", "ntpsrv=192.0.2.123 192.0.2.124"] {
        assert!(guest.udhcpc_lease().lines().any(|line| line == told), "{told}: {}", guest.udhcpc_lease());
    }
    soon("the MTU of the advertisement", || {
        (guest.sh("cat /proc/sys/net/ipv6/conf/eth0/mtu").trim() == "1400").then_some(())
    });
}

/// Neither its MAC, which is the lowest of its ports, nor its MTU; nor does the node speak by the tap.
fn tap_does_not_change_its_bridge(_: &mut Lab) {
    sh("ip link add up0 address aa:00:00:00:00:07 type veth peer name other; ip link set up0 up; ip link set other up
        ip link add br0 type bridge; ip link set up0 master br0; ip link set br0 up mtu 1400");
    let mut guest = Guest::new(1);
    guest.mac[0] = 0x02;
    guest.insert();
    Nic::bridged(&guest, "nfdhcpd").up();
    let tap = sh("ip link show tap1");
    assert!(tap.contains("mtu 1400") && tap.contains("link/ether fe:00:00:00:00:01"), "{tap}");
    let bridge = sh("ip link show br0");
    assert!(bridge.contains("mtu 1400") && bridge.contains("aa:00:00:00:00:07"), "{bridge}");
    assert!(belongings().contains("INDEV=br0"));
    let is_from_bridge = |frame: &Frame| frame[6..12] == [0xaa, 0, 0, 0, 0, 7];
    soon("something of the bridge itself", || guest.frames().iter().any(is_from_bridge).then_some(()));
    assert!(guest.frames().iter().all(|frame| is_from_bridge(frame) || frame[6] != 0xfe), "the tap speaks");
}

/// What is sent to the tap's own MAC goes to the node; so that is never the guest's.
fn guest_of_any_mac_can_be_reached(_: &mut Lab) {
    make_bridge();
    let guests = [(1, 0xfe), (2, 0xaa)].map(|(number, first)| {
        let mut guest = Guest::new(number);
        guest.mac[0] = first;
        guest.insert();
        Nic::bridged(&guest, "").up();
        guest.sh(&format!("ip address add {}/24 dev eth0", guest.ip()));
        guest
    });
    guests[1].sh(&format!("ping -c 1 -W 5 {}", guests[0].ip()));
}

/// A guest whose tap is brought up while the daemon runs.
fn started(lab: &mut Lab, tags: &str) -> Guest {
    make_bridge();
    set_hooks("1");
    lab.divert("-m physdev --physdev-in tap+");
    lab.launch(&Config::default());
    let mut guest = Guest::new(1);
    guest.insert();
    Nic::bridged(&guest, tags).up();
    guest
}
