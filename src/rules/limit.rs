//! How many packets of a kind one tap may send.

use std::str::FromStr;

use super::Kind;

/// The most that a rate or a burst may be: more than a queue carries. What nft makes of it fits its 64 bits.
const MOST: u32 = 1_000_000;

/// What one tap may send of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Packets per second.
    pub rate: u32,
    /// Packets at once, before the rate holds.
    pub burst: u32,
}

/// The limits of all kinds, each for itself: who floods DHCP still finds its neighbours.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    rates: Vec<Amount>,
    bursts: Vec<Amount>,
}

impl Limits {
    /// The usual limits, but for what these say. One that names its kind comes before one for all; of two, the later counts.
    pub fn new(rates: Vec<Amount>, bursts: Vec<Amount>) -> Self {
        Self { rates, bursts }
    }

    /// The limit of a kind. The burst is two seconds' worth, unless it is given.
    pub fn of(&self, kind: Kind) -> Limit {
        let rate = chosen(&self.rates, kind).unwrap_or(usual_rate(kind));
        let burst = chosen(&self.bursts, kind).unwrap_or((rate * 2).min(MOST));
        Limit { rate, burst }
    }
}

/// What no honest guest exceeds, and all guests of a node together can be served with.
fn usual_rate(kind: Kind) -> u32 {
    match kind {
        // A guest that starts sends a handful in a second: firmware, boot loader and system ask in turn, each once and then
        // ever more rarely (RFC 2131 §4.1, RFC 4861 §6.3.7, RFC 8415 §15).
        Kind::Dhcp | Kind::RouterSolicitation | Kind::Dhcpv6 => 20,
        // Once a second for each neighbour that is looked for or no longer heard of (RFC 4861 §7.2.2, §7.3.3). On a bridge
        // these go to the neighbours, and a guest that routes has hundreds.
        Kind::NeighborSolicitation => 500,
    }
}

/// What the amounts say of a kind.
fn chosen(amounts: &[Amount], kind: Kind) -> Option<u32> {
    let latest = |of: Option<Kind>| amounts.iter().rev().find(|amount| amount.of == of);
    latest(Some(kind)).or_else(|| latest(None)).map(|amount| amount.number)
}

/// A rate or a burst, of one kind or of all: `ns=1000`, `20`, `20/second`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    of: Option<Kind>,
    number: u32,
}

/// The text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// What is before the `=`.
    #[error(transparent)]
    Kind(#[from] super::UnknownKind),
    /// The rest.
    #[error("not a number from 1 to {MOST}")]
    Number,
}

impl Amount {
    /// Reads a rate: packets per second, whether that is said or not.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn rate(text: &str) -> Result<Self, AmountError> {
        text.strip_suffix("/second").unwrap_or(text).parse()
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let (of, number) = match text.split_once('=') {
            Some((kind, number)) => (Some(kind.parse()?), number),
            None => (None, text),
        };
        let number = crate::text::number(number, 1..=MOST).map_err(|_| AmountError::Number)?;
        Ok(Self { of, number })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_names_its_kind_comes_first() {
        let rates = |texts: &[&str]| texts.iter().map(|text| Amount::rate(text).unwrap()).collect::<Vec<_>>();
        let bursts = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>();
        let limit = |rate, burst| Limit { rate, burst };
        for (given, expected) in [
            ((rates(&[]), bursts(&[])), [limit(20, 40), limit(500, 1000)]),
            ((rates(&["7/second"]), bursts(&[])), [limit(7, 14), limit(7, 14)]),
            ((rates(&["ns=9", "30"]), bursts(&[])), [limit(30, 60), limit(9, 18)]),
            ((rates(&["30", "ns=9", "ns=8/second"]), bursts(&["3", "dhcp=5"])), [limit(30, 5), limit(8, 3)]),
            ((rates(&["1000000"]), bursts(&[])), [limit(MOST, MOST), limit(MOST, MOST)]),
        ] {
            let limits = Limits::new(given.0, given.1);
            assert_eq!([Kind::Dhcp, Kind::NeighborSolicitation].map(|kind| limits.of(kind)), expected);
        }
    }

    #[test]
    fn refuses_amounts_of_nothing() {
        for (text, expected) in [
            ("", AmountError::Number),
            ("0", AmountError::Number),
            ("-1", AmountError::Number),
            ("1000001", AmountError::Number),
            ("20/minute", AmountError::Number),
            ("ns=", AmountError::Number),
            ("arp=20", AmountError::Kind(super::super::UnknownKind)),
        ] {
            assert_eq!(Amount::rate(text), Err(expected), "{text}");
        }
        assert_eq!("20/second".parse::<Amount>(), Err(AmountError::Number), "a burst has no time");
    }
}
