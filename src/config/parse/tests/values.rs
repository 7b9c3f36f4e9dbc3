//! What each key takes, and what it refuses.

use super::*;

type Reaches = fn(&Config) -> bool;

/// Each key, with a value that is not its default, and the field it must reach.
#[rustfmt::skip] // A table: one case, one line.
const REACHED: [(&str, &str, &str, Reaches); 59] = [
    ("general", "pidfile", "'/run/a#b, c'", |c| c.general.pidfile == Some("/run/a#b, c".into())),
    ("general", "datapath", "/d", |c| c.general.datapath.to_str() == Some("/d")),
    ("general", "logdir", "\"/l\"", |c| c.general.logdir == Some("/l".into())),
    ("general", "user", "1000", |c| c.general.user == "1000"),
    ("general", "control_socket", "none", |c| c.general.control_socket.is_none()),
    ("general", "control_group", "adm", |c| c.general.control_group.as_deref() == Some("adm")),
    ("general", "metrics_listen", "[::1]:9547", |c| {
        c.general.metrics_listen == Some(MetricsListen::Tcp((Ipv6Addr::LOCALHOST, 9547).into()))
    }),
    ("general", "log_format", "json", |c| c.general.log_format == LogFormat::Json),
    ("general", "sandbox", "no", |c| !c.general.sandbox),
    ("general", "rate_limit", "7", |c| c.general.rate_limit == RateLimit::PerSecond(7.try_into().unwrap())),
    ("general", "rate_burst", "8", |c| c.general.rate_burst == 8),
    ("general", "queue_length", "9", |c| c.general.backlog.queue_length == 9),
    ("general", "receive_buffer", "131072", |c| c.general.backlog.receive_buffer() == 131_072),
    ("general", "fail_open", "yes", |c| c.general.backlog.fail_open),
    ("general", "router_mac", "2:0:0:0:0:9", |c| c.general.router_mac == Some("02:00:00:00:00:09".parse().unwrap())),
    ("general", "announce_on", "eth0", |c| c.general.announce_on == Some("eth0".parse().unwrap())),
    ("dhcp", "enable_dhcp", "OFF", |c| c.dhcp.is_none()),
    ("dhcp", "lease_lifetime", "60", |c| c.lease.lifetime == 60),
    ("dhcp", "lease_renewal", "1", |c| c.lease.renewal == 1),
    ("dhcp", "server_ip", "192.0.2.9", |c| dhcp(c).server_ip == Some(Ipv4Addr::new(192, 0, 2, 9))),
    ("dhcp", "server_on_link", "True", |c| dhcp(c).server_on_link),
    ("dhcp", "rapid_commit", "1", |c| dhcp(c).rapid_commit),
    ("dhcp", "dhcp_queue", "0", |c| dhcp(c).queue == QueueNum(0)),
    ("dhcp", "nameservers", "192.0.2.3,", |c| dhcp(c).nameservers == [Ipv4Addr::new(192, 0, 2, 3)]),
    ("dhcp", "domain", "a.example.", |c| dhcp(c).domain == Some("a.example".parse().unwrap())),
    ("dhcp", "domain_search", "a.example, b", |c| dhcp(c).domain_search == names(&["a.example", "b"])),
    ("dhcp", "ntp", "192.0.2.123", |c| dhcp(c).ntp == [Ipv4Addr::new(192, 0, 2, 123)]),
    ("dhcp", "routes", "10.0.0.0/8 via 192.0.2.9, 10.1.2.3/32 via 0.0.0.0", |c| dhcp(c).routes.len() == 2),
    ("dhcp", "next_server", "192.0.2.9", |c| dhcp(c).next_server == Some(Ipv4Addr::new(192, 0, 2, 9))),
    ("dhcp", "tftp_server", "tftp.example", |c| text(&dhcp(c).tftp_server) == "tftp.example"),
    ("dhcp", "bootfile", "x.0", |c| dhcp(c).bootfiles.iter().count() == 1),
    ("dhcp", "v6only_wait", "1800", |c| dhcp(c).v6only_wait == Some(1_800)),
    ("dhcp", "captive_portal", "https://p.example", |c| text(&dhcp(c).captive_portal) == "https://p.example"),
    ("dhcp", "option_", "ip:192.0.2.1, 192.0.2.2 # b", |c| dhcp(c).options.value(43).unwrap().len() == 8),
    ("ipv6", "enable_ipv6", "no", |c| c.ipv6.is_none()),
    ("ipv6", "mode", "dhcpv6", |c| ipv6(c).mode == Ipv6Mode::Dhcpv6),
    ("ipv6", "ra_period", "65535", |c| ipv6(c).ra_period == 65_535),
    ("ipv6", "router_lifetime", "0", |c| ipv6(c).router_lifetime == 0),
    ("ipv6", "prefix_valid_lifetime", "9", |c| ipv6(c).prefix_valid_lifetime == 9),
    ("ipv6", "prefix_preferred_lifetime", "0", |c| ipv6(c).prefix_preferred_lifetime == 0),
    ("ipv6", "information_refresh_time", "600", |c| ipv6(c).information_refresh_time == 600),
    ("ipv6", "rs_queue", "1", |c| ipv6(c).rs_queue == Some(QueueNum(1))),
    ("ipv6", "ns_queue", "2", |c| ipv6(c).ns_queue == Some(QueueNum(2))),
    ("ipv6", "dhcpv6_queue", "65535", |c| ipv6(c).dhcpv6_queue == Some(QueueNum(65_535))),
    ("ipv6", "nameservers", "fe80::1", |c| ipv6(c).nameservers == ["fe80::1".parse::<Ipv6Addr>().unwrap()]),
    ("ipv6", "domains", "a, b,", |c| ipv6(c).domains == names(&["a", "b"])),
    ("ipv6", "router_preference", "low", |c| ipv6(c).router_preference == Preference::Low),
    ("ipv6", "dns_lifetime", "5", |c| ipv6(c).dns_lifetime == 5),
    ("ipv6", "route_lifetime", "6", |c| ipv6(c).route_lifetime == 6),
    ("ipv6", "pref64_lifetime", "7", |c| ipv6(c).pref64_lifetime == 8),
    ("ipv6", "rapid_commit", "no", |c| !ipv6(c).rapid_commit),
    ("ipv6", "sol_max_rt", "60", |c| ipv6(c).sol_max_rt == 60),
    ("ipv6", "inf_max_rt", "86400", |c| ipv6(c).inf_max_rt == 86_400),
    ("ipv6", "ntp", "2001:db8::123, ntp.example", |c| ipv6(c).ntp.ipv6.len() + ipv6(c).ntp.names.len() == 2),
    ("ipv6", "routes", "2001:db8:1::/48 high, 2001:db8:2::/48", |c| ipv6(c).routes.len() == 2),
    ("ipv6", "pref64", "64:ff9b::/96", |c| ipv6(c).pref64 == Some("64:ff9b::/96".parse().unwrap())),
    ("ipv6", "captive_portal", "https://p.example", |c| text(&ipv6(c).captive_portal) == "https://p.example"),
    ("ipv6", "dhcp_queue", "3", |c| ipv6(c).dhcpv6_queue == Some(QueueNum(45))),
    ("ipv6", "enable_dhcpv6", "no", |c| ipv6(c).mode == Ipv6Mode::Slaac),
];

#[test]
fn every_key_reaches_its_field() {
    for (section, key, value, reaches) in REACHED {
        let config = good(&with(section, key, value));
        assert!(reaches(&config), "{section}.{key} = {value}: {config:?}");
    }
    assert!(known_keys().eq(REACHED.map(|(section, key, ..)| (section, key))), "one case per key");
}

fn text(value: &Option<Printable>) -> &str {
    value.as_ref().unwrap().as_str()
}

fn dhcp(config: &Config) -> &Dhcp {
    config.dhcp.as_ref().unwrap()
}

fn ipv6(config: &Config) -> &Ipv6 {
    config.ipv6.as_ref().unwrap()
}

#[test]
fn an_empty_value_is_unset() {
    for (section, key) in known_keys() {
        if key == "server_ip" || key.ends_with("_queue") {
            continue;
        }
        for value in ["", "\"\"", "# nothing"] {
            let text = with(section, key, value);
            assert_eq!(good(&text), good(&with(section, key, "''")), "{section}.{key}");
        }
    }
    assert!(dhcp(&good(&with("dhcp", "nameservers", ""))).nameservers.is_empty());
    assert_eq!(good(&with("ipv6", "dhcpv6_queue", "")).ipv6.unwrap().mode, Ipv6Mode::Slaac);
    assert_eq!(good(&with("general", "user", "")).general.user, "nobody");
}

#[test]
#[rustfmt::skip] // A table: one case, one line.
fn wrong_values_are_refused_with_what_is_allowed() {
    for (section, key, value, allowed) in [
        ("general", "user", "a b", "not the name or number of a user"),
        ("general", "pidfile", "a\0b", "not a path"),
        ("general", "control_socket", "control.sock", "neither an absolute path of at most 107 bytes nor none"),
        ("general", "control_socket", &format!("/{}", "x".repeat(107)), "neither an absolute path of at most 107 bytes"),
        ("general", "control_socket", "/a\0b", "not a path"),
        ("general", "control_group", "a:b", "not the name or number of a user or group"),
        ("general", "metrics_listen", "0.0.0.0:9547", "not a loopback address with a port, as 127.0.0.1:9547"),
        ("general", "metrics_listen", "127.0.0.1", "not a loopback address with a port"),
        ("general", "metrics_listen", "127.0.0.1:0", "not a loopback address with a port"),
        ("general", "metrics_listen", "m.sock", "nor an absolute path of at most 107 bytes, nor none"),
        ("general", "log_format", "xml", "neither text nor json"),
        ("general", "sandbox", "some", "not yes, true, on, 1"),
        ("general", "rate_limit", "-1", "neither auto nor a number from 0 to 4294967295"),
        ("general", "queue_length", "0", "not a number from 1 to 1048576"),
        ("general", "receive_buffer", "131071", "neither auto nor a number from 131072 to 1073741823"),
        ("general", "rate_burst", "0", "not a number from 1 to 4294967295"),
        ("dhcp", "enable_dhcp", "maybe", "not yes, true, on, 1, no, false, off or 0"),
        ("dhcp", "lease_lifetime", "59", "not a number from 60 to 4294967295"),
        ("dhcp", "lease_lifetime", "4294967296", "not a number from 60 to 4294967295"),
        ("dhcp", "lease_renewal", "0", "not a number from 1 to 4294967295"),
        ("dhcp", "server_ip", "192.0.2.256", "not an IPv4 address"),
        ("dhcp", "server_ip", "224.0.0.1", "not the IPv4 address of one host"),
        ("dhcp", "server_ip", "192.0.2.1, 192.0.2.2", "not one value but a list"),
        ("dhcp", "dhcp_queue", "65536", "not a number from 0 to 65535"),
        ("dhcp", "nameservers", "192.0.2.1 192.0.2.2", "not an IPv4 address"),
        ("dhcp", "nameservers", "192.0.2.1,,192.0.2.2", "\"\" is not an IPv4 address"),
        ("dhcp", "domain", "a b", "not a domain name"),
        ("dhcp", "domain_search", "a, b c", "\"b c\" is not a domain name"),
        ("ipv6", "mode", "SLAC", "not auto, slaac, slaac+dhcpv6, slaac+stateful or dhcpv6"),
        ("general", "router_mac", "ff:ff:ff:ff:ff:ff", "not the MAC address of one station"),
        ("general", "announce_on", "a/b", "not an interface name"),
        ("dhcp", "option_", "01", "not hex:"),
        ("dhcp", "option_", "text:a,b", "not one value but a list"),
        ("dhcp", "v6only_wait", "299", "not a number from 300"),
        ("dhcp", "routes", "0.0.0.0/0 via 192.0.2.1", "the default route"),
        ("ipv6", "routes", "2001:db8:1::/48 via fe80::1", "a route with a router"),
        ("ipv6", "ntp", "192.0.2.1", "an IPv4 address, which belongs to [dhcp]"),
        ("ipv6", "pref64", "64:ff9b::/95", "not a NAT64 prefix"),
        ("ipv6", "pref64_lifetime", "65529", "not a number from 0 to 65528"),
        ("ipv6", "sol_max_rt", "59", "not a number from 60 to 86400"),
        ("ipv6", "router_preference", "best", "not high, medium or low"),
        ("ipv6", "ra_period", "0", "not a number from 1 to 65535"),
        ("ipv6", "router_lifetime", "65536", "not a number from 0 to 65535"),
        ("ipv6", "router_lifetime", "299", "less than ra_period, which is 300"),
        ("ipv6", "prefix_valid_lifetime", "0", "not a number from 1 to 4294967295"),
        ("ipv6", "prefix_preferred_lifetime", "2592001", "more than prefix_valid_lifetime, which is 2592000"),
        ("ipv6", "information_refresh_time", "599", "not a number from 600 to 4294967295"),
        ("ipv6", "nameservers", "192.0.2.1", "not an IPv6 address"),
        ("ipv6", "nameservers", "ff02::1", "not the IPv6 address of one host"),
        ("ipv6", "domains", "-,$", "not a domain name"),
        ("ipv6", "rs_queue", "\"43", "a quote without its pair"),
    ] {
        let text = with(section, key, value);
        let line = text.lines().count();
        let found = errors(&text);
        let [error] = found.as_slice() else { panic!("{found:?}") };
        assert!(error.starts_with(&format!("n.conf:{line}: {section}.{key}")), "{error}");
        assert!(error.contains(allowed), "{error}");
    }
}
