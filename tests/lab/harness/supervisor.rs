//! A stand-in for systemd: hears what a service says by sd_notify(3), keeps its descriptors, and passes them on.

use std::fs;
use std::io::{ErrorKind, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::process::Command;

use nix::sys::stat::fstat;
use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use super::{Process, SCRATCH, soon};

/// Descriptors that are kept have numbers from here on, out of the way of those that they are passed on as.
const FIRST_KEPT: i32 = 100;
/// `SD_LISTEN_FDS_START`.
const FIRST_PASSED: usize = 3;
/// More than a message takes.
const LARGEST: usize = 4096;

/// Supervises one service.
pub(crate) struct Supervisor {
    program: String,
    socket: UnixDatagram,
    kept: Vec<(String, OwnedFd)>,
    /// How many more descriptors it says that it passes on.
    promised: usize,
    is_for_another: bool,
    said: Vec<String>,
    starts: usize,
}

impl Supervisor {
    /// A supervisor of the daemon, which is not started yet.
    pub(crate) fn new() -> Self {
        let socket = UnixDatagram::bind(path()).unwrap();
        // As systemd has it: the service may have become somebody else.
        fs::set_permissions(path(), fs::Permissions::from_mode(0o777)).unwrap();
        socket.set_nonblocking(true).unwrap();
        let program = env!("CARGO_BIN_EXE_nfdhcpd").to_owned();
        Self { program, socket, kept: Vec::new(), promised: 0, is_for_another: false, said: Vec::new(), starts: 0 }
    }

    /// The program's file.
    pub(crate) fn program(&self) -> &str {
        &self.program
    }

    /// From now on starts the program from this file.
    pub(crate) fn change_program(&mut self, path: &str) {
        path.clone_into(&mut self.program);
    }

    /// Starts the daemon with these arguments and all descriptors that are kept, and waits until it says that it is ready.
    #[track_caller]
    pub(crate) fn start(&mut self, arguments: &[&str]) -> Process {
        self.starts += 1;
        self.said.clear();
        for (_, fd) in &self.kept {
            fcntl_setfd(fd, FdFlags::empty()).unwrap();
        }
        let mut process = Process::start(self.command(arguments), &format!("nfdhcpd-{}", self.starts));
        for (_, fd) in &self.kept {
            fcntl_setfd(fd, FdFlags::CLOEXEC).unwrap();
        }
        soon("READY=1", || {
            if let Some(status) = process.ended() {
                panic!("the daemon ended with {status}");
            }
            self.has_said("READY=1").then_some(())
        });
        process
    }

    /// The daemon's command line. Only the shell knows, in time, the process id that it will have.
    fn command(&self, arguments: &[&str]) -> Command {
        let pass: String = (FIRST_PASSED..)
            .zip(&self.kept)
            .map(|(to, (_, fd))| format!(" {to}<&{from} {from}<&-", from = fd.as_raw_fd()))
            .collect();
        let mut command = Command::new("bash");
        let whom = if self.is_for_another { "1" } else { "$$" };
        command.args(["-c", &format!(r#"LISTEN_PID={whom} exec "$0" "$@"{pass}"#), &self.program]);
        command.args(arguments);
        command.env("NOTIFY_SOCKET", path());
        let passed = self.kept.len() + self.promised;
        command.env("LISTEN_FDS", passed.to_string()).env("LISTEN_FDNAMES", self.kept().join(":"));
        if passed == 0 {
            command.env_remove("LISTEN_FDS").env_remove("LISTEN_FDNAMES");
        }
        command
    }

    /// From now on says that what it passes on is for another process.
    pub(crate) fn address_another(&mut self) {
        self.is_for_another = true;
    }

    /// Keeps a descriptor, as if a service had said so.
    pub(crate) fn keep(&mut self, name: &str, fd: impl AsFd) {
        let is_same = |other: &OwnedFd| {
            let [a, b] = [fstat(&fd), fstat(other)].map(Result::unwrap);
            (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino)
        };
        if !self.kept.iter().any(|(_, other)| is_same(other)) {
            self.kept.push((name.to_owned(), fcntl_dupfd_cloexec(&fd, FIRST_KEPT).unwrap()));
        }
    }

    /// From now on says that it passes on one descriptor more than it does.
    pub(crate) fn promise_one_more(&mut self) {
        self.promised += 1;
    }

    /// The names of the descriptors that are kept.
    pub(crate) fn kept(&self) -> Vec<&str> {
        self.kept.iter().map(|(name, _)| &name[..]).collect()
    }

    /// Another descriptor for one that is kept.
    pub(crate) fn copy(&self, name: &str) -> OwnedFd {
        let (_, fd) = self.kept.iter().find(|(kept, _)| kept == name).expect("a descriptor of this name");
        fd.try_clone().unwrap()
    }

    /// Waits until the daemon that was started last has said this, since its start.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, line: &str) {
        soon(line, || self.has_said(line).then_some(()));
    }

    /// Forgets what the daemon has said.
    pub(crate) fn forget_said(&mut self) {
        self.hear();
        self.said.clear();
    }

    /// What the daemon has said, line by line, since its start.
    pub(crate) fn said(&mut self) -> &[String] {
        self.hear();
        &self.said
    }

    fn has_said(&mut self, line: &str) -> bool {
        self.said().iter().any(|said| said == line)
    }

    /// Takes in all that has been said.
    fn hear(&mut self) {
        while let Some((message, fds)) = self.receive() {
            let lines: Vec<_> = message.lines().map(str::to_owned).collect();
            let name = lines.iter().find_map(|line| line.strip_prefix("FDNAME=")).unwrap_or("stored");
            if lines.iter().any(|line| line == "FDSTORE=1") {
                fds.iter().for_each(|fd| self.keep(name, fd));
            }
            if lines.iter().any(|line| line == "FDSTOREREMOVE=1") {
                self.kept.retain(|(kept, _)| kept != name);
            }
            self.said.extend(lines);
        }
    }

    /// The next message and its descriptors.
    fn receive(&self) -> Option<(String, Vec<OwnedFd>)> {
        let mut bytes = [0; LARGEST];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(16))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let iov = &mut [IoSliceMut::new(&mut bytes)];
        let received = match recvmsg(&self.socket, iov, &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
            Ok(received) => received.bytes,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
            Err(error) => panic!("{error}"),
        };
        let fds = ancillary.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(fds) => Some(fds),
            _ => None,
        });
        let fds = fds.flatten().collect();
        Some((String::from_utf8(bytes[..received].to_vec()).unwrap(), fds))
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        fs::remove_file(path()).unwrap();
    }
}

/// Where the service finds us.
fn path() -> String {
    format!("{SCRATCH}/notify")
}
