//! From a packet of a known guest to its answer: layer by layer, each check a reason of its own.

use super::outcome::{Answer, Reason, Refusal};
use super::ra::{self, Advertiser};
use super::slot::Serving;
use super::solicitation::Solicitation;
use super::{Ingress, Link, dhcpv4, dhcpv6, na};
use crate::binding::Binding;
use crate::config::{Config, Ipv6};
use crate::wire::dhcpv4::{OptionList, Request, SERVER_PORT};
use crate::wire::udp::{self, Envelope, Udp};
use crate::wire::{DecodeError, Layer, MacAddr, dhcpv6 as wire, ethernet, icmpv6, ipv4, ipv6};

/// The guest that a packet belongs to, and the node as it sees it.
pub(super) struct Guest<'a> {
    /// Its binding, and the answers made of it.
    pub(super) serving: &'a Serving,
    /// What it is told of routers.
    pub(super) advertiser: &'a Advertiser,
    /// The configuration.
    pub(super) config: &'a Config,
    /// Its tap.
    pub(super) tap: &'a Link,
    /// Whether only the frame's source MAC says that it is this guest.
    pub(super) is_claimed: bool,
}

impl Guest<'_> {
    /// Decides on a packet; an answer is in `frame`.
    pub(super) fn answer(
        &self,
        ingress: &Ingress<'_>,
        options: &mut OptionList,
        frame: &mut [u8],
    ) -> Result<Answer, Refusal> {
        let answer = match ingress.packet.first().map(|byte| byte >> 4) {
            Some(4) => self.answer_ipv4(ingress, options, frame)?,
            Some(6) => self.answer_ipv6(ingress, frame)?,
            _ => return Err(DecodeError::new(Layer::Ethernet, "payload").into()),
        };
        // The kernel would refuse it: a tap with an MTU under 1,280 bytes has no IPv6.
        if self.tap.carries(answer.len) { Ok(answer) } else { Err(Reason::NoFit.into()) }
    }

    fn binding(&self) -> &Binding {
        &self.serving.binding
    }

    /// The frame must come from the guest's own MAC.
    fn check_frame(&self, ingress: &Ingress<'_>) -> Result<(), Refusal> {
        match ingress.source_mac {
            Some(mac) if !self.binding().allows_mac(mac) => Err(Refusal::spoofed_frame(mac)),
            _ => Ok(()),
        }
    }

    /// The MAC that sent the frame, to which direct answers go.
    fn sender(&self, ingress: &Ingress<'_>) -> MacAddr {
        ingress.source_mac.unwrap_or(self.binding().mac)
    }

    fn answer_ipv4(
        &self,
        ingress: &Ingress<'_>,
        options: &mut OptionList,
        frame: &mut [u8],
    ) -> Result<Answer, Refusal> {
        if self.config.dhcp.is_none() {
            return Err(Reason::ServiceDisabled.into());
        }
        let answers = self.serving.dhcpv4.as_ref().ok_or(Reason::NoIpv4)?;
        self.check_frame(ingress)?;
        let datagram = ipv4::Datagram::parse(ingress.packet)?;
        if datagram.protocol != ipv4::UDP {
            return Err(Reason::NotOurs.into());
        }
        let udp = Udp::parse_v4(&datagram, ingress.checksums)?;
        if udp.destination_port != SERVER_PORT {
            return Err(Reason::NotOurs.into());
        }
        let source = datagram.source;
        if source.is_multicast() || source.is_broadcast() || source.is_loopback() {
            return Err(Reason::BadSource.into());
        }
        let request = Request::parse(udp.payload)?;
        if !self.binding().allows_mac(request.chaddr) {
            return Err(Refusal::spoofed_message(request.chaddr));
        }
        let context = dhcpv4::Context {
            is_claimed: self.is_claimed,
            source,
            source_mac: self.sender(ingress),
            // A reply needs no more than a source; a router that is not there must not cost the guest its lease.
            own_mac: self.serving.router.or(self.tap.mac.ok_or(Reason::NoIndev))?,
            mtu: self.tap.mtu,
        };
        Ok(answers.reply(&request, &context, options, frame)?)
    }

    fn answer_ipv6(&self, ingress: &Ingress<'_>, frame: &mut [u8]) -> Result<Answer, Refusal> {
        let config = self.config.ipv6.as_ref().ok_or(Reason::ServiceDisabled)?;
        if self.binding().ipv6.is_none() {
            return Err(Reason::NoIpv6.into());
        }
        self.check_frame(ingress)?;
        let datagram = ipv6::Datagram::parse(ingress.packet)?;
        let source = datagram.source;
        // RFC 4291 §2.5.5.2: a mapped address is none of the wire's.
        if source.is_multicast() || source.is_loopback() || source.to_ipv4_mapped().is_some() {
            return Err(Reason::BadSource.into());
        }
        let answer = match datagram.protocol {
            ipv6::ICMPV6 => self.answer_icmpv6(config, ingress, &datagram, frame)?,
            ipv6::UDP => self.answer_udp6(config, ingress, &datagram, frame)?,
            _ => return Err(Reason::NotOurs.into()),
        };
        // Only now, for what is not for us goes on to who may know that option.
        if datagram.has_unknown_option { Err(Reason::UnknownOption.into()) } else { Ok(answer) }
    }

    fn answer_icmpv6(
        &self,
        config: &Ipv6,
        ingress: &Ingress<'_>,
        datagram: &ipv6::Datagram<'_>,
        frame: &mut [u8],
    ) -> Result<Answer, Refusal> {
        datagram.verify_icmpv6(ingress.checksums)?;
        let message = icmpv6::Message::parse(datagram.payload)?;
        let solicitation = Solicitation {
            binding: self.binding(),
            sender: ingress.source_mac,
            hop_limit: datagram.hop_limit,
            source: datagram.source,
            destination: datagram.destination,
            code: message.code,
            body: message.body,
        };
        match message.message_type {
            icmpv6::ROUTER_SOLICITATION if config.rs_queue.is_some() => {
                self.answer_router_solicitation(&solicitation, frame)
            }
            icmpv6::NEIGHBOR_SOLICITATION if config.ns_queue.is_some() => {
                self.answer_neighbor_solicitation(&solicitation, frame)
            }
            icmpv6::ROUTER_SOLICITATION | icmpv6::NEIGHBOR_SOLICITATION => Err(Reason::ServiceDisabled.into()),
            _ => Err(Reason::NotOurs.into()),
        }
    }

    fn answer_router_solicitation(&self, solicitation: &Solicitation<'_>, frame: &mut [u8]) -> Result<Answer, Refusal> {
        let asker = ra::solicited(solicitation)?;
        self.serving.router?;
        let advertisement = self.advertiser.answer().ok_or(Reason::NoIndev)?;
        let ethernet = ethernet::Addresses { source: advertisement.source, destination: asker.destination_mac };
        let source = advertisement.source.link_local();
        let len = ipv6::put_icmpv6(frame, ethernet, source, asker.destination, &advertisement.message);
        Ok(Answer { reason: Reason::RouterAdvertised, len: len.ok_or(Reason::NoFit)?, omitted: 0, delegation: None })
    }

    fn answer_neighbor_solicitation(
        &self,
        solicitation: &Solicitation<'_>,
        frame: &mut [u8],
    ) -> Result<Answer, Refusal> {
        let reply = na::decide(solicitation, self.serving.router)?;
        let ethernet = ethernet::Addresses { source: reply.source_mac, destination: reply.destination_mac };
        let len = ipv6::put_icmpv6(frame, ethernet, reply.source, reply.destination, &reply.message);
        Ok(Answer { reason: reply.reason, len: len.ok_or(Reason::NoFit)?, omitted: 0, delegation: None })
    }

    fn answer_udp6(
        &self,
        config: &Ipv6,
        ingress: &Ingress<'_>,
        datagram: &ipv6::Datagram<'_>,
        frame: &mut [u8],
    ) -> Result<Answer, Refusal> {
        let udp = Udp::parse_v6(datagram, ingress.checksums)?;
        if udp.destination_port != wire::SERVER_PORT {
            return Err(Reason::NotOurs.into());
        }
        if config.dhcpv6_queue.is_none() {
            return Err(Reason::ServiceDisabled.into());
        }
        if datagram.source.is_unspecified() {
            return Err(Reason::BadSource.into());
        }
        let answers = self.serving.dhcpv6.as_ref().ok_or(Reason::NoIpv6)?;
        let payload = frame.get_mut(udp::FRAME_PAYLOAD_V6..).ok_or(Reason::NoFit)?;
        let context =
            dhcpv6::Context { is_claimed: self.is_claimed, source: datagram.source, destination: datagram.destination };
        let reply = dhcpv6::decide(answers, &context, udp.payload, payload)?;
        // Only now, for what is not for us goes on even where there is no router.
        let router = self.serving.router?;
        let envelope = Envelope {
            ethernet: ethernet::Addresses { source: router, destination: self.sender(ingress) },
            source: (router.link_local(), wire::SERVER_PORT),
            destination: (datagram.source, wire::CLIENT_PORT),
        };
        let len = udp::seal_v6(frame, &envelope, reply.len).ok_or(Reason::NoFit)?;
        Ok(Answer { reason: reply.reason, len, omitted: reply.omitted, delegation: reply.delegation })
    }
}
