//! A node with nothing on it yet.

use std::fs;

use super::daemon::{self, Daemon, USUAL_FLAGS, write_config};
use super::process::Process;
use super::{Config, Guest, SCRATCH, Supervisor, queues, sh, soon};

/// The network stack of a node, the bindings directory, the rules and the daemon.
pub(crate) struct Lab {
    daemon: Option<Daemon>,
    lossless: bool,
}

/// What diverts packets to the daemon: the original's sample rules, for any way to name the tap.
const RULES: &[(&str, &str)] = &[
    ("iptables", "-p udp -m udp --dport 67 -j NFQUEUE --queue-num 42"),
    ("ip6tables", "-p icmpv6 --icmpv6-type router-solicitation -j NFQUEUE --queue-num 43"),
    ("ip6tables", "-p icmpv6 --icmpv6-type neighbour-solicitation -j NFQUEUE --queue-num 44"),
    ("ip6tables", "-p udp -m udp --dport 547 -j NFQUEUE --queue-num 45"),
];

/// The node forwards, answers ARP for the DHCP server's address so that unicast renewals arrive, and has no other
/// address.
const NODE: &str = "
    ip link set lo up
    ip address add 192.0.2.254/32 dev lo
    sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
    sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1";

impl Lab {
    /// A node without taps, rules and daemon.
    pub(crate) fn new() -> Self {
        sh(NODE);
        fs::create_dir(format!("{SCRATCH}/bindings")).unwrap();
        Self { daemon: None, lossless: true }
    }

    /// A guest behind a routed tap, with the binding that [`Guest::binding`] describes.
    #[track_caller]
    pub(crate) fn guest(&self, number: u8) -> Guest {
        let mut guest = Guest::new(number);
        guest.plug();
        self.bind(&guest, &guest.binding());
        guest
    }

    /// Writes the binding file of a guest's tap in one go.
    pub(crate) fn bind(&self, guest: &Guest, text: &str) {
        fs::write(self.binding_path(guest), text).unwrap();
    }

    /// Writes a guest's binding anew and waits until the daemon serves it. Twice in a test: of such lines the log has three a
    /// minute, and one is of the start.
    #[track_caller]
    pub(crate) fn rebind(&self, guest: &Guest, text: &str) {
        let served = || self.daemon().log().matches(&format!("serving tap={}", guest.tap)).count();
        let before = served();
        self.bind(guest, text);
        soon("the new binding", || (served() > before).then_some(()));
    }

    /// Where the binding file of a guest's tap is.
    pub(crate) fn binding_path(&self, guest: &Guest) -> String {
        format!("{SCRATCH}/bindings/{}", guest.tap)
    }

    /// Diverts what comes in at the interfaces that `from` selects.
    #[track_caller]
    pub(crate) fn divert(&self, from: &str) {
        for (tool, rest) in RULES {
            sh(&format!("{tool} -t mangle -A PREROUTING {from} {rest}"));
        }
    }

    /// The usual rules and configuration.
    #[track_caller]
    pub(crate) fn start(&mut self) {
        self.start_with(&Config::default());
    }

    /// The usual rules and a configuration.
    #[track_caller]
    pub(crate) fn start_with(&mut self, config: &Config) {
        self.divert("-i tap+");
        self.launch(config);
    }

    /// The daemon alone.
    #[track_caller]
    pub(crate) fn launch(&mut self, config: &Config) {
        self.launch_with(config, USUAL_FLAGS);
    }

    /// The daemon alone, with these flags.
    #[track_caller]
    pub(crate) fn launch_with(&mut self, config: &Config, flags: &[&str]) {
        self.daemon = Some(Daemon::start(config, flags));
    }

    /// The daemon alone, by a supervisor.
    #[track_caller]
    pub(crate) fn launch_by(&mut self, supervisor: &mut Supervisor, config: &Config) {
        let config = write_config(config);
        let arguments = [&["-c", &config], USUAL_FLAGS].concat();
        self.daemon = Some(Daemon::from(supervisor.start(&arguments)));
    }

    /// Ends the daemon, and leaves its queues as they are.
    #[track_caller]
    pub(crate) fn end(&mut self, by: fn(Daemon)) {
        by(self.daemon.take().expect("the daemon is not started"));
    }

    /// The running daemon's process.
    pub(crate) fn daemon(&self) -> &Process {
        self.daemon.as_ref().expect("the daemon is not started").process()
    }

    /// Ends the daemon, which has to succeed, and waits until its queues are gone.
    #[track_caller]
    pub(crate) fn stop(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.stop();
            soon("the end of the queues", || queues::bound().is_empty().then_some(()));
        }
    }

    /// This test fills a queue faster than anybody can read it.
    pub(crate) fn may_lose_packets(&mut self) {
        self.lossless = false;
    }

    /// What holds after every test: all packets have a verdict, none was lost, and the daemon ends well.
    #[track_caller]
    pub(crate) fn finish(&mut self) {
        soon("a verdict for every packet", || queues::bound().iter().all(|queue| queue.waiting == 0).then_some(()));
        for queue in queues::bound() {
            assert!(queue.is_lossless() || !self.lossless, "packets were lost: {queue:?}");
        }
        self.stop();
    }
}

/// A second daemon, beside the lab's own.
pub(crate) fn second_daemon(config: &Config) -> Process {
    daemon::launch(config, "second")
}
