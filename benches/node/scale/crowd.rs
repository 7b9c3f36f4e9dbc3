//! Many guests that ask in turn: a closed loop in which no guest asks twice before all others have asked once.

use std::hint;
use std::thread;
use std::time::{Duration, Instant};

use super::KIND;
use crate::cpus;
use crate::net::Guest;
use crate::packet::{Mark, VARIANT, requests};
use crate::port::Port;
use crate::tally::Tally;

/// Requests under way at a time.
const OUTSTANDING: usize = 64;

/// A request that has no answer by then is lost.
const TIMEOUT: Duration = Duration::from_secs(1);

/// How long a crowd that waits for answers does so with open eyes: to wake it would cost the program that is measured.
const WAKEFUL: Duration = Duration::from_micros(100);

/// How often lost requests are looked for.
const REVIEW: Duration = Duration::from_millis(10);

/// The length of what is before an answer's transaction id and message: Ethernet, IPv4, UDP.
const BOOTREPLY: usize = 14 + 20 + 8;

/// Guests that share a wire.
pub(super) struct Crowd {
    /// The end of the wire.
    pub(super) port: Port,
    /// The DISCOVER of each.
    frames: Vec<Vec<u8>>,
}

/// A request under way.
#[derive(Clone, Default)]
struct Slot {
    frame: Vec<u8>,
    number: u32,
    sent: Option<Instant>,
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
        let work = || {
            cpus::keep_to_last();
            self.load_here(time)
        };
        thread::scope(|scope| scope.spawn(work).join().unwrap())
    }

    fn load_here(&mut self, time: Duration) -> Tally {
        let mark = KIND.request_mark();
        let mut slots = vec![Slot::default(); OUTSTANDING];
        for (number, slot) in (0..).zip(&mut slots) {
            slot.number = number;
        }
        let mut tally = Tally::default();
        let start = Instant::now();
        while start.elapsed() < time {
            let review = Instant::now() + REVIEW;
            while Instant::now() < review {
                self.ask(&mut slots, mark);
                self.take(&mut slots, &mut tally);
            }
            for slot in slots.iter_mut().filter(|slot| slot.sent.is_some_and(|sent| sent.elapsed() > TIMEOUT)) {
                slot.sent = None;
                tally.lost += 1;
            }
        }
        tally.time = start.elapsed();
        tally.answers = tally.latencies.len() as u64;
        tally
    }

    /// Sends a request for each slot that has none under way.
    fn ask(&self, slots: &mut [Slot], mark: Mark) {
        let mut due: Vec<_> = slots.iter_mut().filter(|slot| slot.sent.is_none()).collect();
        for slot in &mut due {
            slot.number = (slot.number + OUTSTANDING as u32) % VARIANT;
            slot.frame.clone_from(&self.frames[slot.number as usize % self.frames.len()]);
            mark.write(&mut slot.frame, slot.number);
        }
        let mut rest = due.as_mut_slice();
        while !rest.is_empty() {
            let now = Instant::now();
            let count = self.port.send(rest.iter().map(|slot| slot.frame.as_slice()));
            let (gone, left) = rest.split_at_mut(count);
            gone.iter_mut().for_each(|slot| slot.sent = Some(now));
            rest = left;
        }
    }

    /// Takes the answers that are there, and waits for some if there are none.
    fn take(&mut self, slots: &mut [Slot], tally: &mut Tally) {
        let start = Instant::now();
        while !self.port.has_frames() && start.elapsed() < WAKEFUL {
            hint::spin_loop();
        }
        if !self.port.has_frames() {
            self.port.wait();
        }
        self.port.receive(|frame, _| {
            let number = offered(frame).map(|(number, _)| number);
            let slot = number.map(|number| &mut slots[number as usize % OUTSTANDING]);
            let sent = slot.and_then(|slot| slot.sent.take_if(|_| Some(slot.number) == number));
            tally.latencies.extend(sent.map(|sent| sent.elapsed().as_nanos() as u32));
        });
    }
}

/// The number of the request that a BOOTREPLY answers, and the address in it.
pub(super) fn offered(frame: &[u8]) -> Option<(u32, [u8; 4])> {
    let message = frame.get(BOOTREPLY..).filter(|message| message.first() == Some(&2))?;
    Some((KIND.answer_mark().read(frame)?, *message.get(16..)?.first_chunk()?))
}
