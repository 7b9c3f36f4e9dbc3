//! What `nfdhcpd rules` prints for nft, in a kernel that takes all of it.

use crate::check;
use crate::guard;
use crate::harness::{Lab, tests};

tests!(rules:
    guard_of_nft_keeps_hostile_frames,
    guard_of_nft_lets_honest_frames_pass,
    guard_of_nft_has_trunks,
    guests_guarded_by_nft_are_served,
    rules_of_nft_are_all_there,
);

fn guard_of_nft_keeps_hostile_frames(lab: &mut Lab) {
    guard::hostile_frames_reach_nobody(lab);
}

fn guard_of_nft_lets_honest_frames_pass(lab: &mut Lab) {
    guard::honest_frames_pass(lab);
}

fn guard_of_nft_has_trunks(lab: &mut Lab) {
    guard::trunks_may_send_tags(lab);
}

fn guests_guarded_by_nft_are_served(lab: &mut Lab) {
    guard::guarded_guests_are_served(lab);
}

/// As the nft of this machine lists a queue of this kernel.
fn rules_of_nft_are_all_there(lab: &mut Lab) {
    assert!(check::has_queue(), "the kernel has no queue");
    check::all_rules_are_there(lab);
}
