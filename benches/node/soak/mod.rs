//! A soak: everything that happens on a node in its life, for as long as you like, and at the end nothing may have grown
//! and nobody may be without an answer.
//!
//! ```text
//! Changes ──► binding files, taps, SIGHUP ──┐
//! Asking ───► busy guests, a quiet one,     ├──► Site: the daemon, restarted now and then
//!             floods ───────────────────────┘         │ samples
//! directory::faults ◄── show, files, links ───────────┴──► judge::faults
//! ```

mod asking;
mod changes;
mod directory;
mod judge;
mod random;
mod site;

use std::fs;
use std::process::exit;
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use nix::sys::signal::Signal;

use asking::{Asking, Seen};
use changes::Changes;
use judge::Sample;
use random::Random;
use site::Site;

use crate::inside;
use crate::load::{self, Order};
use crate::net::{Guest, Node};
use crate::packet::Kind;
use crate::port::Port;
use crate::tally::quantile;
use crate::usage::status;

/// How many samples are taken in all. Each is a line.
const SAMPLES: u32 = 120;
/// How often the daemon is restarted in the first third. What is left is a life that is long enough for a leak to show.
const RESTARTS: u32 = 4;
/// The longest pause between two changes, in milliseconds.
const PAUSE: u64 = 100;
/// How long everything may take to be as it has to be, once nothing happens any more.
const PATIENCE: Duration = asking::PATIENCE;
/// How long is asked to see whether there is an answer.
const GLANCE: Duration = Duration::from_millis(10);

/// Arguments of `node soak`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How long, in seconds
    #[arg(long, default_value_t = 3600, value_parser = clap::value_parser!(u64).range(30..))]
    seconds: u64,
    /// What chance goes by; the same seed makes the same changes [default: another one each time]
    #[arg(long)]
    seed: Option<u64>,
}

/// Soaks, prints samples, and exits with status 1 if anything is wrong.
pub(crate) fn run(arguments: &Arguments) {
    inside::enter();
    let seed = arguments.seed.unwrap_or_else(|| UNIX_EPOCH.elapsed().unwrap().subsec_nanos().into());
    println!("{} s, --seed {seed}", arguments.seconds);
    let faults = soak(Duration::from_secs(arguments.seconds), seed);
    if faults.is_empty() {
        println!("all is well: table, answers, verdicts, memory, descriptors, threads");
        return;
    }
    faults.iter().for_each(|fault| println!("fault: {fault}"));
    exit(1);
}

/// Returns what is wrong.
fn soak(length: Duration, seed: u64) -> Vec<String> {
    let node = Node::new("soak");
    let guests = [1, 2, 3, 4, 5].map(|number| node.guest(number));
    let stranger = node.guest(6);
    let mut site = Site::new(node, &guests.each_ref());
    let [busy @ .., quiet, loud] = &guests;
    let asking = Asking::default();
    let random = |number| Random::new(seed.wrapping_mul(1_000).wrapping_add(number));
    let mut changes = Changes::new(&site, random(0));
    let mut log = thread::scope(|scope| {
        let _end = asking.until_dropped();
        for (number, guest) in (1..).zip(busy) {
            scope.spawn({
                let asking = &asking;
                move || asking.busily(guest, random(number))
            });
        }
        scope.spawn(|| asking.quietly(quiet, random(10)));
        scope.spawn(|| asking.floods([loud, &stranger], random(11)));
        conduct(&mut site, &mut changes, &asking, length)
    });
    println!("{} changes, {} restarts", changes.count, site.life() - 1);
    log.faults.extend(judge::faults(&log.samples));
    let everybody: Vec<_> = guests.iter().chain(changes.plugged()).collect();
    log.faults.extend(final_faults(&mut site, &everybody));
    log.faults
}

/// What was sampled, and what went wrong.
#[derive(Default)]
struct Log {
    samples: Vec<Sample>,
    faults: Vec<String>,
}

/// Makes changes, restarts the daemon, and samples, until the time is over.
fn conduct(site: &mut Site, changes: &mut Changes, asking: &Asking, length: Duration) -> Log {
    let mut log = Log::default();
    let mut pauses = Random::new(0);
    println!("{HEADING}");
    let start = Instant::now();
    while start.elapsed() < length {
        log.faults.extend(changes.next(site));
        site.listen();
        let due = |parts: u32, of: Duration| of.mul_f64(f64::from(parts) / f64::from(RESTARTS));
        if site.life() <= RESTARTS && start.elapsed() > due(site.life(), length / 3) {
            site.restart(if site.life().is_multiple_of(2) { Signal::SIGKILL } else { Signal::SIGTERM });
        }
        if start.elapsed() > length.mul_f64(log.samples.len() as f64 / f64::from(SAMPLES)) {
            sample(site, asking.take(), start.elapsed(), &mut log);
        }
        thread::sleep(Duration::from_millis(pauses.below(PAUSE)));
    }
    log
}

const HEADING: &str = "time, s  life  memory, kB   peak  descriptors  threads  replies  median, µs    99 %, µs     lost  \
                       leases  median, ms    99 %, ms  retries    flood";

/// Looks at the daemon, and at what guests have seen of it.
fn sample(site: &Site, mut seen: Seen, time: Duration, log: &mut Log) {
    let status = |name| status(site.pid(), name);
    let descriptors = fs::read_dir(format!("/proc/{}/fd", site.pid())).unwrap().count() as u64;
    let sample = Sample {
        life: site.life(),
        memory: status("VmRSS"),
        peak: status("VmHWM"),
        descriptors,
        threads: status("Threads"),
        lease: quantile(&mut seen.leases, 0.5),
    };
    println!("{}", line(time, &sample, &mut seen));
    if seen.failed > 0 {
        log.faults.push(format!("the quiet guest had no lease for {:?}, {} times", asking::PATIENCE, seen.failed));
    }
    log.samples.push(sample);
}

fn line(time: Duration, sample: &Sample, seen: &mut Seen) -> String {
    let Sample { life, memory, peak, descriptors, threads, .. } = sample;
    let mut micros = |share| quantile(&mut seen.latencies, share).map_or(f64::NAN, |nanos| f64::from(nanos) / 1e3);
    let replies = [micros(0.5), micros(0.99)];
    let mut millis = |share| quantile(&mut seen.leases, share).map_or(f64::NAN, |lease| lease.as_secs_f64() * 1e3);
    let leases = [millis(0.5), millis(0.99)];
    format!(
        "{:7.1}  {life:4}  {memory:10}  {peak:5}  {descriptors:11}  {threads:7}  {:7}  {:10.1}  {:10.1}  {:7}  \
         {:6}  {:10.2}  {:10.2}  {:7}  {:7}",
        time.as_secs_f64(),
        seen.latencies.len(),
        replies[0],
        replies[1],
        seen.lost,
        seen.leases.len(),
        leases[0],
        leases[1],
        seen.retries,
        seen.flooded,
    )
}

/// What is wrong when nothing happens any more; then again with a daemon that has just been started.
fn final_faults(site: &mut Site, everybody: &[&Guest]) -> Vec<String> {
    let mut faults = faults_at_rest(site, everybody);
    site.restart(Signal::SIGTERM);
    faults.extend(faults_at_rest(site, everybody).into_iter().map(|fault| format!("after a restart: {fault}")));
    if !site.end(Signal::SIGTERM) {
        faults.push("the daemon ended badly".to_owned());
    }
    faults
}

fn faults_at_rest(site: &mut Site, everybody: &[&Guest]) -> Vec<String> {
    let mut faults = at_last(|| site.table_faults());
    faults.extend(at_last(|| waiting(site)));
    faults.extend(everybody.iter().filter(|guest| is_served(site, guest)).flat_map(|guest| silence(guest)));
    site.listen();
    faults
}

/// What is wrong still, when there was time enough for it to become right.
fn at_last(faults: impl Fn() -> Vec<String>) -> Vec<String> {
    let start = Instant::now();
    loop {
        let found = faults();
        if found.is_empty() || start.elapsed() > PATIENCE {
            return found;
        }
        thread::sleep(GLANCE);
    }
}

fn waiting(site: &Site) -> Vec<String> {
    let waiting = site.waiting_packets();
    if waiting == 0 { Vec::new() } else { vec![format!("{waiting} packets have no verdict")] }
}

/// Whether a guest has to be answered, by the files alone.
fn is_served(site: &Site, guest: &Guest) -> bool {
    site.taps().get(&guest.tap).is_some_and(|tap| tap.hostname.is_some())
}

/// The kinds of packets that a guest has no answer to.
fn silence(guest: &Guest) -> Vec<String> {
    let mut port = Port::open(guest);
    let mut is_answered = |kind| {
        let start = Instant::now();
        let order = Order { kind, outstanding: 1, time: GLANCE };
        while load::run(&mut port, guest, order).latencies.is_empty() {
            if start.elapsed() > PATIENCE {
                return false;
            }
        }
        true
    };
    let silent = Kind::ALL.into_iter().filter(|kind| !is_answered(*kind));
    silent.map(|kind| format!("{} has no answer to {}", guest.tap, kind.title())).collect()
}
