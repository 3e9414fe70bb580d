"""What the bodies of RPC commands are made of, and how they are checked where they arrive; an error names the field and
the reason. The commands themselves are declared in the modules beside this one, by what they are about.

Identities and free text are never members: they travel inside `Sealed`, encrypted to intake's bus key, and what is
inside is declared too (`people.PersonIdentity`). Commands that make something take a list of up to 500 items, each
with an idempotency key; the reply has one result per item, in order, up to the first that was refused
(`skip_bad`: one for every item).
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from shared.contracts.errors import InvalidInput
from shared.contracts.fields import Code, Digest, Number

MAX_ITEMS = 500
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""What no name has: control characters, line ends, halves of characters, and the marks that turn the order of what
follows around, so that a page shows another name than is kept."""
_LOOKS_EMPTY = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and signs that are drawn as nothing."""
_HEX = re.compile(r"[0-9a-f]+")
_MEMBER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")


class HexBytes(fields.String):
    """Bytes as lower-case hex digits, at most 4 MiB of bytes: what somebody signed, and never about a person."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kw: Any) -> str:
        if not isinstance(value, str) or not _HEX.fullmatch(value) or len(value) % 2 or len(value) > 2 * 4 * 2**20:
            raise ValidationError("not bytes in lower-case hex digits")
        return value


class Sealed(fields.String):
    """Base64 of an HPKE message to intake's bus key; the only way an identity or free text crosses a bus.

    `inside` is the schema of the JSON object in it, which the service checks when it has opened it.
    """

    def __init__(self, inside: type[Schema], **kw: Any) -> None:
        self.inside = inside
        super().__init__(validate=[validate.Length(max=32_000), validate.Regexp(r"[A-Za-z0-9+/]+={0,2}\Z")], **kw)


class PlainText(fields.String):
    """One line of text from a person, inside `Sealed` only."""

    def __init__(self, longest: int, **kw: Any) -> None:
        super().__init__(validate=[validate.Length(min=1, max=longest), _can_be_read], **kw)


def is_blank(text: str) -> bool:
    """Whether nothing of the text can be seen: spaces, and letters without width or ink."""
    return not any(unicodedata.category(one)[0] in "LNPS" and one not in _LOOKS_EMPTY for one in text)


def _can_be_read(text: str) -> None:
    if CONTROL.search(text):
        raise ValidationError("has control characters")
    if text and is_blank(text):
        raise ValidationError("has nothing that can be seen")


class Actor(fields.String):
    """Who acts: the name of a portal user, or ``cli:`` and the system user."""

    def __init__(self, **kw: Any) -> None:
        super().__init__(required=True, validate=[validate.Length(min=1, max=80), _can_be_read], **kw)


class WorkerName(fields.String):
    """The name of a user of this node's portal, as the worker of people."""

    def __init__(self, **kw: Any) -> None:
        super().__init__(validate=validate.Regexp(r"[a-zåäö0-9][a-zåäö0-9._@-]{0,63}\Z"), **kw)


class Command(Schema):
    """What every command has: `by`; `after`, a position that the service follows to first."""

    class Meta:
        unknown = RAISE

    by = Actor()
    after = Number(0, 2**62, load_default=0)


class Question(Schema):
    """What only reads coded data needs nobody's name."""

    class Meta:
        unknown = RAISE


class Members(Schema):
    """Members of something; one that is not known is refused."""

    class Meta:
        unknown = RAISE


class Item(Members):
    """What every item of a list has: its idempotency key."""

    key = Digest(required=True)


def items(item: type[Schema]) -> "fields.List[Any]":
    """The `items` member of a command that takes a list."""
    return fields.List(fields.Nested(item), required=True, validate=validate.Length(min=1, max=MAX_ITEMS))


class RetryParked(Command):
    """`*.retry_parked`, of every service that follows the journal: run the queue of the parked line at `pos`."""

    pos = Number(1, 2**62, required=True)


class DropParked(Command):
    """`*.drop_parked`, of every service that follows the journal: give the parked line at `pos` up, for a reason."""

    pos = Number(1, 2**62, required=True)
    reason = Code(required=True)


def load(command: type[Schema], data: Mapping[str, Any]) -> dict[str, Any]:
    """The checked body of a command; raises `InvalidInput` naming the first wrong field, never a value."""
    try:
        loaded: dict[str, Any] = _made(command).load(data)
    except ValidationError as error:
        field, reason = _first(error.messages)
        raise InvalidInput(field=field, reason=reason) from None
    return loaded


@lru_cache(maxsize=256)
def _made(command: type[Schema]) -> Schema:
    """Making one copies every field, which costs more than checking a body; it keeps nothing of what it checks."""
    return command()


def _first(messages: Any, path: str = "") -> tuple[str, str]:
    while isinstance(messages, dict):
        key = min(messages, key=lambda name: (isinstance(name, str), name))
        if key == "_schema":  # marshmallow's name for the whole
            messages = messages[key]
            continue
        # A member that nobody declared is named by whoever sent it, perhaps with what belongs into no message.
        name = key if isinstance(key, int) or _MEMBER.fullmatch(key) else "?"
        path, messages = f"{path}.{name}" if path else str(name), messages[key]
    reason = messages[0] if isinstance(messages, list) and messages else messages
    return path or "body", str(reason).rstrip(".")
