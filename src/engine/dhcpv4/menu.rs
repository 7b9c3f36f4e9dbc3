//! What a guest can be told for the asking, kept small and ready to be copied into replies.

use std::ops::Range;

use super::boot::Choice;
use super::options::{Chosen, Prepared, Value};
use crate::wire::dhcpv4::{CodeSet, MAX_VALUE, OPTION_HEADER, OptionList, encode_option};

/// The options of one guest, made with the binding. Where each comes from is forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Menu {
    /// The codes of all entries: most of what clients ask for is not among them.
    codes: CodeSet,
    entries: Box<[Entry]>,
    /// All fixed options as they stand in a message, one behind the other.
    encoded: Box<[u8]>,
}

/// One option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its code.
    pub(super) code: u8,
    /// Whether a reply must not go out without it, once it is asked for.
    pub(super) is_required: bool,
    /// Whether it is only for clients that name it in their parameter request list.
    pub(super) is_only_asked: bool,
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    /// Where among the encoded options it is.
    Encoded(Range<u32>),
    /// What depends on the client.
    Chosen(Chosen),
}

impl Menu {
    /// The menu of a guest for whom these options were prepared.
    pub(super) fn new(prepared: &[Prepared]) -> Self {
        let mut encoded = Vec::new();
        let entries = prepared.iter().map(|option| {
            let Prepared { code, value, is_required, is_only_asked, key: _ } = option;
            let content = match value {
                Value::Fixed(value) => {
                    let start = encoded.len() as u32;
                    encoded.extend(encode_option(*code, value));
                    Content::Encoded(start..encoded.len() as u32)
                }
                Value::Chosen(chosen) => Content::Chosen(*chosen),
            };
            Entry { code: *code, is_required: *is_required, is_only_asked: *is_only_asked, content }
        });
        let entries: Box<[Entry]> = entries.collect();
        Self { codes: entries.iter().map(|entry| entry.code).collect(), entries, encoded: encoded.into() }
    }

    /// Every entry, in the order in which a client is told that asks for none in particular.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry for `code`.
    pub(super) fn find(&self, code: u8) -> Option<&Entry> {
        self.codes.contains(code).then(|| self.entries.iter().find(|entry| entry.code == code)).flatten()
    }

    /// What is said under `code` to a client that boots `choice`. None for a value in several parts as well: no field of a
    /// message holds so much.
    pub(super) fn value<'a>(&'a self, code: u8, choice: Option<Choice<'a>>) -> Option<&'a [u8]> {
        match &self.find(code)?.content {
            Content::Encoded(range) => {
                self.encoded(range).get(OPTION_HEADER..).filter(|value| value.len() <= MAX_VALUE)
            }
            Content::Chosen(value) => value.bytes(choice),
        }
    }

    /// Appends `entry` to `list` for a client that boots `choice`, if that has anything to do with it. `is_required`:
    /// whether the reply must not go out without it.
    pub(super) fn push(&self, list: &mut OptionList, entry: &Entry, is_required: bool, choice: Option<Choice<'_>>) {
        match &entry.content {
            Content::Encoded(range) => list.push_encoded(self.encoded(range), is_required),
            Content::Chosen(value) => value.bytes(choice).into_iter().for_each(|value| list.push(entry.code, value)),
        }
    }

    fn encoded(&self, range: &Range<u32>) -> &[u8] {
        self.encoded.get(range.start as usize..range.end as usize).unwrap_or_default()
    }
}
