//! JSON as it goes over the socket and to standard output: ASCII alone, so that no terminal takes a guest's or a file's
//! bytes for an order, whatever shows them.

use std::fmt::Write as _;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// One line, with its end.
pub fn to_line<T: Serialize>(value: &T) -> String {
    ascii(&serde_json::to_string(value).unwrap_or_default()) + "\n"
}

/// Several lines, indented, for people.
pub fn to_pretty<T: Serialize>(value: &T) -> String {
    ascii(&serde_json::to_string_pretty(value).unwrap_or_default()) + "\n"
}

/// Reads a line.
pub fn from_line<T: DeserializeOwned>(line: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(line)
}

/// Outside of strings JSON has nothing but ASCII, so every other character may be written as strings write it (RFC 8259
/// §7). serde_json escapes the controls below U+0020; U+007F is left, and what follows it.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() && c != '\u{7f}' {
            text.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing into a String cannot fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_terminal_finds_no_orders_in_it() {
        let text = "a\u{1b}[2J\u{7f}\u{9b}31m\u{202e}\n\"ü😀";
        let line = to_line(&text);
        assert_eq!(line, "\"a\\u001b[2J\\u007f\\u009b31m\\u202e\\n\\\"\\u00fc\\ud83d\\ude00\"\n");
        assert_eq!(from_line::<String>(line.as_bytes()).unwrap(), text);
    }

    proptest! {
        #[test]
        fn any_text_survives(text in "\\PC*|(?s).*") {
            let line = to_line(&text);
            prop_assert!(line.trim_end().bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()));
            prop_assert_eq!(from_line::<String>(line.as_bytes()).unwrap(), text);
        }
    }
}
