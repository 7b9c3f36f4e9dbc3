//! A node with a hundred guests, each on a routed tap with both families.

use std::path::Path;

use nfdhcpd::binding::{IfIndex, InterfaceName};
use nfdhcpd::engine::{Engine, Event, Link, Now};
use nfdhcpd::wire::MacAddr;
use nfdhcpd::{binding, config};

/// When all packets come.
pub(crate) const NOW: Now = Now::from_secs(1000);
/// The guest whose packets are counted: its number, and the index of its tap.
pub(crate) const GUEST: u32 = 42;
/// An index that no interface has.
pub(crate) const NO_TAP: u32 = 9_999;

/// How many guests there are.
const GUESTS: u32 = 100;

/// What most nodes say.
pub(crate) const CONFIG: &str = "\
[dhcp]
server_ip = 192.0.2.1
nameservers = 192.0.2.53, 192.0.2.54
domain = example.com
[ipv6]
mode = dhcpv6
rs_queue = 43
ns_queue = 44
dhcpv6_queue = 45
nameservers = 2001:db8::53, 2001:db8::54
domains = example.com
";

/// The same, and a guest may ask once a second.
pub(crate) const LIMITED: &str = "\
[general]
rate_limit = 1
rate_burst = 1
[dhcp]
server_ip = 192.0.2.1
[ipv6]
enable_ipv6 = no
";

/// The MAC of the guest with this number.
pub(crate) fn mac(guest: u32) -> MacAddr {
    let [_, _, high, low] = guest.to_be_bytes();
    MacAddr::new([0xaa, 0, 0, 0, high, low])
}

/// An engine that knows all guests.
pub(crate) fn engine(config: &str) -> Engine {
    let config = config::parse(Path::new("nfdhcpd.conf"), config.as_bytes()).unwrap().config;
    let mut engine = Engine::new(config, 0);
    for guest in 1..=GUESTS {
        engine.handle_event(NOW, Event::LinkChanged(link(guest)));
        let path = format!("tap{guest}");
        let binding = binding::parse::parse(Path::new(&path), file(guest).as_bytes()).unwrap().binding;
        engine.handle_event(NOW, Event::BindingLoaded(Box::new(binding)));
    }
    while engine.poll_notice().is_some() {}
    engine
}

fn link(guest: u32) -> Link {
    let name: InterfaceName = format!("tap{guest}").parse().unwrap();
    let mac = Some(MacAddr::new([2, 0, 0, 0, 0, guest as u8]));
    let ifindex = IfIndex::new(guest).unwrap();
    Link { ifindex, name, mac, mtu: 1500, master: None, is_bridge: false, is_ready: true }
}

fn file(guest: u32) -> String {
    format!(
        "MAC={}\nHOSTNAME=vm{guest}.example.com\nIP=192.0.2.{guest}\nSUBNET=192.0.2.0/24\nGATEWAY=192.0.2.254\n\
         SUBNET6=2001:db8::/64\nGATEWAY6=2001:db8::1\nIP6=2001:db8::1:{guest}\nMTU=1500\n",
        mac(guest)
    )
}
