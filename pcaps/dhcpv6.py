"""DHCPv6 without addresses, and what all of DHCPv6 needs."""

import hashlib
import struct

from case import GUEST, Case, binding
from nd import EUI64_LOCAL, OWN, ROUTER_LOCAL, extension, multicast_mac
from wire import UDP, ethernet, ip, ipv6, option6, udp

SERVERS = "ff02::1:2"
(SOLICIT, ADVERTISE, REQUEST, CONFIRM, RENEW, REBIND, REPLY, RELEASE, DECLINE, RECONFIGURE, INFORMATION_REQUEST,
 RELAY_FORW, RELAY_REPL) = range(1, 14)
CLIENT_ID = option6(1, bytes.fromhex("0003000152540000aa01"))
ELAPSED = option6(8, b"\0\0")


def oro(*codes):
    return option6(6, struct.pack(f">{len(codes)}H", *codes))


def frame(payload, *, source=EUI64_LOCAL, to=SERVERS, ports=(546, 547), mac=GUEST, udp_=None, before=b"",
          next_header=UDP, **ipv6_):
    datagram = before + udp(source, to, payload, ports=ports, **(udp_ or {}))
    to_mac = multicast_mac(to) if to.startswith("ff") else "02:00:00:00:00:01"
    packet = ipv6(source, to, datagram, next_header=next_header, **({"hop_limit": 1} | ipv6_))
    return ethernet(mac, to_mac, 0x86DD, packet)


def dhcpv6(type_, *options, xid=0x0A0B0C, **rest):
    return frame(struct.pack(">I", type_ << 24 | xid) + b"".join(options), **rest)


def information(*options, **rest):
    return dhcpv6(INFORMATION_REQUEST, *options, **rest)


def row(label, message, tap=""):
    return (label, tap, message)


# The server's DUID for the guest: a constant of its MAC, for ever.
OURS = bytes.fromhex("0004d3d8273101265dc3aecba2c094a6fa3e")
IA_NA = option6(3, struct.pack(">III", 1, 0, 0))
IA_TA = option6(4, struct.pack(">I", 1))
IA_PD = option6(25, struct.pack(">III", 1, 0, 0))
FOREIGN = option6(2, hashlib.sha256(b"another server").digest()[:14])

REQUESTS = [
    row("as clients send it", information(CLIENT_ID, oro(23, 24, 32), ELAPSED)),
    row("without a client id", information(oro(23, 24), ELAPSED)),
    row("without an option request: everything", information(CLIENT_ID)),
    row("an empty option request: nothing", information(CLIENT_ID, oro())),
    row("only what is asked, in its order", information(CLIENT_ID, oro(24, 99, 23))),
    row("a code twice", information(CLIENT_ID, oro(23, 23))),
    row("the refresh time alone", information(CLIENT_ID, oro(32))),
    row("NTP servers, which are not configured", information(CLIENT_ID, oro(56, 31, 23))),
    row("from a global address", information(CLIENT_ID, oro(23), source=OWN)),
    row("from another port: the answer goes to 546", information(CLIENT_ID, oro(23), ports=(1546, 547))),
    row("hop limit 255 is fine", information(CLIENT_ID, oro(23), hop_limit=255)),
    row("behind hop-by-hop options", information(CLIENT_ID, oro(23), before=extension(UDP), next_header=0)),
    row("a client id of 130 bytes", information(option6(1, bytes(130)), oro(23))),
    row("for us by our server id", information(CLIENT_ID, option6(2, OURS), oro(23))),
    row("with options that we do not know", information(CLIENT_ID, option6(39, b"\1\4host\0"), option6(16, b"vendor"))),
]

NOT_OURS = [
    row("for another server", information(CLIENT_ID, FOREIGN, oro(23))),
    *[
        row(f"{name} in a stateless mode", dhcpv6(type_, CLIENT_ID, IA_NA, ELAPSED))
        for name, type_ in [("Solicit", SOLICIT), ("Request", REQUEST), ("Confirm", CONFIRM), ("Renew", RENEW),
                            ("Rebind", REBIND), ("Release", RELEASE), ("Decline", DECLINE)]
    ],
    row("Renew at us, who give no addresses", dhcpv6(RENEW, CLIENT_ID, option6(2, OURS), IA_NA)),
    row("Renew at another server", dhcpv6(RENEW, CLIENT_ID, FOREIGN, IA_NA)),
]

REFUSED = [
    row("Advertise from a guest", dhcpv6(ADVERTISE, CLIENT_ID, FOREIGN)),
    row("Reply from a guest", dhcpv6(REPLY, CLIENT_ID, FOREIGN)),
    row("Reconfigure from a guest", dhcpv6(RECONFIGURE, CLIENT_ID, FOREIGN)),
    row("Relay-Forward", frame(bytes([RELAY_FORW, 0]) + ip(OWN) + ip(EUI64_LOCAL) + option6(9, b"\1\0\0\1"))),
    row("Relay-Reply", frame(bytes([RELAY_REPL, 0]) + ip(OWN) + ip(EUI64_LOCAL) + option6(9, b"\7\0\0\1"))),
    row("type 0", dhcpv6(0, CLIENT_ID)),
    row("type 36", dhcpv6(36, CLIENT_ID)),
    row("with IA_NA", information(CLIENT_ID, IA_NA)),
    row("with IA_TA", information(CLIENT_ID, IA_TA)),
    row("with IA_PD", information(CLIENT_ID, IA_PD)),
    row("to our link-local", information(CLIENT_ID, to=ROUTER_LOCAL)),
    row("from ::", information(CLIENT_ID, source="::")),
    row("from a multicast address", information(CLIENT_ID, source="ff02::5")),
    row("from a mapped IPv4 address", information(CLIENT_ID, source="::ffff:192.0.2.10")),
    row("a client id that is our server id", information(option6(1, OURS), oro(23))),
    row("two client ids", information(CLIENT_ID, CLIENT_ID)),
    row("an empty client id", information(option6(1))),
    row("a client id of 131 bytes", information(option6(1, bytes(131)))),
    row("half a code in the option request", information(option6(6, b"\0"))),
    row("two option requests", information(oro(23), oro(24))),
    row("an option beyond the end", information(struct.pack(">HH", 1, 100))),
    row("an option without a length", information(b"\0\1\0")),
    row("a message of 3 bytes", frame(b"\x0b\0\0")),
    row("an empty message", frame(b"")),
    row("wrong UDP checksum", information(CLIENT_ID, udp_={"sum_": 0x1234})),
    row("no UDP checksum, which IPv6 does not allow", information(CLIENT_ID, udp_={"sum_": 0})),
    row("UDP length beyond the packet", information(CLIENT_ID, udp_={"length": 500})),
    row("UDP length under 8", information(CLIENT_ID, udp_={"length": 7})),
    row("a fragment header", information(CLIENT_ID, before=bytes([UDP, 0, 0, 0, 0, 0, 0, 1]), next_header=44)),
]

BINDINGS = {
    "tap1": ("usual", binding()),
    "tap2": ("its own name servers and search list", binding(NAMESERVERS6="2001:db8::99", DOMAIN_SEARCH="guest.test")),
    "tap3": ("no IPv6", binding(SUBNET6=None, GATEWAY6=None, EUI64=None)),
    "tap4": ("as many name servers as a file may list",
             binding(NAMESERVERS6=", ".join(f"2001:db8::{n:x}" for n in range(1, 64)), DOMAIN_SEARCH="a.test")),
    "tap5": ("more than fits 1,280 bytes: rejected",
             binding(IP=None, SUBNET=None, GATEWAY=None,
                     DOMAIN_SEARCH=", ".join(f"{'a' * 60}.{n}.example.com" for n in range(20)))),
}

CASES = [
    Case("dhcpv6-information", REQUESTS + NOT_OURS + REFUSED, {"tap1": binding()}),
    Case("dhcpv6-bindings", [row(label, information(CLIENT_ID), tap) for tap, (label, _) in BINDINGS.items()],
         {tap: keys for tap, (_, keys) in BINDINGS.items()}),
]
