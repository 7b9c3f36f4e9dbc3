//! What becomes of the names of an instance.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::network::VariableError;
use crate::network::hook::{Hook, Operation, Phase};
use crate::wire::DomainName;

/// A name, and the addresses that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Within the zone.
    pub name: DomainName,
    /// Of all NICs whose networks are in the DNS.
    pub addresses: BTreeSet<IpAddr>,
}

/// What becomes of the records of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// They come.
    Add(Host),
    /// They go.
    Remove(Host),
    /// Those of the old name go, those of the new one come.
    Rename {
        /// The old name.
        from: DomainName,
        /// The new one.
        to: Host,
    },
    /// Whatever the server still has for the name goes, then these come.
    Replace(Host),
}

/// What a hook asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Nothing, for this reason.
    Nothing(Idle),
    /// This.
    Do(Change),
}

/// Why a hook has nothing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Idle {
    /// The operation may still fail.
    #[error("names change after an operation, not before it")]
    Before,
    /// Another node does it.
    #[error("another node is the instance's primary")]
    Elsewhere,
    /// Names stay as they are.
    #[error("the operation changes no names")]
    Unconcerned,
}

/// Decides what a hook on the node called `node` asks for, of the NICs on networks with the tag `tag`.
///
/// # Errors
/// An instance's name is too long for the zone.
pub fn decide(hook: &Hook, node: &str, zone: &DomainName, tag: &str) -> Result<Decision, VariableError> {
    if hook.phase == Phase::Pre {
        return Ok(Decision::Nothing(Idle::Before));
    }
    if !hook.is_on(node) {
        return Ok(Decision::Nothing(Idle::Elsewhere));
    }
    let addresses = hook.nics.iter().filter(|nic| nic.is_tagged(tag)).flat_map(|nic| nic.addresses());
    let host = |name| Host { name, addresses: addresses.collect() };
    let name = within(zone, &hook.instance, "GANETI_INSTANCE_NAME")?;
    let change = match &hook.operation {
        Operation::Add => Change::Add(host(name)),
        Operation::Remove => Change::Remove(host(name)),
        Operation::Modify => Change::Replace(host(name)),
        Operation::Rename(new) => {
            Change::Rename { from: name, to: host(within(zone, new, "GANETI_INSTANCE_NEW_NAME")?) }
        }
        Operation::Other => return Ok(Decision::Nothing(Idle::Unconcerned)),
    };
    Ok(Decision::Do(change))
}

/// The name of an instance in the zone: as it is if it ends there, and else with the zone behind it. So an instance has no
/// name outside of the zone, whatever it is called, and never that of the zone itself.
fn within(zone: &DomainName, instance: &DomainName, variable: &str) -> Result<DomainName, VariableError> {
    let name = instance.as_str().to_ascii_lowercase();
    let ending = format!(".{}", zone.as_str().to_ascii_lowercase());
    let name = if name.ends_with(&ending) { name } else { name + &ending };
    name.parse().map_err(|_| VariableError::new(variable, instance.as_str(), format_args!("too long a name in {zone}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Variables;

    /// What Ganeti says of an instance with a NIC in the DNS and one beside it.
    const INSTANCE: &[(&str, &str)] = &[
        ("GANETI_HOOKS_PHASE", "post"),
        ("GANETI_INSTANCE_NAME", "inst1"),
        ("GANETI_INSTANCE_NEW_NAME", "inst2"),
        ("GANETI_INSTANCE_PRIMARY", "node1.example.com"),
        ("GANETI_INSTANCE_NIC_COUNT", "2"),
        ("GANETI_INSTANCE_NIC0_MAC", "aa:00:00:c2:b2:13"),
        ("GANETI_INSTANCE_NIC0_IP", "192.168.1.2"),
        ("GANETI_INSTANCE_NIC0_NETWORK_TAGS", "nfdhcpd dns"),
        ("GANETI_INSTANCE_NIC0_NETWORK_SUBNET6", "2001:db8:20::/64"),
        ("GANETI_INSTANCE_NIC1_MAC", "aa:00:00:c2:b2:14"),
        ("GANETI_INSTANCE_NIC1_IP", "192.168.2.2"),
        ("GANETI_INSTANCE_NIC1_NETWORK_TAGS", "nfdhcpd"),
    ];

    fn decide_with(more: &[(&str, &str)]) -> Result<Decision, VariableError> {
        let variables: Variables = INSTANCE.iter().chain(more).copied().collect();
        decide(&Hook::read(&variables).unwrap(), "node1", &name("vm.example.com"), "dns")
    }

    fn name(text: &str) -> DomainName {
        text.parse().unwrap()
    }

    fn host(of: &str) -> Host {
        let addresses = ["192.168.1.2", "2001:db8:20:0:a800:ff:fec2:b213"];
        Host { name: name(of), addresses: addresses.map(|address| address.parse().unwrap()).into() }
    }

    #[test]
    fn each_operation_asks_for_a_change() {
        let (old, new) = (host("inst1.vm.example.com"), host("inst2.vm.example.com"));
        for (path, expected) in [
            ("instance-add", Decision::Do(Change::Add(old.clone()))),
            ("instance-remove", Decision::Do(Change::Remove(old.clone()))),
            ("instance-rename", Decision::Do(Change::Rename { from: old.name.clone(), to: new })),
            ("instance-modify", Decision::Do(Change::Replace(old))),
            ("instance-stop", Decision::Nothing(Idle::Unconcerned)),
        ] {
            assert_eq!(decide_with(&[("GANETI_HOOKS_PATH", path)]), Ok(expected), "{path}");
        }
    }

    #[test]
    fn nothing_is_done_before_or_elsewhere() {
        for (variable, value, idle) in [
            ("GANETI_HOOKS_PHASE", "pre", Idle::Before),
            ("GANETI_INSTANCE_PRIMARY", "node2.example.com", Idle::Elsewhere),
        ] {
            let decision = decide_with(&[("GANETI_HOOKS_PATH", "instance-add"), (variable, value)]);
            assert_eq!(decision, Ok(Decision::Nothing(idle)), "{variable}");
        }
    }

    #[test]
    fn a_name_is_always_inside_of_the_zone() {
        let zone = name("Example.com");
        for (instance, expected) in [
            ("inst1", "inst1.example.com"),
            ("inst1.example.com", "inst1.example.com"),
            ("INST1.Example.COM", "inst1.example.com"),
            ("a.b.example.com", "a.b.example.com"),
            ("inst1.example.org", "inst1.example.org.example.com"),
            ("badexample.com", "badexample.com.example.com"),
            ("example.com", "example.com.example.com"),
        ] {
            assert_eq!(within(&zone, &name(instance), "X").unwrap().as_str(), expected);
        }
        let long = name(&["a"; 123].join("."));
        let error = within(&zone, &long, "GANETI_INSTANCE_NAME").unwrap_err();
        assert!(error.to_string().starts_with("GANETI_INSTANCE_NAME=\"a.a."), "{error}");
    }
}
