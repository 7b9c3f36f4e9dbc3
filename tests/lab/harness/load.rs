//! A guest that asks and asks: a closed loop of requests of every kind, each of which knows its answer.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::net::Ipv6Addr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use pnet_datalink::{Channel, Config, DataLinkReceiver, DataLinkSender, channel, interfaces};

use super::process::Process;
use super::requests::{discover, information_request, neighbor_solicitation, router_solicitation};
use super::{Guest, SCRATCH, soon};

/// The argument that leads to [`run`].
pub(crate) const FLAG: &str = "--load";

/// How many requests are on their way at a time.
const WINDOW: u32 = 64;
/// How long a client waits before it asks again, if it does.
const PATIENCE: Duration = Duration::from_millis(300);
/// How often progress is told, in answers.
const STEP: u32 = 50;
/// The largest frame.
const LARGEST: usize = 1 << 16;

/// What comes before the number in addresses that solicit, and in those that are solicited.
const ASKER: u32 = 1;
const TARGET: u32 = 2;

/// A guest under way with its requests.
pub(crate) struct Load {
    process: Process,
    progress: String,
    enough: String,
}

impl Load {
    /// Has the guest make requests until [`Load::finish`]. Each is made once; or, with `again`, anew while there is no answer.
    pub(crate) fn start(guest: &Guest, again: bool) -> Self {
        let [progress, enough] = ["answered", "enough"].map(|what| format!("{SCRATCH}/{}-{what}", guest.name));
        fs::write(&progress, "0").unwrap();
        guest.wait_for_link();
        let program = env::current_exe().unwrap();
        let script = format!("{} {FLAG} {} {again} {progress} {enough}", program.display(), guest.mac[5]);
        Self { process: guest.spawn("load", &script), progress, enough }
    }

    /// How many requests have their answers, as far as that has been told.
    fn answered(&self) -> u32 {
        fs::read_to_string(&self.progress).unwrap().parse().unwrap()
    }

    /// Waits for so many answers from now on.
    #[track_caller]
    pub(crate) fn wait_for(&self, answers: u32) {
        let before = self.answered();
        soon("answers", || (self.answered() >= before + answers).then_some(()));
    }

    /// Has the guest make no more requests, and waits for what is under way: every request was answered, and none that was
    /// made once was answered twice.
    #[track_caller]
    pub(crate) fn finish(mut self) {
        fs::write(&self.enough, "").unwrap();
        assert!(self.process.wait().success(), "{}", self.process.log());
    }
}

/// Makes requests from the guest of this number until there is a file `enough`, and writes to `progress` how many were
/// answered.
pub(crate) fn run(number: &str, again: &str, progress: &str, enough: &str) -> ExitCode {
    let interface = interfaces().into_iter().find(|known| known.name == "eth0").expect("the interface");
    let asks_again = again == "true";
    let options =
        Config { read_timeout: asks_again.then_some(PATIENCE), read_buffer_size: LARGEST, ..Config::default() };
    let Ok(Channel::Ethernet(sender, receiver)) = channel(&interface, options) else { panic!("no packet socket") };
    let asker = Asker { number: number.parse().unwrap(), sender, waiting: BTreeMap::new(), next: 0, asks_again };
    asker.ask_on(receiver, progress, enough)
}

/// The guest's end of the exchange.
struct Asker {
    number: u8,
    sender: Box<dyn DataLinkSender>,
    /// Requests without an answer.
    waiting: BTreeMap<u32, Vec<u8>>,
    next: u32,
    asks_again: bool,
}

impl Asker {
    fn ask_on(mut self, mut receiver: Box<dyn DataLinkReceiver>, progress: &str, enough: &str) -> ExitCode {
        (0..WINDOW).for_each(|_| self.ask());
        let mut answered = 0;
        while !self.waiting.is_empty() {
            let Ok(frame) = receiver.next() else {
                // Nobody answers: ask again.
                self.waiting.values().for_each(|request| send(&mut *self.sender, request));
                continue;
            };
            let Some(number) = answer(frame) else { continue };
            if self.waiting.remove(&number).is_none() {
                if self.asks_again {
                    continue;
                }
                println!("a second answer to request {number}");
                return ExitCode::FAILURE;
            }
            answered += 1;
            if answered % STEP == 0 {
                tell(progress, answered);
            }
            if !Path::new(enough).exists() {
                self.ask();
            }
        }
        ExitCode::SUCCESS
    }

    fn ask(&mut self) {
        let request = request(self.number, self.next);
        send(&mut *self.sender, &request);
        self.waiting.insert(self.next, request);
        self.next += 1;
    }
}

/// Writes progress as a whole: nobody reads half of it.
fn tell(progress: &str, answered: u32) {
    let beside = format!("{progress}.new");
    fs::write(&beside, answered.to_string()).unwrap();
    fs::rename(beside, progress).unwrap();
}

fn send(sender: &mut dyn DataLinkSender, frame: &[u8]) {
    sender.send_to(frame, None).expect("a way out").expect("a frame on its way");
}

/// A request of a guest. Its number comes back in the answer.
fn request(guest: u8, number: u32) -> Vec<u8> {
    let mac = [0xaa, 0, 0, 0, 0, guest];
    let link_local =
        |number: u32| Ipv6Addr::from_bits((0xfe80 << 112) | (u128::from(ASKER) << 32) | u128::from(number));
    let us = link_local(0xffff_ffff);
    let target = Ipv6Addr::from_bits(
        (0x2001_0db8 << 96) | (u128::from(guest) << 64) | (u128::from(TARGET) << 32) | u128::from(number),
    );
    match number % 4 {
        0 => discover(mac, number),
        1 => router_solicitation(mac, link_local(number)),
        2 => neighbor_solicitation(mac, us, target),
        _ => information_request(mac, us, number),
    }
}

/// The number of the request that a frame answers.
fn answer(frame: &[u8]) -> Option<u32> {
    let number = |position: usize| Some(u32::from_be_bytes(*frame.get(position..)?.first_chunk()?));
    // The guest's own kernel asks as well, from and for other addresses.
    let number_of_ours = |position: usize, mark| (number(position)? == mark).then(|| number(position + 4)).flatten();
    let (is_ipv6, protocol, kind) = (frame.get(12..14)? == [0x86, 0xdd], *frame.get(20)?, *frame.get(54)?);
    match (is_ipv6, protocol, kind) {
        // DHCPv4 from port 67: xid.
        (false, ..) if frame.get(34..36)? == [0, 67] => number(46),
        // A Router Advertisement: whom it is for.
        (true, 58, 134) => number_of_ours(46, ASKER),
        // A Neighbor Advertisement: its target.
        (true, 58, 136) => number_of_ours(70, TARGET),
        // DHCPv6 from port 547: the transaction id, behind the type.
        (true, 17, _) if frame.get(54..56)? == 547_u16.to_be_bytes() => number(62).map(|word| word & 0xff_ffff),
        _ => None,
    }
}
