//! `snf-network clean` and `snf-network hook`: what taps that are gone have left goes as well.

use super::Common;
use super::session::{Failure, Session, environment};
use crate::io::node::lock::Extent;
use crate::network::down;
use crate::network::hook::Hook;

/// Runs `snf-network clean`.
pub(super) fn run(common: &Common) -> Result<(), Failure> {
    clean(&Session::start(common, "clean")?)
}

/// Runs `snf-network hook`. Ganeti does not tell a hook which taps an instance had: which of them are gone is seen on the
/// node.
pub(super) fn run_hook(common: &Common) -> Result<(), Failure> {
    let mut session = Session::start(common, "hook")?;
    match Hook::read(&environment()) {
        Ok(hook) => session.about(hook.instance),
        Err(error) => session.warn(error),
    }
    clean(&session)
}

/// Nobody sets a tap up meanwhile: one that is not there now is gone.
fn clean(session: &Session) -> Result<(), Failure> {
    let _held = session.hold(Extent::All)?;
    session.carry_out(|| Ok(down::clean(&session.read(None, None, false)?, &session.settings)))
}
