//! A guest that sends as fast as it can, and listens to nothing.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, OwnedFd};

use nfdhcpd::io::sys::{Frame, send_frames, set_qdisc_bypass};
use nix::net::if_::if_nametoindex;
use nix::sys::socket::{self, AddressFamily, SockFlag, SockType};

use crate::lab::frames::{ethernet, icmpv6, udp4, udp6};
use crate::net::{Guest, within};
use crate::packet::{IP_HEADER, Kind, requests};

/// Where a DHCPv4 message begins, behind Ethernet, IPv4 without options, and UDP.
const DHCPV4_PAYLOAD: usize = IP_HEADER + 20 + 8;

/// How many frames are handed over at a time.
const BATCH: usize = 64;

/// What floods are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flood {
    /// What is answered; of DHCPv4, DISCOVER alone.
    Requests(Kind),
    /// What breaks off, of each protocol in turn.
    Malformed,
}

impl Flood {
    /// Every flood.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Kind::ALL.into_iter().map(Self::Requests).chain([Self::Malformed])
    }

    /// What tables call it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Requests(Kind::Dhcpv4) => "DISCOVER",
            Self::Requests(Kind::RouterSolicitation) => "Router Solicitation",
            Self::Requests(Kind::NeighbourSolicitation) => "Neighbor Solicitation",
            Self::Requests(Kind::InformationRequest) => "Information-Request",
            Self::Requests(Kind::Solicit) => "Solicit",
            Self::Malformed => "malformed, each protocol in turn",
        }
    }

    /// The frames, to be sent again and again.
    pub(crate) fn frames(self, guest: &Guest) -> Vec<Vec<u8>> {
        match self {
            Self::Requests(kind) => vec![requests(kind, guest).remove(0)],
            Self::Malformed => malformed(guest).into(),
        }
    }
}

/// Messages that end within an option. All that is around them is right, so that somebody has to look at them.
fn malformed(guest: &Guest) -> [Vec<u8>; 4] {
    let (us, all) = (guest.link_local(), Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2));
    let frame = |ethertype, packet: &[u8]| ethernet([0x33, 0x33, 0, 0, 0, 2], guest.mac(), ethertype, packet);
    let discover = requests(Kind::Dhcpv4, guest).remove(0);
    let fixed_part = discover[DHCPV4_PAYLOAD..][..240].to_vec();
    let dhcpv4 = [&fixed_part[..], &[53, 1, 1, 61, 200, 1]].concat();
    [
        frame(0x0800, &udp4(Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST, [68, 67], &dhcpv4)),
        frame(0x86dd, &icmpv6(us, all, 133, &[0, 0, 0, 0, 1, 9, 0, 0, 0, 0, 0, 0])),
        frame(0x86dd, &icmpv6(us, all, 135, &[0; 12])),
        frame(0x86dd, &udp6(us, all, [546, 547], &[11, 1, 2, 3, 0, 1, 0xff, 0xff, 1])),
    ]
}

/// A guest's socket for nothing but sending.
pub(crate) struct Flooder {
    fd: OwnedFd,
    ifindex: u32,
}

impl Flooder {
    /// Opens the socket.
    pub(crate) fn open(guest: &Guest) -> Self {
        within(&guest.netns, || {
            let fd = socket::socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, None).unwrap();
            set_qdisc_bypass(fd.as_fd()).unwrap();
            Self { fd, ifindex: if_nametoindex("eth0").unwrap() }
        })
    }

    /// Sends these frames again and again while `goes_on` says so, and returns how many the node took.
    pub(crate) fn send(&self, frames: &[Vec<u8>], goes_on: impl Fn() -> bool) -> u64 {
        let batch = || frames.iter().cycle().take(BATCH).map(|bytes| Frame { ifindex: self.ifindex, bytes });
        let mut sent = 0;
        while goes_on() {
            // An error says that the node is not done with what it has: what is not taken is lost, as on any wire.
            sent += send_frames(self.fd.as_fd(), batch()).unwrap_or_default() as u64;
        }
        sent
    }
}
