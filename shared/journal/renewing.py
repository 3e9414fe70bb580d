"""A home's next public keys, vouched for by the key before. Pure: bytes in, bytes out.

A **renewal** says "from now on my keys are these": a JSON object, compact, members in this order, a line feed, the
Ed25519 signature of "polku-keys-1" ‖ JSON in hex, a line feed.

    home, signing_key, receiving_key, time, key

`home` is the node's name or "lead", `key` the public key that signs: one that whoever reads it knows already. Keys
are raw public keys in hex. The item `keys` of a channel (see `carrier`) holds one or more of them, the oldest first.

A **node** states its newest keys until its lead's directory lists them (`reporting.node_keys_changed`), and signs with
the key that the directory lists as its newest. A **lead** signs with its newest key at once and shows every node all
its renewals; a node follows them from the key that it has pinned (`follow`).

A key that was replaced is taken for `OVERLAP` more: what was under way still arrives, and a home restored from a backup
of before can state its old keys anew, signed by one of them. After that only what is stored is verified by it. A
renewal counts only if it is newer than the last one that counted: an old one put back changes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.contracts.fields import NODE
from shared.journal import crypto
from shared.journal.segment import HEX64, decode_object, encode_object, text
from shared.ops.clock import parse_wire_time, wire_time

CONTEXT = b"polku-keys-1"
OVERLAP = timedelta(days=60)
"""Longer than backups may be kept (30 days, docs/security.md), so that one of before still restores."""
APART = timedelta(hours=1)
"""A lead takes new keys of one node so far apart: each stays in everybody's directory for ever, and whoever has a key
of a node could state new ones with every upload. What comes earlier waits: the node states it again by itself."""
CLOCK_SLACK = timedelta(days=1)
MOST = 40
"""Renewals in an item: the newest."""
MAX_KEYS = 32 * 1024
_MEMBERS = ("home", "signing_key", "receiving_key", "time", "key")


@dataclass(frozen=True, slots=True)
class Renewal:
    """A home's new keys, and the key before that says so; raw bytes, `time` in wire form."""

    home: str
    signing_key: bytes
    receiving_key: bytes
    time: str
    key: bytes
    signature: bytes

    def holds(self) -> bool:
        """Whether `key` has signed it, and the new keys can be used."""
        signed = crypto.verify(self.key, self.signature, CONTEXT, self._encoded())
        return signed and crypto.can_seal_to(self.receiving_key)

    @property
    def keys(self) -> tuple[bytes, bytes]:
        """The new signing and receiving key."""
        return self.signing_key, self.receiving_key

    def ends(self) -> str:
        """When the key that it replaces is taken no longer, by the clock of who states it; wire form."""
        return wire_time(parse_wire_time(self.time) + OVERLAP)

    def follows(self, last: str, now: datetime) -> bool:
        """Whether it is newer than what was said at `last` (wire form, or empty), and not from the future."""
        return last < self.time <= wire_time(now + CLOCK_SLACK)

    def write(self) -> bytes:
        """As it travels."""
        return self._encoded() + b"\n" + self.signature.hex().encode() + b"\n"

    def _encoded(self) -> bytes:
        return _encoded(self.home, self.keys, self.time, self.key)


def _encoded(home: str, keys: tuple[bytes, bytes], time: str, key: bytes) -> bytes:
    values = (home, keys[0].hex(), keys[1].hex(), time, key.hex())
    return encode_object(dict(zip(_MEMBERS, values, strict=True)))


def renew(home: str, signing_key: bytes, receiving_key: bytes, signer: crypto.Key, now: datetime) -> Renewal:
    """State the keys that `home` has from now on."""
    assert signer.public is not None
    time, keys = wire_time(now), (signing_key, receiving_key)
    signature = crypto.sign(signer.secret(), CONTEXT, _encoded(home, keys, time, signer.public))
    return Renewal(home, *keys, time, signer.public, signature)


def read_renewals(data: bytes) -> list[Renewal]:
    """The renewals in an item, each signed by the key that it names; what is anything else is passed over."""
    parts, found = data[:MAX_KEYS].split(b"\n"), []
    for encoded, signature in zip(parts[::2], parts[1::2], strict=False):
        try:
            m = decode_object(encoded, _MEMBERS)
            home, time = text(m["home"]), text(m["time"])
            keys = [bytes.fromhex(text(m[name], HEX64)) for name in ("signing_key", "receiving_key", "key")]
            renewal = Renewal(home, keys[0], keys[1], time, keys[2], bytes.fromhex(signature.decode("ascii")))
            well_formed = (home == "lead" or NODE.fullmatch(home)) and wire_time(parse_wire_time(time)) == time
        except (ValueError, RecursionError):
            continue
        if well_formed and renewal.holds():
            found.append(renewal)
    return found


@dataclass(frozen=True, slots=True)
class Pinned:
    """A lead's keys as a node knows them. `at` is when the last renewal was stated ("" before the first), `former` are
    its signing keys before, each with when it ends; wire form."""

    signing_key: bytes
    receiving_key: bytes
    at: str = ""
    former: tuple[tuple[bytes, str], ...] = ()

    def signing(self, now: datetime) -> Mapping[str, bytes]:
        """The signing keys that are taken now, by id."""
        taken = [self.signing_key, *(key for key, end in self.former if end > wire_time(now))]
        return {crypto.key_id(key): key for key in taken}


def follow(pinned: Pinned, renewals: Iterable[Renewal], now: datetime) -> Pinned:
    """The keys to pin after these renewals: each must be signed by a key that is taken at that moment."""
    for renewal in renewals:
        if renewal.home != "lead" or crypto.key_id(renewal.key) not in pinned.signing(now):
            continue
        if renewal.keys == (pinned.signing_key, pinned.receiving_key) or not renewal.follows(pinned.at, now):
            continue
        former = [(key, end) for key, end in pinned.former if key != renewal.signing_key]
        if renewal.signing_key != pinned.signing_key:
            former.append((pinned.signing_key, renewal.ends()))
        pinned = Pinned(*renewal.keys, renewal.time, tuple(former))
    return pinned
