//! Records of the DNS, as lines of a script for nsupdate. Nothing gets in there but checked names and addresses.

use std::fmt;
use std::net::IpAddr;

use crate::network::Family;
use crate::wire::DomainName;

/// What belongs together in the DNS: a name, and an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Record {
    /// A or AAAA: the address of a name.
    Address(DomainName, IpAddr),
    /// PTR: the name of an address.
    Pointer(IpAddr, DomainName),
}

/// A line of an update (RFC 2136 §2.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instruction {
    /// The record is there afterwards, with this TTL in seconds.
    Add(Record, u32),
    /// The record is not there afterwards; others of its name are.
    Remove(Record),
    /// No address of this family is there afterwards.
    RemoveAll(DomainName, Family),
}

/// The type of the records that hold an address of this family.
pub(super) fn address_type(family: Family) -> &'static str {
    match family {
        Family::V4 => "A",
        Family::V6 => "AAAA",
    }
}

/// The name that stands for an address (RFC 1035 §3.5, RFC 3596 §2.5), with its final dot.
pub(super) fn reverse_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa.")
        }
        IpAddr::V6(address) => {
            let nibbles = address.octets().into_iter().rev().flat_map(|octet| [octet & 0xf, octet >> 4]);
            nibbles.map(|nibble| format!("{nibble:x}.")).collect::<String>() + "ip6.arpa."
        }
    }
}

impl Record {
    /// Whose it is, what it is, and what it says.
    fn parts(&self) -> (String, &'static str, String) {
        match self {
            Self::Address(name, address) => {
                (format!("{name}."), address_type(Family::of(*address)), address.to_string())
            }
            Self::Pointer(address, name) => (reverse_name(*address), "PTR", format!("{name}.")),
        }
    }
}

impl fmt::Display for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Add(record, ttl) => {
                let (owner, kind, data) = record.parts();
                write!(f, "update add {owner} {ttl} {kind} {data}")
            }
            Self::Remove(record) => {
                let (owner, kind, data) = record.parts();
                write!(f, "update delete {owner} {kind} {data}")
            }
            Self::RemoveAll(name, family) => write!(f, "update delete {name}. {}", address_type(*family)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_name_of_its_own() {
        for (address, expected) in [
            ("192.168.1.2", "2.1.168.192.in-addr.arpa."),
            (
                "2001:db8:20:0:a800:ff:fec2:b213",
                "3.1.2.b.2.c.e.f.f.f.0.0.0.0.8.a.0.0.0.0.0.2.0.0.8.b.d.0.1.0.0.2.ip6.arpa.",
            ),
        ] {
            assert_eq!(reverse_name(address.parse().unwrap()), expected);
        }
    }
}
