//! What the node's filters cost a packet, with many taps: looked up in sets, as ours are, or gone through in lists.
//!
//! A guest sends UDP as fast as it can, through its node to another guest. Every packet has its source checked and meets a
//! profile. Both taps are in the middle of what there is.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use nfdhcpd::network::filter::{Element, LIST_TABLES, Observed, Port as TapPort, Profile, list_ours, transaction};

use crate::compare::{median, with_ratio};
use crate::flood::Flooder;
use crate::lab::frames::{ethernet, udp4};
use crate::net::{Guest, Node, ROUTER_MAC};
use crate::over::Over;
use crate::port::Port;
use crate::shell::{has, sh_in};
use crate::table::Table;
use crate::traffic::{receive_from_port, route, until_silent};
use crate::usage::own_cpu_time;
use crate::{cpus, inside};

/// Which port the profile lets in, for what is not of a connection that both sides know.
const LET_IN: u16 = 3_389;
/// The payload of the shortest frame.
const PAYLOAD: [u8; 18] = [0; 18];

/// Arguments of `node filters`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Taps that the node has rules for
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(3..))]
    taps: u16,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filters {
    /// Nothing but connections that are kept track of, since every profile needs to know them.
    Tracking,
    /// Ours.
    Sets,
    /// A rule for each tap, of nft.
    NftLists,
    /// A rule for each tap, of iptables.
    IptablesLists,
}

impl Filters {
    const ALL: [Self; 4] = [Self::Tracking, Self::Sets, Self::NftLists, Self::IptablesLists];

    /// Whose they are, and how they are kept.
    fn titles(self) -> [&'static str; 2] {
        match self {
            Self::Tracking => ["none", "connections are kept track of"],
            Self::Sets => ["snf-network", "sets"],
            Self::NftLists => ["nft", "a rule for each tap"],
            Self::IptablesLists => ["iptables", "a rule for each tap"],
        }
    }

    fn load(self, node: &Node, guests: &[Guest]) {
        match self {
            Self::Tracking => nft(node, &tracking()),
            Self::Sets => load_sets(node, guests),
            Self::NftLists => nft(node, &nft_lists(guests)),
            Self::IptablesLists => {
                let path = node.path("rules");
                fs::write(&path, iptables_lists(guests)).unwrap();
                sh_in(&node.netns, &format!("iptables-restore {path}"));
            }
        }
    }
}

/// Measures, and prints a table.
pub(crate) fn run(arguments: &Arguments) {
    inside::enter();
    assert!(has("nft") && has("iptables-restore"), "nft and iptables are needed");
    cpus::leave_last();
    let cases = cases(arguments.taps);
    let mut sites: Vec<_> = cases.iter().enumerate().map(|(number, case)| Site::new(number, *case)).collect();
    let time = Duration::from_secs_f64(arguments.seconds / f64::from(arguments.rounds));
    let mut rounds = vec![Vec::new(); cases.len()];
    for round in 1..=arguments.rounds {
        eprintln!("round {round} of {}", arguments.rounds);
        for (site, rounds) in sites.iter_mut().zip(&mut rounds) {
            rounds.push(site.measure(time));
        }
    }
    println!(
        "{} processors; UDP from guest to guest as fast as it can; in parentheses the ratio to no filters\n",
        cpus::count()
    );
    println!("{}", table(&cases, &rounds).titled("A packet and the node's filters", arguments.markdown));
}

/// All filters, for the two taps that there are and for many. Tracking does not ask for the number.
fn cases(taps: u16) -> Vec<(Filters, u16)> {
    let of = |filters| [(filters, 2), (filters, taps)];
    Filters::ALL.into_iter().flat_map(of).filter(|case| *case != (Filters::Tracking, taps)).collect()
}

/// What came of one round.
#[derive(Debug, Clone, Copy)]
struct Round {
    /// Packets per second at their destination.
    received: f64,
    /// Processor time of a packet, in µs: the sender's, and the kernel's for its way to the other guest.
    cpu: f64,
}

fn table(cases: &[(Filters, u16)], rounds: &[Vec<Round>]) -> Table {
    let mut table = Table::new(&["filters", "kept as", "taps", "received/s", "CPU/packet, µs"]);
    for ((filters, taps), ours) in cases.iter().zip(rounds) {
        let with_ratio = |digits, value: fn(&Round) -> f64| {
            let ratios = ours.iter().zip(&rounds[0]).map(|(ours, bare)| value(ours) / value(bare));
            with_ratio(digits, median(ours.iter().map(value).collect()), Some(median(ratios.collect())))
        };
        let [whose, how] = filters.titles();
        table.push(vec![
            whose.to_owned(),
            how.to_owned(),
            taps.to_string(),
            with_ratio(0, |round| round.received),
            with_ratio(2, |round| round.cpu),
        ]);
    }
    table
}

/// A node with two guests that are there, among those that there are rules for.
struct Site {
    sender: Flooder,
    receiver: Port,
    frame: Vec<u8>,
}

impl Site {
    fn new(number: usize, (filters, taps): (Filters, u16)) -> Self {
        let node = Node::new(&number.to_string());
        let guests = [taps / 2, taps / 2 + 1].map(|number| node.guest(number));
        route(&node, &guests);
        filters.load(&node, &(1..=taps).map(Guest::away).collect::<Vec<_>>());
        let [from, to] = &guests;
        let packet = udp4(from.ip(), to.ip(), [LET_IN; 2], &PAYLOAD);
        Self {
            sender: Flooder::open(from),
            receiver: Port::open(to),
            frame: ethernet(ROUTER_MAC, from.mac(), 0x0800, &packet),
        }
    }

    fn measure(&mut self, time: Duration) -> Round {
        let Self { sender, receiver, frame } = self;
        let over = &Over::default();
        let start = Instant::now();
        let ((sent, cpu), received) = thread::scope(|scope| {
            let sent = scope.spawn(move || {
                cpus::keep_to_last();
                let cpu = own_cpu_time();
                let _end = over.when_dropped();
                let sent = sender.send(std::slice::from_ref(frame), || start.elapsed() < time);
                (sent, own_cpu_time() - cpu)
            });
            let received = until_silent(over, || receive_from_port(receiver, LET_IN));
            (sent.join().unwrap(), received)
        });
        Round { received: received as f64 / time.as_secs_f64(), cpu: cpu.as_secs_f64() * 1e6 / sent as f64 }
    }
}

fn nft(node: &Node, text: &str) {
    let path = node.path("rules.nft");
    fs::write(&path, text).unwrap();
    sh_in(&node.netns, &format!("nft -f {path}"));
}

fn tracking() -> String {
    "\
table inet lists {
    chain forward {
        type filter hook forward priority filter
        ct state established accept
    }
}
"
    .to_owned()
}

/// The first tap brings the chains, the others their elements.
fn load_sets(node: &Node, guests: &[Guest]) {
    let ask = |command: &str| sh_in(&node.netns, &format!("nft --json '{command}'"));
    let text = |observed: &Observed, guest: &Guest| {
        let tap = guest.tap.parse().unwrap();
        let wanted = BTreeSet::from([
            Element::Sourced { tap },
            Element::Source { tap, address: guest.ip().into() },
            Element::Firewall { tap, profile: Profile::Limited, port: TapPort::Routed },
        ]);
        transaction(observed, tap, &wanted).unwrap().unwrap().to_string()
    };
    nft(node, &text(&Observed::default(), &guests[0]));
    let listings: String = list_ours(&ask(LIST_TABLES)).unwrap().iter().map(|command| ask(command)).collect();
    let observed = Observed::read(&listings).unwrap();
    nft(node, &guests[1..].iter().map(|guest| text(&observed, guest)).collect::<String>());
}

/// What ours do, in rules that name the tap.
fn nft_lists(guests: &[Guest]) -> String {
    let mut text = "\
table inet lists {
    chain limited {
        ct state established,related accept
        tcp dport { 22, 3389 } accept
        udp dport 3389 accept
        drop
    }
    chain sources {
        type filter hook prerouting priority raw
"
    .to_owned();
    for guest in guests {
        writeln!(text, "        iifname \"{}\" ip saddr != {} drop", guest.tap, guest.ip()).unwrap();
    }
    text += "    }\n    chain forward {\n        type filter hook forward priority filter\n";
    for guest in guests {
        writeln!(text, "        oifname \"{}\" goto limited", guest.tap).unwrap();
    }
    text + "    }\n}\n"
}

/// The same for `iptables-restore`.
fn iptables_lists(guests: &[Guest]) -> String {
    let mut text = "*raw\n".to_owned();
    for guest in guests {
        writeln!(text, "-A PREROUTING -i {} ! -s {} -j DROP", guest.tap, guest.ip()).unwrap();
    }
    text += "\
COMMIT
*filter
:limited - [0:0]
-A limited -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A limited -p tcp -m multiport --dports 22,3389 -j ACCEPT
-A limited -p udp --dport 3389 -j ACCEPT
-A limited -j DROP
";
    for guest in guests {
        writeln!(text, "-A FORWARD -o {} -g limited", guest.tap).unwrap();
    }
    text + "COMMIT\n"
}
