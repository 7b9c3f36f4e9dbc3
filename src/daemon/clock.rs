//! The one clock of the daemon.

#![expect(clippy::disallowed_methods, reason = "the engine's time comes from here")]

use std::time::Instant;

use crate::engine::Now;

/// Monotonic time since the start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock(Instant);

impl Clock {
    /// A clock that starts now.
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    /// The time.
    pub(super) fn now(self) -> Now {
        self.0.elapsed()
    }
}
