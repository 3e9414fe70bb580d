"""What crosses the bus sealed: identities and texts in a command, and in the answer to who asked.

A command's `sealed` opens only with the bus key of the node; an answer only with the key of the request that it was
made for (`reply_to`). Both are JSON inside and base64 outside. What a command may hold is said by its contract.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from shared.journal.crypto import open_sealed, seal

COMMAND_INFO = b"polku-command-1"
REPLY_INFO = b"polku-reply-1"


def seal_command(bus_key: bytes, content: Mapping[str, Any]) -> str:
    """Content as only the node opens it whose raw public bus key this is, as base64."""
    return _sealed(bus_key, COMMAND_INFO, content)


def open_command(private: bytes, sealed: str) -> bytes:
    """The bytes in a command's `sealed`, unchecked. `CannotOpen` or ValueError if they were not made for this key."""
    return open_sealed(private, COMMAND_INFO, base64.b64decode(sealed))


def seal_reply(reply_to: str, content: Mapping[str, Any]) -> str:
    """Content as only who asked opens it; `reply_to` is what their `ReplyKey` gave."""
    return _sealed(bytes.fromhex(reply_to), REPLY_INFO, content)


@dataclass(frozen=True)
class ReplyKey:
    """An X25519 key pair for one request. The private half lives as long as the request and is kept nowhere."""

    _private: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate, repr=False)

    @property
    def public_hex(self) -> str:
        """What to give as `reply_to`."""
        return self._private.public_key().public_bytes_raw().hex()

    def opened(self, sealed: str) -> Any:
        """What is inside an answer. `CannotOpen` or ValueError if it was not made for this key."""
        raw = base64.b64decode(sealed, validate=True)
        return json.loads(open_sealed(self._private.private_bytes_raw(), REPLY_INFO, raw))


def _sealed(public: bytes, info: bytes, content: Mapping[str, Any]) -> str:
    # Half a surrogate, from a terminal or a JSON file, is refused by name where it is opened, not here.
    plain = json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return base64.b64encode(seal(public, info, plain)).decode()
