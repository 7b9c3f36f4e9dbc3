//! The packet thread: packets in, verdicts and frames out.
//!
//! It owns the engine and everything it needs, takes no lock, and allocates nothing for a packet, unless somebody follows
//! decisions.

use std::io;
use std::time::Duration;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use super::clock::{Clock, time_of_day};
use super::mailbox::{Command, Counts, Explained, Receiver, Report, Which};
use super::outbox::Outbox;
use super::telling::{Teller, Untold};
use super::tracer::Tracer;
use crate::engine::{Engine, Event, Now, pressure};
use crate::io::nfqueue::message::FromKernel;
use crate::io::nfqueue::{Batch, Queue};
use crate::io::packet_socket::PacketSocket;
use crate::io::sys::MAX_BATCH;
use crate::metrics::{Measured, Meter};

/// How many commands are taken between two rounds of packets: a flood of changes must not hold up the guests.
const COMMANDS_PER_ROUND: usize = 64;
/// How many batches of packets are taken from one queue before others get their turn.
const BATCHES_PER_SOURCE: usize = 4;
/// How many packets at once make it likely that there are more.
const MANY: usize = 8;
/// How many taps a report is about: to copy so many bindings takes as long as a batch of packets does.
const TAPS_PER_REPORT: usize = 64;
/// When verdicts that could not be given are tried again.
const RETRY: Duration = Duration::from_millis(10);
/// What epoll says for the mailbox; queues are numbered from 0.
const MAILBOX: u64 = u64::MAX;
/// How many sources one call of epoll tells of. Those beyond come with the next call.
const SOURCES: usize = 8;

/// The state of the packet thread.
#[derive(Debug)]
pub(super) struct PacketLoop {
    engine: Engine,
    clock: Clock,
    queues: Vec<Queue>,
    mailbox: Receiver,
    epoll: Epoll,
    batch: Batch,
    outbox: Outbox,
    teller: Teller,
    /// None where nobody reads what is measured.
    meter: Option<Meter>,
    tracer: Tracer,
    is_stopped: bool,
}

impl PacketLoop {
    /// A loop over these queues, which sends by `socket`.
    pub(super) fn new(
        engine: Engine,
        clock: Clock,
        queues: Vec<Queue>,
        mailbox: Receiver,
        socket: PacketSocket,
        teller: Teller,
    ) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(&mailbox, EpollEvent::new(EpollFlags::EPOLLIN, MAILBOX))?;
        for (number, queue) in (0..).zip(&queues) {
            epoll.add(queue, EpollEvent::new(EpollFlags::EPOLLIN, number))?;
        }
        Ok(Self {
            engine,
            clock,
            queues,
            mailbox,
            epoll,
            batch: Batch::new(),
            outbox: Outbox::new(socket),
            teller,
            meter: None,
            tracer: Tracer::default(),
            is_stopped: false,
        })
    }

    /// Measures from now on.
    pub(super) fn measure(&mut self) {
        self.meter = Some(Meter::new(self.queues.iter().map(Queue::number), MAX_BATCH));
    }

    /// Works until it is told to stop, or cannot go on.
    pub(super) fn run(mut self) -> io::Result<()> {
        self.serve_early()?;
        let mut has_more = false;
        let mut ready = [EpollEvent::empty(); SOURCES];
        while !self.is_stopped {
            self.engine.handle_timeout(self.clock.now());
            self.transmit_due();
            self.tell();
            let count = self.wait(has_more, &mut ready)?;
            let mut has_mail = has_more;
            for event in ready.iter().take(count) {
                match event.data() {
                    MAILBOX => has_mail = true,
                    source => self.serve_source(source)?,
                }
            }
            has_more = has_mail && self.take_commands();
        }
        Ok(())
    }

    /// Takes the packets that came while their queue was being bound: epoll will not tell of them any more.
    fn serve_early(&mut self) -> io::Result<()> {
        for source in 0..self.queues.len() {
            while self.queues.get(source).is_some_and(|queue| queue.early() > 0) {
                self.serve(source)?;
            }
        }
        Ok(())
    }

    /// Waits for packets, commands, or the time of the next advertisement. Returns how many sources are ready.
    fn wait(&self, has_more: bool, ready: &mut [EpollEvent]) -> io::Result<usize> {
        let timeout = if has_more { Some(Duration::ZERO) } else { self.next_timeout() };
        let timeout = timeout.map_or(EpollTimeout::NONE, epoll_timeout);
        match self.epoll.wait(ready, timeout) {
            Ok(count) => Ok(count),
            Err(nix::Error::EINTR) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// How long nothing is due.
    fn next_timeout(&self) -> Option<Duration> {
        let now = self.clock.now();
        let retry = self.queues.iter().any(Queue::has_verdicts);
        let dues: [Option<Now>; 3] =
            [self.engine.poll_timeout(), self.teller.poll_timeout(), retry.then_some(now + RETRY)];
        dues.into_iter().flatten().min().map(|due| due.saturating_sub(now))
    }

    /// Serves a queue that is ready. Where many packets came at once there are more by now, most likely; to look costs less
    /// than to be told. A few batches only: others wait as well.
    fn serve_source(&mut self, source: u64) -> io::Result<()> {
        for _ in 0..BATCHES_PER_SOURCE {
            self.serve(usize::try_from(source).unwrap_or(usize::MAX))?;
            if self.batch.count() < MANY {
                break;
            }
        }
        Ok(())
    }

    /// Takes one batch from a queue: each packet gets its verdict, whatever becomes of its reply.
    fn serve(&mut self, source: usize) -> io::Result<()> {
        let Some(queue) = self.queues.get_mut(source) else {
            return Ok(());
        };
        let overruns = queue.overruns();
        queue.receive(&mut self.batch)?;
        let now = self.clock.now();
        weigh(&mut self.engine, now, queue, self.batch.count());
        for message in self.batch.messages() {
            // An error of the kernel's is about a verdict whose packet is gone, with its interface: there is nothing to do.
            let FromKernel::Packet(packet) = message else {
                continue;
            };
            if self.outbox.is_full() {
                self.outbox.flush(report_to(&mut self.engine, now));
                note_sent(&mut self.meter, source);
            }
            let frame = self.outbox.slot();
            let outcome = self.engine.handle_packet(now, &packet.ingress, frame);
            queue.push_verdict(packet.id, outcome.verdict());
            if let Some(meter) = &mut self.meter {
                meter.count(source, outcome.reason, packet.received.filter(|_| outcome.reply.is_some()));
            }
            if let Some(reply) = outcome.reply {
                self.outbox.push(reply);
            }
            self.teller.tell_outcome(now, &outcome);
            self.tracer.show_packet(now, packet.ingress.packet, &outcome);
        }
        self.outbox.flush(report_to(&mut self.engine, now));
        note_sent(&mut self.meter, source);
        give_verdicts(now, queue, &mut self.teller);
        if queue.overruns() != overruns {
            let total = queue.overruns();
            self.engine.handle_event(now, Event::PacketsLost);
            self.teller.tell_overrun(now, queue.number(), total);
        }
        Ok(())
    }

    /// Does what the control side asks for. Returns whether there may be more of it.
    fn take_commands(&mut self) -> bool {
        self.mailbox.hush();
        for _ in 0..COMMANDS_PER_ROUND {
            match self.mailbox.take() {
                Some(Command::Tell(event)) => self.engine.handle_event(self.clock.now(), event),
                // Whoever asked and does not wait any more has no need of the answer. After each packets come first.
                Some(Command::Report(which, to)) => {
                    let _ = to.send(self.report(which));
                    return true;
                }
                Some(Command::Explain(tap, to)) => {
                    let _ = to.send(Explained { now: self.clock.now(), explanation: self.engine.explain(tap) });
                    return true;
                }
                Some(Command::Count(to)) => {
                    let counters = self.engine.counters().collect();
                    let _ = to.send(Counts { now: self.clock.now(), counters });
                    return true;
                }
                Some(Command::Measure(to)) => {
                    let _ = to.send(self.measured());
                    return true;
                }
                Some(Command::Follow(follower)) => self.tracer.add(follower, self.clock.epoch()),
                Some(Command::Unfollow) => self.tracer.forget_who_left(),
                Some(Command::Stop) => self.is_stopped = true,
                None => return false,
            }
        }
        true
    }

    /// What was measured.
    fn measured(&self) -> Measured {
        let overruns = self.queues.iter().map(Queue::overruns);
        let Untold { suppressed, lost } = self.teller.untold();
        Measured {
            now: self.clock.now(),
            queues: self.meter.as_ref().map(|meter| meter.queues(overruns)).unwrap_or_default(),
            counters: self.engine.counters().collect(),
            suppressed_lines: suppressed,
            lost_lines: lost,
        }
    }

    /// How taps stand.
    fn report(&self, which: Which) -> Report {
        let taps = match which {
            Which::One(tap) => self.engine.status_of(tap).into_iter().collect(),
            Which::After(tap) => self.engine.status_after(tap).take(TAPS_PER_REPORT).collect(),
        };
        Report { now: self.clock.now(), taps }
    }

    /// Sends advertisements that are due, one batch of them; and tries again what verdicts are left.
    fn transmit_due(&mut self) {
        let now = self.clock.now();
        while !self.outbox.is_full() {
            let Some(unsolicited) = self.engine.poll_transmit(now, self.outbox.slot()) else {
                break;
            };
            self.outbox.push(unsolicited.transmit);
            self.tracer.show_sent(now, &unsolicited);
        }
        self.outbox.flush(report_to(&mut self.engine, now));
        for queue in self.queues.iter_mut().filter(|queue| queue.has_verdicts()) {
            give_verdicts(now, queue, &mut self.teller);
        }
    }

    /// Logs what there is to log.
    fn tell(&mut self) {
        let now = self.clock.now();
        while let Some(notice) = self.engine.poll_notice() {
            self.tracer.show_notice(now, &notice);
            self.teller.tell_notice(now, notice);
        }
        self.teller.tell_suppressed(now);
    }
}

/// Takes down how long the replies took that were sent just now.
fn note_sent(meter: &mut Option<Meter>, queue: usize) {
    if let Some(meter) = meter.as_mut().filter(|meter| meter.is_waiting()) {
        meter.sent(queue, time_of_day());
    }
}

/// Tells the engine how much still waits, where so many packets came at once that it matters.
fn weigh(engine: &mut Engine, now: Now, queue: &Queue, received: usize) {
    // The kernel always knows; if it did not say so, limits could still be set in the configuration.
    if pressure::is_notable(received)
        && let Ok(fill) = queue.fill()
    {
        engine.handle_event(now, Event::Waiting(fill));
    }
}

/// Tells the engine of frames that could not be sent.
fn report_to(engine: &mut Engine, now: Now) -> impl FnMut(crate::binding::IfIndex, i32) {
    move |ifindex, errno| engine.handle_event(now, Event::SendFailed(ifindex, errno))
}

/// Gives the verdicts of a queue. Should the kernel refuse for want of memory, they are tried again later.
fn give_verdicts(now: Now, queue: &mut Queue, teller: &mut Teller) {
    let is_first = !queue.is_retrying();
    if let Err(error) = queue.send_verdicts()
        && is_first
    {
        teller.tell_refused(now, queue.number(), error);
    }
}

/// The time in whole milliseconds, never less than asked for: a shorter one would only make us ask again.
fn epoll_timeout(time: Duration) -> EpollTimeout {
    let millis = time.as_nanos().div_ceil(1_000_000);
    EpollTimeout::try_from(millis).unwrap_or(EpollTimeout::MAX)
}
