//! What guests have to get, and nobody else.

use dhcproto::v4::MessageType;

use crate::harness::capture::dhcpv4;
use crate::harness::requests::discover;
use crate::harness::{Guest, soon};
use crate::node::{DataCentre, STRANGER};
use crate::wire::{Wire, untagged};

/// The guest has all that [`expect_lease`] wants, its router, and the word of who has the gateway's address. The router is
/// really there, across the wire.
#[track_caller]
pub(crate) fn expect_network(guest: &Guest) {
    expect_lease(guest);
    soon("a default route", || guest.routes().contains("default via fe80::").then_some(()));
    guest.sh(&format!("ndisc6 -1 -q {} eth0", guest.gateway6()));
    for router in ["192.0.2.1".to_owned(), guest.gateway6().to_string()] {
        soon(&format!("an answer from {router}"), || guest.try_sh(&format!("ping -c 1 -W 1 {router}")).ok());
    }
}

/// The guest has its lease, its address by autoconfiguration, and nothing that is somebody else's.
#[track_caller]
pub(crate) fn expect_lease(guest: &Guest) {
    let mut client = guest.udhcpc("-q -n");
    assert!(client.wait().success(), "{}", client.log());
    guest.wait_for_address(&format!("{}/24", guest.ip()));
    guest.wait_for_address(&guest.eui64());
    expect_only_own(guest);
}

/// No answer to the guest was somebody else's.
#[track_caller]
fn expect_only_own(guest: &Guest) {
    let answers = guest.dhcpv4().into_iter().filter(|message| !message.from_guest);
    let addresses: Vec<_> = answers.map(|message| message.message.yiaddr()).collect();
    assert!(!addresses.is_empty() && addresses.iter().all(|address| *address == guest.ip()), "{addresses:?}");
    assert_eq!(guest.addresses().matches("2001:db8").count(), 1, "{}", guest.addresses());
}

/// A request from the data centre gets to the guests as it would without rules, and nobody answers it.
#[track_caller]
pub(crate) fn expect_untouched(data_centre: &DataCentre, vlan: u16, trunk: &Wire, guest: &Guest) {
    let request = discover(STRANGER, 1);
    data_centre.send(vlan, &request);
    soon("the request from outside", || guest.frames().contains(&request).then_some(()));
    assert!(trunk.dhcpv4().iter().any(|(tag, message)| *tag == Some(vlan) && message.from_guest), "it is on the trunk");
    assert!(trunk.dhcpv4().iter().all(|(_, message)| message.from_guest), "an answer on the trunk");
}

/// Whether requests of guests are on the trunk, where a server could hear them.
pub(crate) fn leaks(trunk: &Wire) -> bool {
    trunk.frames().iter().any(|frame| {
        let (_, frame) = untagged(frame);
        frame.get(6..12) != Some(&STRANGER) && dhcpv4(&frame).is_some_and(|message| message.is(MessageType::Discover))
    })
}
