//! What a guest notices of a restart and of a crash: it asks at a steady pace, answered or not.

use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::exchange::Client;
use crate::inside;
use crate::lab::soon;
use crate::net::{Guest, Node};
use crate::over::Over;
use crate::packet::{Kind, number_of, requests};
use crate::port::Port;
use crate::programs::nfdhcpd;
use crate::supervised::Supervised;
use crate::table::Table;
use crate::tally::quantile;

/// What is asked for.
const KIND: Kind = Kind::Dhcpv4;
/// The time between two requests.
const PERIOD: Duration = Duration::from_millis(1);
/// How long the guest asks before the daemon ends, and after the next one is ready.
const CALM: Duration = Duration::from_millis(300);
/// How long the last answers may take. What has none by then is lost.
const LAST: Duration = Duration::from_secs(1);
/// `RestartSec` of the unit: how long systemd waits after a crash. When it is told to restart the daemon, it does not wait.
const RESTART_SEC: Duration = Duration::from_millis(100);

/// Arguments of `node restart`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How often the daemon ends, in each way
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    times: u32,
    /// Print a table in Markdown, as in docs/performance.md
    #[arg(long)]
    markdown: bool,
}

/// Restarts the daemon and kills it, several times, and prints a table.
pub(crate) fn run(arguments: &Arguments) {
    inside::enter();
    let mut table = Table::new(&[
        "the daemon's end",
        "times",
        "asked",
        "answered",
        "lost",
        "most lost at once",
        "longest wait, median, ms",
        "longest wait, ms",
        "no answers, median, ms",
        "no answers, longest, ms",
    ]);
    let mut site = Site::new();
    for (title, signal, pause) in
        [("restart (SIGTERM)", Signal::SIGTERM, Duration::ZERO), ("crash (kill -9)", Signal::SIGKILL, RESTART_SEC)]
    {
        eprintln!("{title}");
        let outcomes: Vec<_> = (0..arguments.times).map(|_| Outcome::of(&site.restart(signal, pause))).collect();
        table.push(row(title, &outcomes));
    }
    let title = format!("Restarts while a guest asks every {PERIOD:?}");
    println!("{}", table.titled(&title, arguments.markdown));
}

/// A node with a guest, and the daemon under a supervisor.
struct Site {
    node: Node,
    guest: Guest,
    daemon: Supervised,
}

impl Site {
    fn new() -> Self {
        let node = Node::new("restart");
        let guest = node.guest(1);
        node.divert(&Kind::ALL);
        nfdhcpd::write_bindings(&node, &[&guest]);
        nfdhcpd::write_config(&node);
        let daemon = Supervised::start(&node);
        soon("a first lease", || Client::new(&guest).lease(LAST));
        Self { node, guest, daemon }
    }

    /// Ends the daemon and starts another after a pause, while the guest asks.
    fn restart(&mut self, by: Signal, pause: Duration) -> Vec<Request> {
        let Self { node, guest, daemon } = self;
        let over = Over::default();
        thread::scope(|scope| {
            let end = over.when_dropped();
            let requests = scope.spawn(|| ask(guest, &over));
            thread::sleep(CALM);
            daemon.end(by);
            thread::sleep(pause);
            daemon.start_again(node);
            thread::sleep(CALM);
            drop(end);
            requests.join().unwrap()
        })
    }
}

/// When a request was made, and when it was answered.
struct Request {
    sent: Instant,
    answered: Option<Instant>,
}

/// Asks until it is over, and waits for the last answers. No request is made twice.
fn ask(guest: &Guest, over: &Over) -> Vec<Request> {
    let mut port = Port::open(guest);
    let mut frame = requests(KIND, guest).swap_remove(0);
    let mut made: Vec<Request> = Vec::new();
    let start = Instant::now();
    while over.goes_on() {
        while start.elapsed() >= PERIOD * made.len() as u32 {
            KIND.request_mark().write(&mut frame, made.len() as u32);
            made.push(Request { sent: Instant::now(), answered: None });
            // What the node does not take is lost.
            port.send([frame.as_slice()].into_iter());
        }
        take(&mut port, guest, &mut made);
        thread::sleep(PERIOD);
    }
    let end = Instant::now();
    while end.elapsed() < LAST && made.iter().any(|request| request.answered.is_none()) {
        take(&mut port, guest, &mut made);
        thread::sleep(PERIOD);
    }
    made
}

/// Takes the answers that are there.
fn take(port: &mut Port, guest: &Guest, made: &mut [Request]) {
    port.receive_all(|frame, _| {
        if let Some(request) = number_of(KIND, guest, frame).and_then(|number| made.get_mut(number as usize)) {
            request.answered.get_or_insert_with(Instant::now);
        }
    });
}

/// What became of requests around one restart.
struct Outcome {
    asked: usize,
    lost: usize,
    /// The longest that a request waited for its answer.
    wait: Duration,
    /// The longest time without any answer.
    silence: Duration,
}

impl Outcome {
    fn of(requests: &[Request]) -> Self {
        let mut answers: Vec<_> = requests.iter().filter_map(|request| request.answered).collect();
        answers.sort_unstable();
        let waits = requests.iter().filter_map(|request| Some(request.answered? - request.sent));
        Self {
            asked: requests.len(),
            lost: requests.len() - answers.len(),
            wait: waits.max().unwrap_or_default(),
            silence: answers.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default(),
        }
    }
}

fn row(title: &str, outcomes: &[Outcome]) -> Vec<String> {
    let sum = |count: fn(&Outcome) -> usize| outcomes.iter().map(count).sum::<usize>();
    let millis = |time: fn(&Outcome) -> Duration, share| {
        let mut times: Vec<_> = outcomes.iter().map(time).collect();
        quantile(&mut times, share).map_or_else(String::new, |time| format!("{:.0}", time.as_secs_f64() * 1e3))
    };
    let most_lost = outcomes.iter().map(|outcome| outcome.lost).max().unwrap_or_default();
    vec![
        title.to_owned(),
        outcomes.len().to_string(),
        sum(|outcome| outcome.asked).to_string(),
        sum(|outcome| outcome.asked - outcome.lost).to_string(),
        sum(|outcome| outcome.lost).to_string(),
        most_lost.to_string(),
        millis(|outcome| outcome.wait, 0.5),
        millis(|outcome| outcome.wait, 1.0),
        millis(|outcome| outcome.silence, 0.5),
        millis(|outcome| outcome.silence, 1.0),
    ]
}
