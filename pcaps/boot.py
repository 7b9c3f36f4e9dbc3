"""Network boot over DHCPv4: firmware and loaders as they introduce themselves, and what each is given to boot."""

import struct

from case import Case, binding
from dhcpv4 import ADDRESS, DISCOVER, INFORM, REQUEST, WRONG, dhcp, from_client, requested, row, server
from dhcpv4 import SERVER as DHCP_SERVER
from wire import option

BIOS, EFI32, EFI64_OLD, EFI64, ARM64 = 0, 6, 7, 9, 11
HTTP_EFI64, HTTP_ARM64 = 16, 19
UUID = option(97, b"\0" + bytes.fromhex("4c4c4544004d3510804ac3c04f4d3132"))


def architecture(*numbers):
    return option(93, b"".join(struct.pack(">H", number) for number in numbers))


def vendor_class(name, number, undi="003016"):
    return option(60, f"{name}:Arch:{number:05}:UNDI:{undi}".encode())


def uefi(name, number, *, kind=DISCOVER, more=(), asked=None):
    """The firmware of a virtual machine: the order of its options, what it asks for, what it takes at most."""
    usual = [1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58, 59, 60, 66, 67, 97]
    pxe = [128, 129, 130, 131, 132, 133, 134, 135] if name == "PXEClient" else []
    options = [
        option(57, struct.pack(">H", 1472)),
        option(55, bytes(usual + pxe if asked is None else asked)),
        UUID,
        option(94, b"\1\3\x10"),
        architecture(number),
        vendor_class(name, number),
    ]
    return dhcp(kind, *more, *options, prl=b"")


# Bus and card, version 1.0.0, and a protocol or two.
FEATURES = bytes.fromhex("b1050180861000 eb03010000 170101 220101 130101 190101 100102")


def ipxe(number, *, kind=DISCOVER, user_class=b"iPXE", more=()):
    """iPXE, which says in option 60 what its machine would be, and in option 175 what it can do."""
    wanted = [1, 3, 6, 7, 12, 15, 17, 26, 42, 43, 60, 66, 67, 119, 128, 129, 130, 131, 132, 133, 134, 135, 175, 203]
    options = [
        option(57, struct.pack(">H", 1472)),
        architecture(number),
        option(94, b"\1\3\x0a"),
        vendor_class("PXEClient", number, "003010"),
        *([option(77, user_class)] if user_class else []),
        option(55, bytes(wanted)),
        option(175, FEATURES),
        option(61, bytes.fromhex("01aa0000000001")),
        UUID,
    ]
    return dhcp(kind, *more, *options, prl=b"")


def selecting():
    return (requested(ADDRESS), server(DHCP_SERVER))


CLIENTS = [
    ("a BIOS", uefi("PXEClient", BIOS)),
    ("UEFI, x86-64, which says 7", uefi("PXEClient", EFI64_OLD)),
    ("UEFI, x86-64, which says 9", uefi("PXEClient", EFI64)),
    ("UEFI, x86-64, REQUEST", uefi("PXEClient", EFI64_OLD, kind=REQUEST, more=selecting())),
    ("UEFI, 32-bit x86", uefi("PXEClient", EFI32)),
    ("UEFI, 64-bit Arm", uefi("PXEClient", ARM64)),
    ("UEFI HTTP Boot, x86-64", uefi("HTTPClient", HTTP_EFI64)),
    ("UEFI HTTP Boot, x86-64, REQUEST", uefi("HTTPClient", HTTP_EFI64, kind=REQUEST, more=selecting())),
    ("UEFI HTTP Boot, 64-bit Arm", uefi("HTTPClient", HTTP_ARM64)),
    ("UEFI HTTP Boot that does not ask for option 60", uefi("HTTPClient", HTTP_EFI64, asked=[1, 3, 6, 67])),
    ("iPXE on a BIOS", ipxe(BIOS)),
    ("iPXE on UEFI, x86-64", ipxe(EFI64_OLD)),
    ("iPXE on UEFI, REQUEST", ipxe(EFI64_OLD, kind=REQUEST, more=selecting())),
    ("iPXE on 64-bit Arm", ipxe(ARM64)),
    ("iPXE with its user class in a list (RFC 3004)", ipxe(EFI64_OLD, user_class=b"\3lab\4iPXE")),
    ("iPXE whose user class was changed by a script", ipxe(EFI64_OLD, user_class=b"lab")),
    ("an operating system, which asks for nothing of that", dhcp(DISCOVER)),
]

ODD = [
    row("BOOTP", dhcp(None)),
    row("BOOTP with architecture and vendor class", dhcp(None, architecture(EFI64), vendor_class("HTTPClient", 16))),
    row("a client without a list", dhcp(DISCOVER, architecture(EFI64), prl=b"")),
    row("INFORM", dhcp(INFORM, ciaddr=ADDRESS, layers=from_client(), prl=option(55, bytes([66, 67])))),
    row("NAK", dhcp(REQUEST, requested(WRONG), architecture(EFI64), prl=option(55, bytes([66, 67])))),
    row("the architecture in option 60 alone", dhcp(DISCOVER, vendor_class("PXEClient", EFI64_OLD))),
    row("several architectures, of which the first is unknown", dhcp(DISCOVER, architecture(999, EFI64))),
    row("an unknown architecture", dhcp(DISCOVER, architecture(999))),
    row("an empty option 93", dhcp(DISCOVER, option(93))),
    row("option 93 of one byte", dhcp(DISCOVER, option(93, b"\7"))),
    row("option 93 of three bytes", dhcp(DISCOVER, option(93, b"\0\7\0"))),
    row("option 60 that ends in the middle", dhcp(DISCOVER, option(60, b"PXEClient:Arch:"))),
    row("option 60 with a number that is too large", dhcp(DISCOVER, option(60, b"PXEClient:Arch:99999999:"))),
    row("an empty user class", dhcp(DISCOVER, option(77))),
    row("a user class whose length lies", dhcp(DISCOVER, option(77, b"\xffiPXE"))),
    row("a user class in two parts", dhcp(DISCOVER, option(77, b"iP"), option(77, b"XE"))),
]

FILES = {
    "TFTP_SERVER": "192.0.2.69",
    "BOOTFILE": "pxelinux.0",
    "BOOTFILE_EFI64": "bootx64.efi",
    "BOOTFILE_ARM64": "bootaa64.efi",
    "BOOTFILE_IPXE": "http://boot.example.com/script.ipxe",
    "BOOTFILE_HTTP_EFI64": "http://boot.example.com/x64.efi",
}
LONG = "http://boot.example.com/" + "a" * 110
BINDINGS = {
    "tap1": ("a file for each", binding(**FILES)),
    "tap2": ("one file for all, by name", binding(BOOTFILE="boot.img", TFTP_SERVER="tftp.example.com",
                                                  NEXT_SERVER="192.0.2.70")),
    "tap3": ("a URL for all, too long for the field", binding(BOOTFILE=LONG)),
    "tap4": ("the node's", binding()),
    "tap5": ("options by number in their place", binding(**FILES, OPTION_60="text:HTTPClient:lab",
                                                         OPTION_66="text:other.example.com", OPTION_67="text:other")),
}
# What does not fit 576 bytes overloads `file`, then `sname`.
CROWDED = binding(**FILES, DOMAIN_SEARCH=", ".join(f"department-{number}.example.com" for number in range(11)))
CROWD = [
    row("room for all", dhcp(DISCOVER, option(57, b"\5\xdc"), prl=option(55, bytes([3, 119, 121])))),
    row("file is overloaded: its name is an option", dhcp(DISCOVER, prl=option(55, bytes([3, 119, 121])))),
    row("the same, and both are asked for", dhcp(DISCOVER, prl=option(55, bytes([3, 67, 66, 119, 121])))),
    row("the same for UEFI HTTP Boot", dhcp(DISCOVER, vendor_class("HTTPClient", HTTP_EFI64),
                                            prl=option(55, bytes([3, 119, 121])))),
    row("something is left out, but not the name", dhcp(DISCOVER, option(61, bytes(120)),
                                                        prl=option(55, bytes([3, 121, 6, 15, 12, 119])))),
    row("BOOTP overloads nothing", dhcp(None)),
]

CONFIG = """\
[dhcp]
server_ip = 192.0.2.1
nameservers = 192.0.2.53
next_server = 192.0.2.71
tftp_server = node.example.com
bootfile = node.0
bootfile_ipxe = https://node.example.com/script
[ipv6]
enable_ipv6 = no
"""

# All clients for the first guest, one of each kind for the others.
SOME = [CLIENTS[index] for index in (0, 1, 6, 11, 16)]
FRAMES = [
    row(f"{label}: {client}", message, tap)
    for tap, (label, _) in BINDINGS.items()
    for client, message in (CLIENTS if tap == "tap1" else SOME)
]

CASES = [
    Case("dhcpv4-boot", FRAMES, {tap: keys for tap, (_, keys) in BINDINGS.items()}, CONFIG),
    Case("dhcpv4-boot-odd", ODD, {"tap1": binding(**FILES)}, CONFIG),
    Case("dhcpv4-boot-overload", CROWD, {"tap1": CROWDED}, CONFIG),
]
