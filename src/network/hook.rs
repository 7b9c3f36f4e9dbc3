//! What Ganeti tells a hook: what becomes of which instance, and where.

use std::net::IpAddr;

use ipnet::Ipv6Net;

use super::nic::eui64;
use super::tags;
use super::variables::{VariableError, Variables};
use crate::text::{network_v6, number, station, unicast_v4, unicast_v6};
use crate::wire::{DomainName, MacAddr};

/// An operation on an instance, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// `GANETI_HOOKS_PATH`.
    pub operation: Operation,
    /// `GANETI_HOOKS_PHASE`.
    pub phase: Phase,
    /// `GANETI_INSTANCE_NAME`: what it was called before the operation.
    pub instance: DomainName,
    /// `GANETI_INSTANCE_PRIMARY`: the node that it runs on.
    pub primary: DomainName,
    /// Its NICs after the operation, or, where it is gone, before.
    pub nics: Vec<HookNic>,
}

/// What becomes of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// `instance-add`.
    Add,
    /// `instance-rename`, to `GANETI_INSTANCE_NEW_NAME`.
    Rename(DomainName),
    /// `instance-modify`.
    Modify,
    /// `instance-remove`.
    Remove,
    /// Anything else: its name and its NICs stay as they are.
    Other,
}

/// When a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Before the operation. A failure calls it off.
    Pre,
    /// After it. A failure is a warning.
    Post,
}

/// A NIC as hooks are told of it: without its tap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookNic {
    /// `MAC`.
    pub mac: MacAddr,
    /// `IP`, of either family.
    pub ip: Option<IpAddr>,
    /// `NETWORK_SUBNET6`.
    pub subnet6: Option<Ipv6Net>,
    /// `NETWORK_TAGS`, as written.
    pub network_tags: String,
}

impl Hook {
    /// Reads the environment of a hook. What is told for after the operation (`GANETI_POST_*`) comes first: all of it is
    /// there, or nothing.
    ///
    /// # Errors
    /// The first variable that is missing or cannot be.
    pub fn read(variables: &Variables) -> Result<Self, VariableError> {
        let after = variables.optional("GANETI_POST_INSTANCE_NIC_COUNT").is_some();
        let prefix = if after { "GANETI_POST_INSTANCE_" } else { "GANETI_INSTANCE_" };
        Ok(Self {
            operation: Operation::read(variables)?,
            phase: variables.read_required("GANETI_HOOKS_PHASE", Phase::read)?,
            // Afterwards Ganeti may say the old or the new one.
            instance: variables.read_required("GANETI_INSTANCE_NAME", str::parse)?,
            primary: variables.read_required(&format!("{prefix}PRIMARY"), str::parse)?,
            nics: read_nics(variables, prefix)?,
        })
    }

    /// Whether the instance runs on the node of this name. A name without a dot is the first part of the node's full name.
    pub fn is_on(&self, node: &str) -> bool {
        let primary = self.primary.as_str();
        let first_label = primary.split('.').next().unwrap_or(primary);
        node.eq_ignore_ascii_case(primary) || node.eq_ignore_ascii_case(first_label)
    }
}

impl Operation {
    fn read(variables: &Variables) -> Result<Self, VariableError> {
        Ok(match variables.required("GANETI_HOOKS_PATH")? {
            "instance-add" => Self::Add,
            "instance-rename" => Self::Rename(variables.read_required("GANETI_INSTANCE_NEW_NAME", str::parse)?),
            "instance-modify" => Self::Modify,
            "instance-remove" => Self::Remove,
            _ => Self::Other,
        })
    }
}

impl Phase {
    fn read(text: &str) -> Result<Self, &'static str> {
        match text {
            "pre" => Ok(Self::Pre),
            "post" => Ok(Self::Post),
            _ => Err("not pre or post"),
        }
    }
}

fn read_nics(variables: &Variables, prefix: &str) -> Result<Vec<HookNic>, VariableError> {
    let count = variables.read_required(&format!("{prefix}NIC_COUNT"), |text| number(text, 0..=u32::MAX))?;
    (0..count).map(|index| HookNic::read(variables, &format!("{prefix}NIC{index}_"))).collect()
}

impl HookNic {
    fn read(variables: &Variables, prefix: &str) -> Result<Self, VariableError> {
        let name = |rest: &str| format!("{prefix}{rest}");
        Ok(Self {
            mac: variables.read_required(&name("MAC"), station)?,
            ip: variables.read(&name("IP"), unicast)?,
            subnet6: variables.read(&name("NETWORK_SUBNET6"), network_v6)?,
            network_tags: variables.optional(&name("NETWORK_TAGS")).unwrap_or_default().to_owned(),
        })
    }

    /// Whether its network has this tag.
    pub fn is_tagged(&self, tag: &str) -> bool {
        tags::words(&self.network_tags).any(|word| word == tag)
    }

    /// The addresses of the guest there: the one that Ganeti gave it, and the one that it makes for itself in a /64.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let own = self.subnet6.and_then(|subnet| eui64(self.mac, subnet)).map(IpAddr::V6);
        self.ip.into_iter().chain(own)
    }
}

fn unicast(text: &str) -> Result<IpAddr, String> {
    if text.contains(':') { unicast_v6(text).map(IpAddr::V6) } else { unicast_v4(text).map(IpAddr::V4) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Ganeti says after an instance with two NICs was modified.
    const MODIFY: &[(&str, &str)] = &[
        ("GANETI_HOOKS_PATH", "instance-modify"),
        ("GANETI_HOOKS_PHASE", "post"),
        ("GANETI_INSTANCE_NAME", "inst1.example.com"),
        ("GANETI_INSTANCE_PRIMARY", "node1.example.com"),
        ("GANETI_INSTANCE_NIC_COUNT", "2"),
        ("GANETI_INSTANCE_NIC0_MAC", "aa:00:00:c2:b2:13"),
        ("GANETI_INSTANCE_NIC0_IP", "192.168.1.2"),
        ("GANETI_INSTANCE_NIC0_NETWORK_TAGS", "nfdhcpd dns"),
        ("GANETI_INSTANCE_NIC0_NETWORK_SUBNET6", "2001:db8:20::/64"),
        ("GANETI_INSTANCE_NIC1_MAC", "aa:00:00:c2:b2:14"),
        ("GANETI_INSTANCE_NIC1_IP", ""),
    ];

    fn with(more: &[(&str, &str)]) -> Result<Hook, VariableError> {
        Hook::read(&MODIFY.iter().chain(more).copied().collect())
    }

    #[test]
    fn an_operation_with_its_nics() {
        let hook = with(&[]).unwrap();
        assert_eq!((hook.operation, hook.phase), (Operation::Modify, Phase::Post));
        let [first, second] = hook.nics.as_slice() else { panic!("{:?}", hook.nics) };
        assert!(first.is_tagged("dns") && !first.is_tagged("dn") && !second.is_tagged("dns"));
        let addresses: Vec<_> = first.addresses().map(|address| address.to_string()).collect();
        assert_eq!(addresses, ["192.168.1.2", "2001:db8:20:0:a800:ff:fec2:b213"]);
        assert_eq!(second.addresses().count(), 0);
    }

    #[test]
    fn a_subnet_that_is_no_64_gives_no_address() {
        let hook = with(&[("GANETI_INSTANCE_NIC0_NETWORK_SUBNET6", "2001:db8:20::/80")]).unwrap();
        assert_eq!(hook.nics[0].addresses().count(), 1);
    }

    #[test]
    fn what_is_after_the_operation_counts_as_a_whole() {
        let after = [
            ("GANETI_POST_INSTANCE_NAME", "inst2.example.com"),
            ("GANETI_POST_INSTANCE_PRIMARY", "node2.example.com"),
            ("GANETI_POST_INSTANCE_NIC_COUNT", "1"),
            ("GANETI_POST_INSTANCE_NIC0_MAC", "aa:00:00:c2:b2:15"),
        ];
        let hook = with(&after).unwrap();
        assert_eq!(hook.instance.as_str(), "inst1.example.com");
        assert_eq!(hook.primary.as_str(), "node2.example.com");
        let [nic] = hook.nics.as_slice() else { panic!("{:?}", hook.nics) };
        assert_eq!((nic.mac.to_string().as_str(), nic.ip, nic.network_tags.as_str()), ("aa:00:00:c2:b2:15", None, ""));
    }

    #[test]
    fn a_node_goes_by_its_full_name_or_its_first_part() {
        let hook = with(&[]).unwrap();
        for (node, expected) in [
            ("node1.example.com", true),
            ("NODE1.example.com", true),
            ("node1", true),
            ("node1.example.org", false),
            ("node2", false),
            ("node", false),
            ("", false),
        ] {
            assert_eq!(hook.is_on(node), expected, "{node}");
        }
    }

    #[test]
    fn errors_name_the_variable() {
        for (name, value, reason) in [
            ("GANETI_HOOKS_PATH", "", "not set"),
            ("GANETI_HOOKS_PHASE", "now", "not pre or post"),
            ("GANETI_INSTANCE_NAME", "inst1\nupdate delete ns.example.com", "not a domain name"),
            ("GANETI_INSTANCE_PRIMARY", "", "not set"),
            ("GANETI_INSTANCE_NIC_COUNT", "", "not set"),
            ("GANETI_INSTANCE_NIC_COUNT", "-1", "not a number"),
            ("GANETI_INSTANCE_NIC_COUNT", "3", "GANETI_INSTANCE_NIC2_MAC: not set"),
            ("GANETI_INSTANCE_NIC0_MAC", "auto", "not a MAC address"),
            ("GANETI_INSTANCE_NIC1_IP", "192.168.1.2\nsend", "not an IPv4 address"),
            ("GANETI_INSTANCE_NIC1_IP", "2001:db8::1 x", "not an IPv6 address"),
            ("GANETI_INSTANCE_NIC0_NETWORK_SUBNET6", "x", "not an IPv6 network"),
            ("GANETI_POST_INSTANCE_NIC_COUNT", "0", "GANETI_POST_INSTANCE_PRIMARY: not set"),
        ] {
            let error = with(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(reason) && error.lines().count() == 1, "{name}: {error}");
            assert!(error.starts_with(name) || error.starts_with(reason), "{name}: {error}");
        }
    }

    #[test]
    fn a_rename_has_a_new_name() {
        let rename = |name| with(&[("GANETI_HOOKS_PATH", "instance-rename"), ("GANETI_INSTANCE_NEW_NAME", name)]);
        assert_eq!(rename("inst2").unwrap().operation, Operation::Rename("inst2".parse().unwrap()));
        for name in ["", "a b", "inst2\nsend"] {
            assert_eq!(rename(name).unwrap_err().name, "GANETI_INSTANCE_NEW_NAME", "{name}");
        }
    }
}
