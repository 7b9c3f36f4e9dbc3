//! The queues: taken over from the daemon before us where a supervisor kept them, else bound.

use std::os::fd::{AsFd as _, OwnedFd};

use tracing::{info, warn};

use super::warn_unless_told;
use crate::config::{Config, QueueNum};
use crate::io::nfqueue::{BindError, Queue, TakeOverError};
use crate::io::succession::Succession;
use crate::io::supervisor::{self, Kept};

/// What the name of a descriptor begins with that is the socket of a queue; the queue's number follows.
const NAME: &str = "nfqueue-";

/// Why a descriptor that was passed on is not used.
#[derive(Debug, thiserror::Error)]
enum Unused {
    #[error("the name is not known")]
    Unknown,
    #[error("the configuration does not have this queue any more")]
    Unwanted,
    #[error("there is another one of this name")]
    Double,
    #[error(transparent)]
    Unfit(#[from] TakeOverError),
}

/// Opens the queues of the configuration, those in `kept` by their descriptors, and has the supervisor keep them, and nothing
/// else, for the daemon after us. Those of a daemon that is about to end are waited for.
pub(super) fn open(config: &Config, kept: Kept, succession: Succession) -> Result<Vec<Queue>, BindError> {
    let mut queues = take_over(config, kept);
    for number in config.queues() {
        if !has(&queues, number) {
            queues.push(succession.take_over(|| Queue::bind(number, &config.general.backlog))?);
        }
    }
    queues.sort_by_key(Queue::number);
    for queue in &queues {
        warn_unless_told(supervisor::keep(&name(queue.number()), queue.as_fd()));
    }
    Ok(queues)
}

/// Takes over what was passed on, as far as it is of use. The rest is closed and kept no longer.
fn take_over(config: &Config, kept: Kept) -> Vec<Queue> {
    let passed = kept.unwrap_or_else(|error| {
        warn!("the descriptors that were passed on are not used: {error}");
        Vec::new()
    });
    let mut queues = Vec::new();
    for (name, fd) in passed {
        match take(config, &queues, &name, fd) {
            Ok(queue) => {
                info!(queue = queue.number().0, waiting = queue.early(), "queue taken over");
                if queue.overruns() > 0 {
                    warn!(queue = queue.number().0, "more came than could wait: packets were lost");
                }
                queues.push(queue);
            }
            Err(reason) => {
                warn!(name, "a descriptor that was passed on is not used: {reason}");
                warn_unless_told(supervisor::forget(&name));
            }
        }
    }
    queues
}

/// Takes over the queue that the descriptor is named for.
fn take(config: &Config, queues: &[Queue], name: &str, fd: OwnedFd) -> Result<Queue, Unused> {
    let number = number(name).ok_or(Unused::Unknown)?;
    if !config.queues().contains(&number) {
        Queue::end(number, fd)?;
        return Err(Unused::Unwanted);
    }
    if has(queues, number) {
        return Err(Unused::Double);
    }
    Ok(Queue::take_over(number, fd, &config.general.backlog)?)
}

fn has(queues: &[Queue], number: QueueNum) -> bool {
    queues.iter().any(|queue| queue.number() == number)
}

/// The name under which the socket of a queue is kept.
fn name(queue: QueueNum) -> String {
    format!("{NAME}{queue}")
}

/// The queue whose socket has this name.
fn number(of: &str) -> Option<QueueNum> {
    let number = of.strip_prefix(NAME)?.parse().ok().map(QueueNum)?;
    (name(number) == of).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_has_one_name() {
        for queue in [QueueNum(0), QueueNum(42), QueueNum(65_535)] {
            assert_eq!(number(&name(queue)), Some(queue));
        }
        for other in ["", "nfqueue-", "nfqueue-042", "nfqueue-+42", "nfqueue-65536", "nfqueue-42 ", "queue-42", "42"] {
            assert_eq!(number(other), None, "{other:?}");
        }
    }
}
