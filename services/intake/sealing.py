"""Opening what the edges sealed to this node's bus key, and sealing what goes back to them."""

import base64
import json
from typing import Any

from marshmallow import Schema

from services.intake.operations import Vault
from shared.contracts.commands import load
from shared.contracts.errors import InvalidInput
from shared.journal.crypto import CannotOpen, Keys, open_sealed, seal

COMMAND_INFO = b"polku-command-1"
REPLY_INFO = b"polku-reply-1"


def inside(keys: Keys, schema: type[Schema], field: str, sealed: str) -> dict[str, Any]:
    """What was sealed, checked; an error names the member by where the sealed text stands."""
    opened = _opened(keys, field, sealed)
    try:
        return load(schema, json.loads(opened))
    except InvalidInput as error:
        raise InvalidInput(field=f"{field}.{error.params['field']}", reason=error.params["reason"]) from None
    except (ValueError, RecursionError):
        raise InvalidInput(field=field, reason="what is inside is not JSON") from None


def _opened(keys: Keys, field: str, sealed: str) -> bytes:
    for private in keys.privates("bus").values():
        try:
            return open_sealed(private, COMMAND_INFO, base64.b64decode(sealed))
        except (CannotOpen, ValueError):
            continue
    raise InvalidInput(field=field, reason="does not open with this node's bus key")


def sealed_to(reply_to: bytes, content: dict[str, Any]) -> str:
    """What only who asked can open, as base64."""
    return base64.b64encode(seal(reply_to, REPLY_INFO, json.dumps(content).encode())).decode()


def vault_of(keys: Keys) -> Vault:
    """The home's keys that the vault needs."""
    vault = {key.number: key.secret() for key in keys.all if key.name == "vault"}
    *older, index = [key.secret() for key in keys.all if key.name == "index"]
    return Vault(vault, index, older)
