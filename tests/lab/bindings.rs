//! What hooks do to the bindings directory, and what happens to taps meanwhile.

use std::fs;

use nix::sys::signal::Signal;

use crate::harness::{Guest, Lab, SCRATCH, sh, soon, tests};

tests!(bindings:
    binding_comes_before_its_tap,
    binding_comes_after_its_tap,
    tap_comes_back_under_a_new_index,
    tap_is_renamed,
    file_is_removed_and_written_again,
    file_is_renamed_in,
    file_is_removed,
    rejected_rewrite_keeps_the_last_good_one,
    directory_is_removed_and_made_again,
    thousand_bindings,
);

fn binding_comes_before_its_tap(lab: &mut Lab) {
    let mut guest = Guest::new(1);
    lab.bind(&guest, &guest.binding());
    lab.start();
    guest.plug();
    expect_lease(&guest, "192.0.2.11");
    guest.wait_for_address(&guest.eui64());
}

fn binding_comes_after_its_tap(lab: &mut Lab) {
    let mut guest = Guest::new(1);
    guest.plug();
    lab.start();
    let _client = guest.udhcpc("");
    soon("an unanswered DISCOVER", || (!guest.dhcpv4().is_empty()).then_some(()));
    lab.bind(&guest, &guest.binding());
    guest.wait_for_address("192.0.2.11/24");
}

fn tap_comes_back_under_a_new_index(lab: &mut Lab) {
    let mut guest = lab.guest(1);
    lab.start();
    expect_lease(&guest, "192.0.2.11");
    let index = tap_index(&guest);
    guest.unplug();
    sh("ip link add between type veth");
    guest.plug();
    assert_ne!(tap_index(&guest), index, "the tap came back under its old index: this tests nothing");
    expect_lease(&guest, "192.0.2.11");
    guest.wait_for_address(&guest.eui64());
}

/// Each name has its binding, and the guest gets that of the name that its tap has now.
fn tap_is_renamed(lab: &mut Lab) {
    let guest = lab.guest(1);
    let other = guest.binding4().replace("192.0.2.11", "192.0.2.22").replace("tap1", "tap7");
    fs::write(format!("{SCRATCH}/bindings/tap7"), other).unwrap();
    lab.start();
    expect_lease(&guest, "192.0.2.11");
    sh("ip link set tap1 down; ip link set tap1 name tap7; ip link set tap7 up");
    expect_lease(&guest, "192.0.2.22");
}

fn tap_index(guest: &Guest) -> String {
    sh(&format!("cat /sys/class/net/{}/ifindex", guest.tap))
}

/// As the original's hooks do, not in one go.
fn file_is_removed_and_written_again(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    expect_lease(&guest, "192.0.2.11");
    let path = lab.binding_path(&guest);
    fs::remove_file(&path).unwrap();
    lab.bind(&guest, &guest.binding().replace("192.0.2.11", "192.0.2.22"));
    expect_lease(&guest, "192.0.2.22");
}

fn file_is_renamed_in(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    expect_lease(&guest, "192.0.2.11");
    let path = lab.binding_path(&guest);
    fs::write(format!("{path}.tmp"), guest.binding().replace("192.0.2.11", "192.0.2.22")).unwrap();
    fs::rename(format!("{path}.tmp"), path).unwrap();
    expect_lease(&guest, "192.0.2.22");
}

fn file_is_removed(lab: &mut Lab) {
    let guests = [lab.guest(1), lab.guest(2)];
    lab.start();
    expect_lease(&guests[0], "192.0.2.11");
    fs::remove_file(lab.binding_path(&guests[0])).unwrap();
    soon("no answer", || guests[0].try_sh("udhcpc -f -n -q -i eth0 -s /bin/true -t 1 -T 1").err());
    expect_lease(&guests[1], "192.0.2.12");
}

/// The file stays wrong. What it said before stays in force, and the log says what is wrong with it.
fn rejected_rewrite_keeps_the_last_good_one(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    lab.bind(&guest, &guest.binding().replace("192.0.2.11", "192.0.2.300"));
    soon("the rejection in the log", || {
        let log = lab.daemon().log();
        log.lines().any(|line| line.contains("192.0.2.300") && line.contains("IP")).then_some(())
    });
    expect_lease(&guest, "192.0.2.11");
}

fn directory_is_removed_and_made_again(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    let folder = format!("{SCRATCH}/bindings");
    fs::remove_dir_all(&folder).unwrap();
    soon("no answer", || guest.try_sh("udhcpc -f -n -q -i eth0 -s /bin/true -t 1 -T 1").err());
    fs::create_dir(&folder).unwrap();
    lab.bind(&guest, &guest.binding().replace("192.0.2.11", "192.0.2.22"));
    expect_lease(&guest, "192.0.2.22");
}

/// They are there before the first queue is bound, and SIGUSR1 shows them all.
fn thousand_bindings(lab: &mut Lab) {
    let guest = lab.guest(1);
    for number in 1_000..2_000_u16 {
        let mac = format!("aa:00:00:01:{:02x}:{:02x}", number >> 8, number & 0xff);
        let text = format!("MAC={mac}\nHOSTNAME=guest{number}\nIP=198.51.100.7\nSUBNET=198.51.100.0/24\n");
        fs::write(format!("{SCRATCH}/bindings/tap{number}"), text).unwrap();
    }
    lab.start();
    expect_lease(&guest, "192.0.2.11");
    lab.daemon().signal(Signal::SIGUSR1);
    soon("all bindings in the log", || {
        let log = lab.daemon().log();
        (1_000..2_000).all(|number| log.contains(&format!("tap{number}"))).then_some(())
    });
}

/// A client that starts from nothing gets this address.
#[track_caller]
fn expect_lease(guest: &Guest, address: &str) {
    let mut client = guest.udhcpc("-q -n");
    assert!(client.wait().success(), "udhcpc failed");
    let lease = guest.udhcpc_lease();
    assert!(lease.lines().any(|line| line == format!("ip={address}")), "not {address} but\n{lease}");
}
