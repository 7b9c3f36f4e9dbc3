//! The engine as a whole: packets in, outcomes out, while bindings, links and configuration come and go.

mod advertisements;
mod announcements;
mod delegation;
mod limits;
mod renewal;
mod router_mac;

use std::sync::Arc;

use super::testing::{GUEST, OTHER, ROUTER, dhcpv4, dual_stack, icmpv6, node, udp4, udp6, with_settings};
use super::*;
use crate::binding::{Ipv6Binding, Settings};
use crate::config::{self, Ipv6Mode};
use crate::wire::duid::server_duid;
use crate::wire::{ipv6, ndp};

const DISCOVER: &[u8] = &[53, 1, 1];
const WRONG_REQUEST: &[u8] = &[53, 1, 3, 50, 4, 192, 0, 2, 99];
const START: Now = Duration::from_secs(1000);

fn index(number: u32) -> IfIndex {
    IfIndex::new(number).unwrap()
}

fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

fn per_second(rate: u32) -> RateLimit {
    RateLimit::PerSecond(rate.try_into().unwrap())
}

fn link(number: u32, text: &str, mac: MacAddr) -> Link {
    Link {
        ifindex: index(number),
        name: name(text),
        mac: Some(mac),
        mtu: 1500,
        master: None,
        is_bridge: false,
        is_ready: true,
    }
}

/// An engine and what the kernel would say of a packet.
struct Lab {
    engine: Engine,
    now: Now,
    indev: Option<IfIndex>,
    physindev: Option<IfIndex>,
    source_mac: Option<MacAddr>,
}

impl Lab {
    /// Nothing is known yet; packets come in on link 1.
    fn empty() -> Self {
        Self {
            engine: Engine::new(node(), 7),
            now: START,
            indev: Some(index(1)),
            physindev: None,
            source_mac: Some(GUEST),
        }
    }

    /// A guest on the routed tap0, link 1.
    fn routed() -> Self {
        let mut lab = Self::empty();
        lab.event(Event::LinkChanged(link(1, "tap0", ROUTER)));
        lab.event(Event::BindingLoaded(Box::new(dual_stack())));
        lab
    }

    /// A guest on tap0, link 1, a port of br0, link 9. The kernel names the bridge only.
    fn on_bridge() -> Self {
        let mut lab = Self::empty();
        lab.event(Event::LinkChanged(Link { is_bridge: true, ..link(9, "br0", ROUTER) }));
        lab.event(Event::LinkChanged(Link { master: Some(index(9)), ..link(1, "tap0", OTHER) }));
        lab.event(Event::BindingLoaded(Box::new(Binding { indev: name("br0"), ..dual_stack() })));
        lab.indev = Some(index(9));
        lab
    }

    fn event(&mut self, event: Event) {
        self.engine.handle_event(self.now, event);
    }

    fn packet(&mut self, packet: &[u8]) -> Outcome {
        let (indev, physindev, source_mac) = (self.indev, self.physindev, self.source_mac);
        let ingress = Ingress { indev, physindev, source_mac, checksums: Checksums::Verify, packet };
        self.engine.handle_packet(self.now, &ingress, &mut [0; MAX_FRAME])
    }

    /// What becomes of a DHCPv4 message with these options.
    fn ask(&mut self, options: &[u8]) -> Reason {
        self.packet(&udp4(&dhcpv4(options))).reason
    }

    /// The unsolicited frames that are due: link and frame.
    fn drain(&mut self, now: Now) -> Vec<(u32, Vec<u8>)> {
        let mut frame = [0; MAX_FRAME];
        let mut sent = Vec::new();
        while let Some(Unsolicited { transmit, .. }) = self.engine.poll_transmit(now, &mut frame) {
            let Transmit { ifindex, len } = transmit;
            sent.push((ifindex.value(), frame[..len].to_vec()));
        }
        sent
    }

    fn notices(&mut self) -> Vec<Notice> {
        std::iter::from_fn(|| self.engine.poll_notice()).collect()
    }
}

fn router_lifetime(frame: &[u8]) -> u16 {
    u16::from_be_bytes([frame[60], frame[61]])
}

#[test]
fn answers_out_of_the_tap() {
    let mut lab = Lab::routed();
    let outcome = lab.packet(&udp4(&dhcpv4(DISCOVER)));
    assert_eq!((outcome.reason, outcome.tap), (Reason::Offered, Some(name("tap0"))));
    assert_eq!(outcome.reply.unwrap().ifindex, index(1));
    let offered = lab.engine.counters().find(|(reason, _)| *reason == Reason::Offered);
    assert_eq!(offered, Some((Reason::Offered, 1)));
    assert_eq!(lab.engine.status()[0].stats.answered, 1);
}

#[test]
fn whatever_is_not_ours_is_accepted() {
    let mut lab = Lab::routed();
    lab.indev = None;
    assert_eq!(lab.ask(DISCOVER), Reason::NoInterface);
    lab.indev = Some(index(5));
    assert_eq!(lab.ask(DISCOVER), Reason::UnknownTap);
    lab.event(Event::LinkChanged(link(5, "tap5", OTHER)));
    assert_eq!(lab.ask(DISCOVER), Reason::UnknownTap);
    let error = BindingError { path: "x".into(), line: None, key: None, found: None, reason: String::new() };
    lab.event(Event::BindingRejected(name("tap5"), error));
    assert_eq!(lab.ask(DISCOVER), Reason::RejectedBinding);
    lab.event(Event::BindingRemoved(name("tap5")));
    assert_eq!(lab.ask(DISCOVER), Reason::UnknownTap);
    for reason in [Reason::NoInterface, Reason::UnknownTap, Reason::RejectedBinding] {
        assert_eq!(reason.verdict(), Verdict::Accept);
    }
}

#[test]
fn a_family_that_is_not_configured_is_accepted() {
    let solicitation = icmpv6("fe80::1", "ff02::2", &[133, 0, 0, 0, 0, 0, 0, 0]);
    let mut lab = Lab::routed();
    lab.event(Event::BindingLoaded(Box::new(Binding { ipv4: None, ipv6: None, ..dual_stack() })));
    assert_eq!(lab.ask(DISCOVER), Reason::NoIpv4);
    assert_eq!(lab.packet(&solicitation).reason, Reason::NoIpv6);
    let mut lab = Lab::routed();
    lab.event(Event::ConfigChanged(Arc::new(Config { dhcp: None, ipv6: None, ..node() })));
    assert_eq!(lab.ask(DISCOVER), Reason::ServiceDisabled);
    assert_eq!(lab.packet(&solicitation).reason, Reason::ServiceDisabled);
}

#[test]
fn a_spoofed_sender_gets_nothing_unless_it_may() {
    let mut lab = Lab::routed();
    lab.source_mac = Some(OTHER);
    assert_eq!(lab.ask(DISCOVER), Reason::SpoofedFrame);
    lab.source_mac = Some(GUEST);
    let mut message = dhcpv4(DISCOVER);
    message[28..34].copy_from_slice(&OTHER.octets());
    assert_eq!(lab.packet(&udp4(&message)).reason, Reason::SpoofedMessage);
    lab.event(Event::BindingLoaded(Box::new(with_settings(Settings { macspoof: true, ..Settings::default() }))));
    lab.source_mac = Some(OTHER);
    assert_eq!(lab.packet(&udp4(&message)).reason, Reason::Offered);
}

#[test]
fn a_tap_remembers_what_became_of_its_last_packets_and_who_was_spoofed() {
    let mut lab = Lab::routed();
    let stats = |lab: &Lab| lab.engine.status_of(name("tap0")).unwrap().stats;
    (0..3).for_each(|_| assert_eq!(lab.ask(DISCOVER), Reason::Offered));
    assert_eq!((stats(&lab).spoofed, stats(&lab).last_foreign), (0, None));
    let mut message = dhcpv4(DISCOVER);
    message[28..34].copy_from_slice(&OTHER.octets());
    assert_eq!(lab.packet(&udp4(&message)).foreign, Some(OTHER));
    lab.source_mac = Some(ROUTER);
    assert_eq!(lab.ask(DISCOVER), Reason::SpoofedFrame);
    assert_eq!((stats(&lab).spoofed, stats(&lab).last_foreign), (2, Some(ROUTER)));
    let history = stats(&lab).history;
    let exchanges: Vec<_> = history.iter().map(|exchange| (exchange.reason, exchange.times)).collect();
    assert_eq!(exchanges, [(Reason::SpoofedFrame, 1), (Reason::SpoofedMessage, 1), (Reason::Offered, 3)]);
}

#[test]
fn the_bridge_port_alone_decides() {
    let mut lab = Lab::on_bridge();
    lab.physindev = Some(index(1));
    assert_eq!(lab.ask(DISCOVER), Reason::Offered);
    lab.physindev = Some(index(2));
    assert_eq!(lab.ask(DISCOVER), Reason::UnknownTap);
    lab.event(Event::LinkChanged(link(2, "tap2", OTHER)));
    assert_eq!(lab.ask(DISCOVER), Reason::UnknownTap, "the sender's MAC must not count");
}

#[test]
fn on_a_bridge_without_ports_the_sender_is_only_claimed() {
    let mut lab = Lab::on_bridge();
    assert_eq!(lab.ask(DISCOVER), Reason::Offered);
    assert_eq!(lab.ask(WRONG_REQUEST), Reason::ClaimedWrongAddress);
    lab.source_mac = Some(OTHER);
    assert_eq!(lab.ask(DISCOVER), Reason::UnknownSender);
    lab.source_mac = None;
    assert_eq!(lab.ask(DISCOVER), Reason::UnknownSender);
    lab.source_mac = Some(GUEST);
    lab.event(Event::LinkChanged(link(1, "tap0", OTHER)));
    assert_eq!(lab.ask(DISCOVER), Reason::UnknownSender, "tap0 left the bridge");
}

#[test]
fn a_mac_that_two_ports_share_is_ignored() {
    let mut lab = Lab::on_bridge();
    let twin = Binding { tap: name("tap2"), indev: name("br0"), ..dual_stack() };
    lab.event(Event::BindingLoaded(Box::new(twin)));
    assert_eq!(lab.ask(DISCOVER), Reason::Offered, "a binding whose tap is gone is no rival");
    lab.event(Event::LinkChanged(Link { master: Some(index(9)), ..link(2, "tap2", OTHER) }));
    assert_eq!(lab.ask(DISCOVER), Reason::AmbiguousSender);
    lab.event(Event::BindingRemoved(name("tap2")));
    assert_eq!(lab.ask(DISCOVER), Reason::Offered);
}

#[test]
fn the_binding_follows_its_tap() {
    let mut lab = Lab::empty();
    lab.event(Event::BindingLoaded(Box::new(dual_stack())));
    assert_eq!(lab.notices(), [Notice::Pending { tap: name("tap0") }]);
    lab.event(Event::LinkChanged(link(1, "tap0", ROUTER)));
    let binding = Arc::new(dual_stack());
    assert_eq!(lab.notices(), [Notice::Serving { ifindex: index(1), binding }]);
    // Gone and back under another index; the kernel may tell of the new one first.
    lab.event(Event::LinkChanged(link(2, "tap0", ROUTER)));
    lab.event(Event::LinkGone(index(1)));
    assert_eq!(lab.ask(DISCOVER), Reason::UnknownTap);
    lab.indev = Some(index(2));
    assert_eq!(lab.packet(&udp4(&dhcpv4(DISCOVER))).reply.unwrap().ifindex, index(2));
    // Renamed away and back.
    lab.event(Event::LinkChanged(link(2, "old", ROUTER)));
    assert_eq!(lab.ask(DISCOVER), Reason::UnknownTap);
    lab.event(Event::LinkChanged(link(2, "tap0", ROUTER)));
    assert_eq!(lab.ask(DISCOVER), Reason::Offered);
    lab.event(Event::LinkGone(index(2)));
    assert_eq!(lab.notices().last(), Some(&Notice::Pending { tap: name("tap0") }));
}

#[test]
fn of_two_links_with_one_name_the_newer_counts() {
    let mut lab = Lab::routed();
    lab.event(Event::LinkChanged(link(2, "tap0", ROUTER)));
    assert_eq!(lab.ask(DISCOVER), Reason::UnknownTap);
    lab.event(Event::LinkGone(index(1)));
    lab.indev = Some(index(2));
    assert_eq!(lab.ask(DISCOVER), Reason::Offered);
}

#[test]
fn a_rejected_rewrite_keeps_the_last_good_binding() {
    let mut lab = Lab::routed();
    lab.notices();
    let error = BindingError { path: "x".into(), line: Some(3), key: None, found: None, reason: "bad".into() };
    lab.event(Event::BindingRejected(name("tap0"), error.clone()));
    assert_eq!(lab.ask(DISCOVER), Reason::Offered);
    assert_eq!(lab.notices(), [Notice::Rejected { tap: name("tap0"), error, keeps_last: true }]);
    lab.event(Event::BindingLoaded(Box::new(dual_stack())));
    assert!(lab.engine.status()[0].rejected.is_none());
    lab.event(Event::BindingRemoved(name("tap0")));
    assert_eq!(lab.ask(DISCOVER), Reason::UnknownTap);
}

#[test]
fn a_binding_whose_reply_cannot_fit_is_rejected() {
    let mut lab = Lab::routed();
    let servers = vec!["2001:db8::53".parse().unwrap(); 90];
    lab.event(Event::BindingLoaded(Box::new(with_settings(Settings {
        nameservers6: Some(servers),
        ..Settings::default()
    }))));
    let status = lab.engine.status();
    assert_eq!(status[0].rejected.as_ref().unwrap().key.as_deref(), Some("NAMESERVERS6"));
    assert!(status[0].binding.as_ref().unwrap().settings.nameservers6.is_none());
}

#[test]
fn a_misfit_names_the_key_that_takes_most_and_its_line() {
    let names =
        (0..25).map(|number| format!("{}.{number}.example", "x".repeat(60)).parse().unwrap()).collect::<Vec<_>>();
    let mut lab = Lab::routed();
    let lines = [("DOMAIN_SEARCH", 7)].into_iter().collect();
    let own = Binding {
        settings: Settings { domain_search: Some(names.clone()), ..Settings::default() }.into(),
        ipv4: None,
        lines,
        ..dual_stack()
    };
    lab.event(Event::BindingLoaded(Box::new(own)));
    let misfit = |lab: &Lab| lab.engine.status()[0].rejected.clone().unwrap();
    assert_eq!((misfit(&lab).key.as_deref(), misfit(&lab).line), (Some("DOMAIN_SEARCH"), Some(7)));
    let mut config = node();
    config.ipv6.as_mut().unwrap().domains = names;
    lab.event(Event::ConfigChanged(Arc::new(config)));
    lab.event(Event::BindingLoaded(Box::new(with_settings(Settings { mtu: Some(1400), ..Settings::default() }))));
    assert_eq!((misfit(&lab).key.as_deref(), misfit(&lab).line), (Some("ipv6.domains"), None));
}

#[test]
fn a_new_configuration_gives_a_binding_that_did_not_fit_another_chance() {
    let mut lab = Lab::routed();
    let mut config = node();
    config.ipv6.as_mut().unwrap().nameservers = vec!["2001:db8::53".parse().unwrap(); 90];
    lab.event(Event::ConfigChanged(Arc::new(config)));
    let changed = with_settings(Settings { mtu: Some(1400), ..Settings::default() });
    lab.event(Event::BindingLoaded(Box::new(changed.clone())));
    assert_eq!(lab.engine.status()[0].binding, Some(Arc::new(dual_stack())), "what was said before goes on");
    assert!(lab.engine.status()[0].rejected.is_some());
    lab.event(Event::ConfigChanged(Arc::new(node())));
    assert_eq!(lab.engine.status()[0].binding, Some(Arc::new(changed)));
    assert!(lab.engine.status()[0].rejected.is_none());
}

#[test]
fn a_new_configuration_is_in_force_at_once() {
    let mut lab = Lab::routed();
    let mut config = node();
    config.dhcp.as_mut().unwrap().server_ip = Some("192.0.2.2".parse().unwrap());
    lab.event(Event::ConfigChanged(Arc::new(config)));
    assert_eq!(lab.ask(&[53, 1, 3, 54, 4, 192, 0, 2, 1, 50, 4, 192, 0, 2, 10]), Reason::OtherServer);
    assert_eq!(lab.ask(&[53, 1, 3, 54, 4, 192, 0, 2, 2, 50, 4, 192, 0, 2, 10]), Reason::Acked);
}

#[test]
fn an_indev_that_is_not_there_costs_no_lease() {
    let mut lab = Lab::routed();
    lab.event(Event::BindingLoaded(Box::new(Binding { indev: name("br0"), ..dual_stack() })));
    assert_eq!(lab.ask(DISCOVER), Reason::Offered);
    let solicitation = icmpv6("fe80::1", "ff02::2", &[133, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(lab.packet(&solicitation).reason, Reason::NoIndev);
}

#[test]
fn refuses_what_no_guest_may_send() {
    let mut lab = Lab::routed();
    let mut wrong_port = udp4(&dhcpv4(DISCOVER));
    wrong_port[23] = 68;
    wrong_port[26..28].fill(0);
    let solicitation = |source| icmpv6(source, "ff02::2", &[133, 0, 0, 0, 0, 0, 0, 0]);
    let mut bad_checksum = solicitation("fe80::1");
    bad_checksum[42] ^= 1;
    let mut hop_limit = solicitation("fe80::1");
    hop_limit[7] = 254;
    let mut fragment = solicitation("fe80::1");
    fragment[6] = 44;
    let table = [
        (vec![], Reason::Malformed),
        (vec![0x10; 60], Reason::Malformed),
        (vec![0x45; 10], Reason::Malformed),
        (wrong_port, Reason::NotOurs),
        (udp4(&[1, 1, 6]), Reason::Malformed),
        (solicitation("ff02::1"), Reason::BadSource),
        (solicitation("::1"), Reason::BadSource),
        (icmpv6("fe80::1", "ff02::2", &[128, 0, 0, 0, 0, 0, 0, 0]), Reason::NotOurs),
        (bad_checksum, Reason::BadChecksum),
        (hop_limit, Reason::HopLimit),
        (fragment, Reason::Fragment),
    ];
    for (packet, reason) in table {
        let outcome = lab.packet(&packet);
        assert_eq!((outcome.reason, outcome.reply, outcome.verdict()), (reason, None, Verdict::Drop));
    }
    let detail = lab.packet(&udp4(&[1, 1, 6])).detail.unwrap();
    assert_eq!(detail.to_string(), "DHCPv4: bad length");
}

#[test]
fn a_new_guest_hears_of_its_router_at_once_and_then_in_time() {
    let mut lab = Lab::routed();
    assert_eq!(lab.engine.poll_timeout(), Some(START));
    let sent = lab.drain(START);
    let (to, frame) = sent.first().unwrap();
    assert_eq!((*to, sent.len(), router_lifetime(frame)), (1, 1, 1800));
    assert_eq!(frame[..6], MacAddr::ALL_NODES.octets());
    let packet = ipv6::Datagram::parse(&frame[14..]).unwrap();
    assert_eq!(packet.verify_icmpv6(Checksums::Verify), Ok(()));
    assert_eq!((packet.destination, packet.hop_limit), (ndp::ALL_NODES, 255));
    let next = lab.engine.poll_timeout().unwrap() - START;
    assert!(next >= Duration::from_secs(450) && next <= Duration::from_secs(600), "{next:?}");
    assert_eq!(lab.drain(START + next).len(), 1);
}

#[test]
fn a_tap_made_anew_hears_at_once_in_whatever_order_the_kernel_tells() {
    let mut lab = Lab::routed();
    lab.drain(START);
    lab.event(Event::LinkChanged(link(2, "tap0", ROUTER)));
    lab.event(Event::LinkGone(index(1)));
    let heard = |sent: Vec<(u32, Vec<u8>)>| sent.iter().map(|(to, _)| *to).collect::<Vec<_>>();
    assert_eq!(heard(lab.drain(START)), [2]);
    lab.event(Event::LinkGone(index(2)));
    lab.event(Event::LinkChanged(link(3, "tap0", ROUTER)));
    assert_eq!(heard(lab.drain(START)), [3]);
}

#[test]
fn nothing_longer_than_the_mtu_goes_out() {
    let mut lab = Lab::empty();
    lab.event(Event::LinkChanged(Link { mtu: 100, ..link(1, "tap0", ROUTER) }));
    lab.event(Event::BindingLoaded(Box::new(dual_stack())));
    assert_eq!(lab.drain(START), []);
    assert!(lab.engine.poll_timeout().unwrap() > START);
    let solicitation = icmpv6("fe80::1", "ff02::2", &[133, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(lab.packet(&solicitation).reason, Reason::NoFit);
    assert_eq!(lab.ask(DISCOVER), Reason::NoFit);
    let counted = lab.engine.counters().find(|(reason, _)| *reason == Reason::NoFit);
    assert_eq!(counted, Some((Reason::NoFit, 3)));
}

#[test]
fn a_file_that_stays_away_takes_the_router_back() {
    let mut lab = Lab::routed();
    lab.drain(START);
    lab.event(Event::BindingRemoved(name("tap0")));
    assert!(lab.drain(START + Duration::from_millis(1999)).is_empty());
    let sent = lab.drain(START + Duration::from_secs(2));
    assert_eq!(sent.iter().map(|(_, frame)| router_lifetime(frame)).collect::<Vec<_>>(), [0]);
    assert_eq!(lab.engine.poll_timeout(), None);
    assert_eq!(lab.engine.table.slots().count(), 0, "something is remembered");
}

#[test]
fn taps_are_told_of_in_the_order_of_their_names_from_wherever_one_stopped() {
    let mut lab = Lab::routed();
    let error = BindingError { path: "x".into(), line: None, key: None, found: None, reason: "bad".into() };
    for tap in ["tap3", "tap1", "tap2"] {
        lab.event(Event::BindingRejected(name(tap), error.clone()));
    }
    lab.event(Event::BindingRemoved(name("tap2")));
    let after = |after: Option<&str>| {
        let status = lab.engine.status_after(after.map(name));
        status.map(|status| status.tap.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(after(None), ["tap0", "tap1", "tap3"]);
    assert_eq!(after(Some("tap0")), ["tap1", "tap3"]);
    assert_eq!(after(Some("tap2")), ["tap3"], "the name need not be there any more");
    assert_eq!(after(Some("tap3")), Vec::<String>::new());
    assert_eq!(lab.engine.status_of(name("tap3")).unwrap().rejected, Some(error));
    assert_eq!(lab.engine.status_of(name("tap2")), None);
}

#[test]
fn a_file_that_is_gone_is_not_told_of_while_its_guest_is_yet_to_hear_of_it() {
    let mut lab = Lab::routed();
    lab.drain(START);
    lab.event(Event::BindingRemoved(name("tap0")));
    assert_eq!((lab.engine.table.slots().count(), lab.engine.status()), (1, vec![]));
    assert_eq!(lab.engine.status_of(name("tap0")), None);
}

#[test]
fn a_tap_that_goes_down_hears_no_withdrawal() {
    let mut lab = Lab::routed();
    assert_eq!(lab.drain(START).len(), 1);
    lab.event(Event::BindingRemoved(name("tap0")));
    lab.event(Event::LinkChanged(Link { is_ready: false, ..link(1, "tap0", ROUTER) }));
    assert_eq!(lab.drain(START + slot::ABSENCE), []);
    assert_eq!(lab.engine.poll_timeout(), None);
}

#[test]
fn a_file_that_is_only_rewritten_takes_nothing_back() {
    let mut lab = Lab::routed();
    lab.drain(START);
    lab.event(Event::BindingRemoved(name("tap0")));
    lab.event(Event::BindingLoaded(Box::new(dual_stack())));
    let lifetimes = |sent: Vec<(u32, Vec<u8>)>| sent.iter().map(|(_, f)| router_lifetime(f)).collect::<Vec<_>>();
    assert_eq!(lifetimes(lab.drain(START + Duration::from_secs(3))), [1800]);
}

#[test]
fn a_bridge_that_changes_its_mac_is_another_router() {
    let mut lab = Lab::on_bridge();
    lab.drain(START);
    lab.notices();
    let bridge = |mac| Event::LinkChanged(Link { is_bridge: true, ..link(9, "br0", mac) });
    lab.event(bridge(OTHER));
    let sent = lab.drain(START);
    let said: Vec<_> =
        sent.iter().map(|(_, frame)| (MacAddr::from_slice(&frame[6..]).unwrap(), router_lifetime(frame))).collect();
    assert_eq!(said, [(ROUTER, 0), (OTHER, 1800)]);
    assert_eq!(lab.notices(), [Notice::BridgeMacChanged { bridge: name("br0"), old: ROUTER, new: OTHER }]);
    lab.event(bridge(ROUTER));
    assert!(lab.notices().is_empty(), "told once");
}

#[test]
fn a_failure_to_send_is_counted_for_its_tap() {
    let mut lab = Lab::routed();
    lab.notices();
    assert_eq!(lab.ask(DISCOVER), Reason::Offered);
    lab.event(Event::SendFailed(index(1), 105));
    assert_eq!(lab.notices(), [Notice::SendFailed { tap: name("tap0"), errno: 105 }]);
    let stats = lab.engine.status()[0].stats;
    assert_eq!((stats.answered, stats.send_failed, stats.packets()), (1, 1, 1), "a frame is no packet");
    let history: Vec<_> = stats.history.iter().map(|exchange| (exchange.reason, exchange.times)).collect();
    assert_eq!(history, [(Reason::SendFailed, 1), (Reason::Offered, 1)]);
    lab.event(Event::SendFailed(index(77), 6));
    assert!(lab.notices().is_empty());
}
