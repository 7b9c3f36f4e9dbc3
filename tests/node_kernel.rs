//! Plans carried out on a real kernel, and read back: each test in a network namespace of its own.
//!
//! Skipped where there are no user namespaces; a failure then, if NFDHCPD_STRICT is set.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a panic is how a test fails, and the outside world is what is tested"
)]

mod namespace;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use namespace::{can, in_namespace, ip, skip};
use nfdhcpd::binding::InterfaceName;
use nfdhcpd::io::node::lock::{Extent, Lock};
use nfdhcpd::io::node::{self, Interest, NodeError};
use nfdhcpd::network::filter::{self, BridgeTracking, Element};
use nfdhcpd::network::{
    Announcement, Change, Family, LinkKind, LinkSetting, Plan, Proxy, Route, Rule, State, Sysctl, SysctlKey, Uplink,
};
use pnet_datalink::{Channel, Config, DataLinkReceiver};

/// Where the files of a test are: a file system of its own.
const SCRATCH: &str = "/mnt";
/// Where its bindings are.
const BINDINGS: &str = "/mnt/bindings";
/// Where its lock is.
const STATE: &str = "/mnt/state";
/// The routing table of our guests.
const TABLE: u32 = 100;
/// Set for a process that carries out the plan for taps: the first, and the one behind the last.
const WORK: &str = "NFDHCPD_TEST_TAPS";
/// How long the kernel may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

fn tap(number: u32) -> InterfaceName {
    name(&format!("tap{number}"))
}

/// Runs `test`, which has this name, in a namespace with what a node has.
#[track_caller]
fn on_node(name: &str, taps: u32, test: fn()) {
    in_namespace(name, || {
        if !can("nft", "--version") {
            return skip("no nft here");
        }
        node_with(taps);
        test();
    });
}

/// An uplink with a default route in our table, a bridge, as many taps, and an empty directory.
fn node_with(taps: u32) {
    assert!(can("mount", &format!("-t tmpfs tmpfs {SCRATCH}")));
    std::fs::create_dir(BINDINGS).unwrap();
    let mut lines = String::from(
        "link set lo up\nlink add up0 type veth peer name out0\nlink set up0 up\nlink set out0 up\nlink add br0 type bridge\n\
         addr add 198.51.100.2/24 dev up0\nroute add default via 198.51.100.1 dev up0 table 100\n\
         addr add 2001:db8:1::2/64 dev up0 nodad\nroute add default via 2001:db8:1::1 dev up0 table 100 metric 5\n",
    );
    for number in 0..taps {
        lines.push_str(&format!("link add tap{number} type veth peer name vm{number}\n"));
    }
    let mut batch = Command::new("ip").args(["-batch", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    batch.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    assert!(batch.wait().unwrap().success(), "ip -batch");
}

/// What our guests' taps have: rules of both families, routes, a proxy, a binding.
#[derive(Debug, Default, PartialEq, Eq)]
struct Ours {
    rules: BTreeSet<Rule>,
    routes: BTreeSet<Route>,
    proxies: BTreeSet<Proxy>,
    bindings: BTreeSet<(InterfaceName, String)>,
}

impl Ours {
    fn of_taps(numbers: impl Iterator<Item = u32>) -> Self {
        let mut ours = Self::default();
        for number in numbers {
            let [a, b] = [number / 250, number % 250 + 1];
            let addresses = [format!("192.0.{a}.{b}"), format!("2001:db8::{number:x}:1")];
            for (family, address) in [Family::V4, Family::V6].into_iter().zip(addresses) {
                let address: std::net::IpAddr = address.parse().unwrap();
                ours.rules.insert(Rule { family, tap: tap(number), table: TABLE });
                ours.routes.insert(Route { destination: address.into(), tap: tap(number), table: TABLE });
                ours.proxies.insert(Proxy { address, uplink: name("up0") });
            }
            ours.bindings.insert((tap(number), format!("INDEV=tap{number}\n")));
        }
        ours
    }

    fn of(state: &State) -> Self {
        Self {
            rules: state.rules.clone(),
            routes: state.routes.clone(),
            proxies: state.proxies.clone(),
            bindings: state.bindings.iter().map(|(tap, text)| (*tap, text.clone())).collect(),
        }
    }

    fn comes(&self) -> Plan {
        let taps: BTreeSet<_> = self.routes.iter().map(|route| route.tap).collect();
        let up = taps.into_iter().map(|name| Change::Link { name, setting: LinkSetting::Up });
        let rules = self.rules.iter().copied().map(Change::AddRule);
        let routes = self.routes.iter().copied().map(Change::AddRoute);
        let proxies = self.proxies.iter().copied().map(Change::AddProxy);
        let write = |(tap, text): &(InterfaceName, String)| {
            let path = Path::new(BINDINGS).join(tap.as_str());
            Change::WriteBinding { path, text: text.clone() }
        };
        Plan(up.chain(rules).chain(routes).chain(proxies).chain(self.bindings.iter().map(write)).collect())
    }

    fn goes(&self) -> Plan {
        let rules = self.rules.iter().copied().map(Change::RemoveRule);
        let routes = self.routes.iter().copied().map(Change::RemoveRoute);
        let proxies = self.proxies.iter().copied().map(Change::RemoveProxy);
        let remove =
            |(tap, _): &(InterfaceName, String)| Change::RemoveBinding { path: Path::new(BINDINGS).join(tap.as_str()) };
        Plan(rules.chain(routes).chain(proxies).chain(self.bindings.iter().map(remove)).collect())
    }
}

fn read() -> State {
    node::read(&Interest { bindings: Path::new(BINDINGS), taps: &[tap(0)], table: Some(TABLE), bridge_tracking: true })
        .unwrap()
}

fn carry_out(plan: &Plan) -> Result<(), NodeError> {
    node::carry_out(plan, |_| {})
}

fn names_of_bindings() -> Vec<String> {
    let names = std::fs::read_dir(BINDINGS).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[test]
fn a_plan_carried_out_is_read_back_and_may_be_carried_out_again() {
    on_node("a_plan_carried_out_is_read_back_and_may_be_carried_out_again", 200, || {
        assert_eq!(Ours::of(&read()), Ours::default());
        let ours = Ours::of_taps(0..200);
        for _ in 0..2 {
            carry_out(&ours.comes()).unwrap();
            assert_eq!(Ours::of(&read()), ours);
        }
        for _ in 0..2 {
            carry_out(&ours.goes()).unwrap();
            assert_eq!(Ours::of(&read()), Ours::default());
        }
        assert_eq!(names_of_bindings(), [""; 0]);
    });
}

#[test]
fn links_are_set_and_read() {
    on_node("links_are_set_and_read", 1, || {
        let before = read().links;
        assert_eq!((before[&tap(0)].is_up, before[&tap(0)].master), (false, None));
        assert_eq!((before[&tap(0)].kind, before[&name("br0")].kind), (LinkKind::Other, LinkKind::Bridge));
        let mac = "02:00:00:00:00:77".parse().unwrap();
        let set = |setting| Change::Link { name: tap(0), setting };
        let settings =
            [LinkSetting::Mac(mac), LinkSetting::Mtu(1400), LinkSetting::Master(Some(name("br0"))), LinkSetting::Up];
        for _ in 0..2 {
            carry_out(&Plan(settings.map(set).into())).unwrap();
            let links = read().links;
            let link = &links[&tap(0)];
            assert_eq!((link.mac, link.mtu, link.is_up), (Some(mac), 1400, true));
            assert_eq!(link.master, Some(links[&name("br0")].ifindex));
        }
        carry_out(&Plan([LinkSetting::Master(None), LinkSetting::Down].map(set).into())).unwrap();
        let after = &read().links[&tap(0)];
        assert_eq!((after.master, after.is_up), (None, false));
        ip("link delete tap0");
        carry_out(&Plan([LinkSetting::Master(None), LinkSetting::Down].map(set).into())).unwrap();
    });
}

#[test]
fn what_others_made_is_seen_as_uplinks_at_most() {
    on_node("what_others_made_is_seen_as_uplinks_at_most", 1, || {
        ip("link set tap0 up");
        ip("rule add iif tap0 lookup 100 priority 32000");
        ip("rule add iif tap0 lookup 100 priority 500 protocol 119");
        ip("route add 192.0.2.1/32 dev tap0 table 100");
        ip("route add unreachable default table 101 metric 9");
        ip("route add default table 70000 metric 3 nexthop via 198.51.100.1 dev up0 nexthop via 198.51.100.9 dev up0");
        ip("neigh add proxy 192.0.2.9 dev up0");
        let state = read();
        assert_eq!(Ours::of(&state), Ours::default());
        let uplink = |family, table, metric| Uplink { family, table, metric, device: name("up0") };
        let expected =
            [uplink(Family::V4, TABLE, 0), uplink(Family::V4, 70_000, 3), uplink(Family::V6, TABLE, 5)].into();
        assert_eq!(state.uplinks, expected);
        assert_eq!(state.uplink(Family::V6, TABLE), Some(name("up0")));
    });
}

#[test]
fn sysctls_are_those_of_the_taps_and_of_the_uplinks() {
    on_node("sysctls_are_those_of_the_taps_and_of_the_uplinks", 2, || {
        let proxy_arp = Sysctl { family: Family::V4, device: tap(0), key: SysctlKey::ProxyArp };
        for value in ["1", "0", "1"] {
            carry_out(&Plan(vec![Change::Sysctl { sysctl: proxy_arp, value }])).unwrap();
            assert_eq!(read().sysctls[&proxy_arp], value);
        }
        let sysctls = read().sysctls;
        let devices: BTreeSet<_> = sysctls.keys().map(|sysctl| sysctl.device).collect();
        assert_eq!(devices, [tap(0), name("up0")].into());
        assert_eq!(sysctls.len(), 2 * SysctlKey::ALL.len());
        ip("link delete tap0");
        let error = carry_out(&Plan(vec![Change::Sysctl { sysctl: proxy_arp, value: "0" }])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "sysctl net.ipv4.conf.tap0.proxy_arp = 0: No such file or directory (os error 2)"
        );
    });
}

#[test]
fn a_tap_that_goes_takes_its_part_along_and_the_rest_can_be_removed() {
    on_node("a_tap_that_goes_takes_its_part_along_and_the_rest_can_be_removed", 3, || {
        let ours = Ours::of_taps(0..3);
        carry_out(&ours.comes()).unwrap();
        ip("link delete tap1");
        let state = read();
        assert!(state.routes.iter().all(|route| route.tap != tap(1)));
        assert_eq!(state.rules, ours.rules);
        let error = carry_out(&Ours::of_taps(1..2).comes()).unwrap_err();
        assert_eq!(error.to_string(), "link tap1 up: No such device (os error 19)");
        ip("link delete up0");
        carry_out(&ours.goes()).unwrap();
        assert_eq!(Ours::of(&read()), Ours::default());
    });
}

#[test]
fn an_error_names_the_change_and_the_reason() {
    on_node("an_error_names_the_change_and_the_reason", 2, || {
        let fails = |change| carry_out(&Plan(vec![change])).unwrap_err().to_string();
        let route = |number| Route { destination: "192.0.2.1/32".parse().unwrap(), tap: tap(number), table: TABLE };
        assert_eq!(
            fails(Change::AddRoute(route(0))),
            "route add 192.0.2.1/32 dev tap0 table 100: Network is down (os error 100)"
        );
        for number in 0..2 {
            ip(&format!("link set tap{number} up"));
        }
        carry_out(&Plan(vec![Change::AddRoute(route(0))])).unwrap();
        assert_eq!(
            fails(Change::AddRoute(route(1))),
            "route add 192.0.2.1/32 dev tap1 table 100: File exists (os error 17)",
            "the route to another tap is not the one that was to be added"
        );
        let up = |number| Change::Link { name: tap(number), setting: LinkSetting::Up };
        let mut done = Vec::new();
        let plan = Plan(vec![up(0), Change::AddRoute(route(1)), up(1)]);
        node::carry_out(&plan, |change| done.push(change.clone())).unwrap_err();
        assert_eq!(done, [up(0)], "what is behind the fault is not tried");
        let master = LinkSetting::Master(Some(name("br7")));
        assert_eq!(
            fails(Change::Link { name: tap(0), setting: master }),
            "link tap0 master br7: br7: No such device (os error 19)"
        );
        let path = "/mnt/missing/tap0".into();
        assert_eq!(
            fails(Change::WriteBinding { path, text: "INDEV=tap0\nIP=192.0.2.1\n".to_owned() }),
            "write /mnt/missing/tap0: No such file or directory (os error 2)"
        );
    });
}

/// What is filtered of a tap: whatever has another source.
fn elements(tap: InterfaceName) -> BTreeSet<Element> {
    let source = |address: &str| Element::Source { tap, address: address.parse().unwrap() };
    [Element::Sourced { tap }, source("192.0.2.1"), source("2001:db8::1")].into()
}

/// Filters a tap, however often others are faster.
fn filter(tap: InterfaceName) {
    let start = Instant::now();
    while let Some(transaction) = filter::transaction(&read().filters, tap, &elements(tap)).unwrap() {
        if let Err(error) = carry_out(&Plan(vec![Change::Filter(transaction)])) {
            assert!(error.may_be_outdated && start.elapsed() < PATIENCE, "{error}");
        }
    }
}

#[test]
fn filters_are_read_back_and_refused_when_somebody_was_faster() {
    on_node("filters_are_read_back_and_refused_when_somebody_was_faster", 0, || {
        assert_eq!(read().filters.elements, BTreeSet::new());
        for number in 0..2 {
            filter(tap(number));
        }
        let state = read();
        assert_eq!(state.filters.elements, [0, 1].map(tap).into_iter().flat_map(elements).collect());
        let removal = filter::removal(&state.filters, &[tap(0)].into()).unwrap();
        let removal = Plan(vec![Change::Filter(removal)]);
        carry_out(&removal).unwrap();
        let error = carry_out(&removal).unwrap_err();
        assert!(error.may_be_outdated, "{error}");
        let text = error.to_string();
        assert!(text.starts_with("nft transaction: ") && text.contains("Error: ") && !text.contains('\n'), "{text}");
        assert_eq!(read().filters.elements, elements(tap(1)));
    });
}

#[test]
fn bridged_packets_are_judged_as_the_kernel_can() {
    on_node("bridged_packets_are_judged_as_the_kernel_can", 0, || {
        let sysctls = ["iptables", "ip6tables"].map(|name| format!("/proc/sys/net/bridge/bridge-nf-call-{name}"));
        if !sysctls.iter().all(|path| Path::new(path).exists()) {
            return skip("no br_netfilter here");
        }
        let judged = |values: [&str; 2]| {
            for (path, value) in sysctls.iter().zip(values) {
                std::fs::write(path, value).unwrap();
            }
            read().filters.bridge_tracking
        };
        // Where the bridge can do it itself, br_netfilter does not matter.
        let without = judged(["0", "0"]);
        assert_ne!(without, Some(BridgeTracking::Inet));
        assert_eq!(judged(["1", "0"]), without);
        assert_eq!(judged(["1", "1"]), without.or(Some(BridgeTracking::Inet)));
    });
}

/// A process that takes the lock, and carries out the plan for these taps.
fn worker(taps: std::ops::Range<u32>) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["a_worker", "--exact", "--nocapture"])
        .env(WORK, format!("{} {}", taps.start, taps.end))
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Does nothing, unless another test runs it as a process of its own.
#[test]
fn a_worker() {
    let Ok(taps) = std::env::var(WORK) else { return };
    let (first, end) = taps.split_once(' ').unwrap();
    let taps = first.parse().unwrap()..end.parse().unwrap();
    let _lock = Lock::take(Path::new(STATE), Extent::Tap(tap(taps.start)), PATIENCE).unwrap();
    let ours = Ours::of_taps(taps.clone());
    filter(tap(taps.start));
    carry_out(&ours.comes()).unwrap();
    // Every other tap goes again, as those of a guest that did not start.
    carry_out(&Ours::of_taps(taps.filter(|number| number % 2 == 1)).goes()).unwrap();
}

#[test]
fn fifty_at_the_same_time_end_right() {
    on_node("fifty_at_the_same_time_end_right", 200, || {
        let workers: Vec<_> = (0..50).map(|number| worker(number * 4..number * 4 + 4)).collect();
        // To read goes on meanwhile, and always comes to an end.
        for _ in 0..20 {
            read();
        }
        for mut worker in workers {
            assert!(worker.wait().unwrap().success());
        }
        let even = Ours::of_taps((0..200).filter(|number| number % 2 == 0));
        let state = read();
        assert_eq!(Ours::of(&state), even);
        assert_eq!(state.filters.elements, (0..50).flat_map(|number| elements(tap(number * 4))).collect());
        assert!(names_of_bindings().iter().all(|name| name.starts_with("tap")));
    });
}

/// The kernel then says that its dumps were interrupted, and they are made again.
#[test]
fn what_stays_is_seen_while_others_come_and_go() {
    on_node("what_stays_is_seen_while_others_come_and_go", 200, || {
        let ours = Ours::of_taps(0..200);
        carry_out(&ours.comes()).unwrap();
        let mut others = Command::new("sh")
            .args(["-c", "while ip link add x1 type veth peer name x2 && ip link delete x1; do :; done"])
            .spawn()
            .unwrap();
        for _ in 0..20 {
            let state = read();
            assert_eq!(Ours::of(&state), ours);
            assert!((0..200).all(|number| state.links.contains_key(&tap(number))));
        }
        others.kill().unwrap();
        others.wait().unwrap();
    });
}

#[test]
fn what_was_cut_short_is_completed_by_the_next() {
    on_node("what_was_cut_short_is_completed_by_the_next", 200, || {
        let mut cut = worker(0..200);
        let start = Instant::now();
        while read().routes.is_empty() {
            assert!(start.elapsed() < PATIENCE, "nothing begins");
            thread::yield_now();
        }
        cut.kill().unwrap();
        cut.wait().unwrap();
        // As if it had been killed while it wrote.
        std::fs::write(format!("{BINDINGS}/.tap0.{}", cut.id()), "IND").unwrap();
        // Nobody holds the lock of a process that is dead.
        let _lock = Lock::take(Path::new(STATE), Extent::All, PATIENCE).unwrap();
        let ours = Ours::of_taps(0..200);
        assert_ne!(Ours::of(&read()), ours);
        carry_out(&ours.comes()).unwrap();
        assert_eq!(Ours::of(&read()), ours);
        assert_eq!(names_of_bindings().len(), 200);
        carry_out(&ours.goes()).unwrap();
        assert_eq!(Ours::of(&read()), Ours::default());
    });
}

/// The frames that come out of the uplink's other end.
fn wire() -> Box<dyn DataLinkReceiver> {
    let interface = pnet_datalink::interfaces().into_iter().find(|interface| interface.name == "out0").unwrap();
    let config = Config { read_timeout: Some(PATIENCE), ..Config::default() };
    let Channel::Ethernet(_, receiver) = pnet_datalink::channel(&interface, config).unwrap() else {
        unreachable!("no Ethernet")
    };
    receiver
}

#[test]
fn the_neighbours_are_told() {
    on_node("the_neighbours_are_told", 0, || {
        let mut wire = wire();
        ip("link set up0 address 02:00:00:00:00:77");
        let announcements = ["192.0.2.1", "2001:db8::5"]
            .map(|address| Change::Announce(Announcement { address: address.parse().unwrap(), uplink: name("up0") }));
        carry_out(&Plan(announcements.into())).unwrap();
        let mut await_frame = |is_it: &dyn Fn(&[u8]) -> bool| while !is_it(wire.next().expect("a frame")) {};
        // From the uplink to all, ARP, a request, of and for the address.
        await_frame(&|frame| {
            frame.starts_with(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 0x77, 8, 6])
                && frame[28..32] == [192, 0, 2, 1]
                && frame[38..42] == [192, 0, 2, 1]
        });
        // To all nodes, with hop limit 255: a Neighbor Advertisement of the address, which overrides.
        await_frame(&|frame| {
            frame.starts_with(&[0x33, 0x33, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0x77, 0x86, 0xdd])
                && (frame[20], frame[21], frame[54]) == (58, 255, 136)
                && frame[58] & 0x20 != 0
                && frame[62..78] == "2001:db8::5".parse::<std::net::Ipv6Addr>().unwrap().octets()
                && frame[78..86] == [2, 1, 2, 0, 0, 0, 0, 0x77]
        });
        ip("link set up0 down");
        let announcement = Announcement { address: "192.0.2.1".parse().unwrap(), uplink: name("up0") };
        let error = carry_out(&Plan(vec![Change::Announce(announcement)])).unwrap_err();
        assert_eq!(error.to_string(), "announce 192.0.2.1 dev up0 by gratuitous ARP: Network is down (os error 100)");
    });
}

#[test]
fn an_uplink_that_is_busy_keeps_no_guest_from_starting() {
    on_node("an_uplink_that_is_busy_keeps_no_guest_from_starting", 0, || {
        // Under the uplink is a queue for a few frames, which next to nothing leaves.
        if !can("tc", "qdisc add dev up0 root tbf rate 8bit burst 1600 limit 1600")
            || !can("ip", "link add link up0 name busy type macvlan mode private")
        {
            return skip("this kernel has no shaper (sch_tbf) or no macvlan");
        }
        ip("link set busy up");
        let announcement = Announcement { address: "192.0.2.1".parse().unwrap(), uplink: name("busy") };
        carry_out(&Plan(vec![Change::Announce(announcement); 100])).unwrap();
    });
}
