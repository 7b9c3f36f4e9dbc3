//! Whoever asks on the control socket, and what they are answered.
//!
//! A caller sends a line, gets lines, and that is all. However many call, however slowly they read: so many are heard at
//! once, each has so much time, and no more than one piece of an answer is in memory for each. The packet thread is
//! asked for that piece, and never waits. Who stays longer, to wait for a tap or to follow decisions, takes a seat of another kind.

mod explain;
mod trace;
mod wait;

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{error::Elapsed, timeout};

use super::callers::{self, CALLERS, PATIENCE, Seat};
use super::mailbox::{Counts, Gone, Report, Sender, Which};
use super::waiting::Inquiries;
use crate::binding::InterfaceName;
use crate::config::Config;
use crate::control::{Answer, Fault, FaultKind, Node, Request, Tap, to_line};

/// How many may wait for taps at once, besides the [`CALLERS`]: as many guests as a node starts at once. They cost a descriptor each,
/// and nothing while they wait.
const WAITERS: usize = 256;
/// How many may follow decisions at once, besides those. Each has some of the packet thread's time.
const FOLLOWERS: usize = 4;

/// Why a caller is left alone. It finds out by an answer without an end.
#[derive(Debug)]
struct Left;

impl From<io::Error> for Left {
    fn from(_: io::Error) -> Self {
        Self
    }
}

impl From<Elapsed> for Left {
    fn from(_: Elapsed) -> Self {
        Self
    }
}

impl From<Gone> for Left {
    fn from(_: Gone) -> Self {
        Self
    }
}

/// What callers are answered from.
#[derive(Debug, Clone)]
pub(super) struct Desk {
    /// The way to the packet thread.
    packets: Sender,
    /// The configuration in force.
    config: watch::Receiver<Arc<Config>>,
    /// What became of the directory of bindings, if it is gone.
    datapath_gone: watch::Receiver<Option<String>>,
    /// The way to the main thread.
    inquiries: Inquiries,
    seats: Seats,
}

impl Desk {
    /// A desk at which nobody is yet.
    pub(super) fn new(
        packets: Sender,
        config: watch::Receiver<Arc<Config>>,
        datapath_gone: watch::Receiver<Option<String>>,
        inquiries: Inquiries,
    ) -> Self {
        Self { packets, config, datapath_gone, inquiries, seats: Seats::new() }
    }

    /// Answers whoever calls, for ever.
    pub(super) async fn serve(self, listener: UnixListener) {
        let seats = Arc::clone(&self.seats.callers);
        callers::serve(listener, seats, move |stream, seat| self.clone().answer(Caller { stream, seat })).await;
    }

    /// Answers one caller.
    async fn answer(self, mut caller: Caller) -> Result<(), Left> {
        match caller.request().await? {
            Ok(Request::Show { tap: None }) => self.show_all(&mut caller).await,
            Ok(Request::Show { tap: Some(tap) }) => self.show_one(&mut caller, &tap).await,
            Ok(Request::Wait { tap, timeout_ms }) => self.wait(caller, &tap, timeout_ms).await,
            Ok(Request::Trace { tap }) => self.trace(caller, tap).await,
            Ok(Request::Explain { tap }) => self.explain(&mut caller, &tap).await,
            Err(message) => caller.refuse(FaultKind::BadRequest, message).await,
        }
    }

    async fn show_all(&self, caller: &mut Caller) -> Result<(), Left> {
        let mut next = Some(Which::After(None));
        while let Some(which) = next {
            let report = self.packets.report(which).await?;
            caller.send(&self.lines(&report)).await?;
            next = report.next();
        }
        let Counts { now, counters } = self.packets.counts().await?;
        let node = Answer::Node(Node::new(now, counters, self.datapath_gone.borrow().clone()));
        caller.send(&(to_line(&node) + &to_line(&Answer::End {}))).await
    }

    async fn show_one(&self, caller: &mut Caller, tap: &str) -> Result<(), Left> {
        let name = match named(tap) {
            Ok(name) => name,
            Err(message) => return caller.refuse(FaultKind::BadRequest, message).await,
        };
        let lines = self.lines(&self.packets.report(Which::One(name)).await?);
        if lines.is_empty() {
            return caller.refuse(FaultKind::UnknownTap, format!("no binding file for {name}")).await;
        }
        caller.send(&(lines + &to_line(&Answer::End {}))).await
    }

    fn lines(&self, Report { now, taps }: &Report) -> String {
        let config = self.config.borrow();
        taps.iter().map(|status| to_line(&Answer::Tap(Box::new(Tap::new(*now, status, &config))))).collect()
    }
}

/// The tap that a caller names, or what is wrong with the name.
fn named(tap: &str) -> Result<InterfaceName, String> {
    tap.parse().map_err(|error| format!("tap: {error}"))
}

/// How many may be at the desk at once.
#[derive(Debug, Clone)]
struct Seats {
    /// Of those who ask and are answered.
    callers: Arc<Semaphore>,
    /// Of those who wait for a tap.
    waiters: Arc<Semaphore>,
    /// Of those who follow decisions.
    followers: Arc<Semaphore>,
}

impl Seats {
    fn new() -> Self {
        let [callers, waiters, followers] = [CALLERS, WAITERS, FOLLOWERS].map(|seats| Arc::new(Semaphore::new(seats)));
        Self { callers, waiters, followers }
    }
}

/// The other end of a connection.
#[derive(Debug)]
struct Caller {
    stream: UnixStream,
    seat: Seat,
}

impl Caller {
    /// What is asked: up to the end of the line, or of all that comes.
    async fn request(&mut self) -> Result<Result<Request, String>, Left> {
        let mut line = Vec::new();
        let mut bounded = BufReader::new(&mut self.stream).take(Request::MAX_LEN as u64 + 1);
        timeout(PATIENCE, bounded.read_until(b'\n', &mut line)).await??;
        // Whoever only tries whether somebody is there asks nothing.
        if line.is_empty() { Err(Left) } else { Ok(Request::from_line(&line)) }
    }

    /// Takes a seat of another kind, and leaves its own to others. Returns whether there is one.
    fn move_to(&mut self, seats: &Arc<Semaphore>) -> bool {
        let seat = Arc::clone(seats).try_acquire_owned().ok();
        let is_seated = seat.is_some();
        self.seat = seat.or(self.seat.take());
        is_seated
    }

    /// Waits until the caller hangs up, or says more though all is said.
    async fn left(&mut self) {
        let _ = self.stream.read(&mut [0]).await;
    }

    async fn refuse(&mut self, kind: FaultKind, message: String) -> Result<(), Left> {
        self.send(&to_line(&Answer::Error(Fault { kind, message }))).await
    }

    async fn send(&mut self, lines: &str) -> Result<(), Left> {
        Ok(timeout(PATIENCE, self.stream.write_all(lines.as_bytes())).await??)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use tokio::task::yield_now;

    use super::super::mailbox::{self, Command, Receiver, mailbox};
    use super::super::waiting::inquiries;
    use super::*;
    use crate::config;
    use crate::control::from_line;
    use crate::engine::slot::Stats;
    use crate::engine::{Engine, Reason, Status};

    const NOW: Duration = Duration::from_secs(9);

    fn status(number: usize) -> Status {
        let tap = format!("tap{number:03}").parse().unwrap();
        let stats = Stats::default();
        Status { tap, ifindex: None, binding: None, rejected: None, delegated_via: None, stats }
    }

    /// In place of the packet thread: 100 taps, of which a report tells 30.
    async fn report(commands: &Receiver) {
        loop {
            match commands.take() {
                Some(Command::Report(which, to)) => {
                    let taps = (0..100).map(status);
                    let taps = match which {
                        Which::One(tap) => taps.filter(|status| status.tap == tap).collect(),
                        Which::After(tap) => taps.filter(|status| Some(status.tap) > tap).take(30).collect(),
                    };
                    to.send(Report { now: NOW, taps }).unwrap();
                }
                Some(Command::Explain(tap, to)) => {
                    let config =
                        config::parse(Path::new("c"), b"[ipv6]\nenable_ipv6=no\n[dhcp]\nserver_ip=192.0.2.1\n");
                    let explanation = Engine::new(config.unwrap().config, 0).explain(tap);
                    to.send(mailbox::Explained { now: NOW, explanation }).unwrap();
                }
                Some(Command::Count(to)) => to.send(Counts { now: NOW, counters: vec![(Reason::Acked, 5)] }).unwrap(),
                _ => yield_now().await,
            }
        }
    }

    /// What a caller is answered who sends these bytes and then no more.
    fn answer(request: &[u8]) -> Vec<Answer> {
        let (packets, commands) = mailbox().unwrap();
        let config = config::parse(Path::new("c"), b"[dhcp]\nserver_ip=192.0.2.1\n[ipv6]\nenable_ipv6=no\n").unwrap();
        let (_, config) = watch::channel(Arc::new(config.config));
        let (_, datapath_gone) = watch::channel(Some("/b: gone".to_owned()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answered = runtime.block_on(async {
            let (ours, mut theirs) = UnixStream::pair().unwrap();
            theirs.write_all(request).await.unwrap();
            theirs.shutdown().await.unwrap();
            let mut answered = Vec::new();
            let call = async {
                let (inquiries, _) = inquiries();
                let _ = Desk::new(packets, config, datapath_gone, inquiries)
                    .answer(Caller { stream: ours, seat: None })
                    .await;
                theirs.read_to_end(&mut answered).await
            };
            tokio::select! { read = call => drop(read), () = report(&commands) => {} }
            answered
        });
        answered.split_inclusive(|byte| *byte == b'\n').map(|line| from_line(line).unwrap()).collect()
    }

    #[test]
    fn all_taps_come_in_order_and_then_the_node() {
        let answers = answer(b"{\"command\":\"show\"}\n");
        let (taps, rest) = answers.split_at(100);
        for (number, answer) in taps.iter().enumerate() {
            assert!(matches!(answer, Answer::Tap(tap) if tap.tap == format!("tap{number:03}")), "{answer:?}");
        }
        let [Answer::Node(node), Answer::End {}] = rest else { panic!("{rest:?}") };
        assert_eq!((node.uptime_seconds, node.counters.get("dhcpv4_ack")), (9, Some(&5)));
        assert_eq!(node.datapath_gone.as_deref(), Some("/b: gone"));
    }

    #[test]
    fn one_tap_comes_alone() {
        // Nor does the line need an end, where nothing follows.
        let answers = answer(b"{\"command\":\"show\",\"tap\":\"tap007\"}");
        let [Answer::Tap(tap), Answer::End {}] = answers.as_slice() else { panic!("{answers:?}") };
        assert_eq!(tap.tap, "tap007");
    }

    #[test]
    fn a_tap_without_a_file_is_explained_as_well() {
        let answers = answer(b"{\"command\":\"explain\",\"tap\":\"tap0\"}\n");
        let [Answer::Explained(explained), Answer::End {}] = answers.as_slice() else { panic!("{answers:?}") };
        assert_eq!((explained.name.as_str(), &explained.tap), ("tap0", &None));
        assert!(explained.file.ends_with("/tap0"), "{explained:?}");
        assert_eq!(explained.datapath_gone.as_deref(), Some("/b: gone"));
    }

    #[test]
    fn what_cannot_be_answered_has_a_reason() {
        const NO_NAME: &str = "tap: not an interface name";
        let long = [b' '; Request::MAX_LEN + 1];
        for (request, kind, message) in [
            (&b"{\"command\":\"show\",\"tap\":\"tap100\"}\n"[..], FaultKind::UnknownTap, "no binding file for tap100"),
            (b"{\"command\":\"show\",\"tap\":\"a/b\"}\n", FaultKind::BadRequest, NO_NAME),
            (b"{\"command\":\"explain\",\"tap\":\"a/b\"}\n", FaultKind::BadRequest, NO_NAME),
            (b"{\"command\":\"trace\",\"tap\":\"a/b\"}\n", FaultKind::BadRequest, NO_NAME),
            (b"{\"command\":\"dance\"}\n", FaultKind::BadRequest, "unknown command `dance`"),
            (
                b"{\"command\":\"wait\",\"tap\":\"tap000\",\"timeout_ms\":300001}\n",
                FaultKind::BadRequest,
                "at most 300000",
            ),
            (b"{\"command\":\"wait\",\"tap\":\"a/b\",\"timeout_ms\":1}\n", FaultKind::BadRequest, NO_NAME),
            (b"\n", FaultKind::BadRequest, "EOF"),
            (&long, FaultKind::BadRequest, "more than 4096 bytes"),
        ] {
            let answers = answer(request);
            let [Answer::Error(fault)] = answers.as_slice() else { panic!("{answers:?}") };
            assert!(fault.kind == kind && fault.message.contains(message), "{fault:?}");
        }
    }

    #[test]
    fn who_asks_nothing_is_told_nothing() {
        assert_eq!(answer(b""), []);
    }
}
