//! Bytes as they stand in an answer: two digits each.

use std::fmt::Write as _;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A packet or a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hex(pub Vec<u8>);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&digits(&self.0))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        read(&text).map(Self).ok_or_else(|| de::Error::custom("not bytes of two hexadecimal digits each"))
    }
}

/// Two digits for each byte.
pub(super) fn digits(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn read(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(*high)? << 4 | digit(*low)?).ok();
    pairs.iter().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::super::json::{from_line, to_line};
    use super::*;

    #[test]
    fn bytes_survive() {
        let all = Hex((0..=255).collect());
        let line = to_line(&all);
        assert!(line.starts_with("\"000102") && line.ends_with("fdfeff\"\n"), "{line}");
        assert_eq!(from_line::<Hex>(line.as_bytes()).unwrap(), all);
    }

    #[test]
    fn what_is_no_hexadecimal_is_refused() {
        for text in ["\"0\"", "\"0g\"", "\"+1\"", "\"\u{e4}\"", "7"] {
            assert!(from_line::<Hex>(text.as_bytes()).is_err(), "{text}");
        }
    }
}
