//! Whether the daemon's table of bindings is what the directory says.

use std::collections::BTreeMap;

use serde_json::Value;

/// The first line of every file that has to be rejected.
pub(crate) const BAD: &str = "# bad";

/// A tap that has a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tap {
    /// What its file says of its guest's name; None if the file is bad.
    pub(crate) hostname: Option<String>,
    /// Whether the tap itself is there.
    pub(crate) is_there: bool,
}

impl Tap {
    /// A tap with this file.
    pub(crate) fn new(text: &str, is_there: bool) -> Self {
        let hostname = text.lines().find_map(|line| line.strip_prefix("HOSTNAME="));
        Self { hostname: hostname.filter(|_| !text.starts_with(BAD)).map(str::to_owned), is_there }
    }

    /// What is wrong with what the daemon shows of it, if anything is.
    fn fault(&self, shown: &Value) -> Option<String> {
        let (state, rejected) = (&shown["state"], !shown["rejected"].is_null());
        let in_force = if self.is_there { "serving" } else { "pending" };
        let is_right = match &self.hostname {
            Some(hostname) => state == in_force && !rejected && shown["binding"]["hostname"] == hostname.as_str(),
            // The last good one is still in force, if this daemon has seen one.
            None => (state == "rejected" || state == in_force) && rejected,
        };
        (!is_right).then(|| format!("is {self:?}, and the daemon shows {shown}"))
    }
}

/// What the daemon shows otherwise than it is: `nfdhcpd show --json` beside the taps that have a file. All of them have to
/// know the configuration's `lease_lifetime`.
pub(crate) fn faults(directory: &BTreeMap<String, Tap>, shown: &Value, lease_lifetime: u32) -> Vec<String> {
    let taps = shown["taps"].as_array().map_or(&[][..], Vec::as_slice);
    let mut by_name: BTreeMap<_, _> = taps.iter().map(|shown| (shown["tap"].as_str().unwrap_or("?"), shown)).collect();
    let mut faults = Vec::new();
    for (name, tap) in directory {
        let fault = match by_name.remove(name.as_str()) {
            Some(shown) => tap.fault(shown).or_else(|| wrong_lifetime(shown, lease_lifetime)),
            None => Some("has a file, and the daemon does not know it".to_owned()),
        };
        faults.extend(fault.map(|fault| format!("{name} {fault}")));
    }
    faults.extend(by_name.keys().map(|name| format!("{name} has no file, and the daemon knows it")));
    faults
}

/// Where a binding is in force, it has the lifetime of the last configuration.
fn wrong_lifetime(shown: &Value, expected: u32) -> Option<String> {
    let lifetime = shown.pointer("/binding/settings/dhcp.lease_lifetime")?;
    (lifetime.as_str() != Some(&expected.to_string()))
        .then(|| format!("has leases of {lifetime} s, where the configuration says {expected}"))
}
