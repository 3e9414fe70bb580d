"""What comes sealed to intake's bus key and goes out sealed to the key of a request."""

import base64
import json
from typing import Any

from marshmallow import Schema

from shared.contracts.commands import load
from shared.contracts.errors import InvalidInput
from shared.journal.crypto import seal

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
