//! The end that threads of a scope wait for.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether something is over.
#[derive(Debug, Default)]
pub(crate) struct Over(AtomicBool);

impl Over {
    /// Whether it is not over yet.
    pub(crate) fn goes_on(&self) -> bool {
        !self.0.load(Ordering::Relaxed)
    }

    /// It is over when the value goes, also by panic: a thread that went on would keep its scope, and the panic in there,
    /// from ever ending.
    pub(crate) fn when_dropped(&self) -> impl Drop {
        struct End<'a>(&'a AtomicBool);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        End(&self.0)
    }
}
