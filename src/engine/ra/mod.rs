//! Router Advertisements: what they say ([`Content`]), when they are sent unasked ([`Advertiser`]), and which Router
//! Solicitations are answered ([`solicited`]).

pub mod advertiser;
pub mod content;

use std::net::Ipv6Addr;

pub use advertiser::{Advertisement, Advertiser, Situation};
pub use content::Content;

use super::outcome::Refusal;
use super::solicitation::Solicitation;
use crate::wire::MacAddr;
use crate::wire::ndp::{self, RouterSolicitation};

/// Where the answer to a Router Solicitation goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asker {
    /// The IPv6 destination.
    pub destination: Ipv6Addr,
    /// The frame's destination.
    pub destination_mac: MacAddr,
}

/// Where to send the [`Advertiser::answer`] to a Router Solicitation, or why it is not answered.
pub fn solicited(solicitation: &Solicitation<'_>) -> Result<Asker, Refusal> {
    check(solicitation)?;
    // RFC 4861 §6.2.6 lets a router answer the asker alone. One that has no address yet hears what goes to all nodes;
    // the frame goes to its MAC nevertheless (RFC 6085), for no other node has asked.
    let destination = if solicitation.source.is_unspecified() { ndp::ALL_NODES } else { solicitation.source };
    Ok(Asker { destination, destination_mac: solicitation.asker_mac() })
}

/// RFC 4861 §6.1.1, and no forgery.
fn check(solicitation: &Solicitation<'_>) -> Result<(), Refusal> {
    solicitation.check_headers()?;
    let message = RouterSolicitation::parse(solicitation.body)?;
    solicitation.check_claim(message.source_link_layer())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binding::Binding;
    use crate::engine::outcome::Reason;
    use crate::engine::testing::{GUEST, OTHER, binding};

    const LINK_LOCAL: &str = "fe80::1234";
    const NO_OPTIONS: &[u8] = &[0; 4];
    const SLLA: &[u8] = &[0, 0, 0, 0, 1, 1, 0xaa, 0, 0, 0, 0, 1];

    fn solicitation<'a>(binding: &'a Binding, source: &str, body: &'a [u8]) -> Solicitation<'a> {
        let (source, destination) = (source.parse().unwrap(), ndp::ALL_NODES);
        Solicitation { binding, sender: Some(GUEST), hop_limit: 255, source, destination, code: 0, body }
    }

    #[test]
    fn the_asker_alone_is_answered() {
        let cases = [
            (LINK_LOCAL, NO_OPTIONS, LINK_LOCAL),
            (LINK_LOCAL, SLLA, LINK_LOCAL),
            ("2001:db8::5", SLLA, "2001:db8::5"),
            ("::", NO_OPTIONS, "ff02::1"),
        ];
        for (source, body, destination) in cases {
            let expected = Asker { destination: destination.parse().unwrap(), destination_mac: GUEST };
            assert_eq!(solicited(&solicitation(&binding(), source, body)), Ok(expected));
        }
    }

    #[test]
    fn refuses_what_is_not_valid() {
        type Change = fn(&mut Solicitation<'_>);
        let cases: [(&str, &[u8], Change, Reason); 5] = [
            (LINK_LOCAL, SLLA, |s| s.hop_limit = 64, Reason::HopLimit),
            (LINK_LOCAL, SLLA, |s| s.code = 1, Reason::Malformed),
            (LINK_LOCAL, &[0; 3], |_| (), Reason::Malformed),
            (LINK_LOCAL, &[0; 6], |_| (), Reason::Malformed),
            ("::", SLLA, |_| (), Reason::Malformed),
        ];
        for (source, body, change, expected) in cases {
            let binding = binding();
            let mut solicitation = solicitation(&binding, source, body);
            change(&mut solicitation);
            assert_eq!(solicited(&solicitation).unwrap_err().reason, expected);
        }
    }

    #[test]
    fn macspoof_lets_other_macs_pass() {
        let mut binding = binding();
        binding.mac = OTHER;
        let result = solicited(&solicitation(&binding, LINK_LOCAL, SLLA));
        assert_eq!(result, Err(Refusal::spoofed_message(GUEST)));
        binding.settings.macspoof = true;
        let mut solicitation = solicitation(&binding, LINK_LOCAL, SLLA);
        assert_eq!(solicited(&solicitation).unwrap().destination_mac, GUEST);
        solicitation.sender = None;
        assert_eq!(solicited(&solicitation).unwrap().destination_mac, OTHER);
    }
}
