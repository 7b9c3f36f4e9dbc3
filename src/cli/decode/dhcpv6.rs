//! DHCPv6: the header and the options.

use std::net::Ipv6Addr;

use dhcproto::{Decodable as _, Decoder, Name, v6};

use super::field::{Field, Read, bytes, list, seconds};
use crate::wire::DecodeError;
use crate::wire::dhcpv6::{HEADER_LEN, Message, MessageType, encode_option, option};

/// How deep options are looked for: leases in an identity association, and a status in a lease.
const DEPTH: usize = 2;

/// Every option that is read, and how.
const OPTIONS: &[(u16, &str, Read)] = &[
    (option::CLIENT_ID, "client identifier", |data| Some(bytes(data))),
    (option::SERVER_ID, "server identifier", |data| Some(bytes(data))),
    (option::PREFERENCE, "preference", |data| leaf(option::PREFERENCE, data)),
    (option::STATUS_CODE, "status code", |data| leaf(option::STATUS_CODE, data)),
    (option::RAPID_COMMIT, "rapid commit", |_| Some(String::new())),
    (option::DNS_SERVERS, "DNS server", |data| leaf(option::DNS_SERVERS, data)),
    (option::DOMAIN_LIST, "domain search", |data| leaf(option::DOMAIN_LIST, data)),
    (option::SNTP_SERVERS, "SNTP server", |data| leaf(option::DNS_SERVERS, data)),
    (option::INFORMATION_REFRESH_TIME, "information refresh time", time),
    (option::CLIENT_FQDN, "client FQDN", fqdn),
    (option::NTP_SERVER, "NTP server", |data| leaf(option::NTP_SERVER, data)),
    (option::SOL_MAX_RT, "SOL_MAX_RT", time),
    (option::INF_MAX_RT, "INF_MAX_RT", time),
    (option::CAPTIVE_PORTAL, "captive portal", |data| Some(std::str::from_utf8(data).ok()?.to_owned())),
];

/// A message, with all that it says inside.
pub(super) fn message(payload: &[u8]) -> Result<Field, DecodeError> {
    let message = Message::parse(payload)?;
    let name = match message.message_type {
        MessageType::InformationRequest => "Information-Request".to_owned(),
        MessageType::Other(number) => format!("type {number}"),
        named => format!("{named:?}"),
    };
    let [a, b, c] = message.transaction_id;
    let inside = options(payload.get(HEADER_LEN..).unwrap_or_default(), 0);
    Ok(Field::new("DHCPv6", format!("{name}, xid 0x{a:02x}{b:02x}{c:02x}")).with(inside))
}

/// Options one behind the other.
fn options(mut rest: &[u8], depth: usize) -> Vec<Field> {
    let mut fields = Vec::new();
    while let Some((code, data, after)) = split(rest) {
        fields.push(one(code, data, depth));
        rest = after;
    }
    if !rest.is_empty() {
        fields.push(Field::new("malformed", bytes(rest)));
    }
    fields
}

/// The first option: its code, its data, and what follows.
fn split(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let ([code_high, code_low, high, low], rest) = bytes.split_first_chunk::<4>()?;
    let (data, after) = rest.split_at_checked(u16::from_be_bytes([*high, *low]).into())?;
    Some((u16::from_be_bytes([*code_high, *code_low]), data, after))
}

fn one(code: u16, data: &[u8], depth: usize) -> Field {
    if let Some(field) = (depth < DEPTH).then(|| nesting(code, data, depth + 1)).flatten() {
        return field;
    }
    let known = OPTIONS.iter().find(|(known, ..)| *known == code);
    let value = known.and_then(|(_, _, read)| read(data)).unwrap_or_else(|| bytes(data));
    Field::option(code, known.map_or("option", |(_, name, _)| name), value)
}

/// An option with others inside (RFC 8415 §21.4 to §21.6, §21.21, §21.22); None if it is none.
fn nesting(code: u16, data: &[u8], depth: usize) -> Option<Field> {
    let (name, value, rest) = match code {
        option::IA_NA => with_times("addresses (IA_NA)", data)?,
        option::IA_PD => with_times("prefixes (IA_PD)", data)?,
        option::IA_ADDRESS => address(data)?,
        option::IA_PREFIX => prefix(data)?,
        _ => return None,
    };
    Some(Field::option(code, name, value).with(options(rest, depth)))
}

type Head<'a> = (&'static str, String, &'a [u8]);

fn with_times<'a>(name: &'static str, data: &'a [u8]) -> Option<Head<'a>> {
    let (iaid, rest) = u32_of(data)?;
    let (t1, rest) = u32_of(rest)?;
    let (t2, rest) = u32_of(rest)?;
    Some((name, format!("IAID 0x{iaid:08x}, T1 {}, T2 {}", seconds(t1), seconds(t2)), rest))
}

fn address(data: &[u8]) -> Option<Head<'_>> {
    let (address, rest) = data.split_first_chunk::<16>()?;
    let (lifetimes, rest) = lifetimes(rest)?;
    Some(("address", format!("{}, {lifetimes}", Ipv6Addr::from(*address)), rest))
}

fn prefix(data: &[u8]) -> Option<Head<'_>> {
    let (lifetimes, rest) = lifetimes(data)?;
    let (length, rest) = rest.split_first()?;
    let (prefix, rest) = rest.split_first_chunk::<16>()?;
    Some(("prefix", format!("{}/{length}, {lifetimes}", Ipv6Addr::from(*prefix)), rest))
}

fn lifetimes(data: &[u8]) -> Option<(String, &[u8])> {
    let (preferred, rest) = u32_of(data)?;
    let (valid, rest) = u32_of(rest)?;
    Some((format!("preferred {}, valid {}", seconds(preferred), seconds(valid)), rest))
}

fn u32_of(data: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = data.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*number), rest))
}

fn time(data: &[u8]) -> Option<String> {
    Some(seconds(u32_of(data)?.0))
}

/// What `dhcproto` makes of an option that has no others inside.
fn leaf(code: u16, data: &[u8]) -> Option<String> {
    use v6::DhcpOption as Is;
    Some(match decoded(code, data)? {
        Is::Preference(preference) => preference.to_string(),
        Is::StatusCode(status) => format!("{:?}: {}", status.status, status.msg),
        Is::DomainNameServers(addresses) => list(&addresses),
        Is::DomainSearchList(names) => list(&shown(&names)),
        Is::NtpServer(servers) => list(&servers.iter().map(ntp_server).collect::<Vec<_>>()),
        _ => return None,
    })
}

fn decoded(code: u16, data: &[u8]) -> Option<v6::DhcpOption> {
    let mut encoded = Vec::new();
    encode_option(&mut encoded, code, data);
    v6::DhcpOption::decode(&mut Decoder::new(&encoded)).ok()
}

fn ntp_server(server: &v6::NtpSuboption) -> String {
    match server {
        v6::NtpSuboption::ServerAddress(address) | v6::NtpSuboption::MulticastAddress(address) => address.to_string(),
        v6::NtpSuboption::FQDN(name) => shown(std::slice::from_ref(name)).concat(),
    }
}

/// RFC 4704 §4: flags, and a name in label form.
fn fqdn(data: &[u8]) -> Option<String> {
    let (flags, name) = data.split_first()?;
    Some(format!("{} (flags 0x{flags:02x})", self::name(name)?))
}

/// The names in label form, one behind the other, whatever pads them.
pub(super) fn names(data: &[u8]) -> Option<Vec<String>> {
    match decoded(option::DOMAIN_LIST, data)? {
        v6::DhcpOption::DomainSearchList(names) => Some(shown(&names)),
        _ => None,
    }
}

/// A name in label form, with its root label or without.
pub(super) fn name(data: &[u8]) -> Option<String> {
    names(&[data, &[0]].concat())?.into_iter().next()
}

/// Names as people write them; padding is the name of the root, over and over.
pub(super) fn shown(names: &[Name]) -> Vec<String> {
    names.iter().filter(|name| !name.is_root()).map(|name| name.to_ascii().trim_end_matches('.').to_owned()).collect()
}
