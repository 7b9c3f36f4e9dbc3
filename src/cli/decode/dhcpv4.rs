//! DHCPv4: the header and the options.

use std::net::Ipv4Addr;

use dhcproto::{Decodable as _, Decoder, v4};

use super::field::{Field, bytes, list, seconds};
use crate::wire::dhcpv4::{MessageType, Request, code, encode_option};
use crate::wire::{DecodeError, Layer};

/// The length of the header, with the cookie, in bytes.
const HEADER_LEN: usize = 240;

/// The options that have names here; [`value`] knows how to read them.
const NAMES: &[(u8, &str)] = &[
    (code::SUBNET_MASK, "subnet mask"),
    (code::ROUTER, "router"),
    (code::DNS_SERVER, "domain name server"),
    (code::HOST_NAME, "host name"),
    (code::DOMAIN_NAME, "domain name"),
    (code::MTU, "interface MTU"),
    (code::BROADCAST, "broadcast address"),
    (code::NTP_SERVER, "NTP server"),
    (code::LEASE_TIME, "lease time"),
    (code::OVERLOAD, "option overload"),
    (code::MESSAGE_TYPE, "message type"),
    (code::SERVER_ID, "server identifier"),
    (code::MESSAGE, "message"),
    (code::T1, "renewal time (T1)"),
    (code::T2, "rebinding time (T2)"),
    (code::VENDOR_CLASS, "vendor class"),
    (code::CLIENT_ID, "client identifier"),
    (code::TFTP_SERVER, "TFTP server name"),
    (code::BOOTFILE, "bootfile name"),
    (code::V6ONLY_PREFERRED, "IPv6-only wait"),
    (code::CAPTIVE_PORTAL, "captive portal"),
    (code::DOMAIN_SEARCH, "domain search"),
    (code::CLASSLESS_ROUTE, "classless static route"),
];

/// A message, with all that it says inside.
pub(super) fn message(payload: &[u8]) -> Result<Field, DecodeError> {
    let request = Request::parse(payload)?;
    let header = header(payload).ok_or(DecodeError::new(Layer::Dhcpv4, "header"))?;
    let name = request.message_type.map_or("BOOTP reply".to_owned(), type_name);
    let mut inside = fields(&header);
    let mut known = Vec::new();
    for (code, _) in request.options.iter() {
        if !known.contains(&code) {
            known.push(code);
            let data: Vec<u8> = request.options.parts(code).flatten().copied().collect();
            inside.push(option(code, &data));
        }
    }
    Ok(Field::new("DHCPv4", format!("{name}, xid 0x{:08x}, for {}", header.xid(), request.chaddr)).with(inside))
}

/// The header alone: options may be in it as well, and in several parts.
fn header(payload: &[u8]) -> Option<v4::Message> {
    let header = [payload.get(..HEADER_LEN)?, &[code::END]].concat();
    v4::Message::decode(&mut Decoder::new(&header)).ok()
}

/// What the header says, less what says nothing.
fn fields(header: &v4::Message) -> Vec<Field> {
    let address = |name, address: Ipv4Addr| (!address.is_unspecified()).then(|| Field::new(name, address));
    let text = |name, text: Option<&[u8]>| Some(Field::new(name, bytes(text?.split(|byte| *byte == 0).next()?)));
    let broadcast = header.flags().broadcast().then(|| Field::new("flags", "broadcast"));
    let fields = [
        broadcast,
        address("client address (ciaddr)", header.ciaddr()),
        address("your address (yiaddr)", header.yiaddr()),
        address("next server (siaddr)", header.siaddr()),
        address("relay agent (giaddr)", header.giaddr()),
        text("server name (sname)", header.sname()),
        text("boot file (file)", header.fname()),
    ];
    fields.into_iter().flatten().collect()
}

fn type_name(message_type: MessageType) -> String {
    match message_type {
        MessageType::Other(number) => format!("type {number}"),
        named => format!("{named:?}").to_ascii_uppercase(),
    }
}

fn option(code: u8, data: &[u8]) -> Field {
    // The same under two numbers (RFC 3442; what old Windows clients ask for).
    let read_as = if code == code::CLASSLESS_ROUTE_MICROSOFT { code::CLASSLESS_ROUTE } else { code };
    let name = NAMES.iter().find(|(known, _)| *known == read_as).map(|(_, name)| *name);
    let value = match (name, code) {
        (Some(_), _) => read(read_as, data),
        (None, code::FQDN) => fqdn(data),
        _ => None,
    };
    let name = match (name, code) {
        (Some(name), _) => name,
        (None, code::FQDN) => "client FQDN",
        (None, code::RAPID_COMMIT) => "rapid commit",
        _ => "option",
    };
    Field::option(code, name, value.unwrap_or_else(|| bytes(data)))
}

/// An option in words; None if it is not what it should be.
fn read(code: u8, data: &[u8]) -> Option<String> {
    // In parts of at most 255 bytes, which are put together again (RFC 3396).
    let encoded = encode_option(code, data);
    value(&v4::DhcpOption::decode(&mut Decoder::new(&encoded)).ok()?)
}

fn value(option: &v4::DhcpOption) -> Option<String> {
    use v4::DhcpOption as Is;
    Some(match option {
        Is::SubnetMask(address) | Is::BroadcastAddr(address) | Is::ServerIdentifier(address) => address.to_string(),
        Is::Router(addresses) | Is::DomainNameServer(addresses) | Is::NtpServers(addresses) => list(addresses),
        Is::Hostname(text) | Is::DomainName(text) | Is::Message(text) | Is::CaptivePortal(text) => text.clone(),
        Is::AddressLeaseTime(time) | Is::Renewal(time) | Is::Rebinding(time) | Is::Ipv6OnlyPreferred(time) => {
            seconds(*time)
        }
        Is::InterfaceMtu(mtu) => format!("{mtu} bytes"),
        Is::OptionOverload(fields) => overload(*fields).to_owned(),
        Is::MessageType(message_type) => type_name(MessageType::from_number((*message_type).into())),
        Is::ClassIdentifier(text) | Is::TFTPServerName(text) | Is::BootfileName(text) => bytes(text),
        Is::DomainSearch(names) => list(&super::dhcpv6::shown(names)),
        Is::ClasslessStaticRoute(routes) => {
            list(&routes.iter().map(|(to, via)| format!("{to} via {via}")).collect::<Vec<_>>())
        }
        _ => return None,
    })
}

/// RFC 2132 §9.3.
fn overload(fields: u8) -> &'static str {
    match fields {
        1 => "file holds options",
        2 => "sname holds options",
        3 => "file and sname hold options",
        _ => "unknown",
    }
}

/// RFC 4702 §2: flags, two octets that mean nothing any more, and the name in one form or the other.
fn fqdn(data: &[u8]) -> Option<String> {
    let ([flags, _, _], name) = data.split_first_chunk::<3>()?;
    let name = match flags & 4 {
        0 => String::from_utf8_lossy(name).into_owned(),
        _ => super::dhcpv6::name(name)?,
    };
    Some(format!("{name} (flags 0x{flags:02x})"))
}
