//! What a guest may be told besides its address: values that the node's configuration sets for all guests, and a
//! binding for one. Each is read here, in one way for both files.

mod boot;
mod ntp;
mod option;
mod pref64;
mod printable;
mod route;

pub use boot::{Architecture, BootClient, BootFiles, Loader};
pub use ntp::NtpServers;
pub use option::RawOptions;
pub use pref64::Pref64;
pub use printable::Printable;
pub use route::{Route4, Route6};

pub(crate) use boot::BootFor;
pub(crate) use ntp::NtpServer;

pub use crate::wire::ndp::Preference;

use crate::text::number;

/// The shortest `V6ONLY_WAIT` in seconds (`MIN_V6ONLY_WAIT`, RFC 8925 §3.4).
pub const MIN_V6ONLY_WAIT: u32 = 300;

/// Reads `V6ONLY_WAIT`, in seconds.
pub(crate) fn v6only_wait(text: &str) -> Result<u32, String> {
    number(text, MIN_V6ONLY_WAIT..=u32::MAX)
}

/// Reads a captive portal's URI (RFC 8910 §2): absolute, and no longer than one DHCPv4 option.
pub(crate) fn captive_portal(text: &str) -> Result<Printable, String> {
    let uri: Printable = text.parse()?;
    let scheme = text.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    if is_scheme { Ok(uri) } else { Err("not a URI, which is written as https://portal.example.com/api".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portal_is_a_uri() {
        for good in ["https://portal.example.com/api?x=1", "urn:ietf:params:capport:unrestricted"] {
            assert_eq!(captive_portal(good).unwrap().as_str(), good);
        }
        for bad in ["", "portal.example.com/api", "://x", "ht tp://x", "https://ü.example", "9p://x"] {
            assert!(captive_portal(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nobody_leaves_ipv4_for_less_than_five_minutes() {
        assert_eq!(v6only_wait("300"), Ok(300));
        assert!(v6only_wait("299").is_err());
    }
}
