//! NICs of Xen. Its own programs are played by two scripts.

use std::fs;

use super::{Nic, assert_same, belongings, program};
use crate::bridge::{expect_both_families, make_bridge, set_hooks};
use crate::harness::process::outcome;
use crate::harness::{Config, Guest, Lab, SCRATCH, sh, tests};

tests!(ifup_vif:
    guest_of_xen_gets_its_network,
    both_devices_of_a_nic,
    instance_on_its_way_here,
    file_that_is_not_there,
    file_is_data,
    silent_xenstore,
);

/// What is written goes to a file, one call a line; what is read comes from files named after the key's last part.
const XENSTORE: &str = "mkdir -p /run/lab/xenstore; mount -t tmpfs tmpfs /usr/local/sbin; cd /usr/local/sbin
    printf '#!/bin/sh\\nexec cat /run/lab/xenstore/$(echo \"$1\" | tr / -)\\n' >xenstore-read
    printf '#!/bin/sh\\necho \"$*\" >>/run/lab/xenstore/written\\n' >xenstore-write
    chmod 755 xenstore-*; touch /run/lab/xenstore/written; echo guest11 >/run/lab/xenstore/-local-domain-3-name";

/// A guest with a device as Xen makes it, and the file of its NIC as Ganeti writes it.
fn xen() -> Guest {
    make_bridge();
    set_hooks("1");
    sh(XENSTORE);
    let mut guest = Guest::new(1);
    "vif3.0".clone_into(&mut guest.tap);
    guest.insert();
    let nic = Nic::bridged(&guest, "nfdhcpd private-filtered").without("INTERFACE").without("INSTANCE");
    write_file("guest11", &file(&nic));
    guest
}

fn file(nic: &Nic) -> String {
    nic.0.iter().map(|(name, value)| format!("{name}={value}\n")).collect()
}

fn write_file(instance: &str, text: &str) {
    fs::create_dir_all(format!("{SCRATCH}/nic/{instance}")).unwrap();
    fs::write(format!("{SCRATCH}/nic/{instance}/0"), text).unwrap();
}

/// What Xen's tools call.
fn vif(arguments: &[&str]) -> Result<String, String> {
    let mut command = program(&[&["vif"], arguments].concat());
    command.envs([("vif", "vif3.0"), ("INTERFACE", "vif3.0-emu"), ("XENBUS_PATH", "backend/vif/3/0")]);
    outcome(&mut command)
}

/// What xenstore was told since the last time.
fn told() -> String {
    let told = sh("cat /run/lab/xenstore/written");
    fs::write("/run/lab/xenstore/written", "").unwrap();
    told
}

const CONNECTED: &str = "backend/vif/3/0/hotplug-status connected\n";

fn guest_of_xen_gets_its_network(lab: &mut Lab) {
    let guest = xen();
    lab.divert("-m physdev --physdev-in vif+");
    lab.launch(&Config::default());
    assert_eq!(vif(&["online", "type_if=vif"]), Ok(String::new()));
    assert_eq!(told(), CONNECTED);
    let all = belongings();
    assert_eq!(vif(&["online", "type_if=vif"]), Ok(String::new()));
    assert_same(&belongings(), &all);
    expect_both_families(&guest);
    assert_eq!(told(), CONNECTED);
    assert_eq!(vif(&["offline", "type_if=vif"]), Ok(String::new()));
    assert_eq!((belongings(), told()), (String::new(), String::new()));
}

/// Xen waits for the one of the guest's own driver alone.
fn both_devices_of_a_nic(_: &mut Lab) {
    let _guest = xen();
    sh("ip link add vif3.0-emu type veth peer name other");
    assert_eq!(vif(&["type_if=tap", "add"]), Ok(String::new()));
    assert_eq!(told(), "");
    assert_eq!(vif(&["online", "type_if=vif"]), Ok(String::new()));
    assert!(belongings().contains("./vif3.0:INDEV=br0") && belongings().contains("./vif3.0-emu:INDEV=br0"));
    assert_eq!(vif(&["remove", "type_if=tap"]), Ok(String::new()));
    assert!(belongings().contains("./vif3.0:INDEV=br0") && !belongings().contains("emu"), "{}", belongings());
    // The device is gone when Xen says so.
    sh("ip link del vif3.0");
    assert_eq!(vif(&["offline", "type_if=vif"]), Ok(String::new()));
    assert_eq!(belongings(), "");
}

fn instance_on_its_way_here(_: &mut Lab) {
    let _guest = xen();
    fs::write("/run/lab/xenstore/-local-domain-3-name", "guest11--incoming\n").unwrap();
    assert_eq!(vif(&["online"]), Ok(String::new()));
    assert_eq!(told(), CONNECTED);
    assert!(belongings().contains("HOSTNAME=guest11\n"));
}

fn file_that_is_not_there(_: &mut Lab) {
    let _guest = xen();
    sh("rm -r /run/lab/nic");
    let error = vif(&["online"]).unwrap_err();
    assert_eq!(error, "snf-network: vif: Ganeti has written no file for NIC 0 of \"guest11\" under /run/lab/nic\n");
    assert_eq!(told(), failed());
    fs::write("/run/lab/xenstore/-local-domain-3-name", "../../etc\n").unwrap();
    assert!(vif(&["online"]).unwrap_err().contains("no file for NIC 0 of \"../../etc\""));
    assert_eq!((told(), belongings()), (failed(), String::new()));
}

fn failed() -> String {
    let place = "backend/vif/3/0/hotplug";
    format!("{place}-error snf-network failed: its log says why {place}-status error\n")
}

/// Nothing in it is executed or expanded, and who names a network does not choose another one's address.
fn file_is_data(_: &mut Lab) {
    let guest = xen();
    let nic = Nic::bridged(&guest, "nfdhcpd").without("INTERFACE").without("INSTANCE");
    let evil = "$(touch /run/lab/owned) `touch /run/lab/owned`; touch /run/lab/owned; \"x\" 'y";
    let with = |name: &str, value: &str| file(&nic.clone().with(name, value));
    write_file("guest11", &with("NETWORK_NAME", &format!("\"{evil}\"")));
    assert_eq!(vif(&["online"]), Ok(String::new()));
    assert_eq!(told(), CONNECTED);
    let all = belongings();
    // Who the NIC is is not the file's to say, nor in which environment the program runs.
    let more = "INTERFACE=eth0\nINSTANCE=other\nXENBUS_PATH=x\nPATH=/run/lab\nLD_PRELOAD=/run/lab/x\n";
    write_file("guest11", &(with("NETWORK_NAME", evil) + more));
    assert_eq!(vif(&["online"]), Ok(String::new()));
    assert_same(&belongings(), &all);
    told();
    for (text, said) in [
        (with("INTERFACE_NAME", "x\nMAC=02:00:00:00:00:66"), "the same key twice"),
        (with("NETWORK_NAME", "x\nIP=192.0.2.66"), "the same key twice"),
        (with("NETWORK_NAME", "x\n; reboot"), "not KEY=VALUE"),
        (with("MAC", "$(echo aa:00:00:00:00:01)"), "MAC=\"$(echo aa:00:00:00:00:01)\": "),
        ("X".repeat((1 << 20) + 1), "more than"),
        ("MAC=\0\n".to_owned(), "MAC="),
    ] {
        write_file("guest11", &text);
        let error = vif(&["online"]).unwrap_err();
        assert!(error.contains(said) && error.lines().count() == 1, "{error}");
        assert_eq!(told(), failed());
        assert_same(&belongings(), &all);
    }
    assert!(!fs::exists(format!("{SCRATCH}/owned")).unwrap());
}

/// Without a name of the domain there is no NIC; what cannot be said is a failure.
fn silent_xenstore(_: &mut Lab) {
    let _guest = xen();
    sh("rm /run/lab/xenstore/-local-domain-3-name");
    let error = vif(&["online"]).unwrap_err();
    assert!(
        error.contains("xenstore-read /local/domain/3/name: exit status: 1: cat: ") && error.lines().count() == 1,
        "{error}"
    );
    assert_eq!((told(), belongings()), (failed(), String::new()));
    sh("echo guest11 >/run/lab/xenstore/-local-domain-3-name; ln -sf /bin/false /usr/local/sbin/xenstore-write");
    let error = vif(&["online"]).unwrap_err();
    assert!(error.contains("xenstore-write backend/vif/3/0/hotplug-status connected: exit status: 1"), "{error}");
    assert_eq!(vif(&["online", "type_if=vbd"]).unwrap_err().lines().count(), 1);
    assert_eq!(vif(&["restart"]).unwrap_err().lines().count(), 1);
}
