//! The limit, which sends what `nfdhcpd replay` answers.

use std::env;
use std::fs;

use clap::ValueEnum;

use super::{ONE_EACH, Program, nfdhcpd};
use crate::lab::frames;
use crate::net::{Guest, Node, ROUTER_MAC, mac_text};
use crate::packet::{Kind, requests};
use crate::shell::{Leashed, command_in, sh};

/// With batches.
pub(super) const BATCHED: Program = Program {
    name: "limit",
    processes: ONE_EACH,
    needs: &[],
    version: None,
    start: |node, guest, kinds| start(node, guest, kinds, &[]),
};

/// With one packet at a time.
pub(super) const SINGLE: Program = Program {
    name: "limit-single",
    processes: ONE_EACH,
    needs: &[],
    version: None,
    start: |node, guest, kinds| start(node, guest, kinds, &["--single"]),
};

fn start(node: &Node, guest: &Guest, kinds: &[Kind], options: &[&str]) -> Leashed {
    node.divert(kinds);
    let kind = kinds[0];
    let answers = answers(node, guest, kind);
    let mut command = command_in(&node.netns, env::current_exe().unwrap().to_str().unwrap());
    let name = kind.to_possible_value().unwrap();
    command.args(["limit", name.get_name(), &answers, &guest.tap]).args(options);
    Leashed::start(command, &node.netns)
}

/// A capture of nfdhcpd's answers to requests of this kind: the limit's are as long as those.
fn answers(node: &Node, guest: &Guest, kind: Kind) -> String {
    let bindings = nfdhcpd::write_bindings(node, &[guest]);
    let config = nfdhcpd::write_config(node);
    let [asked, answered] = ["asked.pcap", "answered.pcap"].map(|name| node.path(name));
    frames::write(&asked, &requests(kind, guest));
    sh(&format!(
        "{} replay {asked} --bindings {bindings} -c {config} --tap {} --indev-mac {} -w {answered}",
        nfdhcpd::PATH,
        guest.tap,
        mac_text(ROUTER_MAC),
    ));
    assert!(fs::metadata(&answered).unwrap().len() > 100, "nothing was answered");
    answered
}
