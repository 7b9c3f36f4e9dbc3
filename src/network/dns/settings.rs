//! Which name server is told, and how it knows us.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::str::FromStr;

use crate::wire::DomainName;

/// What `/etc/default/snf-network` says of dynamic DNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `SERVER`: who takes updates. None: nothing is done.
    pub server: Option<Server>,
    /// `FZONE`: the zone of the names. None: nothing is done.
    pub zone: Option<DomainName>,
    /// `TTL`: how long others may remember a record, in seconds. At most 2^31 - 1 (RFC 2181 §8).
    pub ttl: u32,
    /// `AUTHENTICATION_METHOD`, with the keys that belong to it.
    pub authentication: Authentication,
}

impl Settings {
    /// The usual [`ttl`](Self::ttl), in seconds.
    pub const TTL: u32 = 300;
    /// The greatest [`ttl`](Self::ttl), in seconds (RFC 2181 §8).
    pub const MAX_TTL: u32 = i32::MAX.cast_unsigned();
}

impl Default for Settings {
    fn default() -> Self {
        Self { server: None, zone: None, ttl: Self::TTL, authentication: Authentication::Plain }
    }
}

/// How the server knows that an update is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authentication {
    /// `plain`: by our address, if at all.
    Plain,
    /// `bind9`: by a key (TSIG, RFC 8945).
    Bind9 {
        /// `KEYFILE`: where the key is, as `tsig-keygen` writes it.
        keyfile: PathBuf,
    },
    /// `kerberos`: by a ticket (GSS-TSIG, RFC 3645) that `k5start` fetches.
    Kerberos(Kerberos),
}

/// Whose ticket, and how it is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kerberos {
    /// `KERBEROS_PRINCIPAL`.
    pub principal: Principal,
    /// `KERBEROS_KEYTAB`: the file with the principal's key.
    pub keytab: PathBuf,
    /// `KERBEROS_TICKET`: the file where the ticket is kept.
    pub ticket: PathBuf,
    /// `KERBEROS_KSTART_ARGS`: more arguments of `k5start`, split at blanks.
    pub kstart_args: Vec<String>,
}

/// A name of Kerberos: printable, and no option of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal(Box<str>);

impl Principal {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Principal {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_good = !text.is_empty() && !text.starts_with('-') && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_good {
            Ok(Self(text.into()))
        } else {
            Err("not a Kerberos principal, which is written as snf/node1.example.com@EXAMPLE.COM".to_owned())
        }
    }
}

/// Where a name server is: `192.0.2.53`, `2001:db8::53`, `ns1.example.com`; behind a blank its port, if not 53.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    host: Host,
    port: Option<NonZeroU16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Address(IpAddr),
    Name(DomainName),
}

impl Server {
    /// The port of DNS.
    const PORT: NonZeroU16 = NonZeroU16::new(53).unwrap();

    /// Its address or name.
    pub fn host(&self) -> String {
        match &self.host {
            Host::Address(address) => address.to_string(),
            Host::Name(name) => name.to_string(),
        }
    }

    /// Its port.
    pub fn port(&self) -> NonZeroU16 {
        self.port.unwrap_or(Self::PORT)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host())?;
        self.port.map_or(Ok(()), |port| write!(f, " {port}"))
    }
}

impl FromStr for Server {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || "not a name server, which is written as 192.0.2.53, ns1.example.com or 192.0.2.53 5353".to_owned();
        let mut words = text.split_whitespace();
        let host = words.next().and_then(read_host).ok_or_else(wrong)?;
        let port = words.next().map(|port| port.parse().map_err(|_| wrong())).transpose()?;
        if words.next().is_some() { Err(wrong()) } else { Ok(Self { host, port }) }
    }
}

/// An address, or else a name. One that begins with `-` would be an option of the programs that are given it.
fn read_host(text: &str) -> Option<Host> {
    let name = || text.parse().ok().filter(|_| !text.starts_with('-')).map(Host::Name);
    text.parse().map(Host::Address).ok().or_else(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_an_address_or_a_name_and_may_have_a_port() {
        for (text, host, port) in [
            ("192.0.2.53", "192.0.2.53", 53),
            ("2001:db8::53", "2001:db8::53", 53),
            ("ns1.example.com", "ns1.example.com", 53),
            (" 192.0.2.53  5353 ", "192.0.2.53", 5353),
        ] {
            let server: Server = text.parse().unwrap();
            assert_eq!((server.host().as_str(), server.port().get()), (host, port), "{text}");
            let again: Server = server.to_string().parse().unwrap();
            assert_eq!(again, server, "{text}");
        }
    }

    #[test]
    fn a_server_is_nothing_that_a_program_would_obey() {
        for text in
            ["", " ", "-4", "a b", "192.0.2.53 0", "192.0.2.53 65536", "192.0.2.53 53 x", "ns1;x", "ns1\tzone x"]
        {
            assert!(text.parse::<Server>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_principal_is_one_word() {
        assert_eq!("snf/n1@EXAMPLE.COM".parse::<Principal>().unwrap().as_str(), "snf/n1@EXAMPLE.COM");
        for text in ["", "a b", "-k", "a\nb", "ü"] {
            assert!(text.parse::<Principal>().is_err(), "{text}");
        }
    }
}
