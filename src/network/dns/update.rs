//! The messages that bring a change about.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use super::change::{Change, Host};
use super::record::{Instruction, Record, reverse_name};
use crate::network::Family;
use crate::wire::DomainName;

/// One message for a server, about one zone: all of it happens, or nothing (RFC 2136 §3.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Where the names are that it changes.
    pub place: Place,
    /// What it says.
    pub instructions: Vec<Instruction>,
}

/// Where names are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In this zone, and nowhere below a part of it that another zone has.
    Zone(DomainName),
    /// In whatever zone the server has for the reverse of this address.
    ReverseOf(IpAddr),
}

impl fmt::Display for Update {
    /// What it says, a line for each instruction.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.instructions.iter().try_for_each(|instruction| writeln!(f, "{instruction}"))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zone(zone) => write!(f, "zone {zone}"),
            Self::ReverseOf(address) => f.write_str(reverse_name(*address).trim_end_matches('.')),
        }
    }
}

impl Change {
    /// The name whose addresses the server is to be asked for, since they go.
    pub fn asks_for(&self) -> Option<&DomainName> {
        match self {
            Self::Replace(host) => Some(&host.name),
            Self::Add(_) | Self::Remove(_) | Self::Rename { .. } => None,
        }
    }

    /// The messages: names first, then the address of each. `known` are the addresses that the server had for the name that
    /// was [asked for](Self::asks_for).
    pub fn updates(&self, known: &BTreeSet<IpAddr>, zone: &DomainName, ttl: u32) -> Vec<Update> {
        let forward = Update { place: Place::Zone(zone.clone()), instructions: self.forward(ttl) };
        let reverse = self.host().addresses.union(known).map(|address| self.reverse(*address, ttl));
        [forward].into_iter().chain(reverse).filter(|update| !update.instructions.is_empty()).collect()
    }

    /// The instance as the change finds or leaves it.
    fn host(&self) -> &Host {
        match self {
            Self::Add(host) | Self::Remove(host) | Self::Replace(host) | Self::Rename { to: host, .. } => host,
        }
    }

    fn forward(&self, ttl: u32) -> Vec<Instruction> {
        let records = |name: &DomainName| {
            let name = name.clone();
            self.host().addresses.iter().map(move |address| Record::Address(name.clone(), *address))
        };
        let add = |name: &DomainName| records(name).map(|record| Instruction::Add(record, ttl));
        let remove = |name: &DomainName| records(name).map(Instruction::Remove);
        match self {
            Self::Add(host) => add(&host.name).collect(),
            Self::Remove(host) => remove(&host.name).collect(),
            Self::Rename { from, to } => remove(from).chain(add(&to.name)).collect(),
            Self::Replace(host) => {
                let all = [Family::V4, Family::V6].map(|family| Instruction::RemoveAll(host.name.clone(), family));
                all.into_iter().chain(add(&host.name)).collect()
            }
        }
    }

    /// Of one address. Another instance may have it by now: only what points to our name goes.
    fn reverse(&self, address: IpAddr, ttl: u32) -> Update {
        let add = |host: &Host| Instruction::Add(Record::Pointer(address, host.name.clone()), ttl);
        let remove = |name: &DomainName| Instruction::Remove(Record::Pointer(address, name.clone()));
        let instructions = match self {
            Self::Add(host) => vec![add(host)],
            Self::Remove(host) => vec![remove(&host.name)],
            Self::Rename { from, to } => vec![remove(from), add(to)],
            Self::Replace(host) if host.addresses.contains(&address) => vec![add(host)],
            Self::Replace(host) => vec![remove(&host.name)],
        };
        Update { place: Place::ReverseOf(address), instructions }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn host(name: &str, addresses: &[&str]) -> Host {
        Host { name: name.parse().unwrap(), addresses: addresses.iter().map(|text| address(text)).collect() }
    }

    /// The messages as lines, each behind its place.
    fn lines(change: &Change, known: &[&str]) -> Vec<String> {
        let known = known.iter().map(|text| address(text)).collect();
        let updates = change.updates(&known, &"example.com".parse().unwrap(), 300);
        let text: String = updates.iter().map(|update| format!("{}:\n{update}", update.place)).collect();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn an_instance_comes() {
        let change = Change::Add(host("a.example.com", &["192.0.2.1", "2001:db8::1"]));
        let expected = [
            "zone example.com:",
            "update add a.example.com. 300 A 192.0.2.1",
            "update add a.example.com. 300 AAAA 2001:db8::1",
            "1.2.0.192.in-addr.arpa:",
            "update add 1.2.0.192.in-addr.arpa. 300 PTR a.example.com.",
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa:",
            "update add 1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. 300 PTR a.example.com.",
        ];
        assert_eq!(lines(&change, &[]), expected);
        assert_eq!(change.asks_for(), None);
    }

    #[test]
    fn an_instance_goes_and_leaves_to_others_what_is_theirs() {
        let change = Change::Remove(host("a.example.com", &["192.0.2.1"]));
        let expected = [
            "zone example.com:",
            "update delete a.example.com. A 192.0.2.1",
            "1.2.0.192.in-addr.arpa:",
            "update delete 1.2.0.192.in-addr.arpa. PTR a.example.com.",
        ];
        assert_eq!(lines(&change, &[]), expected);
    }

    #[test]
    fn an_instance_has_one_name_at_a_time() {
        let change =
            Change::Rename { from: "a.example.com".parse().unwrap(), to: host("b.example.com", &["192.0.2.1"]) };
        let expected = [
            "zone example.com:",
            "update delete a.example.com. A 192.0.2.1",
            "update add b.example.com. 300 A 192.0.2.1",
            "1.2.0.192.in-addr.arpa:",
            "update delete 1.2.0.192.in-addr.arpa. PTR a.example.com.",
            "update add 1.2.0.192.in-addr.arpa. 300 PTR b.example.com.",
        ];
        assert_eq!(lines(&change, &[]), expected);
    }

    #[test]
    fn what_the_server_had_goes_when_nics_change() {
        let change = Change::Replace(host("a.example.com", &["192.0.2.2", "192.0.2.3"]));
        let expected = [
            "zone example.com:",
            "update delete a.example.com. A",
            "update delete a.example.com. AAAA",
            "update add a.example.com. 300 A 192.0.2.2",
            "update add a.example.com. 300 A 192.0.2.3",
            "1.2.0.192.in-addr.arpa:",
            "update delete 1.2.0.192.in-addr.arpa. PTR a.example.com.",
            "2.2.0.192.in-addr.arpa:",
            "update add 2.2.0.192.in-addr.arpa. 300 PTR a.example.com.",
            "3.2.0.192.in-addr.arpa:",
            "update add 3.2.0.192.in-addr.arpa. 300 PTR a.example.com.",
        ];
        assert_eq!(lines(&change, &["192.0.2.1", "192.0.2.2"]), expected);
        assert_eq!(change.asks_for().unwrap().as_str(), "a.example.com");
    }

    #[test]
    fn without_addresses_nothing_is_said() {
        let none = host("a.example.com", &[]);
        for change in [Change::Add(none.clone()), Change::Remove(none.clone())] {
            assert_eq!(lines(&change, &[]), [""; 0]);
        }
        let expected = ["zone example.com:", "update delete a.example.com. A", "update delete a.example.com. AAAA"];
        assert_eq!(lines(&Change::Replace(none), &[]), expected);
    }
}
