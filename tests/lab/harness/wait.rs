//! Waiting for conditions. Nothing in the lab sleeps for a time that was guessed.

use std::env;
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

/// Long enough for anything that happens at all, on a machine that is busy with other things.
const SOON: Duration = Duration::from_secs(20);

/// How often a condition is looked at.
const GLANCE: Duration = Duration::from_millis(10);

/// How many times slower this machine is than most: an emulated one says so. It is also looked at more rarely, since a
/// look takes time itself.
pub(crate) static PATIENCE: LazyLock<u32> =
    LazyLock::new(|| env::var("LAB_PATIENCE").map_or(1, |factor| factor.parse().expect("LAB_PATIENCE is a number")));

/// Waits until a condition gives a value, or fails with what was waited for.
#[track_caller]
pub(crate) fn soon<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let (start, limit) = (Instant::now(), SOON * *PATIENCE);
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(start.elapsed() < limit, "waited {limit:?} in vain for {what}");
        thread::sleep(GLANCE * *PATIENCE);
    }
}
