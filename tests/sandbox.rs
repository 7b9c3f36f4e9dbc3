//! The sandbox from inside: what nobody can do in it, and what the daemon says on a system that has none.
//!
//! Each deed is done twice, outside and inside: what fails only inside, the sandbox prevents. All of it happens in
//! namespaces of its own. Skipped where there are no user namespaces; a failure then, if NFDHCPD_STRICT is set.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "a panic is how a test fails, and the outside world is what is tested"
)]

mod namespace;

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::process::{Child, Command, Stdio};
use std::thread;

use namespace::{in_namespace, ip, skip};
use nfdhcpd::io::config_file;
use nfdhcpd::io::sandbox::{self, Needs, Sandbox};
use nfdhcpd::io::supervisor::Listener;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::ptrace;
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};

/// What came of a deed.
type Outcome = Result<(), Box<dyn std::error::Error>>;
/// Something to do, with a number that is another each time.
type Deed = fn(&World, u8) -> Outcome;

/// Where all files are: a file system of the test's own.
const SCRATCH: &str = "/run/sandbox";

/// Files and services as a daemon has them around it.
struct World {
    tcp: TcpListener,
    _service: UnixListener,
    bystander: Child,
}

impl World {
    fn new() -> Self {
        mount(Some("tmpfs"), "/run", Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
        for folder in ["etc", "lib/bindings", "log", "run", "elsewhere", "mount"] {
            fs::create_dir_all(path(folder)).unwrap();
        }
        for file in
            ["etc/nfdhcpd.conf", "lib/bindings/tap0", "lib/bindings/tap1", "lib/bindings/tap2", "elsewhere/secret"]
        {
            fs::write(path(file), "").unwrap();
        }
        ip("link set lo up");
        Self {
            tcp: TcpListener::bind("127.0.0.1:0").unwrap(),
            _service: UnixListener::bind(path("run/service")).unwrap(),
            bystander: Command::new("sleep").arg("60").spawn().unwrap(),
        }
    }

    fn bystander(&self) -> Pid {
        Pid::from_raw(self.bystander.id().cast_signed())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.bystander.kill().unwrap();
        self.bystander.wait().unwrap();
    }
}

fn path(name: &str) -> String {
    format!("{SCRATCH}/{name}")
}

/// What nobody does in the sandbox.
#[rustfmt::skip]
const FORBIDDEN: &[(&str, Deed)] = &[
    ("read a file elsewhere", |_, _| Ok(File::open(path("elsewhere/secret")).map(drop)?)),
    ("list a directory elsewhere", |_, _| Ok(fs::read_dir(path("elsewhere")).map(drop)?)),
    ("read the users", |_, _| Ok(File::open("/etc/passwd").map(drop)?)),
    ("read our own memory map", |_, _| Ok(File::open("/proc/self/maps").map(drop)?)),
    ("write a binding", |_, n| Ok(fs::write(path(&format!("lib/bindings/new{n}")), "")?)),
    ("write into a binding", |_, _| Ok(append("lib/bindings/tap0")?)),
    ("remove a binding", |_, n| Ok(fs::remove_file(path(&format!("lib/bindings/tap{n}")))?)),
    ("make a binding writable", |_, n| Ok(fs::set_permissions(path("lib/bindings/tap0"), Permissions::from_mode(0o660 + u32::from(n)))?)),
    ("write into the configuration", |_, _| Ok(append("etc/nfdhcpd.conf")?)),
    ("put a file in its place", |_, n| {
        let other = path(&format!("etc/other{n}"));
        fs::write(&other, "").and_then(|()| fs::rename(other, path("etc/nfdhcpd.conf")))?;
        Ok(())
    }),
    ("put a link into the log directory", |_, n| Ok(symlink("/etc/passwd", path(&format!("log/link{n}")))?)),
    ("run a program", |_, _| Ok(Command::new("true").status().map(drop)?)),
    ("connect by TCP", |world, _| Ok(TcpStream::connect(world.tcp.local_addr()?).map(drop)?)),
    ("listen on TCP", |_, _| Ok(TcpListener::bind("127.0.0.1:0").map(drop)?)),
    ("open a socket of UDP", |_, _| Ok(UdpSocket::bind("127.0.0.1:0").map(drop)?)),
    ("open a raw socket", |_, _| open(AddressFamily::Inet, SockType::Raw, SockProtocol::Icmp)),
    ("open a socket of the audit", |_, _| open(AddressFamily::Netlink, SockType::Raw, SockProtocol::NetlinkAudit)),
    ("call a service", |_, _| Ok(UnixStream::connect(path("run/service")).map(drop)?)),
    ("trace a process", |world, _| trace(world.bystander())),
    ("look for a process", |world, _| Ok(kill(world.bystander(), None)?)),
    ("stop a process", |world, _| Ok(kill(world.bystander(), Signal::SIGCONT)?)),
    ("mount", |_, n| {
        fs::create_dir(path(&format!("mount/{n}")))?;
        Ok(mount(Some("tmpfs"), &*path(&format!("mount/{n}")), Some("tmpfs"), MsFlags::empty(), None::<&str>)?)
    }),
    ("have another namespace", |_, _| Ok(unshare(CloneFlags::CLONE_NEWUTS)?)),
];

/// What the daemon does.
#[rustfmt::skip]
const ALLOWED: &[(&str, Deed)] = &[
    ("read the configuration", |_, _| Ok(config_file::probe(path("etc/nfdhcpd.conf").as_ref())?)),
    ("list and read bindings", |_, _| {
        fs::read_dir(path("lib/bindings"))?;
        Ok(File::open(path("lib/bindings/tap0")).map(drop)?)
    }),
    ("write a log", |_, n| {
        let log = OpenOptions::new().append(true).create(true).open(path(&format!("log/{n}.log")));
        Ok(log.and_then(|mut log| log.write_all(b"line"))?)
    }),
    ("remove a pidfile", |_, n| match fs::remove_file(path(&format!("run/{n}.pid"))) {
        // There is none; and it may be removed.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => Ok(other?),
    }),
    ("hear of mounts", |_, _| Ok(File::open("/proc/self/mountinfo").map(drop)?)),
    ("open a packet socket", |_, _| Ok(nfdhcpd::io::packet_socket::PacketSocket::open().map(drop)?)),
    ("follow links", |_, _| Ok(nfdhcpd::io::links::Links::open().map(drop)?)),
    ("tell a supervisor", |_, _| Ok(UnixDatagram::unbound().map(drop)?)),
    ("start a thread", |_, _| {
        thread::Builder::new().name("another".to_owned()).spawn(|| ())?.join().map_err(|_| "it panicked".into())
    }),
    ("answer a connection", |world, _| {
        world.tcp.set_nonblocking(true)?;
        match world.tcp.accept() {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error.into()),
            _ => Ok(()),
        }
    }),
];

fn append(name: &str) -> io::Result<()> {
    OpenOptions::new().append(true).open(path(name)).map(drop)
}

fn open(family: AddressFamily, kind: SockType, protocol: SockProtocol) -> Outcome {
    Ok(socket(family, kind, SockFlag::SOCK_CLOEXEC, protocol).map(drop)?)
}

fn trace(process: Pid) -> Outcome {
    ptrace::attach(process)?;
    waitpid(process, None)?;
    Ok(ptrace::detach(process, None)?)
}

/// Has this thread in the sandbox from now on.
fn enter() -> Sandbox {
    let [config, bindings, log, pidfile] = ["etc/nfdhcpd.conf", "lib/bindings", "log", "run/nfdhcpd.pid"].map(path);
    let needs = Needs {
        config: config.as_ref(),
        bindings: bindings.as_ref(),
        log_directory: Some(log.as_ref()),
        removed: vec![pidfile.as_ref()],
        supervisor: Listener::Path,
    };
    sandbox::enter(&needs).unwrap()
}

/// Does all of it, and returns what failed, and how.
fn attempt(world: &World, deeds: &[(&'static str, Deed)], number: u8) -> BTreeMap<&'static str, String> {
    let result = |(name, deed): &(&'static str, Deed)| Some((*name, deed(world, number).err()?.to_string()));
    deeds.iter().filter_map(result).collect()
}

#[test]
fn nobody_gets_out() {
    in_namespace("nobody_gets_out", || {
        let world = World::new();
        let deeds = [FORBIDDEN, ALLOWED].concat();
        assert_eq!(attempt(&world, &deeds, 1), BTreeMap::new(), "outside");
        let inside = || {
            let entered = enter();
            (entered.landlock.is_ok(), entered.seccomp.is_ok(), attempt(&world, &deeds, 2))
        };
        let (is_landlocked, is_filtered, failed) = thread::scope(|scope| scope.spawn(inside).join().unwrap());
        if !is_landlocked || !is_filtered {
            return skip("this kernel has no Landlock, or no seccomp");
        }
        let names = |deeds: &[(&'static str, Deed)]| deeds.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        let mut expected = names(FORBIDDEN);
        expected.sort_unstable();
        assert_eq!(failed.keys().copied().collect::<Vec<_>>(), expected, "inside: {failed:#?}");
        let is_denial = |error: &String| error.contains("ermi") || error.contains("ermitted");
        let others: Vec<_> = failed.iter().filter(|(_, error)| !is_denial(error)).collect();
        assert!(others.is_empty(), "{others:?}");
    });
}

/// Where there is no Landlock, files are read and removed as permissions have it. All else seccomp forbids as well.
#[test]
fn seccomp_alone_leaves_files() {
    in_namespace("seccomp_alone_leaves_files", || {
        let world = World::new();
        let inside = || {
            fail(libc::SYS_landlock_create_ruleset, libc::ENOSYS);
            let entered = enter();
            (entered.seccomp.is_ok(), attempt(&world, FORBIDDEN, 2))
        };
        let (is_filtered, failed) = thread::scope(|scope| scope.spawn(inside).join().unwrap());
        if !is_filtered {
            return skip("this kernel has no seccomp");
        }
        let done: Vec<_> = FORBIDDEN.iter().map(|(name, _)| *name).filter(|name| !failed.contains_key(name)).collect();
        let expected = [
            "read a file elsewhere",
            "list a directory elsewhere",
            "read the users",
            "read our own memory map",
            "write into a binding",
            "remove a binding",
            "write into the configuration",
        ];
        assert_eq!(done, expected, "{failed:#?}");
    });
}

/// Where a part of the sandbox is not to be had, the daemon says so and runs.
#[test]
fn a_system_without_a_sandbox_is_told() {
    in_namespace("a_system_without_a_sandbox_is_told", || {
        let _world = World::new();
        fs::write(path("etc/nfdhcpd.conf"), configuration()).unwrap();
        let landlock = libc::SYS_landlock_create_ruleset;
        for (call, errno, words) in [
            (landlock, libc::ENOSYS, "sandbox: no Landlock, this kernel does not have it;"),
            (landlock, libc::EOPNOTSUPP, "sandbox: no Landlock, it is switched off since boot"),
            (landlock, libc::EPERM, "sandbox: no Landlock, whoever started the daemon forbids it"),
            (
                libc::SYS_landlock_restrict_self,
                libc::EPERM,
                "sandbox: no Landlock, whoever started the daemon forbids it",
            ),
            (libc::SYS_seccomp, libc::ENOSYS, "sandbox: no seccomp, this kernel does not have it;"),
        ] {
            let log = thread::scope(|scope| scope.spawn(|| log_of_daemon_without(call, errno)).join().unwrap());
            let warnings: Vec<_> = log.iter().filter(|line| line.contains(" WARN ")).collect();
            assert!(warnings.len() == 1 && warnings[0].contains(words), "{call} {errno}: {log:#?}");
            assert!(warnings[0].contains("general.sandbox = no silences this"), "{warnings:?}");
            assert!(log.last().is_some_and(|line| line.contains(" ready ")), "{log:#?}");
        }
    });
}

/// Has a system call fail in this thread from now on, and in what it starts.
fn fail(call: i64, errno: i32) {
    let filter = SeccompFilter::new(
        [(call, Vec::new())].into(),
        SeccompAction::Allow,
        SeccompAction::Errno(errno.unsigned_abs()),
        std::env::consts::ARCH.try_into().unwrap(),
    );
    let filter: BpfProgram = filter.unwrap().try_into().unwrap();
    apply_filter(&filter).unwrap();
}

/// Starts the daemon where this system call fails so, and returns what it said until it was ready.
fn log_of_daemon_without(call: i64, errno: i32) -> Vec<String> {
    fail(call, errno);
    let mut command = Command::new(env!("CARGO_BIN_EXE_nfdhcpd"));
    command.args(["-f", "-c", &path("etc/nfdhcpd.conf")]).stdout(Stdio::piped());
    let mut daemon = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut log = Vec::new();
    for line in BufReader::new(daemon.stderr.take().unwrap()).lines() {
        log.push(line.unwrap());
        if log.last().is_some_and(|line| line.contains(" ready ")) {
            kill(Pid::from_raw(daemon.id().cast_signed()), Signal::SIGTERM).unwrap();
            break;
        }
    }
    assert!(daemon.wait().unwrap().success(), "{log:#?}");
    log
}

/// A configuration for a namespace whose only user is root.
fn configuration() -> String {
    let bindings = path("lib/bindings");
    format!(
        "[general]\ndatapath = {bindings}\nuser = root\ncontrol_socket = none\n[dhcp]\nserver_ip = 192.0.2.1\n[ipv6]\nenable_ipv6 = no\n"
    )
}
