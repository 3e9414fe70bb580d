"""Opening what intake sealed to one request. The private key lives as long as the request and is kept nowhere."""

import base64
import binascii
import json
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from shared.journal.crypto import CannotOpen, open_sealed

REPLY_INFO = b"polku-reply-1"


@dataclass(frozen=True)
class Identity:
    """A person's name or, where there is none, the nickname they are known by."""

    given_name: str
    family_name: str
    token: str

    def __repr__(self) -> str:
        return "Identity(…)"  # never a name in a log


@dataclass(frozen=True)
class ReplyKey:
    """An X25519 key pair for one request."""

    _private: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate, repr=False)

    @property
    def public_hex(self) -> str:
        """What to give as `reply_to`."""
        return self._private.public_key().public_bytes_raw().hex()

    def open(self, sealed: str) -> Identity | None:
        """The identity in a sealed row (base64), or None if it was not made for this key."""
        try:
            raw = base64.b64decode(sealed, validate=True)
            plain = json.loads(open_sealed(self._private.private_bytes_raw(), REPLY_INFO, raw))
            values = [plain.get(name) or "" for name in ("given_name", "family_name", "token")]
        except (CannotOpen, binascii.Error, ValueError, AttributeError):
            return None
        return Identity(*(str(value) for value in values))
