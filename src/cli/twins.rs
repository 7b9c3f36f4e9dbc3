//! Guests of one network that have the same address. Nothing is wrong with either binding alone, and a guest that moves from
//! tap to tap may have two for a while: so this is only told, and only where somebody looks at all bindings.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::Ipv6Addr;

use crate::binding;
use crate::control;

/// What a binding gives to its guest and to no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Guest {
    tap: String,
    /// The bridge that is its network; None for all taps that the node routes for, which are one.
    bridge: Option<String>,
    /// The keys of its addresses, and what they say.
    addresses: Vec<(&'static str, String)>,
}

/// An address that another guest has as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Twin {
    pub(super) key: &'static str,
    pub(super) address: String,
    /// The tap of the other guest.
    tap: String,
}

impl Twin {
    /// What is to be said of the address.
    pub(super) fn reason(&self) -> String {
        format!("the guest of {} has it as well; one of them is not reached, unless their networks are apart", self.tap)
    }
}

impl Guest {
    fn new(tap: String, indev: String, mac: String, others: [(&'static str, Option<String>); 3]) -> Self {
        let bridge = Some(indev).filter(|indev| *indev != tap);
        // Behind a tap of its own nobody else sees the MAC.
        let mac = bridge.is_some().then_some(mac);
        let mut addresses: Vec<(&str, String)> = Vec::new();
        for (key, address) in std::iter::once(("MAC", mac)).chain(others) {
            let is_new = |address: &String| addresses.iter().all(|(_, other)| other != address);
            addresses.extend(address.filter(is_new).map(|address| (key, address)));
        }
        Self { tap, bridge, addresses }
    }

    /// What is in force for a tap, if anything is.
    pub(super) fn of_tap(tap: &control::Tap) -> Option<Self> {
        let binding = tap.binding.as_ref()?;
        let ipv4 = binding.ipv4.as_ref().map(|ipv4| ipv4.address.to_string());
        let ipv6 = |address: fn(&control::Ipv6) -> Option<Ipv6Addr>| Some(address(binding.ipv6.as_ref()?)?.to_string());
        let others = [("IP", ipv4), ("EUI64", ipv6(|ipv6| ipv6.eui64)), ("IP6", ipv6(|ipv6| ipv6.leased))];
        Some(Self::new(tap.tap.clone(), binding.indev.clone(), binding.mac.clone(), others))
    }
}

impl From<&binding::Binding> for Guest {
    fn from(binding: &binding::Binding) -> Self {
        let ipv4 = binding.ipv4.map(|ipv4| ipv4.address.to_string());
        let ipv6 =
            |address: fn(&binding::Ipv6Binding) -> Option<Ipv6Addr>| Some(address(binding.ipv6.as_ref()?)?.to_string());
        let others = [("IP", ipv4), ("EUI64", ipv6(|ipv6| ipv6.eui64)), ("IP6", ipv6(|ipv6| ipv6.leased))];
        Self::new(binding.tap.to_string(), binding.indev.to_string(), binding.mac.to_string(), others)
    }
}

/// The addresses that guests have.
#[derive(Debug, Default)]
pub(super) struct Addresses(HashMap<(Option<String>, String), String>);

impl Addresses {
    /// Those of all these guests. Of two with the same address, the first counts.
    pub(super) fn of(guests: impl IntoIterator<Item = Guest>) -> Self {
        let mut addresses = Self::default();
        for guest in guests {
            addresses.add(&guest);
        }
        addresses
    }

    /// Takes in a guest. Tells what another has already.
    pub(super) fn add(&mut self, guest: &Guest) -> Vec<Twin> {
        let mut twins = Vec::new();
        for (key, address) in &guest.addresses {
            match self.0.entry((guest.bridge.clone(), address.clone())) {
                Entry::Vacant(place) => drop(place.insert(guest.tap.clone())),
                Entry::Occupied(other) if *other.get() == guest.tap => {}
                Entry::Occupied(other) => {
                    twins.push(Twin { key, address: address.clone(), tap: other.get().clone() });
                }
            }
        }
        twins
    }
}

/// What is to be said of a guest among others, itself not among them, as of a binding that is doubtful.
pub(super) fn doubts(guest: &Guest, others: impl IntoIterator<Item = Guest>) -> Vec<String> {
    let others = others.into_iter().filter(|other| other.tap != guest.tap);
    let twins = Addresses::of(others).add(guest);
    twins.iter().map(|twin| format!("{}={}: {}", twin.key, twin.address, twin.reason())).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::binding::parse::parse;

    const IPV6: &str = "SUBNET6=2001:db8::/64\nGATEWAY6=2001:db8::1\nEUI64=2001:db8::9\n";

    fn guest(tap: &str, mac: u8, ip: &str, more: &str) -> Guest {
        let text = format!("MAC=aa:00:00:00:00:{mac:02x}\nHOSTNAME=vm\nIP={ip}\n{more}");
        Guest::from(&parse(Path::new(tap), text.as_bytes()).unwrap().binding)
    }

    /// The keys that a guest on tap1 shares with another.
    fn shared(guest_of_tap1: &Guest, other: Guest) -> Vec<&'static str> {
        Addresses::of([other]).add(guest_of_tap1).into_iter().map(|twin| twin.key).collect()
    }

    #[test]
    fn guests_of_one_network_share_no_address() {
        let bridged = format!("INDEV=br0\n{IPV6}");
        let one = guest("tap1", 1, "192.0.2.1", &bridged);
        for (other, expected) in [
            (guest("tap2", 2, "192.0.2.2", "INDEV=br0\n"), vec![]),
            (guest("tap2", 1, "192.0.2.2", "INDEV=br0\n"), vec!["MAC"]),
            (guest("tap2", 2, "192.0.2.1", "INDEV=br0\n"), vec!["IP"]),
            (guest("tap2", 1, "192.0.2.1", &bridged), vec!["MAC", "IP", "EUI64"]),
            (guest("tap2", 2, "192.0.2.2", "INDEV=br0\nIP6=2001:db8::9\nSUBNET6=2001:db8::/64\n"), vec!["EUI64"]),
            // Other networks, which may all use the same addresses.
            (guest("tap2", 1, "192.0.2.1", &bridged.replace("br0", "br1")), vec![]),
            (guest("tap2", 1, "192.0.2.1", IPV6), vec![]),
            // The same tap, again.
            (guest("tap1", 1, "192.0.2.1", &bridged), vec![]),
        ] {
            assert_eq!(shared(&one, other.clone()), expected, "{other:?}");
        }
    }

    #[test]
    fn routed_taps_share_the_network_and_not_the_link() {
        let one = guest("tap1", 1, "192.0.2.1", IPV6);
        assert_eq!(shared(&one, guest("tap2", 1, "192.0.2.1", IPV6)), ["IP", "EUI64"]);
        assert_eq!(shared(&one, guest("tap2", 1, "192.0.2.2", "")), [""; 0]);
    }

    #[test]
    fn who_is_looked_at_is_no_twin_of_itself() {
        let one = || guest("tap1", 1, "192.0.2.1", "");
        assert_eq!(doubts(&one(), [one()]), [""; 0]);
        let told = doubts(&one(), [one(), guest("tap2", 2, "192.0.2.1", "")]);
        assert_eq!(
            told,
            [
                "IP=192.0.2.1: the guest of tap2 has it as well; one of them is not reached, unless their networks are apart"
            ]
        );
    }
}
