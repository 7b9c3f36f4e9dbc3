//! What the kernel says besides: who has bound queues, and which way packets go.

use crate::io::nfqueue;
use crate::io::ruleset::{self, Answer};
use crate::queue_list::Listed;
use crate::rules::Installed;

/// What was found. Each part says why, if it is not known.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// The queues that are bound.
    pub(super) queues: Result<Vec<Listed>, String>,
    /// The rules of netfilter.
    pub(super) rules: Result<Rules, String>,
}

/// What netfilter has.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    /// What all that answered had to say.
    pub(super) installed: Installed,
    /// What those said that failed.
    pub(super) failures: Vec<String>,
}

impl Node {
    /// What there is now.
    pub(super) fn read() -> Self {
        Self { queues: nfqueue::bound().map_err(|error| error.to_string()), rules: rules() }
    }

    /// Why nothing is certain about the rules, if nothing is.
    pub(super) fn doubt(&self) -> Option<&'static str> {
        match &self.rules {
            Err(_) => Some("they could not be read"),
            Ok(rules) if !rules.failures.is_empty() => Some("not all of them could be read"),
            Ok(_) => None,
        }
    }
}

fn rules() -> Result<Rules, String> {
    let Answer { listings, failures } = ruleset::read().map_err(|error| error.to_string())?;
    let installed = Installed::read(&listings).map_err(|error| error.to_string())?;
    Ok(Rules { installed, failures })
}
