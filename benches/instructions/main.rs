//! How many instructions the daemon's own code takes for a packet, by kind: `cargo bench --bench instructions`.
//!
//! Counted by callgrind, so that the figures do not shake with the machine: this program runs itself under valgrind, once
//! with a number of packets and once with twice as many, and takes the difference. Counted is what comes again with each
//! packet between two system calls: a message of NFQUEUE is decoded, and the engine decides. Not counted are the system
//! calls, the log, and how long an instruction takes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic is how a benchmark fails")]
#![allow(clippy::indexing_slicing, reason = "likewise")]
#![allow(clippy::print_stdout, reason = "a benchmark says what it found")]
#![allow(clippy::disallowed_methods, reason = "a benchmark runs programs")]

mod node;
mod packets;

use std::env;
use std::hint::black_box;
use std::process::Command;

use nfdhcpd::engine::MAX_FRAME;
use nfdhcpd::io::nfqueue::message::{self, FromKernel};
use node::{NOW, engine};
use packets::{KINDS, Kind};

/// How many packets make the difference between two runs.
const PACKETS: usize = 2_000;

fn main() {
    // cargo says `--bench` to every benchmark.
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match &arguments[..] {
        [] => print_table(),
        [kind, whole, decoded] => work(find(kind), whole.parse().unwrap(), decoded.parse().unwrap()),
        _ => panic!("no arguments are known"),
    }
}

fn find(name: &str) -> &'static Kind {
    KINDS.iter().find(|kind| kind.name == name).expect("no such kind of packet")
}

/// One line for each kind.
fn print_table() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("valgrind is not installed: no instructions are counted");
        return;
    }
    println!("{:<28}{:>10}{:>10}{:>10}", "instructions per packet", "decoding", "engine", "total");
    for kind in KINDS {
        let least = count(kind, PACKETS, 0);
        let per_packet = |more: usize| (more - least).div_ceil(PACKETS);
        let total = per_packet(count(kind, 2 * PACKETS, 0));
        let decoding = per_packet(count(kind, PACKETS, PACKETS));
        println!("{:<28}{decoding:>10}{:>10}{total:>10}", kind.name, total - decoding);
    }
}

/// The instructions of a run of this program that handles so many packets as a whole, and only decodes so many.
fn count(kind: &Kind, whole: usize, decoded: usize) -> usize {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe().unwrap())
        .args([kind.name, &whole.to_string(), &decoded.to_string()])
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{report}");
    let collected = report.lines().find_map(|line| line.split_once("Collected : ")).expect("no count").1;
    collected.trim().parse().unwrap()
}

/// What is counted.
fn work(kind: &Kind, whole: usize, decoded: usize) {
    let mut engine = engine(kind.config);
    let datagram = kind.datagram();
    let mut frame = [0; MAX_FRAME];
    for _ in 0..whole {
        for packet in packets_of(&datagram) {
            black_box(engine.handle_packet(NOW, &packet.ingress, &mut frame));
            black_box(&frame);
        }
    }
    let expected = engine.counters().find(|(reason, _)| reason.name() == kind.reason);
    // Of those that are rate-limited the first is not.
    assert!(expected.is_some_and(|(_, count)| count + 1 >= whole as u64), "not as expected: {:?}", kind.name);
    for _ in 0..decoded {
        for packet in packets_of(&datagram) {
            black_box(packet);
        }
    }
}

fn packets_of(datagram: &[u8]) -> impl Iterator<Item = message::Packet<'_>> {
    message::read(black_box(datagram)).filter_map(|message| match message {
        FromKernel::Packet(packet) => Some(packet),
        _ => None,
    })
}
