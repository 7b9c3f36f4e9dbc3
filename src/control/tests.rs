//! What an answer says of a tap.

use std::path::Path;
use std::time::Duration;

use super::{Answer, Node, State, Tap, from_line, to_line};
use crate::binding::parse::parse;
use crate::binding::{BindingError, IfIndex, known_keys};
use crate::config::{self, Config};
use crate::engine::slot::Stats;
use crate::engine::{Reason, Status};

const NOW: Duration = Duration::from_secs(100);

const LEAST: &str = "MAC=aa:00:00:00:00:01\nHOSTNAME=guest1\n";

/// Everything that a file can say. Two kinds of boot file stand for all.
const EVERYTHING: &str = "\
MAC=aa:00:00:00:00:01
HOSTNAME=guest1.example.com
INDEV=br0
IP=192.0.2.10
SUBNET=192.0.2.0/24
GATEWAY=192.0.2.1
SUBNET6=2001:db8:1::/64, 2001:db8:2::/64
GATEWAY6=2001:db8:1::1
EUI64=2001:db8:1::a800:ff:fe00:1
IP6=2001:db8:1::10
PREFIX6=2001:db8:f::/56
MTU=1400
PRIVATE=yes
MACSPOOF=yes
TAGS=a \u{1b}[2J
NAMESERVERS=192.0.2.53 192.0.2.54
NAMESERVERS6=2001:db8::53
DOMAIN=example.com
DOMAIN_SEARCH=example.com
NTP=192.0.2.123, 2001:db8::123, ntp.example.com
ROUTES=198.51.100.0/24 via 192.0.2.254
ROUTES6=2001:db8:f000::/36 low
LEASE_LIFETIME=600
NEXT_SERVER=192.0.2.69
TFTP_SERVER=tftp.example.com
BOOTFILE=pxelinux.0
BOOTFILE_IPXE_EFI64=http://boot/script
V6ONLY_WAIT=1800
PREF64=64:ff9b::/96
CAPTIVE_PORTAL=https://portal.example.com/api
OPTION_252=text:ab
COLOUR=blue
";

/// What a node can say in place of all of that.
const NODE: &str = "\
[dhcp]
server_ip = 192.0.2.1
nameservers = 192.0.2.1
domain = example.net
domain_search = example.net
ntp = 192.0.2.2
routes = 169.254.169.254/32 via 0.0.0.0
next_server = 192.0.2.3
tftp_server = tftp
bootfile_efi64 = boot.efi
v6only_wait = 300
captive_portal = https://four.example
option_252 = hex:0a
option_43 = hex:0b
[ipv6]
rs_queue = 43
ns_queue = 44
dhcpv6_queue = 45
nameservers = 2001:db8::1
domains = example.org
ntp = 2001:db8::2
routes = 2001:db8::/32
pref64 = 64:ff9b::/96
captive_portal = https://six.example
";

fn config(text: &str) -> Config {
    config::parse(Path::new("n.conf"), text.as_bytes()).unwrap().config
}

fn status(file: &str) -> Status {
    let parsed = parse(Path::new("b/tap0"), file.as_bytes()).unwrap();
    Status {
        tap: parsed.binding.tap,
        ifindex: IfIndex::new(7),
        binding: Some(parsed.binding.into()),
        rejected: None,
        delegated_via: None,
        stats: Stats::default(),
    }
}

fn settings(file: &str, node: &str) -> Vec<String> {
    let tap = Tap::new(NOW, &status(file), &config(node));
    tap.binding.unwrap().settings.into_iter().map(|(key, value)| format!("{key}={value}")).collect()
}

/// The names of the fields are other programs' business too.
#[test]
fn a_tap_has_these_fields() {
    let mut status = status(EVERYTHING);
    status.delegated_via = Some("fe80::1234".parse().unwrap());
    let stats = &mut status.stats;
    *stats = Stats { answered: 3, refused: 2, accepted: 1, send_failed: 4, spoofed: 2, ..Stats::default() };
    stats.last_foreign = Some("aa:00:00:00:00:02".parse().unwrap());
    for (seconds, reason) in [(93, Reason::Offered), (94, Reason::Acked), (95, Reason::Acked)] {
        stats.history.push(Duration::from_secs(seconds), reason);
    }
    let tap = Tap::new(NOW, &status, &config(NODE));
    let expected = concat!(
        r#"{"tap":{"tap":"tap0","state":"serving","ifindex":7,"rejected":null,"binding":"#,
        r#"{"mac":"aa:00:00:00:00:01","hostname":"guest1.example.com","indev":"br0","#,
        r#""ipv4":{"address":"192.0.2.10","subnet":"192.0.2.0/24","gateway":"192.0.2.1"},"#,
        r#""ipv6":{"subnets":["2001:db8:1::/64","2001:db8:2::/64"],"gateway":"2001:db8:1::1","#,
        r#""eui64":"2001:db8:1:0:a800:ff:fe00:1","leased":"2001:db8:1::10"},"#,
        r#""delegated":{"prefix":"2001:db8:f::/56","via":"fe80::1234","dev":"br0","#,
        r#""route":"2001:db8:f::/56 via fe80::1234 dev br0"},"#,
        r#""settings":{"BOOTFILE":"pxelinux.0","BOOTFILE_IPXE_EFI64":"http://boot/script","#,
        r#""CAPTIVE_PORTAL":"https://portal.example.com/api","DOMAIN":"example.com","DOMAIN_SEARCH":"example.com","#,
        r#""LEASE_LIFETIME":"600","MACSPOOF":"yes","MTU":"1400","NAMESERVERS":"192.0.2.53, 192.0.2.54","#,
        r#""NAMESERVERS6":"2001:db8::53","NEXT_SERVER":"192.0.2.69","#,
        r#""NTP":"192.0.2.123, 2001:db8::123, ntp.example.com","OPTION_252":"hex:6162","PREF64":"64:ff9b::/96","#,
        r#""PRIVATE":"yes","ROUTES":"198.51.100.0/24 via 192.0.2.254","ROUTES6":"2001:db8:f000::/36 low","#,
        r#""TAGS":"a \u001b[2J","TFTP_SERVER":"tftp.example.com","V6ONLY_WAIT":"1800","dhcp.option_43":"hex:0b"},"#,
        r#""unknown":{"COLOUR":"blue"}},"packets":{"answered":3,"refused":2,"accepted":1,"send_failed":4,"#,
        r#""last":{"outcome":"dhcpv4_ack","seconds_ago":5},"#,
        r#""exchanges":[{"outcome":"dhcpv4_ack","times":2,"seconds_ago":5},"#,
        r#"{"outcome":"dhcpv4_offer","times":1,"seconds_ago":7}],"#,
        r#""spoofed":{"count":2,"last_mac":"aa:00:00:00:00:02"}}}}"#,
        "\n"
    );
    let line = to_line(&Answer::Tap(Box::new(tap.clone())));
    assert_eq!(line, expected);
    assert_eq!(from_line::<Answer>(line.as_bytes()).unwrap(), Answer::Tap(Box::new(tap)));
}

#[test]
fn nothing_that_a_file_says_is_left_out() {
    /// These have fields of their own.
    const APART: &[&str] =
        &["MAC", "HOSTNAME", "INDEV", "IP", "SUBNET", "GATEWAY", "SUBNET6", "GATEWAY6", "EUI64", "IP6", "PREFIX6"];
    let settings = settings(EVERYTHING, NODE);
    for key in known_keys().filter(|key| !APART.contains(key)) {
        assert!(settings.iter().any(|setting| setting.starts_with(key)), "{key} is not in {settings:?}");
    }
}

#[test]
fn what_a_binding_leaves_open_is_the_configurations() {
    let both = format!("{LEAST}IP=192.0.2.10\nSUBNET6=2001:db8:1::/64\n");
    assert_eq!(
        settings(&both, NODE),
        [
            "dhcp.bootfile_efi64=boot.efi",
            "dhcp.captive_portal=https://four.example",
            "dhcp.domain=example.net",
            "dhcp.domain_search=example.net",
            "dhcp.lease_lifetime=604800",
            "dhcp.nameservers=192.0.2.1",
            "dhcp.next_server=192.0.2.3",
            "dhcp.ntp=192.0.2.2",
            "dhcp.option_252=hex:0a",
            "dhcp.option_43=hex:0b",
            "dhcp.routes=169.254.169.254/32 via 0.0.0.0",
            "dhcp.tftp_server=tftp",
            "dhcp.v6only_wait=300",
            "ipv6.captive_portal=https://six.example",
            "ipv6.domains=example.org",
            "ipv6.nameservers=2001:db8::1",
            "ipv6.ntp=2001:db8::2",
            "ipv6.pref64=64:ff9b::/96",
            "ipv6.routes=2001:db8::/32",
        ]
    );
    let has = |settings: &[String], section: &str| settings.iter().any(|setting| setting.starts_with(section));
    let ipv4 = settings(&format!("{LEAST}IP=192.0.2.10\n"), NODE);
    assert!(has(&ipv4, "dhcp.") && !has(&ipv4, "ipv6."), "{ipv4:?}");
    let disabled = settings(&both, "[dhcp]\nserver_ip = 192.0.2.1\n[ipv6]\nenable_ipv6 = no\n");
    assert!(has(&disabled, "dhcp.") && !has(&disabled, "ipv6."), "{disabled:?}");
}

/// A binding's time servers take the place of the node's of the same kind.
#[test]
fn time_servers_of_one_kind_leave_the_other_to_the_configuration() {
    let file = format!("{LEAST}IP=192.0.2.10\nSUBNET6=2001:db8:1::/64\nNTP=");
    for (own, expected) in [
        ("192.0.2.123", ["NTP=192.0.2.123", "ipv6.ntp=2001:db8::2"]),
        ("ntp.example.com", ["NTP=ntp.example.com", "dhcp.ntp=192.0.2.2"]),
    ] {
        let settings = settings(&format!("{file}{own}\n"), NODE);
        let found: Vec<_> = settings.iter().filter(|setting| setting.to_lowercase().contains("ntp=")).collect();
        assert_eq!(found, expected.iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_prefix_has_a_route_when_its_guest_asked_for_it() {
    let file = format!("{LEAST}PREFIX6=2001:db8:f::/56\n");
    let delegated = |via: Option<&str>| {
        let status = Status { delegated_via: via.map(|via| via.parse().unwrap()), ..status(&file) };
        Tap::new(NOW, &status, &config(NODE)).binding.unwrap().delegated.unwrap()
    };
    assert_eq!(delegated(None).route, None);
    assert_eq!(delegated(Some("fe80::1")).route.as_deref(), Some("2001:db8:f::/56 via fe80::1 dev tap0"));
}

#[test]
fn a_state_says_whether_the_guest_is_answered() {
    let error = BindingError { path: "b/tap0".into(), line: Some(3), key: None, found: None, reason: "bad".into() };
    let rejected = Some("b/tap0:3: bad".to_owned());
    let good = status(LEAST);
    for (status, state, reason) in [
        (good.clone(), State::Serving, None),
        (Status { ifindex: None, ..good.clone() }, State::Pending, None),
        (Status { rejected: Some(error.clone()), ..good.clone() }, State::Serving, rejected.clone()),
        (Status { rejected: Some(error), binding: None, ..good }, State::Rejected, rejected),
    ] {
        let tap = Tap::new(NOW, &status, &config(NODE));
        assert_eq!((tap.state, tap.rejected, tap.binding.is_some()), (state, reason, state != State::Rejected));
    }
}

#[test]
fn other_lines_have_these_fields() {
    let node = Node::new(NOW, [(Reason::Acked, 5), (Reason::NoFit, 0)], None);
    let version = env!("CARGO_PKG_VERSION");
    let counters = r#"{"dhcpv4_ack":5,"no_fit":0}"#;
    let expected = format!(
        "{{\"node\":{{\"version\":\"{version}\",\"uptime_seconds\":100,\"counters\":{counters},\"datapath_gone\":null}}}}\n"
    );
    assert_eq!(to_line(&Answer::Node(node)), expected);
    assert_eq!(to_line(&Answer::End {}), "{\"end\":{}}\n");
    let fault = r#"{"error":{"kind":"a_later_one","message":"no","more":1}}"#;
    assert!(matches!(from_line::<Answer>(fault.as_bytes()), Ok(Answer::Error(_))), "what is new is no obstacle");
}
