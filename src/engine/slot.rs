//! All that is known of one tap: its binding, what is said to its guest, what became of its packets.

use std::net::Ipv6Addr;
use std::sync::Arc;
use std::time::Duration;

use super::announcer::Announcer;
use super::doubt::doubts;
use super::event::Notice;
use super::fit::{TooLarge, key_fault};
use super::history::History;
use super::next_hop::{Holder, NextHop};
use super::outcome::{Delegation, Outcome, Reason, Verdict};
use super::ra::{Advertiser, Content, Situation};
use super::router::{Misfit, NoRouter};
use super::{Now, dhcpv4, dhcpv6};
use crate::binding::{Binding, BindingError, IfIndex, InterfaceName};
use crate::config::{Config, Ipv6};
use crate::wire::MacAddr;

/// How long binding or tap may be away before that counts: hooks remove a file and write it anew. Then its guest is told,
/// what is known of it forgotten, and its return an arrival.
pub const ABSENCE: Duration = Duration::from_secs(2);

/// One tap that has, or had, a binding file.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// The binding in force.
    pub(super) serving: Option<Serving>,
    /// Why the file as it is now is not in force.
    pub(super) rejected: Option<Box<Rejected>>,
    /// What its guest is told unasked. Outlives the binding until what it said is taken back.
    pub(super) advertiser: Advertiser,
    /// What its neighbours are told of its addresses. Outlives the binding for a while, in case the file is rewritten.
    pub(super) announcer: Announcer,
    /// What the operator was last told of the tap.
    pub(super) told: LastNotice,
    /// What the operator was last told of the tap's MAC.
    pub(super) misfit: Option<Misfit>,
    /// By which address of the guest its delegated prefix is reached. Outlives the binding for a while, likewise.
    pub(super) next_hop: NextHop,
    /// What became of its packets.
    pub(super) stats: Stats,
}

/// A binding file that is not in force.
#[derive(Debug)]
pub(super) struct Rejected {
    /// Why.
    pub(super) error: BindingError,
    /// The binding, if all that is wrong with it is that its answers do not fit this configuration.
    pub(super) unfit: Option<Arc<Binding>>,
}

/// A binding in force, and the answers made of it.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) binding: Arc<Binding>,
    pub(super) dhcpv4: Option<dhcpv4::Answers>,
    /// What router advertisements say; None where none are sent.
    pub(super) advertised: Option<Arc<Content>>,
    pub(super) dhcpv6: Option<dhcpv6::Answers>,
    /// Who the guest's router is now, or why it has none.
    pub(super) router: Result<MacAddr, Reason>,
    /// What will not do what its writer expects.
    pub(super) doubts: Vec<BindingError>,
}

/// Whether the operator knows that the guest is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum LastNotice {
    #[default]
    Nothing,
    Pending,
    Serving(IfIndex),
}

/// What became of a tap's packets, counted since its binding appeared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Packets answered, be it that the answer could not be sent.
    pub answered: u64,
    /// Packets that were for us, and got no answer.
    pub refused: u64,
    /// Packets that were none of ours.
    pub accepted: u64,
    /// Frames that could not be sent.
    pub send_failed: u64,
    /// The last ones, and frames that could not be sent: when, and what became of them.
    pub history: History,
    /// Packets in which somebody else's MAC stood for the guest's, be it on the frame or in the message.
    pub spoofed: u64,
    /// The last such MAC.
    pub last_foreign: Option<MacAddr>,
}

impl Slot {
    /// The binding that is to be in force if it can.
    pub(super) fn wanted(&self) -> Option<&Arc<Binding>> {
        let unfit = self.rejected.as_ref().and_then(|rejected| rejected.unfit.as_ref());
        unfit.or(self.serving.as_ref().map(|serving| &serving.binding))
    }

    /// Whether there is nothing to remember.
    pub(super) fn is_empty(&self) -> bool {
        !self.has_file() && self.poll_timeout().is_none()
    }

    /// Whether the tap has a binding file, be it good or bad.
    pub(super) fn has_file(&self) -> bool {
        self.serving.is_some() || self.rejected.is_some()
    }

    /// When the tap next has something to advertise, to announce or to forget.
    pub(super) fn poll_timeout(&self) -> Option<Now> {
        let dues = [self.advertiser.poll_timeout(), self.announcer.poll_timeout(), self.next_hop.poll_timeout()];
        dues.into_iter().flatten().min()
    }

    /// Has the guest told how things are; None: the binding is gone. `ready` is the tap, if it can take a frame.
    pub(super) fn advertise(&mut self, now: Now, situation: Option<Situation>, ready: Option<IfIndex>) {
        let Some(situation) = situation else {
            self.advertiser.removed(now);
            // Whether there is a tap that can hear the withdrawal may change until it is due.
            return self.advertiser.set(now, Situation { tap: ready, ..Situation::default() });
        };
        self.advertiser.set(now, situation);
    }

    /// Takes in what the guest did with its prefix, and what the operator is to be told of it, if it is news.
    pub(super) fn delegate(&mut self, tap: InterfaceName, delegation: Delegation) -> Option<Notice> {
        let holder = self.serving.as_ref()?.holder();
        let prefix = holder.prefix?;
        let via = match delegation {
            Delegation::Taken(via) => Some(via),
            Delegation::Released => None,
        };
        self.next_hop.take(holder, via).then_some(Notice::Delegated { tap, prefix, via })
    }

    /// By which address the prefix of the binding in force is reached, if it is known.
    pub(super) fn delegated_via(&self) -> Option<Ipv6Addr> {
        self.serving.as_ref().and_then(|_| self.next_hop.via())
    }

    /// Takes in whose the delegated prefix is, after the binding changed.
    pub(super) fn hold(&mut self, now: Now) {
        let holder = self.serving.as_ref().map(Serving::holder);
        self.next_hop.set(now, holder, self.has_file());
    }

    /// Takes in who the router of the binding in force is.
    pub(super) fn set_router(&mut self, router: Result<MacAddr, NoRouter>) {
        if let Some(serving) = &mut self.serving {
            serving.router = router.map_err(Reason::from);
        }
    }

    /// What the operator is to be told of the tap, whose link has this index, if it is there.
    pub(super) fn tell(&mut self, tap: InterfaceName, ifindex: Option<IfIndex>) -> Option<Notice> {
        let (told, notice) = match (&self.serving, ifindex) {
            (None, _) => (LastNotice::Nothing, None),
            (Some(_), None) => (LastNotice::Pending, Some(Notice::Pending { tap })),
            (Some(_), Some(ifindex)) if self.told == LastNotice::Serving(ifindex) => return None,
            (Some(Serving { binding, .. }), Some(ifindex)) => {
                let binding = Arc::clone(binding);
                (LastNotice::Serving(ifindex), Some(Notice::Serving { ifindex, binding }))
            }
        };
        if std::mem::replace(&mut self.told, told) == told { None } else { notice }
    }

    /// What the operator is to be told of the tap's MAC, which does not fit, or does.
    pub(super) fn tell_misfit(&mut self, misfit: Option<Misfit>) -> Option<Notice> {
        let is_told = std::mem::replace(&mut self.misfit, misfit) == misfit;
        misfit.filter(|_| !is_told).map(Notice::RouterMacMisfit)
    }
}

impl Serving {
    /// Makes the answers of `binding`, unless one of them could not fit its packet. Without a router as yet.
    pub(super) fn new(binding: &Arc<Binding>, config: &Config) -> Result<Self, BindingError> {
        let too_large = |error: TooLarge| key_fault(binding, config, error.key, error.to_string());
        let dhcpv4 = dhcpv4::Answers::new(binding, config)?;
        let advertised = config.ipv6.as_ref().and_then(|ipv6| advertised(binding, ipv6)).map(Arc::new);
        advertised.as_ref().map_or(Ok(()), |content| content.check_fit(binding)).map_err(too_large)?;
        let dhcpv6 = dhcpv6::Answers::new(binding, config);
        if let (Some(dhcpv6), Some(ipv6)) = (&dhcpv6, &config.ipv6) {
            dhcpv6.check_fit(binding, ipv6).map_err(too_large)?;
        }
        let doubts = doubts(binding, config, dhcpv4.as_ref());
        Ok(Self { binding: Arc::clone(binding), dhcpv4, advertised, dhcpv6, router: Err(Reason::NoIndev), doubts })
    }

    /// The guest, and the prefix that is delegated to it.
    fn holder(&self) -> Holder {
        let prefix = self.binding.ipv6.as_ref().and_then(|ipv6| ipv6.delegated);
        Holder { mac: self.binding.mac, prefix }
    }
}

/// What router advertisements say, where solicitations come to us.
fn advertised(binding: &Binding, config: &Ipv6) -> Option<Content> {
    config.rs_queue.and_then(|_| Content::new(binding, config))
}

impl Stats {
    /// How many packets there were.
    pub fn packets(&self) -> u64 {
        self.answered + self.refused + self.accepted
    }

    pub(super) fn count_send_failure(&mut self, now: Now) {
        self.history.push(now, Reason::SendFailed);
        self.send_failed += 1;
    }

    pub(super) fn count(&mut self, now: Now, outcome: &Outcome) {
        self.history.push(now, outcome.reason);
        if outcome.foreign.is_some() {
            self.spoofed += 1;
            self.last_foreign = outcome.foreign;
        }
        *match (outcome.reply, outcome.verdict()) {
            (Some(_), _) => &mut self.answered,
            (None, Verdict::Drop) => &mut self.refused,
            (None, Verdict::Accept) => &mut self.accepted,
        } += 1;
    }
}
