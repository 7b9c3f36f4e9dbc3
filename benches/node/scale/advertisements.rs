//! Periodic advertisements to thousands of taps: how many at once, and what they cost a guest that asks.

use std::collections::BTreeSet;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::site::{Site, Wanted};
use super::{KIND, micros};
use crate::lab::soon;
use crate::load::{self, Order};
use crate::over::Over;
use crate::port::Port;
use crate::table::Table;

/// The least `ra_period`, in seconds. As many taps as are advertised to in a second would be ten thousand with a
/// `ra_period` of some more.
const OFTEN: u32 = 4;
/// The longest one: none falls into the time of a measurement.
const SELDOM: u32 = 1_800;

/// In which time the most advertisements are looked for.
const WINDOW: Duration = Duration::from_millis(10);

/// How long there are none when all have been told.
const QUIET: Duration = Duration::from_secs(1);

/// Measures with advertisements and without.
pub(super) fn table(taps: u16, time: Duration) -> Table {
    let mut site = Site::new(Wanted { bindings: taps, taps, ra_period: Some(OFTEN) });
    let (process, _) = site.start();
    await_each(&mut site.crowd.port, taps);
    let often = row(&mut site, taps, OFTEN, time);
    let text = fs::read_to_string(&site.config).unwrap();
    fs::write(&site.config, text.replace(&period(OFTEN), &period(SELDOM))).unwrap();
    kill(Pid::from_raw(process.pid().cast_signed()), Signal::SIGHUP).unwrap();
    await_quiet(&mut site.crowd.port);
    let seldom = row(&mut site, taps, SELDOM, time);
    let mut table = Table::new(&[
        "taps",
        "ra_period, s",
        "advertisements/s",
        "most in 10 ms",
        "answers/s, one under way",
        "median, µs",
        "99 %, µs",
    ]);
    table.push(often);
    table.push(seldom);
    table
}

fn period(seconds: u32) -> String {
    format!("ra_period = {seconds}\n")
}

/// Has the lone guest ask for so long, and counts what arrives at the others.
fn row(site: &mut Site, taps: u16, period: u32, time: Duration) -> Vec<String> {
    let Site { crowd, guest, port, .. } = site;
    let over = Over::default();
    let (mut tally, arrivals) = thread::scope(|scope| {
        let end = over.when_dropped();
        let arrivals = scope.spawn(|| arrivals(&mut crowd.port, &over));
        let tally = load::run(port, guest, Order { kind: KIND, outstanding: 1, time });
        drop(end);
        (tally, arrivals.join().unwrap())
    });
    vec![
        taps.to_string(),
        period.to_string(),
        format!("{:.0}", arrivals.len() as f64 / time.as_secs_f64()),
        most_within(&arrivals, WINDOW).to_string(),
        format!("{:.0}", tally.rate()),
        micros(&mut tally, 0.5),
        micros(&mut tally, 0.99),
    ]
}

/// When advertisements arrive, by the kernel's clock, in their order.
fn arrivals(port: &mut Port, over: &Over) -> Vec<Duration> {
    port.receive_all(|_, _| {});
    let mut arrivals = Vec::new();
    while over.goes_on() {
        port.wait();
        port.receive_all(|frame, time| arrivals.extend(is_advertisement(frame).then_some(time)));
    }
    arrivals.sort_unstable();
    arrivals
}

/// Waits until each tap has been told once. At first they are told as fast as it can be done, later at their times.
fn await_each(port: &mut Port, taps: u16) {
    let mut told = BTreeSet::new();
    soon("an advertisement from every tap", || {
        port.receive_all(|frame, _| told.extend(is_advertisement(frame).then(|| frame[6..12].to_vec())));
        (told.len() == usize::from(taps)).then_some(())
    });
}

fn await_quiet(port: &mut Port) {
    let mut last = Instant::now();
    soon("an end of advertisements", || {
        port.receive_all(|frame, _| {
            if is_advertisement(frame) {
                last = Instant::now();
            }
        });
        (last.elapsed() >= QUIET).then_some(())
    });
}

/// A Router Advertisement (RFC 4861 §4.2) behind Ethernet and IPv6 without extension headers.
fn is_advertisement(frame: &[u8]) -> bool {
    frame.get(12..14) == Some(&[0x86, 0xdd]) && frame.get(20) == Some(&58) && frame.get(54) == Some(&134)
}

/// The most of these times that lie within so long of each other.
fn most_within(times: &[Duration], window: Duration) -> usize {
    let count = |(at, first): (usize, &Duration)| times[at..].partition_point(|time| *time <= *first + window);
    times.iter().enumerate().map(count).max().unwrap_or_default()
}
