//! What a guest is called, in both families.

use crate::binding::Binding;
use crate::config::{Config, Dhcp};
use crate::wire::DomainName;

/// The domain that the guest is in: its own, the node's, or what follows the first dot of its name.
pub(super) fn domain(binding: &Binding, node: Option<&Dhcp>) -> Option<DomainName> {
    let own = binding.settings.domain.as_ref();
    own.or_else(|| node?.domain.as_ref()).cloned().or_else(|| binding.hostname.parent())
}

/// The guest's name with its domain, if it has one.
pub(super) fn full(binding: &Binding, config: &Config) -> DomainName {
    let name = &binding.hostname;
    let joined = || format!("{name}.{}", domain(binding, config.dhcp.as_ref())?).parse().ok();
    if name.is_qualified() { name.clone() } else { joined().unwrap_or_else(|| name.clone()) }
}

/// A name in label form (RFC 1035 §3.1): with the root label if it is a whole one (RFC 4702 §2.3.1, RFC 4704 §4.2).
pub(super) fn encoded(name: &DomainName) -> Box<[u8]> {
    let mut labels = Vec::new();
    name.encode(&mut labels, name.is_qualified());
    labels.into_boxed_slice()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::testing::{binding, dhcp, node};

    #[test]
    fn a_name_without_a_dot_gets_the_domain() {
        let full_name = |hostname: &str, own: Option<&str>, node_wide: Option<&str>| {
            let mut binding = Binding { hostname: hostname.parse().unwrap(), ..binding() };
            binding.settings.domain = own.map(|name| name.parse().unwrap());
            let domain = node_wide.map(|name| name.parse().unwrap());
            full(&binding, &Config { dhcp: Some(Dhcp { domain, ..dhcp() }), ..node() }).to_string()
        };
        assert_eq!(full_name("vm1", None, None), "vm1");
        assert_eq!(full_name("vm1", None, Some("node.example")), "vm1.node.example");
        assert_eq!(full_name("vm1", Some("own.example"), Some("node.example")), "vm1.own.example");
        assert_eq!(full_name("vm1.example.com", Some("own.example"), None), "vm1.example.com");
        let labels = ["vm1", "vm1.example"].map(|name| encoded(&name.parse().unwrap()));
        assert_eq!((&*labels[0], &*labels[1]), (&b"\x03vm1"[..], &b"\x03vm1\x07example\0"[..]));
    }
}
