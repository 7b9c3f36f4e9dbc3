//! Private networks on a shared bridge: stations belong together whose MACs start alike.

use std::fmt;
use std::str::FromStr;

use crate::wire::MacAddr;

/// Which bits of a MAC tell its network: a run of ones from the left, as `ff:ff:f0:00:00:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MacMask {
    /// How many ones, 1 to 48.
    bits: u32,
}

/// The text is not a mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a mask of MAC addresses: ones from the left and zeros behind them, as ff:ff:f0:00:00:00")]
pub struct MacMaskError;

impl MacMask {
    /// How many bits a MAC has.
    const LEN: u32 = 48;

    /// The first 20 bits, as Ganeti sets its prefixes apart.
    pub const USUAL: Self = Self { bits: 20 };

    /// The part of `mac` that tells its network.
    pub fn prefix_of(self, mac: MacAddr) -> MacPrefix {
        let ones = !0 << (Self::LEN - self.bits);
        let first = number(mac) & ones;
        MacPrefix { first: from_number(first), last: from_number(first | !ones) }
    }
}

impl FromStr for MacMask {
    type Err = MacMaskError;

    fn from_str(text: &str) -> Result<Self, MacMaskError> {
        let mask = number(text.parse().map_err(|_| MacMaskError)?);
        let bits = (mask << (u64::BITS - Self::LEN)).leading_ones();
        if bits == 0 || mask.count_ones() != bits { Err(MacMaskError) } else { Ok(Self { bits }) }
    }
}

/// All MACs that start alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MacPrefix {
    first: MacAddr,
    last: MacAddr,
}

impl MacPrefix {
    /// The MACs from `first` to `last`.
    pub const fn between(first: MacAddr, last: MacAddr) -> Self {
        Self { first, last }
    }

    /// The first of them.
    pub const fn first(self) -> MacAddr {
        self.first
    }

    /// The last of them.
    pub const fn last(self) -> MacAddr {
        self.last
    }
}

impl fmt::Display for MacPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

fn number(mac: MacAddr) -> u64 {
    let [a, b, c, d, e, g] = mac.octets();
    u64::from_be_bytes([0, 0, a, b, c, d, e, g])
}

fn from_number(number: u64) -> MacAddr {
    let [_, _, a, b, c, d, e, g] = number.to_be_bytes();
    MacAddr::new([a, b, c, d, e, g])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stations_of_a_network_start_alike() {
        let prefix =
            |mask: &str, mac: &str| mask.parse::<MacMask>().unwrap().prefix_of(mac.parse().unwrap()).to_string();
        assert_eq!(prefix("ff:ff:f0:00:00:00", "aa:20:07:c2:b2:13"), "aa:20:00:00:00:00-aa:20:0f:ff:ff:ff");
        assert_eq!(prefix("ff:ff:ff:00:00:00", "aa:20:07:c2:b2:13"), "aa:20:07:00:00:00-aa:20:07:ff:ff:ff");
        assert_eq!(prefix("ff:ff:ff:ff:ff:ff", "aa:20:07:c2:b2:13"), "aa:20:07:c2:b2:13-aa:20:07:c2:b2:13");
        assert_eq!(prefix("80:00:00:00:00:00", "aa:20:07:c2:b2:13"), "80:00:00:00:00:00-ff:ff:ff:ff:ff:ff");
        assert_eq!("ff:ff:f0:00:00:00".parse(), Ok(MacMask::USUAL));
    }

    #[test]
    fn a_mask_has_its_ones_on_the_left() {
        for text in ["", "ff", "00:00:00:00:00:00", "ff:00:ff:00:00:00", "0f:ff:ff:ff:ff:ff", "ff:ff:f1:00:00:00"] {
            assert_eq!(text.parse::<MacMask>(), Err(MacMaskError), "{text}");
        }
    }
}
