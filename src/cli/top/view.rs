//! What the screen is to show: the last look, how it is sorted, where it begins.

use std::cmp::Ordering;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::rates::{Rate, Rates, Sample};
use crate::control::Tap;

/// How many taps a page key passes over.
const PAGE: usize = 10;

/// What a key asks for that the view cannot do itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// Nothing more than to show what there is now.
    Stay,
    /// To end.
    End,
}

/// What taps are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// The most packets in the last moment first, then the most at all.
    Rate,
    /// The most that were refused first, now and then at all.
    Refused,
    /// The last that was heard of first.
    Last,
    /// By name.
    Name,
}

impl Sort {
    const ALL: [Self; 4] = [Self::Rate, Self::Refused, Self::Last, Self::Name];

    /// What it is called on the screen.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Refused => "refused",
            Self::Last => "last",
            Self::Name => "name",
        }
    }

    fn next(self) -> Self {
        Self::ALL.into_iter().cycle().skip_while(|sort| *sort != self).nth(1).unwrap_or(self)
    }

    fn compare(self, (a, ra): (&Tap, Rate), (b, rb): (&Tap, Rate)) -> Ordering {
        let total = |tap: &Tap| tap.packets.answered + tap.packets.refused + tap.packets.accepted;
        let silence = |tap: &Tap| tap.packets.last.as_ref().map_or(u64::MAX, |last| last.seconds_ago);
        let order = match self {
            Self::Rate => rb.sum().total_cmp(&ra.sum()).then(total(b).cmp(&total(a))),
            Self::Refused => rb.refused.total_cmp(&ra.refused).then(b.packets.refused.cmp(&a.packets.refused)),
            Self::Last => silence(a).cmp(&silence(b)),
            Self::Name => Ordering::Equal,
        };
        order.then_with(|| a.tap.cmp(&b.tap))
    }
}

/// What the screen is to show.
#[derive(Debug)]
pub(super) struct View {
    sample: Sample,
    rates: Rates,
    /// Why there is nothing newer.
    pub(super) trouble: Option<String>,
    /// What taps are sorted by.
    pub(super) sort: Sort,
    /// Whether the first are the last.
    pub(super) is_reversed: bool,
    /// Whether the picture is held.
    pub(super) is_held: bool,
    /// How many taps are passed over.
    pub(super) offset: usize,
    /// For how many taps the screen had room; at least one.
    room: usize,
}

impl View {
    /// The first look.
    pub(super) fn new(sample: Sample) -> Self {
        let rates = Rates::new(None, &sample);
        Self { sample, rates, trouble: None, sort: Sort::Rate, is_reversed: false, is_held: false, offset: 0, room: 1 }
    }

    /// Takes the next look, or why there is none.
    pub(super) fn take(&mut self, sample: Result<Sample, String>) {
        match sample {
            Ok(_) if self.is_held => {}
            Ok(sample) => {
                self.rates = Rates::new(Some(&self.sample), &sample);
                self.sample = sample;
                self.trouble = None;
            }
            Err(trouble) => self.trouble = Some(trouble),
        }
    }

    /// Tells for how many taps the screen has room, and takes the offset back to where the last of them is at its end.
    pub(super) fn fit(&mut self, room: usize) {
        self.room = room.max(1);
        self.offset = self.offset.min(self.sample.taps.len().saturating_sub(self.room));
    }

    /// The last look.
    pub(super) fn sample(&self) -> &Sample {
        &self.sample
    }

    /// What happens in a second.
    pub(super) fn rates(&self) -> &Rates {
        &self.rates
    }

    /// All taps, sorted.
    pub(super) fn taps(&self) -> Vec<(&Tap, Rate)> {
        let mut taps: Vec<(&Tap, Rate)> = self.sample.taps.iter().zip(self.rates.taps.iter().copied()).collect();
        taps.sort_by(|a, b| self.sort.compare(*a, *b));
        if self.is_reversed {
            taps.reverse();
        }
        taps
    }

    /// Does what a key says.
    pub(super) fn press(&mut self, key: KeyEvent) -> Wish {
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('q') | KeyCode::Esc => return Wish::End,
            KeyCode::Char('c') if is_control => return Wish::End,
            KeyCode::Char('s') => self.sort = self.sort.next(),
            KeyCode::Char('r') => self.is_reversed = !self.is_reversed,
            KeyCode::Char(' ') => self.is_held = !self.is_held,
            KeyCode::Down => self.offset += 1,
            KeyCode::Up => self.offset = self.offset.saturating_sub(1),
            KeyCode::PageDown => self.offset += PAGE,
            KeyCode::PageUp => self.offset = self.offset.saturating_sub(PAGE),
            KeyCode::Home => self.offset = 0,
            KeyCode::End => self.offset = usize::MAX,
            _ => {}
        }
        // Not only when it is drawn: there may be more keys before that.
        self.fit(self.room);
        Wish::Stay
    }
}
