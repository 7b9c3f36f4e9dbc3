//! The packets of an honest guest, as usual clients send them.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::binding::Binding;
use crate::engine::na::solicited_node;
use crate::wire::dhcpv4::{self, MessageType, code};
use crate::wire::dhcpv6::{self, Encoder, IaKind, NoRoom, option};
use crate::wire::ethernet::{self, Addresses};
use crate::wire::udp::{self, Envelope};
use crate::wire::{MacAddr, icmpv6, ipv6};

/// What clients that configure a host ask for by DHCPv4.
const PARAMETERS: &[u8] = &[
    code::SUBNET_MASK,
    code::ROUTER,
    code::DNS_SERVER,
    code::HOST_NAME,
    code::DOMAIN_NAME,
    code::MTU,
    code::BROADCAST,
    code::NTP_SERVER,
    code::CAPTIVE_PORTAL,
    code::DOMAIN_SEARCH,
    code::CLASSLESS_ROUTE,
];

/// The same by DHCPv6, whatever the message.
const OPTIONS: &[u16] = &[option::DNS_SERVERS, option::DOMAIN_LIST, option::NTP_SERVER, option::CAPTIVE_PORTAL];

/// The number of every exchange: nobody else hears of it.
const XID: [u8; 4] = *b"what";

/// What a DHCPv6 message here takes at most, in bytes: all of it is of known size.
const LONGEST_DHCPV6: usize = 256;

/// All routers of the link (RFC 4291 §2.7.1).
const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
/// All DHCPv6 servers and relays (RFC 8415 §7.1).
const ALL_SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);

/// An honest guest.
pub(super) struct Asker<'a> {
    pub(super) binding: &'a Binding,
    /// The address of its router, if it can know one.
    pub(super) router: Option<Ipv6Addr>,
}

impl Asker<'_> {
    /// DHCPDISCOVER.
    pub(super) fn discover(&self) -> Vec<u8> {
        self.dhcpv4(MessageType::Discover, &[])
    }

    /// DHCPREQUEST for the guest's address, of the server that offered it.
    pub(super) fn request(&self, server: Ipv4Addr) -> Vec<u8> {
        let address = self.binding.ipv4.map_or(Ipv4Addr::UNSPECIFIED, |ipv4| ipv4.address);
        let chosen = [(code::REQUESTED_ADDRESS, address), (code::SERVER_ID, server)];
        self.dhcpv4(MessageType::Request, &chosen)
    }

    /// RFC 2131 §4.4.1: from 0.0.0.0 to all, with these options besides the usual ones.
    fn dhcpv4(&self, message_type: MessageType, addresses: &[(u8, Ipv4Addr)]) -> Vec<u8> {
        let mac = self.binding.mac.octets();
        let mut message = vec![dhcpv4::BOOTREQUEST, 1, 6, 0];
        message.extend(XID);
        // From `secs` to `giaddr`: nothing to say.
        message.extend([0; 20]);
        message.extend(mac);
        // The rest of `chaddr`, `sname`, `file`.
        message.extend([0; 10 + 64 + 128]);
        message.extend(dhcpv4::COOKIE);
        let mut put = |code, value: &[u8]| message.extend(dhcpv4::encode_option(code, value));
        put(code::MESSAGE_TYPE, &[message_type.number()]);
        // RFC 2132 §9.14: the type of hardware, and the MAC.
        put(code::CLIENT_ID, &[&[1][..], &mac].concat());
        addresses.iter().for_each(|(code, address)| put(*code, &address.octets()));
        put(code::MAX_SIZE, &1500_u16.to_be_bytes());
        put(code::PARAMETER_REQUEST_LIST, PARAMETERS);
        message.push(code::END);
        self.udp4(&message)
    }

    fn udp4(&self, message: &[u8]) -> Vec<u8> {
        let mut frame = [&[0; udp::FRAME_PAYLOAD_V4], message].concat();
        let envelope = Envelope {
            ethernet: self.to(MacAddr::BROADCAST),
            source: (Ipv4Addr::UNSPECIFIED, dhcpv4::CLIENT_PORT),
            destination: (Ipv4Addr::BROADCAST, dhcpv4::SERVER_PORT),
        };
        // The frame is as long as both together.
        let _ = udp::seal_v4(&mut frame, &envelope, message.len());
        frame.split_off(ethernet::HEADER_LEN)
    }

    /// A Router Solicitation (RFC 4861 §4.1).
    pub(super) fn router_solicitation(&self) -> Option<Vec<u8>> {
        self.icmpv6(ALL_ROUTERS, &[icmpv6::ROUTER_SOLICITATION, 0, 0, 0, 0, 0, 0, 0])
    }

    /// A Neighbor Solicitation (RFC 4861 §4.3) for the router; None where the guest cannot know one.
    pub(super) fn neighbor_solicitation(&self) -> Option<Vec<u8>> {
        let target = self.router?;
        let head = [icmpv6::NEIGHBOR_SOLICITATION, 0, 0, 0, 0, 0, 0, 0];
        self.icmpv6(solicited_node(target), &[&head[..], &target.octets()].concat())
    }

    /// A message of neighbour discovery, with the guest's link-layer address behind it.
    fn icmpv6(&self, destination: Ipv6Addr, message: &[u8]) -> Option<Vec<u8>> {
        // RFC 4861 §4.6.1: a Source Link-Layer Address option of 8 bytes.
        let message = [message, &[1, 1], &self.binding.mac.octets()].concat();
        let mut frame = vec![0; ipv6::FRAME_PAYLOAD + message.len()];
        let source = self.binding.mac.link_local();
        ipv6::put_icmpv6(&mut frame, self.to(MacAddr::ALL_NODES), source, destination, &message)?;
        Some(frame.split_off(ethernet::HEADER_LEN))
    }

    /// A DHCPv6 Information-Request (RFC 8415 §18.2.6).
    pub(super) fn information_request(&self) -> Option<Vec<u8>> {
        // RFC 8415 §21.23, §21.25: it must ask for these.
        let also = [option::INFORMATION_REFRESH_TIME, option::INF_MAX_RT];
        self.dhcpv6(dhcpv6::MessageType::InformationRequest, &also, &[])
    }

    /// A DHCPv6 Solicit (RFC 8415 §18.2.1) for an address, and for a prefix where the guest is to have one.
    pub(super) fn solicit(&self) -> Option<Vec<u8>> {
        let has_prefix = self.binding.ipv6.as_ref().is_some_and(|ipv6| ipv6.delegated.is_some());
        let kinds: &[IaKind] = if has_prefix { &[IaKind::Addresses, IaKind::Prefixes] } else { &[IaKind::Addresses] };
        // RFC 8415 §21.24: it must ask for this.
        self.dhcpv6(dhcpv6::MessageType::Solicit, &[option::SOL_MAX_RT], kinds)
    }

    fn dhcpv6(&self, message_type: dhcpv6::MessageType, also: &[u16], kinds: &[IaKind]) -> Option<Vec<u8>> {
        let mut frame = vec![0; udp::FRAME_PAYLOAD_V6 + LONGEST_DHCPV6];
        let payload = frame.get_mut(udp::FRAME_PAYLOAD_V6..)?;
        let len = self.put_dhcpv6(payload, message_type, also, kinds).ok()?;
        let envelope = Envelope {
            ethernet: self.to(MacAddr::ALL_NODES),
            source: (self.binding.mac.link_local(), dhcpv6::CLIENT_PORT),
            destination: (ALL_SERVERS, dhcpv6::SERVER_PORT),
        };
        let len = udp::seal_v6(&mut frame, &envelope, len)?;
        frame.truncate(len);
        Some(frame.split_off(ethernet::HEADER_LEN))
    }

    fn put_dhcpv6(
        &self,
        to: &mut [u8],
        message_type: dhcpv6::MessageType,
        also: &[u16],
        kinds: &[IaKind],
    ) -> Result<usize, NoRoom> {
        const ELAPSED_TIME: u16 = 8;
        let [_, _, iaid @ ..] = self.binding.mac.octets();
        let [_, xid @ ..] = XID;
        let mut message = Encoder::new(to, message_type, xid)?;
        // RFC 8415 §11.4: DUID-LL.
        message.joined(option::CLIENT_ID, &[&[0, 3, 0, 1], &self.binding.mac.octets()])?;
        message.option(ELAPSED_TIME, &[0, 0])?;
        kinds.iter().try_for_each(|kind| message.ia(*kind, iaid, [0, 0], |_| Ok(())))?;
        let asked: Vec<u8> = OPTIONS.iter().chain(also).flat_map(|code| code.to_be_bytes()).collect();
        message.option(option::ORO, &asked)?;
        Ok(message.finish())
    }

    /// The headers of the frame are cut off again.
    fn to(&self, destination: MacAddr) -> Addresses {
        Addresses { source: self.binding.mac, destination }
    }
}
