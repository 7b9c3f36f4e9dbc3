//! The prefix of a NAT64.

use std::fmt;
use std::str::FromStr;

use ipnet::Ipv6Net;

use crate::text::{is_unicast_v6, network_v6};

/// A NAT64 prefix (RFC 6052 §2.2): 32, 40, 48, 56, 64 or 96 bits long, as RFC 8781 §4 can say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pref64(Ipv6Net);

impl Pref64 {
    /// The prefix, without host bits.
    pub fn prefix(self) -> Ipv6Net {
        self.0
    }
}

impl fmt::Display for Pref64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Pref64 {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let prefix = network_v6(text)?.trunc();
        let network = prefix.network();
        if !is_unicast_v6(network) || network.is_unicast_link_local() {
            return Err("not a prefix for addresses (unspecified, link-local or multicast)".to_owned());
        }
        let is_long_enough = matches!(prefix.prefix_len(), 32 | 40 | 48 | 56 | 64 | 96);
        is_long_enough
            .then_some(Self(prefix))
            .ok_or_else(|| "not a NAT64 prefix of 32, 40, 48, 56, 64 or 96 bits".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_one_of_six_lengths() {
        for length in 0..=128 {
            let is_good = format!("2001:db8::/{length}").parse::<Pref64>().is_ok();
            assert_eq!(is_good, [32, 40, 48, 56, 64, 96].contains(&length), "{length}");
        }
        assert_eq!("64:ff9b::1/96".parse::<Pref64>().unwrap().to_string(), "64:ff9b::/96");
        for bad in ["ff00::/96", "fe80::/64", "::/96"] {
            assert!(bad.parse::<Pref64>().is_err(), "{bad}");
        }
    }
}
