"""The carrier of the simulator, with everything that carriers do, and a memory of what went through it.

Two **sides**: what the nodes wrote lies `near`, what the lead sees `far`. In one folder (`one_folder`) they are the
same; otherwise somebody delivers. Nothing here decides anything: faults are done to it by the schedule.

In a back channel (`carrier.back_of`) the roles are exchanged: the lead writes, the node answers.

For the checks it notes, from outside, what the lead was shown: `examined` (versions of segments that the receiver has
read, was refused by the carrier, or had no room for), `first_read` (when a manifest was first read), `heads` and
`newest` (see `world`).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from shared.journal.carrier import MANIFEST, RECEIPT, Found, place_named


class Item(NamedTuple):
    """An item and its version, which is the moment at which it was put there."""

    data: bytes
    version: int


class Said(NamedTuple):
    """What a receipt says, and how many the lead had written before it."""

    index: int
    seq: int
    chain: str
    incarnation: str
    echo: str
    time: str


Side = dict[str, dict[str, Item]]


@dataclass
class Seen:
    """What the lead has been shown, as far as its database can know; goes back with a restore."""

    examined: set[int] = field(default_factory=set)
    first_read: dict[str, int] = field(default_factory=dict)
    heads: dict[str, set[tuple[int, bytes]]] = field(default_factory=dict)
    newest: dict[str, tuple[int, int, bytes]] = field(default_factory=dict)
    accepted: dict[str, list[Any]] = field(default_factory=dict)

    def copy(self) -> "Seen":
        """As it is now."""
        heads = {stream: set(seen) for stream, seen in self.heads.items()}
        return Seen(set(self.examined), dict(self.first_read), heads, dict(self.newest), dict(self.accepted))


@dataclass
class Link:
    """The items on both sides, by channel and name."""

    one_folder: bool
    hook: Callable[[str], None]
    tell: Callable[[str], None]
    near: Side = field(default_factory=dict)
    far: Side = field(default_factory=dict)
    clock: int = 0
    seen: Seen = field(default_factory=Seen)
    written: list[tuple[str, str, bytes]] = field(default_factory=list)
    """Every segment and manifest that a courier wrote, and every receipt."""
    nonces: dict[bytes, tuple[int, str]] = field(default_factory=dict)
    """The genuine manifests by their bytes: how many were written before, and the nonce."""
    receipts: dict[str, Said] = field(default_factory=dict)
    """The newest receipt that this lead has written, by channel; empty after a restore."""
    said: dict[tuple[str, str, str], list[Said]] = field(default_factory=dict)
    """Every receipt ever written, by channel, incarnation and time."""
    count: int = 0
    """How many receipts were ever written."""
    read_manifests: dict[str, bytes] = field(default_factory=dict)
    """Genuine manifests that the receiver has read in this round."""
    delivered: int = 0
    false_echo: int = 0

    def __post_init__(self) -> None:
        if self.one_folder:
            self.far = self.near

    def put(self, side: Side, channel: str, name: str, data: bytes) -> None:
        """Let something lie there."""
        self.clock += 1
        side.setdefault(channel, {})[name] = Item(data, self.clock)

    def sync(self) -> None:
        """Deliver everything that differs, both ways, and take away what the nodes have deleted."""
        if self.one_folder:
            return
        for channel in {*self.near, *self.far}:
            ends = (self.far, self.near) if is_back(channel) else (self.near, self.far)
            here, there = (side.setdefault(channel, {}) for side in ends)
            for name in [name for name in there if name != RECEIPT and name not in here]:
                del there[name]
            for name, item in list(here.items()):
                if name != RECEIPT and (name not in there or there[name].data != item.data):
                    self.put(ends[1], channel, name, item.data)
            if RECEIPT in there:
                here[RECEIPT] = there[RECEIPT]
            elif is_back(channel):
                here.pop(RECEIPT, None)  # it asks no more

    def places(self, side: Side) -> list[tuple[str, str]]:
        """Where segments lie, in order."""
        names = ((channel, name) for channel, items in sorted(side.items()) for name in sorted(items))
        return [(channel, name) for channel, name in names if name.endswith(".seg")]

    def wrote_receipt(self, channel: str, data: bytes) -> None:
        """The lead says something: remember it, and count it if it says "examined" of what it has not read."""
        said = json.loads(data.partition(b"\n")[0])
        self.count += 1
        receipt = Said(self.count, said["seq"], said["chain"], said["incarnation"], said["echo"], said["time"])
        self.said.setdefault((channel, said["incarnation"], said["time"]), []).append(receipt)
        self.receipts[channel] = receipt
        moment = self.seen.first_read.get(said["echo"], 0)
        for name, item in self.far.get(channel, {}).items():
            if name.endswith(".seg") and item.version <= moment and item.version not in self.seen.examined:
                self.false_echo += 1
                self.tell(f"  !! {channel}: the receipt echoes a manifest, but {name} before it was not looked at")


@dataclass(frozen=True)
class NodeEnd:
    """The carrier as a node sees it."""

    link: Link

    def list_segments(self, channel: str) -> list[Found]:
        self.link.hook("list")
        return _listed(self.link.near, channel)

    def read(self, channel: str, name: str, limit: int) -> bytes | None:
        self.link.hook("read")
        item = self.link.near.get(channel, {}).get(name)
        return item.data[:limit] if item else None

    def write(self, channel: str, name: str, data: bytes) -> None:
        self.link.hook("write")
        self.link.put(self.link.near, channel, name, data)
        if not is_back(channel):
            self.link.written.append((channel, name, data))
        if name == MANIFEST:
            self.link.nonces[data] = len(self.link.nonces), json.loads(data.partition(b"\n")[0])["nonce"]
        self.link.hook("written")

    def delete(self, channel: str, name: str) -> None:
        self.link.hook("delete")
        self.link.near.get(channel, {}).pop(name, None)
        self.link.hook("deleted")

    def decided(self, channel: str, found: Found) -> None:
        """What came back lies there until the lead takes it away."""


@dataclass(frozen=True)
class LeadEnd:
    """The carrier as the lead sees it."""

    link: Link

    def list_segments(self, channel: str) -> list[Found]:
        self.link.hook("list")
        return _listed(self.link.far, channel)

    def read(self, channel: str, name: str, limit: int) -> bytes | None:
        link = self.link
        if is_back(channel):
            link.hook("read")
            asked = link.far.get(channel, {}).get(name)
            return asked.data[:limit] if asked else None
        item = link.far.get(channel, {}).get(name)
        try:
            link.hook("read")
        except OSError:
            if item:
                link.seen.examined.add(item.version)
            raise
        item = link.far.get(channel, {}).get(name)
        if item is None:
            return None
        link.seen.examined.add(item.version)
        if name == MANIFEST and (written := link.nonces.get(item.data)):
            link.seen.first_read.setdefault(written[1], link.clock)
            link.read_manifests[channel] = item.data
        link.delivered += name != MANIFEST
        return item.data[:limit]

    def write(self, channel: str, name: str, data: bytes) -> None:
        self.link.hook("write")
        self.link.put(self.link.far, channel, name, data)
        if not is_back(channel):
            self.link.written.append((channel, name, data))
            self.link.wrote_receipt(channel, data)
        self.link.hook("written")

    def delete(self, channel: str, name: str) -> None:
        assert is_back(channel), "the lead deletes nothing of the nodes'"
        self.link.hook("delete")
        self.link.far.get(channel, {}).pop(name, None)
        self.link.hook("deleted")

    def decided(self, channel: str, found: Found) -> None:
        """It lies there until its writer takes it away; the receiver needs no more of it now, read or not."""
        self.link.seen.examined.add(int(found.version))


def is_back(channel: str) -> bool:
    """Whether the end of a stream goes back through it."""
    return channel.endswith("/back")


def _listed(side: Side, channel: str) -> list[Found]:
    found = []
    for name, item in side.get(channel, {}).items():
        place = place_named(name)
        if place is not None:
            found.append(Found(place, len(item.data), str(item.version)))
    return sorted(found)
