//! Names of interfaces as rules match them.

use std::fmt;
use std::str::FromStr;

use crate::binding::InterfaceName;
use crate::text::Visible;

/// One interface, or all whose names start alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Of one that was asked for: letters, digits, `.`, `_`, `-`, which need no quotes, in whichever format; never empty, never
    /// with `-` in front. Of one that a rule has, or of a tap that is there: anything.
    start: String,
    has_more: bool,
}

/// How many are meant, of interfaces or of what comes from them. Of several conditions the least counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Share {
    /// None.
    None,
    /// We cannot tell.
    Unclear,
    /// Some of the interfaces, and all that comes from those.
    Some,
    /// All.
    All,
}

impl Pattern {
    /// A pattern that a tool has listed, with its sign for several behind the start.
    pub(super) fn listed(text: &str, sign: char) -> Self {
        let start = text.strip_suffix(sign).unwrap_or(text);
        Self { start: start.to_owned(), has_more: start.len() < text.len() }
    }

    /// How many of the interfaces of another pattern are of this one.
    pub(super) fn share_of(&self, other: &Self) -> Share {
        let is_inside = if self.has_more { other.start.starts_with(&self.start) } else { self == other };
        let is_part = other.has_more && self.start.starts_with(&other.start);
        if is_inside {
            Share::All
        } else if is_part {
            Share::Some
        } else {
            Share::None
        }
    }

    /// As nft writes it: `tap*`.
    pub(super) fn with_star(&self) -> String {
        self.with('*')
    }

    /// As iptables writes it: `tap+`.
    pub(super) fn with_plus(&self) -> String {
        self.with('+')
    }

    fn with(&self, sign: char) -> String {
        let mut text = self.start.clone();
        text.extend(self.has_more.then_some(sign));
        text
    }
}

impl From<InterfaceName> for Pattern {
    fn from(name: InterfaceName) -> Self {
        Self { start: name.as_str().to_owned(), has_more: false }
    }
}

/// As nft writes it, fit to be shown.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Visible(&self.with_star()).fmt(f)
    }
}

/// The text stands for no interfaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an interface: up to 15 letters, digits, '.', '_' and '-', with '*' or '+' behind the start of several")]
pub struct PatternError;

impl FromStr for Pattern {
    type Err = PatternError;

    /// Reads `tap0`, `tap*` or `tap+`. All interfaces of a node, as `*`, are never meant.
    fn from_str(text: &str) -> Result<Self, PatternError> {
        let start = text.strip_suffix(['*', '+']).unwrap_or(text);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let is_name = start.parse::<InterfaceName>().is_ok();
        if !is_name || !start.chars().all(is_plain) || start.starts_with('-') {
            return Err(PatternError);
        }
        Ok(Self { start: start.to_owned(), has_more: start.len() < text.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_as_each_tool_wants_it() {
        for (text, star, plus) in [
            ("tap0", "tap0", "tap0"),
            ("tap*", "tap*", "tap+"),
            ("tap+", "tap*", "tap+"),
            ("gnt.com.*", "gnt.com.*", "gnt.com.+"),
            ("br-lan_1", "br-lan_1", "br-lan_1"),
            ("a23456789012345", "a23456789012345", "a23456789012345"),
        ] {
            let pattern: Pattern = text.parse().unwrap();
            assert_eq!([pattern.with_star(), pattern.with_plus()], [star, plus]);
        }
    }

    #[test]
    fn tells_how_many_of_others_it_has() {
        for (rule, taps, expected) in [
            ("tap0", "tap0", Share::All),
            ("tap0", "tap1", Share::None),
            ("tap0", "tap*", Share::Some),
            ("tap*", "tap0", Share::All),
            ("tap*", "tap1*", Share::All),
            ("tap1*", "tap*", Share::Some),
            ("tap*", "vnet*", Share::None),
            ("tap", "tap*", Share::Some),
            ("*", "tap0", Share::All),
        ] {
            let [rule, taps] = [rule, taps].map(|text| Pattern::listed(text, '*'));
            assert_eq!(rule.share_of(&taps), expected, "{rule} of {taps}");
        }
    }

    #[test]
    fn refuses_what_would_be_more_than_a_name() {
        for text in [
            "",
            "*",
            "+",
            ".",
            "-i",
            "-*",
            "a b",
            "a\"b",
            "$x",
            "a;b",
            "tap**",
            "tap+*",
            "a2345678901234567",
            "ü",
            "!a",
        ] {
            assert_eq!(text.parse::<Pattern>(), Err(PatternError), "{text:?}");
        }
    }
}
