//! The node as the document configures it, and the data centre that it is plugged into.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::document;
use crate::harness::config::Config;
use crate::harness::daemon::write_config;
use crate::harness::{Process, SCRATCH, frames, sh, soon};

/// The router of every network. Its link-local address follows from it.
pub(crate) const ROUTER_MAC: &str = "02:00:00:00:00:01";

/// A machine of the data centre, which nobody here serves.
pub(crate) const STRANGER: [u8; 6] = [2, 0, 0, 0, 0, 0x99];

/// Installs our programs, and has `systemd-networkd` configure the node as a section of the document says, until these links
/// are up.
#[track_caller]
pub(crate) fn configure(section: &str, config: &Config, links: &[&str]) -> Process {
    document::install(section);
    install(config);
    sh("install --directory --owner=systemd-network /run/systemd /run/systemd/netif /run/systemd/netif/links");
    // By a /sys that it cannot write to it knows that no udev will come.
    let script = "mount -o remount,bind,ro /sys; exec /lib/systemd/systemd-networkd";
    let mut networkd = Command::new("unshare");
    networkd.args(["--mount", "sh", "-ec", script]).env("SYSTEMD_LOG_LEVEL", "debug");
    let networkd = Process::start(networkd, "networkd");
    links.iter().for_each(|link| wait_for_link(link));
    networkd
}

/// Makes both programs commands, with the configuration of the daemon and the folders of both where they look for them.
pub(crate) fn install(config: &Config) {
    let folders = "/usr/local/sbin /etc/nfdhcpd /var/lib/nfdhcpd /var/lib/snf-network";
    sh(&format!("for folder in {folders}; do mkdir -p $folder; mount -t tmpfs tmpfs $folder; done"));
    for program in [env!("CARGO_BIN_EXE_nfdhcpd"), env!("CARGO_BIN_EXE_snf-network")] {
        let name = Path::new(program).file_name().unwrap();
        symlink(program, Path::new("/usr/local/sbin").join(name)).unwrap();
    }
    symlink(write_config(config), "/etc/nfdhcpd/nfdhcpd.conf").unwrap();
}

/// What the daemon is told: as everywhere in the lab, and who the router is.
pub(crate) fn config() -> Config {
    Config::default().with("general", "router_mac", ROUTER_MAC)
}

/// The section of the document about rules for taps in bridges.
const RULES: &str = "Rules for taps in bridges";

/// Whether bridges call iptables.
#[derive(Clone, Copy)]
pub(crate) enum Hooks {
    /// They do.
    On,
    /// They do not.
    Off,
}

/// Switches them as the document does.
#[track_caller]
pub(crate) fn set_hooks(hooks: Hooks) {
    let name = match hooks {
        Hooks::On => "br_netfilter on",
        Hooks::Off => "br_netfilter off",
    };
    document::run(RULES, name, "");
}

/// Loads the document's rules of this name for taps in these bridges.
#[track_caller]
pub(crate) fn load(rules: &str, bridges: &[&str]) {
    document::run(RULES, rules, &format!("BRIDGES={}", bridges.join(",")));
}

/// Waits until a link is there and carries frames.
#[track_caller]
fn wait_for_link(link: &str) {
    let path = format!("/sys/class/net/{link}/operstate");
    soon(&format!("{link} up"), || (fs::read_to_string(&path).ok()?.trim() == "up").then_some(()));
}

/// The namespace `dc` at the other end of the node's uplinks. Their end is its `trunk`.
pub(crate) struct DataCentre;

impl DataCentre {
    /// Lays a cable to each of these interfaces of the node. `script` makes the trunk, of ends that are called `port0` and
    /// so on.
    pub(crate) fn new(uplinks: &[&str], script: &str) -> Self {
        let cable = |(number, uplink): (usize, &&str)| {
            format!("ip link add {uplink} type veth peer name port{number} netns dc; ip link set {uplink} up\n")
        };
        let cables: String = uplinks.iter().enumerate().map(cable).collect();
        sh(&format!("ip netns add dc\n{cables}"));
        let data_centre = Self;
        data_centre.sh(&format!("ip link set lo up\n{script}\nip link set trunk up"));
        data_centre
    }

    /// Makes a VLAN of the trunk a namespace of its own, with a router that has these addresses at its `eth0`.
    pub(crate) fn add_vlan(&self, vlan: u16, addresses: &[&str]) {
        let netns = format!("vlan{vlan}");
        let add = |address: &&str| format!("ip -n {netns} address add {address} dev eth0 nodad\n");
        let addresses: String = addresses.iter().map(add).collect();
        sh(&format!(
            "ip netns add {netns}
             ip -n dc link add link trunk name eth0 netns {netns} address {ROUTER_MAC} type vlan id {vlan}
             ip -n {netns} link set eth0 up
             {addresses}"
        ));
    }

    /// Sends a frame into a VLAN.
    #[track_caller]
    pub(crate) fn send(&self, vlan: u16, frame: &[u8]) {
        let file = format!("{SCRATCH}/dc-sent.pcap");
        frames::write(&file, &[frame.to_vec()]);
        let program = env::current_exe().unwrap();
        sh(&format!("ip netns exec vlan{vlan} {} {} eth0 {file} 1", program.display(), frames::FLAG));
    }

    /// Runs a script there, which has to succeed, for what it prints.
    #[track_caller]
    pub(crate) fn sh(&self, script: &str) -> String {
        let path = format!("{SCRATCH}/dc.sh");
        fs::write(&path, script).unwrap();
        sh(&format!("ip netns exec dc sh -e {path}"))
    }
}
