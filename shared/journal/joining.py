"""Joining a programme: the lead's invite to a partner, and the node's answer. Pure: bytes in, bytes out.

The **invite** (JSON, given to the partner by hand) holds the carrier's address, the lead's public keys, a one-time
token and its expiry; no secret of the programme. Where the carrier needs them: the certificate of the lead's own
authority, and the password for its broker. The **join** goes back through the carrier: JSON with the token and
the node's public keys, a line feed, the node's signature over "polku-join-1" ‖ JSON in hex, all of it sealed (HPKE,
info "polku-join-1") to the lead's receiving key. So only the lead can read the token, and the keys are those of
somebody who holds the signing key and was given the invite.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from shared.contracts.errors import InvalidInvite
from shared.contracts.fields import CERTIFICATES, CODE, NODE, PROGRAMME, UPLINK, is_uplink
from shared.journal.crypto import CannotOpen, can_seal_to, open_sealed, seal, sign, verify
from shared.ops.clock import parse_wire_time, wire_time

CONTEXT = b"polku-join-1"
MAX_JOIN = 4096
_HEX64 = re.compile(r"[0-9a-f]{64}")
_HEX128 = re.compile(r"[0-9a-f]{128}")


@dataclass(frozen=True, slots=True)
class Invite:
    """What a partner is given; `uplink` is the carrier's URL."""

    programme: str
    partner: str
    uplink: str
    signing_key: bytes
    receiving_key: bytes
    token: str
    expires: datetime
    authority: str = ""
    password: str = field(default="", repr=False)

    def to_json(self) -> str:
        """The invite as it is handed over."""
        optional = {"authority": self.authority, "password": self.password}
        return json.dumps(
            {
                "polku_invite": 1,
                "programme": self.programme,
                "partner": self.partner,
                "uplink": self.uplink,
                "lead_signing_key": self.signing_key.hex(),
                "lead_receiving_key": self.receiving_key.hex(),
                "token": self.token,
                "expires": wire_time(self.expires),
                **{name: value for name, value in optional.items() if value},
            },
            indent=2,
        )


def token_digest(token: str) -> bytes:
    """What the lead keeps of a token."""
    return sha256(token.encode()).digest()


def read_invite(text: str) -> Invite:
    """Read an invite; raises `InvalidInvite` with the reason."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInvite(reason="it is not JSON") from None
    if not isinstance(data, dict) or data.get("polku_invite") != 1:
        raise InvalidInvite(reason="it is not an invite of this release")
    rules = {
        "programme": PROGRAMME,
        "partner": CODE,
        "uplink": UPLINK,
        "lead_signing_key": _HEX64,
        "lead_receiving_key": _HEX64,
        "token": _HEX64,
        "expires": re.compile(r".+Z"),
        "authority": CERTIFICATES,
        "password": re.compile(r"[0-9a-f]{0,64}"),
    }
    data = {"authority": "", "password": "", **data}
    for member, rule in rules.items():
        if not isinstance(data.get(member), str) or not rule.fullmatch(data[member]):
            raise InvalidInvite(reason=f"{member} is missing or malformed")
    if not is_uplink(data["uplink"]):
        raise InvalidInvite(reason="uplink leads nowhere: its port, host or path is malformed")
    if data["authority"] and not _loads(data["authority"]):
        raise InvalidInvite(reason="authority is no certificate")
    try:
        expires = parse_wire_time(data["expires"])
    except ValueError:
        raise InvalidInvite(reason="expires is malformed") from None
    return Invite(
        data["programme"],
        data["partner"],
        data["uplink"],
        bytes.fromhex(data["lead_signing_key"]),
        bytes.fromhex(data["lead_receiving_key"]),
        data["token"],
        expires,
        data["authority"],
        data["password"],
    )


def _loads(authority: str) -> bool:
    import ssl  # which a receiver needs nothing of

    try:
        ssl.create_default_context(cadata=authority)
    except ssl.SSLError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Join:
    """What the lead learns from a join: who, for what, with which keys and which invite."""

    programme: str
    partner: str
    node: str
    signing_key: bytes
    receiving_key: bytes
    token_digest: bytes


def build_join(invite: Invite, node: str, signing_private: bytes, signing_key: bytes, receiving_key: bytes) -> bytes:
    """The node's answer to an invite."""
    body = json.dumps(
        {
            "programme": invite.programme,
            "partner": invite.partner,
            "node": node,
            "signing_key": signing_key.hex(),
            "receiving_key": receiving_key.hex(),
            "token": invite.token,
        }
    ).encode()
    signed = body + b"\n" + sign(signing_private, CONTEXT, body).hex().encode()
    return seal(invite.receiving_key, CONTEXT, signed)


def open_join(data: bytes, receiving_privates: list[bytes]) -> Join:
    """Open a join with one of the lead's receiving keys; raises `InvalidInvite` with the reason."""
    for private in receiving_privates:
        try:
            opened = open_sealed(private, CONTEXT, data)
        except CannotOpen:
            continue
        return _read_join(opened)
    raise InvalidInvite(reason="it is not sealed to this lead")


def _read_join(opened: bytes) -> Join:
    body, _, signature = opened.partition(b"\n")
    rules = {
        "programme": PROGRAMME,
        "partner": CODE,
        "node": NODE,
        "signing_key": _HEX64,
        "receiving_key": _HEX64,
        "token": _HEX64,
    }
    try:
        data: dict[str, Any] = json.loads(body)
        signed = signature.decode()
        well_formed = _HEX128.fullmatch(signed) and all(rule.fullmatch(data[name]) for name, rule in rules.items())
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InvalidInvite(reason="the join is malformed") from None
    if not well_formed or not verify(bytes.fromhex(data["signing_key"]), bytes.fromhex(signed), CONTEXT, body):
        raise InvalidInvite(reason="the join is malformed or not signed by its own key")
    if not can_seal_to(bytes.fromhex(data["receiving_key"])):
        raise InvalidInvite(reason="nothing can be sealed to its receiving key")
    return Join(
        data["programme"],
        data["partner"],
        data["node"],
        bytes.fromhex(data["signing_key"]),
        bytes.fromhex(data["receiving_key"]),
        token_digest(data["token"]),
    )
