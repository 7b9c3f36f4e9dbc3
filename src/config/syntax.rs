//! The lines of an INI file as ConfigObj, the library of the original, reads them.

use std::borrow::Cow;

use ini_core::{Item, Parser};

/// A line that says something. Blank lines and comments do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// `[name]`.
    Section(&'a str),
    /// `key = value`. The value still has its quotes and its comment.
    Property {
        /// What is left of the first `=`.
        key: &'a str,
        /// What is right of it.
        value: &'a str,
    },
    /// Neither, as it is written.
    Odd(Cow<'a, str>),
}

/// The lines of `text` that say something, with their numbers from 1.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (u32, Line<'_>)> {
    let mut parser = Parser::new(text).comment_char(b'#').auto_trim(true);
    // Before an item is taken, line() is the count of the lines before it.
    let numbered = std::iter::from_fn(move || {
        let line = parser.line() + 1;
        parser.next().map(|item| (line, item))
    });
    numbered.filter_map(|(number, item)| Some((number, meaning(item)?)))
}

/// What the parser does not see: white space before `#` and `[`, and comments after a section's name.
fn meaning(item: Item<'_>) -> Option<Line<'_>> {
    let line = match item {
        Item::Blank | Item::Comment(_) | Item::SectionEnd => return None,
        Item::Property(key, _) if key.starts_with('#') => return None,
        Item::Section(name) if !name.contains(['[', ']']) => Line::Section(name),
        // The parser has taken the first and the last bracket away.
        Item::Section(between) => header(between).unwrap_or_else(|| Line::Odd(format!("[{between}]").into())),
        Item::Error(text) | Item::Property(text, None) => indented(text),
        Item::Property(text, Some(_)) if text.starts_with('[') => indented(text),
        Item::Property("", Some(value)) => Line::Odd(format!("= {value}").into()),
        Item::Property(key, Some(value)) => Line::Property { key, value },
    };
    Some(line)
}

/// A section's name with its opening bracket, or nothing of the kind.
fn indented(text: &str) -> Line<'_> {
    text.strip_prefix('[').and_then(header).unwrap_or(Line::Odd(text.into()))
}

/// A section's name with its closing bracket, and nothing but a comment after it.
fn header(after_bracket: &str) -> Option<Line<'_>> {
    let is_nothing = |rest: &str| rest.is_empty() || rest.starts_with('#');
    let (name, rest) = after_bracket.split_once(']')?;
    (!name.contains('[') && is_nothing(rest.trim())).then(|| Line::Section(name.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Option<Line<'_>> {
        lines(text).next().map(|(_, line)| line)
    }

    #[test]
    fn reads_sections() {
        for text in [
            "[general]",
            "[ general ]",
            "  [general]",
            "[general]  ",
            "[general] # why",
            "[general]# see [1]",
            "\t[general] # a = b",
            "[general]\r\n",
        ] {
            assert_eq!(only(text), Some(Line::Section("general")), "{text:?}");
        }
    }

    #[test]
    fn reads_properties() {
        for text in ["key=v = w", "  key = v = w  ", "key\t= v = w\r\n"] {
            let expected = Line::Property { key: "key", value: "v = w" };
            assert_eq!(only(text), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn skips_blank_lines_and_comments() {
        for text in ["", "\n\r\n  \n", "# a\n  # b\n\t# c = d\n#[general]\n"] {
            assert_eq!(only(text), None, "{text:?}");
        }
    }

    #[test]
    fn tells_odd_lines() {
        for text in
            ["key", "[general", "[general] x", "  [general] x", "[general] [x]", "= value", "general]", "[[general]]"]
        {
            assert_eq!(only(text), Some(Line::Odd(text.trim().into())), "{text:?}");
        }
    }

    #[test]
    fn counts_lines_from_one() {
        let numbers: Vec<u32> = lines("[a]\n\n# c\r\nk = v\n[b]\nk = v").map(|(n, _)| n).collect();
        assert_eq!(numbers, [1, 4, 5, 6]);
    }
}
