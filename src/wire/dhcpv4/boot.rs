//! What a client that boots from the network says of itself.

use super::{Options, code};

impl<'a> Options<'a> {
    /// Whether option 77 names this user class: alone and as it is, or in the list of RFC 3004 §4, where each class has
    /// its length before it. Clients send either.
    pub fn has_user_class(&self, class: &[u8]) -> bool {
        let value = || self.parts(code::USER_CLASS).flatten().copied();
        value().eq(class.iter().copied()) || is_listed(value(), class)
    }

    /// Whether option 60 (RFC 2132 §9.13) begins so.
    pub fn has_vendor_class(&self, start: &[u8]) -> bool {
        self.vendor_class().take(start.len()).eq(start.iter().copied())
    }

    /// The numbers of the client's architectures: those of option 93 (RFC 4578 §2.1), then the one that firmware writes
    /// into its vendor class. What is no number is skipped: it says nothing of the address that is asked for.
    pub fn architectures(&self) -> impl Iterator<Item = u16> + use<'a> {
        let mut bytes = self.parts(code::CLIENT_ARCHITECTURE).flatten().copied();
        let listed = std::iter::from_fn(move || Some(u16::from_be_bytes([bytes.next()?, bytes.next()?])));
        listed.chain(architecture_of(self.vendor_class()))
    }

    fn vendor_class(&self) -> impl Iterator<Item = u8> + use<'a> {
        self.parts(code::VENDOR_CLASS).flatten().copied()
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
fn architecture_of(vendor_class: impl Iterator<Item = u8>) -> Option<u16> {
    let mut rest = vendor_class.skip_while(|byte| *byte != b':').skip(1);
    if !b"Arch:".iter().all(|byte| rest.next() == Some(*byte)) {
        return None;
    }
    let mut digits = rest.take_while(|byte| *byte != b':').map(|byte| char::from(byte).to_digit(10)).peekable();
    digits.peek()?;
    let number = digits.try_fold(0_u32, |number, digit| number.checked_mul(10)?.checked_add(digit?))?;
    number.try_into().ok()
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
    fn tells_how_a_vendor_class_begins() {
        type Row<'a> = (&'a [&'a [u8]], bool);
        let table: &[Row<'_>] = &[
            (&[], false),
            (&[b""], false),
            (&[b"HTTPClient"], true),
            (&[b"HTTPClient:Arch:00016"], true),
            (&[b"HTTPClien"], false),
            (&[b"PXEClient"], false),
            (&[b"HTTP", b"Client:Arch"], true),
        ];
        for (parts, expected) in table {
            let options: Vec<(u8, &[u8])> = parts.iter().map(|part| (60, *part)).collect();
            let bytes = message(&options);
            let found = Request::parse(&bytes).unwrap().options.has_vendor_class(b"HTTPClient");
            assert_eq!(found, *expected, "{parts:?}");
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
            // RFC 3396: an option in two parts is one value.
            (&[(93, &[0]), (93, &[7, 0, 6])], &[7, 6]),
            (&[(60, b"PXEClient:Ar"), (60, b"ch:00007:UNDI:003016")], &[7]),
            (&[(60, b"PXEClient:Arch:65536")], &[]),
            (&[(60, b"PXEClient:Arch::00007")], &[]),
            (&[(60, b"PXEClient:Arch:7x")], &[]),
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
