//! What becomes of requests when the daemon is restarted, replaced or killed, under a supervisor that keeps its queues.

use std::fs::{self, File};
use std::ops::Range;
use std::os::fd::AsFd;
use std::thread;

use dhcproto::v4::MessageType;
use nfdhcpd::config::{Backlog, QueueNum};
use nfdhcpd::io::netlink::Socket;
use nfdhcpd::io::nfqueue::message::FromKernel;
use nfdhcpd::io::nfqueue::{Batch, Queue};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::Signal;
use nix::sys::socket::SockProtocol;

use crate::harness::daemon::{Daemon, write_config};
use crate::harness::requests::{discover, to_another_server};
use crate::harness::{Config, Guest, Lab, Load, SCRATCH, Supervisor, queues, sh, skip, soon, tests};

tests!(restart:
    loses_no_request,
    loses_no_request_when_the_program_is_replaced,
    recovers_from_a_crash_under_load,
    drops_what_a_predecessor_left_and_answers_what_waits,
    drops_what_a_predecessor_left_where_nothing_waits,
    takes_over_a_socket_that_overflowed,
    settings_are_for_a_queue_that_is_taken_over_as_well,
    takes_over_one_descriptor_of_a_name,
    gives_up_a_queue_that_is_not_wanted_any_more,
    refuses_descriptors_that_are_no_queues_of_its_own,
    takes_nothing_of_its_own_for_what_was_passed_on,
    leaves_alone_what_was_passed_on_to_another,
    tells_the_supervisor_how_it_is,
);

/// How many answers each guest has of each daemon, at least.
const SOME: u32 = 500;

fn loses_no_request(lab: &mut Lab) {
    let mut supervisor = Supervisor::new();
    restart_under_load(lab, &mut supervisor, |_| {});
}

fn loses_no_request_when_the_program_is_replaced(lab: &mut Lab) {
    let [installed, upgrade] = ["nfdhcpd", "nfdhcpd.new"].map(|name| format!("{SCRATCH}/{name}"));
    let mut supervisor = Supervisor::new();
    fs::copy(supervisor.program(), &installed).unwrap();
    fs::copy(supervisor.program(), &upgrade).unwrap();
    supervisor.change_program(&installed);
    restart_under_load(lab, &mut supervisor, |lab| {
        fs::rename(&upgrade, &installed).unwrap();
        let running = fs::read_link(format!("/proc/{}/exe", lab.daemon().pid())).unwrap();
        assert!(running.to_str().unwrap().ends_with("(deleted)"), "{running:?} was not replaced");
    });
}

/// Three guests ask before, meanwhile and afterwards, each request once: each gets one answer, of the one daemon or of the other.
#[track_caller]
fn restart_under_load(lab: &mut Lab, supervisor: &mut Supervisor, before: impl FnOnce(&mut Lab)) {
    let guests = [1, 2, 3].map(|number| lab.guest(number));
    let config = Config::default();
    lab.divert("-i tap+");
    lab.launch_by(supervisor, &config);
    let loads = guests.each_ref().map(|guest| Load::start(guest, false));
    loads.iter().for_each(|load| load.wait_for(SOME));
    before(lab);
    lab.end(Daemon::stop);
    lab.launch_by(supervisor, &config);
    loads.iter().for_each(|load| load.wait_for(SOME));
    loads.into_iter().for_each(Load::finish);
    soon("word of the queues", || (lab.daemon().log().matches("queue taken over").count() == 4).then_some(()));
}

/// What was read and not answered has to be asked again; nothing else is wedged.
fn recovers_from_a_crash_under_load(lab: &mut Lab) {
    let guests = [1, 2, 3].map(|number| lab.guest(number));
    let (mut supervisor, config) = (Supervisor::new(), Config::default());
    lab.divert("-i tap+");
    lab.launch_by(&mut supervisor, &config);
    let loads = guests.each_ref().map(|guest| Load::start(guest, true));
    for _ in 0..3 {
        loads.iter().for_each(|load| load.wait_for(SOME));
        lab.end(Daemon::kill);
        lab.launch_by(&mut supervisor, &config);
    }
    loads.iter().for_each(|load| load.wait_for(SOME));
    loads.into_iter().for_each(Load::finish);
}

fn drops_what_a_predecessor_left_and_answers_what_waits(lab: &mut Lab) {
    let guest = lab.guest(1);
    let mut supervisor = Supervisor::new();
    let left = leave_unjudged(lab, &mut supervisor, &guest);
    // The first that waits is for another server, and goes on: what was left must not go with it.
    let mut waiting = vec![to_another_server(guest.mac)];
    waiting.extend(discovers(&guest, 100..110));
    guest.send(&waiting, 1);
    soon("packets that wait", || (left.fill().unwrap().waiting > 0).then_some(()));
    drop(left);
    lab.launch_by(&mut supervisor, &Config::default());
    wait_for_offers(&guest, 100..110);
    assert_none_left(1);
}

fn drops_what_a_predecessor_left_where_nothing_waits(lab: &mut Lab) {
    let guest = lab.guest(1);
    let mut supervisor = Supervisor::new();
    drop(leave_unjudged(lab, &mut supervisor, &guest));
    lab.launch_by(&mut supervisor, &Config::default());
    assert_none_left(0);
    guest.send(&discovers(&guest, 100..110), 1);
    wait_for_offers(&guest, 100..110);
}

/// How many packets a predecessor leaves.
const LEFT: u32 = 20;

/// A daemon before ours has read packets of queue 42 and judged none of them.
fn leave_unjudged(lab: &Lab, supervisor: &mut Supervisor, guest: &Guest) -> Queue {
    if !queues::are_visible() {
        skip("this needs root: nobody else sees the counters of the queues");
    }
    lab.divert("-i tap+");
    sh("iptables -A INPUT -p udp --dport 67");
    let mut queue = Queue::bind(QueueNum(42), &Backlog::default()).unwrap();
    supervisor.keep("nfqueue-42", &queue);
    guest.send(&discovers(guest, 0..LEFT), 1);
    let mut batch = Batch::new();
    let mut read = 0;
    soon("all packets", || {
        queue.receive(&mut batch).unwrap();
        read += batch.messages().filter(|message| matches!(message, FromKernel::Packet(_))).count();
        (read == LEFT as usize).then_some(())
    });
    queue
}

/// No packet is stuck in queue 42, and so many went on to where they were bound for.
#[track_caller]
fn assert_none_left(passed: u32) {
    soon("an empty queue", || {
        queues::bound().iter().any(|queue| queue.number == 42 && queue.waiting == 0).then_some(())
    });
    let counted = sh("iptables -nvxL INPUT | awk '/dpt:67/ { print $1 }'");
    assert_eq!(counted.trim(), passed.to_string(), "packets that went on");
}

/// Waits until the guest has an OFFER for each of these transactions. It must have none for others.
#[track_caller]
fn wait_for_offers(guest: &Guest, xids: Range<u32>) {
    let offers = || {
        let messages = guest.dhcpv4().into_iter().filter(|it| it.is_answer(MessageType::Offer));
        messages.map(|it| it.message.xid()).collect::<Vec<_>>()
    };
    soon("the offers", || (offers().len() >= xids.len()).then_some(()));
    assert_eq!(offers(), xids.collect::<Vec<_>>());
}

/// The kernel has no room for the answer to what the daemon asks of its queue, until the daemon has emptied the socket.
fn takes_over_a_socket_that_overflowed(lab: &mut Lab) {
    lab.may_lose_packets();
    let guest = lab.guest(1);
    let mut supervisor = Supervisor::new();
    lab.divert("-i tap+");
    let backlog = Backlog { receive_buffer: Some(16 << 10), ..Backlog::default() };
    let queue = Queue::bind(QueueNum(42), &backlog).unwrap();
    supervisor.keep("nfqueue-42", &queue);
    guest.send(&discovers(&guest, 0..200), 1);
    soon("packets that wait", || (queue.fill().unwrap().waiting > 16 << 10).then_some(()));
    drop(queue);
    lab.launch_by(&mut supervisor, &Config::default());
    lab.daemon().wait_for_log("queue taken over queue=42");
    lab.daemon().wait_for_log("packets were lost queue=42");
    guest.udhcpc("-q -n").wait();
    assert!(guest.udhcpc_lease().contains("\nlease=3600\n"), "{}", guest.udhcpc_lease());
}

/// Four packets may wait for the predecessor, and many for us.
fn settings_are_for_a_queue_that_is_taken_over_as_well(lab: &mut Lab) {
    let guest = lab.guest(1);
    let mut supervisor = Supervisor::new();
    lab.divert("-i tap+");
    let backlog = Backlog { queue_length: 4, ..Backlog::default() };
    supervisor.keep("nfqueue-42", Queue::bind(QueueNum(42), &backlog).unwrap());
    lab.launch_by(&mut supervisor, &Config::default());
    lab.daemon().signal(Signal::SIGSTOP);
    guest.send(&discovers(&guest, 0..40), 1);
    lab.daemon().signal(Signal::SIGCONT);
    wait_for_offers(&guest, 0..40);
}

fn takes_over_one_descriptor_of_a_name(lab: &mut Lab) {
    let mut supervisor = Supervisor::new();
    lab.launch_by(&mut supervisor, &Config::default());
    lab.end(Daemon::stop);
    supervisor.keep("nfqueue-42", File::open("/dev/null").unwrap());
    lab.launch_by(&mut supervisor, &Config::default());
    lab.daemon().wait_for_log("queue taken over queue=42");
    lab.daemon().wait_for_log(r#"there is another one of this name name="nfqueue-42""#);
    assert_eq!(supervisor.kept(), ["nfqueue-43", "nfqueue-44", "nfqueue-45", "nfqueue-42"]);
}

fn gives_up_a_queue_that_is_not_wanted_any_more(lab: &mut Lab) {
    let mut supervisor = Supervisor::new();
    lab.launch_by(&mut supervisor, &Config::default());
    assert_eq!(supervisor.kept(), ["nfqueue-42", "nfqueue-43", "nfqueue-44", "nfqueue-45"]);
    let _left = supervisor.copy("nfqueue-42");
    lab.end(Daemon::stop);
    let config = Config::default().with("dhcp", "dhcp_queue", "52");
    lab.launch_by(&mut supervisor, &config);
    assert_eq!(supervisor.kept(), ["nfqueue-43", "nfqueue-44", "nfqueue-45", "nfqueue-52"]);
    lab.daemon().wait_for_log(r#"the configuration does not have this queue any more name="nfqueue-42""#);
    // It is free, though a descriptor is left.
    Queue::bind(QueueNum(42), &Backlog::default()).unwrap();
}

fn refuses_descriptors_that_are_no_queues_of_its_own(lab: &mut Lab) {
    let guest = lab.guest(1);
    let mut supervisor = Supervisor::new();
    lab.divert("-i tap+");
    let (pipe, _writer) = std::io::pipe().unwrap();
    let file = File::open("/dev/null").unwrap();
    let route = Socket::open(SockProtocol::NetlinkRoute, 0).unwrap();
    let unbound = Socket::open(SockProtocol::NetlinkNetFilter, 0).unwrap();
    let elsewhere = thread::spawn(|| {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        Queue::bind(QueueNum(45), &Backlog::default()).unwrap()
    });
    let elsewhere = elsewhere.join().unwrap();
    let bad: [(&str, &dyn AsFd, &str); 5] = [
        ("nfqueue-42", &pipe, "it is no netlink socket"),
        ("nfqueue-43", &route, "it is a netlink socket of another protocol"),
        ("nfqueue-44", &unbound, "the queue is not bound to it: No such device (os error 19)"),
        ("nfqueue-45", &elsewhere, "it is of another network namespace"),
        ("mystery", &file, "the name is not known"),
    ];
    for (name, fd, _) in bad {
        supervisor.keep(name, fd.as_fd());
    }
    lab.launch_by(&mut supervisor, &Config::default());
    for (name, _, reason) in bad {
        lab.daemon().wait_for_log(&format!("a descriptor that was passed on is not used: {reason} name={name:?}"));
    }
    assert_eq!(supervisor.kept(), ["nfqueue-42", "nfqueue-43", "nfqueue-44", "nfqueue-45"]);
    let load = Load::start(&guest, false);
    load.wait_for(SOME);
    load.finish();
}

fn takes_nothing_of_its_own_for_what_was_passed_on(lab: &mut Lab) {
    let guest = lab.guest(1);
    let mut supervisor = Supervisor::new();
    lab.divert("-i tap+");
    supervisor.promise_one_more();
    lab.launch_by(&mut supervisor, &Config::default());
    lab.daemon().wait_for_log("the descriptors that were passed on are not used: ");
    let load = Load::start(&guest, false);
    load.wait_for(SOME);
    load.finish();
}

fn leaves_alone_what_was_passed_on_to_another(lab: &mut Lab) {
    let mut supervisor = Supervisor::new();
    supervisor.promise_one_more();
    supervisor.address_another();
    lab.launch_by(&mut supervisor, &Config::default());
    let log = lab.daemon().log();
    assert!(!log.contains("passed on"), "{log}");
}

fn tells_the_supervisor_how_it_is(lab: &mut Lab) {
    let mut supervisor = Supervisor::new();
    lab.launch_by(&mut supervisor, &Config::default());
    let said = supervisor.said();
    assert_eq!(said.iter().filter(|line| *line == "FDPOLL=0").count(), 4, "{said:?}");
    assert_eq!(said[said.len() - 2..], ["READY=1", "STATUS=queues 42, 43, 44, 45"]);

    supervisor.forget_said();
    lab.daemon().signal(Signal::SIGHUP);
    supervisor.wait_for("STATUS=queues 42, 43, 44, 45");
    let said = supervisor.said().join(" ");
    assert!(said.starts_with("RELOADING=1 MONOTONIC_USEC=") && said.contains(" READY=1 "), "{said}");

    write_config(&Config::default().with("dhcp", "lease_lifetime", "a while"));
    lab.daemon().signal(Signal::SIGHUP);
    supervisor.wait_for("STATUS=queues 42, 43, 44, 45; the configuration file has errors and is not in force");
    lab.end(Daemon::stop);
    supervisor.wait_for("STOPPING=1");
}

/// One DISCOVER for each of these transactions.
fn discovers(guest: &Guest, xids: Range<u32>) -> Vec<Vec<u8>> {
    xids.map(|xid| discover(guest.mac, xid)).collect()
}
