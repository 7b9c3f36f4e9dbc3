//! The tables themselves: changed by many at once, by administrators, by other versions.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use nfdhcpd::binding::InterfaceName;
use nfdhcpd::network::filter::{Element, Observed, Port, Profile, TABLE, TableFamily, removal};
use nfdhcpd::network::mac_prefix::MacMask;

use super::{apply, change, has_bridge_tracking, load, name, observe};
use crate::harness::{Lab, SCRATCH, sh, tests, try_sh};

tests!(tables:
    what_is_loaded_is_read,
    keys_pass_from_tap_to_tap,
    what_was_flushed_comes_back,
    another_version_is_replaced,
    a_hundred_first_taps_at_once,
);

/// Elements of every kind that this kernel takes.
fn all_kinds(tap: InterfaceName, last: u8) -> Vec<Element> {
    let (bridge, profile) = (name("br0"), Profile::Limited);
    let mac = nfdhcpd::wire::MacAddr::new([0xaa, 0x20, 7, 0, 0, last]);
    let v4 = std::net::Ipv4Addr::new(192, 0, 2, last);
    let v6 = format!("2001:db8::{last:x}").parse().unwrap();
    let firewall = |profile, port| Element::Firewall { tap, profile, port };
    let mut all = vec![
        Element::Sourced { tap },
        Element::Source { tap, address: v4.into() },
        Element::Source { tap, address: v6 },
        Element::Gateway { tap, address: v4 },
        Element::Filtered { tap },
        Element::Station { tap, mac },
        Element::Peers { tap, prefix: MacMask::USUAL.prefix_of(mac) },
        firewall(Profile::Protected, Port::Routed),
        firewall(profile, Port::Shown),
        Element::Masquerade { tap, address: v4, inside: bridge },
    ];
    if has_bridge_tracking() {
        all.push(firewall(profile, Port::Bridged));
    }
    all
}

fn set(elements: &[Element]) -> BTreeSet<Element> {
    elements.iter().copied().collect()
}

fn what_is_loaded_is_read(_: &mut Lab) {
    assert_eq!(observe(), Observed::default());
    for odd in ["tap0", "123456789012345", "12", "t}#;", "täp", "@t", "$t", "t\\", "t\\\\n", "t*x", "drop", "'t'"] {
        let tap = name(odd);
        let elements = all_kinds(tap, 1);
        apply(tap, &elements);
        assert_eq!(observe().elements, set(&elements), "{odd}");
        let removal = removal(&observe(), &[tap].into()).unwrap();
        load(&removal).unwrap();
        assert!(observe().elements.is_empty(), "{odd}");
    }
    let probe = sh("nft list tables");
    assert!(!probe.contains("probe"), "{probe}");
}

/// The addresses of a vanished tap, another profile, another prefix.
fn keys_pass_from_tap_to_tap(_: &mut Lab) {
    let [old, new] = ["tap0", "tap1"].map(name);
    apply(old, &all_kinds(old, 1));
    apply(new, &all_kinds(new, 1));
    let left = observe().elements.into_iter().filter(|element| element.tap() == old).collect::<Vec<_>>();
    assert!(!left.is_empty() && left.iter().all(|element| !is_taken(element)), "{left:?}");
    apply(new, &all_kinds(new, 2));
    let swapped = |element: Element| match element {
        Element::Firewall { tap, port, profile: Profile::Limited } => {
            Element::Firewall { tap, port, profile: Profile::Protected }
        }
        Element::Peers { tap, .. } => {
            let mask = "ff:ff:ff:00:00:00".parse::<MacMask>().unwrap();
            Element::Peers { tap, prefix: mask.prefix_of(nfdhcpd::wire::MacAddr::new([0xaa, 0x20, 7, 0, 0, 2])) }
        }
        other => other,
    };
    apply(new, &all_kinds(new, 2).into_iter().map(swapped).collect::<Vec<_>>());
}

/// Whether it is under a key that another tap can have.
fn is_taken(element: &Element) -> bool {
    matches!(element, Element::Masquerade { .. })
}

fn what_was_flushed_comes_back(_: &mut Lab) {
    let tap = name("tap0");
    let elements = all_kinds(tap, 1);
    apply(tap, &elements);
    let before = listed();
    for flush in [
        "nft flush ruleset".to_owned(),
        format!("nft flush table inet {TABLE}; nft flush table bridge {TABLE}"),
        format!("nft flush chain inet {TABLE} source"),
        format!("nft flush map inet {TABLE} firewall; nft flush set bridge {TABLE} peers"),
        format!("nft delete table arp {TABLE}"),
        format!("nft insert rule inet {TABLE} source accept; nft add rule inet {TABLE} source drop"),
    ] {
        sh(&flush);
        assert!(change(&observe(), tap, &elements).is_some(), "{flush}");
        apply(tap, &elements);
        assert_eq!(listed(), before, "{flush}");
    }
}

/// Its sets may have other types, and its chains other hooks. Who comes second finds that out, and takes nothing away.
fn another_version_is_replaced(_: &mut Lab) {
    let [one, two, old] = ["tap1", "tap2", "tap3"].map(name);
    sh(&format!(
        "nft 'add table inet {TABLE}; add set inet {TABLE} sourced {{ type ifname; }}
         add set inet {TABLE} sources4 {{ type mark; }}
         add chain inet {TABLE} sources {{ type filter hook input priority 7; }}
         add rule inet {TABLE} sources iifname @sourced drop comment \"layout 0\"
         add element inet {TABLE} sourced {{ \"tap3\" }}; add element inet {TABLE} sources4 {{ 7 }}'"
    ));
    let observed = observe();
    let wanted = |tap| vec![Element::Sourced { tap }, Element::Source { tap, address: "192.0.2.1".parse().unwrap() }];
    let [first, second] = [one, two].map(|tap| change(&observed, tap, &wanted(tap)).unwrap());
    load(&first).unwrap();
    load(&second).unwrap_err();
    apply(two, &wanted(two));
    let expected = [wanted(one), wanted(two), vec![Element::Sourced { tap: old }]].concat();
    assert_eq!(observe().elements, set(&expected));
    assert!(sh(&format!("nft list table inet {TABLE}")).contains("hook prerouting priority raw"));
}

/// All that is in the tables, in the words of nft.
fn listed() -> String {
    let list = |family: TableFamily| try_sh(&format!("nft list table {family} {TABLE}")).unwrap_or_default();
    TableFamily::ALL.map(list).concat()
}

fn a_hundred_first_taps_at_once(_: &mut Lab) {
    let taps: Vec<_> = (1..=100).map(|number| (name(&format!("tap{number}")), number)).collect();
    let empty = observe();
    let mut script = String::new();
    for (tap, number) in &taps {
        let file = format!("{SCRATCH}/{tap}.nft");
        fs::write(&file, change(&empty, *tap, &all_kinds(*tap, *number)).unwrap().to_string()).unwrap();
        write!(script, "nft -f {file} & pids=\"$pids $!\"; ").unwrap();
    }
    sh(&format!("{script} for pid in $pids; do wait $pid; done"));
    let observed = observe();
    let expected: Vec<_> = taps.iter().flat_map(|(tap, number)| all_kinds(*tap, *number)).collect();
    assert_eq!(observed.elements, set(&expected));
    load(&removal(&observed, &taps.iter().map(|(tap, _)| *tap).collect()).unwrap()).unwrap();
    let many = listed();
    sh("nft flush ruleset");
    let (tap, number) = taps[0];
    apply(tap, &all_kinds(tap, number));
    apply(tap, &[]);
    assert_eq!(many, listed(), "no rule is there twice");
}
