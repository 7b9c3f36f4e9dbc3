//! Waiting for conditions. Nothing in the lab sleeps for a time that was guessed.

use std::thread;
use std::time::{Duration, Instant};

/// Long enough for anything that happens at all, on a machine that is busy with other things.
const SOON: Duration = Duration::from_secs(20);

/// How often a condition is looked at.
const GLANCE: Duration = Duration::from_millis(10);

/// Waits until a condition gives a value, or fails with what was waited for.
#[track_caller]
pub(crate) fn soon<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(start.elapsed() < SOON, "waited {SOON:?} in vain for {what}");
        thread::sleep(GLANCE);
    }
}
