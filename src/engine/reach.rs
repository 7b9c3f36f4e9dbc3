//! What of IPv6 reaches a guest from here: why it is told nothing, or why it has no default route.

use crate::binding::Binding;
use crate::config::Config;

/// Why no Router Advertisement goes to the guest of `binding`; None if one does.
pub(super) fn unadvertised(binding: &Binding, config: &Config) -> Option<&'static str> {
    match &config.ipv6 {
        None => Some("enable_ipv6 is no"),
        Some(ipv6) if ipv6.rs_queue.is_none() => Some("there is no rs_queue, so nothing is advertised"),
        Some(_) if binding.ipv6.is_none() => Some("there is no SUBNET6"),
        Some(_) => None,
    }
}

/// Why the guest of `binding` has no default route of IPv6 from us; None if it has one.
pub(super) fn no_default_route(binding: &Binding, config: &Config) -> Option<&'static str> {
    let has_gateway = binding.ipv6.as_ref().is_some_and(|ipv6| ipv6.gateway.is_some());
    let lives = config.ipv6.as_ref().is_some_and(|ipv6| ipv6.router_lifetime > 0);
    unadvertised(binding, config).or(match (has_gateway, lives) {
        _ if binding.settings.private => Some("PRIVATE is set"),
        (false, _) => Some("there is no GATEWAY6"),
        (true, false) => Some("router_lifetime is 0"),
        (true, true) => None,
    })
}

/// Whether we are the router of the guest's link, and have no default route of IPv6 for it. Without `rs_queue` the router
/// is somebody else.
pub(super) fn is_left_without_route(binding: &Binding, config: &Config) -> bool {
    let is_router = config.ipv6.as_ref().is_some_and(|ipv6| ipv6.rs_queue.is_some());
    is_router && no_default_route(binding, config).is_some()
}
