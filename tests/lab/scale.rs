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
    let (mut woken, mut since) = (lab.daemon().wake_ups(), Instant::now());
    soon("some seconds in which no thread wakes up", || {
        let now = lab.daemon().wake_ups();
        if now != woken {
            (woken, since) = (now, Instant::now());
        }
        (since.elapsed() > QUIET).then_some(())
    });
}
