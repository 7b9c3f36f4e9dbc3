//! Names and indices of network interfaces.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// The kernel's index of an interface (`ifindex`), never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IfIndex(NonZeroU32);

impl IfIndex {
    /// The index, unless it is 0, which the kernel uses for "none".
    pub const fn new(index: u32) -> Option<Self> {
        match NonZeroU32::new(index) {
            Some(index) => Some(Self(index)),
            None => None,
        }
    }

    /// The number.
    pub const fn value(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for IfIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The name of an interface, a tap or a bridge: what the kernel's `dev_valid_name()` takes, as UTF-8.
///
/// 1 to 15 bytes, no `/`, no `:`, no white space, not `.` or `..`; and nothing that does not print. Kept in place, so that copying one costs nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceName {
    bytes: [u8; Self::MAX_LEN],
    len: u8,
}

impl InterfaceName {
    /// `IFNAMSIZ` (linux/if.h) without the final zero.
    pub const MAX_LEN: usize = 15;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        // Made from a str, so the lookup and the conversion always succeed.
        self.bytes.get(..usize::from(self.len)).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// The text is not the name of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an interface name: 1 to 15 bytes without '/', ':', white space or what does not print, not '.' or '..'")]
pub struct InterfaceNameError;

impl FromStr for InterfaceName {
    type Err = InterfaceNameError;

    fn from_str(text: &str) -> Result<Self, InterfaceNameError> {
        let is_bad = |c: char| c == '/' || c == ':' || c.is_whitespace() || is_unprintable(c);
        if text.is_empty() || text.len() > Self::MAX_LEN || text == "." || text == ".." || text.contains(is_bad) {
            return Err(InterfaceNameError);
        }
        let mut bytes = [0; Self::MAX_LEN];
        for (to, from) in bytes.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        Ok(Self { bytes, len: text.len() as u8 })
    }
}

/// Whether a terminal would obey or hide it (a control character, a change of direction): names are shown as they are.
fn is_unprintable(c: char) -> bool {
    !matches!(c, '"' | '\'' | '\\') && c.escape_debug().len() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_the_kernel_takes() {
        for text in ["tap0", "vnet12", "a", "tap0.100", "123456789012345", "...", "ütap"] {
            assert_eq!(text.parse::<InterfaceName>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn refuses_what_would_not_be_shown_as_it_is() {
        for text in ["h\u{202e}rtl", "a\u{200b}", "a\u{1b}[m", "\u{301}a", "\u{7f}"] {
            assert_eq!(text.parse::<InterfaceName>(), Err(InterfaceNameError), "{text:?}");
        }
        for text in ["a\"", "a'", "a\\"] {
            assert_eq!(text.parse::<InterfaceName>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn refuses_what_the_kernel_refuses() {
        for text in ["", ".", "..", "a/b", "a b", "a:1", "1234567890123456", "a\tb", "a\n", "a\0"] {
            assert_eq!(text.parse::<InterfaceName>(), Err(InterfaceNameError), "{text:?}");
        }
    }
}
