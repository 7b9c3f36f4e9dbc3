//! `docs/ganeti.md`, as what the administrator does.

#[path = "../document/mod.rs"]
mod text;

use std::collections::BTreeSet;
use std::sync::Mutex;

use crate::cluster::Cluster;
use crate::story::steps;
use text::Document;

steps!(document: was_tried);

const DOCUMENT: Document = Document(include_str!("../../docs/ganeti.md"));

/// The sections that have blocks to try.
const SECTIONS: &[&str] =
    &["The cluster", "The programs", "An instance", "A private network", "To the other node", "A routed network"];

/// What was asked for so far.
static TRIED: Mutex<BTreeSet<(String, String)>> = Mutex::new(BTreeSet::new());

/// The commands of a block.
#[track_caller]
pub(crate) fn block(section: &str, name: &str) -> String {
    block_with(section, name, "")
}

/// The commands of a block, with these variables set.
#[track_caller]
pub(crate) fn block_with(section: &str, name: &str, variables: &str) -> String {
    TRIED.lock().unwrap().insert((section.to_owned(), name.to_owned()));
    DOCUMENT.script(section, name, variables)
}

/// Nothing is in the document that was not tried.
fn was_tried(_: &Cluster) {
    let tried = TRIED.lock().unwrap();
    for section in SECTIONS {
        for (name, _) in DOCUMENT.blocks(section) {
            assert!(tried.contains(&((*section).to_owned(), name.clone())), "{name:?} under {section:?} was not tried");
        }
    }
}
