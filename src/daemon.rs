//! Wiring: the engine, its sockets, its files, its signals. What is decided is decided elsewhere.
//!
//! ```text
//! main thread (control)   signals, binding directory, interfaces, ──► mailbox ┐
//!                         control socket, metrics                             │
//! packet thread           queues ──► engine ──► verdicts, frames ◄────────────┘
//! ```

#![expect(clippy::disallowed_types, reason = "io opens sockets, and the daemon waits on them")]

mod answering;
mod callers;
mod clock;
mod control;
mod line_limit;
mod mailbox;
mod metrics;
mod outbox;
mod packet_loop;
mod queues;
mod telling;
mod tracer;
mod waiting;
mod watchdog;
mod writing;

use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use nix::unistd::geteuid;
use tokio::sync::{oneshot, watch};
use tracing::{debug, error, info, warn};

use crate::config::{Config, ConfigError, General, MetricsListen, Parsed};
use crate::engine::{Engine, Status};
use crate::io::config_file;
use crate::io::links::{LinkChanges, Links};
use crate::io::log::{self, Log, LogFile, Reopener};
use crate::io::nfqueue::{BindError, Queue};
use crate::io::packet_socket::PacketSocket;
use crate::io::pidfile::PidFile;
use crate::io::privileges::{PrivilegeError, RunAs};
use crate::io::sandbox::{self, Needs};
use crate::io::succession::Succession;
use crate::io::supervisor::{self, Kept};
use crate::io::unix_socket::UnixSocket;
use crate::io::watch::{Told, Watch, WatchError};
use crate::text::joined;
use answering::Desk;
use clock::Clock;
use control::{Control, ControlError, Signals};
use line_limit::{LineLimit, MAX_BINDINGS, WARNINGS_PER_SPAN};
use mailbox::mailbox;
use metrics::Exposition;
use packet_loop::PacketLoop;
use telling::teller;
use waiting::{Waiting, inquiries};

/// How the daemon is to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// `-c`: the configuration file.
    pub config: PathBuf,
    /// `-d`: log at level debug.
    pub debug: bool,
    /// `-f`: log to stderr only.
    pub foreground: bool,
}

/// Why the daemon could not start, or ended though nobody told it to. One line each.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error(transparent)]
    Privileges(#[from] PrivilegeError),
    #[error("sandbox: {0}")]
    Sandbox(io::Error),
    #[error("packet socket: {0}{hint}", hint = capability_hint(.0))]
    PacketSocket(io::Error),
    #[error("rtnetlink: {0}")]
    Links(io::Error),
    #[error("binding directory {0}")]
    Watch(#[from] WatchError),
    #[error(transparent)]
    Queue(#[from] BindError),
    #[error("{0}")]
    System(#[from] io::Error),
    #[error(transparent)]
    Control(#[from] ControlError),
}

/// Why the daemon ended. What there is to say of it has been said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The configuration is wrong.
    Configuration,
    /// It could not start, or not go on.
    Operation,
}

/// Runs the daemon until it is told to end.
pub fn run(options: &Options) -> Result<(), Failure> {
    let kept = supervisor::take_kept();
    let parsed = config_file::read(&options.config).map_err(|faults| refuse(&faults.errors, &faults.warnings))?;
    match RunAs::find(&parsed.config.general.user) {
        Ok(Some(run_as)) => {
            let mut log = start_log(options, &parsed, Some(&run_as));
            let result = run_as_user(options, parsed, kept, &run_as, log.as_mut());
            conclude(result, log)
        }
        Ok(None) => {
            let error = config_file::unknown_user(&options.config, &parsed.accounts.user);
            Err(refuse(&[error], &parsed.warnings))
        }
        Err(error) => {
            let log = start_log(options, &parsed, None);
            conclude(Err(error.into()), log)
        }
    }
}

/// Logs why the daemon ended, if nobody told it to, and the last lines of the log.
fn conclude(result: Result<(), RunError>, log: Option<Log>) -> Result<(), Failure> {
    let result = result.map_err(|error| {
        error!("{error}");
        Failure::Operation
    });
    if let Some(log) = log {
        log.finish();
    }
    result
}

/// Says what is wrong with the configuration: there is no log yet.
fn refuse(errors: &[ConfigError], warnings: &[ConfigError]) -> Failure {
    log::write_early(errors, warnings);
    Failure::Configuration
}

/// Opens pidfile and sockets to be asked on, which may need the privileges that are given up then; and serves.
fn run_as_user(
    options: &Options,
    parsed: Parsed,
    kept: Kept,
    run_as: &RunAs,
    log: Option<&mut Log>,
) -> Result<(), RunError> {
    let pidfile = parsed.config.general.pidfile.as_deref();
    let succession = Succession::begin();
    let pidfile = pidfile.and_then(|path| {
        let created = succession.take_over(|| PidFile::create(path, run_as.owner().map(|(user, _)| user)));
        created.inspect_err(|error| warn!(path = shown(path), "pidfile: {error}")).ok()
    });
    let (socket, listener) = open_control_socket(&parsed.config.general, succession).unzip();
    let losses = log.as_ref().map(|log| log.losses());
    let (exposition, metrics_socket) = Exposition::open(&parsed.config.general, losses, succession).unzip();
    let result = drop_privileges(run_as, &parsed.config.general.user).and_then(|()| {
        // Threads have the sandbox of their maker, as they have its privileges.
        enter_sandbox(options, &parsed.config.general)?;
        let opened = Opened { kept, callers: listener, exposition, log: log.as_deref().map(Log::reopener) };
        log.map_or(Ok(()), Log::start)?;
        warn_of_lost_configuration(&options.config);
        serve(options, parsed.config, opened, succession)
    });
    for socket in [socket, metrics_socket.flatten()].into_iter().flatten() {
        if let Err(error) = socket.remove() {
            // Root's directory is not ours any more. The next daemon removes it.
            debug!("a socket stays until the next start: {error}");
        }
    }
    if let Some(Err(error)) = pidfile.map(PidFile::remove) {
        warn!("pidfile: {error}");
    }
    result
}

/// Makes the control socket. Without one the daemon is only not asked.
fn open_control_socket(general: &General, succession: Succession) -> Option<(UnixSocket, UnixListener)> {
    let path = general.control_socket.as_deref()?;
    let opened = succession.take_over(|| open_socket(path, general));
    opened.inspect_err(|error| warn!(path = shown(path), "no control socket: {error}")).ok()
}

/// Makes a socket on which root and `control_group` may ask something.
fn open_socket(path: &Path, general: &General) -> io::Result<(UnixSocket, UnixListener)> {
    let made = UnixSocket::create(path, general.control_group.as_deref())?;
    if made.0.is_replaceable() {
        warn!(
            path = shown(path),
            "others may write in the directory of this socket, and put one of their own in its place, if it is sticky only \
             while no daemon runs"
        );
    }
    Ok(made)
}

/// Starts the log, and logs what came before it.
fn start_log(options: &Options, parsed: &Parsed, run_as: Option<&RunAs>) -> Option<Log> {
    let general = &parsed.config.general;
    let owner = run_as.and_then(RunAs::owner);
    let mut file = general.logdir.as_deref().filter(|_| !options.foreground).map(LogFile::new);
    let opened = file.as_mut().map_or(Ok(()), |file| file.open(owner));
    // It fails when a log was started before, and then there is one.
    let log = log::init(options.debug, general.log_format, file).ok();
    if let Err(error) = opened {
        warn!(logdir = general.logdir.as_deref().map(shown), "no log file: {error}");
    }
    for warning in &parsed.warnings {
        warn!("{warning}");
    }
    log
}

/// Gives up privileges, and says so where the configured user does not come to pass: to root, since anybody else has chosen
/// the user by starting us.
fn drop_privileges(run_as: &RunAs, user: &str) -> Result<(), RunError> {
    match run_as {
        RunAs::Starter(reason) if geteuid().is_root() => info!(user, "`user` is ignored: {reason}"),
        RunAs::Starter(reason) => debug!(user, "`user` is ignored: {reason}"),
        RunAs::User { .. } => {}
    }
    Ok(run_as.drop_privileges()?)
}

/// Gives up what the daemon does not need once it runs, and says what came of it.
fn enter_sandbox(options: &Options, general: &General) -> Result<(), RunError> {
    if !general.sandbox {
        info!("no sandbox: general.sandbox is no");
        return Ok(());
    }
    let entered = sandbox::enter(&needs(options, general)).map_err(RunError::Sandbox)?;
    for (part, result) in [("Landlock", &entered.landlock), ("seccomp", &entered.seccomp)] {
        match result {
            Ok(details) => info!(details, "sandbox: {part} is in force"),
            Err(lack) => warn!("sandbox: no {part}, {lack}; general.sandbox = no silences this"),
        }
    }
    Ok(())
}

/// What the daemon needs once it runs.
fn needs<'a>(options: &'a Options, general: &'a General) -> Needs<'a> {
    let metrics = general.metrics_listen.as_ref().and_then(MetricsListen::path);
    let removed = [general.pidfile.as_deref(), general.control_socket.as_deref(), metrics];
    Needs {
        config: &options.config,
        bindings: &general.datapath,
        log_directory: general.logdir.as_deref().filter(|_| !options.foreground),
        removed: removed.into_iter().flatten().collect(),
        supervisor: supervisor::listener(),
    }
}

/// Warns, once privileges are gone, if the configuration went out of reach with them.
fn warn_of_lost_configuration(path: &Path) {
    if let Err(error) = config_file::probe(path) {
        let uid = geteuid().as_raw();
        warn!(path = shown(path), uid, "SIGHUP will not be able to read the configuration as this user: {error}");
    }
}

/// What was opened while that was permitted, or passed on to us.
#[derive(Debug)]
struct Opened {
    /// Sockets of queues.
    kept: Kept,
    /// Where the daemon is asked.
    callers: Option<UnixListener>,
    /// Where what is measured is read.
    exposition: Option<Exposition>,
    /// The log file.
    log: Option<Reopener>,
}

/// Learns the world, binds the queues, and works until the end.
fn serve(options: &Options, config: Config, opened: Opened, succession: Succession) -> Result<(), RunError> {
    let Opened { kept, callers, exposition, log } = opened;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _context = runtime.enter();
    let signals = Signals::listen()?;
    let clock = Clock::start();
    let mut engine = Engine::new(config.clone(), RandomState::new().hash_one(()));

    let socket = open_packet_socket(exposition.is_some()).map_err(RunError::PacketSocket)?;
    let (links, link_events) = Links::open().map_err(RunError::Links)?;
    let mut watch = Watch::open(&config.general.datapath)?;
    let link_count = link_events.len();
    for event in link_events {
        engine.handle_event(clock.now(), event);
    }
    while let Some(told) = watch.poll_scan() {
        tell_engine(&mut engine, clock, told);
    }

    let queues = queues::open(&config, kept, succession)?;
    tell_ready(&engine, &queues, link_count);

    let (packets, commands) = mailbox()?;
    let (teller, news) = teller();
    let mut packet_loop = PacketLoop::new(engine, clock, queues, commands, socket, teller)?;
    if exposition.is_some() {
        packet_loop.measure();
    }
    let packets_ended = spawn(packet_loop)?;
    let (shown_config, shown) = watch::channel(Arc::new(config.clone()));
    let (datapath_gone, shown_gone) = watch::channel(None);
    let (to_inquire, inquiries) = inquiries();
    if let Some(callers) = callers {
        let callers = tokio::net::UnixListener::from_std(callers)?;
        runtime.spawn(Desk::new(packets.clone(), shown, shown_gone, to_inquire).serve(callers));
    }
    runtime.spawn(watchdog::keep_alive(packets.clone()));
    if let Some(exposition) = exposition {
        runtime.spawn(exposition.serve(packets.clone())?);
    }
    let control = Control {
        config_path: options.config.clone(),
        config,
        shown_config,
        datapath_gone,
        packets,
        watch,
        links: LinkChanges::new(links)?,
        news,
        inquiries,
        waiting: Waiting::default(),
        warned: LineLimit::with_limits(WARNINGS_PER_SPAN, MAX_BINDINGS),
        clock,
        log,
    };
    Ok(runtime.block_on(control.run(signals, packets_ended))?)
}

/// Tells the engine of the bindings that are there at the start.
fn tell_engine(engine: &mut Engine, clock: Clock, told: Vec<Told>) {
    for told in told {
        match told {
            Told::Event(event) => engine.handle_event(clock.now(), event),
            Told::Warning(warning) => warn!("{warning}"),
            Told::DirectoryGone(_) | Told::DirectoryBack => {}
        }
    }
}

/// Opens the socket that frames leave by, and has packets stamped where it `is_measured` how long replies take.
fn open_packet_socket(is_measured: bool) -> io::Result<PacketSocket> {
    let socket = PacketSocket::open()?;
    if is_measured {
        socket.have_packets_stamped()?;
    }
    Ok(socket)
}

/// Says what there is, before the first packet is answered.
fn tell_ready(engine: &Engine, queues: &[Queue], links: usize) {
    let count = |is_counted: fn(&Status) -> bool| engine.status_after(None).filter(is_counted).count();
    let bindings = count(|status| status.binding.is_some());
    let rejected = count(|status| status.rejected.is_some());
    let queues = joined(queues.iter().map(Queue::number));
    info!(queues, bindings, rejected, links, "ready");
}

/// A path as a field of a line: text, which the log escapes.
fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// What could not be said to the supervisor is logged, and is all there is to be done about it.
fn warn_unless_told(result: io::Result<()>) {
    if let Err(error) = result {
        warn!("the supervisor cannot be told: {error}");
    }
}

/// Starts the packet thread. The receiver hears of its end, whatever the end is.
#[expect(clippy::disallowed_methods, reason = "threads belong to the daemon")]
fn spawn(packet_loop: PacketLoop) -> io::Result<oneshot::Receiver<io::Result<()>>> {
    let (ended, packets_ended) = oneshot::channel();
    thread::Builder::new().name("packets".to_owned()).spawn(move || {
        // If nobody listens any more, the process is at its end as well.
        let _ = ended.send(packet_loop.run());
    })?;
    Ok(packets_ended)
}

/// What to do about a refusal.
fn capability_hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => " (CAP_NET_RAW is missing: start as root or with that capability)",
        _ => "",
    }
}
