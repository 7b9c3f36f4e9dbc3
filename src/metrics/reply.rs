//! What kind of message a reply is.

use crate::engine::Reason;

/// Every kind of message that a packet is answered with.
pub(super) const TYPES: [&str; 8] = [
    "dhcpv4_offer",
    "dhcpv4_ack",
    "dhcpv4_nak",
    "bootp_reply",
    "router_advertisement",
    "neighbor_advertisement",
    "dhcpv6_advertise",
    "dhcpv6_reply",
];

/// With which of [`TYPES`] a packet was answered that ended so; None if it got no answer.
pub(super) fn of(reason: Reason) -> Option<&'static str> {
    Some(match reason {
        Reason::Offered => "dhcpv4_offer",
        Reason::RapidCommitted | Reason::Acked | Reason::Informed => "dhcpv4_ack",
        Reason::Naked => "dhcpv4_nak",
        Reason::BootpReplied => "bootp_reply",
        Reason::RouterAdvertised => "router_advertisement",
        Reason::NeighborAdvertised | Reason::NeighborProxied | Reason::AddressDefended => "neighbor_advertisement",
        Reason::Dhcpv6Advertised => "dhcpv6_advertise",
        Reason::Dhcpv6Informed
        | Reason::Dhcpv6RapidCommitted
        | Reason::Dhcpv6Requested
        | Reason::Dhcpv6Renewed
        | Reason::Dhcpv6Rebound
        | Reason::Dhcpv6Confirmed
        | Reason::Dhcpv6NotOnLink
        | Reason::Dhcpv6Released
        | Reason::Dhcpv6Declined
        | Reason::Dhcpv6NoBinding => "dhcpv6_reply",
        _ => return None,
    })
}

/// What is sent unasked: the reason that it is counted by, and what it is.
pub(super) const UNSOLICITED: [(Reason, &str); 2] =
    [(Reason::Advertised, "router_advertisement"), (Reason::Announced, "announcement")];

/// Whether packets of a queue can end so.
pub(super) fn ends_a_packet(reason: Reason) -> bool {
    reason != Reason::SendFailed && UNSOLICITED.iter().all(|(unsolicited, _)| *unsolicited != reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of reasons begins with the answers.
    #[test]
    fn every_answer_is_of_a_type() {
        let released = Reason::ALL.iter().position(|reason| *reason == Reason::Released).unwrap();
        for (number, reason) in Reason::ALL.iter().enumerate() {
            let is_answer = number < released && ends_a_packet(*reason);
            assert_eq!(of(*reason).is_some(), is_answer, "{}", reason.name());
        }
        for kind in TYPES {
            assert!(Reason::ALL.iter().any(|reason| of(*reason) == Some(kind)), "{kind}");
        }
        assert!(Reason::ALL.iter().filter_map(|reason| of(*reason)).all(|kind| TYPES.contains(&kind)));
    }
}
