//! `/etc/default/snf-network`: what the administrator decides for all NICs of the node.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::assignments::{self, Assignment, BadLine};
use super::dns;
use super::mac_prefix::MacMask;
use crate::config::ConfigError;
use crate::text::{nearest, parsed, station};
use crate::wire::MacAddr;

/// Where the file is.
pub const DEFAULT_PATH: &str = "/etc/default/snf-network";

/// The settings, with a value for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `STATE_DIR`: held while changes are made, so that no two runs get in each other's way.
    pub state_dir: PathBuf,
    /// `LOGFILE`: where it is told what was done; None for nowhere.
    pub logfile: Option<PathBuf>,
    /// `IFUP_EXTRA_SCRIPT`: run at the end of ifup.
    pub ifup_extra_script: Option<PathBuf>,
    /// `MAC_MASK`: which bits of a MAC tell its private network.
    pub mac_mask: MacMask,
    /// `TAP_CONSTANT_MAC`: the MAC of every routed tap, so that a guest finds the same router on every node.
    pub tap_constant_mac: MacAddr,
    /// `NFDHCPD_STATE_DIR`: the directory of binding files.
    pub bindings: PathBuf,
    /// `GANETI_NIC_DIR`: the files that Ganeti writes for NICs of Xen.
    pub ganeti_nic_dir: PathBuf,
    /// `GANETI_KVM_NIC_DIR`: the files in which Ganeti keeps the names of the taps of KVM.
    pub ganeti_kvm_nic_dir: PathBuf,
    /// Which tag of a network asks for what.
    pub tags: TagNames,
    /// Who answers for names, and how it is asked to change them; or what is wrong with that, which is no reason to keep a
    /// guest from its network.
    pub dns: Result<dns::Settings, ConfigError>,
}

/// The tags of networks, as the cluster has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagNames {
    /// `IP_LESS_ROUTED_TAG`.
    pub ip_less_routed: String,
    /// `MAC_FILTERED_TAG`; `mac-filtered` means the same.
    pub mac_filtered: String,
    /// `PHYSICAL_VLAN_TAG`, which asks for nothing.
    pub physical_vlan: String,
    /// `NFDHCPD_TAG`; with an option behind it as well.
    pub nfdhcpd: String,
    /// `DNS_TAG`.
    pub dns: String,
    /// `MASQ_TAG`.
    pub masq: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            state_dir: "/var/lib/snf-network".into(),
            logfile: Some("/var/log/snf-network.log".into()),
            ifup_extra_script: None,
            mac_mask: MacMask::USUAL,
            // That of the original: a guest that has its router in its neighbour table must not notice the change.
            tap_constant_mac: MacAddr::new([0xcc, 0x47, 0x52, 0x4e, 0x45, 0x54]),
            bindings: "/var/lib/nfdhcpd".into(),
            ganeti_nic_dir: "/var/run/ganeti/xen-hypervisor/nic".into(),
            ganeti_kvm_nic_dir: "/var/run/ganeti/kvm-hypervisor/nic".into(),
            tags: TagNames::default(),
            dns: Ok(dns::Settings::default()),
        }
    }
}

impl Default for TagNames {
    fn default() -> Self {
        Self {
            ip_less_routed: "ip-less-routed".to_owned(),
            mac_filtered: "private-filtered".to_owned(),
            physical_vlan: "physical-vlan".to_owned(),
            nfdhcpd: "nfdhcpd".to_owned(),
            dns: "dns".to_owned(),
            masq: "masq".to_owned(),
        }
    }
}

/// Settings, and what their file said that deserves a warning.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parsed {
    /// The settings.
    pub settings: Settings,
    /// One line each; never a reason to stop.
    pub warnings: Vec<ConfigError>,
}

/// Reads the text of the file `path`. No file is opened. An empty value leaves the usual one in force, but for `LOGFILE`,
/// where it means no log.
///
/// # Errors
/// The first line that cannot be read, or the first value that is wrong.
pub fn parse(path: &Path, text: &str) -> Result<Parsed, ConfigError> {
    let bad_line = |BadLine { line, text, reason }| ConfigError {
        path: path.to_owned(),
        line: Some(line),
        key: None,
        found: Some(text),
        reason: reason.to_owned(),
    };
    let mut parsed = Parsed::default();
    let mut dns = dns::Draft::default();
    let mut lines = HashMap::new();
    for assignment in assignments::read_shell(text).map_err(bad_line)? {
        let fault = |reason| at(path, &assignment, reason);
        match KEYS.iter().find(|(name, _)| *name == assignment.key) {
            Some((_, set)) => set(&mut parsed.settings, &assignment.value).map_err(fault)?,
            None if dns.set(&assignment.key, &assignment.value) => {}
            None => parsed.warnings.push(unknown(path, &assignment)),
        }
        lines.insert(assignment.key.clone(), assignment);
    }
    parsed.settings.dns = dns.settings().map_err(|(key, reason)| match lines.get(key) {
        Some(assignment) => at(path, assignment, reason),
        None => ConfigError { path: path.to_owned(), line: None, key: Some(key.to_owned()), found: None, reason },
    });
    Ok(parsed)
}

/// The name of every key, in the order of the documentation.
pub fn known_keys() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|(name, _)| *name).chain(dns::Draft::keys())
}

fn at(path: &Path, assignment: &Assignment, reason: String) -> ConfigError {
    ConfigError {
        path: path.to_owned(),
        line: Some(assignment.line),
        key: Some(assignment.key.clone()),
        found: Some(assignment.value.clone()),
        reason,
    }
}

fn unknown(path: &Path, Assignment { line, key, .. }: &Assignment) -> ConfigError {
    let reason = match nearest(key, known_keys()) {
        Some(meant) => format!("unknown key, did you mean {meant}?"),
        None => "unknown key".to_owned(),
    };
    ConfigError { path: path.to_owned(), line: Some(*line), key: None, found: Some(key.clone()), reason }
}

/// How to read a value into its place. An error says what is wrong with the value.
type Set = fn(&mut Settings, &str) -> Result<(), String>;

#[rustfmt::skip] // A table: one key, one row.
const KEYS: &[(&str, Set)] = &[
    ("STATE_DIR", |s, v| path(v, &mut s.state_dir)),
    ("LOGFILE", |s, v| optional_path(v, &mut s.logfile)),
    ("IFUP_EXTRA_SCRIPT", |s, v| optional_path(v, &mut s.ifup_extra_script)),
    ("MAC_MASK", |s, v| read(v, &mut s.mac_mask, parsed)),
    ("TAP_CONSTANT_MAC", |s, v| read(v, &mut s.tap_constant_mac, station)),
    ("NFDHCPD_STATE_DIR", |s, v| path(v, &mut s.bindings)),
    ("GANETI_NIC_DIR", |s, v| path(v, &mut s.ganeti_nic_dir)),
    ("GANETI_KVM_NIC_DIR", |s, v| path(v, &mut s.ganeti_kvm_nic_dir)),
    ("IP_LESS_ROUTED_TAG", |s, v| tag(v, &mut s.tags.ip_less_routed)),
    ("MAC_FILTERED_TAG", |s, v| tag(v, &mut s.tags.mac_filtered)),
    ("PHYSICAL_VLAN_TAG", |s, v| tag(v, &mut s.tags.physical_vlan)),
    ("NFDHCPD_TAG", |s, v| tag(v, &mut s.tags.nfdhcpd)),
    ("DNS_TAG", |s, v| tag(v, &mut s.tags.dns)),
    ("MASQ_TAG", |s, v| tag(v, &mut s.tags.masq)),
];

/// Puts a value in its place, if there is one.
fn read<T>(value: &str, to: &mut T, read: impl Fn(&str) -> Result<T, String>) -> Result<(), String> {
    if !value.is_empty() {
        *to = read(value)?;
    }
    Ok(())
}

fn path(value: &str, to: &mut PathBuf) -> Result<(), String> {
    read(value, to, absolute)
}

fn optional_path(value: &str, to: &mut Option<PathBuf>) -> Result<(), String> {
    *to = if value.is_empty() { None } else { Some(absolute(value)?) };
    Ok(())
}

/// Hooks run in a directory that nobody chose.
pub(super) fn absolute(value: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(value);
    if path.is_absolute() { Ok(path) } else { Err("not an absolute path, which starts with /".to_owned()) }
}

fn tag(value: &str, to: &mut String) -> Result<(), String> {
    let is_one_word = !value.contains(char::is_whitespace);
    read(
        value,
        to,
        |value| if is_one_word { Ok(value.to_owned()) } else { Err("not one tag: it has white space".to_owned()) },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Parsed, ConfigError> {
        parse(Path::new("/etc/default/x"), text)
    }

    #[test]
    fn an_empty_file_leaves_all_as_usual() {
        assert_eq!(read("# nothing\nSTATE_DIR=\nMAC_MASK=\n"), Ok(Parsed::default()));
    }

    #[test]
    fn every_key_has_its_place() {
        let text = "STATE_DIR=/a\nLOGFILE=\nIFUP_EXTRA_SCRIPT=/b\nMAC_MASK=ff:ff:ff:00:00:00\nTAP_CONSTANT_MAC=aa:00:00:00:00:01
            NFDHCPD_STATE_DIR=/c\nGANETI_NIC_DIR=/d\nGANETI_KVM_NIC_DIR=/k\nIP_LESS_ROUTED_TAG=e\nMAC_FILTERED_TAG=f\nPHYSICAL_VLAN_TAG=g
            NFDHCPD_TAG=h\nDNS_TAG=i\nMASQ_TAG=j";
        let Parsed { settings, warnings } = read(text).unwrap();
        assert_eq!(warnings, []);
        let tags = TagNames {
            ip_less_routed: "e".into(),
            mac_filtered: "f".into(),
            physical_vlan: "g".into(),
            nfdhcpd: "h".into(),
            dns: "i".into(),
            masq: "j".into(),
        };
        let expected = Settings {
            state_dir: "/a".into(),
            logfile: None,
            ifup_extra_script: Some("/b".into()),
            mac_mask: "ff:ff:ff:00:00:00".parse().unwrap(),
            tap_constant_mac: "aa:00:00:00:00:01".parse().unwrap(),
            bindings: "/c".into(),
            ganeti_nic_dir: "/d".into(),
            ganeti_kvm_nic_dir: "/k".into(),
            tags,
            dns: Ok(dns::Settings::default()),
        };
        assert_eq!(settings, expected);
    }

    #[test]
    fn faults_name_line_and_key() {
        for (text, expected) in [
            ("\nMAC_MASK=ff:00:ff:00:00:00", "/etc/default/x:2: MAC_MASK = \"ff:00:ff:00:00:00\": not a mask"),
            ("STATE_DIR=x", "/etc/default/x:1: STATE_DIR = \"x\": not an absolute path"),
            ("NFDHCPD_TAG='a b'", "/etc/default/x:1: NFDHCPD_TAG = \"a b\": not one tag"),
            ("STATE_DIR=$HOME", "/etc/default/x:1: \"STATE_DIR=$HOME\": the file is read as data"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        let warnings = read("STATE_DRI=/a").unwrap().warnings;
        assert!(warnings[0].to_string().contains("did you mean STATE_DIR?"), "{warnings:?}");
    }

    #[test]
    fn a_fault_of_the_dns_keeps_no_guest_from_its_network() {
        for (text, line) in [("TTL=x", Some(1)), ("AUTHENTICATION_METHOD=bind9", None)] {
            let settings = read(text).unwrap().settings;
            assert_eq!(settings.dns.unwrap_err().line, line, "{text}");
        }
    }
}
