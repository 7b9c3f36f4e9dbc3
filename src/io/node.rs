//! The node itself, for the companion `snf-network`: what is there is read, and plans are carried out.
//!
//! Nothing is remembered between two runs, and nothing is decided here. Whatever can go while it is read or removed, a tap
//! with all that belongs to it, may do so.

#![expect(clippy::disallowed_methods, reason = "io is where the outside world is")]

mod announce;
mod carry_out;
pub mod files;
pub mod ganeti;
pub mod lock;
mod message;
mod nft;
mod read;
mod rtnetlink;
pub mod run;
mod script;
mod sysctl;
pub mod tables;
pub mod xenstore;

use std::io;
use std::path::Path;

use super::bindings;
use crate::binding::InterfaceName;
use crate::network::{Change, Plan, State};
use rtnetlink::Rtnetlink;

/// What is to be read besides what is ours.
#[derive(Debug, Clone, Copy)]
pub struct Interest<'a> {
    /// The directory of binding files.
    pub bindings: &'a Path,
    /// Whose sysctls matter.
    pub taps: &'a [InterfaceName],
    /// The sysctls of the uplinks of this routing table matter too.
    pub table: Option<u32>,
    /// Whether it matters how bridged packets are judged by their connections.
    pub bridge_tracking: bool,
}

/// The node cannot be read, or not be changed. Its text is one line.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {reason}")]
pub struct NodeError {
    /// The change that could not be made, as a plan shows it; or what could not be read.
    pub what: String,
    /// Why: in the words of the kernel, of nft or of the script.
    pub reason: io::Error,
    /// Whether it may be that somebody was faster, and that what the plan was made from is no longer so: then a plan made anew
    /// may succeed.
    pub may_be_outdated: bool,
}

impl NodeError {
    fn of(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |reason| Self { what, reason, may_be_outdated: false }
    }
}

/// Reads what is there.
///
/// What belongs to a tap is read before the links are, so a tap that is made meanwhile is in the state.
///
/// # Errors
/// Some of it cannot be read. Half a state is none: a plan made of that would remove what it should keep.
pub fn read(interest: &Interest<'_>) -> Result<State, NodeError> {
    let bindings = interest.bindings;
    let mut state = State {
        bindings: bindings::read(bindings).map_err(NodeError::of(bindings.display().to_string()))?,
        filters: nft::read().map_err(NodeError::of("nft"))?,
        ..State::default()
    };
    if interest.bridge_tracking {
        state.filters.bridge_tracking = nft::bridge_tracking().map_err(NodeError::of("nft"))?;
    }
    read::read_kernel(&mut state).map_err(NodeError::of("rtnetlink"))?;
    let uplinks = state.uplinks.iter().filter(|uplink| Some(uplink.table) == interest.table);
    let devices = interest.taps.iter().copied().chain(uplinks.map(|uplink| uplink.device)).collect();
    state.sysctls = read::sysctls(devices).map_err(NodeError::of("sysctls"))?;
    Ok(state)
}

/// Carries out a plan, change by change, and tells `done` of each that was made. To add what is there already, and to remove
/// what has gone, succeeds.
///
/// # Errors
/// The first change that could not be made. What comes behind it is not tried.
pub fn carry_out(plan: &Plan, mut done: impl FnMut(&Change)) -> Result<(), NodeError> {
    let mut rtnetlink = Rtnetlink::open().map_err(NodeError::of("rtnetlink"))?;
    for change in &plan.0 {
        let fail = |reason| NodeError { what: change.title(), reason, may_be_outdated: is_of_its_moment(change) };
        carry_out::carry_out(&mut rtnetlink, change).map_err(fail)?;
        done(change);
    }
    Ok(())
}

/// Whether a change is refused when what it was made from has changed.
fn is_of_its_moment(change: &Change) -> bool {
    matches!(change, Change::Filter(_) | Change::AddRoute(_))
}
