//! A test in namespaces of its own: what it does to the network and to mounts ends with it.

use std::process::Command;

/// Set for the process that runs inside the namespace.
const INSIDE: &str = "NFDHCPD_TEST_INSIDE";

/// Runs `test`, which has this name, in a new network namespace.
#[track_caller]
pub(crate) fn in_namespace(name: &str, test: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return test();
    }
    let unshare = || {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--net", "--mount", "--kill-child", "--fork", "--"]);
        command
    };
    if !unshare().arg("true").output().is_ok_and(|output| output.status.success()) {
        return skip("no user namespaces here");
    }
    let output = unshare()
        .arg(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(INSIDE, "1")
        // Where an ordinary user does not look, but `tc` is.
        .env("PATH", std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin")
        .output()
        .expect("unshare of util-linux");
    // Seen only if the test fails: as it comes, its last line would be taken for the sum of the tests out here.
    print!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}", output.status);
}

/// Says why a test proves nothing here.
pub(crate) fn skip(reason: &str) {
    assert!(std::env::var_os("NFDHCPD_STRICT").is_none(), "{reason}");
    println!("skipped: {reason}");
}

/// Whether a command succeeds.
#[allow(dead_code, reason = "not every test asks")]
pub(crate) fn can(program: &str, arguments: &str) -> bool {
    let output = Command::new(program).args(arguments.split(' ')).output();
    output.is_ok_and(|output| output.status.success())
}

/// Runs a command of iproute2.
#[track_caller]
pub(crate) fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status().unwrap();
    assert!(status.success(), "ip {arguments}");
}
