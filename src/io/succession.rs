//! What a daemon that is about to end still holds: the next one may be started before it is gone.

#![expect(clippy::disallowed_methods, reason = "io is where the outside world is")]
#![cfg_attr(test, expect(clippy::disallowed_types, reason = "the test holds an address"))]

use std::io::{self, ErrorKind};
use std::thread;
use std::time::{Duration, Instant};

/// How long a start waits, all in all, for what another daemon holds.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long it waits between two attempts.
const PAUSE: Duration = Duration::from_millis(20);

/// A start, which waits no longer than a moment for the daemon before it to go.
#[derive(Debug, Clone, Copy)]
pub struct Succession {
    end: Instant,
}

impl Succession {
    /// The moment begins now.
    pub fn begin() -> Self {
        Self { end: Instant::now() + PATIENCE }
    }

    /// Makes the `attempt`, and again for as long as somebody else holds what it wants and the moment is not over.
    ///
    /// # Errors
    /// Those of the last attempt.
    pub fn take_over<T, E: Refusal>(&self, mut attempt: impl FnMut() -> Result<T, E>) -> Result<T, E> {
        loop {
            match attempt() {
                Err(error) if error.is_held() && Instant::now() < self.end => thread::sleep(PAUSE),
                result => return result,
            }
        }
    }
}

/// Why an attempt failed.
pub trait Refusal {
    /// Whether somebody else holds what it wanted.
    fn is_held(&self) -> bool;
}

impl Refusal for io::Error {
    fn is_held(&self) -> bool {
        matches!(self.kind(), ErrorKind::AddrInUse | ErrorKind::WouldBlock)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::config::QueueNum;
    use crate::io::nfqueue::BindError;

    #[test]
    fn takes_over_what_is_let_go_meanwhile() {
        let mut held = Some(TcpListener::bind("127.0.0.1:0").unwrap());
        let address = held.as_ref().unwrap().local_addr().unwrap();
        let mut attempts = 0;
        let taken = Succession::begin().take_over(|| {
            attempts += 1;
            let result = TcpListener::bind(address);
            held = None;
            result
        });
        assert_eq!((taken.unwrap().local_addr().unwrap(), attempts), (address, 2));
    }

    #[test]
    fn waits_for_the_queues_of_another_daemon_and_not_for_rights() {
        let queue = QueueNum(42);
        for (refusal, expected) in [(BindError::AlreadyBound(queue), 2), (BindError::NotPermitted(queue), 1)] {
            let mut refusal = Some(refusal);
            let mut attempts = 0;
            let result = Succession::begin().take_over(|| {
                attempts += 1;
                refusal.take().map_or(Ok(()), Err)
            });
            assert_eq!((result.is_ok(), attempts), (expected == 2, expected));
        }
    }

    #[test]
    fn gives_up_at_the_end_and_at_once_where_nobody_holds_it() {
        for (kind, end) in [(ErrorKind::AddrInUse, Instant::now()), (ErrorKind::NotFound, Instant::now() + PATIENCE)] {
            let mut attempts = 0;
            let result = Succession { end }.take_over(|| {
                attempts += 1;
                Err::<(), _>(io::Error::from(kind))
            });
            assert_eq!((result.unwrap_err().kind(), attempts), (kind, 1));
        }
    }
}
