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
    message.get_mut(..offset::OPTIONS)?.fill(0);
    // RFC 2131 table 3: htype, hlen, xid, flags, giaddr and chaddr are the client's.
    let mut copy = |range: std::ops::Range<usize>| {
        message.get_mut(range.clone())?.copy_from_slice(request.bytes.get(range)?);
        Some(())
    };
    copy(1..3)?;
    copy(offset::XID)?;
    copy(offset::FLAGS)?;
    copy(offset::GIADDR)?;
    copy(offset::CHADDR)?;
    *message.first_mut()? = BOOTREPLY;
    message.get_mut(offset::CIADDR)?.copy_from_slice(&header.ciaddr.octets());
    message.get_mut(offset::YIADDR)?.copy_from_slice(&header.yiaddr.octets());
    message.get_mut(offset::SIADDR)?.copy_from_slice(&header.siaddr.octets());
    if header.force_broadcast {
        *message.get_mut(offset::FLAGS.start)? |= 0x80;
    }
    message.get_mut(offset::COOKIE)?.copy_from_slice(&COOKIE);
    let written = options.write(message, space, header.names)?;
    // What is behind the end option is zero: pad options.
    Some(Written { len: written.len.max(MIN_LEN).min(space.max_len), ..written })
}
