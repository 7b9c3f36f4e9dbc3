//! `make install`, without a package, and what `docs/install.md` says to do then.

use crate::harness::inside::need;
use crate::harness::{Lab, sh, tests};
use crate::machine::{Machine, packages};

tests!(sources: what_make_install_leaves_to_do_is_documented);

const DOCUMENT: &str = include_str!("../../docs/install.md");

/// The commands that follow a line of the document, without the words beside them.
fn commands_after(line: &str) -> String {
    let after = DOCUMENT.lines().skip_while(|found| !found.starts_with(line)).skip(1);
    let block = after.skip_while(|line| !line.starts_with("    ")).take_while(|line| line.starts_with("    "));
    block.map(|line| line.trim_start().split("   ").next().unwrap()).collect::<Vec<_>>().join("\n")
}

fn what_make_install_leaves_to_do_is_documented(lab: &mut Lab) {
    for program in ["make", "udhcpc"] {
        need(program);
    }
    let machine = Machine::boot();
    let install = concat!("make --silent --directory=", env!("CARGO_MANIFEST_DIR"), " install");
    sh(&format!("{install} DESTDIR={} PROGRAMS={}/static", machine.root(), packages().unwrap()));
    machine.sh(&commands_after("`make install` puts files"));
    let first_steps = commands_after("## First steps");
    // Rules are what a guest of the lab has.
    let (daemon, rules) = first_steps.split_once("\nnfdhcpd rules").unwrap();
    assert!(daemon.contains("systemctl enable --now nfdhcpd") && rules.contains("nft"), "{first_steps}");
    machine.sh(daemon);
    machine.assert_serves(lab);
}
