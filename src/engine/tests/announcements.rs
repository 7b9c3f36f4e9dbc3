//! Guests on routed taps, announced on the uplink.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::*;
use crate::engine::announcer::{INTERVAL, PATIENCE};
use crate::engine::slot::ABSENCE;
use crate::engine::testing::ADDRESS;

/// The MAC of the uplink.
const UPLINK: MacAddr = MacAddr::new([0x02, 0, 0, 0, 0, 0xee]);
const UPLINK_LOCAL: &str = "fe80::ff:fe00:ee";
const UPLINK_INDEX: u32 = 50;
const EUI64: &str = "2001:db8::a800:ff:fe00:1";
const LEASED: &str = "2001:db8::10";
const NOBODY: [IpAddr; 0] = [];

fn announcing(uplink: Option<&str>) -> Config {
    let mut config = node();
    config.general.announce_on = uplink.map(name);
    config
}

fn configured(uplink: Option<&str>) -> Event {
    Event::ConfigChanged(Arc::new(announcing(uplink)))
}

fn uplink() -> Link {
    link(UPLINK_INDEX, "eth0", UPLINK)
}

fn tap() -> Event {
    Event::LinkChanged(link(1, "tap0", ROUTER))
}

fn loaded(binding: Binding) -> Event {
    Event::BindingLoaded(Box::new(binding))
}

/// A guest with an address of each kind.
fn guest() -> Binding {
    let mut guest = dual_stack();
    guest.ipv6.as_mut().unwrap().leased = Some(LEASED.parse().unwrap());
    guest
}

fn all() -> Vec<IpAddr> {
    vec![ADDRESS.into(), EUI64.parse().unwrap(), LEASED.parse().unwrap()]
}

/// The node, its uplink, nothing else.
fn node_with_uplink() -> Lab {
    let mut lab = Lab::empty();
    lab.event(configured(Some("eth0")));
    lab.event(Event::LinkChanged(uplink()));
    lab
}

/// A node whose guest has just arrived.
fn arrived() -> Lab {
    let mut lab = node_with_uplink();
    lab.event(tap());
    lab.event(loaded(guest()));
    lab
}

/// What was announced to the end, and time passed meanwhile.
fn settled() -> Lab {
    let mut lab = arrived();
    assert_eq!([lab.announced(START), lab.announced(START + INTERVAL)], [all(), all()]);
    lab
}

impl Lab {
    fn event_at(&mut self, now: Now, event: Event) {
        self.engine.handle_event(now, event);
    }

    /// The addresses that are announced now. Whatever else is sent goes to a tap.
    fn announced(&mut self, now: Now) -> Vec<IpAddr> {
        let sent = self.drain(now);
        let on_uplink = sent.iter().filter(|(ifindex, _)| *ifindex == UPLINK_INDEX);
        on_uplink.map(|(_, frame)| read(frame)).collect()
    }
}

/// The address in an announcement, in which everything else is as it must be.
fn read(frame: &[u8]) -> IpAddr {
    assert_eq!(frame[6..12], UPLINK.octets());
    if frame[12..14] == [0x08, 0x06] {
        assert_eq!((&frame[..6], frame.len()), (&[0xff; 6][..], 42));
        assert_eq!(frame[28..32], frame[38..42]);
        return Ipv4Addr::from_octets(frame[28..32].try_into().unwrap()).into();
    }
    assert_eq!(frame[..6], MacAddr::ALL_NODES.octets());
    let packet = ipv6::Datagram::parse(&frame[14..]).unwrap();
    assert_eq!(packet.verify_icmpv6(Checksums::Verify), Ok(()));
    assert_eq!((packet.destination, packet.hop_limit), (ndp::ALL_NODES, 255));
    assert_eq!(packet.source, UPLINK_LOCAL.parse::<Ipv6Addr>().unwrap());
    let [136, 0, _, _, flags, 0, 0, 0, target @ .., 2, 1, _, _, _, _, _, _] = packet.payload else {
        panic!("{:?}", packet.payload);
    };
    assert_eq!((*flags, &packet.payload[26..]), (0xa0, &UPLINK.octets()[..]));
    Ipv6Addr::from_octets(target.try_into().unwrap()).into()
}

#[test]
fn a_guest_that_arrives_is_announced_twice() {
    let mut lab = arrived();
    assert_eq!(lab.announced(START), all());
    assert_eq!(lab.engine.poll_timeout(), Some(START + INTERVAL));
    assert_eq!(lab.announced(START + INTERVAL), all());
    assert_eq!(lab.announced(START + INTERVAL * 2), NOBODY);
    let counted = lab.engine.counters().find(|(reason, _)| *reason == Reason::Announced);
    assert_eq!(counted, Some((Reason::Announced, 6)));
    assert!(lab.notices().iter().all(|notice| matches!(notice, Notice::Pending { .. } | Notice::Serving { .. })));
}

#[test]
fn the_order_of_arrival_does_not_matter() {
    let uplink = || Event::LinkChanged(uplink());
    for events in [[uplink(), loaded(guest()), tap()], [loaded(guest()), tap(), uplink()]] {
        let mut lab = Lab::empty();
        lab.event(configured(Some("eth0")));
        events.into_iter().for_each(|event| lab.event(event));
        assert_eq!(lab.announced(START), all());
    }
}

#[test]
fn nobody_is_announced_unless_it_is_wanted() {
    let mut lab = Lab::empty();
    for event in [Event::LinkChanged(uplink()), tap(), loaded(guest())] {
        lab.event(event);
    }
    assert_eq!(lab.announced(START), NOBODY);
}

#[test]
fn each_guest_by_what_it_has() {
    let link_local = || {
        let mut guest = guest();
        guest.ipv6.as_mut().unwrap().leased = Some("fe80::10".parse().unwrap());
        guest
    };
    let eui64: IpAddr = EUI64.parse().unwrap();
    for (binding, expected) in [
        (dual_stack(), vec![ADDRESS.into(), eui64]),
        (Binding { ipv4: None, ..dual_stack() }, vec![eui64]),
        (Binding { ipv6: None, ..dual_stack() }, vec![ADDRESS.into()]),
        (link_local(), vec![ADDRESS.into(), eui64]),
        (Binding { ipv4: None, ipv6: None, ..dual_stack() }, vec![]),
        (Binding { indev: name("br0"), ..guest() }, vec![]),
    ] {
        let mut lab = node_with_uplink();
        lab.event(Event::LinkChanged(Link { is_bridge: true, ..link(9, "br0", ROUTER) }));
        lab.event(tap());
        lab.event(loaded(binding));
        assert_eq!(lab.announced(START), expected);
    }
}

#[test]
fn a_family_that_is_switched_off_is_not_announced() {
    let v4 = Config { ipv6: None, ..announcing(Some("eth0")) };
    let v6 = Config { dhcp: None, ..announcing(Some("eth0")) };
    for (config, expected) in [(v4, &all()[..1]), (v6, &all()[1..])] {
        let mut lab = Lab::empty();
        lab.event(Event::ConfigChanged(Arc::new(config)));
        for event in [Event::LinkChanged(uplink()), tap(), loaded(guest())] {
            lab.event(event);
        }
        assert_eq!(lab.announced(START), expected);
    }
}

/// It would take that for a conflict.
#[test]
fn a_guest_does_not_hear_its_own_addresses() {
    let mut lab = Lab::empty();
    lab.event(configured(Some("tap0")));
    lab.event(tap());
    lab.event(loaded(guest()));
    assert_eq!(lab.drain(START).len(), 1);
    assert!(!lab.notices().iter().any(|notice| matches!(notice, Notice::NoUplink { .. })));
}

#[test]
fn what_is_no_news_is_not_announced() {
    let mut lab = settled();
    let later = START + INTERVAL + ABSENCE * 10;
    let renamed = Binding { hostname: "other.example.com".parse().unwrap(), ..guest() };
    for event in [
        configured(Some("eth0")),
        loaded(renamed),
        Event::LinkChanged(Link { mtu: 1400, ..link(1, "tap0", ROUTER) }),
        Event::LinkChanged(link(1, "tap0", OTHER)),
        Event::LinkChanged(Link { mtu: 1400, ..uplink() }),
        Event::LinkGone(index(UPLINK_INDEX)),
        Event::LinkChanged(uplink()),
    ] {
        lab.event_at(later, event);
        assert_eq!(lab.announced(later), NOBODY);
    }
    assert!(!lab.notices().iter().any(|notice| matches!(notice, Notice::NoUplink { .. })));
}

#[test]
fn other_addresses_are_news() {
    let mut lab = settled();
    lab.event_at(START + INTERVAL, loaded(dual_stack()));
    assert_eq!(lab.announced(START + INTERVAL), all()[..2]);
}

#[test]
fn another_uplink_is_news() {
    let mut lab = settled();
    lab.event_at(START + INTERVAL, Event::LinkChanged(link(UPLINK_INDEX + 1, "eth1", OTHER)));
    lab.event_at(START + INTERVAL, configured(Some("eth1")));
    let sent = lab.drain(START + INTERVAL);
    assert_eq!(sent.iter().map(|(ifindex, _)| *ifindex).collect::<Vec<_>>(), [UPLINK_INDEX + 1; 3]);
    assert!(sent.iter().all(|(_, frame)| frame[6..12] == OTHER.octets()));
}

#[test]
fn a_tap_made_anew_is_an_arrival() {
    let mut lab = settled();
    lab.event_at(START + INTERVAL, Event::LinkGone(index(1)));
    lab.event_at(START + INTERVAL, Event::LinkChanged(link(2, "tap0", ROUTER)));
    assert_eq!(lab.announced(START + INTERVAL), all());
}

/// A tap that flaps is none, whoever makes it flap; one that was away for a while is.
#[test]
fn a_tap_that_is_back_soon_was_not_away() {
    let down = || Event::LinkChanged(Link { is_ready: false, ..link(1, "tap0", ROUTER) });
    let mut lab = settled();
    let now = START + INTERVAL;
    lab.event_at(now, down());
    lab.event_at(now + ABSENCE / 2, tap());
    assert_eq!(lab.announced(now + ABSENCE * 2), NOBODY);
    let now = START + INTERVAL * 10;
    lab.event_at(now, down());
    lab.event_at(now + ABSENCE, tap());
    assert_eq!(lab.announced(now + ABSENCE), all());
}

/// As hooks do: `rm`, then `cat >`.
#[test]
fn a_file_that_is_only_rewritten_is_no_arrival() {
    let mut lab = arrived();
    assert_eq!(lab.announced(START), all());
    lab.event(Event::BindingRemoved(name("tap0")));
    assert_eq!(lab.announced(START + ABSENCE / 2), NOBODY);
    lab.event_at(START + ABSENCE / 2, loaded(guest()));
    assert_eq!(lab.announced(START + ABSENCE / 2), NOBODY);
    assert_eq!(lab.announced(START + INTERVAL), all(), "what was left to do is done");
    assert_eq!(lab.announced(START + INTERVAL * 5), NOBODY);
}

#[test]
fn who_is_gone_is_announced_no_more_and_forgotten() {
    for gone in [Event::BindingRemoved(name("tap0")), Event::LinkGone(index(1))] {
        let mut lab = arrived();
        assert_eq!(lab.announced(START), all());
        lab.event(gone);
        assert_eq!(lab.announced(START + INTERVAL * 3), NOBODY);
    }
    let mut lab = node_with_uplink();
    lab.event(tap());
    lab.event(loaded(Binding { ipv6: None, ..dual_stack() }));
    lab.announced(START);
    lab.event(Event::BindingRemoved(name("tap0")));
    assert_eq!(lab.engine.poll_timeout(), Some(START + ABSENCE));
    assert_eq!(lab.announced(START + ABSENCE), NOBODY);
    assert_eq!(lab.engine.poll_timeout(), None);
    assert_eq!(lab.engine.table.slots().count(), 0, "nothing is remembered");
}

#[test]
fn an_uplink_that_is_missing_is_told_once_and_waited_for() {
    let told = |lab: &mut Lab| {
        lab.notices().into_iter().filter(|it| matches!(it, Notice::NoUplink { .. })).collect::<Vec<_>>()
    };
    let missed = Notice::NoUplink { uplink: name("eth0") };
    let down = Link { is_ready: false, ..uplink() };
    let mut lab = Lab::empty();
    lab.event(configured(Some("eth0")));
    lab.event(tap());
    assert_eq!(told(&mut lab), []);
    lab.event(loaded(guest()));
    lab.event(Event::LinkChanged(down.clone()));
    lab.event(configured(Some("eth0")));
    assert_eq!((told(&mut lab), lab.announced(START + PATIENCE)), (vec![missed.clone()], vec![]));
    lab.event_at(START + PATIENCE, Event::LinkChanged(uplink()));
    assert_eq!(lab.announced(START + PATIENCE), all());
    lab.event_at(START + PATIENCE, Event::LinkChanged(down));
    assert_eq!((told(&mut lab), lab.announced(START + PATIENCE * 2)), (vec![missed], vec![]));
}

#[test]
fn an_uplink_that_is_renamed_is_missing_until_it_is_back() {
    let mut lab = arrived();
    assert_eq!(lab.announced(START), all());
    lab.event(Event::LinkChanged(link(UPLINK_INDEX, "old", UPLINK)));
    assert_eq!(lab.announced(START + INTERVAL), NOBODY);
    lab.event_at(START + INTERVAL, Event::LinkChanged(uplink()));
    assert_eq!(lab.announced(START + INTERVAL), all());
}

#[test]
fn what_waited_too_long_is_not_announced() {
    let mut lab = Lab::empty();
    lab.event(configured(Some("eth0")));
    lab.event(tap());
    lab.event(loaded(guest()));
    let late = START + PATIENCE + Duration::from_nanos(1);
    lab.event_at(late, Event::LinkChanged(uplink()));
    assert_eq!(lab.announced(late), NOBODY);
}

#[test]
fn an_uplink_without_a_station_address_is_none() {
    for mac in [None, Some(MacAddr::new([0; 6])), Some(MacAddr::BROADCAST)] {
        let mut lab = Lab::empty();
        lab.event(configured(Some("eth0")));
        lab.event(Event::LinkChanged(Link { mac, ..uplink() }));
        lab.event(tap());
        lab.event(loaded(guest()));
        assert_eq!(lab.announced(START), NOBODY);
    }
}

#[test]
fn a_failure_on_the_uplink_is_told_as_such() {
    let mut lab = settled();
    lab.notices();
    lab.event(Event::SendFailed(index(UPLINK_INDEX), 105));
    assert_eq!(lab.notices(), [Notice::AnnounceFailed { uplink: name("eth0"), errno: 105 }]);
    assert_eq!(lab.engine.status()[0].stats.send_failed, 0);
    let counted = lab.engine.counters().find(|(reason, _)| *reason == Reason::SendFailed);
    assert_eq!(counted, Some((Reason::SendFailed, 1)));
}

/// A daemon that starts on a node with many guests: all are announced, in turn.
#[test]
fn many_guests_at_once_are_no_burst() {
    const GUESTS: u32 = 500;
    let mut lab = node_with_uplink();
    for number in 1..=GUESTS {
        let tap = format!("tap{number}");
        lab.event(Event::LinkChanged(link(100 + number, &tap, ROUTER)));
        lab.event(loaded(Binding { tap: name(&tap), indev: name(&tap), ..guest() }));
    }
    let mut announced = 0;
    let mut now = START;
    while let Some(next) = lab.engine.poll_timeout().filter(|next| *next < START + INTERVAL * 10) {
        now = now.max(next);
        let sent = lab.drain(now);
        assert!(sent.len() <= 8, "{} frames at once", sent.len());
        announced += sent.iter().filter(|(ifindex, _)| *ifindex == UPLINK_INDEX).count();
    }
    assert_eq!(announced, GUESTS as usize * 3 * 2);
}
