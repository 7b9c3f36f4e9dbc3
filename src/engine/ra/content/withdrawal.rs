//! What a Router Advertisement takes back of what was said before.

use super::{Content, Printable};
use crate::wire::ndp::{CaptivePortal, Pref64, PrefixInformation, RouteInformation};

impl Content {
    /// What must be said once because `new` (None: nothing any more) takes it back. None where nothing is taken back.
    ///
    /// It is an advertisement of its own, sent before that of `new`. Its router lifetime is that of `new`, and zero
    /// without. It fits a packet where [`check_fit`](Self::check_fit) let `old` pass. An MTU cannot be withdrawn: it
    /// has no lifetime.
    pub fn withdrawal(old: &Self, new: Option<&Self>) -> Option<Self> {
        let withdrawal = Self { router_lifetime: new.map_or(0, |new| new.router_lifetime), ..Self::losses(old, new) };
        withdrawal.takes_from(old).then_some(withdrawal)
    }

    /// What the router says for the last time from the address that it leaves behind when it changes its MAC: that it
    /// is a default router no more, and what `new` takes back. None where there is neither.
    pub fn farewell(old: &Self, new: &Self) -> Option<Self> {
        // RFC 4191 §2.3: a route leads to the address that advertised it. That of `new` is another.
        let routes = withdrawn_routes(&old.routes, &[]);
        let farewell = Self { routes, ..Self::losses(old, Some(new)) };
        farewell.takes_from(old).then_some(farewell)
    }

    /// The router, and what `old` says and `new` does not, all without lifetime.
    fn losses(old: &Self, new: Option<&Self>) -> Self {
        let prefixes = new.map_or(&[][..], |new| &new.prefixes);
        let routes = new.map_or(&[][..], |new| &new.routes);
        Self {
            managed: new.is_some_and(|new| new.managed),
            other: new.is_some_and(|new| new.other),
            router_preference: new.map(|new| new.router_preference).unwrap_or_default(),
            router_lifetime: 0,
            mtu: None,
            prefixes: old.prefixes.iter().filter_map(|prefix| withdrawn(prefix, prefixes)).collect(),
            dns_lifetime: 0,
            nameservers: missing(&old.nameservers, new.map(|new| &*new.nameservers)),
            search: missing(&old.search, new.map(|new| &*new.search)),
            routes: withdrawn_routes(&old.routes, routes),
            pref64: withdrawn_pref64(old.pref64, new.and_then(|new| new.pref64)),
            captive_portal: withdrawn_portal(
                old.captive_portal.as_ref(),
                new.and_then(|new| new.captive_portal.as_ref()),
            ),
        }
    }

    /// Whether this withdrawal takes anything from a guest that knows `old`.
    fn takes_from(&self, old: &Self) -> bool {
        let takes_router = old.router_lifetime > 0 && self.router_lifetime == 0;
        takes_router || self.has_options()
    }

    fn has_options(&self) -> bool {
        let has_dns = !(self.nameservers.is_empty() && self.search.is_empty());
        let has_others = self.pref64.is_some() || self.captive_portal.is_some();
        has_dns || has_others || !(self.prefixes.is_empty() && self.routes.is_empty())
    }
}

/// `old` as it is to be taken back: with the flags that it has in `new` no more, and without lifetimes.
///
/// A valid lifetime of zero ends an on-link prefix at once (RFC 4861 §6.3.4). An address made from it lives on for up
/// to two hours (RFC 4862 §5.5.3 e), but its preferred lifetime ends: nothing new is begun from it.
fn withdrawn(old: &PrefixInformation, new: &[PrefixInformation]) -> Option<PrefixInformation> {
    let same = new.iter().find(|new| new.prefix == old.prefix);
    let on_link = old.on_link && !same.is_some_and(|new| new.on_link);
    let autonomous = old.autonomous && !same.is_some_and(|new| new.autonomous);
    (on_link || autonomous).then_some(PrefixInformation {
        prefix: old.prefix,
        on_link,
        autonomous,
        valid_lifetime: 0,
        preferred_lifetime: 0,
    })
}

/// The routes of `old` that `new` has with no preference (RFC 4191 §2.3: a lifetime of zero ends a route).
fn withdrawn_routes(old: &[RouteInformation], new: &[RouteInformation]) -> Vec<RouteInformation> {
    let is_lost = |old: &&RouteInformation| !new.iter().any(|new| new.prefix == old.prefix);
    old.iter().filter(is_lost).map(|old| RouteInformation { lifetime: 0, ..*old }).collect()
}

/// RFC 8781 §4.1: a lifetime of zero says that the prefix is not to be used any more.
fn withdrawn_pref64(old: Option<Pref64>, new: Option<Pref64>) -> Option<Pref64> {
    let old = old.filter(|old| new.is_none_or(|new| new.prefix != old.prefix))?;
    Some(Pref64 { lifetime: 0, ..old })
}

/// A portal has no lifetime, but that there is none has a URI of its own (RFC 8910 §2).
fn withdrawn_portal(old: Option<&Printable>, new: Option<&Printable>) -> Option<Printable> {
    let none: Printable = CaptivePortal::UNRESTRICTED.parse().ok()?;
    let is_lost = new.is_none() && old.is_some_and(|old| *old != none);
    is_lost.then_some(none)
}

/// Those of `old` that `new` does not have.
fn missing<T: Clone + PartialEq>(old: &[T], new: Option<&[T]>) -> Vec<T> {
    let new = new.unwrap_or_default();
    old.iter().filter(|item| !new.contains(item)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use ipnet::Ipv6Net;
    use proptest::prelude::*;

    use super::super::tests::{content, full, subnet, with_binding, with_config};
    use super::*;
    use crate::config::Ipv6Mode;
    use crate::engine::testing::binding;
    use crate::wire::ndp::Preference;

    #[test]
    fn nothing_is_withdrawn_without_a_loss() {
        let content = content();
        let longer = with_config(|config| {
            config.nameservers.push(Ipv6Addr::LOCALHOST);
            config.router_lifetime = 9000;
        });
        assert_eq!(Content::withdrawal(&content, Some(&content)), None);
        assert_eq!(Content::withdrawal(&content, Some(&longer)), None);
    }

    #[test]
    fn a_change_of_words_is_no_loss() {
        let old = full();
        let mut new = full();
        new.router_preference = Preference::High;
        new.dns_lifetime = 60;
        new.prefixes[0].preferred_lifetime = 60;
        new.routes[0].preference = Preference::Low;
        new.routes[1].lifetime = 60;
        new.pref64 = new.pref64.map(|pref64| Pref64 { lifetime: 64, ..pref64 });
        new.captive_portal = Some("https://other.test".parse().unwrap());
        assert_eq!(Content::withdrawal(&old, Some(&new)), None);
    }

    #[test]
    fn what_vanished_is_withdrawn() {
        let (old, new) = (subnet("2001:db8::/64"), subnet("2001:db8:1::/64"));
        let withdrawal = Content::withdrawal(&old, Some(&new)).unwrap();
        let expected = Content {
            router_lifetime: 1800,
            mtu: None,
            prefixes: vec![PrefixInformation { valid_lifetime: 0, preferred_lifetime: 0, ..old.prefixes[0] }],
            dns_lifetime: 0,
            nameservers: Vec::new(),
            search: Vec::new(),
            ..new
        };
        assert_eq!(withdrawal, expected);
    }

    #[test]
    fn servers_and_domains_are_withdrawn_one_by_one() {
        let old = with_config(|config| config.nameservers.push(Ipv6Addr::LOCALHOST));
        let new = with_config(|config| config.domains.clear());
        let withdrawal = Content::withdrawal(&old, Some(&new)).unwrap();
        assert_eq!(withdrawal.nameservers, [Ipv6Addr::LOCALHOST]);
        assert_eq!(withdrawal.search, ["example.com".parse().unwrap()]);
        assert!(withdrawal.prefixes.is_empty());
        assert_eq!(withdrawal.dns_lifetime, 0);
    }

    #[test]
    fn one_prefix_of_several_is_withdrawn_alone() {
        let mut new = full();
        let lost = new.prefixes.remove(0).prefix;
        let withdrawal = Content::withdrawal(&full(), Some(&new)).unwrap();
        let said: Vec<_> = withdrawal.prefixes.iter().map(|it| (it.prefix, it.valid_lifetime)).collect();
        assert_eq!(said, [(lost, 0)]);
        assert_eq!(withdrawal.router_lifetime, 1800);
    }

    #[test]
    fn routes_are_withdrawn_one_by_one() {
        let old = full();
        let new = Content { routes: old.routes[1..].to_vec(), ..old.clone() };
        let withdrawal = Content::withdrawal(&old, Some(&new)).unwrap();
        assert_eq!(withdrawal.routes, [RouteInformation { lifetime: 0, ..old.routes[0] }]);
        assert!(withdrawal.prefixes.is_empty() && withdrawal.pref64.is_none());
    }

    #[test]
    fn another_nat64_takes_the_place_of_the_first() {
        let old = full();
        let other = old.pref64.map(|old| Pref64 { prefix: "2001:db8:64::/48".parse().unwrap(), ..old });
        for pref64 in [other, None] {
            let withdrawal = Content::withdrawal(&old, Some(&Content { pref64, ..old.clone() })).unwrap();
            assert_eq!(withdrawal.pref64, old.pref64.map(|old| Pref64 { lifetime: 0, ..old }));
        }
    }

    #[test]
    fn a_portal_that_is_gone_leaves_no_restriction() {
        let old = full();
        let without = Content { captive_portal: None, ..full() };
        let withdrawal = Content::withdrawal(&old, Some(&without)).unwrap();
        let unrestricted = withdrawal.captive_portal.clone();
        assert_eq!(unrestricted.as_ref().unwrap().as_str(), "urn:ietf:params:capport:unrestricted");
        // Who never had one is told nothing, nor is who was told so before.
        assert_eq!(Content::withdrawal(&without, Some(&without)), None);
        let open = Content { captive_portal: unrestricted, ..full() };
        assert_eq!(Content::withdrawal(&open, Some(&without)), None);
    }

    #[test]
    fn a_flag_that_vanished_is_withdrawn_alone() {
        let new = with_config(|config| config.mode = Ipv6Mode::Dhcpv6);
        let withdrawal = Content::withdrawal(&content(), Some(&new)).unwrap();
        let prefix = withdrawal.prefixes[0];
        assert_eq!((prefix.on_link, prefix.autonomous), (false, true));
        assert_eq!((prefix.valid_lifetime, prefix.preferred_lifetime), (0, 0));
    }

    #[test]
    fn a_router_that_leaves_says_so() {
        let old = content();
        let private = with_binding(|binding| binding.settings.private = true);
        let withdrawal = Content::withdrawal(&old, Some(&private)).unwrap();
        assert_eq!(withdrawal.router_lifetime, 0);
        assert!(!withdrawal.has_options());
        assert_eq!(Content::withdrawal(&private, Some(&private)), None);
    }

    #[test]
    fn without_successor_everything_is_withdrawn() {
        let old = content();
        let withdrawal = Content::withdrawal(&old, None).unwrap();
        assert_eq!(withdrawal.router_lifetime, 0);
        assert_eq!(withdrawal.prefixes[0].prefix, old.prefixes[0].prefix);
        assert_eq!(withdrawal.nameservers, old.nameservers);
        assert_eq!(withdrawal.search, old.search);
        let withdrawal = Content::withdrawal(&full(), None).unwrap();
        assert!(withdrawal.routes.iter().all(|route| route.lifetime == 0));
        assert_eq!((withdrawal.routes.len(), withdrawal.prefixes.len()), (2, 2));
        assert_eq!(withdrawal.pref64.unwrap().lifetime, 0);
    }

    #[test]
    fn a_farewell_takes_the_router_and_what_is_lost() {
        let old = content();
        let farewell = Content::farewell(&old, &old).unwrap();
        assert_eq!(farewell.router_lifetime, 0);
        assert!(!farewell.has_options());
        let farewell = Content::farewell(&old, &subnet("2001:db8:1::/64")).unwrap();
        assert_eq!(farewell.router_lifetime, 0);
        assert_eq!(farewell.prefixes[0].prefix, old.prefixes[0].prefix);
        let private = with_binding(|binding| binding.settings.private = true);
        assert_eq!(Content::farewell(&private, &private), None);
    }

    /// The new router says its routes itself; those of the old lead nowhere.
    #[test]
    fn a_farewell_takes_all_routes() {
        let old = full();
        let farewell = Content::farewell(&old, &old).unwrap();
        let expected: Vec<_> = old.routes.iter().map(|route| RouteInformation { lifetime: 0, ..*route }).collect();
        assert_eq!(farewell.routes, expected);
        assert!(farewell.prefixes.is_empty() && farewell.nameservers.is_empty());
        assert_eq!((farewell.pref64, farewell.captive_portal), (None, None));
        let private = Content { router_lifetime: 0, ..old };
        assert_eq!(Content::farewell(&private, &private).unwrap().routes, expected);
    }

    fn numbered(number: usize) -> Ipv6Net {
        format!("2001:db8:{number}::/64").parse().unwrap()
    }

    prop_compose! {
        /// Any number of each, which may be too many for a packet.
        fn contents()(
            is_router in any::<bool>(),
            [prefixes, routes, servers, names] in [0..30usize, 0..30usize, 0..30usize, 0..30usize],
            has_pref64 in any::<bool>(),
            portal in prop::option::of(0..250usize),
        ) -> Content {
            let full = full();
            let server = |number| numbered(number).network();
            Content {
                router_lifetime: if is_router { 1800 } else { 0 },
                prefixes: (0..prefixes).map(|it| PrefixInformation { prefix: numbered(it), ..full.prefixes[0] }).collect(),
                routes: (0..routes).map(|it| RouteInformation { prefix: numbered(it), ..full.routes[0] }).collect(),
                nameservers: (0..servers).map(server).collect(),
                search: (0..names).map(|it| format!("domain{it}.test").parse().unwrap()).collect(),
                pref64: full.pref64.filter(|_| has_pref64),
                captive_portal: portal.map(|len| format!("urn:x{}", "y".repeat(len)).parse().unwrap()),
                ..full
            }
        }
    }

    proptest! {
        #[test]
        fn what_fits_can_be_taken_back(old in contents(), new in contents()) {
            let is_told = old.check_fit(&binding()).is_ok();
            let taken_back = [
                Content::withdrawal(&old, Some(&new)),
                Content::withdrawal(&old, None),
                Content::farewell(&old, &new),
            ];
            for withdrawal in taken_back.iter().flatten().filter(|_| is_told) {
                prop_assert!(withdrawal.check_fit(&binding()).is_ok());
            }
            prop_assert_eq!(Content::withdrawal(&new, Some(&new)), None);
        }
    }
}
