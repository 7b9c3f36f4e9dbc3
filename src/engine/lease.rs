//! How long leases last, and when they are renewed, in both families.

use crate::binding::Binding;
use crate::config::LeaseTimes;

/// The times of a lease, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    /// How long it lasts; [`u32::MAX`] is forever.
    pub(super) lifetime: u32,
    /// T1: when the client asks this server for more time.
    pub(super) t1: u32,
    /// T2: when it asks any server.
    pub(super) t2: u32,
}

impl Times {
    /// The lease of a binding on a node with these times.
    pub(super) fn new(binding: &Binding, node: &LeaseTimes) -> Self {
        Self::of(binding.settings.lease_lifetime.unwrap_or(node.lifetime), node.renewal)
    }

    /// T1 is as asked for, but at most half of the lease; T2 is 7/8 of it (RFC 2131 §4.4.5, RFC 8415 §21.4).
    fn of(lifetime: u32, renewal: u32) -> Self {
        let t2 = u64::from(lifetime) * 7 / 8;
        // RFC 8415 §7.7: what is 7/8 of forever is forever.
        let t2 = if lifetime == u32::MAX { None } else { u32::try_from(t2).ok() };
        Self { lifetime, t1: renewal.min(lifetime / 2), t2: t2.unwrap_or(u32::MAX) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binding::Settings;
    use crate::engine::testing::with_settings;

    #[test]
    fn is_renewed_in_time() {
        let cases = [
            ((604_800, 3600), (3600, 529_200)),
            ((60, 3600), (30, 52)),
            ((7200, 3600), (3600, 6300)),
            ((u32::MAX - 1, u32::MAX), (0x7fff_ffff, 0xdfff_fffe)),
            ((u32::MAX, 3600), (3600, u32::MAX)),
        ];
        for ((lifetime, renewal), (t1, t2)) in cases {
            assert_eq!(Times::of(lifetime, renewal), Times { lifetime, t1, t2 });
        }
    }

    #[test]
    fn the_binding_overrides_the_node() {
        let node = LeaseTimes { lifetime: 1000, renewal: 3600 };
        let lifetime = |lease_lifetime| {
            Times::new(&with_settings(Settings { lease_lifetime, ..Settings::default() }), &node).lifetime
        };
        assert_eq!([lifetime(None), lifetime(Some(60))], [1000, 60]);
    }
}
