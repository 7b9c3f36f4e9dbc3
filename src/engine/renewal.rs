//! What one change means for many taps: worked out for a few at a time, so that no guest waits until ten thousand have
//! their new answers. Until a tap's turn comes, what it was told before holds.

use std::collections::BTreeSet;

use super::{Engine, Now};
use crate::binding::InterfaceName;
use crate::config::Config;

/// For how many taps a change is worked out at once. It takes no longer than a batch of packets does.
pub(super) const AT_ONCE: usize = 16;

/// Taps whose turn is to come. Each is there once, however often things change meanwhile.
#[derive(Debug, Default)]
pub(super) struct Renewal {
    /// Their answers are made for another configuration.
    unmade: BTreeSet<InterfaceName>,
    /// Their link, that of their `INDEV`, or the uplink is not as it was.
    unrefreshed: BTreeSet<InterfaceName>,
}

impl Renewal {
    /// Whether all taps had their turn.
    pub(super) fn is_done(&self) -> bool {
        self.unmade.is_empty() && self.unrefreshed.is_empty()
    }
}

impl Engine {
    /// Has all answers made anew. What does not fit the new configuration goes on as before.
    pub(super) fn reconfigure(&mut self, now: Now, config: &Config) {
        self.config = config.clone();
        self.renewal.unmade = self.table.slots().map(|(tap, _)| tap).collect();
        self.renew_if_few(now);
    }

    /// Works out anew all that depends on the link `name`: for the tap itself, and for those whose `INDEV` it is.
    pub(super) fn refresh_users(&mut self, now: Now, name: InterfaceName) {
        self.refresh(now, name);
        let others = self.table.users(name).into_iter().filter(|tap| *tap != name);
        self.renewal.unrefreshed.extend(others);
        self.renew_if_few(now);
    }

    /// Works out anew what is to be announced when, after anything about the uplink changed.
    pub(super) fn refresh_uplink(&mut self, now: Now) {
        // Whoever waits for it says so in turn.
        self.tell_uplink(false);
        self.renewal.unrefreshed.extend(self.table.slots().map(|(tap, _)| tap));
        self.renew_if_few(now);
    }

    /// A few need not wait for their turn.
    fn renew_if_few(&mut self, now: Now) {
        if self.renewal.unmade.len() + self.renewal.unrefreshed.len() <= AT_ONCE {
            self.handle_timeout(now);
        }
    }

    /// Does what [`poll_timeout`](Self::poll_timeout) says is due, besides frames: some of it, if there is much.
    pub fn handle_timeout(&mut self, now: Now) {
        for _ in 0..AT_ONCE {
            if let Some(tap) = self.renewal.unmade.pop_first() {
                self.renew(now, tap);
            } else if let Some(tap) = self.renewal.unrefreshed.pop_first() {
                self.refresh(now, tap);
            } else {
                return;
            }
        }
    }

    /// Does at once all that [`handle_timeout`](Self::handle_timeout) does bit by bit: for where nobody waits meanwhile.
    pub fn settle(&mut self, now: Now) {
        while !self.renewal.is_done() {
            self.handle_timeout(now);
        }
    }

    /// Makes the answers of `tap` for the configuration as it is now.
    fn renew(&mut self, now: Now, tap: InterfaceName) {
        let Some(slot) = self.table.slot(tap) else { return };
        let Some(binding) = slot.wanted().cloned() else { return };
        let rejected = slot.rejected.take();
        self.put_in_force(now, binding);
        // A file that is bad in itself stays so whatever the configuration says.
        if let Some(bad_file) = rejected.filter(|rejected| rejected.unfit.is_none()) {
            self.table.set_rejected(tap, *bad_file);
        }
    }
}
