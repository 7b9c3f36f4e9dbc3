//! Routes beyond the default one.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{Ipv4Net, Ipv6Net};

use crate::text::{network_v4, network_v6, unicast_v4, unicast_v6};
use crate::wire::ndp::Preference;

/// A route of DHCPv4 option 121 (RFC 3442).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route4 {
    /// Where to, without host bits.
    pub destination: Ipv4Net,
    /// By which router; 0.0.0.0 means on-link.
    pub router: Ipv4Addr,
}

/// A route of Router Advertisements (RFC 4191 §2.3): it leads to the router that advertises it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route6 {
    /// Where to, without host bits.
    pub destination: Ipv6Net,
    /// How this router compares with others for this destination.
    pub preference: Preference,
    /// The router that the file names; only the one that advertises can be meant.
    pub via: Option<Ipv6Addr>,
}

impl fmt::Display for Route4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} via {}", self.destination, self.router)
    }
}

impl fmt::Display for Route6 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.destination)?;
        if let Some(via) = self.via {
            write!(f, " via {via}")?;
        }
        if self.preference != Preference::default() {
            write!(f, " {}", self.preference)?;
        }
        Ok(())
    }
}

/// Reads `network via router`, the network with or without host bits.
impl FromStr for Route4 {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let (Some(destination), Some("via"), Some(router), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err("not a route, which is written as 198.51.100.0/24 via 192.0.2.254".to_owned());
        };
        let destination = network_v4(destination).map_err(|_| "not a route: it begins with no IPv4 network")?;
        if destination.prefix_len() == 0 {
            return Err("the default route, which is for GATEWAY to give".to_owned());
        }
        let router = match router {
            "0.0.0.0" => Ipv4Addr::UNSPECIFIED,
            router => unicast_v4(router).map_err(|_| "a route whose router is neither a host's address nor 0.0.0.0")?,
        };
        Ok(Self { destination: destination.trunc(), router })
    }
}

/// Reads `network [via router] [high|medium|low]`, the network with or without host bits.
impl FromStr for Route6 {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (destination, via, preference) = match words.as_slice() {
            [destination] => (destination, None, None),
            [destination, "via", router] => (destination, Some(router), None),
            [destination, "via", router, preference] => (destination, Some(router), Some(preference)),
            [destination, preference] => (destination, None, Some(preference)),
            _ => return Err("not a route, which is written as 2001:db8:1::/48 or 2001:db8:1::/48 low".to_owned()),
        };
        let destination = network_v6(destination).map_err(|_| "not a route: it begins with no IPv6 network")?;
        if destination.prefix_len() == 0 {
            return Err("the default route, which is for GATEWAY6 to give".to_owned());
        }
        let network = destination.trunc().network();
        if network.is_multicast() || network.is_unicast_link_local() {
            return Err("a route to link-local or multicast addresses, which no router forwards".to_owned());
        }
        let via = via.map(|router| unicast_v6(router)).transpose().map_err(|_| "a route whose router is no host")?;
        let preference = preference.map_or(Ok(Preference::default()), |preference| preference.parse())?;
        Ok(Self { destination: destination.trunc(), preference, via })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_ipv4_routes() {
        let route = |text: &str| text.parse::<Route4>();
        let expected =
            Route4 { destination: "198.51.100.0/24".parse().unwrap(), router: Ipv4Addr::new(192, 0, 2, 254) };
        assert_eq!(route("198.51.100.7/24  via\t192.0.2.254"), Ok(expected));
        assert_eq!(expected.to_string(), "198.51.100.0/24 via 192.0.2.254");
        assert_eq!(route("169.254.169.254/32 via 0.0.0.0").unwrap().router, Ipv4Addr::UNSPECIFIED);
        for bad in [
            "",
            "198.51.100.0/24",
            "198.51.100.0/24 via",
            "198.51.100.0 via 192.0.2.1",
            "198.51.100.0/24 to 192.0.2.1",
            "198.51.100.0/24 via 224.0.0.1",
            "198.51.100.0/24 via 192.0.2.1 low",
            "0.0.0.0/0 via 192.0.2.1",
        ] {
            assert!(route(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn reads_ipv6_routes() {
        let destination: Ipv6Net = "2001:db8:1::/48".parse().unwrap();
        let via = Some("fe80::1".parse().unwrap());
        for (text, via, preference) in [
            ("2001:db8:1::/48", None, Preference::Medium),
            ("2001:db8:1::9/48 low", None, Preference::Low),
            ("2001:db8:1::/48 via fe80::1", via, Preference::Medium),
            ("2001:db8:1::/48 via fe80::1 high", via, Preference::High),
        ] {
            let route = Route6 { destination, preference, via };
            assert_eq!(text.parse(), Ok(route), "{text}");
            assert_eq!(route.to_string().parse(), Ok(route), "{route}");
        }
        for bad in [
            "",
            "2001:db8:1::",
            "::/0",
            "fe80::/10",
            "ff00::/8",
            "2001:db8:1::/48 best",
            "2001:db8:1::/48 via ff02::1",
            "a b c d e",
        ] {
            assert!(bad.parse::<Route6>().is_err(), "{bad}");
        }
    }
}
