//! What `io` believes of the kernel, asked of the kernel: each test in a network namespace of its own.
//!
//! Skipped where there are no user namespaces, or no such links; a failure then, if NFDHCPD_STRICT is set.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a panic is how a test fails, and the outside world is what is tested"
)]

mod namespace;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use namespace::{can, in_namespace, ip, skip};
use nfdhcpd::binding::IfIndex;
use nfdhcpd::config::{Backlog, QueueNum};
use nfdhcpd::engine::{Event, Link};
use nfdhcpd::io::links::{LinkChanges, Links};
use nfdhcpd::io::nfqueue::{BindError, Queue, QueueList, message};
use nfdhcpd::io::packet_socket::PacketSocket;
use nfdhcpd::io::watch::{Told, Watch};
use nix::sys::socket::{MsgFlags, send};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

/// How long the kernel may take to tell something.
const PATIENCE: Duration = Duration::from_secs(10);

fn tc(arguments: &str) {
    let status = Command::new("tc").args(arguments.split(' ')).status().unwrap();
    assert!(status.success(), "tc {arguments}");
}

fn mount(program: &str, arguments: &str) {
    let status = Command::new(program).args(arguments.split(' ')).status().unwrap();
    assert!(status.success(), "{program} {arguments}");
}

fn ifindex(name: &str) -> IfIndex {
    let text = Command::new("ip").args(["-o", "link", "show", name]).output().unwrap().stdout;
    let text = String::from_utf8(text).unwrap();
    IfIndex::new(text.split(':').next().unwrap().parse().unwrap()).unwrap()
}

/// The links, followed.
struct Followed {
    changes: LinkChanges,
    runtime: Runtime,
}

impl Followed {
    /// Follows the links; returns also those that are there.
    fn start() -> (Self, Vec<Event>) {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let (links, told) = Links::open().unwrap();
        let context = runtime.enter();
        let changes = LinkChanges::new(links).unwrap();
        drop(context);
        (Self { changes, runtime }, told)
    }

    /// Waits until all of these have been told, in any order, among whatever else.
    #[track_caller]
    fn await_all(&mut self, wanted: &[&dyn Fn(&Event) -> bool]) {
        let mut missing = wanted.to_vec();
        let Self { changes, runtime } = self;
        let wait = async {
            while !missing.is_empty() {
                for event in changes.next().await.unwrap() {
                    missing.retain(|is_wanted| !is_wanted(&event));
                }
            }
        };
        let result = runtime.block_on(async { timeout(PATIENCE, wait).await });
        assert!(result.is_ok(), "{} of {} not told", missing.len(), wanted.len());
    }

    /// Waits until a link is as asked for.
    #[track_caller]
    fn await_link(&mut self, is_wanted: impl Fn(&Link) -> bool) {
        self.await_all(&[&|event| matches!(event, Event::LinkChanged(link) if is_wanted(link))]);
    }

    /// Waits until a link is gone.
    #[track_caller]
    fn await_gone(&mut self, wanted: IfIndex) {
        self.await_all(&[&|event| matches!(event, Event::LinkGone(gone) if *gone == wanted)]);
    }
}

#[test]
fn links_are_followed_through_their_lives() {
    in_namespace("links_are_followed_through_their_lives", || {
        ip("link add br0 type bridge");
        ip("tuntap add early mode tap");
        let (mut links, told) = Followed::start();
        let names: BTreeSet<String> = told
            .iter()
            .map(|event| match event {
                Event::LinkChanged(link) => format!("{} {}", link.name, link.is_bridge),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(names, ["br0 true", "early false", "lo false"].map(String::from).into());

        let bridge = ifindex("br0");
        ip("tuntap add tap0 mode tap");
        let tap = ifindex("tap0");
        links.await_link(|link| link.ifindex == tap && link.name.as_str() == "tap0" && !link.is_ready);
        ip("link set tap0 address 02:00:00:00:00:77 mtu 1400");
        let mac = "02:00:00:00:00:77".parse().ok();
        links.await_link(|link| link.ifindex == tap && link.mac == mac && link.mtu == 1400);
        ip("link set tap0 name tap1");
        links.await_link(|link| link.ifindex == tap && link.name.as_str() == "tap1");
        ip("link set tap1 master br0");
        links.await_link(|link| link.ifindex == tap && link.master == Some(bridge));
        ip("link set tap1 nomaster");
        links.await_link(|link| link.ifindex == tap && link.master.is_none());
        ip("link add veth0 type veth peer name veth1");
        let veth = ifindex("veth0");
        ip("link set veth0 up");
        ip("link set veth1 up");
        links.await_link(|link| link.ifindex == veth && link.is_ready);
        ip("link set veth1 down");
        links.await_link(|link| link.ifindex == veth && !link.is_ready);
        ip("link del tap1");
        links.await_gone(tap);
        ip("link set br0 address 02:00:00:00:00:78");
        let mac = "02:00:00:00:00:78".parse().ok();
        links.await_link(|link| link.ifindex == bridge && link.mac == mac);
    });
}

/// Another network namespace, which ends with the value.
struct Elsewhere(Child);

impl Elsewhere {
    fn new() -> Self {
        let child = Command::new("unshare")
            .args(["--net", "sh", "-c", "echo; exec sleep 60"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut elsewhere = Self(child);
        let mut ready = [0];
        io::Read::read_exact(elsewhere.0.stdout.as_mut().unwrap(), &mut ready).unwrap();
        elsewhere
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn a_link_that_moves_away_is_gone() {
    in_namespace("a_link_that_moves_away_is_gone", || {
        let elsewhere = Elsewhere::new();
        ip("tuntap add moving mode tap");
        let moving = ifindex("moving");
        let (mut links, _) = Followed::start();
        ip(&format!("link set moving netns {}", elsewhere.0.id()));
        links.await_gone(moving);
    });
}

#[test]
fn a_receive_buffer_that_overflowed_is_made_good() {
    in_namespace("a_receive_buffer_that_overflowed_is_made_good", || {
        ip("tuntap add doomed mode tap");
        ip("tuntap add changing mode tap");
        let (doomed, changing) = (ifindex("doomed"), ifindex("changing"));
        let (mut links, _) = Followed::start();
        // Changes are lost because nobody reads: each is about 1,500 bytes, and what is kept is bounded.
        let flood: String = (0..20_000).map(|n| format!("link set changing mtu {}\n", 1000 + n % 2)).collect();
        let batch = std::env::temp_dir().join(format!("flood-{}", std::process::id()));
        fs::write(&batch, flood).unwrap();
        ip(&format!("-batch {}", batch.display()));
        fs::remove_file(batch).unwrap();
        ip("link del doomed");
        ip("link set changing mtu 1234");
        ip("tuntap add late mode tap");
        let late = ifindex("late");
        links.await_all(&[
            &|event| matches!(event, Event::LinkGone(gone) if *gone == doomed),
            &|event| matches!(event, Event::LinkChanged(link) if link.ifindex == late),
            &|event| matches!(event, Event::LinkChanged(link) if link.ifindex == changing && link.mtu == 1234),
        ]);
    });
}

/// What is not taken in yet of a burst is not forgotten either.
#[test]
fn a_burst_of_changes_is_read_in_pieces() {
    in_namespace("a_burst_of_changes_is_read_in_pieces", || {
        ip("tuntap add tap0 mode tap");
        let (mut links, _) = Followed::start();
        let burst: String = (0..300).map(|n| format!("link set tap0 mtu {}\n", 1000 + n)).collect();
        let batch = std::env::temp_dir().join(format!("burst-{}", std::process::id()));
        fs::write(&batch, burst).unwrap();
        ip(&format!("-batch {}", batch.display()));
        fs::remove_file(batch).unwrap();
        let is_last = |event: &Event| matches!(event, Event::LinkChanged(link) if link.mtu == 1299);
        let first = links.changes.poll().unwrap();
        assert!(!first.is_empty() && !first.iter().any(is_last), "{first:?}");
        assert!(!links.changes.is_complete());
        let Followed { changes, runtime } = &mut links;
        let mut rest = Vec::new();
        let wait = async {
            while !changes.is_complete() {
                rest.append(&mut changes.next().await.unwrap());
            }
        };
        runtime.block_on(async { timeout(PATIENCE, wait).await }).unwrap();
        assert!(rest.iter().any(is_last));
    });
}

fn bind(number: u16) -> Result<Queue, BindError> {
    Queue::bind(QueueNum(number), &Backlog::default())
}

#[test]
fn a_queue_has_one_owner() {
    in_namespace("a_queue_has_one_owner", || {
        let first = bind(7).unwrap();
        let error = bind(7).unwrap_err();
        assert!(matches!(error, BindError::AlreadyBound(QueueNum(7))), "{error}");
        bind(65_535).unwrap();
        drop(first);
        bind(7).unwrap();
    });
}

/// It belongs to the root of the machine, so that no namespace of our own will do.
#[test]
fn the_list_of_queues_can_be_read_again_and_again() {
    match QueueList::open() {
        Ok(list) => assert!((0..2).all(|_| list.read().is_ok())),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => skip("this needs root"),
        Err(error) => panic!("{error}"),
    }
}

/// A successor that died early asked the same as we do, and the answer still waits in the socket.
#[test]
fn an_answer_to_a_predecessor_is_not_taken_for_ours() {
    in_namespace("an_answer_to_a_predecessor_is_not_taken_for_ours", || {
        let first = bind(7).unwrap();
        let fd = first.as_fd().try_clone_to_owned().unwrap();
        let mut request = Vec::new();
        message::push_settings(&mut request, QueueNum(7), &Backlog::default(), 1);
        send(fd.as_raw_fd(), &request, MsgFlags::empty()).unwrap();
        let successor = Queue::take_over(QueueNum(7), fd, &Backlog::default()).unwrap();
        assert_eq!(successor.early(), 1, "the answer to somebody else is passed over");
    });
}

#[test]
fn a_queue_without_the_capability_says_so() {
    in_namespace("a_queue_without_the_capability_says_so", || {
        use caps::{CapSet, Capability};
        caps::drop(None, CapSet::Effective, Capability::CAP_NET_ADMIN).unwrap();
        let error = bind(7).unwrap_err();
        assert!(matches!(error, BindError::NotPermitted(_)), "{error}");
    });
}

#[test]
fn a_frame_that_fails_holds_up_no_other() {
    in_namespace("a_frame_that_fails_holds_up_no_other", || {
        silence_ipv6();
        ip("link add tap0 type veth peer name eth0");
        ip("link set tap0 up");
        ip("link set eth0 up");
        ip("tuntap add down mode tap");
        let (tap, down, nowhere) = (ifindex("tap0"), ifindex("down"), IfIndex::new(9999).unwrap());
        let socket = PacketSocket::open().unwrap();
        let frame = [0xff; 60];
        let oversized = [0xff; 1515];
        let frames: [(IfIndex, &[u8]); 6] =
            [(nowhere, &frame), (tap, &frame), (tap, &oversized), (down, &frame), (tap, &frame), (nowhere, &frame)];
        // More than one call takes.
        let frames: Vec<_> = frames.into_iter().cycle().take(6 * 20).collect();
        let before = sent("tap0");
        let mut failures = Vec::new();
        socket.send(frames.into_iter(), |ifindex, errno| failures.push((ifindex, errno)));
        assert_eq!(sent("tap0") - before, 40);
        let expected = [(nowhere, libc::ENXIO), (tap, libc::EMSGSIZE), (down, libc::ENETDOWN), (nowhere, libc::ENXIO)];
        let expected: Vec<_> = expected.into_iter().cycle().take(4 * 20).collect();
        assert_eq!(failures, expected);
    });
}

/// One tap has a shaper that lets next to nothing pass, another stands on a queue that is full. Without
/// `PACKET_QDISC_BYPASS` the frames that wait in the shaper would use up the socket's buffer, and no tap get any more.
#[test]
fn a_tap_that_is_blocked_holds_up_no_other() {
    in_namespace("a_tap_that_is_blocked_holds_up_no_other", || {
        silence_ipv6();
        for tap in ["tap0", "shaped", "below"] {
            ip(&format!("link add {tap} type veth peer name {tap}-vm"));
            ip(&format!("link set {tap} up"));
            ip(&format!("link set {tap}-vm up"));
        }
        if !can("tc", "qdisc add dev shaped root tbf rate 8bit burst 1600 limit 10000000")
            || !can("ip", "link add link below name full type macvlan mode private")
        {
            return skip("this kernel has no shaper (sch_tbf) or no macvlan");
        }
        tc("qdisc add dev below root tbf rate 8bit burst 1600 limit 1600");
        ip("link set full up");
        let [tap, shaped, full] = ["tap0", "shaped", "full"].map(ifindex);
        let socket = PacketSocket::open().unwrap();
        // Far more bytes than a socket's buffer holds.
        let rounds = 2000;
        let frame = [0xff; 1000];
        let frames: Vec<(IfIndex, &[u8])> = [shaped, full, tap].map(|ifindex| (ifindex, &frame[..])).repeat(rounds);
        let before = [sent("tap0"), sent("shaped")];
        let mut failures = Vec::new();
        socket.send(frames.into_iter(), |ifindex, errno| failures.push((ifindex, errno)));
        let sent = [sent("tap0") - before[0], sent("shaped") - before[1]];
        assert_eq!(sent, [rounds as u64; 2]);
        let others: Vec<_> = failures.iter().filter(|failure| **failure != (full, libc::ENOBUFS)).collect();
        assert!(others.is_empty(), "{others:?}");
        assert!((rounds - 10..rounds).contains(&failures.len()), "{} failures", failures.len());
    });
}

/// From links that are made from now on: the kernel's own solicitations would be counted with our frames.
fn silence_ipv6() {
    fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1").unwrap();
}

/// How many packets have left by an interface.
fn sent(name: &str) -> u64 {
    let table = fs::read_to_string("/proc/self/net/dev").unwrap();
    let line = table.lines().find(|line| line.trim_start().starts_with(&format!("{name}:"))).unwrap();
    line.split_ascii_whitespace().nth(10).unwrap().parse().unwrap()
}

/// No clock helps: what is not told is not seen.
#[test]
fn a_directory_that_is_mounted_over_is_another_one() {
    in_namespace("a_directory_that_is_mounted_over_is_another_one", || {
        let scratch = std::env::temp_dir().join(format!("mounts-{}", std::process::id()));
        let scratch = scratch.to_str().unwrap();
        fs::create_dir_all(format!("{scratch}/parent/bindings")).unwrap();
        mount("mount", &format!("-t tmpfs tmpfs {scratch}/parent"));
        let directory = format!("{scratch}/parent/bindings");
        fs::create_dir(&directory).unwrap();
        let write = |name: &str| {
            let text = format!("MAC=aa:00:00:00:00:01\nHOSTNAME={name}\n");
            fs::write(format!("{directory}/{name}"), text).unwrap();
        };
        write("tap0");
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let mut watch = runtime.block_on(async { Watch::open(directory.as_ref()) }).unwrap();
        assert_eq!(watch.poll_scan().unwrap().iter().map(in_short).collect::<Vec<_>>(), ["+tap0"]);
        let mut expect = |expected: &[&str]| {
            let mut told = Vec::new();
            while told.len() < expected.len() {
                let polled = async { timeout(PATIENCE, watch.changed()).await.map(|()| watch.poll()) };
                told.extend(runtime.block_on(polled).expect("nothing told").iter().map(in_short));
            }
            told.sort();
            assert_eq!(told, expected);
        };
        mount("mount", &format!("-t tmpfs tmpfs {directory}"));
        expect(&["-tap0"]);
        write("tap1");
        expect(&["+tap1"]);
        // Lazily: whoever has it open keeps it alive.
        mount("umount", &format!("--lazy {directory}"));
        expect(&["+tap0", "-tap1"]);
        mount("mount", &format!("-t tmpfs tmpfs {scratch}/parent"));
        expect(&["-tap0", "gone"]);
        mount("umount", &format!("{scratch}/parent"));
        expect(&["+tap0", "back"]);
        mount("umount", &format!("--lazy {scratch}/parent"));
        expect(&["-tap0"]);
        fs::remove_dir_all(scratch).unwrap();
    });
}

/// What was told, in short: `+tap`, `-tap`, and words for the rest.
fn in_short(told: &Told) -> String {
    match told {
        Told::Event(Event::BindingLoaded(binding)) => format!("+{}", binding.tap),
        Told::Event(Event::BindingRemoved(tap)) => format!("-{tap}"),
        Told::DirectoryGone(_) => "gone".to_owned(),
        Told::DirectoryBack => "back".to_owned(),
        other => format!("{other:?}"),
    }
}
