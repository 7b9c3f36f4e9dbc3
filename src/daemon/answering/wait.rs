//! Callers that wait until a tap's guest is answered, as hooks do before they start it.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{Caller, Desk, Left, named};
use crate::binding::InterfaceName;
use crate::control::{Answer, FaultKind, Request, WaitResult, Waited, to_line};
use crate::daemon::mailbox::Which;
use crate::engine::Status;

/// What is said of a tap that is not served yet.
const NO_FILE: &str = "it has no binding file";
const NO_TAP: &str = "there is no interface of this name";
const UNSETTLED: &str = "its file, or the list of interfaces, is being read";

impl Desk {
    /// Answers a caller when the guest of `tap` is served, its file is rejected, or time is up.
    pub(super) async fn wait(&self, mut caller: Caller, tap: &str, timeout_ms: u64) -> Result<(), Left> {
        let timeout = Duration::from_millis(timeout_ms);
        if timeout > Request::MAX_WAIT {
            let message = format!("timeout_ms: at most {}", Request::MAX_WAIT.as_millis());
            return caller.refuse(FaultKind::BadRequest, message).await;
        }
        let name = match named(tap) {
            Ok(name) => name,
            Err(message) => return caller.refuse(FaultKind::BadRequest, message).await,
        };
        if !caller.move_to(&self.seats.waiters) {
            return caller.refuse(FaultKind::Busy, "too many wait already".to_owned()).await;
        }
        let (result, reason) = tokio::select! {
            end = self.decided(name, Instant::now() + timeout) => end?,
            () = caller.left() => return Err(Left),
        };
        let waited = Answer::Waited(Waited { tap: name.to_string(), result, reason });
        caller.send(&(to_line(&waited) + &to_line(&Answer::End {}))).await
    }

    /// How waiting for `tap` ends, and why. It is looked once at least.
    async fn decided(&self, tap: InterfaceName, deadline: Instant) -> Result<(WaitResult, Option<String>), Left> {
        loop {
            let standing = self.inquiries.ask(tap).await?;
            let missing = if standing.is_settled {
                let report = self.packets.report(Which::One(tap)).await?;
                match judge(report.taps.first()) {
                    Ok(end) => return Ok(end),
                    Err(missing) => missing,
                }
            } else {
                UNSETTLED
            };
            if timeout_at(deadline, standing.news).await.is_err() {
                return Ok((WaitResult::Timeout, Some(missing.to_owned())));
            }
        }
    }
}

/// How a tap stands, if that is what is waited for; else what is missing.
fn judge(status: Option<&Status>) -> Result<(WaitResult, Option<String>), &'static str> {
    let status = status.ok_or(NO_FILE)?;
    match (&status.rejected, status.ifindex) {
        // Be the last good one in force or not: the file as it is now is not.
        (Some(error), _) => Ok((WaitResult::Rejected, Some(error.to_string()))),
        (None, Some(_)) => Ok((WaitResult::Serving, None)),
        (None, None) => Err(NO_TAP),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binding::{BindingError, IfIndex};
    use crate::engine::slot::Stats;

    #[test]
    fn a_wait_ends_when_the_guest_is_served_or_never_will_be() {
        let error = BindingError { path: "b/tap0".into(), line: Some(3), key: None, found: None, reason: "bad".into() };
        let rejected = Ok((WaitResult::Rejected, Some("b/tap0:3: bad".to_owned())));
        for (ifindex, error, expected) in [
            (None, None, Err(NO_TAP)),
            (IfIndex::new(7), None, Ok((WaitResult::Serving, None))),
            (IfIndex::new(7), Some(error.clone()), rejected.clone()),
            (None, Some(error), rejected),
        ] {
            let tap = "tap0".parse().unwrap();
            let stats = Stats::default();
            let status = Status { tap, ifindex, binding: None, rejected: error, delegated_via: None, stats };
            assert_eq!(judge(Some(&status)), expected);
        }
        assert_eq!(judge(None), Err(NO_FILE));
    }
}
