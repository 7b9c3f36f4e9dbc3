//! What a client sent, read in place.

use std::net::Ipv4Addr;

use super::{COOKIE, CodeSet, MessageType, code, offset};
use crate::wire::{DecodeError, Layer, MacAddr};

/// How many options are read: all 254 of the greatest length, several times over. It bounds what a message of the
/// greatest length costs, which could hold thirty thousand empty ones.
const MAX_OPTIONS: usize = 1024;

/// A DHCPv4 or BOOTP message of a client, with every length checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// `op`: 1 from a client.
    pub op: u8,
    /// `chaddr`, of which `htype` and `hlen` say that it is an Ethernet address.
    pub chaddr: MacAddr,
    /// `ciaddr`: the address that the client has, or 0.0.0.0. Never multicast, broadcast or loopback.
    pub ciaddr: Ipv4Addr,
    /// `giaddr`: the relay, or 0.0.0.0. Never multicast, broadcast or loopback.
    pub giaddr: Ipv4Addr,
    /// The broadcast bit of `flags`.
    pub broadcast: bool,
    /// Option 53; None makes it a BOOTP request.
    pub message_type: Option<MessageType>,
    /// Option 50.
    pub requested_address: Option<Ipv4Addr>,
    /// Option 54.
    pub server_id: Option<Ipv4Addr>,
    /// Option 57, in bytes. One that is malformed counts as missing, as does option 81: without it the client is told less,
    /// and still gets its address.
    pub max_size: Option<u16>,
    /// Option 80.
    pub rapid_commit: bool,
    /// Option 81.
    pub fqdn: Option<Fqdn>,
    /// All options.
    pub options: Options<'a>,
    /// The whole message.
    pub(super) bytes: &'a [u8],
}

/// What matters of a client's option 81 (RFC 4702 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fqdn {
    /// S: the client wants the server to update the A record.
    pub server_updates: bool,
    /// E: the name is in label form rather than ASCII.
    pub encoded: bool,
}

impl<'a> Request<'a> {
    /// Reads the payload of a UDP datagram.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let fixed = bytes.get(..offset::COOKIE.start).ok_or(bad("length"))?;
        // RFC 1700: hardware type 1 is Ethernet, whose addresses have six octets.
        if fixed.get(1..3) != Some(&[1, 6]) {
            return Err(bad("htype or hlen"));
        }
        let options = Options::parse(bytes)?;
        let [message_type] = options.exact(code::MESSAGE_TYPE, "option 53")?.unwrap_or([0]);
        Ok(Self {
            op: fixed.first().copied().unwrap_or_default(),
            chaddr: fixed.get(offset::CHADDR).and_then(MacAddr::from_slice).ok_or(bad("chaddr"))?,
            ciaddr: host(fixed, offset::CIADDR.start).ok_or(bad("ciaddr"))?,
            giaddr: host(fixed, offset::GIADDR.start).ok_or(bad("giaddr"))?,
            broadcast: fixed.get(offset::FLAGS.start).is_some_and(|flags| flags & 0x80 != 0),
            message_type: options.contains(code::MESSAGE_TYPE).then_some(MessageType::from_number(message_type)),
            requested_address: options.address(code::REQUESTED_ADDRESS, "option 50")?,
            server_id: options.address(code::SERVER_ID, "option 54")?,
            max_size: options.value(code::MAX_SIZE).map(u16::from_be_bytes),
            rapid_commit: options.contains(code::RAPID_COMMIT),
            fqdn: options.fqdn(),
            options,
            bytes,
        })
    }
}

/// The options of a message, wherever they are: the options field, then `file`, then `sname` (RFC 2132 §9.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options<'a> {
    areas: [&'a [u8]; 3],
    /// The codes that occur: most questions are about one that does not.
    present: CodeSet,
    /// Those that occur more than once.
    repeated: CodeSet,
}

impl<'a> Options<'a> {
    /// Finds and checks the options of a message. A message without a cookie has none.
    fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut options = Self { areas: [&[]; 3], present: CodeSet::default(), repeated: CodeSet::default() };
        match bytes.get(offset::COOKIE) {
            Some(cookie) if *cookie == COOKIE => {
                options.areas[0] = options.checked(bytes.get(offset::OPTIONS..))?;
            }
            // RFC 951: a vendor area that is not used is zero.
            None | Some([0, 0, 0, 0]) => {}
            Some(_) => return Err(bad("cookie")),
        }
        let (in_file, in_sname) = match options.exact::<1>(code::OVERLOAD, "option 52")? {
            None => (false, false),
            Some([1]) => (true, false),
            Some([2]) => (false, true),
            Some([3]) => (true, true),
            Some(_) => return Err(bad("option 52")),
        };
        if in_file {
            options.areas[1] = options.checked(bytes.get(offset::FILE))?;
        }
        if in_sname {
            options.areas[2] = options.checked(bytes.get(offset::SNAME))?;
        }
        Ok(options)
    }

    /// `area`, if every option in it ends within it, and there are not too many.
    fn checked(&mut self, area: Option<&'a [u8]>) -> Result<&'a [u8], DecodeError> {
        let area = area.unwrap_or_default();
        for (index, option) in (Walk { rest: area }).enumerate() {
            let (code, _) = option?;
            if index >= MAX_OPTIONS {
                return Err(bad("option count"));
            }
            if !self.present.insert(code) {
                self.repeated.insert(code);
            }
        }
        Ok(area)
    }

    /// Every option in its order. One that was split (RFC 3396) comes in several parts.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &'a [u8])> + use<'a> {
        walk(self.areas)
    }

    /// The parts of the option `code`, to be read as one (RFC 3396 §5).
    pub fn parts(&self, code: u8) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let is_repeated = self.repeated.contains(code);
        let only = if is_repeated { None } else { self.first(code) };
        let areas = if is_repeated { self.areas } else { Default::default() };
        only.into_iter().chain(walk(areas).filter(move |(found, _)| *found == code).map(|(_, value)| value))
    }

    /// The option `code`, or the first part of it.
    fn first(&self, code: u8) -> Option<&'a [u8]> {
        if !self.present.contains(code) {
            return None;
        }
        self.iter().find(|(found, _)| *found == code).map(|(_, value)| value)
    }

    /// Whether the option `code` is there.
    pub fn contains(&self, code: u8) -> bool {
        self.present.contains(code)
    }

    /// The option `code`, which must have `N` bytes if it comes at all.
    fn exact<const N: usize>(&self, code: u8, field: &'static str) -> Result<Option<[u8; N]>, DecodeError> {
        let value = self.value(code);
        if value.is_none() && self.contains(code) { Err(bad(field)) } else { Ok(value) }
    }

    fn address(&self, code: u8, field: &'static str) -> Result<Option<Ipv4Addr>, DecodeError> {
        Ok(self.exact::<4>(code, field)?.map(Ipv4Addr::from))
    }

    /// RFC 4702 §2: flags, two obsolete octets, and a name that is not used here.
    fn fqdn(&self) -> Option<Fqdn> {
        let ([flags, _, _], _) = self.start(code::FQDN)?;
        Some(Fqdn { server_updates: flags & 1 != 0, encoded: flags & 4 != 0 })
    }

    /// The option `code`, if it has `N` bytes.
    fn value<const N: usize>(&self, code: u8) -> Option<[u8; N]> {
        self.start(code).filter(|(_, has_more)| !has_more).map(|(value, _)| value)
    }

    /// The first `N` bytes of the option `code`, in however many parts they come, and whether there are more. None if
    /// there are fewer.
    fn start<const N: usize>(&self, code: u8) -> Option<([u8; N], bool)> {
        // Nearly always.
        if !self.repeated.contains(code) {
            let (start, rest) = self.first(code)?.split_first_chunk()?;
            return Some((*start, !rest.is_empty()));
        }
        let mut bytes = self.parts(code).flatten();
        let mut start = [0; N];
        for byte in &mut start {
            *byte = *bytes.next()?;
        }
        Some((start, bytes.next().is_some()))
    }
}

/// `bytes` without the pad options at its start (RFC 2132 §3.1: they have no length).
///
/// Many at a time, for a hostile message may hold little else, and is walked over more than once.
fn skip_pads(bytes: &[u8]) -> &[u8] {
    const MANY: usize = 16;
    let (chunks, _) = bytes.as_chunks::<MANY>();
    let blank = chunks.iter().take_while(|chunk| **chunk == [code::PAD; MANY]).count();
    let rest = bytes.get(blank * MANY..).unwrap_or_default();
    let pads = rest.iter().take_while(|byte| **byte == code::PAD).count();
    rest.get(pads..).unwrap_or_default()
}

/// Every option of these areas, whose lengths were checked.
fn walk(areas: [&[u8]; 3]) -> impl Iterator<Item = (u8, &[u8])> {
    let [options, mut file, mut sname] = areas;
    let mut area = Walk { rest: options };
    std::iter::from_fn(move || {
        loop {
            if let Some(option) = area.next() {
                return option.ok();
            }
            if file.is_empty() && sname.is_empty() {
                return None;
            }
            area.rest = std::mem::replace(&mut file, std::mem::take(&mut sname));
        }
    })
}

/// Walks over the options of one area, up to the end option or the end of the area.
struct Walk<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Walk<'a> {
    type Item = Result<(u8, &'a [u8]), DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut rest = std::mem::take(&mut self.rest);
        if rest.first() == Some(&code::PAD) {
            rest = skip_pads(rest);
        }
        let (code, rest) = rest.split_first()?;
        if *code == code::END {
            return None;
        }
        let Some((value, rest)) = rest.split_first().and_then(|(length, rest)| rest.split_at_checked((*length).into()))
        else {
            return Some(Err(bad("option length")));
        };
        self.rest = rest;
        Some(Ok((*code, value)))
    }
}

/// The address at `start` of the fixed fields, if it is 0.0.0.0 or one host's: a reply may go there.
fn host(fixed: &[u8], start: usize) -> Option<Ipv4Addr> {
    let address = Ipv4Addr::from(*fixed.get(start..)?.first_chunk::<4>()?);
    let is_hosts = !(address.is_multicast() || address.is_broadcast() || address.is_loopback());
    is_hosts.then_some(address)
}

const fn bad(field: &'static str) -> DecodeError {
    DecodeError::new(Layer::Dhcpv4, field)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A BOOTP message with a cookie and these options.
    fn message(options: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 240];
        bytes[..3].copy_from_slice(&[1, 1, 6]);
        bytes[offset::CHADDR][..6].copy_from_slice(&[0xaa, 0, 0, 0, 0, 1]);
        bytes[offset::COOKIE].copy_from_slice(&COOKIE);
        bytes.extend_from_slice(options);
        bytes
    }

    #[test]
    fn reads_fields_and_options() {
        let mut bytes = message(&[
            53, 1, 3, 0, 0, 50, 4, 192, 0, 2, 10, 54, 4, 192, 0, 2, 1, 57, 2, 5, 220, 80, 0, 81, 3, 5, 0, 0, 255, 77,
            200,
        ]);
        bytes[offset::FLAGS.start] = 0x80;
        bytes[offset::CIADDR].copy_from_slice(&[192, 0, 2, 11]);
        bytes[offset::GIADDR].copy_from_slice(&[192, 0, 2, 12]);
        let request = Request::parse(&bytes).unwrap();
        assert_eq!(request.op, 1);
        assert_eq!(request.chaddr, MacAddr::new([0xaa, 0, 0, 0, 0, 1]));
        assert_eq!(request.ciaddr, Ipv4Addr::new(192, 0, 2, 11));
        assert_eq!(request.giaddr, Ipv4Addr::new(192, 0, 2, 12));
        assert!(request.broadcast && request.rapid_commit);
        assert_eq!(request.message_type, Some(MessageType::Request));
        assert_eq!(request.requested_address, Some(Ipv4Addr::new(192, 0, 2, 10)));
        assert_eq!(request.server_id, Some(Ipv4Addr::new(192, 0, 2, 1)));
        assert_eq!(request.max_size, Some(1500));
        assert_eq!(request.fqdn, Some(Fqdn { server_updates: true, encoded: true }));
        assert!(!request.options.contains(77), "behind the end option");
    }

    #[test]
    fn a_message_without_cookie_is_bootp() {
        let mut bytes = message(&[53, 1, 1]);
        bytes[offset::COOKIE].fill(0);
        assert_eq!(Request::parse(&bytes).unwrap().message_type, None);
        assert_eq!(Request::parse(&bytes[..236]).unwrap().message_type, None);
        assert_eq!(Request::parse(&bytes[..235]), Err(bad("length")));
    }

    #[test]
    fn another_cookie_is_refused() {
        let mut bytes = message(&[53, 1, 1]);
        bytes[offset::COOKIE.start] ^= 1;
        assert_eq!(Request::parse(&bytes), Err(bad("cookie")));
    }

    #[test]
    fn reads_overloaded_fields_in_their_order() {
        let mut bytes = message(&[53, 1, 1, 52, 1, 3, 55, 1, 1]);
        bytes[offset::SNAME][..3].copy_from_slice(&[55, 1, 6]);
        bytes[offset::FILE][..4].copy_from_slice(&[55, 2, 3, 121]);
        let request = Request::parse(&bytes).unwrap();
        let list: Vec<u8> = request.options.parts(55).flatten().copied().collect();
        assert_eq!(list, [1, 3, 121, 6]);
    }

    /// RFC 3396 §5: whatever the option.
    #[test]
    fn joins_options_in_parts() {
        let options = [53, 0, 53, 1, 3, 50, 2, 192, 0, 57, 1, 5, 54, 3, 192, 0, 2, 54, 1, 1, 50, 2, 2, 10, 57, 1, 220];
        let bytes = message(&[&options[..], &[81, 1, 5, 81, 3, 0, 0, b'x', 52, 0, 52, 1, 1]].concat());
        let request = Request::parse(&bytes).unwrap();
        assert_eq!(request.message_type, Some(MessageType::Request));
        assert_eq!(request.requested_address, Some(Ipv4Addr::new(192, 0, 2, 10)));
        assert_eq!(request.server_id, Some(Ipv4Addr::new(192, 0, 2, 1)));
        assert_eq!(request.max_size, Some(1500));
        assert_eq!(request.fqdn, Some(Fqdn { server_updates: true, encoded: true }));
    }

    #[test]
    fn what_is_optional_and_malformed_counts_as_missing() {
        for max_size in [&[57, 0][..], &[57, 1, 2], &[57, 3, 5, 220, 0], &[57, 2, 5, 220, 57, 2, 5, 220]] {
            assert_eq!(Request::parse(&message(max_size)).unwrap().max_size, None, "{max_size:?}");
        }
        for fqdn in [&[81, 0][..], &[81, 1, 1], &[81, 2, 1, 0]] {
            assert_eq!(Request::parse(&message(fqdn)).unwrap().fqdn, None, "{fqdn:?}");
        }
    }

    #[test]
    fn refuses_what_is_malformed() {
        let table: &[(&[u8], &str)] = &[
            (&[53], "option length"),
            (&[53, 1], "option length"),
            (&[12, 5, b'a'], "option length"),
            (&[53, 0], "option 53"),
            (&[53, 2, 1, 1], "option 53"),
            (&[53, 1, 1, 53, 1, 1], "option 53"),
            (&[50, 3, 1, 2, 3], "option 50"),
            (&[54, 5, 1, 2, 3, 4, 5], "option 54"),
            (&[52, 1, 0], "option 52"),
            (&[52, 1, 4], "option 52"),
            (&[52, 0], "option 52"),
            (&[50, 2, 192, 0, 50, 1, 2], "option 50"),
            (&[50, 4, 192, 0, 2, 10, 50, 4, 192, 0, 2, 10], "option 50"),
            (&[54, 0], "option 54"),
        ];
        for (options, field) in table {
            assert_eq!(Request::parse(&message(options)), Err(bad(field)), "{options:?}");
        }
        let mut bytes = message(&[52, 1, 1]);
        bytes[offset::FILE].fill(200);
        assert_eq!(Request::parse(&bytes), Err(bad("option length")), "inside file");
    }

    #[test]
    fn refuses_addresses_that_no_host_has() {
        for (field, range) in [("ciaddr", offset::CIADDR), ("giaddr", offset::GIADDR)] {
            for address in [[224, 0, 0, 1], [255; 4], [127, 0, 0, 1]] {
                let mut bytes = message(&[]);
                bytes[range.clone()].copy_from_slice(&address);
                assert_eq!(Request::parse(&bytes), Err(bad(field)), "{address:?}");
            }
        }
    }

    #[test]
    fn reads_a_bounded_number_of_options() {
        let good = [224, 0].repeat(MAX_OPTIONS);
        assert_eq!(Request::parse(&message(&good)).unwrap().options.iter().count(), MAX_OPTIONS);
        let pads = [&[0; 65_000][..], &[53, 1, 1]].concat();
        assert_eq!(Request::parse(&message(&pads)).unwrap().message_type, Some(MessageType::Discover));
        assert_eq!(Request::parse(&message(&[224, 0].repeat(MAX_OPTIONS + 1))), Err(bad("option count")));
    }

    #[test]
    fn refuses_other_hardware() {
        for (at, value) in [(1, 6), (2, 5), (2, 255)] {
            let mut bytes = message(&[]);
            bytes[at] = value;
            assert_eq!(Request::parse(&bytes), Err(bad("htype or hlen")));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(tail in proptest::collection::vec(0u8.., 0..600), keep in 0usize..900) {
            let mut bytes = message(&tail);
            bytes.truncate(keep);
            if let Ok(request) = Request::parse(&bytes) {
                proptest::prop_assert!(request.options.iter().map(|(_, v)| v.len() + 2).sum::<usize>() <= bytes.len());
            }
        }
    }
}
