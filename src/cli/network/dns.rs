//! `snf-network dns`: the name server is told of an instance's names.

use super::Common;
use super::session::{Failure, Session, environment};
use crate::io::dns::{self, Client};
use crate::network::dns::{Change, Decision, Target, decide};
use crate::network::hook::Hook;

/// Runs the command.
pub(super) fn run(common: &Common) -> Result<(), Failure> {
    let mut session = Session::start(common, "dns")?;
    let settings = session.unless_failed(session.settings.dns.clone())?;
    let Some(target) = settings.target() else {
        return idle(&session, "the settings name no SERVER or no FZONE");
    };
    let hook = session.unless_failed(Hook::read(&environment()))?;
    session.about(&hook.instance);
    let node = session.unless_failed(dns::host_name())?;
    match session.unless_failed(decide(&hook, &node, target.zone, &session.settings.tags.dns))? {
        Decision::Nothing(reason) => idle(&session, reason),
        Decision::Do(change) => apply(&session, target, &change),
    }
}

fn idle(session: &Session, reason: impl std::fmt::Display) -> Result<(), Failure> {
    session.tell(format_args!("nothing to do: {reason}"));
    Ok(())
}

/// Tells the server, or prints what it would be told. It is asked what it has in either case.
fn apply(session: &Session, target: Target<'_>, change: &Change) -> Result<(), Failure> {
    let client = Client::new(target);
    let updates = session.unless_failed(client.prepare(change))?;
    if session.is_dry_run() {
        return updates.iter().try_for_each(|update| session.print(target.sends(update)));
    }
    let mut done = Ok(());
    // A zone that the server does not have keeps no other from being told.
    for update in &updates {
        match client.send(update) {
            Ok(()) => update.instructions.iter().for_each(|instruction| session.tell(instruction)),
            Err(failure) => done = Err(session.fail(failure)),
        }
        if done.is_err() && client.is_late() {
            break;
        }
    }
    done
}
