//! Addresses and prefixes: what becomes of the identity associations of a message (RFC 8415 §18.3).
//!
//! Nothing is remembered of a guest. All that may be its own is in its binding, so it has had what it asks for all along,
//! under whatever IAID it asks; what else it believes to have, it has not.

#[cfg(test)]
mod tests;

use std::net::Ipv6Addr;

use super::options::Scope;
use super::{Answers, Context, Reply};
use crate::binding::{Binding, Ipv6Binding};
use crate::config::{Config, Ipv6};
use crate::engine::lease;
use crate::engine::outcome::{Delegation, Reason, Refusal};
use crate::wire::dhcpv6::{
    Encoder, Ia, IaKind, Ias, Lease, Message, MessageType, NoRoom, OPTION_HEADER_LEN, Status, option,
};

/// The greatest preference (RFC 8415 §18.2.1): the client takes this Advertise and does not wait for others, which could
/// have nothing that is better. What may be the guest's is in its binding.
const PREFERENCE: u8 = 255;

/// What an identity association takes, less what is in it, in bytes (RFC 8415 §21.4, §21.21).
const IA: usize = OPTION_HEADER_LEN + 12;
/// What a lease takes, in bytes (RFC 8415 §21.6).
const ADDRESS: usize = OPTION_HEADER_LEN + 24;
/// The same of a prefix (RFC 8415 §21.22).
const PREFIX: usize = OPTION_HEADER_LEN + 25;

/// The most that an honest client's identity associations take, with a Preference option, in bytes: one IA_NA and one
/// IA_PD, each with the lease of now and one that is to be given up.
pub(super) const LONGEST: usize = {
    const PREFERENCE: usize = OPTION_HEADER_LEN + 1;
    PREFERENCE + (IA + 2 * ADDRESS) + (IA + 2 * PREFIX)
};

/// What a guest may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leases {
    /// The one address, `ipv6.leased`.
    address: Option<Lease>,
    /// The one prefix, `ipv6.delegated`.
    prefix: Option<Lease>,
    ipv6: Ipv6Binding,
    times: lease::Times,
    allows_rapid_commit: bool,
}

impl Leases {
    pub(super) fn new(binding: &Binding, guest: &Ipv6Binding, config: &Config, ipv6: &Ipv6) -> Self {
        Self {
            address: guest.leased.map(Lease::Address),
            prefix: guest.delegated.map(Lease::Prefix),
            ipv6: guest.clone(),
            times: lease::Times::new(binding, &config.lease),
            allows_rapid_commit: ipv6.rapid_commit,
        }
    }

    /// What an identity association of this kind may hold.
    fn of(&self, kind: IaKind) -> Option<Lease> {
        match kind {
            IaKind::Addresses => self.address,
            // RFC 9915 §21.5: obsolete. A guest makes temporary addresses for itself, where SLAAC lets it.
            IaKind::TemporaryAddresses => None,
            IaKind::Prefixes => self.prefix,
        }
    }

    fn is_own(&self, lease: &Lease) -> bool {
        [self.address, self.prefix].iter().flatten().any(|own| own.is_same(lease))
    }

    /// Whether an address can be the guest's, from all that is known of it. Its link-local address is not known, and must
    /// not be guessed from its MAC: it may be made by RFC 7217 or at random.
    fn may_be_next_hop(&self, address: Ipv6Addr) -> bool {
        let is_routers = self.ipv6.gateway == Some(address);
        !is_routers && (address.is_unicast_link_local() || self.ipv6.is_guests(address))
    }

    /// Whether an address could be somebody's on this link. Prefixes are behind the guest, on no link of ours.
    fn is_off_link(&self, lease: &Lease) -> bool {
        match lease {
            Lease::Address(address) => !self.is_own(lease) && !self.ipv6.is_on_link(*address),
            Lease::Prefix(_) => false,
        }
    }
}

/// A message about leases that is to be answered.
pub(super) struct Exchange<'a> {
    pub(super) answers: &'a Answers,
    pub(super) leases: &'a Leases,
    pub(super) context: &'a Context,
    pub(super) message: &'a Message<'a>,
    pub(super) ias: Ias<'a>,
}

/// Which identity association gets which lease.
#[derive(Clone, Copy)]
struct Grant {
    /// Its place among those of the message.
    index: usize,
    iaid: [u8; 4],
    lease: Lease,
}

impl Grant {
    /// What its identity association takes at least, in bytes.
    fn len(&self) -> usize {
        match self.lease {
            Lease::Address(_) => IA + ADDRESS,
            Lease::Prefix(_) => IA + PREFIX,
        }
    }
}

/// What became of the identity associations.
#[derive(Default)]
struct Written {
    /// How much found no room.
    omitted: usize,
    /// Whether the prefix is among them.
    has_prefix: bool,
}

impl Exchange<'_> {
    /// Writes the reply.
    pub(super) fn reply(&self, out: &mut [u8]) -> Result<Reply, Refusal> {
        let reply = match self.message.message_type {
            // RFC 8415 §18.3.1
            MessageType::Solicit if self.is_rapid() => self.lease(Reason::Dhcpv6RapidCommitted, out),
            MessageType::Solicit => self.lease(Reason::Dhcpv6Advertised, out),
            // RFC 8415 §18.3.2
            MessageType::Request => self.lease(Reason::Dhcpv6Requested, out),
            // RFC 8415 §18.3.4
            MessageType::Renew => self.lease(Reason::Dhcpv6Renewed, out),
            // RFC 8415 §18.3.5
            MessageType::Rebind => self.lease(Reason::Dhcpv6Rebound, out),
            // RFC 8415 §18.3.3
            MessageType::Confirm => self.confirm(self.confirmed()?, out),
            // RFC 8415 §18.3.7
            MessageType::Release => self.end(Reason::Dhcpv6Released, out),
            // RFC 8415 §18.3.8
            MessageType::Decline => self.end(Reason::Dhcpv6Declined, out),
            // No other type comes here.
            _ => return Err(Reason::UnexpectedMessage.into()),
        };
        Ok(reply.map_err(|NoRoom| Reason::NoFit)?)
    }

    /// RFC 8415 §18.3.1: the client asks for a Reply at once, the configuration allows it, and there is something to
    /// commit: the client would take a Reply without any lease, and ask no other server.
    fn is_rapid(&self) -> bool {
        let is_wanted = self.leases.allows_rapid_commit && self.message.option(option::RAPID_COMMIT).is_some();
        is_wanted && self.grants().iter().any(Option::is_some)
    }

    /// An Advertise, or a Reply to a message that asks for leases or for more time.
    fn lease(&self, reason: Reason, out: &mut [u8]) -> Result<Reply, NoRoom> {
        let is_offer = reason == Reason::Dhcpv6Advertised;
        let message_type = if is_offer { MessageType::Advertise } else { MessageType::Reply };
        let mut reply = self.answers.begin(message_type, self.message, out)?;
        let grants = self.grants();
        match reason {
            // RFC 8415 §18.3.9: and none, where another server may have what this one has not.
            Reason::Dhcpv6Advertised if grants.iter().any(Option::is_some) => {
                reply.option(option::PREFERENCE, &[PREFERENCE])?;
            }
            // RFC 8415 §18.3.1
            Reason::Dhcpv6RapidCommitted => reply.option(option::RAPID_COMMIT, &[])?,
            _ => {}
        }
        let Written { omitted, has_prefix } = self.put_ias(grants, &mut reply);
        reply.reserve(0);
        self.put_options(&mut reply)?;
        let delegation = (has_prefix && !is_offer).then_some(Delegation::Taken(self.context.source));
        Ok(Reply { reason, len: reply.finish(), omitted, delegation: self.proven(delegation) })
    }

    fn put_options(&self, reply: &mut Encoder<'_>) -> Result<(), NoRoom> {
        self.answers.put_options(Scope::Stateful, self.message, reply)?;
        self.answers.put_fqdn(self.message, reply)
    }

    /// Hooks set routes by what becomes of the prefix: a sender that is only claimed has no say in that, and no route
    /// leads to an address that is not the guest's.
    fn proven(&self, delegation: Option<Delegation>) -> Option<Delegation> {
        delegation.filter(|delegation| match delegation {
            _ if self.context.is_claimed => false,
            Delegation::Taken(via) => self.leases.may_be_next_hop(*via),
            Delegation::Released => true,
        })
    }

    /// Answers every identity association, as far as there is room. A client with too many of them still gets what is its
    /// own, wherever that stands among them, and learns of its name servers.
    fn put_ias(&self, grants: [Option<Grant>; 2], reply: &mut Encoder<'_>) -> Written {
        let mut written = Written::default();
        let is_repeated = |index, ia: &Ia<'_>| grants.iter().flatten().any(|grant| self.repeats(grant, index, ia));
        for (index, ia) in self.ias.enumerate().filter(|(index, ia)| !is_repeated(*index, ia)) {
            let lease = grants.iter().flatten().find(|grant| grant.index == index).map(|grant| grant.lease);
            let to_come = grants.iter().flatten().filter(|grant| grant.index > index).map(Grant::len);
            reply.reserve(self.answers.stateful_len + to_come.sum::<usize>());
            match self.put_ia(&ia, lease, reply) {
                Ok(omitted) => {
                    written.omitted += omitted;
                    written.has_prefix |= matches!(lease, Some(Lease::Prefix(_)));
                }
                Err(NoRoom) => written.omitted += 1,
            }
        }
        written
    }

    /// RFC 8415 §21.4: an IAID is unique among those of its kind. Where it comes again, it must not be said in one reply
    /// that it has a lease and that it has none.
    fn repeats(&self, grant: &Grant, index: usize, ia: &Ia<'_>) -> bool {
        grant.index != index && grant.iaid == ia.iaid && self.leases.of(ia.kind) == Some(grant.lease)
    }

    /// Who gets the address and who the prefix, where the client asks for one.
    fn grants(&self) -> [Option<Grant>; 2] {
        [self.leases.address, self.leases.prefix].map(|lease| self.grant(lease?))
    }

    /// Which identity association gets the lease: the one that has it already, else the first that may have it.
    fn grant(&self, lease: Lease) -> Option<Grant> {
        let may_have = |ia: &Ia<'_>| self.leases.of(ia.kind) == Some(lease) && !self.must_begin_anew(ia);
        let candidates = || self.ias.enumerate().filter(|(_, ia)| may_have(ia));
        let (index, ia) = candidates().find(|(_, ia)| ia.lists(&lease)).or_else(|| candidates().next())?;
        Some(Grant { index, iaid: ia.iaid, lease })
    }

    /// Answers one identity association, with the lease that is for it; says how much found no room in it.
    fn put_ia(&self, ia: &Ia<'_>, lease: Option<Lease>, reply: &mut Encoder<'_>) -> Result<usize, NoRoom> {
        let lease::Times { lifetime, t1, t2 } = self.leases.times;
        // RFC 8415 §18.1: T1 and T2 are the same in all of them.
        reply.ia(ia.kind, ia.iaid, [t1, t2], |reply| match (self.message.message_type, lease) {
            (MessageType::Renew | MessageType::Rebind, _) => self.extend(ia, lease, reply),
            (_, Some(lease)) => reply.lease(&lease, lifetime).map(|()| 0),
            (_, None) if self.must_begin_anew(ia) => reply.status(Status::NotOnLink).map(|()| 0),
            // RFC 8415 §18.3.2, §18.3.9: with a status, where there is nothing to give.
            (_, None) => reply.status(unavailable(ia.kind)).map(|()| 0),
        })
    }

    /// RFC 8415 §18.3.2: whether the client asks for an address of another link. In a Solicit that is but a wish
    /// (§18.2.1).
    fn must_begin_anew(&self, ia: &Ia<'_>) -> bool {
        let is_request = self.message.message_type == MessageType::Request && !self.context.is_claimed;
        is_request && named(ia).any(|lease| self.leases.is_off_link(&lease))
    }

    /// RFC 8415 §18.3.4, §18.3.5: more time for what is the guest's own, none for whatever else it has.
    fn extend(&self, ia: &Ia<'_>, lease: Option<Lease>, reply: &mut Encoder<'_>) -> Result<usize, NoRoom> {
        let foreign = || named(ia).filter(|lease| !self.context.is_claimed && !self.leases.is_own(lease));
        match lease {
            Some(lease) => reply.lease(&lease, self.leases.times.lifetime)?,
            // It only asks. RFC 8415 §18.2.10.1: NoBinding would make the client send a Request each time.
            None if named(ia).next().is_none() => reply.status(unavailable(ia.kind))?,
            // What it has is the guest's in another one.
            None if foreign().next().is_none() => reply.status(Status::NoBinding)?,
            None => {}
        }
        Ok(foreign().filter(|lease| reply.lease(lease, 0).is_err()).count())
    }

    /// RFC 8415 §18.3.3: whether all addresses are right for this link.
    ///
    /// Nobody but the guest is behind its tap, and one address alone is its own: any other of its prefix is as wrong as
    /// one of another link, and the guest must hear so, for the node drops or misdirects what it sends from there.
    fn confirmed(&self) -> Result<bool, Reason> {
        let addresses = || self.ias.filter(|ia| ia.kind != IaKind::Prefixes).flat_map(|ia| named(&ia));
        // RFC 8415 §18.3.3: no answer where there is no address.
        addresses().next().ok_or(Reason::NothingToConfirm)?;
        let is_right = addresses().all(|address| self.leases.is_own(&address));
        // Whoever is only claimed could make a neighbour give up its address.
        if !is_right && self.context.is_claimed { Err(Reason::ClaimedNotOnLink) } else { Ok(is_right) }
    }

    /// RFC 8415 §18.3.3: the status, and no identity association.
    fn confirm(&self, is_right: bool, out: &mut [u8]) -> Result<Reply, NoRoom> {
        let mut reply = self.answers.begin(MessageType::Reply, self.message, out)?;
        let reason = if is_right {
            reply.status(Status::Success)?;
            self.put_options(&mut reply)?;
            Reason::Dhcpv6Confirmed
        } else {
            reply.status(Status::NotOnLink)?;
            Reason::Dhcpv6NotOnLink
        };
        Ok(Reply { reason, len: reply.finish(), omitted: 0, delegation: None })
    }

    /// RFC 8415 §18.3.7, §18.3.8: Success, and NoBinding for every identity association with nothing of the guest's own.
    fn end(&self, reason: Reason, out: &mut [u8]) -> Result<Reply, NoRoom> {
        let mut reply = self.answers.begin(MessageType::Reply, self.message, out)?;
        reply.status(Status::Success)?;
        let unbound = self.ias.filter(|ia| !self.holds_own(ia));
        let omitted = unbound.filter(|ia| put_unbound(ia, &mut reply).is_err()).count();
        let ended = || self.ias.filter(|ia| self.holds_own(ia));
        let is_prefix_released = reason == Reason::Dhcpv6Released && ended().any(|ia| ia.kind == IaKind::Prefixes);
        let delegation = self.proven(is_prefix_released.then_some(Delegation::Released));
        let reason = ended().next().map_or(Reason::Dhcpv6NoBinding, |_| reason);
        Ok(Reply { reason, len: reply.finish(), omitted, delegation })
    }

    /// Whether what the guest may have is in this one.
    fn holds_own(&self, ia: &Ia<'_>) -> bool {
        self.leases.of(ia.kind).is_some_and(|own| ia.lists(&own))
    }
}

/// RFC 8415 §18.3.7: the status, and nothing else.
fn put_unbound(ia: &Ia<'_>, reply: &mut Encoder<'_>) -> Result<(), NoRoom> {
    reply.ia(ia.kind, ia.iaid, [0; 2], |reply| reply.status(Status::NoBinding))
}

/// What a client says it has, less the wishes for anything.
fn named<'a>(ia: &Ia<'a>) -> impl Iterator<Item = Lease> + use<'a> {
    ia.leases().filter(|lease| !lease.is_hint())
}

fn unavailable(kind: IaKind) -> Status {
    match kind {
        IaKind::Addresses | IaKind::TemporaryAddresses => Status::NoAddrsAvail,
        IaKind::Prefixes => Status::NoPrefixAvail,
    }
}
