//! Whether what must be said to a guest fits a packet, found out before it is sent.

use crate::wire::ipv6::MIN_MTU;

/// A message that does not fit an IPv6 packet of [`MIN_MTU`] bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the {message} would take {len} bytes, an IPv6 packet holds {MIN_MTU}: name fewer servers or shorter domains")]
pub struct TooLarge {
    /// What kind of message it is.
    pub message: &'static str,
    /// The length of the packet in bytes, IPv6 header included.
    pub len: usize,
}

impl TooLarge {
    /// An error, unless a packet of `len` bytes fits.
    pub(super) fn check(message: &'static str, len: usize) -> Result<(), Self> {
        if len > MIN_MTU { Err(Self { message, len }) } else { Ok(()) }
    }
}
