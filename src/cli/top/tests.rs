//! What the screen shows, and what keys do.

use std::collections::BTreeMap;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::rates::{Rates, Sample};
use super::screen::draw;
use super::view::{Sort, View, Wish};
use crate::control::{Binding, Last, Node, Packets, Spoofed, State, Tap};

fn tap(name: &str, answered: u64, refused: u64) -> Tap {
    let binding = Binding {
        mac: "aa:00:00:00:00:01".to_owned(),
        hostname: format!("guest-of-{name}.example.com"),
        indev: name.to_owned(),
        ipv4: None,
        ipv6: None,
        delegated: None,
        settings: BTreeMap::new(),
        unknown: BTreeMap::new(),
    };
    let last = Some(Last { outcome: "dhcpv4_ack".to_owned(), seconds_ago: answered });
    Tap {
        tap: name.to_owned(),
        state: State::Serving,
        ifindex: Some(7),
        rejected: None,
        binding: Some(binding),
        packets: Packets {
            answered,
            refused,
            accepted: 0,
            send_failed: 0,
            last,
            exchanges: Vec::new(),
            spoofed: Spoofed::default(),
        },
    }
}

fn sample(seconds: u64, taps: Vec<Tap>, counters: &[(&str, u64)]) -> Sample {
    let counters = counters.iter().map(|(outcome, count)| ((*outcome).to_owned(), *count)).collect();
    let node = Node { version: "1.2.3".to_owned(), uptime_seconds: 7_000 + seconds, counters, datapath_gone: None };
    Sample { when: Duration::from_secs(seconds), taps, node }
}

/// A node with one guest of each kind, after two looks two seconds apart.
fn view() -> View {
    let rejected = Tap {
        state: State::Rejected,
        binding: None,
        rejected: Some("MAC: required".to_owned()),
        packets: Packets { last: None, ..tap("x", 0, 0).packets },
        ..tap("tap2", 0, 0)
    };
    let pending = Tap { state: State::Pending, ..tap("a-name-15-chars", 3, 0) };
    let first = vec![pending.clone(), tap("tap0", 10, 0), tap("tap1", 5, 100), rejected.clone()];
    let second = vec![pending, tap("tap0", 30, 1), tap("tap1", 5, 3_100), rejected];
    let mut view = View::new(sample(0, first, &[("dhcpv4_ack", 15), ("rate_limited", 100), ("no_fit", 0)]));
    view.take(Ok(sample(2, second, &[("dhcpv4_ack", 35), ("rate_limited", 3_100), ("no_fit", 0)])));
    view
}

fn lines(view: &mut View, width: u16, height: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, view)).unwrap();
    let buffer = terminal.backend().buffer();
    let rows = buffer.content().chunks(width.into());
    rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned()).collect()
}

#[test]
#[rustfmt::skip] // As it is shown.
fn eighty_columns_are_enough() {
    assert_eq!(lines(&mut view(), 80, 14), [
        "nfdhcpd 1.2.3, up 1 h: 2 serving, 1 pending, 1 rejected",
        "packets/s of these taps: 10.0 answered, 1500 refused, 0 passed on",
        "TAP             STATE     HOSTNAME   ANS/s   REF/s  PASS/s LAST              AGO",
        "tap1            serving   guest-o…       0    1500       0 dhcpv4_ack        5 s",
        "tap0            serving   guest-o…    10.0     0.5       0 dhcpv4_ack       30 s",
        "a-name-15-chars pending   guest-o…       0       0       0 dhcpv4_ack        3 s",
        "tap2            rejected                 0       0       0 -",
        "",
        "",
        "",
        "OUTCOME                            /s       TOTAL MEANING",
        "rate_limited                     1500        3100 more packets than `rate_limit…",
        "dhcpv4_ack                       10.0          35 confirmed an address with an …",
        "q quit  s sort (rate)  r reverse  space hold  arrows move",
    ]);
}

/// The first tap that is shown.
fn first(view: &mut View, height: u16) -> String {
    lines(view, 80, height)[3].split(' ').next().unwrap().to_owned()
}

#[test]
fn the_end_fills_the_screen() {
    let mut view = view();
    press(&mut view, KeyCode::End);
    // Heading, outcomes and keys take eight lines.
    assert_eq!([10, 14].map(|height| first(&mut view, height)), ["a-name-15-chars", "tap1"]);
}

#[test]
fn each_key_after_the_end_moves() {
    let mut view = view();
    for (keys, top) in [
        (&[KeyCode::End][..], "a-name-15-chars"),
        (&[KeyCode::Up], "tap0"),
        (&[KeyCode::PageDown, KeyCode::Down], "a-name-15-chars"),
        // Two between two pictures.
        (&[KeyCode::End, KeyCode::Up], "tap0"),
    ] {
        first(&mut view, 10);
        for key in keys {
            press(&mut view, *key);
        }
        assert_eq!(first(&mut view, 10), top, "{keys:?}");
    }
}

#[test]
fn a_larger_screen_and_fewer_taps_take_the_offset_back() {
    let mut view = view();
    press(&mut view, KeyCode::End);
    first(&mut view, 10);
    assert_eq!((first(&mut view, 14), view.offset), ("tap1".to_owned(), 0));
    first(&mut view, 10);
    press(&mut view, KeyCode::End);
    assert_eq!(view.offset, 2);
    let left = vec![tap("tap0", 30, 1), tap("tap1", 5, 3_100), tap("tap2", 0, 0)];
    view.take(Ok(sample(4, left, &[("dhcpv4_ack", 35), ("rate_limited", 3_100)])));
    first(&mut view, 10);
    assert_eq!(view.offset, 1);
}

#[test]
fn no_size_is_too_small() {
    for (width, height) in [(1, 1), (10, 3), (20, 6), (300, 100)] {
        lines(&mut view(), width, height);
    }
}

#[test]
fn a_screen_has_room_for_names_if_it_is_wide() {
    let shown = lines(&mut view(), 140, 14).join("\n");
    assert!(
        shown.contains("guest-of-tap0.example.com") && shown.contains("confirmed an address with an ACK"),
        "{shown}"
    );
}

#[test]
fn rates_are_those_of_the_same_tap_and_the_same_daemon() {
    let old = sample(10, vec![tap("tap0", 10, 0), tap("tap1", 9, 0)], &[("dhcpv4_ack", 4)]);
    let new = sample(14, vec![tap("tap0", 18, 0), tap("tap1", 1, 0), tap("tap9", 7, 0)], &[("dhcpv4_ack", 6)]);
    let rates = Rates::new(Some(&old), &new);
    let answered: Vec<f64> = rates.taps.iter().map(|rate| rate.answered).collect();
    assert_eq!(answered, [2.0, 0.0, 0.0], "counters of tap1 began anew with its file, and tap9 came in between");
    assert_eq!(rates.outcomes.first().unwrap().rate, 0.5);
    let mut restarted = new;
    restarted.node.uptime_seconds = 1;
    assert!(Rates::new(Some(&old), &restarted).taps.iter().all(|rate| rate.sum() == 0.0));
}

fn press(view: &mut View, code: KeyCode) -> Wish {
    view.press(KeyEvent::new(code, KeyModifiers::NONE))
}

fn order(view: &View) -> Vec<&str> {
    view.taps().iter().map(|(tap, _)| tap.tap.as_str()).collect()
}

#[test]
fn keys_sort_and_move() {
    let mut view = view();
    let orders = [
        (Sort::Rate, ["tap1", "tap0", "a-name-15-chars", "tap2"]),
        (Sort::Refused, ["tap1", "tap0", "a-name-15-chars", "tap2"]),
        (Sort::Last, ["a-name-15-chars", "tap1", "tap0", "tap2"]),
        (Sort::Name, ["a-name-15-chars", "tap0", "tap1", "tap2"]),
        (Sort::Rate, ["tap1", "tap0", "a-name-15-chars", "tap2"]),
    ];
    for (sort, expected) in orders {
        assert_eq!((view.sort, order(&view)), (sort, expected.to_vec()));
        press(&mut view, KeyCode::Char('s'));
    }
    press(&mut view, KeyCode::Char('r'));
    assert_eq!(order(&view).first(), Some(&"tap2"));
    for (key, offset) in
        [(KeyCode::Down, 1), (KeyCode::PageDown, 3), (KeyCode::Up, 2), (KeyCode::Home, 0), (KeyCode::End, 3)]
    {
        press(&mut view, key);
        assert_eq!(view.offset, offset, "{key:?}");
    }
    assert_eq!(press(&mut view, KeyCode::Char('q')), Wish::End);
    assert_eq!(press(&mut view, KeyCode::Char('c')), Wish::Stay);
    assert_eq!(view.press(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)), Wish::End);
}

#[test]
fn a_picture_that_is_held_stays_and_trouble_is_told() {
    let mut view = view();
    press(&mut view, KeyCode::Char(' '));
    view.take(Ok(sample(4, vec![], &[])));
    assert_eq!(view.taps().len(), 4);
    press(&mut view, KeyCode::Char(' '));
    view.take(Err("gone".to_owned()));
    assert_eq!((view.taps().len(), lines(&mut view, 80, 9).last().unwrap().as_str()), (4, "no news: gone"));
    view.take(Ok(sample(6, vec![], &[])));
    assert_eq!((view.taps().len(), view.trouble), (0, None));
}
