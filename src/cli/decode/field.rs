//! What a message says, one thing after the other, and how that fits a terminal.

use std::fmt::{self, Write as _};

use serde::Serialize;

use crate::text::Visible;

/// How wide a terminal is at least, in characters.
pub(in crate::cli) const WIDTH: usize = 80;
/// How wide the names of fields are.
const NAMES: usize = 26;
/// How much further in stands what is inside of another field.
const STEP: usize = 2;

/// Reads the data of an option; None if they are not what they should be.
pub(super) type Read = fn(&[u8]) -> Option<String>;

/// One thing that a message says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::cli) struct Field {
    /// The number of the option, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) code: Option<u16>,
    /// What it is called.
    pub(in crate::cli) name: &'static str,
    /// What it says; printable characters alone.
    pub(in crate::cli) value: String,
    /// What is inside of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::cli) inside: Vec<Field>,
}

impl Field {
    /// A field of a header.
    pub(super) fn new(name: &'static str, value: impl ToString) -> Self {
        Self { code: None, name, value: Visible(&value.to_string()).to_string(), inside: Vec::new() }
    }

    /// An option.
    pub(super) fn option(code: impl Into<u16>, name: &'static str, value: impl ToString) -> Self {
        Self { code: Some(code.into()), ..Self::new(name, value) }
    }

    /// The same with other fields inside.
    pub(super) fn with(self, inside: Vec<Self>) -> Self {
        Self { inside, ..self }
    }
}

/// Fields as lines, so many characters from the left.
pub(in crate::cli) struct Fields<'a>(pub(in crate::cli) &'a [Field], pub(in crate::cli) usize);

impl fmt::Display for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(fields, margin) = *self;
        fields.iter().try_for_each(|field| {
            write_field(f, field, margin)?;
            Fields(&field.inside, margin + STEP).fmt(f)
        })
    }
}

fn write_field(f: &mut fmt::Formatter<'_>, field: &Field, margin: usize) -> fmt::Result {
    let code = field.code.map(|code| code.to_string()).unwrap_or_default();
    let mut head = format!("{:margin$}{code:>3} {}", "", field.name);
    // All values begin below each other, however far in their names stand.
    let width = NAMES + 3 * STEP;
    while head.chars().count() < width {
        head.push(' ');
    }
    let parts = wrapped(&field.value, WIDTH.saturating_sub(width + 1));
    let mut heads = std::iter::once(head).chain(std::iter::repeat_with(|| " ".repeat(width)));
    parts.iter().try_for_each(|part| {
        let line = format!("{} {part}", heads.next().unwrap_or_default());
        writeln!(f, "{}", line.trim_end())
    })
}

/// Text in lines of at most `width` characters, broken at spaces where there are any. At least one line.
pub(in crate::cli) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ').flat_map(|word| pieces(word, width)) {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(&word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            // Writing into a String cannot fail.
            let _ = write!(line, " {word}");
        } else {
            lines.push(word);
        }
    }
    lines
}

/// A word that fits no line, in several.
fn pieces(word: &str, width: usize) -> Vec<String> {
    let characters: Vec<char> = word.chars().collect();
    characters.chunks(width.max(1)).map(|piece| piece.iter().collect()).collect()
}

/// Bytes that mean nothing to us: as text if they are, else by their numbers.
pub(super) fn bytes(data: &[u8]) -> String {
    let is_text = !data.is_empty() && data.iter().all(|byte| *byte == b' ' || byte.is_ascii_graphic());
    match std::str::from_utf8(data) {
        Ok(text) if is_text => format!("\"{text}\""),
        _ => data.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" "),
    }
}

/// Seconds, and what that is for people.
pub(super) fn seconds(seconds: u32) -> String {
    if seconds == u32::MAX { "for ever".to_owned() } else { format!("{seconds} s") }
}

/// Several values in one line.
pub(super) fn list<T: ToString>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_spaces_and_no_wider_than_they_may_be() {
        for (text, expected) in [
            ("", &[""][..]),
            ("one two", &["one two"]),
            ("one two three", &["one two", "three"]),
            ("incomprehensible", &["incompre", "hensible"]),
            ("a incomprehensible b", &["a", "incompre", "hensible", "b"]),
        ] {
            assert_eq!(wrapped(text, 8), expected);
        }
    }

    #[test]
    fn values_stand_below_each_other() {
        let inside = vec![Field::option(5_u16, "IA address", "2001:db8::1, ".repeat(5))];
        let fields = [Field::new("DHCPv6", "Reply"), Field::option(3_u16, "IA_NA", "x").with(inside)];
        let text = Fields(&fields, 4).to_string();
        let columns: Vec<_> = text.lines().map(|line| line.rfind("  ").map(|at| at + 2)).collect();
        assert!(columns.iter().all(|column| *column == columns[0]), "{text}");
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
    }

    #[test]
    fn a_terminal_finds_no_orders_in_a_value() {
        assert_eq!(Field::new("file", "a\u{1b}[2J").value, "a\\u{1b}[2J");
        assert_eq!(bytes(b"a\x1b"), "61 1b");
        assert_eq!(bytes(b"pxe linux"), "\"pxe linux\"");
    }
}
