//! Whether what must be said to a guest fits a packet, found out before it is sent.

use crate::binding::{Binding, BindingError};
use crate::config::{Config, Ipv6};
use crate::wire::DomainName;
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

/// A binding that is rejected because of `key`, its own or the configuration's.
pub(super) fn misfit(binding: &Binding, config: &Config, key: &str, reason: String) -> BindingError {
    BindingError {
        path: config.general.datapath.join(binding.tap.as_str()),
        line: binding.lines.line(key),
        key: Some(key.to_owned()),
        found: None,
        reason,
    }
}

/// The key that takes most of what is said over IPv6: of the binding, or of the configuration where the binding has none.
pub(super) fn largest_ipv6_key(binding: &Binding, config: &Ipv6) -> &'static str {
    let servers = binding.settings.nameservers6.as_ref().unwrap_or(&config.nameservers);
    let search = binding.settings.domain_search.as_ref().unwrap_or(&config.domains);
    let search_len: usize = search.iter().map(DomainName::as_str).map(str::len).sum();
    let is_servers = servers.len() * size_of::<std::net::Ipv6Addr>() >= search_len;
    match (is_servers, &binding.settings.nameservers6, &binding.settings.domain_search) {
        (true, Some(_), _) => "NAMESERVERS6",
        (true, None, _) => "ipv6.nameservers",
        (false, _, Some(_)) => "DOMAIN_SEARCH",
        (false, _, None) => "ipv6.domains",
    }
}
