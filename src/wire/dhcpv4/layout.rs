//! Where the options of a reply go: into the options field, then `file`, then `sname` (RFC 2132 §9.3), long ones in
//! several parts (RFC 3396), and those that find no room nowhere.

use std::ops::Range;

use super::{code, offset};

/// The largest value of one option (RFC 2132 §2), in bytes.
pub const MAX_VALUE: usize = 255;
/// What code and length of an option take, in bytes.
pub const OPTION_HEADER: usize = 2;
/// What option 52 takes, in bytes.
const OVERLOAD_LEN: usize = OPTION_HEADER + 1;
/// What the end option takes, in bytes.
const END_LEN: usize = 1;
/// A longer value never fits into `file` or `sname` as a whole: it may be split where the options field is full.
const MAX_WHOLE: usize = offset::FILE.end - offset::FILE.start - END_LEN - OPTION_HEADER;

/// The options of a reply, in their order. Reused from reply to reply, so that none allocates.
#[derive(Debug, Default)]
pub struct OptionList {
    /// All options as they stand in a message, one behind the other.
    encoded: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// What the option takes of the bytes, in all its parts.
    len: usize,
    presence: Presence,
}

/// Which replies have an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    /// All of them.
    Required,
    /// All that have room.
    Optional,
    /// All that have room, and whose `file` and `sname` are taken.
    Overloaded,
}

/// What `sname` and `file` say where they hold no options, each empty where it says nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Names<'a> {
    sname: &'a [u8],
    file: &'a [u8],
}

impl<'a> Names<'a> {
    /// These names, but for what is too long for its field with the zero that ends it (RFC 2131 §2).
    pub fn fitting(sname: &'a [u8], file: &'a [u8]) -> Self {
        let fit = |name: &'a [u8], field: Range<usize>| if name.len() < field.len() { name } else { &[] };
        Self { sname: fit(sname, offset::SNAME), file: fit(file, offset::FILE) }
    }

    /// The options that say the same (RFC 2132 §9.4, §9.5).
    pub fn as_options(self) -> impl Iterator<Item = (u8, &'a [u8])> {
        let options = [(code::TFTP_SERVER, self.sname), (code::BOOTFILE, self.file)];
        options.into_iter().filter(|(_, name)| !name.is_empty())
    }
}

/// The room that a reply has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// The largest BOOTP message, in bytes.
    pub max_len: usize,
    /// Whether `file` and `sname` may hold options: not in a reply to BOOTP.
    pub overload: bool,
}

/// What became of the options.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// The length of the message, in bytes.
    pub len: usize,
    /// How many options were left out for want of room.
    pub omitted: usize,
}

impl OptionList {
    /// Forgets all options.
    pub fn clear(&mut self) {
        self.encoded.clear();
        self.entries.clear();
    }

    /// Appends an option that may be left out when there is no room.
    pub fn push(&mut self, code: u8, value: &[u8]) {
        self.push_one(code, value, Presence::Optional);
    }

    /// Appends an option that says what `file` or `sname` cannot say while it holds options (RFC 2132 §9.4, §9.5).
    pub fn push_if_overloaded(&mut self, code: u8, value: &[u8]) {
        self.push_one(code, value, Presence::Overloaded);
    }

    /// Appends an option that may be left out, whose value is made of these parts.
    pub fn push_joined(&mut self, code: u8, parts: [&[u8]; 2]) {
        self.push_parts(code, parts.into_iter(), Presence::Optional);
    }

    /// Appends an option without which the reply must not go out.
    pub fn push_required(&mut self, code: u8, value: &[u8]) {
        self.push_one(code, value, Presence::Required);
    }

    /// Appends a required option from the parts that it came in (RFC 3396 §7); nothing if there are none.
    pub fn echo<'a>(&mut self, code: u8, parts: impl Iterator<Item = &'a [u8]>) {
        let mut parts = parts.peekable();
        if parts.peek().is_some() {
            self.push_parts(code, parts, Presence::Required);
        }
    }

    /// Appends an option that was [encoded](encode_option) before.
    pub fn push_encoded(&mut self, option: &[u8], is_required: bool) {
        self.encoded.extend_from_slice(option);
        let presence = if is_required { Presence::Required } else { Presence::Optional };
        self.entries.push(Entry { len: option.len(), presence });
    }

    /// Appends required options of `N` bytes each that were encoded before, one behind the other.
    pub fn push_all_encoded<const N: usize>(&mut self, options: &[u8]) {
        let (each, _) = options.as_chunks::<N>();
        self.encoded.extend_from_slice(each.as_flattened());
        self.entries.extend(each.iter().map(|_| Entry { len: N, presence: Presence::Required }));
    }

    fn push_one(&mut self, code: u8, value: &[u8], presence: Presence) {
        match u8::try_from(value.len()) {
            Ok(len) => {
                self.encoded.extend_from_slice(&[code, len]);
                self.encoded.extend_from_slice(value);
                self.entries.push(Entry { len: OPTION_HEADER + value.len(), presence });
            }
            Err(_) => self.push_parts(code, std::iter::once(value), presence),
        }
    }

    fn push_parts<'a>(&mut self, code: u8, parts: impl Iterator<Item = &'a [u8]>, presence: Presence) {
        let start = self.encoded.len();
        encode(&mut self.encoded, code, parts);
        self.entries.push(Entry { len: self.encoded.len() - start, presence });
    }

    /// Whether all options fit into `space`.
    pub fn fits(&self, space: Space) -> bool {
        let written = self.write(&mut vec![0; space.max_len], space, Names::default());
        written.is_some_and(|written| written.omitted == 0)
    }

    /// Writes the options into `message`: all of them, overloading `file` and `sname` if need be, else all but the last
    /// ones that are not required. None if a required one does not fit. Fields that hold no options say their names.
    pub(super) fn write(&self, message: &mut [u8], space: Space, names: Names<'_>) -> Option<Written> {
        let plain = Areas::plain(space);
        if let Some(len) = self.write_as_it_is(message, plain, names) {
            return Some(Written { len, omitted: 0 });
        }
        if let Some(len) = self.attempt(message, plain, names, usize::MAX) {
            return Some(Written { len, omitted: 0 });
        }
        let areas = if space.overload { Areas::overloaded(space) } else { Areas::plain(space) };
        let optional = self.entries_for(areas).filter(|(presence, _)| *presence != Presence::Required).count();
        (0..=optional).find_map(|omitted| {
            let len = self.attempt(message, areas, names, optional - omitted)?;
            Some(Written { len, omitted })
        })
    }

    /// Writes all options at once, as they are, into the options field: most replies. None if they are too many, or one of
    /// them is only for a reply that is overloaded.
    fn write_as_it_is(&self, message: &mut [u8], mut plain: Areas, names: Names<'_>) -> Option<usize> {
        let [options, ..] = &mut plain.0;
        let is_plain = |entry: &Entry| entry.presence != Presence::Overloaded;
        if self.encoded.len() > options.room() || !self.entries.iter().all(is_plain) {
            return None;
        }
        message.get_mut(offset::SNAME.start..offset::FILE.end)?.fill(0);
        options.put(message, &self.encoded)?;
        plain.finish(message, names)
    }

    /// The options that belong into a reply with these areas.
    fn entries_for(&self, areas: Areas) -> impl Iterator<Item = (Presence, &[u8])> {
        let mut rest = &self.encoded[..];
        let entries = self.entries.iter().map_while(move |entry| {
            let (option, behind) = rest.split_at_checked(entry.len)?;
            rest = behind;
            Some((entry.presence, option))
        });
        let is_overloaded = areas.are_overloaded();
        entries.filter(move |(presence, _)| *presence != Presence::Overloaded || is_overloaded)
    }

    /// Writes the required options and the first `optional` others; gives the length of the message if they fit.
    fn attempt(&self, message: &mut [u8], mut areas: Areas, names: Names<'_>, mut optional: usize) -> Option<usize> {
        message.get_mut(offset::SNAME.start..offset::FILE.end)?.fill(0);
        for (presence, option) in self.entries_for(areas) {
            if presence != Presence::Required {
                let Some(rest) = optional.checked_sub(1) else {
                    continue;
                };
                optional = rest;
            }
            areas.put(message, option)?;
        }
        areas.finish(message, names)
    }
}

/// The option `code` as it stands in a message: in parts, each with code and length, if its value is a long one.
pub fn encode_option(code: u8, value: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(OPTION_HEADER + value.len());
    encode(&mut encoded, code, std::iter::once(value));
    encoded
}

/// Appends the option `code`, whose value is made of `parts`, in as few parts as hold it (RFC 3396 §6).
fn encode<'a>(to: &mut Vec<u8>, code: u8, parts: impl Iterator<Item = &'a [u8]>) {
    let mut start = to.len();
    to.extend_from_slice(&[code, 0]);
    for mut value in parts {
        loop {
            let room = MAX_VALUE - (to.len() - start - OPTION_HEADER);
            let (now, later) = value.split_at_checked(room).unwrap_or((value, &[]));
            to.extend_from_slice(now);
            if later.is_empty() {
                break;
            }
            close(to, start);
            value = later;
            start = to.len();
            to.extend_from_slice(&[code, 0]);
        }
    }
    close(to, start);
}

/// Writes the length of the part that begins at `start` and ends here.
fn close(encoded: &mut [u8], start: usize) {
    if let [_, length, value @ ..] = encoded.get_mut(start..).unwrap_or_default() {
        *length = value.len() as u8;
    }
}

/// The places for options, in the order in which a client reads them.
#[derive(Debug, Clone, Copy)]
struct Areas([Area; 3]);

/// One place for options; `end` leaves room for what must follow.
#[derive(Debug, Clone, Copy)]
struct Area {
    start: usize,
    next: usize,
    end: usize,
}

impl Areas {
    /// The options field alone.
    fn plain(space: Space) -> Self {
        let options = Area::new(offset::OPTIONS..space.max_len, END_LEN);
        Self([options, Area::new(0..0, 0), Area::new(0..0, 0)])
    }

    /// The options field, `file` and `sname`.
    fn overloaded(space: Space) -> Self {
        Self([
            Area::new(offset::OPTIONS..space.max_len, END_LEN + OVERLOAD_LEN),
            Area::new(offset::FILE, END_LEN),
            Area::new(offset::SNAME, END_LEN),
        ])
    }

    /// Whether `file` and `sname` may be used.
    fn are_overloaded(&self) -> bool {
        let [_, file, _] = self.0;
        file.end > file.start
    }

    /// Writes an encoded option where it fits whole; one too long for that, wherever there is room (RFC 3396).
    fn put(&mut self, message: &mut [u8], option: &[u8]) -> Option<()> {
        match self.0.iter_mut().find(|area| area.room() >= option.len()) {
            Some(area) => area.put(message, option),
            None if option.len() <= OPTION_HEADER + MAX_WHOLE => None,
            None => self.split(message, option),
        }
    }

    fn split(&mut self, message: &mut [u8], option: &[u8]) -> Option<()> {
        let code = *option.first()?;
        let parts = option.chunks(OPTION_HEADER + MAX_VALUE).filter_map(|part| part.get(OPTION_HEADER..));
        let mut left = parts.clone().map(<[u8]>::len).sum();
        let mut value = parts.flatten().copied();
        for area in &mut self.0 {
            while left > 0 && area.room() > OPTION_HEADER {
                let len = (area.room() - OPTION_HEADER).min(MAX_VALUE).min(left);
                area.put(message, &[code, u8::try_from(len).ok()?])?;
                value.by_ref().take(len).try_for_each(|byte| area.put(message, &[byte]))?;
                left -= len;
            }
        }
        (left == 0).then_some(())
    }

    /// Ends every area that is used, and puts names where none is; gives the length of the message.
    fn finish(self, message: &mut [u8], names: Names<'_>) -> Option<usize> {
        let [mut options, file, sname] = self.0;
        let overload = u8::from(file.is_used()) | u8::from(sname.is_used()) << 1;
        if overload != 0 {
            options.end += OVERLOAD_LEN;
            options.put(message, &[code::OVERLOAD, 1, overload])?;
        }
        for (area, field, name) in [(file, offset::FILE, names.file), (sname, offset::SNAME, names.sname)] {
            if area.is_used() {
                *message.get_mut(area.next)? = code::END;
            } else {
                message.get_mut(field)?.get_mut(..name.len())?.copy_from_slice(name);
            }
        }
        *message.get_mut(options.next)? = code::END;
        Some(options.next + END_LEN)
    }
}

impl Area {
    fn new(range: Range<usize>, reserved: usize) -> Self {
        let end = range.end.saturating_sub(reserved).max(range.start);
        Self { start: range.start, next: range.start, end }
    }

    fn room(&self) -> usize {
        self.end - self.next
    }

    fn is_used(&self) -> bool {
        self.next > self.start
    }

    fn put(&mut self, message: &mut [u8], bytes: &[u8]) -> Option<()> {
        let end = self.next + bytes.len();
        message.get_mut(self.next..end)?.copy_from_slice(bytes);
        self.next = end;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{BOOTREPLY, COOKIE, Request};
    use super::*;

    const OPTIONS: usize = offset::OPTIONS;
    const NAMES: Names<'_> = Names { sname: b"server", file: b"boot/file" };

    /// Writes `list` into a message of `max_len` bytes.
    fn write(list: &OptionList, max_len: usize, overload: bool) -> Option<(Vec<u8>, Written)> {
        let mut message = vec![0; max_len];
        message[..3].copy_from_slice(&[BOOTREPLY, 1, 6]);
        message[offset::COOKIE].copy_from_slice(&COOKIE);
        let written = list.write(&mut message, Space { max_len, overload }, NAMES)?;
        message.truncate(written.len);
        Some((message, written))
    }

    /// The options of a message, parts joined, in the order of their first part.
    fn read(message: &[u8]) -> Vec<(u8, Vec<u8>)> {
        let mut options: Vec<(u8, Vec<u8>)> = Vec::new();
        for (code, value) in Request::parse(message).unwrap().options.iter() {
            match options.iter_mut().find(|(found, _)| *found == code) {
                Some((_, joined)) => joined.extend_from_slice(value),
                None => options.push((code, value.to_vec())),
            }
        }
        options
    }

    #[test]
    fn keeps_the_order() {
        let mut list = OptionList::default();
        list.push_required(code::MESSAGE_TYPE, &[5]);
        list.push(6, &[1, 2, 3, 4]);
        list.push(3, &[5, 6, 7, 8]);
        list.push(80, &[]);
        let (message, written) = write(&list, 300, true).unwrap();
        assert_eq!(message[OPTIONS..], [53, 1, 5, 6, 4, 1, 2, 3, 4, 3, 4, 5, 6, 7, 8, 80, 0, 255]);
        assert_eq!(written.omitted, 0);
    }

    #[test]
    fn fills_the_options_field_to_the_last_byte() {
        let mut list = OptionList::default();
        list.push(12, &[b'a'; 10]);
        assert_eq!(write(&list, OPTIONS + 13, true).unwrap().0.len(), OPTIONS + 13);
        assert_eq!(write(&list, OPTIONS + 12, false).unwrap().1.omitted, 1);
    }

    #[test]
    fn overloads_file_then_sname_before_leaving_anything_out() {
        let mut list = OptionList::default();
        for code in [200, 201, 202, 203] {
            list.push(code, &[code; 50]);
        }
        let (message, written) = write(&list, OPTIONS + 60, true).unwrap();
        assert_eq!(written.omitted, 0);
        // 200 in the options field, 201 and 202 in file, 203 in sname.
        assert_eq!(message[OPTIONS + 52..], [code::OVERLOAD, 1, 3, code::END]);
        assert_eq!(message[offset::FILE][..2], [201, 50]);
        assert_eq!(message[offset::SNAME][..2], [203, 50]);
        let codes: Vec<u8> = read(&message).iter().map(|(code, _)| *code).collect();
        assert_eq!(codes, [200, 52, 201, 202, 203]);
    }

    /// `sname` and `file` up to their first zero.
    fn names(message: &[u8]) -> [&[u8]; 2] {
        [offset::SNAME, offset::FILE].map(|field| message[field].split(|byte| *byte == 0).next().unwrap())
    }

    #[test]
    fn fields_that_hold_no_options_say_their_names() {
        let mut list = OptionList::default();
        list.push_required(1, &[1; 4]);
        list.push_if_overloaded(67, NAMES.file);
        list.push(200, &[200; 80]);
        let (message, _) = write(&list, OPTIONS + 100, true).unwrap();
        assert_eq!(names(&message), [NAMES.sname, NAMES.file]);
        assert_eq!(read(&message).len(), 2, "the option is not needed");
        // With less room `file` is taken, so that its name is an option.
        let (message, written) = write(&list, OPTIONS + 60, true).unwrap();
        let expected = [(1, vec![1; 4]), (67, NAMES.file.to_vec()), (52, vec![1]), (200, vec![200; 80])];
        assert_eq!((read(&message), written.omitted), (expected.to_vec(), 0));
        assert_eq!(names(&message)[0], NAMES.sname);
        // BOOTP overloads nothing.
        let (message, written) = write(&list, OPTIONS + 60, false).unwrap();
        assert_eq!((read(&message), written.omitted), (vec![(1, vec![1; 4])], 1));
        assert_eq!(names(&message), [NAMES.sname, NAMES.file]);
    }

    #[test]
    fn a_name_that_is_too_long_for_its_field_is_not_in_it() {
        for (len, expected) in [(127, 127), (128, 0), (255, 0)] {
            let file = vec![b'f'; len];
            let mut message = vec![0; 300];
            let space = Space { max_len: 300, overload: true };
            let fitting = Names::fitting(&file[..len / 2], &file);
            OptionList::default().write(&mut message, space, fitting).unwrap();
            assert_eq!(names(&message).map(<[u8]>::len), [expected / 2, expected], "{len}");
        }
    }

    #[test]
    fn leaves_out_from_the_end_and_never_what_is_required() {
        let mut list = OptionList::default();
        list.push_required(1, &[1; 4]);
        for code in [200, 201, 202] {
            list.push(code, &[code; 100]);
        }
        list.push_required(61, &[61; 50]);
        let (message, written) = write(&list, OPTIONS + 120, true).unwrap();
        let codes: Vec<u8> = read(&message).iter().map(|(code, _)| *code).collect();
        assert_eq!(written.omitted, 1);
        assert_eq!(codes, [1, 200, 52, 201, 61]);
    }

    #[test]
    fn says_when_what_is_required_does_not_fit() {
        let mut list = OptionList::default();
        list.push_required(82, &[0; 250]);
        assert!(write(&list, OPTIONS + 50, true).is_none());
        assert!(write(&list, OPTIONS + 253, false).is_some());
    }

    #[test]
    fn splits_long_options_across_areas() {
        let value: Vec<u8> = (0..=255).cycle().take(600).collect();
        let mut list = OptionList::default();
        list.push_required(code::CLASSLESS_ROUTE, &value);
        let (message, _) = write(&list, OPTIONS + 700, true).unwrap();
        assert_eq!(message[OPTIONS..OPTIONS + 2], [121, 255]);
        assert_eq!(read(&message), [(121, value.clone())]);
        // 600 bytes in parts need the options field, file and sname here.
        let (message, _) = write(&list, OPTIONS + 430, true).unwrap();
        let options = read(&message);
        assert_eq!(options, [(121, value), (52, vec![3])]);
    }

    #[test]
    fn splits_what_would_fit_no_area_rather_than_leave_it_out() {
        let mut list = OptionList::default();
        list.push_required(1, &[1; 60]);
        list.push(6, &[6; 132]);
        list.push(12, &[12; 20]);
        let (message, written) = write(&list, OPTIONS + 100, true).unwrap();
        assert_eq!(written.omitted, 0);
        let kept: Vec<_> = read(&message).into_iter().filter(|(code, _)| *code != code::OVERLOAD).collect();
        assert_eq!(kept, [(1, vec![1; 60]), (6, vec![6; 132]), (12, vec![12; 20])]);
    }

    #[test]
    fn echoes_parts_as_one_value() {
        let mut list = OptionList::default();
        list.echo(61, [&[1, 2][..], &[3][..]].into_iter());
        list.echo(82, std::iter::empty());
        assert_eq!(read(&write(&list, 300, true).unwrap().0), [(61, vec![1, 2, 3])]);
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_can_be_read(
            values in proptest::collection::vec((1u8..=49, proptest::collection::vec(0u8.., 0..400)), 0..12),
            max_len in OPTIONS..1500,
        ) {
            let mut list = OptionList::default();
            for (code, value) in &values {
                list.push(*code, value);
            }
            let (message, written) = write(&list, max_len, true).unwrap_or_default();
            proptest::prop_assert!(message.len() <= max_len);
            if !message.is_empty() {
                let read: usize = read(&message).iter().filter(|(code, _)| *code != 52).map(|(_, v)| v.len()).sum();
                let kept = values.len() - written.omitted;
                let expected: usize = values[..kept].iter().map(|(_, value)| value.len()).sum();
                proptest::prop_assert_eq!(read, expected);
            }
        }
    }
}
