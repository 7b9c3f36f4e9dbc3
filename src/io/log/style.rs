//! How lines look: for people, for the journal, or for programs.

#![expect(clippy::disallowed_methods, reason = "io is where the outside world is")]

use std::env;
use std::fmt::{self, Display};
use std::io::{self, IsTerminal as _};

use nix::sys::stat::fstat;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::{FormatEvent, Writer};
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{self as lines, FmtContext, FormatFields};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

use super::Lane;
use crate::config::LogFormat;

/// What is said when lines found no room.
const LOST: &str = "lines of the log were lost: it was not read fast enough";

/// Where lines are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In colours.
    Terminal,
    /// The journal has its own time, and takes a line's priority from its beginning (sd-daemon(3)).
    Journal,
    /// A file or a pipe.
    File,
}

impl Place {
    /// Where stderr leads.
    pub(super) fn of_stderr() -> Self {
        if is_journal() {
            Self::Journal
        } else if io::stderr().is_terminal() {
            Self::Terminal
        } else {
            Self::File
        }
    }
}

/// Whether stderr is what systemd connected to the journal: by its device and inode (systemd.exec(5)), since whoever was
/// started from a service has the variable, too.
fn is_journal() -> bool {
    let Ok(named) = env::var("JOURNAL_STREAM") else { return false };
    fstat(io::stderr()).is_ok_and(|stderr| is_stream(&named, stderr.st_dev, stderr.st_ino))
}

/// Whether the variable names this device and this inode.
fn is_stream(named: &str, device: u64, inode: u64) -> bool {
    let numbers = named.split_once(':').map(|(device, inode)| (device.parse(), inode.parse()));
    numbers == Some((Ok(device), Ok(inode)))
}

/// How lines look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub(super) format: LogFormat,
    pub(super) place: Place,
}

impl Style {
    /// What makes lines of this look, and puts them into `lane`.
    pub(super) fn layer<S>(self, lane: Lane) -> Box<dyn Layer<S> + Send + Sync>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let is_terminal = self.place == Place::Terminal;
        let text = lines::layer().with_writer(move || lane.clone()).with_ansi(is_terminal).with_target(false);
        match (self.format, self.place) {
            (LogFormat::Text, Place::Journal) => text.without_time().map_event_format(WithPriority).boxed(),
            (LogFormat::Text, _) => text.boxed(),
            (LogFormat::Json, place) => {
                let json = text.json().flatten_event(true).with_current_span(false).with_span_list(false);
                if place == Place::Journal { json.map_event_format(WithPriority).boxed() } else { json.boxed() }
            }
        }
    }

    /// A line that is said without the log.
    pub(super) fn early(self, level: Level, what: impl Display) -> String {
        let word = if level == Level::ERROR { "error" } else { "warning" };
        format!("{}{word}: {what}", self.prefix(level))
    }

    /// A line that so many lines were lost: it cannot go the way of those.
    pub(super) fn lost(self, lines: usize) -> String {
        let (prefix, mut time) = (self.prefix(Level::WARN), String::new());
        // A clock before 1970 is written in words.
        let _ = SystemTime.format_time(&mut Writer::new(&mut time));
        match (self.format, self.place) {
            (LogFormat::Json, _) => {
                let object = serde_json::json!({ "timestamp": time, "level": "WARN", "message": LOST, "lines": lines });
                format!("{prefix}{object}\n")
            }
            (LogFormat::Text, Place::Journal) => format!("{prefix} WARN {LOST} lines={lines}\n"),
            (LogFormat::Text, _) => format!("{time}  WARN {LOST} lines={lines}\n"),
        }
    }

    fn prefix(self, level: Level) -> String {
        if self.place == Place::Journal { priority(level).to_owned() } else { String::new() }
    }
}

/// The priority of a line for the journal, of syslog's.
fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "<3>",
        Level::WARN => "<4>",
        Level::INFO => "<6>",
        _ => "<7>",
    }
}

/// A format with the line's priority before it.
struct WithPriority<F>(F);

impl<S, N, F> FormatEvent<S, N> for WithPriority<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut line: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        line.write_str(priority(*event.metadata().level()))?;
        self.0.format_event(context, line, event)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc;

    use tracing::{debug, error, info, warn};
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::super::{Counts, Message};
    use super::*;

    /// What a line must not carry as it is.
    const HOSTILE: &str = "\u{1b}[31m\n<0>\"forged\\\u{7f}\r\u{e9}";

    /// The lines that `log` makes.
    fn lines(format: LogFormat, place: Place, log: impl FnOnce()) -> Vec<String> {
        let (to, from) = mpsc::channel();
        let lane = Lane { to, counts: Arc::new(Counts::new(100)), message: Message::Stderr };
        let subscriber = tracing_subscriber::registry().with(Style { format, place }.layer(lane));
        tracing::subscriber::with_default(subscriber, log);
        let bytes = from.try_iter().map(|message| match message {
            Message::Stderr(line) => line,
            other => panic!("{other:?}"),
        });
        bytes.map(|line| String::from_utf8(line).unwrap()).collect()
    }

    fn log_each_level() {
        error!("one");
        warn!("two");
        info!(tap = "tap0", count = 3, "three");
        debug!("four");
    }

    #[test]
    fn the_journal_has_priorities_and_no_time() {
        let lines = lines(LogFormat::Text, Place::Journal, log_each_level);
        assert_eq!(
            lines,
            ["<3>ERROR one\n", "<4> WARN two\n", "<6> INFO three tap=\"tap0\" count=3\n", "<7>DEBUG four\n"]
        );
    }

    #[test]
    fn elsewhere_there_is_a_time_and_no_priority() {
        for line in lines(LogFormat::Text, Place::File, log_each_level) {
            assert!(line.starts_with("20") && line.contains("Z "), "{line}");
        }
    }

    #[test]
    fn json_is_an_object_on_each_line() {
        for (place, prefix) in [(Place::File, ""), (Place::Terminal, ""), (Place::Journal, "<6>")] {
            let lines = lines(LogFormat::Json, place, || info!(tap = "tap0", count = 3, reason = HOSTILE, "three"));
            let [line] = &lines[..] else { panic!("{lines:?}") };
            assert_eq!(line.find('\n'), Some(line.len() - 1), "{line}");
            let object: serde_json::Value = serde_json::from_str(line.strip_prefix(prefix).unwrap()).unwrap();
            assert!(object["timestamp"].as_str().unwrap().ends_with('Z'), "{line}");
            let expected = serde_json::json!({
                "timestamp": object["timestamp"], "level": "INFO", "message": "three", "tap": "tap0", "count": 3,
                "reason": HOSTILE,
            });
            assert_eq!(object, expected);
        }
    }

    #[test]
    fn a_line_about_lost_lines_looks_like_the_others() {
        let lost = |format, place| Style { format, place }.lost(7);
        assert_eq!(lost(LogFormat::Text, Place::Journal), format!("<4> WARN {LOST} lines=7\n"));
        let text = lost(LogFormat::Text, Place::File);
        assert!(text.starts_with("20") && text.ends_with(&format!("Z  WARN {LOST} lines=7\n")), "{text}");
        let json = lost(LogFormat::Json, Place::Journal);
        let object: serde_json::Value = serde_json::from_str(json.strip_prefix("<4>").unwrap()).unwrap();
        assert_eq!((&object["level"], &object["lines"]), (&"WARN".into(), &7.into()));
    }

    #[test]
    fn the_journal_is_known_by_device_and_inode() {
        for (named, expected) in [
            ("8:99", true),
            ("8:100", false),
            ("9:99", false),
            ("8", false),
            ("", false),
            ("8:99:1", false),
            ("8:99x", false),
        ] {
            assert_eq!(is_stream(named, 8, 99), expected, "{named:?}");
        }
    }
}
