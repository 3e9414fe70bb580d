"""A line: one fact as the bytes that are stored, chained, signed and shipped (architecture §4, frozen).

One JSON object, UTF-8, no white space outside strings, members in the order
``stream, epoch, seq, kind, v, recorded_at, subject, salt, body``, at most 64 KiB, no line feed at the end. In strings
only ``"``, the backslash and characters below U+0020 are escaped: as ``\\"  \\\\  \\b  \\f  \\n  \\r  \\t``, else as
``\\u00`` and two lower-case hex digits. Numbers are whole, in digits. No member stands twice in an object.
It is serialised once, by `serialise`; nobody writes it again, everybody else keeps these bytes.

The chain of a stream: ``chain(0) = SHA-256("polku-chain-1" ‖ stream)``,
``chain(n) = SHA-256(chain(n-1) ‖ SHA-256(line n))``, digests as raw bytes.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple, NoReturn

from shared.contracts.fields import HEX32

MAX_LINE = 64 * 1024
MAX_EPOCH, MAX_SEQ, MAX_VERSION = 9_999, 999_999_999_999, 9_999
MEMBERS = ("stream", "epoch", "seq", "kind", "v", "recorded_at", "subject", "salt", "body")

_STREAM = re.compile(r"(?:lead|[a-z0-9-]{1,24}-[0-9a-f]{8})/[a-z0-9-]{1,40}")
_KIND = re.compile(r"[a-z0-9_]{1,39}\.[a-z0-9_]{1,40}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")

# The usual line: a body of one level, members named by codes, strings of printable ASCII without an escape, no number
# of 19 digits. What matches and names no member twice is what `serialise` writes; all else is for `_parse_any`.
_SCALAR = r'(?:"[ !#-\[\]-~]*+"|0|-?[1-9][0-9]{0,17}+|null|true|false)'
_VALUE = rf"(?:{_SCALAR}|\[(?:{_SCALAR}(?:,{_SCALAR})*+)?\])"
_MEMBER = rf'"[a-z0-9_]{{1,40}}+":{_VALUE}'
_AFTER_SEQ = (
    rf',"kind":"({_KIND.pattern})","v":([1-9][0-9]{{0,3}}+),"recorded_at":"({_TIME.pattern})",'
    rf'"subject":(?:null|"({HEX32.pattern})"),"salt":"({HEX32.pattern})",'
    rf'"body":(\{{(?:{_MEMBER}(?:,{_MEMBER})*+)?\}})\}}'
)
_USUAL = re.compile(
    rf'\{{"stream":"({_STREAM.pattern})","epoch":([1-9][0-9]{{0,3}}+),"seq":([1-9][0-9]{{0,11}}+){_AFTER_SEQ}'
)
_USUAL_LINES = re.compile(rf'^\{{"stream":"[^"]*+","epoch":[0-9]++,"seq":([0-9]++){_AFTER_SEQ}$', re.MULTILINE)
"""Of lines whose stream, epoch and number are looked at apart."""

_scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]
"""Reads a body of a checked line; `json.loads` does more, which costs as much again."""


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


class Envelope(NamedTuple):
    """What a line says around its body: all that whoever stores it must know."""

    stream: str
    epoch: int
    seq: int
    kind: str
    v: int
    subject: str | None


def serialise(line: Line) -> bytes:
    """The line's bytes. Raises `BadLine` if it breaks a rule of the format."""
    _check(line)
    members = {name: getattr(line, name) for name in MEMBERS}
    try:
        data = _ENCODER.encode(members).encode()
    except (ValueError, TypeError, RecursionError):
        raise BadLine("body: not JSON in UTF-8") from None
    if len(data) > MAX_LINE:
        raise BadLine(f"a line of {len(data)} bytes is over the limit of {MAX_LINE}")
    return data


def parse(data: bytes) -> Line:
    """Read a line's bytes; whatever `serialise` would not have written byte by byte is a `BadLine`."""
    usual = _usual(data)
    if usual is None:
        return _parse_any(data)
    stream, epoch, seq, kind, v, recorded_at, subject, salt, text = usual.groups()
    body, _ = _scan(text, 0)
    if len(body) != text.count('":'):  # a name stands twice, or a string begins with a colon
        return _parse_any(data)
    return Line(stream, int(epoch), int(seq), kind, int(v), recorded_at, subject, salt, body)


def read_envelope(data: bytes) -> Envelope:
    """What stands around the body of a line; refuses what `parse` refuses, in a fraction of its time."""
    usual = _usual(data)
    if usual is None or not _named_once(usual[9]):
        line = _parse_any(data)
        return Envelope(line.stream, line.epoch, line.seq, line.kind, line.v, line.subject)
    stream, epoch, seq, kind, v, subject = usual.group(1, 2, 3, 4, 5, 7)
    return Envelope(stream, int(epoch), int(seq), kind, int(v), subject)


def read_usual_envelopes(
    texts: Sequence[bytes], stream: str, epoch: int, first: int
) -> Sequence[tuple[str, int, str | None]] | None:
    """Kind, version and subject of consecutive lines of one epoch, `first` the first one's number, in half the time
    that `read_envelope` takes for each. None if any is not of the usual form: it may be a line all the same."""
    plain = b"\n".join(texts)
    if not plain.isascii() or max(map(len, texts)) > MAX_LINE or plain.count(b"\n") != len(texts) - 1:
        return None
    begin = f'{{"stream":"{stream}","epoch":{epoch},'.encode()
    if not all(text.startswith(begin) for text in texts):
        return None
    found = _USUAL_LINES.findall(plain.decode())
    if [members[0] for members in found] != [str(seq) for seq in range(first, first + len(texts))]:
        return None
    if not all(_named_once(members[6]) for members in found):
        return None
    return [(kind, int(v), subject or None) for _, kind, v, _, subject, _, _ in found]


def read_body(data: bytes) -> dict[str, Any]:
    """The body of a line that has been checked, by `read_envelope` or `parse`, before it was kept.

    It is found by its name: no member before it can hold a quote. Raises `BadLine` where that is not so.
    """
    try:
        text = body_of(data).decode()
        body, end = _scan(text, 0)
    except (ValueError, RecursionError, StopIteration):
        raise BadLine("not a line that was checked") from None
    if type(body) is not dict or end != len(text):
        raise BadLine("not a line that was checked")
    return body


def body_of(data: bytes) -> bytes:
    """The bytes of such a line's body."""
    return data.partition(b',"body":')[2][:-1]


def _named_once(text: str) -> bool:
    """Whether no name stands twice in a body of the usual form; also no if a string begins with a colon."""
    return len(_scan(text, 0)[0]) == text.count('":')


def _usual(data: bytes) -> re.Match[str] | None:
    """The members of a line of the usual form, if no name stands twice; None of any other."""
    return _USUAL.fullmatch(data.decode()) if data.isascii() and len(data) <= MAX_LINE else None


def _parse_any(data: bytes) -> Line:
    if len(data) > MAX_LINE:
        raise BadLine("over 64 KiB")
    try:
        members = _DECODER.decode(data.decode())
    except (ValueError, RecursionError):
        raise BadLine("not JSON in UTF-8 with whole numbers") from None
    if not isinstance(members, dict) or tuple(members) != MEMBERS:
        raise BadLine("not the members of a line, in their order")
    line = Line(**members)
    if serialise(line) != data:
        raise BadLine("not in the one form of a line")
    return line


def _check(line: Line) -> None:
    for name, rule in (("stream", _STREAM), ("kind", _KIND), ("recorded_at", _TIME), ("salt", HEX32)):
        value = getattr(line, name)
        if type(value) is not str or not rule.fullmatch(value):
            raise BadLine(f"{name}: not of its form")
    for name, most in (("epoch", MAX_EPOCH), ("seq", MAX_SEQ), ("v", MAX_VERSION)):
        value = getattr(line, name)
        if type(value) is not int or not 1 <= value <= most:
            raise BadLine(f"{name}: not a whole number from 1 to {most}")
    if line.subject is not None and (type(line.subject) is not str or not HEX32.fullmatch(line.subject)):
        raise BadLine("subject: neither null nor 32 lower-case hex digits")
    if type(line.body) is not dict:
        raise BadLine("body: not an object")


def _no_such_number(_digits: str) -> NoReturn:
    raise ValueError("not a whole number")


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_DECODER = json.JSONDecoder(parse_float=_no_such_number, parse_constant=_no_such_number)


def line_digest(data: bytes) -> bytes:
    """SHA-256 of a line's bytes, 32 raw bytes."""
    return sha256(data).digest()


def chain_start(stream: str) -> bytes:
    """The chain before a stream's first line, 32 raw bytes."""
    return sha256(b"polku-chain-1" + stream.encode()).digest()


def chain_next(chain: bytes, digest: bytes) -> bytes:
    """The chain after a line with this digest."""
    return sha256(chain + digest).digest()
