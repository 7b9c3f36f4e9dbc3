//! Plans as a whole: what a NIC's life does to a node.

use super::down::Taken;
use super::filter::{BridgeTracking, Element, Port, Profile};
use super::settings::Settings;
use super::state::{Family, Link, State, Sysctl, SysctlKey, Uplink};
use super::testing::{
    BRIDGED, ROUTED, add_tap, clean, down, name, node, plan, remove_tap, take_back, up, up_to, variables,
};
use super::up::Context;
use super::{Change, Nic, Plan, Variables};
use crate::binding::IfIndex;

/// The lines of a plan that begin so, without those of files and transactions.
fn lines(plan: &Plan) -> Vec<String> {
    plan.0.iter().map(Change::title).collect()
}

/// What routing and filters there are, for tests that all of it is gone.
fn has_nothing(state: &State) -> bool {
    state.rules.is_empty()
        && state.routes.is_empty()
        && state.proxies.is_empty()
        && state.filters.elements.is_empty()
        && state.bindings.is_empty()
}

#[test]
fn a_bridged_nic_becomes_a_port_that_says_nothing_itself() {
    let mut state = node();
    let plan = up(&mut state, BRIDGED, &[]);
    let expected = [
        "sysctl net.ipv6.conf.tap0.disable_ipv6 = 1",
        "link tap0 address fe:20:00:c2:b2:13",
        "link tap0 mtu 9000",
        "link tap0 master prv0",
        "link tap0 up",
        "write /var/lib/nfdhcpd/tap0",
    ];
    assert_eq!(lines(&plan), expected);
    let binding = "INDEV=prv0\nIP=192.0.2.5\nMAC=aa:20:00:c2:b2:13\nHOSTNAME=inst1.example.com\nTAGS=web
GATEWAY=192.0.2.1\nSUBNET=192.0.2.0/24\nGATEWAY6=2001:db8::1\nSUBNET6=2001:db8::/64
EUI64=2001:db8::a820:ff:fec2:b213\n";
    assert_eq!(state.bindings[&name("tap0")], binding);
}

#[test]
fn a_port_never_has_its_guests_mac() {
    for (guest, port) in [("aa:20:00:c2:b2:13", "fe:20:00:c2:b2:13"), ("fe:20:00:c2:b2:13", "fa:20:00:c2:b2:13")] {
        let mut state = node();
        up(&mut state, BRIDGED, &[&format!("MAC={guest}")]);
        assert_eq!(state.links[&name("tap0")].mac, Some(port.parse().unwrap()), "{guest}");
    }
}

#[test]
fn a_routed_nic_gets_a_way_in_and_out_before_anybody_is_told() {
    let mut state = node();
    let plan = up(&mut state, BRIDGED, ROUTED);
    let expected = [
        "nft transaction",
        "sysctl net.ipv6.conf.tap0.accept_ra = 0",
        "sysctl net.ipv4.conf.tap0.proxy_arp = 1",
        "sysctl net.ipv6.conf.eth1.proxy_ndp = 1",
        "link tap0 address cc:47:52:4e:45:54",
        "link tap0 up",
        "rule add ipv4 iif tap0 lookup 100",
        "rule add ipv6 iif tap0 lookup 100",
        "route add 192.0.2.5/32 dev tap0 table 100",
        "route add 2001:db8::a820:ff:fec2:b213/128 dev tap0 table 100",
        "proxy add 192.0.2.5 dev eth1",
        "proxy add 2001:db8::a820:ff:fec2:b213 dev eth1",
        "write /var/lib/nfdhcpd/tap0",
        "announce 192.0.2.5 dev eth1 by gratuitous ARP",
        "announce 2001:db8::a820:ff:fec2:b213 dev eth1 by unsolicited NA",
    ];
    assert_eq!(lines(&plan), expected);
    assert!(state.bindings[&name("tap0")].starts_with("INDEV=tap0\n"));
    let tap = name("tap0");
    let addresses = ["192.0.2.5", "2001:db8::a820:ff:fec2:b213"].map(|text| text.parse().unwrap());
    let mut expected: Vec<Element> = addresses.map(|address| Element::Source { tap, address }).to_vec();
    expected.extend([Element::Sourced { tap }, Element::Gateway { tap, address: [192, 0, 2, 1].into() }]);
    assert_eq!(state.filters.elements, expected.into_iter().collect());
}

#[test]
fn twice_changes_nothing() {
    for more in [
        &[][..],
        ROUTED,
        &["NETWORK_TAGS=private-filtered masq"],
        &["NETWORK_TAGS=", "IP="],
        &["LINK=100", "MODE=routed", "NETWORK_TAGS="],
    ] {
        let mut state = node();
        let first = up(&mut state, BRIDGED, more);
        assert_ne!(first, Plan::default(), "{more:?}");
        assert_eq!(lines(&up(&mut state, BRIDGED, more)), [""; 0], "{more:?}");
    }
}

#[test]
fn down_leaves_nothing() {
    for more in [&[][..], ROUTED, &["NETWORK_TAGS=nfdhcpd private-filtered masq"]] {
        let mut state = node();
        up(&mut state, BRIDGED, more);
        down(&mut state, "tap0");
        assert!(has_nothing(&state), "{more:?}: {state:?}");
        let link = &state.links[&name("tap0")];
        assert!(!link.is_up && link.master.is_none(), "{more:?}");
        assert_eq!(lines(&down(&mut state, "tap0")), [""; 0], "{more:?}");
    }
}

#[test]
fn down_of_a_tap_that_is_gone_leaves_nothing_either() {
    let mut state = node();
    up(&mut state, BRIDGED, ROUTED);
    remove_tap(&mut state, "tap0");
    down(&mut state, "tap0");
    assert!(has_nothing(&state), "{state:?}");
}

#[test]
fn clean_removes_what_vanished_taps_left_and_nothing_else() {
    let mut state = node();
    add_tap(&mut state, "tap1", 11);
    up(&mut state, BRIDGED, ROUTED);
    let tap1 = [ROUTED, &["INTERFACE=tap1", "IP=192.0.2.6", "MAC=aa:20:00:00:00:06"]].concat();
    up(&mut state, BRIDGED, &tap1);
    state.bindings.insert(name("README"), "what these files are\n".to_owned());
    assert_eq!(lines(&clean(&mut state)), [""; 0], "both are there");

    remove_tap(&mut state, "tap0");
    let expected = [
        "remove /var/lib/nfdhcpd/tap0",
        "proxy remove 192.0.2.5 dev eth1",
        "proxy remove 2001:db8::a820:ff:fec2:b213 dev eth1",
        "rule remove ipv4 iif tap0 lookup 100",
        "rule remove ipv6 iif tap0 lookup 100",
        "nft transaction",
    ];
    assert_eq!(lines(&clean(&mut state)), expected);
    assert_eq!(lines(&up(&mut state, BRIDGED, &tap1)), [""; 0], "the other has all it had");
    assert!(state.bindings.contains_key(&name("README")));
}

#[test]
fn the_address_of_a_vanished_tap_may_live_on_elsewhere() {
    let mut state = node();
    up(&mut state, BRIDGED, ROUTED);
    remove_tap(&mut state, "tap0");
    add_tap(&mut state, "tap1", 11);
    let again = [ROUTED, &["INTERFACE=tap1"]].concat();
    let plan = up(&mut state, BRIDGED, &again);
    assert!(lines(&plan).contains(&"announce 192.0.2.5 dev eth1 by gratuitous ARP".to_owned()), "{plan}");
    clean(&mut state);
    assert_eq!(state.proxies.len(), 2, "they are tap1's now");
    assert_eq!(lines(&up(&mut state, BRIDGED, &again)), [""; 0]);
}

#[test]
fn an_address_has_one_place() {
    let mut state = node();
    add_tap(&mut state, "tap1", 11);
    up(&mut state, BRIDGED, ROUTED);
    let plan = up(&mut state, BRIDGED, &[ROUTED, &["INTERFACE=tap1"]].concat());
    assert!(lines(&plan).contains(&"route remove 192.0.2.5/32 dev tap0 table 100".to_owned()), "{plan}");
    assert!(state.routes.iter().all(|route| route.tap == name("tap1")));
}

/// A node on which the address of tap0 is on its way to tap1, as far as so many changes go; and what was taken from tap0.
fn taken_over(count: usize) -> (State, Taken) {
    let mut state = node();
    add_tap(&mut state, "tap1", 11);
    up(&mut state, BRIDGED, ROUTED);
    let mut taken = Taken::default();
    let plan = up_to(&mut state, BRIDGED, &[ROUTED, &["INTERFACE=tap1"]].concat(), count);
    plan.0.iter().for_each(|change| taken.note(name("tap1"), change));
    (state, taken)
}

#[test]
fn what_was_taken_is_given_back_wherever_ifup_fails() {
    let (before, _) = taken_over(0);
    let ours = |state: &State| {
        let State { rules, routes, proxies, bindings, filters, .. } = state.clone();
        (rules, routes, proxies, bindings, filters.elements)
    };
    let whole = plan(&before, &variables(BRIDGED, &[ROUTED, &["INTERFACE=tap1"]].concat())).unwrap();
    for count in 0..=whole.0.len() {
        let (mut state, taken) = taken_over(count);
        take_back(&mut state, "tap1", &taken);
        assert_eq!(ours(&state), ours(&before), "after {count} changes of\n{whole}");
        assert_eq!(lines(&take_back(&mut state, "tap1", &taken)), [""; 0]);
    }
}

#[test]
fn what_was_taken_is_not_given_to_who_no_longer_wants_it() {
    let other_address = [ROUTED, &["IP=192.0.2.9", "MAC=aa:20:00:00:00:09"]].concat();
    let third = [ROUTED, &["INTERFACE=tap2"]].concat();
    type Happens<'a> = &'a dyn Fn(&mut State);
    let meanwhile: [(&str, Happens<'_>); 4] = [
        ("is gone", &|state| remove_tap(state, "tap0")),
        ("is down", &|state| drop(down(state, "tap0"))),
        ("has another address", &|state| drop(up(state, BRIDGED, &other_address))),
        ("a third came", &|state| {
            add_tap(state, "tap2", 12);
            up(state, BRIDGED, &third);
        }),
    ];
    for (what, happens) in meanwhile {
        let (mut state, taken) = taken_over(usize::MAX);
        happens(&mut state);
        let plan = take_back(&mut state, "tap1", &taken);
        assert!(!plan.0.iter().any(|change| matches!(change, Change::AddRoute(_))), "{what}: {plan}");
    }
}

#[test]
fn two_tables_may_have_the_same_addresses() {
    let mut state = node();
    add_tap(&mut state, "tap1", 11);
    let link = state.links[&name("eth1")].clone();
    state.links.insert(name("eth2"), Link { ifindex: IfIndex::new(4).unwrap(), ..link });
    for family in [Family::V4, Family::V6] {
        state.uplinks.insert(Uplink { family, table: 101, metric: 0, device: name("eth2") });
    }
    let other = [ROUTED, &["INTERFACE=tap1", "LINK=101"]].concat();
    up(&mut state, BRIDGED, ROUTED);
    up(&mut state, BRIDGED, &other);
    assert_eq!(state.proxies.len(), 4, "{:?}", state.proxies);
    assert_eq!(lines(&up(&mut state, BRIDGED, ROUTED)), [""; 0]);
    down(&mut state, "tap1");
    assert!(state.proxies.iter().all(|proxy| proxy.uplink == name("eth1")), "{:?}", state.proxies);
    assert_eq!(lines(&up(&mut state, BRIDGED, ROUTED)), [""; 0]);
}

#[test]
fn another_life_of_a_tap_forgets_the_earlier_one() {
    let other = &["MAC=aa:20:00:00:00:09", "IP=192.0.2.9", "INSTANCE=other"][..];
    let lives = [&[][..], ROUTED, &["NETWORK_TAGS=private-filtered"], &["NETWORK_TAGS=", "IP="], other];
    for earlier in lives {
        for later in lives {
            let (mut lived, mut fresh) = (node(), node());
            up(&mut lived, BRIDGED, earlier);
            // A soft reboot: the same name, another device.
            remove_tap(&mut lived, "tap0");
            add_tap(&mut lived, "tap0", 12);
            up(&mut lived, BRIDGED, later);
            up(&mut fresh, BRIDGED, later);
            fresh.links.get_mut(&name("tap0")).unwrap().ifindex = lived.links[&name("tap0")].ifindex;
            // The uplink keeps its setting: it does nothing without proxies.
            let proxy_ndp = Sysctl { family: Family::V6, device: name("eth1"), key: SysctlKey::ProxyNdp };
            fresh.sysctls.insert(proxy_ndp, lived.sysctls[&proxy_ndp].clone());
            assert_eq!(lived, fresh, "{earlier:?}, then {later:?}");
        }
    }
}

#[test]
fn whatever_was_done_the_next_run_does_the_rest() {
    let whole = plan(&node(), &variables(BRIDGED, ROUTED)).unwrap();
    for missing in 0..whole.0.len() {
        let mut state = node();
        up(&mut state, BRIDGED, ROUTED);
        let after = state.clone();
        match &whole.0[missing] {
            Change::AddRule(rule) => assert!(state.rules.remove(rule)),
            Change::AddRoute(route) => assert!(state.routes.remove(route)),
            Change::AddProxy(proxy) => assert!(state.proxies.remove(proxy)),
            Change::WriteBinding { .. } => state.bindings.clear(),
            Change::Filter(_) => state.filters.elements.clear(),
            _ => {}
        }
        up(&mut state, BRIDGED, ROUTED);
        assert_eq!(state, after, "without {}", whole.0[missing]);
    }
}

#[test]
fn a_move_is_announced_until_it_was() {
    let mut state = node();
    up(&mut state, BRIDGED, ROUTED);
    let is_announced = |state: &State| {
        let plan = plan(state, &variables(BRIDGED, ROUTED)).unwrap();
        lines(&plan).contains(&"announce 192.0.2.5 dev eth1 by gratuitous ARP".to_owned())
    };
    assert!(!is_announced(&state), "all is there");
    let mut rebooted = state.clone();
    rebooted.routes.clear();
    assert!(is_announced(&rebooted), "another device of the same name");
    state.proxies.clear();
    assert!(is_announced(&state), "cut short before the proxies");
}

#[test]
fn a_firewall_on_a_bridge_is_the_kernels_kind() {
    let more = &["TAGS=synnefo:network:0:protected"];
    let mut state = node();
    let refused = plan(&state, &variables(BRIDGED, more)).unwrap_err().to_string();
    assert!(
        refused.starts_with("TAGS=\"synnefo:network:0:protected\": a firewall profile on a bridge needs"),
        "{refused}"
    );
    for (tracking, port) in [(BridgeTracking::Bridge, Port::Bridged), (BridgeTracking::Inet, Port::Shown)] {
        state.filters.bridge_tracking = Some(tracking);
        up(&mut state, BRIDGED, more);
        let firewall = Element::Firewall { tap: name("tap0"), profile: Profile::Protected, port };
        assert!(state.filters.elements.contains(&firewall), "{state:?}");
    }
    let routed = [ROUTED, more].concat();
    up(&mut state, BRIDGED, &routed);
    let firewall = Element::Firewall { tap: name("tap0"), profile: Profile::Protected, port: Port::Routed };
    assert!(state.filters.elements.contains(&firewall));
}

#[test]
fn equal_addresses_on_a_bridge_are_not_both_masqueraded() {
    let mut state = node();
    add_tap(&mut state, "tap1", 20);
    let of = |tap| [tap, "NETWORK_TAGS=masq"];
    up(&mut state, BRIDGED, &of("INTERFACE=tap0"));
    up(&mut state, BRIDGED, &of("INTERFACE=tap0"));
    let refused = plan(&state, &variables(BRIDGED, &of("INTERFACE=tap1"))).unwrap_err().to_string();
    assert_eq!(refused, "IP=\"192.0.2.5\": already masqueraded for tap0, on the same bridge");
    remove_tap(&mut state, "tap0");
    let taken = plan(&state, &variables(BRIDGED, &of("INTERFACE=tap1"))).unwrap().to_string();
    assert!(taken.contains("delete element inet snf_network masqueraded"), "that of a tap that is gone: {taken}");
}

#[test]
fn bad_input_names_the_variable() {
    let routed = |more: &[&'static str]| [ROUTED, more].concat();
    for (more, expected) in [
        (vec!["INTERFACE="], "INTERFACE: not set"),
        (vec!["INTERFACE=../x"], "INTERFACE=\"../x\": not an interface name"),
        (vec!["INTERFACE=tap7"], "INTERFACE=\"tap7\": there is no such interface"),
        (vec!["INTERFACE=tap0.tmp"], "INTERFACE=\"tap0.tmp\": nfdhcpd takes a file of this name for a temporary one"),
        (vec!["MODE="], "MODE: not set"),
        (vec!["MODE=openvswitch"], "MODE=\"openvswitch\": not bridged or routed"),
        (vec!["MAC=zz"], "MAC=\"zz\": not a MAC address"),
        (vec!["MAC=ff:ff:ff:ff:ff:ff"], "MAC=\"ff:ff:ff:ff:ff:ff\": not the MAC address of one station"),
        (vec!["INSTANCE=a b"], "INSTANCE=\"a b\": not a domain name"),
        (vec!["INSTANCE=$(reboot)"], "INSTANCE=\"$(reboot)\": not a domain name"),
        (vec!["BRIDGE=prv7"], "BRIDGE=\"prv7\": there is no such interface"),
        (vec!["BRIDGE=prv7", "LINK=prv7"], "LINK=\"prv7\": there is no such interface"),
        (vec!["BRIDGE=eth1"], "BRIDGE=\"eth1\": not a bridge"),
        (vec!["VLAN=.5"], "VLAN=\".5\": VLANs of a bridge are not set up here"),
        (vec!["IP=192.0.2.256"], "IP=\"192.0.2.256\": not an IPv4 address"),
        (vec!["IP=2001:db8::g"], "IP=\"2001:db8::g\": not an IPv6 address"),
        (vec!["IP=198.51.100.1"], "the guest's binding would be rejected: /var/lib/nfdhcpd/tap0:2: IP"),
        (vec!["NETWORK_SUBNET=x"], "NETWORK_SUBNET=\"x\": not an IPv4 network"),
        (vec!["NETWORK_TAGS=nfdhcpd:mtu:x nfdhcpd"], "the guest's binding would be rejected: /var/lib/nfdhcpd/tap0"),
        (vec!["NETWORK_TAGS=ip-less-routed"], "MODE=\"bridged\": the network is tagged for routing"),
        (
            routed(&["NETWORK_TAGS=nfdhcpd ip-less-routed mac-filtered"]),
            "NETWORK_TAGS=\"nfdhcpd ip-less-routed mac-filtered\": private-filtered (or mac-filtered) keeps networks apart",
        ),
        (vec!["MODE=routed", "LINK=", "NETWORK_TAGS=private-filtered"], "NETWORK_TAGS=\"private-filtered\": "),
        (
            vec!["TAGS=synnefo:network:0:open"],
            "TAGS=\"synnefo:network:0:open\": \"synnefo:network:0:open\": the profiles are",
        ),
        (routed(&["LINK="]), "LINK: not set"),
        (routed(&["LINK=no-such"]), "LINK=\"no-such\": no routing table"),
        (routed(&["LINK=101"]), "LINK=\"101\": the routing table has no ipv4 default route"),
        (routed(&["NETWORK_GATEWAY="]), "NETWORK_GATEWAY: not set"),
        (routed(&["NETWORK_GATEWAY=192.0.2.5"]), "IP=\"192.0.2.5\": the same as NETWORK_GATEWAY"),
    ] {
        let mut state = node();
        add_tap(&mut state, "tap0.tmp", 12);
        let result = plan(&state, &variables(BRIDGED, &more));
        let error = result.map(|plan| panic!("{more:?}: {plan}")).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{more:?}: {error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn a_slip_in_a_name_does_not_cut_off_the_node() {
    for (own, what) in [("eth1", "the way of a default route"), ("prv0", "a bridge")] {
        let tap = format!("INTERFACE={own}");
        let error = plan(&node(), &variables(BRIDGED, &[&tap])).unwrap_err().to_string();
        assert_eq!(error, format!("INTERFACE=\"{own}\": no tap, but {what} of the node"));
        let mut state = node();
        assert!(super::down::plan(name(own), &state, &Settings::default()).is_err(), "{own}");
        // What has that name and is ours goes all the same.
        state.bindings.insert(name(own), "MAC=aa:00:00:00:00:01\n".to_owned());
        assert_eq!(lines(&down(&mut state, own)), [format!("remove /var/lib/nfdhcpd/{own}")]);
    }
}

#[test]
fn a_nic_without_a_network_is_a_port_and_no_more() {
    let base = &["INTERFACE=tap0", "INSTANCE=inst1", "MODE=bridged", "LINK=prv0", "MAC=aa:20:00:c2:b2:13"];
    let mut state = node();
    up(&mut state, base, &[]);
    assert!(has_nothing(&state), "{state:?}");
    assert!(state.links[&name("tap0")].is_up);
}

#[test]
fn an_address_of_ipv6_is_none_of_ipv4() {
    let mut state = node();
    up(&mut state, BRIDGED, &["IP=2001:db8::5"]);
    let binding = &state.bindings[&name("tap0")];
    assert!(!binding.contains("\nIP=") && binding.contains("EUI64="), "{binding}");
}

#[test]
fn more_tags_than_a_binding_holds_do_no_harm() {
    let tags = format!("TAGS={}", "some-long-tag ".repeat(10_000));
    let mut state = node();
    up(&mut state, BRIDGED, &[&tags]);
    let kept = state.bindings[&name("tap0")].lines().find_map(|line| line.strip_prefix("TAGS=")).unwrap();
    assert!((4000..=4096).contains(&kept.len()) && kept.ends_with("tag"), "{}", kept.len());
}

#[test]
fn what_is_printed_is_nothing_that_a_terminal_obeys() {
    let plan = plan(&node(), &variables(BRIDGED, &["TAGS=\u{1b}[31m 'x' \u{202e}"])).unwrap();
    assert!(plan.to_string().contains("\n    TAGS=\\u{1b}[31m 'x' \\u{202e}\n"), "{plan}");
    let text = plan.0.iter().find_map(|change| match change {
        Change::WriteBinding { text, .. } => Some(text),
        _ => None,
    });
    assert!(text.unwrap().contains("\nTAGS=\u{1b}[31m 'x' \u{202e}\n"), "what is written is what was said");
}

#[test]
fn settings_and_script_take_part() {
    let settings = Settings {
        tap_constant_mac: "02:00:00:00:00:01".parse().unwrap(),
        ifup_extra_script: Some("/etc/x".into()),
        ..Settings::default()
    };
    let variables = variables(BRIDGED, ROUTED);
    let context = Context { settings: &settings, table: Some(100), variables: &variables };
    let plan = super::up::plan(&Nic::read(&variables, &settings).unwrap(), &node(), &context).unwrap();
    let lines = lines(&plan);
    assert!(lines.contains(&"link tap0 address 02:00:00:00:00:01".to_owned()));
    assert_eq!(lines.last().unwrap(), "run /etc/x", "last, when all is there");
}

#[test]
fn variables_that_are_empty_are_unset() {
    let variables: Variables = [("A", ""), ("B", " \t"), ("C", " c ")].into_iter().collect();
    assert_eq!(
        [variables.optional("A"), variables.optional("B"), variables.optional("C"), variables.optional("D")],
        [None, None, Some("c"), None]
    );
}
