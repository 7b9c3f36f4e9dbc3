//! Many at once, and those that are killed.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::routed::{routed, router};
use super::{Nic, assert_same, belongings, dump, link, program, run};
use crate::bridge::{make_bridge, set_hooks};
use crate::harness::process::outcome;
use crate::harness::{Guest, Lab, SCRATCH, sh, soon, tests};

tests!(ifup_many:
    a_hundred_come_at_once,
    killed_runs_are_finished_by_the_next,
    many_clean_at_once,
    one_nic_many_times_at_once,
    who_works_on_a_tap_works_alone,
    taps_vanish_while_they_are_set_up,
    bridges_vanish_as_well,
);

/// How many NICs.
const MANY: u8 = 100;

/// The NIC behind one of many taps, of each kind. Nobody is behind them, so that a node's day fits into seconds.
fn nth(number: u8) -> Nic {
    let mut guest = Guest::unplugged(number);
    guest.mac[1] = number % 3 * 0x10;
    let nic = match number % 4 {
        0 => Nic::bridged(&guest, "nfdhcpd private-filtered"),
        1 => Nic::routed(&guest, "nfdhcpd ip-less-routed"),
        2 => Nic::bridged(&guest, "masq nfdhcpd:mtu:1400 nfdhcpd"),
        _ => Nic::routed(&guest, "ip-less-routed masq"),
    };
    nic.with("TAGS", ["synnefo:network:0:protected", "", "synnefo:network:0:limited"][usize::from(number % 3)])
}

/// Taps of these numbers, with nobody behind them.
fn make_taps(numbers: impl Iterator<Item = u8>) {
    let lines: String = numbers.map(|n| format!("link add tap{n} type veth peer name peer{n}\\n")).collect();
    sh(&format!("printf '{lines}' | ip -batch -"));
}

fn start(nic: &Nic) -> Child {
    nic.command(&["ifup"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Runs all at once, each of which has to succeed.
#[track_caller]
fn all_at_once(nics: &[Nic]) {
    let children: Vec<_> = nics.iter().map(start).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// While others clean and look, and none of these takes away anything of a tap that is there. Then half of them vanish.
fn a_hundred_come_at_once(_: &mut Lab) {
    let _router = router();
    make_bridge();
    set_hooks("1");
    let nics: Vec<_> = (1..=MANY).map(nth).collect();
    make_taps(1..=MANY);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for command in ["clean", "status"] {
            let again = || {
                while !is_over.load(Ordering::Relaxed) {
                    let result = outcome(&mut program(&[command]));
                    // On a slow machine it may wait in vain for a moment at which nobody sets up a tap.
                    let is_fine =
                        result.as_ref().err().is_none_or(|said| said.contains("another snf-network still works on "));
                    assert!(is_fine, "{result:?}");
                }
            };
            scope.spawn(again);
        }
        all_at_once(&nics);
        is_over.store(true, Ordering::Relaxed);
    });
    let all = dump();
    for number in [1_u8, 2, 3, 4, 50, 99, 100] {
        let plan = nics[usize::from(number) - 1].plan();
        assert_eq!(plan, format!("run {SCRATCH}/extra\n"), "{number}");
    }
    run(&["clean"]);
    assert_same(&dump(), &all);
    let status: serde_json::Value = serde_json::from_str(&run(&["status", "--json"])).unwrap();
    assert_eq!(status["taps"].as_array().unwrap().len(), usize::from(MANY));
    half_of_them_vanish(&all);
}

/// What stays is that of the others, to the line.
fn half_of_them_vanish(all: &str) {
    let lines: String = (1..=MANY / 2).map(|n| format!("link del tap{n}\\n")).collect();
    sh(&format!("printf '{lines}' | ip -batch -"));
    let cleaners: Vec<_> = (0..4).map(|_| program(&["clean"]).stderr(Stdio::piped()).spawn().unwrap()).collect();
    for cleaner in cleaners {
        let output = cleaner.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let left = belongings();
    let taps = fs::read_dir(format!("{SCRATCH}/bindings")).unwrap().count();
    assert_eq!(taps, usize::from((MANY / 2 + 1..=MANY).filter(|n| n % 4 != 3).count() as u8));
    for number in 1..=MANY {
        let address = format!("\"192.0.2.{}\"", 10 + number);
        let has = left.contains(&format!("\"tap{number}\"")) || left.contains(&address);
        let had = all.contains(&format!("\"tap{number}\"")) || all.contains(&address);
        assert_eq!(has, had && number > MANY / 2, "{number}");
    }
    assert_eq!(run(&["clean", "--dry-run"]), "");
}

/// At any moment. What the next run makes of it is what a run that was not killed makes.
fn killed_runs_are_finished_by_the_next(_: &mut Lab) {
    let _router = router();
    make_bridge();
    set_hooks("1");
    make_taps(1..=4);
    let nics: Vec<_> = (1..=4).map(nth).collect();
    let nothing = dump();
    let clean_ones: Vec<_> = nics
        .iter()
        .map(|nic| {
            nic.up();
            let all = belongings();
            nic.down();
            all
        })
        .collect();
    assert!(!nothing.is_empty());
    for milliseconds in 0..24 {
        let (nic, expected) = (&nics[milliseconds % 4], &clean_ones[milliseconds % 4]);
        let mut child = start(nic);
        thread::sleep(Duration::from_micros(milliseconds as u64 * 1000));
        child.kill().unwrap();
        child.wait().unwrap();
        if milliseconds % 8 < 4 {
            nic.up();
            assert_same(&belongings(), expected);
        }
        let mut child = nic.command(&["ifdown"]).spawn().unwrap();
        thread::sleep(Duration::from_micros(milliseconds as u64 * 700));
        child.kill().unwrap();
        child.wait().unwrap();
        nic.down();
        assert_eq!(belongings(), "");
    }
}

/// Whoever comes first removes it; the others find nothing, and nothing is wrong with that.
fn many_clean_at_once(_: &mut Lab) {
    let _router = router();
    let (guest, nic) = routed(1);
    for _ in 0..3 {
        nic.up();
        guest.unplug();
        let cleaners: Vec<_> = (0..12).map(|_| program(&["clean"]).stderr(Stdio::piped()).spawn().unwrap()).collect();
        for cleaner in cleaners {
            let output = cleaner.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        assert_eq!(belongings(), "");
        sh("ip link add tap1 type veth peer name peer1");
        nic.up();
    }
}

/// The second of two that see the same is not in the way of the first.
fn one_nic_many_times_at_once(_: &mut Lab) {
    let _router = router();
    make_bridge();
    set_hooks("1");
    make_taps(1..=4);
    for number in 1..=4 {
        let nic = nth(number);
        nic.up();
        let expected = belongings();
        nic.down();
        all_at_once(&vec![nic.clone(); 10]);
        assert_same(&belongings(), &expected);
        nic.down();
    }
}

/// From beginning to end: while the script of the first runs, the second of that tap waits, and other taps come and go. Nobody
/// waits for one that was killed.
fn who_works_on_a_tap_works_alone(_: &mut Lab) {
    make_bridge();
    make_taps(1..=2);
    let [nic, other] = [1, 2].map(|number| Nic::bridged(&Guest::unplugged(number), "nfdhcpd"));
    sh("mkfifo /run/lab/fifo
        printf '#!/bin/sh\n[ $INTERFACE = tap2 ] || exec cat /run/lab/fifo\n' >/run/lab/extra; chmod 755 /run/lab/extra");
    for is_killed in [false, true] {
        let mut first = start(&nic);
        let open = || OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open("/run/lab/fifo").ok();
        let script = soon("the script of the first", open);
        let mut second = nic.command(&["ifdown"]).spawn().unwrap();
        soon("the second at work", || (is_waited_for() || second.try_wait().unwrap().is_some()).then_some(()));
        other.up();
        other.down();
        assert!(second.try_wait().unwrap().is_none() && belongings().contains("tap1"), "it did not wait");
        if is_killed {
            first.kill().unwrap();
        } else {
            drop(script);
        }
        assert_eq!(first.wait().unwrap().success(), !is_killed);
        assert!(second.wait().unwrap().success());
        assert_eq!(belongings(), "");
    }
}

/// Whether somebody waits for the lock.
fn is_waited_for() -> bool {
    let inode = fs::metadata(format!("{SCRATCH}/state/lock")).unwrap().ino();
    let locks = fs::read_to_string("/proc/locks").unwrap();
    locks.lines().any(|line| line.contains("-> ") && line.contains(&format!(":{inode} ")))
}

/// At any moment: it fails with one line, if at all, and what is left is removed.
fn taps_vanish_while_they_are_set_up(_: &mut Lab) {
    let _router = router();
    make_bridge();
    set_hooks("1");
    let nothing = belongings();
    for step in 0..24 {
        let number = step % 4 + 1;
        make_taps(number..=number);
        let child = start(&nth(number));
        thread::sleep(Duration::from_millis(u64::from(step) * 2));
        sh(&format!("ip link del tap{number}"));
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said.lines().count(), usize::from(!output.status.success()), "{said}");
        if !output.status.success() {
            assert_same(&belongings(), &nothing);
        }
        run(&["clean"]);
        assert_same(&belongings(), &nothing);
    }
}

/// What fails then is taken back, and the tap is as it was.
fn bridges_vanish_as_well(_: &mut Lab) {
    make_taps(4..=4);
    let nic = nth(4);
    let nothing = belongings();
    for step in 0..12 {
        make_bridge();
        set_hooks("1");
        let child = start(&nic);
        thread::sleep(Duration::from_millis(step * 4));
        sh("ip link del br0");
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        if output.status.success() {
            nic.down();
        } else {
            assert!(said.contains("br0") && said.lines().count() == 1, "{said}");
        }
        assert_same(&belongings(), &nothing);
        assert!(link("tap4").contains("up=0\n"), "{}", link("tap4"));
    }
}
