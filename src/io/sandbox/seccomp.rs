//! The system calls that are left (seccomp(2)).
//!
//! A call that is not on the list fails with EPERM. Nothing is killed for it: a call that was forgotten here must not cost
//! guests their addresses.
//!
//! What it costs: since Linux 5.11 the kernel finds out once which calls a filter allows whatever their arguments, and runs
//! the filter for none of them again. All calls of the packet path are of that kind.

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod calls;

use std::io;

use super::Lack;
use super::needs::Needs;

/// Leaves this thread with the calls that the daemon makes. Returns what is in force.
///
/// # Errors
/// The library takes the rules for wrong.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(super) fn install(needs: &Needs<'_>) -> io::Result<Result<String, Lack>> {
    // The last one that is installed comes first to its word, and would forbid the installation of another.
    let filters = [calls::unknown()?, calls::allowed(needs)?];
    for filter in &filters {
        match seccompiler::apply_filter(filter) {
            Ok(()) => {}
            Err(seccompiler::Error::Seccomp(error) | seccompiler::Error::Prctl(error)) => {
                return Ok(Err(Lack::of(error)));
            }
            Err(error) => return Err(io::Error::other(error)),
        }
    }
    let length: usize = filters.iter().map(Vec::len).sum();
    Ok(Ok(format!("{length} instructions")))
}

/// There are lists of system calls for two processors only.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) fn install(_: &Needs<'_>) -> io::Result<Result<String, Lack>> {
    Ok(Err(Lack::Processor))
}
