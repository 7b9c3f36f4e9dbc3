//! `snf-network ifdown`: a NIC goes.

use clap::Args;

use super::Common;
use super::session::{Failure, Session, environment};
use crate::binding::InterfaceName;
use crate::io::node::lock::Extent;
use crate::network::{down, nic};

/// Arguments of `snf-network ifdown`.
#[derive(Debug, Args)]
pub(super) struct Ifdown {
    /// The tap [default: the variable INTERFACE]
    tap: Option<InterfaceName>,
}

impl Ifdown {
    /// Runs the command.
    pub(super) fn run(&self, common: &Common) -> Result<(), Failure> {
        let mut session = Session::start(common, "ifdown")?;
        let tap = match self.tap {
            Some(tap) => tap,
            None => session.unless_failed(nic::tap(&environment()))?,
        };
        take_down(&mut session, tap)
    }
}

/// Removes all that is there for a tap.
pub(super) fn take_down(session: &mut Session, tap: InterfaceName) -> Result<(), Failure> {
    session.about(tap);
    if nic::is_ganetis_own(&tap) {
        return Ok(());
    }
    let _held = session.hold(Extent::Tap(tap))?;
    session.carry_out(|| {
        let state = session.read(Some(tap), None, false)?;
        session.unless_failed(down::plan(tap, &state, &session.settings))
    })
}
