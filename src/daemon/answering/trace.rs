//! Callers that follow decisions as they are made.

use std::time::{Duration, SystemTime};

use super::{Caller, Desk, Left, named};
use crate::control::{Answer, Decision, FaultKind, Lost, Noticed, to_line};
use crate::daemon::mailbox::Command;
use crate::daemon::tracer::{Shown, View, follower};
use crate::engine::Now;

/// How many lines are sent at once, where there are as many.
const LINES: usize = 64;

impl Desk {
    /// Shows a caller what is decided about `tap`, or about all of them, until it hangs up or reads no more.
    pub(super) async fn trace(&self, mut caller: Caller, tap: Option<String>) -> Result<(), Left> {
        let tap = match tap.as_deref().map(named).transpose() {
            Ok(tap) => tap,
            Err(message) => return caller.refuse(FaultKind::BadRequest, message).await,
        };
        if !caller.move_to(&self.seats.followers) {
            return caller.refuse(FaultKind::Busy, "too many follow already".to_owned()).await;
        }
        let (follower, view) = follower(tap);
        self.packets.send(Command::Follow(follower))?;
        let end = show(&mut caller, view).await;
        // Before its seat is free for another.
        self.packets.send(Command::Unfollow)?;
        end
    }
}

/// Sends all that is shown.
async fn show(caller: &mut Caller, mut view: View) -> Result<(), Left> {
    let mut epoch = SystemTime::UNIX_EPOCH;
    loop {
        let shown = tokio::select! {
            shown = view.next(LINES) => shown,
            () = caller.left() => return Err(Left),
        };
        if shown.is_empty() {
            return Err(Left);
        }
        let lines: String = shown.iter().map(|shown| line(&mut epoch, shown)).collect();
        caller.send(&lines).await?;
    }
}

/// One line. What it begins with says when the engine's time began.
fn line(epoch: &mut SystemTime, shown: &Shown) -> String {
    let answer = match shown {
        Shown::Begin(start) => {
            *epoch = *start;
            Answer::Following {}
        }
        Shown::Packet(now, asked, outcome) => {
            Answer::Decision(Box::new(Decision::of_packet(unix_ms(*epoch, *now), *asked, outcome)))
        }
        Shown::Sent(now, sent) => Answer::Decision(Box::new(Decision::of_unsolicited(unix_ms(*epoch, *now), sent))),
        Shown::Notice(now, notice) => Answer::Noticed(Noticed::new(unix_ms(*epoch, *now), notice)),
        Shown::Lost(count) => Answer::Lost(Lost { count: *count }),
    };
    to_line(&answer)
}

/// A time of the engine's as others count it.
fn unix_ms(epoch: SystemTime, now: Now) -> u64 {
    let since = epoch.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).saturating_add(now);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
