//! The programs that are measured: how each starts, and what it answers.

mod dnsmasq;
mod kea;
mod limit;
pub(crate) mod nfdhcpd;

use std::iter;
use std::time::{Duration, Instant};

use crate::load::{self, Order};
use crate::net::{Guest, Node};
use crate::packet::Kind;
use crate::port::Port;
use crate::shell::{Leashed, has, sh};
use crate::tally::Tally;

/// Long enough for any program to start, on a machine that is busy with other things.
const SOON: Duration = Duration::from_secs(20);

/// How long is asked to see whether there is an answer.
const GLANCE: Duration = Duration::from_millis(10);

/// A program, and how to get it to answer.
#[derive(Clone, Copy)]
pub(crate) struct Program {
    /// What the table and the command line call it.
    pub(crate) name: &'static str,
    /// The kinds of packets that it answers, by the process that answers them.
    processes: &'static [&'static [Kind]],
    /// What has to be installed.
    needs: &'static [&'static str],
    /// A shell command that prints the version, for programs that are not from here.
    version: Option<&'static str>,
    /// Starts the process for these kinds on a node that has one guest.
    start: fn(&Node, &Guest, &[Kind]) -> Leashed,
}

/// All programs. The first is what the others are compared with.
pub(crate) const PROGRAMS: &[Program] =
    &[limit::BATCHED, limit::SINGLE, nfdhcpd::PROGRAM, dnsmasq::PROGRAM, kea::PROGRAM_4, kea::PROGRAM_6];

/// Every kind, each with a process of its own.
const ONE_EACH: &[&[Kind]] = &[
    &[Kind::Dhcpv4],
    &[Kind::RouterSolicitation],
    &[Kind::NeighbourSolicitation],
    &[Kind::InformationRequest],
    &[Kind::Solicit],
];

impl Program {
    /// Starts what answers these kinds, each process on a node of its own, with one guest. An error says what is missing.
    pub(crate) fn start(&self, wanted: &[Kind]) -> Result<Vec<Running>, String> {
        if let Some(missing) = self.needs.iter().find(|program| !has(program)) {
            return Err(format!("{missing} is not installed"));
        }
        let wanted = |kinds: &&[Kind]| kinds.iter().copied().filter(|kind| wanted.contains(kind)).collect::<Vec<_>>();
        let processes = self.processes.iter().map(wanted).filter(|kinds| !kinds.is_empty());
        processes.map(|kinds| Running::start(*self, kinds)).collect()
    }
}

/// The names of all programs.
pub(crate) fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = PROGRAMS.iter().map(|program| program.name).collect();
    names.dedup();
    names
}

/// The versions of programs that are not from here, and before them the kernel's.
pub(crate) fn versions(programs: impl Iterator<Item = Program>) -> String {
    let commands = iter::once("uname -sr").chain(programs.filter_map(|program| program.version));
    let versions: Vec<_> = commands.map(|command| sh(command).trim().to_owned()).collect();
    versions.join(", ")
}

/// A process that answers, its node and its guest.
pub(crate) struct Running {
    /// The program that it is of.
    pub(crate) program: Program,
    /// What it answers.
    pub(crate) kinds: Vec<Kind>,
    /// The process itself.
    pub(crate) process: Leashed,
    guest: Guest,
    port: Port,
}

impl Running {
    fn start(program: Program, kinds: Vec<Kind>) -> Result<Self, String> {
        let node = Node::new(&format!("{}-{:?}", program.name, kinds[0]).to_lowercase());
        let guest = node.guest(1);
        let port = Port::open(&guest);
        let process = (program.start)(&node, &guest, &kinds);
        let mut running = Self { program, kinds, process, guest, port };
        running.kinds.clone().into_iter().try_for_each(|kind| running.await_answer(kind))?;
        Ok(running)
    }

    /// Waits until a packet of this kind is answered.
    fn await_answer(&mut self, kind: Kind) -> Result<(), String> {
        let start = Instant::now();
        while self.load(Order { kind, outstanding: 1, time: GLANCE }).answers == 0 {
            if self.process.ended().is_some() || start.elapsed() > SOON {
                return Err(format!("no answer to {}:\n{}", kind.title(), self.process.log()));
            }
        }
        Ok(())
    }

    /// Has the guest ask.
    pub(crate) fn load(&mut self, order: Order) -> Tally {
        load::run(&mut self.port, &self.guest, order)
    }
}
