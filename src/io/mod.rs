//! Sockets and files: what the engine must not know of.
//!
//! Nothing here decides what becomes of a packet. `unsafe` is allowed in [`sys`] alone.

pub mod access;
pub mod bindings;
pub mod config_file;
pub mod directory;
pub mod dns;
pub mod hangup;
pub mod links;
pub mod log;
pub mod netlink;
pub mod nfqueue;
pub mod node;
pub mod ownership;
pub mod packet_socket;
pub mod pcap;
pub mod pidfile;
pub mod privileges;
pub mod ruleset;
pub mod sandbox;
pub mod succession;
pub mod supervisor;
pub mod sys;
pub mod unix_socket;
pub mod watch;

/// How many symbolic links a path may lead through: `MAXSYMLINKS` of linux/namei.h.
const MAX_SYMLINKS: usize = 40;
