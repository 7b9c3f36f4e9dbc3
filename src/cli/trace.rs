//! `nfdhcpd trace`: what a running daemon decides, as it decides.

#![expect(clippy::disallowed_methods, reason = "whether anybody reads on is watched beside the daemon")]

use std::fmt;
use std::io::{self, Write};
use std::process::{self, ExitCode};
use std::thread;

use clap::Args;

use super::client::Daemon;
use super::failure::{Failure, conclude};
use crate::binding::InterfaceName;
use crate::control::{Answer, Decision, Lost, Noticed, Request, to_line};
use crate::io::hangup;
use crate::text::Visible;

/// Arguments of `nfdhcpd trace`.
#[derive(Debug, Args)]
#[command(after_help = "\
A line for each packet: the time (UTC, as in the log), the tap, what the packet was, and what became of it, with the name of
its outcome in brackets; others for frames that nobody asked for, and for bindings that come into force, are rejected or go. It
ends with an interrupt (Ctrl-C), or when nobody reads its output any more.

The daemon waits for nobody: what is not read in time is counted as lost, and who reads nothing for five seconds is hung up on.

Exit status: 0 if the output was closed; 2 if there is no daemon, it may not be asked, or it ended.")]
pub(super) struct Trace {
    /// The tap [default: all of them]
    #[arg(value_name = "TAP")]
    tap: Option<InterfaceName>,
    /// Print JSON, an object on each line: {"decision": {...}}, {"noticed": {...}}, {"lost": {...}}
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Daemon,
}

impl Trace {
    /// Runs the command.
    pub(super) fn run(&self) -> ExitCode {
        conclude(self.follow(), ExitCode::SUCCESS)
    }

    fn follow(&self) -> Result<(), Failure> {
        let answers = self.daemon.ask(&Request::Trace { tap: self.tap.map(|tap| tap.to_string()) })?;
        thread::spawn(end_with_the_output);
        // Standard output writes each line when it is whole.
        let mut output = io::stdout().lock();
        for answer in answers {
            let answer = answer?;
            if self.json {
                output.write_all(to_line(&answer).as_bytes())?;
            } else {
                write(&mut output, &answer)?;
            }
        }
        Ok(())
    }
}

/// Ends the program when nobody can read its output any more: it may be long until there is a line to find that out by.
fn end_with_the_output() {
    if hangup::wait(io::stdout()).is_ok() {
        process::exit(0);
    }
}

fn write(output: &mut impl Write, answer: &Answer) -> io::Result<()> {
    match answer {
        Answer::Decision(decision) => writeln!(output, "{}", Decided(decision)),
        Answer::Noticed(Noticed { unix_ms, tap, event, message }) => {
            let (time, tap) = (Time(*unix_ms), tap.as_deref().unwrap_or("-"));
            writeln!(output, "{time} {}: {}: {}", Visible(tap), Visible(event), Visible(message))
        }
        Answer::Lost(Lost { count }) => writeln!(output, "({count} more, which came too fast to be shown)"),
        // What other requests are answered.
        _ => Ok(()),
    }
}

/// A decision on one line.
struct Decided<'a>(&'a Decision);

impl fmt::Display for Decided<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Decision { unix_ms, tap, asked, outcome, description, .. } = self.0;
        let Decision { verdict, detail, foreign_mac, sent_bytes, omitted, .. } = self.0;
        let tap = tap.as_deref().unwrap_or("-");
        write!(f, "{} {}: ", Time(*unix_ms), Visible(tap))?;
        if let Some(asked) = asked {
            write!(f, "{} -> ", Visible(asked))?;
        }
        write!(f, "{} [{}]", Visible(description), Visible(outcome))?;
        detail.as_ref().map_or(Ok(()), |detail| write!(f, ", {}", Visible(detail)))?;
        foreign_mac.as_ref().map_or(Ok(()), |mac| write!(f, ", by {}", Visible(mac)))?;
        match (sent_bytes, verdict) {
            (Some(bytes), _) => write!(f, ", {bytes} bytes sent")?,
            (None, Some(verdict)) => write!(f, ", {}", Visible(verdict))?,
            (None, None) => {}
        }
        if *omitted > 0 { write!(f, ", options left out: {omitted}") } else { Ok(()) }
    }
}

/// The time of a day, of milliseconds since the epoch of Unix.
struct Time(u64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(ms) = self;
        let [hours, minutes, seconds] = [(3_600_000, 24), (60_000, 60), (1_000, 60)].map(|(unit, of)| ms / unit % of);
        write!(f, "{hours:02}:{minutes:02}:{seconds:02}.{:03}", ms % 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_700_000_000_123;

    fn decision() -> Decision {
        Decision {
            unix_ms: MS,
            tap: Some("tap0".to_owned()),
            asked: Some("DHCPv4 DISCOVER".to_owned()),
            outcome: "dhcpv4_offer".to_owned(),
            description: "answered a DISCOVER with an OFFER".to_owned(),
            verdict: Some("drop".to_owned()),
            detail: None,
            foreign_mac: None,
            sent_bytes: Some(342),
            omitted: 0,
        }
    }

    fn written(answer: &Answer) -> String {
        let mut output = Vec::new();
        write(&mut output, answer).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn each_decision_is_a_line() {
        let text = |text: &str| Some(text.to_owned());
        let refused = Decision { sent_bytes: None, ..decision() };
        for (decision, expected) in [
            (decision(), "tap0: DHCPv4 DISCOVER -> answered a DISCOVER with an OFFER [dhcpv4_offer], 342 bytes sent\n"),
            (
                Decision { asked: None, verdict: None, omitted: 2, ..decision() },
                "tap0: answered a DISCOVER with an OFFER [dhcpv4_offer], 342 bytes sent, options left out: 2\n",
            ),
            (
                Decision { detail: text("DHCPv4: bad op"), foreign_mac: text("aa:00:00:00:00:02"), ..refused.clone() },
                "tap0: DHCPv4 DISCOVER -> answered a DISCOVER with an OFFER [dhcpv4_offer], DHCPv4: bad op, \
                 by aa:00:00:00:00:02, drop\n",
            ),
            (
                Decision {
                    tap: None,
                    outcome: "later\n".to_owned(),
                    description: "\u{1b}".to_owned(),
                    asked: None,
                    ..refused
                },
                "-: \\u{1b} [later\\n], drop\n",
            ),
        ] {
            assert_eq!(written(&Answer::Decision(Box::new(decision))), format!("22:13:20.123 {expected}"));
        }
    }

    #[test]
    fn what_is_noticed_and_lost_is_a_line() {
        let noticed = |tap: Option<&str>, message: &str| {
            let (tap, event) = (tap.map(str::to_owned), "rejected".to_owned());
            written(&Answer::Noticed(Noticed { unix_ms: MS, tap, event, message: message.to_owned() }))
        };
        assert_eq!(noticed(Some("tap0"), "b/tap0:3: \u{1b}"), "22:13:20.123 tap0: rejected: b/tap0:3: \\u{1b}\n");
        assert_eq!(noticed(None, "x"), "22:13:20.123 -: rejected: x\n");
        assert_eq!(written(&Answer::Lost(Lost { count: 3 })), "(3 more, which came too fast to be shown)\n");
        assert_eq!(written(&Answer::Following {}), "");
    }
}
