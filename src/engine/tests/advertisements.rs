//! What a guest is told of routers when it asks, and what follows from that for what it is told unasked.

use super::*;
use crate::engine::slot::ABSENCE;

fn router_solicitation() -> Vec<u8> {
    icmpv6("fe80::1", "ff02::2", &[133, 0, 0, 0, 0, 0, 0, 0])
}

/// The router lifetimes of what a guest is told whose file goes before anything was announced.
fn last_words(lab: &mut Lab) -> Vec<u16> {
    lab.event(Event::BindingRemoved(name("tap0")));
    lab.drain(START + ABSENCE).iter().map(|(_, frame)| router_lifetime(frame)).collect()
}

#[test]
fn what_a_guest_was_told_because_it_asked_is_taken_back() {
    let mut lab = Lab::routed();
    assert_eq!(lab.packet(&router_solicitation()).reason, Reason::RouterAdvertised);
    assert_eq!(last_words(&mut lab), [0]);
    assert!(lab.engine.poll_timeout().is_none() && lab.engine.status().is_empty());
}

#[test]
fn what_was_not_sent_is_not_taken_back() {
    let mut lab = Lab::routed();
    assert_eq!(last_words(&mut lab), [0; 0], "it did not ask");
    let mut config = node();
    (config.general.rate_limit, config.general.rate_burst) = (per_second(1), 1);
    let mut lab = Lab::routed();
    lab.event(Event::ConfigChanged(Arc::new(config)));
    assert_eq!(lab.ask(DISCOVER), Reason::Offered);
    assert_eq!(lab.packet(&router_solicitation()).reason, Reason::RateLimited);
    assert_eq!(last_words(&mut lab), [0; 0], "it asked too often");
}
