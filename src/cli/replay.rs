//! `nfdhcpd replay`: a capture through the daemon's engine, without sockets, privileges and clock.

#![expect(clippy::disallowed_methods, reason = "the command line names files")]

mod describe;
mod taps;

use std::ffi::OsStr;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::BAD_CONFIGURATION;
use crate::binding::{BindingError, InterfaceName};
use crate::config::{self, Config, ConfigError};
use crate::engine::{Engine, Event, Ingress, MAX_FRAME, Notice, Outcome, Verdict};
use crate::io::watch::{self, WatchError};
use crate::io::{config_file, pcap};
use crate::wire::ethernet::Frame;
use crate::wire::glance::Packet;
use crate::wire::{Checksums, MacAddr};
use describe::{Answered, Asked};
use taps::Taps;

/// What holds without `-c`: `server_ip` is for guests that have no gateway and nobody else in their subnet.
const DEFAULT_CONFIG: &str = "\
[dhcp]
server_on_link = yes
server_ip = 192.0.2.1
[ipv6]
mode = slaac+dhcpv6
rs_queue = 43
ns_queue = 44
dhcpv6_queue = 45
";

/// Arguments of `nfdhcpd replay`.
#[derive(Debug, Args)]
#[command(after_help = "\
Every packet ends in one line: its number, when it came (seconds since the first one), its tap, what it was, and what
became of it, with the name of the counter in brackets. Packets that the daemon's rules would not divert are not
answered. Advertisements that no packet asked for are not written.

A binding that is rejected is told on standard error, and the rest goes on. Exit status: 0; 1 if the capture or the
directory cannot be read (what comes before the fault is answered) or the output not be written; 2 if the configuration
is wrong.")]
pub(super) struct Replay {
    /// The capture: pcap or pcapng, of Ethernet frames
    #[arg(value_name = "IN.pcap")]
    input: PathBuf,
    /// The directory of binding files
    #[arg(long, value_name = "DIR")]
    bindings: PathBuf,
    /// The configuration file [default: everything on, with the guest's gateway as DHCP server]
    #[arg(short, long = "config", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Write the replies to this file, each with the time stamp of what it answers
    #[arg(short, long = "write", value_name = "OUT.pcap")]
    write: Option<PathBuf>,
    /// The tap that all packets came from [default: the interface that a pcapng file names, else the binding with the
    /// frame's source MAC]
    #[arg(long, value_name = "NAME")]
    tap: Option<InterfaceName>,
    /// The MAC of every INDEV: the guests' router
    #[arg(long, value_name = "MAC", default_value = "02:00:00:00:00:01")]
    indev_mac: MacAddr,
    /// Take all checksums for right: where the capture was made, the sender's hardware had not yet filled them in
    #[arg(long)]
    ignore_checksums: bool,
}

/// Why a replay ends early.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{}", lines(.0))]
    Config(Vec<ConfigError>),
    #[error(transparent)]
    Bindings(#[from] WatchError),
    #[error("{}: {}", .0.display(), .1)]
    Capture(PathBuf, pcap::Error),
    #[error("{}: this is the capture that is read", .0.display())]
    SameFile(PathBuf),
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
}

/// One line for each fault.
fn lines(errors: &[ConfigError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\nerror: ")
}

impl Failure {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) => ExitCode::from(BAD_CONFIGURATION),
            // `replay … | head` is no mistake.
            _ if self.is_closed_pipe() => ExitCode::SUCCESS,
            _ => ExitCode::from(1),
        }
    }

    fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl Replay {
    /// Runs the command.
    pub(super) fn run(&self) -> ExitCode {
        let Err(failure) = self.replay() else { return ExitCode::SUCCESS };
        if !failure.is_closed_pipe() {
            super::complain(&format!("error: {failure}"));
        }
        failure.exit_code()
    }

    fn replay(&self) -> Result<(), Failure> {
        let mut engine = Engine::new(self.read_config()?, 0);
        let taps = self.load_bindings(&mut engine)?;
        let capture = |error| Failure::Capture(self.input.clone(), error);
        let packets = pcap::Reader::open(&self.input).map_err(capture)?;
        let writer = self.write.as_deref().map(|path| self.create(path, packets.resolution())).transpose()?;
        let output = BufWriter::new(io::stdout().lock());
        let mut player = Player { replay: self, engine, taps, writer, output, totals: Totals::default(), start: None };
        let mut end = Ok(());
        for packet in packets {
            match packet {
                Ok(packet) => player.play(&packet)?,
                Err(error) => end = Err(capture(error)),
            }
        }
        player.finish()?;
        end
    }

    fn read_config(&self) -> Result<Config, Failure> {
        let parsed = match &self.config {
            Some(path) => config_file::read(path),
            None => config::parse::parse(Path::new("default"), DEFAULT_CONFIG.as_bytes()),
        };
        let parsed = parsed.map_err(|faults| Failure::Config(faults.errors))?;
        parsed.warnings.iter().for_each(|warning| super::complain(&format!("warning: {warning}")));
        let mut config = parsed.config;
        // What is wrong with a binding is told with the path of its file.
        config.general.datapath.clone_from(&self.bindings);
        Ok(config)
    }

    /// Gives the engine all bindings, and an interface for each.
    fn load_bindings(&self, engine: &mut Engine) -> Result<Taps, Failure> {
        let mut taps = Taps::default();
        for file in watch::read_all(&self.bindings)? {
            match file {
                Ok(parsed) => {
                    parsed.warnings.iter().for_each(|warning| super::complain(&format!("warning: {warning}")));
                    taps.add(&parsed.binding);
                    engine.handle_event(Duration::ZERO, Event::BindingLoaded(Box::new(parsed.binding)));
                }
                Err(error) => reject(engine, &mut taps, error),
            }
        }
        taps.links(self.indev_mac).into_iter().for_each(|event| engine.handle_event(Duration::ZERO, event));
        // A bridge came after its guests. No packet waits while they hear of it.
        engine.settle(Duration::ZERO);
        while let Some(notice) = engine.poll_notice() {
            match notice {
                Notice::Rejected { error, .. } => super::complain(&format!("rejected: {error}")),
                Notice::Doubtful(doubt) => super::complain(&format!("warning: {doubt}")),
                Notice::RouterMacMisfit(misfit) => super::complain(&format!("error: {misfit}")),
                _ => {}
            }
        }
        Ok(taps)
    }

    fn output_failure(&self, error: pcap::Error) -> Failure {
        Failure::Capture(self.write.clone().unwrap_or_default(), error)
    }

    fn create(&self, path: &Path, resolution: pcap::TsResolution) -> Result<pcap::Writer, Failure> {
        // Making the file would empty the capture.
        if is_same_file(&self.input, path) {
            return Err(Failure::SameFile(path.to_owned()));
        }
        pcap::Writer::create(path, resolution).map_err(|error| self.output_failure(error))
    }
}

/// A rejected file: its tap is there, and not answered.
fn reject(engine: &mut Engine, taps: &mut Taps, error: BindingError) {
    match error.path.file_name().and_then(OsStr::to_str).and_then(|name| name.parse().ok()) {
        Some(tap) => {
            taps.add_tap(tap);
            engine.handle_event(Duration::ZERO, Event::BindingRejected(tap, error));
        }
        None => super::complain(&format!("rejected: {error}")),
    }
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let identity = |path| std::fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()));
    matches!((identity(one), identity(other)), (Ok(one), Ok(other)) if one == other)
}

/// A replay under way.
struct Player<'a, W> {
    replay: &'a Replay,
    engine: Engine,
    taps: Taps,
    writer: Option<pcap::Writer>,
    output: W,
    totals: Totals,
    /// The time stamp of the first packet.
    start: Option<Duration>,
}

/// How many packets ended in which way.
#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    packets: u64,
    answered: u64,
    dropped: u64,
    accepted: u64,
}

impl<W: Write> Player<'_, W> {
    /// Decides on one packet, says so, and writes the reply.
    fn play(&mut self, packet: &pcap::Packet) -> Result<(), Failure> {
        self.totals.packets += 1;
        let now = packet.time.saturating_sub(*self.start.get_or_insert(packet.time));
        write!(self.output, "{} {:.6}", self.totals.packets, now.as_secs_f64())?;
        let Ok(frame) = Frame::parse(&packet.data) else {
            writeln!(self.output, ": less than an Ethernet header -> not diverted")?;
            return Ok(());
        };
        let tap = self.tap_of(packet, &frame);
        let name = tap.map_or_else(|| "-".to_owned(), |tap| tap.as_str().escape_debug().to_string());
        let cut = if packet.is_cut { ", cut short in the capture" } else { "" };
        write!(self.output, " {name}: {}{cut} -> ", Asked(&frame))?;
        if Packet::find(&frame).is_some_and(|packet| packet.is_diverted()) {
            self.decide(packet.time, now, tap, &frame)
        } else {
            Ok(writeln!(self.output, "not diverted")?)
        }
    }

    /// `--tap`, else the interface that the capture names (unless it is a bridge), else the guest with the frame's MAC.
    fn tap_of(&self, packet: &pcap::Packet, frame: &Frame<'_>) -> Option<InterfaceName> {
        let named = packet.interface.as_deref().and_then(|name| name.parse().ok());
        let named = named.filter(|name| !self.taps.is_bridge(name));
        self.replay.tap.or(named).or_else(|| self.taps.of_guest(frame.addresses.source))
    }

    fn decide(
        &mut self,
        time: Duration,
        now: Duration,
        tap: Option<InterfaceName>,
        frame: &Frame<'_>,
    ) -> Result<(), Failure> {
        let port = self.taps.port(tap);
        let ingress = Ingress {
            indev: port.indev,
            physindev: port.physindev,
            source_mac: Some(frame.addresses.source),
            checksums: if self.replay.ignore_checksums { Checksums::NotReady } else { Checksums::Verify },
            packet: frame.payload,
        };
        let mut buffer = [0; MAX_FRAME];
        let outcome = self.engine.handle_packet(now, &ingress, &mut buffer);
        let reply = outcome.reply.and_then(|reply| buffer.get(..reply.len));
        self.totals.count(&outcome);
        self.tell(&outcome, reply)?;
        if let (Some(reply), Some(writer)) = (reply, &mut self.writer) {
            writer.write(time, reply).map_err(|error| self.replay.output_failure(error))?;
        }
        Ok(())
    }

    fn tell(&mut self, outcome: &Outcome, reply: Option<&[u8]>) -> io::Result<()> {
        let output = &mut self.output;
        let name = outcome.reason.name();
        if let Some(reply) = reply.and_then(|reply| Frame::parse(reply).ok()) {
            write!(output, "answered [{name}]: {}", Answered(&reply))?;
        } else {
            let verdict = match outcome.verdict() {
                Verdict::Accept => "accepted",
                Verdict::Drop => "dropped",
            };
            write!(output, "{verdict} [{name}]: {}", outcome.reason)?;
        }
        if let Some(detail) = outcome.detail {
            write!(output, " ({detail})")?;
        }
        if outcome.omitted > 0 {
            write!(output, ", options left out: {}", outcome.omitted)?;
        }
        writeln!(output)
    }

    /// Says how often each outcome came about, and brings everything out.
    fn finish(mut self) -> Result<(), Failure> {
        let Totals { packets, answered, dropped, accepted } = self.totals;
        let other = packets - answered - dropped - accepted;
        writeln!(
            self.output,
            "\npackets: {packets}, answered: {answered}, dropped: {dropped}, accepted: {accepted}, not diverted: {other}"
        )?;
        for (reason, count) in self.engine.counters().filter(|(_, count)| *count > 0) {
            writeln!(self.output, "{count:>6} {}: {reason}", reason.name())?;
        }
        self.output.flush()?;
        let replay = self.replay;
        self.writer.map_or(Ok(()), pcap::Writer::finish).map_err(|error| replay.output_failure(error))
    }
}

impl Totals {
    fn count(&mut self, outcome: &Outcome) {
        *match (outcome.reply, outcome.verdict()) {
            (Some(_), _) => &mut self.answered,
            (None, Verdict::Drop) => &mut self.dropped,
            (None, Verdict::Accept) => &mut self.accepted,
        } += 1;
    }
}
