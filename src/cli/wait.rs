//! `nfdhcpd wait`: until a guest is answered, for hooks that are about to start it.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::client::{AskError, Daemon};
use super::failure::Failure;
use crate::binding::InterfaceName;
use crate::control::{Answer, Request, WaitResult, Waited};
use crate::text::Visible;

/// The exit status where the binding file is rejected.
const REJECTED: u8 = 1;
/// The exit status where time was up.
const TIMEOUT: u8 = 3;

/// Arguments of `nfdhcpd wait`.
#[derive(Debug, Args)]
#[command(after_help = "\
For hooks: write the binding file, then wait, then start the guest. What was written before the command was started is
what it tells of, never an earlier file.

Exit status: 0 if the guest is answered as the file says; 1 if the file is rejected, with the reason on standard error,
also where the last good one is still in force; 2 if there is no daemon, it may not be asked, or the arguments are
wrong; 3 if there was no binding file or no tap until the time was up.")]
pub(super) struct Wait {
    /// The tap
    #[arg(value_name = "TAP")]
    tap: InterfaceName,
    /// How long: 2s, 500ms, 1m, or seconds without a unit; at most 5m
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = parse_time)]
    timeout: Duration,
    #[command(flatten)]
    daemon: Daemon,
}

impl Wait {
    /// The command with these arguments.
    pub(super) const fn new(tap: InterfaceName, timeout: Duration, daemon: Daemon) -> Self {
        Self { tap, timeout, daemon }
    }

    /// Runs the command.
    pub(super) fn run(&self) -> ExitCode {
        match self.ask() {
            Ok(waited) => self.conclude(&waited),
            Err(error) => Failure::from(error).tell(),
        }
    }

    fn ask(&self) -> Result<Waited, AskError> {
        let timeout_ms = u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX);
        let request = Request::Wait { tap: self.tap.to_string(), timeout_ms };
        self.daemon.ask_for(&request, |answer| match answer {
            Answer::Waited(waited) => Some(waited),
            _ => None,
        })
    }

    fn conclude(&self, waited: &Waited) -> ExitCode {
        let reason = waited.reason.as_deref().unwrap_or_default();
        let reason = Visible(reason);
        let tap = self.tap;
        match waited.result {
            WaitResult::Serving => ExitCode::SUCCESS,
            WaitResult::Rejected => {
                super::complain(&format!("{tap}: rejected: {reason}"));
                ExitCode::from(REJECTED)
            }
            WaitResult::Timeout => {
                super::complain(&format!("{tap}: not served after {}: {reason}", shown(self.timeout)));
                ExitCode::from(TIMEOUT)
            }
        }
    }
}

/// A time with its unit, or in seconds.
pub(super) fn parse_time(text: &str) -> Result<Duration, String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end).unwrap_or_default();
    let unit = match unit {
        "ms" => 1,
        "s" | "" => 1_000,
        "m" => 60_000,
        _ => return Err("neither 2s, 500ms, 1m nor a number of seconds".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| "not a whole number of ms, s or m".to_owned())?;
    let time = Duration::from_millis(number.saturating_mul(unit));
    if time > Request::MAX_WAIT { Err("more than 5m".to_owned()) } else { Ok(time) }
}

/// A time in whole seconds, or in milliseconds.
fn shown(time: Duration) -> String {
    match time.subsec_millis() {
        0 => format!("{} s", time.as_secs()),
        _ => format!("{} ms", time.as_millis()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit_or_is_in_seconds() {
        for (text, millis) in
            [("2s", 2_000), ("500ms", 500), ("1m", 60_000), ("3", 3_000), ("0", 0), ("5m", 300_000), ("300s", 300_000)]
        {
            assert_eq!(parse_time(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for (text, reason) in [
            ("", "whole number"),
            ("s", "whole number"),
            ("99999999999999999999s", "whole number"),
            ("1.5s", "neither"),
            ("-1", "neither"),
            ("2 s", "neither"),
            ("2h", "neither"),
            ("1s1s", "neither"),
            ("²s", "neither"),
            ("301", "more than 5m"),
            ("18446744073709551615m", "more than 5m"),
        ] {
            assert!(parse_time(text).unwrap_err().contains(reason), "{text}");
        }
    }

    #[test]
    fn a_time_is_shown_in_one_unit() {
        for (millis, text) in [(0, "0 s"), (2_000, "2 s"), (300_000, "300 s"), (500, "500 ms"), (1_500, "1500 ms")] {
            assert_eq!(shown(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn the_longest_time_is_what_the_daemon_takes() {
        assert_eq!(Request::MAX_WAIT, Duration::from_mins(5));
    }
}
