"""Garbage and forged segments, each content once, with the reason for which the lead must refuse it.

`garbage` needs nothing; `forged` uses keys: the node's own (as a thief of the home would), or keys of nobody.
"""

import gzip
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import zstandard

from shared.journal import crypto
from shared.journal.lines import chain_start
from shared.journal.segment import MAGIC, MAX_SEGMENT, Header, Item, Reason, build
from tests.faults.bench.federation import Partner

FAR = 900_000_000_000
"""Line numbers that no stream reaches: the file's name is nobody else's."""


def garbage(chance: random.Random) -> list[tuple[bytes, Reason]]:
    """What no node ever wrote."""
    salt = chance.randbytes(16)
    header = b'{"stream":NaN,"stream":1,"' + salt.hex().encode() + b'":1}'
    framed = MAGIC + len(header).to_bytes(2, "big") + header
    return [
        (b"\xff\xfe" + salt, Reason.BAD_MAGIC),
        (gzip.compress(b"\0" * 10_000_000) + salt, Reason.BAD_MAGIC),
        (MAGIC + b"\0\x20" + salt, Reason.TRUNCATED),
        (MAGIC + b"\xff\xff" + salt, Reason.HEADER_TOO_LONG),
        (framed + bytes(32 + 64) + salt, Reason.BAD_HEADER),
        (salt + bytes(12 * 1024 * 1024), Reason.OVERSIZED),
    ]


class Forger:
    """Makes segments in the name of `site`; `other` is another partner's stream."""

    def __init__(self, site: Partner, other: str, chance: random.Random) -> None:
        self._own = crypto.load_keys(site.home.keys).newest("signing")
        (place,) = site.home.joined
        self._lead = bytes.fromhex(place.lead_receiving_key)
        self._stream, self._other, self._chance = site.stream, other, chance
        self._nobody = Path(site.path.parent / f"nobody-{chance.randrange(10**9)}")
        self._nobody.mkdir()
        crypto.make_key(self._nobody, "signing")
        self._foreign = crypto.load_keys(self._nobody).newest("signing")

    def forged(self, first: int) -> list[tuple[bytes, Reason]]:
        """One of each kind, all said to begin at line `first`."""
        whole = self._segment(first)
        cut = len(whole) - 40
        makers: Mapping[Reason, Callable[[], bytes]] = {
            Reason.UNKNOWN_KEY: lambda: self._segment(first, signer=self._foreign),
            Reason.BAD_SIGNATURE: lambda: self._flipped(first, signature=True),
            Reason.PAYLOAD_MISMATCH: lambda: whole[:cut] + bytes([whole[cut] ^ 1]) + whole[cut + 1 :],
            Reason.UNKNOWN_STREAM: lambda: self._segment(first, stream=f"nobody-{self._salt()[:8]}/lahde"),
            Reason.WRONG_RECIPIENT: lambda: self._segment(first, sealed_to=bytes(range(32))),
            Reason.WRONG_PLACE: lambda: self._segment(first + 1),
        }
        return [(make(), reason) for reason, make in makers.items()]

    def in_place(self, first: int, before: bytes) -> list[tuple[bytes, Reason]]:
        """Rightly signed and joining the watermark, with a payload that is not what it says."""
        bomb = zstandard.ZstdCompressor(level=19).compress(bytes(9 * 1024 * 1024))
        return [
            (self._around(first, before, bomb), Reason.INFLATED),
            (self._around(first, before, self._salt().encode()), Reason.BAD_COMPRESSION),
            (self._around(first, before, zstandard.compress(self._salt().encode())), Reason.BAD_LINES),
        ]

    def _salt(self) -> str:
        return self._chance.randbytes(16).hex()

    def _segment(
        self, first: int, *, stream: str = "", signer: crypto.Key | None = None, sealed_to: bytes | None = None
    ) -> bytes:
        line = self._salt().encode()
        return build(
            [Item(sha256(line).digest(), line)],
            stream=stream or self._stream,
            epoch=1,
            first=first,
            before=chain_start(self._stream),
            signer=signer or self._own,
            sealed_to=sealed_to or self._lead,
            time=datetime.now(UTC),
        ).data

    def _flipped(self, first: int, *, signature: bool) -> bytes:
        data = bytearray(self._segment(first))
        length = int.from_bytes(data[len(MAGIC) : len(MAGIC) + 2], "big")
        data[len(MAGIC) + 2 + length + (32 if signature else 0)] ^= 1
        return bytes(data)

    def _around(self, first: int, before: bytes, packed: bytes) -> bytes:
        signer = self._own
        recipient = crypto.key_id(self._lead)
        now = datetime.now(UTC)
        header = Header(self._stream, 1, first, first, before, bytes(32), signer.id, recipient, now).encode()
        payload = crypto.seal(self._lead, header, packed)
        digest = sha256(payload).digest()
        signature = crypto.sign(signer.secret(), crypto.SEGMENT_CONTEXT, header + digest)
        return b"".join((MAGIC, len(header).to_bytes(2, "big"), header, digest, signature, payload))


def refused_as(data: bytes) -> bytes:
    """The digest by which the lead notes it: of what it reads at most."""
    return sha256(data[: MAX_SEGMENT + 1]).digest()
