"""A theme of the corpus, and the guests that most of them have."""

from dataclasses import dataclass


@dataclass
class Case:
    """`frames` are (what the packet tries, the tap or "" for a capture that names none, the frame)."""

    name: str
    frames: list
    bindings: dict
    config: str = ""
    interval: int = 1_000_000  # microseconds between two packets


GUEST = "aa:00:00:00:00:01"
OTHER = "aa:00:00:00:00:02"
ROUTER = "02:00:00:00:00:01"


def binding(mac=GUEST, **keys):
    """What a hook writes for a guest with both families; None leaves a key out."""
    written = {
        "MAC": mac,
        "HOSTNAME": "guest",
        "IP": "192.0.2.10",
        "SUBNET": "192.0.2.0/24",
        "GATEWAY": "192.0.2.1",
        "SUBNET6": "2001:db8::/64",
        "GATEWAY6": "2001:db8::1",
        "EUI64": "2001:db8::a800:ff:fe00:1",
    }
    written.update(keys)
    return {key: value for key, value in written.items() if value is not None}
