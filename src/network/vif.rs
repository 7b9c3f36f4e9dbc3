//! NICs of Xen: what its tools say, and the file that Ganeti keeps for each NIC.

use std::path::{Path, PathBuf};

use super::assignments::{self, BadLine};
use super::variables::{VariableError, Variables};
use crate::binding::InterfaceName;
use crate::text::Shown;
use crate::wire::DomainName;

/// A call of Xen's tools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Whether the device comes or goes.
    pub event: Event,
    /// Which kind of device it is.
    pub kind: Kind,
    /// The device on the node.
    pub device: InterfaceName,
    /// `XENBUS_PATH`: the place of the NIC in xenstore.
    pub place: Place,
}

/// What happens to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// `online`, `add`.
    Comes,
    /// `offline`, `remove`.
    Goes,
}

/// Which of the two devices of a NIC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `type_if=vif`, or nothing said: the one that the guest's own driver uses. Xen waits to hear that it is connected.
    Vif,
    /// `type_if=tap`: the emulated one.
    Emulated,
}

/// `backend/vif/DOMAIN/INDEX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The number of the domain.
    pub domain: u32,
    /// The index of the NIC.
    pub index: u32,
}

/// Why a call cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VifError {
    /// The word that says what happens.
    #[error("{}: not online, add, offline or remove", Shown(.0))]
    Event(String),
    /// A device of another kind.
    #[error("type_if={}: not vif or tap", Shown(.0))]
    Kind(String),
    /// A variable.
    #[error(transparent)]
    Variable(#[from] VariableError),
}

impl Call {
    /// Reads the arguments and the environment of a call. Arguments with `=` are assignments, in whatever order.
    ///
    /// # Errors
    /// What cannot be understood.
    pub fn read(arguments: &[String], variables: &Variables) -> Result<Self, VifError> {
        let word = arguments.iter().find(|argument| !argument.contains('='));
        let event = match word.map_or("", String::as_str) {
            "online" | "add" => Event::Comes,
            "offline" | "remove" => Event::Goes,
            other => return Err(VifError::Event(other.to_owned())),
        };
        let kind = match arguments.iter().find_map(|argument| argument.strip_prefix("type_if=")) {
            None | Some("vif") => Kind::Vif,
            Some("tap") => Kind::Emulated,
            Some(other) => return Err(VifError::Kind(other.to_owned())),
        };
        // Where a NIC has both devices, both variables are set in either call.
        let name = if kind == Kind::Vif { "vif" } else { "INTERFACE" };
        let device = variables.read_required(name, str::parse)?;
        Ok(Self { event, kind, device, place: variables.read_required("XENBUS_PATH", Place::read)? })
    }
}

impl Place {
    fn read(text: &str) -> Result<Self, String> {
        let numbers = text.strip_prefix("backend/vif/").and_then(|rest| rest.split_once('/'));
        let place =
            numbers.and_then(|(domain, index)| Some(Self { domain: domain.parse().ok()?, index: index.parse().ok()? }));
        place.ok_or_else(|| "not backend/vif/DOMAIN/INDEX".to_owned())
    }

    /// Where a key of the NIC is in xenstore.
    pub fn key(self, key: &str) -> String {
        format!("backend/vif/{}/{}/{key}", self.domain, self.index)
    }

    /// Where the name of the domain is in xenstore.
    pub fn domain_name(self) -> String {
        format!("/local/domain/{}/name", self.domain)
    }
}

/// What the tools append to the name of a domain that is on its way here.
const INCOMING: &str = "--incoming";

/// The instances that a domain may be, the likelier one first. A name may end so by itself.
pub fn instances(domain: &str) -> impl Iterator<Item = DomainName> {
    let without = domain.strip_suffix(INCOMING);
    [Some(domain), without].into_iter().flatten().filter_map(|name| name.parse().ok())
}

/// The file that Ganeti writes for a NIC.
pub fn nic_file(directory: &Path, instance: &DomainName, place: Place) -> PathBuf {
    directory.join(instance.as_str()).join(place.index.to_string())
}

/// The variables of a NIC: those of its file, and what the file leaves out.
///
/// # Errors
/// A line of the file that cannot be read.
pub fn variables(file: &str, instance: &DomainName, device: InterfaceName) -> Result<Variables, BadLine> {
    let assignments = assignments::read_raw(file)?;
    let mut variables: Variables = assignments.into_iter().map(|a| (a.key, a.value)).collect();
    variables.set("INSTANCE", instance.as_str());
    variables.set("INTERFACE", device.as_str());
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(arguments: &[&str], more: &[(&str, &str)]) -> Result<Call, VifError> {
        let usual = [("vif", "vif3.0"), ("INTERFACE", "vif3.0-emu"), ("XENBUS_PATH", "backend/vif/3/0")];
        let variables: Variables = usual.iter().chain(more).copied().collect();
        Call::read(&arguments.iter().map(|argument| (*argument).to_owned()).collect::<Vec<_>>(), &variables)
    }

    #[test]
    fn the_kind_says_which_device_is_meant() {
        for (arguments, event, kind, device) in [
            (&["online", "type_if=vif"][..], Event::Comes, Kind::Vif, "vif3.0"),
            (&["online"], Event::Comes, Kind::Vif, "vif3.0"),
            (&["type_if=tap", "add"], Event::Comes, Kind::Emulated, "vif3.0-emu"),
            (&["offline", "type_if=vif"], Event::Goes, Kind::Vif, "vif3.0"),
            (&["remove", "type_if=tap"], Event::Goes, Kind::Emulated, "vif3.0-emu"),
        ] {
            let expected = Call { event, kind, device: device.parse().unwrap(), place: Place { domain: 3, index: 0 } };
            assert_eq!(call(arguments, &[]), Ok(expected), "{arguments:?}");
        }
    }

    #[test]
    fn what_is_no_call_says_why() {
        for (arguments, more, expected) in [
            (&[][..], &[][..], "\"\": not online, add, offline or remove"),
            (&["start"], &[], "\"start\": not online"),
            (&["online", "type_if=x"], &[], "type_if=\"x\": not vif or tap"),
            (&["online"], &[("vif", "")], "vif: not set"),
            (&["online"], &[("XENBUS_PATH", "backend/vif/../0")], "XENBUS_PATH=\"backend/vif/../0\": not backend/vif/"),
        ] {
            let error = call(arguments, more).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn a_domain_on_its_way_has_the_name_of_its_instance() {
        let names = |domain| instances(domain).map(|name| name.to_string()).collect::<Vec<_>>();
        assert_eq!(names("inst1"), ["inst1"]);
        assert_eq!(names("inst1--incoming"), ["inst1--incoming", "inst1"]);
        assert_eq!(names("../etc"), [""; 0]);
    }

    #[test]
    fn the_file_does_not_say_whose_it_is() {
        let file = "INSTANCE=other\nMAC=aa:00:00:00:00:01\nMODE=bridged\nLINK=prv0\n";
        let variables = variables(file, &"inst1".parse().unwrap(), "vif3.0".parse().unwrap()).unwrap();
        assert_eq!(variables.optional("INSTANCE"), Some("inst1"));
        assert_eq!(variables.optional("INTERFACE"), Some("vif3.0"));
        assert_eq!(variables.optional("LINK"), Some("prv0"));
    }
}
