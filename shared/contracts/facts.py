"""What a fact is: a class that declares its wire name, version, reach, subject and body, once.

    class SessionHeld(Fact):
        '''A session took place.'''
        kind, v, reach, about = "activities.session_held", 1, Reach.LEAD, About.NOBODY
        session = EntityId()
        minutes = Number(1, 1440, allow_none=True)      # may be left out: allow_none
        example = {"session": "…", "minutes": 90}

The same class makes a fact to write (`SessionHeld(session=…)`: strict, refuses what is not declared) and reads one
from a line (`SessionHeld.read(subject, body)`: tolerant, ignores members of a newer release).
Within a version only optional members may be added; `tests/contracts/shapes/` holds the committed shape of each
and proves it. Anything else is a new class with the next version.

A fact names at most one person, by its subject, and no other member can: the metaclass check in
`__init_subclass__` takes only the field types of `shared.contracts.fields`, none of which holds typed text.
"""

import re
from collections.abc import Sequence
from enum import Enum
from types import MappingProxyType
from typing import Any, ClassVar, Self

from marshmallow import ValidationError
from marshmallow.fields import Field

from shared.contracts.errors import FactNotWritable
from shared.contracts.fields import HEX32, FactField, SubjectRef

_SECOND_SUBJECTS = {"continues", "same_as"}


class Reach(Enum):
    """How far a fact travels (architecture §4)."""

    LEAD = "lead"
    """To the stream of its programme, which is shipped to the programme's lead."""
    NODE = "node"
    """To the node's local stream, which is never shipped."""


class About(Enum):
    """Whether a fact has a subject."""

    SOMEBODY = "somebody"
    NOBODY = "nobody"


class Fact:
    """One thing that happened, as declared by a subclass; `subject` is 32 hex digits or None."""

    kind: ClassVar[str]
    v: ClassVar[int]
    reach: ClassVar[Reach]
    about: ClassVar[About]
    example: ClassVar[dict[str, Any]]
    members: ClassVar[MappingProxyType[str, FactField]]
    usual: ClassVar[re.Pattern[str] | None]
    """A body as a line of its own, each member a group; any other line too, with its groups empty."""

    __slots__ = ("body", "subject")
    subject: str | None
    body: dict[str, Any]

    def __init_subclass__(cls) -> None:
        members: dict[str, FactField] = {}
        for name, value in list(vars(cls).items()):
            if not isinstance(value, Field):
                continue
            if not isinstance(value, FactField):
                raise TypeError(f"{cls.__name__}.{name}: {type(value).__name__} is no type for a fact's member")
            if isinstance(value, SubjectRef) and name not in _SECOND_SUBJECTS:
                raise TypeError(f"{cls.__name__}.{name}: a fact has one subject and it is not in the body")
            value.required = not value.allow_none
            members[name] = value
            delattr(cls, name)
        cls.members = MappingProxyType(members)
        body = ",".join(f'"{name}":{member.usual}' for name, member in members.items())
        usual = all(member.usual for member in members.values()) and len(members) > 1  # then `findall` gives tuples
        cls.usual = re.compile(rf"^\{{{body}\}}$|^.+$", re.MULTILINE) if usual else None

    def __init__(self, subject: str | None = None, /, **body: Any) -> None:
        """A fact to be written. Raises `FactNotWritable` naming the member and the reason, never the value."""
        self._check_subject(subject)
        unknown = [name for name, value in body.items() if value is not None and name not in self.members]
        self.subject, self.body = subject, self._load(body, unknown)

    @classmethod
    def read(cls, subject: str | None, body: dict[str, Any]) -> Self:
        """A fact from a line of this or another release; raises `FactNotWritable` if what is declared does not hold."""
        cls._check_subject(subject)
        return cls._made(subject, cls._load(body, ()))

    @classmethod
    def read_usual(cls, subjects: Sequence[str | None], bodies: Sequence[bytes]) -> Sequence[Self | None]:
        """Facts from lines as by `read`, in a third of the time: of those whose body has all declared members in their
        order, and no other. None for any other: only `read` can say."""
        if cls.usual is None:
            return [None] * len(bodies)
        found = cls.usual.findall(b"\n".join(bodies).decode(errors="replace"))
        plain = [groups for groups in found if groups[0]]
        if len(found) != len(bodies) or not plain:
            return [None] * len(bodies)
        try:
            columns = [
                member.take_many([groups[at] for groups in plain]) for at, member in enumerate(cls.members.values())
            ]
            for subject in set(subjects):
                cls._check_subject(subject)
            rows = zip(*columns, strict=True)
            return [
                cls._made(subject, dict(zip(cls.members, next(rows), strict=True))) if groups[0] else None
                for subject, groups in zip(subjects, found, strict=True)
            ]
        except (ValidationError, FactNotWritable):
            return [None] * len(bodies)

    @classmethod
    def _made(cls, subject: str | None, body: dict[str, Any]) -> Self:
        fact = cls.__new__(cls)
        fact.subject, fact.body = subject, body
        return fact

    @classmethod
    def _load(cls, body: dict[str, Any], unknown: Sequence[str]) -> dict[str, Any]:
        """The members in their order, checked; raises `FactNotWritable` with everything that is wrong."""
        loaded: dict[str, Any] = {}
        wrong = {name: "Unknown field." for name in unknown}
        for name, member in cls.members.items():
            value = body.get(name)
            if value is not None:
                try:
                    loaded[name] = member.take(value)
                except ValidationError as error:
                    wrong[name] = _flat(error.messages)
            elif member.required:
                wrong[name] = "Missing data for required field."
        if wrong:
            reason = "; ".join(f"{name}: {why}" for name, why in sorted(wrong.items()))
            raise FactNotWritable(kind=cls.kind, reason=reason)
        return loaded

    @classmethod
    def _check_subject(cls, subject: str | None) -> None:
        if cls.about is About.NOBODY and subject is not None:
            raise FactNotWritable(kind=cls.kind, reason="has no subject, but one was given")
        if cls.about is About.SOMEBODY and (not isinstance(subject, str) or not HEX32.fullmatch(subject)):
            raise FactNotWritable(kind=cls.kind, reason="subject: not 32 lower-case hex digits")

    def __getitem__(self, member: str) -> Any:
        """The member's value; None if it was left out."""
        if member in self.body:
            return self.body[member]
        if member not in self.members:
            raise KeyError(member)
        return None


def _flat(reason: Any) -> str:
    """Reasons without any value."""
    if isinstance(reason, dict):
        return ", ".join(_flat(value) for value in reason.values())
    return ", ".join(map(str, reason)) if isinstance(reason, list) else str(reason)
