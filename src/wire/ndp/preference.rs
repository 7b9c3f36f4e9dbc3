//! How a router compares with others.

use std::fmt;
use std::str::FromStr;

/// How a router compares with others (RFC 4191 §2.1): as a default router, or for one route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preference {
    /// `high`.
    High,
    /// `medium`.
    #[default]
    Medium,
    /// `low`.
    Low,
}

impl Preference {
    /// `Prf`, at its place in the octets of the Router Advertisement (RFC 4191 §2.2) and of the option (§2.3).
    pub(super) const fn bits(self) -> u8 {
        let prf = match self {
            Self::High => 0b01,
            Self::Medium => 0b00,
            Self::Low => 0b11,
        };
        prf << 3
    }
}

impl FromStr for Preference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "high" => Ok(Self::High),
            "medium" => Ok(Self::Medium),
            "low" => Ok(Self::Low),
            _ => Err("not high, medium or low".to_owned()),
        }
    }
}

impl fmt::Display for Preference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_three_values() {
        for (text, preference, bits) in [
            ("high", Preference::High, 0b0000_1000),
            ("medium", Preference::Medium, 0),
            ("low", Preference::Low, 0b0001_1000),
        ] {
            assert_eq!(text.parse(), Ok(preference));
            assert_eq!(preference.to_string(), text);
            assert_eq!(preference.bits(), bits);
        }
        assert!("High".parse::<Preference>().is_err());
    }
}
