//! The screen: a line for the daemon, one for all packets, the taps, the outcomes, the keys. Made for 80 columns.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Cell, Paragraph, Row, Table};

use super::rates::{Rate, Tally};
use super::view::View;
use crate::cli::words::{cut, meaning, span};
use crate::control::{State, Tap};

/// How many outcomes are shown, of those that happened.
const OUTCOMES: u16 = 7;
/// The columns of taps that are as wide as this whatever the screen is; the name's, the host name's and the last outcome's are not.
const STATE: u16 = 9;
const RATE: u16 = 7;
const AGO: u16 = 6;
const GAPS: u16 = 7;
/// The longest name that an interface can have, in characters (linux/if.h).
const LONGEST_TAP: u16 = 15;
/// The column of an outcome's name.
const OUTCOME: u16 = 29;

/// Draws all of it, and has the view fit the screen.
pub(super) fn draw(frame: &mut Frame<'_>, view: &mut View) {
    let outcomes = u16::try_from(view.rates().outcomes.len()).unwrap_or(OUTCOMES).min(OUTCOMES);
    let parts =
        [2, 0, outcomes + 2, 1].map(|lines| if lines == 0 { Constraint::Min(3) } else { Constraint::Length(lines) });
    let [head, taps, below, foot] = Layout::vertical(parts).areas(frame.area());
    // The heading takes a line, and no line is blank while there are taps for it.
    view.fit(usize::from(taps.height.saturating_sub(1)));
    frame.render_widget(Paragraph::new(heading(view)), head);
    frame.render_widget(tap_table(view, taps), taps);
    frame.render_widget(outcome_table(&view.rates().outcomes, below), below);
    frame.render_widget(Paragraph::new(footing(view)).style(Style::new().add_modifier(Modifier::REVERSED)), foot);
}

/// The daemon, its taps, and all packets.
fn heading(view: &View) -> Vec<Line<'static>> {
    let node = &view.sample().node;
    let count = |state| view.sample().taps.iter().filter(|tap| tap.state == state).count();
    let (serving, pending, rejected) = (count(State::Serving), count(State::Pending), count(State::Rejected));
    let Rate { answered, refused, accepted } = all(&view.rates().taps);
    vec![
        Line::from(format!(
            "nfdhcpd {}, up {}: {serving} serving, {pending} pending, {rejected} rejected",
            cut(&node.version, 16),
            span(node.uptime_seconds),
        )),
        Line::from(format!(
            "packets/s of these taps: {} answered, {} refused, {} passed on",
            shown(answered),
            shown(refused),
            shown(accepted)
        )),
    ]
}

fn all(rates: &[Rate]) -> Rate {
    rates.iter().fold(Rate::default(), |sum, rate| Rate {
        answered: sum.answered + rate.answered,
        refused: sum.refused + rate.refused,
        accepted: sum.accepted + rate.accepted,
    })
}

fn tap_table(view: &View, area: Rect) -> Table<'static> {
    let taps = view.taps();
    let name = taps.iter().map(|(tap, _)| tap.tap.chars().count()).max().unwrap_or_default();
    let name = u16::try_from(name).unwrap_or(LONGEST_TAP).clamp(3, LONGEST_TAP);
    // Two of five parts for the guest's name, three for what it last got.
    let rest = area.width.saturating_sub(name + STATE + 3 * RATE + AGO + GAPS);
    let (host, last) = (rest * 2 / 5, rest - rest * 2 / 5);
    let rows =
        taps.iter().skip(view.offset).take(area.height.into()).map(|(tap, rate)| tap_row(tap, *rate, host, last));
    Table::new(rows, [name, STATE, host, RATE, RATE, RATE, last, AGO].map(Constraint::Length))
        .column_spacing(1)
        .header(head(["TAP", "STATE", "HOSTNAME", "  ANS/s", "  REF/s", " PASS/s", "LAST", "   AGO"]))
}

fn tap_row(tap: &Tap, rate: Rate, host: u16, last: u16) -> Row<'static> {
    let hostname = tap.binding.as_ref().map(|binding| cut(&binding.hostname, host.into())).unwrap_or_default();
    let (outcome, ago) = match &tap.packets.last {
        Some(last_packet) => (cut(&last_packet.outcome, last.into()), span(last_packet.seconds_ago)),
        None => ("-".to_owned(), String::new()),
    };
    let is_old = tap.rejected.is_some() && tap.state != State::Rejected;
    let cells = [
        cut(&tap.tap, LONGEST_TAP.into()),
        format!("{}{}", tap.state, if is_old { "!" } else { "" }),
        hostname,
        right(&shown(rate.answered), RATE),
        right(&shown(rate.refused), RATE),
        right(&shown(rate.accepted), RATE),
        outcome,
        right(&ago, AGO),
    ];
    Row::new(cells.map(Cell::from)).style(style(tap, rate))
}

/// Trouble stands out.
fn style(tap: &Tap, rate: Rate) -> Style {
    match tap.state {
        _ if tap.rejected.is_some() => Style::new().fg(Color::Red),
        State::Pending => Style::new().fg(Color::DarkGray),
        _ if rate.refused > 0.0 => Style::new().fg(Color::Yellow),
        _ => Style::new(),
    }
}

fn outcome_table(outcomes: &[Tally], area: Rect) -> Table<'static> {
    let meaning_width = area.width.saturating_sub(OUTCOME + RATE + 11 + 3);
    let rows = outcomes.iter().take(OUTCOMES.into()).map(|tally| {
        Row::new([
            cut(&tally.outcome, OUTCOME.into()),
            right(&shown(tally.rate), RATE),
            right(&tally.count.to_string(), 11),
            cut(meaning(&tally.outcome).unwrap_or_default(), meaning_width.into()),
        ])
    });
    Table::new(rows, [OUTCOME, RATE, 11, meaning_width].map(Constraint::Length))
        .column_spacing(1)
        .header(head(["OUTCOME", "     /s", "      TOTAL", "MEANING"]).top_margin(1))
}

fn head<const N: usize>(names: [&'static str; N]) -> Row<'static> {
    Row::new(names).style(Style::new().add_modifier(Modifier::BOLD))
}

/// What is wrong, or else what keys do.
fn footing(view: &View) -> Line<'static> {
    if let Some(trouble) = &view.trouble {
        return Line::from(format!("no news: {trouble}")).style(Style::new().fg(Color::Red));
    }
    let held = if view.is_held { "HELD  " } else { "" };
    let reversed = if view.is_reversed { ", reversed" } else { "" };
    Line::from(format!("{held}q quit  s sort ({}{reversed})  r reverse  space hold  arrows move", view.sort.name()))
}

/// A rate in few characters.
fn shown(rate: f64) -> String {
    match rate {
        0.0 => "0".to_owned(),
        rate if rate < 99.95 => format!("{rate:.1}"),
        rate if rate < 999_999.5 => format!("{rate:.0}"),
        rate => format!("{:.0}k", rate / 1_000.0),
    }
}

fn right(text: &str, width: u16) -> String {
    format!("{text:>width$}", width = width.into())
}
