//! Asking a running daemon: where its socket is, and what it says.

#![expect(clippy::disallowed_types, reason = "who asks a daemon needs a socket to it, and nothing else of io")]

use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::config::{Config, ConfigError};
use crate::control::{Answer, Fault, Request, from_line, to_line};
use crate::io::{config_file, unix_socket};
use crate::text::Visible;

/// The longest line that is read, in bytes: a binding file of the largest size, every byte of it escaped, and more.
const MAX_LINE: u64 = 1024 * 1024;
/// How many lines in a row may be of kinds that are not known: as many as there may be taps, and more.
const MAX_PASSED_OVER: usize = 100_000;
/// How long the daemon may be silent. It is not while it works, but may wait for other callers to go.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much longer than it was told to wait the daemon may be silent.
const GRACE: Duration = Duration::from_secs(2);

/// The arguments that say which daemon is asked.
#[derive(Debug, Clone, Args)]
pub(super) struct Daemon {
    /// The configuration file that says where the daemon's socket is
    #[arg(short, long = "config", value_name = "FILE", default_value = config_file::DEFAULT_PATH)]
    config: PathBuf,
    /// The daemon's socket, in place of the configuration's control_socket
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
}

/// Why a daemon did not answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    /// The configuration does not say where the socket is, because it is wrong.
    #[error("{}; --socket says where the daemon's socket is", shown(.0))]
    Config(Vec<ConfigError>),
    /// The configuration says that there is none.
    #[error("{}: general.control_socket is none, so that the daemon cannot be asked", .0.display())]
    NoSocket(PathBuf),
    /// Nobody listens there, or not to us.
    #[error("{}: {}{}", .0.display(), .1, hint(.1))]
    Connect(PathBuf, io::Error),
    /// It says nothing.
    #[error("{}: no answer for {} seconds", .0.display(), .1.as_secs())]
    Silent(PathBuf, Duration),
    /// The connection failed.
    #[error("{}: {}", .0.display(), .1)]
    Socket(PathBuf, io::Error),
    /// The answer is not whole.
    #[error("{}: the daemon's answer ended early", .0.display())]
    Cut(PathBuf),
    /// The answer makes no sense.
    #[error("{}: not the answer of a daemon: {}", .0.display(), .1)]
    Nonsense(PathBuf, serde_json::Error),
    /// The daemon says why not.
    #[error("{}", Visible(&.0.message))]
    Refused(Fault),
}

fn shown(errors: &[ConfigError]) -> String {
    errors.first().map(ToString::to_string).unwrap_or_default()
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => " (no daemon is running there)",
        ErrorKind::PermissionDenied => " (only root and general.control_group may ask the daemon)",
        _ => "",
    }
}

impl Daemon {
    /// The daemon of a configuration, unless `socket` is said.
    pub(super) const fn new(config: PathBuf, socket: Option<PathBuf>) -> Self {
        Self { config, socket }
    }

    /// Asks, and gives the lines of the answer one by one, without the last. After an error nothing comes.
    pub(super) fn ask(&self, request: &Request) -> Result<Lines, AskError> {
        let path = self.socket()?;
        let patience = patience(request);
        let stream = connect(&path, patience.unwrap_or(PATIENCE).min(PATIENCE))?;
        let sent = (|| {
            stream.set_read_timeout(patience)?;
            stream.set_write_timeout(Some(PATIENCE))?;
            (&stream).write_all(to_line(request).as_bytes())
        })();
        match sent {
            Ok(()) => Ok(Lines { path, patience, stream: BufReader::new(stream), is_over: false }),
            Err(error) => Err(AskError::Socket(path, error)),
        }
    }

    /// Asks for one thing: that which the last line has where it is found.
    pub(super) fn ask_for<T>(&self, request: &Request, find: impl Fn(Answer) -> Option<T>) -> Result<T, AskError> {
        let mut lines = self.ask(request)?;
        let mut found = None;
        for answer in &mut lines {
            found = find(answer?).or(found);
        }
        found.ok_or_else(|| lines.cut())
    }

    fn socket(&self) -> Result<PathBuf, AskError> {
        if let Some(socket) = &self.socket {
            return Ok(socket.clone());
        }
        let socket = self.read_config()?.general.control_socket;
        socket.ok_or_else(|| AskError::NoSocket(self.config.clone()))
    }

    /// The configuration as its file is now, which need not be the one in force.
    pub(super) fn read_config(&self) -> Result<Config, AskError> {
        config_file::read(&self.config).map(|parsed| parsed.config).map_err(|faults| AskError::Config(faults.errors))
    }
}

/// Connects to the daemon, unless it lets nobody in for so long.
fn connect(path: &Path, patience: Duration) -> Result<UnixStream, AskError> {
    unix_socket::connect_within(path, patience).map_err(|error| match error.kind() {
        ErrorKind::WouldBlock => AskError::Silent(path.to_owned(), patience),
        _ => AskError::Connect(path.to_owned(), error),
    })
}

/// How long the daemon may be silent about a request; None: as long as it lives.
fn patience(request: &Request) -> Option<Duration> {
    match request {
        Request::Wait { timeout_ms, .. } => Some(GRACE.saturating_add(Duration::from_millis(*timeout_ms))),
        Request::Show { .. } | Request::Explain { .. } => Some(PATIENCE),
        Request::Trace { .. } => None,
    }
}

/// An answer that is being read.
#[derive(Debug)]
pub(super) struct Lines {
    path: PathBuf,
    patience: Option<Duration>,
    stream: BufReader<UnixStream>,
    is_over: bool,
}

impl Lines {
    /// What is wrong with an answer that lacks what was asked for.
    fn cut(&self) -> AskError {
        AskError::Cut(self.path.clone())
    }

    /// Reads the next line of a kind that we know. A daemon of a later version may say more than that.
    fn read(&mut self) -> Result<Answer, AskError> {
        let mut passed_over = 0;
        loop {
            let line = self.read_line()?;
            match from_line(&line) {
                Ok(Answer::Error(fault)) => return Err(AskError::Refused(fault)),
                Ok(answer) => return Ok(answer),
                Err(_) if passed_over < MAX_PASSED_OVER && Answer::is_later_kind(&line) => passed_over += 1,
                Err(error) => return Err(AskError::Nonsense(self.path.clone(), error)),
            }
        }
    }

    fn read_line(&mut self) -> Result<Vec<u8>, AskError> {
        let mut line = Vec::new();
        let read = self.stream.by_ref().take(MAX_LINE).read_until(b'\n', &mut line);
        read.map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => AskError::Silent(self.path.clone(), self.patience.unwrap_or(PATIENCE)),
            _ => AskError::Socket(self.path.clone(), error),
        })?;
        if line.last() == Some(&b'\n') { Ok(line) } else { Err(self.cut()) }
    }
}

impl Iterator for Lines {
    type Item = Result<Answer, AskError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let answer = self.read();
        self.is_over = matches!(answer, Ok(Answer::End {}) | Err(_));
        Some(answer).filter(|answer| !matches!(answer, Ok(Answer::End {})))
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "in place of the daemon there is a thread")]
mod tests {
    use std::os::unix::net::UnixListener;

    use nix::sys::socket::{Backlog, listen};

    use super::*;

    /// What is read of an answer: its lines, said again, and why it ended if not as it should.
    fn read(answer: &str) -> (Vec<String>, Option<AskError>) {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let answer = answer.to_owned();
        let daemon = std::thread::spawn(move || theirs.write_all(answer.as_bytes()));
        let stream = BufReader::new(ours);
        let lines = Lines { path: PathBuf::from("socket"), patience: None, stream, is_over: false };
        let (mut known, mut failure) = (Vec::new(), None);
        for line in lines {
            match line {
                Ok(answer) => known.push(to_line(&answer).trim_end().to_owned()),
                Err(error) => failure = Some(error),
            }
        }
        // Who has seen enough hangs up.
        let _ = daemon.join().unwrap();
        (known, failure)
    }

    const LATER: &str = "{\"omen\":{\"of\":\"later\"}}\n";
    const LOST: &str = r#"{"lost":{"count":3}}"#;
    const END: &str = "{\"end\":{}}\n";

    #[test]
    fn kinds_of_lines_that_are_not_known_are_passed_over() {
        let (known, failure) = read(&format!("{LATER}{LOST}\n{LATER}{LATER}{LOST}\n{LATER}{END}"));
        assert_eq!(known, [LOST, LOST]);
        assert!(failure.is_none(), "{failure:?}");
    }

    #[test]
    fn nothing_but_lines_that_are_not_known_is_no_answer() {
        let (known, failure) = read(&LATER.repeat(MAX_PASSED_OVER + 1));
        assert!(known.is_empty() && matches!(failure, Some(AskError::Nonsense(..))), "{failure:?}");
    }

    #[test]
    fn what_is_no_answer_is_not_passed_over() {
        for line in ["220 mail.example.com ESMTP\n", "{\"lost\":{}}\n"] {
            let (known, failure) = read(&format!("{line}{END}"));
            assert!(known.is_empty() && matches!(failure, Some(AskError::Nonsense(..))), "{line}: {failure:?}");
        }
        assert!(matches!(read(LATER), (_, Some(AskError::Cut(_)))));
    }

    #[test]
    fn a_daemon_that_lets_nobody_in_is_given_up() {
        let path = std::env::temp_dir().join(format!("client-{}.sock", std::process::id()));
        let listener = UnixListener::bind(&path).unwrap();
        // One caller finds room, and waits there.
        listen(&listener, Backlog::new(0).unwrap()).unwrap();
        let patience = Duration::from_millis(1);
        let first = connect(&path, PATIENCE);
        let second = connect(&path, patience);
        drop(listener);
        let third = connect(&path, PATIENCE);
        std::fs::remove_file(&path).unwrap();
        assert!(first.is_ok(), "{first:?}");
        assert!(matches!(&second, Err(AskError::Silent(_, silence)) if *silence == patience), "{second:?}");
        assert!(matches!(&third, Err(AskError::Connect(_, error)) if !hint(error).is_empty()), "{third:?}");
    }

    #[test]
    fn who_waits_waits_little_longer_than_told() {
        let wait = Request::Wait { tap: "tap0".parse().unwrap(), timeout_ms: 500 };
        assert_eq!(patience(&wait), Some(Duration::from_millis(2500)));
        assert_eq!(patience(&Request::Show { tap: None }), Some(PATIENCE));
    }
}
