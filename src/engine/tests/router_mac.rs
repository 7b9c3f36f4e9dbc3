//! A router that `router_mac` names: the same on every node, whatever becomes of bridges.

use std::net::Ipv6Addr;

use super::*;
use crate::wire::ethernet::Frame;

/// What the configuration names.
const NAMED: MacAddr = MacAddr::new([0x02, 0, 0, 0, 0, 0x99]);
const LINK_LOCAL: &str = "fe80::ff:fe00:99";

const SOURCE_LINK_LAYER: u8 = 1;
const TARGET_LINK_LAYER: u8 = 2;

fn named(router_mac: Option<MacAddr>) -> Event {
    let mut config = node();
    config.general.router_mac = router_mac;
    Event::ConfigChanged(Arc::new(config))
}

/// A guest on tap0, a port of br0 with the MAC [`ROUTER`].
fn bridged() -> Lab {
    let mut lab = Lab::on_bridge();
    lab.event(named(Some(NAMED)));
    lab
}

/// A guest on the routed tap0 with the MAC [`ROUTER`].
fn routed(router_mac: MacAddr) -> Lab {
    let mut lab = Lab::empty();
    lab.event(named(Some(router_mac)));
    lab.event(Event::LinkChanged(link(1, "tap0", ROUTER)));
    lab.event(Event::BindingLoaded(Box::new(dual_stack())));
    lab
}

fn bridge(mac: MacAddr) -> Event {
    Event::LinkChanged(Link { is_bridge: true, ..link(9, "br0", mac) })
}

fn router_solicitation() -> Vec<u8> {
    icmpv6("fe80::1", "ff02::2", &[133, 0, 0, 0, 0, 0, 0, 0])
}

fn neighbor_solicitation(target: &str) -> Vec<u8> {
    let target: Ipv6Addr = target.parse().unwrap();
    icmpv6("fe80::1", "ff02::1:ff00:99", &[&[135, 0, 0, 0, 0, 0, 0, 0], &target.octets()[..]].concat())
}

fn information_request() -> Vec<u8> {
    dhcpv6(&[11, 1, 2, 3])
}

/// A DHCPv6 message of the guest, its checksum wrong.
fn dhcpv6(message: &[u8]) -> Vec<u8> {
    let mut datagram = [&[0x02, 0x22, 0x02, 0x23, 0, 8 + message.len() as u8, 0, 0], message].concat();
    let mut packet = vec![0x60, 0, 0, 0, 0, datagram.len() as u8, ipv6::UDP, 1];
    packet.extend("fe80::1".parse::<Ipv6Addr>().unwrap().octets());
    packet.extend("ff02::1:2".parse::<Ipv6Addr>().unwrap().octets());
    packet.append(&mut datagram);
    packet
}

impl Lab {
    /// What becomes of a packet whose checksum nobody looks at, and the answer.
    fn answer(&mut self, packet: &[u8]) -> (Reason, Vec<u8>) {
        let (indev, physindev, source_mac) = (self.indev, self.physindev, self.source_mac);
        let ingress = Ingress { indev, physindev, source_mac, checksums: Checksums::NotReady, packet };
        let mut frame = vec![0; MAX_FRAME];
        let outcome = self.engine.handle_packet(START, &ingress, &mut frame);
        frame.truncate(outcome.reply.map_or(0, |reply| reply.len));
        (outcome.reason, frame)
    }

    /// The sources and router lifetimes of the Router Advertisements that are due.
    fn advertised(&mut self) -> Vec<(MacAddr, u16)> {
        let sent = self.drain(START);
        sent.iter().map(|(_, frame)| (MacAddr::from_slice(&frame[6..]).unwrap(), router_lifetime(frame))).collect()
    }
}

/// The link-layer address in the options of a neighbour discovery message, which begin at `options`.
fn link_layer(frame: &[u8], code: u8, options: usize) -> Option<MacAddr> {
    let mut options = &frame[ipv6::FRAME_PAYLOAD + options..];
    while let [kind, units, value @ ..] = options {
        if *kind == code {
            return MacAddr::from_slice(value);
        }
        options = &options[usize::from(*units) * 8..];
    }
    None
}

#[test]
fn every_answer_comes_from_it() {
    let mut lab = bridged();
    let link_local: Ipv6Addr = LINK_LOCAL.parse().unwrap();
    let discover = udp4(&dhcpv4(DISCOVER));
    for (packet, reason, source) in [
        (router_solicitation(), Reason::RouterAdvertised, link_local),
        (neighbor_solicitation("2001:db8::1"), Reason::NeighborAdvertised, "2001:db8::1".parse().unwrap()),
        (neighbor_solicitation(LINK_LOCAL), Reason::NeighborAdvertised, link_local),
        (information_request(), Reason::Dhcpv6Informed, link_local),
    ] {
        let (found, frame) = lab.answer(&packet);
        assert_eq!((found, Frame::parse(&frame).unwrap().addresses.source), (reason, NAMED));
        assert_eq!(ipv6::Datagram::parse(&frame[14..]).unwrap().source, source, "{reason:?}");
    }
    let (reason, frame) = lab.answer(&discover);
    assert_eq!((reason, Frame::parse(&frame).unwrap().addresses.source), (Reason::Offered, NAMED));
    let (_, frame) = lab.answer(&router_solicitation());
    assert_eq!(link_layer(&frame, SOURCE_LINK_LAYER, 16), Some(NAMED));
    let (_, frame) = lab.answer(&neighbor_solicitation("2001:db8::1"));
    assert_eq!(link_layer(&frame, TARGET_LINK_LAYER, 24), Some(NAMED));
    // What was the router's link-local without it is nobody's of us.
    assert_eq!(lab.answer(&neighbor_solicitation("fe80::ff:fe00:1")).0, Reason::NeighborNotOurs);
}

#[test]
fn a_bridge_may_change_its_mac_or_go() {
    let mut lab = bridged();
    assert_eq!(lab.advertised(), [(NAMED, 1800)]);
    lab.notices();
    lab.event(bridge(OTHER));
    lab.event(Event::LinkGone(index(9)));
    assert_eq!((lab.advertised(), lab.notices()), (vec![], vec![]));
    lab.indev = Some(index(1));
    assert_eq!(lab.answer(&router_solicitation()).0, Reason::RouterAdvertised);
}

/// The new node has another bridge. The guest hears of the same router, at once.
#[test]
fn a_binding_that_arrives_is_told_at_once() {
    let mut lab = Lab::empty();
    lab.event(named(Some(NAMED)));
    lab.event(Event::BindingLoaded(Box::new(Binding { indev: name("br7"), ..dual_stack() })));
    assert_eq!(lab.advertised(), []);
    lab.event(Event::LinkChanged(link(1, "tap0", OTHER)));
    assert_eq!(lab.advertised(), [(NAMED, 1800)]);
}

#[test]
fn a_reload_is_a_farewell_from_the_old_router() {
    let mut lab = Lab::on_bridge();
    assert_eq!(lab.advertised(), [(ROUTER, 1800)]);
    lab.event(named(Some(NAMED)));
    assert_eq!(lab.advertised(), [(ROUTER, 0), (NAMED, 1800)]);
    lab.event(named(Some(NAMED)));
    assert_eq!(lab.advertised(), []);
    lab.event(named(None));
    assert_eq!(lab.advertised(), [(NAMED, 0), (ROUTER, 1800)]);
}

#[test]
fn a_binding_that_does_not_fit_any_more_follows_all_the_same() {
    let mut lab = Lab::on_bridge();
    lab.advertised();
    let mut config = node();
    config.general.router_mac = Some(NAMED);
    config.ipv6.as_mut().unwrap().nameservers = vec!["2001:db8::53".parse().unwrap(); 90];
    lab.event(Event::ConfigChanged(Arc::new(config)));
    assert!(lab.engine.status()[0].rejected.is_some());
    assert_eq!(lab.advertised(), [(ROUTER, 0), (NAMED, 1800)]);
    let (reason, frame) = lab.answer(&router_solicitation());
    assert_eq!((reason, Frame::parse(&frame).unwrap().addresses.source), (Reason::RouterAdvertised, NAMED));
}

#[test]
fn a_routed_tap_with_that_mac_is_served() {
    let mut lab = routed(ROUTER);
    assert_eq!(lab.advertised(), [(ROUTER, 1800)]);
    assert!(!lab.notices().iter().any(|notice| matches!(notice, Notice::RouterMacMisfit(_))));
}

#[test]
fn a_routed_tap_with_another_mac_has_ipv4_alone() {
    let mut lab = routed(NAMED);
    assert_eq!(lab.advertised(), []);
    for packet in [router_solicitation(), neighbor_solicitation("2001:db8::1"), information_request()] {
        assert_eq!(lab.answer(&packet), (Reason::RouterMacMisfit, vec![]));
    }
    let (reason, frame) = lab.answer(&udp4(&dhcpv4(DISCOVER)));
    assert_eq!((reason, Frame::parse(&frame).unwrap().addresses.source), (Reason::Offered, ROUTER));
}

/// A wrong `INDEV` or `router_mac` must not cut a guest off from its neighbours, nor from another server.
#[test]
fn without_a_router_all_that_is_not_for_us_goes_on() {
    let mut lost = Lab::routed();
    lost.event(Event::BindingLoaded(Box::new(Binding { indev: name("br0"), ..dual_stack() })));
    let probe = &[&[135, 0, 0, 0, 0, 0, 0, 0], &"2001:db8::77".parse::<Ipv6Addr>().unwrap().octets()[..]].concat();
    let client_id = &[0, 1, 0, 4, 0, 3, 0, 1][..];
    let other_server = [&[11, 1, 2, 3], client_id, &[0, 2, 0, 4, 0, 3, 0, 9]].concat();
    for mut lab in [lost, routed(NAMED)] {
        for (packet, expected) in [
            (neighbor_solicitation("fe80::77"), Reason::NeighborNotOurs),
            (icmpv6("::", "ff02::1:ff00:77", probe), Reason::DuplicateAddressDetection),
            (dhcpv6(&other_server), Reason::OtherServer6),
            (dhcpv6(&[&[1, 1, 2, 3], client_id].concat()), Reason::StatefulUnserved),
        ] {
            let (reason, _) = lab.answer(&packet);
            assert_eq!((reason, reason.verdict()), (expected, Verdict::Accept));
        }
    }
}

#[test]
fn an_operator_hears_of_it_once_until_it_changes() {
    let misfit = |tap_mac| Notice::RouterMacMisfit(Misfit { tap: name("tap0"), tap_mac, router_mac: NAMED });
    let told = |lab: &mut Lab| {
        lab.notices().into_iter().filter(|it| matches!(it, Notice::RouterMacMisfit(_))).collect::<Vec<_>>()
    };
    let mut lab = routed(NAMED);
    assert_eq!(told(&mut lab), [misfit(ROUTER)]);
    lab.event(Event::LinkChanged(Link { mtu: 1400, ..link(1, "tap0", ROUTER) }));
    lab.event(named(Some(NAMED)));
    lab.event(Event::BindingLoaded(Box::new(with_settings(Settings { mtu: Some(1400), ..Settings::default() }))));
    assert_eq!(told(&mut lab), []);
    lab.event(Event::LinkChanged(link(1, "tap0", OTHER)));
    assert_eq!(told(&mut lab), [misfit(OTHER)]);
    lab.event(Event::LinkChanged(link(1, "tap0", NAMED)));
    assert_eq!((told(&mut lab), lab.advertised()), (vec![], vec![(NAMED, 1800)]));
    lab.event(Event::LinkChanged(link(1, "tap0", OTHER)));
    assert_eq!(told(&mut lab), [misfit(OTHER)]);
}

#[test]
fn a_guest_without_ipv6_misses_nothing() {
    let mut lab = routed(ROUTER);
    lab.event(Event::BindingLoaded(Box::new(Binding { ipv6: None, ..dual_stack() })));
    lab.notices();
    lab.event(named(Some(NAMED)));
    assert!(!lab.notices().iter().any(|notice| matches!(notice, Notice::RouterMacMisfit(_))));
    assert_eq!(lab.answer(&router_solicitation()).0, Reason::NoIpv6);
    assert_eq!(lab.ask(DISCOVER), Reason::Offered);
}

/// From the tap's own MAC to a `router_mac` that does not fit yet, and then does.
#[test]
fn a_tap_that_is_made_to_fit_serves_at_once() {
    let mut lab = Lab::routed();
    assert_eq!(lab.advertised(), [(ROUTER, 1800)]);
    lab.event(named(Some(NAMED)));
    assert_eq!(lab.advertised(), []);
    lab.event(Event::LinkChanged(link(1, "tap0", NAMED)));
    assert_eq!(lab.advertised(), [(ROUTER, 0), (NAMED, 1800)]);
}
