//! Time servers.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::text::{unicast_v4, unicast_v6};
use crate::wire::DomainName;

/// The time servers of a guest or a node: those of each family, and names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NtpServers {
    /// For DHCPv4 (RFC 2132 §8.3).
    pub ipv4: Vec<Ipv4Addr>,
    /// For DHCPv6 (RFC 5908 §4.1, RFC 4075).
    pub ipv6: Vec<Ipv6Addr>,
    /// For DHCPv6 (RFC 5908 §4.3).
    pub names: Vec<DomainName>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NtpServer {
    V4(Ipv4Addr),
    V6(Ipv6Addr),
    Name(DomainName),
}

impl NtpServers {
    /// Whether there is nothing for DHCPv6.
    pub fn is_empty_v6(&self) -> bool {
        self.ipv6.is_empty() && self.names.is_empty()
    }
}

impl FromIterator<NtpServer> for NtpServers {
    fn from_iter<I: IntoIterator<Item = NtpServer>>(servers: I) -> Self {
        let mut sorted = Self::default();
        for server in servers {
            match server {
                NtpServer::V4(address) => sorted.ipv4.push(address),
                NtpServer::V6(address) => sorted.ipv6.push(address),
                NtpServer::Name(name) => sorted.names.push(name),
            }
        }
        sorted
    }
}

impl FromStr for NtpServer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains(':') {
            return unicast_v6(text).map(Self::V6);
        }
        // A name ends in a label that is no number; what looks like an address must be one.
        if text.ends_with(|c: char| c.is_ascii_digit()) && !text.contains(|c: char| c.is_ascii_alphabetic()) {
            return unicast_v4(text).map(Self::V4);
        }
        text.parse().map(Self::Name).map_err(|error| format!("neither an address nor a name: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_servers_by_what_can_name_them() {
        let texts = ["192.0.2.123", "ntp.example.com", "2001:db8::123", "192.0.2.124"];
        let servers: NtpServers = texts.iter().map(|text| text.parse::<NtpServer>().unwrap()).collect();
        assert_eq!(servers.ipv4, [Ipv4Addr::new(192, 0, 2, 123), Ipv4Addr::new(192, 0, 2, 124)]);
        assert_eq!(servers.ipv6, ["2001:db8::123".parse::<Ipv6Addr>().unwrap()]);
        assert_eq!(servers.names, ["ntp.example.com".parse().unwrap()]);
    }

    #[test]
    fn refuses_what_is_neither() {
        for bad in ["", "192.0.2", "192.0.2.300", "224.0.0.1", "ff02::101", "2001:db8::g", "a b", "ntp..example"] {
            assert!(bad.parse::<NtpServer>().is_err(), "{bad}");
        }
    }
}
