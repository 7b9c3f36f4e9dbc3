//! The corpus in `pcaps/`: its cases, and how one is replayed.

#![allow(dead_code, reason = "each test binary uses what it needs of this")]
#![allow(clippy::print_stdout, reason = "a skipped test says so")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use nfdhcpd::io::pcap;

/// The directory of the corpus.
pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps")
}

/// A directory with a capture, bindings, a configuration and what is expected of them.
pub(crate) struct Case {
    pub(crate) directory: PathBuf,
}

/// Every case, in the order of their names.
pub(crate) fn cases() -> Vec<Case> {
    let entries = fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<Case> =
        entries.filter(|path| path.join("bindings").is_dir()).map(|directory| Case { directory }).collect();
    cases.sort_by(|one, other| one.directory.cmp(&other.directory));
    assert!(!cases.is_empty());
    cases
}

impl Case {
    pub(crate) fn name(&self) -> String {
        self.directory.file_name().unwrap().to_str().unwrap().to_owned()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The name of the capture in the directory.
    pub(crate) fn input(&self) -> &'static str {
        if self.path("input.pcapng").is_file() { "input.pcapng" } else { "input.pcap" }
    }

    /// What the packets of the capture try, where that is written down.
    pub(crate) fn labels(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("input.txt")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Runs `nfdhcpd replay` on the capture.
    pub(crate) fn replay(&self, output: &Path) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nfdhcpd"));
        command.current_dir(&self.directory).args(["replay", self.input(), "--bindings", "bindings"]);
        let more = fs::read_to_string(self.path("args")).unwrap_or_default();
        command.args(["-c", "nfdhcpd.conf"]).args(more.split_whitespace()).arg("-w").arg(output);
        command.output().unwrap()
    }
}

/// The frames of a capture.
pub(crate) fn frames(path: &Path) -> Vec<Vec<u8>> {
    pcap::Reader::open(path).unwrap().map(|packet| packet.unwrap().data).collect()
}

/// Says that a test was not run, which is a failure where NFDHCPD_STRICT is set.
pub(crate) fn skip(reason: &str) {
    assert!(std::env::var_os("NFDHCPD_STRICT").is_none(), "{reason}");
    println!("skipped: {reason}");
}
