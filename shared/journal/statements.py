"""What node and lead say to each other about a stream: the manifest and the receipt. Pure: bytes in, bytes out.

A **manifest** is the node's: "my stream ends at line `seq` with this chain". Its courier writes one whenever the head
has moved and every few minutes anyway. Without it the lead could not know of lines that got lost behind the last one
it has, nor tell a quiet node from a broken one. `nonce` names this one manifest.

A **receipt** is the lead's: "I hold your stream to the byte up to `seq`, where the chain is this". `incarnation` is
random and new with each database of the lead. `echo` is the nonce of the newest manifest it has seen, or "" if none:
*everything that lay there before that manifest has been examined*. The receiver may say so because it reads the
manifest first and looks for segments afterwards; `sending` tells what the node concludes.

On disk or wire: a JSON object, compact, members in this order, a line feed, the Ed25519 signature in hex, a line feed.

    manifest    stream, epoch, seq, chain, time, nonce, key
    receipt     stream, epoch, seq, chain, incarnation, time, echo, key

`key` is the id of the signing key. The signature covers "polku-manifest-1" or "polku-receipt-1" and the JSON, so a
manifest can never pass for a receipt. A replayed old statement is true but old: the lead never lowers what it knows
of a node's head, and a courier orders receipts by the manifest they echo, so a replay delays and never harms.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.journal import crypto
from shared.journal.segment import (
    HEX32,
    HEX64,
    MAX_EPOCH,
    MAX_SEQ,
    STREAM,
    Reason,
    Refused,
    decode_object,
    encode_object,
    number,
    text,
)
from shared.ops.clock import parse_wire_time, wire_time

MAX_STATEMENT = 2048
_ECHO = re.compile(r"(?:[0-9a-f]{32})?")
_SIGNATURE = re.compile(r"[0-9a-f]{128}")


class StatementRefused(Refused):
    """This is no statement that may be believed."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """How far the node's stream goes. `chain` is 32 raw bytes, `nonce` 32 hex digits."""

    stream: str
    epoch: int
    seq: int
    chain: bytes
    time: datetime
    nonce: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """How far the lead holds it. `incarnation` and `echo` are 32 hex digits; `echo` is "" before any manifest."""

    stream: str
    epoch: int
    seq: int
    chain: bytes
    incarnation: str
    time: datetime
    echo: str


def write_manifest(manifest: Manifest, signer: crypto.Key) -> bytes:
    """The signed manifest."""
    members = {"time": wire_time(manifest.time), "nonce": manifest.nonce}
    return _signed(_place(manifest) | members, signer, crypto.MANIFEST_CONTEXT)


def write_receipt(receipt: Receipt, signer: crypto.Key) -> bytes:
    """The signed receipt."""
    members = {"incarnation": receipt.incarnation, "time": wire_time(receipt.time), "echo": receipt.echo}
    return _signed(_place(receipt) | members, signer, crypto.RECEIPT_CONTEXT)


def read_manifest(data: bytes, keys: Mapping[str, bytes]) -> Manifest:
    """The manifest in `data`, signed by one of `keys` (public keys by id). Raises `StatementRefused`."""
    m = _checked(data, ("time", "nonce"), keys, crypto.MANIFEST_CONTEXT)
    try:
        return Manifest(
            text(m["stream"], STREAM),
            number(m["epoch"], 1, MAX_EPOCH),
            number(m["seq"], 0, MAX_SEQ),
            bytes.fromhex(text(m["chain"], HEX64)),
            parse_wire_time(text(m["time"])),
            text(m["nonce"], HEX32),
        )
    except ValueError:
        raise StatementRefused(Reason.BAD_STATEMENT) from None


def stated_place(checked: bytes) -> tuple[int, int, datetime]:
    """Epoch, line and time of a manifest that has been read before: which of two says more."""
    members = json.loads(checked.split(b"\n")[0])
    return members["epoch"], members["seq"], parse_wire_time(members["time"])


def read_receipt(data: bytes, keys: Mapping[str, bytes]) -> Receipt:
    """The receipt in `data`, signed by one of `keys` (public keys by id). Raises `StatementRefused`."""
    m = _checked(data, ("incarnation", "time", "echo"), keys, crypto.RECEIPT_CONTEXT)
    try:
        return Receipt(
            text(m["stream"], STREAM),
            number(m["epoch"], 1, MAX_EPOCH),
            number(m["seq"], 0, MAX_SEQ),
            bytes.fromhex(text(m["chain"], HEX64)),
            text(m["incarnation"], HEX32),
            parse_wire_time(text(m["time"])),
            text(m["echo"], _ECHO),
        )
    except ValueError:
        raise StatementRefused(Reason.BAD_STATEMENT) from None


def _place(statement: Manifest | Receipt) -> dict[str, object]:
    return {
        "stream": statement.stream,
        "epoch": statement.epoch,
        "seq": statement.seq,
        "chain": statement.chain.hex(),
    }


def _signed(members: dict[str, object], signer: crypto.Key, context: bytes) -> bytes:
    encoded = encode_object(members | {"key": signer.id})
    return encoded + b"\n" + crypto.sign(signer.secret(), context, encoded).hex().encode() + b"\n"


def _checked(data: bytes, own: tuple[str, ...], keys: Mapping[str, bytes], context: bytes) -> dict[str, object]:
    """The members, if form, key and signature hold; their own types are the caller's to check."""
    if len(data) > MAX_STATEMENT:
        raise StatementRefused(Reason.OVERSIZED)
    parts = data.split(b"\n")
    if len(parts) < 3:
        raise StatementRefused(Reason.TRUNCATED)
    try:
        encoded, signature, rest = parts
        members = decode_object(encoded, ("stream", "epoch", "seq", "chain", *own, "key"))
        signed = bytes.fromhex(text(signature.decode("ascii"), _SIGNATURE))
        key = text(members["key"], HEX32)
        if rest or encode_object(members) != encoded:
            raise ValueError("not as we write it")
    except (ValueError, RecursionError):
        raise StatementRefused(Reason.BAD_STATEMENT) from None
    if key not in keys:
        raise StatementRefused(Reason.UNKNOWN_KEY)
    if not crypto.verify(keys[key], signed, context, encoded):
        raise StatementRefused(Reason.BAD_SIGNATURE)
    return members
