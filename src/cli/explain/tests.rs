//! What an operator reads, and what follows from what.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use super::node::{Node, Rules};
use super::report::Report;
use crate::binding::parse::parse;
use crate::binding::{IfIndex, InterfaceName};
use crate::config;
use crate::control::{Exchange, Explained, to_pretty};
use crate::engine::{Engine, Event, Link};
use crate::io::nfqueue::Holder;
use crate::queue_list::Listed;
use crate::rules::{Installed, Listings};

const CONFIG: &str = "\
[general]
datapath = /b
[dhcp]
server_ip = 192.0.2.254
[ipv6]
rs_queue = 43
ns_queue = 44
";

const FILE: &str = "\
MAC=aa:00:00:00:00:01
HOSTNAME=guest1
IP=192.0.2.10
SUBNET=192.0.2.0/24
GATEWAY=192.0.2.1
SUBNET6=2001:db8:1::/64
GATEWAY6=2001:db8:1::1
";

/// What is there around a guest on tap0, and what an operator is told of it.
struct Scene {
    config: String,
    file: Option<String>,
    /// Files of other taps.
    others: Vec<(&'static str, String)>,
    links: Vec<Link>,
    node: Node,
    failure: Option<&'static str>,
}

impl Scene {
    /// A guest on a routed tap that is answered.
    fn routed() -> Self {
        let queue = |number| Listed { number, port: 1, waiting: 0, dropped_full: 0, dropped_unread: 0 };
        Self {
            config: CONFIG.to_owned(),
            file: Some(FILE.to_owned()),
            others: Vec::new(),
            links: vec![link(7, "tap0")],
            node: Node {
                queues: Ok([42, 43, 44].map(queue).into()),
                holders: HashMap::new(),
                rules: Ok(rules("tap+")),
            },
            failure: None,
        }
    }

    /// The same on a bridge.
    fn bridged() -> Self {
        let bridge = Link { is_bridge: true, ..link(9, "br0") };
        let tap = Link { master: Some(bridge.ifindex), ..link(7, "tap0") };
        Self {
            file: Some(format!("{FILE}INDEV=br0\n")),
            links: vec![bridge, tap],
            node: Node { rules: Ok(rules("br0")), ..Self::routed().node },
            ..Self::routed()
        }
    }

    fn explained(&self) -> Explained {
        let tap: InterfaceName = "tap0".parse().unwrap();
        let config = config::parse(Path::new("n.conf"), self.config.as_bytes()).unwrap().config;
        let mut engine = Engine::new(config.clone(), 0);
        let mut tell = |event| engine.handle_event(Duration::ZERO, event);
        self.links.iter().cloned().map(Event::LinkChanged).for_each(&mut tell);
        let own = self.file.iter().map(|file| ("tap0", file));
        for (name, file) in own.chain(self.others.iter().map(|(name, file)| (*name, file))) {
            tell(match parse(&Path::new("/b").join(name), file.as_bytes()) {
                Ok(parsed) => Event::BindingLoaded(parsed.binding.into()),
                Err(error) => Event::BindingRejected(name.parse().unwrap(), error),
            });
        }
        Explained::new(Duration::ZERO, tap, &engine.explain(tap), &config)
    }

    fn report(&self) -> Report {
        Report::new(self.explained(), self.failure.map(str::to_owned), &self.node)
    }
}

/// Rules of iptables for what comes in at an interface.
fn rules(interface: &str) -> Rules {
    read(&listings(interface))
}

fn read(listings: &Listings) -> Rules {
    Rules { installed: Installed::read(listings).unwrap(), failures: Vec::new() }
}

fn listings(interface: &str) -> Listings {
    let table = |rules: &[String]| vec![format!("*mangle\n:PREROUTING ACCEPT [0:0]\n{}\nCOMMIT\n", rules.join("\n"))];
    let rule = |what: &str, queue| format!("-A PREROUTING -i {interface} -p {what} -j NFQUEUE --queue-num {queue}");
    let solicitation = |number, queue| rule(&format!("ipv6-icmp -m icmp6 --icmpv6-type {number}"), queue);
    Listings {
        iptables: table(&[rule("udp -m udp --dport 67", 42)]),
        ip6tables: table(&[solicitation(133, 43), solicitation(135, 44), rule("udp -m udp --dport 547", 45)]),
        ..Listings::default()
    }
}

fn link(number: u32, name: &str) -> Link {
    Link {
        ifindex: IfIndex::new(number).unwrap(),
        name: name.parse().unwrap(),
        mac: Some("02:00:00:00:00:01".parse().unwrap()),
        mtu: 1500,
        master: None,
        is_bridge: false,
        is_ready: true,
    }
}

#[test]
fn a_guest_that_is_answered() {
    let report = Scene::routed().report();
    assert!(report.answered);
    let text = report.to_string();
    let head = "\
tap0: answered (DHCP, RA, NA)

ok  binding   /b/tap0
ok  tap       interface 7, up, MAC 02:00:00:00:00:01, MTU 1500
ok  rules     DHCP: to queue 42
ok  rules     RA: to queue 43
ok  rules     NA: to queue 44
ok  queue     42 (DHCP): bound, 0 waiting, 0 dropped
ok  queue     43 (RA): bound, 0 waiting, 0 dropped
ok  queue     44 (NA): bound, 0 waiting, 0 dropped
--  queue     DHCPv6: none in the configuration
ok  spoofing  none seen

tap0: serving (interface 7)
  MAC ";
    assert!(text.starts_with(head), "{text}");
    for words in [
        "\nok  DHCPDISCOVER: answered a DISCOVER with an OFFER\n    Ethernet  ",
        "\nok  DHCPREQUEST: confirmed an address with an ACK\n",
        "\n      your address (yiaddr)      192.0.2.10\n",
        "\n    3 router                     192.0.2.1\n",
        "\nok  Router Solicitation: answered a Router Solicitation\n",
        "\nok  Neighbor Solicitation: answered a Neighbor Solicitation for one of our own\n    addresses\n",
        "\n--  DHCPv6 Information-Request: the configuration does not have this kind of\n",
    ] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

/// What a scene is told as: the summary, and a finding.
#[track_caller]
fn expect(scene: Scene, summary: &str, finding: &str) {
    let report = scene.report();
    let text = report.to_string();
    assert!(text.starts_with(&format!("tap0: {summary}")), "{summary} is not first in\n{text}");
    assert!(text.contains(&format!("\n{finding}")), "{finding} is not in\n{text}");
    assert_eq!(report.answered, summary.starts_with("answered") && !summary.contains(" if "), "{summary}");
}

#[test]
fn what_is_wrong_with_file_and_links() {
    let node = Scene::routed().node;
    let twin = ("tap1", format!("{FILE}INDEV=br0\n"));
    let port = Link { master: IfIndex::new(9), ..link(8, "tap1") };
    let down = Link { is_ready: false, ..link(7, "tap0") };
    expect(
        Scene { file: None, ..Scene::routed() },
        "gets no DHCP, RA, NA: it has no binding file",
        "!!  binding   there is no file /b/tap0",
    );
    expect(
        Scene { file: Some("MAC=x\n".to_owned()), ..Scene::routed() },
        "gets no DHCP, RA, NA: its binding file is rejected",
        "!!  binding   /b/tap0:1: MAC=\"x\": ",
    );
    expect(
        Scene { links: vec![], ..Scene::routed() },
        "gets no DHCP, RA, NA: there is no such interface",
        "!!  tap       there is no interface of this name",
    );
    expect(
        Scene { links: vec![down], ..Scene::routed() },
        "gets no DHCP, RA, NA: the tap is down, or nobody is at its other end",
        "!!  tap       interface 7, not up, or nobody is at its other end, ",
    );
    expect(
        Scene { links: Scene::bridged().links.split_off(1), node: node.clone(), ..Scene::bridged() },
        "gets no RA, NA: the interface of `INDEV` is not there",
        "!!  INDEV     br0: there is no interface of this name",
    );
    expect(
        Scene { links: vec![link(9, "br0"), link(7, "tap0")], node: node.clone(), ..Scene::bridged() },
        "answered (DHCP, RA, NA)",
        "!   INDEV     br0: interface 9, up, MAC 02:00:00:00:00:01, MTU 1500; the tap is\n              no port of it",
    );
    expect(
        Scene::bridged(),
        "answered (DHCP, RA, NA)",
        "ok  sender    without br_netfilter iptables sees br0 and not the port: the guest\n              is known by its MAC",
    );
    expect(
        Scene { links: [Scene::bridged().links, vec![port]].concat(), others: vec![twin], ..Scene::bridged() },
        "gets no DHCP, RA, NA: two bindings",
        "!!  sender    without br_netfilter iptables sees br0 and not the port, where the\n              guest is not known: two bindings",
    );
    expect(
        Scene { file: Some(FILE.to_owned()), ..Scene::bridged() },
        "gets no DHCP, RA, NA: no binding claims this sender on this bridge",
        "!!  sender    without br_netfilter iptables sees br0 and not the port, where the\n              guest is not known: no binding claims this sender on this bridge;\n              INDEV must be br0",
    );
}

/// By a bridge it is named alone where IP diverts what br_netfilter does not show, and its port elsewhere.
#[test]
fn who_is_named_is_who_the_rules_name() {
    let port = Link { master: IfIndex::new(9), ..link(8, "tap1") };
    let twins = || Scene {
        links: [Scene::bridged().links, vec![port.clone()]].concat(),
        others: vec![("tap1", format!("{FILE}INDEV=br0\n"))],
        ..Scene::bridged()
    };
    let shown = |shown: fn(&mut Listings)| {
        let mut listings = listings("br0");
        shown(&mut listings);
        Node { rules: Ok(read(&listings)), ..Scene::routed().node }
    };
    expect(
        Scene { node: shown(|node| (node.calls_iptables, node.calls_ip6tables) = (true, true)), ..twins() },
        "answered (DHCP, RA, NA)",
        "ok  sender    known by its port, which the kernel names with these rules\n",
    );
    let scene = Scene { node: shown(|node| node.calls_ip6tables = true), ..twins() };
    expect(scene, "gets no DHCP: two bindings", "!!  sender    without br_netfilter iptables sees br0");

    let ports = Node { rules: Ok(read(&listings("eth0 -m physdev --physdev-in tap+"))), ..Scene::routed().node };
    expect(
        Scene { node: ports, ..twins() },
        "gets no DHCP, RA, NA: no rule",
        "!!  rules     DHCP: no rule diverts it to queue 42\n",
    );
    let ports = "br0 -m physdev --physdev-in tap+";
    let node = Node { rules: Ok(read(&listings(ports))), ..Scene::routed().node };
    expect(
        Scene { node, ..twins() },
        "gets no DHCP: bridge-nf-call-iptables is 0; no RA, NA:\nbridge-nf-call-ip6tables is 0\n",
        "!!  rules     DHCP: bridge-nf-call-iptables is 0, and the rules match by\n              physdev: it has to be 1\n",
    );

    let text = twins().report().to_string();
    assert!(text.contains("\n!!  DHCPDISCOVER: two bindings") && !text.contains("OFFER"), "{text}");
    assert!(!text.contains("DHCPREQUEST"), "{text}");
}

#[test]
fn what_is_wrong_on_the_way() {
    let node = Scene::routed().node;
    let unbound = Node { queues: Ok(node.queues.clone().unwrap().split_off(1)), ..node.clone() };
    let unread = Node { queues: Err("nobody may".to_owned()), ..node.clone() };
    let holder = |name: &str| HashMap::from([(42, Holder { process: 7, name: name.to_owned() })]);
    let [taken, kept] = ["python3", "systemd"].map(|name| Node { holders: holder(name), ..node.clone() });
    let unruled = Node { rules: Ok(rules("vnet+")), ..node.clone() };
    let unknown = Node { rules: Err("root alone may".to_owned()), ..node.clone() };
    let failed = Rules { failures: vec!["nft: killed".to_owned()], ..rules("tap+") };
    let failed = Node { rules: Ok(failed), ..node };
    expect(
        Scene { node: unbound, ..Scene::routed() },
        "gets no DHCP: no program has bound its queue",
        "!!  queue     42 (DHCP): no program has bound it",
    );
    expect(
        Scene { node: taken, failure: Some("nobody"), ..Scene::routed() },
        "gets no DHCP, RA, NA: no daemon can be asked",
        "!!  queue     42 (DHCP): bound by process 7 (python3), which is no nfdhcpd",
    );
    expect(
        Scene { node: kept, failure: Some("nobody"), ..Scene::routed() },
        "gets no DHCP, RA, NA: no daemon can be asked",
        "ok  queue     42 (DHCP): bound, 0 ",
    );
    expect(
        Scene { node: unread, ..Scene::routed() },
        "answered (DHCP, RA, NA)",
        "!   queue     whether queues are bound is not known: nobody may",
    );
    expect(
        Scene { node: unruled, ..Scene::routed() },
        "gets no DHCP, RA, NA: no rule diverts it to its queue",
        "!!  rules     DHCP: no rule diverts it to queue 42\n",
    );
    expect(
        Scene { node: unknown, ..Scene::routed() },
        "answered (DHCP, RA, NA), if the rules are right: they could not be read\n",
        "!   rules     root alone may\n",
    );
    expect(
        Scene { node: failed, ..Scene::routed() },
        "answered (DHCP, RA, NA), if the rules are right: not all of them could be\n",
        "!   rules     nft: killed\n",
    );
}

/// Rules before the one that diverts what a guest asks first.
#[test]
fn what_may_be_lost_before_its_queue_is_told_at_once() {
    let scene = |before: &str| {
        let mut listings = listings("tap+");
        let raw = format!("*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING {before} -j DROP\nCOMMIT\n");
        listings.iptables.push(raw);
        Scene { node: Node { rules: Ok(read(&listings)), ..Scene::routed().node }, ..Scene::routed() }
    };
    expect(
        scene("-m mark --mark 0x1"),
        "answered (DHCP, RA, NA), if the rules are right: not all are understood\n",
        "!   rules     DHCP: it cannot be told whether this keeps it from queue 42: table\n",
    );
    expect(scene("-s 0.0.0.0/32"), "gets no DHCP: rules drop it", "!!  rules     DHCP: dropped on its way to queue 42");
    expect(scene("-s 198.51.100.0/24"), "answered (DHCP, RA, NA)\n", "ok  rules     DHCP: to queue 42\n");
}

#[test]
fn what_is_not_configured_is_not_missed() {
    let node = Scene::routed().node;
    let unbound = Node { queues: Ok(node.queues.clone().unwrap().split_off(1)), ..node };
    let ipv6_only = FILE.replace("IP=192.0.2.10\nSUBNET=192.0.2.0/24\nGATEWAY=192.0.2.1\n", "");
    let with_dhcpv6 = format!("{CONFIG}dhcpv6_queue = 45\n");
    expect(
        Scene { file: Some(ipv6_only.clone()), ..Scene::routed() },
        "answered (RA, NA)",
        "--  DHCPDISCOVER: the binding has no IPv4 address",
    );
    expect(
        Scene { file: Some(ipv6_only), node: unbound, ..Scene::routed() },
        "answered (RA, NA)",
        "ok  rules     RA: to queue 43\nok  rules     NA: to queue 44\n!   queue     42 (DHCP): no program",
    );
    expect(
        Scene { config: with_dhcpv6, ..Scene::routed() },
        "gets no DHCPv6: no program has bound its queue",
        "ok  DHCPv6 Information-Request: answered",
    );
    expect(
        Scene { file: Some(FILE.lines().take(2).collect::<Vec<_>>().join("\n")), ..Scene::routed() },
        "gets nothing: nothing is configured for it",
        "--  Router Solicitation: the binding has no IPv6 prefix",
    );
    expect(
        Scene { failure: Some("/run/s: nobody"), ..Scene::routed() },
        "gets no DHCP, RA, NA: no daemon can be asked",
        "!!  daemon    /run/s: nobody; what follows is what one would do that starts now",
    );
}

#[test]
fn a_rejected_file_leaves_the_last_good_one() {
    let mut explained = Scene::routed().explained();
    explained.tap.as_mut().unwrap().rejected = Some("b/tap0:3: bad".to_owned());
    let report = Report::new(explained, None, &Scene::routed().node);
    let finding = "!   binding   b/tap0:3: bad; the last good one is still in force\n";
    assert!(report.answered && report.to_string().contains(finding), "{report}");
}

#[test]
fn a_directory_that_is_gone_is_told() {
    let mut explained = Scene { file: None, ..Scene::routed() }.explained();
    explained.datapath_gone = Some("/b: No such file or directory".to_owned());
    let report = Report::new(explained, None, &Scene::routed().node);
    assert_eq!(report.summary, "gets no DHCP, RA, NA: the directory of bindings is gone");
    let finding = "\n!!  binding   the directory of bindings is gone: /b: No such file or directory\n";
    assert!(report.to_string().contains(finding), "{report}");
}

/// A daemon may be of another version, or another program.
#[test]
fn words_of_a_daemon_obey_no_terminal() {
    let mut explained = Scene::routed().explained();
    for rehearsed in &mut explained.rehearsals {
        (rehearsed.outcome, rehearsed.reply) = ("\u{1b}[2J\u{7}odd".to_owned(), None);
    }
    let report = Report::new(explained, None, &Scene::routed().node);
    assert_eq!(report.summary, "gets no DHCP, RA, NA: \\u{1b}[2J\\u{7}odd");
    assert!(!report.to_string().contains(['\u{1b}', '\u{7}']), "{report}");
}

#[test]
fn spoofing_is_told() {
    let mut explained = Scene::routed().explained();
    let spoofed = &mut explained.tap.as_mut().unwrap().packets.spoofed;
    (spoofed.count, spoofed.last_mac) = (3, Some("aa:00:00:00:00:99".to_owned()));
    let report = Report::new(explained.clone(), None, &Scene::routed().node);
    let finding =
        "spoofing  3 packets with another MAC were refused, the last one with\n              aa:00:00:00:00:99\n";
    assert!(report.answered && report.to_string().contains(&format!("\n!   {finding}")), "{report}");

    explained.tap.as_mut().unwrap().packets.exchanges = vec![newest("spoofed_message")];
    let report = Report::new(explained, None, &Scene::routed().node);
    assert!(!report.answered && report.to_string().contains(&format!("\n!!  {finding}")), "{report}");
    let summary =
        "gets no DHCP, RA, NA: its packets are refused as spoofed: they come from aa:00:00:00:00:99, which is ";
    assert!(report.summary.starts_with(summary), "{report}");
}

#[test]
fn a_guest_that_asks_too_often_is_told() {
    let mut explained = Scene::routed().explained();
    explained.tap.as_mut().unwrap().packets.exchanges = vec![newest("rate_limited"), newest("dhcpv4_ack")];
    let report = Report::new(explained, None, &Scene::routed().node);
    let finding = "\n!   rate      its last packets: more packets than `rate_limit";
    assert!(report.answered && report.to_string().contains(finding), "{report}");
}

fn newest(outcome: &str) -> Exchange {
    Exchange { outcome: outcome.to_owned(), times: 1, seconds_ago: 0 }
}

#[test]
fn a_doubt_is_told() {
    let scene = Scene { file: Some(format!("{FILE}PREFIX6=2001:db8:f::/56\n")), ..Scene::routed() };
    assert!(scene.report().to_string().contains("\n!   doubt     /b/tap0:8: PREFIX6"), "{}", scene.report());
}

/// The names of the fields are other programs' business too.
#[test]
fn the_same_as_json() {
    let report: serde_json::Value = serde_json::from_str(&to_pretty(&Scene::routed().report())).unwrap();
    let keys: Vec<_> = report.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["answered", "answers", "explained", "findings", "summary"]);
    assert_eq!(report["answered"], true);
    assert_eq!(report["findings"][0], serde_json::json!({"mark": "ok", "about": "binding", "text": "/b/tap0"}));
    let answer = &report["answers"][1];
    assert_eq!((&answer["inquiry"], &answer["outcome"]), (&"request".into(), &"dhcpv4_ack".into()));
    let router = serde_json::json!({"code": 3, "name": "router", "value": "192.0.2.1"});
    let message = answer["reply"].as_array().unwrap().last().unwrap();
    assert!(message["inside"].as_array().unwrap().contains(&router), "{message}");
    assert_eq!(report["explained"]["rehearsals"][1]["kind"], "dhcp");
}
