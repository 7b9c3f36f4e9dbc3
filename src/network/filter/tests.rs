use super::layout::Part;
use super::*;
use crate::binding::InterfaceName;
use crate::network::mac_prefix::MacMask;

fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

/// One element of every kind, for one tap, with the command that adds it.
fn samples(tap: &str) -> Vec<(Element, &'static str)> {
    let tap = name(tap);
    let bridge = name("br0");
    let profile = Profile::Protected;
    let firewall = |profile, port| Element::Firewall { tap, profile, port };
    vec![
        (Element::Sourced { tap }, r#"inet snf_network sourced { "tap0" }"#),
        (Element::Source { tap, address: v4(2).into() }, r#"inet snf_network sources4 { "tap0" . 192.0.2.2 }"#),
        (
            Element::Source { tap, address: "2001:db8::2".parse().unwrap() },
            r#"inet snf_network sources6 { "tap0" . 2001:db8::2 }"#,
        ),
        (Element::Gateway { tap, address: v4(1) }, r#"arp snf_network gateways { "tap0" : 192.0.2.1 }"#),
        (Element::Filtered { tap }, r#"bridge snf_network filtered { "tap0" }"#),
        (
            Element::Station { tap, mac: "aa:20:07:c2:b2:13".parse().unwrap() },
            r#"bridge snf_network stations { "tap0" . aa:20:07:c2:b2:13 }"#,
        ),
        (
            Element::Peers { tap, prefix: MacMask::USUAL.prefix_of("aa:20:07:c2:b2:13".parse().unwrap()) },
            r#"bridge snf_network peers { "tap0" . aa:20:00:00:00:00-aa:20:0f:ff:ff:ff }"#,
        ),
        (firewall(profile, Port::Routed), r#"inet snf_network firewall { "tap0" : goto protected }"#),
        (firewall(Profile::Limited, Port::Bridged), r#"bridge snf_network firewall { "tap0" : goto port_limited }"#),
        (firewall(Profile::Limited, Port::Shown), r#"bridge snf_network shown { "tap0" : goto mark_limited }"#),
        (
            Element::Masquerade { tap, address: v4(2), inside: bridge },
            r#"inet snf_network masqueraded { "br0" . 192.0.2.2 comment "tap0" }"#,
        ),
    ]
}

fn v4(last: u8) -> std::net::Ipv4Addr {
    std::net::Ipv4Addr::new(192, 0, 2, last)
}

/// All tables as they should be, with these elements.
fn whole(elements: impl IntoIterator<Item = Element>) -> Observed {
    let tables = TableFamily::ALL.into_iter().map(|family| (family, Table::whole(family))).collect();
    Observed { tables, elements: elements.into_iter().collect(), bridge_tracking: None }
}

/// The text of a transaction for `tap0`, without the layout's comments.
fn change(observed: &Observed, wanted: &[Element]) -> String {
    let wanted = wanted.iter().copied().collect();
    let transaction = transaction(observed, name("tap0"), &wanted).unwrap();
    transaction.map(|transaction| transaction.to_string()).unwrap_or_default()
}

#[test]
fn every_element_has_its_words() {
    for (element, words) in samples("tap0") {
        assert_eq!(change(&whole([]), &[element]), format!("add element {words}\n"));
        let key = words.split(" comment").next().unwrap().split(" : ").next().unwrap().trim_end_matches(" }");
        assert_eq!(change(&whole([element]), &[]), format!("delete element {key} }}\n"));
        assert_eq!(change(&whole([element]), &[element]), "", "the second time");
    }
}

#[test]
fn what_differs_is_changed_and_nothing_else() {
    let tap = name("tap0");
    let source = |tap, last: u8| Element::Source { tap, address: v4(last).into() };
    let other = source(name("tap1"), 9);
    let gateway = |last| Element::Gateway { tap, address: v4(last) };
    let masquerade = |tap| Element::Masquerade { tap, address: v4(2), inside: name("br0") };
    for (there, wanted, expected) in [
        (vec![other], vec![], ""),
        (
            vec![source(tap, 2), other],
            vec![source(tap, 3)],
            "delete element inet snf_network sources4 { \"tap0\" . 192.0.2.2 }\n\
             add element inet snf_network sources4 { \"tap0\" . 192.0.2.3 }\n",
        ),
        // Another value under the same key.
        (
            vec![gateway(1)],
            vec![gateway(254)],
            "delete element arp snf_network gateways { \"tap0\" }\n\
             add element arp snf_network gateways { \"tap0\" : 192.0.2.254 }\n",
        ),
        // The key of a tap that is perhaps no longer there.
        (
            vec![masquerade(name("tap1"))],
            vec![masquerade(tap)],
            "delete element inet snf_network masqueraded { \"br0\" . 192.0.2.2 }\n\
             add element inet snf_network masqueraded { \"br0\" . 192.0.2.2 comment \"tap0\" }\n",
        ),
    ] {
        assert_eq!(change(&whole(there), &wanted), expected);
    }
}

#[test]
fn clean_takes_all_of_many_taps_at_once() {
    let elements: Vec<_> =
        ["tap0", "tap1", "tap2"].into_iter().map(|tap| Element::Sourced { tap: name(tap) }).collect();
    let observed = whole(elements);
    let removal = |taps: &[&str]| removal(&observed, &taps.iter().map(|tap| name(tap)).collect());
    assert_eq!(
        removal(&["tap0", "tap2", "tap7"]).unwrap().to_string(),
        "delete element inet snf_network sourced { \"tap0\" }\ndelete element inet snf_network sourced { \"tap2\" }\n"
    );
    assert_eq!(removal(&["tap7"]), None);
}

#[test]
fn a_node_gets_the_parts_that_its_taps_need() {
    for (element, _) in samples("tap0") {
        let text = change(&Observed::default(), &[element]);
        let commands: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let has = |words: &str| commands.iter().any(|line| line.starts_with(words));
        assert!(commands.last().unwrap().starts_with("add element"), "{text}");
        assert_eq!(has("add table arp"), matches!(element, Element::Gateway { .. }), "{text}");
        let needs_connections = matches!(element, Element::Firewall { .. });
        assert_eq!(text.contains("ct state"), needs_connections, "{text}");
        assert_eq!(text.contains("type nat"), matches!(element, Element::Masquerade { .. }), "{text}");
    }
}

#[test]
fn what_was_flushed_is_made_again() {
    let element = Element::Sourced { tap: name("tap0") };
    let mut observed = whole([element]);
    observed.tables.insert(TableFamily::Inet, Table { handle: 7, ..Table::default() });
    assert_eq!(change(&observed, &[element]), Part::Sources.text());
    assert_eq!(change(&observed, &[]), "delete element inet snf_network sourced { \"tap0\" }\n");
}

#[test]
fn the_table_of_another_version_is_replaced_and_keeps_the_elements() {
    let [mine, hers, old] = ["tap0", "tap1", "tap9"].map(|tap| Element::Sourced { tap: name(tap) });
    let shown = Element::Firewall { tap: name("tap2"), profile: Profile::Protected, port: Port::Shown };
    let mut observed = whole([hers, old, shown]);
    let foreign = Table::of_chains(7, [("source", "layout 0"), ("sources", "layout 0")]);
    observed.tables.insert(TableFamily::Inet, foreign);
    let head = "delete table inet handle 7\nadd table inet snf_network\ndelete table inet snf_network\n";
    let element = |tap: &str| format!("add element inet snf_network sourced {{ \"{tap}\" }}\n");
    let parts = [Part::Sources, Part::InetOpenings, Part::InetProfiles, Part::Shown].map(Part::text).concat();
    let expected = [head, &parts, &element("tap0"), &element("tap1"), &element("tap9")].concat();
    let elements =
        |text: &str| text.lines().filter(|line| line.contains("element")).map(str::to_owned).collect::<Vec<_>>();
    let text = change(&observed, &[mine]);
    assert!(text.starts_with(&[head, &parts].concat()), "{text}");
    assert_eq!(elements(&text), elements(&expected));
    let removal = removal(&observed, &[name("tap9")].into()).unwrap().to_string();
    assert_eq!(elements(&removal), [element("tap1").trim_end()]);
    let elsewhere = Element::Gateway { tap: name("tap0"), address: v4(1) };
    assert!(!change(&observed, &[elsewhere]).contains("inet"), "a family that is not needed stays as it is");
}

#[test]
fn names_that_nft_cannot_be_told_are_refused() {
    let refused = |tap: &str| {
        let element = Element::Masquerade { tap: name("tap0"), address: v4(2), inside: name(tap) };
        transaction(&whole([]), name("tap0"), &[element].into()).is_err_and(|error| error.0 == name(tap))
    };
    for (text, expected) in [
        ("tap*", true),
        ("*", true),
        ("t\\*", true),
        ("t\"x", true),
        ("\";flush", true),
        ("t*x", false),
        ("t\\", false),
        ("@t", false),
        ("$t", false),
        ("t}#;", false),
        ("täp", false),
    ] {
        assert_eq!(refused(text), expected, "{text}");
    }
}

/// As nft 1.0.6 writes it, with a few things that are not ours.
const LISTINGS: &str = r#"
{"nftables": [{"metainfo": {"version": "1.0.6", "json_schema_version": 1}},
 {"table": {"family": "inet", "name": "snf_network", "handle": 5}},
 {"set": {"family": "inet", "name": "sources4", "table": "snf_network", "type": ["ifname", "ipv4_addr"], "handle": 2,
   "elem": [{"concat": ["tap0", "192.0.2.2"]}, {"concat": ["tap0", "pigeon"]}, {"concat": ["tap*", "192.0.2.2"]}, "tap0", 7]}},
 {"set": {"family": "inet", "name": "sources6", "table": "snf_network"}},
 {"set": {"family": "inet", "name": "other", "table": "snf_network", "elem": ["tap0"]}},
 {"set": {"family": "inet", "name": "sourced", "table": "other", "elem": ["tap0"]}},
 {"set": {"family": "inet", "name": "masqueraded", "table": "snf_network", "elem": [
   {"elem": {"val": {"concat": ["br0", "192.0.2.2"]}, "comment": "tap0", "counter": {"packets": 1}}},
   {"concat": ["br0", "192.0.2.3"]}]}},
 {"map": {"family": "inet", "name": "firewall", "table": "snf_network", "map": "verdict", "elem": [
   ["tap0", {"goto": {"target": "protected"}}], ["tap1", {"drop": null}]]}},
 {"chain": {"family": "inet", "table": "snf_network", "name": "source", "handle": 4}},
 {"rule": {"family": "inet", "table": "snf_network", "chain": "source", "handle": 9, "expr": [{"new": {"thing": []}}]}},
 {"rule": {"family": "inet", "table": "snf_network", "chain": "source", "handle": 10, "comment": "layout 0", "expr": []}},
 {"flowtable": {"family": "inet", "name": 7}}]}
{"nftables": [{"table": {"family": "bridge", "name": "snf_network", "handle": 6}},
 {"set": {"family": "bridge", "name": "peers", "table": "snf_network", "flags": ["interval"], "elem": [
   {"concat": ["tap0", {"range": ["aa:20:00:00:00:00", "aa:20:0f:ff:ff:ff"]}]}, {"concat": ["tap1", "aa:20:00:00:00:05"]}]}}]}
{"nftables": [{"map": {"family": "arp", "name": "gateways", "table": "snf_network", "elem": [["tap0", "192.0.2.1"]]}}]}
"#;

#[test]
fn reads_what_is_ours_and_nothing_else() {
    let [tap, other] = ["tap0", "tap1"].map(name);
    let range = |first: &str, last: &str| {
        crate::network::mac_prefix::MacPrefix::between(first.parse().unwrap(), last.parse().unwrap())
    };
    let observed = Observed::read(LISTINGS).unwrap();
    let expected = [
        Element::Source { tap, address: v4(2).into() },
        Element::Masquerade { tap, address: v4(2), inside: name("br0") },
        Element::Firewall { tap, profile: Profile::Protected, port: Port::Routed },
        Element::Peers { tap, prefix: range("aa:20:00:00:00:00", "aa:20:0f:ff:ff:ff") },
        Element::Peers { tap: other, prefix: range("aa:20:00:00:00:05", "aa:20:00:00:00:05") },
        Element::Gateway { tap, address: v4(1) },
    ];
    assert_eq!(observed.elements, expected.into());
    assert_eq!(observed.tables[&TableFamily::Inet], Table::of_chains(5, [("source", "layout 0")]));
    assert_eq!(observed.tables[&TableFamily::Bridge], Table { handle: 6, ..Table::default() });
}

#[test]
fn no_tables_are_no_elements() {
    assert_eq!(Observed::read("").unwrap(), Observed::default());
    assert!(Observed::read("{\"nftables\": 7}").is_err());
    assert!(Observed::read("Error: Permission denied").is_err());
}

#[test]
fn lists_the_tables_that_are_there() {
    let table =
        |family: &str, name: &str| format!(r#"{{"table": {{"family": "{family}", "name": "{name}", "handle": 1}}}}"#);
    for (tables, expected) in [
        (vec![], vec![]),
        (vec![table("inet", "filter"), table("ip", "snf_network")], vec![]),
        (
            vec![table("arp", "snf_network"), table("bridge", "snf_network")],
            vec!["list table arp snf_network", "list table bridge snf_network"],
        ),
    ] {
        let text = format!(
            r#"{{"nftables": [{{"metainfo": {{"version": "1"}}}}{}]}}"#,
            tables.iter().map(|table| format!(", {table}")).collect::<String>()
        );
        assert_eq!(list_ours(&text).unwrap(), expected);
    }
}
