//! What the engine is told besides packets, and what it tells besides answers.

use std::net::Ipv6Addr;
use std::sync::Arc;

use ipnet::Ipv6Net;

use super::pressure::Fill;
use super::router::Misfit;
use crate::binding::{Binding, BindingError, IfIndex, InterfaceName};
use crate::config::Config;
use crate::wire::{MacAddr, ethernet};

/// A change of the world around the engine.
#[derive(Debug, Clone)]
pub enum Event {
    /// A binding file was read and is good.
    BindingLoaded(Box<Binding>),
    /// A binding file was read and is not good: the last good binding of this tap stays in force.
    BindingRejected(InterfaceName, BindingError),
    /// The binding file of this tap is gone.
    BindingRemoved(InterfaceName),
    /// A link is new, or something about it changed.
    LinkChanged(Link),
    /// The link with this index is gone.
    LinkGone(IfIndex),
    /// The configuration was read anew.
    ConfigChanged(Arc<Config>),
    /// A frame of ours could not be sent out of this link; the error number of the system call.
    SendFailed(IfIndex, i32),
    /// So much still waits in the socket of a queue after many packets came at once.
    Waiting(Fill),
    /// Packets were lost, because too many waited.
    PacketsLost,
}

/// A network interface, as rtnetlink describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// `ifi_index`.
    pub ifindex: IfIndex,
    /// `IFLA_IFNAME`.
    pub name: InterfaceName,
    /// `IFLA_ADDRESS`, where it has six octets.
    pub mac: Option<MacAddr>,
    /// `IFLA_MTU`, in bytes.
    pub mtu: u32,
    /// `IFLA_MASTER`: the bridge (or bond) that this link is a port of.
    pub master: Option<IfIndex>,
    /// Whether `IFLA_INFO_KIND` is `bridge`.
    pub is_bridge: bool,
    /// Whether `IFF_UP` and `IFF_LOWER_UP` are set: a frame sent now has somewhere to go.
    pub is_ready: bool,
}

impl Link {
    /// Whether an Ethernet frame of `len` bytes is within the MTU.
    pub fn carries(&self, len: usize) -> bool {
        len.saturating_sub(ethernet::HEADER_LEN) <= self.mtu as usize
    }
}

/// Something that an operator should know. Shown by the daemon, not by the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A binding and its tap are both there: the guest is answered.
    Serving {
        /// The tap's index.
        ifindex: IfIndex,
        /// What the guest is told.
        binding: Arc<Binding>,
    },
    /// A binding is there, its tap is not.
    Pending {
        /// The tap.
        tap: InterfaceName,
    },
    /// A binding file was rejected.
    Rejected {
        /// The tap.
        tap: InterfaceName,
        /// Why.
        error: BindingError,
        /// Whether an earlier, good binding stays in force.
        keeps_last: bool,
    },
    /// Something about a binding that is in force now will not do what its writer expects.
    Doubtful(BindingError),
    /// A binding file is gone.
    Removed {
        /// The tap.
        tap: InterfaceName,
    },
    /// A bridge changed its MAC: guests see another router. Told once for each bridge.
    BridgeMacChanged {
        /// The bridge.
        bridge: InterfaceName,
        /// The address it had.
        old: MacAddr,
        /// The address it has.
        new: MacAddr,
    },
    /// A guest took the prefix that is delegated to it, moved it to another address of its own, or gave it back.
    Delegated {
        /// The tap.
        tap: InterfaceName,
        /// The prefix.
        prefix: Ipv6Net,
        /// By which address of the guest it is reached; None: it was given back.
        via: Option<Ipv6Addr>,
    },
    /// A routed tap's MAC is not `router_mac`. Told once, until either changes.
    RouterMacMisfit(Misfit),
    /// There are announcements to make, and the link of `announce_on` is not there, not up or not Ethernet. Told once,
    /// until it is ready.
    NoUplink {
        /// The link that is missed.
        uplink: InterfaceName,
    },
    /// A frame could not be sent.
    SendFailed {
        /// The tap.
        tap: InterfaceName,
        /// The error number of the system call.
        errno: i32,
    },
    /// An announcement could not be sent.
    AnnounceFailed {
        /// The link of `announce_on`.
        uplink: InterfaceName,
        /// The error number of the system call.
        errno: i32,
    },
}

impl Notice {
    /// The tap that it is about, or the bridge or uplink.
    pub fn link(&self) -> Option<InterfaceName> {
        match self {
            Self::Serving { binding, .. } => Some(binding.tap),
            Self::Pending { tap }
            | Self::Rejected { tap, .. }
            | Self::Removed { tap }
            | Self::Delegated { tap, .. }
            | Self::SendFailed { tap, .. } => Some(*tap),
            Self::RouterMacMisfit(misfit) => Some(misfit.tap),
            Self::BridgeMacChanged { bridge: link, .. }
            | Self::NoUplink { uplink: link }
            | Self::AnnounceFailed { uplink: link, .. } => Some(*link),
            Self::Doubtful(_) => None,
        }
    }
}
