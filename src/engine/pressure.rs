//! Whether packets pile up: guests, or one of them, ask faster than they are answered.

use super::Now;

/// How many packets received at once are reason enough to ask how many more there are.
const NOTABLE: usize = 32;
/// How much may wait, in bytes of the kernel's memory: about a thousand packets, or five milliseconds of work.
const BEARABLE: u32 = 1 << 20;
/// How long it counts as pressure that there was some. A flood is answered in full when it ends, and noticed again.
const AFTERMATH: Now = Now::from_secs(1);

/// What is known of the packets that wait in the kernel.
#[derive(Debug)]
pub struct Pressure {
    /// [`BEARABLE`], or less where the socket holds little.
    bearable: u32,
    until: Now,
}

impl Pressure {
    /// None yet. `receive_buffer` is what a queue's socket holds, in bytes.
    pub fn new(receive_buffer: u32) -> Self {
        Self { bearable: BEARABLE.min(receive_buffer / 8), until: Now::ZERO }
    }

    /// Whether so many packets received at once make it worth the while to ask how much still waits.
    pub fn is_notable(received: usize) -> bool {
        received >= NOTABLE
    }

    /// Takes in how many bytes wait.
    pub fn take(&mut self, now: Now, waiting: u32) {
        if waiting > self.bearable {
            self.until = now + AFTERMATH;
        }
    }

    /// Takes in that packets were lost, because too many waited.
    pub fn take_loss(&mut self, now: Now) {
        self.until = now + AFTERMATH;
    }

    /// Whether there is pressure.
    pub fn is_felt(&self, now: Now) -> bool {
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
        pressure.take(T0, 1_000);
        assert!(!pressure.is_felt(T0));
        pressure.take(T0, 1_001);
        assert!(pressure.is_felt(T0));
        pressure.take(T0 + AFTERMATH / 2, 0);
        assert!(pressure.is_felt(T0 + AFTERMATH / 2), "it eased only now");
        assert!(!pressure.is_felt(T0 + AFTERMATH));
    }

    #[test]
    fn a_few_packets_are_nothing_to_ask_about() {
        assert!(!Pressure::is_notable(NOTABLE - 1));
        assert!(Pressure::is_notable(NOTABLE));
    }

    #[test]
    fn a_loss_is_pressure() {
        let mut pressure = Pressure::new(8_000);
        pressure.take_loss(T0);
        assert!(pressure.is_felt(T0));
    }
}
