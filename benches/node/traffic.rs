//! What a guest's own packets have to do with the daemon: nothing, if their rate is the same with it and without it.
//!
//! A guest sends UDP as fast as it can, to its node or through it to another guest. None of it is anything that the daemon
//! answers, and all of it passes the rules.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::socket::{self, AddressFamily, SockFlag, SockProtocol, SockType, SockaddrIn, sockopt};
use nix::sys::time::TimeVal;

use crate::compare::{median, with_ratio};
use crate::flood::Flooder;
use crate::lab::frames::{ethernet, udp4};
use crate::lab::soon;
use crate::net::{GATEWAY, Guest, Node, ROUTER_MAC, mac_text, within};
use crate::over::Over;
use crate::packet::Kind;
use crate::port::Port;
use crate::programs::nfdhcpd;
use crate::shell::{Leashed, command_in, sh_in};
use crate::sys::Inbox;
use crate::table::Table;
use crate::usage::own_cpu_time;
use crate::{cpus, inside};

/// Where packets go: "discard" (RFC 863).
const PORT: u16 = 9;
/// Where they come from.
const SOURCE_PORT: u16 = 4_000;
/// Where a frame has its destination port, behind Ethernet and IPv4 without options.
const PORT_AT: usize = 14 + 20 + 2;
/// How long a receiver waits for a packet before it looks whether all is over, in microseconds.
const PATIENCE: i64 = 10_000;
/// The longest packet, with its headers.
const SLOT_LEN: usize = 2048;

/// Arguments of `node traffic`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Seconds for each figure
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Rounds that these seconds are divided into; the figures are of the median round
    #[arg(long, default_value_t = 9)]
    rounds: u32,
    /// Print a table in Markdown, as in docs/performance.md
    #[arg(long)]
    markdown: bool,
}

/// What there is on the node. The first is what the others are compared with.
const CASES: [Case; 4] = [
    Case { title: "nothing", has_rules: false, has_daemon: false, has_listener: false },
    Case { title: "rules", has_rules: true, has_daemon: false, has_listener: false },
    Case { title: "rules, nfdhcpd", has_rules: true, has_daemon: true, has_listener: false },
    Case { title: "a packet socket that receives", has_rules: false, has_daemon: false, has_listener: true },
];

#[derive(Debug, Clone, Copy)]
struct Case {
    title: &'static str,
    has_rules: bool,
    has_daemon: bool,
    /// A socket that the kernel copies every packet to, as programs have that only want to send. It shows that the benchmark
    /// sees such a cost.
    has_listener: bool,
}

/// Which way packets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    ToNode,
    ToGuest,
}

/// What is sent: the way, and the length of a frame.
const LOADS: [(Way, usize); 4] = [(Way::ToNode, 60), (Way::ToNode, 1_514), (Way::ToGuest, 60), (Way::ToGuest, 1_514)];

/// Measures, and prints a table.
pub(crate) fn run(arguments: &Arguments) {
    inside::enter();
    cpus::leave_last();
    let mut sites = CASES.map(Site::new);
    let time = Duration::from_secs_f64(arguments.seconds / f64::from(arguments.rounds));
    let mut rounds = vec![Vec::new(); LOADS.len() * CASES.len()];
    for round in 1..=arguments.rounds {
        eprintln!("round {round} of {}", arguments.rounds);
        let cells = LOADS.iter().flat_map(|load| (0..CASES.len()).map(move |case| (*load, case)));
        for (((way, len), case), rounds) in cells.zip(&mut rounds) {
            rounds.push(sites[case].measure(way, len, time));
        }
    }
    println!(
        "{} processors; UDP from a guest as fast as it can; in parentheses the ratio to a node with nothing\n",
        cpus::count()
    );
    println!("{}", table(&rounds).titled("A guest's own packets", arguments.markdown));
}

/// What came of one round.
#[derive(Debug, Clone, Copy)]
struct Round {
    /// Packets per second at their destination.
    received: f64,
    /// Processor time of a packet, in µs: the sender's, and the kernel's for its way to the destination's socket.
    cpu: f64,
    /// The part of those that were sent.
    share: f64,
}

fn table(rounds: &[Vec<Round>]) -> Table {
    let mut table =
        Table::new(&["way", "on the node", "frame, bytes", "received/s", "CPU/packet, µs", "received of sent"]);
    for ((way, len), cases) in LOADS.iter().zip(rounds.chunks(CASES.len())) {
        for (case, rounds) in CASES.iter().zip(cases) {
            let of = |value: fn(&Round) -> f64| median(rounds.iter().map(value).collect());
            let with_ratio = |digits, value: fn(&Round) -> f64| {
                let ratios = rounds.iter().zip(&cases[0]).map(|(ours, bare)| value(ours) / value(bare));
                with_ratio(digits, of(value), Some(median(ratios.collect())))
            };
            table.push(vec![
                if *way == Way::ToNode { "guest to node" } else { "guest to guest" }.to_owned(),
                case.title.to_owned(),
                len.to_string(),
                with_ratio(0, |round| round.received),
                with_ratio(2, |round| round.cpu),
                format!("{:.1} %", of(|round| round.share) * 100.0),
            ]);
        }
    }
    table
}

/// A node with two guests, and the sockets of a load.
struct Site {
    guests: [Guest; 2],
    sender: Flooder,
    /// The other guest's end.
    port: Port,
    /// The node's own.
    socket: OwnedFd,
    inbox: Inbox,
    _daemon: Option<Leashed>,
    _listener: Option<OwnedFd>,
}

impl Site {
    fn new(case: Case) -> Self {
        let node = Node::new(&case.title.replace([' ', ','], ""));
        let guests = [1, 2].map(|number| node.guest(number));
        route(&node, &guests);
        if case.has_rules {
            node.divert(&Kind::ALL);
        }
        Self {
            sender: Flooder::open(&guests[0]),
            port: Port::open(&guests[1]),
            socket: within(&node.netns, open_socket),
            inbox: Inbox::new(SLOT_LEN),
            _daemon: case.has_daemon.then(|| start_daemon(&node, &guests)),
            _listener: case.has_listener.then(|| within(&node.netns, open_listener)),
            guests,
        }
    }

    fn measure(&mut self, way: Way, len: usize, time: Duration) -> Round {
        let frames = [self.frame(way, len)];
        let (sender, over) = (&self.sender, &Over::default());
        let start = Instant::now();
        let ((sent, cpu), received) = thread::scope(|scope| {
            let sent = scope.spawn(move || {
                cpus::keep_to_last();
                let cpu = own_cpu_time();
                let _end = over.when_dropped();
                let sent = sender.send(&frames, || start.elapsed() < time);
                (sent, own_cpu_time() - cpu)
            });
            let received = match way {
                Way::ToNode => until_silent(over, || receive_from_socket(&self.socket, &mut self.inbox)),
                Way::ToGuest => until_silent(over, || receive_from_port(&mut self.port, PORT)),
            };
            (sent.join().unwrap(), received)
        });
        Round {
            received: received as f64 / time.as_secs_f64(),
            cpu: cpu.as_secs_f64() * 1e6 / sent as f64,
            share: received as f64 / sent as f64,
        }
    }

    /// A frame of this length.
    fn frame(&self, way: Way, len: usize) -> Vec<u8> {
        let [sender, other] = &self.guests;
        let to = if way == Way::ToNode { GATEWAY } else { other.ip() };
        let payload = vec![0; len - PORT_AT - 6];
        ethernet(ROUTER_MAC, sender.mac(), 0x0800, &udp4(sender.ip(), to, [SOURCE_PORT, PORT], &payload))
    }
}

/// Lets the node know where its guests are, and gives it the gateway's address.
pub(crate) fn route(node: &Node, guests: &[Guest; 2]) {
    sh_in(&node.netns, &format!("ip addr add {GATEWAY}/32 dev lo"));
    for guest in guests {
        let (ip, mac, tap) = (guest.ip(), mac_text(guest.mac()), &guest.tap);
        sh_in(
            &node.netns,
            &format!("ip route add {ip} dev {tap}; ip neigh add {ip} lladdr {mac} dev {tap} nud permanent"),
        );
    }
}

/// Starts the daemon, and waits until it answers.
fn start_daemon(node: &Node, guests: &[Guest; 2]) -> Leashed {
    nfdhcpd::write_bindings(node, &guests.each_ref());
    let mut command = command_in(&node.netns, nfdhcpd::PATH);
    command.args(["-f", "-c", &nfdhcpd::write_usual_config(node, 3_600)]);
    let daemon = Leashed::start(command, &node.netns);
    soon("the daemon", || nfdhcpd::shown(node));
    daemon
}

/// A UDP socket of the node's.
fn open_socket() -> OwnedFd {
    let flags = SockFlag::SOCK_CLOEXEC;
    let socket = socket::socket(AddressFamily::Inet, SockType::Datagram, flags, None).unwrap();
    socket::bind(socket.as_raw_fd(), &SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, PORT))).unwrap();
    // A user namespace has no right to more than the system's limit.
    let _ = socket::setsockopt(&socket, sockopt::RcvBufForce, &(8 << 20));
    socket::setsockopt(&socket, sockopt::ReceiveTimeout, &TimeVal::new(0, PATIENCE)).unwrap();
    socket
}

/// A packet socket that nobody reads.
fn open_listener() -> OwnedFd {
    socket::socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::EthAll).unwrap()
}

/// Receives until it is over and no more comes, and returns how many packets came.
pub(crate) fn until_silent(over: &Over, mut receive: impl FnMut() -> u64) -> u64 {
    let mut total = 0;
    loop {
        let is_over = !over.goes_on();
        let count = receive();
        if count == 0 && is_over {
            return total;
        }
        total += count;
    }
}

fn receive_from_socket(socket: &OwnedFd, inbox: &mut Inbox) -> u64 {
    // An error says that there was nothing in time.
    inbox.receive(socket.as_fd()).unwrap_or_default() as u64
}

/// How many packets to a port of UDP came.
pub(crate) fn receive_from_port(port: &mut Port, udp_port: u16) -> u64 {
    let mut count = 0;
    if !port.has_frames() {
        port.wait();
    }
    port.receive(|frame, _| count += u64::from(frame.get(PORT_AT..PORT_AT + 2) == Some(&udp_port.to_be_bytes())));
    count
}
