//! The load: a closed loop. So many requests are under way at any time; each answer is followed by the next request.

use std::hint;
use std::thread;
use std::time::{Duration, Instant};

use crate::cpus;
use crate::net::Guest;
use crate::packet::{Kind, Mark, VARIANT, number_of, requests};
use crate::port::Port;
use crate::tally::Tally;
use crate::usage::own_cpu_time;

/// A request that has no answer by then is lost.
const TIMEOUT: Duration = Duration::from_secs(1);

/// How long a crowd that waits for answers does so with open eyes.
const WAKEFUL: Duration = Duration::from_micros(100);

/// How often lost requests are looked for.
const REVIEW: Duration = Duration::from_millis(10);

/// What is to be asked, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    /// What is asked for.
    pub(crate) kind: Kind,
    /// How many requests are under way at a time: a power of two.
    pub(crate) outstanding: u32,
    /// For how long requests are sent.
    pub(crate) time: Duration,
}

/// Asks for the whole time, waits for the last answers, and returns what came of it. Does so in a thread of its own, on
/// the load's processor.
pub(crate) fn run(port: &mut Port, guest: &Guest, order: Order) -> Tally {
    let frames = (0..).step_by(VARIANT as usize).zip(requests(order.kind, guest)).collect();
    run_with(port, order, vec![frames; order.outstanding as usize], |frame| number_of(order.kind, guest, frame))
}

/// The same with frames of our own for each of the slots in which requests are under way, and with a way to tell the number
/// of the request that a frame answers.
pub(crate) fn run_with(
    port: &mut Port,
    order: Order,
    slots: Vec<Vec<Numbered>>,
    number_of: impl Fn(&[u8]) -> Option<u32> + Send,
) -> Tally {
    let work = move || {
        cpus::keep_to_last();
        run_here(port, Generator::new(order, slots, number_of))
    };
    thread::scope(|scope| scope.spawn(work).join().unwrap())
}

/// The same in this thread.
fn run_here(port: &mut Port, mut generator: Generator<impl Fn(&[u8]) -> Option<u32>>) -> Tally {
    let cpu = own_cpu_time();
    let start = Instant::now();
    generator.ask_until(port, start + generator.order.time);
    generator.tally.time = start.elapsed();
    generator.tally.answers = generator.tally.latencies.len() as u64;
    generator.tally.own_cpu = (own_cpu_time() - cpu).saturating_sub(generator.idle);
    generator.await_last(port);
    generator.tally
}

/// The requests under way, each in a slot.
struct Generator<N> {
    order: Order,
    mark: Mark,
    /// Tells which request a frame answers.
    number_of: N,
    slots: Vec<Slot>,
    /// Slots whose request is to be sent.
    due: Vec<usize>,
    /// How long it looked for answers when there were none.
    idle: Duration,
    tally: Tally,
}

/// A frame, and what the numbers of its requests begin at.
pub(crate) type Numbered = (u32, Vec<u8>);

/// One request after the other.
struct Slot {
    /// What is sent by turns.
    frames: Vec<Numbered>,
    /// How many requests were made here.
    turn: u32,
    /// The number of the last one.
    number: u32,
    /// When it was sent; None if it is not under way.
    sent: Option<Instant>,
}

impl Slot {
    /// The frame of the last request.
    fn frame(&self) -> &[u8] {
        &self.frames[self.variant()].1
    }

    fn variant(&self) -> usize {
        self.turn as usize % self.frames.len()
    }
}

impl<N: Fn(&[u8]) -> Option<u32>> Generator<N> {
    fn new(order: Order, slots: Vec<Vec<Numbered>>, number_of: N) -> Self {
        assert!(order.outstanding.is_power_of_two() && order.outstanding <= order.kind.numbers());
        assert_eq!(slots.len(), order.outstanding as usize);
        let slot = |frames| Slot { frames, turn: 0, number: 0, sent: None };
        Self {
            order,
            mark: order.kind.request_mark(),
            number_of,
            slots: slots.into_iter().map(slot).collect(),
            due: Vec::new(),
            idle: Duration::ZERO,
            tally: Tally { latencies: Vec::with_capacity(1 << 20), ..Tally::default() },
        }
    }

    fn ask_until(&mut self, port: &mut Port, end: Instant) {
        (0..self.slots.len()).for_each(|slot| self.make(slot));
        let mut now = Instant::now();
        let mut review = now + REVIEW;
        while now < end {
            self.send(port);
            self.receive(port);
            now = Instant::now();
            if now >= review {
                self.give_up(now);
                review = now + REVIEW;
            }
        }
    }

    /// Waits for the answers that are still to come.
    fn await_last(&mut self, port: &mut Port) {
        while self.slots.iter().any(|slot| slot.sent.is_some()) {
            self.receive(port);
            self.give_up(Instant::now());
        }
    }

    /// Makes the next request of a slot.
    fn make(&mut self, slot: usize) {
        let Order { kind, outstanding, .. } = self.order;
        let (index, slot) = (slot, &mut self.slots[slot]);
        slot.turn += 1;
        let variant = slot.variant();
        let turn = slot.turn % (kind.numbers() / outstanding);
        let (first, frame) = &mut slot.frames[variant];
        slot.number = *first + turn * outstanding + index as u32;
        self.mark.write(frame, slot.number);
        self.due.push(index);
    }

    /// Sends what is due, as far as the node takes it.
    fn send(&mut self, port: &Port) {
        let mut rest = self.due.as_slice();
        while !rest.is_empty() {
            let now = Instant::now();
            let count = port.send(rest.iter().map(|slot| self.slots[*slot].frame()));
            let (gone, left) = rest.split_at(count);
            gone.iter().for_each(|slot| self.slots[*slot].sent = Some(now));
            rest = left;
            if count == 0 {
                break;
            }
        }
        let gone = self.due.len() - rest.len();
        self.due.drain(..gone);
    }

    /// Takes answers, and waits for some if there are none.
    fn receive(&mut self, port: &mut Port) {
        if !self.take_all(port) {
            self.wait(port);
            self.take_all(port);
        }
    }

    /// Sleeps, as a lone client does. A crowd is never asleep: to wake it would cost the program that is measured.
    fn wait(&mut self, port: &Port) {
        let start = Instant::now();
        if self.order.outstanding > 1 && cpus::count() > 1 {
            while start.elapsed() < WAKEFUL && !port.has_frames() {
                hint::spin_loop();
            }
            self.idle += start.elapsed();
        }
        if !port.has_frames() {
            port.wait();
        }
    }

    /// Takes answers that are there, and makes the next request for each. Returns whether there were any.
    fn take_all(&mut self, port: &mut Port) -> bool {
        port.receive(|frame, _| {
            if let Some(slot) = (self.number_of)(frame).and_then(|number| self.take(number)) {
                self.make(slot);
            }
        })
    }

    /// Takes the answer to the request of this number. Returns its slot, if it is under way.
    fn take(&mut self, number: u32) -> Option<usize> {
        let index = (number % self.order.outstanding) as usize;
        let slot = &mut self.slots[index];
        let sent = slot.sent.take_if(|_| slot.number == number)?;
        self.tally.latencies.push(sent.elapsed().as_nanos() as u32);
        Some(index)
    }

    /// Gives up requests that have waited too long, and makes others in their place.
    fn give_up(&mut self, now: Instant) {
        for index in 0..self.slots.len() {
            let sent = &mut self.slots[index].sent;
            if sent.take_if(|sent| now.duration_since(*sent) > TIMEOUT).is_some() {
                self.tally.lost += 1;
                self.make(index);
            }
        }
    }
}
