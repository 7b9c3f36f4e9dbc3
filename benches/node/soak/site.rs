//! The node of a soak: its guests, its directory, and the daemon under a supervisor that keeps its queues.

use std::collections::BTreeMap;
use std::fs;

use nix::sys::signal::Signal;

use super::directory::{self, Tap};
use crate::net::{Guest, Node};
use crate::packet::Kind;
use crate::programs::nfdhcpd;
use crate::shell::sh_in;
use crate::supervised::Supervised;

/// What the first configuration has, in seconds.
const LEASE_LIFETIME: u32 = 3600;

/// A node and its daemon.
pub(super) struct Site {
    pub(super) node: Node,
    /// The folder of binding files.
    pub(super) bindings: String,
    supervised: Supervised,
    lease_lifetime: u32,
}

impl Site {
    /// Starts the daemon on a node with these guests, which have bindings.
    pub(super) fn new(node: Node, guests: &[&Guest]) -> Self {
        node.divert(&Kind::ALL);
        let bindings = nfdhcpd::write_bindings(&node, guests);
        nfdhcpd::write_usual_config(&node, LEASE_LIFETIME);
        let supervised = Supervised::start(&node);
        Self { node, bindings, supervised, lease_lifetime: LEASE_LIFETIME }
    }

    /// Ends the daemon by this signal, and starts another with its queues.
    pub(super) fn restart(&mut self, by: Signal) {
        self.end(by);
        self.supervised.start_again(&self.node);
    }

    /// Ends the daemon by this signal, and says whether it did well.
    pub(super) fn end(&mut self, by: Signal) -> bool {
        self.supervised.end(by)
    }

    /// Hears what the daemon says to its supervisor, which has little room for it.
    pub(super) fn listen(&mut self) {
        self.supervised.listen();
    }

    /// Has the configuration read again, which says another lifetime of leases.
    pub(super) fn reload(&mut self, lease_lifetime: u32) {
        self.lease_lifetime = lease_lifetime;
        nfdhcpd::write_usual_config(&self.node, lease_lifetime);
        self.supervised.daemon().signal(Signal::SIGHUP);
    }

    /// The daemon's process id.
    pub(super) fn pid(&self) -> u32 {
        self.supervised.daemon().pid()
    }

    /// Which start of the daemon it is.
    pub(super) fn life(&self) -> u32 {
        self.supervised.life()
    }

    /// How many packets wait for a verdict; none where the kernel does not tell.
    pub(super) fn waiting_packets(&self) -> u64 {
        self.node.queues().iter().map(|queue| queue.waiting).sum()
    }

    /// What the daemon shows otherwise than it is.
    pub(super) fn table_faults(&self) -> Vec<String> {
        let Some(shown) = nfdhcpd::shown(&self.node) else { return vec!["the daemon shows nothing".to_owned()] };
        directory::faults(&self.taps(), &shown, self.lease_lifetime)
    }

    /// Every tap that has a file.
    pub(super) fn taps(&self) -> BTreeMap<String, Tap> {
        let links = sh_in(&self.node.netns, "ls /sys/class/net");
        let files = fs::read_dir(&self.bindings).unwrap().map(|entry| entry.unwrap());
        let tap = |entry: fs::DirEntry| {
            let name = entry.file_name().into_string().unwrap();
            let text = String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned();
            let tap = Tap::new(&text, links.lines().any(|link| link == name));
            (name, tap)
        };
        files.map(tap).filter(|(name, _)| !name.starts_with('.')).collect()
    }
}
