//! Sockets of other namespaces, in this process.

use std::fs::File;
use std::thread;

use nix::sched::{CloneFlags, setns};

/// Runs something in a guest's network namespace, for what it gives. A socket stays there, wherever it is used.
#[track_caller]
pub(crate) fn within<T: Send>(netns: &str, work: impl FnOnce() -> T + Send) -> T {
    let file = File::open(format!("/run/netns/{netns}")).unwrap();
    let in_there = || {
        setns(file, CloneFlags::CLONE_NEWNET).unwrap();
        work()
    };
    thread::scope(|scope| scope.spawn(in_there).join()).expect("what was to be done in a namespace")
}
