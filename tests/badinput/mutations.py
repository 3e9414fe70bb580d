"""What may be wrong with a member of a contract, made from its declaration: a kind of member is all that this knows.

A new kind of member without an entry here stops the tests with its name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, fields

from shared.contracts import commands, partners, talks
from shared.contracts import fields as types

SECRET = "Meikäläinen 020190-900X"
"""Stands in what is wrong: it may never be seen in an error or a log."""
LONG = SECRET * 500
"""Over 10,000 characters."""

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """A member of a contract: where it stands in a body (items of a list: the first), and how it is declared."""

    path: Path
    field: Any

    @property
    def name(self) -> str:
        """The path as errors have it."""
        return ".".join(map(str, self.path))

    @property
    def declared(self) -> str:
        """Name, type and bounds: what is declared alike is checked alike."""
        return repr((self.path[-1], _bounds(self.field), _bounds(getattr(self.field, "inner", None))))


def _bounds(field: Any) -> tuple[Any, ...]:
    said = ("required", "allow_none", "validators", "low", "high", "inside", "nested")
    return (type(field), *(getattr(field, name, None) for name in said))


def places(schema: Schema, at: Path = ()) -> Iterator[Place]:
    """Every member, those of nested objects and lists of objects too."""
    for name, field in schema.fields.items():
        yield Place((*at, name), field)
        if isinstance(field, fields.Nested):
            yield from places(field.schema, (*at, name))
        elif isinstance(field, fields.List) and isinstance(field.inner, fields.Nested):
            yield from places(field.inner.schema, (*at, name, 0))


def objects(schema: Schema, at: Path = ()) -> Iterator[Path]:
    """Where an object stands: the body itself, nested objects, items."""
    yield at
    for place in places(schema, at):
        if isinstance(place.field, fields.Nested):
            yield place.path
        elif isinstance(place.field, fields.List) and isinstance(place.field.inner, fields.Nested):
            yield (*place.path, 0)


def put(body: Any, path: Path, value: Any) -> Any:
    """A copy of `body` with the value at `path`; objects on the way that are not there are made."""
    if not path:
        return value
    step, *rest = path
    if isinstance(step, int):
        there = list(body or [{}])
        there[step] = put(there[step], tuple(rest), value)
        return there
    named = dict(body or {})
    named[step] = put(named.get(step), tuple(rest), value)
    return named


def without(body: Any, path: Path) -> Any:
    """A copy of `body` without the member at `path`."""
    step, *rest = path
    if isinstance(step, int):
        return [without(item, tuple(rest)) if n == step else item for n, item in enumerate(body)]
    return {
        name: without(value, tuple(rest)) if name == step else value
        for name, value in body.items()
        if name != step or rest
    }


def is_there(body: Any, path: Path) -> bool:
    """Whether there is something at `path`."""
    for step in path:
        try:
            body = body[step]
        except (KeyError, IndexError, TypeError):
            return False
    return True


_NO_TEXT = {"a number": 7, "a float": 7.5, "true": True, "a list": [SECRET], "an object": {SECRET: SECRET}}
_NO_LIST = {"a number": 7, "true": True, "a text": SECRET, "an object": {SECRET: SECRET}}
_BAD_TEXTS = {
    "empty": "",
    "10,000 characters": LONG,
    "NUL": f"a\x00{SECRET}",
    "an escape": f"\x1b[2J{SECRET}",
    "half a surrogate pair": f"{SECRET}\ud800",
    "delete": f"a\x7f{SECRET}",
}
_OF_ONE_LINE = {
    "a line end": f"{SECRET}\n",
    "a line separator": f"a\u2028{SECRET}",
    "turned around": f"\u202e{SECRET}",
    "an isolate": f"\u2067{SECRET}\u2069",
    "a mark of direction": f"\u200e{SECRET}\u200f",
    "spaces": "   ",
    "letters that nobody sees": "\u200b\u2060\u00ad\u3164",
}
_NO_CODE = {"no code": SECRET, "upper case": "NO_CODE", "an identity code": "020190_900x", "a path": "../etc/passwd"}
_NO_DAY = {
    "no date": SECRET,
    "a day that is none": "2016-02-30",
    "a month that is none": "2016-13-01",
    "the year 0": "0000-01-01",
    "a Finnish date": "1.3.2016",
    "a week": "2016-W09-2",
    "a time": "2016-03-01T10:00:00Z",
    "basic": "20160301",
    "other digits": "\u0662\u0660\u0661\u0666-03-01",
}
_NO_NUMBER = {
    "a text": "7",
    "a float": 7.0,
    "a fraction": 7.5,
    "true": True,
    "huge": 10**30,
    "hugely negative": -(2**70),
    "a list": [7],
    "an object": {SECRET: 7},
}
_NO_HEX = {"upper case": "AB" * 32, "too short": "ab", "no hex": "zz" * 32, "33 bytes": "ab" * 33, "a text": SECRET}


def mutations(field: Any) -> dict[str, Any]:
    """Values that the member never takes, whatever the home knows, by what is wrong with them."""
    found = _kind(field)
    return found if field.allow_none else found | {"null": None}


def _kind(field: Any) -> dict[str, Any]:
    if isinstance(field, types.Number):
        return _NO_NUMBER | {"too small": field.low - 1, "too large": field.high + 1}
    if isinstance(field, types.Flag):
        return {"a number": 1, "zero": 0, "a text": "true", "a list": [], "an object": {}}
    if isinstance(field, types.Answers):
        return {
            "a list": [7],
            "a text": SECRET,
            "no code": {SECRET: 7},
            "201 answers": {f"item_{n}": 1 for n in range(201)},
            **{f"an answer is {what}": {"some_item": wrong} for what, wrong in _NO_NUMBER.items()},
        }
    if isinstance(field, fields.List):
        return _NO_LIST | _list(field)
    if isinstance(field, fields.Nested):
        return {"a number": 7, "a text": SECRET, "a list": [SECRET], "true": True}
    if isinstance(field, fields.Dict):
        return {"a number": 7, "a text": SECRET, "a list": [SECRET], "true": True}
    if isinstance(field, fields.String):
        return _NO_TEXT | _BAD_TEXTS | _text(field)
    raise TypeError(f"{type(field).__name__} is a new kind of member: say in {__name__} what is wrong for it")


def _list(field: Any) -> dict[str, Any]:
    longest = (
        50 if isinstance(field, types.Codes) else next((v.max for v in field.validators if hasattr(v, "max")), None)
    )
    if longest is None:
        raise TypeError("a list without an upper limit: give it validate.Length(max=…) in its contract")
    found = {"a null in it": [None], "one item too many": ["x"] * (longest + 1)}
    if not isinstance(field.inner, types.Number):
        found |= {"a number in it": [7]}
    if isinstance(field, types.Codes):
        found |= {f"in it {what}": [wrong] for what, wrong in mutations(field.inner).items()}
    elif not isinstance(field.inner, fields.Nested):
        found |= {f"in it {what}": [wrong] for what, wrong in (_kind(field.inner)).items()}
    return found


def _text(field: Any) -> dict[str, Any]:
    if isinstance(field, talks.FreeText):
        return {}
    if isinstance(field, commands.PlainText | commands.Actor | commands.WorkerName):
        return _OF_ONE_LINE
    if isinstance(field, types.Code):
        options = next((rule.choices for rule in field.validators if hasattr(rule, "choices")), None)
        return _OF_ONE_LINE | _NO_CODE | ({"an unknown code": "zz_no_such_code"} if options else {})
    if isinstance(field, types.Day):
        return _OF_ONE_LINE | _NO_DAY
    if isinstance(field, types.EntityId | types.SubjectRef | types.Digest | types.PublicKey):
        return _OF_ONE_LINE | _NO_HEX | {"all but the last digit": "a" * (31 if _short(field) else 63)}
    if isinstance(field, types._Pattern | commands.HexBytes):
        return _OF_ONE_LINE | {"a text": SECRET}
    if isinstance(field, commands.Sealed):
        return _OF_ONE_LINE | {"no base64": SECRET, "no ciphertext": "c2VhbGVk", "half of base64": "c2VhbGV"}
    if isinstance(field, partners.SixWords):
        return _OF_ONE_LINE | {"five words": "kalo-tuve-hame-noki-pilu", "a text": SECRET}
    raise TypeError(f"{type(field).__name__} is a new kind of text: say in {__name__} what is wrong for it")


def _short(field: Any) -> bool:
    return isinstance(field, types.EntityId | types.SubjectRef)
