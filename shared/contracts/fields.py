"""The closed set of types that a fact may be made of. None of them can hold text that somebody typed.

A name, an address or a note has no type here, so a fact that could carry one cannot be declared
(`shared.contracts.facts` refuses any other field). Codes come from the programme file; because a code could still be
misused as a hiding place, `Code` and `ProgrammeKey` refuse what looks like an identity code or a phone number (an
e-mail address has characters that no code has). A name written like a code, ``matti_meikalainen``, no type can tell
from one: that a code stands in the programme file is for the service to check before it records the fact.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import unquote, urlsplit

from marshmallow import ValidationError, fields, validate

HEX32 = re.compile(r"[0-9a-f]{32}")
CODE = re.compile(r"[a-z0-9_]{1,40}")
PROGRAMME = re.compile(r"(?!local\Z)[a-z0-9-]{1,40}")
_HOST, _HERE = r"(?:[A-Za-z0-9.-]+|\[[0-9a-f:.]+\])", r"(?:127\.0\.0\.1|localhost|\[::1\])"
UPLINK = re.compile(
    rf"file:/.+|(?:https://{_HOST}|http://{_HERE})(?::[0-9]{{1,5}})?(?:/[!->@-~]*)?"
    rf"|(?:amqps://(?:[\w.-]+@)?{_HOST}|amqp://(?:[\w.-]+@)?{_HERE})(?::[0-9]{{1,5}})?/[\w.-]+",
    re.ASCII,
)
"""By which carrier a node reaches its lead: a folder, the lead's portal or its broker; in clear only on loopback.
No URL has a password in it: `home.toml` holds no secret. Of these `is_uplink` takes those that lead anywhere."""
CERTIFICATES = re.compile(r"|-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n -]+")
"""Certificates as PEM, or none."""
NODE = re.compile(r"[a-z0-9-]{1,24}-[0-9a-f]{8}")


def is_uplink(text: str) -> bool:
    """Whether a node can try to reach its lead there: an `UPLINK` whose port, host and path a system understands. One
    that it does not would end the courier to every lead."""
    if not UPLINK.fullmatch(text):
        return False
    try:
        parts = urlsplit(text)
        (parts.hostname or "").encode("idna")
        return parts.port != 0 and "\0" not in unquote(parts.path)
    except ValueError:
        return False


_LOOKS_PERSONAL = re.compile(
    r"[0-9]{6}[-+_a-fu-y]?[0-9]{3}[0-9a-y]"  # a Finnish personal identity code, its sign perhaps left out
    r"|[0-9]{7}|(?:[0-9][_-]?){9}"  # more digits than a year range has: a phone number, a birth date with something
)


_PERSONAL = "looks like an identity code or a phone number"
_REMEMBERED = 4096
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class FactField(fields.Field[Any]):
    """A field that a fact may have."""

    usual = ""
    """How its usual values look in JSON, as a pattern with one group; empty: there is none."""

    def take_many(self, texts: Sequence[str]) -> Sequence[Any]:
        """The values of members that look as usual, as the group has them, checked as `take` does, but each value once;
        raises `ValidationError`."""
        known = {text: self.take(self.of_text(text)) for text in set(texts)}
        return [known[text] for text in texts]

    def of_text(self, text: str) -> Any:
        """The value that is written so in JSON."""
        return text

    def take(self, value: Any) -> Any:
        """The value of a member, checked; raises `ValidationError`.

        What a marshmallow schema does for a member, without all that a schema can do besides: a lead reads tens of
        thousands of facts a second.
        """
        taken = self._deserialize(value, None, None)
        for validate_ in self.validators:
            validate_(taken)
        return taken


class _Pattern(FactField, fields.String):
    pattern: re.Pattern[str]
    says: str
    few = False
    """Whether the values are few, as codes and days are: then those that have passed are remembered."""

    def __init__(self, **kw: Any) -> None:
        super().__init__(**kw)
        self.usual = f'"({self.pattern.pattern})"' if self.pattern.groups == 0 else ""
        self._passed: set[str] = set()

    def take(self, value: Any) -> Any:
        if type(value) is str and value in self._passed:
            return value
        taken = super().take(value)
        if self.few and len(self._passed) < _REMEMBERED:
            self._passed.add(taken)
        return taken

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kw: Any) -> str:
        if not isinstance(value, str) or not self.pattern.fullmatch(value):
            raise ValidationError(self.says)
        return value


class EntityId(_Pattern):
    """The id of something this service made on this node: 128 random bits as 32 hex digits. Never a person."""

    pattern = HEX32
    says = "not 32 lower-case hex digits"

    def take(self, value: Any) -> Any:
        # Two of every line's few members are such; nothing else is asked of them.
        return value if type(value) is str and HEX32.fullmatch(value) else super().take(value)

    def take_many(self, texts: Sequence[str]) -> Sequence[str]:
        return texts


class SubjectRef(_Pattern):
    """A second subject; only `continues` and `same_as` may be one (architecture §4)."""

    pattern = HEX32
    says = "not 32 lower-case hex digits"


class Digest(_Pattern):
    """SHA-256 as 64 lower-case hex digits."""

    pattern = re.compile(r"[0-9a-f]{64}")
    says = "not 64 lower-case hex digits"


class Code(_Pattern):
    """A key of the programme file or of an enumeration in this package."""

    few = True
    pattern = CODE
    says = "not a code (a-z, 0-9 and _, 1 to 40 characters)"

    def __init__(self, *options: str, **kw: Any) -> None:
        super().__init__(validate=validate.OneOf(options) if options else None, **kw)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kw: Any) -> str:
        code = super()._deserialize(value, attr, data, **kw)
        if _LOOKS_PERSONAL.search(code):
            raise ValidationError(_PERSONAL)
        return code


class ProgrammeKey(_Pattern):
    """A programme's key, which is the name of its file. ``local`` is none: so a node's stream that never leaves it is
    called, and whoever could join a programme of that name would be sent it.
    """

    pattern = PROGRAMME
    says = "not a programme key (a-z, 0-9 and -, 1 to 40 characters, not local)"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kw: Any) -> str:
        key = super()._deserialize(value, attr, data, **kw)
        if _LOOKS_PERSONAL.search(key):
            raise ValidationError(_PERSONAL)
        return key


class NodeName(_Pattern):
    """A node's name as `polku init` made it."""

    pattern = NODE
    says = "not a node's name"


class Municipality(_Pattern):
    """Statistics Finland's municipality code, three digits."""

    pattern = re.compile(r"[0-9]{3}")
    says = "not a three-digit municipality code"


class Language(_Pattern):
    """An ISO 639 language code, two or three letters."""

    pattern = re.compile(r"[a-z]{2,3}")
    says = "not a language code"


class Day(_Pattern):
    """A day in Europe/Helsinki, ``YYYY-MM-DD``."""

    few = True
    pattern = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
    says = "not a date (YYYY-MM-DD)"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kw: Any) -> str:
        day = super()._deserialize(value, attr, data, **kw)
        try:
            date.fromisoformat(day)
        except ValueError:
            raise ValidationError(self.says) from None
        return day


class TimeOfDay(_Pattern):
    """A time of day in Europe/Helsinki, ``HH:MM``."""

    pattern = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
    says = "not a time (HH:MM)"


class Number(FactField):
    """A whole number between two bounds."""

    usual = "(0|-?[1-9][0-9]{0,17})"

    def __init__(self, low: int = 0, high: int = 1_000_000, **kw: Any) -> None:
        super().__init__(**kw)
        self.low, self.high = low, high

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kw: Any) -> int:
        if type(value) is not int or not self.low <= value <= self.high:
            raise ValidationError(f"not a whole number from {self.low} to {self.high}")
        return value

    def of_text(self, text: str) -> int:
        return int(text)


class Flag(FactField):
    """True or false, nothing that merely looks like it."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kw: Any) -> bool:
        if type(value) is not bool:
            raise ValidationError("not true or false")
        return value


class PublicKey(_Pattern):
    """A raw Ed25519 or X25519 public key as 64 hex digits."""

    pattern = re.compile(r"[0-9a-f]{64}")
    says = "not a public key (64 hex digits)"


class Signature(_Pattern):
    """An Ed25519 signature as 128 hex digits."""

    pattern = re.compile(r"[0-9a-f]{128}")
    says = "not a signature (128 hex digits)"


class Moment(_Pattern):
    """A time in UTC with six decimals, as in lines: ``2026-11-22T09:15:02.123456Z``."""

    pattern = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
    says = "not a time (YYYY-MM-DDTHH:MM:SS.ffffffZ)"


class ProgrammeText(FactField, fields.String):
    """A piece of a programme file in canonical JSON: the organisations' own public text, checked by its schema.

    12,000 characters stay under a line's 64 KiB whatever they are: canonical JSON has no raw control characters.
    """

    def __init__(self, **kw: Any) -> None:
        super().__init__(validate=[validate.Length(min=1, max=12_000), _printable], **kw)


def _printable(text: str) -> None:
    if _UNPRINTABLE.search(text):
        raise ValidationError("has control characters")


class Codes(FactField, fields.List[str]):
    """Several codes or languages, each once, in the order given."""

    def __init__(self, inner: Code | Language, **kw: Any) -> None:
        super().__init__(inner, validate=_each_once, **kw)


def _each_once(values: list[str]) -> None:
    if len(set(values)) != len(values):
        raise ValidationError("the same code twice")
    if len(values) > 50:
        raise ValidationError("more than 50 codes")


class Score(_Pattern):
    """A score as a decimal string: rounded already, all its places written, never a binary fraction."""

    pattern = re.compile(r"(?:0|[1-9][0-9]{0,5})(?:\.[0-9]{1,4})?")
    says = "not a decimal number (at most 6 digits before the point and 4 after it)"


class Answers(FactField):
    """What was answered, by key of the item, as whole numbers; an item that was not answered is left out."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kw: Any) -> dict[str, int]:
        if not isinstance(value, dict):
            raise ValidationError("not a mapping of items to answers")
        if len(value) > 200:
            raise ValidationError("more than 200 items")
        for item, answer in value.items():
            if not isinstance(item, str) or not CODE.fullmatch(item) or _LOOKS_PERSONAL.search(item):
                raise ValidationError("an item is no code")
            if type(answer) is not int or not 0 <= answer <= 1000:
                raise ValidationError("an answer is not a whole number from 0 to 1000")
        return {item: value[item] for item in sorted(value)}
