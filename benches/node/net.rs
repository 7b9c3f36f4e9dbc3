//! Nodes, and guests at the other end of their taps: a network namespace each.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::thread;

use nix::sched::{CloneFlags, setns};

use crate::inside::SCRATCH;
use crate::lab::queues;
use crate::packet::Kind;
use crate::shell::{sh, sh_in};

/// The gateway of every guest and the server that it hears from, in the network of benchmarks (RFC 2544 §C.2.2).
pub(crate) const GATEWAY: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);

/// The network of all guests.
pub(crate) const SUBNET: &str = "198.18.0.0/15";

/// The MAC of every tap: the router, as its guest sees it.
pub(crate) const ROUTER_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];

/// A node: it has taps, and rules that divert what comes in there.
pub(crate) struct Node {
    /// Its network namespace.
    pub(crate) netns: String,
}

impl Node {
    /// A node with nothing but itself.
    pub(crate) fn new(name: &str) -> Self {
        let netns = format!("node-{name}");
        sh(&format!("ip netns add {netns}"));
        sh_in(
            &netns,
            "ip link set lo up
            sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
            sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
            sysctl -qw net.ipv6.conf.default.accept_dad=0",
        );
        fs::create_dir(format!("{SCRATCH}/{netns}")).unwrap();
        Self { netns }
    }

    /// Plugs in a guest of this number.
    pub(crate) fn guest(&self, number: u16) -> Guest {
        let guest = self.absent_guest(number);
        sh(&format!("ip netns add {}", guest.netns));
        self.plug(&guest);
        guest
    }

    /// A guest that there is only word of.
    pub(crate) fn absent_guest(&self, number: u16) -> Guest {
        Guest { netns: format!("{}-vm{number}", self.netns), ..Guest::away(number) }
    }

    /// Makes a guest's tap.
    pub(crate) fn plug(&self, guest: &Guest) {
        let Guest { netns, tap, .. } = guest;
        sh(&format!(
            "ip -n {} link add {tap} address {} type veth peer name eth0 netns {netns}",
            self.netns,
            mac_text(ROUTER_MAC),
        ));
        // The guest is the load generator alone. Its kernel has nothing to say to what arrives, and since `eth0` has not
        // the guest's MAC, which is in frames only, it does not even look.
        sh_in(netns, "sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1; ip link set eth0 arp off; ip link set eth0 up");
        sh_in(&self.netns, &format!("ip link set {tap} up"));
    }

    /// Takes a guest's tap away.
    pub(crate) fn unplug(&self, guest: &Guest) {
        sh(&format!("ip -n {} link del {}", self.netns, guest.tap));
    }

    /// Plugs in so many guests, numbered from 1, whose taps share a wire: their frames leave by `trunk` and arrive at one
    /// `eth0`. To make a pair of interfaces for each would take minutes.
    pub(crate) fn crowd(&self, count: u16) -> Vec<Guest> {
        let netns = format!("{}-crowd", self.netns);
        sh(&format!(
            "ip netns add {netns}
            ip -n {node} link add trunk type veth peer name eth0 netns {netns}
            ip netns exec {node} sysctl -qw net.ipv6.conf.trunk.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1",
            node = self.netns,
        ));
        sh_in(&netns, "sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1; ip link set eth0 arp off; ip link set eth0 up");
        let guests: Vec<_> = (1..=count).map(|number| Guest { netns: netns.clone(), ..Guest::away(number) }).collect();
        let mut batch = "link set trunk up\n".to_owned();
        for guest in &guests {
            let (tap, mac) = (&guest.tap, mac_text(guest.router()));
            writeln!(batch, "link add link trunk name {tap} address {mac} up type macvlan mode private").unwrap();
        }
        let path = self.path("crowd");
        fs::write(&path, batch).unwrap();
        sh_in(&self.netns, &format!("ip -batch {path}; sysctl -qw net.ipv6.conf.default.disable_ipv6=0"));
        guests
    }

    /// A file or folder of this node, from the path within its own folder.
    pub(crate) fn path(&self, name: &str) -> String {
        format!("{SCRATCH}/{}/{name}", self.netns)
    }

    /// Diverts these kinds of packets, from any tap, to their queues.
    pub(crate) fn divert(&self, kinds: &[Kind]) {
        let mut rules: Vec<_> = kinds.iter().map(|kind| (kind.queue(), kind.rule())).collect();
        rules.dedup();
        for (queue, (tool, packets)) in rules {
            let rule = format!("{tool} -t mangle -A PREROUTING -i tap+ {packets} -j NFQUEUE --queue-num {queue}");
            sh_in(&self.netns, &rule);
        }
    }

    /// What the kernel says of the node's queues; nothing where it does not tell.
    pub(crate) fn queues(&self) -> Vec<queues::Queue> {
        within(&self.netns, queues::bound)
    }

    /// How many packets have arrived at a guest's tap.
    pub(crate) fn arrived(&self, guest: &Guest) -> u64 {
        let counts = within(&self.netns, || fs::read_to_string("/proc/thread-self/net/dev").unwrap());
        let tap = format!("{}:", guest.tap);
        let mut line =
            counts.lines().map(str::split_whitespace).find(|line| line.clone().next() == Some(&tap)).unwrap();
        line.nth(2).unwrap().parse().unwrap()
    }

    /// Gives the node the gateway's addresses on a guest's tap, for programs that answer from a socket.
    pub(crate) fn address(&self, guest: &Guest) {
        let Guest { tap, .. } = guest;
        let gateway6 = guest.gateway6();
        sh_in(&self.netns, &format!("ip addr add {GATEWAY}/15 dev {tap}; ip addr add {gateway6}/64 dev {tap} nodad"));
    }

    /// Tells the node the MAC behind every address that the guest asks from, since nobody answers for them.
    pub(crate) fn know_neighbours(&self, guest: &Guest) {
        let mut batch = String::new();
        for address in guest.askers() {
            let mac = mac_text(guest.mac());
            writeln!(batch, "neigh add {address} lladdr {mac} dev {} nud permanent", guest.tap).unwrap();
        }
        let path = self.path("neighbours");
        fs::write(&path, batch).unwrap();
        sh_in(&self.netns, &format!("ip -batch {path}"));
    }
}

/// A guest. Its number is in everything that it has: tap, name, addresses.
pub(crate) struct Guest {
    /// The namespace that plays the machine. Its interface is `eth0`.
    pub(crate) netns: String,
    /// The tap on the node.
    pub(crate) tap: String,
    number: u16,
}

impl Guest {
    /// A guest of this number that is nowhere.
    pub(crate) fn away(number: u16) -> Self {
        Self { netns: String::new(), tap: format!("tap{number}"), number }
    }

    /// The MAC of the guest's tap, where guests share a wire.
    pub(crate) fn router(&self) -> [u8; 6] {
        let [high, low] = self.number.to_be_bytes();
        [2, 0, 0, 1, high, low]
    }

    /// The guest's MAC.
    pub(crate) fn mac(&self) -> [u8; 6] {
        let [high, low] = self.number.to_be_bytes();
        [0xaa, 0, 0, 0, high, low]
    }

    /// The guest's IPv4 address.
    pub(crate) fn ip(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(GATEWAY.to_bits() + 9 + u32::from(self.number))
    }

    /// The guest's IPv6 network, in the prefix of benchmarks (RFC 5180 §8).
    pub(crate) fn subnet6(&self) -> Ipv6Addr {
        Ipv6Addr::new(0x2001, 2, 0, self.number, 0, 0, 0, 0)
    }

    /// The guest's router in it.
    pub(crate) fn gateway6(&self) -> Ipv6Addr {
        Ipv6Addr::from_bits(self.subnet6().to_bits() + 1)
    }

    /// The guest's own address in it.
    pub(crate) fn address6(&self) -> Ipv6Addr {
        Ipv6Addr::from_bits(self.subnet6().to_bits() + u128::from(self.link_local().to_bits() as u64))
    }

    /// The guest's link-local address, made of its MAC (RFC 4291 appendix A).
    pub(crate) fn link_local(&self) -> Ipv6Addr {
        let [m0, m1, m2, m3, m4, m5] = self.mac();
        let group = |high, low| u16::from_be_bytes([high, low]);
        Ipv6Addr::new(0xfe80, 0, 0, 0, group(m0 ^ 2, m1), group(m2, 0xff), group(0xfe, m3), group(m4, m5))
    }

    /// Every IPv6 address that a request may come from.
    fn askers(&self) -> impl Iterator<Item = Ipv6Addr> {
        let numbered = Kind::RouterSolicitation.numbers();
        (0..numbered).map(crate::packet::numbered_address).chain([self.link_local()])
    }

    /// The binding, with everything that a hook writes.
    pub(crate) fn binding(&self) -> String {
        format!(
            "INDEV={}\nIP={}\nMAC={}\nHOSTNAME=guest{}\nTAGS=\nGATEWAY={GATEWAY}\nSUBNET={SUBNET}\n\
             GATEWAY6={}\nSUBNET6={}/64\nEUI64={}\n",
            self.tap,
            self.ip(),
            mac_text(self.mac()),
            self.number,
            self.gateway6(),
            self.subnet6(),
            self.address6(),
        )
    }
}

/// A MAC as people write it.
pub(crate) fn mac_text(mac: [u8; 6]) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

/// Does something within a network namespace, such as opening a socket that will belong to it.
pub(crate) fn within<T: Send>(netns: &str, work: impl FnOnce() -> T + Send) -> T {
    let file = File::open(format!("/run/netns/{netns}")).unwrap();
    // A thread of its own: nobody else is moved there.
    let in_there = || {
        setns(file, CloneFlags::CLONE_NEWNET).unwrap();
        work()
    };
    thread::scope(|scope| scope.spawn(in_there).join().unwrap())
}
