"""DHCPv6 with addresses and prefixes."""

import ipaddress
import struct

from case import Case, binding
from dhcpv6 import (CLIENT_ID, CONFIRM, DECLINE, ELAPSED, FOREIGN, OURS, REBIND, RELEASE, RENEW, REQUEST, SOLICIT,
                    dhcpv6, information, oro, row)
from nd import ROUTER_LOCAL
from wire import ip, option6

SERVER_ID = option6(2, OURS)
RAPID_COMMIT = option6(14)
ADDRESS = "2001:db8::10"
NEIGHBOUR = "2001:db8::11"
ELSEWHERE = "2001:db8:ffff::10"
PREFIX = "2001:db8:1::/48"
OTHER_PREFIX = "2001:db8:2::/48"
ASKED = oro(23, 24, 82)


def address(text, *options, data=None):
    data = ip(text) + bytes(8) + b"".join(options) if data is None else data
    return option6(5, data)


def prefix(text, *options, length=None):
    network = ipaddress.ip_interface(text)
    length = network.network.prefixlen if length is None else length
    return option6(26, struct.pack(">IIB", 0, 0, length) + network.ip.packed + b"".join(options))


def ia(code, iaid, leases, inside):
    times = b"" if code == 4 else bytes(8)
    return option6(code, struct.pack(">I", iaid) + times + b"".join(map(inside, leases)))


def na(*leases, iaid=1):
    return ia(3, iaid, leases, address)


def ta(*leases, iaid=1):
    return ia(4, iaid, leases, address)


def pd(*leases, iaid=1):
    return ia(25, iaid, leases, prefix)


def to_all(type_, *options, **rest):
    """What goes to all servers: it names none."""
    return dhcpv6(type_, CLIENT_ID, *options, ELAPSED, **rest)


def to_us(type_, *options, **rest):
    return dhcpv6(type_, CLIENT_ID, SERVER_ID, *options, ELAPSED, **rest)


def fqdn(flags, name=b"\4name\0"):
    return option6(39, bytes([flags]) + name)


ADDRESSES = [
    row("Solicit", to_all(SOLICIT, na(), ASKED)),
    row("Request", to_us(REQUEST, na(ADDRESS), ASKED)),
    row("Renew", to_us(RENEW, na(ADDRESS), ASKED)),
    row("Rebind", to_all(REBIND, na(ADDRESS), ASKED)),
    row("Confirm", to_all(CONFIRM, na(ADDRESS))),
    row("Release", to_us(RELEASE, na(ADDRESS))),
    row("Decline", to_us(DECLINE, na(ADDRESS))),
    row("Solicit with rapid commit", to_all(SOLICIT, RAPID_COMMIT, na(), ASKED)),
    row("Solicit for nothing", to_all(SOLICIT, ASKED)),
    row("Solicit without an option request", to_all(SOLICIT, na())),
    row("Solicit that wishes for another address", to_all(SOLICIT, na(ELSEWHERE), oro())),
    row("Solicit with the greatest IAID", to_all(SOLICIT, na(iaid=0xFFFFFFFF), oro())),
    row("Request with IAID 0", to_us(REQUEST, na(iaid=0), oro())),
    row("Request for two addresses", to_us(REQUEST, na(), na(iaid=2), oro())),
    row("Request where the second has ours", to_us(REQUEST, na(), na(ADDRESS, iaid=2), oro())),
    row("Request for a neighbour's address", to_us(REQUEST, na(NEIGHBOUR), oro())),
    row("Request for an address of another link", to_us(REQUEST, na(ELSEWHERE), oro())),
    row("Request for a temporary address", to_us(REQUEST, na(), ta(), oro())),
    row("Request for a prefix, and there is none", to_us(REQUEST, na(), pd(), oro())),
    row("Renew of an address that was another's", to_us(RENEW, na(NEIGHBOUR), oro())),
    row("Renew of ours and another", to_us(RENEW, na(ELSEWHERE, ADDRESS), oro())),
    row("Renew of two", to_us(RENEW, na(ADDRESS), na(ELSEWHERE, iaid=2), na(iaid=3), oro())),
    row("Rebind of another server's address", to_all(REBIND, na(ELSEWHERE), ta(ELSEWHERE), oro())),
    row("Confirm of a neighbour's address", to_all(CONFIRM, na(NEIGHBOUR))),
    row("Confirm of an address of another link", to_all(CONFIRM, na(ADDRESS, ELSEWHERE))),
    row("Confirm of nothing", to_all(CONFIRM, na())),
    row("Release of what is not ours", to_us(RELEASE, na(ELSEWHERE), na(ADDRESS, iaid=2), pd(PREFIX))),
    row("Decline of what is not ours", to_us(DECLINE, na(ELSEWHERE))),
    row("with the client's name", to_us(REQUEST, na(), oro(39), fqdn(0))),
    row("with the client's name, for the server to update the DNS", to_us(REQUEST, na(), oro(39), fqdn(1))),
    row("with the client's name, but it does not ask for ours", to_us(REQUEST, na(), oro(23), fqdn(1))),
    row("time servers in both forms, and the portal", to_us(REQUEST, na(), oro(103, 56, 31))),
    row("what is for Information-Requests only", to_us(REQUEST, na(), oro(32, 83))),
    row("Information-Request", information(CLIENT_ID, oro(23, 31, 32, 56, 82, 83, 103), ELAPSED)),
    row("for another server", dhcpv6(REQUEST, CLIENT_ID, FOREIGN, na())),
]

PREFIXES = [
    row("Solicit", to_all(SOLICIT, pd(), ASKED)),
    row("Solicit for a prefix of some length", to_all(SOLICIT, pd("::/56"), oro())),
    row("Request", to_us(REQUEST, pd(PREFIX), ASKED)),
    row("Request for both", to_us(REQUEST, na(), pd(), oro())),
    row("Solicit with rapid commit", to_all(SOLICIT, RAPID_COMMIT, na(), pd(iaid=0), oro())),
    row("Request for two prefixes", to_us(REQUEST, pd(), pd(iaid=2), oro())),
    row("Request where the second has ours", to_us(REQUEST, pd(OTHER_PREFIX), pd("2001:db8:1::9/48", iaid=2), oro())),
    row("Renew", to_us(RENEW, pd(PREFIX), oro())),
    row("Renew from another address", to_us(RENEW, pd(PREFIX), oro(), source="fe80::2")),
    row("Renew of another prefix", to_us(RENEW, pd(OTHER_PREFIX), oro())),
    row("Renew of a part of ours", to_us(RENEW, pd("2001:db8:1:1::/64"), oro())),
    row("Renew with a wish", to_us(RENEW, pd(PREFIX, "::/60"), pd("::/60", iaid=2), oro())),
    row("Rebind", to_all(REBIND, pd(PREFIX), na(ADDRESS), oro())),
    row("Confirm, which is for addresses", to_all(CONFIRM, pd(PREFIX))),
    row("Release of another prefix", to_us(RELEASE, pd(OTHER_PREFIX))),
    row("Release", to_us(RELEASE, pd(PREFIX), na(ADDRESS))),
]

MALFORMED = [
    *[
        row(f"{name} {what}", dhcpv6(type_, *options, na(ADDRESS)))
        for name, type_, options, what in [
            ("Solicit", SOLICIT, [], "without a client id"),
            ("Confirm", CONFIRM, [], "without a client id"),
            ("Rebind", REBIND, [], "without a client id"),
            ("Solicit", SOLICIT, [CLIENT_ID, SERVER_ID], "with our server id"),
            ("Confirm", CONFIRM, [CLIENT_ID, SERVER_ID], "with our server id"),
            ("Rebind", REBIND, [CLIENT_ID, SERVER_ID], "with our server id"),
            ("Request", REQUEST, [CLIENT_ID], "without a server id"),
            ("Renew", RENEW, [CLIENT_ID], "without a server id"),
            ("Release", RELEASE, [CLIENT_ID], "without a server id"),
            ("Decline", DECLINE, [CLIENT_ID], "without a server id"),
            ("Request", REQUEST, [SERVER_ID], "without a client id"),
            ("Renew", RENEW, [SERVER_ID], "without a client id"),
            ("Solicit", SOLICIT, [option6(1, OURS)], "whose client id is our server id"),
            ("Request", REQUEST, [option6(1, OURS), SERVER_ID], "whose client id is our server id"),
            ("Solicit", SOLICIT, [CLIENT_ID, FOREIGN], "with another's server id"),
        ]
    ],
    row("Solicit to our link-local", to_all(SOLICIT, na(), to=ROUTER_LOCAL)),
    row("Request to our link-local", to_us(REQUEST, na(), to=ROUTER_LOCAL)),
    row("Renew to our link-local", to_us(RENEW, na(ADDRESS), to=ROUTER_LOCAL)),
    row("Release to our link-local", to_us(RELEASE, na(ADDRESS), to=ROUTER_LOCAL)),
    row("IA_NA of 11 bytes", to_us(REQUEST, option6(3, bytes(11)))),
    row("IA_TA of 3 bytes", to_us(REQUEST, option6(4, bytes(3)))),
    row("IA_PD of 11 bytes", to_us(REQUEST, option6(25, bytes(11)))),
    row("an address of 23 bytes", to_us(REQUEST, option6(3, bytes(12) + option6(5, bytes(23))))),
    row("a prefix of 24 bytes", to_us(REQUEST, option6(25, bytes(12) + option6(26, bytes(24))))),
    row("a prefix length of 129", to_us(REQUEST, option6(25, bytes(12) + prefix(PREFIX, length=129)))),
    row("an option in an IA that goes beyond it", to_us(REQUEST, option6(3, bytes(12) + struct.pack(">HH", 5, 24)))),
    row("an option in an address that goes beyond it",
        to_us(REQUEST, option6(3, bytes(12) + address(ADDRESS, struct.pack(">HH", 13, 2))))),
    row("half an option in an IA", to_us(REQUEST, option6(3, bytes(12) + b"\0\5\0"))),
    row("the second IA is malformed", to_us(RENEW, na(ADDRESS), option6(3, bytes(11)))),
    row("an address where a prefix belongs", to_us(RENEW, option6(25, bytes(12) + address(ADDRESS)), oro())),
    row("a prefix where an address belongs", to_us(RENEW, option6(3, bytes(12) + prefix(PREFIX)), oro())),
    row("an address outside of any IA", to_us(REQUEST, address(ADDRESS), oro())),
    row("two IAs with one IAID", to_us(REQUEST, na(), na(), oro())),
    row("more IAs than there is room for", to_us(REQUEST, *[na(iaid=n) for n in range(80)], ASKED)),
    row("more addresses than there is room for",
        to_us(RENEW, na(*[f"2001:db8::1:{n:x}" for n in range(45)]), ASKED)),
    row("more than 1,024 options in IAs", to_us(RENEW, *[option6(3, bytes(12) + option6(13) * 350)] * 3)),
    row("a client id of 130 bytes", dhcpv6(SOLICIT, option6(1, bytes(130)), na(), pd(), ASKED)),
]

CONFIG = """\
[dhcp]
enable_dhcp = no
lease_lifetime = 86400
[ipv6]
mode = {mode}
rs_queue = 43
ns_queue = 44
dhcpv6_queue = 45
nameservers = 2001:db8::53, 2001:db8::54
domains = example.com, example.net
ntp = 2001:db8::123, ntp.example.com
captive_portal = https://portal.example.com/api
"""


CASES = [
    Case("dhcpv6-stateful", ADDRESSES, {"tap1": binding(IP6=ADDRESS, DOMAIN="example.com")},
         CONFIG.format(mode="dhcpv6")),
    Case("dhcpv6-prefix-delegation", PREFIXES,
         {"tap1": binding(IP6=ADDRESS, PREFIX6=PREFIX, LEASE_LIFETIME=7200)}, CONFIG.format(mode="slaac+stateful")),
    Case("dhcpv6-stateful-malformed", MALFORMED, {"tap1": binding(IP6=ADDRESS, PREFIX6=PREFIX)}, CONFIG.format(mode="dhcpv6")),
]
