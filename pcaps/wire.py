"""Frames, layer by layer, and capture files. Whatever a layer computes can be given instead: that makes it malformed."""

import ipaddress
import struct

BROADCAST = "ff:ff:ff:ff:ff:ff"
START = 1_000_000_000  # the time stamp of every capture's first packet
UDP, ICMPV6 = 17, 58
COOKIE = b"\x63\x82\x53\x63"


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def ip(text):
    return ipaddress.ip_address(text).packed


def checksum(data):
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def transport_checksum(source, destination, protocol, data):
    """With the pseudo header of either family. Zero goes over the wire as all ones, but in ICMPv6."""
    pseudo = ip(source) + ip(destination) + struct.pack(">II", len(data), protocol)
    value = checksum(pseudo + data)
    return value or (0xFFFF if protocol == UDP else 0)


def ethernet(source, destination, ether_type, payload):
    return mac(destination) + mac(source) + struct.pack(">H", ether_type) + payload


def ipv4(source, destination, payload, *, protocol=UDP, options=b"", first=None, length=None, fragment=0, sum_=None):
    first = 0x45 + len(options) // 4 if first is None else first
    length = 20 + len(options) + len(payload) if length is None else length
    header = struct.pack(">BBHHHBBH", first, 0, length, 1, fragment, 64, protocol, 0) + ip(source) + ip(destination)
    header += options
    sum_ = checksum(header) if sum_ is None else sum_
    return header[:10] + struct.pack(">H", sum_) + header[12:] + payload


def ipv6(source, destination, payload, *, next_header=UDP, hop_limit=255, length=None, first=0x60):
    length = len(payload) if length is None else length
    header = struct.pack(">BxxxHBB", first, length, next_header, hop_limit)
    return header + ip(source) + ip(destination) + payload


def udp(source, destination, payload, *, ports, length=None, sum_=None):
    length = 8 + len(payload) if length is None else length
    header = struct.pack(">HHHH", *ports, length, 0)
    sum_ = transport_checksum(source, destination, UDP, header + payload) if sum_ is None else sum_
    return header[:6] + struct.pack(">H", sum_) + payload


def icmpv6(source, destination, type_, body, *, code=0, sum_=None):
    message = struct.pack(">BBH", type_, code, 0) + body
    sum_ = transport_checksum(source, destination, ICMPV6, message) if sum_ is None else sum_
    return message[:2] + struct.pack(">H", sum_) + message[4:]


def bootp(chaddr, options, *, op=1, htype=1, hlen=6, hops=0, xid=0x01020304, secs=0, flags=0, ciaddr="0.0.0.0",
          yiaddr="0.0.0.0", siaddr="0.0.0.0", giaddr="0.0.0.0", sname=b"", file=b"", cookie=COOKIE):
    """A BOOTP message. `options` is the raw options field."""
    fixed = struct.pack(">BBBBIHH", op, htype, hlen, hops, xid, secs, flags)
    fixed += ip(ciaddr) + ip(yiaddr) + ip(siaddr) + ip(giaddr)
    fixed += mac(chaddr).ljust(16, b"\0") + sname.ljust(64, b"\0") + file.ljust(128, b"\0")
    return fixed + cookie + options


def option(code, value=b""):
    """One DHCPv4 option."""
    return bytes([code, len(value)]) + value


def option6(code, value=b""):
    """One DHCPv6 option."""
    return struct.pack(">HH", code, len(value)) + value


def slla(address):
    """A source link-layer address option (RFC 4861 §4.6.1)."""
    return b"\x01\x01" + mac(address)


def pcap(frames, interval):
    """`interval` is the time between two packets, in microseconds."""
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
    records = []
    for index, (_, _, frame) in enumerate(frames):
        seconds, micros = divmod(index * interval, 1_000_000)
        records.append(struct.pack("<IIII", START + seconds, micros, len(frame), len(frame)) + frame)
    return header + b"".join(records)


def pcapng(frames, interval):
    """Each frame is of the interface that its tap names; time stamps in microseconds, the default."""

    def block(type_, body):
        body += b"\0" * (-len(body) % 4)
        length = struct.pack("<I", len(body) + 12)
        return struct.pack("<I", type_) + length + body + length

    taps = sorted({tap for _, tap, _ in frames})
    blocks = [block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))]
    for tap in taps:
        name = tap.encode()
        if_name = struct.pack("<HH", 2, len(name)) + name + b"\0" * (-len(name) % 4)
        blocks.append(block(1, struct.pack("<HHI", 1, 0, 262144) + if_name + struct.pack("<HH", 0, 0)))
    for index, (_, tap, frame) in enumerate(frames):
        time = START * 1_000_000 + index * interval
        fixed = struct.pack("<IIIII", taps.index(tap), time >> 32, time & 0xFFFFFFFF, len(frame), len(frame))
        blocks.append(block(6, fixed + frame))
    return b"".join(blocks)
