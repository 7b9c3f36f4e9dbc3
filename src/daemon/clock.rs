//! The clocks of the daemon: the engine's, and that of the world.

#![expect(clippy::disallowed_methods, reason = "time comes from here")]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::engine::Now;

/// The time of day, since the Unix epoch. It may be set, forth and back.
pub(super) fn time_of_day() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

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

    /// The wall clock's time of the start, by what it says now.
    pub(super) fn epoch(self) -> SystemTime {
        let now = SystemTime::now();
        now.checked_sub(self.now()).unwrap_or(now)
    }
}
