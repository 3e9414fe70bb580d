"""What carries segments and statements between two homes, seen from both ends.

`filecarrier` is a folder, `httpcarrier` a folder at the lead reached through its portal, `amqpcarrier` a broker.

A **channel** is the way of one stream from the home that writes it to one that reads it: `NODE/PROGRAMME` from a node
to its lead, `lead/PROGRAMME/NODE` from the lead to one of its nodes. In a channel lie named items, each put there by
one side and only replaced or deleted by that side:

    EEEE-FFFFFFFFFFFF-LLLLLLLLLLLL.seg    writer    a segment: epoch, first and last line, zero-padded decimal
    manifest                              writer    the newest manifest
    join                                  writer    a node's answer to an invite (see `joining`)
    receipt                               reader    the newest receipt
    post                                  writer    letters between nodes (see `post`)
    keys                                  writer    its new public keys (see `renewing`)
    expelled                              writer    the lead's word to a node that it has expelled (see `expelling`)

Every channel has a **back** channel, `CHANNEL/back`: the same stream's end on its way back to the home that wrote it
and has lost it. There the roles are exchanged: the receipt, with which it asks, is the home's (see `returning`). Two
more items lie there, both the writer's: `proof` and `erased`. `erased` lies in `NODE/PROGRAMME` too, the node's.

`Carrier` is all that `sending` and `receiving` know of any transport. A carrier promises nothing: it may lose,
repeat, delay, reorder or change what it carries. It must not hand out half an item, and what a writer wrote before a
manifest must be visible to whoever sees that manifest (else the writer repeats itself, which costs and never harms).
Where it has a doubt about anything it wrote, it must raise: the writer then states its head anew, and the answer tells
what is missing.
"""

import re
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from shared.ops.metrics import counter

MANIFEST, RECEIPT, JOIN, POST = "manifest", "receipt", "join", "post"
KEYS, EXPELLED = "keys", "expelled"
PROOF, ERASED = "proof", "erased"

refused_total = counter(
    "polku_carrier_refused_total", "Items and requests that the carrier itself turned away, by reason", "reason"
)
for _reason in ("oversized", "name", "foreign", "unauthenticated", "no_file", "unreadable"):
    refused_total.labels(_reason)

_NODE, _PROGRAMME = r"[a-z0-9-]{1,24}-[0-9a-f]{8}", r"[a-z0-9-]{1,40}"
CHANNEL = re.compile(rf"(?:{_NODE}/{_PROGRAMME}|lead/{_PROGRAMME}/{_NODE})(?:/back)?")
_SEGMENT = re.compile(r"([0-9]{4})-([0-9]{12})-([0-9]{12})\.seg")


def stream_of(channel: str) -> str:
    """The stream that goes through a channel."""
    return "/".join(channel.split("/")[:2])


def back_of(channel: str) -> str:
    """The channel by which the end of this channel's stream goes back."""
    return f"{channel}/back"


def node_channel(channel: str) -> str:
    """The channel of the node at the node's end: of `lead/PROGRAMME/NODE` it is `NODE/PROGRAMME`, else itself."""
    first, second, *rest = channel.split("/")
    return f"{rest[0]}/{second}" if first == "lead" else f"{first}/{second}"


def goes_to_node(channel: str) -> bool:
    """Whether it is the lead that writes the channel's segments, and the node that reads them."""
    return channel.startswith("lead/") != channel.endswith("/back")


def is_nodes(channel: str, name: str) -> bool:
    """Whether the item is the node's to write and the lead's to read; else it is the other way round."""
    return (name == RECEIPT) == goes_to_node(channel)


def channel_to(node: str, programme: str) -> str:
    """The channel of the lead's stream to one of its nodes."""
    return f"lead/{programme}/{node}"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a segment lies: what its name says about it, which is a hint and no truth."""

    epoch: int
    first: int
    last: int

    @property
    def name(self) -> str:
        """The item's name."""
        return f"{self.epoch:04}-{self.first:012}-{self.last:012}.seg"


def place_named(name: str) -> Place | None:
    """The place that an item's name tells; None if it is no segment's name."""
    match = _SEGMENT.fullmatch(name)
    return Place(*(int(part) for part in match.groups())) if match else None


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """A segment that lies there now. `version` differs whenever the bytes may differ; `size` is in bytes."""

    place: Place
    size: int
    version: str


class Carrier(Protocol):
    """What a transport does. Every method but `decided` may raise OSError: the round is given up and tried again."""

    def list_segments(self, channel: str) -> list[Found] | None:
        """The segments that lie there, by epoch and first line; None: their writer cannot look."""

    def read(self, channel: str, name: str, limit: int) -> bytes | None:
        """An item's bytes, at most `limit` of them; None if it is not there."""

    def write(self, channel: str, name: str, data: bytes) -> None:
        """Create or replace an item of ours, durably."""

    def delete(self, channel: str, name: str) -> None:
        """Delete an item of ours if it is there."""

    def decided(self, channel: str, found: Found) -> None:
        """The reader needs no more of this segment, or has no room: what was delivered may go, what lies in a folder
        stays."""


@runtime_checkable
class Connected(Protocol):
    """A carrier that holds a connection by which something may come at any time."""

    def fileno(self) -> int | None:
        """What becomes readable when something has come; None while there is no connection."""

    def close(self) -> None:
        """Drop the connection."""
