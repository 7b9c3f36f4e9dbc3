"""DHCPv4 and BOOTP."""

import struct

import nd
from case import GUEST, OTHER, ROUTER, Case, binding
from wire import BROADCAST, bootp, ethernet, ip, ipv4, option, udp

SERVER, ADDRESS, WRONG, RELAY = "192.0.2.1", "192.0.2.10", "192.0.2.99", "192.0.2.200"
DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)
END = b"\xff"
# What dhclient asks for, more or less.
USUAL_LIST = option(55, bytes([1, 28, 2, 3, 15, 6, 119, 12, 26, 121, 42, 51]))


def frame(payload, *, mac=GUEST, source="0.0.0.0", to="255.255.255.255", to_mac=BROADCAST, ports=(68, 67), udp_=None,
          ipv4_=None):
    """A frame with a BOOTP message. `udp_` and `ipv4_` are what those layers get wrong."""
    datagram = udp(source, to, payload, ports=ports, **(udp_ or {}))
    return ethernet(mac, to_mac, 0x0800, ipv4(source, to, datagram, **(ipv4_ or {})))


def dhcp(kind, *options, mac=GUEST, chaddr=None, layers=None, prl=USUAL_LIST, end=END, **fields):
    """A message of a client; `kind` None is BOOTP."""
    kind = b"" if kind is None else option(53, bytes([kind]))
    options = kind + b"".join(options) + (prl if kind else b"") + end
    return frame(bootp(chaddr or mac, options, **fields), mac=mac, **(layers or {}))


def requested(address):
    return option(50, ip(address))


def server(address):
    return option(54, ip(address))


def from_client(address=ADDRESS):
    return {"source": address, "to": SERVER, "to_mac": ROUTER}


def row(label, message, tap=""):
    return (label, tap, message)


MESSAGES = [
    row("DISCOVER", dhcp(DISCOVER)),
    row("DISCOVER that would like another address", dhcp(DISCOVER, requested(WRONG))),
    row("DISCOVER with rapid commit, which the configuration does not allow", dhcp(DISCOVER, option(80))),
    row("REQUEST, selecting us", dhcp(REQUEST, requested(ADDRESS), server(SERVER))),
    row("REQUEST, selecting us, with a wrong address", dhcp(REQUEST, requested(WRONG), server(SERVER))),
    row("REQUEST, selecting us, without option 50 but with ciaddr", dhcp(REQUEST, server(SERVER), ciaddr=ADDRESS)),
    row("REQUEST, selecting us, without any address", dhcp(REQUEST, server(SERVER))),
    row("REQUEST, selecting another server", dhcp(REQUEST, requested(ADDRESS), server("192.0.2.2"))),
    row("REQUEST, init-reboot", dhcp(REQUEST, requested(ADDRESS))),
    row("REQUEST, init-reboot with a wrong address", dhcp(REQUEST, requested(WRONG))),
    row("REQUEST, renewing", dhcp(REQUEST, ciaddr=ADDRESS, layers=from_client())),
    row("REQUEST, renewing a wrong address", dhcp(REQUEST, ciaddr=WRONG, layers=from_client(WRONG))),
    row("REQUEST, rebinding", dhcp(REQUEST, ciaddr=ADDRESS, layers={"source": ADDRESS})),
    row("REQUEST, rebinding a wrong address", dhcp(REQUEST, ciaddr=WRONG, layers={"source": WRONG})),
    row("REQUEST with ciaddr and option 50", dhcp(REQUEST, requested(ADDRESS), ciaddr=ADDRESS)),
    row("REQUEST with nothing", dhcp(REQUEST)),
    row("INFORM", dhcp(INFORM, ciaddr=ADDRESS, layers=from_client())),
    row("INFORM of an address that is not the guest's", dhcp(INFORM, ciaddr=WRONG, layers=from_client(WRONG))),
    row("INFORM without ciaddr from an address", dhcp(INFORM, layers={"source": ADDRESS})),
    row("INFORM without ciaddr from 0.0.0.0", dhcp(INFORM)),
    row("RELEASE", dhcp(RELEASE, server(SERVER), ciaddr=ADDRESS, layers=from_client(), prl=b"")),
    row("DECLINE", dhcp(DECLINE, requested(ADDRESS), server(SERVER), prl=b"")),
    row("BOOTP with a cookie", dhcp(None)),
    row("BOOTP without a cookie", frame(bootp(GUEST, bytes(60), cookie=bytes(4)))),
    row("BOOTP with a client id and a list, neither of which BOOTP has",
        dhcp(None, option(61, b"\1" + bytes(6)), USUAL_LIST)),
    row("OFFER from a guest", dhcp(OFFER)),
    row("ACK from a guest", dhcp(ACK)),
    row("NAK from a guest", dhcp(NAK)),
    row("an unknown message type", dhcp(18)),
    row("message type 0", dhcp(0)),
    row("a reply by its op", dhcp(DISCOVER, op=2)),
    row("BOOTP reply by its op", dhcp(None, op=2)),
    row("op 0", dhcp(DISCOVER, op=0)),
]

ADDRESSING = [
    row("broadcast flag", dhcp(DISCOVER, flags=0x8000)),
    row("flags that nobody has defined are the client's", dhcp(DISCOVER, flags=0x0001)),
    row("REQUEST with the broadcast flag", dhcp(REQUEST, requested(ADDRESS), flags=0x8000)),
    row("renewing with the broadcast flag: ciaddr comes first", dhcp(REQUEST, ciaddr=ADDRESS, flags=0x8000)),
    row("relayed", dhcp(DISCOVER, giaddr=RELAY, hops=1, layers={"source": RELAY, "to": SERVER, "ports": (67, 67)})),
    row("relayed with ciaddr: giaddr comes first", dhcp(REQUEST, giaddr=RELAY, ciaddr=ADDRESS, hops=1)),
    row("relayed NAK", dhcp(REQUEST, requested(WRONG), giaddr=RELAY, hops=1)),
    row("relayed INFORM goes to ciaddr", dhcp(INFORM, giaddr=RELAY, ciaddr=ADDRESS, hops=1)),
    row("relayed BOOTP", dhcp(None, giaddr=RELAY, hops=1)),
    row("BOOTP with ciaddr", dhcp(None, ciaddr=ADDRESS)),
    row("BOOTP with the broadcast flag", dhcp(None, flags=0x8000)),
    row("another source port is answered at 68", dhcp(DISCOVER, layers={"ports": (1068, 67)})),
    row("secs, hops, sname, file, siaddr and yiaddr are not echoed",
        dhcp(DISCOVER, secs=7, hops=3, sname=b"sname", file=b"file", siaddr=WRONG, yiaddr=WRONG)),
]

CLIENT_ID = option(61, bytes.fromhex("ff0a0000010001000102030405060708"))
AGENT = option(82, bytes.fromhex("0104706f7274020372656d"))


def fqdn(flags, name):
    return option(81, bytes([flags, 0, 0]) + name)


OPTIONS = [
    row("no parameter request list: everything", dhcp(DISCOVER, prl=b"")),
    row("an empty list: nothing", dhcp(DISCOVER, prl=option(55))),
    row("the list gives the order", dhcp(DISCOVER, prl=option(55, bytes([119, 121, 15, 12, 6, 3, 1])))),
    row("a code twice in the list comes once", dhcp(DISCOVER, prl=option(55, bytes([6, 6, 3, 6])))),
    row("249 and 121", dhcp(DISCOVER, prl=option(55, bytes([249, 121])))),
    row("codes that we do not have, and fixed ones", dhcp(DISCOVER, prl=option(55, bytes([200, 53, 54, 51, 255, 0, 1])))),
    row("108 and 114, which are not configured", dhcp(DISCOVER, prl=option(55, bytes([108, 114, 3])))),
    row("a list in two parts (RFC 3396)", dhcp(DISCOVER, prl=option(55, bytes([15])) + option(55, bytes([3])))),
    row("a list in an overloaded file field",
        dhcp(DISCOVER, option(52, b"\1"), prl=b"", file=option(55, bytes([3])) + END)),
    row("client id: echoed", dhcp(DISCOVER, CLIENT_ID)),
    row("client id in a NAK: echoed", dhcp(REQUEST, requested(WRONG), CLIENT_ID)),
    row("client id in two parts", dhcp(DISCOVER, option(61, b"\0" + b"a" * 254), option(61, b"b" * 6))),
    row("an empty client id: echoed as it is", dhcp(DISCOVER, option(61))),
    row("relay agent information: echoed last", dhcp(DISCOVER, AGENT, giaddr=RELAY)),
    row("relay agent information in a NAK", dhcp(REQUEST, requested(WRONG), CLIENT_ID, AGENT, giaddr=RELAY)),
    row("FQDN, the server shall update", dhcp(DISCOVER, fqdn(1, b"me"))),
    row("FQDN, the client updates", dhcp(DISCOVER, fqdn(0, b"me"))),
    row("FQDN in label form", dhcp(DISCOVER, fqdn(5, b"\2me\0"))),
    row("FQDN, no update", dhcp(REQUEST, requested(ADDRESS), fqdn(8, b""))),
    row("hostname of the client: ours is given", dhcp(DISCOVER, option(12, b"\x1b[31mred"))),
    row("options behind the end are none", dhcp(DISCOVER, prl=END + USUAL_LIST)),
    row("pad between options", dhcp(DISCOVER, b"\0\0\0")),
    row("no end option", dhcp(DISCOVER, end=b"")),
    row("DISCOVER asks for another lease time", dhcp(DISCOVER, option(51, struct.pack(">I", 60)))),
]


def limited(size, *options):
    return dhcp(DISCOVER, option(57, struct.pack(">H", size)), *options, prl=b"")


SIZES = [
    row("no option 57: 576", dhcp(DISCOVER, prl=b"")),
    row("300: 576", limited(300)),
    row("576", limited(576)),
    row("577", limited(577)),
    row("800", limited(800)),
    row("1000", limited(1000)),
    row("1500", limited(1500)),
    row("65535: 1500", limited(65535)),
    row("576 with a long client id", limited(576, option(61, b"\0" * 255))),
    row("576 with so much relay agent information that nothing fits",
        limited(576, *[option(82, b"\1\xfd" + b"a" * 253)] * 2)),
    row("BOOTP has no option overload", dhcp(None)),
    row("576 with a list that begins with what is short",
        dhcp(DISCOVER, option(57, b"\2\x40"), prl=option(55, bytes([3, 6, 15, 12, 119, 121])))),
    row("NAK is short", dhcp(REQUEST, requested(WRONG))),
]

LONG_SEARCH = ", ".join(f"department-{number}.subsidiary.example.com" for number in range(12))
ROUTES = ", ".join(f"198.51.{number}.0/24 via 192.0.2.254" for number in range(40))

BINDINGS = {
    "tap1": ("usual", binding(MTU="1400")),
    "tap2": ("/32 with a gateway elsewhere", binding(SUBNET="192.0.2.10/32", GATEWAY="198.51.100.1")),
    "tap3": ("no SUBNET: the same as /32", binding(SUBNET=None)),
    "tap4": ("gateway outside the subnet", binding(GATEWAY="198.51.100.1")),
    "tap5": ("no gateway", binding(GATEWAY="")),
    "tap6": ("PRIVATE", binding(PRIVATE="yes")),
    "tap7": ("PRIVATE with routes", binding(PRIVATE="1", ROUTES="198.51.100.0/24 via 192.0.2.254")),
    "tap8": ("routes of every length", binding(ROUTES="198.51.100.128/25 via 192.0.2.254, 203.0.113.0/24 via 0.0.0.0, "
                                               "10.0.0.0/8 via 192.0.2.253, 192.0.2.77/32 via 192.0.2.252")),
    "tap9": ("its own name servers, domain and search list",
             binding(NAMESERVERS="198.51.100.53", DOMAIN="guest.test", DOMAIN_SEARCH="guest.test")),
    "tap10": ("a short lease", binding(LEASE_LIFETIME="60")),
    "tap11": ("a lease for ever", binding(LEASE_LIFETIME="4294967295")),
    "tap12": ("a name with a domain", binding(HOSTNAME="guest.sub.example.org")),
    "tap13": ("no IP", binding(IP="", SUBNET="", GATEWAY="")),
    "tap14": ("/31", binding(SUBNET="192.0.2.10/31", GATEWAY="192.0.2.11")),
    "tap15": ("as a sloppy hook writes it", binding(MAC='"AA-00-00-00-00-01"', HOSTNAME="'guest'", MTU="")),
    "tap16": ("PRIVATE=no is unset, with a warning", binding(PRIVATE="no")),
    "tap17": ("a gateway outside, private, with routes: the gateway itself is reachable",
              binding(GATEWAY="198.51.100.1", PRIVATE="1", ROUTES="203.0.113.0/24 via 198.51.100.1")),
    "tap18": ("IP outside SUBNET: rejected", binding(IP="198.51.100.7")),
    "tap19": ("no MAC: rejected", binding(MAC=None)),
    "tap20": ("more than fits 1,500 bytes: rejected",
              binding(DOMAIN_SEARCH=", ".join(f"{'a' * 60}.{number}.example.com" for number in range(40)))),
}
BINDING_FRAMES = [
    row(f"{label}: {what}", dhcp(kind, *options, prl=b""), tap)
    for tap, (label, _) in BINDINGS.items()
    for what, kind, options in [("DISCOVER", DISCOVER, ()), ("REQUEST", REQUEST, (requested(ADDRESS),))]
]

TRUNCATED = bootp(GUEST, option(53, b"\1"))
MALFORMED = [
    row("option length beyond the end", dhcp(DISCOVER, end=b"\x0c\xff")),
    row("option without a length", dhcp(DISCOVER, end=b"\x0c")),
    row("option 53 empty", dhcp(None, option(53))),
    row("option 53 of two bytes", dhcp(None, option(53, b"\1\1"))),
    row("option 53 twice", dhcp(DISCOVER, option(53, b"\3"))),
    row("option 50 of three bytes", dhcp(REQUEST, option(50, b"\1\2\3"))),
    row("option 54 of five bytes", dhcp(REQUEST, option(54, bytes(5)))),
    row("option 57 of one byte", dhcp(DISCOVER, option(57, b"\1"))),
    row("option 52 with a value that it cannot have", dhcp(DISCOVER, option(52, b"\4"))),
    row("overloaded file with an option that never ends", dhcp(DISCOVER, option(52, b"\1"), file=b"\xc8" * 128)),
    row("overload within the overloaded field", dhcp(DISCOVER, option(52, b"\1"), file=option(52, b"\2") + END)),
    row("option 81 of two bytes", dhcp(DISCOVER, option(81, b"\0\0"))),
    row("another hardware type", dhcp(DISCOVER, htype=6)),
    row("an hlen of 0", dhcp(DISCOVER, hlen=0)),
    row("an hlen of 255", dhcp(DISCOVER, hlen=255)),
    row("message cut in the fixed fields", frame(TRUNCATED[:235])),
    row("message cut before the cookie: BOOTP", frame(TRUNCATED[:236])),
    row("message cut in the cookie", frame(TRUNCATED[:238])),
    row("message cut in an option", frame(TRUNCATED[:242])),
    row("empty UDP payload", frame(b"")),
    row("UDP length beyond the packet", dhcp(DISCOVER, layers={"udp_": {"length": 1000}})),
    row("UDP length under 8", dhcp(DISCOVER, layers={"udp_": {"length": 7}})),
    row("UDP length shorter than the message", dhcp(DISCOVER, layers={"udp_": {"length": 100, "sum_": 0}})),
    row("wrong UDP checksum", dhcp(DISCOVER, layers={"udp_": {"sum_": 0x1234}})),
    row("no UDP checksum, which is right", dhcp(DISCOVER, layers={"udp_": {"sum_": 0}})),
    row("wrong IPv4 checksum", dhcp(DISCOVER, layers={"ipv4_": {"sum_": 0x1234}})),
    row("IPv4 total length beyond the packet", dhcp(DISCOVER, layers={"ipv4_": {"length": 1400}})),
    row("IPv4 total length shorter than the header", dhcp(DISCOVER, layers={"ipv4_": {"length": 19}})),
    row("IPv4 header length of 4 words", dhcp(DISCOVER, layers={"ipv4_": {"first": 0x44}})),
    row("IPv4 version 5", dhcp(DISCOVER, layers={"ipv4_": {"first": 0x55}})),
    row("IPv4 options are skipped", dhcp(DISCOVER, layers={"ipv4_": {"options": b"\x94\4\0\0"}})),
    row("first fragment", dhcp(DISCOVER, layers={"ipv4_": {"fragment": 0x2000}})),
    row("a later fragment, which the rules do not match", dhcp(DISCOVER, layers={"ipv4_": {"fragment": 0x0010}})),
    row("don't fragment is fine", dhcp(DISCOVER, layers={"ipv4_": {"fragment": 0x4000}})),
    row("source 255.255.255.255", dhcp(DISCOVER, layers={"source": "255.255.255.255"})),
    row("source 224.0.0.1", dhcp(DISCOVER, layers={"source": "224.0.0.1"})),
    row("source 127.0.0.1", dhcp(DISCOVER, layers={"source": "127.0.0.1"})),
    row("INFORM from 240.0.0.1", dhcp(INFORM, layers={"source": "240.0.0.1"})),
    row("ciaddr 127.0.0.1", dhcp(INFORM, ciaddr="127.0.0.1")),
    row("ciaddr 224.0.0.1", dhcp(INFORM, ciaddr="224.0.0.1")),
    row("giaddr 255.255.255.255", dhcp(DISCOVER, giaddr="255.255.255.255")),
    row("padding behind the packet", dhcp(DISCOVER) + bytes(30)),
    row("a chaddr of a neighbour", dhcp(DISCOVER, chaddr=OTHER)),
    row("the largest packet", dhcp(DISCOVER, *[option(43, bytes(255))] * 253)),
]

def ask(*codes, **fields):
    return dhcp(DISCOVER, prl=option(55, bytes(codes)), **fields)


RAW_NODE = """\
[dhcp]
server_ip = 192.0.2.1
nameservers = 192.0.2.53
ntp = 192.0.2.123
captive_portal = https://portal.example.com/api
option_43 = hex:0104c0000201
option_252 = text:http://wpad.example.com/wpad.dat
[ipv6]
enable_ipv6 = no
"""
RAW = {
    "tap1": ("the node's", binding()),
    "tap2": ("its own", binding(NTP="198.51.100.123, 2001:db8::123", CAPTIVE_PORTAL="https://guest.example.com",
                                OPTION_252="text:http://guest.example.com/wpad.dat", OPTION_4="ip:192.0.2.4")),
    "tap3": ("in place of what would be said", binding(OPTION_6="ip:192.0.2.99", OPTION_12="text:other",
                                                       OPTION_28="hex:ff:ff:ff:ff")),
    "tap4": ("longer than one option holds (RFC 3396)", binding(OPTION_224=f"hex:{'0a' * 300}")),
    "tap5": ("a code that follows from elsewhere: rejected", binding(OPTION_3="ip:192.0.2.99")),
    "tap6": ("no value that can be read: rejected", binding(OPTION_43="0104c0000201")),
    "tap7": ("more than fits 1,500 bytes: rejected by its key", binding(OPTION_224=f"hex:{'0a' * 1000}",
                                                                        OPTION_225=f"hex:{'0b' * 600}")),
    "tap8": ("the class of BOOTP", binding(OPTION_60="text:nobody")),
}
RAW_FRAMES = [
    row(f"{label}: {what}", message, tap)
    for tap, (label, _) in RAW.items()
    for what, message in [
        ("asked for", ask(252, 43, 42, 114, 4, 6, 12, 28, 60, 224)),
        ("not asked for", ask(3)),
        ("no list", dhcp(DISCOVER, option(57, b"\5\xdc"), prl=b"")),
        ("BOOTP", dhcp(None)),
    ]
]

METADATA = "169.254.169.254/32 via"
ON_LINK_NODE = """\
[dhcp]
server_ip = 192.0.2.1
routes = 169.254.169.254/32 via 0.0.0.0
[ipv6]
enable_ipv6 = no
"""
LINK_LOCAL = {"SUBNET": "192.0.2.10/32", "GATEWAY": "169.254.1.1"}
ON_LINK = {
    "tap1": ("/32, gateway 169.254.1.1, the node's metadata route", binding(**LINK_LOCAL)),
    "tap2": ("/32, gateway 169.254.1.1, metadata by the gateway",
             binding(**LINK_LOCAL, ROUTES=f"{METADATA} 169.254.1.1")),
    "tap3": ("/32, gateway 169.254.1.1, metadata on the link and another route",
             binding(**LINK_LOCAL, ROUTES=f"{METADATA} 0.0.0.0, 198.51.100.0/24 via 169.254.1.1")),
    "tap4": ("no SUBNET, gateway 169.254.1.1", binding(SUBNET=None, GATEWAY="169.254.1.1")),
    "tap5": ("/32, private: no default route", binding(**LINK_LOCAL, PRIVATE="1")),
    "tap6": ("/32 without gateway", binding(SUBNET="192.0.2.10/32", GATEWAY=None)),
    "tap7": ("/24, gateway in it: metadata by the gateway", binding(ROUTES=f"{METADATA} 192.0.2.1")),
}
ON_LINK_FRAMES = [
    row(f"{label}: {what}", message, tap)
    for tap, (label, _) in ON_LINK.items()
    for what, message in [
        ("121 and 3", ask(1, 121, 3)),
        ("3 alone", ask(1, 3)),
        ("249", ask(1, 3, 249)),
        ("REQUEST without a list", dhcp(REQUEST, requested(ADDRESS), prl=b"")),
        ("BOOTP", dhcp(None)),
    ]
]

MOSTLY_NODE = """\
[dhcp]
server_ip = 192.0.2.1
nameservers = 192.0.2.53
v6only_wait = 1800
[ipv6]
rs_queue = 43
ns_queue = 44
nameservers = 2001:db8::64
pref64 = 64:ff9b::/96
"""
MOSTLY = {
    "tap1": ("it can do without IPv4", binding()),
    "tap2": ("with a time of its own", binding(V6ONLY_WAIT="300")),
    "tap3": ("no GATEWAY6", binding(GATEWAY6=None)),
    "tap4": ("private", binding(PRIVATE="1", V6ONLY_WAIT="300")),
    "tap5": ("no IPv6", binding(SUBNET6=None, GATEWAY6=None, EUI64=None, V6ONLY_WAIT="300")),
    "tap6": ("what is set in vain", binding(IP6="2001:db8::10", PREFIX6="2001:db8:f::/56",
                                            BOOTFILE_HTTP="bootx64.efi")),
}
MOSTLY_FRAMES = [
    row(f"{label}: {what}", message, tap)
    for tap, (label, _) in MOSTLY.items()
    for what, message in [
        ("DISCOVER that asks for 108", ask(1, 3, 6, 108)),
        ("DISCOVER that does not", ask(1, 3, 6)),
        ("REQUEST that asks for 108", dhcp(REQUEST, requested(ADDRESS), prl=option(55, bytes([1, 108])))),
        ("no list", dhcp(DISCOVER, prl=b"")),
        ("BOOTP with a list", dhcp(None, option(55, bytes([1, 108])))),
        ("NAK", dhcp(REQUEST, requested(WRONG), prl=option(55, bytes([1, 108])))),
        ("what its router says of NAT64 and name servers", nd.rs()),
    ]
]

SIMPLE = {"tap1": binding(MTU="1400", ROUTES="198.51.100.0/24 via 192.0.2.254")}
CASES = [
    Case("dhcpv4-messages", MESSAGES, SIMPLE),
    Case("dhcpv4-addressing", ADDRESSING, SIMPLE),
    Case("dhcpv4-options", OPTIONS, SIMPLE),
    Case("dhcpv4-sizes", SIZES, {"tap1": binding(DOMAIN_SEARCH=LONG_SEARCH, ROUTES=ROUTES)}),
    Case("dhcpv4-bindings", BINDING_FRAMES, {tap: keys for tap, (_, keys) in BINDINGS.items()}),
    Case("dhcpv4-malformed", MALFORMED, SIMPLE),
    Case("dhcpv4-raw-options", RAW_FRAMES, {tap: keys for tap, (_, keys) in RAW.items()}, RAW_NODE),
    Case("dhcpv4-on-link-gateway", ON_LINK_FRAMES, {tap: keys for tap, (_, keys) in ON_LINK.items()}, ON_LINK_NODE),
    Case("dhcpv4-ipv6-mostly", MOSTLY_FRAMES, {tap: keys for tap, (_, keys) in MOSTLY.items()}, MOSTLY_NODE),
    Case(
        "dhcpv4-rapid-commit",
        [
            row("DISCOVER with rapid commit", dhcp(DISCOVER, option(80))),
            row("DISCOVER without", dhcp(DISCOVER)),
            row("REQUEST with rapid commit, where it means nothing", dhcp(REQUEST, requested(ADDRESS), option(80))),
        ],
        SIMPLE,
        "[dhcp]\nserver_ip = 192.0.2.1\nrapid_commit = yes\n[ipv6]\nenable_ipv6 = no\n",
    ),
    Case(
        "dhcpv4-server-on-link",
        [
            row("the gateway is the server", dhcp(DISCOVER), "tap1"),
            row("selecting the gateway", dhcp(REQUEST, requested(ADDRESS), server("192.0.2.254")), "tap1"),
            row("selecting another", dhcp(REQUEST, requested(ADDRESS), server("192.0.2.1")), "tap1"),
            row("no gateway: the first address of the subnet", dhcp(DISCOVER), "tap2"),
            row("the guest has that one: the second", dhcp(DISCOVER), "tap3"),
            row("/32 without gateway: rejected", dhcp(DISCOVER), "tap4"),
            row("PRIVATE: the server is the gateway, the router is not told", dhcp(DISCOVER), "tap5"),
        ],
        {
            "tap1": binding(GATEWAY="192.0.2.254"),
            "tap2": binding(GATEWAY=None),
            "tap3": binding(GATEWAY=None, IP="192.0.2.1"),
            "tap4": binding(GATEWAY=None, SUBNET=None),
            "tap5": binding(GATEWAY="192.0.2.254", PRIVATE="1"),
        },
        "[dhcp]\nserver_on_link = yes\n[ipv6]\nenable_ipv6 = no\n",
    ),
]
