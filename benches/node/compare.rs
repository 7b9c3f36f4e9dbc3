//! The programs side by side, in rounds: each in turn for a short time, so that what shakes the machine shakes them all.

use std::time::Duration;

use crate::load::Order;
use crate::packet::Kind;
use crate::programs::{self, PROGRAMS, Running};
use crate::table::Table;
use crate::usage::{cpu_time, peak_memory};
use crate::{cpus, inside};

/// Requests under way at a time: as many as keep everybody busy, and one, for the time of a lone exchange.
const OUTSTANDING: [u32; 2] = [64, 1];

/// How long each program is asked before it counts.
const WARM_UP: Duration = Duration::from_millis(100);

/// Arguments of `node compare`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Seconds for each program, kind of packet and number of requests under way
    #[arg(long, default_value_t = 3.5)]
    seconds: f64,
    /// Rounds that these seconds are divided into; the figures are of the median round
    #[arg(long, default_value_t = 9)]
    rounds: u32,
    /// These programs alone; `limit` is what others are compared with
    #[arg(long, value_name = "PROGRAM", value_delimiter = ',', value_parser = programs::names())]
    only: Vec<String>,
    /// These kinds of packets alone
    #[arg(long, value_enum, value_name = "KIND", value_delimiter = ',')]
    kinds: Vec<Kind>,
    /// Print tables in Markdown, as in docs/performance.md
    #[arg(long)]
    markdown: bool,
}

/// Measures, and prints a table for each kind of packet.
pub(crate) fn run(arguments: &Arguments) {
    inside::enter();
    cpus::leave_last();
    let kinds = if arguments.kinds.is_empty() { &Kind::ALL } else { arguments.kinds.as_slice() };
    let mut running = start(arguments, kinds);
    let cells: Vec<_> = kinds.iter().flat_map(|kind| cells(*kind, &running)).collect();
    let figures = measure(arguments, &mut running, cells);
    let versions = programs::versions(running.iter().map(|running| running.program));
    println!("{} processors, {versions}\n", cpus::count());
    for kind in kinds {
        let rows = figures.iter().filter(|figures| figures.cell.kind == *kind);
        let table = table(rows.collect::<Vec<_>>().as_slice());
        println!("{}", table.titled(kind.title(), arguments.markdown));
    }
}

/// Starts what is wanted and can be had.
fn start(arguments: &Arguments, kinds: &[Kind]) -> Vec<Running> {
    let is_wanted = |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == name);
    let mut running = Vec::new();
    for program in PROGRAMS.iter().filter(|program| is_wanted(program.name)) {
        match program.start(kinds) {
            Ok(started) => running.extend(started),
            Err(obstacle) => eprintln!("left out: {}: {obstacle}", program.name),
        }
    }
    running
}

/// What is measured at a time.
#[derive(Debug, Clone, Copy)]
struct Cell {
    /// Which of the processes.
    process: usize,
    kind: Kind,
    outstanding: u32,
}

/// The cells of a kind, those to be compared next to each other.
fn cells(kind: Kind, running: &[Running]) -> Vec<Cell> {
    let cells = |outstanding| {
        let answers = |process: &usize| running[*process].kinds.contains(&kind);
        (0..running.len()).filter(answers).map(move |process| Cell { process, kind, outstanding })
    };
    OUTSTANDING.into_iter().flat_map(cells).collect()
}

/// What came of a cell.
struct Figures {
    cell: Cell,
    program: &'static str,
    rounds: Vec<Round>,
    peak_memory: u64,
}

/// What came of one round.
#[derive(Debug, Clone, Copy)]
struct Round {
    rate: f64,
    median: Duration,
    quantile99: Duration,
    cpu_per_reply: Duration,
    /// The load generator's part of a processor.
    own_share: f64,
    lost: u64,
}

/// Measures all cells in each round.
fn measure(arguments: &Arguments, running: &mut [Running], cells: Vec<Cell>) -> Vec<Figures> {
    let time = Duration::from_secs_f64(arguments.seconds / f64::from(arguments.rounds));
    let mut rounds = vec![Vec::new(); cells.len()];
    for round in 1..=arguments.rounds {
        eprintln!("round {round} of {}", arguments.rounds);
        for (cell, rounds) in cells.iter().zip(&mut rounds) {
            rounds.extend(measure_once(&mut running[cell.process], *cell, time));
        }
    }
    let figures = |(cell, rounds): (Cell, Vec<Round>)| {
        let running = &running[cell.process];
        let peak_memory = peak_memory(running.process.pid());
        Figures { cell, program: running.program.name, rounds, peak_memory }
    };
    cells.into_iter().zip(rounds).map(figures).collect()
}

/// None if there was no answer at all.
fn measure_once(running: &mut Running, cell: Cell, time: Duration) -> Option<Round> {
    let Cell { kind, outstanding, .. } = cell;
    running.load(Order { kind, outstanding, time: WARM_UP.min(time) });
    let pid = running.process.pid();
    let cpu = cpu_time(pid);
    let mut tally = running.load(Order { kind, outstanding, time });
    let cpu = cpu_time(pid) - cpu;
    Some(Round {
        rate: tally.rate(),
        median: tally.quantile(0.5)?,
        quantile99: tally.quantile(0.99)?,
        cpu_per_reply: cpu.div_f64(tally.latencies.len() as f64),
        own_share: tally.own_cpu.as_secs_f64() / tally.time.as_secs_f64(),
        lost: tally.lost,
    })
}

/// The table of a kind.
fn table(figures: &[&Figures]) -> Table {
    let mut table = Table::new(&[
        "under way",
        "program",
        "replies/s",
        "median, µs",
        "99 %, µs",
        "CPU/reply, µs",
        "peak memory, MB",
        "lost",
        "load",
    ]);
    for outstanding in OUTSTANDING {
        let same: Vec<_> = figures.iter().filter(|figures| figures.cell.outstanding == outstanding).collect();
        let limit = same.iter().find(|figures| figures.program == PROGRAMS[0].name);
        for figures in &same {
            table.push(row(figures, limit.map(|limit| **limit)));
        }
    }
    table
}

fn row(figures: &Figures, limit: Option<&Figures>) -> Vec<String> {
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let of_rounds = |digits: usize, value: &dyn Fn(&Round) -> f64| {
        with_ratio(digits, figures.median(value), limit.map(|limit| figures.median_ratio(limit, value)))
    };
    let memory = figures.peak_memory as f64 / 1e6;
    let memory_ratio = limit.map(|limit| memory / (limit.peak_memory as f64 / 1e6));
    vec![
        figures.cell.outstanding.to_string(),
        figures.program.to_owned(),
        of_rounds(0, &|round| round.rate),
        of_rounds(1, &|round| micros(round.median)),
        of_rounds(1, &|round| micros(round.quantile99)),
        of_rounds(2, &|round| micros(round.cpu_per_reply)),
        with_ratio(1, memory, memory_ratio),
        figures.rounds.iter().map(|round| round.lost).sum::<u64>().to_string(),
        format!("{:.0} %", figures.median(&|round| round.own_share) * 100.0),
    ]
}

/// A value, and in parentheses its ratio to the limit's.
pub(crate) fn with_ratio(digits: usize, value: f64, ratio: Option<f64>) -> String {
    let value = grouped(&format!("{value:.digits$}"));
    ratio.map_or_else(|| value.clone(), |ratio| format!("{value} ({ratio:.2})"))
}

/// A number with a comma before each three digits of its whole part.
fn grouped(number: &str) -> String {
    let whole = number.find('.').unwrap_or(number.len());
    let mut text = String::new();
    for (at, digit) in number.char_indices() {
        if at > 0 && at < whole && (whole - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl Figures {
    /// The median round's value.
    fn median(&self, value: &dyn Fn(&Round) -> f64) -> f64 {
        median(self.rounds.iter().map(value).collect())
    }

    /// The median of the ratios to what the limit had in the same round.
    fn median_ratio(&self, limit: &Self, value: &dyn Fn(&Round) -> f64) -> f64 {
        median(self.rounds.iter().zip(&limit.rounds).map(|(ours, limit)| value(ours) / value(limit)).collect())
    }
}

/// The median.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
