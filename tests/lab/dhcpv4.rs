//! DHCPv4 with real clients.

use std::net::Ipv4Addr;

use dhcproto::v4::{MessageType, OptionCode};
use nix::sys::signal::Signal;

use crate::harness::inside::need;
use crate::harness::{Config, Guest, Lab, sh, soon, tests};

tests!(dhcpv4:
    udhcpc_gets_everything,
    udhcpc_renews_and_releases,
    dhclient_gets_a_lease_and_releases_it,
    dhclient_renews,
    dhclient_rebinds_when_unicast_fails,
    dhclient_reboots_into_its_lease,
    dhclient_reboots_elsewhere,
    dhcpcd_gets_a_lease,
    dhcpcd_informs,
    dhcpcd_commits_rapidly_only_where_allowed,
    networkd_gets_a_lease,
    on_link_gateway,
    private_guest_has_no_default_route,
    two_guests_each_get_their_own,
    binding_changes_while_bound,
);

/// The lease file of `dhclient`, where its own confinement lets it write.
const LEASES: &str = "/var/lib/dhcp/dhclient.leases";

fn udhcpc_gets_everything(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    guest.udhcpc("-O search -O mtu");
    guest.wait_for_address("192.0.2.11/24");
    let answer = guest.wait_for_dhcpv4("an ACK", |it| it.is_answer(MessageType::Ack));
    assert_eq!(answer.source, Ipv4Addr::new(192, 0, 2, 254), "a reply comes from the server");
    let lease = guest.udhcpc_lease();
    for told in ["router=192.0.2.1", "dns=192.0.2.53 198.51.100.53", "domain=example.com", "hostname=guest1"] {
        assert!(lease.lines().any(|line| line == told), "{told} is not in\n{lease}");
    }
    assert!(guest.routes().contains("default via 192.0.2.1"), "{}", guest.routes());
}

fn udhcpc_renews_and_releases(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    let client = guest.udhcpc("");
    guest.wait_for_address("192.0.2.11/24");
    client.signal(Signal::SIGUSR1);
    let renewal = guest.wait_for_dhcpv4("a renewal", |it| it.from_guest && it.message.ciaddr() == guest.ip());
    assert_eq!(renewal.destination, Ipv4Addr::new(192, 0, 2, 254), "a renewal goes to the server");
    soon("the renewed lease", || guest.udhcpc_lease().contains("event=renew").then_some(()));
    client.signal(Signal::SIGUSR2);
    guest.wait_for_dhcpv4("a release", |it| it.is(MessageType::Release));
}

fn dhclient_gets_a_lease_and_releases_it(lab: &mut Lab) {
    need("dhclient");
    let guest = lab.guest(1);
    lab.start();
    guest.sh(&format!("dhclient -4 -v -1 -lf {LEASES} eth0"));
    assert!(guest.addresses().contains("192.0.2.11/24"), "{}", guest.addresses());
    assert!(guest.routes().contains("default via 192.0.2.1"), "{}", guest.routes());
    let resolver = sh("cat /etc/resolv.conf");
    assert!(resolver.contains("nameserver 192.0.2.53\nnameserver 198.51.100.53"), "{resolver}");
    guest.sh(&format!("dhclient -4 -v -r -lf {LEASES} eth0"));
    guest.wait_for_dhcpv4("a release", |it| it.is(MessageType::Release));
}

fn dhclient_renews(lab: &mut Lab) {
    need("dhclient");
    let guest = lab.guest(1);
    lab.start_with(&Config::default().with("dhcp", "lease_renewal", "2"));
    guest.sh(&format!("dhclient -4 -v -1 -lf {LEASES} eth0"));
    let renewal = guest.wait_for_dhcpv4("a renewal", |it| it.from_guest && it.message.ciaddr() == guest.ip());
    assert!(renewal.is(MessageType::Request) && renewal.destination == Ipv4Addr::new(192, 0, 2, 254), "{renewal:?}");
    soon("the second ACK", || (acks(&guest) > 1).then_some(()));
}

/// Nobody answers ARP for the server here, so the client goes on by broadcast.
fn dhclient_rebinds_when_unicast_fails(lab: &mut Lab) {
    need("dhclient");
    sh("ip address del 192.0.2.254/32 dev lo");
    let guest = lab.guest(1);
    lab.start_with(&Config::default().with("dhcp", "lease_renewal", "2"));
    sh("printf 'supersede dhcp-rebinding-time 4;\n' >/etc/dhcp/dhclient.conf");
    guest.sh(&format!("dhclient -4 -v -1 -lf {LEASES} eth0"));
    guest.wait_for_dhcpv4("a broadcast renewal", |it| {
        it.from_guest && it.message.ciaddr() == guest.ip() && it.destination == Ipv4Addr::BROADCAST
    });
    soon("the second ACK", || (acks(&guest) > 1).then_some(()));
}

fn dhclient_reboots_into_its_lease(lab: &mut Lab) {
    need("dhclient");
    let guest = lab.guest(1);
    lab.start();
    leave_lease_behind(&guest);
    let before = guest.dhcpv4().len();
    guest.sh(&format!("dhclient -4 -v -1 -lf {LEASES} eth0"));
    let after = guest.dhcpv4().split_off(before);
    assert!(after[0].is(MessageType::Request) && after[0].has(OptionCode::RequestedIpAddress), "{after:?}");
    assert!(after.last().unwrap().is_answer(MessageType::Ack), "{after:?}");
    assert!(guest.addresses().contains("192.0.2.11/24"), "{}", guest.addresses());
}

fn dhclient_reboots_elsewhere(lab: &mut Lab) {
    need("dhclient");
    let guest = lab.guest(1);
    lab.start();
    leave_lease_behind(&guest);
    lab.rebind(&guest, &guest.binding4().replace("192.0.2.11", "192.0.2.99"));
    guest.sh(&format!("dhclient -4 -v -1 -lf {LEASES} eth0"));
    assert!(guest.dhcpv4().iter().any(|it| it.is_answer(MessageType::Nak)), "{:?}", guest.dhcpv4());
    assert!(guest.addresses().contains("192.0.2.99/24"), "{}", guest.addresses());
}

/// A lease on disk, and no client that holds it: as after a crash of the guest.
fn leave_lease_behind(guest: &Guest) {
    guest.sh(&format!("dhclient -4 -v -1 -lf {LEASES} -pf /run/dhclient.pid eth0"));
    // It goes into the background first, and writes this file then.
    soon("the client's pid", || guest.try_sh("kill -KILL $(cat /run/dhclient.pid)").ok());
    guest.sh("ip -4 address flush dev eth0");
}

fn dhcpcd_gets_a_lease(lab: &mut Lab) {
    need("dhcpcd");
    let guest = lab.guest(1);
    lab.start();
    let _client = guest.spawn("dhcpcd", "dhcpcd -4 -B -d eth0");
    guest.wait_for_address("192.0.2.11/24");
    assert!(guest.routes().contains("default via 192.0.2.1"), "{}", guest.routes());
    soon("name servers", || sh("cat /etc/resolv.conf").contains("nameserver 192.0.2.53").then_some(()));
}

fn dhcpcd_informs(lab: &mut Lab) {
    need("dhcpcd");
    let guest = lab.guest(1);
    lab.start();
    let _client = guest.spawn("dhcpcd", "dhcpcd -4 -B -d -s 192.0.2.11/24 eth0");
    let answer = guest.wait_for_dhcpv4("an ACK", |it| it.is_answer(MessageType::Ack));
    assert!(guest.dhcpv4().iter().any(|it| it.from_guest && it.is(MessageType::Inform)));
    assert_eq!(answer.message.yiaddr(), Ipv4Addr::UNSPECIFIED);
    assert!(!answer.has(OptionCode::AddressLeaseTime), "{answer:?}");
    soon("name servers", || sh("cat /etc/resolv.conf").contains("nameserver 192.0.2.53").then_some(()));
}

fn dhcpcd_commits_rapidly_only_where_allowed(lab: &mut Lab) {
    need("dhcpcd");
    let guest = lab.guest(1);
    lab.start();
    let _client = guest.spawn("dhcpcd", "dhcpcd -4 -A -B -d -o rapid_commit eth0");
    guest.wait_for_address("192.0.2.11/24");
    let messages = guest.dhcpv4();
    assert!(messages.iter().any(|it| it.from_guest && it.has(OptionCode::RapidCommit)), "the client did not ask");
    assert!(messages.iter().any(|it| it.is_answer(MessageType::Offer)), "{messages:?}");
}

fn networkd_gets_a_lease(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    let _client = guest.networkd4();
    guest.wait_for_address("192.0.2.11/24");
    assert!(guest.routes().contains("default via 192.0.2.1"), "{}", guest.routes());
}

fn on_link_gateway(lab: &mut Lab) {
    need("dhcpcd");
    let guest = lab.guest(1);
    lab.bind(&guest, &guest.binding4().replace("SUBNET=192.0.2.0/24", "SUBNET=192.0.2.11/32"));
    lab.start();
    let _client = guest.spawn("dhcpcd", "dhcpcd -4 -A -B -d eth0");
    guest.wait_for_address("192.0.2.11/32");
    soon("the default route", || guest.routes().contains("default via 192.0.2.1").then_some(()));
}

fn private_guest_has_no_default_route(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.bind(&guest, &format!("{}PRIVATE=yes\n", guest.binding()));
    lab.start();
    guest.udhcpc("");
    guest.wait_for_address("192.0.2.11/24");
    guest.wait_for_address(&guest.eui64());
    assert!(!guest.routes().contains("default"), "{}", guest.routes());
}

fn two_guests_each_get_their_own(lab: &mut Lab) {
    let guests = [lab.guest(1), lab.guest(2)];
    lab.start();
    let _clients = [guests[0].udhcpc(""), guests[1].udhcpc("")];
    guests[0].wait_for_address("192.0.2.11/24");
    guests[1].wait_for_address("192.0.2.12/24");
    for guest in &guests {
        guest.wait_for_address(&guest.eui64());
        let answers = guest.dhcpv4().into_iter().filter(|it| !it.from_guest);
        assert!(answers.into_iter().all(|it| it.message.yiaddr() == guest.ip()));
    }
}

/// The client renews, is refused, and comes back for the new address.
fn binding_changes_while_bound(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    let client = guest.udhcpc("");
    guest.wait_for_address("192.0.2.11/24");
    lab.rebind(&guest, &guest.binding4().replace("192.0.2.11", "192.0.2.77"));
    client.signal(Signal::SIGUSR1);
    let refusal = guest.wait_for_dhcpv4("a NAK", |it| it.is_answer(MessageType::Nak));
    assert_eq!(refusal.destination, Ipv4Addr::BROADCAST);
    guest.wait_for_address("192.0.2.77/24");
}

fn acks(guest: &Guest) -> usize {
    guest.dhcpv4().iter().filter(|it| it.is_answer(MessageType::Ack)).count()
}
