//! A rehearsal is what would happen, and nothing happens by it.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::binding;
use crate::binding::IfIndex;
use crate::config::{self, Config};
use crate::engine::Event;
use crate::engine::testing::{GUEST, OTHER, ROUTER};
use crate::wire::MacAddr;

const NOW: Duration = Duration::from_secs(1000);
const TAP: u32 = 1;
const BRIDGE: u32 = 9;

/// Nodes: what is served, and how.
const NODES: &[&str] = &[
    "[dhcp]\nserver_ip=192.0.2.254\nnameservers=192.0.2.53\n[ipv6]\nrs_queue=43\nns_queue=44\n",
    "[dhcp]\nserver_ip=192.0.2.254\ndomain_search=example.com\noption_252=text:x\n\
     [ipv6]\nrs_queue=43\nns_queue=44\ndhcpv6_queue=45\nnameservers=2001:db8::53\ndomains=example.com\n",
    "[dhcp]\nserver_on_link=yes\nrapid_commit=yes\n[ipv6]\nrs_queue=43\nns_queue=44\ndhcpv6_queue=45\nmode=dhcpv6\n",
    "[dhcp]\nserver_ip=192.0.2.254\n[ipv6]\nrs_queue=43\nns_queue=44\ndhcpv6_queue=45\nmode=slaac+stateful\n",
    "[general]\nrate_limit=1\nrate_burst=1\n[dhcp]\nserver_ip=192.0.2.254\n[ipv6]\nenable_ipv6=no\n",
    "[general]\nrouter_mac=02:00:00:00:00:01\n[dhcp]\nenable_dhcp=no\n[ipv6]\nrs_queue=43\ndhcpv6_queue=45\nmode=dhcpv6\n",
];

/// What a file may say besides.
const LINES: &[&str] = &[
    "INDEV=br0",
    "IP=192.0.2.10\nSUBNET=192.0.2.0/24",
    "GATEWAY=192.0.2.1",
    "SUBNET6=2001:db8:1::/64",
    "GATEWAY6=2001:db8:1::1",
    "IP6=2001:db8:1::10",
    "PREFIX6=2001:db8:f::/56",
    "MTU=1400",
    "PRIVATE=yes",
    "MACSPOOF=yes",
    "DOMAIN_SEARCH=example.com, example.net",
    "ROUTES=198.51.100.0/24 via 192.0.2.254",
    "CAPTIVE_PORTAL=https://portal.example.com/api",
];

fn node(text: &str) -> Config {
    config::parse("n.conf".as_ref(), text.as_bytes()).unwrap().config
}

fn tap() -> InterfaceName {
    "tap0".parse().unwrap()
}

fn link(ifindex: u32, name: &str, mac: MacAddr) -> Link {
    Link {
        ifindex: IfIndex::new(ifindex).unwrap(),
        name: name.parse().unwrap(),
        mac: Some(mac),
        mtu: 1500,
        master: None,
        is_bridge: false,
        is_ready: true,
    }
}

/// An engine with the file of tap0, be it good or bad.
fn engine(config: &str, file: &str, links: &[Link]) -> Engine {
    let mut engine = Engine::new(node(config), 7);
    links.iter().for_each(|link| engine.handle_event(NOW, Event::LinkChanged(link.clone())));
    load(&mut engine, "b/tap0", file);
    engine
}

fn load(engine: &mut Engine, path: &str, file: &str) {
    let path = std::path::Path::new(path);
    let event = match binding::parse::parse(path, file.as_bytes()) {
        Ok(parsed) => Event::BindingLoaded(Box::new(parsed.binding)),
        Err(error) => Event::BindingRejected(tap(), error),
    };
    engine.handle_event(NOW, event);
}

fn file(lines: &[&str]) -> String {
    let own = [format!("MAC={GUEST}"), "HOSTNAME=guest1".to_owned()];
    own.iter().map(String::as_str).chain(lines.iter().copied()).map(|line| format!("{line}\n")).collect()
}

fn routed() -> Vec<Link> {
    vec![link(TAP, "tap0", ROUTER)]
}

fn bridged() -> Vec<Link> {
    let bridge = Link { is_bridge: true, ..link(BRIDGE, "br0", ROUTER) };
    vec![bridge, Link { master: IfIndex::new(BRIDGE), ..link(TAP, "tap0", OTHER) }]
}

fn links() -> impl Strategy<Value = Vec<Link>> {
    let small = Link { mtu: 1000, ..link(TAP, "tap0", OTHER) };
    let none = Link { mac: None, ..link(TAP, "tap0", ROUTER) };
    select(vec![routed(), bridged(), vec![small], vec![none], vec![]])
}

fn reasons(explanation: &Explanation) -> Vec<(Inquiry, Reason)> {
    explanation.rehearsals.iter().map(|rehearsal| (rehearsal.inquiry, rehearsal.outcome.reason)).collect()
}

proptest! {
    /// Where the kernel names the port, and where it names the bridge alone.
    #[test]
    fn a_rehearsal_is_what_the_packet_gets(
        config in select(NODES),
        lines in subsequence(LINES, 0..=LINES.len()),
        links in links(),
        names_port: bool,
    ) {
        let mut engine = engine(config, &file(&lines), &links);
        // A guest that sends more than it may is refused. What it would be told otherwise is what is asked here.
        engine.config.general.rate_limit = config::RateLimit::Unlimited;
        let before = format!("{engine:?}");
        let explanation = engine.explain(tap());
        prop_assert_eq!(&format!("{engine:?}"), &before, "a rehearsal leaves a trace");
        let named = explanation.tap.as_ref().map(|link| (link.master.or(Some(link.ifindex)), link.ifindex));
        let Some((indev, port)) = named else { return Ok(()) };
        prop_assert!(explanation.rehearsals.is_empty() || explanation.rehearsals.len() >= 3);
        let is_bridged = lines.contains(&"INDEV=br0") && links.len() == 2;
        for rehearsal in &explanation.rehearsals {
            let ingress = Ingress {
                indev,
                physindev: Some(port).filter(|_| names_port || !is_bridged),
                source_mac: Some(GUEST),
                checksums: Checksums::Verify,
                packet: &rehearsal.request,
            };
            let mut frame = [0; MAX_FRAME];
            let outcome = engine.handle_packet(NOW, &ingress, &mut frame);
            let reply = outcome.reply.map(|transmit| frame[..transmit.len].to_vec());
            prop_assert_eq!(&reply, &rehearsal.reply);
            let claimed = Outcome { delegation: rehearsal.outcome.delegation, ..outcome };
            prop_assert_eq!(claimed, rehearsal.outcome);
        }
    }
}

#[test]
fn every_kind_is_asked_as_the_node_serves_it() {
    let both = file(&["IP=192.0.2.10\nSUBNET=192.0.2.0/24", "SUBNET6=2001:db8:1::/64", "GATEWAY6=2001:db8:1::1"]);
    let four = [(Inquiry::Discover, Reason::Offered), (Inquiry::Request, Reason::Acked)];
    let six = [
        (Inquiry::RouterSolicitation, Reason::RouterAdvertised),
        (Inquiry::NeighborSolicitation, Reason::NeighborAdvertised),
    ];
    for (config, last) in [
        (NODES[0], (Inquiry::InformationRequest, Reason::ServiceDisabled)),
        (NODES[1], (Inquiry::InformationRequest, Reason::Dhcpv6Informed)),
        (NODES[3], (Inquiry::Solicit, Reason::Dhcpv6Advertised)),
    ] {
        let explanation = engine(config, &both, &routed()).explain(tap());
        assert_eq!(reasons(&explanation), [&four[..], &six, &[last]].concat(), "{config}");
    }
}

#[test]
fn what_stands_in_the_way_has_a_reason() {
    let both = file(&["IP=192.0.2.10\nSUBNET=192.0.2.0/24", "SUBNET6=2001:db8:1::/64"]);
    let on_bridge = format!("{both}INDEV=br0\n");
    let tap_alone = vec![link(TAP, "tap0", OTHER)];
    let cases: [(&str, &[Link], [Reason; 3]); 2] = [
        (&on_bridge, &tap_alone, [Reason::Offered, Reason::Acked, Reason::NoIndev]),
        (&file(&["IP=192.0.2.10"]), &routed(), [Reason::Offered, Reason::Acked, Reason::NoIpv6]),
    ];
    for (file, links, expected) in cases {
        let explanation = engine(NODES[1], file, links).explain(tap());
        let found: Vec<Reason> = reasons(&explanation).into_iter().map(|(_, reason)| reason).collect();
        assert_eq!(found[..3], expected, "{file}");
    }
}

#[test]
fn without_a_binding_in_force_and_a_tap_nothing_is_asked() {
    let rejected = engine(NODES[1], "MAC=nonsense\n", &routed()).explain(tap());
    assert!(rejected.rehearsals.is_empty() && rejected.status.unwrap().rejected.is_some());
    let pending = engine(NODES[1], &file(&["IP=192.0.2.10"]), &[]).explain(tap());
    assert!(pending.rehearsals.is_empty() && pending.status.unwrap().binding.is_some());
    let unknown = Engine::new(node(NODES[1]), 7).explain(tap());
    assert!(unknown.rehearsals.is_empty() && unknown.status.is_none() && unknown.tap.is_none());
}

#[test]
fn two_guests_of_one_mac_are_not_told_apart_by_it() {
    let text = file(&["INDEV=br0", "IP=192.0.2.10"]);
    let mut links = bridged();
    links.push(Link { master: IfIndex::new(BRIDGE), ..link(2, "tap1", OTHER) });
    let mut engine = engine(NODES[1], &text, &links);
    assert_eq!(engine.explain(tap()).unclaimed, None);
    load(&mut engine, "b/tap1", &text);
    let explanation = engine.explain(tap());
    assert_eq!(explanation.unclaimed, Some(Reason::AmbiguousSender));
    assert_eq!(explanation.rehearsals[0].outcome.reason, Reason::Offered, "by its port it is known");
    assert_eq!(explanation.master.unwrap().name.to_string(), "br0");
}

#[test]
fn a_guest_whose_file_does_not_name_its_bridge_is_known_by_its_port_alone() {
    for (file, expected) in [
        (file(&["IP=192.0.2.10"]), Some(Reason::UnknownSender)),
        (file(&["IP=192.0.2.10", "INDEV=br1"]), Some(Reason::UnknownSender)),
        (file(&["IP=192.0.2.10", "INDEV=br0"]), None),
    ] {
        assert_eq!(engine(NODES[1], &file, &bridged()).explain(tap()).unclaimed, expected, "{file}");
        assert_eq!(engine(NODES[1], &file, &routed()).explain(tap()).unclaimed, None, "{file}");
    }
}

#[test]
fn a_doubt_is_told() {
    let text = file(&["IP=192.0.2.10\nSUBNET=192.0.2.0/24", "PREFIX6=2001:db8:f::/56"]);
    assert!(!engine(NODES[1], &text, &routed()).explain(tap()).doubts.is_empty());
}
