//! What is to be done, in order: typed changes, and how each reads.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use super::filter;
use super::state::{Family, Proxy, Route, Rule, Sysctl};
use super::variables::Variables;
use crate::binding::InterfaceName;
use crate::text::Visible;
use crate::wire::MacAddr;

/// Changes, to be carried out in this order. Its text is what `--dry-run` prints: a line for each change, and those of a
/// file or a transaction indented behind it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan(pub Vec<Change>);

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|change| writeln!(f, "{change}"))
    }
}

/// One change of the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An interface is set.
    Link {
        /// Which.
        name: InterfaceName,
        /// To what.
        setting: LinkSetting,
    },
    /// A sysctl is set.
    Sysctl {
        /// Which.
        sysctl: Sysctl,
        /// To what.
        value: &'static str,
    },
    /// A rule comes.
    AddRule(Rule),
    /// A rule goes.
    RemoveRule(Rule),
    /// A route comes.
    AddRoute(Route),
    /// A route goes.
    RemoveRoute(Route),
    /// A proxy comes.
    AddProxy(Proxy),
    /// A proxy goes.
    RemoveProxy(Proxy),
    /// The filters change, all at once or not at all.
    Filter(filter::Transaction),
    /// A file is written, whole or not at all, and may be read by all.
    WriteBinding {
        /// The file.
        path: PathBuf,
        /// All of it.
        text: String,
    },
    /// A file goes.
    RemoveBinding {
        /// The file.
        path: PathBuf,
    },
    /// The neighbours on a link are told where an address is now.
    Announce(Announcement),
    /// The administrator's own script is run, if it may be executed.
    Run {
        /// The script.
        script: PathBuf,
        /// Its environment: what we know of the NIC by.
        environment: Variables,
    },
}

/// A setting of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkSetting {
    /// The bridge whose port it is; None for none.
    Master(Option<InterfaceName>),
    /// Its MAC.
    Mac(MacAddr),
    /// Its MTU, in bytes.
    Mtu(u32),
    /// Administratively up.
    Up,
    /// Administratively down.
    Down,
}

/// A gratuitous ARP (RFC 5227 §2.3) or an unsolicited Neighbor Advertisement (RFC 4861 §7.2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announcement {
    /// The address that can be reached through us.
    pub address: IpAddr,
    /// Where it is told. The MAC told is that of this interface.
    pub uplink: InterfaceName,
}

impl Change {
    /// What it is, in one line: without the text that it carries.
    pub fn title(&self) -> String {
        self.to_string().lines().next().unwrap_or_default().to_owned()
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link { name, setting } => write!(f, "link {name} {setting}"),
            Self::Sysctl { sysctl, value } => write!(f, "sysctl {sysctl} = {value}"),
            Self::AddRule(rule) => write!(f, "rule add {rule}"),
            Self::RemoveRule(rule) => write!(f, "rule remove {rule}"),
            Self::AddRoute(route) => write!(f, "route add {route}"),
            Self::RemoveRoute(route) => write!(f, "route remove {route}"),
            Self::AddProxy(proxy) => write!(f, "proxy add {proxy}"),
            Self::RemoveProxy(proxy) => write!(f, "proxy remove {proxy}"),
            Self::Filter(transaction) => write_indented(f, "nft transaction", &transaction.to_string()),
            Self::WriteBinding { path, text } => write_indented(f, &format!("write {}", path.display()), text),
            Self::RemoveBinding { path } => write!(f, "remove {}", path.display()),
            Self::Announce(announcement) => announcement.fmt(f),
            Self::Run { script, .. } => write!(f, "run {}", script.display()),
        }
    }
}

impl fmt::Display for LinkSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Master(Some(bridge)) => write!(f, "master {bridge}"),
            Self::Master(None) => f.write_str("nomaster"),
            Self::Mac(mac) => write!(f, "address {mac}"),
            Self::Mtu(mtu) => write!(f, "mtu {mtu}"),
            Self::Up => f.write_str("up"),
            Self::Down => f.write_str("down"),
        }
    }
}

impl fmt::Display for Announcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, uplink } = self;
        match Family::of(*address) {
            Family::V4 => write!(f, "announce {address} dev {uplink} by gratuitous ARP"),
            Family::V6 => write!(f, "announce {address} dev {uplink} by unsolicited NA"),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} iif {} lookup {}", self.family, self.tap, self.table)
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} dev {} table {}", self.destination, self.tap, self.table)
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} dev {}", self.address, self.uplink)
    }
}

/// A heading, and the lines of `text` indented behind it, to be looked at.
fn write_indented(f: &mut fmt::Formatter<'_>, heading: &str, text: &str) -> fmt::Result {
    f.write_str(heading)?;
    text.lines().try_for_each(|line| write!(f, "\n    {}", Visible(line)))
}
