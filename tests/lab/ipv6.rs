//! Router advertisements, neighbour discovery and stateless DHCPv6 with the kernel and real clients.

use crate::harness::inside::need;
use crate::harness::{Config, Lab, sh, soon, tests};

tests!(ipv6:
    kernel_configures_itself,
    rdisc6_sees_the_whole_advertisement,
    advertisement_follows_the_mode,
    ndisc6_finds_the_gateway,
    kernel_finds_neighbours_by_proxy,
    guest_keeps_its_own_address,
    guest_may_not_take_the_gateway,
    dhclient_asks_for_information,
    dhcpcd_asks_for_information,
    binding_without_ipv6_is_left_alone,
    advertisement_is_withdrawn_with_the_prefix,
    router_moves_with_the_address_of_its_tap,
);

fn kernel_configures_itself(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    guest.wait_for_address(&guest.eui64());
    guest.wait_for_address("fe80::");
    assert!(!guest.addresses().contains("dadfailed"), "{}", guest.addresses());
    let routes = guest.routes();
    assert!(routes.contains("default via fe80::") && routes.contains("proto ra"), "{routes}");
    // The router is somebody: its link-local address is resolved by the daemon too.
    let router = guest.sh("ip -6 route show default | grep -o 'fe80[0-9a-f:]*' | head -n 1");
    need("ndisc6");
    guest.sh(&format!("ndisc6 -1 -r 5 {} eth0", router.trim()));
}

fn rdisc6_sees_the_whole_advertisement(lab: &mut Lab) {
    need("rdisc6");
    let guest = lab.guest(1);
    lab.bind(&guest, &format!("{}MTU=1400\n", guest.binding()));
    lab.start();
    guest.wait_for_address("fe80::");
    let seen = guest.sh("rdisc6 -1 -r 5 eth0");
    let facts = [
        ("Stateful address conf.", "No"),
        ("Stateful other conf.", "Yes"),
        ("Router preference", "medium"),
        ("Router lifetime", "1800 (0x00000708) seconds"),
        (" Prefix", &format!("{}::/64", guest.prefix6())),
        ("  On-link", "Yes"),
        ("  Autonomous address conf.", "Yes"),
        (" MTU", "1400 bytes (valid)"),
        (" Recursive DNS server", "2001:db8::53"),
        (" DNS search list", "example.com example.net"),
    ];
    for (name, value) in facts {
        let line = |line: &str| line.split_once(':').is_some_and(|(n, v)| n.trim_end() == name && v.trim() == value);
        assert!(seen.lines().any(line), "no {name:?} of {value:?} in\n{seen}");
    }
}

/// Without a queue for DHCPv6 nobody is sent there.
fn advertisement_follows_the_mode(lab: &mut Lab) {
    need("rdisc6");
    let guest = lab.guest(1);
    lab.start_with(&Config::default().without("ipv6", "dhcpv6_queue"));
    guest.wait_for_address("fe80::");
    let seen = guest.sh("rdisc6 -1 -r 5 eth0");
    let other = seen.lines().find(|line| line.starts_with("Stateful other conf.")).unwrap();
    assert!(other.ends_with("No"), "{seen}");
}

fn ndisc6_finds_the_gateway(lab: &mut Lab) {
    need("ndisc6");
    let guest = lab.guest(1);
    lab.start();
    guest.wait_for_address(&guest.eui64());
    let seen = guest.sh(&format!("ndisc6 -1 -r 5 {}::1 eth0", guest.prefix6())).to_lowercase();
    let tap = sh(&format!("cat /sys/class/net/{}/address", guest.tap));
    assert!(seen.contains(tap.trim()), "{seen}");
}

/// Nobody is behind the address, but the kernel learns the way to it.
fn kernel_finds_neighbours_by_proxy(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    guest.wait_for_address(&guest.eui64());
    let neighbour = format!("{}::4711", guest.prefix6());
    let tap = sh(&format!("cat /sys/class/net/{}/address", guest.tap));
    let _unanswered = guest.try_sh(&format!("ping -c 1 -W 1 {neighbour}"));
    let seen = guest.sh(&format!("ip neighbour show {neighbour}"));
    assert!(seen.contains(tap.trim()) && seen.contains("router"), "{seen}");
}

/// Duplicate address detection passes for whatever the guest chooses that is not ours.
fn guest_keeps_its_own_address(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    guest.sh(&format!("ip address add {}::abcd/64 dev eth0", guest.prefix6()));
    guest.wait_for_address(&format!("{}::abcd", guest.prefix6()));
    assert!(!guest.addresses().contains("dadfailed"), "{}", guest.addresses());
}

fn guest_may_not_take_the_gateway(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start();
    guest.wait_for_address("fe80::");
    guest.sh(&format!("ip address add {}::1/64 dev eth0", guest.prefix6()));
    soon("a defended gateway", || guest.addresses().contains("dadfailed").then_some(()));
}

fn dhclient_asks_for_information(lab: &mut Lab) {
    need("dhclient");
    let guest = lab.guest(1);
    lab.start();
    guest.wait_for_address("fe80::");
    guest.sh("dhclient -6 -S -v -1 -lf /var/lib/dhcp/dhclient6.leases eth0");
    let resolver = sh("cat /etc/resolv.conf");
    assert!(resolver.contains("nameserver 2001:db8::53"), "{resolver}");
    assert!(resolver.contains("search example.com. example.net."), "{resolver}");
}

fn dhcpcd_asks_for_information(lab: &mut Lab) {
    need("dhcpcd");
    let guest = lab.guest(1);
    lab.start();
    guest.wait_for_address("fe80::");
    let client = guest.spawn("dhcpcd", "dhcpcd -6 -B -d -o dhcp6_name_servers eth0");
    client.wait_for_log("REPLY6 received");
    soon("name servers", || sh("cat /etc/resolv.conf").contains("nameserver 2001:db8::53").then_some(()));
}

fn binding_without_ipv6_is_left_alone(lab: &mut Lab) {
    need("rdisc6");
    let guest = lab.guest(1);
    lab.bind(&guest, &guest.binding4());
    lab.start();
    guest.wait_for_address("fe80::");
    let seen = guest.try_sh("rdisc6 -1 -r 1 -w 500 eth0");
    assert!(seen.is_err(), "{seen:?}");
}

/// The guest that loses its prefix hears so at once: the router's lifetime is zero.
fn advertisement_is_withdrawn_with_the_prefix(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start_with(&Config::default().with("ipv6", "ra_period", "1800"));
    soon("a default route", || guest.routes().contains("default via fe80::").then_some(()));
    lab.bind(&guest, &guest.binding4());
    soon("no default route", || (!guest.routes().contains("default via fe80::")).then_some(()));
}

/// The router that was is withdrawn, and the new one takes its place.
fn router_moves_with_the_address_of_its_tap(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.start_with(&Config::default().with("ipv6", "ra_period", "1800"));
    soon("a default route", || guest.routes().contains("default via fe80::").then_some(()));
    sh(&format!("ip link set {} address 02:00:00:00:00:77", guest.tap));
    soon("the new router, and it alone", || {
        let routes = guest.routes();
        let routers: Vec<_> = routes.lines().filter(|line| line.starts_with("default via fe80::")).collect();
        matches!(routers[..], [only] if only.contains("fe80::ff:fe00:77 ")).then_some(())
    });
}
