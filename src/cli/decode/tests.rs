//! What the engine says, in words; and any bytes.

use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;

use super::{Fields, decode};
use crate::binding::IfIndex;
use crate::binding::parse::parse;
use crate::config;
use crate::engine::{Engine, Event, Link};

const NODE: &str = "\
[dhcp]
server_ip = 192.0.2.254
nameservers = 192.0.2.53, 192.0.2.54
next_server = 192.0.2.69
bootfile = pxelinux.0
[ipv6]
rs_queue = 43
ns_queue = 44
dhcpv6_queue = 45
nameservers = 2001:db8::53
ntp = 2001:db8::123, ntp.example.com
mode = ";

const BINDING: &str = "\
MAC=aa:00:00:00:00:01
HOSTNAME=guest1.example.com
IP=192.0.2.10
SUBNET=192.0.2.0/24
GATEWAY=192.0.2.1
SUBNET6=2001:db8:1::/64
GATEWAY6=2001:db8:1::1
IP6=2001:db8:1::10
PREFIX6=2001:db8:f::/56
MTU=1400
DOMAIN_SEARCH=example.com, example.net
ROUTES=198.51.100.0/24 via 192.0.2.254
ROUTES6=2001:db8:f000::/36 low
PREF64=64:ff9b::/96
CAPTIVE_PORTAL=https://portal.example.com/api
";

/// The replies to all that a guest asks.
fn replies(mode: &str) -> Vec<Vec<u8>> {
    let config = config::parse(Path::new("n.conf"), format!("{NODE}{mode}\n").as_bytes()).unwrap().config;
    let mut engine = Engine::new(config, 0);
    let binding = parse(Path::new("b/tap0"), BINDING.as_bytes()).unwrap().binding;
    let tap = binding.tap;
    let link = Link {
        ifindex: IfIndex::new(7).unwrap(),
        name: tap,
        mac: Some("02:00:00:00:00:01".parse().unwrap()),
        mtu: 1500,
        master: None,
        is_bridge: false,
        is_ready: true,
    };
    engine.handle_event(Duration::ZERO, Event::LinkChanged(link));
    engine.handle_event(Duration::ZERO, Event::BindingLoaded(binding.into()));
    engine.explain(tap).rehearsals.into_iter().filter_map(|rehearsal| rehearsal.reply).collect()
}

fn text(frame: &[u8]) -> String {
    Fields(&decode(frame), 2).to_string()
}

const ACK: &str = r#"      Ethernet                   02:00:00:00:00:01 > aa:00:00:00:00:01
      IPv4                       192.0.2.254 > 192.0.2.10, 445 bytes
      UDP                        67 > 68
      DHCPv4                     ACK, xid 0x77686174, for aa:00:00:00:00:01
        your address (yiaddr)    192.0.2.10
        next server (siaddr)     192.0.2.69
        boot file (file)         "pxelinux.0"
     53 message type             ACK
     54 server identifier        192.0.2.254
     51 lease time               604800 s
     58 renewal time (T1)        3600 s
     59 rebinding time (T2)      529200 s
      1 subnet mask              255.255.255.0
      3 router                   192.0.2.1
      6 domain name server       192.0.2.53, 192.0.2.54
     12 host name                guest1.example.com
     15 domain name              example.com
     26 interface MTU            1400 bytes
     28 broadcast address        192.0.2.255
    114 captive portal           https://portal.example.com/api
    119 domain search            example.com, example.net
    121 classless static route   0.0.0.0/0 via 192.0.2.1, 198.51.100.0/24 via
                                 192.0.2.254
     61 client identifier        01 aa 00 00 00 00 01
"#;

const ADVERTISEMENT: &str = r#"      Ethernet                   02:00:00:00:00:01 > aa:00:00:00:00:01
      IPv6                       fe80::ff:fe00:1 > fe80::a800:ff:fe00:1, hop
                                 limit 255, 232 bytes
      ICMPv6                     Router Advertisement
        flags                    managed (M), other (O)
        router lifetime          1800 s
        router preference        medium
        hop limit                64
      1 link-layer address       02:00:00:00:00:01
      5 MTU                      1400 bytes
      3 prefix                   2001:db8:1::/64, on-link (L), autonomous (A),
                                 valid 2592000 s, preferred 604800 s
     25 DNS server (RDNSS)       2001:db8::53, lifetime 1800 s
     31 domain search (DNSSL)    example.com, example.net, lifetime 1800 s
     24 route                    2001:db8:f000::/36, preference low, lifetime
                                 1800 s
     38 NAT64 prefix (PREF64)    64:ff9b::/96, lifetime 1800 s
     37 captive portal           https://portal.example.com/api
"#;

const NEIGHBOR: &str = r#"      Ethernet                   02:00:00:00:00:01 > aa:00:00:00:00:01
      IPv6                       fe80::ff:fe00:1 > fe80::a800:ff:fe00:1, hop
                                 limit 255, 72 bytes
      ICMPv6                     Neighbor Advertisement
        flags                    router (R), solicited (S), override (O)
        target                   fe80::ff:fe00:1
      2 link-layer address       02:00:00:00:00:01
"#;

const DHCPV6: &str = r#"      Ethernet                   02:00:00:00:00:01 > aa:00:00:00:00:01
      IPv6                       fe80::ff:fe00:1 > fe80::a800:ff:fe00:1, hop
                                 limit 64, 323 bytes
      UDP                        547 > 546
      DHCPv6                     Advertise, xid 0x686174
      2 server identifier        00 04 d3 d8 27 31 01 26 5d c3 ae cb a2 c0 94 a6
                                 fa 3e
      1 client identifier        00 03 00 01 aa 00 00 00 00 01
      7 preference               255
      3 addresses (IA_NA)        IAID 0x00000001, T1 3600 s, T2 529200 s
        5 address                2001:db8:1::10, preferred 604800 s, valid
                                 604800 s
     25 prefixes (IA_PD)         IAID 0x00000001, T1 3600 s, T2 529200 s
       26 prefix                 2001:db8:f::/56, preferred 604800 s, valid
                                 604800 s
     23 DNS server               2001:db8::53
     24 domain search            example.com, example.net
     56 NTP server               2001:db8::123
     56 NTP server               ntp.example.com
    103 captive portal           https://portal.example.com/api
     82 SOL_MAX_RT               3600 s
"#;

#[test]
fn replies_are_told_in_words() {
    let replies = replies("slaac+stateful");
    let [_, ack, advertisement, neighbor, dhcpv6] = replies.as_slice() else { panic!("{replies:?}") };
    for (reply, expected) in [(ack, ACK), (advertisement, ADVERTISEMENT), (neighbor, NEIGHBOR), (dhcpv6, DHCPV6)] {
        assert_eq!(text(reply), expected);
    }
}

fn is_readable(text: &str) -> bool {
    text.lines().all(|line| line.chars().count() <= 80 && line.chars().all(|c| !c.is_control()))
}

proptest! {
    #[test]
    fn any_bytes_are_readable(bytes in prop::collection::vec(any::<u8>(), 0..1600)) {
        prop_assert!(is_readable(&text(&bytes)));
    }

    /// Replies with some bytes changed, and cut somewhere.
    #[test]
    fn what_is_nearly_a_reply_is_readable(
        which: Index,
        is_stateful: bool,
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 0..8),
        end: Option<Index>,
    ) {
        let replies = replies(if is_stateful { "slaac+stateful" } else { "slaac+dhcpv6" });
        let mut message = which.get(&replies).clone();
        for (at, byte) in changes {
            *at.get_mut(&mut message) = byte;
        }
        message.truncate(end.map_or(message.len(), |end| end.index(message.len())));
        prop_assert!(is_readable(&text(&message)));
    }
}
