//! The main thread: signals, the binding directory, the interfaces. Everything it learns goes to the packet thread.

use std::future::pending;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep;
use tracing::{error, info, warn};

use super::clock::Clock;
use super::line_limit::LineLimit;
use super::mailbox::{Command, Gone, Sender, Which};
use super::telling::News;
use super::waiting::{Inquiry, Waiting};
use super::writing::{write_news, write_report};
use super::{shown, warn_unless_told};
use crate::binding::{BindingError, InterfaceName};
use crate::config::{Config, Parsed, QueueNum};
use crate::engine::{Event, Now};
use crate::io::config_file;
use crate::io::links::LinkChanges;
use crate::io::log::Reopener;
use crate::io::supervisor;
use crate::io::watch::{Told, Watch, tap_of};

/// What warnings of bindings are counted by.
const BINDING_WARNINGS: &str = "binding_warnings";

/// Why the daemon ended though nobody told it to.
#[derive(Debug, thiserror::Error)]
pub(super) enum ControlError {
    /// The packet thread ended.
    #[error("the packet thread ended: {0}")]
    PacketThread(String),
    /// The interfaces can no longer be followed.
    #[error("rtnetlink: {0}")]
    Links(io::Error),
}

/// What the main thread cannot work without.
#[derive(Debug)]
enum Lost {
    /// The packet thread: only its own result says why.
    PacketThread,
    /// Word of the interfaces.
    Links(io::Error),
}

impl From<Gone> for Lost {
    fn from(_: Gone) -> Self {
        Self::PacketThread
    }
}

/// The signals that the daemon knows.
#[derive(Debug)]
pub(super) struct Signals {
    hangup: Signal,
    user1: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Listens for them from now on.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            user1: signal(SignalKind::user_defined1())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }
}

/// What the main thread works with.
#[derive(Debug)]
pub(super) struct Control {
    /// Where the configuration is read from again.
    pub(super) config_path: PathBuf,
    /// The configuration in force.
    pub(super) config: Config,
    /// Where whoever answers for it looks it up.
    pub(super) shown_config: watch::Sender<Arc<Config>>,
    /// The same for the directory of bindings: its path and why, while it is gone.
    pub(super) datapath_gone: watch::Sender<Option<String>>,
    /// The way to the packet thread.
    pub(super) packets: Sender,
    /// The binding directory.
    pub(super) watch: Watch,
    /// The interfaces.
    pub(super) links: LinkChanges,
    /// What the packet thread has to say.
    pub(super) news: mpsc::Receiver<News>,
    /// What those ask who wait for a tap.
    pub(super) inquiries: mpsc::Receiver<Inquiry>,
    /// Who waits for news of a tap.
    pub(super) waiting: Waiting,
    /// Which warnings of bindings are logged.
    pub(super) warned: LineLimit,
    /// The time by which warnings are counted.
    pub(super) clock: Clock,
    /// The log file; None if somebody else has started the log.
    pub(super) log: Option<Reopener>,
}

impl Control {
    /// Works until a signal says to end. `packets_ended` tells that the packet thread did.
    pub(super) async fn run(
        mut self,
        signals: Signals,
        mut packets_ended: oneshot::Receiver<io::Result<()>>,
    ) -> Result<(), ControlError> {
        warn_unless_told(supervisor::ready(&self.in_words("")));
        let worked = tokio::select! {
            end = &mut packets_ended => return Err(packet_thread_ended(end)),
            worked = self.work(signals) => worked,
        };
        match worked {
            Ok(()) => self.end(packets_ended).await,
            Err(lost) => Err(explained(lost, packets_ended).await),
        }
    }

    /// Does what comes up, until a signal says to end.
    async fn work(&mut self, mut signals: Signals) -> Result<(), Lost> {
        loop {
            tokio::select! {
                _ = signals.terminate.recv() => return Ok(()),
                _ = signals.interrupt.recv() => return Ok(()),
                _ = signals.hangup.recv() => self.reload()?,
                _ = signals.user1.recv() => self.log_bindings().await?,
                Some(news) = self.news.recv() => write_news(&news),
                () = due(self.warned.poll_timeout(), self.clock) => self.tell_suppressed(),
                Some(inquiry) = self.inquiries.recv() => self.answer(inquiry)?,
                events = self.links.next() => {
                    self.tell_all(events.map_err(Lost::Links)?)?;
                    self.tell_settled();
                }
                () = self.watch.changed() => {
                    let told = self.watch.poll();
                    self.take_told(told)?;
                    self.tell_settled();
                }
            }
        }
    }

    /// Ends the packet thread, and logs the last of what it has to say.
    async fn end(mut self, packets_ended: oneshot::Receiver<io::Result<()>>) -> Result<(), ControlError> {
        info!("ending");
        warn_unless_told(supervisor::stopping());
        // If it is gone already, its result says why.
        let _ = self.packets.send(Command::Stop);
        let end = packets_ended.await;
        while let Ok(news) = self.news.try_recv() {
            write_news(&news);
        }
        match end {
            Ok(Ok(())) => Ok(()),
            end => Err(packet_thread_ended(end)),
        }
    }

    /// Opens the log file and reads the configuration anew. A bad one changes nothing.
    fn reload(&mut self) -> Result<(), Gone> {
        warn_unless_told(supervisor::reloading());
        self.log.iter().for_each(Reopener::reopen);
        let remark = match config_file::read(&self.config_path) {
            Ok(parsed) => {
                self.take_config(parsed)?;
                ""
            }
            Err(faults) => {
                for warning in &faults.warnings {
                    warn!("{warning}");
                }
                for error in &faults.errors {
                    error!("{error}");
                }
                error!("the configuration stays as it was");
                "; the configuration file has errors and is not in force"
            }
        };
        warn_unless_told(supervisor::ready(&self.in_words(remark)));
        Ok(())
    }

    /// How we are, in a line.
    fn in_words(&self, remark: &str) -> String {
        let queues: Vec<_> = self.config.queues().iter().map(QueueNum::to_string).collect();
        format!("queues {}{remark}", queues.join(", "))
    }

    /// Puts a configuration in force, as far as that is possible without a restart.
    fn take_config(&mut self, parsed: Parsed) -> Result<(), Gone> {
        for warning in &parsed.warnings {
            warn!("{warning}");
        }
        for key in self.config.needs_restart(&parsed.config) {
            warn!(key, "a change of this key needs a restart");
        }
        self.config = self.config.keep_fixed(parsed.config);
        info!("configuration reloaded");
        let config = Arc::new(self.config.clone());
        self.shown_config.send_replace(Arc::clone(&config));
        self.tell_all(vec![Event::ConfigChanged(config)])
    }

    /// Logs all bindings: here, since the packet thread has better to do than to wait for a log.
    async fn log_bindings(&self) -> Result<(), Gone> {
        let mut count = 0;
        let mut next = Some(Which::After(None));
        while let Some(which) = next {
            let report = self.packets.report(which).await?;
            write_report(&report);
            count += report.taps.len();
            next = report.next();
        }
        info!(count, "bindings");
        Ok(())
    }

    /// Takes in what was told by now, and says whether that is all there is about a tap.
    fn answer(&mut self, inquiry: Inquiry) -> Result<(), Lost> {
        let events = self.links.poll().map_err(Lost::Links)?;
        self.tell_all(events)?;
        let told = self.watch.poll();
        self.take_told(told)?;
        self.tell_settled();
        let is_settled = is_settled(&self.watch, &self.links, inquiry.tap);
        self.waiting.answer(inquiry, is_settled);
        Ok(())
    }

    /// Tells who waits for all that was told of a tap to be passed on.
    fn tell_settled(&mut self) {
        let Self { watch, links, .. } = self;
        self.waiting.note_settled(|tap| is_settled(watch, links, tap));
    }

    /// Passes on what the watch says.
    fn take_told(&mut self, told: Vec<Told>) -> Result<(), Gone> {
        for told in told {
            match told {
                Told::Event(event) => self.tell(event)?,
                Told::Warning(warning) => self.warn(&warning),
                Told::DirectoryGone(reason) => {
                    let datapath = shown(&self.config.general.datapath);
                    self.datapath_gone.send_replace(Some(format!("{datapath}: {reason}")));
                    warn!(datapath, "the directory of bindings is gone, and all bindings with it: {reason}");
                }
                Told::DirectoryBack => {
                    self.datapath_gone.send_replace(None);
                    info!(datapath = shown(&self.config.general.datapath), "the directory of bindings is back");
                }
            }
        }
        Ok(())
    }

    /// Logs a warning, unless its file has had many lately.
    fn warn(&mut self, warning: &BindingError) {
        let tap = warning.path.file_name().and_then(tap_of);
        if self.warned.admit(self.clock.now(), (tap, BINDING_WARNINGS)) {
            warn!("{warning}");
        }
    }

    /// Logs how many warnings were not, of spans that are over.
    fn tell_suppressed(&mut self) {
        while let Some(suppressed) = self.warned.poll_suppressed(self.clock.now()) {
            write_news(&News::Suppressed(suppressed));
        }
    }

    /// Passes on events.
    fn tell_all(&mut self, events: Vec<Event>) -> Result<(), Gone> {
        events.into_iter().try_for_each(|event| self.tell(event))
    }

    /// Passes on an event, and tells who waits for it: they get to ask the packet thread when this thread is free again,
    /// behind the event.
    fn tell(&mut self, event: Event) -> Result<(), Gone> {
        self.waiting.note(&event);
        self.packets.send(Command::Tell(event))
    }
}

/// Waits until then; for ever, if there is no such time.
async fn due(end: Option<Now>, clock: Clock) {
    match end {
        Some(end) => sleep(end.saturating_sub(clock.now())).await,
        None => pending().await,
    }
}

/// Whether all that was told of a tap and its file has been passed on.
fn is_settled(watch: &Watch, links: &LinkChanges, tap: InterfaceName) -> bool {
    watch.is_settled(tap) && links.is_complete()
}

/// Why the daemon ends, when it has lost this. The packet thread closes its mailbox before its result is there.
async fn explained(lost: Lost, packets_ended: oneshot::Receiver<io::Result<()>>) -> ControlError {
    match lost {
        Lost::PacketThread => packet_thread_ended(packets_ended.await),
        Lost::Links(error) => ControlError::Links(error),
    }
}

/// What to say of the packet thread's end.
fn packet_thread_ended(end: Result<io::Result<()>, oneshot::error::RecvError>) -> ControlError {
    ControlError::PacketThread(match end {
        Ok(Ok(())) => "without being told to".to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it panicked".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::mailbox::mailbox;
    use super::*;

    #[tokio::test]
    async fn a_closed_mailbox_is_explained_by_what_the_packet_thread_ended_with() {
        let ends = [
            (Some(Err(io::Error::from_raw_os_error(libc::ENOMEM))), "(os error 12)"),
            (Some(Ok(())), "without being told to"),
            (None, "it panicked"),
        ];
        for (end, expected) in ends {
            let (packets, commands) = mailbox().unwrap();
            let (ended, packets_ended) = oneshot::channel();
            drop(commands);
            let lost = packets.send(Command::Stop).unwrap_err().into();
            let (error, ()) = tokio::join!(explained(lost, packets_ended), async {
                // The mailbox is closed first.
                let _ = end.map(|end| ended.send(end));
            });
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
