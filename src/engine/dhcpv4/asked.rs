//! What one client is told of the prepared options: those that it asked for, and what it boots.

use super::Kind;
use super::boot::{Boot, Choice};
use super::menu::{Entry, Menu};
use crate::wire::dhcpv4::{CodeSet, Names, OptionList, Options, code};

/// The options of DHCP itself (RFC 1497 has none of them): never in a reply to BOOTP.
const DHCP_ONLY: std::ops::RangeInclusive<u8> = 50..=61;

/// The answer to one client's parameter request list.
pub(super) struct Asked<'a> {
    menu: &'a Menu,
    request: &'a Options<'a>,
    kind: Kind,
    /// What it boots.
    choice: Option<Choice<'a>>,
}

impl<'a> Asked<'a> {
    /// What is said of `menu` and `boot` to the client whose message had the options `request`.
    pub(super) fn new(menu: &'a Menu, boot: &'a Boot, request: &'a Options<'a>, kind: Kind) -> Self {
        Self { menu, request, kind, choice: boot.file_for(request) }
    }

    /// `sname` and `file`: what options 66 and 67 say. What is too long for its field is for the option alone.
    pub(super) fn names(&self) -> Names<'a> {
        let value = |code| self.value(code).unwrap_or_default();
        Names::fitting(value(code::TFTP_SERVER), value(code::BOOTFILE))
    }

    /// What the parameter request list asks for, in its order (RFC 2132 §9.8); everything if there is none. Before it
    /// comes what a client that boots must be told even if it did not ask.
    pub(super) fn push(&self, list: &mut OptionList) {
        self.push_unasked(list);
        if !self.has_list() {
            let entries = self.menu.entries().iter().filter(|entry| !entry.is_only_asked);
            return entries.for_each(|entry| self.push_one(list, entry));
        }
        let mut seen = CodeSet::default();
        for asked in self.list() {
            if let Some(entry) = self.menu.find(asked).filter(|_| seen.insert(asked)) {
                self.push_one(list, entry);
            }
        }
    }

    fn push_unasked(&self, list: &mut OptionList) {
        let is_http = self.choice.is_some_and(|choice| choice.is_http);
        if let Some(class) =
            self.menu.find(code::VENDOR_CLASS).filter(|_| is_http && !self.is_asked(code::VENDOR_CLASS))
        {
            self.push_one(list, class);
        }
        for (code, name) in self.names().as_options().filter(|(code, _)| !self.is_asked(*code)) {
            list.push_if_overloaded(code, name);
        }
    }

    fn push_one(&self, list: &mut OptionList, entry: &Entry) {
        if self.kind == Kind::Bootp && (DHCP_ONLY.contains(&entry.code) || entry.is_only_asked) {
            return;
        }
        // A client of BOOTP goes by option 3; there is little room for routes of RFC 3442.
        let is_required = entry.is_required && (self.kind != Kind::Bootp || entry.code != code::CLASSLESS_ROUTE);
        self.menu.push(list, entry, is_required, self.choice);
    }

    /// What is said under `code`, asked for or not.
    fn value(&self, code: u8) -> Option<&'a [u8]> {
        self.menu.value(code, self.choice)
    }

    fn has_list(&self) -> bool {
        self.request.contains(code::PARAMETER_REQUEST_LIST)
    }

    fn list(&self) -> impl Iterator<Item = u8> + use<'a> {
        self.request.parts(code::PARAMETER_REQUEST_LIST).flatten().copied()
    }

    fn is_asked(&self, code: u8) -> bool {
        !self.has_list() || self.list().any(|asked| asked == code)
    }
}
