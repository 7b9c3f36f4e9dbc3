"""Whose packet it is, and what is none of ours."""

import struct

from case import GUEST, OTHER, ROUTER, Case, binding
from dhcpv4 import ADDRESS, ACK, DISCOVER, dhcp, frame
from dhcpv6 import CLIENT_ID, information
from nd import EUI64_LOCAL, GATEWAY, RANDOM_LOCAL, ROUTER_LOCAL, ns, rs
from wire import BROADCAST, bootp, ethernet, icmpv6, ip, ipv4, ipv6, option, slla, udp

STRANGER = "aa:00:00:00:00:99"


def everything(label, tap, mac, local=EUI64_LOCAL):
    """One of each kind of packet, all from this MAC."""
    return [
        (f"{label}: DISCOVER", tap, dhcp(DISCOVER, mac=mac)),
        (f"{label}: RS", tap, rs(local, slla(mac), mac=mac)),
        (f"{label}: NS", tap, ns(GATEWAY, local, slla(mac), mac=mac)),
        (f"{label}: Information-Request", tap, information(CLIENT_ID, source=local, mac=mac)),
    ]


SPOOFED = [
    *everything("the guest", "tap1", GUEST),
    *everything("another MAC", "tap1", STRANGER),
    ("the frame of another, the guest's chaddr", "tap1", dhcp(DISCOVER, mac=STRANGER, chaddr=GUEST)),
    ("the guest's frame, the chaddr of another", "tap1", dhcp(DISCOVER, mac=GUEST, chaddr=STRANGER)),
    ("the guest's frame, the option of another in RS", "tap1", rs(options=slla(STRANGER))),
    ("the guest's frame, the option of another in NS", "tap1", ns(GATEWAY, options=slla(STRANGER))),
    ("a link-local that comes from no MAC", "tap1", rs(RANDOM_LOCAL, slla(GUEST))),
    ("the neighbour's MAC on this tap", "tap1", dhcp(DISCOVER, mac=OTHER)),
    *everything("MACSPOOF, the guest", "tap3", "aa:00:00:00:00:03"),
    *everything("MACSPOOF, another MAC", "tap3", STRANGER),
    ("MACSPOOF, the frame of one and the chaddr of another", "tap3", dhcp(DISCOVER, mac=STRANGER, chaddr=OTHER)),
]

WHOSE = [
    *everything("a tap without a binding", "tap9", GUEST),
    *everything("a tap whose binding is rejected", "tap4", GUEST),
    *everything("a bridged tap", "tap5", "aa:00:00:00:00:05"),
    *everything("captured on the bridge: the MAC decides", "br0", "aa:00:00:00:00:05"),
    *everything("captured on the bridge, a MAC that nobody has", "br0", STRANGER),
    *everything("captured on the bridge, a MAC that two have", "br0", "aa:00:00:00:00:07"),
    ("a name that no interface has", "tap\x1b[31m/1", dhcp(DISCOVER)),
]


def udp4(payload, ports, **rest):
    return frame(payload, ports=ports, **rest)


OTHERS = [
    ("ARP", "tap1", ethernet(GUEST, BROADCAST, 0x0806, bytes.fromhex("0001080006040001") + bytes(20))),
    ("DNS", "tap1", udp4(b"query", (5353, 53))),
    ("to port 68: a guest that plays server",
     "tap1", frame(bootp(OTHER, option(53, bytes([ACK])) + b"\xff", op=2), ports=(67, 68))),
    ("TCP to port 67", "tap1",
     ethernet(GUEST, ROUTER, 0x0800, ipv4(ADDRESS, "192.0.2.1", struct.pack(">HH", 1024, 67) + bytes(16), protocol=6))),
    ("a VLAN tag before it", "tap1", (lambda f: f[:12] + b"\x81\0\0\1" + f[12:])(dhcp(DISCOVER))),
    ("ping", "tap1", ethernet(GUEST, ROUTER, 0x86DD, ipv6(
        EUI64_LOCAL, "2001:db8::1", icmpv6(EUI64_LOCAL, "2001:db8::1", 128, bytes(4)), next_header=58))),
    ("DHCPv6 to port 546", "tap1", information(CLIENT_ID, ports=(547, 546))),
    ("IPv6 UDP to port 67", "tap1", ethernet(GUEST, BROADCAST, 0x86DD, ipv6(
        EUI64_LOCAL, "ff02::1", udp(EUI64_LOCAL, "ff02::1", bytes(300), ports=(68, 67))))),
    ("IPv4 cut in its header", "tap1", dhcp(DISCOVER)[: 14 + 19]),
    ("IPv4 cut behind the ports", "tap1", dhcp(DISCOVER)[: 14 + 24]),
    ("IPv6 cut in its header", "tap1", rs()[: 14 + 39]),
    ("RS cut behind its type", "tap1", rs()[: 14 + 41]),
    ("a frame of 13 bytes", "tap1", rs()[:13]),
    ("an empty frame", "tap1", b""),
]

TWO_GUESTS = {
    "tap1": binding(),
    "tap2": binding(OTHER, IP="192.0.2.11", EUI64="2001:db8::a800:ff:fe00:2"),
    "tap3": binding("aa:00:00:00:00:03", MACSPOOF="yes", IP="192.0.2.12", EUI64="2001:db8::a800:ff:fe00:3"),
}
BRIDGED = {
    "tap4": binding(IP="here"),
    "tap5": binding("aa:00:00:00:00:05", INDEV="br0", IP="192.0.2.15", EUI64="2001:db8::a800:ff:fe00:5"),
    "tap6": binding("aa:00:00:00:00:07", INDEV="br0", IP="192.0.2.16", EUI64="2001:db8::a800:ff:fe00:6"),
    "tap7": binding("aa:00:00:00:00:07", INDEV="br0", IP="192.0.2.17", EUI64="2001:db8::a800:ff:fe00:7"),
}

DISABLED_DHCP = "[dhcp]\nenable_dhcp = no\n[ipv6]\nrs_queue = 43\nns_queue = 44\ndhcpv6_queue = 45\n"
DISABLED_IPV6 = "[dhcp]\nserver_ip = 192.0.2.1\n[ipv6]\nenable_ipv6 = no\n"

NAMED_ROUTER = (
    "[general]\nrouter_mac = 02:00:00:00:00:aa\n[dhcp]\nserver_ip = 192.0.2.1\n"
    "[ipv6]\nrs_queue = 43\nns_queue = 44\ndhcpv6_queue = 45\nnameservers = 2001:db8::53\n"
)
NAMED_ROUTER_LOCAL = "fe80::ff:fe00:aa"


def with_named_router(label):
    """One of each kind, and solicitations for the router's link-local, with its name and without."""
    return [
        *everything(label, "tap1", GUEST),
        (f"{label}: RS from ::", "tap1", rs("::")),
        (f"{label}: NS for the link-local of router_mac", "tap1", ns(NAMED_ROUTER_LOCAL, options=slla(GUEST))),
        (f"{label}: detection of the link-local of router_mac", "tap1", ns(NAMED_ROUTER_LOCAL, "::")),
        (f"{label}: NS for the link-local of INDEV", "tap1", ns(ROUTER_LOCAL, options=slla(GUEST))),
    ]


CASES = [
    Case("identity-spoofing", SPOOFED, TWO_GUESTS),
    Case("identity-taps", WHOSE, BRIDGED),
    Case(
        "identity-by-mac",
        [
            *everything("tap1's guest", "", GUEST),
            *everything("tap2's guest", "", OTHER),
            *everything("nobody's", "", STRANGER),
        ],
        TWO_GUESTS,
    ),
    Case("router-mac-bridged", with_named_router("bridged"), {"tap1": binding(INDEV="br0")}, NAMED_ROUTER),
    Case("router-mac-routed", with_named_router("routed, another MAC"), {"tap1": binding()}, NAMED_ROUTER),
    Case("not-diverted", OTHERS, {"tap1": binding()}),
    Case("disabled-dhcp", everything("enable_dhcp is off", "", GUEST), {"tap1": binding()}, DISABLED_DHCP),
    Case("disabled-ipv6", everything("enable_ipv6 is off", "", GUEST), {"tap1": binding()}, DISABLED_IPV6),
    Case(
        "rate-limit",
        [("four per second, where one per second and two at once are allowed", "", dhcp(DISCOVER))] * 10,
        {"tap1": binding()},
        "[general]\nrate_limit = 1\nrate_burst = 2\n[dhcp]\nserver_ip = 192.0.2.1\n[ipv6]\nenable_ipv6 = no\n",
        250_000,
    ),
]
