//! Where log lines go: to stderr, and to a file if the configuration names a directory.
//!
//! A thread of its own writes them, since either may be stuck: a pipe that nobody reads must not keep the daemon from its
//! work. Lines that find no room in the queue to that thread are counted, and the count is written when there is room.

#![expect(clippy::disallowed_methods, reason = "io is where the outside world is")]

mod file;

use std::io::{self, IsTerminal as _, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::Duration;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

pub use file::LogFile;

/// How many lines may wait to be written.
const CAPACITY: usize = 4096;
/// How long the end of the process waits for lines that are not written yet.
const PATIENCE: Duration = Duration::from_secs(1);

/// The log of the process. Lines wait until [`start`](Self::start).
#[derive(Debug)]
pub struct Log {
    to: SyncSender<Message>,
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
    /// Say when everything before this is written.
    Flush(SyncSender<()>),
}

/// Sends all log lines of the process to stderr and to `file`, from level debug or info on.
pub fn init(debug: bool, file: Option<LogFile>) -> Result<Log, TryInitError> {
    let level = if debug { LevelFilter::DEBUG } else { LevelFilter::INFO };
    let (to, from) = mpsc::sync_channel(CAPACITY);
    let lost = Arc::new(AtomicU64::new(0));
    let lane = |message| Lane { to: to.clone(), lost: Arc::clone(&lost), message };
    let (to_stderr, to_file) = (lane(Message::Stderr), lane(Message::File));
    let stderr =
        fmt::layer().with_writer(move || to_stderr.clone()).with_ansi(io::stderr().is_terminal()).with_target(false);
    // The journal has its own time.
    let stderr =
        if std::env::var_os("JOURNAL_STREAM").is_some() { stderr.without_time().boxed() } else { stderr.boxed() };
    let in_file =
        file.is_some().then(|| fmt::layer().with_writer(move || to_file.clone()).with_ansi(false).with_target(false));
    tracing_subscriber::registry().with(level).with(stderr).with(in_file).try_init()?;
    Ok(Log { to, output: Some(Output { from, lost, file }) })
}

impl Log {
    /// Starts the thread. To be called when privileges are given up: the thread has those of its maker.
    pub fn start(&mut self) -> io::Result<()> {
        if let Some(output) = self.output.take() {
            thread::Builder::new().name("log".to_owned()).spawn(move || output.write_all(&mut io::stderr()))?;
        }
        Ok(())
    }

    /// Waits for what is not written yet, but not for ever.
    pub fn finish(mut self) {
        let (written, done) = mpsc::sync_channel(1);
        // Whatever fails here, there is no log to say it to.
        if self.start().is_ok() && self.to.try_send(Message::Flush(written)).is_ok() {
            let _ = done.recv_timeout(PATIENCE);
        }
    }
}

/// Takes lines, and never waits.
#[derive(Debug, Clone)]
struct Lane {
    to: SyncSender<Message>,
    lost: Arc<AtomicU64>,
    message: fn(Vec<u8>) -> Message,
}

/// Each call is a line.
impl Write for Lane {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.to.try_send((self.message)(line.to_vec())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
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
    lost: Arc<AtomicU64>,
    file: Option<LogFile>,
}

impl Output {
    /// Writes lines as long as there is a log. A line that cannot be written is gone: there is nowhere to say so.
    fn write_all(mut self, stderr: &mut impl Write) {
        while let Ok(message) = self.from.recv() {
            let lost = self.lost.swap(0, Ordering::Relaxed);
            if lost > 0 {
                let _ = writeln!(stderr, "{lost} lines of the log were lost: it was not read fast enough");
            }
            match message {
                Message::Stderr(line) => drop(stderr.write_all(&line)),
                Message::File(line) => drop(self.file.as_mut().map(|file| file.write_all(&line))),
                Message::Flush(written) => drop(written.try_send(())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(capacity: usize) -> (Lane, Output) {
        let (to, from) = mpsc::sync_channel(capacity);
        let lost = Arc::new(AtomicU64::new(0));
        (Lane { to, lost: Arc::clone(&lost), message: Message::Stderr }, Output { from, lost, file: None })
    }

    #[test]
    fn lines_that_find_no_room_are_counted_and_nobody_waits() {
        let (mut lane, output) = lane(2);
        for line in ["one\n", "two\n", "three\n", "four\n"] {
            lane.write_all(line.as_bytes()).unwrap();
        }
        drop(lane);
        let mut written = Vec::new();
        output.write_all(&mut written);
        let written = String::from_utf8(written).unwrap();
        assert_eq!(written, "2 lines of the log were lost: it was not read fast enough\none\ntwo\n");
    }

    #[test]
    fn a_flush_comes_after_what_was_before_it() {
        let (mut lane, output) = lane(8);
        let (done, is_done) = mpsc::sync_channel(1);
        lane.write_all(b"line\n").unwrap();
        lane.to.try_send(Message::Flush(done)).unwrap();
        drop(lane);
        let mut written = Vec::new();
        output.write_all(&mut written);
        assert_eq!((is_done.try_recv(), written), (Ok(()), b"line\n".to_vec()));
    }
}
