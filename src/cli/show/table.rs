//! All taps: two lines for each, and more where there is more to say.

use std::fmt;

use crate::cli::words::{cut, delegation, meaning, rejection, span};
use crate::control::{Binding, Node, Packets, State, Tap};
use crate::text::Visible;

/// All taps.
pub(super) struct Table<'a>(pub(super) &'a [Tap]);

/// The columns; what belongs to a second line of a tap stands behind the `/`.
const HEAD: [&str; COLUMNS] =
    ["TAP", "STATE", "MAC / HOSTNAME", "IPV4 / IPV6", "ANSWERED", "REFUSED", "ACCEPTED", "LAST"];
const COLUMNS: usize = 8;
/// The columns of numbers, which stand to the right.
const NUMBERS: std::ops::Range<usize> = 4..7;
/// What a line that is no row begins with.
const MARGIN: &str = "        ";
/// How much of a name is shown, in characters.
const LONGEST_NAME: usize = 32;

type Row = [String; COLUMNS];

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "no bindings");
        }
        let head = HEAD.map(str::to_owned);
        let taps: Vec<[Row; 2]> = self.0.iter().map(rows).collect();
        let widths = widths(taps.iter().flatten().chain([&head]));
        write_row(f, &head, &widths)?;
        for (tap, rows) in self.0.iter().zip(&taps) {
            rows.iter().filter(|row| !is_empty(row)).try_for_each(|row| write_row(f, row, &widths))?;
            if let Some(delegated) = tap.binding.as_ref().and_then(|binding| binding.delegated.as_ref()) {
                writeln!(f, "{MARGIN}delegated {}", delegation(delegated))?;
            }
            if let Some(reason) = rejection(tap) {
                writeln!(f, "{MARGIN}! {reason}")?;
            }
        }
        Ok(())
    }
}

fn is_empty(row: &Row) -> bool {
    row.iter().all(String::is_empty)
}

/// The two lines of a tap.
fn rows(tap: &Tap) -> [Row; 2] {
    let Packets { answered, refused, accepted, .. } = tap.packets;
    let binding = tap.binding.as_ref();
    let text = |part: fn(&Binding) -> String| binding.map(part).unwrap_or_default();
    let (outcome, ago) = last(&tap.packets);
    let numbers = [answered, refused, accepted].map(|number| number.to_string());
    let [answered, refused, accepted] = numbers;
    let none = String::new;
    [
        [
            cut(&tap.tap, LONGEST_NAME),
            state(tap),
            text(|binding| cut(&binding.mac, LONGEST_NAME)),
            text(ipv4),
            answered,
            refused,
            accepted,
            outcome,
        ],
        [none(), none(), text(|binding| cut(&binding.hostname, LONGEST_NAME)), text(ipv6), none(), none(), none(), ago],
    ]
}

fn state(tap: &Tap) -> String {
    let is_old = tap.rejected.is_some() && tap.state != State::Rejected;
    format!("{}{}", tap.state, if is_old { "!" } else { "" })
}

fn ipv4(binding: &Binding) -> String {
    binding.ipv4.as_ref().map(|ipv4| ipv4.address.to_string()).unwrap_or_default()
}

/// The address, where one is known; else the first prefix.
fn ipv6(binding: &Binding) -> String {
    let Some(ipv6) = &binding.ipv6 else { return String::new() };
    let prefix = || ipv6.subnets.first().map(ToString::to_string);
    ipv6.leased.map(|address| address.to_string()).or_else(prefix).unwrap_or_default()
}

fn last(packets: &Packets) -> (String, String) {
    match &packets.last {
        Some(last) => (cut(&last.outcome, LONGEST_NAME), format!("{} ago", span(last.seconds_ago))),
        None => ("-".to_owned(), String::new()),
    }
}

/// The width of each column, in characters.
fn widths<'a>(rows: impl Iterator<Item = &'a Row>) -> [usize; COLUMNS] {
    let mut widths = [0; COLUMNS];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    widths
}

fn write_row(f: &mut fmt::Formatter<'_>, row: &Row, widths: &[usize; COLUMNS]) -> fmt::Result {
    let cells = row.iter().zip(widths).enumerate();
    let cells = cells.map(|(column, (cell, &width))| match NUMBERS.contains(&column) {
        true => format!("{cell:>width$}"),
        false => format!("{cell:width$}"),
    });
    let line = cells.collect::<Vec<_>>().join("  ");
    writeln!(f, "{}", line.trim_end())
}

/// How many taps there are, and what became of all packets.
pub(super) struct Totals<'a>(pub(super) &'a [Tap], pub(super) &'a Node);

impl fmt::Display for Totals<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(taps, node) = self;
        let count = |state| taps.iter().filter(|tap| tap.state == state).count();
        writeln!(
            f,
            "nfdhcpd {}, running for {}: {} serving, {} pending, {} rejected",
            cut(&node.version, LONGEST_NAME),
            span(node.uptime_seconds),
            count(State::Serving),
            count(State::Pending),
            count(State::Rejected)
        )?;
        if let Some(gone) = &node.datapath_gone {
            writeln!(f, "! the directory of bindings is gone: {}", Visible(gone))?;
        }
        for (outcome, count) in node.counters.iter().filter(|(_, count)| **count > 0) {
            let (outcome, meaning) = (cut(outcome, LONGEST_NAME), meaning(outcome).unwrap_or_default());
            writeln!(f, "{}", format!("{count:>12}  {outcome:LONGEST_NAME$}  {meaning}").trim_end())?;
        }
        Ok(())
    }
}
