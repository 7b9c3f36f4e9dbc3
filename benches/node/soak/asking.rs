//! Guests that ask all the time, and one that floods, each in a thread.

use std::mem;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use super::random::Random;
use crate::exchange::Client;
use crate::flood::{Flood, Flooder};
use crate::load::{self, Order};
use crate::net::Guest;
use crate::over::Over;
use crate::packet::Kind;
use crate::port::Port;

/// How many requests of a busy guest are under way at a time: few enough for a machine that has other work.
const OUTSTANDING: u32 = 4;
/// How long a busy guest asks for one kind of packet.
const SPELL: Duration = Duration::from_millis(100);
/// How long a flood is, in milliseconds.
const FLOOD: (u64, u64) = (200, 1_000);
/// How long there is none.
const CALM: (u64, u64) = (4_000, 10_000);
/// How long a lease may take. It takes so long only if the daemon is lost.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// What guests have seen since it was last taken.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// How long answers to busy guests took, in nanoseconds.
    pub(super) latencies: Vec<u32>,
    /// Their requests that had no answer: a flood, also their own, lets some be dropped.
    pub(super) lost: u64,
    /// How long the leases of a quiet guest took.
    pub(super) leases: Vec<Duration>,
    /// How many of its messages had to be sent again.
    pub(super) retries: u32,
    /// Leases that it did not get.
    pub(super) failed: u32,
    /// Frames of floods.
    pub(super) flooded: u64,
}

/// What all guests go by, and tell.
#[derive(Debug, Default)]
pub(super) struct Asking {
    over: Over,
    seen: Mutex<Seen>,
}

impl Asking {
    /// Takes what was seen.
    pub(super) fn take(&self) -> Seen {
        mem::take(&mut self.seen.lock().unwrap())
    }

    /// Lets all come to an end when the value goes, also by panic.
    pub(super) fn until_dropped(&self) -> impl Drop {
        self.over.when_dropped()
    }

    fn goes_on(&self) -> bool {
        self.over.goes_on()
    }

    /// A busy guest: asks for one kind after the other, as fast as it is answered, for a spell; then rests.
    pub(super) fn busily(&self, guest: &Guest, mut random: Random) {
        let mut port = Port::open(guest);
        for kind in Kind::ALL.into_iter().cycle().take_while(|_| self.goes_on()) {
            let order = Order { kind, outstanding: OUTSTANDING, time: SPELL };
            let mut tally = load::run(&mut port, guest, order);
            let mut seen = self.seen.lock().unwrap();
            seen.latencies.append(&mut tally.latencies);
            seen.lost += tally.lost;
            drop(seen);
            self.rest(between(&mut random, (100, 300)));
        }
    }

    /// A quiet guest: gets its lease, again and again.
    pub(super) fn quietly(&self, guest: &Guest, mut random: Random) {
        let mut client = Client::new(guest);
        while self.goes_on() {
            let lease = client.lease(PATIENCE);
            let mut seen = self.seen.lock().unwrap();
            match lease {
                Some(exchange) => {
                    seen.leases.push(exchange.time);
                    seen.retries += exchange.retries;
                }
                None => seen.failed += 1,
            }
            drop(seen);
            self.rest(between(&mut random, (5, 30)));
        }
    }

    /// Guests that flood, one of them at a time, now and then.
    pub(super) fn floods(&self, guests: [&Guest; 2], mut random: Random) {
        let floods: Vec<_> = Flood::all().collect();
        let flooders = guests.map(|guest| (guest, Flooder::open(guest)));
        while self.goes_on() {
            self.rest(between(&mut random, CALM));
            let (guest, flooder) = &flooders[random.below(2) as usize];
            let flood = floods[random.below(floods.len() as u64) as usize];
            let end = Instant::now() + between(&mut random, FLOOD);
            let sent = flooder.send(&flood.frames(guest), || self.goes_on() && Instant::now() < end);
            self.seen.lock().unwrap().flooded += sent;
        }
    }

    /// Waits for a time, or for the end.
    fn rest(&self, time: Duration) {
        let end = Instant::now() + time;
        while self.goes_on() && Instant::now() < end {
            thread::sleep(Duration::from_millis(50).min(time));
        }
    }
}

/// A time between two, in milliseconds.
fn between(random: &mut Random, (least, most): (u64, u64)) -> Duration {
    Duration::from_millis(least + random.below(most - least))
}
