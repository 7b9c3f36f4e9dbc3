//! Many guests that ask in turn: a closed loop in which nobody asks more than about twice as often as another.

use std::time::Duration;

use super::KIND;
use crate::load::{self, Numbered, Order};
use crate::net::Guest;
use crate::packet::requests;
use crate::port::Port;
use crate::tally::Tally;

/// Requests under way at a time.
const OUTSTANDING: usize = 64;

/// The length of what is before an answer's transaction id and message: Ethernet, IPv4, UDP.
const BOOTREPLY: usize = 14 + 20 + 8;

/// Guests that share a wire.
pub(super) struct Crowd {
    /// The end of the wire.
    pub(super) port: Port,
    /// The DISCOVER of each.
    frames: Vec<Vec<u8>>,
}

impl Crowd {
    /// These guests, who are on one wire.
    pub(super) fn new(guests: &[Guest]) -> Self {
        let frame = |guest: &Guest| {
            let mut frame = requests(KIND, guest).swap_remove(0);
            // Nobody else's tap is to hear it.
            frame[..6].copy_from_slice(&guest.router());
            frame
        };
        Self { port: Port::open(&guests[0]), frames: guests.iter().map(frame).collect() }
    }

    /// Asks for so long, on the load's processor.
    pub(super) fn load(&mut self, time: Duration) -> Tally {
        let order = Order { kind: KIND, outstanding: OUTSTANDING as u32, time };
        let slots = (0..OUTSTANDING).map(|slot| self.frames_of(slot)).collect();
        load::run_with(&mut self.port, order, slots, |frame| offered(frame).map(|(number, _)| number))
    }

    /// What a slot sends by turns: every 64th frame from its own on. Where there are fewer guests than slots, some share one.
    fn frames_of(&self, slot: usize) -> Vec<Numbered> {
        let count = self.frames.len();
        (slot..count.max(slot + 1)).step_by(OUTSTANDING).map(|at| (0, self.frames[at % count].clone())).collect()
    }
}

/// The number of the request that a BOOTREPLY answers, and the address in it.
pub(super) fn offered(frame: &[u8]) -> Option<(u32, [u8; 4])> {
    let message = frame.get(BOOTREPLY..).filter(|message| message.first() == Some(&2))?;
    Some((KIND.answer_mark().read(frame)?, *message.get(16..)?.first_chunk()?))
}
