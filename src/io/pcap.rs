//! Captures of Ethernet frames: read pcap and pcapng, write pcap.
//!
//! The framing of both formats is the `pcap-file` crate's. It holds at most 8 MB of a file, so a length that lies ends
//! in an error and not in an allocation. After an error it would find the same one for ever: nothing is read behind it.

#![expect(clippy::disallowed_methods, reason = "captures are files")]

use std::fs::File;
use std::io::{self, BufWriter, Cursor, Read, Write};
use std::path::Path;
use std::time::Duration;

use pcap_file::pcap::{PcapHeader, PcapPacket, PcapReader, PcapWriter};
use pcap_file::pcapng::blocks::interface_description::{InterfaceDescriptionBlock, InterfaceDescriptionOption};
use pcap_file::pcapng::{Block, PcapNgReader};
use pcap_file::{DataLink, PcapError};

pub use pcap_file::TsResolution;

/// Why a capture cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system says so.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file ends within a packet or a header.
    #[error("the capture is cut off in the middle of a packet or header")]
    CutOff,
    /// Neither pcap nor pcapng.
    #[error("neither a pcap nor a pcapng file")]
    NoCapture,
    /// Frames of another link type than Ethernet.
    #[error("link type {0} is not supported: only Ethernet (1) is")]
    LinkType(u32),
    /// The file contradicts its format.
    #[error("the capture is malformed: {0}")]
    Malformed(String),
}

impl From<PcapError> for Error {
    fn from(error: PcapError) -> Self {
        match error {
            PcapError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => Self::CutOff,
            PcapError::IoError(error) => Self::Io(error),
            PcapError::IncompleteBuffer => Self::CutOff,
            error => Self::Malformed(error.to_string()),
        }
    }
}

/// A captured frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// The time stamp, since 1970.
    pub time: Duration,
    /// The frame, from its destination MAC on.
    pub data: Vec<u8>,
    /// Whether the capture has only the beginning of the frame.
    pub is_cut: bool,
    /// The interface it was captured on, where the capture names it (pcapng's `if_name`).
    pub interface: Option<String>,
}

/// A capture that is read from its beginning to its end.
pub struct Reader {
    format: Format,
    is_broken: bool,
}

/// The magic number is looked at before the rest is read.
type Source = io::Chain<Cursor<[u8; 4]>, Box<dyn Read>>;

enum Format {
    Pcap(PcapReader<Source>),
    PcapNg(Box<PcapNgReader<Source>>),
}

/// The type of pcapng's first block (its section header); the same in both byte orders.
const PCAPNG_MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

impl Reader {
    /// Opens the capture at `path` and reads its header.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::new(Box::new(File::open(path)?))
    }

    /// Reads the header of the capture in `source`.
    pub fn new(mut source: Box<dyn Read>) -> Result<Self, Error> {
        let mut magic = [0; 4];
        source.read_exact(&mut magic).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Error::NoCapture,
            _ => Error::Io(error),
        })?;
        let source = Cursor::new(magic).chain(source);
        let format = match (magic, u32::from_be_bytes(magic)) {
            (PCAPNG_MAGIC, _) => Format::PcapNg(Box::new(PcapNgReader::new(source)?)),
            // Both byte orders, with microseconds and with nanoseconds.
            (_, 0xa1b2_c3d4 | 0xd4c3_b2a1 | 0xa1b2_3c4d | 0x4d3c_b2a1) => {
                let reader = PcapReader::new(source)?;
                check_link_type(reader.header().datalink)?;
                Format::Pcap(reader)
            }
            _ => return Err(Error::NoCapture),
        };
        Ok(Self { format, is_broken: false })
    }

    /// How fine time stamps can be. pcapng leaves that to each interface; nanoseconds lose nothing of the usual ones.
    pub fn resolution(&self) -> TsResolution {
        match &self.format {
            Format::Pcap(reader) => reader.header().ts_resolution,
            Format::PcapNg(_) => TsResolution::NanoSecond,
        }
    }

    fn next_packet(&mut self) -> Result<Option<Packet>, Error> {
        match &mut self.format {
            Format::Pcap(reader) => next_pcap(reader),
            Format::PcapNg(reader) => next_pcapng(reader),
        }
    }
}

/// The frames of the capture; the first error is the last item.
impl Iterator for Reader {
    type Item = Result<Packet, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_broken {
            return None;
        }
        let item = self.next_packet().transpose();
        self.is_broken = !matches!(item, Some(Ok(_)));
        item
    }
}

/// The low half of the field is the link type; above it there may be the length of a frame check sequence.
fn check_link_type(link_type: DataLink) -> Result<(), Error> {
    let link_type = u32::from(link_type);
    let ethernet = u32::from(DataLink::ETHERNET);
    if link_type & 0xffff == ethernet { Ok(()) } else { Err(Error::LinkType(link_type)) }
}

fn next_pcap(reader: &mut PcapReader<Source>) -> Result<Option<Packet>, Error> {
    let resolution = reader.header().ts_resolution;
    // Raw: the other way refuses frames that are longer than the snap length, which is what that is for.
    let Some(packet) = reader.next_raw_packet().transpose()? else { return Ok(None) };
    let fraction = match resolution {
        TsResolution::MicroSecond => Duration::from_micros(packet.ts_frac.into()),
        TsResolution::NanoSecond => Duration::from_nanos(packet.ts_frac.into()),
    };
    Ok(Some(Packet {
        time: Duration::from_secs(packet.ts_sec.into()) + fraction,
        is_cut: packet.incl_len < packet.orig_len,
        data: packet.data.into_owned(),
        interface: None,
    }))
}

/// Skips blocks that hold no packet.
fn next_pcapng(reader: &mut PcapNgReader<Source>) -> Result<Option<Packet>, Error> {
    while let Some(block) = reader.next_block().transpose()? {
        let raw = match block {
            Block::EnhancedPacket(block) => RawPacket {
                interface: block.interface_id,
                // The crate takes the units for nanoseconds, whatever the interface says.
                units: Some(block.timestamp.as_nanos()),
                original_len: block.original_len,
                data: block.data.into_owned(),
            },
            Block::Packet(block) => RawPacket {
                interface: block.interface_id.into(),
                units: Some(block.timestamp.into()),
                original_len: block.original_len,
                data: block.data.into_owned(),
            },
            Block::SimplePacket(block) => {
                RawPacket { interface: 0, units: None, original_len: block.original_len, data: block.data.into_owned() }
            }
            _ => continue,
        };
        let interface = reader.interfaces().get(raw.interface as usize);
        return interface
            .ok_or(Error::Malformed("a packet of no interface".into()))
            .and_then(|it| raw.read(it))
            .map(Some);
    }
    Ok(None)
}

/// What pcapng's three kinds of packets have in common.
struct RawPacket {
    interface: u32,
    /// The time stamp in units of the interface's resolution; a simple packet has none.
    units: Option<u128>,
    original_len: u32,
    data: Vec<u8>,
}

impl RawPacket {
    fn read(mut self, interface: &InterfaceDescriptionBlock<'_>) -> Result<Packet, Error> {
        check_link_type(interface.linktype)?;
        let original_len = self.original_len as usize;
        // A simple packet does not say where its padding starts.
        self.data.truncate(original_len);
        Ok(Packet {
            time: self.units.map_or(Ok(Duration::ZERO), |units| time(units, interface))?,
            is_cut: self.data.len() < original_len,
            data: self.data,
            interface: interface.options.iter().find_map(|option| match option {
                InterfaceDescriptionOption::IfName(name) => Some(name.clone().into_owned()),
                _ => None,
            }),
        })
    }
}

/// The time stamp of `units`, by the interface's `if_tsresol` (microseconds where it has none) and `if_tsoffset`.
fn time(units: u128, interface: &InterfaceDescriptionBlock<'_>) -> Result<Duration, Error> {
    const BINARY: u8 = 0x80;
    const NANOSECONDS: u128 = 1_000_000_000;
    let bad = || Error::Malformed("a time stamp out of range".into());
    let mut per_second: u128 = 1_000_000;
    let mut offset = 0;
    for option in &interface.options {
        match option {
            InterfaceDescriptionOption::IfTsResol(exponent) => {
                let base: u128 = if exponent & BINARY == 0 { 10 } else { 2 };
                per_second = base.checked_pow((exponent & !BINARY).into()).ok_or_else(bad)?;
            }
            InterfaceDescriptionOption::IfTsOffset(seconds) => offset = *seconds,
            _ => {}
        }
    }
    let seconds = u64::try_from(units / per_second).ok().and_then(|seconds| seconds.checked_add(offset));
    // The remainder is less than 2^64, as `units` is.
    let nanos = units % per_second * NANOSECONDS / per_second;
    Ok(Duration::new(seconds.ok_or_else(bad)?, u32::try_from(nanos).map_err(|_| bad())?))
}

/// A pcap file that is written.
pub struct Writer {
    inner: PcapWriter<BufWriter<File>>,
}

impl Writer {
    /// Makes the file at `path`, for Ethernet frames.
    pub fn create(path: &Path, ts_resolution: TsResolution) -> Result<Self, Error> {
        // Little-endian everywhere: the same capture is the same file.
        let endianness = pcap_file::Endianness::Little;
        let header = PcapHeader { ts_resolution, endianness, ..PcapHeader::default() };
        let file = BufWriter::new(File::create(path)?);
        Ok(Self { inner: PcapWriter::with_header(file, header)? })
    }

    /// Appends a whole frame of at most 65,535 bytes.
    pub fn write(&mut self, time: Duration, frame: &[u8]) -> Result<(), Error> {
        let len = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        self.inner.write_packet(&PcapPacket::new(time, len, frame))?;
        Ok(())
    }

    /// Brings everything into the file.
    pub fn finish(self) -> Result<(), Error> {
        Ok(self.inner.into_writer().flush()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MICROSECONDS: u32 = 0xa1b2_c3d4;
    const NANOSECONDS: u32 = 0xa1b2_3c4d;

    fn pcap(magic: u32, link_type: u32, records: &[u8]) -> Vec<u8> {
        let words = [magic, 4 << 16 | 2, 0, 0, 96, link_type];
        [&words.map(u32::to_le_bytes).concat(), records].concat()
    }

    fn record(fraction: u32, captured: u32, original: u32, data: &[u8]) -> Vec<u8> {
        [&[5, fraction, captured, original].map(u32::to_le_bytes).concat(), data].concat()
    }

    /// A pcapng block with this body, which is padded.
    fn block(block_type: u32, mut body: Vec<u8>) -> Vec<u8> {
        body.resize(body.len().next_multiple_of(4), 0);
        let len = (body.len() as u32 + 12).to_le_bytes();
        [&block_type.to_le_bytes(), &len, &body[..], &len].concat()
    }

    fn section() -> Vec<u8> {
        let mut body = [0x1a2b_3c4d_u32, 1].map(u32::to_le_bytes).concat();
        body.extend_from_slice(&(-1_i64).to_le_bytes());
        block(0x0a0d_0d0a, body)
    }

    fn interface(link_type: u32, options: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = [link_type, 0].map(u32::to_le_bytes).concat();
        for (code, value) in options.iter().chain([&(0, &[][..])]) {
            body.extend([*code, value.len() as u16].map(u16::to_le_bytes).concat());
            body.extend_from_slice(value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        block(1, body)
    }

    fn enhanced(interface: u32, time: u64, data: &[u8]) -> Vec<u8> {
        let len = data.len() as u32;
        let body = [interface, (time >> 32) as u32, time as u32, len, len].map(u32::to_le_bytes).concat();
        block(6, [&body, data].concat())
    }

    fn read(bytes: Vec<u8>) -> Vec<Result<Packet, String>> {
        let reader = match Reader::new(Box::new(Cursor::new(bytes))) {
            Ok(reader) => reader,
            Err(error) => return vec![Err(error.to_string())],
        };
        // Whatever is wrong with a capture, reading it ends.
        reader.take(100).map(|packet| packet.map_err(|error| error.to_string())).collect()
    }

    fn packet(seconds: u64, nanos: u32, interface: Option<&str>) -> Result<Packet, String> {
        let time = Duration::new(seconds, nanos);
        Ok(Packet { time, data: b"frame".to_vec(), is_cut: false, interface: interface.map(str::to_owned) })
    }

    #[test]
    fn reads_pcap_with_its_precision() {
        for (magic, nanos) in [(MICROSECONDS, 7000), (NANOSECONDS, 7)] {
            let bytes = pcap(magic, 1, &record(7, 5, 5, b"frame"));
            assert_eq!(read(bytes), [packet(5, nanos, None)]);
        }
    }

    #[test]
    fn frames_longer_than_the_snap_length_are_cut_and_no_error() {
        let cut = Packet { is_cut: true, ..packet(5, 0, None).unwrap() };
        assert_eq!(read(pcap(MICROSECONDS, 1, &record(0, 5, 1500, b"frame"))), [Ok(cut)]);
    }

    #[test]
    fn the_length_of_a_check_sequence_is_no_other_link_type() {
        assert_eq!(read(pcap(MICROSECONDS, 0x4400_0001, &record(0, 5, 5, b"frame"))), [packet(5, 0, None)]);
    }

    #[test]
    fn reads_pcapng_with_names_and_precisions() {
        let file = [
            section(),
            interface(1, &[(2, b"tap1")]),
            interface(1, &[(2, b"tap2"), (9, &[9]), (14, &10_u64.to_le_bytes())]),
            interface(1, &[(9, &[0x80 | 10])]),
            enhanced(0, 5_000_007, b"frame"),
            block(0x0bad, vec![1, 2, 3]),
            enhanced(1, 5_000_000_007, b"frame"),
            enhanced(2, 5 * 1024 + 512, b"frame"),
            block(3, [&5_u32.to_le_bytes()[..], b"frame"].concat()),
        ];
        let expected = [
            packet(5, 7000, Some("tap1")),
            packet(15, 7, Some("tap2")),
            packet(5, 500_000_000, None),
            packet(0, 0, Some("tap1")),
        ];
        assert_eq!(read(file.concat()), expected);
    }

    #[test]
    fn what_comes_before_a_fault_is_read() {
        let cut_off = Error::CutOff.to_string();
        let good = record(0, 5, 5, b"frame");
        let expected = [packet(5, 0, None), Err(cut_off)];
        let truncated = pcap(MICROSECONDS, 1, &[&good[..], &good[..10]].concat());
        assert_eq!(read(truncated), expected);
        // More than the reader will ever hold.
        let huge = pcap(MICROSECONDS, 1, &[good, record(0, u32::MAX, u32::MAX, b"frame")].concat());
        assert_eq!(read(huge), expected);
    }

    #[test]
    fn faults_are_named() {
        let ng = |rest: Vec<Vec<u8>>| [section(), rest.concat()].concat();
        let table = [
            (vec![], "neither a pcap"),
            (b"GIF89a".to_vec(), "neither a pcap"),
            (MICROSECONDS.to_le_bytes().to_vec(), "cut off"),
            (pcap(MICROSECONDS, 113, &[]), "link type 113"),
            (ng(vec![interface(113, &[]), enhanced(0, 0, b"frame")]), "link type 113"),
            (ng(vec![enhanced(0, 0, b"frame")]), "a packet of no interface"),
            (ng(vec![interface(1, &[(9, &[127])]), enhanced(0, 0, b"frame")]), "a time stamp out of range"),
            (
                ng(vec![interface(1, &[(9, &[0]), (14, &1_u64.to_le_bytes())]), enhanced(0, u64::MAX, b"frame")]),
                "a time stamp out of range",
            ),
            (ng(vec![vec![6, 0, 0, 0, 0xfc, 0xff, 0xff, 0xff, 0, 0, 0, 0]]), "cut off"),
            (ng(vec![vec![6, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0]]), "malformed"),
            (section()[..20].to_vec(), "cut off"),
        ];
        for (bytes, expected) in table {
            let end = read(bytes.clone()).pop();
            let error = end.and_then(Result::err).unwrap_or_default();
            assert!(error.contains(expected), "{bytes:02x?}: {error:?} has no {expected:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn takes_any_bytes(is_ng: bool, tail in proptest::collection::vec(0u8.., 0..300), damage in 0usize..200) {
            let file = if is_ng {
                [section(), interface(1, &[(2, b"tap1")]), enhanced(0, 7, b"frame"), tail].concat()
            } else {
                pcap(NANOSECONDS, 1, &[record(0, 5, 5, b"frame"), tail].concat())
            };
            let mut damaged = file;
            if let Some(byte) = damaged.get_mut(damage) {
                *byte ^= 0x11;
            }
            read(damaged);
        }
    }
}
