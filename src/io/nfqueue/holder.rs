//! Which process has bound a queue.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::Path;

use crate::queue_list::Listed;
use crate::text::Visible;

/// Where the kernel lists the netlink sockets of this network namespace.
const SOCKETS: &str = "/proc/net/netlink";
/// NETLINK_NETFILTER (linux/netlink.h).
const NETFILTER: &str = "12";
/// Who has queues for a daemon to take: another one of ours, and whoever keeps them between two.
const KEEPERS: [&str; 2] = ["nfdhcpd", "systemd"];

/// A process that holds the socket of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its number.
    pub process: u32,
    /// What the kernel calls it.
    pub name: String,
}

impl Holder {
    /// Whether it is another program, so that no daemon of ours gets the queue.
    pub fn is_stranger(&self) -> bool {
        !KEEPERS.contains(&self.name.as_str())
    }
}

/// For people.
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} ({})", self.process, Visible(&self.name))
    }
}

/// Who holds these queues, by their numbers. Without those of which that cannot be told: it takes root, and a process that is
/// visible from here. Of several processes that have a socket, one of ours counts.
pub fn holders(queues: &[Listed]) -> HashMap<u16, Holder> {
    let sockets = fs::read_to_string(SOCKETS).unwrap_or_default();
    let links: HashMap<OsString, u16> = queues
        .iter()
        .filter_map(|queue| Some((format!("socket:[{}]", inode(&sockets, queue.port)?).into(), queue.number)))
        .collect();
    let mut holders: HashMap<u16, Holder> = HashMap::new();
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some((number, path)) =
            process.file_name().to_str().and_then(|name| Some((name.parse().ok()?, process.path())))
        else {
            continue;
        };
        for queue in held(&path, &links) {
            let holder = Holder { process: number, name: name(&path) };
            if holders.get(&queue).is_none_or(Holder::is_stranger) {
                holders.insert(queue, holder);
            }
        }
    }
    holders
}

/// The inode of the socket with this port. Columns are an address, protocol, port and so on; the inode is the tenth.
fn inode(sockets: &str, port: u32) -> Option<u64> {
    sockets.lines().find_map(|line| {
        let columns: Vec<&str> = line.split_ascii_whitespace().collect();
        let is_it = columns.get(1) == Some(&NETFILTER) && columns.get(2)?.parse() == Ok(port);
        is_it.then(|| columns.get(9)?.parse().ok()).flatten()
    })
}

/// The queues whose sockets a process has.
fn held(process: &Path, links: &HashMap<OsString, u16>) -> Vec<u16> {
    let files = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    let targets = files.filter_map(|file| fs::read_link(file.path()).ok());
    targets.filter_map(|target| links.get(target.as_os_str()).copied()).collect()
}

fn name(process: &Path) -> String {
    fs::read_to_string(process.join("comm")).unwrap_or_default().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\
sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
00000000adb6e943 0   31115      00000000 0        0        0     2        0        4
00000000f318a303 12  31115      00000000 0        0        0     2        0        1517
00000000f318a304 12  4294967000 00000000 0        0        0     2        0        1518
";

    #[test]
    fn finds_the_socket_of_netfilter_that_has_the_port() {
        for (port, expected) in [(31115, Some(1517)), (4_294_967_000, Some(1518)), (7, None)] {
            assert_eq!(inode(LIST, port), expected);
        }
        assert_eq!(inode("12 12 12", 12), None);
    }

    #[test]
    fn who_keeps_queues_for_us_is_no_stranger() {
        for (name, expected) in [("nfdhcpd", false), ("systemd", false), ("python3", true), ("", true)] {
            assert_eq!(Holder { process: 1, name: name.to_owned() }.is_stranger(), expected);
        }
    }
}
