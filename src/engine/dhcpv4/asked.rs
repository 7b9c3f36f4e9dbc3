//! What one client is told of the prepared options: those that it asked for, and what it boots.

use super::Kind;
use super::boot::{Boot, Choice};
use super::options::Prepared;
use crate::wire::dhcpv4::{Names, OptionList, Options, code};

/// The options of DHCP itself (RFC 1497 has none of them): never in a reply to BOOTP.
const DHCP_ONLY: std::ops::RangeInclusive<u8> = 50..=61;

/// The answer to one client's parameter request list.
pub(super) struct Asked<'a> {
    options: &'a [Prepared],
    request: Options<'a>,
    kind: Kind,
    /// What it boots.
    choice: Option<Choice<'a>>,
}

impl<'a> Asked<'a> {
    /// What is said of `options` and `boot` to the client whose message had the options `request`.
    pub(super) fn new(options: &'a [Prepared], boot: &'a Boot, request: Options<'a>, kind: Kind) -> Self {
        Self { options, request, kind, choice: boot.file_for(&request) }
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
            let options = self.options.iter().filter(|option| !option.is_only_asked);
            return options.for_each(|option| self.push_one(list, option));
        }
        let mut seen = [false; 256];
        for asked in self.list() {
            let is_repeated = seen.get_mut(usize::from(asked)).is_none_or(|seen| std::mem::replace(seen, true));
            if !is_repeated {
                self.options.iter().filter(|option| option.code == asked).for_each(|it| self.push_one(list, it));
            }
        }
    }

    fn push_unasked(&self, list: &mut OptionList) {
        let value = |code| self.value(code).filter(|_| !self.is_asked(code));
        let is_http = self.choice.is_some_and(|choice| choice.is_http) && self.kind != Kind::Bootp;
        if let Some(class) = value(code::VENDOR_CLASS).filter(|_| is_http) {
            list.push(code::VENDOR_CLASS, class);
        }
        for (code, name) in self.names().as_options().filter(|(code, _)| !self.is_asked(*code)) {
            list.push_if_overloaded(code, name);
        }
    }

    fn push_one(&self, list: &mut OptionList, option: &Prepared) {
        if self.kind == Kind::Bootp && (DHCP_ONLY.contains(&option.code) || option.is_only_asked) {
            return;
        }
        match option.value.bytes(self.choice) {
            Some(value) if option.is_required => list.push_required(option.code, value),
            Some(value) => list.push(option.code, value),
            None => {}
        }
    }

    /// What is said under `code`, asked for or not.
    fn value(&self, code: u8) -> Option<&'a [u8]> {
        self.options.iter().find(|option| option.code == code)?.value.bytes(self.choice)
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
