//! A NIC as Ganeti tells of it.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::filter::Profile;
use super::settings::Settings;
use super::tags::{self, Identity, Services};
use super::variables::{VariableError, Variables};
use crate::binding::InterfaceName;
use crate::text::{network_v4, network_v6, station, unicast_v4, unicast_v6};
use crate::wire::{DomainName, MacAddr};

/// How the names of taps begin by which a guest speaks with Ganeti itself. Ganeti sets them up.
const COMMUNICATION: &str = "gnt.com.";

/// All that is known of a NIC, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nic {
    /// `INTERFACE`: the device on the node.
    pub tap: InterfaceName,
    /// `MAC`: the guest's.
    pub mac: MacAddr,
    /// `INSTANCE`: the guest's name.
    pub instance: DomainName,
    /// `MODE`, `LINK`, `BRIDGE`.
    pub attachment: Attachment,
    /// `IP`, with the network that it is in.
    pub ipv4: Option<Ipv4>,
    /// `NETWORK_SUBNET6`, `NETWORK_GATEWAY6`.
    pub ipv6: Option<Ipv6>,
    /// `TAGS`: those of the instance, as written.
    pub instance_tags: String,
    /// What the instance's tags say of this NIC.
    pub profile: Option<Profile>,
    /// `NETWORK_TAGS`.
    pub services: Services,
}

/// How a NIC is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attachment {
    /// As a port of this bridge.
    Bridged(InterfaceName),
    /// By the node's routes; what `LINK` says is a routing table, by number or name.
    Routed(Option<String>),
}

/// The IPv4 part of a NIC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ipv4 {
    /// `IP`.
    pub address: Ipv4Addr,
    /// `NETWORK_SUBNET`.
    pub subnet: Option<Ipv4Net>,
    /// `NETWORK_GATEWAY`.
    pub gateway: Option<Ipv4Addr>,
}

/// The IPv6 part of a NIC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ipv6 {
    /// `NETWORK_SUBNET6`.
    pub subnet: Ipv6Net,
    /// `NETWORK_GATEWAY6`.
    pub gateway: Option<Ipv6Addr>,
    /// The address that the guest makes for itself, if the subnet is a /64.
    pub eui64: Option<Ipv6Addr>,
}

/// The address that a station makes for itself in a /64 (RFC 4291 appendix A); None in any other prefix.
pub fn eui64(mac: MacAddr, subnet: Ipv6Net) -> Option<Ipv6Addr> {
    let interface = u64::from_be_bytes(mac.eui64());
    (subnet.prefix_len() == 64).then(|| Ipv6Addr::from_bits(subnet.network().to_bits() | u128::from(interface)))
}

/// The tap that a script is called for.
///
/// # Errors
/// `INTERFACE` is missing, or no name of an interface.
pub fn tap(variables: &Variables) -> Result<InterfaceName, VariableError> {
    variables.read_required("INTERFACE", str::parse)
}

/// Whether a guest speaks with Ganeti itself by this tap. Ganeti calls the script and has set everything up already.
pub fn is_ganetis_own(tap: &InterfaceName) -> bool {
    tap.as_str().starts_with(COMMUNICATION)
}

impl Nic {
    /// Reads the variables of a NIC.
    ///
    /// # Errors
    /// The first variable that is missing or cannot be.
    pub fn read(variables: &Variables, settings: &Settings) -> Result<Self, VariableError> {
        let mac = variables.read_required("MAC", station)?;
        let identity = Identity {
            index: variables.optional("INTERFACE_INDEX"),
            uuid: variables.optional("INTERFACE_UUID"),
            name: variables.optional("INTERFACE_NAME"),
        };
        let services = variables.read("NETWORK_TAGS", |tags| Services::of(tags, &settings.tags))?;
        Ok(Self {
            tap: tap(variables)?,
            mac,
            instance: variables.read_required("INSTANCE", str::parse)?,
            attachment: Attachment::read(variables)?,
            ipv4: Ipv4::read(variables)?,
            ipv6: Ipv6::read(variables, mac)?,
            instance_tags: tags::words(variables.optional("TAGS").unwrap_or_default()).collect::<Vec<_>>().join(" "),
            profile: variables.read("TAGS", |tags| tags::profile(tags, &identity))?.flatten(),
            services: services.unwrap_or_default(),
        })
    }

    /// The interface by which the node reaches the guest: `INDEV` of its binding.
    pub fn indev(&self) -> InterfaceName {
        match &self.attachment {
            Attachment::Bridged(bridge) => *bridge,
            Attachment::Routed(_) => self.tap,
        }
    }

    /// The guest's own IPv6 address.
    pub fn eui64(&self) -> Option<Ipv6Addr> {
        self.ipv6.and_then(|ipv6| ipv6.eui64)
    }
}

impl Attachment {
    fn read(variables: &Variables) -> Result<Self, VariableError> {
        match variables.required("MODE")? {
            "bridged" => Self::read_bridged(variables),
            "routed" => Ok(Self::Routed(variables.optional("LINK").map(str::to_owned))),
            mode => Err(VariableError::new("MODE", mode, "not bridged or routed")),
        }
    }

    /// A NIC that asks for a VLAN must not end in another one.
    fn read_bridged(variables: &Variables) -> Result<Self, VariableError> {
        if let Some(vlan) = variables.optional("VLAN") {
            let reason =
                "VLANs of a bridge are not set up here; give each VLAN a bridge of its own, and no vlan to the NIC";
            return Err(VariableError::new("VLAN", vlan, reason));
        }
        // Ganeti sets both to the same.
        let name = if variables.optional("BRIDGE").is_some() { "BRIDGE" } else { "LINK" };
        variables.read_required(name, str::parse).map(Self::Bridged)
    }
}

impl Ipv4 {
    fn read(variables: &Variables) -> Result<Option<Self>, VariableError> {
        let subnet = variables.read("NETWORK_SUBNET", network_v4)?.map(|net| net.trunc());
        let gateway = variables.read("NETWORK_GATEWAY", unicast_v4)?;
        let address = variables.read("IP", address)?.flatten();
        Ok(address.map(|address| Self { address, subnet, gateway }))
    }
}

/// An IPv4 address. Ganeti takes one of IPv6 as well: such a guest has none of IPv4.
fn address(text: &str) -> Result<Option<Ipv4Addr>, String> {
    if text.contains(':') { unicast_v6(text).map(|_| None) } else { unicast_v4(text).map(Some) }
}

impl Ipv6 {
    fn read(variables: &Variables, mac: MacAddr) -> Result<Option<Self>, VariableError> {
        let gateway = variables.read("NETWORK_GATEWAY6", unicast_v6)?;
        let subnet: Option<Ipv6Net> = variables.read("NETWORK_SUBNET6", network_v6)?.map(|net: Ipv6Net| net.trunc());
        Ok(subnet.map(|subnet| Self { subnet, gateway, eui64: eui64(mac, subnet) }))
    }
}

/// Reads a prefix for [`eui64`].
///
/// # Errors
/// What is wrong with the text.
pub fn prefix64(text: &str) -> Result<Ipv6Net, String> {
    // The original's users leave the length out.
    let with_length = if text.contains('/') { text.to_owned() } else { format!("{text}/64") };
    let network = network_v6(&with_length)?;
    if network.prefix_len() == 64 { Ok(network.trunc()) } else { Err("not a prefix of 64 bits".to_owned()) }
}
