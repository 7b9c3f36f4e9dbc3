//! A guest: a network namespace at the other end of a tap, with clients in it.

use std::env;
use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::capture::{self, Capture, Dhcpv4, Dhcpv6, Frame};
use super::inside::need;
use super::process::{Process, outcome};
use super::{SCRATCH, frames, sh, soon};

/// What `udhcpc` runs at each event.
const UDHCPC_SCRIPT: &str = include_str!("../udhcpc-script.sh");

/// One guest. Its number is in everything that it has: tap, name, addresses.
pub(crate) struct Guest {
    /// What its addresses end with.
    pub(crate) number: u8,
    /// The tap on the node.
    pub(crate) tap: String,
    /// The namespace that plays the machine. Its interface is `eth0`.
    pub(crate) name: String,
    /// The address of `eth0`.
    pub(crate) mac: [u8; 6],
    captures: Vec<Capture>,
}

impl Guest {
    /// A guest without a network card.
    pub(crate) fn new(number: u8) -> Self {
        let guest = Self::unplugged(number);
        sh(&format!("ip netns add {0}; ip -n {0} link set lo up", guest.name));
        guest
    }

    /// What would be such a guest: the addresses without the machine.
    pub(crate) fn unplugged(number: u8) -> Self {
        let name = format!("vm{number}");
        Self { tap: format!("tap{number}"), name, number, mac: [0xaa, 0, 0, 0, 0, number], captures: Vec::new() }
    }

    /// Gives the guest its card, as a hypervisor does that starts a machine: the tap is made, and then comes up.
    #[track_caller]
    pub(crate) fn plug(&mut self) {
        self.plug_with("");
    }

    /// The same with a script between the making of the tap and its coming up.
    #[track_caller]
    pub(crate) fn plug_with(&mut self, script: &str) {
        self.insert_with(script);
        sh(&format!("ip link set {} up", self.tap));
        self.wait_for_link();
    }

    /// Gives the guest its card, and leaves the tap down, as Ganeti does when it calls the script of a NIC.
    #[track_caller]
    pub(crate) fn insert(&mut self) {
        self.insert_with("");
    }

    #[track_caller]
    fn insert_with(&mut self, script: &str) {
        let (tap, name, mac) = (&self.tap, &self.name, self.mac_text());
        sh(&format!("ip link add {tap} type veth peer name eth0 netns {name} address {mac}"));
        sh(script);
        sh(&format!("ip -n {name} link set eth0 up"));
        self.captures.push(Capture::start(name, self.captures.len()));
    }

    /// Takes the tap away.
    pub(crate) fn unplug(&self) {
        sh(&format!("ip link del {}", self.tap));
    }

    /// The hardware address as people write it.
    pub(crate) fn mac_text(&self) -> String {
        self.mac.map(|byte| format!("{byte:02x}")).join(":")
    }

    /// The guest's IPv4 address.
    pub(crate) fn ip(&self) -> Ipv4Addr {
        Ipv4Addr::new(192, 0, 2, 10 + self.number)
    }

    /// The first four groups of the guest's IPv6 addresses.
    pub(crate) fn prefix6(&self) -> String {
        format!("2001:db8:0:{:x}", self.number)
    }

    /// The gateway in it.
    pub(crate) fn gateway6(&self) -> Ipv6Addr {
        format!("{}::1", self.prefix6()).parse().unwrap()
    }

    /// The guest's address in its prefix, made of its MAC.
    pub(crate) fn eui64(&self) -> String {
        format!("{}:a800:ff:fe00:{:x}", self.prefix6(), self.mac[5])
    }

    /// A binding with everything that a hook writes.
    pub(crate) fn binding(&self) -> String {
        format!("{}{}", self.binding4(), self.binding6())
    }

    /// A binding without IPv6.
    pub(crate) fn binding4(&self) -> String {
        format!(
            "INDEV={}\nIP={}\nMAC={}\nHOSTNAME=guest{}\nTAGS=\nGATEWAY=192.0.2.1\nSUBNET=192.0.2.0/24\n",
            self.tap,
            self.ip(),
            self.mac_text(),
            self.number
        )
    }

    fn binding6(&self) -> String {
        let prefix = self.prefix6();
        format!("GATEWAY6={prefix}::1\nSUBNET6={prefix}::/64\nEUI64={}\n", self.eui64())
    }

    /// Runs a script in the guest, which has to succeed, for what it prints.
    #[track_caller]
    pub(crate) fn sh(&self, script: &str) -> String {
        self.try_sh(script).unwrap_or_else(|output| panic!("{}: {script}\n{output}", self.name))
    }

    /// Runs a script in the guest: what it prints, as an error if it fails.
    pub(crate) fn try_sh(&self, script: &str) -> Result<String, String> {
        outcome(&mut self.command(script))
    }

    /// Starts a client that stays. Its name is its log's.
    pub(crate) fn spawn(&self, name: &str, script: &str) -> Process {
        Process::start(self.command(&format!("exec {script}")), &format!("{}-{name}", self.name))
    }

    fn command(&self, script: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, "sh", "-ec", script]).env("GUEST", &self.name);
        command
    }

    /// Starts `udhcpc`, which keeps its lease until it is told otherwise.
    pub(crate) fn udhcpc(&self, options: &str) -> Process {
        need("udhcpc");
        let script = format!("{SCRATCH}/udhcpc-script");
        fs::write(&script, UDHCPC_SCRIPT).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        self.spawn("udhcpc", &format!("udhcpc -f -i eth0 -s {script} -t 20 -T 1 -A 1 {options}"))
    }

    /// What `udhcpc` was told: the environment of its script.
    pub(crate) fn udhcpc_lease(&self) -> String {
        fs::read_to_string(format!("{SCRATCH}/{}.lease", self.name)).unwrap_or_default()
    }

    /// Starts `systemd-networkd`, with what its file says of each of these links. It needs no init, but a read-only /sys,
    /// by which it knows that no udev will come, and a user that is there in a namespace of one user.
    pub(crate) fn networkd(&self, links: &[(&str, &str)]) -> Process {
        need("/lib/systemd/systemd-networkd");
        sh("rm -rf /etc/systemd/network; mkdir -p /etc/systemd/network /run/systemd/netif/links
            sed -i '/^systemd-network:/d' /etc/passwd
            echo 'systemd-network:x:0:0::/:/usr/sbin/nologin' >>/etc/passwd");
        for (link, says) in links {
            let file = format!("/etc/systemd/network/{link}.network");
            fs::write(file, format!("[Match]\nName={link}\n{says}")).unwrap();
        }
        let client = "mount -o remount,bind,ro /sys; SYSTEMD_LOG_LEVEL=debug exec /lib/systemd/systemd-networkd";
        self.spawn("networkd", &format!("sh -ec '{client}'"))
    }

    /// The same, to ask for DHCPv4 alone.
    pub(crate) fn networkd4(&self) -> Process {
        self.networkd(&[("eth0", "[Network]\nDHCP=ipv4\n")])
    }

    /// Waits until both ends of the guest's wire pass on what is sent.
    #[track_caller]
    pub(crate) fn wait_for_link(&self) {
        wait_for_link(&format!("-n {}", self.name), "eth0");
        wait_for_link("", &self.tap);
    }

    /// Waits until the guest has an address that starts like this, usable and not tentative.
    #[track_caller]
    pub(crate) fn wait_for_address(&self, start: &str) {
        soon(&format!("address {start} in {}", self.name), || {
            let addresses = self.addresses();
            addresses
                .lines()
                .any(|line| line.contains(&format!(" {start}")) && !line.contains("tentative"))
                .then_some(())
        });
    }

    /// The guest's addresses, one line for each.
    pub(crate) fn addresses(&self) -> String {
        self.sh("ip -o address show dev eth0")
    }

    /// The guest's routes of both families.
    pub(crate) fn routes(&self) -> String {
        self.sh("ip -4 route; ip -6 route")
    }

    /// The wire as the guest sees it, from the first plug on.
    pub(crate) fn frames(&self) -> Vec<Frame> {
        self.captures.iter().flat_map(Capture::frames).collect()
    }

    /// The DHCPv4 messages of both directions, in order.
    pub(crate) fn dhcpv4(&self) -> Vec<Dhcpv4> {
        self.frames().iter().filter_map(|frame| capture::dhcpv4(frame)).collect()
    }

    /// Waits for a DHCPv4 message.
    #[track_caller]
    pub(crate) fn wait_for_dhcpv4(&self, what: &str, mut is_it: impl FnMut(&Dhcpv4) -> bool) -> Dhcpv4 {
        soon(what, || self.dhcpv4().into_iter().find(&mut is_it))
    }

    /// The DHCPv6 messages of both directions, in order.
    pub(crate) fn dhcpv6(&self) -> Vec<Dhcpv6> {
        self.frames().iter().filter_map(|frame| capture::dhcpv6(frame)).collect()
    }

    /// Waits for a DHCPv6 message.
    #[track_caller]
    pub(crate) fn wait_for_dhcpv6(&self, what: &str, mut is_it: impl FnMut(&Dhcpv6) -> bool) -> Dhcpv6 {
        soon(what, || self.dhcpv6().into_iter().find(&mut is_it))
    }

    /// Sends frames as they are out of `eth0`, all of them `count` times.
    #[track_caller]
    pub(crate) fn send(&self, frames: &[Vec<u8>], count: u32) {
        let mut sender = self.start_sending(frames, count);
        assert!(sender.wait().success(), "{}", sender.log());
    }

    /// The same without waiting for the end.
    pub(crate) fn start_sending(&self, frames: &[Vec<u8>], count: u32) -> Process {
        let file = format!("{SCRATCH}/{}-sent.pcap", self.name);
        frames::write(&file, frames);
        self.wait_for_link();
        let program = env::current_exe().unwrap();
        self.spawn("sender", &format!("{} {} eth0 {file} {count}", program.display(), frames::FLAG))
    }
}

/// Waits until the kernel passes on what is sent out of a link, if it is there and has a carrier: from the carrier on it
/// drops everything in silence for a moment, which may be long on a busy machine.
#[track_caller]
pub(crate) fn wait_for_link(options: &str, link: &str) {
    soon(&format!("the link {link}"), || {
        let seen = sh(&format!("ip {options} -o link show {link} 2>/dev/null || true"));
        (!seen.contains("LOWER_UP") || seen.contains(" state UP ")).then_some(())
    });
}
