//! A guest that means harm, or a broken one.

use std::net::{Ipv4Addr, Ipv6Addr};

use dhcproto::v4::MessageType;

use crate::harness::frames::{ethernet, icmpv6, ipv4, ipv6, udp4, udp6};
use crate::harness::requests::{
    ALL_ROUTERS, ALL_ROUTERS_MAC, DHCPV6_SERVERS, DHCPV6_SERVERS_MAC, EVERYBODY, IPV4, IPV6, NEIGHBOR_SOLICITATION,
    ROUTER_SOLICITATION, dhcpv4, dhcpv6, discover, discover_message, in_udp4, information_request,
    neighbor_solicitation, router_solicitation,
};
use crate::harness::{Guest, Lab, Process, queues, skip, soon, tests};

tests!(hostile:
    spoofed_sender_gets_no_answer,
    malformed_packets_do_no_harm,
    giant_packets_do_no_harm,
    flood_from_one_guest_leaves_the_others_alone,
);

const SOMEBODY_ELSE: [u8; 6] = [0xaa, 0, 0, 0, 0, 0x99];
/// A random transaction id would make a wrong checksum right, now and then.
const XID: u32 = 0x6e66_6468;

fn spoofed_sender_gets_no_answer(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    let link_local = link_local(&guest);
    let lie_in_message = dhcpv4(guest.mac, &discover_message(SOMEBODY_ELSE, XID));
    let lie_in_frame = ethernet(EVERYBODY, SOMEBODY_ELSE, IPV4, &in_udp4(&discover_message(guest.mac, XID)));
    let lie_in_option = solicitation(&guest, link_local, &[&[0; 4][..], &link_option(1, SOMEBODY_ELSE)].concat());
    let before = guest.frames().len();
    let frames = [lie_in_message, lie_in_frame, lie_in_option];
    guest.send(&frames, 1);
    // An answer to an honest packet shows that the others were not answered before it.
    guest.send(&[discover(guest.mac, XID)], 1);
    guest.wait_for_dhcpv4("the honest OFFER", |it| it.is_answer(MessageType::Offer));
    let answers = guest.dhcpv4().into_iter().filter(|it| !it.from_guest).count();
    assert_eq!(answers, 1, "a spoofed packet was answered");
    let advertised = guest.frames().split_off(before).iter().any(|frame| is_answer_to(frame, link_local));
    assert!(!advertised, "a spoofed solicitation was answered");
}

fn malformed_packets_do_no_harm(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    let mut frames = malformed_dhcpv4(&guest);
    frames.extend(malformed_ipv4(&guest));
    frames.extend(malformed_nd(&guest));
    frames.extend(malformed_dhcpv6(&guest));
    guest.send(&frames, 3);
    guest.udhcpc("");
    let answer = guest.wait_for_dhcpv4("an ACK all the same", |it| it.is_answer(MessageType::Ack));
    guest.wait_for_address(&guest.eui64());
    let answers = guest.dhcpv4().into_iter().filter(|it| !it.from_guest);
    let others: Vec<_> = answers.filter(|it| it.message.xid() != answer.message.xid()).collect();
    assert!(others.is_empty(), "malformed packets were answered: {others:?}");
}

fn giant_packets_do_no_harm(lab: &mut Lab) {
    let mut guest = Guest::new(1);
    guest.plug_with("ip link set tap1 mtu 65535; ip -n vm1 link set eth0 mtu 65535");
    lab.bind(&guest, &guest.binding());
    lab.start();
    let mut giant = discover_message(guest.mac, XID);
    // Options as far as a packet goes: code 250 of 250 bytes, again and again.
    giant.pop();
    while giant.len() < 65_000 {
        giant.extend([250, 250]);
        giant.extend([0xee; 250]);
    }
    giant.push(255);
    let filled = vec![0xee; 65_400];
    let link_local = link_local(&guest);
    guest.send(
        &[
            dhcpv4(guest.mac, &giant),
            dhcpv4(guest.mac, &filled),
            ethernet(ALL_ROUTERS_MAC, guest.mac, IPV6, &icmpv6(link_local, ALL_ROUTERS, ROUTER_SOLICITATION, &filled)),
            ethernet(ALL_ROUTERS_MAC, guest.mac, IPV6, &udp6(link_local, DHCPV6_SERVERS, [546, 547], &filled)),
        ],
        3,
    );
    guest.wait_for_dhcpv4("an OFFER all the same", |it| it.is_answer(MessageType::Offer));
    guest.udhcpc("");
    guest.wait_for_address("192.0.2.11/24");
}

/// How many packets a flood has.
const FLOOD: u32 = 40_000;

/// One guest sends as fast as it can, one kind of packets after the other, without any help of rules. The queue may
/// overflow, which costs another guest a retry and no more.
fn flood_from_one_guest_leaves_the_others_alone(lab: &mut Lab) {
    lab.may_lose_packets();
    let [loud, quiet] = [lab.guest(1), lab.guest(2)];
    let mut stranger = Guest::new(3);
    stranger.plug();
    lab.start();
    let malformed = [malformed_dhcpv4(&loud), malformed_ipv4(&loud), malformed_nd(&loud), malformed_dhcpv6(&loud)];
    let floods = [
        (&loud, 42, vec![discover(loud.mac, XID)]),
        (&loud, 43, vec![router_solicitation(loud.mac, link_local(&loud))]),
        (&loud, 44, vec![neighbor_solicitation(loud.mac, link_local(&loud), loud.gateway6())]),
        (&loud, 45, vec![information_request(loud.mac, link_local(&loud), 1)]),
        (&loud, 45, vec![solicit(&loud)]),
        (&loud, 42, malformed.concat()),
        (&stranger, 42, vec![discover(stranger.mac, XID)]),
    ];
    for (guest, queue, frames) in floods {
        let before = seen(queue);
        let mut flood = guest.start_sending(&frames, FLOOD / u32::try_from(frames.len()).unwrap());
        soon("the flood", || (seen(queue) > before + 1_000).then_some(()));
        expect_leases(&quiet, &mut flood);
    }
}

/// A guest gets its lease every time that it asks, until a flood is over.
#[track_caller]
fn expect_leases(quiet: &Guest, flood: &mut Process) {
    loop {
        let mut client = quiet.udhcpc("-q -n");
        assert!(client.wait().success(), "{}", client.log());
        if let Some(status) = flood.ended() {
            assert!(status.success(), "{}", flood.log());
            break;
        }
    }
}

/// Whether a frame is an advertisement to somebody with this address.
fn is_answer_to(frame: &[u8], address: Ipv6Addr) -> bool {
    frame.get(12..14) == Some(&IPV6.to_be_bytes()) && frame.get(38..54) == Some(&address.octets())
}

/// How many packets a queue has had.
pub(crate) fn seen(number: u16) -> u64 {
    if !queues::are_visible() {
        skip("this needs root: nobody else sees the counters of the queues");
    }
    queues::bound().iter().find(|queue| queue.number == number).map(|queue| queue.seen).unwrap()
}

fn solicit(guest: &Guest) -> Vec<u8> {
    let client_id = [&[0, 1, 0, 10, 0, 3, 0, 1][..], &guest.mac].concat();
    let message = [&[1, 1, 2, 3][..], &client_id, &[0, 8, 0, 2, 0, 0]].concat();
    dhcpv6(guest.mac, link_local(guest), &message)
}

fn malformed_dhcpv4(guest: &Guest) -> Vec<Vec<u8>> {
    let good = discover_message(guest.mac, XID);
    let fixed = &good[..240];
    let with_options = |options: &[u8]| [fixed, options].concat();
    let mut payloads: Vec<Vec<u8>> = (0..240).step_by(16).map(|length| good[..length].to_vec()).collect();
    payloads.extend([
        with_options(&[53]),
        with_options(&[53, 0]),
        with_options(&[53, 1]),
        with_options(&[53, 2, 1, 1, 255]),
        with_options(&[53, 1, 99, 255]),
        with_options(&[53, 255, 1]),
        with_options(&[61, 0, 53, 0, 255]),
        with_options(&[53, 1, 3, 50, 3, 1, 2, 3, 255]),
        with_options(&[53, 1, 3, 54, 200, 1, 255]),
        with_options(&[52, 1, 3, 53, 9]),
    ]);
    for (position, bits) in [(0, 2), (0, 7), (1, 6), (2, 6), (2, 16), (2, 255)] {
        let mut payload = good.clone();
        payload[position] ^= bits;
        payloads.push(payload);
    }
    payloads.iter().map(|payload| dhcpv4(guest.mac, payload)).collect()
}

fn malformed_ipv4(guest: &Guest) -> Vec<Vec<u8>> {
    let good = in_udp4(&discover_message(guest.mac, XID));
    let changed = |position: usize, value: u8| {
        let mut packet = good.clone();
        assert_ne!(packet[position], value, "byte {position} is as it was");
        packet[position] = value;
        packet
    };
    let sources = [Ipv4Addr::LOCALHOST, Ipv4Addr::new(224, 0, 0, 1), Ipv4Addr::BROADCAST];
    let mut packets: Vec<_> = sources
        .iter()
        .map(|source| udp4(*source, Ipv4Addr::BROADCAST, [68, 67], &discover_message(guest.mac, XID)))
        .collect();
    // The UDP length lies in both directions, and the checksum is wrong.
    packets.extend([changed(24, 0xff), changed(25, 3), changed(26, 0x55)]);
    // The IP header lies: its length, a fragment, a wrong checksum.
    packets.extend([changed(0, 0x4f), changed(3, 21), changed(6, 0x20), changed(10, 0x55)]);
    packets.push(ipv4(Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST, 17, &[0, 68, 0, 67]));
    packets.iter().map(|packet| ethernet(EVERYBODY, guest.mac, IPV4, packet)).collect()
}

fn malformed_nd(guest: &Guest) -> Vec<Vec<u8>> {
    let us = link_local(guest);
    let gateway = guest.gateway6();
    let neighbor = |options: &[u8]| [&[0; 4], &gateway.octets()[..], options].concat();
    let own = link_option(1, guest.mac);
    let good = icmpv6(us, ALL_ROUTERS, ROUTER_SOLICITATION, &[&[0; 4][..], &own].concat());
    let changed = |position: usize, value: u8| {
        let mut packet = good.clone();
        assert_ne!(packet[position], value, "byte {position} is as it was");
        packet[position] = value;
        packet
    };
    let mut packets = vec![
        icmpv6(us, ALL_ROUTERS, ROUTER_SOLICITATION, &[0; 2]),
        icmpv6(us, ALL_ROUTERS, ROUTER_SOLICITATION, &[0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]),
        icmpv6(us, ALL_ROUTERS, ROUTER_SOLICITATION, &[0, 0, 0, 0, 1, 9, 0, 0, 0, 0, 0, 0]),
        icmpv6(us, ALL_ROUTERS, ROUTER_SOLICITATION, &[0, 0, 0, 0, 1]),
        icmpv6(Ipv6Addr::UNSPECIFIED, ALL_ROUTERS, ROUTER_SOLICITATION, &[&[0; 4][..], &own].concat()),
        icmpv6(Ipv6Addr::LOCALHOST, ALL_ROUTERS, ROUTER_SOLICITATION, &[0; 4]),
        icmpv6(ALL_ROUTERS, ALL_ROUTERS, ROUTER_SOLICITATION, &[0; 4]),
        icmpv6(us, ALL_ROUTERS, NEIGHBOR_SOLICITATION, &neighbor(&[])[..12]),
        icmpv6(us, ALL_ROUTERS, NEIGHBOR_SOLICITATION, &neighbor(&[1, 0, 0, 0, 0, 0, 0, 0])),
        icmpv6(us, ALL_ROUTERS, NEIGHBOR_SOLICITATION, &[&[0; 4], &ALL_ROUTERS.octets()[..]].concat()),
        icmpv6(Ipv6Addr::UNSPECIFIED, gateway, NEIGHBOR_SOLICITATION, &neighbor(&[])),
    ];
    // Hop limit, code and checksum; then extension headers: a fragment, a chain that ends nowhere, many in a row.
    packets.extend([changed(7, 64), changed(41, 1), changed(42, 0x55)]);
    packets.extend([changed(6, 44), changed(6, 0), changed(6, 60)]);
    let hops = [&[0, 0, 1, 4, 0, 0, 0, 0].repeat(100)[..], &[58, 0, 1, 4, 0, 0, 0, 0], &good[40..]].concat();
    packets.push(ipv6(us, ALL_ROUTERS, 60, 255, &hops));
    packets.iter().map(|packet| ethernet(ALL_ROUTERS_MAC, guest.mac, IPV6, packet)).collect()
}

fn malformed_dhcpv6(guest: &Guest) -> Vec<Vec<u8>> {
    let us = link_local(guest);
    let payloads: &[&[u8]] = &[
        &[],
        &[11],
        &[11, 1, 2],
        &[11, 1, 2, 3, 0],
        &[11, 1, 2, 3, 0, 1, 0],
        &[11, 1, 2, 3, 0, 1, 0, 0],
        &[11, 1, 2, 3, 0, 1, 0xff, 0xff, 1],
        &[11, 1, 2, 3, 0, 6, 0, 3, 0, 23, 0],
        &[1, 1, 2, 3, 0, 3, 0, 4, 0, 0, 0, 1],
        &[12, 0],
        &[99, 1, 2, 3],
    ];
    let mut packets: Vec<_> = payloads.iter().map(|payload| udp6(us, DHCPV6_SERVERS, [546, 547], payload)).collect();
    // A checksum of zero, which IPv6 does not know.
    let mut unsummed = udp6(us, DHCPV6_SERVERS, [546, 547], &[11, 1, 2, 3]);
    unsummed[46..48].fill(0);
    packets.push(unsummed);
    packets.iter().map(|packet| ethernet(DHCPV6_SERVERS_MAC, guest.mac, IPV6, packet)).collect()
}

/// A router solicitation of a guest, with what follows its code and checksum.
fn solicitation(guest: &Guest, source: Ipv6Addr, body: &[u8]) -> Vec<u8> {
    ethernet(ALL_ROUTERS_MAC, guest.mac, IPV6, &icmpv6(source, ALL_ROUTERS, ROUTER_SOLICITATION, body))
}

/// A link-layer address option.
fn link_option(kind: u8, mac: [u8; 6]) -> Vec<u8> {
    [&[kind, 1], &mac[..]].concat()
}

/// An address that is not made of the guest's MAC, as privacy wants it.
fn link_local(guest: &Guest) -> Ipv6Addr {
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0x1234, 0x5678, 0x9abc, guest.mac[5].into())
}
