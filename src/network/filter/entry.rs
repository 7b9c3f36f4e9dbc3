//! An element as nft has it: in which set, under which key.

use std::fmt::Display;
use std::net::IpAddr;

use super::element::{Element, Port, Profile};
use super::layout::{Part, TABLE, TableFamily};
use crate::binding::InterfaceName;
use crate::network::mac_prefix::MacPrefix;

/// A set or a map of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Set {
    Sourced,
    Sources4,
    Sources6,
    Masqueraded,
    RoutedFirewall,
    Filtered,
    Stations,
    Peers,
    BridgedFirewall,
    Shown,
    Gateways,
}

impl Set {
    const ALL: [Self; 11] = [
        Self::Sourced,
        Self::Sources4,
        Self::Sources6,
        Self::Masqueraded,
        Self::RoutedFirewall,
        Self::Filtered,
        Self::Stations,
        Self::Peers,
        Self::BridgedFirewall,
        Self::Shown,
        Self::Gateways,
    ];

    /// The one with a name, if it is ours.
    pub(super) fn named(family: TableFamily, name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.family() == family && set.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Sourced => "sourced",
            Self::Sources4 => "sources4",
            Self::Sources6 => "sources6",
            Self::Masqueraded => "masqueraded",
            Self::RoutedFirewall | Self::BridgedFirewall => "firewall",
            Self::Filtered => "filtered",
            Self::Stations => "stations",
            Self::Peers => "peers",
            Self::Shown => "shown",
            Self::Gateways => "gateways",
        }
    }

    /// The part that makes it, behind what that needs of others.
    pub(super) fn parts(self) -> &'static [Part] {
        match self {
            Self::Sourced | Self::Sources4 | Self::Sources6 => &[Part::Sources],
            Self::Masqueraded => &[Part::Masquerade],
            Self::RoutedFirewall => &[Part::InetOpenings, Part::InetProfiles, Part::Routed],
            Self::Filtered | Self::Stations | Self::Peers => &[Part::Stations],
            Self::BridgedFirewall => &[Part::BridgeOpenings, Part::BridgeProfiles, Part::Wrapped, Part::Bridged],
            Self::Shown => {
                &[Part::InetOpenings, Part::InetProfiles, Part::Shown, Part::BridgeOpenings, Part::Wrapped, Part::Marks]
            }
            Self::Gateways => &[Part::Gateways],
        }
    }

    /// The family of its table.
    pub(super) fn family(self) -> TableFamily {
        match self {
            Self::Gateways => TableFamily::Arp,
            Self::Filtered | Self::Stations | Self::Peers | Self::BridgedFirewall | Self::Shown => TableFamily::Bridge,
            _ => TableFamily::Inet,
        }
    }

    fn of_version(address: IpAddr, v4: Self, v6: Self) -> Self {
        if address.is_ipv4() { v4 } else { v6 }
    }
}

/// An element in the words of nft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) set: Set,
    key: String,
    /// Whose it is, where the key does not tell.
    tap: Option<InterfaceName>,
    /// What a map has for the key.
    data: Option<String>,
}

impl Entry {
    fn new(set: Set, key: String) -> Self {
        Self { set, key, tap: None, data: None }
    }

    /// Where it is: no two elements have the same place.
    pub(super) fn place(self) -> (Set, String) {
        (self.set, self.key)
    }

    fn of_tap(self, tap: InterfaceName) -> Self {
        Self { tap: Some(tap), ..self }
    }

    fn with_data(self, data: String) -> Self {
        Self { data: Some(data), ..self }
    }

    /// The command that adds it.
    pub(super) fn add(&self) -> String {
        let comment = self.tap.map(|tap| format!(" comment {}", quoted(tap))).unwrap_or_default();
        let data = self.data.as_ref().map(|data| format!(" : {data}")).unwrap_or_default();
        self.command("add", &format!("{}{comment}{data}", self.key))
    }

    /// The command that deletes what is there under its key.
    pub(super) fn delete(&self) -> String {
        self.command("delete", &self.key)
    }

    fn command(&self, verb: &str, element: &str) -> String {
        format!("{verb} element {} {TABLE} {} {{ {element} }}\n", self.set.family(), self.set.name())
    }
}

impl From<&Element> for Entry {
    fn from(element: &Element) -> Self {
        match *element {
            Element::Sourced { tap } => Self::new(Set::Sourced, quoted(tap)),
            Element::Source { tap, address } => {
                Self::new(Set::of_version(address, Set::Sources4, Set::Sources6), pair(tap, address))
            }
            Element::Gateway { tap, address } => Self::new(Set::Gateways, quoted(tap)).with_data(address.to_string()),
            Element::Filtered { tap } => Self::new(Set::Filtered, quoted(tap)),
            Element::Station { tap, mac } => Self::new(Set::Stations, pair(tap, mac)),
            Element::Peers { tap, prefix } => Self::new(Set::Peers, pair(tap, prefix)),
            Element::Firewall { tap, profile, port } => {
                Self::new(firewall(port), quoted(tap)).with_data(format!("goto {}", chain(profile, port)))
            }
            Element::Masquerade { tap, address, inside } => {
                Self::new(Set::Masqueraded, pair(inside, address)).of_tap(tap)
            }
        }
    }
}

/// A name as nft takes it: what [`is_expressible`] has no quotes.
fn quoted(name: InterfaceName) -> String {
    format!("\"{name}\"")
}

fn pair(name: InterfaceName, with: impl Display) -> String {
    format!("\"{name}\" . {with}")
}

/// Whether nft can be told a name: its strings have no way to hold a quote, and a star at the end stands for more.
pub(super) fn is_expressible(name: InterfaceName) -> bool {
    !name.as_str().contains('"') && !name.as_str().ends_with('*')
}

fn firewall(port: Port) -> Set {
    match port {
        Port::Routed => Set::RoutedFirewall,
        Port::Bridged => Set::BridgedFirewall,
        Port::Shown => Set::Shown,
    }
}

/// Where a profile is enforced, or, for a shown port, put into the mark.
fn chain(profile: Profile, port: Port) -> &'static str {
    match (port, profile) {
        (Port::Routed, Profile::Protected) => "protected",
        (Port::Routed, Profile::Limited) => "limited",
        (Port::Bridged, Profile::Protected) => "port_protected",
        (Port::Bridged, Profile::Limited) => "port_limited",
        (Port::Shown, Profile::Protected) => "mark_protected",
        (Port::Shown, Profile::Limited) => "mark_limited",
    }
}

/// An element as a listing has it.
pub(super) struct Listed<'a> {
    /// The parts of its key. A range is written as one.
    pub(super) key: Vec<String>,
    /// Its comment.
    pub(super) comment: Option<&'a str>,
    /// What the map has for it: an address, or the chain that is gone to.
    pub(super) data: Option<&'a str>,
}

impl Listed<'_> {
    /// What it means in a set. None for what we would not have put there.
    pub(super) fn element(&self, set: Set) -> Option<Element> {
        match self.key.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [tap] => self.of_name(set, name(tap)?),
            [first, second] => self.of_pair(set, name(first)?, second),
            _ => None,
        }
    }

    fn of_name(&self, set: Set, tap: InterfaceName) -> Option<Element> {
        Some(match set {
            Set::Sourced => Element::Sourced { tap },
            Set::Filtered => Element::Filtered { tap },
            Set::Gateways => Element::Gateway { tap, address: self.data?.parse().ok()? },
            Set::RoutedFirewall => self.of_port(tap, Port::Routed)?,
            Set::BridgedFirewall => self.of_port(tap, Port::Bridged)?,
            Set::Shown => self.of_port(tap, Port::Shown)?,
            _ => return None,
        })
    }

    fn of_pair(&self, set: Set, first: InterfaceName, second: &str) -> Option<Element> {
        Some(match set {
            Set::Sources4 | Set::Sources6 => Element::Source { tap: first, address: second.parse().ok()? },
            Set::Stations => Element::Station { tap: first, mac: second.parse().ok()? },
            Set::Peers => Element::Peers { tap: first, prefix: prefix(second)? },
            Set::Masqueraded => {
                Element::Masquerade { tap: name(self.comment?)?, address: second.parse().ok()?, inside: first }
            }
            _ => return None,
        })
    }

    fn of_port(&self, tap: InterfaceName, port: Port) -> Option<Element> {
        self.profile(port).map(|profile| Element::Firewall { tap, profile, port })
    }

    fn profile(&self, port: Port) -> Option<Profile> {
        [Profile::Protected, Profile::Limited].into_iter().find(|profile| Some(chain(*profile, port)) == self.data)
    }
}

fn name(text: &str) -> Option<InterfaceName> {
    text.parse().ok().filter(|name| is_expressible(*name))
}

/// MACs from one to another, or just one.
fn prefix(text: &str) -> Option<MacPrefix> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some(MacPrefix::between(first.parse().ok()?, last.parse().ok()?))
}
