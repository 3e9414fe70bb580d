"""Letters between two nodes, which the lead carries and cannot read. Pure: bytes in, bytes out (`posting` moves them).

A **letter** is a JSON object of three strings: `head` (JSON: id, programme, sender, recipient, signing key id,
receiving key id, time), `sealed` (base64 of HPKE to the recipient's receiving key, info "polku-post-1" ‖ head) and
`signature` (hex of Ed25519("polku-post-1" ‖ head ‖ SHA-256(sealed bytes)) by the sender). What it is for stands inside.
An **acknowledgement** is `head` of the same form without receiving key, of the letter's id from its recipient to its
sender, and a `signature` over "polku-post-ack-1" ‖ head: nobody on the way can make one.

All that goes one way through a channel is one item, `post`: every letter that has not been acknowledged, and the
acknowledgements of letters that still come. It is replaced as a whole, so what was lost is there again with the next
one, what was acknowledged is nowhere any more, and nobody on the way has to keep anything. The whole state is repeated
until both ends agree; a letter's id makes repeating harmless.
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from shared.contracts.fields import HEX32, NODE, PROGRAMME
from shared.journal import crypto
from shared.ops.clock import wire_time

POST_CONTEXT, ACK_CONTEXT = b"polku-post-1", b"polku-post-ack-1"
MAX_PLAIN = 16 * 1024
MAX_POST = 1024 * 1024
"""Bytes of one item; what does not fit waits until something has been acknowledged."""
MOST_ENTRIES = 4096
"""Letters, or acknowledgements, of one item: more than fit if they are any, for each has a signature."""
_TIME = re.compile(r"[0-9T:.-]{1,26}Z")
_SIGNATURE = re.compile(r"[0-9a-f]{128}")
_HEAD = {
    **{"id": HEX32, "programme": PROGRAMME, "sender": NODE, "recipient": NODE},
    **{"signing_key": HEX32, "receiving_key": re.compile(r"(?:[0-9a-f]{32})?"), "time": _TIME},
}


class LetterRefused(ValueError):
    """A letter, an acknowledgement or an item that is not believed; `reason` is a code."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"refused: {reason}")


@dataclass(frozen=True, slots=True)
class Head:
    """What is said openly of a letter, or of an acknowledgement (`receiving_key` is empty)."""

    id: str
    programme: str
    sender: str
    recipient: str
    signing_key: str
    receiving_key: str
    time: str


def write_letter(
    number: str, programme: str, sender: str, signer: crypto.Key, recipient: str, to: bytes, plain: bytes, now: datetime
) -> tuple[Head, bytes]:
    """A letter with the id `number` to the raw receiving key `to` of the node `recipient`."""
    if len(plain) > MAX_PLAIN:
        raise ValueError(f"a letter holds at most {MAX_PLAIN} bytes")
    said = Head(number, programme, sender, recipient, signer.id, crypto.key_id(to), wire_time(now))
    head = _dumps(asdict(said))
    sealed = crypto.seal(to, POST_CONTEXT + head, plain)
    signature = crypto.sign(signer.secret(), POST_CONTEXT, head + sha256(sealed).digest())
    parts = {"head": head.decode(), "sealed": base64.b64encode(sealed).decode(), "signature": signature.hex()}
    return said, _dumps(parts)


def verify_letter(letter: bytes, signing: Mapping[str, bytes]) -> Head:
    """The head of a letter that one of these keys (by id) has signed; raises `LetterRefused`. Opens nothing."""
    raw, sealed, signature = _parts(letter, "sealed")
    head = _read_head(raw)
    _check(head, signing, signature, POST_CONTEXT, raw + sha256(sealed).digest())
    return head


def open_letter(letter: bytes, privates: Mapping[str, bytes]) -> bytes:
    """What a verified letter says, by the recipient's receiving keys; raises `LetterRefused`."""
    raw, sealed, _ = _parts(letter, "sealed")
    private = privates.get(_read_head(raw).receiving_key)
    if private is None:
        raise LetterRefused("unknown_receiving_key")
    try:
        return crypto.open_sealed(private, POST_CONTEXT + raw, sealed)
    except crypto.CannotOpen:
        raise LetterRefused("does_not_open") from None


def write_ack(letter: Head, signer: crypto.Key) -> bytes:
    """The recipient's word to the sender that the letter has been taken; the same bytes every time."""
    back = Head(letter.id, letter.programme, letter.recipient, letter.sender, signer.id, "", letter.time)
    head = _dumps(asdict(back))
    signature = crypto.sign(signer.secret(), ACK_CONTEXT, head)
    return _dumps({"head": head.decode(), "signature": signature.hex()})


def verify_ack(ack: bytes, signing: Mapping[str, bytes]) -> Head:
    """The head of an acknowledgement that one of these keys has signed; raises `LetterRefused`."""
    raw, _, signature = _parts(ack, None)
    head = _read_head(raw)
    _check(head, signing, signature, ACK_CONTEXT, raw)
    return head


def sender_of(data: bytes) -> str:
    """Who a letter or an acknowledgement says it is from, unchecked: whose keys to check it with."""
    return _read_head(_parts(data, None)[0]).sender


def pack(letters: Iterable[bytes], acks: Iterable[bytes], limit: int = MAX_POST) -> bytes:
    """The item; acknowledgements first, in half of it at most, and of the letters those that fit."""
    parts: dict[str, list[str]] = {"acks": [], "letters": []}
    size = 64
    for name, entries, room in (("acks", acks, limit // 2), ("letters", letters, limit)):
        for entry in entries:
            if size + 2 * len(entry) > room:  # in a string every quotation mark is two
                break
            size += 2 * len(entry)
            parts[name].append(entry.decode())
    return _dumps({"polku_post": 1, **parts})


def unpack(item: bytes) -> tuple[list[bytes], list[bytes]]:
    """Letters and acknowledgements of an item, unchecked; raises `LetterRefused` if it is none."""
    if len(item) > MAX_POST:
        raise LetterRefused("oversized")
    try:
        data = json.loads(item)
        letters, acks = ([entry.encode() for entry in data[name]] for name in ("letters", "acks"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise LetterRefused("malformed") from None
    if data.get("polku_post") != 1:
        raise LetterRefused("newer")
    if max(len(letters), len(acks)) > MOST_ENTRIES:
        raise LetterRefused("too_many")
    return letters, acks


def _parts(data: bytes, payload: str | None) -> tuple[bytes, bytes, bytes]:
    try:
        parts = json.loads(data)
        signature, head = parts["signature"], parts["head"].encode()
        sealed = base64.b64decode(parts[payload], validate=True) if payload else b""
        if not _SIGNATURE.fullmatch(signature):
            raise LetterRefused("malformed")
        return head, sealed, bytes.fromhex(signature)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise LetterRefused("malformed") from None


def _read_head(raw: bytes) -> Head:
    try:
        data: Any = json.loads(raw)
        values = {name: data[name] for name in _HEAD}
        if all(isinstance(value, str) and _HEAD[name].fullmatch(value) for name, value in values.items()):
            return Head(**values)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise LetterRefused("malformed")


def _check(head: Head, signing: Mapping[str, bytes], signature: bytes, context: bytes, message: bytes) -> None:
    key = signing.get(head.signing_key)
    if key is None:
        raise LetterRefused("unknown_key")
    if not crypto.verify(key, signature, context, message):
        raise LetterRefused("signature")


def _dumps(data: Any) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode()
