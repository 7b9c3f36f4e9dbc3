//! Neighbour discovery: Router and Neighbor Advertisements.

use std::net::Ipv6Addr;

use super::dhcpv6::names;
use super::field::{Field, Read, bytes, list, seconds};
use crate::wire::{DecodeError, Layer, MacAddr, icmpv6};

/// Every option that is read, and how, from its data on.
const OPTIONS: &[(u8, &str, Read)] = &[
    (1, "link-layer address", link_layer),
    (2, "link-layer address", link_layer),
    (3, "prefix", prefix),
    (5, "MTU", |data| Some(format!("{} bytes", u32_at(data, 2)?))),
    (24, "route", route),
    (25, "DNS server (RDNSS)", rdnss),
    (31, "domain search (DNSSL)", dnssl),
    (37, "captive portal", captive_portal),
    (38, "NAT64 prefix (PREF64)", pref64),
];

/// A message, with all that it says inside.
pub(super) fn message(payload: &[u8]) -> Result<Field, DecodeError> {
    let icmpv6::Message { message_type, body, .. } = icmpv6::Message::parse(payload)?;
    let too_short = || DecodeError::new(Layer::Ndp, "length");
    match message_type {
        icmpv6::ROUTER_ADVERTISEMENT => router(body).ok_or_else(too_short),
        icmpv6::NEIGHBOR_ADVERTISEMENT => neighbor(body).ok_or_else(too_short),
        other => Ok(Field::new("ICMPv6", format!("type {other}"))),
    }
}

/// RFC 4861 §4.2, and the preference of RFC 4191 §2.2.
fn router(body: &[u8]) -> Option<Field> {
    let ([hop_limit, flags, high, low], rest) = body.split_first_chunk::<4>()?;
    let (times, rest) = rest.split_first_chunk::<8>()?;
    let lifetime = u16::from_be_bytes([*high, *low]);
    let mut inside = vec![
        Field::new("flags", flag_names(*flags, &[(0x80, "managed (M)"), (0x40, "other (O)")])),
        Field::new("router lifetime", default_router(lifetime)),
        Field::new("router preference", preference(*flags)),
        Field::new("hop limit", hop_limit),
    ];
    let times = [("reachable time", u32_at(times, 0)?), ("retransmission timer", u32_at(times, 4)?)];
    let set = times.into_iter().filter(|(_, time)| *time != 0);
    inside.extend(set.map(|(name, time)| Field::new(name, format!("{time} ms"))));
    inside.extend(options(rest));
    Some(Field::new("ICMPv6", "Router Advertisement").with(inside))
}

fn default_router(lifetime: u16) -> String {
    if lifetime == 0 { "0 s: no default route by this router".to_owned() } else { seconds(lifetime.into()) }
}

/// RFC 4861 §4.4.
fn neighbor(body: &[u8]) -> Option<Field> {
    let ([flags, ..], rest) = body.split_first_chunk::<4>()?;
    let (target, rest) = rest.split_first_chunk::<16>()?;
    let known = [(0x80, "router (R)"), (0x40, "solicited (S)"), (0x20, "override (O)")];
    let mut inside =
        vec![Field::new("flags", flag_names(*flags, &known)), Field::new("target", Ipv6Addr::from(*target))];
    inside.extend(options(rest));
    Some(Field::new("ICMPv6", "Neighbor Advertisement").with(inside))
}

fn flag_names(flags: u8, known: &[(u8, &str)]) -> String {
    let set: Vec<&str> = known.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, name)| *name).collect();
    if set.is_empty() { "none".to_owned() } else { list(&set) }
}

/// Options one behind the other (RFC 4861 §4.6).
fn options(mut rest: &[u8]) -> Vec<Field> {
    let mut fields = Vec::new();
    while let Some((code, data, after)) = split(rest) {
        let known = OPTIONS.iter().find(|(known, ..)| *known == code);
        let value = known.and_then(|(_, _, read)| read(data)).unwrap_or_else(|| bytes(data));
        fields.push(Field::option(code, known.map_or("option", |(_, name, _)| name), value));
        rest = after;
    }
    if !rest.is_empty() {
        fields.push(Field::new("malformed", bytes(rest)));
    }
    fields
}

/// The first option: its type, its data, and what follows. None where its length is no length.
fn split(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [code, units, ..] = *bytes else { return None };
    let (option, after) = bytes.split_at_checked(usize::from(units) * 8)?;
    Some((code, option.get(2..)?, after))
}

fn link_layer(data: &[u8]) -> Option<String> {
    MacAddr::from_slice(data).map(|mac| mac.to_string())
}

/// RFC 4861 §4.6.2.
fn prefix(data: &[u8]) -> Option<String> {
    let [length, flags, ..] = *data else { return None };
    let flags = flag_names(flags, &[(0x80, "on-link (L)"), (0x40, "autonomous (A)")]);
    let (valid, preferred) = (seconds(u32_at(data, 2)?), seconds(u32_at(data, 6)?));
    Some(format!("{}/{length}, {flags}, valid {valid}, preferred {preferred}", address_of(data.get(14..)?)))
}

/// RFC 4191 §2.3: as much of the prefix as is needed.
fn route(data: &[u8]) -> Option<String> {
    let [length, flags, ..] = *data else { return None };
    let (lifetime, preference) = (seconds(u32_at(data, 2)?), preference(flags));
    Some(format!("{}/{length}, preference {preference}, lifetime {lifetime}", address_of(data.get(6..)?)))
}

/// RFC 8106 §5.1.
fn rdnss(data: &[u8]) -> Option<String> {
    let (servers, _) = data.get(6..)?.as_chunks::<16>();
    let servers: Vec<Ipv6Addr> = servers.iter().copied().map(Ipv6Addr::from).collect();
    Some(format!("{}, lifetime {}", list(&servers), seconds(u32_at(data, 2)?)))
}

/// RFC 8106 §5.2.
fn dnssl(data: &[u8]) -> Option<String> {
    Some(format!("{}, lifetime {}", list(&names(data.get(6..)?)?), seconds(u32_at(data, 2)?)))
}

/// RFC 8910 §2.3: padded with zeros.
fn captive_portal(data: &[u8]) -> Option<String> {
    Some(std::str::from_utf8(data).ok()?.trim_end_matches('\0').to_owned())
}

/// RFC 8781 §4: a lifetime in units of 8 seconds, and a code for the length of the prefix.
fn pref64(data: &[u8]) -> Option<String> {
    let (scaled, prefix) = data.split_first_chunk::<2>()?;
    let scaled = u16::from_be_bytes(*scaled);
    let length = [96, 64, 56, 48, 40, 32].get(usize::from(scaled & 7))?;
    Some(format!("{}/{length}, lifetime {}", address_of(prefix), seconds((scaled & !7).into())))
}

/// Prf (RFC 4191 §2.1), in the two bits where both messages have it.
fn preference(flags: u8) -> &'static str {
    match flags >> 3 & 3 {
        0b01 => "high",
        0b11 => "low",
        _ => "medium",
    }
}

/// The address that begins with these bytes.
fn address_of(bytes: &[u8]) -> Ipv6Addr {
    let mut octets = [0; 16];
    octets.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    Ipv6Addr::from(octets)
}

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*data.get(at..)?.first_chunk()?))
}
