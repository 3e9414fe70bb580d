"""Rules of activities: what may be recorded of a session."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from shared.contracts.errors import InvalidInput, StandingTooLow, UnknownCode, UnknownPerson, UnknownSession
from shared.programmes import Programme
from shared.programmes.model import STANDINGS


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
    activity: str


@dataclass(frozen=True, slots=True)
class NewAttendance:
    """A person at a session, to be recorded."""

    key: str
    session: str
    subject: str
    role: str
    minutes: int | None


FARTHEST = timedelta(days=366)
"""How far after a conversation its next meeting and what was agreed may lie: a farther year is a slip of the pen."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """Something agreed on: where its text is, and until when."""

    text_ref: str
    due_on: date | None


@dataclass(frozen=True, slots=True)
class NewConversation:
    """A talk with one person, to be recorded; `meeting` is the day and perhaps the time of the next one."""

    key: str
    activity: str
    subject: str
    occurred_on: date
    minutes: int
    how: str
    topics: tuple[str, ...] = ()
    text_ref: str | None = None
    actions: tuple[Agreed, ...] = ()
    meeting: tuple[date, str | None] | None = None
    replaces: str | None = None

    def as_session(self) -> NewSession:
        """The individual session that it is."""
        nothing = {name: None for name in ("start", "location", "area", "heads", "women", "basis")}
        return NewSession(self.key, self.activity, self.occurred_on, minutes=self.minutes, languages=(), **nothing)


@dataclass(frozen=True, slots=True)
class Presence:
    """One person on a register: there or not, and whether the page that was filled in showed them there."""

    key: str
    subject: str
    there: bool
    was: bool
    role: str | None = None
    minutes: int | None = None


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


def check_standing(field: str, standing: str | None, role: str, activity: str, programme: Programme) -> None:
    """Refuse a participant whose standing is below the one that the activity asks; other roles have none.

    `standing` None: nobody knows it, which refuses nothing. Raises `StandingTooLow`.
    """
    asked = programme.activity_by_key[activity].standing if activity in programme.activity_by_key else "met"
    known = [each for each in STANDINGS if each == standing]
    if role == "participant" and known and STANDINGS.index(known[0]) < STANDINGS.index(asked):
        raise StandingTooLow(field=field, asked=asked, standing=known[0])


def check_alive(field: str, died_on: date | None, day: date) -> None:
    """Refuse somebody's being anywhere after they died. Raises `InvalidInput`."""
    if died_on is not None and day > died_on:
        raise InvalidInput(field=field, reason="the person had died before that day")


def check_conversation(
    new: NewConversation, programme: Programme, today: date, people: Mapping[str, str], replaceable: Collection[str]
) -> None:
    """Refuse what contradicts itself, the programme or what is recorded; the error names the field."""
    check_session(new.as_session(), programme, today)
    activity = programme.activity_by_key[new.activity]
    if activity.kind != "individual" or activity.counts != "people":
        raise InvalidInput(field="activity", reason="no individual activity that counts people")
    if people.get(new.subject) != programme.key:
        raise UnknownPerson(field="subject", programme=programme.key)
    for topic in new.topics:
        if topic not in programme.topic_by_key:
            raise UnknownCode(field="topics", programme=programme.key, value=topic)
    for action in new.actions:
        _check_later("actions.due_on", action.due_on, new.occurred_on)
    if new.meeting is not None:
        _check_later("next_meeting.on", new.meeting[0], new.occurred_on)
    if new.replaces is not None and new.replaces not in replaceable:
        raise UnknownSession(field="replaces", programme=programme.key)


def _check_later(field: str, day: date | None, held: date) -> None:
    if day is not None and day < held:
        raise InvalidInput(field=field, reason="before the conversation")
    if day is not None and day > held + FARTHEST:
        raise InvalidInput(field=field, reason=f"more than {FARTHEST.days} days after the conversation")
