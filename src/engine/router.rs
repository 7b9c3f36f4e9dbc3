//! Who a guest's router is: the MAC that its link-local address is made of, and that whatever we say comes from.

use std::fmt;

use super::event::Link;
use super::outcome::Reason;
use crate::binding::{Binding, InterfaceName};
use crate::wire::MacAddr;

/// Why there is no router that a guest could be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRouter {
    /// The interface of `INDEV` is not there, or it has no MAC.
    NoIndev,
    /// The kernel would not listen to `router_mac`.
    Misfit(Misfit),
}

/// A routed tap whose MAC is not `router_mac`. Frames to any MAC but the tap's own are dropped by the kernel, so a guest
/// that was told of such a router would talk to nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misfit {
    /// The tap.
    pub tap: InterfaceName,
    /// Its MAC.
    pub tap_mac: MacAddr,
    /// `router_mac`.
    pub router_mac: MacAddr,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tap, tap_mac, router_mac } = self;
        write!(
            f,
            "router_mac is {router_mac}, but the kernel takes frames from this routed tap to {tap_mac} only: its guest \
             is told nothing of IPv6 until `ip link set dev {tap} address {router_mac}`"
        )
    }
}

impl From<NoRouter> for Reason {
    fn from(no_router: NoRouter) -> Self {
        match no_router {
            NoRouter::NoIndev => Self::NoIndev,
            NoRouter::Misfit(_) => Self::RouterMacMisfit,
        }
    }
}

/// The router of the guest of `binding`, whose `INDEV` is the link `indev` if it is there, on a node with this
/// `router_mac`.
pub(super) fn of(binding: &Binding, indev: Option<&Link>, router_mac: Option<MacAddr>) -> Result<MacAddr, NoRouter> {
    let indev_mac = indev.and_then(|indev| indev.mac);
    match router_mac {
        // On a bridge the router may be any station, on this node or behind it. It is the same whatever becomes of the
        // bridge, so there is nothing to wait for.
        Some(router_mac) if !binding.is_routed() => Ok(router_mac),
        None => indev_mac.ok_or(NoRouter::NoIndev),
        Some(router_mac) => match indev_mac.ok_or(NoRouter::NoIndev)? {
            tap_mac if tap_mac == router_mac => Ok(router_mac),
            tap_mac => Err(NoRouter::Misfit(Misfit { tap: binding.tap, tap_mac, router_mac })),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binding::IfIndex;
    use crate::engine::testing::{OTHER, ROUTER, binding, bridged};

    fn link(mac: Option<MacAddr>) -> Link {
        Link {
            ifindex: IfIndex::new(1).unwrap(),
            name: "tap0".parse().unwrap(),
            mac,
            mtu: 1500,
            master: None,
            is_bridge: false,
            is_ready: true,
        }
    }

    #[test]
    fn router_mac_takes_the_place_of_the_mac_of_indev() {
        let misfit = NoRouter::Misfit(Misfit { tap: binding().tap, tap_mac: OTHER, router_mac: ROUTER });
        for (binding, indev, router_mac, expected) in [
            (binding(), Some(Some(OTHER)), None, Ok(OTHER)),
            (binding(), Some(None), None, Err(NoRouter::NoIndev)),
            (binding(), None, None, Err(NoRouter::NoIndev)),
            (binding(), Some(Some(ROUTER)), Some(ROUTER), Ok(ROUTER)),
            (binding(), Some(Some(OTHER)), Some(ROUTER), Err(misfit)),
            (binding(), Some(None), Some(ROUTER), Err(NoRouter::NoIndev)),
            (binding(), None, Some(ROUTER), Err(NoRouter::NoIndev)),
            (bridged(), Some(Some(OTHER)), None, Ok(OTHER)),
            (bridged(), None, None, Err(NoRouter::NoIndev)),
            (bridged(), Some(Some(OTHER)), Some(ROUTER), Ok(ROUTER)),
            (bridged(), None, Some(ROUTER), Ok(ROUTER)),
        ] {
            let indev = indev.map(link);
            assert_eq!(of(&binding, indev.as_ref(), router_mac), expected, "{indev:?} {router_mac:?}");
        }
    }

    #[test]
    fn an_operator_reads_what_to_do() {
        let misfit = Misfit { tap: binding().tap, tap_mac: OTHER, router_mac: ROUTER };
        let text = misfit.to_string();
        assert!(text.contains(&OTHER.to_string()), "{text}");
        assert!(text.contains("`ip link set dev tap0 address 02:00:00:00:00:01`"), "{text}");
    }
}
