//! The messages of rtnetlink about rules, routes, neighbours and links (linux/rtnetlink.h, linux/fib_rules.h,
//! linux/neighbour.h, linux/if_link.h): what is read of them, and what is asked of the kernel.
//!
//! Pure, and without panics for any bytes.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::binding::{IfIndex, InterfaceName};
use crate::io::links::message::{self as links, IFINFOMSG_LEN, IFLA_ADDRESS, IFLA_IFNAME, IFLA_MASTER, IFLA_MTU, Said};
use crate::io::netlink::{self, Message, ne32, push_attribute, text};
use crate::network::{Family, Link, LinkKind, PROTOCOL, Proxy, RULE_PRIORITY, Route, Rule};
use crate::wire::MacAddr;

/// The length of `struct fib_rule_hdr`, `struct rtmsg` and `struct ndmsg`, in bytes.
const HEADER_LEN: usize = 12;
/// The header of a question for the rules, routes or neighbours of all families.
pub(super) const EVERYTHING: [u8; HEADER_LEN] = [0; HEADER_LEN];
/// The header of a question for the proxies of all families: `ndm_flags` is what it asks for.
pub(super) const PROXIES: [u8; HEADER_LEN] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, libc::NTF_PROXY, 0];

/// `IFLA_EXT_MASK` of linux/if_link.h.
const IFLA_EXT_MASK: u16 = 29;
/// Tell nothing of the counters, which are most of what there is to tell.
const RTEXT_FILTER_SKIP_STATS: u32 = 1 << 3;

/// `FRA_*` and `FR_ACT_TO_TBL` of linux/fib_rules.h.
const FRA_IIFNAME: u16 = 3;
const FRA_PRIORITY: u16 = 6;
const FRA_TABLE: u16 = 15;
const FRA_PROTOCOL: u16 = 21;
const FR_ACT_TO_TBL: u8 = 1;

/// `NDA_PROTOCOL` of linux/neighbour.h.
const NDA_PROTOCOL: u16 = 12;

/// A route that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SeenRoute {
    /// One of ours.
    Ours {
        /// `RTA_DST`.
        destination: IpNet,
        /// `RTA_TABLE`.
        table: u32,
        /// `RTA_OIF`.
        device: IfIndex,
    },
    /// A default route, whoever made it.
    Default {
        /// Of which packets.
        family: Family,
        /// `RTA_TABLE`.
        table: u32,
        /// `RTA_PRIORITY`.
        metric: u32,
        /// `RTA_OIF`, or that of the first next hop.
        device: IfIndex,
    },
}

/// Reads a link, and its name.
pub(super) fn link(message: &Message<'_>) -> Option<(InterfaceName, Link)> {
    let Some(Said::There(link)) = links::read(message) else { return None };
    let kind = if link.is_bridge { LinkKind::Bridge } else { LinkKind::Other };
    let is_up = links::is_up(message);
    let crate::engine::Link { ifindex, name, mac, mtu, master, .. } = link;
    Some((name, Link { ifindex, mac, is_up, master, mtu, kind }))
}

/// Reads one of our rules. Others, and those of ours that are of another kind, are none.
pub(super) fn rule(message: &Message<'_>) -> Option<Rule> {
    let (header, attributes) = split(message, libc::RTM_NEWRULE)?;
    let [family, _, _, _, table, _, _, action, ..] = *header;
    let is_ours = action == FR_ACT_TO_TBL
        && attributes.value(FRA_PROTOCOL) == Some(&[PROTOCOL])
        && attributes.number(FRA_PRIORITY) == Some(RULE_PRIORITY);
    let tap = text(attributes.value(FRA_IIFNAME)?);
    let tap = std::str::from_utf8(tap).ok()?.parse().ok()?;
    let table = attributes.number(FRA_TABLE).unwrap_or(table.into());
    is_ours.then_some(Rule { family: family_of(family)?, tap, table })
}

/// Reads one of our routes, or a default route.
pub(super) fn route(message: &Message<'_>) -> Option<SeenRoute> {
    let (header, attributes) = split(message, libc::RTM_NEWROUTE)?;
    let [family, length, _, _, table, protocol, _, kind, ..] = *header;
    let family = family_of(family)?;
    let table = attributes.number(libc::RTA_TABLE).unwrap_or(table.into());
    if kind != libc::RTN_UNICAST || table == u32::from(libc::RT_TABLE_LOCAL) {
        return None;
    }
    let device = device_of(attributes)?;
    if protocol == PROTOCOL {
        let address = attributes.value(libc::RTA_DST).and_then(|address| address_of(family, address))?;
        let destination = IpNet::new(address, length).ok()?;
        return Some(SeenRoute::Ours { destination, table, device });
    }
    let metric = attributes.number(libc::RTA_PRIORITY).unwrap_or_default();
    (length == 0).then_some(SeenRoute::Default { family, table, metric, device })
}

/// Reads one of our proxies: its address, and the index of its interface.
pub(super) fn proxy(message: &Message<'_>) -> Option<(IpAddr, IfIndex)> {
    let (header, attributes) = split(message, libc::RTM_NEWNEIGH)?;
    let [family, _, _, _, i0, i1, i2, i3, _, _, flags, _] = *header;
    let is_ours = flags & libc::NTF_PROXY != 0 && attributes.value(NDA_PROTOCOL) == Some(&[PROTOCOL]);
    let address = address_of(family_of(family)?, attributes.value(libc::NDA_DST)?)?;
    let uplink = IfIndex::new(u32::from_ne_bytes([i0, i1, i2, i3]))?;
    is_ours.then_some((address, uplink))
}

/// The question for all links.
pub(super) fn all_links() -> Vec<u8> {
    let mut body = vec![0; IFINFOMSG_LEN];
    push_attribute(&mut body, IFLA_EXT_MASK, &RTEXT_FILTER_SKIP_STATS.to_ne_bytes());
    body
}

/// The question for the link of this name; or the beginning of an order to it.
pub(super) fn link_of(name: InterfaceName) -> Vec<u8> {
    let mut body = vec![0; IFINFOMSG_LEN];
    push_name(&mut body, IFLA_IFNAME, name);
    body
}

/// A rule, as the kernel is told of it.
pub(super) fn of_rule(rule: &Rule) -> Vec<u8> {
    let mut body = vec![family_number(rule.family), 0, 0, 0, 0, 0, 0, FR_ACT_TO_TBL, 0, 0, 0, 0];
    push_name(&mut body, FRA_IIFNAME, rule.tap);
    push_number(&mut body, FRA_PRIORITY, RULE_PRIORITY);
    push_number(&mut body, FRA_TABLE, rule.table);
    push_attribute(&mut body, FRA_PROTOCOL, &[PROTOCOL]);
    body
}

/// A route to this interface, as the kernel is told of it.
pub(super) fn of_route(route: &Route, device: IfIndex) -> Vec<u8> {
    let Route { destination, table, .. } = route;
    let family = family_number(Family::of(destination.addr()));
    let (length, link, unicast) = (destination.prefix_len(), libc::RT_SCOPE_LINK, libc::RTN_UNICAST);
    let mut body = vec![family, length, 0, 0, 0, PROTOCOL, link, unicast, 0, 0, 0, 0];
    push_address(&mut body, libc::RTA_DST, destination.addr());
    push_number(&mut body, libc::RTA_OIF, device.value());
    push_number(&mut body, libc::RTA_TABLE, *table);
    body
}

/// A proxy on this interface, as the kernel is told of it.
pub(super) fn of_proxy(proxy: &Proxy, device: IfIndex) -> Vec<u8> {
    let [i0, i1, i2, i3] = device.value().to_ne_bytes();
    let [s0, s1] = libc::NUD_PERMANENT.to_ne_bytes();
    let family = family_number(Family::of(proxy.address));
    let mut body = vec![family, 0, 0, 0, i0, i1, i2, i3, s0, s1, libc::NTF_PROXY, 0];
    push_address(&mut body, libc::NDA_DST, proxy.address);
    push_attribute(&mut body, NDA_PROTOCOL, &[PROTOCOL]);
    body
}

/// The order that a link be up, or down.
pub(super) fn up(name: InterfaceName, is_up: bool) -> Vec<u8> {
    let mut body = link_of(name);
    let up = (libc::IFF_UP as u32).to_ne_bytes();
    let flags = if is_up { up } else { [0; 4] };
    // `ifi_flags` and `ifi_change`.
    body.splice(8..IFINFOMSG_LEN, [flags, up].concat());
    body
}

/// The order that a link be a port of this bridge, or of none.
pub(super) fn master(name: InterfaceName, bridge: Option<IfIndex>) -> Vec<u8> {
    let mut body = link_of(name);
    push_number(&mut body, IFLA_MASTER, bridge.map_or(0, IfIndex::value));
    body
}

/// The order that a link have this MAC.
pub(super) fn mac(name: InterfaceName, mac: MacAddr) -> Vec<u8> {
    let mut body = link_of(name);
    push_attribute(&mut body, IFLA_ADDRESS, &mac.octets());
    body
}

/// The order that a link have this MTU, in bytes.
pub(super) fn mtu(name: InterfaceName, mtu: u32) -> Vec<u8> {
    let mut body = link_of(name);
    push_number(&mut body, IFLA_MTU, mtu);
    body
}

/// The attributes of a message.
#[derive(Debug, Clone, Copy)]
struct Attributes<'a>(&'a [u8]);

impl<'a> Attributes<'a> {
    fn value(self, wanted: u16) -> Option<&'a [u8]> {
        let mut attributes = netlink::attributes(self.0).map_while(Result::ok);
        attributes.find(|(kind, _)| *kind == wanted).map(|(_, value)| value)
    }

    fn number(self, wanted: u16) -> Option<u32> {
        self.value(wanted).and_then(ne32)
    }
}

/// Header and attributes of a message of this kind.
fn split<'a>(message: &Message<'a>, kind: u16) -> Option<(&'a [u8; HEADER_LEN], Attributes<'a>)> {
    let (header, attributes) = message.payload.split_first_chunk::<HEADER_LEN>()?;
    (message.kind == kind).then_some((header, Attributes(attributes)))
}

/// Where a route goes: `RTA_OIF`, or `rtnh_ifindex` of the first `struct rtnexthop` of several.
fn device_of(attributes: Attributes<'_>) -> Option<IfIndex> {
    let next_hops = || attributes.value(libc::RTA_MULTIPATH)?.get(4..).and_then(ne32);
    attributes.number(libc::RTA_OIF).or_else(next_hops).and_then(IfIndex::new)
}

fn family_of(number: u8) -> Option<Family> {
    [Family::V4, Family::V6].into_iter().find(|family| family_number(*family) == number)
}

fn family_number(family: Family) -> u8 {
    match family {
        Family::V4 => libc::AF_INET as u8,
        Family::V6 => libc::AF_INET6 as u8,
    }
}

fn address_of(family: Family, bytes: &[u8]) -> Option<IpAddr> {
    match family {
        Family::V4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        Family::V6 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
    }
}

fn push_name(to: &mut Vec<u8>, kind: u16, name: InterfaceName) {
    push_attribute(to, kind, format!("{name}\0").as_bytes());
}

fn push_number(to: &mut Vec<u8>, kind: u16, number: u32) {
    push_attribute(to, kind, &number.to_ne_bytes());
}

fn push_address(to: &mut Vec<u8>, kind: u16, address: IpAddr) {
    match address {
        IpAddr::V4(address) => push_attribute(to, kind, &address.octets()),
        IpAddr::V6(address) => push_attribute(to, kind, &address.octets()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::netlink::push_message;

    /// What `read` makes of a message.
    fn of<T>(kind: u16, body: &[u8], read: impl Fn(&Message<'_>) -> Option<T>) -> Option<T> {
        let mut bytes = Vec::new();
        push_message(&mut bytes, kind, 0, 0, |to| to.extend_from_slice(body));
        read(&netlink::messages(&bytes).next().unwrap())
    }

    fn name(text: &str) -> InterfaceName {
        text.parse().unwrap()
    }

    fn index(number: u32) -> IfIndex {
        IfIndex::new(number).unwrap()
    }

    /// These bytes, but for those at the given places.
    fn but(bytes: &[u8], changes: &[(usize, u8)]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for (at, byte) in changes {
            bytes[*at] = *byte;
        }
        bytes
    }

    /// A header, and attributes.
    fn body(header: [u8; HEADER_LEN], attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = header.to_vec();
        for (kind, value) in attributes {
            push_attribute(&mut body, *kind, value);
        }
        body
    }

    #[test]
    fn a_rule_is_read_as_it_is_written() {
        for (family, tap, table) in [(Family::V4, "tap0", 100), (Family::V6, "fifteen-letters", 70_000)] {
            let ours = Rule { family, tap: name(tap), table };
            assert_eq!(of(libc::RTM_NEWRULE, &of_rule(&ours), rule), Some(ours));
        }
    }

    #[test]
    fn rules_of_others_are_none() {
        let written = of_rule(&Rule { family: Family::V4, tap: name("tap0"), table: 100 });
        // The action; the protocol, in the last attribute; the family.
        for change in [(7, 2), (written.len() - 4, 3), (0, 7)] {
            assert_eq!(of(libc::RTM_NEWRULE, &but(&written, &[change]), rule), None, "{change:?}");
        }
        assert_eq!(of(libc::RTM_DELRULE, &written, rule), None);
        let without_tap = body([2, 0, 0, 0, 100, 0, 0, 1, 0, 0, 0, 0], &[(FRA_PROTOCOL, &[PROTOCOL])]);
        assert_eq!(of(libc::RTM_NEWRULE, &without_tap, rule), None);
    }

    #[test]
    fn a_route_is_read_as_it_is_written() {
        for (destination, table) in [("192.0.2.1/32", 100), ("2001:db8::/64", 70_000)] {
            let destination = destination.parse().unwrap();
            let bytes = of_route(&Route { destination, tap: name("tap0"), table }, index(7));
            let expected = SeenRoute::Ours { destination, table, device: index(7) };
            assert_eq!(of(libc::RTM_NEWROUTE, &bytes, route), Some(expected));
            let foreign = but(&bytes, &[(5, 4)]);
            assert_eq!(of(libc::RTM_NEWROUTE, &foreign, route), None);
        }
    }

    #[test]
    fn default_routes_are_read_whoever_made_them() {
        let header = [2, 0, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0];
        let next_hops =
            [[16, 0, 0, 0, 5, 0, 0, 0, 8, 0, 5, 0, 192, 0, 2, 1], [8, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]];
        type Case<'a> = (&'a [(u16, &'a [u8])], u32, u32);
        let cases: [Case<'_>; 3] = [
            (&[(libc::RTA_OIF, &5_u32.to_ne_bytes())], 254, 0),
            (&[(libc::RTA_TABLE, &900_u32.to_ne_bytes()), (libc::RTA_OIF, &5_u32.to_ne_bytes())], 900, 0),
            (&[(libc::RTA_MULTIPATH, next_hops.as_flattened()), (libc::RTA_PRIORITY, &7_u32.to_ne_bytes())], 254, 7),
        ];
        for (attributes, table, metric) in cases {
            let expected = SeenRoute::Default { family: Family::V4, table, metric, device: index(5) };
            assert_eq!(of(libc::RTM_NEWROUTE, &body(header, attributes), route), Some(expected));
        }
        // Unreachable; the local table; another destination.
        let device = [(libc::RTA_OIF, &5_u32.to_ne_bytes()[..])];
        for change in [(7, 7), (4, 255), (1, 24)] {
            let bytes = but(&body(header, &device), &[change]);
            assert_eq!(of(libc::RTM_NEWROUTE, &bytes, route), None, "{change:?}");
        }
        assert_eq!(of(libc::RTM_NEWROUTE, &header, route), None, "no interface");
    }

    #[test]
    fn a_proxy_is_read_as_it_is_written() {
        for address in ["192.0.2.1", "2001:db8::1"] {
            let address = address.parse().unwrap();
            let bytes = of_proxy(&Proxy { address, uplink: name("eth0") }, index(9));
            assert_eq!(of(libc::RTM_NEWNEIGH, &bytes, proxy), Some((address, index(9))));
            // A neighbour, no proxy; somebody else's proxy.
            for change in [(10, 0), (bytes.len() - 4, 0)] {
                assert_eq!(of(libc::RTM_NEWNEIGH, &but(&bytes, &[change]), proxy), None, "{change:?}");
            }
        }
    }

    #[test]
    fn orders_to_a_link_name_it_and_say_one_thing() {
        let attributes = |body: &[u8]| {
            let attributes = netlink::attributes(&body[IFINFOMSG_LEN..]).map(|attribute| attribute.unwrap());
            attributes.map(|(kind, value)| (kind, value.to_vec())).collect::<Vec<_>>()
        };
        let tap0 = (IFLA_IFNAME, b"tap0\0".to_vec());
        assert_eq!(up(name("tap0"), true)[..IFINFOMSG_LEN], [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(up(name("tap0"), false)[..IFINFOMSG_LEN], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(attributes(&up(name("tap0"), true)), std::slice::from_ref(&tap0));
        let cases = [
            (master(name("tap0"), Some(index(3))), (IFLA_MASTER, 3_u32.to_ne_bytes().to_vec())),
            (master(name("tap0"), None), (IFLA_MASTER, vec![0; 4])),
            (mac(name("tap0"), MacAddr::new([2, 0, 0, 0, 0, 1])), (IFLA_ADDRESS, vec![2, 0, 0, 0, 0, 1])),
            (mtu(name("tap0"), 9000), (IFLA_MTU, 9000_u32.to_ne_bytes().to_vec())),
        ];
        for (body, expected) in cases {
            assert_eq!(body[..IFINFOMSG_LEN], [0; IFINFOMSG_LEN]);
            assert_eq!(attributes(&body), [tap0.clone(), expected]);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(header: [u8; HEADER_LEN], attributes: Vec<u8>) {
            for family in [2, 10, header[0]] {
                let bytes = [&[family], &header[1..], &attributes].concat();
                let _ = of(libc::RTM_NEWRULE, &bytes, rule);
                let _ = of(libc::RTM_NEWROUTE, &bytes, route);
                let _ = of(libc::RTM_NEWNEIGH, &bytes, proxy);
                let _ = of(libc::RTM_NEWLINK, &bytes, link);
            }
        }
    }
}
