//! What a real cluster said to the companion (`tests/ganeti/environments`), and what is planned from it.
//!
//! Beside each environment of a NIC stands its plan. `UPDATE_GOLDEN=1 cargo test --test environments` writes them anew: read
//! the difference.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "a panic is how a test fails, and the files are what is tested"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use nfdhcpd::binding::{IfIndex, InterfaceName};
use nfdhcpd::network::filter::BridgeTracking;
use nfdhcpd::network::hook::{Hook, Operation};
use nfdhcpd::network::up::{self, Context};
use nfdhcpd::network::{
    Change, Family, Link, LinkKind, Nic, Plan, Settings, State, Sysctl, SysctlKey, Uplink, Variables, nic,
};
use nfdhcpd::wire::MacAddr;

const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ganeti/environments");

#[test]
fn every_nic_gets_the_plan_that_stands_beside_it() {
    for path in files("ifup-") {
        let plan = shown(&plan(&read(&path)));
        let golden = path.with_extension("plan");
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&golden, &plan).expect("writing a plan");
        }
        let expected = fs::read_to_string(&golden).expect("a plan beside the environment");
        assert_eq!(plan, expected, "{}", path.display());
    }
}

#[test]
fn every_hook_is_understood() {
    for (name, operation, nics, primary) in [
        ("hook-add", Operation::Add, 1, "node1.example.com"),
        ("hook-modify-nic-added", Operation::Modify, 2, "node1.example.com"),
        ("hook-modify-nic-removed", Operation::Modify, 1, "node2.example.com"),
        ("hook-rename", Operation::Rename("inst9".parse().expect("a name")), 1, "node1.example.com"),
        ("hook-remove", Operation::Remove, 1, "node1.example.com"),
        ("hook-migrate-target", Operation::Other, 2, "node2.example.com"),
        ("hook-stop", Operation::Other, 1, "node1.example.com"),
    ] {
        let hook = Hook::read(&read(&Path::new(DIRECTORY).join(format!("{name}.env")))).expect(name);
        assert_eq!((hook.operation, hook.nics.len(), hook.primary.as_str()), (operation, nics, primary), "{name}");
    }
    for path in files("hook-") {
        let hook = Hook::read(&read(&path));
        assert!(hook.is_ok(), "{}: {hook:?}", path.display());
    }
}

/// The environments of a kind.
fn files(kind: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(DIRECTORY).expect("the environments").map(|entry| entry.expect("an entry").path());
    let is_wanted = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with(kind) && name.ends_with(".env")
    };
    let files: Vec<_> = entries.filter(is_wanted).collect();
    assert!(files.len() > 5, "{files:?}");
    files
}

fn read(path: &Path) -> Variables {
    let text = fs::read_to_string(path).expect("an environment");
    text.lines().map(|line| line.split_once('=').expect("NAME=value")).collect()
}

fn plan(variables: &Variables) -> Plan {
    let settings = Settings::default();
    let nic = Nic::read(variables, &settings).expect("a NIC");
    let table = variables.optional("LINK").and_then(|link| link.parse().ok());
    let context = Context { settings: &settings, table, variables };
    up::plan(&nic, &node(nic::tap(variables).expect("a tap")), &context).expect("a plan")
}

/// The node that the environments were recorded on, with a tap as QEMU makes it.
fn node(tap: InterfaceName) -> State {
    let mut state = State::default();
    let name = |text: &str| text.parse::<InterfaceName>().expect("a name");
    for (ifindex, name, kind) in
        [(1, tap, LinkKind::Other), (2, name("prv0"), LinkKind::Bridge), (3, name("eth2"), LinkKind::Other)]
    {
        let ifindex = IfIndex::new(ifindex).expect("not 0");
        let mac = Some(MacAddr::new([2, 0, 0, 0, 0, 1]));
        state.links.insert(name, Link { ifindex, mac, is_up: false, master: None, mtu: 1500, kind });
    }
    for family in [Family::V4, Family::V6] {
        state.uplinks.insert(Uplink { family, table: 100, metric: 0, device: name("eth2") });
    }
    for device in [tap, name("eth2")] {
        let usual = |(family, key)| (Sysctl { family, device, key }, "0".to_owned());
        state.sysctls.extend(SysctlKey::ALL.map(usual));
    }
    state.filters.bridge_tracking = Some(BridgeTracking::Inet);
    state
}

/// A plan without the text of its transaction, which says more of the layout of our tables than of the NIC.
fn shown(plan: &Plan) -> String {
    let mut text = String::new();
    for change in &plan.0 {
        let _ = match change {
            Change::Filter(transaction) => {
                let all = transaction.to_string();
                let elements: String =
                    all.lines().filter(|line| line.contains(" element ")).map(|line| format!("    {line}\n")).collect();
                write!(text, "{}\n{elements}", change.title())
            }
            _ => writeln!(text, "{change}"),
        };
    }
    text
}
