//! How often a guest may ask.

use super::*;
use crate::config::General;

/// A guest on a node that limits.
fn limited(mut lab: Lab, rate_limit: RateLimit, rate_burst: u32) -> Lab {
    let general = General { rate_limit, rate_burst, ..node().general };
    lab.event(Event::ConfigChanged(Arc::new(Config { general, ..node() })));
    lab
}

#[test]
fn a_limit_holds_for_each_tap() {
    let mut lab = limited(Lab::routed(), per_second(1), 2);
    lab.event(Event::LinkChanged(link(2, "tap2", ROUTER)));
    let other = Binding { tap: name("tap2"), indev: name("tap2"), ..dual_stack() };
    lab.event(Event::BindingLoaded(Box::new(other)));
    assert_eq!([0; 3].map(|_| lab.ask(DISCOVER)), [Reason::Offered, Reason::Offered, Reason::RateLimited]);
    lab.indev = Some(index(2));
    assert_eq!(lab.ask(DISCOVER), Reason::Offered);
}

#[test]
fn a_limit_holds_for_a_bridge_where_its_ports_are_not_named() {
    let mut lab = limited(Lab::on_bridge(), per_second(1), 2);
    lab.event(Event::LinkChanged(Link { master: Some(index(9)), ..link(2, "tap2", OTHER) }));
    let other = Binding { tap: name("tap2"), indev: name("br0"), mac: OTHER, ..dual_stack() };
    lab.event(Event::BindingLoaded(Box::new(other)));
    assert_eq!([lab.ask(DISCOVER), lab.ask(DISCOVER)], [Reason::Offered; 2]);
    let mut message = dhcpv4(DISCOVER);
    message[28..34].copy_from_slice(&OTHER.octets());
    lab.source_mac = Some(OTHER);
    assert_eq!(lab.packet(&udp4(&message)).reason, Reason::RateLimited, "whoever the sender claims to be");
}

/// A bridge that hides its ports has many guests, and an honest crowd is no flood.
#[test]
fn a_bridge_whose_ports_are_not_named_has_a_share_for_each_guest() {
    let mut lab = limited(Lab::on_bridge(), RateLimit::Auto, 2);
    let mut guests = 1;
    for (expected, more) in [(2, 0), (6, 2), (64, 40)] {
        for _ in 0..more {
            guests += 1;
            let mac = MacAddr::new([2, 0, 0, 0, 9, guests]);
            let tap = name(&format!("more{guests}"));
            lab.event(Event::BindingLoaded(Box::new(Binding { tap, indev: name("br0"), mac, ..dual_stack() })));
        }
        // A new link has a full bucket.
        lab.event(Event::LinkGone(index(9)));
        lab.event(Event::LinkChanged(Link { is_bridge: true, ..link(9, "br0", ROUTER) }));
        lab.event(Event::PacketsLost);
        let offered = (0..100).filter(|_| lab.ask(DISCOVER) == Reason::Offered).count();
        assert_eq!(offered, expected, "{guests} guests");
    }
}

#[test]
fn a_limit_holds_for_whatever_a_guest_sends() {
    let mut lab = limited(Lab::routed(), per_second(1), 3);
    let other_server = &[53, 1, 3, 54, 4, 192, 0, 2, 99];
    assert_eq!([lab.ask(other_server), lab.packet(&[]).reason], [Reason::OtherServer, Reason::Malformed]);
    assert_eq!([lab.ask(DISCOVER), lab.ask(other_server)], [Reason::Offered, Reason::RateLimited]);
    assert_eq!(lab.packet(&[]).reason, Reason::RateLimited, "nothing is read of it");
}

#[test]
fn a_limit_leaves_strangers_alone() {
    let mut lab = limited(Lab::routed(), per_second(1), 1);
    lab.indev = Some(index(77));
    assert_eq!([0; 5].map(|_| lab.ask(DISCOVER)), [Reason::UnknownTap; 5]);
}

#[test]
fn a_tap_is_held_to_its_share_while_packets_pile_up() {
    let mut lab = limited(Lab::routed(), RateLimit::Auto, 2);
    assert!((0..100).all(|_| lab.ask(DISCOVER) == Reason::Offered));
    lab.event(Event::PacketsLost);
    assert_eq!([0; 3].map(|_| lab.ask(DISCOVER)), [Reason::Offered, Reason::Offered, Reason::RateLimited]);
    lab.now += pressure::AFTERMATH;
    assert!((0..100).all(|_| lab.ask(DISCOVER) == Reason::Offered));
}

#[test]
fn without_a_limit_nothing_is_held_back() {
    let mut lab = limited(Lab::routed(), RateLimit::Unlimited, 1);
    lab.event(Event::PacketsLost);
    assert!((0..100).all(|_| lab.ask(DISCOVER) == Reason::Offered));
}
