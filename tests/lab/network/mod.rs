//! The companion `snf-network` as Ganeti calls it: the NIC in the environment, a tap that is down, and then what really
//! gets through.

pub(crate) mod bridged;
pub(crate) mod firewall;
pub(crate) mod input;
pub(crate) mod life;
pub(crate) mod many;
pub(crate) mod migration;
pub(crate) mod private;
pub(crate) mod routed;
pub(crate) mod script;
pub(crate) mod vif;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::harness::inside::need;
use crate::harness::process::outcome;
use crate::harness::{Guest, SCRATCH, sh, try_sh};

/// The routing table of routed guests.
const TABLE: u32 = 100;

/// The variables of a NIC, as Ganeti sets them.
#[derive(Clone)]
struct Nic(BTreeMap<String, String>);

impl Nic {
    /// A port of `br0`, without a network.
    fn bare(guest: &Guest) -> Self {
        let nic = Self(BTreeMap::new()).with("INTERFACE", &guest.tap).with("MAC", &guest.mac_text());
        let nic = nic.with("INSTANCE", &format!("guest{}", guest.ip().octets()[3])).with("INTERFACE_INDEX", "0");
        nic.with("MODE", "bridged").with("LINK", "br0").with("BRIDGE", "br0").with("TAGS", "").with("VLAN", "")
    }

    /// A port of `br0`, in a network of both families with these tags.
    fn bridged(guest: &Guest, tags: &str) -> Self {
        let prefix = guest.prefix6();
        let nic = Self::bare(guest).with("NETWORK_NAME", "net1").with("NETWORK_TAGS", tags);
        let nic = nic.with("IP", &guest.ip().to_string()).with("NETWORK_SUBNET", "192.0.2.0/24");
        let nic = nic.with("NETWORK_GATEWAY", "192.0.2.1").with("NETWORK_GATEWAY6", &format!("{prefix}::1"));
        nic.with("NETWORK_SUBNET6", &format!("{prefix}::/64"))
    }

    /// The same, routed by [`TABLE`].
    fn routed(guest: &Guest, tags: &str) -> Self {
        Self::bridged(guest, tags).without("BRIDGE").with("MODE", "routed").with("LINK", &TABLE.to_string())
    }

    /// With a variable set, or set anew.
    fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Without the variables whose names start like this.
    fn without(mut self, start: &str) -> Self {
        self.0.retain(|name, _| !name.starts_with(start));
        self
    }

    /// Sets it up, which has to succeed in silence.
    #[track_caller]
    fn up(&self) {
        assert_eq!(self.try_up(), Ok(String::new()));
    }

    /// What the program says: as an error if it fails.
    fn try_up(&self) -> Result<String, String> {
        outcome(&mut self.command(&["ifup"]))
    }

    /// What would be changed.
    #[track_caller]
    fn plan(&self) -> String {
        outcome(&mut self.command(&["ifup", "--dry-run"])).unwrap()
    }

    /// Takes it down, which has to succeed in silence.
    #[track_caller]
    fn down(&self) {
        assert_eq!(outcome(&mut self.command(&["ifdown"])), Ok(String::new()));
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program(arguments);
        command.envs(&self.0);
        command
    }
}

/// The program with these arguments, and nothing in its environment.
fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_snf-network"));
    command.args(arguments).env_clear().args(["--config", &configure("")]);
    command
}

/// Writes the settings, with these lines behind the usual ones, and gives their path.
fn configure(more: &str) -> String {
    let path = format!("{SCRATCH}/snf-network.conf");
    let usual = format!(
        "STATE_DIR={SCRATCH}/state\nLOGFILE={SCRATCH}/snf-network.log\nNFDHCPD_STATE_DIR={SCRATCH}/bindings\n\
         GANETI_NIC_DIR={SCRATCH}/nic\nGANETI_KVM_NIC_DIR={SCRATCH}/kvm-nic\nIFUP_EXTRA_SCRIPT={SCRATCH}/extra\n"
    );
    if !more.is_empty() || !fs::exists(&path).unwrap() {
        need("nft");
        fs::write(&path, usual + more).unwrap();
    }
    path
}

/// Runs the program, which has to succeed, for what it says.
#[track_caller]
fn run(arguments: &[&str]) -> String {
    outcome(&mut program(arguments)).unwrap_or_else(|said| panic!("{arguments:?}: {said}"))
}

/// All that belongs to taps: what is marked as ours of rules, routes and proxies, elements of our tables, and bindings.
fn belongings() -> String {
    let mut all = sh("{ ip -d rule; ip -d -6 rule; } | grep 'proto 119' || true
        ip -4 route show table all proto 119; ip -6 route show table all proto 119
        ip -d neigh show proxy; ip -d -6 neigh show proxy
        cd /run/lab/bindings; grep -r . . || true");
    elements().into_iter().for_each(|element| writeln!(all, "{element}").unwrap());
    all
}

/// What is in the sets and maps of our tables, however nft writes it.
fn elements() -> Vec<String> {
    let listing: Value = serde_json::from_str(&sh("nft --json list ruleset")).unwrap();
    let objects = listing["nftables"].as_array().unwrap().iter();
    let sets = objects.filter_map(|object| object.get("set").or(object.get("map")));
    let ours = sets.filter(|set| set["table"] == "snf_network");
    let mut elements: Vec<_> = ours
        .flat_map(|set| {
            let elements = set["elem"].as_array().into_iter().flatten();
            elements.map(|element| format!("{} {}: {element}", set["family"], set["name"]))
        })
        .collect();
    elements.sort();
    elements
}

/// All that there is: of everybody's rules, routes and filters, of links with what is set of them, and what belongs to taps.
fn dump() -> String {
    let names = fs::read_dir("/sys/class/net").unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name != "bonding_masters").collect();
    names.sort();
    let links: String = names.iter().map(|name| link(name)).collect();
    let others = "ip rule; ip -6 rule; ip -4 route show table all; ip -6 route show table 100; nft -s list ruleset
        ls -A /run/lab/bindings /run/lab/state || true";
    links + &try_sh(others).unwrap_or_else(|output| output) + &belongings()
}

/// What is set of a link.
fn link(name: &str) -> String {
    sh(&format!(
        "cd /sys/class/net/{name}; echo {name} $(cat address mtu) up=$(($(cat flags) & 1)) $(readlink master || true)
         cd /proc/sys/net; grep -s . ipv4/conf/{name}/proxy_arp ipv4/conf/{name}/rp_filter \
             ipv6/conf/{name}/proxy_ndp ipv6/conf/{name}/disable_ipv6 || true"
    ))
}

/// Two dumps are the same, line by line; else what differs is told.
#[track_caller]
fn assert_same(is: &str, expected: &str) {
    let not_in = |text: &str, other: &str| {
        let missing = text.lines().filter(|line| !other.lines().any(|known| known == *line));
        missing.map(str::to_owned).collect::<Vec<_>>()
    };
    let (more, less) = (not_in(is, expected), not_in(expected, is));
    assert!(is == expected, "too much: {more:#?}, missing: {less:#?} of\n{expected}");
}
