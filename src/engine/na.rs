//! Neighbor Solicitations from guests, and the Neighbor Advertisements that answer them (RFC 4861 §7.2).

use std::net::Ipv6Addr;

use super::outcome::{Reason, Refusal};
use super::solicitation::Solicitation;
use crate::binding::Ipv6Binding;
use crate::wire::MacAddr;
use crate::wire::ndp::{self, NeighborAdvertisement, NeighborSolicitation};

/// A Neighbor Advertisement to send, with hop limit 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// Which kind of answer this is.
    pub reason: Reason,
    /// The ICMPv6 message, its checksum zero.
    pub message: [u8; NeighborAdvertisement::LEN],
    /// The IPv6 source.
    pub source: Ipv6Addr,
    /// The IPv6 destination.
    pub destination: Ipv6Addr,
    /// The frame's source.
    pub source_mac: MacAddr,
    /// The frame's destination.
    pub destination_mac: MacAddr,
}

/// The answer to a Neighbor Solicitation, or why there is none. `router` is the router, as the guest sees it, or why there
/// is none; that is a reason only where an answer is due: a guest's neighbours are not to suffer from it.
pub fn decide(solicitation: &Solicitation<'_>, router: Result<MacAddr, Reason>) -> Result<Reply, Refusal> {
    let ipv6 = solicitation.binding.ipv6.as_ref().ok_or(Reason::NoIpv6)?;
    let target = check(solicitation)?;
    let role = role(solicitation, ipv6, router, target);
    match role {
        Role::Own if solicitation.source.is_unspecified() => Ok(defence(router?, target)),
        // RFC 4862 §5.4: a node that asks from `::` wants to know whether it may use the target.
        _ if solicitation.source.is_unspecified() => Err(Reason::DuplicateAddressDetection.into()),
        Role::Own | Role::Proxied => Ok(answer(solicitation, router?, target, role == Role::Own)),
        Role::Foreign => Err(Reason::NeighborNotOurs.into()),
    }
}

/// The target of a solicitation that passes RFC 4861 §7.1.1 and is no forgery.
fn check(solicitation: &Solicitation<'_>) -> Result<Ipv6Addr, Refusal> {
    solicitation.check_headers()?;
    let message = NeighborSolicitation::parse(solicitation.body)?;
    let target = message.target();
    // RFC 4861 §7.1.1: from `::` only to a solicited-node address; of no other node than the target: RFC 4862 §5.4.2.
    if solicitation.source.is_unspecified() && solicitation.destination != solicited_node(target) {
        return Err(Reason::BadDestination.into());
    }
    solicitation.check_claim(message.source_link_layer())?;
    Ok(target)
}

/// The solicited-node multicast address of `target` (RFC 4291 §2.7.1).
pub(super) fn solicited_node(target: Ipv6Addr) -> Ipv6Addr {
    const PREFIX: u128 = 0xff02_0000_0000_0000_0000_0001_ff00_0000;
    Ipv6Addr::from_bits(PREFIX | target.to_bits() & 0x00ff_ffff)
}

/// Whose an address is, as far as we are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Ours: the gateway's, or our link-local. Without a router nobody has the latter.
    Own,
    /// On a node behind the router: we answer in its place.
    Proxied,
    /// The guest's own, or one that a neighbour on the bridge answers for itself.
    Foreign,
}

fn role(
    solicitation: &Solicitation<'_>,
    ipv6: &Ipv6Binding,
    router: Result<MacAddr, Reason>,
    target: Ipv6Addr,
) -> Role {
    let is_own = ipv6.gateway == Some(target) || router.is_ok_and(|router| router.link_local() == target);
    // The sender holds what it sends from; to tell it otherwise would look like a duplicate.
    let is_guests = ipv6.is_guests(target) || solicitation.source == target;
    if is_guests {
        Role::Foreign
    } else if is_own {
        Role::Own
    } else if solicitation.binding.is_routed() && ipv6.is_on_link(target) && !ipv6.is_delegated(target) {
        Role::Proxied
    } else {
        Role::Foreign
    }
}

/// RFC 4861 §7.2.4: to the asker, solicited; O only where we own the target.
fn answer(solicitation: &Solicitation<'_>, router: MacAddr, target: Ipv6Addr, is_own: bool) -> Reply {
    Reply {
        reason: if is_own { Reason::NeighborAdvertised } else { Reason::NeighborProxied },
        message: advertisement(router, target, true, is_own),
        // RFC 4861 §4.4: the source is an address of the sending interface. A proxied target is not one of ours, and
        // its owner may be watching; our link-local always is.
        source: if is_own { target } else { router.link_local() },
        destination: solicitation.source,
        source_mac: router,
        destination_mac: solicitation.asker_mac(),
    }
}

/// RFC 4861 §7.2.4: a prober has no address yet, so all nodes hear that the target is taken.
fn defence(router: MacAddr, target: Ipv6Addr) -> Reply {
    Reply {
        reason: Reason::AddressDefended,
        message: advertisement(router, target, false, true),
        source: target,
        destination: ndp::ALL_NODES,
        source_mac: router,
        destination_mac: MacAddr::ALL_NODES,
    }
}

fn advertisement(
    router: MacAddr,
    target: Ipv6Addr,
    solicited: bool,
    overrides: bool,
) -> [u8; NeighborAdvertisement::LEN] {
    NeighborAdvertisement { router: true, solicited, overrides, target, target_link_layer: router }.encode()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binding::Binding;
    use crate::engine::testing::{GUEST, OTHER, ROUTER, binding, bridged};

    const GATEWAY: &str = "2001:db8::1";
    const NEIGHBOR: &str = "2001:db8::77";
    const OWN: &str = "2001:db8::a800:ff:fe00:1";
    const GUEST_LOCAL: &str = "fe80::1234";
    const ROUTER_LOCAL: &str = "fe80::ff:fe00:1";
    const SLLA: [u8; 8] = [1, 1, 0xaa, 0, 0, 0, 0, 1];

    fn ip(text: &str) -> Ipv6Addr {
        text.parse().unwrap()
    }

    fn body(target: &str, options: &[u8]) -> Vec<u8> {
        [&[0; 4], &ip(target).octets()[..], options].concat()
    }

    fn solicitation<'a>(binding: &'a Binding, source: &str, body: &'a [u8]) -> Solicitation<'a> {
        let target = Ipv6Addr::from_octets(body[4..20].try_into().unwrap());
        Solicitation {
            binding,
            sender: Some(GUEST),
            hop_limit: 255,
            source: ip(source),
            destination: solicited_node(target),
            code: 0,
            body,
        }
    }

    fn answered(solicitation: &Solicitation<'_>) -> Result<Reply, Refusal> {
        decide(solicitation, Ok(ROUTER))
    }

    fn reason(binding: &Binding, source: &str, target: &str) -> Reason {
        match answered(&solicitation(binding, source, &body(target, &[]))) {
            Ok(reply) => reply.reason,
            Err(refusal) => refusal.reason,
        }
    }

    #[test]
    fn answers_for_what_is_ours_on_a_routed_tap() {
        let cases = [
            (GUEST_LOCAL, GATEWAY, Reason::NeighborAdvertised),
            (OWN, GATEWAY, Reason::NeighborAdvertised),
            (GUEST_LOCAL, ROUTER_LOCAL, Reason::NeighborAdvertised),
            (GUEST_LOCAL, NEIGHBOR, Reason::NeighborProxied),
            (GUEST_LOCAL, OWN, Reason::NeighborNotOurs),
            (GUEST_LOCAL, "2001:db8:0:1::1", Reason::NeighborNotOurs),
            (GUEST_LOCAL, "fe80::5", Reason::NeighborNotOurs),
            (GUEST_LOCAL, GUEST_LOCAL, Reason::NeighborNotOurs),
            (NEIGHBOR, NEIGHBOR, Reason::NeighborNotOurs),
            (GATEWAY, GATEWAY, Reason::NeighborNotOurs),
            ("::", GATEWAY, Reason::AddressDefended),
            ("::", ROUTER_LOCAL, Reason::AddressDefended),
            ("::", OWN, Reason::DuplicateAddressDetection),
            ("::", NEIGHBOR, Reason::DuplicateAddressDetection),
            ("::", GUEST_LOCAL, Reason::DuplicateAddressDetection),
        ];
        for (source, target, expected) in cases {
            assert_eq!(reason(&binding(), source, target), expected, "{source} {target}");
        }
    }

    /// As where `INDEV` names no interface: what is no affair of ours goes on to the bridge.
    #[test]
    fn without_a_router_only_what_is_ours_is_refused() {
        let cases = [
            (bridged(), GUEST_LOCAL, GATEWAY, Reason::NoIndev),
            (bridged(), "::", GATEWAY, Reason::NoIndev),
            (bridged(), GUEST_LOCAL, ROUTER_LOCAL, Reason::NeighborNotOurs),
            (bridged(), GUEST_LOCAL, NEIGHBOR, Reason::NeighborNotOurs),
            (bridged(), "::", OWN, Reason::DuplicateAddressDetection),
            (binding(), GUEST_LOCAL, NEIGHBOR, Reason::NoIndev),
            (binding(), GUEST_LOCAL, OWN, Reason::NeighborNotOurs),
            (binding(), "::", NEIGHBOR, Reason::DuplicateAddressDetection),
        ];
        for (binding, source, target, expected) in cases {
            let body = body(target, &[]);
            let solicitation = solicitation(&binding, source, &body);
            assert_eq!(decide(&solicitation, Err(Reason::NoIndev)), Err(expected.into()), "{source} {target}");
        }
    }

    #[test]
    fn leaves_the_neighbours_of_a_bridge_alone() {
        let cases = [
            (GUEST_LOCAL, GATEWAY, Reason::NeighborAdvertised),
            (GUEST_LOCAL, ROUTER_LOCAL, Reason::NeighborAdvertised),
            (GUEST_LOCAL, NEIGHBOR, Reason::NeighborNotOurs),
            ("::", GATEWAY, Reason::AddressDefended),
            ("::", NEIGHBOR, Reason::DuplicateAddressDetection),
        ];
        for (source, target, expected) in cases {
            assert_eq!(reason(&bridged(), source, target), expected, "{source} {target}");
        }
    }

    #[test]
    fn every_prefix_of_a_routed_tap_is_proxied_but_what_is_the_guests() {
        let mut binding = binding();
        binding.ipv6 = Some(Ipv6Binding {
            subnets: ["2001:db8::/64", "2001:db8:1::/48", "2001:db8:2::5/128", "2001:db8:3::6/128"]
                .map(|subnet| subnet.parse().unwrap())
                .into(),
            gateway: Some(ip("2001:db8:1:ff::1")),
            eui64: Some(ip(OWN)),
            leased: Some(ip("2001:db8::99")),
            delegated: Some("2001:db8:1:ff::/64".parse().unwrap()),
        });
        let cases = [
            (GUEST_LOCAL, NEIGHBOR, Reason::NeighborProxied),
            (GUEST_LOCAL, "2001:db8:1::77", Reason::NeighborProxied),
            (GUEST_LOCAL, "2001:db8:1:fe::77", Reason::NeighborProxied),
            (GUEST_LOCAL, "2001:db8:2::6", Reason::NeighborNotOurs),
            // Its addresses, those of prefixes of one address, and what is behind it.
            (GUEST_LOCAL, OWN, Reason::NeighborNotOurs),
            (GUEST_LOCAL, "2001:db8::99", Reason::NeighborNotOurs),
            (GUEST_LOCAL, "2001:db8:2::5", Reason::NeighborNotOurs),
            (GUEST_LOCAL, "2001:db8:3::6", Reason::NeighborNotOurs),
            (GUEST_LOCAL, "2001:db8:1:ff::77", Reason::NeighborNotOurs),
            // The gateway is ours wherever it is.
            (GUEST_LOCAL, "2001:db8:1:ff::1", Reason::NeighborAdvertised),
            ("::", "2001:db8:1:ff::1", Reason::AddressDefended),
            ("::", OWN, Reason::DuplicateAddressDetection),
            ("::", "2001:db8::99", Reason::DuplicateAddressDetection),
            ("::", "2001:db8:3::6", Reason::DuplicateAddressDetection),
            ("::", "2001:db8:1:ff::77", Reason::DuplicateAddressDetection),
        ];
        for (source, target, expected) in cases {
            assert_eq!(reason(&binding, source, target), expected, "{source} {target}");
        }
    }

    /// One address, and a gateway that is nobody's neighbour: what a routed guest has that is alone on its link.
    #[test]
    fn a_gateway_may_be_link_local() {
        let own = "2001:db8::5";
        let mut binding = binding();
        binding.ipv6 = Some(Ipv6Binding {
            subnets: vec!["2001:db8::5/128".parse().unwrap()],
            gateway: Some(ip("fe80::1")),
            leased: Some(ip(own)),
            ..Ipv6Binding::default()
        });
        let cases = [
            (GUEST_LOCAL, "fe80::1", Reason::NeighborAdvertised),
            (own, "fe80::1", Reason::NeighborAdvertised),
            ("::", "fe80::1", Reason::AddressDefended),
            (GUEST_LOCAL, ROUTER_LOCAL, Reason::NeighborAdvertised),
            ("::", own, Reason::DuplicateAddressDetection),
            (GUEST_LOCAL, own, Reason::NeighborNotOurs),
            (GUEST_LOCAL, "2001:db8::6", Reason::NeighborNotOurs),
            (GUEST_LOCAL, "fe80::2", Reason::NeighborNotOurs),
        ];
        for (source, target, expected) in cases {
            assert_eq!(reason(&binding, source, target), expected, "{source} {target}");
        }
        let body = body("fe80::1", &SLLA);
        assert_eq!(answered(&solicitation(&binding, own, &body)).unwrap().source, ip("fe80::1"));
    }

    #[test]
    fn a_binding_with_nothing_but_a_delegated_prefix_has_a_router() {
        let mut binding = binding();
        binding.ipv6 = Some(Ipv6Binding {
            gateway: Some(ip(GATEWAY)),
            delegated: Some("2001:db8::/56".parse().unwrap()),
            ..Ipv6Binding::default()
        });
        assert_eq!(reason(&binding, GUEST_LOCAL, GATEWAY), Reason::NeighborAdvertised);
        assert_eq!(reason(&binding, GUEST_LOCAL, NEIGHBOR), Reason::NeighborNotOurs);
        assert_eq!(reason(&binding, "::", NEIGHBOR), Reason::DuplicateAddressDetection);
    }

    #[test]
    fn a_binding_without_gateway_has_its_link_local_only() {
        let mut binding = bridged();
        binding.ipv6.as_mut().unwrap().gateway = None;
        assert_eq!(reason(&binding, GUEST_LOCAL, GATEWAY), Reason::NeighborNotOurs);
        assert_eq!(reason(&binding, GUEST_LOCAL, ROUTER_LOCAL), Reason::NeighborAdvertised);
        binding.ipv6 = None;
        assert_eq!(reason(&binding, GUEST_LOCAL, ROUTER_LOCAL), Reason::NoIpv6);
    }

    #[test]
    fn owned_addresses_answer_for_themselves_and_override() {
        let binding = binding();
        let body = body(GATEWAY, &SLLA);
        let reply = answered(&solicitation(&binding, GUEST_LOCAL, &body)).unwrap();
        assert_eq!(reply.source, ip(GATEWAY));
        assert_eq!(reply.destination, ip(GUEST_LOCAL));
        assert_eq!(reply.destination_mac, GUEST);
        assert_eq!(reply.message, advertisement(ROUTER, ip(GATEWAY), true, true));
        assert_eq!(reply.message[4], 0xe0);
    }

    #[test]
    fn proxied_addresses_are_answered_from_our_link_local_without_override() {
        let binding = binding();
        let body = body(NEIGHBOR, &SLLA);
        let reply = answered(&solicitation(&binding, GUEST_LOCAL, &body)).unwrap();
        assert_eq!(reply.source, ip(ROUTER_LOCAL));
        assert_eq!(reply.message[4], 0xc0);
        assert_eq!(reply.message[8..24], ip(NEIGHBOR).octets());
    }

    #[test]
    fn a_defence_goes_to_everybody() {
        let binding = binding();
        let body = body(GATEWAY, &[]);
        let reply = answered(&solicitation(&binding, "::", &body)).unwrap();
        assert_eq!(reply.source, ip(GATEWAY));
        assert_eq!(reply.destination, ip("ff02::1"));
        assert_eq!(reply.destination_mac, MacAddr::ALL_NODES);
        assert_eq!(reply.message[4], 0xa0);
    }

    #[test]
    fn refuses_what_is_not_valid() {
        type Change = fn(&mut Solicitation<'_>);
        let cases: [(&str, &[u8], Change, Reason); 7] = [
            (GUEST_LOCAL, &[], |s| s.hop_limit = 254, Reason::HopLimit),
            (GUEST_LOCAL, &[], |s| s.code = 1, Reason::Malformed),
            (GUEST_LOCAL, &[], |s| s.body = &[0; 4], Reason::Malformed),
            (GUEST_LOCAL, &[2, 0], |_| (), Reason::Malformed),
            ("::", &SLLA, |_| (), Reason::Malformed),
            ("::", &[], |s| s.destination = ip(GATEWAY), Reason::BadDestination),
            ("::", &[], |s| s.destination = ip("ff02::1:ff00:2"), Reason::BadDestination),
        ];
        for (source, options, change, expected) in cases {
            let binding = binding();
            let body = body(GATEWAY, options);
            let mut solicitation = solicitation(&binding, source, &body);
            change(&mut solicitation);
            assert_eq!(answered(&solicitation).unwrap_err().reason, expected);
        }
    }

    #[test]
    fn macspoof_lets_other_macs_pass() {
        let mut binding = binding();
        binding.mac = OTHER;
        let body = body(GATEWAY, &SLLA);
        let result = answered(&solicitation(&binding, GUEST_LOCAL, &body));
        assert_eq!(result, Err(Refusal::spoofed_message(GUEST)));
        binding.settings.macspoof = true;
        let mut solicitation = solicitation(&binding, GUEST_LOCAL, &body);
        assert_eq!(answered(&solicitation).unwrap().destination_mac, GUEST);
        solicitation.sender = None;
        assert_eq!(answered(&solicitation).unwrap().destination_mac, OTHER);
    }

    #[test]
    fn a_unicast_probe_of_the_gateway_is_answered() {
        let binding = binding();
        let body = body(GATEWAY, &[]);
        let mut solicitation = solicitation(&binding, GUEST_LOCAL, &body);
        solicitation.destination = ip(GATEWAY);
        assert_eq!(answered(&solicitation).unwrap().reason, Reason::NeighborAdvertised);
    }
}
