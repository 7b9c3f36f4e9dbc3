//! What a guest would be answered now: requests that an honest one sends, answered as its own would be, without a trace.

mod request;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, Ipv6Addr};

use request::Asker;

use super::outcome::{Outcome, Reason};
use super::{Engine, Ingress, Link, MAX_FRAME, Status, answer};
use crate::binding::{Binding, BindingError, InterfaceName};
use crate::wire::Checksums;
use crate::wire::dhcpv4::{self, OptionList};
use crate::wire::udp;

/// All that decides what the guest of a tap is answered, and the answers.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The tap as it stands; None without a binding file.
    pub status: Option<Status>,
    /// What of the binding in force will not do what its writer expects.
    pub doubts: Vec<BindingError>,
    /// The tap, if it is there.
    pub tap: Option<Link>,
    /// The bridge (or bond) that the tap is a port of.
    pub master: Option<Link>,
    /// The interface of `INDEV`, if it is there.
    pub indev: Option<Link>,
    /// On a bridge, why the guest is not known where the kernel names the bridge and not its port; None if it is.
    pub unclaimed: Option<Reason>,
    /// What is asked, and answered. Nothing without a binding in force, or without the tap.
    pub rehearsals: Vec<Rehearsal>,
}

/// One question, and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rehearsal {
    /// What is asked.
    pub inquiry: Inquiry,
    /// The packet that asks it, from its IP header on.
    pub request: Vec<u8>,
    /// What becomes of that.
    pub outcome: Outcome,
    /// The frame that answers it, if one does.
    pub reply: Option<Vec<u8>>,
}

/// What an honest guest asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inquiry {
    /// DHCPDISCOVER.
    Discover,
    /// DHCPREQUEST for what was offered (RFC 2131 §4.3.2, SELECTING).
    Request,
    /// A Router Solicitation.
    RouterSolicitation,
    /// A Neighbor Solicitation for the router.
    NeighborSolicitation,
    /// A DHCPv6 Information-Request, where addresses are not given by DHCPv6.
    InformationRequest,
    /// A DHCPv6 Solicit, where they are.
    Solicit,
}

impl Engine {
    /// What the guest of `tap` would be answered now, and why. Counts nothing, and takes nothing of any limit.
    pub fn explain(&self, tap: InterfaceName) -> Explanation {
        let serving = self.table.serving(tap);
        let binding = serving.map(|serving| &*serving.binding);
        let link = self.table.link(tap);
        let master = link.and_then(|link| self.table.link(self.table.name(link.master?)?));
        Explanation {
            status: self.status_of(tap),
            doubts: serving.map(|serving| serving.doubts.clone()).unwrap_or_default(),
            tap: link.cloned(),
            master: master.cloned(),
            indev: binding.and_then(|binding| self.table.link(binding.indev)).cloned(),
            unclaimed: binding.zip(master).and_then(|(binding, master)| self.unclaimed(binding, master)),
            rehearsals: binding.zip(link).map(|(binding, tap)| self.rehearse(binding, tap)).unwrap_or_default(),
        }
    }

    /// Why the guest is not known by its MAC alone on the bridge that its tap is a port of, if it is not.
    fn unclaimed(&self, binding: &Binding, master: &Link) -> Option<Reason> {
        let ingress = Ingress {
            indev: Some(master.is_bridge.then_some(master.ifindex)?),
            physindev: None,
            source_mac: Some(binding.mac),
            checksums: Checksums::Verify,
            packet: &[],
        };
        self.table.identify(&ingress).err().map(|stranger| stranger.reason)
    }

    /// All that an honest guest asks, one after the other.
    fn rehearse(&self, binding: &Binding, tap: &Link) -> Vec<Rehearsal> {
        let asker = Asker { binding, router: self.router_address(binding) };
        let mut rehearsals = vec![self.try_out(binding, tap, Inquiry::Discover, asker.discover())];
        let offered = rehearsals.first().and_then(|discover| server_id(discover.reply.as_deref()?));
        // Whoever is offered nothing requests nothing.
        rehearsals.extend(offered.map(|server| self.try_out(binding, tap, Inquiry::Request, asker.request(server))));
        let mut add = |inquiry, packet: Option<Vec<u8>>| {
            rehearsals.extend(packet.map(|packet| self.try_out(binding, tap, inquiry, packet)));
        };
        add(Inquiry::RouterSolicitation, asker.router_solicitation());
        add(Inquiry::NeighborSolicitation, asker.neighbor_solicitation());
        if self.config.ipv6.as_ref().is_some_and(|ipv6| ipv6.mode.is_stateful()) {
            add(Inquiry::Solicit, asker.solicit());
        } else {
            add(Inquiry::InformationRequest, asker.information_request());
        }
        rehearsals
    }

    /// The address that the guest takes its router to have.
    fn router_address(&self, binding: &Binding) -> Option<Ipv6Addr> {
        let router = self.table.serving(binding.tap).and_then(|serving| Some(serving.router.ok()?.link_local()));
        router.or(binding.ipv6.as_ref().and_then(|ipv6| ipv6.gateway))
    }

    /// Has a packet answered as if it came from the tap, and the kernel named that.
    fn try_out(&self, binding: &Binding, tap: &Link, inquiry: Inquiry, request: Vec<u8>) -> Rehearsal {
        let mut frame = vec![0; MAX_FRAME];
        let ingress = ingress(binding, tap, &request);
        let outcome = match self.table.identify(&ingress) {
            Ok(sender) => answer(&self.table, &self.config, sender, &ingress, &mut OptionList::default(), &mut frame),
            Err(stranger) => Outcome::refused(stranger.reason.into(), stranger.name),
        };
        let reply = outcome.reply.map(|transmit| {
            frame.truncate(transmit.len);
            frame
        });
        Rehearsal { inquiry, request, outcome, reply }
    }
}

/// The packet as NFQUEUE would deliver it.
fn ingress<'p>(binding: &Binding, tap: &Link, packet: &'p [u8]) -> Ingress<'p> {
    Ingress {
        indev: tap.master.or(Some(tap.ifindex)),
        physindev: tap.master.map(|_| tap.ifindex),
        source_mac: Some(binding.mac),
        checksums: Checksums::Verify,
        packet,
    }
}

/// Who made the offer in this frame.
fn server_id(offer: &[u8]) -> Option<Ipv4Addr> {
    dhcpv4::Request::parse(offer.get(udp::FRAME_PAYLOAD_V4..)?).ok()?.server_id
}
