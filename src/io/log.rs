//! Where log lines go: to stderr, and to a file if the configuration names a directory.
//!
//! A thread of its own writes them, since either may be stuck: a pipe that nobody reads must not keep the daemon from its
//! work. Lines that find no room in the queue to that thread are counted, and the count is written when there is room.

#![expect(clippy::disallowed_methods, reason = "io is where the outside world is")]

mod file;
mod style;

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread;
use std::time::Duration;

use tracing::{Level, warn};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use crate::config::LogFormat;
pub use file::{LogFile, open};
use style::{Place, Style};

/// How many lines may wait to be written: those of ten thousand bindings, told at the start and by SIGUSR1, and as many
/// again. Memory is taken only for lines that do wait.
const CAPACITY: usize = 32 * 1024;
/// How long the end of the process waits for lines that are not written yet.
const PATIENCE: Duration = Duration::from_secs(1);

/// The log of the process. Lines wait until [`start`](Self::start).
#[derive(Debug)]
pub struct Log {
    to: Sender<Message>,
    counts: Arc<Counts>,
    /// What the thread works on, until it is started.
    output: Option<Output>,
}

/// What goes to the thread.
#[derive(Debug)]
enum Message {
    /// A line for stderr.
    Stderr(Vec<u8>),
    /// A line for the file.
    File(Vec<u8>),
    /// Open the file anew.
    Reopen,
    /// Say when everything before this is written.
    Flush(SyncSender<()>),
}

/// Sends all log lines of the process to stderr and to `file`, from level debug or info on.
pub fn init(debug: bool, format: LogFormat, file: Option<LogFile>) -> Result<Log, TryInitError> {
    let level = if debug { LevelFilter::DEBUG } else { LevelFilter::INFO };
    let (to, from) = mpsc::channel();
    let counts = Arc::new(Counts::new(CAPACITY));
    let lane = |message| Lane { to: to.clone(), counts: Arc::clone(&counts), message };
    let style = Style { format, place: Place::of_stderr() };
    let stderr = style.layer(lane(Message::Stderr));
    let in_file = file.is_some().then(|| Style { format, place: Place::File }.layer(lane(Message::File)));
    tracing_subscriber::registry().with(level).with(stderr).with(in_file).try_init()?;
    Ok(Log { to, counts: Arc::clone(&counts), output: Some(Output { from, counts, style, file }) })
}

/// Writes lines about errors and warnings to stderr while there is no log, always as text: how the log is to look is not
/// known yet.
pub fn write_early<E: Display>(errors: &[E], warnings: &[E]) {
    let style = Style { format: LogFormat::Text, place: Place::of_stderr() };
    let errors = errors.iter().map(|error| style.early(Level::ERROR, error));
    let warnings = warnings.iter().map(|warning| style.early(Level::WARN, warning));
    let mut stderr = io::stderr().lock();
    // If it is closed there is nobody to tell.
    let _ = warnings.chain(errors).try_for_each(|line| writeln!(stderr, "{line}"));
}

impl Log {
    /// Starts the thread. To be called when privileges are given up: the thread has those of its maker.
    pub fn start(&mut self) -> io::Result<()> {
        if let Some(output) = self.output.take() {
            thread::Builder::new().name("log".to_owned()).spawn(move || output.write_all(&mut io::stderr()))?;
        }
        Ok(())
    }

    /// How many lines are lost, to be asked later.
    pub fn losses(&self) -> Losses {
        Losses(Arc::clone(&self.counts))
    }

    /// By what the log file is opened anew.
    pub fn reopener(&self) -> Reopener {
        Reopener(self.to.clone())
    }

    /// Waits for what is not written yet, but not for ever.
    pub fn finish(mut self) {
        let (written, done) = mpsc::sync_channel(1);
        // Whatever fails here, there is no log to say it to.
        if self.start().is_ok() && self.to.send(Message::Flush(written)).is_ok() {
            let _ = done.recv_timeout(PATIENCE);
        }
    }
}

/// How many lines of the log found no room.
#[derive(Debug, Clone)]
pub struct Losses(Arc<Counts>);

impl Losses {
    /// How many it were since the start.
    pub fn total(&self) -> u64 {
        self.0.lost_ever.load(Ordering::Relaxed)
    }
}

/// Has the log file opened anew, for whoever moved it away, or made it possible to open it at all.
#[derive(Debug)]
pub struct Reopener(Sender<Message>);

impl Reopener {
    /// Lines that are logged from now on go to the file that has the name now. Should that fail, the log says why.
    pub fn reopen(&self) {
        // Without a thread at the other end the process is at its end as well.
        let _ = self.0.send(Message::Reopen);
    }
}

/// How many lines wait, and how many found no room. Only counts: that they are a little out of step does no harm.
#[derive(Debug)]
struct Counts {
    capacity: usize,
    waiting: AtomicUsize,
    /// Those that nobody was told of yet.
    lost: AtomicUsize,
    lost_ever: AtomicU64,
}

impl Counts {
    fn new(capacity: usize) -> Self {
        Self { capacity, waiting: AtomicUsize::new(0), lost: AtomicUsize::new(0), lost_ever: AtomicU64::new(0) }
    }

    /// Whether there is room for one more line, which then waits; if not, it is lost.
    fn admit(&self) -> bool {
        let is_full = self.waiting.load(Ordering::Relaxed) >= self.capacity;
        let counter = if is_full { &self.lost } else { &self.waiting };
        counter.fetch_add(1, Ordering::Relaxed);
        self.lost_ever.fetch_add(u64::from(is_full), Ordering::Relaxed);
        !is_full
    }

    /// A line waits no more.
    fn release(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many lines were lost since this was last asked.
    fn take_lost(&self) -> usize {
        self.lost.swap(0, Ordering::Relaxed)
    }
}

/// Takes lines, and never waits.
#[derive(Debug, Clone)]
struct Lane {
    to: Sender<Message>,
    counts: Arc<Counts>,
    message: fn(Vec<u8>) -> Message,
}

/// Each call is a line.
impl Write for Lane {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // Without a thread at the other end the process is at its end as well.
        if self.counts.admit() && self.to.send((self.message)(line.to_vec())).is_err() {
            self.counts.release();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The thread's end.
#[derive(Debug)]
struct Output {
    from: Receiver<Message>,
    counts: Arc<Counts>,
    /// How lines on stderr look.
    style: Style,
    file: Option<LogFile>,
}

impl Output {
    /// Writes lines as long as there is a log. A line that cannot be written is gone: there is nowhere to say so.
    fn write_all(mut self, stderr: &mut impl Write) {
        while let Ok(message) = self.from.recv() {
            let lost = self.counts.take_lost();
            if lost > 0 {
                let _ = stderr.write_all(self.style.lost(lost).as_bytes());
            }
            match message {
                Message::Stderr(line) => drop(stderr.write_all(&line)),
                Message::File(line) => drop(self.file.as_mut().map(|file| file.write_all(&line))),
                Message::Reopen => {
                    self.reopen();
                    continue;
                }
                Message::Flush(written) => {
                    let _ = written.try_send(());
                    continue;
                }
            }
            self.counts.release();
        }
    }

    /// The line about a failure comes back to us by the way that all lines come.
    fn reopen(&mut self) {
        if let Some(file) = &mut self.file
            && let Err(error) = file.reopen()
        {
            warn!(path = &*file.path().to_string_lossy(), "the log file cannot be opened: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(capacity: usize) -> (Lane, Output) {
        let (to, from) = mpsc::channel();
        let counts = Arc::new(Counts::new(capacity));
        let style = Style { format: LogFormat::Text, place: Place::Journal };
        (Lane { to, counts: Arc::clone(&counts), message: Message::Stderr }, Output { from, counts, style, file: None })
    }

    #[test]
    fn lines_that_find_no_room_are_counted_and_nobody_waits() {
        let (mut lane, output) = lane(2);
        for line in ["one\n", "two\n", "three\n", "four\n"] {
            lane.write_all(line.as_bytes()).unwrap();
        }
        drop(lane);
        let mut written = Vec::new();
        let losses = Losses(Arc::clone(&output.counts));
        output.write_all(&mut written);
        assert_eq!(losses.total(), 2);
        let written = String::from_utf8(written).unwrap();
        assert_eq!(written, "<4> WARN lines of the log were lost: it was not read fast enough lines=2\none\ntwo\n");
    }

    #[test]
    fn a_flush_comes_after_what_was_before_it() {
        let (mut lane, output) = lane(8);
        let (done, is_done) = mpsc::sync_channel(1);
        lane.write_all(b"line\n").unwrap();
        lane.to.send(Message::Flush(done)).unwrap();
        drop(lane);
        let mut written = Vec::new();
        output.write_all(&mut written);
        assert_eq!((is_done.try_recv(), written), (Ok(()), b"line\n".to_vec()));
    }
}
