//! Conditions of rules, and whether packets of a kind meet them.

use std::ops::RangeInclusive;

use super::address::{Addresses, End};
use crate::rules::kind::IpVersion;
use crate::rules::pattern::Share;
use crate::rules::{Kind, Pattern};

/// What a rule asks of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rules) struct Condition {
    pub(in crate::rules) subject: Subject,
    pub(in crate::rules) is_negated: bool,
}

/// What it looks at, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rules) enum Subject {
    /// The interface by which it came.
    Interface(Vec<Pattern>),
    /// The port of the bridge by which it came, as br_netfilter tells it.
    Port(Vec<Pattern>),
    /// The bridge whose port it came by, in the tables of bridges.
    Bridge(Vec<Pattern>),
    /// A number in its headers.
    Number(Field, Vec<RangeInclusive<u32>>),
    /// Where it comes from or goes to.
    Address(End, Addresses),
    /// That it has no extension header of IPv6, which no request has.
    Bare,
    /// Something that no request of a guest is or has: it is of another protocol, or over a rate.
    Foreign,
    /// The same, and all others are not: a connection that is known, or none that can be; a way back that is wrong.
    Rare,
    /// We cannot tell.
    Unreadable,
}

/// A number in the headers of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rules) enum Field {
    EtherType,
    NfProto,
    Protocol,
    SourcePort,
    DestinationPort,
    Icmpv6Type,
    Icmpv6Code,
    HopLimit,
}

impl Field {
    /// What packets of a kind have there; None if they have no such field.
    fn of(self, kind: Kind) -> Option<u32> {
        let (ports, icmpv6_type) = match kind {
            Kind::Dhcp => (Some((68, 67)), None),
            Kind::Dhcpv6 => (Some((546, 547)), None),
            Kind::RouterSolicitation => (None, Some(133)),
            Kind::NeighborSolicitation => (None, Some(135)),
        };
        let is_ipv4 = kind.version() == IpVersion::V4;
        match self {
            Self::EtherType => Some(if is_ipv4 { 0x0800 } else { 0x86dd }),
            // NFPROTO_IPV4, NFPROTO_IPV6 (linux/netfilter.h).
            Self::NfProto => Some(if is_ipv4 { 2 } else { 10 }),
            Self::Protocol => Some(if ports.is_some() { 17 } else { 58 }),
            Self::SourcePort => Some(ports?.0),
            Self::DestinationPort => Some(ports?.1),
            Self::Icmpv6Type => icmpv6_type,
            Self::Icmpv6Code => icmpv6_type.map(|_| 0),
            // RFC 4861 §4: of what comes from the link itself.
            Self::HopLimit => icmpv6_type.map(|_| 255),
        }
    }
}

/// How a table sees where packets come from.
#[derive(Debug, Clone, Copy)]
pub(in crate::rules) struct Sight<'a> {
    /// The taps that they come from.
    pub(in crate::rules) taps: &'a Pattern,
    /// The taps are ports of a bridge.
    pub(in crate::rules) is_port: bool,
    /// The bridge, if it is known.
    pub(in crate::rules) bridge: Option<&'a Pattern>,
    /// The table is one of IP: of what comes by a bridge it sees that bridge.
    pub(in crate::rules) is_above_bridge: bool,
    /// It sees the port besides, since br_netfilter shows it.
    pub(in crate::rules) is_port_shown: bool,
    /// What comes are the first requests of a guest, which has no address as yet.
    pub(in crate::rules) is_first: bool,
}

impl Condition {
    pub(in crate::rules) fn new(subject: Subject) -> Self {
        Self { subject, is_negated: false }
    }

    /// How many packets of a kind meet it.
    pub(in crate::rules) fn share(&self, sight: &Sight<'_>, kind: Kind) -> Share {
        match &self.subject {
            // What is not there can be compared with nothing, for better or for worse.
            Subject::Number(field, _) if field.of(kind).is_none() => Share::None,
            Subject::Address(_, addresses) if !addresses.are_of(kind.version()) => Share::None,
            Subject::Foreign => Share::None,
            subject if self.is_negated => match subject.share(sight, kind) {
                Share::All => Share::None,
                Share::None => Share::All,
                other => other,
            },
            subject => subject.share(sight, kind),
        }
    }
}

impl Subject {
    /// States of connections (conntrack(8)), as tools name them. A request is the first of its connection, or of none.
    pub(in crate::rules) fn of_states<'a>(mut states: impl Iterator<Item = &'a str>) -> Self {
        let is_known =
            |state: &str| ["invalid", "established", "related"].iter().any(|known| state.eq_ignore_ascii_case(known));
        if states.all(is_known) { Self::Rare } else { Self::Unreadable }
    }

    fn share(&self, sight: &Sight<'_>, kind: Kind) -> Share {
        match self {
            Self::Interface(names) => sight.share_from(names),
            Self::Port(names) if sight.is_port_shown => share(names, sight.taps),
            Self::Port(_) | Self::Foreign | Self::Rare => Share::None,
            Self::Bridge(names) if sight.is_port && !sight.is_above_bridge => sight.share_by_bridge(names),
            Self::Bridge(_) => Share::None,
            Self::Number(field, ranges) => {
                let has = |number| ranges.iter().any(|range| range.contains(&number));
                if field.of(kind).is_some_and(has) { Share::All } else { Share::None }
            }
            Self::Address(end, addresses) => addresses.share(*end, kind, sight.is_first),
            Self::Bare => Share::All,
            Self::Unreadable => Share::Unclear,
        }
    }
}

impl Sight<'_> {
    fn share_from(&self, names: &[Pattern]) -> Share {
        if self.is_port && self.is_above_bridge { self.share_by_bridge(names) } else { share(names, self.taps) }
    }

    /// A bridge that is not known is at least none of the taps.
    fn share_by_bridge(&self, names: &[Pattern]) -> Share {
        match self.bridge {
            Some(bridge) => share(names, bridge),
            None if share(names, self.taps) == Share::None => Share::Unclear,
            None => Share::None,
        }
    }
}

fn share(names: &[Pattern], taps: &Pattern) -> Share {
    names.iter().map(|name| name.share_of(taps)).max().unwrap_or(Share::None)
}
