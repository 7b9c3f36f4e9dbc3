//! Stateful DHCPv6 and prefix delegation with real clients.

use std::fs;
use std::net::Ipv6Addr;

use dhcproto::v6::MessageType;
use nix::sys::signal::Signal;

use crate::harness::inside::need;
use crate::harness::process::Process;
use crate::harness::{Config, Guest, Lab, SCRATCH, sh, soon, tests};

tests!(dhcpv6:
    dhclient_gets_an_address,
    dhclient_gets_a_prefix,
    dhclient_gets_both,
    dhclient_confirms_what_it_had,
    dhclient_renews_and_loses_the_old_address,
    dhcpcd_gets_both,
    dhcpcd_commits_rapidly,
    networkd_gets_both_and_is_reached,
    networkd_renews_and_loses_the_old_address,
    wide_dhcp6c_gets_both,
    slaac_and_stateful_together,
);

/// The prefix that is delegated to guests here.
const PREFIX: &str = "2001:db8:f:100::/56";
/// The start of addresses in its second /64, which clients give to their second link.
const SECOND_LINK: &str = "2001:db8:f:101:";

/// A node whose guests get their addresses from DHCPv6 alone.
fn stateful() -> Config {
    Config::default().with("ipv6", "mode", "dhcpv6")
}

/// A guest that has an address, `…::LAST`, and a prefix.
fn guest(lab: &Lab, last: &str) -> Guest {
    let guest = lab.guest(1);
    lab.bind(&guest, &binding(&guest, last));
    guest
}

fn binding(guest: &Guest, last: &str) -> String {
    format!("{}IP6={}\nPREFIX6={PREFIX}\n", guest.binding(), address(guest, last))
}

fn address(guest: &Guest, last: &str) -> String {
    format!("{}::{last}", guest.prefix6())
}

/// Runs `dhclient -6`, which leaves a process behind.
#[track_caller]
fn dhclient(guest: &Guest, options: &str) {
    need("dhclient");
    guest.wait_for_address("fe80::");
    guest.sh(&format!("dhclient -6 -v -lf /var/lib/dhcp/dhclient6.leases {options} eth0"));
}

/// What `dhclient` remembers.
fn dhclient_leases() -> String {
    fs::read_to_string("/var/lib/dhcp/dhclient6.leases").unwrap_or_default()
}

/// A second link of the guest, for a part of its prefix, with nobody at its other end.
#[track_caller]
fn second_link(guest: &Guest) {
    guest.sh("ip link add lan0 type veth peer name lan1
        sysctl -qw net.ipv6.conf.lan1.disable_ipv6=1
        ip link set lan1 up; ip link set lan0 up");
}

#[track_caller]
fn wait_for_second_link(guest: &Guest) {
    soon("an address of the prefix", || {
        let addresses = guest.sh("ip -6 -o address show dev lan0");
        addresses.lines().any(|line| line.contains(SECOND_LINK) && !line.contains("tentative")).then_some(())
    });
}

#[track_caller]
fn wait_for_default_route(guest: &Guest) {
    soon("the default route", || guest.routes().contains("default via fe80::").then_some(()));
}

#[track_caller]
fn wait_for_name_server() {
    soon("the name server", || sh("cat /etc/resolv.conf").contains("nameserver 2001:db8::53").then_some(()));
}

/// The operator is told where the prefix is; hooks set the route by it.
#[track_caller]
fn wait_for_delegation(lab: &Lab) -> String {
    let line = soon("word of the prefix", || {
        let log = lab.daemon().log();
        log.lines().find(|line| line.contains("delegated prefix in use")).map(str::to_owned)
    });
    assert!(line.contains(&format!("prefix={PREFIX}")), "{line}");
    let via = line.split_once("via=").unwrap().1;
    via.split_whitespace().next().unwrap().to_owned()
}

/// The guest's renewal is answered with its new address, and with an end of the old one.
#[track_caller]
fn wait_for_change(guest: &Guest, old: &str, new: &str) {
    let [old, new]: [Ipv6Addr; 2] = [old, new].map(|last| address(guest, last).parse().unwrap());
    guest.wait_for_dhcpv6("the change", |it| {
        let leases = it.leases();
        it.is(MessageType::Reply)
            && leases.contains(&(old, 0))
            && leases.iter().any(|(address, valid)| *address == new && *valid > 0)
    });
    guest.wait_for_address(&format!("{new}/"));
    soon("the end of the old address", || (!guest.addresses().contains(&format!(" {old}/"))).then_some(()));
}

fn dhclient_gets_an_address(lab: &mut Lab) {
    let guest = guest(lab, "10");
    lab.start_with(&stateful());
    dhclient(&guest, "-1");
    guest.wait_for_address(&address(&guest, "10/"));
    wait_for_default_route(&guest);
    wait_for_name_server();
    assert!(!guest.addresses().contains(&guest.eui64()), "mode dhcpv6 has no SLAAC: {}", guest.addresses());
    dhclient(&guest, "-r");
    soon("the end of the lease", || (!guest.addresses().contains(&address(&guest, "10/"))).then_some(()));
    lab.daemon().wait_for_log("dhcpv6_release");
}

fn dhclient_gets_a_prefix(lab: &mut Lab) {
    let guest = guest(lab, "10");
    lab.start_with(&stateful());
    dhclient(&guest, "-1 -P");
    assert!(dhclient_leases().contains(&format!("iaprefix {PREFIX}")), "{}", dhclient_leases());
    let via = wait_for_delegation(lab);
    assert!(guest.addresses().contains(&via), "{via} is not in\n{}", guest.addresses());
    dhclient(&guest, "-P -r");
    lab.daemon().wait_for_log("delegated prefix released");
}

fn dhclient_gets_both(lab: &mut Lab) {
    let guest = guest(lab, "10");
    lab.start_with(&stateful());
    dhclient(&guest, "-1 -N -P");
    guest.wait_for_address(&address(&guest, "10/"));
    assert!(dhclient_leases().contains(&format!("iaprefix {PREFIX}")), "{}", dhclient_leases());
    wait_for_delegation(lab);
}

/// A client that starts with an old lease asks whether it is still good; the second time it is not.
fn dhclient_confirms_what_it_had(lab: &mut Lab) {
    let guest = guest(lab, "10");
    lab.start_with(&stateful());
    dhclient(&guest, "-1");
    guest.wait_for_address(&address(&guest, "10/"));
    dhclient(&guest, "-x");
    dhclient(&guest, "-1");
    guest.wait_for_dhcpv6("a Confirm", |it| it.from_guest && it.is(MessageType::Confirm));
    guest.wait_for_address(&address(&guest, "10/"));
    lab.daemon().wait_for_log("dhcpv6_confirm");
    dhclient(&guest, "-x");
    lab.rebind(&guest, &binding(&guest, "11"));
    dhclient(&guest, "-1");
    lab.daemon().wait_for_log("dhcpv6_not_on_link");
    guest.wait_for_address(&address(&guest, "11/"));
}

fn dhclient_renews_and_loses_the_old_address(lab: &mut Lab) {
    let guest = guest(lab, "10");
    lab.start_with(&stateful().with("dhcp", "lease_renewal", "2"));
    dhclient(&guest, "-1");
    guest.wait_for_address(&address(&guest, "10/"));
    guest.wait_for_dhcpv6("a Renew", |it| it.from_guest && it.is(MessageType::Renew));
    lab.rebind(&guest, &binding(&guest, "11"));
    wait_for_change(&guest, "10", "11");
}

/// Starts `dhcpcd` for an address, and for a prefix on the second link.
fn dhcpcd(guest: &Guest, options: &str) -> Process {
    need("dhcpcd");
    second_link(guest);
    guest.wait_for_address("fe80::");
    let configuration = format!("{SCRATCH}/dhcpcd");
    let text = format!(
        "allowinterfaces eth0 lan0\nipv6only\nnodelay\noption dhcp6_name_servers\n{options}\n\
         interface eth0\n  ia_na 1\n  ia_pd 2/::/56 lan0/1/64\n"
    );
    fs::write(&configuration, text).unwrap();
    guest.spawn("dhcpcd", &format!("dhcpcd -B -d -f {configuration}"))
}

fn dhcpcd_gets_both(lab: &mut Lab) {
    let guest = guest(lab, "10");
    lab.start_with(&stateful());
    let _client = dhcpcd(&guest, "");
    guest.wait_for_address(&address(&guest, "10/"));
    wait_for_second_link(&guest);
    wait_for_default_route(&guest);
    wait_for_name_server();
    wait_for_delegation(lab);
}

/// Two messages in place of four.
fn dhcpcd_commits_rapidly(lab: &mut Lab) {
    let guest = guest(lab, "10");
    lab.start_with(&stateful());
    let _client = dhcpcd(&guest, "option dhcp6_rapid_commit");
    guest.wait_for_address(&address(&guest, "10/"));
    wait_for_second_link(&guest);
    lab.daemon().wait_for_log("dhcpv6_rapid_commit");
    let messages = guest.dhcpv6();
    assert!(!messages.iter().any(|it| it.is(MessageType::Advertise) || it.is(MessageType::Request)), "{messages:?}");
}

/// Starts `systemd-networkd` for an address, and for a prefix on the second link.
fn networkd(guest: &Guest) -> Process {
    second_link(guest);
    guest.networkd(&[
        ("eth0", "[Network]\nDHCP=ipv6\nIPv6AcceptRA=yes\n"),
        ("lan0", "[Network]\nDHCPPrefixDelegation=yes\n[DHCPPrefixDelegation]\nSubnetId=1\n"),
    ])
}

/// What the operator is told is enough to reach what is behind the guest.
fn networkd_gets_both_and_is_reached(lab: &mut Lab) {
    let guest = guest(lab, "10");
    lab.start_with(&stateful());
    let client = networkd(&guest);
    guest.wait_for_address(&address(&guest, "10/"));
    wait_for_default_route(&guest);
    wait_for_second_link(&guest);
    let via = wait_for_delegation(lab);
    sh(&format!("ip address add 2001:db8::53/128 dev lo; ip -6 route add {PREFIX} via {via} dev {}", guest.tap));
    let lan = guest.sh("ip -6 -o address show dev lan0 scope global | awk '{print $4}'");
    let lan = lan.trim().split('/').next().unwrap().to_owned();
    soon("the way to it", || guest.try_sh("ip -6 route get 2001:db8::53").ok());
    sh(&format!("ping -c 1 -W 5 -I 2001:db8::53 {lan}"));
    drop(client);
}

fn networkd_renews_and_loses_the_old_address(lab: &mut Lab) {
    let guest = guest(lab, "10");
    lab.start_with(&stateful().with("dhcp", "lease_renewal", "2"));
    let _client = networkd(&guest);
    guest.wait_for_address(&address(&guest, "10/"));
    lab.rebind(&guest, &binding(&guest, "11"));
    wait_for_change(&guest, "10", "11");
}

/// It asks with IAID 0, and releases when it ends.
fn wide_dhcp6c_gets_both(lab: &mut Lab) {
    need("dhcp6c");
    let guest = guest(lab, "10");
    second_link(&guest);
    lab.start_with(&stateful());
    guest.wait_for_address("fe80::");
    let (configuration, script) = (format!("{SCRATCH}/dhcp6c"), format!("{SCRATCH}/dhcp6c-script"));
    let text = format!(
        "interface eth0 {{ send ia-na 0; send ia-pd 0; request domain-name-servers; script \"{script}\"; }};
         id-assoc na 0 {{ }};
         id-assoc pd 0 {{ prefix-interface lan0 {{ sla-id 1; sla-len 8; }}; }};"
    );
    fs::write(&configuration, text).unwrap();
    fs::write(&script, "#!/bin/sh\necho nameserver $new_domain_name_servers >/etc/resolv.conf\n").unwrap();
    sh(&format!("chmod +x {script}"));
    let mut client = guest.spawn("dhcp6c", &format!("dhcp6c -f -D -c {configuration} eth0"));
    guest.wait_for_address(&address(&guest, "10/"));
    wait_for_second_link(&guest);
    wait_for_default_route(&guest);
    wait_for_name_server();
    wait_for_delegation(lab);
    client.signal(Signal::SIGTERM);
    client.wait();
    lab.daemon().wait_for_log("delegated prefix released");
}

/// The guest makes an address for itself and gets another.
fn slaac_and_stateful_together(lab: &mut Lab) {
    let guest = guest(lab, "10");
    lab.start_with(&Config::default().with("ipv6", "mode", "slaac+stateful"));
    guest.wait_for_address(&guest.eui64());
    dhclient(&guest, "-1");
    guest.wait_for_address(&address(&guest, "10/"));
    guest.wait_for_address(&guest.eui64());
    wait_for_default_route(&guest);
}
