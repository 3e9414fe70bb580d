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

from enum import Enum
from types import MappingProxyType
from typing import Any, ClassVar, Self

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError
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
    members: ClassVar[MappingProxyType[str, "Field[Any]"]]
    _strict: ClassVar[Schema]
    _tolerant: ClassVar[Schema]

    __slots__ = ("body", "subject")
    subject: str | None
    body: dict[str, Any]

    def __init_subclass__(cls) -> None:
        members: dict[str, Field[Any]] = {}
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
        schema = Schema.from_dict(dict(members), name=cls.__name__)
        cls._strict, cls._tolerant = schema(unknown=RAISE), schema(unknown=EXCLUDE)

    def __init__(self, subject: str | None = None, /, **body: Any) -> None:
        """A fact to be written. Raises `FactNotWritable` naming the member and the reason, never the value."""
        given = {name: value for name, value in body.items() if value is not None}
        self._check_subject(subject)
        try:
            loaded = self._strict.load(given)
        except ValidationError as error:
            raise FactNotWritable(kind=self.kind, reason=_reasons(error)) from None
        self.subject = subject
        self.body = {name: loaded[name] for name in self.members if loaded.get(name) is not None}

    @classmethod
    def read(cls, subject: str | None, body: dict[str, Any]) -> Self:
        """A fact from a line of this or another release; raises `FactNotWritable` if what is declared does not hold."""
        fact = cls.__new__(cls)
        fact._check_subject(subject)
        try:
            loaded = cls._tolerant.load({name: value for name, value in body.items() if value is not None})
        except ValidationError as error:
            raise FactNotWritable(kind=cls.kind, reason=_reasons(error)) from None
        fact.subject, fact.body = subject, dict(loaded)
        return fact

    def _check_subject(self, subject: str | None) -> None:
        if self.about is About.NOBODY and subject is not None:
            raise FactNotWritable(kind=self.kind, reason="has no subject, but one was given")
        if self.about is About.SOMEBODY and (not isinstance(subject, str) or not HEX32.fullmatch(subject)):
            raise FactNotWritable(kind=self.kind, reason="subject: not 32 lower-case hex digits")

    def __getitem__(self, member: str) -> Any:
        """The member's value; None if it was left out."""
        if member not in self.members:
            raise KeyError(member)
        return self.body.get(member)


def _reasons(error: ValidationError) -> str:
    """Member names and reasons, without any value."""
    messages = error.messages if isinstance(error.messages, dict) else {"body": error.messages}
    return "; ".join(f"{name}: {_flat(reason)}" for name, reason in sorted(messages.items()))


def _flat(reason: Any) -> str:
    if isinstance(reason, dict):
        return ", ".join(_flat(value) for value in reason.values())
    return ", ".join(map(str, reason)) if isinstance(reason, list) else str(reason)
