"""Router and Neighbor Solicitations."""

from case import GUEST, OTHER, ROUTER, Case, binding
from wire import BROADCAST, ICMPV6, ethernet, icmpv6, ip, ipv6, slla

RS, RA, NS, NA = 133, 134, 135, 136
EUI64_LOCAL, RANDOM_LOCAL = "fe80::a800:ff:fe00:1", "fe80::3b74:ee6b:a31f:81c2"
OWN, GATEWAY, NEIGHBOR, ELSEWHERE = "2001:db8::a800:ff:fe00:1", "2001:db8::1", "2001:db8::77", "2001:db8:1::1"
PRIVACY = "2001:db8::f00d:1"
ROUTER_LOCAL = "fe80::ff:fe00:1"
ALL_ROUTERS = "ff02::2"


def multicast_mac(address):
    return "33:33:" + ip(address)[12:].hex(":")


def solicited_node(target):
    return f"ff02::1:ff{ip(target)[13]:02x}:{ip(target)[14]:02x}{ip(target)[15]:02x}"


def message(type_, body, *, source, to, mac=GUEST, code=0, sum_=None, ipv6_=None, before=b"", next_header=ICMPV6):
    """A frame with an ICMPv6 message; `before` are extension headers, of which the first is `next_header`."""
    payload = before + icmpv6(source, to, type_, body, code=code, sum_=sum_)
    packet = ipv6(source, to, payload, next_header=next_header, **(ipv6_ or {}))
    return ethernet(mac, multicast_mac(to) if to.startswith("ff") else ROUTER, 0x86DD, packet)


def rs(source=EUI64_LOCAL, options=b"", *, to=ALL_ROUTERS, **rest):
    return message(RS, bytes(4) + options, source=source, to=to, **rest)


def ns(target, source=EUI64_LOCAL, options=b"", *, to=None, **rest):
    return message(NS, bytes(4) + ip(target) + options, source=source, to=to or solicited_node(target), **rest)


def row(label, frame, tap=""):
    return (label, tap, frame)


def extension(next_header, length=0):
    """Hop-by-hop or destination options with nothing but padding."""
    return bytes([next_header, length, 1, length * 8 + 4]) + bytes(length * 8 + 4)


def option(kind, length=4, following=ICMPV6):
    """The same with one option in its eight bytes."""
    return bytes([following, 0, kind, length]) + bytes(4)


FRAGMENT = bytes([ICMPV6, 0, 0, 0, 0, 0, 0, 1])
FIRST_FRAGMENT = bytes([ICMPV6, 0, 0, 1, 0, 0, 0, 1])
LATER_FRAGMENT = bytes([ICMPV6, 0, 0, 8, 0, 0, 0, 1])
DETOUR = bytes([ICMPV6, 2, 0, 1]) + bytes(4) + ip(ELSEWHERE)
AT_ITS_END = bytes([ICMPV6, 2, 0, 0]) + bytes(4) + ip(ELSEWHERE)
NONCE = b"\x0e\1" + bytes(6)

ROUTER_SOLICITATIONS = [
    row("RS from a link-local of the MAC", rs(options=slla(GUEST))),
    row("RS from a link-local of no MAC", rs(RANDOM_LOCAL, slla(GUEST))),
    row("RS without an option", rs()),
    row("RS from ::", rs("::")),
    row("RS from a global address", rs(OWN, slla(GUEST))),
    row("RS to our link-local", rs(to=ROUTER_LOCAL)),
    row("RS with an option that we do not know", rs(options=NONCE)),
    row("RS from :: with a source link-layer option", rs("::", slla(GUEST))),
    row("RS with the MAC of another in its option", rs(options=slla(OTHER))),
    row("RS with two options that disagree", rs(options=slla(GUEST) + slla(OTHER))),
    row("RS with hop limit 254", rs(ipv6_={"hop_limit": 254})),
    row("RS with code 1", rs(code=1)),
    row("RS with a wrong checksum", rs(sum_=0x1234)),
    row("RS with an option of length 0", rs(options=b"\1\0" + bytes(6))),
    row("RS with an option beyond its end", rs(options=b"\1\2" + bytes(6))),
    row("RS with half an option", rs(options=b"\1")),
    row("RS of 4 bytes", message(RS, b"", source=EUI64_LOCAL, to=ALL_ROUTERS)),
    row("RS from a multicast address", rs("ff02::1")),
    row("RS from ::1", rs("::1")),
    row("RA from a guest, which the rules do not match", message(RA, bytes(12), source=EUI64_LOCAL, to="ff02::1")),
]

BINDINGS = {
    "tap1": ("usual", binding(MTU="1400")),
    "tap2": ("PRIVATE", binding(PRIVATE="yes")),
    "tap3": ("no gateway", binding(GATEWAY6="")),
    "tap4": ("a prefix that is not /64", binding(SUBNET6="2001:db8::/56")),
    "tap5": ("a prefix with host bits", binding(SUBNET6="2001:db8::5/64")),
    "tap6": ("an MTU that IPv6 does not allow", binding(MTU="1279")),
    "tap7": ("the least MTU", binding(MTU="1280")),
    "tap8": ("its own name servers and search list", binding(NAMESERVERS6="2001:db8::99", DOMAIN_SEARCH="guest.test")),
    "tap9": ("no IPv6", binding(SUBNET6="", GATEWAY6="", EUI64="")),
    "tap10": ("a link-local gateway", binding(GATEWAY6="fe80::1")),
    "tap11": ("a bridge", binding(INDEV="br0")),
    "tap12": ("another guest", binding(OTHER, EUI64="2001:db8::a800:ff:fe00:2")),
}


PORTAL = "https://portal.example.com/api"

FULL = {
    "tap1": ("what the node says", binding()),
    "tap2": ("several prefixes", binding(SUBNET6="2001:db8::/64, 2001:db8:1::/64, 2001:db8:2::5/128, 2001:db8:3::/56")),
    "tap3": ("one address and a link-local gateway", binding(SUBNET6="2001:db8::5/128", GATEWAY6="fe80::1", EUI64="")),
    "tap4": ("nothing but a delegated prefix", binding(SUBNET6="", EUI64="", PREFIX6="2001:db8:f00::/56")),
    "tap5": ("routes of every length and preference",
             binding(ROUTES6="2000::/3, 2001:db8:8000::/33 high, 2001:db8:ffff:ffff::/64 low, "
                             "2001:db8:ffff:fffe:8000::/65, 2001:db8::53/128 via 2001:db8::1 high")),
    "tap6": ("PRIVATE, with routes", binding(PRIVATE="yes", ROUTES6="2001:db8:ffff::/48")),
    "tap7": ("routes without a gateway", binding(GATEWAY6="", ROUTES6="2001:db8:ffff::/48")),
    "tap8": ("its own portal", binding(CAPTIVE_PORTAL="https://guest.test")),
    "tap9": ("a portal whose option has no padding", binding(CAPTIVE_PORTAL="https://p.test")),
    "tap10": ("the longest portal", binding(CAPTIVE_PORTAL="https://" + "x" * 247)),
    "tap11": ("more routes than fit: rejected", binding(ROUTES6=", ".join(f"2001:db8::{n:x}/128" for n in range(63)))),
    "tap12": ("more prefixes than fit: rejected",
              binding(SUBNET6=", ".join(f"2001:db8:{n:x}::/64" for n in range(40)))),
}

PREF64 = {
    f"tap{length}": (f"PREF64 of {length} bits", binding(PREF64=f"2001:db8:102:304::/{length}"))
    for length in (96, 64, 56, 48, 40, 32)
}


def solicitations(bindings):
    """A Router Solicitation from each guest."""
    for tap, (label, keys) in bindings.items():
        mac = keys["MAC"]
        yield row(f"RS: {label}", rs(options=slla(mac), mac=mac), tap)


def files(bindings):
    return {tap: keys for tap, (_, keys) in bindings.items()}


ANSWERED = [
    row("the gateway", ns(GATEWAY, options=slla(GUEST))),
    row("the gateway, from a global address", ns(GATEWAY, OWN, slla(GUEST))),
    row("the gateway, from a privacy address", ns(GATEWAY, PRIVACY, slla(GUEST))),
    row("the gateway, asked directly and without an option", ns(GATEWAY, to=GATEWAY)),
    row("our link-local", ns(ROUTER_LOCAL, options=slla(GUEST))),
    row("a neighbour", ns(NEIGHBOR, options=slla(GUEST))),
    row("a neighbour, from a privacy address", ns(NEIGHBOR, PRIVACY, slla(GUEST))),
    row("an address outside the prefix", ns(ELSEWHERE, options=slla(GUEST))),
    row("a link-local that is not ours", ns("fe80::5", options=slla(GUEST))),
    row("the guest's own address", ns(OWN, options=slla(GUEST))),
    row("the address that it is sent from", ns(PRIVACY, PRIVACY, slla(GUEST))),
    row("the gateway, sent from the gateway's address", ns(GATEWAY, GATEWAY, slla(GUEST))),
    row("detection of the guest's own address", ns(OWN, "::")),
    row("detection of its link-local", ns(EUI64_LOCAL, "::")),
    row("detection of a privacy address", ns(PRIVACY, "::")),
    row("detection of a privacy address with a nonce (RFC 7527)", ns(PRIVACY, "::", NONCE)),
    row("detection of the gateway's address: defended", ns(GATEWAY, "::")),
    row("detection of our link-local: defended", ns(ROUTER_LOCAL, "::")),
]

SEVERAL = binding(SUBNET6="2001:db8::/64, 2001:db8:1::/64, 2001:db8:2::5/128", IP6="2001:db8:1::99",
                  PREFIX6="2001:db8:1:0:f000::/68", GATEWAY6="2001:db8:1:0:f000::1")

ANSWERED_SEVERAL = [
    row("a neighbour in the first prefix", ns(NEIGHBOR)),
    row("a neighbour in the second prefix", ns("2001:db8:1::77")),
    row("the address beside the one of a /128", ns("2001:db8:2::6")),
    row("its address by SLAAC", ns(OWN)),
    row("its address by DHCPv6", ns("2001:db8:1::99")),
    row("its address of the /128", ns("2001:db8:2::5")),
    row("what is delegated to it, in the second prefix", ns("2001:db8:1:0:f000::77")),
    row("the gateway, in what is delegated", ns("2001:db8:1:0:f000::1")),
    row("detection of its address by DHCPv6", ns("2001:db8:1::99", "::")),
    row("detection of its address of the /128", ns("2001:db8:2::5", "::")),
    row("detection of the gateway's address: defended", ns("2001:db8:1:0:f000::1", "::")),
]

LINK_LOCAL_GATEWAY = binding(SUBNET6="2001:db8::5/128", GATEWAY6="fe80::1", EUI64="")

ANSWERED_LINK_LOCAL = [
    row("the gateway", ns("fe80::1", options=slla(GUEST))),
    row("the gateway, from its only address", ns("fe80::1", "2001:db8::5", slla(GUEST))),
    row("our link-local", ns(ROUTER_LOCAL)),
    row("its only address", ns("2001:db8::5")),
    row("an address beside it", ns("2001:db8::6")),
    row("detection of its only address", ns("2001:db8::5", "::")),
    row("detection of the gateway's address: defended", ns("fe80::1", "::")),
]

REFUSED = [
    row("NS with hop limit 254", ns(GATEWAY, ipv6_={"hop_limit": 254})),
    row("NS with code 1", ns(GATEWAY, code=1)),
    row("NS with a wrong checksum", ns(GATEWAY, sum_=0x1234)),
    row("NS with a multicast target", ns("ff02::1", to="ff02::1")),
    row("NS with an option of length 0", ns(GATEWAY, options=b"\1\0" + bytes(6))),
    row("NS with a source link-layer option of 16 bytes", ns(GATEWAY, options=b"\1\2" + bytes(14))),
    row("NS cut in the target", message(NS, bytes(4) + ip(GATEWAY)[:15], source=EUI64_LOCAL, to=ROUTER_LOCAL)),
    row("NS from :: with a source link-layer option", ns(GATEWAY, "::", slla(GUEST))),
    row("NS from :: to the gateway itself", ns(GATEWAY, "::", to=GATEWAY)),
    row("NS from :: to another solicited-node address", ns(GATEWAY, "::", to=solicited_node(NEIGHBOR))),
    row("NS from :: to all nodes", ns(GATEWAY, "::", to="ff02::1")),
    row("NS with the MAC of another in its option", ns(GATEWAY, options=slla(OTHER))),
    row("NS from a multicast address", ns(GATEWAY, "ff02::2")),
    row("NA from a guest, which the rules do not match",
        message(NA, b"\x20\0\0\0" + ip(GATEWAY), source=EUI64_LOCAL, to="ff02::1")),
]

EXTENSIONS = [
    row("RS behind hop-by-hop options", rs(before=extension(ICMPV6), next_header=0)),
    row("RS behind hop-by-hop and destination options", rs(before=extension(60) + extension(ICMPV6, 1), next_header=0)),
    row("RS behind a routing header at its end", rs(before=AT_ITS_END, next_header=43)),
    row("RS behind a routing header with further to go", rs(before=DETOUR, next_header=43)),
    row("RS with a fragment header (RFC 6980)", rs(before=FRAGMENT, next_header=44)),
    row("NS with a fragment header (RFC 6980)", ns(GATEWAY, before=FRAGMENT, next_header=44)),
    row("RS, first fragment", rs(before=FIRST_FRAGMENT, next_header=44)),
    row("RS, later fragment, which the rules do not match", rs(before=LATER_FRAGMENT, next_header=44)),
    row("RS behind an authentication header",
        rs(before=bytes([ICMPV6, 1]) + bytes(10), next_header=51)),
    row("RS behind six extension headers", rs(before=extension(60) * 5 + extension(ICMPV6), next_header=60)),
    row("RS behind seven extension headers", rs(before=extension(60) * 6 + extension(ICMPV6), next_header=60)),
    row("RS behind an extension header that goes beyond the packet: no rule finds it",
        rs(before=bytes([ICMPV6, 255, 1, 4, 0, 0, 0, 0]), next_header=0)),
    row("RS with a payload length beyond the packet", rs(ipv6_={"length": 100})),
    row("RS with a payload length that cuts it", rs(ipv6_={"length": 6})),
    row("RS with padding behind the packet", rs() + bytes(20)),
    row("IPv6 version 4", rs(ipv6_={"first": 0x40})),
    row("RS with padding beyond its header", rs(before=option(1, 64), next_header=60)),
    row("NS with a hop-by-hop option beyond its header", ns(GATEWAY, before=option(5, 5), next_header=0)),
    row("RS with a router alert", rs(before=bytes([ICMPV6, 0, 5, 2, 0, 0, 1, 0]), next_header=0)),
    row("RS with an option that may be passed over", rs(before=option(0x3E), next_header=60)),
    row("RS with an option to discard it for", rs(before=option(0x41), next_header=60)),
    row("NS with an option to discard it for", ns(GATEWAY, before=option(0x81), next_header=60)),
    row("RS with a hop-by-hop option to discard it for", rs(before=option(0xC1), next_header=0)),
    row("the guest's own address with an option to discard it for", ns(OWN, before=option(0xC1), next_header=60)),
    row("RS with as much padding as there can be",
        rs(before=bytes([ICMPV6, 255]) + bytes(2046), next_header=60)),
]

BROADCAST_RS = ethernet(GUEST, BROADCAST, 0x86DD, rs()[14:])

CASES = [
    Case("router-solicitations", ROUTER_SOLICITATIONS + [row("RS in a broadcast frame", BROADCAST_RS)],
         {"tap1": binding()}),
    Case("router-advertisements", list(solicitations(BINDINGS)), files(BINDINGS)),
    Case(
        "router-advertisements-full",
        list(solicitations(FULL | PREF64)),
        files(FULL | PREF64),
        "[dhcp]\nenable_dhcp = no\n[ipv6]\nrs_queue = 43\nns_queue = 44\nnameservers = 2001:db8::53\n"
        "domains = example.com\nrouter_preference = high\ndns_lifetime = 1200\nroute_lifetime = 2400\n"
        "pref64_lifetime = 65521\nroutes = 2001:db8:4000::/34 low\npref64 = 64:ff9b::/96\n"
        f"captive_portal = {PORTAL}\n",
    ),
    Case(
        "router-advertisements-slaac",
        [row("RS in mode slaac", rs()), row("NS in mode slaac", ns(GATEWAY))],
        {"tap1": binding()},
        "[dhcp]\nenable_dhcp = no\n[ipv6]\nmode = slaac\nrs_queue = 43\nns_queue = 44\nra_period = 30\n",
    ),
    Case(
        "router-advertisements-lifetimes",
        [row("RS", rs())],
        {"tap1": binding()},
        "[dhcp]\nenable_dhcp = no\n[ipv6]\nrs_queue = 43\nns_queue = 44\nra_period = 1000\nrouter_lifetime = 9000\n"
        "prefix_valid_lifetime = 7200\nprefix_preferred_lifetime = 3600\nnameservers = 2001:db8::53\n",
    ),
    Case(
        "router-advertisements-dhcpv6",
        [row("RS in mode dhcpv6", rs()), row("NS without a queue", ns(GATEWAY))],
        {"tap1": binding()},
        "[dhcp]\nenable_dhcp = no\n[ipv6]\nmode = dhcpv6\nrs_queue = 43\ndhcpv6_queue = 45\nnameservers = 2001:db8::53\n",
    ),
    Case(
        "router-advertisements-stateful",
        [row("RS in mode slaac+stateful", rs())],
        {"tap1": binding()},
        "[dhcp]\nenable_dhcp = no\n[ipv6]\nmode = slaac+stateful\nrs_queue = 43\nns_queue = 44\ndhcpv6_queue = 45\n"
        "router_preference = low\n",
    ),
    Case("neighbor-solicitations-routed", ANSWERED + REFUSED, {"tap1": binding()}),
    Case("neighbor-solicitations-prefixes", ANSWERED_SEVERAL, {"tap1": SEVERAL}),
    Case("neighbor-solicitations-link-local-gateway", ANSWERED_LINK_LOCAL, {"tap1": LINK_LOCAL_GATEWAY}),
    Case("neighbor-solicitations-bridged", ANSWERED, {"tap1": binding(INDEV="br0")}),
    Case("ipv6-extension-headers", EXTENSIONS, {"tap1": binding()}),
]
