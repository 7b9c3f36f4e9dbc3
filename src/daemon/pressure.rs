//! Whether packets pile up: guests, or one of them, ask faster than they are answered.

use std::io;

use crate::engine::Now;

/// How many packets received at once are reason enough to ask how many more there are.
const NOTABLE: usize = 32;
/// How much may wait, in bytes of the kernel's memory: about a thousand packets, or five milliseconds of work.
const BEARABLE: u32 = 1 << 20;
/// How long it counts as pressure that there was some. A flood is answered in full when it ends, and noticed again.
const AFTERMATH: Now = Now::from_secs(1);

/// What is known of the packets that wait in the kernel.
#[derive(Debug)]
pub(super) struct Pressure {
    /// [`BEARABLE`], or less where the socket holds little.
    bearable: u32,
    until: Now,
}

impl Pressure {
    /// None yet. `receive_buffer` is what a queue's socket holds, in bytes.
    pub(super) fn new(receive_buffer: u32) -> Self {
        Self { bearable: BEARABLE.min(receive_buffer / 8), until: Now::ZERO }
    }

    /// Takes in how many packets were received at once; `waiting` says how many bytes are left.
    pub(super) fn take(&mut self, now: Now, received: usize, waiting: impl FnOnce() -> io::Result<u32>) {
        // The kernel always knows; if it did not say so, limits could still be set in the configuration.
        if received >= NOTABLE && waiting().is_ok_and(|bytes| bytes > self.bearable) {
            self.until = now + AFTERMATH;
        }
    }

    /// Takes in that packets were lost, because too many waited.
    pub(super) fn take_loss(&mut self, now: Now) {
        self.until = now + AFTERMATH;
    }

    /// Whether there is pressure.
    pub(super) fn is_felt(&self, now: Now) -> bool {
        now < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Now = Now::from_secs(1000);

    #[test]
    fn much_that_waits_is_pressure_for_a_while() {
        let mut pressure = Pressure::new(8_000);
        pressure.take(T0, NOTABLE, || Ok(1_000));
        assert!(!pressure.is_felt(T0));
        pressure.take(T0, NOTABLE, || Ok(1_001));
        assert!(pressure.is_felt(T0));
        pressure.take(T0 + AFTERMATH / 2, NOTABLE, || Ok(0));
        assert!(pressure.is_felt(T0 + AFTERMATH / 2), "it eased only now");
        assert!(!pressure.is_felt(T0 + AFTERMATH));
    }

    #[test]
    fn nothing_is_asked_after_a_few_packets() {
        let mut pressure = Pressure::new(0);
        pressure.take(T0, NOTABLE - 1, || unreachable!());
        pressure.take(T0, NOTABLE, || Err(io::ErrorKind::Unsupported.into()));
        assert!(!pressure.is_felt(T0));
    }

    #[test]
    fn a_loss_is_pressure() {
        let mut pressure = Pressure::new(8_000);
        pressure.take_loss(T0);
        assert!(pressure.is_felt(T0));
    }
}
