//! A node: namespaces with files, processes and a network of their own.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::lab::{Process, SCRATCH, outcome, sh, soon};

/// What makes a process a machine, as far as that goes.
const NAMESPACES: &[&str] =
    &["--mount", "--propagation", "private", "--uts", "--ipc", "--net", "--pid", "--fork", "--kill-child"];

/// The same, for who comes in: a clean environment in the root directory.
const ENTRANCE: &[&str] = &["--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wdns=/"];

const ENVIRONMENT: &[&str] = &["-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8"];

/// A command that takes longer, in seconds, has got stuck.
const PATIENCE: &str = "240";

/// A machine that Ganeti takes for one.
pub(crate) struct Node {
    /// As in its name: 1 or 2.
    pub(crate) number: u8,
    /// Its first process, as it is numbered here.
    leader: u32,
}

impl Node {
    /// Starts it, with cables to the outside.
    pub(crate) fn start(number: u8) -> Self {
        let mut command = Command::new("unshare");
        command.args(NAMESPACES).arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ganeti/node.sh"));
        command.args([SCRATCH, &number.to_string()]).stdin(Stdio::null());
        let leader = leader(&Process::start(command, &format!("node{number}")), number);
        fs::write(leader_path(number), leader.to_string()).unwrap();
        for cable in 0..3 {
            sh(&format!(
                "ip link add node{number}-{cable} type veth peer name eth{cable} netns {leader}
                 ip link set node{number}-{cable} up master switch{cable}"
            ));
        }
        Self { number, leader }
    }

    /// The same machine again, if it was started.
    pub(crate) fn running(number: u8) -> Option<Self> {
        let leader = fs::read_to_string(leader_path(number)).ok()?.parse().ok()?;
        Some(Self { number, leader })
    }

    /// As Ganeti knows it.
    pub(crate) fn name(&self) -> String {
        format!("node{}.example.com", self.number)
    }

    /// Runs a shell script that has to succeed, for what it prints.
    #[track_caller]
    pub(crate) fn sh(&self, script: &str) -> String {
        self.try_sh(script).unwrap_or_else(|output| panic!("{}: {script}\n{output}", self.name()))
    }

    /// Runs a shell script: what it prints, as an error if it fails.
    pub(crate) fn try_sh(&self, script: &str) -> Result<String, String> {
        let mut command = Command::new("timeout");
        command.args(["--kill-after=5", PATIENCE, "nsenter", "--target", &self.leader.to_string()]).args(ENTRANCE);
        command.arg("env").args(ENVIRONMENT).args(["sh", "-ec", script]);
        outcome(command.stdin(Stdio::null()))
    }

    /// What is in a file, if it is there.
    pub(crate) fn read(&self, path: &str) -> Option<String> {
        let bytes = fs::read(format!("/proc/{}/root{path}", self.leader)).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Puts a file there.
    pub(crate) fn write(&self, path: &str, text: &str) {
        fs::write(format!("/proc/{}/root{path}", self.leader), text).unwrap();
    }
}

/// Where the number of its first process is.
fn leader_path(number: u8) -> String {
    format!("{SCRATCH}/node{number}.leader")
}

/// The only child of a process that makes namespaces, once its files are in place.
fn leader(unshare: &Process, number: u8) -> u32 {
    let ready = format!("{SCRATCH}/node{number}.ready");
    soon("a node's files", || Path::new(&ready).exists().then_some(()));
    let pid = unshare.pid();
    fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap().trim().parse().unwrap()
}
