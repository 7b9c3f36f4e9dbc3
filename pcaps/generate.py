#!/usr/bin/env python3
"""Makes the inputs of the corpus: for each theme a directory with a capture, its bindings, its configuration, and
input.txt, which says of each packet what it tries. Deterministic, and nothing but Python's library.

    pcaps/generate.py          writes them
    pcaps/generate.py --check  fails if what is there is something else
"""

import sys
from pathlib import Path

import boot
import dhcpv4
import dhcpv6
import dhcpv6_stateful
import identity
import nd
from wire import pcap, pcapng

HERE = Path(__file__).parent

CONFIG = """\
[dhcp]
server_ip = 192.0.2.1
nameservers = 192.0.2.53, 192.0.2.54
domain = example.com
domain_search = example.com, example.net
[ipv6]
rs_queue = 43
ns_queue = 44
dhcpv6_queue = 45
nameservers = 2001:db8::53, 2001:db8::54
domains = example.com, example.net
"""


def files(case):
    """The files of a case, by their name in its directory."""
    in_pcapng = any(tap for _, tap, _ in case.frames)
    name, write = ("input.pcapng", pcapng) if in_pcapng else ("input.pcap", pcap)
    labels = [label + "\n" for label, _, _ in case.frames]
    yield name, write(case.frames, case.interval)
    yield "input.txt", "".join(labels).encode()
    yield "nfdhcpd.conf", (case.config or CONFIG).encode()
    for tap, binding in case.bindings.items():
        lines = [f"{key}={value}\n" for key, value in binding.items()]
        yield f"bindings/{tap}", "".join(lines).encode()


def main():
    is_check = sys.argv[1:] == ["--check"]
    stale = []
    for theme in (dhcpv4, boot, nd, dhcpv6, dhcpv6_stateful, identity):
        for case in theme.CASES:
            for name, contents in files(case):
                path = HERE / case.name / name
                if is_check and (not path.is_file() or path.read_bytes() != contents):
                    stale.append(path)
                elif not is_check:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(contents)
    for path in stale:
        print(f"{path} is not what generate.py makes", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
