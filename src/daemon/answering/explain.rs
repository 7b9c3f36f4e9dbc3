//! `explain`: what a guest would be answered now, and all that decides it.

use super::super::mailbox;
use super::{Caller, Desk, Left, named};
use crate::control::{Answer, Explained, FaultKind, to_line};

impl Desk {
    /// Explains one tap, with a binding file or without.
    pub(super) async fn explain(&self, caller: &mut Caller, tap: &str) -> Result<(), Left> {
        let name = match named(tap) {
            Ok(name) => name,
            Err(message) => return caller.refuse(FaultKind::BadRequest, message).await,
        };
        let mailbox::Explained { now, explanation } = self.packets.explain(name).await?;
        let datapath_gone = self.datapath_gone.borrow().clone();
        let explained = Explained { datapath_gone, ..Explained::new(now, name, &explanation, &self.config.borrow()) };
        caller.send(&(to_line(&Answer::Explained(explained.into())) + &to_line(&Answer::End {}))).await
    }
}
