//! Who runs where: the load generator on the last processor, what is measured on the others.
//!
//! Left alone, the scheduler puts both on one processor at one time and not at another, which changes a round trip
//! threefold.

use std::sync::LazyLock;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// The calling thread.
const SELF: Pid = Pid::from_raw(0);

/// The processors that this program may use, as it was started.
static ALLOWED: LazyLock<Vec<usize>> = LazyLock::new(|| {
    let allowed = sched_getaffinity(SELF).unwrap();
    (0..CpuSet::count()).filter(|cpu| allowed.is_set(*cpu).unwrap()).collect()
});

/// How many processors there are to use.
pub(crate) fn count() -> usize {
    ALLOWED.len()
}

/// Keeps this thread, and all that it starts from now on, off the last processor.
pub(crate) fn leave_last() {
    if let [others @ .., _] = ALLOWED.as_slice() {
        restrict(others);
    }
}

/// Keeps this thread on the last processor.
pub(crate) fn keep_to_last() {
    if let [_, .., last] = ALLOWED.as_slice() {
        restrict(&[*last]);
    }
}

/// Where there is but one processor, all share it.
fn restrict(cpus: &[usize]) {
    if !cpus.is_empty() {
        let mut set = CpuSet::new();
        cpus.iter().for_each(|cpu| set.set(*cpu).unwrap());
        sched_setaffinity(SELF, &set).unwrap();
    }
}
