//! What is in order by itself, and will not do what its writer expects: seen only when a binding and the configuration
//! are looked at together. Never a reason to reject.

use super::dhcpv4;
use super::fit::{key_fault, key_of};
use super::reach::{no_default_route, unadvertised};
use crate::binding::{Binding, BindingError, Ipv6Binding};
use crate::config::{Config, Ipv6Mode};
use crate::wire::dhcpv4::MIN_MAX_SIZE;
use crate::wire::ipv6::MIN_MTU;

/// What an operator should know of `binding` on a node with `config`, where `dhcpv4` is what its guest is told by DHCPv4,
/// in the form in which faults are told.
pub fn doubts(binding: &Binding, config: &Config, dhcpv4: Option<&dhcpv4::Answers>) -> Vec<BindingError> {
    let mut doubts = Doubts { binding, config, found: Vec::new() };
    doubts.leaving_ipv4();
    doubts.advertised();
    doubts.given_by_dhcpv6();
    doubts.timed();
    doubts.small();
    doubts.booted();
    doubts.routed(dhcpv4);
    doubts.found
}

struct Doubts<'a> {
    binding: &'a Binding,
    config: &'a Config,
    found: Vec<BindingError>,
}

impl Doubts<'_> {
    fn add(&mut self, key: &str, reason: String) {
        self.found.push(key_fault(self.binding, self.config, key, reason));
    }

    /// RFC 8925 §3.3: option 108 is for networks where IPv6 alone is enough. One that the node sets is only said where
    /// it can be, without a word; one that the binding sets is said in any case.
    fn leaving_ipv4(&mut self) {
        let (Some(_), Some(dhcp)) = (&self.binding.ipv4, &self.config.dhcp) else { return };
        let own = self.binding.settings.v6only_wait;
        match no_default_route(self.binding, self.config) {
            Some(obstacle) if own.is_some() => {
                let reason =
                    format!("the guest may give up IPv4, but has no default route of IPv6 from here: {obstacle}");
                self.add("V6ONLY_WAIT", reason);
            }
            None if own.or(dhcp.v6only_wait).is_some() => {
                self.without_ipv4(key_of(&own, "V6ONLY_WAIT", "dhcp.v6only_wait"));
            }
            _ => {}
        }
    }

    /// What a guest that gave up IPv4 misses.
    fn without_ipv4(&mut self, key: &str) {
        let Some(node) = &self.config.ipv6 else { return };
        let settings = &self.binding.settings;
        // RFC 8781 §3: without it a guest finds its NAT64 only by asking a DNS64 (RFC 7050).
        if settings.pref64.or(node.pref64).is_none() {
            let reason = "the guest may give up IPv4, but is not told of a NAT64: there is no PREF64";
            self.add(key, reason.to_owned());
        }
        if settings.nameservers6.as_ref().unwrap_or(&node.nameservers).is_empty() {
            let reason = "the guest may give up IPv4, but has no name server of IPv6: there are no NAMESERVERS6";
            self.add(key, reason.to_owned());
        }
    }

    /// What is said in Router Advertisements alone, or there and elsewhere.
    fn advertised(&mut self) {
        let settings = &self.binding.settings;
        let only_there = [("PREF64", settings.pref64.is_some()), ("ROUTES6", settings.routes6.is_some())];
        let portal = ("CAPTIVE_PORTAL", settings.captive_portal.is_some() && !self.has_dhcp());
        let Some(obstacle) = unadvertised(self.binding, self.config) else { return };
        for (key, _) in only_there.into_iter().chain([portal]).filter(|(_, is_lost)| *is_lost) {
            self.add(key, format!("not said: {obstacle}"));
        }
    }

    /// Whether the guest is told anything by DHCP of either family.
    fn has_dhcp(&self) -> bool {
        (self.binding.ipv4.is_some() && self.config.dhcp.is_some()) || self.no_dhcpv6().is_none()
    }

    /// Why the guest is told nothing by DHCPv6; None if it is.
    fn no_dhcpv6(&self) -> Option<String> {
        match &self.config.ipv6 {
            None => Some("enable_ipv6 is no".to_owned()),
            Some(ipv6) if ipv6.dhcpv6_queue.is_none() => Some(format!("mode is {}", ipv6.mode)),
            Some(_) if self.binding.ipv6.is_none() => Some("there is no SUBNET6".to_owned()),
            Some(_) => None,
        }
    }

    /// What only stateful DHCPv6 gives.
    fn given_by_dhcpv6(&mut self) {
        let Some(guest) = &self.binding.ipv6 else { return };
        match &self.config.ipv6 {
            None => self.not_given(guest, false, "enable_ipv6 is no"),
            Some(node) if node.mode.is_stateful() => self.nothing_to_give(guest, node.mode),
            Some(node) => self.not_given(guest, has_single(guest), &format!("mode is {}", node.mode)),
        }
    }

    /// An `IP6` that the guest makes for itself anyway misses nothing. `is_stuck`: no address is made of its prefix.
    fn not_given(&mut self, guest: &Ipv6Binding, is_stuck: bool, obstacle: &str) {
        let has_other = self.binding.lines.line("IP6").is_some() && guest.leased != guest.eui64;
        for (key, what, is_lost) in [
            ("IP6", "", has_other),
            ("SUBNET6", "a guest makes no address of a /128, and it is ", is_stuck && !has_other),
            ("PREFIX6", "", guest.delegated.is_some()),
        ] {
            if is_lost {
                self.add(key, format!("{what}not given: {obstacle}"));
            }
        }
    }

    /// A guest that is on the link, where it neither gets an address nor makes one. One with a delegated prefix alone needs
    /// none there.
    fn nothing_to_give(&mut self, guest: &Ipv6Binding, mode: Ipv6Mode) {
        // RFC 4862 §5.5.3 d.
        let makes_own = mode.has_slaac() && guest.subnets.iter().any(|subnet| subnet.prefix_len() == 64);
        if guest.leased.is_none() && !guest.subnets.is_empty() && !makes_own {
            let reason = format!("the guest gets no address: there is neither IP6 nor EUI64, and mode is {mode}");
            self.add("SUBNET6", reason);
        }
    }

    /// RFC 2132 §8.3 knows IPv4 addresses alone.
    fn timed(&mut self) {
        let obstacle = self.no_dhcpv6().filter(|_| !self.binding.settings.ntp.is_empty_v6());
        if let Some(obstacle) = obstacle {
            self.add("NTP", format!("names and IPv6 servers, which DHCPv6 alone tells of, are not said: {obstacle}"));
        }
    }

    /// RFC 8200 §5: a guest that takes option 26 loses what a smaller link does not carry.
    fn small(&mut self) {
        let is_told = self.binding.ipv4.is_some() && self.config.dhcp.is_some();
        let has_ipv6 = self.binding.ipv6.is_some() && self.config.ipv6.is_some();
        let is_small = self.binding.settings.mtu.is_some_and(|mtu| usize::from(mtu) < MIN_MTU);
        if is_told && has_ipv6 && is_small {
            self.add("MTU", format!("a link with an MTU under {MIN_MTU} has no IPv6, and the guest is to have some"));
        }
    }

    fn booted(&mut self) {
        let files = self.binding.settings.bootfiles.iter();
        for (suffix, _) in files.filter(|(suffix, file)| suffix.starts_with("_HTTP") && !file.is_http_url()) {
            let reason = "not a URL of http or https, which UEFI HTTP Boot needs";
            self.add(&format!("BOOTFILE{suffix}"), reason.to_owned());
        }
    }

    /// Option 121 is not left out, for who takes it has no other routes (RFC 3442).
    fn routed(&mut self, dhcpv4: Option<&dhcpv4::Answers>) {
        if dhcpv4.is_some_and(dhcpv4::Answers::do_routes_crowd) {
            let reason = format!(
                "so many that a client gets no answer that asks for routes (option 121) and takes no more than \
                 {MIN_MAX_SIZE} bytes, as without option 57"
            );
            self.add(key_of(&self.binding.settings.routes, "ROUTES", "dhcp.routes"), reason);
        }
    }
}

/// Whether a prefix of the guest is but one address.
fn has_single(guest: &Ipv6Binding) -> bool {
    guest.subnets.iter().any(|subnet| subnet.prefix_len() == 128)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::binding::Settings;
    use crate::binding::parse::parse;
    use crate::config;
    use crate::engine::testing::{node as usual_node, with_settings};
    use crate::engine::{Engine, Event, Notice};

    const ALL: &str = "rs_queue = 43\nns_queue = 44\ndhcpv6_queue = 45\n";
    const MOSTLY: &str = "rs_queue = 43\nns_queue = 44\npref64 = 64:ff9b::/96\nnameservers = 2001:db8::64\n";
    const IPV6: &str = "SUBNET6=2001:db8::/64\nGATEWAY6=fe80::1\nEUI64=2001:db8::5\n";

    fn node(dhcp: &str, ipv6: &str) -> Config {
        let text = format!("[dhcp]\nserver_ip = 192.0.2.1\n{dhcp}\n[ipv6]\n{ipv6}\n");
        config::parse("conf".as_ref(), text.as_bytes()).unwrap().config
    }

    /// The doubts about a binding with IPv4, as `KEY: reason`.
    fn found(config: &Config, keys: &str) -> Vec<String> {
        let text = format!("MAC=aa:00:00:00:00:01\nHOSTNAME=vm\nIP=192.0.2.10\nSUBNET=192.0.2.0/24\n{keys}\n");
        let binding = parse("/var/lib/nfdhcpd/tap0".as_ref(), text.as_bytes()).unwrap().binding;
        let dhcpv4 = dhcpv4::Answers::new(&binding, config).unwrap();
        let shown = doubts(&binding, config, dhcpv4.as_ref()).into_iter().map(|doubt| doubt.to_string());
        shown.map(|doubt| doubt.split_once(": ").unwrap().1.to_owned()).collect()
    }

    #[test]
    fn nothing_is_said_of_what_works() {
        let mostly = node("v6only_wait = 1800", MOSTLY);
        let stateful = node("", &format!("mode = slaac+stateful\n{ALL}"));
        for (config, keys) in [
            (&mostly, "V6ONLY_WAIT=300\nPREF64=64:ff9b::/96\nROUTES6=2001:db8:1::/48"),
            (&mostly, "NAMESERVERS6=2001:db8::1"),
            (&stateful, "IP6=2001:db8::10\nPREFIX6=2001:db8:f::/56"),
            (&mostly, "IP6=2001:db8::10\nEUI64=2001:db8::10"),
            (&mostly, "IP6=\nCAPTIVE_PORTAL=https://portal.example.com"),
            (&mostly, "BOOTFILE=pxelinux.0\nBOOTFILE_HTTP=http://boot.example.com/x.efi"),
        ] {
            assert_eq!(found(config, &format!("{IPV6}{keys}")), [""; 0], "{keys}");
        }
        // What the node says to all guests is not said to this one, and nobody said that it should be.
        assert_eq!(found(&mostly, ""), [""; 0]);
    }

    #[test]
    fn leaving_ipv4_needs_a_default_route() {
        let mostly = || node("", MOSTLY);
        let mut no_router = mostly();
        no_router.ipv6.as_mut().unwrap().router_lifetime = 0;
        for (config, keys, why) in [
            (node("", "enable_ipv6 = no"), IPV6.to_owned(), "enable_ipv6 is no"),
            (node("", "dhcpv6_queue = 45"), IPV6.to_owned(), "there is no rs_queue, so nothing is advertised"),
            (mostly(), String::new(), "there is no SUBNET6"),
            (mostly(), "SUBNET6=2001:db8::/64\n".to_owned(), "there is no GATEWAY6"),
            (mostly(), format!("{IPV6}PRIVATE=yes\n"), "PRIVATE is set"),
            (no_router, IPV6.to_owned(), "router_lifetime is 0"),
        ] {
            let found = found(&config, &format!("{keys}V6ONLY_WAIT=1800"));
            let start = "V6ONLY_WAIT: the guest may give up IPv4, but has no default route of IPv6 from here";
            let expected = format!("{start}: {why}");
            assert_eq!(found, [expected], "{keys}");
        }
    }

    #[test]
    fn leaving_ipv4_needs_nat64_and_names() {
        let bare = "rs_queue = 43\nns_queue = 44\n";
        let found_of = |dhcp: &str, keys: &str| found(&node(dhcp, bare), &format!("{IPV6}{keys}"));
        let pref64 = "the guest may give up IPv4, but is not told of a NAT64: there is no PREF64";
        let servers = "the guest may give up IPv4, but has no name server of IPv6: there are no NAMESERVERS6";
        let both = |key: &str| [format!("{key}: {pref64}"), format!("{key}: {servers}")];
        assert_eq!(found_of("", "V6ONLY_WAIT=1800"), both("V6ONLY_WAIT"));
        assert_eq!(found_of("v6only_wait = 1800", ""), both("\"dhcp.v6only_wait\""));
        assert_eq!(found_of("", "V6ONLY_WAIT=1800\nPREF64=64:ff9b::/96"), both("V6ONLY_WAIT")[1..]);
        assert_eq!(found_of("", "V6ONLY_WAIT=1800\nNAMESERVERS6=2001:db8::1"), both("V6ONLY_WAIT")[..1]);
    }

    #[test]
    fn what_cannot_be_said_is_told() {
        let silent = node("", "dhcpv6_queue = 45\nmode = dhcpv6");
        let why = "not said: there is no rs_queue, so nothing is advertised";
        let keys = format!("{IPV6}PREF64=64:ff9b::/96\nROUTES6=2001:db8:1::/48\nCAPTIVE_PORTAL=https://p.example");
        assert_eq!(found(&silent, &keys), [format!("PREF64: {why}"), format!("ROUTES6: {why}")]);
        let mut mute = silent.clone();
        mute.dhcp = None;
        mute.ipv6.as_mut().unwrap().dhcpv6_queue = None;
        assert_eq!(found(&mute, &keys).last().unwrap(), &format!("CAPTIVE_PORTAL: {why}"));
        assert_eq!(found(&node("", ALL), "PREF64=64:ff9b::/96"), ["PREF64: not said: there is no SUBNET6"]);
    }

    #[test]
    fn addresses_need_a_mode_that_gives_them() {
        let keys = format!("{IPV6}IP6=2001:db8::10\nPREFIX6=2001:db8:f::/56");
        for (ipv6, why) in [
            (ALL.to_owned(), "mode is slaac+dhcpv6"),
            ("rs_queue = 43\nns_queue = 44\n".to_owned(), "mode is slaac"),
            ("enable_ipv6 = no".to_owned(), "enable_ipv6 is no"),
        ] {
            let expected = [format!("IP6: not given: {why}"), format!("PREFIX6: not given: {why}")];
            assert_eq!(found(&node("", &ipv6), &keys), expected);
        }
    }

    #[test]
    fn a_guest_on_the_link_needs_an_address() {
        let gets_none = |mode: &str| {
            vec![format!("SUBNET6: the guest gets no address: there is neither IP6 nor EUI64, and mode is {mode}")]
        };
        let not_given = |mode: &str| {
            vec![format!("SUBNET6: a guest makes no address of a /128, and it is not given: mode is {mode}")]
        };
        for (mode, keys, expected) in [
            ("dhcpv6", "SUBNET6=2001:db8::/64", gets_none("dhcpv6")),
            ("dhcpv6", "SUBNET6=2001:db8::/64\nPREFIX6=2001:db8:f::/56", gets_none("dhcpv6")),
            ("dhcpv6", "PREFIX6=2001:db8:f::/56", vec![]),
            ("dhcpv6", "SUBNET6=2001:db8::5/128", vec![]),
            ("dhcpv6", "SUBNET6=2001:db8::/64\nEUI64=2001:db8::5", vec![]),
            ("slaac+stateful", "SUBNET6=2001:db8::/64", vec![]),
            ("slaac+stateful", "SUBNET6=2001:db8::/56", gets_none("slaac+stateful")),
            ("slaac+stateful", "SUBNET6=2001:db8::5/128", vec![]),
            ("slaac+dhcpv6", "SUBNET6=2001:db8::5/128", not_given("slaac+dhcpv6")),
            ("slaac+dhcpv6", "SUBNET6=2001:db8::/64, 2001:db8::1:5/128", not_given("slaac+dhcpv6")),
            ("slaac", "SUBNET6=2001:db8::5/128", not_given("slaac")),
            ("slaac", "SUBNET6=2001:db8::5/128\nIP6=2001:db8::5", vec!["IP6: not given: mode is slaac".to_owned()]),
            ("slaac", "SUBNET6=2001:db8::/64", vec![]),
        ] {
            assert_eq!(found(&node("", &format!("mode = {mode}\n{ALL}")), keys), expected, "{mode} {keys}");
        }
        assert_eq!(found(&node("", "enable_ipv6 = no"), "SUBNET6=2001:db8::5/128"), [""; 0]);
    }

    #[test]
    fn time_servers_need_a_protocol_that_names_them() {
        let start = "NTP: names and IPv6 servers, which DHCPv6 alone tells of, are not said";
        for (ipv6, keys, expected) in [
            ("enable_ipv6 = no", "NTP=ntp.example.com", Some("enable_ipv6 is no")),
            (MOSTLY, "NTP=192.0.2.1, 2001:db8::123\nSUBNET6=2001:db8::/64", Some("mode is slaac")),
            (ALL, "NTP=ntp.example.com", Some("there is no SUBNET6")),
            (ALL, "NTP=ntp.example.com\nSUBNET6=2001:db8::/64", None),
            (MOSTLY, "NTP=192.0.2.1\nSUBNET6=2001:db8::/64", None),
        ] {
            let expected: Vec<String> = expected.iter().map(|why| format!("{start}: {why}")).collect();
            assert_eq!(found(&node("", ipv6), keys), expected, "{keys}");
        }
    }

    #[test]
    fn routes_must_leave_room_for_an_answer() {
        let routes = |count: usize| {
            let routes: Vec<String> = (1..=count).map(|it| format!("198.51.100.{it}/32 via 192.0.2.254")).collect();
            routes.join(", ")
        };
        let keys_of = |config: &Config, keys: &str| -> Vec<String> {
            found(config, keys).iter().map(|doubt| doubt.split_once(": so many that").unwrap().0.to_owned()).collect()
        };
        let bare = node("", ALL);
        assert_eq!(keys_of(&bare, &format!("ROUTES={}", routes(40))), [""; 0]);
        assert_eq!(keys_of(&bare, &format!("ROUTES={}", routes(60))), ["ROUTES"]);
        let full = node(&format!("routes = {}", routes(60)), ALL);
        assert_eq!(keys_of(&full, ""), ["\"dhcp.routes\""]);
        assert_eq!(keys_of(&full, "ROUTES=198.51.100.1/32 via 192.0.2.254"), [""; 0]);
    }

    #[test]
    fn ipv6_needs_room() {
        let config = node("", ALL);
        let expected = "MTU: a link with an MTU under 1280 has no IPv6, and the guest is to have some";
        assert_eq!(found(&config, &format!("{IPV6}MTU=1279")), [expected]);
        assert_eq!(found(&config, &format!("{IPV6}MTU=1280")), [""; 0]);
        assert_eq!(found(&config, "MTU=1000"), [""; 0]);
    }

    #[test]
    fn http_boot_needs_a_url_and_the_line_is_named() {
        let config = node("", ALL);
        let text = "MAC=aa:00:00:00:00:01\nHOSTNAME=vm\nBOOTFILE_HTTP_EFI64=bootx64.efi\n";
        let binding = parse("/other/tap0".as_ref(), text.as_bytes()).unwrap().binding;
        let shown: Vec<String> = doubts(&binding, &config, None).iter().map(ToString::to_string).collect();
        let expected =
            "/var/lib/nfdhcpd/tap0:3: BOOTFILE_HTTP_EFI64: not a URL of http or https, which UEFI HTTP Boot needs";
        assert_eq!(shown, [expected]);
    }

    #[test]
    fn a_doubt_is_told_when_it_comes_up_and_not_again() {
        let mut engine = Engine::new(usual_node(), 0);
        let mut told = |event: Event| {
            engine.handle_event(Duration::ZERO, event);
            let notices: Vec<Notice> = std::iter::from_fn(|| engine.poll_notice()).collect();
            let keys = notices.into_iter().filter_map(|notice| match notice {
                Notice::Doubtful(doubt) => doubt.key,
                _ => None,
            });
            keys.collect::<Vec<_>>()
        };
        let binding = |change: &dyn Fn(&mut Binding)| {
            let mut binding = with_settings(Settings::default());
            binding.ipv6.as_mut().unwrap().delegated = Some("2001:db8:f::/56".parse().unwrap());
            change(&mut binding);
            Event::BindingLoaded(Box::new(binding))
        };
        let tap = with_settings(Settings::default()).tap;
        let nothing = [""; 0];
        assert_eq!(told(binding(&|_| {})), ["PREFIX6"]);
        assert_eq!(told(binding(&|_| {})), nothing, "the same file again");
        assert_eq!(told(binding(&|it| it.settings.mtu = Some(1400))), nothing, "something else in it");
        assert_eq!(told(binding(&|it| it.settings.v6only_wait = Some(1800))), ["V6ONLY_WAIT"], "one more");
        assert_eq!(told(Event::ConfigChanged(Arc::new(usual_node()))), nothing);
        let mut silent = usual_node();
        silent.ipv6.as_mut().unwrap().rs_queue = None;
        assert_eq!(told(Event::ConfigChanged(Arc::new(silent))), ["V6ONLY_WAIT"], "another reason");
        told(Event::BindingRemoved(tap));
        assert_eq!(told(binding(&|_| {})), ["PREFIX6"], "it is new again");
    }
}
