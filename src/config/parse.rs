//! From the text of the configuration file to a [`Config`].

use std::collections::BTreeMap;
use std::path::Path;

use super::keys::{Key, find, known_keys};
use super::syntax::{Line, lines};
use super::value::Value;
use super::written::{Conflict, Resolved, Written};
use super::{Account, Accounts, Config, ConfigError, Faults, General};
use crate::text::{decode, nearest};

/// A configuration, and what its file said that deserves a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The configuration.
    pub config: Config,
    /// One line each, in the order of the file; never a reason to refuse it.
    pub warnings: Vec<ConfigError>,
    /// Whom it names.
    pub accounts: Accounts,
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
/// Every wrong value, and everything that is missing or does not go together in a section without a wrong value, in the
/// order of the file; with all warnings.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<Parsed, Faults> {
    let text = decode(bytes).map_err(|line| not_utf8(path, line))?;
    let mut file = File { path, entries: BTreeMap::new(), errors: Vec::new(), warnings: Vec::new() };
    file.collect(text);
    let written = file.read_values();
    let accounts = file.accounts(&written.general);
    match file.resolve(written) {
        Some(config) => {
            let line = |((section, key), entry): (Place<'_>, Entry<'_>)| ((section, key.to_owned()), entry.line);
            let lines = file.entries.into_iter().map(line).collect();
            Ok(Parsed { config, warnings: file.warnings, accounts, lines })
        }
        None => Err(Faults { errors: file.errors, warnings: file.warnings, accounts: Some(Box::new(accounts)) }),
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
                    self.errors.push(self.fault(line, &found, reason.to_owned()));
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

    /// Reads the values, each for itself.
    fn read_values(&mut self) -> Written {
        let mut written = Written::default();
        let entries: Vec<Entry<'a>> = self.entries.values().copied().collect();
        for entry in entries {
            self.read(&mut written, &entry);
        }
        written
    }

    fn accounts(&self, general: &General) -> Accounts {
        let line = |key| self.entries.get(&("general", key)).map(|entry| entry.line);
        let account = |key, name: &String| Account { key, name: name.clone(), line: line(key) };
        Accounts {
            user: account("user", &general.user),
            control_group: general.control_group.as_ref().map(|group| account("control_group", group)),
        }
    }

    /// Looks at how the values go together. None: there are errors.
    fn resolve(&mut self, written: Written) -> Option<Config> {
        let Resolved { config, conflicts, doubts } = written.resolve();
        let (conflicts, doubts) = (self.told(conflicts), self.told(doubts));
        self.errors.extend(conflicts);
        self.warnings.extend(doubts);
        for list in [&mut self.errors, &mut self.warnings] {
            // What is missing has no line.
            list.sort_by_key(|fault| fault.line.unwrap_or(u32::MAX));
        }
        config.filter(|_| self.errors.is_empty())
    }

    /// What there is to say of keys that are at odds, except where a wrong value may be why.
    fn told(&self, conflicts: Vec<Conflict>) -> Vec<ConfigError> {
        let sound = conflicts.into_iter().filter(|conflict| self.is_sound(conflict.section));
        sound.map(|conflict| self.conflict(conflict)).collect()
    }

    /// Whether every value of the section is right. A line that says nothing may have been meant for any section.
    fn is_sound(&self, section: &str) -> bool {
        let section_of = |error: &ConfigError| Some(error.key.as_deref()?.split_once('.')?.0.to_owned());
        self.errors.iter().all(|error| section_of(error).is_some_and(|other| other != section))
    }

    fn read(&mut self, written: &mut Written, entry: &Entry<'a>) {
        let result = Value::split(entry.raw).and_then(|value| {
            let value = value.with_suffix(entry.suffix);
            if !value.is_empty() {
                (entry.key.read)(written, &value)?;
            }
            Ok(entry.key.remark(&value))
        });
        match result {
            Err(reason) => self.errors.push(self.entry_fault(entry, reason)),
            Ok(Some(remark)) => self.warnings.push(self.entry_fault(entry, remark)),
            Ok(None) => {}
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
