//! The messages of rtnetlink about links (linux/rtnetlink.h, linux/if_link.h), as far as the engine asks.
//!
//! Pure, and without panics for any bytes.

use crate::binding::IfIndex;
use crate::engine::Link;
use crate::io::netlink::{self, Message, ne32, push_message, text};
use crate::wire::MacAddr;

/// The length of `struct ifinfomsg`, in bytes.
pub(in crate::io) const IFINFOMSG_LEN: usize = 16;
/// `IFLA_*` of linux/if_link.h.
pub(in crate::io) const IFLA_ADDRESS: u16 = 1;
pub(in crate::io) const IFLA_IFNAME: u16 = 3;
pub(in crate::io) const IFLA_MTU: u16 = 4;
pub(in crate::io) const IFLA_MASTER: u16 = 10;
const IFLA_LINKINFO: u16 = 18;
/// Inside `IFLA_LINKINFO`.
const IFLA_INFO_KIND: u16 = 1;

/// Flags of a link by which a frame can leave.
const READY: u32 = (libc::IFF_UP | libc::IFF_LOWER_UP) as u32;

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A link is there, and looks like this.
    There(Link),
    /// The link with this index is not there, or has a name that no tap or bridge of ours can have.
    Gone(IfIndex),
    /// The dump that was asked for is complete; false: it must be asked for again.
    Complete(bool),
}

/// Reads a message; None where it says nothing of use.
///
/// Messages of family AF_BRIDGE tell of ports, not of links: a link that leaves its bridge is announced by RTM_DELLINK
/// of that family, and goes on to live. Each comes with one of AF_UNSPEC that says everything.
pub fn read(message: &Message<'_>) -> Option<Said> {
    if let Some(errno) = message.errno() {
        return Some(Said::Complete(errno == 0));
    }
    let (header, attributes) = message.payload.split_first_chunk::<IFINFOMSG_LEN>()?;
    let [family, _, _, _, i0, i1, i2, i3, f0, f1, f2, f3, ..] = *header;
    if i32::from(family) != libc::AF_UNSPEC {
        return None;
    }
    let ifindex = IfIndex::new(u32::from_ne_bytes([i0, i1, i2, i3]))?;
    match message.kind {
        libc::RTM_DELLINK => Some(Said::Gone(ifindex)),
        libc::RTM_NEWLINK => {
            let flags = u32::from_ne_bytes([f0, f1, f2, f3]);
            read_link(ifindex, flags & READY == READY, attributes)
        }
        _ => None,
    }
}

/// Whether a message about a link says `IFF_UP`: that it is meant to work, with a carrier or without.
pub fn is_up(message: &Message<'_>) -> bool {
    let flags = message.payload.get(8..).and_then(ne32);
    flags.is_some_and(|flags| flags & libc::IFF_UP as u32 != 0)
}

/// Reads the attributes of a link. Those of a wireless event lack the MTU: they say nothing of the link as such.
fn read_link(ifindex: IfIndex, is_ready: bool, attributes: &[u8]) -> Option<Said> {
    let mut name = None;
    let mut mtu = None;
    let mut mac = None;
    let mut master = None;
    let mut is_bridge = false;
    for attribute in netlink::attributes(attributes) {
        let (kind, value) = attribute.ok()?;
        match kind {
            IFLA_IFNAME => name = Some(text(value)),
            IFLA_MTU => mtu = ne32(value),
            IFLA_ADDRESS if value.len() == 6 => mac = MacAddr::from_slice(value),
            IFLA_MASTER => master = ne32(value).and_then(IfIndex::new),
            IFLA_LINKINFO => is_bridge = kind_of(value) == Some(b"bridge"),
            _ => {}
        }
    }
    let (name, mtu) = (name?, mtu?);
    let Some(name) = std::str::from_utf8(name).ok().and_then(|n| n.parse().ok()) else {
        return Some(Said::Gone(ifindex));
    };
    Some(Said::There(Link { ifindex, name, mac, mtu, master, is_bridge, is_ready }))
}

/// `IFLA_INFO_KIND` of an `IFLA_LINKINFO`.
fn kind_of(link_info: &[u8]) -> Option<&[u8]> {
    netlink::attributes(link_info)
        .map_while(Result::ok)
        .find(|(kind, _)| *kind == IFLA_INFO_KIND)
        .map(|(_, value)| text(value))
}

/// Appends the request for all links.
pub fn push_dump(to: &mut Vec<u8>) {
    let flags = (libc::NLM_F_REQUEST | libc::NLM_F_DUMP) as u16;
    push_message(to, libc::RTM_GETLINK, flags, 0, |to| {
        to.extend_from_slice(&[0; IFINFOMSG_LEN]);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::netlink::push_attribute;

    /// A message of these attributes about link 7, which is up and has a carrier.
    fn bytes(kind: u16, family: i32, attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        push_message(&mut bytes, kind, 0, 0, |to| {
            to.extend_from_slice(&[family as u8, 0, 0, 0]);
            to.extend_from_slice(&7_i32.to_ne_bytes());
            to.extend_from_slice(&READY.to_ne_bytes());
            to.extend_from_slice(&[0; 4]);
            for (kind, value) in attributes {
                push_attribute(to, *kind, value);
            }
        });
        bytes
    }

    fn said(bytes: &[u8]) -> Option<Said> {
        read(&netlink::messages(bytes).next().unwrap())
    }

    fn index(number: u32) -> IfIndex {
        IfIndex::new(number).unwrap()
    }

    const MTU: [u8; 4] = 1500_u32.to_ne_bytes();

    #[test]
    fn reads_a_port_and_a_bridge() {
        let mut info = Vec::new();
        push_attribute(&mut info, IFLA_INFO_KIND, b"bridge\0");
        push_attribute(&mut info, 2, &[9; 5]);
        let mut link = Link {
            ifindex: index(7),
            name: "tap0".parse().unwrap(),
            mac: Some(MacAddr::new([2, 0, 0, 0, 0, 1])),
            mtu: 1500,
            master: Some(index(3)),
            is_bridge: false,
            is_ready: true,
        };
        let port: &[(u16, &[u8])] = &[
            (IFLA_IFNAME, b"tap0\0"),
            (IFLA_MTU, &MTU),
            (IFLA_ADDRESS, &[2, 0, 0, 0, 0, 1]),
            (IFLA_MASTER, &3_u32.to_ne_bytes()),
        ];
        let port_bytes = bytes(libc::RTM_NEWLINK, libc::AF_UNSPEC, port);
        assert_eq!(said(&port_bytes), Some(Said::There(link.clone())));

        link.name = "br0".parse().unwrap();
        (link.mac, link.master, link.is_bridge) = (None, None, true);
        let bridge: &[(u16, &[u8])] =
            &[(IFLA_IFNAME, b"br0\0"), (IFLA_MTU, &MTU), (IFLA_ADDRESS, &[1; 20]), (IFLA_LINKINFO | 0x8000, &info)];
        let bridge_bytes = bytes(libc::RTM_NEWLINK, libc::AF_UNSPEC, bridge);
        assert_eq!(said(&bridge_bytes), Some(Said::There(link)));
    }

    #[test]
    fn without_a_carrier_a_link_is_not_ready() {
        for (flags, expected) in [(0, false), (1, false), (0x10000, false), (0x10001, true), (0x11043, true)] {
            let mut bytes = bytes(libc::RTM_NEWLINK, libc::AF_UNSPEC, &[(IFLA_IFNAME, b"tap0\0"), (IFLA_MTU, &MTU)]);
            bytes[24..28].copy_from_slice(&u32::to_ne_bytes(flags));
            let Some(Said::There(link)) = said(&bytes) else { panic!("{flags:x}") };
            assert_eq!(link.is_ready, expected, "{flags:x}");
            assert_eq!(is_up(&netlink::messages(&bytes).next().unwrap()), flags & 1 != 0, "{flags:x}");
        }
    }

    #[test]
    fn leaving_a_bridge_is_no_end() {
        let gone = bytes(libc::RTM_DELLINK, libc::AF_UNSPEC, &[]);
        assert_eq!(said(&gone), Some(Said::Gone(index(7))));
        let left = bytes(libc::RTM_DELLINK, libc::AF_BRIDGE, &[]);
        assert_eq!(said(&left), None);
    }

    #[test]
    fn a_name_that_no_tap_can_have_is_no_link() {
        let name = [(IFLA_IFNAME, &b"\xff\xfe\0"[..]), (IFLA_MTU, &MTU)];
        let message = bytes(libc::RTM_NEWLINK, libc::AF_UNSPEC, &name);
        assert_eq!(said(&message), Some(Said::Gone(index(7))));
    }

    #[test]
    fn what_is_partial_or_broken_says_nothing() {
        let wireless = bytes(libc::RTM_NEWLINK, libc::AF_UNSPEC, &[(IFLA_IFNAME, b"wlan0\0"), (11, &[0; 8])]);
        assert_eq!(said(&wireless), None);
        let mut cut = bytes(libc::RTM_NEWLINK, libc::AF_UNSPEC, &[(IFLA_MTU, &MTU)]);
        cut.truncate(cut.len() - 2);
        assert_eq!(said(&cut), None);
    }

    #[test]
    fn a_dump_ends_well_or_not() {
        let end = |error: i32| {
            let mut bytes = Vec::new();
            push_message(&mut bytes, libc::NLMSG_DONE as u16, 0, 1, |to| {
                to.extend_from_slice(&error.to_ne_bytes());
            });
            said(&bytes)
        };
        assert_eq!(end(0), Some(Said::Complete(true)));
        assert_eq!(end(-libc::EBUSY), Some(Said::Complete(false)));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(kind in 16_u16..18, attributes: Vec<u8>) {
            let mut bytes = bytes(kind, libc::AF_UNSPEC, &[]);
            bytes.extend_from_slice(&attributes);
            let length = bytes.len() as u32;
            bytes[..4].copy_from_slice(&length.to_ne_bytes());
            let _ = netlink::messages(&bytes).filter_map(|message| read(&message)).count();
            let _ = netlink::messages(&attributes).filter_map(|message| read(&message)).count();
        }
    }
}
