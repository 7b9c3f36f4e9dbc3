//! A whole exchange, as of a guest that boots: DISCOVER, OFFER, REQUEST, ACK.

use std::iter;
use std::thread;
use std::time::{Duration, Instant};

use crate::net::Guest;
use crate::packet::{Kind, Mark, VARIANT, number_of, requests};
use crate::port::Port;

/// How long a client waits before it asks again: less than any real one, so that there are more tries to count.
const RETRY: Duration = Duration::from_millis(300);

/// How long it waits while the node takes no frame.
const BREATH: Duration = Duration::from_millis(1);

/// A guest's client.
pub(crate) struct Client<'a> {
    guest: &'a Guest,
    port: Port,
    mark: Mark,
    /// DISCOVER and REQUEST.
    frames: Vec<Vec<u8>>,
    number: u32,
}

/// An exchange that ended with a lease.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exchange {
    /// From the first DISCOVER to the ACK.
    pub(crate) time: Duration,
    /// How many messages were sent more than once.
    pub(crate) retries: u32,
}

impl<'a> Client<'a> {
    /// A client on a guest that is plugged in.
    pub(crate) fn new(guest: &'a Guest) -> Self {
        let (kind, port) = (Kind::Dhcpv4, Port::open(guest));
        Self { guest, port, mark: kind.request_mark(), frames: requests(kind, guest), number: 0 }
    }

    /// Gets a lease; None if there is none after `patience`.
    pub(crate) fn lease(&mut self, patience: Duration) -> Option<Exchange> {
        let start = Instant::now();
        self.number = (self.number + 1) % VARIANT;
        let retries = [0, 1].map(|variant| self.ask(variant, start + patience));
        let retries = retries[0]? + retries[1]?;
        Some(Exchange { time: start.elapsed(), retries })
    }

    /// Sends a message until it is answered, and returns how often it was sent in vain.
    fn ask(&mut self, variant: usize, deadline: Instant) -> Option<u32> {
        let number = self.number | if variant == 0 { 0 } else { VARIANT };
        self.mark.write(&mut self.frames[variant], number);
        for retries in 0.. {
            self.send(variant, deadline);
            if self.is_answered(number, deadline.min(Instant::now() + RETRY)) {
                return Some(retries);
            }
            if Instant::now() >= deadline {
                break;
            }
        }
        None
    }

    /// Sends a message as soon as the node takes it.
    fn send(&self, variant: usize, deadline: Instant) {
        let frame = || iter::once(self.frames[variant].as_slice());
        while self.port.send(frame()) == 0 && Instant::now() < deadline {
            thread::sleep(BREATH);
        }
    }

    /// Waits for the answer to the message of this number.
    fn is_answered(&mut self, number: u32, deadline: Instant) -> bool {
        let mut is_answered = false;
        while !is_answered && Instant::now() < deadline {
            let Self { guest, port, .. } = self;
            // Nobody boots with a processor for himself that looks at nothing but the wire.
            if !port.receive(|frame, _| is_answered |= number_of(Kind::Dhcpv4, guest, frame) == Some(number)) {
                port.wait();
            }
        }
        is_answered
    }
}
