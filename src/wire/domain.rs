//! Domain names: as text, and in the label form of RFC 1035 §3.1 that options 119 and 24 and DNSSL carry.

use std::fmt;
use std::str::FromStr;

/// A host or domain name: 1 to 253 characters, labels of 1 to 63 letters, digits, `-` and `_`. Without a final dot.
///
/// Names end up in the scripts of guests, so no other character is let through.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(Box<str>);

impl DomainName {
    /// The name as text, without a final dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the first dot, if there is a dot.
    pub fn parent(&self) -> Option<Self> {
        self.0.split_once('.').map(|(_, rest)| Self(rest.into()))
    }

    /// Whether a label begins or ends with a hyphen, which no host's may (RFC 952, RFC 1123 §2.1).
    pub fn has_outer_hyphen(&self) -> bool {
        self.0.split('.').any(|label| label.starts_with('-') || label.ends_with('-'))
    }

    /// Whether the name has more than one label.
    pub fn is_qualified(&self) -> bool {
        self.0.contains('.')
    }

    /// Appends the uncompressed label form (RFC 1035 §3.1), with the root label when `terminated`.
    pub fn encode(&self, out: &mut Vec<u8>, terminated: bool) {
        for label in self.0.split('.') {
            // A label has 1 to 63 bytes: checked when the name was made.
            out.push(label.len() as u8);
            out.extend_from_slice(label.as_bytes());
        }
        if terminated {
            out.push(0);
        }
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The text is not a domain name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a domain name: labels of 1 to 63 letters, digits, '-' and '_', separated by dots, 253 characters in all")]
pub struct DomainNameError;

impl FromStr for DomainName {
    type Err = DomainNameError;

    fn from_str(text: &str) -> Result<Self, DomainNameError> {
        let name = text.strip_suffix('.').unwrap_or(text);
        let label_is_good = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        if name.len() > 253 || !name.split('.').all(label_is_good) {
            return Err(DomainNameError);
        }
        Ok(Self(name.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_labels() {
        let mut out = Vec::new();
        "eng.example.com.".parse::<DomainName>().unwrap().encode(&mut out, true);
        assert_eq!(out, b"\x03eng\x07example\x03com\0");
    }

    #[test]
    fn refuses_what_is_no_name() {
        let long_label = "a".repeat(64);
        let long_name = format!("{0}.{0}.{0}.{0}", "a".repeat(63));
        for text in ["", ".", "a..b", ".a", "a b", "a;b", "$(x)", "ü.example", long_label.as_str(), long_name.as_str()]
        {
            assert_eq!(text.parse::<DomainName>(), Err(DomainNameError), "{text}");
        }
    }

    #[test]
    fn parent_is_what_follows_the_first_dot() {
        let name: DomainName = "vm1.example.com".parse().unwrap();
        assert_eq!(name.parent().unwrap().as_str(), "example.com");
        assert!("vm1".parse::<DomainName>().unwrap().parent().is_none());
    }
}
