//! An engine with its links, whose every answer is checked against what is known of the world.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use nfdhcpd::binding::{Binding, IfIndex, InterfaceName};
use nfdhcpd::config::{Config, General};
use nfdhcpd::engine::{Engine, Event, Ingress, Link, MAX_FRAME, Now, Outcome, Transmit, Verdict};
use nfdhcpd::wire::MacAddr;
use nfdhcpd::wire::dhcpv4::MIN_LEN;

use crate::check::{self, Sent};
use crate::packet::{ETHERNET, IPV6};

/// More unsolicited frames than this at one moment would be a burst, or a loop.
const MAX_AT_ONCE: usize = 64;

/// An engine, and the links as the kernel has them.
#[derive(Debug)]
pub struct Node {
    engine: Engine,
    links: BTreeMap<IfIndex, Link>,
    general: General,
    now: Now,
    frame: Box<[u8; MAX_FRAME]>,
}

impl Node {
    /// A node without links and bindings.
    pub fn new(config: Config, seed: u64) -> Self {
        Self {
            general: config.general.clone(),
            engine: Engine::new(config, seed),
            links: BTreeMap::new(),
            now: Duration::from_secs(1000),
            frame: Box::new([0; MAX_FRAME]),
        }
    }

    /// Lets time pass.
    pub fn advance(&mut self, time: Duration) {
        self.now += time;
    }

    /// Time passes until the engine has something to say, if it ever has.
    pub fn advance_to_timeout(&mut self) {
        self.now = self.engine.poll_timeout().unwrap_or(self.now).max(self.now);
    }

    /// Something happens.
    pub fn handle_event(&mut self, event: Event) {
        match &event {
            Event::LinkChanged(link) => {
                // The kernel never has two links of one name.
                self.links.retain(|_, other| other.name != link.name);
                self.links.insert(link.ifindex, link.clone());
            }
            Event::LinkGone(ifindex) => drop(self.links.remove(ifindex)),
            Event::ConfigChanged(config) => self.general = config.general.clone(),
            _ => {}
        }
        self.engine.handle_event(self.now, event);
    }

    /// A packet comes; what becomes of it is checked.
    pub fn handle_packet(&mut self, ingress: &Ingress<'_>) -> Outcome {
        let before = self.counted();
        let outcome = self.engine.handle_packet(self.now, ingress, &mut self.frame[..]);
        assert_eq!(self.counted(), before + 1, "one outcome");
        if let Some(reply) = outcome.reply {
            self.check_reply(ingress, &outcome, reply);
        }
        outcome
    }

    /// Everything that is due is sent and told; what is sent is checked.
    pub fn drain(&mut self) {
        self.engine.handle_timeout(self.now);
        let mut sent = 0;
        while let Some(unsolicited) = self.engine.poll_transmit(self.now, &mut self.frame[..]) {
            let transmit = unsolicited.transmit;
            let link = self.links.get(&transmit.ifindex).expect("a link that is there");
            assert!(link.is_ready, "sent to {}, which is not ready", link.name);
            self.check_length(link, transmit);
            self.check_unsolicited(link, &self.frame[..transmit.len]);
            sent += 1;
            assert!(sent <= MAX_AT_ONCE, "a burst of advertisements");
        }
        assert!(self.engine.poll_timeout().is_none_or(|at| at > self.now), "a timeout in the past");
        while self.engine.poll_notice().is_some() {}
    }

    fn counted(&self) -> u64 {
        self.engine.counters().map(|(_, count)| count).sum()
    }

    fn check_reply(&self, ingress: &Ingress<'_>, outcome: &Outcome, reply: Transmit) {
        assert_eq!(outcome.verdict(), Verdict::Drop, "an answered packet goes no further");
        let tap = outcome.tap.expect("a tap that is answered");
        let link = self.link(tap).expect("the link of the tap");
        assert_eq!(reply.ifindex, link.ifindex, "out of another link than the tap");
        let status = self.engine.status();
        let status = status.iter().find(|status| status.tap == tap).expect("the tap is known");
        let binding = status.binding.as_ref().expect("a binding in force");
        self.check_way(ingress, link, binding);
        check_sender(ingress, binding);
        self.check_length(link, reply);
        let frame = &self.frame[..reply.len];
        check_destination(frame, ingress, binding);
        let sent = check::frame(frame);
        self.check_router(frame, &sent, link, binding);
        match sent {
            Sent::Dhcpv4 { len: bootp } => {
                let len = reply.len - ETHERNET;
                assert!(len <= client_size(ingress.packet), "{len} bytes are more than the client takes");
                // RFC 1542 §2.1, as far as the tap carries it.
                assert!(bootp >= MIN_LEN || len == link.mtu as usize, "{bootp} bytes of BOOTP");
            }
            Sent::ArpAnnouncement { .. } => panic!("an announcement as a reply"),
            _ => {}
        }
    }

    /// A reply comes from the guest's router, and a router of IPv6 is one that the kernel listens to.
    fn check_router(&self, frame: &[u8], sent: &Sent, tap: &Link, binding: &Binding) {
        let source = check::source(frame);
        let indev = self.link(binding.indev).and_then(|indev| indev.mac);
        let named = self.general.router_mac;
        if let Sent::Dhcpv4 { .. } = sent {
            assert_eq!(named.filter(|_| !binding.is_routed()).or(indev).or(tap.mac), Some(source));
            return;
        }
        assert_eq!(named.or(indev), Some(source), "from another router");
        assert!(!binding.is_routed() || tap.mac == Some(source), "a router that the kernel does not listen to");
    }

    /// An advertisement to a guest, or an announcement on the uplink.
    fn check_unsolicited(&self, link: &Link, frame: &[u8]) {
        let source = check::source(frame);
        match check::frame(frame) {
            Sent::RouterAdvertisement { lifetime } => {
                let is_router = self.general.router_mac.is_none_or(|mac| mac == source);
                assert!(is_router || lifetime == 0, "an advertisement of a router that was");
            }
            Sent::NeighborAdvertisement { target } => self.check_announcement(link, source, target.into()),
            Sent::ArpAnnouncement { address } => self.check_announcement(link, source, address.into()),
            other => panic!("{other:?}"),
        }
    }

    /// Only who is here and routed is announced, and by the uplink's own MAC.
    fn check_announcement(&self, uplink: &Link, source: MacAddr, address: IpAddr) {
        assert_eq!(self.general.announce_on, Some(uplink.name), "announced on another link");
        assert_eq!(uplink.mac, Some(source));
        let is_ready = |tap| self.link(tap).is_some_and(|link| link.is_ready);
        let bindings = self.engine.status().into_iter().filter_map(|status| status.binding);
        let mut here = bindings.filter(|binding| binding.is_routed() && is_ready(binding.tap));
        assert!(here.any(|binding| binding.tap != uplink.name && has(&binding, address)), "{address} is not here");
    }

    /// The kernel named the tap, or a bridge that the tap is a port of now and whose guest alone has this MAC.
    fn check_way(&self, ingress: &Ingress<'_>, tap: &Link, binding: &Binding) {
        let named = ingress.physindev.or(ingress.indev).expect("a named interface");
        if named == tap.ifindex {
            return;
        }
        assert_eq!(ingress.physindev, None, "the port alone decides");
        let bridge = self.links.get(&named).expect("the named link");
        assert!(bridge.is_bridge && tap.master == Some(named), "{} is no port of {}", tap.name, bridge.name);
        assert_eq!(binding.indev, bridge.name);
        assert_eq!(ingress.source_mac, Some(binding.mac), "claimed by another MAC");
    }

    fn check_length(&self, link: &Link, transmit: Transmit) {
        let len = transmit.len;
        assert!(len <= MAX_FRAME && len <= link.mtu as usize + ETHERNET, "{len} bytes for an MTU of {}", link.mtu);
    }

    fn link(&self, name: InterfaceName) -> Option<&Link> {
        self.links.values().find(|link| link.name == name)
    }
}

/// Whether the guest has this address.
fn has(binding: &Binding, address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => binding.ipv4.is_some_and(|ipv4| ipv4.address == address),
        IpAddr::V6(address) => binding.ipv6.as_ref().is_some_and(|ipv6| ipv6.is_guests(address)),
    }
}

/// Nobody but the guest is answered, unless it may use any MAC.
fn check_sender(ingress: &Ingress<'_>, binding: &Binding) {
    if binding.settings.macspoof {
        return;
    }
    assert!(ingress.source_mac.is_none_or(|mac| mac == binding.mac), "a spoofed frame is answered");
    if let Some(mac) = claimed_mac(ingress.packet) {
        assert_eq!(mac, binding.mac, "a spoofed message is answered");
    }
}

/// `chaddr`, or the source link-layer address of a solicitation.
fn claimed_mac(packet: &[u8]) -> Option<MacAddr> {
    if packet[0] >> 4 == 4 {
        return MacAddr::from_slice(&ipv4_payload(packet)[8 + 28..]);
    }
    let end = IPV6 + usize::from(u16::from_be_bytes([packet[4], packet[5]]));
    let message = packet.get(IPV6..end).filter(|_| packet[6] == 58)?;
    let mut options = message.get(if message[0] == 133 { 8 } else { 24 }..)?;
    while let [kind, units, value @ ..] = options {
        if *kind == 1 {
            return MacAddr::from_slice(value);
        }
        assert_ne!(*units, 0, "an option of no length is taken");
        options = options.get(usize::from(*units) * 8..)?;
    }
    None
}

fn ipv4_payload(packet: &[u8]) -> &[u8] {
    &packet[usize::from(packet[0] & 15) * 4..]
}

/// A reply goes to the guest, to who asked in its place, or to all.
fn check_destination(frame: &[u8], ingress: &Ingress<'_>, binding: &Binding) {
    let to = MacAddr::from_slice(frame).expect("a destination");
    let is_all = to == MacAddr::BROADCAST || to == MacAddr::ALL_NODES;
    let is_guest = to == binding.mac || ingress.source_mac == Some(to) || claimed_mac(ingress.packet) == Some(to);
    assert!(is_all || is_guest, "a reply to {to}");
}

/// The largest packet that the client takes: a BOOTREPLY without option 53 (RFC 1534 §2), else what option 57 says (RFC 2132
/// §9.10), or 576 bytes.
fn client_size(packet: &[u8]) -> usize {
    /// RFC 2132 §9.3: options may be in `file` and `sname` as well, where this does not look.
    const OVERLOAD: u8 = 52;
    const MESSAGE_TYPE: u8 = 53;
    const MAX_SIZE: u8 = 57;
    let message = &ipv4_payload(packet)[8..];
    let mut options = message.get(236..).and_then(|rest| rest.strip_prefix(&[99, 130, 83, 99])).unwrap_or_default();
    // RFC 3396 §5: its parts are one value.
    let mut size = Vec::new();
    let mut is_bootp = true;
    while let [code, rest @ ..] = options {
        options = match (*code, rest) {
            (0, rest) => rest,
            (OVERLOAD, _) => return usize::MAX,
            (255, _) | (_, []) => break,
            (code, [len, rest @ ..]) => {
                let (value, rest) = rest.split_at_checked(usize::from(*len)).unwrap_or_default();
                size.extend(value.iter().filter(|_| code == MAX_SIZE));
                is_bootp &= code != MESSAGE_TYPE;
                rest
            }
        }
    }
    if is_bootp {
        return 28 + MIN_LEN;
    }
    <[u8; 2]>::try_from(size).map_or(576, |size| usize::from(u16::from_be_bytes(size)).max(576))
}
