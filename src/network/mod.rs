//! What the node does when a NIC comes and goes: the companion `snf-network`.
//!
//! ```text
//! environment ──► Nic ───────────────┐
//! /etc/default ─► Settings ──────────┤
//! rtnetlink, nft, files ──► State ───┤
//!                                    ▼
//!              up · down · clean  ──► Plan (a list of typed changes)      ← pure: nothing is asked, nothing is done
//!                                    │
//! links, rules, routes, nft, files ◄─┴──► text (--dry-run)
//! ```
//!
//! A plan holds what differs between what is there and what should be, and nothing else: it is empty the second time. What
//! is there is read from the kernel each time and remembered nowhere, so a run that was cut short, or a node that lost half
//! of its rules, is put in order by the next one. [`io::node`](crate::io::node) reads and carries out.

pub mod assignments;
pub mod change;
pub mod dns;
pub mod down;
pub mod filter;
pub mod guest_binding;
pub mod hook;
pub mod mac_prefix;
pub mod nic;
mod routing;
pub mod routing_table;
pub mod settings;
pub mod state;
pub mod status;
pub mod tags;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod up;
pub mod variables;
pub mod vif;

pub use change::{Announcement, Change, LinkSetting, Plan};
pub use hook::{Hook, HookNic, Operation, Phase};
pub use nic::{Attachment, Nic};
pub use settings::Settings;
pub use state::{Family, Link, LinkKind, Proxy, Route, Rule, State, Sysctl, SysctlKey, Uplink};
pub use variables::{VariableError, Variables};

/// The mark of rules, routes and proxies that are ours (`RTPROT_*`, linux/rtnetlink.h): none of the numbers that a routing
/// daemon has. What others made is never touched, but for a proxy of the same address on the same uplink: the kernel has one.
pub const PROTOCOL: u8 = 119;

/// The priority of our rules that send a tap to its routing table: before `main` (32766).
pub const RULE_PRIORITY: u32 = 32_000;
