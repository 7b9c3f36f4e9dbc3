//! From the text of the configuration file to a [`Config`].

use std::collections::BTreeMap;
use std::path::Path;

use super::keys::{Key, find, known_keys};
use super::syntax::{Line, lines};
use super::value::Value;
use super::written::{Conflict, Written};
use super::{Config, ConfigError};
use crate::text::{decode, nearest};

/// A configuration, and what its file said that deserves a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The configuration.
    pub config: Config,
    /// One line each, in the order of the file; never a reason to refuse it.
    pub warnings: Vec<ConfigError>,
    lines: BTreeMap<(&'static str, String), u32>,
}

impl Parsed {
    /// The line, from 1, that sets this key; None where the default holds.
    pub fn line_of(&self, section: &'static str, key: &str) -> Option<u32> {
        self.lines.get(&(section, key.to_owned())).copied()
    }
}

/// Reads the configuration file `path` with the contents `bytes`. No file is opened; `path` is for messages.
///
/// # Errors
/// Every wrong value, in the order of the file; if there is none, everything that is missing or does not go together.
/// Never empty.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<Parsed, Vec<ConfigError>> {
    let text = decode(bytes).map_err(|line| vec![not_utf8(path, line)])?;
    let mut file = File { path, entries: BTreeMap::new(), errors: Vec::new(), warnings: Vec::new() };
    file.collect(text);
    let config = file.resolve();
    file.warnings.sort_by_key(|warning| warning.line);
    match config {
        Some(config) => {
            let line = |((section, key), entry): (Place<'_>, Entry<'_>)| ((section, key.to_owned()), entry.line);
            let lines = file.entries.into_iter().map(line).collect();
            Ok(Parsed { config, warnings: file.warnings, lines })
        }
        None => Err(file.errors),
    }
}

/// A section, and a key as written.
type Place<'a> = (&'static str, &'a str);

/// A file that is being read.
struct File<'a> {
    path: &'a Path,
    /// The last entry of each known key.
    entries: BTreeMap<Place<'a>, Entry<'a>>,
    errors: Vec<ConfigError>,
    warnings: Vec<ConfigError>,
}

/// A known key with its value.
#[derive(Clone, Copy)]
struct Entry<'a> {
    line: u32,
    key: &'static Key,
    name: &'a str,
    suffix: &'a str,
    /// As written, with quotes and comment.
    raw: &'a str,
}

/// Where a line stands.
#[derive(Clone, Copy)]
enum Section {
    /// Before the first section.
    None,
    Unknown,
    Known(&'static str),
}

impl<'a> File<'a> {
    /// Sorts the lines by section and key. What is not known is warned about and left out.
    fn collect(&mut self, text: &'a str) {
        let mut section = Section::None;
        for (line, content) in lines(text) {
            match content {
                Line::Section(name) => section = self.section(line, name),
                Line::Property { key, value } => self.property(line, section, key, value),
                Line::Odd(found) => {
                    let reason = "neither [section], key = value nor # comment";
                    self.errors.push(self.fault(line, found, reason.to_owned()));
                }
            }
        }
    }

    fn section(&mut self, line: u32, name: &str) -> Section {
        let mut sections = known_keys().map(|(section, _)| section);
        if let Some(section) = sections.find(|section| *section == name) {
            return Section::Known(section);
        }
        let nearest = nearest(name, known_keys().map(|(section, _)| section));
        let hint = nearest.map_or_else(String::new, |name| format!("; did you mean [{name}]?"));
        let reason = format!("unknown section, ignored{hint}");
        self.warnings.push(self.fault(line, &format!("[{name}]"), reason));
        Section::Unknown
    }

    fn property(&mut self, line: u32, section: Section, name: &'a str, raw: &'a str) {
        let unknown = match section {
            Section::Unknown => return,
            Section::None => "a key before the first [section], ignored".to_owned(),
            Section::Known(section) => match find(section, name) {
                Some((key, suffix)) => return self.insert(Entry { line, key, name, suffix, raw }),
                None => unknown_key(section, name),
            },
        };
        self.warnings.push(self.fault(line, name, unknown));
    }

    fn insert(&mut self, entry: Entry<'a>) {
        let place = (entry.key.section, entry.name);
        if let Some(earlier) = self.entries.insert(place, entry) {
            let reason = format!("overrides the same key in line {}", earlier.line);
            self.warnings.push(self.entry_fault(&entry, reason));
        }
    }

    /// Reads the values, then looks at how they go together. None: there are errors.
    fn resolve(&mut self) -> Option<Config> {
        let mut written = Written::default();
        let entries: Vec<Entry<'a>> = self.entries.values().copied().collect();
        for entry in entries {
            self.read(&mut written, &entry);
        }
        self.errors.sort_by_key(|error| error.line);
        if !self.errors.is_empty() {
            return None;
        }
        match written.resolve() {
            Ok((config, doubts)) => {
                let doubts = doubts.into_iter().map(|doubt| self.conflict(doubt));
                self.warnings.extend(doubts.collect::<Vec<_>>());
                Some(config)
            }
            Err(conflicts) => {
                self.errors = conflicts.into_iter().map(|conflict| self.conflict(conflict)).collect();
                None
            }
        }
    }

    fn read(&mut self, written: &mut Written, entry: &Entry<'a>) {
        let result = Value::split(entry.raw).and_then(|value| {
            if value.is_empty() {
                return Ok(());
            }
            (entry.key.read)(written, &value.with_suffix(entry.suffix))
        });
        if let Err(reason) = result {
            self.errors.push(self.entry_fault(entry, reason));
        } else if let Some(instead) = entry.key.instead {
            let reason = format!("an old key; write {instead}");
            self.warnings.push(self.entry_fault(entry, reason));
        }
    }

    fn fault(&self, line: u32, found: &str, reason: String) -> ConfigError {
        ConfigError { path: self.path.to_owned(), line: Some(line), key: None, found: Some(found.to_owned()), reason }
    }

    fn entry_fault(&self, entry: &Entry<'_>, reason: String) -> ConfigError {
        let found = Value::split(entry.raw).map_or_else(|_| entry.raw.to_owned(), |value| value.to_string());
        ConfigError {
            key: Some(format!("{}.{}", entry.key.section, entry.name)),
            ..self.fault(entry.line, &found, reason)
        }
    }

    fn conflict(&self, conflict: Conflict) -> ConfigError {
        if let Some(entry) = self.entries.get(&(conflict.section, conflict.key)) {
            return self.entry_fault(entry, conflict.reason);
        }
        ConfigError {
            path: self.path.to_owned(),
            line: None,
            key: Some(format!("{}.{}", conflict.section, conflict.key)),
            found: None,
            reason: conflict.reason,
        }
    }
}

/// What to say about a key that `section` does not have.
fn unknown_key(section: &str, name: &str) -> String {
    if let Some((elsewhere, _)) = known_keys().find(|(_, known)| *known == name) {
        return format!("unknown key in [{section}], ignored; it belongs to [{elsewhere}]");
    }
    let siblings = known_keys().filter(|(known, _)| *known == section);
    let nearest = nearest(name, siblings.map(|(_, name)| name));
    let hint = nearest.map_or_else(String::new, |name| format!("; did you mean {name}?"));
    format!("unknown key in [{section}], ignored{hint}")
}

fn not_utf8(path: &Path, line: u32) -> ConfigError {
    ConfigError { path: path.to_owned(), line: Some(line), key: None, found: None, reason: "not UTF-8 text".to_owned() }
}

#[cfg(test)]
mod tests;
