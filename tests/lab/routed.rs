//! Guests with an address and no network: /32, with a gateway that is not in it. Everything that they know of the link
//! comes from option 121.

use crate::harness::inside::need;
use crate::harness::{Config, Guest, Lab, sh, soon, tests};

tests!(routed:
    networkd_reaches_the_world,
    dhcpcd_reaches_the_world,
    dhclient_reaches_the_world,
    udhcpc_is_told_all_routes,
    metadata_on_the_link,
);

/// An address beyond the tap.
const BEYOND: &str = "198.51.100.1";
const METADATA: &str = "169.254.169.254";

/// A node that routes for the guest: it answers ARP for the gateway that all guests have, and knows the way back.
fn routed_guest(lab: &Lab, routes: &str) -> Guest {
    need("ping");
    let guest = lab.guest(1);
    lab.bind(&guest, &format!("{}{routes}", binding(&guest)));
    sh(&format!(
        "ip address add 169.254.1.1/32 dev lo; ip address add {METADATA}/32 dev lo; ip address add {BEYOND}/32 dev lo
         ip route add {}/32 dev {}",
        guest.ip(),
        guest.tap
    ));
    guest
}

fn binding(guest: &Guest) -> String {
    let usual = guest.binding4().replace("GATEWAY=192.0.2.1\n", "GATEWAY=169.254.1.1\n");
    usual.replace("SUBNET=192.0.2.0/24", &format!("SUBNET={}/32", guest.ip()))
}

/// The guest has its address alone, the gateway on the link and the default route by it; the world answers.
#[track_caller]
fn is_routed(guest: &Guest) {
    guest.wait_for_address("192.0.2.11/32");
    for route in ["169.254.1.1 dev eth0", "default via 169.254.1.1 dev eth0", &format!("{METADATA} via 169.254.1.1")] {
        soon(route, || guest.routes().contains(route).then_some(()));
    }
    assert!(!guest.routes().contains("192.0.2.0/24"), "{}", guest.routes());
    for address in [BEYOND, METADATA] {
        soon(&format!("an answer from {address}"), || guest.try_sh(&format!("ping -c 1 -W 1 {address}")).ok());
    }
}

fn networkd_reaches_the_world(lab: &mut Lab) {
    let guest = routed_guest(lab, "ROUTES=169.254.169.254/32 via 169.254.1.1\n");
    lab.start();
    let _client = guest.networkd4();
    is_routed(&guest);
}

fn dhcpcd_reaches_the_world(lab: &mut Lab) {
    need("dhcpcd");
    let guest = routed_guest(lab, "ROUTES=169.254.169.254/32 via 169.254.1.1\n");
    lab.start();
    let _client = guest.spawn("dhcpcd", "dhcpcd -4 -A -B -d eth0");
    is_routed(&guest);
}

/// The node gives the route to all guests.
fn dhclient_reaches_the_world(lab: &mut Lab) {
    need("dhclient");
    let guest = routed_guest(lab, "");
    lab.start_with(&Config::default().with("dhcp", "routes", format!("{METADATA}/32 via 169.254.1.1")));
    guest.sh("dhclient -4 -v -1 -lf /var/lib/dhcp/dhclient.leases eth0");
    is_routed(&guest);
}

fn udhcpc_is_told_all_routes(lab: &mut Lab) {
    let guest = routed_guest(lab, "ROUTES=169.254.169.254/32 via 0.0.0.0, 203.0.113.0/24 via 169.254.1.1\n");
    lab.start();
    guest.udhcpc("-O staticroutes -O msstaticroutes");
    guest.wait_for_address("192.0.2.11/32");
    let lease = guest.udhcpc_lease();
    let routes = "169.254.1.1/32 0.0.0.0 0.0.0.0/0 169.254.1.1 169.254.169.254/32 0.0.0.0 203.0.113.0/24 169.254.1.1";
    for told in [format!("staticroutes={routes}"), format!("msstaticroutes={routes}"), "router=169.254.1.1".to_owned()]
    {
        assert!(lease.lines().any(|line| line == told), "{told} is not in\n{lease}");
    }
}

/// The guest asks by ARP for the metadata service itself, and the node answers.
fn metadata_on_the_link(lab: &mut Lab) {
    let guest = routed_guest(lab, "ROUTES=169.254.169.254/32 via 0.0.0.0\n");
    lab.start();
    let _client = guest.networkd4();
    guest.wait_for_address("192.0.2.11/32");
    soon("the metadata route", || guest.routes().contains(&format!("{METADATA} dev eth0")).then_some(()));
    soon("an answer", || guest.try_sh(&format!("ping -c 1 -W 1 {METADATA}")).ok());
    assert!(guest.sh(&format!("ip neighbour show {METADATA}")).contains("lladdr"), "it was asked for by ARP");
}
