//! What the two text formats (configuration and binding files) have in common: values, and how faults are shown.

use std::fmt::{self, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;

use ipnet::{Ipv4Net, Ipv6Net};

use crate::wire::MacAddr;

/// How many elements a list may have: as many IPv4 addresses as one DHCPv4 option holds (RFC 2132 §2).
pub(crate) const MAX_LIST: usize = 63;

/// Text from a file as it is shown: in quotes, escaped, and cut to a bounded length.
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl Shown<'_> {
    /// How much is shown, in characters.
    const MAX: usize = 80;
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.0.char_indices().nth(Self::MAX);
        let shown = end.and_then(|(at, _)| self.0.get(..at));
        let more = if shown.is_some() { "…" } else { "" };
        write!(f, "\"{}{more}\"", shown.unwrap_or(self.0).escape_debug())
    }
}

/// Text on a terminal, as it is but for what a terminal would obey or hide: no quotes around it, and none escaped.
pub(crate) struct Visible<'a>(pub(crate) &'a str);

impl fmt::Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '"' | '\'' | '\\' => f.write_char(c),
            _ => write!(f, "{}", c.escape_debug()),
        })
    }
}

/// Whether it is no text to read but an order to what shows it: a control character, the end of a line, a mark that turns the
/// direction of what follows, a space without width.
pub(crate) fn is_order(c: char) -> bool {
    let is_mark = matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}');
    c.is_control() || is_mark || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Writes `path:line: `, or `path: ` where no line is known.
pub(crate) fn write_place(f: &mut fmt::Formatter<'_>, path: &Path, line: Option<u32>) -> fmt::Result {
    write!(f, "{}", path.to_string_lossy().escape_debug())?;
    if let Some(line) = line {
        write!(f, ":{line}")?;
    }
    f.write_str(": ")
}

/// The text of a file, without a byte order mark. If it is not UTF-8: the line, from 1, with the first wrong byte.
pub(crate) fn decode(bytes: &[u8]) -> Result<&str, u32> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.iter().take(error.valid_up_to());
        1 + good.filter(|byte| **byte == b'\n').count() as u32
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// The known name that `name` is most likely meant to be.
pub(crate) fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    /// More than two slips of the finger make another word.
    const MAX_SLIPS: usize = 2;
    const LONGEST: usize = 64;
    if name.len() > LONGEST {
        return None;
    }
    let name = name.to_ascii_lowercase();
    let slips = |other: &str| strsim::damerau_levenshtein(&name, &other.to_ascii_lowercase());
    known
        .map(|other| (slips(other), other))
        .filter(|(slips, other)| *slips <= MAX_SLIPS && slips * 2 < other.len())
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, other)| other)
}

/// Reads yes or no in the words of the original's files, in any case.
pub(crate) fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "on" | "1" => Ok(true),
        "no" | "false" | "off" | "0" => Ok(false),
        _ => Err("not yes, true, on, 1, no, false, off or 0".to_owned()),
    }
}

/// Whether `text` is a decimal number without a sign, of whatever size.
pub(crate) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads a decimal number within `range`, without a sign.
pub(crate) fn number<T>(text: &str, range: RangeInclusive<T>) -> Result<T, String>
where
    T: FromStr + PartialOrd + fmt::Display,
{
    let digits = Some(text).filter(|text| is_digits(text));
    digits
        .and_then(|digits| digits.parse().ok())
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("not a number from {} to {}", range.start(), range.end()))
}

/// Reads an IPv4 address that one host can have.
pub(crate) fn unicast_v4(text: &str) -> Result<Ipv4Addr, String> {
    let address: Ipv4Addr =
        text.parse().map_err(|_| "not an IPv4 address, which is written as 192.0.2.1".to_owned())?;
    let is_this_network = address.octets().first() == Some(&0);
    if is_this_network || address.is_loopback() || address.is_multicast() || address.is_broadcast() {
        return Err("not the IPv4 address of one host (unicast, not in 0.0.0.0/8 or 127.0.0.0/8)".to_owned());
    }
    Ok(address)
}

/// Reads an IPv6 address that one host can have, link-local ones included.
pub(crate) fn unicast_v6(text: &str) -> Result<Ipv6Addr, String> {
    let address: Ipv6Addr =
        text.parse().map_err(|_| "not an IPv6 address, which is written as 2001:db8::1".to_owned())?;
    if is_unicast_v6(address) {
        Ok(address)
    } else {
        Err("not the IPv6 address of one host (unicast, not ::, ::1 or in ::ffff:0:0/96)".to_owned())
    }
}

/// Whether one host can have this address on a wire.
pub(crate) fn is_unicast_v6(address: Ipv6Addr) -> bool {
    !(address.is_multicast() || address.is_unspecified() || address.is_loopback() || address.to_ipv4_mapped().is_some())
}

/// Reads whatever says itself what is wrong with a text.
pub(crate) fn parsed<T: FromStr<Err: fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

/// Reads the MAC of one station.
pub(crate) fn station(text: &str) -> Result<MacAddr, String> {
    let mac: MacAddr = parsed(text)?;
    if mac.is_unicast() { Ok(mac) } else { Err("not the MAC address of one station (a group, or all zero)".to_owned()) }
}

/// Reads `a.b.c.d/length`, with or without host bits.
pub(crate) fn network_v4(text: &str) -> Result<Ipv4Net, String> {
    let network = text
        .split_once('/')
        .and_then(|(address, length)| Ipv4Net::new(address.parse().ok()?, number(length, 0..=32).ok()?).ok());
    network.ok_or_else(|| "not an IPv4 network, which is written as 192.0.2.0/24".to_owned())
}

/// Reads `address/length`, with or without host bits.
pub(crate) fn network_v6(text: &str) -> Result<Ipv6Net, String> {
    let network = text
        .split_once('/')
        .and_then(|(address, length)| Ipv6Net::new(address.parse().ok()?, number(length, 0..=128).ok()?).ok());
    network.ok_or_else(|| "not an IPv6 network, which is written as 2001:db8::/64".to_owned())
}

/// The items of a list that has commas or white space between them.
pub(crate) fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c.is_whitespace()).filter(|item| !item.is_empty())
}

/// A list as a file has it.
pub(crate) fn joined<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

/// Reads a list of at most [`MAX_LIST`] items. An error names the item.
pub(crate) fn list<'t, T>(
    items: impl Iterator<Item = &'t str>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let read_one = |(index, item)| {
        if index >= MAX_LIST {
            return Err(format!("a list of more than {MAX_LIST}"));
        }
        read(item).map_err(|reason| format!("{} is {reason}", Shown(item)))
    };
    items.enumerate().map(read_one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_text_escaped_and_bounded() {
        let long = "ü".repeat(81);
        for (text, expected) in [
            ("a\"b\n\u{1b}[m", r#""a\"b\n\u{1b}[m""#.to_owned()),
            (&"x".repeat(80), format!("\"{}\"", "x".repeat(80))),
            (&long, format!("\"{}…\"", "ü".repeat(80))),
        ] {
            assert_eq!(Shown(text).to_string(), expected);
        }
    }

    #[test]
    fn makes_visible_what_a_terminal_would_obey() {
        for (text, expected) in [
            (r#"IP="x\n": it's wrong, ü"#, r#"IP="x\n": it's wrong, ü"#),
            ("a\u{1b}[2J\r\n\t\0", r"a\u{1b}[2J\r\n\t\0"),
            ("\u{7f}\u{9b}31m\u{202e}\u{200b}", r"\u{7f}\u{9b}31m\u{202e}\u{200b}"),
        ] {
            assert_eq!(Visible(text).to_string(), expected);
        }
    }

    #[test]
    fn orders_are_known_from_text() {
        for c in ['\0', '\n', '\u{1b}', '\u{7f}', '\u{9b}', '\u{202e}', '\u{2066}', '\u{2029}', '\u{feff}'] {
            assert!(is_order(c), "{c:?}");
        }
        for text in ["a b", "ü", "e\u{301}", "\u{1f469}\u{200d}\u{1f4bb}", "می\u{200c}خواهم"] {
            assert!(!text.contains(is_order), "{text:?}");
        }
    }

    #[test]
    fn decodes_utf8_and_strips_the_byte_order_mark() {
        assert_eq!(decode(b"\xef\xbb\xbfMAC="), Ok("MAC="));
        assert_eq!(decode("ü".as_bytes()), Ok("ü"));
        assert_eq!(decode(b"a\nb\n\xff\n"), Err(3));
    }

    #[test]
    fn finds_the_nearest_name() {
        let known = || ["server_ip", "mode", "IP", "MAC"].into_iter();
        for (name, expected) in [
            ("serverip", Some("server_ip")),
            ("sevrer_ip", Some("server_ip")),
            ("Mode", Some("mode")),
            ("mac", Some("MAC")),
            ("ip", Some("IP")),
            ("XY", None),
            ("colour", None),
        ] {
            assert_eq!(nearest(name, known()), expected, "{name}");
        }
        assert_eq!(nearest(&"m".repeat(100_000), known()), None);
    }

    #[test]
    fn reads_numbers_within_a_range() {
        assert_eq!(number("60", 60..=u32::MAX), Ok(60));
        assert_eq!(number("4294967295", 60..=u32::MAX), Ok(u32::MAX));
        assert_eq!(number("007", 0..=u16::MAX), Ok(7));
        for text in ["", "59", "4294967296", "+60", "-60", "6e1", "60 ", "0x60", "٦٠"] {
            let reason = number(text, 60..=u32::MAX).unwrap_err();
            assert_eq!(reason, "not a number from 60 to 4294967295", "{text}");
        }
    }

    #[test]
    fn refuses_addresses_that_no_host_has() {
        assert!(unicast_v4("198.51.100.7").is_ok() && unicast_v4("240.0.0.1").is_ok());
        for text in ["", "x", "1.2.3", "01.2.3.4", "0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "255.255.255.255"] {
            assert!(unicast_v4(text).is_err(), "{text}");
        }
        assert!(unicast_v6("fe80::1").is_ok() && unicast_v6("2001:db8::1").is_ok());
        for text in ["", "x", "::", "::1", "ff02::1", "::ffff:192.0.2.1", "fe80::1%eth0", "192.0.2.1"] {
            assert!(unicast_v6(text).is_err(), "{text}");
        }
    }

    #[test]
    fn bounds_lists_and_names_the_wrong_item() {
        let read = |items: Vec<&str>| list(items.into_iter(), unicast_v4);
        assert_eq!(read(vec!["192.0.2.1"; MAX_LIST]).unwrap().len(), MAX_LIST);
        assert_eq!(read(vec!["192.0.2.1"; MAX_LIST + 1]).unwrap_err(), "a list of more than 63");
        let reason = read(vec!["192.0.2.1", "x\ty"]).unwrap_err();
        assert!(reason.starts_with(r#""x\ty" is not an IPv4 address"#), "{reason}");
    }
}
