//! What the licences of crates ask for goes along with the programs.

use std::collections::BTreeSet;
use std::env::consts::ARCH;
use std::fs;

use crate::harness::inside::need;
use crate::harness::{Lab, sh, tests};
use crate::machine::{package, packages};

tests!(notices: every_linked_crate_is_named, what_programs_show_of_crates_is_named, go_along_with_every_package);

/// Names and versions of crates, as headings of the notices have them.
fn named(notices: &str) -> BTreeSet<&str> {
    let lines: Vec<_> = notices.lines().collect();
    lines.windows(2).filter(|pair| pair[1].starts_with("    licence: ")).map(|pair| pair[0]).collect()
}

fn of_debian() -> String {
    let file = package("nfdhcpd_*.deb");
    sh(&format!("dpkg-deb --fsys-tarfile {file} | tar -xO ./usr/share/doc/nfdhcpd/THIRD-PARTY-NOTICES.gz | zcat"))
}

fn of_static_programs() -> String {
    fs::read_to_string(format!("{}/static/THIRD-PARTY-NOTICES", packages().unwrap())).unwrap()
}

#[track_caller]
fn assert_names<'a>(notices: &str, crates: impl Iterator<Item = &'a str>) {
    let crates: BTreeSet<_> = crates.collect();
    assert!(crates.len() > 20, "{crates:?}");
    let missing: Vec<_> = crates.difference(&named(notices)).copied().collect();
    assert!(missing.is_empty(), "{missing:?}");
}

fn every_linked_crate_is_named(_: &mut Lab) {
    for (system, notices) in [("gnu", of_debian()), ("musl", of_static_programs())] {
        let tree = sh(&format!(
            "cd {}; {} tree --offline --locked --target {ARCH}-unknown-linux-{system} --edges normal,no-proc-macro \
             --prefix none --format '{{p}}' | sed 1d | cut -d' ' -f1,2 | sed 's: v: :'",
            env!("CARGO_MANIFEST_DIR"),
            env!("CARGO")
        ));
        assert_names(&notices, tree.lines());
    }
}

/// Paths of sources, which the compiler leaves in programs for the words of a panic.
fn what_programs_show_of_crates_is_named(_: &mut Lab) {
    let programs = format!("{}/static", packages().unwrap());
    let paths = sh(&format!(
        "cd {programs}; grep -aohE 'registry/src/[^/]+/[a-z0-9_-]+-[0-9]+[.][0-9]+[.][0-9]+/' nfdhcpd snf-network \
         | sed -E 's:.*/(.+)-(.+)/:\\1 \\2:'"
    ));
    assert_names(&of_static_programs(), paths.lines());
}

fn go_along_with_every_package(_: &mut Lab) {
    need("rpm");
    let files = sh(&format!("rpm --query --licensefiles --package {}", package("nfdhcpd-*-1.*.rpm")));
    assert!(files.contains("/usr/share/licenses/nfdhcpd/THIRD-PARTY-NOTICES\n"), "{files}");
    // Texts that every copy has to have with it: of a crate, of Rust's library, and of the C library.
    for holder in ["Copyright (c) Tokio Contributors", "Rust's standard library ", "Copyright © 2005-2020 Rich Felker"]
    {
        assert!(of_static_programs().contains(holder), "{holder}");
    }
    assert!(!of_debian().contains("Rich Felker"), "the C library is not in there");
}
