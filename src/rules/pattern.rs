//! Names of interfaces as rules match them.

use std::str::FromStr;

use crate::binding::InterfaceName;

/// One interface, or all whose names start alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Letters, digits, `.`, `_`, `-`: what needs no quotes, in whichever format. Never empty, never with `-` in front.
    start: String,
    has_more: bool,
}

impl Pattern {
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
