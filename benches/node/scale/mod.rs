//! The daemon with few bindings and with many: what grows with their number, and what must not.

mod advertisements;
mod change;
mod crowd;
mod site;

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::packet::Kind;
use crate::table::Table;
use crate::tally::Tally;
use crate::usage::{descriptors, peak_memory, resident_memory};
use crate::{cpus, inside};
use site::{Site, Wanted};

/// How many taps there are at most: to make one for each of ten thousand bindings takes longer than all the rest. A binding
/// without its tap costs the daemon as much but for what it would send.
const MOST_TAPS: u16 = 4_000;

/// How long a crowd asks before it counts.
const WARM_UP: Duration = Duration::from_millis(200);

/// How long nothing happens when all is settled.
const SETTLED: Duration = Duration::from_secs(3);

/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the guests of a crowd ask for.
const KIND: Kind = Kind::Dhcpv4;

/// Arguments of `node scale`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Numbers of bindings
    #[arg(long, value_name = "NUMBER", value_delimiter = ',', default_values_t = [1, 100, 1_000, 10_000])]
    bindings: Vec<u16>,
    /// Seconds of load for each number
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Seconds without anything to do for each number
    #[arg(long, default_value_t = 20)]
    idle: u64,
    /// How often a binding changes while guests ask
    #[arg(long, default_value_t = 300)]
    changes: u32,
    /// Taps that hear advertisements; 0 for none of that
    #[arg(long, default_value_t = MOST_TAPS)]
    taps: u16,
    /// Print tables in Markdown, as in docs/performance.md
    #[arg(long)]
    markdown: bool,
}

/// Measures, and prints a table for bindings and one for advertisements.
pub(crate) fn run(arguments: &Arguments) {
    inside::enter();
    cpus::leave_last();
    let mut table = Table::new(&[
        "bindings",
        "taps",
        "ready, ms",
        "memory when ready, MB",
        "peak memory, MB",
        "descriptors",
        "replies/s",
        "median, µs",
        "99 %, µs",
        "change: median, ms",
        "change: 99 %, ms",
        "wake-ups when idle",
    ]);
    for bindings in &arguments.bindings {
        eprintln!("{bindings} bindings");
        table.push(row(arguments, *bindings));
    }
    println!("{}", table.titled(&format!("Bindings ({} s of idleness)", arguments.idle), arguments.markdown));
    if arguments.taps > 0 {
        eprintln!("advertisements to {} taps", arguments.taps);
        let table = advertisements::table(arguments.taps, Duration::from_secs_f64(arguments.seconds));
        println!("{}", table.titled("Advertisements", arguments.markdown));
    }
}

/// Measures with so many bindings.
fn row(arguments: &Arguments, bindings: u16) -> Vec<String> {
    let wanted = Wanted { bindings, taps: bindings.min(MOST_TAPS), ra_period: None };
    let mut site = Site::new(wanted);
    let wake_ups = idle_wake_ups(&site, Duration::from_secs(arguments.idle));
    let (process, ready) = site.start();
    let pid = process.pid();
    let memory = resident_memory(pid);
    site.crowd.load(WARM_UP);
    let mut tally = site.crowd.load(Duration::from_secs_f64(arguments.seconds));
    let descriptors = descriptors(pid);
    let mut changes = change::under_load(&mut site, arguments.changes);
    let peak = peak_memory(pid);
    vec![
        bindings.to_string(),
        wanted.taps.to_string(),
        millis(ready),
        megabytes(memory),
        megabytes(peak),
        descriptors.to_string(),
        format!("{:.0}", tally.rate()),
        micros(&mut tally, 0.5),
        micros(&mut tally, 0.99),
        quantile_millis(&mut changes, 0.5),
        quantile_millis(&mut changes, 0.99),
        wake_ups.to_string(),
    ]
}

/// How often a daemon without advertisements wakes up when nobody wants anything of it.
fn idle_wake_ups(site: &Site, time: Duration) -> u64 {
    let text = fs::read_to_string(&site.config).unwrap();
    fs::write(&site.config, text.replace("enable_ipv6 = yes", "enable_ipv6 = no")).unwrap();
    let (process, _) = site.start();
    fs::write(&site.config, text).unwrap();
    let during = |time| {
        let before = process.wake_ups();
        thread::sleep(time);
        process.wake_ups() - before
    };
    // The kernel tells of new links for some seconds.
    let start = Instant::now();
    while during(SETTLED) > 0 {
        assert!(start.elapsed() < PATIENCE, "a daemon with nothing to do is not quiet after {PATIENCE:?}");
    }
    during(time)
}

fn millis(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e3)
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1e6)
}

fn micros(tally: &mut Tally, share: f64) -> String {
    tally.quantile(share).map_or_else(String::new, |time| format!("{:.1}", time.as_secs_f64() * 1e6))
}

fn quantile_millis(times: &mut Tally, share: f64) -> String {
    times.quantile(share).map_or_else(String::new, millis)
}
