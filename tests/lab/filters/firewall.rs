//! Profiles: which connections open. And the node's address in the place of a guest's.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::slice;
use std::time::Duration;

use nfdhcpd::network::filter::{Element, Observed, Port, Profile};
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrStorage, connect, socket};

use super::{apply, change, has_bridge_tracking, load, name, observe, routed, send_by_bridge};
use crate::bridge::{make_bridge, set_hooks};
use crate::harness::frames::{self, ethernet};
use crate::harness::netns::within;
use crate::harness::{Guest, Lab, sh, soon, tests};

tests!(firewall:
    routed_tap_has_its_profile,
    shown_port_has_its_profile,
    bridged_port_has_its_profile,
    guest_behind_a_bridge_has_its_profile,
    long_answers_come_in_fragments,
    shown_port_is_shut_if_nobody_looks,
    marks_of_others_stay,
    guest_is_masqueraded_beyond_its_own_side,
);

pub(crate) const PROFILES: [Option<Profile>; 3] = [None, Some(Profile::Protected), Some(Profile::Limited)];

fn routed_tap_has_its_profile(_: &mut Lab) {
    let [host, world] = [1, 2].map(Host::routed);
    let tap = name(&host.guest.tap);
    for profile in PROFILES {
        let firewall = profile.map(|profile| Element::Firewall { tap, profile, port: Port::Routed });
        apply(tap, firewall.as_slice());
        expect_profile(profile, Place::Host(&world), &host);
        expect_profile(profile, Place::Node, &host);
    }
}

fn shown_port_has_its_profile(_: &mut Lab) {
    set_hooks("1");
    expect_port(Port::Shown);
}

/// A kernel that knows no connections there takes nothing of it.
fn bridged_port_has_its_profile(_: &mut Lab) {
    set_hooks("0");
    if has_bridge_tracking() {
        return expect_port(Port::Bridged);
    }
    let tap = name("tap1");
    let refused = change(&observe(), tap, &[Element::Firewall { tap, profile: Profile::Limited, port: Port::Bridged }]);
    load(&refused.unwrap()).unwrap_err();
    assert_eq!(observe(), Observed::default());
}

/// From one port to another. What makes the difference is the port: no address is in the tables.
#[track_caller]
fn expect_port(port: Port) {
    let [host, neighbour, open] = [1, 2, 3].map(Host::bridged);
    let tap = name(&host.guest.tap);
    for profile in PROFILES {
        let firewall = profile.map(|profile| Element::Firewall { tap, profile, port });
        apply(tap, firewall.as_slice());
        expect_profile(profile, Place::Host(&neighbour), &host);
        expect_profile(profile, Place::Node, &host);
        // Nothing of a firewall.
        let frame = ethernet([0xff; 6], neighbour.guest.mac, 0x88b5, &[profile.is_some().into(); 46]);
        neighbour.guest.send(slice::from_ref(&frame), 1);
        soon("a frame that is not IP", || host.guest.frames().contains(&frame).then_some(()));
        expect_wrapped(profile.is_none(), Place::Host(&neighbour), &host);
        expect_wrapped(profile.is_none(), Place::Node, &host);
    }
    expect_profile(None, Place::Host(&neighbour), &open);
}

/// Checks whether packets get in that are wrapped into what a guest may take off.
#[track_caller]
pub(crate) fn expect_wrapped(gets_in: bool, from: Place, host: &Host) {
    for (its, to) in from.addresses(host).into_iter().zip(host.addresses) {
        for (wrapper, head) in WRAPPERS {
            let what = format!("in {wrapper}");
            let frame = wrapped(head, host.guest.mac, (its, to), what.as_bytes());
            let has_come = arrives_before_last(from, host, to, || from.send(&frame), |frame| contains(frame, &what));
            assert_eq!(has_come, gets_in, "{what} from {from} to {to}");
        }
    }
}

/// What is between the MACs of a frame and the packet. An `IP` stands for the packet's own EtherType, a `PPP` for its
/// number there.
const WRAPPERS: [(&str, &[u16]); 9] = [
    ("a priority tag", &[0x8100, 0, IP]),
    ("a priority tag with a priority", &[0x8100, 0xe000, IP]),
    ("a VLAN", &[0x8100, 5, IP]),
    ("a priority tag of a provider", &[0x88a8, 0, IP]),
    ("two tags", &[0x8100, 0, 0x8100, 0, IP]),
    ("two tags, one a provider's", &[0x88a8, 0, 0x8100, 0, IP]),
    ("two tags of old", &[0x9100, 0, 0x8100, 0, IP]),
    ("PPPoE", &[0x8864, 0x1100, 1, LENGTH, PPP]),
    ("SNAP", &[LENGTH, 0xaaaa, 0x0300, 0, IP]),
];
const IP: u16 = 1;
const PPP: u16 = 2;
const LENGTH: u16 = 3;

/// A datagram that no profile lets in, within such a head.
fn wrapped(head: &[u16], to: [u8; 6], addresses: (IpAddr, IpAddr), what: &[u8]) -> Vec<u8> {
    let ports = [4000, 5353];
    let (packet, ethertype, ppp) = match addresses {
        (IpAddr::V4(source), IpAddr::V4(destination)) => (frames::udp4(source, destination, ports, what), 0x0800, 0x21),
        (IpAddr::V6(source), IpAddr::V6(destination)) => (frames::udp6(source, destination, ports, what), 0x86dd, 0x57),
        _ => unreachable!("addresses of two families"),
    };
    let behind = |at: usize| u16::try_from(2 * (head.len() - 1 - at) + packet.len()).unwrap();
    let word = |(at, word): (usize, &u16)| match *word {
        IP => ethertype,
        PPP => ppp,
        LENGTH => behind(at),
        other => other,
    };
    let head: Vec<u8> = head.iter().enumerate().map(word).flat_map(u16::to_be_bytes).collect();
    [&to[..], &[2, 0, 0, 0, 0, 0xb1], &head, &packet].concat()
}

fn contains(frame: &[u8], what: &str) -> bool {
    frame.windows(what.len()).any(|window| window == what.as_bytes())
}

/// What the node routes to a shown port has come by no port of the bridge. Nothing is known of the guest's addresses.
fn guest_behind_a_bridge_has_its_profile(_: &mut Lab) {
    set_hooks("1");
    let [host, open] = [1, 2].map(Host::bridged);
    let world = Host::routed(3);
    let tap = name(&host.guest.tap);
    for profile in PROFILES {
        let firewall = profile.map(|profile| Element::Firewall { tap, profile, port: Port::Shown });
        apply(tap, firewall.as_slice());
        expect_profile(profile, Place::Host(&world), &host);
    }
    expect_profile(None, Place::Host(&world), &open);
    expect_profile(None, Place::Node, &open);
}

/// Only the first fragment has ports, and none is judged before it has all of them.
fn long_answers_come_in_fragments(_: &mut Lab) {
    set_hooks("1");
    let [host, neighbour] = [1, 2].map(Host::bridged);
    let world = Host::routed(3);
    let tap = name(&host.guest.tap);
    apply(tap, &[Element::Firewall { tap, profile: Profile::Protected, port: Port::Shown }]);
    for from in [Place::Node, Place::Host(&neighbour), Place::Host(&world)] {
        for (its, to) in from.addresses(&host).into_iter().zip(host.addresses) {
            let ear = from.run(|| UdpSocket::bind((its, 0)).unwrap());
            let guest = within(&host.guest.name, || UdpSocket::bind((to, 0)).unwrap());
            [&ear, &guest].into_iter().for_each(|socket| socket.set_read_timeout(Some(PATIENCE)).unwrap());
            guest.send_to(b"long?", ear.local_addr().unwrap()).unwrap();
            let (_, asker) = ear.recv_from(&mut [0; 8]).unwrap();
            ear.send_to(&[7; 4000], asker).unwrap();
            let (length, _) = guest.recv_from(&mut [0; 5000]).unwrap_or_else(|error| panic!("from {from}: {error}"));
            assert_eq!(length, 4000, "from {from}");
        }
    }
}

/// br_netfilter may be switched off by whoever it is in the way of.
fn shown_port_is_shut_if_nobody_looks(_: &mut Lab) {
    set_hooks("1");
    let [host, neighbour, open] = [1, 2, 3].map(Host::bridged);
    let tap = name(&host.guest.tap);
    apply(tap, &[Element::Firewall { tap, profile: Profile::Limited, port: Port::Shown }]);
    let from = Place::Host(&neighbour);
    let has_come = |to: &Host, number: u8| {
        let datagrams = from.addresses(to).into_iter().zip(to.addresses).map(|addresses| {
            let head = [if addresses.0.is_ipv4() { 0x0800 } else { 0x86dd }];
            wrapped(&head, to.guest.mac, addresses, b"datagram")
        });
        let last = ethernet(to.guest.mac, neighbour.guest.mac, 0x88b5, &[number; 46]);
        neighbour.guest.send(&datagrams.chain([last.clone()]).collect::<Vec<_>>(), 1);
        soon("what is sent last", || to.guest.frames().contains(&last).then_some(()));
        let is_its = |frame: &&Vec<u8>| frame.starts_with(&to.guest.mac) && frame.ends_with(b"datagram");
        to.guest.frames().iter().filter(is_its).count()
    };
    set_hooks("0");
    assert_eq!([has_come(&host, 1), has_come(&open, 1)], [0, 2]);
    set_hooks("1");
    expect_profile(Some(Profile::Limited), from, &host);
}

/// The bits that are ours are gone behind the firewall, and the others are as they were.
fn marks_of_others_stay(_: &mut Lab) {
    set_hooks("1");
    let [host, neighbour] = [1, 2].map(Host::bridged);
    let world = Host::routed(3);
    let tap = name(&host.guest.tap);
    apply(tap, &[Element::Firewall { tap, profile: Profile::Limited, port: Port::Shown }]);
    // By br_netfilter and by the bridge: what the node sends is shown to the one before the bridge has it.
    sh("nft '
        add table bridge others; add chain bridge others in { type filter hook prerouting priority 0; }
        add rule bridge others in meta mark set 0x9000beef
        add chain bridge others out { type filter hook postrouting priority 0; }
        add rule bridge others out meta mark 0x9000beef meta l4proto icmp counter
        add rule bridge others out meta mark != 0x9000beef meta l4proto icmp counter
        add table inet others; add chain inet others out { type filter hook postrouting priority 0; }
        add rule inet others out oifname br0 meta mark 0x9000beef meta l4proto icmp counter
        add rule inet others out oifname br0 meta mark != 0x9000beef meta l4proto icmp counter
        add chain inet others after { type filter hook postrouting priority 400; }
        add rule inet others after oifname br0 @ll,96,16 0x0800 iif 0 meta mark & 0x60000000 != 0 counter
        add chain inet others sent { type filter hook output priority 0; }
        add rule inet others sent meta mark set 0x9000beef
        add chain inet others routed { type filter hook forward priority -10; }
        add rule inet others routed iifname tap3 meta mark set 0x9000beef'");
    let packets = |rule: &str| {
        let chains = ["bridge", "inet"].map(|family| sh(&format!("nft list chain {family} others out")));
        chains.map(|chain| {
            let words = chain.lines().find(|line| line.contains(rule)).unwrap().split_whitespace();
            words.skip_while(|word| *word != "packets").nth(1).unwrap().parse::<u32>().unwrap()
        })
    };
    let mut expected = 0;
    for (from, to) in [(&neighbour, &host), (&host, &world), (&neighbour, &world)] {
        from.guest.sh(&format!("ping -c 1 -W 5 {}", to.addresses[0]));
        expected += if to.addresses == host.addresses { 2 } else { 1 };
        assert_eq!([packets("mark 0x9000beef"), packets("mark != 0x9000beef")], [[expected; 2], [0; 2]]);
    }
    assert!(sh("nft list chain inet others after").contains("packets 0 "), "the bridge's own are not marked again");
    for guest in [&host, &neighbour] {
        guest.guest.sh(&format!("ping -c 1 -W 5 {}", guest.gateways[0]));
        sh(&format!("ping -c 1 -W 5 {}", guest.addresses[0]));
        expected += 2;
        assert_eq!([packets("mark 0x9000beef"), packets("mark != 0x9000beef")], [[expected; 2], [0; 2]]);
    }
}

/// Two guests with the same inside are themselves to each other, even where the node is between them.
fn guest_is_masqueraded_beyond_its_own_side(_: &mut Lab) {
    set_hooks("1");
    let [one, two] = [1, 2].map(Host::bridged);
    let world = Host::routed(3);
    let other_net = IpAddr::from([203, 0, 113, 2]);
    sh("ip address add 203.0.113.1/24 dev br0");
    two.guest.sh("ip address add 203.0.113.2/24 dev eth0");
    let masquerade = |host: &Host| {
        let (tap, IpAddr::V4(address)) = (name(&host.guest.tap), host.addresses[0]) else { unreachable!() };
        apply(tap, &[Element::Masquerade { tap, address, inside: name("br0") }]);
    };
    assert_eq!(one.seen_by(&world, world.addresses[0]), one.addresses[0], "without filters");
    [&one, &two].into_iter().for_each(masquerade);
    let outside: IpAddr = world.gateways[0];
    assert_eq!([&one, &two].map(|host| host.seen_by(&world, world.addresses[0])), [outside; 2]);
    assert_eq!(one.seen_by(&two, two.addresses[0]), one.addresses[0], "over the bridge");
    assert_eq!(one.seen_by(&two, other_net), one.addresses[0], "over the node");
    apply(name(&one.guest.tap), &[]);
    assert_eq!(one.seen_by(&world, world.addresses[0]), one.addresses[0], "without filters again");
    assert_eq!(two.seen_by(&world, world.addresses[0]), outside, "the other one's are its own");
}

/// A guest with its addresses of each version of IP, and the node's beside them.
pub(crate) struct Host {
    /// The guest.
    pub(crate) guest: Guest,
    /// Its addresses.
    pub(crate) addresses: [IpAddr; 2],
    /// The node's addresses, as the guest reaches them.
    pub(crate) gateways: [IpAddr; 2],
}

impl Host {
    fn routed(number: u8) -> Self {
        let guest = routed(number);
        let v6 = |last: u8| format!("{}::{last}", guest.prefix6()).parse().unwrap();
        let (addresses, gateways) = ([guest.ip().into(), v6(2)], [IpAddr::from([192, 0, 2, 1]), v6(1)]);
        Self { guest, addresses, gateways }
    }

    /// A port of `br0`, by which the node has an address as well.
    pub(crate) fn bridged(number: u8) -> Self {
        make_bridge();
        sh("ip address replace 198.51.100.1/24 dev br0; ip address replace 2001:db8:b::1/64 dev br0 nodad");
        let mut guest = Guest::new(number);
        guest.plug_with(&format!("ip link set tap{number} master br0"));
        let of = |last: u8| [IpAddr::from([198, 51, 100, last]), format!("2001:db8:b::{last:x}").parse().unwrap()];
        let (addresses, gateways) = (of(10 + number), of(1));
        let ([v4, v6], [gateway4, gateway6]) = (addresses, gateways);
        guest.sh(&format!(
            "ip address add {v4}/24 dev eth0; ip route add default via {gateway4}
             ip address add {v6}/64 dev eth0 nodad; ip route add default via {gateway6}"
        ));
        Self { guest, addresses, gateways }
    }

    /// The address that another one sees as this one's when it is sent to there. The answer comes back.
    pub(crate) fn seen_by(&self, other: &Self, to: IpAddr) -> IpAddr {
        let ear = within(&other.guest.name, || UdpSocket::bind((to, 0)).unwrap());
        let mouth = within(&self.guest.name, || UdpSocket::bind((self.addresses[0], 0)).unwrap());
        [&ear, &mouth].into_iter().for_each(|socket| socket.set_read_timeout(Some(PATIENCE)).unwrap());
        let to = ear.local_addr().unwrap();
        mouth.send_to(b"hello", to).unwrap();
        let (_, from) = ear.recv_from(&mut [0; 8]).unwrap();
        ear.send_to(b"yes", from).unwrap();
        assert_eq!(mouth.recv_from(&mut [0; 8]).unwrap(), (3, to));
        from.ip()
    }
}

/// Where packets come from.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    /// The node itself.
    Node,
    /// Another guest, or somebody beyond the node.
    Host(&'a Host),
}

impl Place<'_> {
    fn run<T: Send>(self, work: impl FnOnce() -> T + Send) -> T {
        match self {
            Self::Node => work(),
            Self::Host(host) => within(&host.guest.name, work),
        }
    }

    /// Its addresses, as `other` has to reach them.
    fn addresses(self, other: &Host) -> [IpAddr; 2] {
        match self {
            Self::Node => other.gateways,
            Self::Host(host) => host.addresses,
        }
    }

    /// Sends a frame as it is.
    #[track_caller]
    fn send(self, frame: &Vec<u8>) {
        match self {
            Self::Node => send_by_bridge(slice::from_ref(frame)),
            Self::Host(host) => host.guest.send(slice::from_ref(frame), 1),
        }
    }

    #[track_caller]
    fn ping(self, to: IpAddr) {
        let ping = format!("ping -c 1 -W 5 {to}");
        match self {
            Self::Node => sh(&ping),
            Self::Host(host) => host.guest.sh(&ping),
        };
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node => f.write_str("the node"),
            Self::Host(host) => f.write_str(&host.guest.name),
        }
    }
}

/// Long enough for anything that happens at all.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is new to a guest.
#[derive(Debug, Clone, Copy)]
enum Attempt {
    /// A SYN to a port.
    Tcp(u16),
    /// A datagram from a port to another.
    Udp([u16; 2]),
}

/// What each of [`PROFILES`] lets in.
const ATTEMPTS: [(Attempt, [bool; 3]); 8] = [
    (Attempt::Tcp(22), [true, false, true]),
    (Attempt::Tcp(3389), [true, false, true]),
    (Attempt::Tcp(80), [true, false, false]),
    (Attempt::Udp([4000, 3389]), [true, false, true]),
    (Attempt::Udp([4000, 22]), [true, false, false]),
    (Attempt::Udp([4000, 5353]), [true, false, false]),
    (Attempt::Udp([53, 123]), [true, false, false]),
    (Attempt::Udp([53, 5353]), [true, true, true]),
];

/// What every profile lets in.
const ANSWER: [u16; 2] = [53, 1024];

/// Checks all attempts, ping, and real connections of both directions.
#[track_caller]
pub(crate) fn expect_profile(profile: Option<Profile>, from: Place, host: &Host) {
    let column = PROFILES.iter().position(|known| *known == profile).unwrap();
    for (its, to) in from.addresses(host).into_iter().zip(host.addresses) {
        from.ping(to);
        for (attempt, lets) in ATTEMPTS {
            let arrives = arrives(attempt, from, host, to);
            assert_eq!(arrives, lets[column], "{attempt:?} from {from} to {to}, {profile:?}");
        }
        talk(Place::Host(host), from, SocketAddr::new(its, 80));
        if profile != Some(Profile::Protected) {
            talk(from, Place::Host(host), SocketAddr::new(to, 22));
        }
    }
}

/// Whether the guest gets an attempt before what is sent behind it.
#[track_caller]
fn arrives(attempt: Attempt, from: Place, host: &Host, to: IpAddr) -> bool {
    let make = || match attempt {
        Attempt::Tcp(port) => from.run(|| knock(SocketAddr::new(to, port))),
        Attempt::Udp(ports) => from.run(|| say(b"attempt", ports, to)),
    };
    arrives_before_last(from, host, to, make, |frame| match attempt {
        Attempt::Tcp(port) => is_syn(frame, port),
        Attempt::Udp(ports) => is_datagram(frame, ports) && frame.ends_with(b"attempt"),
    })
}

/// Whether the guest gets a frame like this, once something is done, before what is sent behind it.
#[track_caller]
fn arrives_before_last(
    from: Place,
    host: &Host,
    to: IpAddr,
    act: impl FnOnce(),
    is_it: impl Fn(&Vec<u8>) -> bool,
) -> bool {
    let before = host.guest.frames().len();
    act();
    from.run(|| say(b"last", ANSWER, to));
    let is_last = |frame: &Vec<u8>| is_datagram(frame, ANSWER) && frame.ends_with(b"last");
    let frames = soon("what is sent last", || {
        let frames = host.guest.frames().split_off(before);
        frames.iter().any(is_last).then_some(frames)
    });
    frames.iter().take_while(|frame| !is_last(frame)).any(is_it)
}

/// Sends a SYN, and waits for nothing.
fn knock(to: SocketAddr) {
    let family = if to.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let socket = socket(family, SockType::Stream, SockFlag::SOCK_NONBLOCK, None).unwrap();
    assert_eq!(connect(socket.as_raw_fd(), &SockaddrStorage::from(to)), Err(Errno::EINPROGRESS));
}

fn say(what: &[u8], [from, port]: [u16; 2], to: IpAddr) {
    let any: IpAddr = if to.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
    let socket = UdpSocket::bind((any, from)).unwrap();
    // Who is dropped on the node itself is told so.
    let refused = |error: &io::Error| error.kind() == io::ErrorKind::PermissionDenied;
    socket
        .send_to(what, (to, port))
        .map(drop)
        .or_else(|error| if refused(&error) { Ok(()) } else { Err(error) })
        .unwrap();
}

/// A connection opens, and both sides hear each other.
#[track_caller]
fn talk(from: Place, to: Place, address: SocketAddr) {
    let listener = to.run(|| TcpListener::bind(address).unwrap());
    let connected = from.run(|| TcpStream::connect_timeout(&address, PATIENCE));
    let client = connected.unwrap_or_else(|error| panic!("from {from} to {address}: {error}"));
    let (server, _) = listener.accept().unwrap();
    for (mut mouth, mut ear) in [(&client, &server), (&server, &client)] {
        ear.set_read_timeout(Some(PATIENCE)).unwrap();
        mouth.write_all(b"hello").unwrap();
        ear.read_exact(&mut [0; 5]).unwrap();
    }
}

/// The protocol of an IP packet and what is behind a header without options.
fn transport(frame: &[u8]) -> Option<(u8, &[u8])> {
    match frame[12..14] {
        [8, 0] => Some((frame[23], frame.get(34..)?)),
        [0x86, 0xdd] => Some((frame[20], frame.get(54..)?)),
        _ => None,
    }
}

/// Whether it is TCP to a port, with SYN and without ACK.
fn is_syn(frame: &[u8], port: u16) -> bool {
    let is_syn = |tcp: &[u8]| tcp[2..4] == port.to_be_bytes() && tcp[13] & 0x12 == 0x02;
    transport(frame).is_some_and(|(protocol, tcp)| protocol == 6 && is_syn(tcp))
}

/// Whether it is UDP from a port to another.
fn is_datagram(frame: &[u8], ports: [u16; 2]) -> bool {
    let ports = ports.map(u16::to_be_bytes).concat();
    transport(frame).is_some_and(|(protocol, udp)| protocol == 17 && udp.starts_with(&ports))
}
