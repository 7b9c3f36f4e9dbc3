//! DHCPv6: which answer a message gets, and what is in it (RFC 8415, and RFC 9915, which replaces it).

mod menu;
mod options;
mod stateful;

#[cfg(test)]
mod tests;

use std::net::Ipv6Addr;

use menu::Menu;
use options::Scope;
use stateful::{Exchange, Leases};

use super::fit::TooLarge;
use super::name;
use super::outcome::{Delegation, Reason, Refusal};
use crate::binding::Binding;
use crate::config::{Config, Ipv6};
use crate::wire::dhcpv6::{Encoder, HEADER_LEN, IaKind, Message, MessageType, NoRoom, OPTION_HEADER_LEN, fqdn, option};
use crate::wire::duid::{self, SERVER_DUID_LEN, server_duid};
use crate::wire::ipv6::{self, MIN_MTU};
use crate::wire::udp;

/// The length of the IPv6 and UDP headers in bytes.
const HEADERS_LEN: usize = ipv6::HEADER_LEN + udp::HEADER_LEN;

/// The longest message in bytes: what every IPv6 link carries in one packet.
const MAX_LEN: usize = MIN_MTU - HEADERS_LEN;

/// What one guest is answered, built when its binding or the configuration changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    server_id: [u8; SERVER_DUID_LEN],
    /// Addresses and prefixes; None where DHCPv6 gives none.
    leases: Option<Box<Leases>>,
    menu: Menu,
    /// What the options of a reply about leases take at most, in bytes.
    stateful_len: usize,
    /// The guest's name in label form.
    name: Box<[u8]>,
}

/// What is known of a message besides its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// Whether the sender is only claimed: the kernel named a bridge, not a tap.
    pub is_claimed: bool,
    /// The source address of the packet.
    pub source: Ipv6Addr,
    /// The destination address of the packet.
    pub destination: Ipv6Addr,
}

/// A reply to send from port 547 to port 546 of the request's source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// Which kind of answer this is.
    pub reason: Reason,
    /// The length of the UDP payload in bytes.
    pub len: usize,
    /// How many identity associations, and old leases in them, found no room.
    pub omitted: usize,
    /// What the reply changes about the guest's delegated prefix.
    pub delegation: Option<Delegation>,
}

impl Answers {
    /// What the guest of `binding` is told; None if it has no IPv6 or DHCPv6 is not served.
    pub fn new(binding: &Binding, config: &Config) -> Option<Self> {
        let ipv6 = config.ipv6.as_ref().filter(|ipv6| ipv6.dhcpv6_queue.is_some())?;
        let guest = binding.ipv6.as_ref()?;
        let menu = Menu::new(&options::prepare(binding, ipv6));
        let name = name::encoded(&name::full(binding, config));
        Some(Self {
            server_id: server_duid(binding.mac),
            leases: ipv6.mode.is_stateful().then(|| Leases::new(binding, guest, config, ipv6).into()),
            stateful_len: OPTION_HEADER_LEN + 1 + name.len() + menu.len(Scope::Stateful),
            menu,
            name,
        })
    }

    /// An error, unless the largest reply to the guest of `binding` fits a packet that every IPv6 link carries.
    pub fn check_fit(&self, binding: &Binding, config: &Ipv6) -> Result<(), TooLarge> {
        let ids = OPTION_HEADER_LEN + SERVER_DUID_LEN + OPTION_HEADER_LEN + duid::MAX_LEN;
        let stateful = self.leases.as_ref().map(|_| stateful::LONGEST + self.stateful_len);
        let largest = self.menu.len(Scope::Informed).max(stateful.unwrap_or_default());
        let options = options::prepare(binding, config);
        let parts = options.iter().map(|option| (option.key, option.len()));
        TooLarge::check("DHCPv6 reply", HEADERS_LEN + HEADER_LEN + ids + largest, parts)
    }

    /// Begins a reply. RFC 8415 §18.3: it has the server identifier, and the client identifier if the message has one.
    fn begin<'o>(
        &self,
        message_type: MessageType,
        message: &Message<'_>,
        out: &'o mut [u8],
    ) -> Result<Encoder<'o>, NoRoom> {
        let mut reply = Encoder::new(out, message_type, message.transaction_id)?;
        reply.option(option::SERVER_ID, &self.server_id)?;
        if let Some(client_id) = message.client_id() {
            reply.option(option::CLIENT_ID, client_id)?;
        }
        Ok(reply)
    }

    /// RFC 8415 §18.3.6.
    fn inform(&self, message: &Message<'_>, out: &mut [u8]) -> Result<Reply, NoRoom> {
        let mut reply = self.begin(MessageType::Reply, message, out)?;
        self.put_options(Scope::Informed, message, &mut reply)?;
        Ok(Reply { reason: Reason::Dhcpv6Informed, len: reply.finish(), omitted: 0, delegation: None })
    }

    fn put_options(&self, scope: Scope, message: &Message<'_>, reply: &mut Encoder<'_>) -> Result<(), NoRoom> {
        match message.requested_options() {
            Some(codes) => self.menu.put_requested(scope, codes, reply),
            None => self.menu.put_usual(scope, reply),
        }
    }

    /// RFC 4704 §6: only for a client that sent its own and asks for ours. It is told the guest's name, and that nobody
    /// here updates the DNS.
    fn put_fqdn(&self, message: &Message<'_>, reply: &mut Encoder<'_>) -> Result<(), NoRoom> {
        let Some(flags) = message.fqdn_flags().filter(|_| message.requests(option::CLIENT_FQDN)) else {
            return Ok(());
        };
        // RFC 4704 §4.1: O where our S, which is 0, is not the client's.
        let overridden = if flags & fqdn::SERVER_UPDATES == 0 { 0 } else { fqdn::OVERRIDDEN };
        reply.joined(option::CLIENT_FQDN, &[&[fqdn::NO_UPDATE | overridden], &self.name])
    }
}

/// Decides on a UDP payload that came to port 547. The payload of the reply is in `out`.
pub fn decide(answers: &Answers, context: &Context, payload: &[u8], out: &mut [u8]) -> Result<Reply, Refusal> {
    check_type(payload)?;
    let message = Message::parse(payload)?;
    // RFC 8415 §16: a message with the identifier of another server is for that one.
    if message.server_id().is_some_and(|id| id != answers.server_id) {
        return Err(Reason::OtherServer6.into());
    }
    let len = out.len().min(MAX_LEN);
    let out = out.get_mut(..len).unwrap_or_default();
    if message.message_type == MessageType::InformationRequest {
        check(answers, context, &message)?;
        check_information_request(&message)?;
        return Ok(answers.inform(&message, out).map_err(|NoRoom| Reason::NoFit)?);
    }
    let leases = answers.leases.as_ref().ok_or(Reason::StatefulUnserved)?;
    check(answers, context, &message)?;
    Exchange { answers, leases, context, message: &message, ias: message.ias()? }.reply(out)
}

/// Refuses what is not a client's message to a server, by its type alone: other types have other headers.
fn check_type(payload: &[u8]) -> Result<(), Refusal> {
    match MessageType::peek(payload)? {
        MessageType::RelayForward | MessageType::RelayReply => Err(Reason::Relayed.into()),
        // RFC 8415 §16.3, §16.10, §16.11: servers discard what servers send.
        MessageType::Advertise | MessageType::Reply | MessageType::Reconfigure => Err(Reason::ServerMessage.into()),
        MessageType::Other(_) => Err(Reason::UnexpectedMessage.into()),
        MessageType::Solicit
        | MessageType::Request
        | MessageType::Confirm
        | MessageType::Renew
        | MessageType::Rebind
        | MessageType::Release
        | MessageType::Decline
        | MessageType::InformationRequest => Ok(()),
    }
}

/// What holds of a message's addresses and identifiers, whatever else is in it (RFC 8415 §16).
fn check(answers: &Answers, context: &Context, message: &Message<'_>) -> Result<(), Reason> {
    // RFC 8415 §16: servers discard Solicit, Confirm, Rebind and Information-Request with a unicast destination, and
    // §18.4: the others are answered UseMulticast. RFC 9915 §16 knows no such answer and accepts none of them.
    if !context.destination.is_multicast() {
        return Err(Reason::BadDestination);
    }
    match message.message_type {
        // RFC 8415 §16.12: either identifier may be there or not.
        MessageType::InformationRequest => {}
        // RFC 8415 §16.2, §16.5, §16.7: a client identifier, and no server identifier.
        MessageType::Solicit | MessageType::Confirm | MessageType::Rebind => {
            message.client_id().ok_or(Reason::NoClientId)?;
            message.server_id().map_or(Ok(()), |_| Err(Reason::NeedlessServerId))?;
        }
        // RFC 8415 §16.4, §16.6, §16.8, §16.9: both.
        _ => {
            message.client_id().ok_or(Reason::NoClientId)?;
            message.server_id().ok_or(Reason::NoServerId)?;
        }
    }
    // RFC 8415 §11: no two have the same DUID.
    if message.client_id() == Some(&answers.server_id) { Err(Reason::OwnDuid) } else { Ok(()) }
}

/// RFC 8415 §16.12: servers discard an Information-Request with an IA option.
fn check_information_request(message: &Message<'_>) -> Result<(), Reason> {
    let has_ia = message.options().any(|option| IaKind::of(option.code).is_some());
    if has_ia { Err(Reason::BadInformationRequest) } else { Ok(()) }
}
