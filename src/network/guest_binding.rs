//! The binding file of a guest: what nfdhcpd is to tell it.

use std::fmt::Write as _;
use std::path::Path;

use super::nic::Nic;
use crate::binding::{BindingError, parse};

/// How much of the instance's tags is kept, in bytes: they are for display, and an instance may have more of them than a
/// binding file may be long.
const MAX_TAGS: usize = 4096;

/// The text of the binding file `path` for a NIC.
///
/// # Errors
/// The daemon would reject it.
pub fn text(nic: &Nic, path: &Path) -> Result<String, BindingError> {
    let mut file = File::default();
    file.set("INDEV", Some(nic.indev()));
    file.set("IP", nic.ipv4.map(|ipv4| ipv4.address));
    file.set("MAC", Some(nic.mac));
    file.set("HOSTNAME", Some(&nic.instance));
    file.set("TAGS", Some(shortened(&nic.instance_tags)).filter(|tags| !tags.is_empty()));
    file.set("GATEWAY", nic.ipv4.and_then(|ipv4| ipv4.gateway));
    file.set("SUBNET", nic.ipv4.and_then(|ipv4| ipv4.subnet));
    file.set("GATEWAY6", nic.ipv6.and_then(|ipv6| ipv6.gateway));
    file.set("SUBNET6", nic.ipv6.map(|ipv6| ipv6.subnet));
    file.set("EUI64", nic.eui64());
    nic.services.options.iter().for_each(|(key, value)| file.set(key, Some(value)));
    parse::parse(path, file.0.as_bytes()).map(|_| file.0)
}

#[derive(Default)]
struct File(String);

impl File {
    fn set(&mut self, key: &str, value: Option<impl std::fmt::Display>) {
        if let Some(value) = value {
            // Writing to a String cannot fail.
            let _ = writeln!(self.0, "{key}={value}");
        }
    }
}

/// As many whole words as fit.
fn shortened(tags: &str) -> &str {
    if tags.len() <= MAX_TAGS {
        return tags;
    }
    let is_end = |at: usize| tags.as_bytes().get(at) == Some(&b' ');
    let end = (0..=MAX_TAGS).rev().find(|at| is_end(*at)).unwrap_or_default();
    tags.get(..end).unwrap_or_default()
}
