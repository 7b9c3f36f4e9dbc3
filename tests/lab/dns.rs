//! `snf-network dns` and a name server: BIND 9 with a zone of names and zones of addresses, each as it is afterwards.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::process::Command;

use nix::sys::signal::Signal;

use crate::harness::inside::need;
use crate::harness::process::outcome;
use crate::harness::{Lab, Process, SCRATCH, sh, tests};

tests!(dns:
    names_come_and_go,
    an_instance_gets_another_name,
    nics_change,
    our_address_is_enough_where_the_server_says_so,
    a_ticket_is_enough,
    a_dry_run_changes_nothing,
    nothing_is_done_elsewhere_or_before_or_without_settings,
    a_wrong_key_changes_nothing,
    a_server_that_is_down_is_named,
    a_silent_server_is_not_waited_for,
    a_zone_that_the_server_does_not_have_is_named,
    a_reverse_zone_that_the_server_does_not_have_keeps_back_nothing_else,
    names_are_no_commands,
    names_stay_inside_of_the_zone,
);

/// How the server is told that an update is ours.
const BY_KEY: &str = "AUTHENTICATION_METHOD=bind9\nKEYFILE=/run/lab/key\n";

/// The server's zones, and what others have put there.
const ZONES: &[(&str, &str)] = &[
    ("example.com", "ns A 127.0.0.1\nother A 192.0.2.7\ninst1 TXT \"not an address\"\n"),
    ("2.0.192.in-addr.arpa", "7 PTR other.example.com.\n1 PTR other.example.com.\n"),
    ("0.2.0.0.8.b.d.0.1.0.0.2.ip6.arpa", ""),
];

/// The same as [`NameServer::records`] shows it.
const OTHERS: &[&str] = &[
    "1.2.0.192.in-addr.arpa. PTR other.example.com.",
    "7.2.0.192.in-addr.arpa. PTR other.example.com.",
    "inst1.example.com. TXT \"not an address\"",
    "ns.example.com. A 127.0.0.1",
    "other.example.com. A 192.0.2.7",
];

/// The first NIC, with an address of each family.
const FIRST: &[(&str, &str)] = &[
    ("NIC_COUNT", "1"),
    ("NIC0_MAC", "aa:00:00:00:00:01"),
    ("NIC0_IP", "192.0.2.1"),
    ("NIC0_NETWORK_TAGS", "nfdhcpd dns"),
    ("NIC0_NETWORK_SUBNET6", "2001:db8:20::/64"),
];

/// A second NIC, and one on a network that has nothing to do with the DNS.
const MORE: &[(&str, &str)] = &[
    ("NIC_COUNT", "3"),
    ("NIC1_MAC", "aa:00:00:00:00:02"),
    ("NIC1_IP", "192.0.2.2"),
    ("NIC1_NETWORK_TAGS", "dns"),
    ("NIC2_MAC", "aa:00:00:00:00:03"),
    ("NIC2_IP", "192.0.2.3"),
    ("NIC2_NETWORK_TAGS", "nfdhcpd"),
];

/// A running `named`, and the settings that lead there.
struct NameServer {
    named: Process,
}

impl NameServer {
    /// Starts one that takes updates from whoever has the key.
    fn start() -> Self {
        Self::start_with("", "allow-update { key snf; };")
    }

    /// Starts one with more options, of itself and of each zone.
    fn start_with(options: &str, of_zone: &str) -> Self {
        ["named", "nsupdate", "dig"].into_iter().for_each(need);
        configure("SERVER=127.0.0.1", BY_KEY);
        sh(&format!("cd {SCRATCH}; tsig-keygen snf >key; tsig-keygen snf >wrong-key"));
        let config = format!(
            "include \"{SCRATCH}/key\"; controls {{}};
             options {{ directory \"{SCRATCH}\"; pid-file none; session-keyfile none; listen-on {{ 127.0.0.1; }};
                listen-on-v6 {{ none; }}; recursion no; dnssec-validation no; allow-transfer {{ any; }}; notify no;
                {options} }};\n"
        );
        fs::write(format!("{SCRATCH}/named.conf"), config + &zones(of_zone)).unwrap();
        let mut command = Command::new("named");
        command.args(["-g", "-n", "1", "-c", &format!("{SCRATCH}/named.conf")]);
        let named = Process::start(command, "named");
        named.wait_for_log("running\n");
        let server = Self { named };
        server.expect(&[]);
        server
    }

    /// Every record of every zone but what makes it a zone, in the order of their text.
    fn records(&self) -> Vec<String> {
        let mut records = Vec::new();
        for (zone, _) in ZONES {
            let transfer = sh(&format!("dig @127.0.0.1 +noall +answer +onesoa {zone} AXFR"));
            assert!(transfer.contains("SOA"), "{transfer}\n{}", self.named.log());
            for line in transfer.lines() {
                let [owner, _ttl, "IN", kind, data @ ..] = &*line.split_whitespace().collect::<Vec<_>>() else {
                    panic!("{line}")
                };
                if !["SOA", "NS"].contains(kind) {
                    records.push(format!("{owner} {kind} {}", data.join(" ")));
                }
            }
        }
        records.sort();
        records
    }

    /// These are there, and what others have put there, and nothing else.
    #[track_caller]
    fn expect(&self, ours: &[&[&str]]) {
        let mut expected = [OTHERS, &ours.concat()].concat();
        expected.sort_unstable();
        assert_eq!(self.records(), expected);
    }
}

/// Writes the zones' files: what the server's configuration says of them.
fn zones(of_zone: &str) -> String {
    let mut config = String::new();
    for (zone, records) in ZONES {
        let start = "$TTL 300\n@ SOA ns.example.com. root.example.com. 1 60 60 600 60\n@ NS ns.example.com.\n";
        fs::write(format!("{SCRATCH}/{zone}"), format!("{start}{records}")).unwrap();
        config += &format!("zone {zone} {{ type primary; file \"{zone}\"; {of_zone} }};\n");
    }
    config
}

/// Writes the settings.
fn configure(server: &str, authentication: &str) {
    let text = format!("LOGFILE=\nFZONE=example.com\n{server}\n{authentication}");
    fs::write(settings(), text).unwrap();
}

fn settings() -> String {
    format!("{SCRATCH}/snf-network")
}

/// Runs the hook after an operation on `inst1` with these NICs.
fn run(operation: &str, nics: &[&[(&str, &str)]]) -> Result<String, String> {
    run_with(operation, nics, &[], &[])
}

/// The same with more variables, of which the last counts, and more arguments.
fn run_with(
    operation: &str,
    nics: &[&[(&str, &str)]],
    variables: &[(&str, &str)],
    arguments: &[&str],
) -> Result<String, String> {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_snf-network"));
    command.args(["dns", "--config", &settings()]).args(arguments).env_clear();
    command.env("GANETI_HOOKS_PATH", operation).env("GANETI_HOOKS_PHASE", "post");
    command.env("GANETI_INSTANCE_NAME", "inst1").env("GANETI_INSTANCE_PRIMARY", host.trim());
    for (name, value) in nics.concat() {
        command.env(format!("GANETI_INSTANCE_{name}"), value);
    }
    outcome(command.envs(variables.iter().copied()))
}

/// What one line says why the hook failed.
#[track_caller]
fn complaint(result: Result<String, String>) -> String {
    let said = result.unwrap_err();
    assert!(said.starts_with("snf-network: dns") && said.lines().count() == 1, "{said}");
    said
}

/// The records of the first NIC.
const FIRST_RECORDS: &[&str] = &[
    "inst1.example.com. A 192.0.2.1",
    "inst1.example.com. AAAA 2001:db8:20:0:a800:ff:fe00:1",
    "1.2.0.192.in-addr.arpa. PTR inst1.example.com.",
    "1.0.0.0.0.0.e.f.f.f.0.0.0.0.8.a.0.0.0.0.0.2.0.0.8.b.d.0.1.0.0.2.ip6.arpa. PTR inst1.example.com.",
];

/// Those of the second.
const SECOND_RECORDS: &[&str] = &["inst1.example.com. A 192.0.2.2", "2.2.0.192.in-addr.arpa. PTR inst1.example.com."];

fn names_come_and_go(_: &mut Lab) {
    let server = NameServer::start();
    for _ in ["first", "again"] {
        run("instance-add", &[FIRST, MORE]).unwrap();
        server.expect(&[FIRST_RECORDS, SECOND_RECORDS]);
    }
    run("instance-stop", &[FIRST, MORE]).unwrap();
    server.expect(&[FIRST_RECORDS, SECOND_RECORDS]);
    for _ in ["first", "again"] {
        run("instance-remove", &[FIRST, MORE]).unwrap();
        server.expect(&[]);
    }
}

fn an_instance_gets_another_name(_: &mut Lab) {
    let server = NameServer::start();
    run("instance-add", &[FIRST, MORE]).unwrap();
    let new_name = [("GANETI_INSTANCE_NEW_NAME", "inst2.example.com")];
    run_with("instance-rename", &[FIRST, MORE], &new_name, &[]).unwrap();
    let renamed: Vec<_> =
        [FIRST_RECORDS, SECOND_RECORDS].concat().iter().map(|r| r.replace("inst1", "inst2")).collect();
    server.expect(&[&renamed.iter().map(String::as_str).collect::<Vec<_>>()]);
}

fn nics_change(_: &mut Lab) {
    let server = NameServer::start();
    run("instance-add", &[FIRST]).unwrap();
    run("instance-modify", &[FIRST]).unwrap();
    server.expect(&[FIRST_RECORDS]);
    // One more.
    run("instance-modify", &[FIRST, MORE]).unwrap();
    server.expect(&[FIRST_RECORDS, SECOND_RECORDS]);
    // Another address, and no IPv6 any more.
    let changed = [("NIC0_IP", "192.0.2.9"), ("NIC0_NETWORK_SUBNET6", "")];
    run("instance-modify", &[FIRST, MORE, &changed]).unwrap();
    let moved = ["inst1.example.com. A 192.0.2.9", "9.2.0.192.in-addr.arpa. PTR inst1.example.com."];
    server.expect(&[&moved, SECOND_RECORDS]);
    // What an earlier failure left goes as well.
    tell(
        "update add inst1.example.com. 300 A 192.0.2.8\nsend\nzone 2.0.192.in-addr.arpa.
        update add 8.2.0.192.in-addr.arpa. 300 PTR inst1.example.com.\nsend",
    );
    // The first NIC is gone.
    let second = [("NIC_COUNT", "1"), ("NIC0_MAC", "aa:00:00:00:00:02"), ("NIC0_IP", "192.0.2.2")];
    run("instance-modify", &[&second, &[("NIC0_NETWORK_TAGS", "dns")]]).unwrap();
    server.expect(&[SECOND_RECORDS]);
    // The last one left the network.
    run("instance-modify", &[&second]).unwrap();
    server.expect(&[]);
}

/// Changes something behind the hook's back.
#[track_caller]
fn tell(script: &str) {
    sh(&format!("nsupdate -k {SCRATCH}/key <<'EOF'\nserver 127.0.0.1\nzone example.com.\n{script}\nEOF"));
}

fn our_address_is_enough_where_the_server_says_so(_: &mut Lab) {
    let server = NameServer::start_with("", "allow-update { 127.0.0.1; };");
    configure("SERVER=127.0.0.1", "");
    run("instance-add", &[FIRST]).unwrap();
    server.expect(&[FIRST_RECORDS]);
    run("instance-modify", &[FIRST, MORE]).unwrap();
    server.expect(&[FIRST_RECORDS, SECOND_RECORDS]);
}

fn a_ticket_is_enough(_: &mut Lab) {
    let mut kdc = start_kdc();
    let policy = "update-policy { grant \"snf/node1@EXAMPLE.COM\" zonesub ANY; };";
    let server = NameServer::start_with("tkey-gssapi-keytab \"/run/lab/DNS.keytab\";", policy);
    let kerberos = "AUTHENTICATION_METHOD=kerberos\nKERBEROS_PRINCIPAL=snf/node1\nKERBEROS_KEYTAB=/run/lab/snf.keytab
        KERBEROS_TICKET=/run/lab/ticket\nKERBEROS_KSTART_ARGS='-l 5m'\n";
    configure("SERVER=ns.example.com", kerberos);
    run("instance-add", &[FIRST]).unwrap();
    server.expect(&[FIRST_RECORDS]);
    run("instance-modify", &[FIRST, MORE]).unwrap();
    server.expect(&[FIRST_RECORDS, SECOND_RECORDS]);
    kdc.signal(Signal::SIGTERM);
    kdc.wait();
    let said = run("instance-remove", &[FIRST]).unwrap_err();
    assert!(said.contains("zone example.com: ") && said.contains("k5start: error getting credentials"), "{said}");
    server.expect(&[FIRST_RECORDS, SECOND_RECORDS]);
}

/// A realm of Kerberos, of those who ask and of the one who answers.
const REALM: &str = "
[libdefaults]
    default_realm = EXAMPLE.COM
    dns_canonicalize_hostname = false
[domain_realm]
    example.com = EXAMPLE.COM
[realms]
    EXAMPLE.COM = {
        kdc = 127.0.0.1
        database_name = /run/lab/principals
        key_stash_file = /run/lab/stash
    }
";

/// Starts who gives out tickets, with a key for the server and one for us.
fn start_kdc() -> Process {
    ["krb5kdc", "kadmin.local", "k5start"].into_iter().for_each(need);
    fs::write("/etc/krb5.conf", REALM).unwrap();
    // What the package says of a realm would come first.
    sh("rm -rf /etc/krb5kdc; echo 127.0.0.1 ns.example.com >>/etc/hosts; kdb5_util create -s -P secret");
    for (principal, keytab) in [("DNS/ns.example.com", "DNS"), ("snf/node1", "snf")] {
        sh(&format!(
            "kadmin.local addprinc -randkey {principal}; kadmin.local ktadd -k {SCRATCH}/{keytab}.keytab {principal}"
        ));
    }
    let mut command = Command::new("krb5kdc");
    command.arg("-n");
    let kdc = Process::start(command, "krb5kdc");
    kdc.wait_for_log("starting");
    kdc
}

fn a_dry_run_changes_nothing(_: &mut Lab) {
    let server = NameServer::start();
    run("instance-add", &[FIRST, MORE]).unwrap();
    configure("SERVER=127.0.0.1\nTTL=77", BY_KEY);
    let said = run_with("instance-modify", &[FIRST], &[], &["--dry-run"]).unwrap();
    for expected in [
        "nsupdate -t 4 -u 2 -r 1 -k /run/lab/key\n    server 127.0.0.1 53\n    zone example.com.\n",
        "    update delete inst1.example.com. AAAA\n    update add inst1.example.com. 77 A 192.0.2.1\n",
        "    update delete 2.2.0.192.in-addr.arpa. PTR inst1.example.com.\n    send\n",
    ] {
        assert!(said.contains(expected), "{said}");
    }
    server.expect(&[FIRST_RECORDS, SECOND_RECORDS]);
}

fn nothing_is_done_elsewhere_or_before_or_without_settings(_: &mut Lab) {
    let server = NameServer::start();
    for variable in [("GANETI_INSTANCE_PRIMARY", "elsewhere.example.com"), ("GANETI_HOOKS_PHASE", "pre")] {
        assert_eq!(run_with("instance-add", &[FIRST], &[variable], &[]).unwrap(), "", "{variable:?}");
    }
    configure("SERVER=", BY_KEY);
    assert_eq!(run("instance-add", &[FIRST]).unwrap(), "");
    server.expect(&[]);
}

fn a_wrong_key_changes_nothing(_: &mut Lab) {
    let server = NameServer::start();
    run("instance-add", &[FIRST]).unwrap();
    configure("SERVER=127.0.0.1", &BY_KEY.replace("/key", "/wrong-key"));
    let said = run("instance-remove", &[FIRST]).unwrap_err();
    assert!(said.contains("name server 127.0.0.1, zone example.com: ") && said.contains("BADSIG"), "{said}");
    assert_eq!(said.lines().count(), 3, "{said}");
    let said = complaint(run("instance-modify", &[FIRST]));
    assert!(said.contains("NOTAUTH"), "{said}");
    server.expect(&[FIRST_RECORDS]);
}

fn a_server_that_is_down_is_named(_: &mut Lab) {
    let server = NameServer::start();
    configure("SERVER='127.0.0.1 54'", BY_KEY);
    for operation in ["instance-add", "instance-modify"] {
        let said = run(operation, &[FIRST]).unwrap_err();
        assert!(said.contains("name server 127.0.0.1 54, zone example.com: "), "{said}");
        assert!(said.contains("connection refused"), "{said}");
    }
    server.expect(&[]);
}

/// It has its ports, and says nothing. The programs' own patience would outlast this test.
fn a_silent_server_is_not_waited_for(_: &mut Lab) {
    let server = NameServer::start();
    let _silent = (UdpSocket::bind("127.0.0.1:54").unwrap(), TcpListener::bind("127.0.0.1:54").unwrap());
    configure("SERVER='127.0.0.1 54'", BY_KEY);
    for operation in ["instance-add", "instance-modify"] {
        let said = run(operation, &[FIRST, MORE]).unwrap_err();
        assert!(said.contains("zone example.com: ") && said.contains("timed out"), "{said}");
    }
    server.expect(&[]);
}

fn a_zone_that_the_server_does_not_have_is_named(_: &mut Lab) {
    let server = NameServer::start();
    configure("SERVER=127.0.0.1\nFZONE=example.org", BY_KEY);
    let said = complaint(run("instance-modify", &[FIRST]));
    assert!(said.contains("zone example.org: ") && said.contains("REFUSED"), "{said}");
    server.expect(&[]);
    let said = complaint(run("instance-add", &[FIRST]));
    assert!(said.contains("zone example.org: ") && said.contains("NOTAUTH"), "{said}");
}

fn a_reverse_zone_that_the_server_does_not_have_keeps_back_nothing_else(_: &mut Lab) {
    let server = NameServer::start();
    let said = complaint(run("instance-add", &[FIRST, MORE, &[("NIC0_IP", "10.0.0.1")]]));
    assert!(said.contains("1.0.0.10.in-addr.arpa: ") && said.contains("REFUSED"), "{said}");
    let elsewhere = ["inst1.example.com. A 10.0.0.1"];
    server.expect(&[&elsewhere, &[FIRST_RECORDS[1], FIRST_RECORDS[3]], SECOND_RECORDS]);
}

fn names_are_no_commands(_: &mut Lab) {
    let server = NameServer::start();
    let attack = "inst1\nupdate delete other.example.com.";
    for (operation, variable, value) in [
        ("instance-add", "GANETI_INSTANCE_NAME", attack),
        ("instance-modify", "GANETI_INSTANCE_NAME", "inst1 -f /etc/passwd"),
        ("instance-rename", "GANETI_INSTANCE_NEW_NAME", attack),
        ("instance-add", "GANETI_INSTANCE_NIC0_IP", "192.0.2.1\nupdate delete other.example.com."),
        ("instance-add", "GANETI_INSTANCE_NIC0_NETWORK_SUBNET6", "2001:db8:20::/64\nsend"),
    ] {
        let said = complaint(run_with(operation, &[FIRST], &[(variable, value)], &[]));
        assert!(said.contains(variable), "{said}");
    }
    server.expect(&[]);
    // One that could be an option is asked for, and is no name of a host.
    let said = run_with("instance-modify", &[FIRST], &[("GANETI_INSTANCE_NAME", "-x")], &[]).unwrap_err();
    assert!(said.contains("zone example.com: check-names failed: bad owner '-x.example.com'"), "{said}");
    server.expect(&[]);
}

fn names_stay_inside_of_the_zone(_: &mut Lab) {
    let server = NameServer::start();
    for (instance, name) in
        [("ns.example.org", "ns.example.org.example.com."), ("example.com", "example.com.example.com.")]
    {
        let named = |operation| run_with(operation, &[FIRST], &[("GANETI_INSTANCE_NAME", instance)], &[]).unwrap();
        named("instance-modify");
        let records: Vec<_> = FIRST_RECORDS.iter().map(|record| record.replace("inst1.example.com.", name)).collect();
        server.expect(&[&records.iter().map(String::as_str).collect::<Vec<_>>()]);
        named("instance-remove");
        server.expect(&[]);
    }
}
