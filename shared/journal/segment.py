"""A segment: a run of a stream's lines, chained, signed by the node and sealed to the lead. Pure: bytes in, bytes out.

    POLKU1\\n ‖ length of header (2 bytes, big-endian) ‖ header ‖ SHA-256(payload) ‖ signature (64 bytes) ‖ payload

**Header**: one JSON object of at most 1 KiB, compact, members in this order:
``stream, epoch, first, last, before, chain, signed_by, sealed_to, time``. `before` is the stream's chain before line
`first`, `chain` the chain at line `last` (see `lines`); the keys are named by their ids (see `crypto`).
**Signature**: Ed25519 over ``"polku-segment-1" ‖ header ‖ SHA-256(payload)``.
**Payload**: at most 1 MiB; HPKE to the lead's receiving key, with the header as `info`, of zstd of the lines joined
by line feeds. A line that has been erased stands there as ``#`` and its digest in hex.

Who does what: the node's courier calls `build` (see `sending`); the lead's receiver calls `verify`, decides by the
header alone whether it needs the lines, and then calls `open_lines` (see `receiving`).

Why this is safe:

- Only the signed header says which stream and lines these are; a file name or queue is a hint. `verify` looks the
  key up among those admitted *for that stream*, so one node cannot speak for another.
- Nothing is decrypted or inflated before the signature has been checked, and inflating stops at 8 MiB whatever the
  compressed data claims. Whoever is not admitted can make the lead hash at most 1 MiB.
- The chain ties each line to all before it: if `before` is the lead's chain and the lines lead to `chain`, the lead
  holds the node's stream to the byte, also where lines have been erased. `open_lines` checks every line's own
  stream, epoch and number too.
- The payload is sealed with the header as `info`: it opens under no other header. The signature covers its digest,
  so the lead can keep header, digest and signature as proof for ever, without the payload.

A refusal is a `SegmentRefused` with a `Reason`; the reasons are a closed set because they are metric labels.
"""

import json
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, NamedTuple

import zstandard

from shared.journal import crypto
from shared.journal.lines import BadLine, chain_next, line_digest, read_envelope, read_usual_envelopes
from shared.ops.clock import parse_wire_time, wire_time

MAGIC = b"POLKU1\n"
MAX_HEADER = 1024
MAX_PAYLOAD = 1024 * 1024
MAX_INFLATED = 8 * 1024 * 1024
MAX_SEGMENT = len(MAGIC) + 2 + MAX_HEADER + 32 + 64 + MAX_PAYLOAD
MAX_EPOCH, MAX_SEQ = 9_999, 999_999_999_999
LINES_PER_SEGMENT = 1000
"""How many lines `build` takes at most: the size of the lead's transactions, not a rule of the format."""

LEVEL = 1
"""How hard zstd tries; no part of the format. Far below 0 it leaves text as it is, for byte searches in tests."""

STREAM = re.compile(r"(?:lead|[a-z0-9-]{1,24}-[0-9a-f]{8})/[a-z0-9-]{1,40}")
HEX32, HEX64 = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{64}")


class Reason(StrEnum):
    """Why a segment or statement was refused."""

    OVERSIZED = "oversized"
    TRUNCATED = "truncated"
    BAD_MAGIC = "bad_magic"
    HEADER_TOO_LONG = "header_too_long"
    BAD_HEADER = "bad_header"
    BAD_STATEMENT = "bad_statement"
    UNKNOWN_STREAM = "unknown_stream"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    PAYLOAD_MISMATCH = "payload_mismatch"
    WRONG_RECIPIENT = "wrong_recipient"
    CANNOT_OPEN = "cannot_open"
    BAD_COMPRESSION = "bad_compression"
    INFLATED = "inflated"
    BAD_LINES = "bad_lines"
    CHAIN_MISMATCH = "chain_mismatch"
    WRONG_PLACE = "wrong_place"
    """Rightly signed, but lying where another stream, epoch or range belongs."""
    OTHER_EPOCH = "other_epoch"
    """An epoch that nobody has accepted at the lead."""
    FROM_THE_FUTURE = "from_the_future"
    """A manifest of more than a day ahead of the lead's clock."""
    SEALED = "sealed"
    """Anything new of a stream whose last line the lead has (`closing`)."""


class Refused(ValueError):
    """What was read is not taken; `reason` says why. Nothing of its content is in the message."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(reason.value)


class SegmentRefused(Refused):
    """This is no segment that may be applied."""


class Item(NamedTuple):
    """A line to ship: its digest, and its bytes unless it has been erased."""

    digest: bytes
    line: bytes | None


@dataclass(frozen=True, slots=True)
class Header:
    """What a segment says about itself, under its signature. Chains are 32 raw bytes, keys are ids."""

    stream: str
    epoch: int
    first: int
    last: int
    before: bytes
    chain: bytes
    signed_by: str
    sealed_to: str
    time: datetime

    def encode(self) -> bytes:
        """The header's bytes."""
        return encode_object(
            {
                "stream": self.stream,
                "epoch": self.epoch,
                "first": self.first,
                "last": self.last,
                "before": self.before.hex(),
                "chain": self.chain.hex(),
                "signed_by": self.signed_by,
                "sealed_to": self.sealed_to,
                "time": wire_time(self.time),
            }
        )


@dataclass(frozen=True, slots=True)
class Built:
    """A new segment; `header.last` says how many of the items it took."""

    header: Header
    data: bytes


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment whose signature and payload digest hold; the payload is still sealed."""

    header: Header
    header_bytes: bytes
    payload_digest: bytes
    signature: bytes
    payload: bytes


class OpenedLine(NamedTuple):
    """A line out of a segment. Where it has been erased, all but number and digest is None."""

    seq: int
    kind: str | None
    v: int | None
    subject: bytes | None
    digest: bytes
    line: bytes | None


def build(
    items: Sequence[Item],
    *,
    stream: str,
    epoch: int,
    first: int,
    before: bytes,
    signer: crypto.Key,
    sealed_to: bytes,
    time: datetime,
    max_lines: int = LINES_PER_SEGMENT,
) -> Built:
    """Cut one segment off the front of `items`, which begin at line `first` with the chain `before`.

    It takes as many items as the limits allow (8 MiB of lines, 1 MiB sealed, `max_lines`), at least one: a line of
    64 KiB always fits. `sealed_to` is the lead's raw X25519 public key.
    """
    if not items:
        raise ValueError("a segment has at least one line")
    count, compressed = _pack(items, max_lines)
    chain = before
    for item in items[:count]:
        chain = chain_next(chain, item.digest)
    recipient = crypto.key_id(sealed_to)
    header = Header(stream, epoch, first, first + count - 1, before, chain, signer.id, recipient, time)
    encoded = header.encode()
    payload = crypto.seal(sealed_to, encoded, compressed)
    digest = sha256(payload).digest()
    signature = crypto.sign(signer.secret(), crypto.SEGMENT_CONTEXT, encoded + digest)
    data = b"".join((MAGIC, len(encoded).to_bytes(2, "big"), encoded, digest, signature, payload))
    return Built(header, data)


def _pack(items: Sequence[Item], max_lines: int) -> tuple[int, bytes]:
    """How many items fit, and their compressed lines."""
    count, size = 0, -1
    plain = []
    for item in items[:max_lines]:
        line = item.line if item.line is not None else b"#" + item.digest.hex().encode()
        size += len(line) + 1
        if size > MAX_INFLATED:
            break
        plain.append(line)
        count += 1
    while True:
        compressed = zstandard.ZstdCompressor(level=LEVEL).compress(b"\n".join(plain[:count]))
        if len(compressed) + crypto.SEAL_OVERHEAD <= MAX_PAYLOAD:
            return count, compressed
        count //= 2


def verify(data: bytes, admitted: Mapping[str, Mapping[str, bytes]], receiving: Container[str]) -> Segment:
    """Check form, signer, signature, payload digest and recipient; open nothing. Raises `SegmentRefused`.

    `admitted` maps each stream to the public signing keys of its node, by id; `receiving` holds the ids of our keys.
    """
    if len(data) > MAX_SEGMENT:
        raise SegmentRefused(Reason.OVERSIZED)
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        raise SegmentRefused(Reason.BAD_MAGIC)
    start = len(MAGIC) + 2
    length = int.from_bytes(data[len(MAGIC) : start], "big")
    if length > MAX_HEADER:
        raise SegmentRefused(Reason.HEADER_TOO_LONG)
    end = start + length
    if len(data) < end + 32 + 64 + 1:
        raise SegmentRefused(Reason.TRUNCATED)
    encoded, digest = data[start:end], data[end : end + 32]
    signature, payload = data[end + 32 : end + 96], data[end + 96 :]
    header = signed_header(encoded, digest, signature, admitted)
    if len(payload) > MAX_PAYLOAD:
        raise SegmentRefused(Reason.OVERSIZED)
    if sha256(payload).digest() != digest:
        raise SegmentRefused(Reason.PAYLOAD_MISMATCH)
    if header.sealed_to not in receiving:
        raise SegmentRefused(Reason.WRONG_RECIPIENT)
    return Segment(header, encoded, digest, signature, payload)


def signed_header(
    encoded: bytes, digest: bytes, signature: bytes, admitted: Mapping[str, Mapping[str, bytes]]
) -> Header:
    """The header, if its node signed it with this payload digest; what is kept of a segment for ever is enough.

    Raises `SegmentRefused`.
    """
    header = _header(encoded)
    keys = admitted.get(header.stream)
    if keys is None:
        raise SegmentRefused(Reason.UNKNOWN_STREAM)
    public = keys.get(header.signed_by)
    if public is None:
        raise SegmentRefused(Reason.UNKNOWN_KEY)
    if not crypto.verify(public, signature, crypto.SEGMENT_CONTEXT, encoded + digest):
        raise SegmentRefused(Reason.BAD_SIGNATURE)
    return header


def open_lines(segment: Segment, receiving: Mapping[str, bytes]) -> tuple[OpenedLine, ...]:
    """The lines of a verified segment, each checked against header and chain. Raises `SegmentRefused`.

    `receiving` maps key ids to raw private keys. That the chain *begins* where ours stands is the caller's to check.
    """
    header = segment.header
    private = receiving.get(header.sealed_to)
    if private is None:
        raise SegmentRefused(Reason.WRONG_RECIPIENT)
    try:
        compressed = crypto.open_sealed(private, segment.header_bytes, segment.payload)
    except crypto.CannotOpen:
        raise SegmentRefused(Reason.CANNOT_OPEN) from None
    plain = _inflate(compressed)
    # Counted before splitting: eight million empty lines must not become eight million objects.
    if plain.count(b"\n") != header.last - header.first:
        raise SegmentRefused(Reason.BAD_LINES)
    lines = _lines(header, plain.split(b"\n"))
    chain = header.before
    for line in lines:
        chain = chain_next(chain, line.digest)
    if chain != header.chain:
        raise SegmentRefused(Reason.CHAIN_MISMATCH)
    return lines


def _inflate(compressed: bytes) -> bytes:
    """At most 8 MiB, in pieces: the size that the data claims is never believed."""
    # The window is what zstd allocates on the data's word; ours never needs more than the content's limit.
    reader = zstandard.ZstdDecompressor(max_window_size=MAX_INFLATED).stream_reader(compressed)
    pieces, size = [], 0
    try:
        while piece := reader.read(256 * 1024):
            size += len(piece)
            if size > MAX_INFLATED:
                raise SegmentRefused(Reason.INFLATED)
            pieces.append(piece)
    except zstandard.ZstdError:
        raise SegmentRefused(Reason.BAD_COMPRESSION) from None
    return b"".join(pieces)


def _lines(header: Header, texts: Sequence[bytes]) -> tuple[OpenedLine, ...]:
    usual = read_usual_envelopes(texts, header.stream, header.epoch, header.first)
    if usual is None:
        return tuple(_line(header, seq, text) for seq, text in enumerate(texts, header.first))
    return tuple(
        OpenedLine(seq, kind, v, bytes.fromhex(subject) if subject else None, line_digest(text), text)
        for seq, (kind, v, subject), text in zip(range(header.first, header.last + 1), usual, texts, strict=True)
    )


def _line(header: Header, seq: int, text: bytes) -> OpenedLine:
    if text.startswith(b"#"):
        digits = text[1:].decode("ascii", "replace")
        if not HEX64.fullmatch(digits):
            raise SegmentRefused(Reason.BAD_LINES)
        return OpenedLine(seq, None, None, None, bytes.fromhex(digits), None)
    try:
        content = read_envelope(text)
    except BadLine:
        raise SegmentRefused(Reason.BAD_LINES) from None
    if content[:3] != (header.stream, header.epoch, seq):
        raise SegmentRefused(Reason.BAD_LINES)
    subject = bytes.fromhex(content.subject) if content.subject else None
    return OpenedLine(seq, content.kind, content.v, subject, line_digest(text), text)


def _header(encoded: bytes) -> Header:
    """The header, if these are exactly the bytes that `Header.encode` would write. Raises `SegmentRefused`."""
    try:
        m = decode_object(
            encoded, ("stream", "epoch", "first", "last", "before", "chain", "signed_by", "sealed_to", "time")
        )
        header = Header(
            text(m["stream"], STREAM),
            number(m["epoch"], 1, MAX_EPOCH),
            number(m["first"], 1, MAX_SEQ),
            number(m["last"], 1, MAX_SEQ),
            bytes.fromhex(text(m["before"], HEX64)),
            bytes.fromhex(text(m["chain"], HEX64)),
            text(m["signed_by"], HEX32),
            text(m["sealed_to"], HEX32),
            parse_wire_time(text(m["time"])),
        )
        if header.first > header.last or header.encode() != encoded:
            raise ValueError("not as we write it")
    except ValueError:
        raise SegmentRefused(Reason.BAD_HEADER) from None
    return header


def encode_object(members: Mapping[str, object]) -> bytes:
    """Compact JSON, nothing escaped that need not be, members in the order given."""
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def decode_object(encoded: bytes, names: Iterable[str]) -> dict[str, Any]:
    """The JSON object with exactly these members in this order; ValueError otherwise."""
    try:
        members = json.loads(encoded)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(members, dict) or tuple(members) != tuple(names):
        raise ValueError("not these members in this order")
    return members


def text(value: object, pattern: re.Pattern[str] = re.compile(r"[ -~]*")) -> str:
    """`value`, if it is text that matches; ValueError otherwise."""
    if type(value) is not str or not pattern.fullmatch(value):
        raise ValueError("not the text that belongs here")
    return value


def number(value: object, low: int, high: int) -> int:
    """`value`, if it is a whole number within the bounds; ValueError otherwise. True is no number."""
    if type(value) is not int or not low <= value <= high:
        raise ValueError("not a number that belongs here")
    return value
