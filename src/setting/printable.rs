//! Text that goes to guests as it is.

use std::fmt;
use std::str::FromStr;

/// 1 to 255 printable ASCII characters without white space: a URI, a path, the name of a server.
///
/// It fits one DHCPv4 option, and needs no escape wherever it is shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Printable(Box<str>);

impl Printable {
    /// The greatest length, in bytes.
    pub const MAX: usize = 255;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text as it goes over the wire.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Whether it is a URL that HTTP can fetch.
    pub fn is_http_url(&self) -> bool {
        let scheme = self.0.split_once("://").map(|(scheme, _)| scheme).unwrap_or_default();
        scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
    }
}

impl fmt::Display for Printable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Printable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl FromStr for Printable {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_good = (1..=Self::MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_good {
            Ok(Self(text.into()))
        } else {
            Err("not 1 to 255 printable ASCII characters without white space".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_url() {
        for (text, expected) in [
            ("http://boot/x", true),
            ("HTTPS://boot/x", true),
            ("tftp://boot/x", false),
            ("http:/boot/x", false),
            ("boot/http://", false),
            ("bootx64.efi", false),
        ] {
            assert_eq!(text.parse::<Printable>().unwrap().is_http_url(), expected, "{text}");
        }
    }

    #[test]
    fn holds_what_needs_no_escape() {
        for good in ["x", "http://[2001:db8::1]/a?b=c&d#e", &"x".repeat(255)] {
            assert_eq!(good.parse::<Printable>().unwrap().as_str(), good);
        }
        for bad in ["", "a b", "a\n", "ü", "\u{7f}", &"x".repeat(256)] {
            assert!(bad.parse::<Printable>().is_err(), "{bad:?}");
        }
    }
}
