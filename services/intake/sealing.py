"""Opening and checking what the edges sealed to this node's bus key; the keys that the vault needs."""

import json
from typing import Any

from marshmallow import Schema

from services.intake.operations import Vault
from shared.contracts.commands import load
from shared.contracts.errors import InvalidInput
from shared.journal.crypto import CannotOpen, Keys
from shared.journal.sealed import open_command


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
            return open_command(private, sealed)
        except (CannotOpen, ValueError):
            continue
    raise InvalidInput(field=field, reason="does not open with this node's bus key")


def vault_of(keys: Keys) -> Vault:
    """The home's keys that the vault needs."""
    vault = {key.number: key.secret() for key in keys.all if key.name == "vault"}
    *older, index = [key.secret() for key in keys.all if key.name == "index"]
    return Vault(vault, index, older)
