//! Whether what must be said to a guest fits a packet, found out before it is sent.

use crate::binding::{Binding, BindingError};
use crate::config::Config;
use crate::wire::ipv6::MIN_MTU;

/// A message that does not fit an IPv6 packet of [`MIN_MTU`] bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the {message} would take {len} bytes, an IPv6 packet holds {MIN_MTU}; this takes most of it")]
pub struct TooLarge {
    /// What kind of message it is.
    pub message: &'static str,
    /// The length of the packet in bytes, IPv6 header included.
    pub len: usize,
    /// The key that takes most, of the binding or, as `section.key`, of the configuration.
    pub key: &'static str,
}

impl TooLarge {
    /// An error, unless a packet of `len` bytes fits. `parts` are the keys that it comes from, and what each takes.
    pub(super) fn check(
        message: &'static str,
        len: usize,
        parts: impl IntoIterator<Item = (&'static str, usize)>,
    ) -> Result<(), Self> {
        if len <= MIN_MTU {
            return Ok(());
        }
        let largest = parts.into_iter().max_by_key(|(_, part)| *part);
        Err(Self { message, len, key: largest.map_or("SUBNET6", |(key, _)| key) })
    }
}

/// The key that a value comes from: `own` where the binding has it, else `node`, the configuration's.
pub(super) fn key_of<T>(value: &Option<T>, own: &'static str, node: &'static str) -> &'static str {
    if value.is_some() { own } else { node }
}

/// What is wrong or doubtful about `key` of a binding, its own or the configuration's.
pub(super) fn key_fault(binding: &Binding, config: &Config, key: &str, reason: String) -> BindingError {
    BindingError {
        path: config.general.datapath.join(binding.tap.as_str()),
        line: binding.lines.line(key),
        key: Some(key.to_owned()),
        found: None,
        reason,
    }
}
