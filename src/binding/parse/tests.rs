use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;
use crate::binding::known_keys;
use crate::setting::{Architecture, BootClient, Loader, Printable, Route4};
use crate::wire::DomainName;

/// The least that is a whole binding.
const LEAST: &str = "MAC=aa:00:00:c2:b2:13\nHOSTNAME=vm1\n";

/// As a hook of the original writes it: every key, empty or not.
const HOOK: &str = "\
INDEV=br0
IP=192.0.2.10
MAC=aa:00:00:c2:b2:13
HOSTNAME=vm1.example.com
TAGS=\"a:b c=d\"
GATEWAY=192.0.2.1
SUBNET=192.0.2.0/24
GATEWAY6=2001:db8::1
SUBNET6=2001:db8::/64
EUI64=2001:db8::a800:ff:fec2:b213
MTU=
PRIVATE=
MACSPOOF=
";

fn read(text: &str) -> Result<Parsed, String> {
    parse(Path::new("d/tap0"), text.as_bytes()).map_err(|error| error.to_string())
}

fn good(text: &str) -> Binding {
    read(text).unwrap_or_else(|error| panic!("{text}\n{error}")).binding
}

fn warnings(text: &str) -> Vec<String> {
    read(text).unwrap().warnings.iter().map(ToString::to_string).collect()
}

/// `HOOK` with more lines, the last of which is at fault.
fn with(lines: &str) -> String {
    format!("{HOOK}{lines}\n")
}

fn name(text: &str) -> DomainName {
    text.parse().unwrap()
}

#[test]
fn reads_what_a_hook_writes() {
    let parsed = read(HOOK).unwrap();
    assert_eq!(parsed.warnings, []);
    let expected = Binding {
        tap: "tap0".parse().unwrap(),
        indev: "br0".parse().unwrap(),
        mac: "aa:00:00:c2:b2:13".parse().unwrap(),
        hostname: name("vm1.example.com"),
        ipv4: Some(Ipv4Binding {
            address: Ipv4Addr::new(192, 0, 2, 10),
            subnet: "192.0.2.0/24".parse().unwrap(),
            gateway: Some(Ipv4Addr::new(192, 0, 2, 1)),
        }),
        ipv6: Some(Ipv6Binding {
            subnets: vec!["2001:db8::/64".parse().unwrap()],
            gateway: Some("2001:db8::1".parse().unwrap()),
            eui64: Some("2001:db8::a800:ff:fec2:b213".parse().unwrap()),
            leased: Some("2001:db8::a800:ff:fec2:b213".parse().unwrap()),
            delegated: None,
        }),
        tags: "a:b c=d".into(),
        settings: crate::binding::SparseSettings::default(),
        lines: KeyLines::default(),
    };
    assert_eq!(parsed.binding, expected);
}

#[test]
fn the_least_is_routed_and_has_no_addresses() {
    let binding = good(LEAST);
    assert!(binding.is_routed() && binding.ipv4.is_none() && binding.ipv6.is_none());
    assert_eq!(good(&format!("{LEAST}INDEV=\n")), binding);
}

#[test]
fn spelling_does_not_matter() {
    let expected = good(HOOK);
    for text in [
        HOOK.replace('\n', "\r\n"),
        HOOK.replace('=', " = ").replace("c = d", "c=d"),
        HOOK.replace('\n', "\t \n\n  # comment = x\n  "),
        HOOK.replace("MAC=aa:00:00:c2:b2:13", "MAC='AA-0-0-C2-B2-13'"),
        HOOK.replace("IP=192.0.2.10", "IP=\" 192.0.2.10 \""),
        HOOK.replace("PRIVATE=", "PRIVATE=''"),
        format!("\u{feff}{HOOK}"),
        HOOK.trim_end().to_owned(),
    ] {
        assert_eq!(read(&text).map(|parsed| parsed.binding).as_ref(), Ok(&expected), "{text}");
    }
}

/// Each key, with a value that is not its default, and the field it must reach.
#[test]
#[rustfmt::skip] // A table: one case, one line.
fn every_key_reaches_its_field() {
    type Reaches = fn(&Binding) -> bool;
    let cases: [(&str, &str, Reaches); 30] = [
        ("MAC", "2:0:0:0:0:1", |b| b.mac == "02:00:00:00:00:01".parse().unwrap()),
        ("HOSTNAME", "other.", |b| b.hostname == name("other")),
        ("INDEV", "br1", |b| b.indev.as_str() == "br1"),
        ("IP", "192.0.2.11", |b| b.ipv4.unwrap().address == Ipv4Addr::new(192, 0, 2, 11)),
        ("SUBNET", "192.0.2.10/31", |b| b.ipv4.unwrap().subnet.prefix_len() == 31),
        ("GATEWAY", "10.0.0.1", |b| b.ipv4.unwrap().needs_gateway_route()),
        ("SUBNET6", "2001:db8::/48", |b| ipv6(b).subnets == nets(&["2001:db8::/48"])),
        ("GATEWAY6", "fe80::1", |b| ipv6(b).gateway.unwrap().is_unicast_link_local()),
        ("EUI64", "2001:db8::7", |b| ipv6(b).eui64 == Some("2001:db8::7".parse().unwrap())),
        ("IP6", "2001:db8::9", |b| ipv6(b).leased == Some("2001:db8::9".parse().unwrap())),
        ("PREFIX6", "2001:db8:f::/56", |b| ipv6(b).delegated == Some("2001:db8:f::/56".parse().unwrap())),
        ("MTU", "68", |b| b.settings.mtu == Some(68)),
        ("PRIVATE", "1", |b| b.settings.private && !b.settings.macspoof),
        ("MACSPOOF", "any", |b| b.settings.macspoof && !b.settings.private),
        ("TAGS", "\"'x' = y\"", |b| &*b.tags == "'x' = y"),
        ("NAMESERVERS", "1.1.1.1 8.8.8.8,\t9.9.9.9,", |b| b.settings.nameservers.as_ref().unwrap().len() == 3),
        ("NAMESERVERS6", "2001:db8::53", |b| b.settings.nameservers6.as_ref().unwrap().len() == 1),
        ("DOMAIN", "a.example", |b| b.settings.domain == Some(name("a.example"))),
        ("DOMAIN_SEARCH", "a.example, b", |b| b.settings.domain_search == Some(vec![name("a.example"), name("b")])),
        ("NTP", "192.0.2.123 ntp.example", |b| b.settings.ntp.ipv4.len() == 1 && b.settings.ntp.names.len() == 1),
        ("ROUTES", "198.51.100.0/24 via 192.0.2.254", |b| b.settings.routes.as_ref().unwrap().len() == 1),
        ("ROUTES6", "2001:db8:a::/48 low, 2001:db8:b::/48", |b| b.settings.routes6.as_ref().unwrap().len() == 2),
        ("LEASE_LIFETIME", "60", |b| b.settings.lease_lifetime == Some(60)),
        ("NEXT_SERVER", "192.0.2.5", |b| b.settings.next_server == Some(Ipv4Addr::new(192, 0, 2, 5))),
        ("TFTP_SERVER", "tftp.example", |b| b.settings.tftp_server.as_ref().unwrap().as_str() == "tftp.example"),
        ("BOOTFILE", "pxelinux.0", |b| b.settings.bootfiles.iter().count() == 1),
        ("V6ONLY_WAIT", "300", |b| b.settings.v6only_wait == Some(300)),
        ("PREF64", "64:ff9b::/96", |b| b.settings.pref64 == Some("64:ff9b::/96".parse().unwrap())),
        ("CAPTIVE_PORTAL", "https://p.example", |b| b.settings.captive_portal.as_ref().unwrap().as_str().len() == 17),
        ("OPTION_", "hex:07", |b| b.settings.options.value(43) == Some(&[7])),
    ];
    for (key, value, reaches) in cases {
        let suffix = if key == "OPTION_" { "43" } else { "" };
        let binding = good(&with(&format!("{key}{suffix}={value}")));
        assert!(reaches(&binding), "{key}={value}: {binding:?}");
    }
    assert!(known_keys().eq(cases.map(|(key, ..)| key)), "one case per key");
}

#[test]
fn keys_with_suffixes_reach_their_fields() {
    let binding = good(&with("OPTION_43=hex:0102\nOPTION_252=text:http://wpad/\nBOOTFILE_EFI64=x.efi\nBOOTFILE=x.0"));
    let options: Vec<_> = binding.settings.options.iter().collect();
    assert_eq!(options, [(43, &[1, 2][..]), (252, b"http://wpad/")]);
    let client = |architecture| BootClient { loader: Loader::Pxe, architecture };
    for (architecture, expected) in [(None, "x.0"), (Some(Architecture::Efi64), "x.efi")] {
        let file = binding.settings.bootfiles.choose(client(architecture));
        assert_eq!(file.map(Printable::as_str), Some(expected));
    }
    assert_eq!(binding.lines.line("OPTION_252"), binding.lines.line("OPTION_43").map(|line| line + 1));
}

#[test]
fn a_suffix_that_means_nothing_is_an_unknown_key() {
    for key in ["OPTION_", "OPTION_x", "OPTION_-1", "BOOTFILE_VAX", "BOOTFILES", "OPTIONS_1", "IP7", "MACX"] {
        let parsed = read(&format!("{LEAST}{key}=1")).unwrap();
        assert_eq!(parsed.binding.settings.unknown, [pair(key, "1")], "{key}");
        assert_eq!(parsed.warnings.len(), 1, "{key}");
    }
    assert!(read(&format!("{LEAST}OPTION_256=hex:00")).is_err());
    assert!(read(&format!("{LEAST}OPTION_6=ip:192.0.2.1\nOPTION_06=ip:192.0.2.2")).is_err());
    assert!(read(&format!("{LEAST}OPTION_53=hex:00")).is_err());
}

/// `SUBNET6` and its kin: text, and prefixes, leased address.
#[test]
fn ipv6_keys_go_together() {
    let cases: [(&str, &[&str], Option<&str>); 7] = [
        ("SUBNET6=2001:db8::/64", &["2001:db8::/64"], None),
        ("SUBNET6=2001:db8::/64, 2001:db8:1::7/64,2001:db8::/64", &["2001:db8::/64", "2001:db8:1::/64"], None),
        ("SUBNET6=2001:db8::/64\nEUI64=2001:db8::5", &["2001:db8::/64"], Some("2001:db8::5")),
        ("SUBNET6=2001:db8::/64\nEUI64=2001:db8::5\nIP6=2001:db8::6", &["2001:db8::/64"], Some("2001:db8::6")),
        ("IP6=2001:db8::6", &["2001:db8::6/128"], Some("2001:db8::6")),
        ("SUBNET6=2001:db8::5/128\nGATEWAY6=fe80::1", &["2001:db8::5/128"], Some("2001:db8::5")),
        ("PREFIX6=2001:db8:f::/56", &[], None),
    ];
    for (text, subnets, leased) in cases {
        let ipv6 = good(&format!("{LEAST}{text}")).ipv6.unwrap();
        assert_eq!(ipv6.subnets, nets(subnets), "{text}");
        assert_eq!(ipv6.leased, leased.map(|address| address.parse().unwrap()), "{text}");
    }
}

#[test]
fn ipv6_keys_that_contradict_each_other_are_refused() {
    for (key, text) in [
        ("IP6", "SUBNET6=2001:db8::/64\nIP6=2001:db8:1::5"),
        ("IP6", "SUBNET6=2001:db8::/64\nIP6=fe80::5"),
        ("EUI64", "SUBNET6=2001:db8::/64,2001:db8:1::/64\nEUI64=2001:db8:2::5"),
        ("GATEWAY6", "SUBNET6=2001:db8::/64\nIP6=2001:db8::5\nGATEWAY6=2001:db8::5"),
        ("GATEWAY6", "SUBNET6=2001:db8::/64, 2001:db8:1::1/128\nIP6=2001:db8::5\nGATEWAY6=2001:db8:1::1"),
        ("ROUTES6", "SUBNET6=2001:db8::/64\nGATEWAY6=2001:db8::1\nROUTES6=2001:db8:9::/48 via 2001:db8::2"),
        ("PREFIX6", "PREFIX6=fe80::/64"),
        ("PREFIX6", "PREFIX6=2001:db8::"),
        ("PREF64", "PREF64=64:ff9b::/97"),
        ("SUBNET6", "SUBNET6=2001:db8::/64,ff00::/64"),
    ] {
        let error = parse(Path::new("d/tap0"), format!("{LEAST}{text}").as_bytes()).unwrap_err();
        assert_eq!(error.key.as_deref(), Some(key), "{text}");
    }
}

fn ipv6(binding: &Binding) -> &Ipv6Binding {
    binding.ipv6.as_ref().unwrap()
}

fn nets(texts: &[&str]) -> Vec<Ipv6Net> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn an_empty_value_is_unset() {
    for key in known_keys().filter(|key| !["MAC", "HOSTNAME"].contains(key)) {
        for value in ["", "''", "\" \"", " "] {
            let suffix = if key == "OPTION_" { "43" } else { "" };
            assert_eq!(good(&format!("{LEAST}{key}{suffix}={value}\n")), good(LEAST), "{key}={value}");
        }
    }
    let without_ip = good(&HOOK.replace("IP=192.0.2.10", "IP="));
    assert!(without_ip.ipv4.is_none() && without_ip.ipv6.is_some());
}

#[test]
fn without_a_subnet_the_mask_is_full() {
    let ipv4 = good(&HOOK.replace("SUBNET=192.0.2.0/24", "SUBNET=")).ipv4.unwrap();
    assert_eq!(ipv4.subnet, "192.0.2.10/32".parse().unwrap());
    assert!(ipv4.needs_gateway_route());
}

#[test]
#[rustfmt::skip] // A table: one case, one line.
fn what_is_wrong_is_rejected_with_its_line() {
    for (line, expected) in [
        ("MAC=x", "MAC=\"x\": not a MAC address"),
        ("MAC=01:00:5e:00:00:01", "MAC=\"01:00:5e:00:00:01\": not the MAC address of one station"),
        ("MAC=ff:ff:ff:ff:ff:ff", "not the MAC address of one station"),
        ("MAC=0:0:0:0:0:0", "not the MAC address of one station"),
        ("HOSTNAME=a b", "HOSTNAME=\"a b\": not a domain name"),
        ("HOSTNAME=$(reboot)", "not a domain name"),
        ("INDEV=0123456789abcdef", "INDEV=\"0123456789abcdef\": not an interface name"),
        ("IP=\"192.0.2.10", "IP=\"\\\"192.0.2.10\": not an IPv4 address"),
        ("IP=192.0.2.10/24", "not an IPv4 address"),
        ("IP=127.0.0.1", "not the IPv4 address of one host"),
        ("IP=0.1.2.3", "not the IPv4 address of one host"),
        ("IP=224.0.0.1", "not the IPv4 address of one host"),
        ("IP=255.255.255.255", "not the IPv4 address of one host"),
        ("IP=198.51.100.1", "IP=\"198.51.100.1\": outside SUBNET, which is 192.0.2.0/24"),
        ("SUBNET=192.0.2.0", "SUBNET=\"192.0.2.0\": not an IPv4 network"),
        ("SUBNET=192.0.2.0/33", "not an IPv4 network"),
        ("SUBNET=192.0.2.0/+4", "not an IPv4 network"),
        ("SUBNET=192.0.2.0/", "not an IPv4 network"),
        ("SUBNET=0.0.0.0/0", "not a subnet: its prefix length is 0"),
        ("GATEWAY=x", "GATEWAY=\"x\": not an IPv4 address"),
        ("GATEWAY=192.0.2.10", "GATEWAY=\"192.0.2.10\": the guest's own address, IP"),
        ("SUBNET6=2001:db8::", "SUBNET6=\"2001:db8::\": \"2001:db8::\" is not an IPv6 network"),
        ("SUBNET6=2001:db8::/129", "is not an IPv6 network"),
        ("SUBNET6=::/0", "not a subnet: its prefix length is 0"),
        ("SUBNET6=::/64", "not a prefix for the addresses of hosts"),
        ("SUBNET6=fe80::/64", "not a prefix for the addresses of hosts"),
        ("SUBNET6=ff00::/8", "not a prefix for the addresses of hosts"),
        ("GATEWAY6=::", "GATEWAY6=\"::\": not the IPv6 address of one host"),
        ("GATEWAY6=2001:db8::a800:ff:fec2:b213", "the guest's own address, EUI64"),
        ("EUI64=ff02::1", "EUI64=\"ff02::1\": not the IPv6 address of one host"),
        ("EUI64=2001:db9::1", "outside SUBNET6, which is 2001:db8::/64"),
        ("MTU=67", "MTU=\"67\": not a number from 68 to 65535"),
        ("MTU=65536", "not a number from 68 to 65535"),
        ("NAMESERVERS=1.1.1.1, x", "\"x\" is not an IPv4 address"),
        ("NAMESERVERS=127.0.0.53", "\"127.0.0.53\" is not the IPv4 address of one host"),
        ("NAMESERVERS=,", "a list without elements"),
        ("NAMESERVERS6=1.1.1.1", "\"1.1.1.1\" is not an IPv6 address"),
        ("DOMAIN=a,b", "not a domain name"),
        ("DOMAIN_SEARCH=a, b;c", "\"b;c\" is not a domain name"),
        ("LEASE_LIFETIME=59", "not a number from 60 to 4294967295"),
        ("LEASE_LIFETIME=1h", "not a number from 60 to 4294967295"),
        ("ROUTES=198.51.100.0/24 via 192.0.2.10", "198.51.100.0/24 leads to the guest's own address, IP"),
        ("ROUTES=198.51.100.0/24", "is not a route, which is written as"),
        ("ROUTES=198.51.100.0/24 via", "is not a route, which is written as"),
        ("ROUTES=198.51.100.0/24 by 192.0.2.1", "is not a route, which is written as"),
        ("ROUTES=198.51.100.0/24 via 192.0.2.1 metric", "is not a route, which is written as"),
        ("ROUTES=198.51.100.7 via 192.0.2.1", "is not a route: it begins with no IPv4 network"),
        ("ROUTES=0.0.0.0/0 via 192.0.2.1", "is the default route, which is for GATEWAY to give"),
        ("ROUTES=198.51.100.0/24 via 224.0.0.1", "is a route whose router is neither"),
    ] {
        let text = with(line);
        let at = text.lines().count();
        let error = read(&text).expect_err(line);
        assert!(error.starts_with(&format!("d/tap0:{at}: ")) && error.contains(expected), "{error}");
    }
}

#[test]
fn mac_and_hostname_are_required() {
    for (text, expected) in [
        ("HOSTNAME=vm1", "d/tap0: MAC: required"),
        ("MAC=2:0:0:0:0:1", "d/tap0: HOSTNAME: required"),
        ("MAC=\nHOSTNAME=vm1", "d/tap0:1: MAC=\"\": required"),
        ("", "d/tap0: MAC: required"),
    ] {
        assert_eq!(read(text).unwrap_err(), expected);
    }
}

#[test]
#[rustfmt::skip] // A table: one case, one line.
fn what_is_doubtful_is_warned_about() {
    for (text, expected) in [
        (with("junk"), "14: \"junk\": neither KEY=VALUE nor a # comment, ignored"),
        (with("=x"), "14: \"=x\": neither KEY=VALUE nor a # comment, ignored"),
        (with("\u{1b}[2J"), "14: \"\\u{1b}[2J\": neither"),
        (with("FOO=a=b"), "14: FOO=\"a=b\": unknown key"),
        (with("mtu=1500"), "14: mtu=\"1500\": unknown key; did you mean MTU?"),
        (with("export IP=192.0.2.9"), "14: \"export IP\"=\"192.0.2.9\": unknown key"),
        (with("MTU=1400"), "14: MTU=\"1400\": overrides the same key in line 11"),
        (HOOK.replace("192.0.2.0/24", "192.0.2.1/24"), "7: SUBNET=\"192.0.2.1/24\": has host bits; taken as 192.0.2.0/24"),
        (HOOK.replace("2001:db8::/64", "2001:db8::1/64"), "9: SUBNET6=\"2001:db8::1/64\": has host bits; taken as 2001:db8::/64"),
        (format!("{LEAST}SUBNET=192.0.2.0/24"), "3: SUBNET=\"192.0.2.0/24\": unused without IP"),
        (format!("{LEAST}GATEWAY=192.0.2.1"), "3: GATEWAY=\"192.0.2.1\": unused without IP"),
        (format!("{LEAST}GATEWAY6=fe80::1"), "3: GATEWAY6=\"fe80::1\": unused without SUBNET6"),
        (format!("{LEAST}EUI64=2001:db8::1"), "3: EUI64=\"2001:db8::1\": unused without SUBNET6"),
        (HOOK.replace("2.10", "2.0"), "2: IP=\"192.0.2.0\": the network or broadcast address of 192.0.2.0/24"),
        (HOOK.replace("2.10", "2.255"), "2: IP=\"192.0.2.255\": the network or broadcast address of 192.0.2.0/24"),
        (with("ROUTES=10.0.0.0/8 via 198.51.100.1"), "14: ROUTES=\"10.0.0.0/8 via 198.51.100.1\": 198.51.100.1 is neither on the link nor GATEWAY"),
        (with("ROUTES=10.0.0.0/8 via 192.0.2.1, 10.0.0.0/8 via 192.0.2.2"), "14: ROUTES=\"10.0.0.0/8 via 192.0.2.1, 10.0.0.0/8 via 192.0.2.2\": has 10.0.0.0/8 twice"),
        (HOOK.replace("PRIVATE=", "PRIVATE=No"), "12: PRIVATE=\"No\": taken as unset"),
        (HOOK.replace("SPOOF=", "SPOOF=0"), "13: MACSPOOF=\"0\": taken as unset"),
        (format!("{LEAST}PREFIX6=2001:db8:f::1/56"), "3: PREFIX6=\"2001:db8:f::1/56\": has host bits"),
    ] {
        let found = warnings(&text);
        assert!(found.len() == 1 && found[0].starts_with(&format!("d/tap0:{expected}")), "{found:?}");
    }
}

#[test]
fn short_subnets_are_fine() {
    for length in [31, 32] {
        let text = HOOK.replace("192.0.2.0/24", &format!("192.0.2.10/{length}"));
        assert_eq!(warnings(&text), Vec::<String>::new());
        assert_eq!(good(&text).ipv4.unwrap().subnet.prefix_len(), length);
    }
}

#[test]
fn words_for_no_do_not_set_a_flag() {
    for (value, is_set) in [("no", false), ("0", false), ("FALSE", false), ("'Off'", false), ("yes", true), ("n", true)]
    {
        let binding = good(&format!("{LEAST}PRIVATE={value}\nMACSPOOF={value}\n"));
        assert_eq!((binding.settings.private, binding.settings.macspoof), (is_set, is_set), "{value}");
    }
}

#[test]
fn reads_routes() {
    let binding = good(&format!(
        "{LEAST}ROUTES=198.51.100.0/24 via 192.0.2.254,\t203.0.113.7/32  via\t0.0.0.0 ,10.1.2.3/8 via 192.0.2.253,\n"
    ));
    let route = |destination: &str, router: &str| Route4 {
        destination: destination.parse().unwrap(),
        router: router.parse().unwrap(),
    };
    let expected = [
        route("198.51.100.0/24", "192.0.2.254"),
        route("203.0.113.7/32", "0.0.0.0"),
        route("10.0.0.0/8", "192.0.2.253"),
    ];
    assert_eq!(binding.settings.routes.clone().unwrap(), expected);
}

#[test]
fn the_last_of_two_wins_even_if_the_first_is_wrong_or_the_last_empty() {
    assert_eq!(good(&format!("{LEAST}IP=x\nIP=192.0.2.9")).ipv4.unwrap().address, Ipv4Addr::new(192, 0, 2, 9));
    assert!(good(&format!("{LEAST}IP=192.0.2.9\nIP=")).ipv4.is_none());
    assert_eq!(good(&format!("{LEAST}A=1\nB=2\nA='3'")).settings.unknown, [pair("B", "2"), pair("A", "3")]);
}

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

#[test]
fn the_file_is_named_after_the_tap() {
    for (path, expected) in [
        ("a/0123456789abcdef", "a/0123456789abcdef: the file's name is not an interface name"),
        ("a/b c", "a/b c: the file's name is not an interface name"),
        ("a/..", "a/..: the file's name is not an interface name"),
        ("", ": the file's name is not an interface name"),
        ("a\n:b", "a\\n:b: the file's name is not an interface name"),
    ] {
        let error = parse(Path::new(path), LEAST.as_bytes()).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}

#[test]
fn what_is_no_short_text_is_rejected() {
    let error = |bytes: &[u8]| parse(Path::new("tap0"), bytes).unwrap_err().to_string();
    let filler = "#".repeat(MAX_FILE_SIZE - LEAST.len());
    assert_eq!(good(&format!("{LEAST}{filler}")), good(LEAST));
    assert_eq!(error(format!("{LEAST}{filler}#").as_bytes()), "tap0: more than 65536 bytes");
    assert_eq!(error(b"MAC=\nTAGS=\xff\n"), "tap0:2: not UTF-8 text");
}

#[test]
fn long_lines_are_shown_cut() {
    let long = "x".repeat(MAX_FILE_SIZE - 100);
    for line in [format!("IP={long}"), format!("NAMESERVERS=192.0.2.1 {long}")] {
        let error = read(&format!("{LEAST}{line}")).unwrap_err();
        assert!(error.len() < 400, "{}", error.len());
    }
    for line in [long.clone(), format!("{long}=1")] {
        let found = warnings(&format!("{LEAST}{line}"));
        assert!(found.len() == 1 && found[0].len() < 400);
    }
}

proptest! {
    #[test]
    fn never_panics_on_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _ = parse(Path::new("tap0"), &bytes);
    }

    #[test]
    fn any_value_of_any_key_is_taken_or_rejected_on_one_line(index in 0..known_keys().count(), value in "\\PC{0,24}") {
        let key = known_keys().nth(index).unwrap();
        if let Err(error) = read(&with(&format!("{key}={value}"))) {
            prop_assert!(error.starts_with("d/tap0:") && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn what_is_taken_can_be_used(text in "((IP|SUBNET|GATEWAY)=10\\.0\\.[0-1]\\.[0-9](/[0-9]{1,2})?\n){0,4}") {
        if let Ok(Parsed { binding: Binding { ipv4: Some(ipv4), .. }, .. }) = read(&format!("{LEAST}{text}")) {
            prop_assert!(ipv4.subnet.contains(&ipv4.address) && ipv4.subnet == ipv4.subnet.trunc());
            prop_assert!(ipv4.gateway != Some(ipv4.address));
        }
    }
}

#[test]
fn many_warnings_are_summed_up() {
    let found = warnings(&format!("{LEAST}{}", "X=1\n".repeat(1000)));
    assert_eq!(found.len(), MAX_WARNINGS + 1);
    // Each X overrides the one before, but for the first; and the last is unknown.
    assert!(found.last().unwrap().ends_with(": and 984 more warnings"), "{found:?}");
}

/// As the original takes them.
#[test]
fn what_a_terminal_or_a_script_would_take_for_an_order_is_warned_of_and_taken() {
    for (line, expected) in [
        ("TAGS=a\u{9b}31m", "control characters"),
        ("TAGS=a\u{202e}b", "turn the direction"),
        ("HOSTNAME=-x", "begins or ends with '-'"),
        ("HOSTNAME=a.b-.example", "begins or ends with '-'"),
    ] {
        let (key, _) = line.split_once('=').unwrap();
        let usual = ["MAC=aa:00:00:00:00:01", "HOSTNAME=guest1"].into_iter().filter(|usual| !usual.starts_with(key));
        let text = usual.chain([line]).collect::<Vec<_>>().join("\n");
        let warnings = parse(Path::new("tap0"), text.as_bytes()).unwrap().warnings;
        let told: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        assert!(told.len() == 1 && told[0].contains(expected) && told[0].is_ascii(), "{told:?}");
    }
}
