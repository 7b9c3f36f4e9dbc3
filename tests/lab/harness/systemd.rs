//! The real systemd, as the first process of namespaces within those of a test. It runs the units of `packaging` as they are,
//! with a journal, and nothing of this machine's.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use nix::sys::signal::Signal;

use super::daemon::write_config;
use super::inside::{knows_only_root, need};
use super::process::{Process, outcome};
use super::{Config, SCRATCH, sh, skip, soon, try_sh};

/// How it is started.
const BOOT: &str = include_str!("../systemd/boot.sh");
/// Where it finds its units.
const UNITS: &str = "/run/lab/units";
/// The hierarchy of control groups.
const GROUPS: &str = "/run/lab/groups";
/// What the names of our control groups begin with.
const OUR_GROUP: &str = "nfdhcpd-lab.";
/// What the packages bring: both programs, and `packaging`.
const PACKAGE: &str = "/run/lab/package";

/// A systemd that is the first process of namespaces of its own, and has a control group to itself.
pub(crate) struct FirstProcess {
    starter: Process,
    group: String,
}

impl FirstProcess {
    /// Starts a program that makes the namespaces and then runs systemd in them. Its first argument is the control group,
    /// before these.
    #[track_caller]
    pub(crate) fn start(program: &str, arguments: &[&str], name: &str) -> Self {
        need("/lib/systemd/systemd");
        if knows_only_root() {
            skip("this needs root: control groups are not for everybody");
        }
        let group = make_group();
        let mut command = Command::new(program);
        command.arg(&group).args(arguments);
        Self { starter: Process::start(command, name), group }
    }

    /// Its process id, as we see it.
    pub(crate) fn id(&self) -> Option<String> {
        let pid = self.starter.pid();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
        children.split_whitespace().next().map(str::to_owned)
    }

    /// A command that runs another in its namespaces, those of the network and of users excepted.
    pub(crate) fn enter(&self) -> Option<Command> {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.id()?, "--mount", "--pid", "--cgroup", "--uts", "--ipc"]);
        Some(command)
    }
}

/// Ends all of its processes, and takes its control groups away.
impl Drop for FirstProcess {
    fn drop(&mut self) {
        self.starter.signal(Signal::SIGKILL);
        self.starter.wait();
        soon("the end of all processes", || try_sh(&removal(&self.group)).ok());
    }
}

/// A running systemd with both programs and their files installed, as a package does it.
pub(crate) struct Systemd(FirstProcess);

impl Systemd {
    /// Boots it. The daemon is not started.
    #[track_caller]
    pub(crate) fn boot() -> Self {
        need("setpriv");
        unpack();
        let script = format!("{SCRATCH}/boot.sh");
        fs::write(&script, BOOT).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        let systemd = Self(FirstProcess::start(&script, &[UNITS, PACKAGE], "systemd"));
        soon("systemd", || systemd.try_sh("systemctl is-active lab.target").ok());
        systemd.sh(&format!(
            "systemd-sysusers {PACKAGE}/sysusers.d/nfdhcpd.conf
            systemd-tmpfiles --create {PACKAGE}/tmpfiles.d/nfdhcpd.conf
            mount --bind {SCRATCH}/bindings /var/lib/nfdhcpd"
        ));
        systemd
    }

    /// Its version.
    pub(crate) fn version(&self) -> u32 {
        let said = sh("/lib/systemd/systemd --version");
        said.split_whitespace().nth(1).and_then(|word| word.parse().ok()).expect("a version")
    }

    /// Writes the configuration to where the daemon looks for it.
    pub(crate) fn configure(&self, config: &Config) {
        let _ = fs::create_dir("/etc/nfdhcpd");
        fs::copy(write_config(config), "/etc/nfdhcpd/nfdhcpd.conf").unwrap();
    }

    /// Adds a drop-in to the daemon's unit.
    pub(crate) fn drop_in(&self, name: &str, text: &str) {
        let directory = format!("{UNITS}/nfdhcpd.service.d");
        fs::create_dir_all(&directory).unwrap();
        fs::write(format!("{directory}/{name}.conf"), text).unwrap();
        self.sh("systemctl daemon-reload");
    }

    /// Runs a script where systemd is, which has to succeed, for what it prints.
    #[track_caller]
    pub(crate) fn sh(&self, script: &str) -> String {
        self.try_sh(script).unwrap_or_else(|output| {
            let all = self.try_sh("journalctl --sync; journalctl --quiet --no-hostname");
            panic!("{script}\n{output}\n{}", all.unwrap_or_else(|output| output))
        })
    }

    /// The same: what it prints, as an error if it fails.
    pub(crate) fn try_sh(&self, script: &str) -> Result<String, String> {
        let mut command = self.0.enter().ok_or("systemd is not there yet")?;
        command.args(["sh", "-ec", script]);
        command.env("SYSTEMD_UNIT_PATH", UNITS).env("SYSTEMD_COLORS", "0").env("SYSTEMD_PAGER", "");
        outcome(&mut command)
    }

    /// What systemd says of the daemon's unit.
    #[track_caller]
    pub(crate) fn property(&self, name: &str) -> String {
        self.sh(&format!("systemctl show --value --property={name} nfdhcpd.service")).trim().to_owned()
    }

    /// What the daemon has said, as the journal has it, with these options of journalctl.
    pub(crate) fn journal(&self, options: &str) -> String {
        let read = format!("journalctl --sync; journalctl --quiet --output=cat _COMM=nfdhcpd {options}");
        self.try_sh(&read).unwrap_or_else(|output| output)
    }

    /// The same as soon as these words are among it: what the daemon says is written by a thread that nobody waits for.
    #[track_caller]
    pub(crate) fn journal_with(&self, options: &str, words: &str) -> String {
        soon(&format!("{words:?} in the journal"), || Some(self.journal(options)).filter(|said| said.contains(words)))
    }

    /// Waits for words of the daemon's in the journal.
    #[track_caller]
    pub(crate) fn wait_for_journal(&self, words: &str) {
        self.journal_with("", words);
    }
}

/// Makes a control group. Those of tests that were killed go.
fn make_group() -> String {
    fs::create_dir(GROUPS).unwrap();
    if let Err(output) = try_sh(&format!("mount -t cgroup2 cgroup2 {GROUPS}")) {
        skip(&format!("no control groups of version 2: {output}"));
    }
    let old = format!("find {GROUPS} -maxdepth 1 -name '{OUR_GROUP}*' -mmin +10");
    let _ = try_sh(&format!("for group in $({old}); do {}; done", removal("$group")));
    match try_sh(&format!("mktemp --directory {GROUPS}/{OUR_GROUP}XXXXXX")) {
        Ok(group) => group.trim().to_owned(),
        Err(output) => skip(&format!("no control group can be made: {output}")),
    }
}

/// The script that removes a control group, which fails while there are processes in it.
fn removal(group: &str) -> String {
    format!(r"! test -d {group} || find {group} -depth -type d -exec rmdir {{}} +")
}

/// Copies both programs, `packaging` and the units to where systemd will see them.
fn unpack() {
    let root = env!("CARGO_MANIFEST_DIR");
    let programs = [env!("CARGO_BIN_EXE_nfdhcpd"), env!("CARGO_BIN_EXE_snf-network")].join(" ");
    sh(&format!(
        "cp -r {root}/packaging {PACKAGE}
        mkdir {UNITS} {PACKAGE}/sbin
        cp {programs} {PACKAGE}/sbin
        cp {PACKAGE}/*.service {PACKAGE}/*.timer {root}/tests/lab/systemd/units/* {UNITS}"
    ));
}
