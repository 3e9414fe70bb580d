"""Rules of activities: what may be recorded of a session."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.contracts.errors import InvalidInput, UnknownCode, UnknownPerson, UnknownSession
from shared.programmes import Programme


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session to be recorded; codes are the programme file's."""

    key: str
    activity: str
    occurred_on: date
    start: str | None
    minutes: int | None
    location: str | None
    area: str | None
    languages: tuple[str, ...]
    heads: int | None
    women: int | None
    basis: str | None


@dataclass(frozen=True, slots=True)
class KnownSession:
    """What a rule needs of a recorded session."""

    programme: str
    occurred_on: date
    minutes: int | None
    counts: str


@dataclass(frozen=True, slots=True)
class NewAttendance:
    """A person at a session, to be recorded."""

    key: str
    session: str
    subject: str
    role: str
    minutes: int | None


def check_session(session: NewSession, programme: Programme, today: date) -> None:
    """Refuse what contradicts itself or the programme; raises `InvalidInput` or `UnknownCode` naming the field."""
    for field, value, known in (
        ("activity", session.activity, programme.activity_by_key),
        ("location", session.location, programme.location_by_key),
        ("area", session.area, programme.area_by_key),
    ):
        if value is not None and value not in known:
            raise UnknownCode(field=field, programme=programme.key, value=value)
    if session.occurred_on > today:
        raise InvalidInput(field="date", reason="in the future")
    if session.occurred_on not in programme.period:
        raise InvalidInput(field="date", reason="outside the programme's period")
    if (session.heads is None) != (session.basis is None):
        raise InvalidInput(field="headcount_basis", reason="a head-count and its basis go together")
    if session.women is not None and (session.heads is None or session.women > session.heads):
        raise InvalidInput(field="headcount_women", reason="more than headcount")
    if session.heads is not None and programme.activity_by_key[session.activity].counts == "people":
        raise InvalidInput(field="headcount", reason="this activity counts people, by attendance")


def check_attendance(
    attendance: NewAttendance, programme: str, sessions: Mapping[str, KnownSession], people: Mapping[str, Any]
) -> None:
    """Refuse an attendance at an unknown session, of an unknown person, or longer than the session."""
    session = sessions.get(attendance.session)
    if session is None or session.programme != programme:
        raise UnknownSession(field="session", programme=programme)
    if people.get(attendance.subject) != programme:
        raise UnknownPerson(field="participant", programme=programme)
    if session.counts == "heads":
        raise InvalidInput(field="session", reason="this activity counts heads, not people")
    if attendance.minutes is not None and session.minutes is not None and attendance.minutes > session.minutes:
        raise InvalidInput(field="minutes", reason="longer than the session")
