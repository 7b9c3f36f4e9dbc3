//! What became of a packet, and why: one [`Reason`] for every way a packet can end.

use std::fmt;
use std::net::Ipv6Addr;

use super::Transmit;
use crate::binding::{IfIndex, InterfaceName};
use crate::wire::{DecodeError, MacAddr, PacketError};

/// What netfilter is told to do with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// `NF_ACCEPT`: go on as if the daemon did not exist.
    Accept,
    /// `NF_DROP`: the packet was for us, whether answered or refused.
    Drop,
}

/// How an end of a packet is told to an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    /// Everyday: an answer that is part of a longer exchange, a packet that is none of ours.
    Debug,
    /// Worth a line: a lease given, a guest that left.
    Info,
    /// Something is wrong with the guest, or with what it was told.
    Warn,
}

/// The end of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Why it ended so. Decides the verdict.
    pub reason: Reason,
    /// Which field was wrong, where the packet was malformed.
    pub detail: Option<DecodeError>,
    /// The MAC that stood for the guest's, where the packet was spoofed.
    pub foreign: Option<MacAddr>,
    /// The tap that the packet came from, where it is known.
    pub tap: Option<InterfaceName>,
    /// The reply, where there is one.
    pub reply: Option<Transmit>,
    /// How many options the reply lacks because the client takes no larger message.
    pub omitted: usize,
    /// What the reply changes about the guest's delegated prefix.
    pub delegation: Option<Delegation>,
}

/// What a guest did with the prefix that is delegated to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delegation {
    /// It took the prefix, or keeps it, and is reached at this address.
    Taken(Ipv6Addr),
    /// It gave the prefix back.
    Released,
}

impl Outcome {
    /// What netfilter is to be told.
    pub fn verdict(&self) -> Verdict {
        self.reason.verdict()
    }

    /// A packet that is answered through the tap.
    pub(super) fn answered(answer: Answer, ifindex: IfIndex, tap: InterfaceName) -> Self {
        let Answer { reason, len, omitted, delegation } = answer;
        let reply = Some(Transmit { ifindex, len });
        Self { reason, detail: None, foreign: None, tap: Some(tap), reply, omitted, delegation }
    }

    /// A packet that is not answered.
    pub(super) fn refused(refusal: Refusal, tap: Option<InterfaceName>) -> Self {
        let Refusal { reason, detail, foreign } = refusal;
        Self { reason, detail, foreign, tap, reply: None, omitted: 0, delegation: None }
    }
}

/// A reply, written into the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// What it is counted as.
    pub reason: Reason,
    /// The length of the frame, in bytes.
    pub len: usize,
    /// How many options found no room.
    pub omitted: usize,
    /// What it changes about the guest's delegated prefix.
    pub delegation: Option<Delegation>,
}

/// Why a packet gets no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// What it is counted as.
    pub reason: Reason,
    /// Which field was wrong, where the packet was malformed.
    pub detail: Option<DecodeError>,
    /// The MAC that stood for the guest's, where the packet was spoofed.
    pub foreign: Option<MacAddr>,
}

impl Refusal {
    /// A frame that has somebody else's source MAC.
    pub(super) fn spoofed_frame(foreign: MacAddr) -> Self {
        Self { reason: Reason::SpoofedFrame, detail: None, foreign: Some(foreign) }
    }

    /// A message that has somebody else's MAC inside.
    pub(super) fn spoofed_message(foreign: MacAddr) -> Self {
        Self { reason: Reason::SpoofedMessage, detail: None, foreign: Some(foreign) }
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self { reason, detail: None, foreign: None }
    }
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        Self { reason: Reason::Malformed, detail: Some(error), foreign: None }
    }
}

impl From<PacketError> for Refusal {
    fn from(error: PacketError) -> Self {
        match error {
            PacketError::Malformed(error) => error.into(),
            PacketError::Checksum(_) => Reason::BadChecksum.into(),
            PacketError::Fragment => Reason::Fragment.into(),
            PacketError::ExtensionHeaders => Reason::ExtensionHeaders.into(),
        }
    }
}

macro_rules! reasons {
    ($( $(#[doc = $doc:literal])+ $variant:ident $name:literal $verdict:ident $severity:ident )+) => {
        /// Why a packet ended as it did: one variant for each check and each answer, each counted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Reason { $( $(#[doc = $doc])+ $variant, )+ }

        impl Reason {
            /// All reasons, in the order of their counters.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )+ ];

            /// The name of the counter.
            pub const fn name(self) -> &'static str {
                match self { $( Self::$variant => $name, )+ }
            }

            /// What an operator reads.
            pub const fn description(self) -> &'static str {
                match self { $( Self::$variant => concat!($($doc,)+).trim_ascii(), )+ }
            }

            /// The verdict that goes with the reason: ACCEPT for what is none of ours, DROP for the rest.
            pub const fn verdict(self) -> Verdict {
                match self { $( Self::$variant => Verdict::$verdict, )+ }
            }

            /// How loud it is told.
            pub const fn severity(self) -> Severity {
                match self { $( Self::$variant => Severity::$severity, )+ }
            }
        }
    };
}

reasons! {
    // Answers.
    /// answered a DISCOVER with an OFFER
    Offered "dhcpv4_offer" Drop Debug
    /// answered a DISCOVER that asked for rapid commit with an ACK
    RapidCommitted "dhcpv4_rapid_commit" Drop Info
    /// confirmed an address with an ACK
    Acked "dhcpv4_ack" Drop Info
    /// refused an address that is not the guest's with a NAK
    Naked "dhcpv4_nak" Drop Warn
    /// answered an INFORM with an ACK
    Informed "dhcpv4_inform" Drop Info
    /// answered a BOOTP request
    BootpReplied "bootp_reply" Drop Info
    /// answered a Router Solicitation
    RouterAdvertised "ra_solicited" Drop Debug
    /// sent a Router Advertisement that nobody asked for
    Advertised "ra_unsolicited" Drop Debug
    /// announced a guest's address on the uplink
    Announced "announced" Drop Debug
    /// answered a Neighbor Solicitation for one of our own addresses
    NeighborAdvertised "na_own" Drop Debug
    /// answered a Neighbor Solicitation as proxy
    NeighborProxied "na_proxied" Drop Debug
    /// defended one of our addresses against duplicate address detection
    AddressDefended "na_defended" Drop Warn
    /// answered a DHCPv6 Information-Request
    Dhcpv6Informed "dhcpv6_information" Drop Info
    /// answered a DHCPv6 Solicit with an Advertise
    Dhcpv6Advertised "dhcpv6_advertise" Drop Debug
    /// answered a DHCPv6 Solicit that asked for rapid commit with a Reply
    Dhcpv6RapidCommitted "dhcpv6_rapid_commit" Drop Info
    /// answered a DHCPv6 Request
    Dhcpv6Requested "dhcpv6_request" Drop Info
    /// answered a DHCPv6 Renew
    Dhcpv6Renewed "dhcpv6_renew" Drop Info
    /// answered a DHCPv6 Rebind
    Dhcpv6Rebound "dhcpv6_rebind" Drop Info
    /// answered a DHCPv6 Confirm of the guest's own address
    Dhcpv6Confirmed "dhcpv6_confirm" Drop Info
    /// told a guest that asked for it by DHCPv6 Confirm that an address is not its own
    Dhcpv6NotOnLink "dhcpv6_not_on_link" Drop Warn
    /// the guest released what DHCPv6 had given it
    Dhcpv6Released "dhcpv6_release" Drop Info
    /// the guest declined what DHCPv6 had given it: somebody else uses it
    Dhcpv6Declined "dhcpv6_decline" Drop Warn
    /// the guest released or declined by DHCPv6 what is not its own
    Dhcpv6NoBinding "dhcpv6_no_binding" Drop Debug

    // Heard, and not to be answered.
    /// the guest released its address
    Released "dhcpv4_release" Drop Info
    /// the guest declined its address: somebody else uses it
    Declined "dhcpv4_decline" Drop Warn

    // Not for us: as if the daemon did not exist.
    /// no binding for the interface the packet came in on
    UnknownTap "unknown_tap" Accept Debug
    /// the binding file of this tap was rejected
    RejectedBinding "rejected_binding" Accept Debug
    /// no binding claims this sender on this bridge
    UnknownSender "unknown_sender" Accept Debug
    /// two bindings on this bridge have the sender's MAC
    AmbiguousSender "ambiguous_sender" Accept Warn
    /// the configuration does not have this kind of packet answered
    ServiceDisabled "service_disabled" Accept Debug
    /// the binding has no IPv4 address
    NoIpv4 "no_ipv4" Accept Debug
    /// the binding has no IPv6 prefix
    NoIpv6 "no_ipv6" Accept Debug
    /// a REQUEST to another DHCPv4 server
    OtherServer "dhcpv4_other_server" Accept Debug
    /// a message to another DHCPv6 server
    OtherServer6 "dhcpv6_other_server" Accept Debug
    /// a stateful DHCPv6 message, and addresses are not given by DHCPv6 here
    StatefulUnserved "dhcpv6_stateful" Accept Debug
    /// a Neighbor Solicitation that is not ours to answer
    NeighborNotOurs "ns_not_ours" Accept Debug
    /// a duplicate address detection of the guest's own address
    DuplicateAddressDetection "ns_dad" Accept Debug

    // Refused.
    /// the kernel named no interface
    NoInterface "no_interface" Accept Warn
    /// not a packet that is answered here: neither DHCP nor solicitation
    NotOurs "not_ours" Drop Debug
    /// bytes that are not what they claim to be
    Malformed "malformed" Drop Warn
    /// an IP fragment
    Fragment "fragment" Drop Warn
    /// too many IPv6 extension headers or options, or a way that leads on from here
    ExtensionHeaders "extension_headers" Drop Warn
    /// an IPv6 option that is not known here, and must not be passed over
    UnknownOption "unknown_option" Drop Warn
    /// a wrong checksum
    BadChecksum "bad_checksum" Drop Warn
    /// a source address that no guest may use
    BadSource "bad_source" Drop Warn
    /// a destination address that this message may not have
    BadDestination "bad_destination" Drop Warn
    /// the frame's source MAC is not the guest's
    SpoofedFrame "spoofed_frame" Drop Warn
    /// the MAC inside the message is not the guest's
    SpoofedMessage "spoofed_message" Drop Warn
    /// more packets than `rate_limit` allows
    RateLimited "rate_limited" Drop Warn
    /// a message that only servers send
    ServerMessage "server_message" Drop Warn
    /// a message type that servers do not answer
    UnexpectedMessage "unexpected_message" Drop Warn
    /// a REQUEST whose fields fit no state of RFC 2131 table 4
    StatelessRequest "dhcpv4_stateless_request" Drop Warn
    /// a wrong address, asked for by a sender that is only claimed: no NAK for that
    ClaimedWrongAddress "dhcpv4_claimed_wrong_address" Drop Warn
    /// a relayed message, which guests have no business to send
    Relayed "dhcpv6_relayed" Drop Warn
    /// a DHCPv6 message without the client identifier that it must have
    NoClientId "dhcpv6_no_client_id" Drop Warn
    /// a DHCPv6 message without the server identifier that it must have
    NoServerId "dhcpv6_no_server_id" Drop Warn
    /// a DHCPv6 message to all servers with a server identifier
    NeedlessServerId "dhcpv6_needless_server_id" Drop Warn
    /// a DHCPv6 Confirm without any address
    NothingToConfirm "dhcpv6_nothing_to_confirm" Drop Warn
    /// a wrong address, to be confirmed for a sender that is only claimed: it is not told so
    ClaimedNotOnLink "dhcpv6_claimed_not_on_link" Drop Warn
    /// the client's identifier is the server's own
    OwnDuid "dhcpv6_own_duid" Drop Warn
    /// a neighbour discovery message whose hop limit is not 255
    HopLimit "nd_hop_limit" Drop Warn
    /// an Information-Request with options that it must not have
    BadInformationRequest "dhcpv6_bad_information_request" Drop Warn
    /// what must be said does not fit the size that the client takes, or the tap
    NoFit "no_fit" Drop Warn
    /// the interface of `INDEV` is not there
    NoIndev "no_indev" Drop Warn
    /// `router_mac` is not the MAC of this routed tap, and the kernel would not listen to it
    RouterMacMisfit "router_mac_misfit" Drop Warn
    /// a reply or another frame could not be sent
    SendFailed "send_failed" Drop Warn
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What passes as if the daemon did not exist. Everything else is dropped.
    const ACCEPTED: &[Reason] = &[
        Reason::NoInterface,
        Reason::UnknownTap,
        Reason::RejectedBinding,
        Reason::UnknownSender,
        Reason::AmbiguousSender,
        Reason::ServiceDisabled,
        Reason::NoIpv4,
        Reason::NoIpv6,
        Reason::OtherServer,
        Reason::OtherServer6,
        Reason::StatefulUnserved,
        Reason::NeighborNotOurs,
        Reason::DuplicateAddressDetection,
    ];

    #[test]
    fn what_is_none_of_ours_is_accepted_and_nothing_else() {
        for reason in Reason::ALL {
            let expected = if ACCEPTED.contains(reason) { Verdict::Accept } else { Verdict::Drop };
            assert_eq!(reason.verdict(), expected, "{}", reason.name());
        }
    }

    #[test]
    fn an_operator_hears_of_leases_and_is_warned_of_trouble() {
        let leases = [Reason::Acked, Reason::RapidCommitted, Reason::Informed, Reason::BootpReplied, Reason::Released];
        let leases6 = [Reason::Dhcpv6Requested, Reason::Dhcpv6Renewed, Reason::Dhcpv6Rebound, Reason::Dhcpv6Released];
        for reason in leases.into_iter().chain(leases6) {
            assert_eq!(reason.severity(), Severity::Info, "{}", reason.name());
        }
        let trouble = [Reason::Declined, Reason::Naked, Reason::SpoofedFrame, Reason::Malformed, Reason::SendFailed];
        let trouble6 = [Reason::Dhcpv6Declined, Reason::Dhcpv6NotOnLink, Reason::NoClientId, Reason::NothingToConfirm];
        for reason in trouble.into_iter().chain(trouble6) {
            assert_eq!(reason.severity(), Severity::Warn, "{}", reason.name());
        }
    }

    #[test]
    fn every_reason_has_a_name_of_its_own() {
        for (index, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, index, "the counters go by this");
            assert!(Reason::ALL.iter().filter(|other| other.name() == reason.name()).count() == 1);
        }
    }
}
