"""A line: one fact as the bytes that are stored, chained, signed and shipped (architecture §4, frozen).

One JSON object, UTF-8, nothing escaped that need not be, no white space outside strings, members in the order
``stream, epoch, seq, kind, v, recorded_at, subject, salt, body``, at most 64 KiB, no line feed at the end. It is
serialised once, by `serialise`; nobody writes it again, everybody else keeps these bytes.

The chain of a stream: ``chain(0) = SHA-256("polku-chain-1" ‖ stream)``,
``chain(n) = SHA-256(chain(n-1) ‖ SHA-256(line n))``, digests as raw bytes.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

MAX_LINE = 64 * 1024
MEMBERS = ("stream", "epoch", "seq", "kind", "v", "recorded_at", "subject", "salt", "body")


class BadLine(ValueError):
    """Bytes that are no line; the text says which rule they break and never quotes them."""


@dataclass(frozen=True, slots=True)
class Line:
    """A parsed line. `subject` is 32 hex digits or None."""

    stream: str
    epoch: int
    seq: int
    kind: str
    v: int
    recorded_at: str
    subject: str | None
    salt: str
    body: dict[str, Any]


def serialise(line: Line) -> bytes:
    """The line's bytes. Raises `BadLine` if they would be over 64 KiB."""
    members = {name: getattr(line, name) for name in MEMBERS}
    data = json.dumps(members, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    if len(data) > MAX_LINE:
        raise BadLine(f"a line of {len(data)} bytes is over the limit of {MAX_LINE}")
    return data


def parse(data: bytes) -> Line:
    """Read a line's bytes; members that a newer release might add are an error: the format is frozen."""
    if len(data) > MAX_LINE:
        raise BadLine("over 64 KiB")
    try:
        members = json.loads(data)
    except (ValueError, RecursionError):
        raise BadLine("not JSON") from None
    if not isinstance(members, dict) or tuple(members) != MEMBERS:
        raise BadLine("not the members of a line, in their order")
    line = Line(**members)
    texts = (line.stream, line.kind, line.recorded_at, line.salt)
    numbers = (line.epoch, line.seq, line.v)
    if not all(type(text) is str for text in texts) or not all(type(n) is int and n > 0 for n in numbers):
        raise BadLine("a member of the wrong type")
    if not isinstance(line.body, dict) or not (line.subject is None or _is_hex32(line.subject)):
        raise BadLine("a member of the wrong type")
    return line


def _is_hex32(value: object) -> bool:
    return isinstance(value, str) and len(value) == 32 and not value.strip("0123456789abcdef")


def line_digest(data: bytes) -> bytes:
    """SHA-256 of a line's bytes, 32 raw bytes."""
    return sha256(data).digest()


def chain_start(stream: str) -> bytes:
    """The chain before a stream's first line, 32 raw bytes."""
    return sha256(b"polku-chain-1" + stream.encode()).digest()


def chain_next(chain: bytes, digest: bytes) -> bytes:
    """The chain after a line with this digest."""
    return sha256(chain + digest).digest()
