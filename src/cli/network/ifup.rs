//! `snf-network ifup`: a NIC is set up.

use std::io;

use super::Common;
use super::session::{Failure, Session, environment};
use crate::io::node::lock::Extent;
use crate::io::node::tables;
use crate::network::down::{self, Taken};
use crate::network::up::{self, Context};
use crate::network::{Attachment, Nic, Variables, nic};

/// Runs the command.
pub(super) fn run(common: &Common) -> Result<(), Failure> {
    set_up(&mut Session::start(common, "ifup")?, &environment())
}

/// Sets up the NIC that the variables tell of.
pub(super) fn set_up(session: &mut Session, variables: &Variables) -> Result<(), Failure> {
    let tap = session.unless_failed(nic::tap(variables))?;
    session.about(tap);
    if nic::is_ganetis_own(&tap) {
        session.tell("left alone: Ganeti's own way to the guest");
        return Ok(());
    }
    let nic = session.unless_failed(Nic::read(variables, &session.settings))?;
    let table = session.unless_failed(table(&nic))?;
    let context = Context { settings: &session.settings, table, variables };
    let _held = session.hold(Extent::Tap(tap))?;
    let plan = || {
        let state = session.read(Some(tap), table, nic.profile.is_some())?;
        session.unless_failed(up::plan(&nic, &state, &context))
    };
    let mut taken = Taken::default();
    let done = session.carry_out_noting(plan, |change| taken.note(tap, change));
    done.inspect_err(|failure| take_back(session, &nic, &taken, *failure))
}

/// The routing table that a routed NIC is linked to. A link that is none is a fault only where it is needed.
fn table(nic: &Nic) -> io::Result<Option<u32>> {
    match &nic.attachment {
        Attachment::Routed(Some(link)) => Ok(tables::read()?.number(link)),
        Attachment::Routed(None) | Attachment::Bridged(_) => Ok(None),
    }
}

/// Nothing half done: what has been set up until the fault goes again, and what was taken from others is theirs. What is wrong
/// from the start changes nothing.
fn take_back(session: &Session, nic: &Nic, taken: &Taken, failure: Failure) {
    if failure == Failure::Midway {
        // The failure that is told of is the first; of this one there is a line as well.
        let _ = session.carry_out(|| {
            let state = session.read(Some(nic.tap), None, false)?;
            session.unless_failed(down::take_back(nic.tap, taken, &state, &session.settings))
        });
    }
}
