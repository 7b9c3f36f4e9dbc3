//! Options of binding and configuration, one by one.

use super::*;
use crate::binding::parse;
use crate::config;

/// A guest with these keys besides the usual ones, on a node with these.
fn lab(keys: &str, dhcp: &str, ipv6: &str) -> Lab {
    let usual = "MAC=aa:00:00:00:00:01\nHOSTNAME=vm1\nIP=192.0.2.10\nSUBNET=192.0.2.0/24\nGATEWAY=192.0.2.1\n";
    let text = format!("[dhcp]\nserver_ip = 192.0.2.1\n{dhcp}\n[ipv6]\n{ipv6}\n");
    Lab {
        binding: parse::parse("tap0".as_ref(), format!("{usual}{keys}\n").as_bytes()).unwrap().binding,
        config: config::parse("conf".as_ref(), text.as_bytes()).unwrap().config,
        ..Lab::new()
    }
}

const NO_IPV6: &str = "enable_ipv6 = no";
const IPV6: &str = "rs_queue = 43\nns_queue = 44";

/// The value of the option `code` for a client that asks for it alone.
fn value(lab: &Lab, code: u8) -> Option<Vec<u8>> {
    let sent = lab.ask(&[53, 1, 1, 55, 1, code]).unwrap();
    let codes = sent.codes();
    assert!(codes.starts_with(&[53, 54, 51, 58, 59, 1]) && codes.len() <= 7, "{codes:?}");
    // Behind the six fixed options.
    let at = 240 + 3 + 6 + 6 + 6 + 6 + 6;
    codes.get(6).map(|found| {
        assert_eq!(*found, code);
        sent.bytes[at + 2..][..usize::from(sent.bytes[at + 1])].to_vec()
    })
}

#[test]
fn routes_crowd_where_a_small_client_that_asks_for_them_gets_no_answer() {
    let client_id = &[61, 7, 1, 0xaa, 0, 0, 0, 0, 1][..];
    let asked = [&[53, 1, 1, 55, 3, 1, 3, 121], client_id].concat();
    let answered = (1..=63).map(|count| {
        let routes: Vec<String> = (1..=count).map(|it| format!("198.51.100.{it}/32 via 192.0.2.254")).collect();
        let lab = lab(&format!("ROUTES={}", routes.join(",")), "", NO_IPV6);
        let is_answered = lab.ask(&asked).is_ok();
        assert_eq!(lab.answers().do_routes_crowd(), !is_answered, "{count}");
        is_answered
    });
    assert!(answered.collect::<Vec<_>>().is_sorted_by(|many, more| many >= more), "less room for more");
    assert!(!lab("", "", NO_IPV6).answers().do_routes_crowd());
}

#[test]
fn every_option_comes_from_the_binding_else_from_the_node() {
    type Row<'a> = (u8, &'a str, &'a str, Option<&'a [u8]>);
    let table: &[Row<'_>] = &[
        (42, "", "", None),
        (42, "", "ntp = 192.0.2.123, 192.0.2.124", Some(&[192, 0, 2, 123, 192, 0, 2, 124])),
        (42, "NTP=198.51.100.1", "ntp = 192.0.2.123", Some(&[198, 51, 100, 1])),
        // Servers of IPv6 say nothing of those of IPv4.
        (42, "NTP=2001:db8::123", "ntp = 192.0.2.123", Some(&[192, 0, 2, 123])),
        (42, "NTP=2001:db8::123", "", None),
        (66, "", "tftp_server = node", Some(b"node")),
        (66, "TFTP_SERVER=own", "tftp_server = node", Some(b"own")),
        (67, "", "bootfile = node.0", Some(b"node.0")),
        (67, "BOOTFILE=own.0", "bootfile = node.0", Some(b"own.0")),
        (114, "", "", None),
        (114, "", "captive_portal = https://node.example/api", Some(b"https://node.example/api")),
        (
            114,
            "CAPTIVE_PORTAL=https://own.example",
            "captive_portal = https://node.example",
            Some(b"https://own.example"),
        ),
        (
            121,
            "",
            "routes = 169.254.169.254/32 via 0.0.0.0",
            Some(&[0, 192, 0, 2, 1, 32, 169, 254, 169, 254, 0, 0, 0, 0]),
        ),
        (
            121,
            "ROUTES=10.0.0.0/8 via 192.0.2.9",
            "routes = 169.254.169.254/32 via 0.0.0.0",
            Some(&[0, 192, 0, 2, 1, 8, 10, 192, 0, 2, 9]),
        ),
        (43, "", "", None),
        (43, "", "option_43 = hex:0102", Some(&[1, 2])),
        (43, "OPTION_43=hex:03", "option_43 = hex:0102", Some(&[3])),
        (43, "OPTION_44=hex:03", "option_43 = hex:0102", Some(&[1, 2])),
        (252, "OPTION_252=text:http://wpad/wpad.dat", "", Some(b"http://wpad/wpad.dat")),
        (4, "OPTION_4=ip:192.0.2.4, 192.0.2.5", "", Some(&[192, 0, 2, 4, 192, 0, 2, 5])),
        // In place of what would be said.
        (6, "OPTION_6=ip:192.0.2.99\nNAMESERVERS=192.0.2.53", "", Some(&[192, 0, 2, 99])),
        (6, "", "nameservers = 192.0.2.53\noption_6 = ip:192.0.2.99", Some(&[192, 0, 2, 99])),
        // What the binding says comes before what the node says, whatever the key.
        (6, "NAMESERVERS=192.0.2.53", "option_6 = ip:192.0.2.99", Some(&[192, 0, 2, 53])),
        (12, "", "option_12 = text:everybody", Some(b"vm1")),
        (15, "DOMAIN=own.example", "option_15 = text:node.example", Some(b"own.example")),
        (15, "HOSTNAME=vm.derived.example", "option_15 = text:node.example", Some(b"node.example")),
        (26, "MTU=1400", "option_26 = hex:0578", Some(&[5, 120])),
        (26, "", "option_26 = hex:05dc", Some(&[5, 220])),
        (28, "", "option_28 = ip:192.0.2.99", Some(&[192, 0, 2, 255])),
        (42, "NTP=2001:db8::123", "option_42 = ip:192.0.2.99", Some(&[192, 0, 2, 99])),
        (67, "BOOTFILE=own.0", "option_67 = text:node.0", Some(b"own.0")),
        (119, "OPTION_119=hex:00", "domain_search = example.com", Some(&[0])),
    ];
    for (code, keys, dhcp, expected) in table {
        assert_eq!(value(&lab(keys, dhcp, NO_IPV6), *code).as_deref(), *expected, "{code} {keys:?} {dhcp:?}");
    }
}

#[test]
fn without_a_list_options_by_number_come_last_each_once() {
    let lab =
        lab("OPTION_252=text:w\nOPTION_43=hex:01\nOPTION_15=text:d", "option_43 = hex:02\noption_44 = hex:03", NO_IPV6);
    let sent = lab.ask(DISCOVER).unwrap();
    assert_eq!(sent.codes(), [53, 54, 51, 58, 59, 1, 3, 12, 28, 121, 249, 15, 43, 252, 44]);
}

#[test]
fn leaving_ipv4_is_said_to_those_who_ask_and_can() {
    const GUEST: &str = "SUBNET6=2001:db8::/64\nGATEWAY6=fe80::1\n";
    let wait = Some(vec![0, 0, 7, 8]);
    let with = |keys: &str, dhcp: &str, ipv6: &str| value(&lab(keys, dhcp, ipv6), 108);
    let own = format!("{GUEST}V6ONLY_WAIT=1800");
    assert_eq!(with(&own, "", IPV6), wait);
    assert_eq!(with(&own, "v6only_wait = 300", IPV6), wait);
    assert_eq!(with(GUEST, "v6only_wait = 1800", IPV6), wait);
    assert_eq!(with(GUEST, "", IPV6), None);
    assert_eq!(with("V6ONLY_WAIT=1800", "", IPV6), wait, "whoever its router is");
    let node = "v6only_wait = 1800";
    assert_eq!(with("", node, IPV6), None, "no IPv6");
    assert_eq!(with("SUBNET6=2001:db8::/64", node, IPV6), None, "no gateway");
    assert_eq!(with(&format!("{GUEST}PRIVATE=yes"), node, IPV6), None);
    assert_eq!(with(GUEST, node, &format!("{IPV6}\nrouter_lifetime = 0")), None);
    assert_eq!(with(GUEST, node, "mode = dhcpv6\ndhcpv6_queue = 45"), wait, "the router is somebody else");
    assert_eq!(with(GUEST, node, NO_IPV6), wait, "the router is somebody else");
    let lab = lab(&own, "", IPV6);
    assert!(!lab.ask(DISCOVER).unwrap().codes().contains(&108), "nobody asked");
    assert!(!lab.ask(&[55, 1, 108]).unwrap().codes().contains(&108), "in BOOTP");
    assert!(lab.ask(&[53, 1, 8, 55, 1, 108]).unwrap().codes().contains(&108), "in the ACK to INFORM");
}

#[test]
fn what_does_not_fit_is_refused_by_its_key() {
    let long = "x".repeat(250);
    let fillers: String = (224..=227).map(|code| format!("OPTION_{code}=text:{long}\n")).collect();
    let nodes: String = (224..=227).map(|code| format!("option_{code} = text:{long}\n")).collect();
    let more = "y".repeat(255);
    for (keys, dhcp, expected, line) in [
        (format!("{fillers}OPTION_252=text:{more}{more}"), String::new(), "OPTION_252", Some(10)),
        (fillers.clone(), format!("option_252 = text:{more}{more}"), "dhcp.option_252", None),
        (
            format!("{fillers}BOOTFILE=x\nBOOTFILE_EFI64={more}"),
            format!("option_228 = text:{long}"),
            "BOOTFILE_EFI64",
            Some(11),
        ),
        (String::new(), format!("{nodes}option_228 = text:{long}\nbootfile_ipxe = {more}"), "dhcp.bootfile_ipxe", None),
        (format!("{fillers}TFTP_SERVER={more}"), format!("option_228 = text:{long}"), "TFTP_SERVER", Some(10)),
        (
            format!("{fillers}CAPTIVE_PORTAL=u:{}", &more[2..]),
            format!("option_228 = text:{long}"),
            "CAPTIVE_PORTAL",
            Some(10),
        ),
    ] {
        let lab = lab(&keys, &dhcp, NO_IPV6);
        let error = Answers::new(&lab.binding, &lab.config).unwrap_err();
        assert_eq!((error.key.as_deref(), error.line), (Some(expected), line), "{error}");
    }
}

/// RFC 1534 §2: no more than a BOOTREPLY, which has 300 bytes (RFC 951 §3). The options that come first stay.
#[test]
fn bootp_gets_no_more_than_a_bootreply_holds() {
    let servers = "NAMESERVERS=192.0.2.53, 192.0.2.54, 192.0.2.55";
    let routes: Vec<String> = (1..=20).map(|it| format!("198.51.100.{it}/32 via 192.0.2.254")).collect();
    let mut lab = lab(&format!("{servers}\nROUTES={}\nMTU=1400", routes.join(",")), "domain = example.com", NO_IPV6);
    let with_cookie = message(&[]);
    let mut without = with_cookie.clone();
    without[236..240].fill(0);
    let large = message(&[&[57, 2, 5, 220, 255][..], &[0; 300]].concat());
    for bytes in [&with_cookie, &without, &large] {
        let sent = lab.send(bytes).unwrap();
        assert_eq!((sent.reason, sent.bytes.len()), (Reason::BootpReplied, 300));
        assert_eq!(sent.codes(), [1, 3, 6, 12, 15, 26, 28]);
        assert_eq!(sent.omitted, 2, "routes, twice");
    }
    assert_eq!(lab.ask(&[55, 3, 121, 3, 12]).unwrap().codes(), [1, 3], "in the order of the list");
    assert_eq!(lab.ask(&[82, 9, 1, 7, 1, 2, 3, 4, 5, 6, 7]).unwrap().codes(), [1, 3, 6, 12, 15, 26, 82]);
    lab.context.mtu = 300;
    let sent = lab.send(&with_cookie).unwrap();
    assert_eq!((sent.bytes.len(), sent.codes()), (272, vec![1, 3, 6, 12]));
}
