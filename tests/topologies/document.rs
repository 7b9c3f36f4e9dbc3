//! `docs/topologies.md`, as what is configured.

#[path = "../document/mod.rs"]
mod text;

use std::fs;
use std::path::Path;

use crate::harness::sh;
use text::Document;

const DOCUMENT: Document = Document(include_str!("../../docs/topologies.md"));

/// Writes the files of a section to where it says they belong.
pub(crate) fn install(section: &str) {
    for (path, text) in DOCUMENT.blocks(section).iter().filter(|(name, _)| name.starts_with('/')) {
        fs::create_dir_all(Path::new(path).parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// Runs the commands of a block, with these variables set.
#[track_caller]
pub(crate) fn run(section: &str, name: &str, variables: &str) -> String {
    sh(&script(section, name, variables))
}

/// The commands of a block, with these variables set.
#[track_caller]
pub(crate) fn script(section: &str, name: &str, variables: &str) -> String {
    DOCUMENT.script(section, name, variables)
}
