//! A sequence of events and packets, made of the fuzzer's bytes.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use arbitrary::Arbitrary;
use nfdhcpd::binding::{self, Binding, BindingError, IfIndex, InterfaceName};
use nfdhcpd::config::{Config, Ipv6Mode, RateLimit};
use nfdhcpd::engine::{Event, Ingress, Link};
use nfdhcpd::wire::duid::server_duid;
use nfdhcpd::wire::{Checksums, MacAddr};

use crate::fixtures;
use crate::node::Node;
use crate::packet;

/// The names that taps and bridges have. Few, so that they meet.
const NAMES: [&str; 6] = ["tap0", "tap1", "tap2", "tap3", "br0", "br1"];
/// The MACs that guests and bridges have.
const MACS: [MacAddr; 4] =
    [fixtures::GUEST, MacAddr::new([0x52, 0x54, 0, 0x0a, 0, 9]), MacAddr::new([2, 0, 0, 0, 1, 1]), MacAddr::BROADCAST];
/// MTUs of links, in bytes.
const MTUS: [u32; 8] = [0, 68, 300, 576, 1279, 1280, 1500, 65_535];
/// Addresses that mean something to the guests, besides what the fuzzer thinks up.
const ADDRESSES: [[u8; 4]; 6] = [[0; 4], [192, 0, 2, 10], [192, 0, 2, 1], [255; 4], [192, 0, 2, 11], [224, 0, 0, 1]];

/// What happens to a node that knows nothing at first.
#[derive(Debug, Arbitrary)]
pub struct Scenario {
    seed: u64,
    /// Begin with everything of the fixtures.
    furnished: bool,
    steps: Vec<Step>,
}

#[derive(Debug, Arbitrary)]
enum Step {
    AdvanceMillis(u16),
    AdvanceSeconds(u16),
    AdvanceToTimeout,
    Drain,
    Load(Guest),
    Reject(Name),
    Remove(Name),
    Link(Interface),
    Gone(Index),
    Configure(Settings),
    SendFailed(Index, u8),
    Packet(Envelope, Packet),
}

#[derive(Debug, Arbitrary, Clone, Copy)]
struct Name(u8);

#[derive(Debug, Arbitrary, Clone, Copy)]
struct Index(u8);

#[derive(Debug, Arbitrary, Clone, Copy)]
struct Mac(u8);

#[derive(Debug, Arbitrary, Clone, Copy)]
enum Address4 {
    Known(u8),
    Any([u8; 4]),
}

#[derive(Debug, Arbitrary, Clone, Copy)]
enum Address6 {
    Unspecified,
    AllNodes,
    /// All servers and relay agents.
    Servers,
    LinkLocal(Mac),
    SolicitedNode([u8; 3]),
    /// In the prefix of the guests.
    Global([u8; 3]),
    Any([u8; 16]),
}

#[derive(Debug, Arbitrary)]
struct Guest {
    /// Which fixture it is made of.
    like: u8,
    tap: Name,
    indev: Name,
    mac: Mac,
    ipv4: bool,
    ipv6: bool,
    private: bool,
    macspoof: bool,
    /// As many name servers of each family: too many do not fit a packet.
    nameservers: u8,
    mtu: Option<u16>,
}

#[derive(Debug, Arbitrary)]
struct Interface {
    index: Index,
    name: Name,
    mac: Option<Mac>,
    mtu: u8,
    master: Option<Index>,
    is_bridge: bool,
    is_ready: bool,
}

#[derive(Debug, Arbitrary)]
struct Settings {
    dhcp: bool,
    ipv6: bool,
    server_on_link: bool,
    rapid_commit: bool,
    rs_queue: bool,
    ns_queue: bool,
    dhcpv6_queue: bool,
    stateful: bool,
    ra_period: u16,
    rate_limit: u8,
    rate_burst: u8,
    router_mac: Option<Mac>,
    announce_on: Option<Name>,
}

#[derive(Debug, Arbitrary)]
struct Envelope {
    indev: Option<Index>,
    physindev: Option<Index>,
    source_mac: Option<Mac>,
    not_ready: bool,
}

#[derive(Debug, Arbitrary)]
enum Packet {
    Raw(Vec<u8>),
    Repaired(Vec<u8>),
    Dhcpv4(Dhcpv4),
    Dhcpv6 { source: Address6, destination: Address6, message: Vec<u8> },
    Dhcpv6Information { source: Address6, options: Vec<(u8, Vec<u8>)> },
    Dhcpv6Stateful { message_type: u8, source: Address6, client: Mac, ias: Vec<Ia> },
    RouterSolicitation { source: Address6, link_layer: Option<Mac>, rest: Vec<u8> },
    NeighborSolicitation { source: Address6, target: Address6, link_layer: Option<Mac>, rest: Vec<u8> },
}

/// An identity association.
#[derive(Debug, Arbitrary)]
struct Ia {
    /// An index into its codes.
    kind: u8,
    iaid: u8,
    /// The guest's own, or others.
    leases: Vec<Address6>,
    rest: Vec<u8>,
}

#[derive(Debug, Arbitrary)]
struct Dhcpv4 {
    source: Address4,
    op: u8,
    flags: u8,
    ciaddr: Address4,
    giaddr: Address4,
    chaddr: Mac,
    message_type: Option<u8>,
    requested: Option<Address4>,
    server: Option<Address4>,
    max_size: Option<u16>,
    options: Vec<(u8, Vec<u8>)>,
    file: Vec<u8>,
}

impl Scenario {
    /// Lets it happen.
    pub fn run(self) {
        let mut node = if self.furnished { fixtures::node() } else { Node::new(fixtures::config(), self.seed) };
        for step in self.steps {
            step.run(&mut node);
        }
        node.drain();
    }
}

impl Step {
    fn run(self, node: &mut Node) {
        match self {
            Self::AdvanceMillis(time) => node.advance(Duration::from_millis(time.into())),
            Self::AdvanceSeconds(time) => node.advance(Duration::from_secs(time.into())),
            Self::AdvanceToTimeout => node.advance_to_timeout(),
            Self::Drain => node.drain(),
            Self::Load(guest) => node.handle_event(Event::BindingLoaded(Box::new(guest.binding()))),
            Self::Reject(name) => node.handle_event(Event::BindingRejected(name.name(), rejection())),
            Self::Remove(name) => node.handle_event(Event::BindingRemoved(name.name())),
            Self::Link(interface) => node.handle_event(Event::LinkChanged(interface.link())),
            Self::Gone(index) => node.handle_event(Event::LinkGone(index.index())),
            Self::Configure(settings) => {
                // Both ways, at no cost in bytes: packets pile up or do not.
                if settings.rate_burst % 2 == 1 {
                    node.handle_event(Event::PacketsLost);
                }
                node.handle_event(Event::ConfigChanged(Arc::new(settings.config())));
            }
            Self::SendFailed(index, errno) => node.handle_event(Event::SendFailed(index.index(), errno.into())),
            Self::Packet(envelope, packet) => {
                let packet = packet.bytes();
                node.handle_packet(&envelope.ingress(&packet));
            }
        }
    }
}

fn rejection() -> BindingError {
    BindingError { path: "tap".into(), line: None, key: None, found: None, reason: "wrong".to_owned() }
}

impl Name {
    fn name(self) -> InterfaceName {
        pick(&NAMES, self.0).parse().expect("an interface name")
    }
}

impl Index {
    fn index(self) -> IfIndex {
        IfIndex::new(u32::from(self.0 % 8) + 1).expect("an index that is not 0")
    }
}

impl Mac {
    fn mac(self) -> MacAddr {
        pick(&MACS, self.0)
    }
}

impl Address4 {
    fn octets(self) -> [u8; 4] {
        match self {
            Self::Known(index) => pick(&ADDRESSES, index),
            Self::Any(octets) => octets,
        }
    }
}

impl Address6 {
    fn octets(self) -> [u8; 16] {
        let with = |prefix: u128, [a, b, c]: [u8; 3]| {
            (prefix | u128::from_be_bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c])).to_be_bytes()
        };
        match self {
            Self::Unspecified => [0; 16],
            Self::AllNodes => with(0xff02 << 112, [0, 0, 1]),
            Self::Servers => with(0xff02 << 112, [1, 0, 2]),
            Self::LinkLocal(mac) => mac.mac().link_local().octets(),
            Self::SolicitedNode(low) => with(0xff02_0000_0000_0000_0000_0001_ff00_0000, low),
            Self::Global(low) => with(0x2001_0db8_0000_0001 << 64, low),
            Self::Any(octets) => octets,
        }
    }
}

impl Guest {
    fn binding(self) -> Binding {
        let like = fixtures::bindings().nth(usize::from(self.like) % fixtures::BINDINGS.len()).expect("a fixture");
        let mac = if self.mac.mac().is_unicast() { self.mac.mac() } else { fixtures::GUEST };
        let count = usize::from(self.nameservers % 70);
        let settings = binding::Settings {
            private: self.private,
            macspoof: self.macspoof,
            mtu: self.mtu,
            nameservers: (count > 0).then(|| vec![[192, 0, 2, 53].into(); count]),
            nameservers6: (count > 0).then(|| vec![[0x20; 16].into(); count]),
            ..binding::Settings::clone(&like.settings)
        };
        Binding {
            tap: self.tap.name(),
            indev: self.indev.name(),
            mac,
            ipv4: like.ipv4.filter(|_| self.ipv4),
            ipv6: like.ipv6.filter(|_| self.ipv6),
            settings: settings.into(),
            ..like
        }
    }
}

impl Interface {
    fn link(self) -> Link {
        Link {
            ifindex: self.index.index(),
            name: self.name.name(),
            mac: self.mac.map(Mac::mac).filter(|mac| mac.is_unicast()),
            mtu: pick(&MTUS, self.mtu),
            master: self.master.map(Index::index),
            is_bridge: self.is_bridge,
            is_ready: self.is_ready,
        }
    }
}

impl Settings {
    fn config(self) -> Config {
        let Config { mut general, lease, mut dhcp, mut ipv6 } = fixtures::config();
        general.rate_limit = match self.rate_limit {
            u8::MAX => RateLimit::Auto,
            rate => NonZeroU32::new(rate.into()).map_or(RateLimit::Unlimited, RateLimit::PerSecond),
        };
        general.rate_burst = self.rate_burst.into();
        general.router_mac = self.router_mac.map(Mac::mac).filter(|mac| mac.is_unicast());
        general.announce_on = self.announce_on.map(Name::name);
        if let Some(dhcp) = &mut dhcp {
            dhcp.server_on_link = self.server_on_link;
            dhcp.rapid_commit = self.rapid_commit;
        }
        if let Some(ipv6) = &mut ipv6 {
            ipv6.mode = if self.stateful { Ipv6Mode::SlaacStateful } else { Ipv6Mode::SlaacDhcpv6 };
            ipv6.ra_period = self.ra_period.into();
            ipv6.rs_queue = ipv6.rs_queue.filter(|_| self.rs_queue);
            ipv6.ns_queue = ipv6.ns_queue.filter(|_| self.ns_queue);
            ipv6.dhcpv6_queue = ipv6.dhcpv6_queue.filter(|_| self.dhcpv6_queue);
        }
        Config { general, lease, dhcp: dhcp.filter(|_| self.dhcp), ipv6: ipv6.filter(|_| self.ipv6) }
    }
}

impl Envelope {
    fn ingress(self, packet: &[u8]) -> Ingress<'_> {
        Ingress {
            indev: self.indev.map(Index::index),
            physindev: self.physindev.map(Index::index),
            source_mac: self.source_mac.map(Mac::mac),
            checksums: if self.not_ready { Checksums::NotReady } else { Checksums::Verify },
            packet,
        }
    }
}

impl Packet {
    fn bytes(self) -> Vec<u8> {
        match self {
            Self::Raw(bytes) => bytes,
            Self::Repaired(mut bytes) => {
                packet::repair_ip(&mut bytes);
                bytes
            }
            Self::Dhcpv4(message) => message.packet(),
            Self::Dhcpv6 { source, destination, message } => to_servers(source, destination, &message),
            Self::Dhcpv6Information { source, options } => {
                let mut message = vec![11, 1, 2, 3];
                for (code, value) in options {
                    push_option6(&mut message, code % 110, &value);
                }
                to_servers(source, Address6::Servers, &message)
            }
            Self::Dhcpv6Stateful { message_type, source, client, ias } => {
                let server_id = server_duid(client.mac());
                let mut message = vec![message_type % 10, 1, 2, 3, 0, 1, 0, 3, 0, 9, client.0];
                // What is for one server names it.
                if matches!(message_type % 10, 3 | 5 | 8 | 9) {
                    push_option6(&mut message, 2, &server_id);
                }
                ias.iter().for_each(|ia| ia.push(&mut message));
                to_servers(source, Address6::Servers, &message)
            }
            Self::RouterSolicitation { source, link_layer, rest } => {
                let mut message = vec![133, 0, 0, 0, 0, 0, 0, 0];
                push_link_layer(&mut message, link_layer);
                message.extend(rest);
                icmpv6(source.octets(), Address6::AllNodes.octets(), &message)
            }
            Self::NeighborSolicitation { source, target, link_layer, rest } => {
                let target = target.octets();
                let mut message = vec![135, 0, 0, 0, 0, 0, 0, 0];
                message.extend(target);
                push_link_layer(&mut message, link_layer);
                message.extend(rest);
                let solicited_node = Address6::SolicitedNode([target[13], target[14], target[15]]);
                icmpv6(source.octets(), solicited_node.octets(), &message)
            }
        }
    }
}

fn push_option6(message: &mut Vec<u8>, code: u8, data: &[u8]) {
    message.extend([0, code]);
    message.extend((data.len() as u16).to_be_bytes());
    message.extend(data);
}

impl Ia {
    fn push(&self, message: &mut Vec<u8>) {
        let code = pick(&[3, 4, 25], self.kind);
        let mut data = vec![0, 0, 0, self.iaid];
        if code != 4 {
            data.extend([0; 8]);
        }
        for lease in &self.leases {
            if code == 25 {
                push_option6(&mut data, 26, &[&[0; 8][..], &[self.iaid % 130], &lease.octets()].concat());
            } else {
                push_option6(&mut data, 5, &[&lease.octets()[..], &[0; 8]].concat());
            }
        }
        data.extend(&self.rest);
        push_option6(message, code, &data);
    }
}

fn to_servers(source: Address6, destination: Address6, message: &[u8]) -> Vec<u8> {
    let datagram = packet::udp(546, 547, message);
    packet::ipv6(source.octets(), destination.octets(), packet::PROTOCOL_UDP, 1, &datagram)
}

fn icmpv6(source: [u8; 16], destination: [u8; 16], message: &[u8]) -> Vec<u8> {
    packet::ipv6(source, destination, packet::PROTOCOL_ICMPV6, 255, message)
}

fn push_link_layer(message: &mut Vec<u8>, mac: Option<Mac>) {
    if let Some(mac) = mac {
        message.extend([1, 1]);
        message.extend(mac.mac().octets());
    }
}

impl Dhcpv4 {
    fn packet(self) -> Vec<u8> {
        let mut bootp = vec![0; 236];
        // Most messages are a client's.
        bootp[0] = if self.op < 200 { 1 } else { self.op };
        bootp[1..3].copy_from_slice(&[1, 6]);
        bootp[10] = self.flags;
        bootp[12..16].copy_from_slice(&self.ciaddr.octets());
        bootp[24..28].copy_from_slice(&self.giaddr.octets());
        bootp[28..34].copy_from_slice(&self.chaddr.mac().octets());
        for (to, from) in bootp[108..].iter_mut().zip(&self.file) {
            *to = *from;
        }
        bootp.extend([99, 130, 83, 99]);
        self.push_options(&mut bootp);
        packet::ipv4(self.source.octets(), [255; 4], packet::PROTOCOL_UDP, &packet::udp(68, 67, &bootp))
    }

    fn push_options(&self, bootp: &mut Vec<u8>) {
        let max_size = self.max_size.map(u16::to_be_bytes);
        let addresses = [self.requested, self.server].map(|address| address.map(Address4::octets));
        push_option(bootp, 53, self.message_type.as_ref().map(std::slice::from_ref));
        push_option(bootp, 50, addresses[0].as_ref().map(|address| &address[..]));
        push_option(bootp, 54, addresses[1].as_ref().map(|address| &address[..]));
        push_option(bootp, 57, max_size.as_ref().map(|size| &size[..]));
        for (code, value) in &self.options {
            push_option(bootp, *code, Some(&value[..value.len().min(255)]));
        }
    }
}

fn push_option(bootp: &mut Vec<u8>, code: u8, value: Option<&[u8]>) {
    if let Some(value) = value {
        bootp.extend([code, value.len() as u8]);
        bootp.extend(value);
    }
}

fn pick<T: Copy>(from: &[T], index: u8) -> T {
    from[usize::from(index) % from.len()]
}
