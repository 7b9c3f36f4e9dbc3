//! `nfdhcpd top`: taps, rates and outcomes of a running daemon, as they change.

#![expect(clippy::disallowed_methods, reason = "time goes by between two samples")]

mod rates;
mod screen;
#[cfg(test)]
mod tests;
mod view;

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};

use super::client::{AskError, Daemon};
use super::failure::{Failure, conclude};
use super::show::Shown;
use rates::Sample;
use view::{View, Wish};

/// How long the screen waits for a key before it looks for news of the daemon.
const GLANCE: Duration = Duration::from_millis(100);

/// Arguments of `nfdhcpd top`.
#[derive(Debug, Args)]
#[command(after_help = "\
Keys: q ends; s sorts by the next column of s, r in reverse; the arrows, PgUp, PgDn, Home and End move; the space bar holds the
picture. Rates are those between the last two looks at the daemon.

Exit status: 0; 1 if there is no terminal; 2 if there is no daemon or it may not be asked.")]
pub(super) struct Top {
    /// Seconds between two looks at the daemon
    #[arg(short, long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=3600))]
    interval: u16,
    #[command(flatten)]
    daemon: Daemon,
}

impl Top {
    /// Runs the command.
    pub(super) fn run(&self) -> ExitCode {
        if !io::stdout().is_terminal() {
            super::complain("error: standard output is no terminal; see \"nfdhcpd show\"");
            return ExitCode::FAILURE;
        }
        conclude(self.watch(), ExitCode::SUCCESS)
    }

    fn watch(&self) -> Result<(), Failure> {
        let start = Instant::now();
        // Whoever cannot be asked at all is no reason to clear a screen.
        let mut view = View::new(sample(&self.daemon, start)?);
        let (to, samples) = mpsc::channel();
        let (daemon, interval) = (self.daemon.clone(), Duration::from_secs(self.interval.into()));
        // Nobody waits for this thread, which may wait for a daemon that hangs. It ends with the program.
        thread::spawn(move || sample_on(&daemon, start, interval, &to));
        let result = ratatui::try_init().and_then(|mut terminal| show(&mut terminal, &mut view, &samples));
        // The terminal is as it was before anything is said there.
        let restored = ratatui::try_restore();
        Ok(result.and(restored)?)
    }
}

/// Looks at the daemon again and again, until nobody listens.
fn sample_on(daemon: &Daemon, start: Instant, interval: Duration, to: &Sender<Result<Sample, AskError>>) {
    loop {
        thread::sleep(interval);
        if to.send(sample(daemon, start)).is_err() {
            break;
        }
    }
}

fn sample(daemon: &Daemon, start: Instant) -> Result<Sample, AskError> {
    let shown = Shown::ask(daemon, None)?;
    Ok(Sample { when: start.elapsed(), taps: shown.taps, node: shown.node.unwrap_or_default() })
}

/// Shows what comes, and does what keys say, until one says to end.
fn show(
    terminal: &mut DefaultTerminal,
    view: &mut View,
    samples: &Receiver<Result<Sample, AskError>>,
) -> io::Result<()> {
    loop {
        terminal.draw(|frame| screen::draw(frame, view))?;
        while !event::poll(GLANCE)? {
            if let Ok(sample) = samples.try_recv() {
                view.take(sample.map_err(|error| error.to_string()));
                break;
            }
        }
        while event::poll(Duration::ZERO)? {
            if let Event::Key(key) = event::read()?
                && key.kind != KeyEventKind::Release
                && view.press(key) == Wish::End
            {
                return Ok(());
            }
        }
    }
}
