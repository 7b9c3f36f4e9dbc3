//! Whether packets pile up: guests, or one of them, ask faster than they are answered.

use super::Now;

/// How many packets received at once are reason enough to ask how many more there are.
const NOTABLE: usize = 32;
/// How much may wait, in bytes of the kernel's memory: about a thousand packets, or five milliseconds of work.
const BEARABLE: u32 = 1 << 20;
/// What part of a small receive buffer may be full: one in so many.
const BEARABLE_PART: u32 = 8;
/// How long it counts as pressure that there was some. A flood is answered in full when it ends, and noticed again.
pub(super) const AFTERMATH: Now = Now::from_secs(1);

/// How full the receive buffer of a queue is, in bytes of the kernel's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fill {
    /// How much waits to be received.
    pub waiting: u32,
    /// How much it holds: what the kernel gave, which may be less than was asked for.
    pub capacity: u32,
}

/// Whether so many packets received at once make it worth the while to ask how much still waits.
pub fn is_notable(received: usize) -> bool {
    received >= NOTABLE
}

/// What is known of the packets that wait in the kernel. At first there is no pressure.
#[derive(Debug, Default)]
pub(super) struct Pressure {
    until: Now,
}

impl Pressure {
    /// Takes in how full a queue is.
    pub(super) fn take(&mut self, now: Now, fill: Fill) {
        if fill.waiting > BEARABLE.min(fill.capacity / BEARABLE_PART) {
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
        let mut pressure = Pressure::default();
        pressure.take(T0, Fill { waiting: 1_001, capacity: 8_000 });
        assert!(pressure.is_felt(T0));
        pressure.take(T0 + AFTERMATH / 2, Fill { waiting: 0, capacity: 8_000 });
        assert!(pressure.is_felt(T0 + AFTERMATH / 2), "it eased only now");
        assert!(!pressure.is_felt(T0 + AFTERMATH));
    }

    #[test]
    fn what_is_much_depends_on_what_the_socket_holds() {
        for (capacity, bearable) in [(0, 0), (8_000, 1_000), (425_984, 53_248), (8 << 20, 1 << 20), (u32::MAX, 1 << 20)]
        {
            let is_felt = |waiting| {
                let mut pressure = Pressure::default();
                pressure.take(T0, Fill { waiting, capacity });
                pressure.is_felt(T0)
            };
            assert_eq!((is_felt(bearable), is_felt(bearable + 1)), (false, true), "{capacity}");
        }
    }

    #[test]
    fn a_few_packets_are_nothing_to_ask_about() {
        assert!(!is_notable(NOTABLE - 1));
        assert!(is_notable(NOTABLE));
    }

    #[test]
    fn a_loss_is_pressure() {
        let mut pressure = Pressure::default();
        pressure.take_loss(T0);
        assert!(pressure.is_felt(T0));
    }
}
