//! What a server answers.

use std::net::Ipv4Addr;

use super::{BOOTREPLY, COOKIE, MIN_LEN, Names, OptionList, Request, Space, Written, offset};

/// The fixed fields of a reply that are not copied from the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// `ciaddr`.
    pub ciaddr: Ipv4Addr,
    /// `yiaddr`: the client's address.
    pub yiaddr: Ipv4Addr,
    /// `siaddr`: the server to boot from, or 0.0.0.0.
    pub siaddr: Ipv4Addr,
    /// `sname` and `file`.
    pub names: Names<'a>,
    /// Whether to set the broadcast bit whatever the client set.
    pub force_broadcast: bool,
}

/// Writes a reply to `request` at the start of `buffer`. None if a required option does not fit into `space`, or
/// `buffer` is too short.
pub fn write(
    buffer: &mut [u8],
    request: &Request<'_>,
    header: Header<'_>,
    options: &OptionList,
    space: Space,
) -> Option<Written> {
    let message = buffer.get_mut(..space.max_len)?;
    // RFC 2131 table 3: htype, hlen, xid, flags, giaddr and chaddr are the client's.
    let fields: &mut [u8; offset::SNAME.start] = message.first_chunk_mut()?;
    *fields = *request.bytes.first_chunk()?;
    fields[0] = BOOTREPLY;
    fields[offset::HOPS] = 0;
    fields[offset::SECS].fill(0);
    fields[offset::CIADDR].copy_from_slice(&header.ciaddr.octets());
    fields[offset::YIADDR].copy_from_slice(&header.yiaddr.octets());
    fields[offset::SIADDR].copy_from_slice(&header.siaddr.octets());
    if header.force_broadcast {
        fields[offset::FLAGS.start] |= 0x80;
    }
    message.get_mut(offset::COOKIE)?.copy_from_slice(&COOKIE);
    let written = options.write(message, space, header.names)?;
    let len = written.len.max(MIN_LEN).min(space.max_len);
    // What is behind the end option is zero: pad options.
    message.get_mut(written.len..len)?.fill(0);
    Some(Written { len, ..written })
}
