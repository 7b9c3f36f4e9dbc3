//! libvirt's hook: the guest's name and an operation are arguments, the guest is on standard input.

use std::process::Command;

use super::{GUEST, HOSTILE, Node, binding, escaped, example, fails, is_installed, run, skip, succeeds};

const OWNER: &str = "# libvirt 4dea22b3-1d52-d8f3-2516-782e98ab3fa0\n";

/// What the metadata says of the NIC, besides its MAC.
const TOLD: [(&str, &str); 6] = [
    ("ip", "192.0.2.10"),
    ("subnet", "192.0.2.0/24"),
    ("gateway", "192.0.2.1"),
    ("subnet6", "2001:db8:1::/64"),
    ("gateway6", "2001:db8:1::1"),
    ("mtu", "1400"),
];

/// A guest as libvirt formats it: what the test is about, and a little of what else there is.
struct Guest {
    name: String,
    /// Attributes of the metadata of the first NIC.
    told: Vec<(String, String)>,
    /// The taps of its interfaces; no name where libvirt has not chosen one yet.
    taps: Vec<&'static str>,
}

impl Guest {
    fn new(taps: &[&'static str]) -> Self {
        let told = TOLD.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self { name: "guest1.example.com".to_owned(), told: told.to_vec(), taps: taps.to_vec() }
    }

    /// The same guest, but for one attribute of its metadata.
    fn telling(mut self, name: &str, value: &str) -> Self {
        self.told.retain(|(known, _)| known != name);
        self.told.push((name.to_owned(), value.to_owned()));
        self
    }

    fn xml(&self) -> String {
        let told: String = self.told.iter().map(|(name, value)| format!(" {name}=\"{}\"", escaped(value))).collect();
        let mac = if told.contains(" mac=") { "" } else { " mac=\"52:54:00:00:00:01\"" };
        let interfaces: String = (1..).zip(&self.taps).map(|(number, tap)| interface(number, tap)).collect();
        format!(
            "<domain type='kvm' id='3'>\n  <name>{}</name>\n  <uuid>4dea22b3-1d52-d8f3-2516-782e98ab3fa0</uuid>\n  \
             <metadata>\n    <nfdhcpd:guest xmlns:nfdhcpd=\"urn:nfdhcpd:binding\">\n      <nfdhcpd:nic{mac}{told}/>\n    \
             </nfdhcpd:guest>\n    <other:thing xmlns:other=\"http://example.com/other\"><other:nic ip=\"no\"/></other:thing>\n  \
             </metadata>\n  <memory unit='KiB'>131072</memory>\n  <devices>\n    \
             <emulator>/usr/bin/qemu-system-x86_64</emulator>\n{interfaces}    \
             <interface type='user'>\n      <mac address='52:54:00:00:00:99'/>\n    </interface>\n  </devices>\n</domain>\n",
            escaped(&self.name),
        )
    }
}

fn interface(number: u8, tap: &str) -> String {
    let target = if tap.is_empty() { String::new() } else { format!("      <target dev='{}'/>\n", escaped(tap)) };
    format!(
        "    <interface type='bridge'>\n      <mac address='52:54:00:00:00:{number:02x}'/>\n      \
         <source bridge='br0'/>\n{target}      <model type='virtio'/>\n    </interface>\n"
    )
}

fn hook(node: &Node, operation: &str) -> Command {
    let mut command = node.command(&example("libvirt/nfdhcpd"));
    let sub_operation = if matches!(operation, "stopped" | "release") { "end" } else { "begin" };
    command.args(["guest1.example.com", operation, sub_operation, "-"]);
    command
}

/// A node for one test, if there is a Python to run the hook with.
fn node(name: &str) -> Option<Node> {
    if !is_installed("/usr/bin/python3") {
        skip("python3 is not installed");
        return None;
    }
    Some(Node::new(name))
}

#[test]
fn a_guest_starts_and_stops() {
    let Some(node) = node("libvirt") else { return };
    node.add("vnet9", "# libvirt 00000000-1d52-d8f3-2516-782e98ab3fa0\n");
    for _ in 0..2 {
        for (operation, tap, expected) in [
            ("prepare", "", &["vnet9"][..]),
            ("start", "vnet0", &["vnet0", "vnet9"]),
            ("started", "vnet0", &["vnet0", "vnet9"]),
            ("reconnect", "vnet0", &["vnet0", "vnet9"]),
            ("attach", "vnet0", &["vnet0", "vnet9"]),
            ("stopped", "vnet0", &["vnet9"]),
            ("release", "", &["vnet9"]),
        ] {
            succeeds(&mut hook(&node, operation), &Guest::new(&[tap]).xml());
            assert_eq!(node.files(), expected, "{operation}");
            if expected.contains(&"vnet0") {
                assert_eq!(node.binding("vnet0"), binding("vnet0", GUEST));
            }
        }
    }
}

#[test]
fn a_binding_is_replaced_whole() {
    let Some(node) = node("libvirt-replaced") else { return };
    node.add("vnet0", "# libvirt 00000000-1d52-d8f3-2516-782e98ab3fa0\nIP=");
    let first = node.inode("vnet0");
    succeeds(&mut hook(&node, "started"), &Guest::new(&["vnet0"]).telling("ip", "192.0.2.11").xml());
    assert_eq!(node.binding("vnet0").ipv4.unwrap().address.to_string(), "192.0.2.11");
    assert_ne!(node.inode("vnet0"), first, "written in place");
}

/// As after `virsh attach-interface` and `detach-interface`, which call no hook, when it is run by hand.
#[test]
fn nics_that_went_take_their_bindings_along() {
    let Some(node) = node("libvirt-nics") else { return };
    let told = Guest::new(&["vnet0", "vnet1"]).xml().replace(
        "</nfdhcpd:guest>",
        "<nfdhcpd:nic mac='52:54:00:00:00:02' hostname='second' ip='198.51.100.2'/></nfdhcpd:guest>",
    );
    succeeds(&mut hook(&node, "started"), &told);
    assert_eq!(node.files(), ["vnet0", "vnet1"]);
    assert_eq!(node.binding("vnet1").hostname.as_str(), "second");
    succeeds(&mut hook(&node, "reconnect"), &Guest::new(&["vnet0"]).xml());
    assert_eq!(node.files(), ["vnet0"]);
}

/// Standard output would be taken for the guest's XML; the taps of the XML are those of the source.
#[test]
fn an_incoming_guest_is_only_checked() {
    let Some(node) = node("libvirt-incoming") else { return };
    for operation in ["migrate", "restore", "prepare"] {
        succeeds(&mut hook(&node, operation), &Guest::new(&["vnet0"]).xml());
        fails(&mut hook(&node, operation), &Guest::new(&["vnet0"]).telling("ip", "192.0.2").xml());
        assert_eq!(node.files(), [""; 0]);
    }
}

#[test]
fn a_name_that_no_host_may_have_gives_way_to_the_uuid() {
    let Some(node) = node("libvirt-name") else { return };
    for name in HOSTILE.iter().chain(&["", "my guest", "a..b", "-x y"]) {
        let guest = Guest { name: (*name).to_owned(), ..Guest::new(&["vnet0"]) };
        succeeds(&mut hook(&node, "started"), &guest.xml());
        assert_eq!(node.binding("vnet0").hostname.as_str(), "4dea22b3-1d52-d8f3-2516-782e98ab3fa0", "{name}");
        assert!(!node.binding("vnet0").settings.macspoof);
    }
    assert_eq!(node.files(), ["vnet0"]);
}

#[test]
fn refuses_metadata_that_means_nothing() {
    let Some(node) = node("libvirt-hostile") else { return };
    let names = ["mac", "hostname", "ip", "mtu"];
    let hostile = names.iter().flat_map(|name| HOSTILE.iter().map(|value| (*name, *value)));
    let wrong = [("ip", ""), ("subnet6", "::/64\n"), ("gateway6", "fe80::1%eth0"), ("macspoof", "1"), ("MAC", "")];
    for (name, value) in wrong.into_iter().chain(hostile) {
        let guest = Guest::new(&["vnet0"]).telling(name, value).xml();
        let complaint = fails(&mut hook(&node, "started"), &guest);
        assert!(complaint.contains(name), "{complaint}");
        assert_eq!(node.files(), [""; 0], "{name}={value}");
    }
}

/// libvirt would end it. And what it had goes when it goes.
#[test]
fn a_running_guest_is_not_ended_for_its_metadata() {
    let Some(node) = node("libvirt-running") else { return };
    let guest = Guest::new(&["vnet0"]).telling("ip", "192.0.2.10\nMACSPOOF=1").xml();
    node.add("vnet0", OWNER);
    for operation in ["reconnect", "attach"] {
        let (status, stdout, complaint) = run(&mut hook(&node, operation), &guest);
        assert_eq!((status, stdout.as_str(), complaint.lines().count()), (0, "", 1), "{complaint}");
        assert_eq!(node.files(), ["vnet0"]);
    }
    succeeds(&mut hook(&node, "release"), &guest);
    assert_eq!(node.files(), [""; 0]);
}

#[test]
fn free_text_is_one_line() {
    let Some(node) = node("libvirt-text") else { return };
    let guest = Guest::new(&["vnet0"]).telling("tags", "web $(touch pwned) 'x' \"y\"");
    succeeds(&mut hook(&node, "started"), &guest.xml());
    assert_eq!(&*node.binding("vnet0").tags, "web $(touch pwned) 'x' \"y\"");
    assert_eq!(node.files(), ["vnet0"]);
    for value in ["a\nMACSPOOF=1", "a\rMACSPOOF=1", "a\u{2028}b"] {
        fails(&mut hook(&node, "started"), &Guest::new(&["vnet0"]).telling("tags", value).xml());
    }
}

#[test]
fn refuses_what_names_no_tap() {
    let Some(node) = node("libvirt-taps") else { return };
    for tap in ["..", ".vnet0", "../vnet0", "a/b", "vnet 0", "vnet0\n", "sixteen-letters-", "$(touch pwned)"] {
        fails(&mut hook(&node, "started"), &Guest::new(&[tap]).xml());
    }
    assert_eq!(node.files(), [""; 0]);
}

#[test]
fn what_is_not_for_it_passes() {
    let Some(node) = node("libvirt-others") else { return };
    let plain = Guest::new(&["vnet0"]).xml().replace("urn:nfdhcpd:binding", "urn:something:else");
    for operation in ["prepare", "started", "reconnect", "migrate", "release"] {
        succeeds(&mut hook(&node, operation), &plain);
    }
    succeeds(&mut hook(&node, "of-tomorrow"), "no XML at all");
    assert_eq!(node.files(), [""; 0]);
    let (status, stdout, complaint) = run(&mut hook(&node, "started"), &Guest::new(&[]).xml());
    assert_eq!((status, stdout.as_str()), (0, ""));
    assert!(complaint.contains("which no interface has"), "{complaint}");
    fails(&mut hook(&node, "started"), "<domain>");
}
