//! The daemon under a stand-in for systemd, which keeps its queues.

use nix::sys::signal::Signal;

use crate::lab::supervisor::Supervisor;
use crate::lab::{Process, soon};
use crate::net::Node;
use crate::programs::nfdhcpd;

/// A daemon that can be restarted.
pub(crate) struct Supervised {
    supervisor: Supervisor,
    daemon: Process,
    /// How often it was started.
    life: u32,
}

impl Supervised {
    /// Starts the daemon on a node that has a configuration, and waits until it is ready.
    pub(crate) fn start(node: &Node) -> Self {
        let mut supervisor = Supervisor::new();
        // Goes on as the daemon, with the same process id.
        supervisor.change_program("ip");
        let daemon = start(node, &mut supervisor);
        Self { supervisor, daemon, life: 1 }
    }

    /// Starts another daemon with the queues of the one that has ended.
    pub(crate) fn start_again(&mut self, node: &Node) {
        self.daemon = start(node, &mut self.supervisor);
        self.life += 1;
    }

    /// Ends the daemon by this signal, and says whether it did well.
    pub(crate) fn end(&mut self, by: Signal) -> bool {
        // It waits to be heard, with the last that it says as well.
        self.daemon.signal(by);
        let status = soon("the end of the daemon", || {
            self.supervisor.forget_said();
            self.daemon.ended()
        });
        status.success()
    }

    /// Hears what the daemon says to its supervisor, which has little room for it.
    pub(crate) fn listen(&mut self) {
        self.supervisor.forget_said();
        assert!(self.daemon.ended().is_none(), "the daemon ended: {}", self.daemon.log());
    }

    /// The daemon's process.
    pub(crate) fn daemon(&self) -> &Process {
        &self.daemon
    }

    /// Which start of the daemon it is.
    pub(crate) fn life(&self) -> u32 {
        self.life
    }
}

fn start(node: &Node, supervisor: &mut Supervisor) -> Process {
    supervisor.start(&["netns", "exec", &node.netns, nfdhcpd::PATH, "-f", "-c", &node.path("nfdhcpd.conf")])
}
