//! By which address of a guest its delegated prefix is reached.

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;

use super::Now;
use super::slot::ABSENCE;
use crate::wire::MacAddr;

/// The guest of a tap, and the prefix that is delegated to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Holder {
    /// The guest's MAC.
    pub(super) mac: MacAddr,
    /// The prefix, if there is one.
    pub(super) prefix: Option<Ipv6Net>,
}

/// Where the last Request for a delegated prefix came from. Outlives the binding for a while, in case the file is
/// rewritten: the guest does not ask again before T1.
#[derive(Debug, Default)]
pub(super) struct NextHop {
    /// Boxed, for most guests have no such prefix.
    known: Option<Box<(Holder, Ipv6Addr)>>,
    /// Since when there is no file, if anything is known.
    gone: Option<Now>,
}

impl NextHop {
    /// The address, if it is known.
    pub(super) fn via(&self) -> Option<Ipv6Addr> {
        self.known.as_ref().map(|known| known.1)
    }

    /// Takes in what the guest did with its prefix: by which address it is reached from now on. Whether that is news.
    pub(super) fn take(&mut self, holder: Holder, via: Option<Ipv6Addr>) -> bool {
        let old = std::mem::replace(&mut self.known, via.map(|via| Box::new((holder, via))));
        old != self.known
    }

    /// Takes in who holds what by the binding in force, if there is one, and whether the tap has a file at all. Where
    /// guest or prefix is another one, nobody asked yet.
    pub(super) fn set(&mut self, now: Now, holder: Option<Holder>, has_file: bool) {
        if let Some(holder) = holder {
            self.known.take_if(|known| known.0 != holder);
        }
        let is_gone = !has_file && self.known.is_some();
        self.gone = is_gone.then(|| self.gone.unwrap_or(now));
    }

    /// When [`forget`](Self::forget) is to be called next.
    pub(super) fn poll_timeout(&self) -> Option<Now> {
        self.gone.map(|gone| gone + ABSENCE)
    }

    /// Forgets what is known, if the file has been away for too long.
    pub(super) fn forget(&mut self, now: Now) {
        if self.poll_timeout().is_some_and(|at| at <= now) {
            *self = Self::default();
        }
    }
}
