//! Identity associations (RFC 8415 §4.2): what a client wants leased, or has leased.

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;

use super::message::{Dhcpv6Option, Options};
use super::{MAX_OPTIONS, bad, option};
use crate::wire::DecodeError;

/// The kind of an identity association.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IaKind {
    /// IA_NA: addresses (RFC 8415 §21.4).
    Addresses,
    /// IA_TA: temporary addresses (RFC 8415 §21.5).
    TemporaryAddresses,
    /// IA_PD: delegated prefixes (RFC 8415 §21.21).
    Prefixes,
}

impl IaKind {
    /// The code of the option.
    pub const fn code(self) -> u16 {
        match self {
            Self::Addresses => option::IA_NA,
            Self::TemporaryAddresses => option::IA_TA,
            Self::Prefixes => option::IA_PD,
        }
    }

    /// The kind of the option with this code, if it is an identity association.
    pub const fn of(code: u16) -> Option<Self> {
        match code {
            option::IA_NA => Some(Self::Addresses),
            option::IA_TA => Some(Self::TemporaryAddresses),
            option::IA_PD => Some(Self::Prefixes),
            _ => None,
        }
    }

    /// Whether T1 and T2 follow the IAID: temporary addresses are not renewed.
    pub const fn has_times(self) -> bool {
        !matches!(self, Self::TemporaryAddresses)
    }

    /// The length of what comes before the options inside, in bytes.
    const fn header_len(self) -> usize {
        if self.has_times() { 12 } else { 4 }
    }

    /// The code of the options inside that name a lease.
    const fn lease_code(self) -> u16 {
        match self {
            Self::Addresses | Self::TemporaryAddresses => option::IA_ADDRESS,
            Self::Prefixes => option::IA_PREFIX,
        }
    }
}

/// An address or prefix that is, or is to be, a client's for a time (RFC 8415 §4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    /// Of an IA Address option.
    Address(Ipv6Addr),
    /// Of an IA Prefix option, as it is written there: with or without host bits.
    Prefix(Ipv6Net),
}

impl Lease {
    /// Whether both are the same address, or the same prefix whatever its host bits.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Prefix(one), Self::Prefix(other)) => one.trunc() == other.trunc(),
            _ => self == other,
        }
    }

    /// Whether it names nothing. That is how a client asks for any, or for a prefix of some length (RFC 8415 §18.2.1).
    pub fn is_hint(&self) -> bool {
        match self {
            Self::Address(address) => address.is_unspecified(),
            Self::Prefix(prefix) => prefix.addr().is_unspecified(),
        }
    }

    /// Reads an option inside of an identity association: what it leases, and the options inside of it in turn. None if
    /// it leases nothing.
    fn read(kind: IaKind, option: Dhcpv6Option<'_>) -> Result<Option<(Self, &[u8])>, DecodeError> {
        if option.code != kind.lease_code() {
            return Ok(None);
        }
        match kind {
            IaKind::Addresses | IaKind::TemporaryAddresses => read_address(option.data).map(Some),
            IaKind::Prefixes => read_prefix(option.data).map(Some),
        }
    }
}

/// RFC 8415 §21.6: the address, two lifetimes that a server does not look at, options.
fn read_address(data: &[u8]) -> Result<(Lease, &[u8]), DecodeError> {
    let (address, rest) = data.split_first_chunk::<16>().ok_or(bad("IA Address"))?;
    let (_lifetimes, options) = rest.split_first_chunk::<8>().ok_or(bad("IA Address"))?;
    Ok((Lease::Address(Ipv6Addr::from_octets(*address)), options))
}

/// RFC 8415 §21.22: two lifetimes that a server does not look at, the length of the prefix, the prefix, options.
fn read_prefix(data: &[u8]) -> Result<(Lease, &[u8]), DecodeError> {
    let (_lifetimes, rest) = data.split_first_chunk::<8>().ok_or(bad("IA Prefix"))?;
    let (length, rest) = rest.split_first().ok_or(bad("IA Prefix"))?;
    let (prefix, options) = rest.split_first_chunk::<16>().ok_or(bad("IA Prefix"))?;
    let prefix = Ipv6Net::new(Ipv6Addr::from_octets(*prefix), *length).map_err(|_| bad("prefix length"))?;
    Ok((Lease::Prefix(prefix), options))
}

/// An identity association, found well-formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ia<'a> {
    /// What it is for.
    pub kind: IaKind,
    /// IAID: any number, which only the client understands.
    pub iaid: [u8; 4],
    options: Options<'a>,
}

impl<'a> Ia<'a> {
    /// The addresses or prefixes in it, in their order.
    pub fn leases(&self) -> impl Iterator<Item = Lease> + use<'a> {
        let Self { kind, options, .. } = *self;
        options.filter_map(move |option| Some(Lease::read(kind, option).ok()??.0))
    }

    /// Whether `lease` is in it.
    pub fn lists(&self, lease: &Lease) -> bool {
        self.leases().any(|listed| listed.is_same(lease))
    }

    /// Reads an option of a message, all lengths inside checked before; None if it is no identity association.
    fn read(option: Dhcpv6Option<'a>) -> Option<Self> {
        let kind = IaKind::of(option.code)?;
        let iaid = *option.data.first_chunk::<4>()?;
        let options = Options::checked(option.data.get(kind.header_len()..)?);
        Some(Self { kind, iaid, options })
    }

    /// Checks all that is in an identity association, where `left` more options may be.
    fn check(kind: IaKind, data: &[u8], left: &mut usize) -> Result<(), DecodeError> {
        let options = data.get(kind.header_len()..).ok_or(bad("identity association"))?;
        for option in Options::parse(options, left)? {
            if let Some((_, inside)) = Lease::read(kind, option)? {
                Options::parse(inside, left)?;
            }
        }
        Ok(())
    }
}

/// The identity associations of a message. Iterates over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ias<'a> {
    options: Options<'a>,
}

impl<'a> Ias<'a> {
    /// Checks everything that is in them, down to the options of each address: at most [`MAX_OPTIONS`] together.
    pub(super) fn parse(options: Options<'a>) -> Result<Self, DecodeError> {
        let mut left = MAX_OPTIONS;
        for Dhcpv6Option { code, data } in options {
            if let Some(kind) = IaKind::of(code) {
                Ia::check(kind, data, &mut left)?;
            }
        }
        Ok(Self { options })
    }
}

impl<'a> Iterator for Ias<'a> {
    type Item = Ia<'a>;

    fn next(&mut self) -> Option<Ia<'a>> {
        self.options.find_map(Ia::read)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::dhcpv6::Message;

    const ADDRESS: &str = "2001:db8::1";
    const PREFIX: &str = "2001:db8:1::/48";

    fn option(code: u16, data: &[u8]) -> Vec<u8> {
        [&code.to_be_bytes()[..], &(data.len() as u16).to_be_bytes(), data].concat()
    }

    fn address(text: &str, options: &[u8]) -> Vec<u8> {
        let address: Ipv6Addr = text.parse().unwrap();
        option(5, &[&address.octets()[..], &[0; 8], options].concat())
    }

    fn prefix(text: &str, options: &[u8]) -> Vec<u8> {
        let prefix: Ipv6Net = text.parse().unwrap();
        option(26, &[&[0; 8][..], &[prefix.prefix_len()], &prefix.addr().octets(), options].concat())
    }

    /// An identity association with IAID 7.
    fn ia(code: u16, options: &[u8]) -> Vec<u8> {
        let times: &[u8] = if code == 4 { &[] } else { &[0; 8] };
        option(code, &[&[0, 0, 0, 7], times, options].concat())
    }

    /// Code and leases of each identity association.
    fn read(options: &[u8]) -> Result<Vec<(u16, Vec<Lease>)>, DecodeError> {
        let payload = [&[3, 0, 0, 0], options].concat();
        let ias = Message::parse(&payload)?.ias()?;
        Ok(ias.map(|ia| (ia.kind.code(), ia.leases().collect())).collect())
    }

    #[test]
    fn reads_what_a_client_has() {
        let status = option(13, &[0, 0]);
        let options = [
            option(8, &[0, 0]),
            ia(3, &[address(ADDRESS, &[]), address("::", &status), status.clone()].concat()),
            ia(4, &address(ADDRESS, &[])),
            ia(25, &prefix(PREFIX, &status)),
            ia(3, &[]),
        ];
        let (one, any) = (Lease::Address(ADDRESS.parse().unwrap()), Lease::Address(Ipv6Addr::UNSPECIFIED));
        let expected =
            [(3, vec![one, any]), (4, vec![one]), (25, vec![Lease::Prefix(PREFIX.parse().unwrap())]), (3, Vec::new())];
        assert_eq!(read(&options.concat()).unwrap(), expected);
    }

    /// RFC 8415 §16: what stands where it does not belong is passed over.
    #[test]
    fn passes_over_what_is_in_the_wrong_place() {
        for (code, inside) in [(3, prefix(PREFIX, &[])), (4, prefix(PREFIX, &[])), (25, address(ADDRESS, &[]))] {
            assert_eq!(read(&ia(code, &inside)).unwrap(), [(code, Vec::new())]);
        }
        assert_eq!(read(&address(ADDRESS, &[])).unwrap(), []);
    }

    #[test]
    fn refuses_what_lies() {
        let lying = [0, 13, 0, 9];
        let cases = [
            (option(3, &[0; 11]), "identity association"),
            (option(4, &[0; 3]), "identity association"),
            (option(25, &[0; 11]), "identity association"),
            (ia(3, &[0]), "option"),
            (ia(3, &lying), "option length"),
            (ia(3, &option(5, &[0; 23])), "IA Address"),
            (ia(4, &option(5, &[0; 15])), "IA Address"),
            (ia(3, &address(ADDRESS, &lying)), "option length"),
            (ia(25, &option(26, &[0; 7])), "IA Prefix"),
            (ia(25, &option(26, &[0; 8])), "IA Prefix"),
            (ia(25, &option(26, &[0; 24])), "IA Prefix"),
            (ia(25, &prefix(PREFIX, &lying)), "option length"),
            (ia(25, &option(26, &[&[0; 8][..], &[129], &[0; 16]].concat())), "prefix length"),
        ];
        for (options, field) in cases {
            assert_eq!(read(&options), Err(bad(field)), "{options:?}");
            assert_eq!(read(&[ia(3, &[]), options].concat()), Err(bad(field)), "the second is looked at as well");
        }
    }

    #[test]
    fn reads_a_bounded_number_of_options() {
        let status = option(13, &[0, 0]);
        assert!(read(&ia(3, &status.repeat(MAX_OPTIONS))).is_ok());
        assert_eq!(read(&ia(3, &status.repeat(MAX_OPTIONS + 1))), Err(bad("option count")));
        let half = ia(3, &address(ADDRESS, &status.repeat(MAX_OPTIONS / 2)));
        assert_eq!(read(&half.repeat(2)), Err(bad("option count")), "all of them together");
    }

    #[test]
    fn a_prefix_is_the_same_with_other_host_bits() {
        let prefix = |text: &str| Lease::Prefix(text.parse().unwrap());
        assert!(prefix("2001:db8:1::/48").is_same(&prefix("2001:db8:1::7/48")));
        assert!(!prefix("2001:db8:1::/48").is_same(&prefix("2001:db8:1::/56")));
        assert!(!prefix("2001:db8::1/128").is_same(&Lease::Address(ADDRESS.parse().unwrap())));
        assert!(prefix("::/56").is_hint() && !prefix(PREFIX).is_hint());
    }

    proptest! {
        #[test]
        fn takes_any_bytes(
            kind in prop::sample::select(vec![3u16, 4, 25]),
            lease in prop::sample::select(vec![5u16, 26]),
            head in prop::collection::vec(any::<u8>(), 0..16),
            data in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let inside = [head, option(lease, &data)].concat();
            if let Ok(ias) = read(&option(kind, &inside)) {
                prop_assert_eq!(ias.len(), 1);
            }
        }
    }
}
