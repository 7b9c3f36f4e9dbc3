//! What is printed when a test fails: the logs, the captures decoded, the links and the queues.

use std::fs;

use super::{SCRATCH, try_sh};

/// Prints all there is.
pub(crate) fn print() {
    let mut paths: Vec<_> = fs::read_dir(SCRATCH).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let path = path.display();
        match path.to_string().rsplit('.').next() {
            Some("log") => show(&format!("tail -n 200 {path}")),
            // As root it changes to a user of its own, which fails where there is none.
            Some("pcap") => show(&format!("tcpdump -env -r {path} || unshare -U tcpdump -env -r {path}")),
            Some("conf") => show(&format!("cat {path}")),
            _ => {}
        }
    }
    show(&format!("grep . {SCRATCH}/bindings/*"));
    show("ip addr; cat /proc/net/netfilter/nfnetlink_queue");
}

fn show(script: &str) {
    let output = try_sh(script).unwrap_or_else(|output| output);
    println!("--- {script}\n{}", output.trim_end());
}
