//! `snf-network vif`: a NIC of Xen comes or goes. Xen's tools call it; what Ganeti knows of the NIC is in a file.

use clap::Args;

use super::session::{Failure, Session, environment};
use super::{Common, ifdown, ifup};
use crate::io::node::{files, xenstore};
use crate::network::Variables;
use crate::network::assignments::BadLine;
use crate::network::vif::{self, Call, Event, Kind};

/// The longest file of a NIC, in bytes: its instance's tags are the most of it.
const MAX_FILE: u64 = 1 << 20;

/// Arguments of `snf-network vif`, as Xen's tools give them.
#[derive(Debug, Args)]
pub(super) struct Vif {
    /// online or add, offline or remove; type_if=vif or type_if=tap
    #[arg(value_name = "EVENT")]
    arguments: Vec<String>,
}

impl Vif {
    /// Runs the command.
    pub(super) fn run(&self, common: &Common) -> Result<(), Failure> {
        let mut session = Session::start(common, "vif")?;
        let call = session.unless_failed(Call::read(&self.arguments, &environment()))?;
        if call.event == Event::Goes {
            return ifdown::take_down(&mut session, call.device);
        }
        let done = variables(&session, &call).and_then(|variables| ifup::set_up(&mut session, &variables));
        if call.kind == Kind::Vif && !session.is_dry_run() {
            connect(&session, &call, done.is_ok())?;
        }
        done
    }
}

/// What the file of the NIC says.
fn variables(session: &Session, call: &Call) -> Result<Variables, Failure> {
    let domain = session.unless_failed(xenstore::read(&call.place.domain_name()))?;
    let directory = &session.settings.ganeti_nic_dir;
    for instance in vif::instances(&domain) {
        let path = vif::nic_file(directory, &instance, call.place);
        if let Some(text) = session.unless_failed(files::read_if_there(&path, MAX_FILE))? {
            let fault = |bad_line: BadLine| format!("{}:{bad_line}", path.display());
            return session.unless_failed(vif::variables(&text, &instance, call.device).map_err(fault));
        }
    }
    let (index, directory) = (call.place.index, directory.display());
    Err(session.fail(format_args!("Ganeti has written no file for NIC {index} of {domain:?} under {directory}")))
}

/// Xen's tools wait for this word, and the guest for them.
fn connect(session: &Session, call: &Call, is_up: bool) -> Result<(), Failure> {
    let key = |name| call.place.key(name);
    let said = if is_up {
        xenstore::write(&[(&key("hotplug-status"), "connected")])
    } else {
        xenstore::write(&[
            (&key("hotplug-error"), "snf-network failed: its log says why"),
            (&key("hotplug-status"), "error"),
        ])
    };
    session.unless_failed(said)
}
