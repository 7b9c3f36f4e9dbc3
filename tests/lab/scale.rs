//! Many bindings, and nothing to do.

use std::fs;
use std::time::{Duration, Instant};

use crate::harness::{Config, Lab, SCRATCH, soon, tests};

tests!(scale:
    idle_daemon_is_not_woken,
);

/// Longer than anything that is looked at again and again may be left alone.
const QUIET: Duration = Duration::from_secs(4);

/// No thread has a reason to look at the clock: not for a hundred bindings, nor after it answered.
fn idle_daemon_is_not_woken(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.bind(&guest, &guest.binding4());
    for number in 100..200_u8 {
        let text = format!("MAC=aa:00:00:00:01:{number:02x}\nHOSTNAME=guest{number}\nIP=198.51.100.{number}\n");
        fs::write(format!("{SCRATCH}/bindings/tap{number}"), text).unwrap();
    }
    let queues6 = ["rs_queue", "ns_queue", "dhcpv6_queue"];
    let config = Config::default().with("ipv6", "enable_ipv6", "no");
    lab.start_with(&queues6.into_iter().fold(config, |config, queue| config.without("ipv6", queue)));
    assert!(guest.udhcpc("-q -n").wait().success(), "udhcpc failed");
    let (mut woken, mut since) = (wake_ups(lab), Instant::now());
    soon("some seconds in which no thread wakes up", || {
        let now = wake_ups(lab);
        if now != woken {
            (woken, since) = (now, Instant::now());
        }
        (since.elapsed() > QUIET).then_some(())
    });
}

/// How often the threads of the daemon have gone to sleep so far.
fn wake_ups(lab: &Lab) -> u64 {
    let threads = fs::read_dir(format!("/proc/{}/task", lab.daemon().pid())).unwrap();
    threads.map(|thread| sleeps(&fs::read_to_string(thread.unwrap().path().join("status")).unwrap())).sum()
}

fn sleeps(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.unwrap().trim().parse().unwrap()
}
