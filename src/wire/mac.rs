//! 48-bit MAC addresses (EUI-48).

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// A 48-bit MAC address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddr([u8; 6]);

impl MacAddr {
    /// The first of all in their order.
    pub const MIN: Self = Self([0; 6]);
    /// ff:ff:ff:ff:ff:ff.
    pub const BROADCAST: Self = Self([0xff; 6]);
    /// 33:33:00:00:00:01, where frames to ff02::1 go (RFC 2464 §7).
    pub const ALL_NODES: Self = Self([0x33, 0x33, 0, 0, 0, 1]);

    /// The address made of these octets.
    pub const fn new(octets: [u8; 6]) -> Self {
        Self(octets)
    }

    /// The six octets, in the order of the wire.
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }

    /// The address in the first six bytes of `bytes`, if there are as many.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.first_chunk::<6>().map(|octets| Self(*octets))
    }

    /// Whether the group bit is set: multicast and broadcast.
    pub const fn is_multicast(self) -> bool {
        self.0[0] & 1 != 0
    }

    /// Whether this can be the address of one station: not a group, not all zero.
    pub fn is_unicast(self) -> bool {
        !self.is_multicast() && self.0 != [0; 6]
    }

    /// The modified EUI-64 interface identifier (RFC 4291 appendix A).
    pub const fn eui64(self) -> [u8; 8] {
        let m = self.0;
        [m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]]
    }

    /// The link-local address with this MAC's modified EUI-64 (RFC 4862 §5.3).
    pub const fn link_local(self) -> Ipv6Addr {
        let e = self.eui64();
        Ipv6Addr::from_octets([0xfe, 0x80, 0, 0, 0, 0, 0, 0, e[0], e[1], e[2], e[3], e[4], e[5], e[6], e[7]])
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a MAC address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a MAC address: six hexadecimal octets, all separated by ':' or all by '-'")]
pub struct MacAddrError;

impl FromStr for MacAddr {
    type Err = MacAddrError;

    /// Reads `aa:bb:cc:dd:ee:ff` or `AA-BB-CC-DD-EE-FF`; one or two digits an octet.
    fn from_str(text: &str) -> Result<Self, MacAddrError> {
        let separator = if text.contains('-') { '-' } else { ':' };
        let mut octets = [0; 6];
        let mut parts = text.split(separator);
        for octet in &mut octets {
            let part = parts.next().ok_or(MacAddrError)?;
            // from_str_radix alone would take a sign.
            if part.is_empty() || part.len() > 2 || !part.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(MacAddrError);
            }
            *octet = u8::from_str_radix(part, 16).map_err(|_| MacAddrError)?;
        }
        if parts.next().is_some() { Err(MacAddrError) } else { Ok(Self(octets)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_any_case_and_both_separators() {
        let expected = MacAddr::new([0xaa, 0, 0, 0xc2, 0xb2, 0x13]);
        for text in ["aa:00:00:c2:b2:13", "AA:00:00:C2:B2:13", "aa-00-00-c2-b2-13", "aa:0:0:c2:b2:13"] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        assert_eq!(expected.to_string(), "aa:00:00:c2:b2:13");
    }

    #[test]
    fn refuses_what_is_no_mac() {
        for text in [
            "",
            "aa",
            "aa:00:00:c2:b2",
            "aa:00:00:c2:b2:13:14",
            "aa:00:00:c2:b2:1g",
            "aa:00-00:c2:b2:13",
            "+a:00:00:c2:b2:13",
            "aaa:0:0:0:0:0",
            "aa:00:00:c2:b2:",
        ] {
            assert_eq!(text.parse::<MacAddr>(), Err(MacAddrError), "{text}");
        }
    }

    #[test]
    fn link_local_flips_the_universal_bit() {
        let mac = MacAddr::new([0xaa, 0, 0, 0, 0, 1]);
        assert_eq!(mac.link_local().to_string(), "fe80::a800:ff:fe00:1");
    }
}
