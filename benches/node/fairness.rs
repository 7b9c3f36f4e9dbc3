//! One guest floods as fast as it can, and another one boots, again and again: does it get its lease, and when?

use std::thread;
use std::time::{Duration, Instant};

use crate::exchange::{Client, Exchange};
use crate::flood::{Flood, Flooder};
use crate::lab::soon;
use crate::net::{Guest, Node};
use crate::over::Over;
use crate::packet::Kind;
use crate::programs::nfdhcpd;
use crate::shell::{Leashed, command_in, has, sh_in};
use crate::table::Table;
use crate::tally::quantile;
use crate::{cpus, inside};

/// How long a client goes on asking.
const PATIENCE: Duration = Duration::from_secs(10);

/// Arguments of `node fairness`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Seconds for each flood
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Print a table in Markdown, as in docs/performance.md
    #[arg(long)]
    markdown: bool,
}

/// Floods, and prints a table.
pub(crate) fn run(arguments: &Arguments) {
    inside::enter();
    let time = Duration::from_secs_f64(arguments.seconds);
    let mut table = Table::new(&[
        "rules",
        "flood",
        "leases",
        "retries",
        "median, ms",
        "99 %, ms",
        "longest, ms",
        "flood/s",
        "dropped by rules/s",
        "queue full/s",
        "answered/s",
        "limited/s",
        "other verdicts/s",
    ]);
    for rules in [Rules::Plain, Rules::Limiting].into_iter().filter(|rules| rules.can_be_had()) {
        let site = Site::new(rules);
        site.measure_all(time).into_iter().for_each(|row| table.push(row));
    }
    println!("{} processors, {} s each\n", cpus::count(), arguments.seconds);
    println!("{}", table.titled("Leases of one guest while another floods", arguments.markdown));
}

/// What diverts packets to the daemon.
#[derive(Debug, Clone, Copy)]
enum Rules {
    /// The original's sample rules.
    Plain,
    /// What `nfdhcpd rules` prints: with a limit for each tap in the kernel.
    Limiting,
}

impl Rules {
    fn title(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Limiting => "nfdhcpd rules",
        }
    }

    /// How long the quiet guest waits between two leases: it has a limit as well, of 20 packets each second.
    fn pause(self) -> Duration {
        Duration::from_millis(match self {
            Self::Plain => 2,
            Self::Limiting => 100,
        })
    }

    fn can_be_had(self) -> bool {
        let can_be_had = matches!(self, Self::Plain) || has("nft");
        if !can_be_had {
            eprintln!("left out: {}: nft is not installed", self.title());
        }
        can_be_had
    }

    fn load(self, node: &Node, config: &str) {
        match self {
            Self::Plain => node.divert(&Kind::ALL),
            Self::Limiting => {
                let rules = format!("{} rules --format iptables -c {config} >{}", nfdhcpd::PATH, node.path("rules"));
                sh_in(&node.netns, &format!("{rules}; sh {}", node.path("rules")));
            }
        }
    }
}

/// A node with the daemon, a guest that floods, a quiet one, and one that has no binding.
struct Site {
    rules: Rules,
    node: Node,
    loud: Guest,
    quiet: Guest,
    stranger: Guest,
    _daemon: Leashed,
}

impl Site {
    fn new(rules: Rules) -> Self {
        let node = Node::new(&format!("{rules:?}").to_lowercase());
        let [loud, quiet, stranger] = [1, 2, 3].map(|number| node.guest(number));
        nfdhcpd::write_bindings(&node, &[&loud, &quiet]);
        let config = nfdhcpd::write_usual_config(&node, 3_600);
        rules.load(&node, &config);
        let mut command = command_in(&node.netns, nfdhcpd::PATH);
        command.args(["-f", "-c", &config]);
        let daemon = Leashed::start(command, &node.netns);
        let site = Self { rules, node, loud, quiet, stranger, _daemon: daemon };
        soon("the daemon", || nfdhcpd::shown(&site.node));
        soon("a first lease", || Client::new(&site.quiet).lease(PATIENCE));
        site
    }

    /// A row for each flood, and before them one without any.
    fn measure_all(&self, time: Duration) -> Vec<Vec<String>> {
        let mut client = Client::new(&self.quiet);
        let mut rows = vec![self.row("none", self.leases(&mut client, time), None)];
        let by_loud = Flood::all().map(|flood| (&self.loud, flood, flood.title()));
        let unknown = (&self.stranger, Flood::Requests(Kind::Dhcpv4), "DISCOVER, from a tap without a binding");
        for (guest, flood, title) in by_loud.chain([unknown]) {
            eprintln!("{}: {title}", self.rules.title());
            let (leases, account) = self.measure(&mut client, guest, flood, time);
            rows.push(self.row(title, leases, Some(account)));
        }
        rows
    }

    /// The quiet guest's leases during a flood, and what became of the flood.
    fn measure(&self, client: &mut Client<'_>, guest: &Guest, flood: Flood, time: Duration) -> (Leases, Account) {
        let flooder = Flooder::open(guest);
        let frames = flood.frames(guest);
        let over = Over::default();
        let before = Account::now(self, guest);
        let start = Instant::now();
        let (leases, elapsed) = thread::scope(|scope| {
            let _end = over.when_dropped();
            scope.spawn(|| flooder.send(&frames, || over.goes_on()));
            soon("the flood", || (self.node.arrived(guest) > before.arrived + 1_000).then_some(()));
            (self.leases(client, time), start.elapsed())
        });
        soon("all verdicts", || self.node.queues().iter().all(|queue| queue.waiting == 0).then_some(()));
        let mut account = Account::now(self, guest) - before;
        account.time = elapsed;
        account.queued = account.queued.saturating_sub(leases.messages());
        (leases, account)
    }

    /// Has the quiet guest ask, again and again.
    fn leases(&self, client: &mut Client<'_>, time: Duration) -> Leases {
        let mut leases = Leases::default();
        let start = Instant::now();
        while start.elapsed() < time {
            match client.lease(PATIENCE) {
                Some(Exchange { time, retries }) => {
                    leases.times.push(time);
                    leases.retries += retries;
                }
                None => leases.failed += 1,
            }
            thread::sleep(self.rules.pause());
        }
        leases
    }

    fn row(&self, flood: &str, mut leases: Leases, account: Option<Account>) -> Vec<String> {
        let mut millis = |share| {
            let time = quantile(&mut leases.times, share);
            time.map_or_else(|| "-".to_owned(), |time| format!("{:.2}", time.as_secs_f64() * 1e3))
        };
        let times = [0.5, 0.99, 1.0].map(&mut millis);
        let rates = account.map_or([const { String::new() }; 6], Account::rates);
        let mut row = vec![self.rules.title().to_owned(), flood.to_owned()];
        row.push(format!("{} of {}", leases.times.len(), leases.times.len() + leases.failed));
        row.push(leases.retries.to_string());
        row.extend(times.into_iter().chain(rates));
        row
    }
}

/// Leases that were asked for, one after the other.
#[derive(Debug, Default)]
struct Leases {
    /// How long those took that were had.
    times: Vec<Duration>,
    failed: usize,
    retries: u32,
}

impl Leases {
    /// How many messages were sent, about.
    fn messages(&self) -> u64 {
        self.times.len() as u64 * 2 + u64::from(self.retries)
    }
}

/// What became of a tap's packets so far.
#[derive(Debug, Clone, Copy)]
struct Account {
    /// How long they came.
    time: Duration,
    /// At the tap.
    arrived: u64,
    /// In a queue.
    queued: u64,
    /// Lost because a queue was full, or its socket.
    overflowed: u64,
    answered: u64,
    limited: u64,
}

impl Account {
    fn now(site: &Site, guest: &Guest) -> Self {
        let queues = site.node.queues();
        let shown = nfdhcpd::shown(&site.node).unwrap();
        let taps = shown["taps"].as_array().unwrap();
        let tap = taps.iter().find(|tap| tap["tap"] == guest.tap.as_str());
        Self {
            time: Duration::ZERO,
            arrived: site.node.arrived(guest),
            queued: queues.iter().map(|queue| queue.seen - queue.user_dropped).sum(),
            overflowed: queues.iter().map(|queue| queue.dropped + queue.user_dropped).sum(),
            answered: tap.and_then(|tap| tap["packets"]["answered"].as_u64()).unwrap_or_default(),
            limited: shown["node"]["counters"]["rate_limited"].as_u64().unwrap_or_default(),
        }
    }

    /// Arrived, dropped by rules, lost in the queue, answered, limited, and what else was judged; each second.
    fn rates(self) -> [String; 6] {
        let by_rules = self.arrived.saturating_sub(self.queued + self.overflowed);
        let other = self.queued.saturating_sub(self.answered + self.limited);
        let counts = [self.arrived, by_rules, self.overflowed, self.answered, self.limited, other];
        counts.map(|count| format!("{:.0}", count as f64 / self.time.as_secs_f64()))
    }
}

impl std::ops::Sub for Account {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            time: self.time,
            arrived: self.arrived - before.arrived,
            queued: self.queued - before.queued,
            overflowed: self.overflowed - before.overflowed,
            answered: self.answered - before.answered,
            limited: self.limited - before.limited,
        }
    }
}
