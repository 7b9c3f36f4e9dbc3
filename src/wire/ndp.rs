//! Neighbour discovery (RFC 4861): solicitations read, advertisements written.
//!
//! Decoders take what follows the ICMPv6 header ([`icmpv6::Message::body`](super::icmpv6::Message)). Encoders write
//! the whole ICMPv6 message with a checksum of zero; who writes the IPv6 header fills that in.

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;

use super::{DecodeError, DomainName, Layer, MacAddr, icmpv6};

/// The hop limit of every neighbour discovery message: 255 proves that no router forwarded it (RFC 4861 §3.1).
pub const HOP_LIMIT: u8 = 255;

/// All nodes of the link (RFC 4291 §2.7.1). In a frame it goes to [`MacAddr::ALL_NODES`].
pub const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// Options are counted in units of this many bytes (RFC 4861 §4.6).
const OPTION_UNIT: usize = 8;

/// Option types: RFC 4861 §4.6, RFC 8106 §5.
mod option {
    pub(super) const SOURCE_LINK_LAYER: u8 = 1;
    pub(super) const TARGET_LINK_LAYER: u8 = 2;
    pub(super) const PREFIX_INFORMATION: u8 = 3;
    pub(super) const MTU: u8 = 5;
    pub(super) const RDNSS: u8 = 25;
    pub(super) const DNSSL: u8 = 31;
}

const fn bad(field: &'static str) -> DecodeError {
    DecodeError::new(Layer::Ndp, field)
}

/// A Router Solicitation (RFC 4861 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouterSolicitation<'a> {
    options: Options<'a>,
}

impl<'a> RouterSolicitation<'a> {
    /// Reads what follows the ICMPv6 header.
    pub fn parse(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (_reserved, options) = body.split_first_chunk::<4>().ok_or(bad("length"))?;
        Ok(Self { options: Options::parse(options)? })
    }

    /// All options, in their order.
    pub fn options(&self) -> Options<'a> {
        self.options
    }

    /// The source link-layer address option, where there is one.
    pub fn source_link_layer(&self) -> Option<MacAddr> {
        self.options.source_link_layer()
    }
}

/// A Neighbor Solicitation (RFC 4861 §4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NeighborSolicitation<'a> {
    target: Ipv6Addr,
    options: Options<'a>,
}

impl<'a> NeighborSolicitation<'a> {
    /// Reads what follows the ICMPv6 header.
    pub fn parse(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (_reserved, rest) = body.split_first_chunk::<4>().ok_or(bad("length"))?;
        let (target, options) = rest.split_first_chunk::<16>().ok_or(bad("length"))?;
        let target = Ipv6Addr::from_octets(*target);
        // RFC 4861 §7.1.1: "Target Address is not a multicast address."
        if target.is_multicast() {
            return Err(bad("Target Address"));
        }
        Ok(Self { target, options: Options::parse(options)? })
    }

    /// Whose link-layer address is asked for. Never multicast.
    pub fn target(&self) -> Ipv6Addr {
        self.target
    }

    /// All options, in their order.
    pub fn options(&self) -> Options<'a> {
        self.options
    }

    /// The source link-layer address option, where there is one.
    pub fn source_link_layer(&self) -> Option<MacAddr> {
        self.options.source_link_layer()
    }
}

/// One option of a solicitation (RFC 4861 §4.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NdpOption<'a> {
    /// Type.
    pub code: u8,
    /// What follows type and length; with these two octets a multiple of 8 bytes.
    pub data: &'a [u8],
}

/// The options of a solicitation, all lengths checked. Iterates over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options<'a> {
    rest: &'a [u8],
}

impl<'a> Options<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut rest = bytes;
        let mut source = None;
        while !rest.is_empty() {
            let (option, after) = split_option(rest)?;
            if option.code == option::SOURCE_LINK_LAYER {
                let mac = link_layer_address(option.data)?;
                // Two that disagree: one of them could slip past a check of the other.
                if source.is_some_and(|first| first != mac) {
                    return Err(bad("Source Link-Layer Address"));
                }
                source = Some(mac);
            }
            rest = after;
        }
        Ok(Self { rest: bytes })
    }

    fn source_link_layer(mut self) -> Option<MacAddr> {
        self.find(|option| option.code == option::SOURCE_LINK_LAYER).and_then(|option| MacAddr::from_slice(option.data))
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = NdpOption<'a>;

    fn next(&mut self) -> Option<NdpOption<'a>> {
        // The end of the bytes is the only error that is left after `parse`.
        let (option, rest) = split_option(self.rest).ok()?;
        self.rest = rest;
        Some(option)
    }
}

fn split_option(bytes: &[u8]) -> Result<(NdpOption<'_>, &[u8]), DecodeError> {
    let (&[code, units], rest) = bytes.split_first_chunk::<2>().ok_or(bad("option"))?;
    // RFC 4861 §4.6: "Nodes MUST silently discard an ND packet that contains an option with length zero."
    let length = (usize::from(units) * OPTION_UNIT).checked_sub(2).ok_or(bad("option length"))?;
    let (data, rest) = rest.split_at_checked(length).ok_or(bad("option length"))?;
    Ok((NdpOption { code, data }, rest))
}

/// RFC 2464 §6: on Ethernet the option is one unit long.
fn link_layer_address(data: &[u8]) -> Result<MacAddr, DecodeError> {
    <[u8; 6]>::try_from(data).map(MacAddr::new).map_err(|_| bad("Source Link-Layer Address"))
}

/// A Neighbor Advertisement (RFC 4861 §4.4), always with a target link-layer address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NeighborAdvertisement {
    /// R: the sender is a router.
    pub router: bool,
    /// S: an answer to a solicitation, sent to the asker.
    pub solicited: bool,
    /// O: replaces the link-layer address that the receiver knows.
    pub overrides: bool,
    /// Target Address.
    pub target: Ipv6Addr,
    /// Target Link-Layer Address.
    pub target_link_layer: MacAddr,
}

impl NeighborAdvertisement {
    /// The length of the ICMPv6 message in bytes.
    pub const LEN: usize = 32;

    /// The ICMPv6 message.
    pub fn encode(&self) -> [u8; Self::LEN] {
        let flags = bit(self.router, 0x80) | bit(self.solicited, 0x40) | bit(self.overrides, 0x20);
        let mut message = [0; Self::LEN];
        message[0] = icmpv6::NEIGHBOR_ADVERTISEMENT;
        message[4] = flags;
        message[8..24].copy_from_slice(&self.target.octets());
        message[24] = option::TARGET_LINK_LAYER;
        message[25] = 1;
        message[26..].copy_from_slice(&self.target_link_layer.octets());
        message
    }
}

/// What a Router Advertisement says before its options (RFC 4861 §4.2). Its options follow, each by its own `encode`.
///
/// The reachable and retransmission timers are left to the host (zero), the preference is medium (RFC 4191 §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouterAdvertisement {
    /// Cur Hop Limit; zero leaves it to the host.
    pub cur_hop_limit: u8,
    /// M: addresses are given by DHCPv6.
    pub managed: bool,
    /// O: other configuration is given by DHCPv6.
    pub other: bool,
    /// Router Lifetime in seconds; zero means "no default router".
    pub router_lifetime: u16,
}

impl RouterAdvertisement {
    /// Appends the ICMPv6 message as far as the options.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let flags = bit(self.managed, 0x80) | bit(self.other, 0x40);
        out.extend([icmpv6::ROUTER_ADVERTISEMENT, 0, 0, 0]);
        out.extend([self.cur_hop_limit, flags]);
        out.extend(self.router_lifetime.to_be_bytes());
        out.extend([0; 8]);
    }
}

/// The source link-layer address option (RFC 4861 §4.6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceLinkLayer(
    /// The sender's address.
    pub MacAddr,
);

impl SourceLinkLayer {
    /// Appends the option.
    pub fn encode(&self, out: &mut Vec<u8>) {
        push_option(out, option::SOURCE_LINK_LAYER, |out| {
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
        push_option(out, option::MTU, |out| {
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
        push_option(out, option::PREFIX_INFORMATION, |out| {
            out.extend([self.prefix.prefix_len(), flags]);
            out.extend(self.valid_lifetime.to_be_bytes());
            out.extend(self.preferred_lifetime.to_be_bytes());
            out.extend([0; 4]);
            out.extend(self.prefix.network().octets());
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
            push_option(out, option::RDNSS, |out| {
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
            push_option(out, option::DNSSL, |out| {
                out.extend([0, 0]);
                out.extend(self.lifetime.to_be_bytes());
                for name in names {
                    name.encode(out, true);
                }
            });
        }
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

const fn bit(set: bool, mask: u8) -> u8 {
    if set { mask } else { 0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GUEST: MacAddr = MacAddr::new([0xaa, 0, 0, 0, 0, 1]);
    const SLLA: [u8; 8] = [1, 1, 0xaa, 0, 0, 0, 0, 1];

    fn router_solicitation(options: &[&[u8]]) -> Vec<u8> {
        [&[0; 4], options.concat().as_slice()].concat()
    }

    fn neighbor_solicitation(target: &str, options: &[&[u8]]) -> Vec<u8> {
        let target: Ipv6Addr = target.parse().unwrap();
        [&[0; 4], &target.octets()[..], &options.concat()].concat()
    }

    #[test]
    fn reads_a_router_solicitation() {
        let nonce = [14, 1, 1, 2, 3, 4, 5, 6];
        let body = router_solicitation(&[&nonce, &SLLA]);
        let solicitation = RouterSolicitation::parse(&body).unwrap();
        let codes: Vec<_> = solicitation.options().map(|option| option.code).collect();
        assert_eq!(codes, [14, 1]);
        assert_eq!(solicitation.source_link_layer(), Some(GUEST));
    }

    #[test]
    fn reads_a_neighbor_solicitation() {
        let body = neighbor_solicitation("2001:db8::1", &[]);
        let solicitation = NeighborSolicitation::parse(&body).unwrap();
        assert_eq!(solicitation.target().to_string(), "2001:db8::1");
        assert_eq!(solicitation.source_link_layer(), None);
        assert_eq!(solicitation.options().count(), 0);
    }

    #[test]
    fn refuses_bad_options() {
        let other = [1, 1, 0xaa, 0, 0, 0, 0, 2];
        let mut long = [0; 16];
        long[..2].copy_from_slice(&[1, 2]);
        let cases: [(&[&[u8]], &str); 7] = [
            (&[&[1]], "option"),
            (&[&[0, 0]], "option length"),
            (&[&SLLA, &[14, 0, 0, 0, 0, 0, 0, 0]], "option length"),
            (&[&[14, 2, 0, 0, 0, 0, 0, 0]], "option length"),
            (&[&SLLA[..7]], "option length"),
            (&[&long], "Source Link-Layer Address"),
            (&[&SLLA, &other], "Source Link-Layer Address"),
        ];
        for (options, field) in cases {
            let router = router_solicitation(options);
            let neighbor = neighbor_solicitation("2001:db8::1", options);
            let expected = Err(bad(field));
            assert_eq!(RouterSolicitation::parse(&router).map(|_| ()), expected);
            assert_eq!(NeighborSolicitation::parse(&neighbor).map(|_| ()), expected);
        }
    }

    #[test]
    fn refuses_short_bodies_and_multicast_targets() {
        assert_eq!(RouterSolicitation::parse(&[0; 3]), Err(bad("length")));
        assert_eq!(NeighborSolicitation::parse(&[0; 19]), Err(bad("length")));
        let body = neighbor_solicitation("ff02::1", &[]);
        assert_eq!(NeighborSolicitation::parse(&body), Err(bad("Target Address")));
    }

    #[test]
    fn a_repeated_source_link_layer_address_is_no_contradiction() {
        let body = router_solicitation(&[&SLLA, &SLLA]);
        let solicitation = RouterSolicitation::parse(&body).unwrap();
        assert_eq!(solicitation.source_link_layer(), Some(GUEST));
    }

    #[test]
    fn writes_a_neighbor_advertisement() {
        let message = NeighborAdvertisement {
            router: true,
            solicited: false,
            overrides: true,
            target: "2001:db8::1".parse().unwrap(),
            target_link_layer: GUEST,
        }
        .encode();
        let expected = [
            136, 0, 0, 0, 0xa0, 0, 0, 0, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, //
            2, 1, 0xaa, 0, 0, 0, 0, 1,
        ];
        assert_eq!(message, expected);
    }

    #[test]
    fn writes_the_fixed_part_of_a_router_advertisement() {
        let mut out = Vec::new();
        RouterAdvertisement { cur_hop_limit: 64, managed: false, other: true, router_lifetime: 1800 }.encode(&mut out);
        assert_eq!(out, [134, 0, 0, 0, 64, 0x40, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
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
        SourceLinkLayer(GUEST).encode(&mut out);
        Mtu(1500).encode(&mut out);
        assert_eq!(out[..8], SLLA);
        assert_eq!(out[8..], [5, 1, 0, 0, 0, 0, 5, 220]);
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
        let mut out = vec![0; 4];
        Rdnss { lifetime: 1, servers: &servers }.encode(&mut out);
        let solicitation = RouterSolicitation::parse(&out).unwrap();
        let lengths: Vec<_> = solicitation.options().map(|option| option.data.len()).collect();
        assert_eq!(lengths, [6 + 127 * 16, 6 + 16]);
    }

    #[test]
    fn the_longest_names_fit_their_options() {
        let label = "a".repeat(63);
        let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
        let names = vec![longest.parse().unwrap(); 8];
        let mut out = vec![0; 4];
        Dnssl { lifetime: 1, names: &names }.encode(&mut out);
        let solicitation = RouterSolicitation::parse(&out).unwrap();
        assert_eq!(solicitation.options().count(), 2);
    }

    #[test]
    fn says_nothing_about_nothing() {
        let mut out = Vec::new();
        Rdnss { lifetime: 1, servers: &[] }.encode(&mut out);
        Dnssl { lifetime: 1, names: &[] }.encode(&mut out);
        assert!(out.is_empty());
    }

    proptest! {
        #[test]
        fn takes_any_bytes(body in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(solicitation) = RouterSolicitation::parse(&body) {
                let seen: usize = solicitation.options().map(|option| option.data.len() + 2).sum();
                prop_assert_eq!(seen, body.len() - 4);
            }
            let _ = NeighborSolicitation::parse(&body);
        }

        #[test]
        fn finds_the_address_among_options(codes in prop::collection::vec(2..=255u8, 0..9)) {
            let mut body = vec![0; 4];
            for code in codes {
                body.extend([code, 1, 0, 0, 0, 0, 0, 0]);
            }
            body.extend(SLLA);
            let solicitation = RouterSolicitation::parse(&body).unwrap();
            prop_assert_eq!(solicitation.source_link_layer(), Some(GUEST));
        }
    }
}
