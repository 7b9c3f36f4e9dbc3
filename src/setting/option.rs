//! DHCPv4 options by number, for what has no key of its own.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::text::{items, list, number};

/// DHCPv4 options as the file gives them, by code. Each takes the place of what would be said under that code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawOptions(BTreeMap<u8, Box<[u8]>>);

/// Codes that follow from the exchange or the address, and whose keys say why: nobody may set them.
const RESERVED: &[(u8, &str)] = &[
    (0, "it is padding"),
    (1, "it follows from SUBNET"),
    (3, "it follows from GATEWAY"),
    (50, "the client says it"),
    (51, "it follows from LEASE_LIFETIME"),
    (52, "it follows from the size of the reply"),
    (53, "it is the type of the message"),
    (54, "it follows from server_ip and server_on_link"),
    (55, "the client says it"),
    (56, "it says why an address is refused"),
    (57, "the client says it"),
    (58, "it follows from LEASE_LIFETIME and lease_renewal"),
    (59, "it follows from LEASE_LIFETIME"),
    (61, "the client says it"),
    (80, "it follows from rapid_commit"),
    (81, "it follows from HOSTNAME"),
    (82, "a relay agent says it"),
    (108, "it follows from V6ONLY_WAIT"),
    (121, "it follows from GATEWAY and ROUTES"),
    (249, "it follows from GATEWAY and ROUTES"),
    (255, "it is the end of the options"),
];

impl RawOptions {
    /// The longest value in bytes. A reply holds at most 1,500.
    pub const MAX_LEN: usize = 1024;

    /// Every option, by code.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &[u8])> {
        self.0.iter().map(|(code, value)| (*code, &**value))
    }

    /// The option with this code.
    pub fn value(&self, code: u8) -> Option<&[u8]> {
        self.0.get(&code).map(|value| &**value)
    }

    /// Takes in `OPTION_<code>` with its value. A code has one spelling, lest two keys set one option, and one of them be
    /// lost without a warning.
    pub(crate) fn insert(&mut self, code: &str, value: &str) -> Result<(), String> {
        if code.len() > 1 && code.starts_with('0') {
            return Err("the option's code is not written with leading zeros".to_owned());
        }
        let code = number(code, 0..=255_u8).map_err(|reason| format!("the option's code is {reason}"))?;
        if let Some((_, why)) = RESERVED.iter().find(|(reserved, _)| *reserved == code) {
            return Err(format!("option {code} cannot be set: {why}"));
        }
        self.0.insert(code, raw(value)?.into_boxed_slice());
        Ok(())
    }
}

/// Reads `hex:0a1b`, `text:…` or `ip:192.0.2.1, …`.
fn raw(value: &str) -> Result<Vec<u8>, String> {
    let form = || "not hex:0a1b, text:some words or ip:192.0.2.1, 192.0.2.2".to_owned();
    let (kind, content) = value.split_once(':').ok_or_else(form)?;
    let bytes = match kind {
        "hex" => hex(content)?,
        "text" => text(content)?,
        "ip" => addresses(content)?,
        _ => return Err(form()),
    };
    match bytes.len() {
        0 => Err(format!("nothing after {kind}:")),
        1..=RawOptions::MAX_LEN => Ok(bytes),
        _ => Err(format!("more than {} bytes", RawOptions::MAX_LEN)),
    }
}

/// Two digits a byte, bytes apart or not.
fn hex(content: &str) -> Result<Vec<u8>, String> {
    let fault = || "not pairs of hexadecimal digits".to_owned();
    let mut bytes = Vec::new();
    for word in content.split([':', '-', ' ', '\t']).filter(|word| !word.is_empty()) {
        let (pairs, rest) = word.as_bytes().as_chunks::<2>();
        if !rest.is_empty() {
            return Err(fault());
        }
        for pair in pairs {
            let digits = std::str::from_utf8(pair).ok().filter(|digits| !digits.starts_with('+'));
            bytes.push(digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).ok_or_else(fault)?);
        }
    }
    Ok(bytes)
}

fn text(content: &str) -> Result<Vec<u8>, String> {
    if content.contains(char::is_control) {
        return Err("text with control characters, for which there is hex:".to_owned());
    }
    Ok(content.into())
}

/// Any addresses: what they mean is the option's own affair.
fn addresses(content: &str) -> Result<Vec<u8>, String> {
    let address =
        |item: &str| item.parse().map_err(|_| "not an IPv4 address, which is written as 192.0.2.1".to_owned());
    let addresses: Vec<Ipv4Addr> = list(items(content), address)?;
    Ok(addresses.iter().flat_map(Ipv4Addr::octets).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<Vec<u8>, String> {
        let mut options = RawOptions::default();
        options.insert("43", value)?;
        Ok(options.value(43).unwrap().to_vec())
    }

    #[test]
    fn reads_the_three_forms() {
        for (value, expected) in [
            ("hex:0a1B", &[0x0a, 0x1b][..]),
            ("hex:0a:1b-2c 3d", &[0x0a, 0x1b, 0x2c, 0x3d]),
            ("text:http://wpad.example.com/wpad.dat", b"http://wpad.example.com/wpad.dat"),
            ("text:two words: and a colon", b"two words: and a colon"),
            ("ip:192.0.2.1", &[192, 0, 2, 1]),
            ("ip:192.0.2.1, 192.0.2.2", &[192, 0, 2, 1, 192, 0, 2, 2]),
        ] {
            assert_eq!(read(value).as_deref(), Ok(expected), "{value}");
        }
    }

    #[test]
    fn refuses_what_cannot_be_encoded() {
        let long = format!("hex:{}", "00".repeat(1025));
        for value in
            ["", "0a", "hex:", "hex:0", "hex:0g", "hex:+1", "text:", "text:a\tb", "ip:", "ip:::1", "str:x", &long]
        {
            assert!(read(value).is_err(), "{value}");
        }
    }

    #[test]
    fn keeps_what_follows_from_elsewhere() {
        for (code, _) in RESERVED {
            assert!(RawOptions::default().insert(&code.to_string(), "hex:00").is_err(), "{code}");
        }
        for code in ["4", "43", "60", "66", "114", "119", "224", "252", "254"] {
            assert_eq!(RawOptions::default().insert(code, "hex:00"), Ok(()), "{code}");
        }
        assert!(RawOptions::default().insert("256", "hex:00").is_err());
    }

    #[test]
    fn a_code_has_one_spelling() {
        for code in ["06", "006", "00", "043"] {
            let error = RawOptions::default().insert(code, "hex:00").unwrap_err();
            assert!(error.contains("leading zeros"), "{code}: {error}");
        }
    }
}
