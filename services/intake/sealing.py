"""What comes sealed to intake's bus key and goes out sealed to the key of a request; the vault's keys."""

import base64
import json
from typing import Any

from marshmallow import Schema

from services.intake.operations import Vault
from shared.bus.home import HomeResource
from shared.contracts.commands import load
from shared.contracts.errors import InvalidInput
from shared.journal.crypto import CannotOpen, open_sealed, seal

COMMAND_INFO = b"polku-command-1"
REPLY_INFO = b"polku-reply-1"


def sealed_to(reply_to: bytes, content: dict[str, Any]) -> str:
    """What only who asked can open, as base64."""
    return base64.b64encode(seal(reply_to, REPLY_INFO, json.dumps(content).encode())).decode()


def inside(schema: type[Schema], field: str, opened: bytes) -> dict[str, Any]:
    """What was sealed, checked; an error names the member by where the sealed text stands."""
    try:
        return load(schema, json.loads(opened))
    except InvalidInput as error:
        raise InvalidInput(field=f"{field}.{error.params['field']}", reason=error.params["reason"]) from None
    except (ValueError, RecursionError):
        raise InvalidInput(field=field, reason="what is inside is not JSON") from None


class KeyHolder:
    """A part of intake's service that opens and reads; the service has `home`."""

    home: HomeResource

    def _opened(self, field: str, sealed: str) -> bytes:
        for private in self.home.keys.privates("bus").values():
            try:
                return open_sealed(private, COMMAND_INFO, base64.b64decode(sealed))
            except (CannotOpen, ValueError):
                continue
        raise InvalidInput(field=field, reason="does not open with this node's bus key")

    def _vault(self) -> Vault:
        keys = self.home.keys
        vault = {key.number: key.secret() for key in keys.all if key.name == "vault"}
        *older, index = [key.secret() for key in keys.all if key.name == "index"]
        return Vault(vault, index, older)
