//! The options of advertisements. Each appends itself to a message.

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;

use super::{OPTION_UNIT, Preference, bit, code};
use crate::wire::{DomainName, MacAddr};

/// The source link-layer address option (RFC 4861 §4.6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceLinkLayer(
    /// The sender's address.
    pub MacAddr,
);

impl SourceLinkLayer {
    /// Appends the option.
    pub fn encode(&self, out: &mut Vec<u8>) {
        push_option(out, code::SOURCE_LINK_LAYER, |out| {
            out.extend(self.0.octets());
        });
    }
}

/// The MTU option (RFC 4861 §4.6.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mtu(
    /// The MTU of the link in bytes.
    pub u32,
);

impl Mtu {
    /// Appends the option.
    pub fn encode(&self, out: &mut Vec<u8>) {
        push_option(out, code::MTU, |out| {
            out.extend([0, 0]);
            out.extend(self.0.to_be_bytes());
        });
    }
}

/// The prefix information option (RFC 4861 §4.6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrefixInformation {
    /// The prefix, without host bits.
    pub prefix: Ipv6Net,
    /// L: addresses of the prefix are neighbours.
    pub on_link: bool,
    /// A: for stateless address autoconfiguration.
    pub autonomous: bool,
    /// Valid Lifetime in seconds; `u32::MAX` is for ever.
    pub valid_lifetime: u32,
    /// Preferred Lifetime in seconds, at most the valid one.
    pub preferred_lifetime: u32,
}

impl PrefixInformation {
    /// Appends the option.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let flags = bit(self.on_link, 0x80) | bit(self.autonomous, 0x40);
        push_option(out, code::PREFIX_INFORMATION, |out| {
            out.extend([self.prefix.prefix_len(), flags]);
            out.extend(self.valid_lifetime.to_be_bytes());
            out.extend(self.preferred_lifetime.to_be_bytes());
            out.extend([0; 4]);
            out.extend(self.prefix.network().octets());
        });
    }
}

/// The route information option (RFC 4191 §2.3): a route to the router that sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteInformation {
    /// Where to, without host bits.
    pub prefix: Ipv6Net,
    /// Prf: how this router compares with others for this prefix.
    pub preference: Preference,
    /// Route Lifetime in seconds; zero withdraws the route, `u32::MAX` is for ever.
    pub lifetime: u32,
}

impl RouteInformation {
    /// Appends the option.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let prefix_len = self.prefix.prefix_len();
        // RFC 4191 §2.3: the prefix takes no more units than its length asks for.
        let units = match prefix_len {
            0 => 0,
            1..=64 => 1,
            _ => 2,
        };
        push_option(out, code::ROUTE_INFORMATION, |out| {
            out.extend([prefix_len, self.preference.bits()]);
            out.extend(self.lifetime.to_be_bytes());
            out.extend(self.prefix.network().octets().iter().take(units * OPTION_UNIT));
        });
    }
}

/// Recursive DNS server options (RFC 8106 §5.1): none without servers, several where one cannot hold them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rdnss<'a> {
    /// Lifetime in seconds; zero withdraws the servers, `u32::MAX` is for ever.
    pub lifetime: u32,
    /// Addresses of IPv6 Recursive DNS Servers.
    pub servers: &'a [Ipv6Addr],
}

impl Rdnss<'_> {
    /// 8 bytes and 16 for each server, in a length octet that counts 8 bytes: 255 = 1 + 2 × 127.
    const MAX_SERVERS: usize = 127;

    /// Appends the options.
    pub fn encode(&self, out: &mut Vec<u8>) {
        for servers in self.servers.chunks(Self::MAX_SERVERS) {
            push_option(out, code::RDNSS, |out| {
                out.extend([0, 0]);
                out.extend(self.lifetime.to_be_bytes());
                out.extend(servers.iter().flat_map(Ipv6Addr::octets));
            });
        }
    }
}

/// DNS search list options (RFC 8106 §5.2): none without names, several where one may not hold them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dnssl<'a> {
    /// Lifetime in seconds; zero withdraws the names, `u32::MAX` is for ever.
    pub lifetime: u32,
    /// Domain Names of DNS Search List.
    pub names: &'a [DomainName],
}

impl Dnssl<'_> {
    /// An option holds 255 × 8 bytes: 8 and as many names of the greatest length, 255 bytes, as these.
    const MAX_NAMES: usize = 7;

    /// Appends the options.
    pub fn encode(&self, out: &mut Vec<u8>) {
        for names in self.names.chunks(Self::MAX_NAMES) {
            push_option(out, code::DNSSL, |out| {
                out.extend([0, 0]);
                out.extend(self.lifetime.to_be_bytes());
                for name in names {
                    name.encode(out, true);
                }
            });
        }
    }
}

/// The PREF64 option (RFC 8781 §4): the prefix of the NAT64 that leads to IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pref64 {
    /// Lifetime in seconds, a multiple of 8; zero withdraws the prefix.
    pub lifetime: u16,
    /// The prefix, without host bits, of 96, 64, 56, 48, 40 or 32 bits. No other length can be said.
    pub prefix: Ipv6Net,
}

impl Pref64 {
    /// The prefix without the 32 bits that an IPv4 address takes, in bytes.
    const PREFIX_BYTES: usize = 12;

    /// Appends the option; nothing where its prefix cannot be said.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let Some(length_code) = self.prefix_length_code() else { return };
        push_option(out, code::PREF64, |out| {
            // Scaled Lifetime counts 8 seconds and stands three bits to the left: in its place it is the lifetime itself.
            let scaled_lifetime = self.lifetime & !0b111;
            out.extend((scaled_lifetime | length_code).to_be_bytes());
            out.extend(self.prefix.network().octets().iter().take(Self::PREFIX_BYTES));
        });
    }

    /// `PLC` (RFC 8781 §4).
    fn prefix_length_code(&self) -> Option<u16> {
        match self.prefix.prefix_len() {
            96 => Some(0),
            64 => Some(1),
            56 => Some(2),
            48 => Some(3),
            40 => Some(4),
            32 => Some(5),
            _ => None,
        }
    }
}

/// The captive portal option (RFC 8910 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaptivePortal<'a>(
    /// The URI of the portal's API, of at most 2,038 bytes, which is what an option holds.
    pub &'a str,
);

impl CaptivePortal<'_> {
    /// In place of a portal's: there is none (RFC 8910 §2).
    pub const UNRESTRICTED: &'static str = "urn:ietf:params:capport:unrestricted";

    /// Appends the option, padded with NUL.
    pub fn encode(&self, out: &mut Vec<u8>) {
        push_option(out, code::CAPTIVE_PORTAL, |out| out.extend_from_slice(self.0.as_bytes()));
    }
}

/// Appends one option: its type, its length, what `write_data` appends, and zeros up to a multiple of 8 bytes.
///
/// The whole may take 255 × 8 bytes; callers see to that.
fn push_option(out: &mut Vec<u8>, code: u8, write_data: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend([code, 0]);
    write_data(out);
    let units = (out.len() - start).div_ceil(OPTION_UNIT);
    out.resize(start + units * OPTION_UNIT, 0);
    if let Some(length) = out.get_mut(start + 1) {
        *length = units as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::super::RouterSolicitation;
    use super::*;

    fn net(text: &str) -> Ipv6Net {
        text.parse().unwrap()
    }

    /// The lengths of the options, without type and length.
    fn lengths(options: &[u8]) -> Vec<usize> {
        let body = [&[0; 4], options].concat();
        RouterSolicitation::parse(&body).unwrap().options().map(|option| option.data.len()).collect()
    }

    #[test]
    fn writes_a_prefix() {
        let mut out = Vec::new();
        PrefixInformation {
            prefix: "2001:db8::/64".parse().unwrap(),
            on_link: true,
            autonomous: false,
            valid_lifetime: 0x0102_0304,
            preferred_lifetime: 5,
        }
        .encode(&mut out);
        let expected = [
            3, 4, 64, 0x80, 1, 2, 3, 4, 0, 0, 0, 5, 0, 0, 0, 0, //
            0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ];
        assert_eq!(out, expected);
    }

    #[test]
    fn writes_link_layer_address_and_mtu() {
        let mut out = Vec::new();
        SourceLinkLayer(MacAddr::new([0xaa, 0, 0, 0, 0, 1])).encode(&mut out);
        Mtu(1500).encode(&mut out);
        assert_eq!(out, [1, 1, 0xaa, 0, 0, 0, 0, 1, 5, 1, 0, 0, 0, 0, 5, 220]);
    }

    /// RFC 4191 §2.3, the figure: type, length, prefix length, Prf in the middle of its octet, lifetime, prefix.
    #[test]
    fn writes_a_route_as_long_as_its_prefix() {
        use Preference::{High, Low, Medium};
        let cases: [(&str, Preference, &[u8]); 6] = [
            ("::/0", Medium, &[24, 1, 0, 0, 1, 2, 3, 4]),
            ("2001:db8::/32", High, &[24, 2, 32, 8, 1, 2, 3, 4, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0]),
            ("8000::/1", Low, &[24, 2, 1, 0x18, 1, 2, 3, 4, 0x80, 0, 0, 0, 0, 0, 0, 0]),
            ("2001:db8:0:1::/64", Medium, &[24, 2, 64, 0, 1, 2, 3, 4, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 1]),
            (
                "2001:db8::8000:0:0:0/65",
                Low,
                &[24, 3, 65, 0x18, 1, 2, 3, 4, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0],
            ),
            (
                "2001:db8::5/128",
                High,
                &[24, 3, 128, 8, 1, 2, 3, 4, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5],
            ),
        ];
        for (prefix, preference, expected) in cases {
            let mut out = Vec::new();
            RouteInformation { prefix: net(prefix), preference, lifetime: 0x0102_0304 }.encode(&mut out);
            assert_eq!(out, expected, "{prefix}");
        }
    }

    /// RFC 8781 §4, the figure: 13 bits of lifetime, 3 bits for the length, 96 bits of prefix.
    #[test]
    fn writes_the_prefix_of_a_nat64() {
        let prefix = net("64:ff9b::/96");
        let cases = [(0, [0, 0]), (8, [0, 8]), (1800, [7, 8]), (65_528, [0xff, 0xf8]), (65_535, [0xff, 0xf8])];
        for (lifetime, expected) in cases {
            let mut out = Vec::new();
            Pref64 { lifetime, prefix }.encode(&mut out);
            assert_eq!(out[..4], [38, 2, expected[0], expected[1]], "{lifetime}");
            assert_eq!(out[4..], [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]);
        }
    }

    #[test]
    fn says_six_lengths_of_a_nat64_prefix() {
        let codes = [(96, 0), (64, 1), (56, 2), (48, 3), (40, 4), (32, 5)];
        for length in 0..=128 {
            let mut out = Vec::new();
            let prefix = Ipv6Net::new_assert("2001:db8:102:304:506:708:90a:b0c".parse().unwrap(), length).trunc();
            Pref64 { lifetime: 600, prefix }.encode(&mut out);
            let code = codes.iter().find(|(known, _)| *known == length).map(|(_, code)| *code);
            let octets = prefix.network().octets();
            let expected = code.map(|code| [&[38, 2, 2, 0x58 | code], &octets[..12]].concat());
            assert_eq!(out, expected.unwrap_or_default(), "{length}");
        }
    }

    /// RFC 8910 §2.3: NUL up to a multiple of 8 bytes, and none where it is one.
    #[test]
    fn pads_the_uri_of_a_portal() {
        let cases: [(&str, &[u8]); 3] = [
            ("urn:xx", b"\x25\x01urn:xx"),
            ("urn:xxx", b"\x25\x02urn:xxx\0\0\0\0\0\0\0"),
            ("https://p.test", b"\x25\x02https://p.test"),
        ];
        for (uri, expected) in cases {
            let mut out = Vec::new();
            CaptivePortal(uri).encode(&mut out);
            assert_eq!(out, expected, "{uri}");
        }
    }

    #[test]
    fn pads_a_search_list() {
        let mut out = Vec::new();
        let names = ["a.example".parse().unwrap()];
        Dnssl { lifetime: 9, names: &names }.encode(&mut out);
        assert_eq!(out, b"\x1f\x03\0\0\0\0\0\x09\x01a\x07example\0\0\0\0\0\0");
    }

    #[test]
    fn splits_what_one_option_cannot_hold() {
        let servers = vec![Ipv6Addr::LOCALHOST; 128];
        let mut out = Vec::new();
        Rdnss { lifetime: 1, servers: &servers }.encode(&mut out);
        assert_eq!(lengths(&out), [6 + 127 * 16, 6 + 16]);
    }

    #[test]
    fn the_longest_names_fit_their_options() {
        let label = "a".repeat(63);
        let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
        let names = vec![longest.parse().unwrap(); 8];
        let mut out = Vec::new();
        Dnssl { lifetime: 1, names: &names }.encode(&mut out);
        assert_eq!(lengths(&out).len(), 2);
    }

    #[test]
    fn says_nothing_about_nothing() {
        let mut out = Vec::new();
        Rdnss { lifetime: 1, servers: &[] }.encode(&mut out);
        Dnssl { lifetime: 1, names: &[] }.encode(&mut out);
        assert!(out.is_empty());
    }
}
