//! `nfdhcpd bind` and `unbind`: what is written, what is refused, and what stays as it was.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::thread;

use nfdhcpd::binding::parse::{Parsed, parse};
use nfdhcpd::binding::{Binding, known_keys};

use super::{run, scratch};

/// What no binding is without.
const LEAST: [&str; 4] = ["--mac", "52:54:00:00:00:01", "--hostname", "guest1"];

/// A directory of bindings, and the configuration that names it.
struct Node {
    directory: PathBuf,
}

impl Node {
    fn new(name: &str) -> Self {
        let directory = scratch(name);
        fs::create_dir(directory.join("bindings")).unwrap();
        let node = Self { directory };
        node.configure("");
        node
    }

    fn configure(&self, dhcp: &str) {
        let datapath = self.directory.join("bindings").display().to_string();
        let text = format!(
            "[general]\ndatapath = {datapath}\n[dhcp]\nserver_ip = 192.0.2.254\n{dhcp}\n[ipv6]\nenable_ipv6 = 0\n"
        );
        fs::write(self.directory.join("nfdhcpd.conf"), text).unwrap();
    }

    fn path(&self, tap: &str) -> PathBuf {
        self.directory.join("bindings").join(tap)
    }

    fn run(&self, command: &str, arguments: &[&str]) -> (i32, String, String) {
        let config = self.directory.join("nfdhcpd.conf");
        run(&[&[command, "-c", config.to_str().unwrap()], arguments].concat())
    }

    /// Binds tap0, and reads what has been written. What this node would not say of it does not matter.
    #[track_caller]
    fn bind(&self, arguments: &[&str]) -> Binding {
        let (status, stdout, stderr) = self.run("bind", &[&["tap0"], arguments].concat());
        assert_eq!((status, stdout.as_str()), (0, ""), "{arguments:?}: {stderr}");
        let path = self.path("tap0");
        let Parsed { binding, warnings } = parse(&path, &fs::read(&path).unwrap()).unwrap();
        assert_eq!(warnings, []);
        binding
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.join("bindings")).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// The binding of tap0 that a text stands for.
fn binding(text: &str) -> Binding {
    parse(Path::new("tap0"), text.as_bytes()).unwrap().binding
}

#[test]
fn options_are_keys() {
    let node = Node::new("bind-options");
    let arguments = "--mac 52:54:00:00:00:01 --hostname guest1.example.com --indev br0 --ip 192.0.2.10/24 \
        --gateway 192.0.2.1 --subnet6 2001:db8:1::/64 --gateway6 fe80::1 --eui64 2001:db8:1::5054:ff:fe00:1 \
        --ip6 2001:db8:1::10 --mtu 1400 --private --macspoof --nameservers 192.0.2.53,192.0.2.54 --tags web \
        --set NTP=192.0.2.123 --set BOOTFILE=pxelinux.0 --set OPTION_252=text:wpad";
    let expected = binding(
        "MAC=52:54:00:00:00:01\nHOSTNAME=guest1.example.com\nINDEV=br0\nIP=192.0.2.10\nSUBNET=192.0.2.0/24\n\
         GATEWAY=192.0.2.1\nSUBNET6=2001:db8:1::/64\nGATEWAY6=fe80::1\nEUI64=2001:db8:1::5054:ff:fe00:1\n\
         IP6=2001:db8:1::10\nMTU=1400\nPRIVATE=1\nMACSPOOF=1\nNAMESERVERS=192.0.2.53 192.0.2.54\nTAGS=web\n\
         NTP=192.0.2.123\nBOOTFILE=pxelinux.0\nOPTION_252=text:wpad\n",
    );
    assert_eq!(node.bind(&arguments.split_whitespace().collect::<Vec<_>>()), expected);
    assert_eq!(node.bind(&LEAST), binding("MAC=52:54:00:00:00:01\nHOSTNAME=guest1\n"), "nothing stays of it");
}

/// A value of each key that is neither required nor said by others.
const VALUES: [(&str, &str); 28] = [
    ("INDEV", "br0"),
    ("IP", "192.0.2.10"),
    ("SUBNET", "192.0.2.0/24"),
    ("GATEWAY", "192.0.2.1"),
    ("SUBNET6", "2001:db8:1::/64, 2001:db8:2::/64"),
    ("GATEWAY6", "2001:db8:1::1"),
    ("EUI64", "2001:db8:1::5054:ff:fe00:1"),
    ("IP6", "2001:db8:1::10"),
    ("PREFIX6", "2001:db8:f00::/56"),
    ("MTU", "1400"),
    ("PRIVATE", "yes"),
    ("MACSPOOF", "yes"),
    ("TAGS", "\"web 'front'\""),
    ("NAMESERVERS", "192.0.2.53"),
    ("NAMESERVERS6", "2001:db8::53"),
    ("DOMAIN", "example.com"),
    ("DOMAIN_SEARCH", "example.com, example.net"),
    ("NTP", "192.0.2.123, ntp.example.com"),
    ("ROUTES", "198.51.100.0/24 via 192.0.2.254"),
    ("ROUTES6", "2001:db8:a::/48, 2001:db8:b::/48 low"),
    ("LEASE_LIFETIME", "86400"),
    ("NEXT_SERVER", "192.0.2.69"),
    ("TFTP_SERVER", "tftp.example.com"),
    ("BOOTFILE_BIOS", "pxelinux.0"),
    ("V6ONLY_WAIT", "1800"),
    ("PREF64", "64:ff9b::/96"),
    ("CAPTIVE_PORTAL", "https://portal.example.com/api"),
    ("OPTION_252", "hex:0a1b"),
];

#[test]
fn every_key_can_be_set_and_is_read_back() {
    let node = Node::new("bind-keys");
    for known in known_keys().filter(|key| !matches!(*key, "MAC" | "HOSTNAME")) {
        assert!(VALUES.iter().any(|(key, _)| key.starts_with(known)), "{known}");
    }
    let set: Vec<_> = VALUES.iter().map(|(key, value)| format!("--set={key}={value}")).collect();
    let arguments: Vec<_> = LEAST.into_iter().chain(set.iter().map(String::as_str)).collect();
    let (tags, others): (Vec<_>, Vec<_>) = VALUES.iter().partition(|(key, _)| *key == "TAGS");
    let lines: String = others.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
    let mut expected = binding(&format!("MAC=52:54:00:00:00:01\nHOSTNAME=guest1\n{lines}"));
    expected.tags = tags[0].1.into();
    assert_eq!(node.bind(&arguments), expected);
}

#[test]
fn the_file_is_replaced_and_may_be_read_by_all() {
    let node = Node::new("bind-replace");
    let inode = || fs::metadata(node.path("tap0")).unwrap().ino();
    node.bind(&LEAST);
    let (first, file) = (inode(), fs::File::open(node.path("tap0")).unwrap());
    node.bind(&[&LEAST[..], &["--ip", "192.0.2.10"]].concat());
    assert_ne!(inode(), first, "written in place");
    assert_eq!(BufReader::new(file).lines().count(), 2, "who has it open still reads the earlier one");
    assert_eq!(fs::metadata(node.path("tap0")).unwrap().permissions().mode() & 0o7777, 0o644);
    assert_eq!(node.files(), ["tap0"]);
}

#[test]
fn what_is_refused_changes_nothing() {
    let node = Node::new("bind-refused");
    node.configure("nameservers = 192.0.2.53");
    node.bind(&LEAST);
    let before = fs::read(node.path("tap0")).unwrap();
    let long = format!("--set=DOMAIN_SEARCH={}", long_search());
    for (arguments, expected_status, expected) in [
        (&["--ip", "192.0.2.300/24"][..], 1, "error: --ip=\"192.0.2.300/24\": not an IPv4 address"),
        (&["--ip", "192.0.2.10/33"], 1, "error: --ip=\"192.0.2.10/33\": "),
        (
            &["--ip", "192.0.2.10/24", "--subnet", "192.0.2.0/25"],
            1,
            "error: --subnet=\"192.0.2.0/25\": SUBNET is said by --ip",
        ),
        (
            &["--set", "MAC=52:54:00:00:00:02"],
            1,
            "error: --set MAC=\"52:54:00:00:00:02\": MAC is said by --mac as well",
        ),
        (&["--tags", "a\nMACSPOOF=1"], 1, "error: --tags=\"a\\nMACSPOOF=1\": a line break"),
        (&["--set", "DOMIAN=example.com"], 1, "error: --set DOMIAN=\"example.com\": unknown key; did you mean DOMAIN?"),
        (&["--mtu", "9"], 1, "error: --mtu=\"9\": "),
        (&["--ip", "192.0.2.10", &long], 1, ": the reply would not fit 1500 bytes"),
        (&["--set", "DOMAIN"], 2, "not KEY=VALUE"),
        (&["--socket", "x"], 2, "--wait"),
        (&["--dry-run", "--wait"], 2, "--wait"),
    ] {
        let (status, stdout, stderr) = node.run("bind", &[&["tap0"], &LEAST[..], arguments].concat());
        assert_eq!((status, stdout.as_str()), (expected_status, ""), "{arguments:?}: {stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains(expected), "{expected} is not in {stderr}");
    }
    for (missing, given) in [("--mac", &LEAST[2..]), ("--hostname", &LEAST[..2])] {
        let (status, _, stderr) = node.run("bind", &[&["tap0"], given].concat());
        assert_eq!((status, stderr), (1, format!("error: {missing}: required\n")));
    }
    assert_eq!((fs::read(node.path("tap0")).unwrap(), node.files()), (before, vec!["tap0".to_owned()]));
}

/// More than a reply holds: domains that have no part in common.
fn long_search() -> String {
    let label = |number: u8, letter: &str| format!("{}{number}", letter.repeat(60));
    let names = (0..30).map(|number| format!("{}.{}", label(number, "a"), label(number, "b")));
    names.collect::<Vec<_>>().join(",")
}

#[test]
fn names_that_are_no_taps_are_refused() {
    let node = Node::new("bind-names");
    fs::write(node.path(".tap0"), "").unwrap();
    for tap in ["", ".", "..", "../bindings/tap0", "a/b", "tap 0", "tap0\n", "sixteen-letters-", ".tap0", "tap0.tmp"] {
        for (command, arguments) in [("bind", &LEAST[..]), ("unbind", &[])] {
            let (status, _, stderr) = node.run(command, &[arguments, &["--", tap]].concat());
            assert_eq!(status, 2, "{command} {tap:?}: {stderr}");
        }
    }
    assert_eq!(node.files(), [".tap0"]);
}

#[test]
fn what_is_doubtful_is_said_and_written() {
    let node = Node::new("bind-doubts");
    let arguments = [&["tap0"], &LEAST[..], &["--ip", "192.0.2.0/24", "--set", "V6ONLY_WAIT=1800"]].concat();
    let (status, _, stderr) = node.run("bind", &arguments);
    assert_eq!(status, 0, "{stderr}");
    for expected in
        ["warning: --ip=\"192.0.2.0/24\": the network or broadcast address", "warning: --set V6ONLY_WAIT=\"1800\": "]
    {
        assert!(stderr.lines().any(|line| line.starts_with(expected)), "{expected} is not in {stderr}");
    }
    assert_eq!(node.files(), ["tap0"]);
}

#[test]
fn dry_run_prints_what_would_be_written() {
    let node = Node::new("bind-dry");
    let arguments = [&LEAST[..], &["--ip", "192.0.2.10/24", "--tags", "'a'"]].concat();
    let (status, text, stderr) = node.run("bind", &[&["tap0", "--dry-run"], &arguments[..]].concat());
    assert_eq!((status, stderr.as_str(), node.files().len()), (0, "", 0));
    node.bind(&arguments);
    assert_eq!(fs::read_to_string(node.path("tap0")).unwrap(), text);
}

#[test]
fn the_directory_may_be_said() {
    let node = Node::new("bind-datapath");
    let other = node.directory.join("other");
    fs::create_dir(&other).unwrap();
    let here = ["--datapath", other.to_str().unwrap()];
    let bind = [&["tap0"], &LEAST[..]].concat();
    assert_eq!(node.run("bind", &[&bind[..], &here].concat()).0, 0);
    assert!(other.join("tap0").exists() && node.files().is_empty());
    assert_eq!(node.run("unbind", &["tap0"]).0, 0);
    assert!(other.join("tap0").exists());

    node.configure("lease_lifetime = soon");
    let (status, _, stderr) = node.run("bind", &bind);
    assert_eq!(status, 2);
    assert!(
        stderr.contains("lease_lifetime") && stderr.ends_with("; --datapath says where the bindings are\n"),
        "{stderr}"
    );
    assert_eq!(node.run("unbind", &["tap0"]).0, 2);
    let (status, _, stderr) = node.run("bind", &[&bind[..], &here].concat());
    assert!(status == 0 && stderr.starts_with("warning: ") && stderr.contains("lease_lifetime"), "{stderr}");
    assert_eq!(node.run("unbind", &[&["tap0"], &here[..]].concat()), (0, String::new(), String::new()));
    assert!(!other.join("tap0").exists());

    let missing = ["--datapath", "none"];
    let (status, _, stderr) = node.run("bind", &[&bind[..], &missing].concat());
    assert!(status == 2 && stderr.ends_with("error: none/tap0: No such file or directory (os error 2)\n"), "{stderr}");
}

#[test]
fn unbind_removes_what_is_there() {
    let node = Node::new("unbind");
    node.bind(&LEAST);
    fs::write(node.path("tap1"), "").unwrap();
    for _ in 0..2 {
        assert_eq!(node.run("unbind", &["tap0"]), (0, String::new(), String::new()));
        assert_eq!(node.files(), ["tap1"]);
    }
    fs::create_dir(node.path("tap0")).unwrap();
    // The last is a file.
    fs::write(node.directory.join("file"), "").unwrap();
    for missing in ["nowhere", "file"].map(|name| node.directory.join(name).display().to_string()) {
        let (status, _, stderr) = node.run("unbind", &["tap0", "--datapath", &missing]);
        assert!(status == 2 && stderr.starts_with(&format!("error: {missing}: ")), "{status} {stderr}");
    }
    let (status, _, stderr) = node.run("unbind", &["tap0"]);
    assert!(status == 2 && stderr.contains("bindings/tap0: "), "{stderr}");
}

/// The file is there when the daemon is asked, and the status is that of waiting.
#[test]
fn bind_waits_as_wait_does() {
    let node = Node::new("bind-wait");
    // Whoever does not get as far as to the daemon would leave it waiting.
    node.bind(&LEAST);
    for (result, reason, expected_status) in
        [("serving", "null", 0), ("rejected", "\"why\"", 1), ("timeout", "\"why\"", 3)]
    {
        let socket = scratch("bind-wait-socket").join("s");
        let listener = UnixListener::bind(&socket).unwrap();
        let path = node.path("tap0");
        let daemon = thread::spawn(move || {
            let caller = listener.accept().unwrap().0;
            let mut request = String::new();
            BufReader::new(&caller).read_line(&mut request).unwrap();
            assert_eq!(request, "{\"command\":\"wait\",\"tap\":\"tap0\",\"timeout_ms\":2000}\n");
            fs::remove_file(path).unwrap();
            let answer = format!("{{\"waited\":{{\"tap\":\"tap0\",\"result\":\"{result}\",\"reason\":{reason}}}}}\n");
            (&caller).write_all(format!("{answer}{{\"end\":{{}}}}\n").as_bytes()).unwrap();
        });
        let socket = ["--socket", socket.to_str().unwrap(), "--wait"];
        let (status, _, stderr) = node.run("bind", &[&["tap0"], &LEAST[..], &socket].concat());
        daemon.join().unwrap();
        assert_eq!(status, expected_status, "{stderr}");
    }
    let nobody = ["tap0", "--socket", "none.sock", "--wait", "1s"];
    let (status, _, stderr) = node.run("bind", &[&nobody[..], &LEAST].concat());
    assert!(status == 2 && stderr.contains("(no daemon is running there)"), "{stderr}");
    assert_eq!(node.files(), ["tap0"], "it is written all the same");
    let (status, _, stderr) = node.run("bind", &[&["tap0", "--wait", "soon"], &LEAST[..]].concat());
    assert!(status == 2 && stderr.contains("neither 2s, 500ms, 1m nor a number of seconds"), "{stderr}");
}
