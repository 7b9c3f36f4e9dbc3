//! What a client that boots from the network says of itself.

use super::{Options, code};

impl<'a> Options<'a> {
    /// Whether option 77 names this user class: alone and as it is, or in the list of RFC 3004 §4, where each class has
    /// its length before it. Clients send either.
    pub fn has_user_class(&self, class: &[u8]) -> bool {
        let value = || self.parts(code::USER_CLASS).flatten().copied();
        value().eq(class.iter().copied()) || is_listed(value(), class)
    }

    /// Option 60 (RFC 2132 §9.13), empty if it is not there; of one in parts, the first.
    pub fn vendor_class(&self) -> &'a [u8] {
        self.first(code::VENDOR_CLASS).unwrap_or_default()
    }

    /// The numbers of the client's architectures: those of option 93 (RFC 4578 §2.1), then the one that firmware writes
    /// into its vendor class. What is no number is skipped: it says nothing of the address that is asked for.
    pub fn architectures(&self) -> impl Iterator<Item = u16> + use<'a> {
        let listed = self.parts(code::CLIENT_ARCHITECTURE).flat_map(|part| part.as_chunks().0);
        listed.copied().map(u16::from_be_bytes).chain(architecture_of(self.vendor_class()))
    }
}

/// Whether a list of values, each with its length before it, has `class` among them.
fn is_listed(mut list: impl Iterator<Item = u8>, class: &[u8]) -> bool {
    while let Some(len) = list.next() {
        let mut item = list.by_ref().take(len.into());
        if usize::from(len) == class.len() && class.iter().all(|byte| item.next() == Some(*byte)) {
            return true;
        }
        item.for_each(drop);
    }
    false
}

/// The number in `PXEClient:Arch:00007:UNDI:003016`.
fn architecture_of(vendor_class: &[u8]) -> Option<u16> {
    let mut words = vendor_class.split(|byte| *byte == b':').skip(1);
    let (Some(b"Arch"), Some(number)) = (words.next(), words.next()) else { return None };
    std::str::from_utf8(number).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::{COOKIE, Request, offset};

    /// A message with these options.
    fn message(options: &[(u8, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![0; 240];
        bytes[..3].copy_from_slice(&[1, 1, 6]);
        bytes[offset::COOKIE].copy_from_slice(&COOKIE);
        for (code, value) in options {
            bytes.extend([*code, u8::try_from(value.len()).unwrap()]);
            bytes.extend_from_slice(value);
        }
        bytes
    }

    #[test]
    fn finds_a_user_class_in_both_forms() {
        let table: &[(&[&[u8]], bool)] = &[
            (&[], false),
            (&[b""], false),
            (&[b"iPXE"], true),
            (&[b"iPXE2"], false),
            (&[b"iPX"], false),
            (&[b"\x04iPXE"], true),
            (&[b"\x03abc\x04iPXE"], true),
            (&[b"\x04iPXE\x03abc"], true),
            (&[b"\x05iPXE2"], false),
            (&[b"\x05iPXE"], false),
            (&[b"\x03iPXE"], false),
            (&[b"\x00\x04iPXE"], true),
            (&[b"\x09\x04iPXEabcd"], false),
            // RFC 3396: an option in two parts is one value.
            (&[b"iP", b"XE"], true),
            (&[b"\x04iP", b"XE"], true),
        ];
        for (parts, expected) in table {
            let options: Vec<(u8, &[u8])> = parts.iter().map(|part| (77, *part)).collect();
            let bytes = message(&options);
            assert_eq!(Request::parse(&bytes).unwrap().options.has_user_class(b"iPXE"), *expected, "{parts:?}");
        }
    }

    #[test]
    fn finds_architectures_wherever_they_are() {
        type Row<'a> = (&'a [(u8, &'a [u8])], &'a [u16]);
        let table: &[Row<'_>] = &[
            (&[], &[]),
            (&[(93, &[0, 7])], &[7]),
            (&[(93, &[0, 6, 0, 7])], &[6, 7]),
            (&[(93, &[])], &[]),
            (&[(93, &[7])], &[]),
            (&[(93, &[0, 7, 0])], &[7]),
            (&[(60, b"PXEClient:Arch:00007:UNDI:003016")], &[7]),
            (&[(60, b"HTTPClient:Arch:00016:UNDI:003001")], &[16]),
            (&[(60, b"PXEClient:Arch:00000:UNDI:002001"), (93, &[0, 9])], &[9, 0]),
            (&[(60, b"PXEClient:Arch:")], &[]),
            (&[(60, b"PXEClient:Arch")], &[]),
            (&[(60, b"PXEClient:Arch:99999")], &[]),
            (&[(60, b"PXEClient:Arch:\xff\xff")], &[]),
            (&[(60, b"Arch:00007")], &[]),
            (&[(60, b"")], &[]),
        ];
        for (options, expected) in table {
            let bytes = message(options);
            let found: Vec<u16> = Request::parse(&bytes).unwrap().options.architectures().collect();
            assert_eq!(found, *expected, "{options:?}");
        }
    }
}
