//! A manual page, part of it made and part of it written by hand.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// A page of `packaging/man`.
pub(crate) struct Page {
    path: PathBuf,
    text: String,
}

impl Page {
    pub(crate) fn path(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/man").join(name)
    }

    pub(crate) fn read(name: &str) -> Self {
        let path = Self::path(name);
        Self { text: fs::read_to_string(&path).expect("a page"), path }
    }

    /// Puts `made` between the marks of this name.
    #[track_caller]
    pub(crate) fn keep(&mut self, name: &str, made: &str) {
        let (begin, end) = (format!(".\\\" begin {name}: made by tests/manuals\n"), format!(".\\\" end {name}\n"));
        let (before, rest) = self.text.split_once(&begin).unwrap_or_else(|| panic!("no mark {begin:?}"));
        let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no mark {end:?}"));
        self.text = format!("{before}{begin}{made}{end}{after}");
    }

    /// Compares the page with the file.
    #[track_caller]
    pub(crate) fn finish(&self) {
        compare(&self.path, &self.text);
    }

    /// Asks a section for a term of a list: a line in bold that begins with it.
    #[track_caller]
    pub(crate) fn has_term(&self, section: &str, term: &str) {
        let shown = format!("\\fB{}\\fR", term.replace('-', "\\-"));
        let has = self.section(section).lines().any(|line| line.starts_with(&shown));
        assert!(has, "{}: no {shown} under {section}", self.path.display());
    }

    /// Asks for words anywhere.
    #[track_caller]
    pub(crate) fn has(&self, words: &str) {
        assert!(self.text.contains(words), "{}: no {words}", self.path.display());
    }

    fn section(&self, title: &str) -> &str {
        let sections = self.text.split("\n.SH ");
        sections
            .filter_map(|section| section.strip_prefix(title))
            .find(|rest| rest.starts_with('\n'))
            .expect("a section")
    }
}

/// Compares a text with a file, or writes the file.
#[track_caller]
pub(crate) fn compare(path: &Path, text: &str) {
    if env::var_os("UPDATE_GOLDEN").is_some() {
        // Another test may be reading it.
        let whole = path.with_extension("new");
        fs::write(&whole, text).and_then(|()| fs::rename(&whole, path)).expect("writing a file");
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    let difference = written.lines().zip(text.lines()).find(|(written, made)| written != made);
    let advice = "UPDATE_GOLDEN=1 cargo test --test manuals writes it anew";
    assert!(written == text, "{}: {difference:?}: {advice}", path.display());
}
