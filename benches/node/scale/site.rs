//! A node with many guests, and the daemon on it.

use std::fs;
use std::time::{Duration, Instant};

use super::crowd::Crowd;
use crate::net::{Guest, Node};
use crate::packet::Kind;
use crate::port::Port;
use crate::programs::nfdhcpd::{PATH, write_bindings, write_config};
use crate::shell::{Leashed, command_in};

/// The number of the guest that is on its own.
const LONE: u16 = 60_000;

/// Long enough for any start.
const SOON: Duration = Duration::from_secs(60);

/// What a site is to have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// Guests with a binding.
    pub(super) bindings: u16,
    /// Those of them that have a tap.
    pub(super) taps: u16,
    /// `ra_period`, if not the default.
    pub(super) ra_period: Option<u32>,
}

/// A node, and those who ask it.
pub(super) struct Site {
    node: Node,
    /// The configuration file.
    pub(super) config: String,
    /// The folder of binding files.
    pub(super) bindings: String,
    /// Guests that share a wire.
    pub(super) crowd: Crowd,
    /// A guest with a wire of its own, besides.
    pub(super) guest: Guest,
    /// Its end of it.
    pub(super) port: Port,
}

impl Site {
    /// A site without a daemon.
    pub(super) fn new(wanted: Wanted) -> Self {
        let Wanted { bindings, taps, ra_period } = wanted;
        let node = Node::new(&format!("{bindings}-{taps}"));
        let guests = node.crowd(taps);
        let guest = node.guest(LONE);
        let port = Port::open(&guest);
        let away: Vec<_> = (taps + 1..=bindings).map(Guest::away).collect();
        let all: Vec<_> = guests.iter().chain(&away).chain([&guest]).collect();
        let bindings = write_bindings(&node, &all);
        let config = write_config(&node);
        if let Some(period) = ra_period {
            let text = fs::read_to_string(&config).unwrap();
            fs::write(&config, text.replace("rs_queue", &format!("ra_period = {period}\nrs_queue"))).unwrap();
        }
        node.divert(&Kind::ALL);
        Self { node, config, bindings, crowd: Crowd::new(&guests), guest, port }
    }

    /// Starts the daemon and waits until it is ready. Returns also how long that took.
    pub(super) fn start(&self) -> (Leashed, Duration) {
        let mut command = command_in(&self.node.netns, PATH);
        command.args(["-f", "-c", &self.config]);
        let start = Instant::now();
        let mut process = Leashed::start(command, &self.node.netns);
        while !process.log().contains(" ready ") {
            assert!(process.ended().is_none() && start.elapsed() < SOON, "{}", process.log());
        }
        (process, start.elapsed())
    }
}
