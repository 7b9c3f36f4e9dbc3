//! Messages written, in a buffer of the caller's.

use super::message::Options;
use super::{HEADER_LEN, IaKind, Lease, MessageType, Status, option};

/// A message in the making, in a buffer of the caller's.
///
/// Every method appends all that it is asked for, or nothing: what does not fit can be left out.
#[derive(Debug)]
pub struct Encoder<'a> {
    buffer: &'a mut [u8],
    len: usize,
    /// How much of the buffer's end is kept for what comes later, in bytes.
    reserved: usize,
}

/// The message does not fit the buffer, or its data not their option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the DHCPv6 message does not fit")]
pub struct NoRoom;

impl<'a> Encoder<'a> {
    /// Begins a message.
    pub fn new(buffer: &'a mut [u8], message_type: MessageType, transaction_id: [u8; 3]) -> Result<Self, NoRoom> {
        let mut message = Self { buffer, len: 0, reserved: 0 };
        message.put(&[message_type.code()])?;
        message.put(&transaction_id)?;
        Ok(message)
    }

    /// Keeps so many bytes free from now on, in place of what was kept free before.
    pub fn reserve(&mut self, bytes: usize) {
        self.reserved = bytes;
    }

    /// Appends an option.
    pub fn option(&mut self, code: u16, data: &[u8]) -> Result<(), NoRoom> {
        self.option_of(code, |message| message.put(data))
    }

    /// Appends an option that was [encoded](encode_option) before.
    pub fn encoded(&mut self, option: &[u8]) -> Result<(), NoRoom> {
        self.put(option)
    }

    /// Appends a Status Code option (RFC 8415 §21.13).
    pub fn status(&mut self, status: Status) -> Result<(), NoRoom> {
        self.option_of(option::STATUS_CODE, |message| {
            message.put(&status.code().to_be_bytes())?;
            message.put(status.message().as_bytes())
        })
    }

    /// Appends an identity association, and in it the options that `inside` appends. `times` are T1 and T2 in seconds.
    pub fn ia<T>(
        &mut self,
        kind: IaKind,
        iaid: [u8; 4],
        times: [u32; 2],
        inside: impl FnOnce(&mut Self) -> Result<T, NoRoom>,
    ) -> Result<T, NoRoom> {
        self.option_of(kind.code(), |message| {
            message.put(&iaid)?;
            if kind.has_times() {
                times.iter().try_for_each(|time| message.put(&time.to_be_bytes()))?;
            }
            inside(message)
        })
    }

    /// Appends an address or a prefix, to be used for `lifetime` seconds and preferred as long (RFC 8415 §21.6, §21.22).
    pub fn lease(&mut self, lease: &Lease, lifetime: u32) -> Result<(), NoRoom> {
        let lifetime = lifetime.to_be_bytes();
        match lease {
            Lease::Address(address) => {
                let parts: [&[u8]; 3] = [&address.octets(), &lifetime, &lifetime];
                self.joined(option::IA_ADDRESS, &parts)
            }
            Lease::Prefix(prefix) => {
                let parts: [&[u8]; 4] = [&lifetime, &lifetime, &[prefix.prefix_len()], &prefix.addr().octets()];
                self.joined(option::IA_PREFIX, &parts)
            }
        }
    }

    /// Appends an option whose data are `parts`, one behind the other.
    pub fn joined(&mut self, code: u16, parts: &[&[u8]]) -> Result<(), NoRoom> {
        self.option_of(code, |message| parts.iter().try_for_each(|part| message.put(part)))
    }

    /// Whether an option with this code was appended, inside of no other.
    pub fn contains(&self, code: u16) -> bool {
        let written = self.buffer.get(HEADER_LEN..self.len);
        Options::checked(written.unwrap_or_default()).any(|option| option.code == code)
    }

    /// The length of the message in bytes, which is done now.
    pub fn finish(self) -> usize {
        self.len
    }

    /// Appends an option whose data are what `data` appends.
    fn option_of<T>(&mut self, code: u16, data: impl FnOnce(&mut Self) -> Result<T, NoRoom>) -> Result<T, NoRoom> {
        let start = self.len;
        let result = self.try_option_of(code, data);
        if result.is_err() {
            self.rewind(start);
        }
        result
    }

    fn try_option_of<T>(&mut self, code: u16, data: impl FnOnce(&mut Self) -> Result<T, NoRoom>) -> Result<T, NoRoom> {
        self.put(&code.to_be_bytes())?;
        let at = self.len;
        self.put(&[0; 2])?;
        let start = self.len;
        let value = data(self)?;
        let length = u16::try_from(self.len - start).map_err(|_| NoRoom)?;
        self.buffer.get_mut(at..start).ok_or(NoRoom)?.copy_from_slice(&length.to_be_bytes());
        Ok(value)
    }

    /// Takes back what was written from `start` on.
    fn rewind(&mut self, start: usize) {
        self.buffer.get_mut(start..self.len).unwrap_or_default().fill(0);
        self.len = start;
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), NoRoom> {
        let end = self.len + bytes.len();
        if end + self.reserved > self.buffer.len() {
            return Err(NoRoom);
        }
        self.buffer.get_mut(self.len..end).ok_or(NoRoom)?.copy_from_slice(bytes);
        self.len = end;
        Ok(())
    }
}

/// Appends an option as it stands in a message. Its data are shorter than 65,536 bytes.
pub fn encode_option(to: &mut Vec<u8>, code: u16, data: &[u8]) {
    to.extend(code.to_be_bytes());
    to.extend((data.len() as u16).to_be_bytes());
    to.extend_from_slice(data);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes out behind the header.
    fn written(write: impl FnOnce(&mut Encoder<'_>) -> Result<(), NoRoom>) -> Vec<u8> {
        let mut buffer = [0; 200];
        let mut encoder = Encoder::new(&mut buffer, MessageType::Reply, [0; 3]).unwrap();
        write(&mut encoder).unwrap();
        let len = encoder.finish();
        buffer[HEADER_LEN..len].to_vec()
    }

    #[test]
    fn writes_addresses_and_prefixes() {
        let address = Lease::Address("2001:db8::1".parse().unwrap());
        let bytes = written(|to| to.ia(IaKind::Addresses, [0, 0, 0, 7], [1, 2], |to| to.lease(&address, 3)));
        let octets = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        let head = [0, 3, 0, 40, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 2, 0, 5, 0, 24];
        assert_eq!(bytes, [&head[..], &octets, &[0, 0, 0, 3, 0, 0, 0, 3]].concat());

        let prefix = Lease::Prefix("2001:db8::1/56".parse().unwrap());
        let bytes = written(|to| to.ia(IaKind::Prefixes, [0; 4], [1, 2], |to| to.lease(&prefix, 3)));
        let head = [0, 25, 0, 41, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 26, 0, 25, 0, 0, 0, 3, 0, 0, 0, 3, 56];
        assert_eq!(bytes, [&head[..], &octets].concat());
    }

    #[test]
    fn writes_a_status() {
        let bytes =
            written(|to| to.ia(IaKind::TemporaryAddresses, [0, 0, 0, 1], [1, 2], |to| to.status(Status::NoAddrsAvail)));
        assert_eq!(bytes[..14], [0, 4, 0, 29, 0, 0, 0, 1, 0, 13, 0, 21, 0, 2]);
        assert_eq!(&bytes[14..], b"no address for this");
    }

    #[test]
    fn what_does_not_fit_leaves_nothing_behind() {
        let mut buffer = [0; 40];
        let mut encoder = Encoder::new(&mut buffer, MessageType::Reply, [0; 3]).unwrap();
        let address = Lease::Address("2001:db8::1".parse().unwrap());
        let result = encoder.ia(IaKind::Addresses, [1; 4], [2; 2], |to| {
            to.option(99, &[9; 10])?;
            to.lease(&address, 3)
        });
        assert_eq!(result, Err(NoRoom));
        encoder.option(7, &[255]).unwrap();
        let len = encoder.finish();
        assert_eq!(buffer[HEADER_LEN..len], [0, 7, 0, 1, 255]);
        assert!(buffer[len..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn keeps_room_for_what_comes_later() {
        let mut buffer = [0; 20];
        let mut encoder = Encoder::new(&mut buffer, MessageType::Reply, [0; 3]).unwrap();
        encoder.reserve(8);
        assert_eq!(encoder.option(1, &[0; 5]), Err(NoRoom));
        encoder.option(1, &[0; 4]).unwrap();
        encoder.reserve(0);
        encoder.option(2, &[0; 4]).unwrap();
        assert_eq!(encoder.option(3, &[]), Err(NoRoom));
    }

    #[test]
    fn knows_what_it_has_written() {
        let mut buffer = [0; 30];
        let mut encoder = Encoder::new(&mut buffer, MessageType::Reply, [0; 3]).unwrap();
        encoder.option(2, &[0, 32, 0, 0]).unwrap();
        encoder.option(24, &[]).unwrap();
        assert!(encoder.contains(2) && encoder.contains(24));
        assert!(!encoder.contains(32) && !encoder.contains(0));
    }

    #[test]
    fn says_when_there_is_no_room() {
        let mut buffer = [0; 8];
        assert!(Encoder::new(&mut buffer[..3], MessageType::Reply, [0; 3]).is_err());
        let mut encoder = Encoder::new(&mut buffer, MessageType::Reply, [0; 3]).unwrap();
        assert_eq!(encoder.option(32, &[0; 4]), Err(NoRoom));
        assert!(!encoder.contains(32));
        let mut large = vec![0; 70_000];
        let mut encoder = Encoder::new(&mut large, MessageType::Reply, [0; 3]).unwrap();
        assert_eq!(encoder.option(32, &[0; 65_536]), Err(NoRoom));
    }
}
