//! What comes and goes with a tap: twice, down, gone without a word, back as something else, on another node.

use std::fs;

use super::routed::{ROUTER, configured, routed, router};
use super::{Nic, assert_same, belongings, dump, link, program, run};
use crate::bridge::{make_bridge, set_hooks};
use crate::harness::process::outcome;
use crate::harness::{Config, Guest, Lab, SCRATCH, sh, soon, tests};

tests!(ifup_life:
    second_time_changes_nothing,
    ifdown_leaves_nothing,
    nothing_stays_of_what_vanished,
    binding_of_a_vanished_tap_is_nobodys,
    tap_becomes_something_else,
    guest_moves_to_another_tap,
    guest_stays_if_its_move_fails,
    what_is_not_ours_stays,
);

/// A routed guest, one of a private network, and one with a firewall.
fn three() -> [(Guest, Nic); 3] {
    make_bridge();
    set_hooks("1");
    let (first, second) = (routed(1), bridged(2));
    let third = bridged(3);
    let nics = [
        first.1.clone().with("TAGS", "synnefo:network:0:protected"),
        Nic::bridged(&second.0, "nfdhcpd private-filtered nfdhcpd:mtu:1400"),
        Nic::bridged(&third.0, "masq").with("TAGS", "synnefo:network:0:limited a'b"),
    ];
    let mut guests = [first, second, third];
    guests.iter_mut().zip(nics).for_each(|(guest, nic)| guest.1 = nic);
    guests
}

fn bridged(number: u8) -> (Guest, Nic) {
    let mut guest = Guest::new(number);
    guest.insert();
    let nic = Nic::bare(&guest);
    (guest, nic)
}

fn second_time_changes_nothing(_: &mut Lab) {
    let _router = router();
    let nics = three();
    nics.iter().for_each(|(_, nic)| nic.up());
    let before = dump();
    for (_, nic) in &nics {
        assert_eq!(nic.plan(), format!("run {SCRATCH}/extra\n"));
        nic.up();
        assert_same(&dump(), &before);
    }
    let status: serde_json::Value = serde_json::from_str(&run(&["status", "--json"])).unwrap();
    assert_eq!((status["taps"].as_array().unwrap().len(), &status["left_over"]), (3, &serde_json::json!([])));
    assert_eq!(run(&["clean", "--dry-run"]), "");
}

/// Nor is anything of others taken away.
fn ifdown_leaves_nothing(_: &mut Lab) {
    let _router = router();
    let nics = three();
    let before = belongings();
    for _ in 0..2 {
        nics.iter().for_each(|(_, nic)| nic.up());
        let all = belongings();
        nics[1].1.down();
        nics[1].1.down();
        nics[1].1.up();
        assert_same(&belongings(), &all);
        for (guest, _) in &nics {
            assert_eq!(run(&["ifdown", &guest.tap]), "");
            assert!(!belongings().contains(&guest.tap), "{}", belongings());
            let link = sh(&format!("ip link show {}", guest.tap));
            assert!(!link.contains("br0") && !link.contains(",UP"), "{link}");
        }
        assert_same(&belongings(), &before);
    }
}

/// By whichever of the commands comes first. A hook tells of the instance, not of taps.
fn nothing_stays_of_what_vanished(_: &mut Lab) {
    let _router = router();
    let mut nics = three();
    let nothing = belongings();
    nics[2].1.up();
    let living = belongings();
    let hook = || {
        let mut hook = program(&["hook"]);
        hook.envs([("GANETI_HOOKS_PATH", "instance-stop"), ("GANETI_HOOKS_PHASE", "post")]);
        hook.envs([("GANETI_INSTANCE_NAME", "guest11"), ("GANETI_INSTANCE_PRIMARY", "node1")]);
        assert_eq!(outcome(hook.env("GANETI_INSTANCE_NIC_COUNT", "0")), Ok(String::new()));
    };
    let clean = || assert_eq!(run(&["clean"]), "");
    let ifdown = || ["tap1", "tap2"].iter().for_each(|tap| assert_eq!(run(&["ifdown", tap]), ""));
    for remover in [&hook as &dyn Fn(), &clean, &ifdown] {
        for (guest, nic) in &mut nics[..2] {
            nic.up();
            guest.unplug();
        }
        assert_ne!(belongings(), living);
        assert!(run(&["status"]).contains("left over"));
        remover();
        assert_same(&belongings(), &living);
        nics[..2].iter_mut().for_each(|(guest, _)| guest.insert());
    }
    nics[2].0.unplug();
    clean();
    assert_same(&belongings(), &nothing);
}

/// Another guest gets a tap of the same name, in a network without nfdhcpd, and no answer to anything.
fn binding_of_a_vanished_tap_is_nobodys(lab: &mut Lab) {
    make_bridge();
    set_hooks("1");
    lab.divert("-m physdev --physdev-in tap+");
    lab.launch(&Config::default());
    let (mut guest, _) = bridged(1);
    Nic::bridged(&guest, "nfdhcpd private-filtered").up();
    assert!(guest.udhcpc("-q -n").wait().success());
    guest.unplug();
    soon("the end of its address", || lab.daemon().log().contains("tap1").then_some(()));
    guest.insert();
    Nic::bare(&guest).up();
    assert_eq!(belongings().trim(), "");
    let answers = guest.dhcpv4().len();
    let mut client = guest.udhcpc("-q -n -t 2");
    assert!(!client.wait().success(), "{}", client.log());
    assert!(guest.dhcpv4()[answers..].iter().all(|message| message.from_guest));
}

/// Other mode, network, MAC and address: as if it had never been anything else.
fn tap_becomes_something_else(_: &mut Lab) {
    let _router = router();
    make_bridge();
    set_hooks("1");
    sh("ip link add br1 type bridge; ip link set br1 up");
    let mut guest = Guest::new(1);
    let lives = [
        Nic::routed(&guest, "nfdhcpd ip-less-routed").with("TAGS", "synnefo:network:0:protected"),
        Nic::bridged(&guest, "nfdhcpd private-filtered").with("MAC", "aa:20:00:00:00:01"),
        Nic::bridged(&guest, "private-filtered").with("MAC", "aa:30:00:00:00:01").with("LINK", "br1").without("BRIDGE"),
        Nic::routed(&guest, "ip-less-routed").with("IP", "192.0.2.77").with("MAC", "aa:00:00:00:00:77"),
        Nic::routed(&guest, "nfdhcpd"),
        Nic::bridged(&guest, "masq").with("TAGS", "synnefo:network:0:limited"),
        Nic::bare(&guest),
    ];
    let clean_ones: Vec<_> = lives
        .iter()
        .map(|life| {
            guest.insert();
            life.up();
            let all = belongings() + &link("tap1");
            guest.unplug();
            run(&["clean"]);
            assert_eq!(belongings().trim(), "");
            all
        })
        .collect();
    guest.insert();
    // The same device first, then soft reboots, which make a new one of the same name.
    for is_new in [false, true] {
        for (life, expected) in lives.iter().zip(&clean_ones).chain(lives.iter().zip(&clean_ones).rev()) {
            life.up();
            let all = belongings() + &link("tap1");
            assert_same(&all, expected);
            if is_new {
                guest.unplug();
                guest.insert();
            }
        }
    }
}

/// Its address is where it came last, though nobody has removed what was there before.
fn guest_moves_to_another_tap(_: &mut Lab) {
    let router = router();
    let first = configured(1);
    let mut second = Guest::new(2);
    second.mac = first.mac;
    second.insert();
    let nic = Nic::routed(&first, "nfdhcpd ip-less-routed").with("INTERFACE", "tap2");
    nic.up();
    second.sh(&format!(
        "ip address add {}/24 dev eth0; ip route add default via 192.0.2.1
         ip address add {}/64 dev eth0 nodad; ip -6 route add default via {ROUTER} dev eth0",
        first.ip(),
        first.eui64()
    ));
    router.sh(&format!("ping -4 -c 1 -W 5 {}; ping -6 -c 1 -W 5 {}", first.ip(), first.eui64()));
    first.unplug();
    run(&["clean"]);
    router.sh(&format!("ping -4 -c 1 -W 5 {}; ping -6 -c 1 -W 5 {}", first.ip(), first.eui64()));
    assert!(!belongings().contains("tap1"), "{}", belongings());
}

/// The tap that its address goes to fails at the very end: what was taken for that is where it was.
fn guest_stays_if_its_move_fails(_: &mut Lab) {
    let router = router();
    let first = configured(1);
    Guest::new(2).insert();
    let all = belongings();
    fs::write(format!("{SCRATCH}/extra"), "#!/bin/sh\nexit 1\n").unwrap();
    sh("chmod 755 /run/lab/extra");
    let nic = Nic::routed(&first, "nfdhcpd ip-less-routed").with("INTERFACE", "tap2");
    let error = nic.try_up().unwrap_err();
    assert!(error.contains("run /run/lab/extra: exit status: 1") && error.lines().count() == 1, "{error}");
    assert_same(&belongings(), &all);
    router.sh(&format!("ping -4 -c 1 -W 5 {}; ping -6 -c 1 -W 5 {}", first.ip(), first.eui64()));
}

/// Rules, routes, proxies, tables and files of others that look much like ours.
fn what_is_not_ours_stays(_: &mut Lab) {
    let _router = router();
    // It stays, since others may need it.
    sh("sysctl -qw net.ipv6.conf.up0.proxy_ndp=1
        ip rule add iif tap1 lookup 100 priority 31000; ip route add 192.0.2.99/32 dev lo table 100
        ip neigh add proxy 192.0.2.99 dev up0; ip -6 neigh add proxy 2001:db8:0:1::99 dev up0
        nft 'add table inet others; add set inet others taps { type ifname; }; add element inet others taps { tap1 }'");
    fs::write(format!("{SCRATCH}/bindings/README"), "what is in here\n").unwrap();
    run(&["clean"]);
    let before = dump();
    let (guest, nic) = routed(1);
    nic.up();
    guest.unplug();
    run(&["clean"]);
    let after = dump();
    for line in before.lines() {
        assert!(after.contains(line), "{line} is not in\n{after}");
    }
}
