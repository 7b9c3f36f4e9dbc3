//! What the tools of netfilter list, to the end of what is said about it.

use std::fmt::Display;

use nfdhcpd::rules::{Installed, Kind, Limits, Listings, Origin, Pattern, Rules, Taps, Way, way};

use crate::fixtures;

/// A listing of nft or of iptables-save: rules of anybody, which must not end the program.
pub fn listings(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let of_nft = Listings { nft: Some(text.to_owned()), ..Listings::default() };
    match Installed::read(&of_nft) {
        Ok(installed) => look(&installed),
        Err(error) => check(&error),
    }
    let texts = vec![text.to_owned()];
    let (iptables, ip6tables) = (texts.clone(), texts);
    let of_iptables = Listings { nft: None, iptables, ip6tables, calls_iptables: true, calls_ip6tables: true };
    look(&Installed::read(&of_iptables).expect("only what nft says can be wrong"));
}

/// Asks for all that is asked of it.
fn look(installed: &Installed) {
    let taps = Taps { routed: vec![pattern("tap0")], bridged: vec![pattern("tap+")], by_bridge: vec![pattern("br0")] };
    let rules = Rules::new(&fixtures::config(), taps, Some(Limits::default()), vec![Kind::Dhcp]).guarded(Vec::new());
    rules.findings(installed, None).iter().for_each(check);
    let port = Origin::Port { taps: pattern("tap1"), bridge: Some(pattern("br0")) };
    for origin in [Origin::Routed(pattern("tap0")), port] {
        for kind in Kind::ALL {
            match way(installed, &origin, kind) {
                Way::Queue(diverted) | Way::OfSome(diverted) => check(&diverted.rule),
                Way::Rest(diverted, taker) => {
                    check(&diverted.rule);
                    check(&taker.rule);
                }
                Way::Unclear(rule) | Way::Dropped(rule) => check(&rule),
                Way::Passes => {}
            }
        }
    }
}

/// A rule may be as long as its maker likes, but is told on one line.
fn check(message: &impl Display) {
    let line = message.to_string();
    assert!(!line.contains(char::is_control), "{line:?}");
}

fn pattern(text: &str) -> Pattern {
    text.parse().expect("a pattern")
}
