//! What the kernel says besides: who has bound queues, and which way packets go.

use std::collections::HashMap;

use crate::io::nfqueue::{self, Holder};
use crate::io::ruleset::{self, Answer};
use crate::queue_list::Listed;
use crate::rules::Installed;

/// What was found. Each part says why, if it is not known.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// The queues that are bound.
    pub(super) queues: Result<Vec<Listed>, String>,
    /// Who has bound them, as far as that can be told; nobody is looked for where a daemon answers, which has.
    pub(super) holders: HashMap<u16, Holder>,
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
    /// What there is now, where a daemon answers or none.
    pub(super) fn read(has_daemon: bool) -> Self {
        let queues = nfqueue::bound().map_err(|error| error.to_string());
        let held = queues.as_deref().ok().filter(|_| !has_daemon);
        let holders = held.map(nfqueue::holders).unwrap_or_default();
        Self { queues, holders, rules: rules() }
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
