//! How times, texts and outcomes are shown.

use crate::control::{Delegated, State, Tap};
use crate::engine::Reason;
use crate::text::Visible;

/// A span in its largest unit, rounded down.
pub(super) fn span(seconds: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "d"), (3_600, "h"), (60, "min")];
    match UNITS.into_iter().find(|(size, _)| seconds >= *size) {
        Some((size, name)) => format!("{} {name}", seconds / size),
        None => format!("{seconds} s"),
    }
}

/// Text that a terminal can show.
pub(super) fn visible(text: &str) -> String {
    Visible(text).to_string()
}

/// The same, cut to `width` characters.
pub(super) fn cut(text: &str, width: usize) -> String {
    let text = visible(text);
    if text.chars().count() <= width {
        return text;
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// What an outcome means, where this version knows it.
pub(super) fn meaning(outcome: &str) -> Option<&'static str> {
    Reason::ALL.iter().find(|reason| reason.name() == outcome).map(|reason| reason.description())
}

/// A delegated prefix: the route that the node needs, as far as it is known.
pub(super) fn delegation(delegated: &Delegated) -> String {
    match &delegated.route {
        Some(route) => visible(route),
        None => format!("{}, not asked for yet", delegated.prefix),
    }
}

/// Why the file is not in force, and what is in its place.
pub(super) fn rejection(tap: &Tap) -> Option<String> {
    let instead = if tap.state == State::Rejected { "" } else { "; the last good one is still in force" };
    tap.rejected.as_ref().map(|reason| format!("{}{instead}", visible(reason)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_one_unit() {
        for (seconds, expected) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_599, "59 min"),
            (3_600, "1 h"),
            (86_399, "23 h"),
            (86_400, "1 d"),
            (u64::MAX, "213503982334601 d"),
        ] {
            assert_eq!(span(seconds), expected);
        }
    }

    #[test]
    fn long_text_is_cut_to_its_width() {
        for (text, expected) in
            [("guest1", "guest1"), ("guest12", "guest12"), ("guest123", "guest1…"), ("\u{1b}[2J", "\\u{1b}…")]
        {
            assert_eq!(cut(text, 7), expected);
        }
    }
}
