//! How long it takes until a binding that changed is in force, while other guests ask as fast as they are answered.

use std::fs;
use std::net::Ipv4Addr;
use std::thread;
use std::time::{Duration, Instant};

use super::crowd::{Crowd, offered};
use super::site::Site;
use super::{KIND, WARM_UP};
use crate::net::Guest;
use crate::over::Over;
use crate::packet::requests;
use crate::port::Port;
use crate::tally::Tally;

/// The time between two changes.
const PERIOD: Duration = Duration::from_millis(20);

/// How long an answer may take before the guest asks again.
const PATIENCE: Duration = Duration::from_millis(100);

/// How long a change may take at all.
const SOON: Duration = Duration::from_secs(10);

/// Changes the lone guest's binding so often, by renaming a file to its name, and has the guest ask until the answer shows
/// it. Returns the times in between as latencies.
pub(super) fn under_load(site: &mut Site, changes: u32) -> Tally {
    let Site { crowd, guest, port, bindings, .. } = site;
    let over = Over::default();
    thread::scope(|scope| {
        let _end = over.when_dropped();
        scope.spawn(|| keep_asking(crowd, &over));
        thread::sleep(WARM_UP);
        let latencies = (0..changes).map(|turn| change(port, guest, bindings, turn).as_nanos() as u32).collect();
        Tally { latencies, ..Tally::default() }
    })
}

fn keep_asking(crowd: &mut Crowd, over: &Over) {
    while over.goes_on() {
        crowd.load(WARM_UP);
    }
}

/// Changes the binding once. Returns how long it took until an answer showed that.
fn change(port: &mut Port, guest: &Guest, bindings: &str, turn: u32) -> Duration {
    let address = Ipv4Addr::from_bits(guest.ip().to_bits() + 1 + turn % 2);
    let text = guest.binding().replace(&format!("\nIP={}\n", guest.ip()), &format!("\nIP={address}\n"));
    let [new, path] = [".new", &guest.tap].map(|name| format!("{bindings}/{name}"));
    fs::write(&new, text).unwrap();
    let start = Instant::now();
    fs::rename(&new, &path).unwrap();
    for number in turn << 12.. {
        if ask(port, guest, number) == Some(address) {
            break;
        }
        assert!(start.elapsed() < SOON, "a change that is not seen");
    }
    let latency = start.elapsed();
    thread::sleep(PERIOD.saturating_sub(start.elapsed()));
    latency
}

/// Asks once, for the address that is offered.
fn ask(port: &mut Port, guest: &Guest, number: u32) -> Option<Ipv4Addr> {
    let mut frame = requests(KIND, guest).swap_remove(0);
    KIND.request_mark().write(&mut frame, number);
    let start = Instant::now();
    port.send([frame.as_slice()].into_iter());
    let mut answer = None;
    while answer.is_none() && start.elapsed() < PATIENCE {
        port.wait();
        port.receive(|frame, _| {
            answer = answer.or(offered(frame).filter(|(answered, _)| *answered == number));
        });
    }
    answer.map(|(_, address)| Ipv4Addr::from(address))
}
