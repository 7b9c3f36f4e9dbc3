//! Changes that are about many taps: worked out a few at a time.

use super::*;
use crate::engine::announcer::{self, INTERVAL};
use crate::engine::renewal::AT_ONCE;

/// So many that their turns take some rounds.
const TAPS: usize = 3 * AT_ONCE + 1;

/// Guests on ports of br0.
fn crowd() -> Lab {
    let mut lab = Lab::empty();
    lab.event(Event::LinkChanged(bridge(ROUTER)));
    for number in (0..).take(TAPS) {
        let tap = name(&format!("tap{number}"));
        let link = link(10 + number, tap.as_str(), OTHER);
        lab.event(Event::LinkChanged(Link { master: Some(index(9)), ..link }));
        lab.event(Event::BindingLoaded(Box::new(Binding { tap, indev: name("br0"), ..dual_stack() })));
    }
    lab.drain(START);
    while lab.engine.poll_notice().is_some() {}
    lab
}

fn bridge(mac: MacAddr) -> Link {
    Link { is_bridge: true, ..link(9, "br0", mac) }
}

fn without_ipv6() -> Event {
    Event::ConfigChanged(Arc::new(Config { ipv6: None, ..node() }))
}

/// Guests on routed taps, who are to be announced on eth0, which is not there yet.
fn unannounced() -> Lab {
    let mut lab = Lab::empty();
    let mut config = node();
    config.general.announce_on = Some(name("eth0"));
    lab.event(Event::ConfigChanged(Arc::new(config)));
    for number in (0..).take(TAPS) {
        let tap = name(&format!("tap{number}"));
        lab.event(Event::LinkChanged(link(10 + number, tap.as_str(), ROUTER)));
        lab.event(Event::BindingLoaded(Box::new(Binding { tap, indev: tap, ..dual_stack() })));
    }
    lab
}

fn uplink() -> Event {
    Event::LinkChanged(link(9, "eth0", OTHER))
}

/// How many taps are as `is_new` says after each round of renewal, until all had their turn.
fn progress(lab: &mut Lab, is_new: impl Fn(&Serving) -> bool) -> Vec<usize> {
    progress_of_slots(lab, |slot| slot.serving.as_ref().is_some_and(&is_new))
}

fn progress_of_slots(lab: &mut Lab, is_new: impl Fn(&Slot) -> bool) -> Vec<usize> {
    let count = |lab: &Lab| lab.engine.table.slots().filter(|(_, slot)| is_new(slot)).count();
    let mut counts = vec![count(lab)];
    while lab.engine.poll_timeout() == Some(Now::ZERO) {
        lab.engine.handle_timeout(START);
        counts.push(count(lab));
    }
    counts
}

/// A few more in each round.
const ROUNDS: [usize; 5] = [0, AT_ONCE, 2 * AT_ONCE, 3 * AT_ONCE, TAPS];

#[test]
fn a_configuration_comes_into_force_a_few_taps_at_a_time() {
    let mut lab = crowd();
    lab.event(without_ipv6());
    assert_eq!(progress(&mut lab, |serving| serving.advertised.is_none()), ROUNDS);
}

#[test]
fn a_bridge_that_changes_is_news_for_a_few_taps_at_a_time() {
    let mut lab = crowd();
    lab.event(Event::LinkChanged(bridge(GUEST)));
    assert!(matches!(lab.engine.poll_notice(), Some(Notice::BridgeMacChanged { .. })));
    assert_eq!(progress(&mut lab, |serving| serving.router == Ok(GUEST)), ROUNDS);
    lab.event(Event::LinkGone(index(9)));
    assert_eq!(progress(&mut lab, |serving| serving.router.is_err()), ROUNDS);
}

#[test]
fn an_uplink_that_comes_or_goes_is_news_for_a_few_taps_at_a_time() {
    let mut lab = unannounced();
    lab.event(uplink());
    assert_eq!(progress_of_slots(&mut lab, |slot| !slot.announcer.is_waiting()), ROUNDS);
    lab.event(Event::LinkGone(index(9)));
    assert_eq!(progress_of_slots(&mut lab, |slot| slot.announcer.is_waiting()), ROUNDS);
}

/// Announcements that are due before the tap's turn to hear of it wait for the uplink as well.
#[test]
fn an_uplink_that_goes_takes_no_announcement_with_it() {
    let mut lab = unannounced();
    lab.event(uplink());
    lab.engine.settle(START);
    lab.event(Event::LinkGone(index(9)));
    while lab.engine.poll_transmit(START, &mut [0; MAX_FRAME]).is_some() {}
    lab.event(uplink());
    lab.engine.settle(START);
    let (mut now, mut announced) = (START, 0);
    while let Some(next) = lab.engine.poll_timeout().filter(|next| *next < START + INTERVAL * 2) {
        now = now.max(next);
        announced += lab.drain(now).iter().filter(|(ifindex, _)| *ifindex == 9).count();
    }
    let addresses = 2;
    assert_eq!(announced, TAPS * addresses * usize::from(announcer::ROUNDS));
}

#[test]
fn what_changes_again_before_its_turn_has_one_turn() {
    let mut lab = crowd();
    for _ in 0..3 {
        lab.event(Event::LinkChanged(bridge(GUEST)));
        lab.event(Event::LinkChanged(bridge(ROUTER)));
        lab.event(without_ipv6());
    }
    assert!(progress(&mut lab, |serving| serving.advertised.is_none()).len() <= 2 * ROUNDS.len());
}

#[test]
fn a_tap_may_go_or_change_before_its_turn() {
    let mut lab = crowd();
    lab.event(without_ipv6());
    lab.event(Event::BindingRemoved(name("tap0")));
    lab.event(Event::BindingLoaded(Box::new(Binding { tap: name("tap1"), ..dual_stack() })));
    lab.event(Event::LinkGone(index(12)));
    let is_new = |serving: &Serving| serving.advertised.is_none();
    assert_eq!(progress(&mut lab, is_new).last(), Some(&(TAPS - 1)));
    assert!(lab.engine.status_of(name("tap0")).is_none());
}

#[test]
fn a_bad_file_stays_bad_whatever_the_configuration_says() {
    let mut lab = crowd();
    let error = BindingError { path: "b/tap0".into(), line: None, key: None, found: None, reason: "bad".to_owned() };
    lab.event(Event::BindingRejected(name("tap0"), error.clone()));
    lab.event(without_ipv6());
    assert_eq!(progress(&mut lab, |serving| serving.advertised.is_none()), ROUNDS);
    assert_eq!(lab.engine.status_of(name("tap0")).unwrap().rejected, Some(error));
}
