"""Who asks over HTTP: a request signed by the node's Ed25519 key, and checked by the lead. Pure, no I/O.

    Authorization: Polku key=KEY_ID,time=2026-11-22T09:15:02.123456Z,signature=HEX

The signature covers "polku-http-1" ‖ method, path (`CHANNEL/ITEM`, `CHANNEL/` for the listing), SHA-256 of the body in
hex and time, joined by line feeds: so a request is good for one item, one content and about that time. Within `SLACK`
it may be repeated by whoever saw it, which the protocol on top stands as it stands any repetition (`carrier`).

A node that is not admitted yet shows the digest of its invite's token instead, which lets it write its `join` and
nothing else. The token itself travels only inside the join, sealed.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from shared.journal import crypto
from shared.ops.clock import parse_wire_time, wire_time

CONTEXT = b"polku-http-1"
SLACK = timedelta(days=1)
"""How far a node's clock may be from the lead's: as far as its manifests may be."""

_SIGNED = re.compile(r"Polku key=([0-9a-f]{32}),time=([0-9TZ:.-]{20,32}),signature=([0-9a-f]{128})")
_INVITED = re.compile(r"Polku-Invite ([0-9a-f]{64})")


def signed(signer: crypto.Key, method: str, path: str, body: bytes, now: datetime) -> str:
    """The header's value for a request."""
    time = wire_time(now)
    signature = crypto.sign(signer.secret(), CONTEXT, _message(method, path, body, time))
    return f"Polku key={signer.id},time={time},signature={signature.hex()}"


def invited(token_digest: bytes) -> str:
    """The header's value for an answer to an invite."""
    return f"Polku-Invite {token_digest.hex()}"


def invite_in(header: str) -> str | None:
    """The token digest (hex) that the header shows; None if it shows none."""
    match = _INVITED.fullmatch(header)
    return match[1] if match else None


def claimed_key(header: str, now: datetime) -> str | None:
    """The id of the key that a signed header names; None if it is none, or its time is not about now."""
    match = _SIGNED.fullmatch(header)
    try:
        return match[1] if match and abs(parse_wire_time(match[2]) - now) <= SLACK else None
    except ValueError:
        return None


def is_authentic(header: str, method: str, path: str, body: bytes, keys: Mapping[str, bytes], now: datetime) -> bool:
    """Whether one of these keys (by id) signed this request about now."""
    key, match = claimed_key(header, now), _SIGNED.fullmatch(header)
    if key is None or match is None or key not in keys:
        return False
    return crypto.verify(keys[key], bytes.fromhex(match[3]), CONTEXT, _message(method, path, body, match[2]))


def _message(method: str, path: str, body: bytes, time: str) -> bytes:
    return "\n".join((method, path, sha256(body).hexdigest(), time)).encode()
