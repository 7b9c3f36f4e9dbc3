//! OpenNebula's network driver: `pre`, `post` and `clean` read the machine as XML in base64, the machine's name on the
//! host and the host's are arguments of the last two.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use super::{GUEST, HOSTILE, Node, binding, escaped, example, fails, is_installed, skip, succeeds};

/// What OpenNebula says of a NIC, with the attributes that INHERIT_VNET_ATTR adds.
const NIC: [(&str, &str); 13] = [
    ("BRIDGE", "br0"),
    ("BRIDGE_TYPE", "linux"),
    ("GATEWAY", "192.0.2.1"),
    ("GATEWAY6", "2001:db8:1::1"),
    ("IP", "192.0.2.10"),
    ("IP6_GLOBAL", "2001:db8:1:0:5054:ff:fe00:1"),
    ("MAC", "52:54:00:00:00:01"),
    ("MTU", "1400"),
    ("NETWORK", "net $(touch pwned)"),
    ("NETWORK_MASK", "255.255.255.0"),
    ("NIC_ID", "0"),
    ("TARGET", "one-42-0"),
    ("VN_MAD", "nfdhcpd"),
];

/// The elements of a NIC: `NIC`, but for some.
fn nic(other: &[(&str, &str)]) -> String {
    let kept = NIC.iter().filter(|(name, _)| other.iter().all(|(changed, _)| changed != name));
    let element = |(name, value): &(&str, &str)| format!("<{name}>{}</{name}>", escaped(value));
    format!("<NIC>{}</NIC>", kept.chain(other).map(element).collect::<String>())
}

/// A machine with those NICs, as OpenNebula puts it together for its network drivers: a TEMPLATE for each.
fn machine(hostname: &str, nics: &[String]) -> String {
    let nics: String = nics.iter().map(|nic| format!("<TEMPLATE>{nic}</TEMPLATE>")).collect();
    let hostname = escaped(hostname);
    format!(
        "<VM><ID>42</ID><DEPLOY_ID>one-42</DEPLOY_ID>\
         <TEMPLATE><CONTEXT><NETWORK>YES</NETWORK><SET_HOSTNAME>{hostname}</SET_HOSTNAME></CONTEXT></TEMPLATE>\
         <USER_TEMPLATE><LABELS>a &amp; b</LABELS></USER_TEMPLATE>\
         <HISTORY_RECORDS><HISTORY><HOSTNAME>host1</HOSTNAME><VM_MAD>kvm</VM_MAD></HISTORY></HISTORY_RECORDS>{nics}</VM>"
    )
}

fn guest(other: &[(&str, &str)]) -> String {
    machine("guest1.example.com", &[nic(other)])
}

/// RFC 4648 §4.
fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = |chunk: &[u8]| {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | usize::from(chunk.get(at).copied().unwrap_or(0)));
        let digit = |place: usize| char::from(*DIGITS.get(bits >> (18 - 6 * place) & 63).unwrap());
        (0..4).map(|place| if place > chunk.len() { '=' } else { digit(place) }).collect::<String>()
    };
    text.as_bytes().chunks(3).map(digits).collect()
}

/// A host with the driver in a directory of its name.
fn host(name: &str) -> Option<Node> {
    if !is_installed("ruby") {
        skip("ruby is not installed");
        return None;
    }
    let node = Node::new(name);
    fs::create_dir(node.directory.join("vnm")).unwrap();
    let driver = node.directory.join("vnm/nfdhcpd");
    fs::create_dir(&driver).unwrap();
    for file in ["pre", "post", "clean", "nfdhcpd.rb", "update_sg"] {
        fs::copy(example("opennebula").join(file), driver.join(file)).unwrap();
    }
    symlink("nfdhcpd", node.directory.join("vnm/other")).unwrap();
    Some(node)
}

fn action(node: &Node, name: &str) -> Command {
    let mut command = node.command(&node.directory.join("vnm/nfdhcpd").join(name));
    match name {
        "post" => command.args(["one-42", "host1"]),
        "clean" => command.arg("host1"),
        _ => &mut command,
    };
    command
}

fn acts(node: &Node, name: &str, machine: &str) {
    succeeds(&mut action(node, name), &format!("{}\n", base64(machine)));
}

fn refuses(node: &Node, name: &str, machine: &str) -> String {
    fails(&mut action(node, name), &format!("{}\n", base64(machine)))
}

#[test]
fn a_machine_comes_and_goes() {
    let Some(node) = host("opennebula") else { return };
    node.add("one-4-0", "# opennebula 4 0\n");
    node.add("one-420-0", "# opennebula 420 0\n");
    let others = ["one-4-0", "one-420-0"];
    acts(&node, "pre", &guest(&[]));
    assert_eq!(node.files(), others);
    for _ in 0..2 {
        acts(&node, "post", &guest(&[]));
        assert_eq!(node.binding("one-42-0"), binding("one-42-0", GUEST));
        acts(&node, "update_sg", &guest(&[]));
        assert_eq!(node.files(), ["one-4-0", "one-42-0", "one-420-0"]);
    }
    for _ in 0..2 {
        acts(&node, "clean", &guest(&[]));
        assert_eq!(node.files(), others);
    }
}

#[test]
fn a_binding_is_replaced_whole() {
    let Some(node) = host("opennebula-replaced") else { return };
    node.add("one-42-0", "IP=");
    let first = node.inode("one-42-0");
    acts(&node, "post", &guest(&[("IP", "192.0.2.11")]));
    assert_eq!(node.binding("one-42-0").ipv4.unwrap().address.to_string(), "192.0.2.11");
    assert_ne!(node.inode("one-42-0"), first, "written in place");
}

#[test]
fn a_nic_comes_and_goes() {
    let Some(node) = host("opennebula-nic") else { return };
    let second = [("NIC_ID", "1"), ("TARGET", ""), ("IP", "192.0.2.12"), ("MAC", "52:54:00:00:00:02")];
    let attached = [&second[..], &[("ATTACH", "YES")]].concat();
    acts(&node, "post", &guest(&[]));
    let first = node.inode("one-42-0");
    acts(&node, "post", &machine("", &[nic(&[]), nic(&attached)]));
    assert_eq!(node.files(), ["one-42-0", "one-42-1"]);
    assert_eq!(node.inode("one-42-0"), first, "the other NIC was touched");
    acts(&node, "clean", &machine("", &[nic(&[]), nic(&attached)]));
    assert_eq!(node.files(), ["one-42-0"]);
    // An alias is a second address of a NIC, which stays.
    let alias = nic(&[("ATTACH", "YES"), ("NIC_ID", "2")]).replace("NIC>", "NIC_ALIAS>");
    acts(&node, "clean", &machine("", &[nic(&[]), alias]));
    assert_eq!(node.files(), ["one-42-0"]);
}

#[test]
fn kinds_of_addresses() {
    let Some(node) = host("opennebula-addresses") else { return };
    let none = [("IP", ""), ("IP6_GLOBAL", ""), ("GATEWAY", ""), ("GATEWAY6", ""), ("NETWORK_MASK", ""), ("MTU", "")];
    let cases: [(&[(&str, &str)], &str); 4] = [
        (&[], ""),
        (&[("IP", "192.0.2.10")], "IP=192.0.2.10\n"),
        (&[("IP6_ULA", "fd00::5")], "SUBNET6=fd00::/64\nEUI64=fd00::5\n"),
        (&[("IP6", "2001:db8::9"), ("PREFIX_LENGTH", "120")], "SUBNET6=2001:db8::/120\nIP6=2001:db8::9\n"),
    ];
    for (has, expected) in cases {
        let rest = none.iter().filter(|(name, _)| has.iter().all(|(known, _)| known != name));
        acts(&node, "post", &guest(&rest.chain(has).copied().collect::<Vec<_>>()));
        let expected = format!("INDEV=br0\nMAC=52:54:00:00:00:01\nHOSTNAME=guest1.example.com\n{expected}");
        assert_eq!(node.binding("one-42-0"), binding("one-42-0", &expected));
    }
}

#[test]
fn a_name_that_no_host_may_have_gives_way_to_the_number() {
    let Some(node) = host("opennebula-name") else { return };
    for name in HOSTILE.iter().chain(&["", "my guest", "a..b", "guest\n"]) {
        acts(&node, "post", &machine(name, &[nic(&[])]));
        assert_eq!(node.binding("one-42-0").hostname.as_str(), "one-42", "{name}");
    }
    assert_eq!(node.files(), ["one-42-0"]);
}

#[test]
fn refuses_attributes_that_mean_nothing() {
    let Some(node) = host("opennebula-hostile") else { return };
    let names = ["BRIDGE", "MAC", "IP6_GLOBAL", "TARGET"];
    let hostile = names.iter().flat_map(|name| HOSTILE.iter().map(|value| (*name, *value)));
    let lines = ["IP", "NETWORK_MASK", "GATEWAY", "GATEWAY6", "MTU", "NIC_ID"].map(|name| (name, "1400\nMACSPOOF=1"));
    let wrong = [("GATEWAY6", "fe80::1%eth0"), ("TARGET", ".."), ("TARGET", "sixteen-letters-"), ("MAC", "")];
    let wrong = wrong.into_iter().chain(lines);
    for (name, value) in wrong.chain(hostile) {
        let complaint = refuses(&node, "post", &guest(&[(name, value)]));
        assert!(complaint.contains(name), "{complaint}");
        assert_eq!(node.files(), [""; 0], "{name}={value}");
    }
    for (name, value) in [("IP", "192.0.2"), ("NETWORK_MASK", "255.0.255.0"), ("NIC_ID", "")] {
        let complaint = refuses(&node, "pre", &guest(&[(name, value)]));
        assert!(complaint.contains(name), "{complaint}");
    }
    assert!(refuses(&node, "clean", &guest(&[]).replace("<ID>42</ID>", "<ID>../4</ID>")).contains("ID"));
}

/// Whatever a user calls his tap: the bindings of others stay.
#[test]
fn removes_no_binding_of_others() {
    let Some(node) = host("opennebula-others") else { return };
    node.add("one-7-0", "# opennebula 7 0\n");
    node.add("vnet0", "# libvirt 4dea22b3-1d52-d8f3-2516-782e98ab3fa0\n");
    for tap in ["one-7-0", "vnet0"] {
        acts(&node, "clean", &guest(&[("TARGET", tap)]));
        acts(&node, "clean", &guest(&[("TARGET", tap), ("ATTACH", "YES")]));
    }
    assert_eq!(node.files(), ["one-7-0", "vnet0"]);
}

#[test]
fn nics_of_other_drivers_are_not_its_own() {
    let Some(node) = host("opennebula-drivers") else { return };
    acts(&node, "post", &guest(&[("VN_MAD", "bridge"), ("MAC", "$(touch pwned)")]));
    assert_eq!(node.files(), [""; 0]);
}

#[test]
fn refuses_what_is_no_machine() {
    let Some(node) = host("opennebula-input") else { return };
    for input in ["", "not base64!", "PFZNPg==\n", "AAAA\n"] {
        fails(&mut action(&node, "post"), input);
    }
    assert_eq!(node.files(), [""; 0]);
}
