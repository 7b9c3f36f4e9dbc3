//! Routed taps: what they may send, and who asks for them.

use std::net::{IpAddr, UdpSocket};
use std::time::Duration;

use nfdhcpd::network::filter::Element;

use super::{apply, name, routed};
use crate::bridge::expect_both_families;
use crate::harness::netns::within;
use crate::harness::{Guest, Lab, sh, soon, tests};

tests!(sources:
    another_source_is_dropped,
    guest_still_gets_its_network,
    node_asks_as_the_gateway,
);

fn another_source_is_dropped(_: &mut Lab) {
    let [guest, world] = [1, 2].map(routed);
    let prefix = guest.prefix6();
    guest.sh(&format!("ip address add 192.0.2.77/32 dev eth0; ip address add {prefix}::77/64 dev eth0 nodad"));
    let own = [guest.ip().into(), format!("{prefix}::2").parse().unwrap()];
    let others: [IpAddr; 2] = ["192.0.2.77".parse().unwrap(), format!("{prefix}::77").parse().unwrap()];
    let to = [world.ip().into(), format!("{}::2", world.prefix6()).parse().unwrap()];
    let heard = || [0, 1].map(|version| heard(&world, to[version], &guest, own[version], others[version]));
    assert_eq!(heard(), [0, 1].map(|version| vec![others[version], own[version]]), "without filters");
    let tap = name(&guest.tap);
    let sources = own.map(|address| Element::Source { tap, address });
    apply(tap, &[&[Element::Sourced { tap }], &sources[..]].concat());
    assert_eq!(heard(), own.map(|own| vec![own]));
    apply(tap, &[]);
    assert_eq!(heard(), [0, 1].map(|version| vec![others[version], own[version]]), "without filters again");
}

/// Where what comes to `to` is from, when the guest sends from another address first and then from its own.
#[track_caller]
fn heard(world: &Guest, to: IpAddr, guest: &Guest, own: IpAddr, other: IpAddr) -> Vec<IpAddr> {
    let ear = within(&world.name, || UdpSocket::bind((to, 0)).unwrap());
    ear.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let port = ear.local_addr().unwrap();
    let say = |from: IpAddr, what: &[u8]| {
        let mouth = within(&guest.name, || UdpSocket::bind((from, 0)).unwrap());
        mouth.send_to(what, port).unwrap();
    };
    let hear = || {
        let mut what = [0; 8];
        let (len, from) = ear.recv_from(&mut what).unwrap();
        (from.ip(), what[..len].to_vec())
    };
    // All neighbours are known before it matters.
    say(own, b"first");
    assert_eq!(hear(), (own, b"first".to_vec()));
    say(other, b"other");
    say(own, b"last");
    let mut all = Vec::new();
    while all.last() != Some(&(own, b"last".to_vec())) {
        all.push(hear());
    }
    all.into_iter().map(|(from, _)| from).collect()
}

/// DHCP before there is an address, solicitations from `::` and from the link-local address: all are answered.
fn guest_still_gets_its_network(lab: &mut Lab) {
    let guest = lab.guest(1);
    let tap = name(&guest.tap);
    let addresses = [guest.ip().into(), guest.eui64().parse().unwrap()];
    apply(tap, &[&[Element::Sourced { tap }], &addresses.map(|address| Element::Source { tap, address })[..]].concat());
    lab.start();
    expect_both_families(&guest);
}

fn node_asks_as_the_gateway(_: &mut Lab) {
    let guest = routed(1);
    let tap = name(&guest.tap);
    let ping = format!("ip neighbour flush dev {tap}; ping -c 1 -W 5 -I 192.0.2.254 {}", guest.ip());
    sh(&ping);
    soon("the question without filters", || (askers(&guest) == ["192.0.2.254"]).then_some(()));
    apply(tap, &[Element::Gateway { tap, address: "192.0.2.3".parse().unwrap() }]);
    sh(&ping);
    soon("the gateway's question", || (askers(&guest) == ["192.0.2.254", "192.0.2.3"]).then_some(()));
}

/// The senders of ARP requests for the guest (RFC 826: operation 1), each once.
fn askers(guest: &Guest) -> Vec<String> {
    let request = |frame: &Vec<u8>| {
        let is_request = frame[12..14] == [8, 6] && frame[20..22] == [0, 1] && frame[38..42] == guest.ip().octets();
        is_request.then(|| frame[28..32].iter().map(u8::to_string).collect::<Vec<_>>().join("."))
    };
    let mut all: Vec<_> = guest.frames().iter().filter_map(request).collect();
    all.dedup();
    all
}
