//! From the text of a binding file to a [`Binding`].

use std::collections::HashMap;
use std::net::Ipv6Addr;
use std::path::Path;

use ipnet::Ipv6Net;

use super::keys::{Draft, Field, find, unknown_key};
use super::{Binding, BindingError, InterfaceName, Ipv4Binding, Ipv6Binding, KeyLines};
use crate::setting::Route4;
use crate::text::{decode, joined};

/// The largest binding file, in bytes.
pub const MAX_FILE_SIZE: usize = 64 * 1024;

/// How many warnings of one file are told. Of more, only how many there are.
pub const MAX_WARNINGS: usize = 16;

/// A binding, and what its file said that deserves a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The binding.
    pub binding: Binding,
    /// One line each, in the same form as a [`BindingError`]; never a reason to reject.
    pub warnings: Vec<BindingError>,
}

/// Reads the binding file `path` with the contents `bytes`. `path` names the tap by its last part; no file is opened.
///
/// # Errors
/// The first fault of the file, for which it is to be rejected as a whole.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<Parsed, BindingError> {
    let tap = tap_name(path)?;
    let mut file = File { path, entries: Vec::new(), warnings: Vec::new() };
    file.collect(text(path, bytes)?);
    let draft = file.read()?;
    let binding = file.assemble(tap, draft)?;
    Ok(Parsed { binding, warnings: file.bounded_warnings() })
}

fn tap_name(path: &Path) -> Result<InterfaceName, BindingError> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let named = name.parse::<InterfaceName>();
    named.map_err(|error| whole_file(path, None, format!("the file's name is {error}")))
}

fn text<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a str, BindingError> {
    if bytes.len() > MAX_FILE_SIZE {
        return Err(whole_file(path, None, format!("more than {MAX_FILE_SIZE} bytes")));
    }
    decode(bytes).map_err(|line| whole_file(path, Some(line), "not UTF-8 text".to_owned()))
}

fn whole_file(path: &Path, line: Option<u32>, reason: String) -> BindingError {
    BindingError { path: path.to_owned(), line, key: None, found: None, reason }
}

/// A file that is being read.
struct File<'a> {
    path: &'a Path,
    /// The last entry of each key, in the order of the file.
    entries: Vec<Entry<'a>>,
    warnings: Vec<BindingError>,
}

/// A key with its value.
#[derive(Clone, Copy)]
struct Entry<'a> {
    line: u32,
    key: &'a str,
    /// Without white space and quotes around it.
    value: &'a str,
}

impl<'a> File<'a> {
    /// Takes the text apart. Of a key that comes twice, the last entry stays.
    fn collect(&mut self, text: &'a str) {
        let mut last: HashMap<&str, Entry<'a>> = HashMap::new();
        for (line, content) in (1..).zip(text.lines().map(str::trim)) {
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let Some(entry) = entry(line, content) else {
                let reason = "neither KEY=VALUE nor a # comment, ignored".to_owned();
                let fault = whole_file(self.path, Some(line), reason);
                self.warnings.push(BindingError { found: Some(content.to_owned()), ..fault });
                continue;
            };
            if let Some(earlier) = last.insert(entry.key, entry) {
                self.warn(&entry, format!("overrides the same key in line {}", earlier.line));
            }
        }
        self.entries = last.into_values().collect();
        self.entries.sort_by_key(|entry| entry.line);
    }

    /// What the keys say.
    fn read(&mut self) -> Result<Draft, BindingError> {
        let mut draft = Draft::default();
        for entry in self.entries.clone() {
            let Some((key, suffix)) = find(entry.key) else {
                self.warn(&entry, unknown_key(entry.key));
                draft.settings.unknown.push((entry.key.to_owned(), entry.value.to_owned()));
                continue;
            };
            if entry.value.is_empty() {
                continue;
            }
            let mut field = Field { suffix, value: entry.value, notes: Vec::new() };
            (key.read)(&mut draft, &mut field).map_err(|reason| self.entry_fault(&entry, reason))?;
            for note in field.notes {
                self.warn(&entry, note);
            }
        }
        Ok(draft)
    }

    /// Looks at how the keys go together.
    fn assemble(&mut self, tap: InterfaceName, draft: Draft) -> Result<Binding, BindingError> {
        let ipv4 = self.ipv4(&draft)?;
        let ipv6 = self.ipv6(&draft)?;
        Ok(Binding {
            tap,
            indev: draft.indev.unwrap_or(tap),
            mac: self.required("MAC", draft.mac)?,
            hostname: self.required("HOSTNAME", draft.hostname)?,
            ipv4,
            ipv6,
            tags: draft.tags,
            settings: draft.settings.into(),
            lines: self.lines(),
        })
    }

    fn lines(&self) -> KeyLines {
        let known = self.entries.iter().filter(|entry| !entry.value.is_empty() && find(entry.key).is_some());
        known.map(|entry| (entry.key, entry.line)).collect()
    }

    fn required<T>(&self, key: &str, value: Option<T>) -> Result<T, BindingError> {
        value.ok_or_else(|| self.fault(key, "required".to_owned()))
    }

    fn ipv4(&mut self, draft: &Draft) -> Result<Option<Ipv4Binding>, BindingError> {
        let Some(address) = draft.ip else {
            self.warn_unused("SUBNET", draft.subnet.is_some(), "IP");
            self.warn_unused("GATEWAY", draft.gateway.is_some(), "IP");
            return Ok(None);
        };
        let subnet = draft.subnet.unwrap_or_else(|| address.into());
        if !subnet.contains(&address) {
            return Err(self.fault("IP", format!("outside SUBNET, which is {subnet}")));
        }
        if draft.gateway == Some(address) {
            return Err(self.fault("GATEWAY", "the guest's own address, IP".to_owned()));
        }
        // RFC 3021: a /31 has neither a network nor a broadcast address.
        if subnet.prefix_len() < 31 && (address == subnet.network() || address == subnet.broadcast()) {
            self.warn_key("IP", format!("the network or broadcast address of {subnet}"));
        }
        let ipv4 = Ipv4Binding { address, subnet, gateway: draft.gateway };
        self.routes(draft.settings.routes.as_deref().unwrap_or_default(), &ipv4)?;
        Ok(Some(ipv4))
    }

    /// RFC 3442: the client takes a route only if it reaches the router.
    fn routes(&mut self, routes: &[Route4], ipv4: &Ipv4Binding) -> Result<(), BindingError> {
        for (index, Route4 { destination, router }) in routes.iter().enumerate() {
            if *router == ipv4.address {
                return Err(self.fault("ROUTES", format!("{destination} leads to the guest's own address, IP")));
            }
            let is_on_link = |route: &Route4| route.router.is_unspecified() && route.destination.contains(router);
            let is_near = router.is_unspecified() || ipv4.gateway == Some(*router) || ipv4.subnet.contains(router);
            let is_near = is_near || routes.iter().any(is_on_link);
            if !is_near {
                let reason = format!("{router} is neither on the link nor GATEWAY: guests may pass over the route");
                self.warn_key("ROUTES", reason);
            }
            if routes.iter().take(index).any(|earlier| earlier.destination == *destination) {
                self.warn_key("ROUTES", format!("has {destination} twice"));
            }
        }
        Ok(())
    }

    fn ipv6(&mut self, draft: &Draft) -> Result<Option<Ipv6Binding>, BindingError> {
        // As with `IP`: an address without a network is a network of its own.
        let subnets = match (draft.subnet6.as_slice(), draft.ip6) {
            ([], Some(address)) => vec![address.into()],
            (subnets, _) => subnets.to_vec(),
        };
        if subnets.is_empty() && draft.prefix6.is_none() {
            self.warn_unused("GATEWAY6", draft.gateway6.is_some(), "SUBNET6");
            self.warn_unused("EUI64", draft.eui64.is_some(), "SUBNET6");
            return Ok(None);
        }
        let single = subnets.iter().find(|subnet| subnet.prefix_len() == 128).map(Ipv6Net::addr);
        let ipv6 = Ipv6Binding {
            gateway: draft.gateway6,
            eui64: draft.eui64,
            leased: draft.ip6.or(draft.eui64).or(single),
            delegated: draft.prefix6,
            subnets,
        };
        self.check_ipv6(draft, &ipv6)?;
        // RFC 8415 §6.3: what is delegated is used on the guest's other links.
        if ipv6.delegated.is_some_and(|prefix| ipv6.subnets.iter().any(|subnet| prefix.contains(subnet))) {
            self.warn_key("PREFIX6", "has a SUBNET6 in it, which is in use on this link".to_owned());
        }
        Ok(Some(ipv6))
    }

    fn check_ipv6(&self, draft: &Draft, ipv6: &Ipv6Binding) -> Result<(), BindingError> {
        for (key, address) in [("EUI64", ipv6.eui64), ("IP6", draft.ip6)] {
            let Some(address) = address else { continue };
            if !ipv6.is_on_link(address) {
                return Err(self.fault(key, format!("outside SUBNET6, which is {}", joined(&ipv6.subnets))));
            }
            if ipv6.gateway == Some(address) {
                return Err(self.fault("GATEWAY6", format!("the guest's own address, {key}")));
            }
        }
        if ipv6.gateway.is_some_and(|gateway| ipv6.is_guests(gateway)) {
            return Err(self.fault("GATEWAY6", "the guest's own address, SUBNET6".to_owned()));
        }
        // RFC 4191 §2.3: an advertised route leads to the router that advertises it.
        let is_other = |router: &Ipv6Addr| ipv6.gateway != Some(*router);
        let mut routers = draft.settings.routes6.iter().flatten().filter_map(|route| route.via);
        if let Some(router) = routers.find(is_other) {
            let reason = format!("{router} is not GATEWAY6; an advertised route leads to the router that says it");
            return Err(self.fault("ROUTES6", reason));
        }
        Ok(())
    }
}

/// Errors and warnings.
impl File<'_> {
    /// The warnings in the order of the file, the first of them if they are many: whoever writes the file fills no log.
    fn bounded_warnings(mut self) -> Vec<BindingError> {
        self.warnings.sort_by_key(|warning| warning.line);
        let more = self.warnings.len().saturating_sub(MAX_WARNINGS);
        if more > 0 {
            self.warnings.truncate(MAX_WARNINGS);
            self.warnings.push(whole_file(self.path, None, format!("and {more} more warnings")));
        }
        self.warnings
    }

    fn warn_unused(&mut self, key: &str, is_set: bool, without: &str) {
        if is_set {
            self.warn_key(key, format!("unused without {without}"));
        }
    }

    fn warn_key(&mut self, key: &str, reason: String) {
        let warning = self.fault(key, reason);
        self.warnings.push(warning);
    }

    fn warn(&mut self, entry: &Entry<'_>, reason: String) {
        let warning = self.entry_fault(entry, reason);
        self.warnings.push(warning);
    }

    /// A fault in `key`, with the line and value that it has in the file, if it is there.
    fn fault(&self, key: &str, reason: String) -> BindingError {
        match self.entries.iter().find(|entry| entry.key == key) {
            Some(entry) => self.entry_fault(entry, reason),
            None => BindingError { key: Some(key.to_owned()), ..whole_file(self.path, None, reason) },
        }
    }

    fn entry_fault(&self, entry: &Entry<'_>, reason: String) -> BindingError {
        BindingError {
            path: self.path.to_owned(),
            line: Some(entry.line),
            key: Some(entry.key.to_owned()),
            found: Some(entry.value.to_owned()),
            reason,
        }
    }
}

/// A line as key and value, if it is that.
fn entry(line: u32, content: &str) -> Option<Entry<'_>> {
    let (key, value) = content.split_once('=')?;
    let key = key.trim();
    (!key.is_empty()).then(|| Entry { line, key, value: unquote(value.trim()) })
}

/// The value without one pair of quotes and the white space within.
fn unquote(value: &str) -> &str {
    let inner = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).map_or(value, str::trim)
}

#[cfg(test)]
mod tests;
