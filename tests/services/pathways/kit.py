"""A node that knows programme 3 with steps and task rules, and lines of every kind that pathways hears."""

import copy
import hashlib
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Engine

from services.pathways import hearing, operations, stepping
from services.pathways.domain import NewOutcome, NewPause, NewStay
from services.pathways.store import shelf
from shared.contracts.catalogue import (
    FACTS,
    ActionAgreed,
    AttendanceRecorded,
    ConversationHeld,
    HeadsCounted,
    MeetingPlanned,
    SessionHeld,
    StandingReached,
)
from shared.contracts.facts import Fact
from shared.contracts.record_facts import ParticipationEnded
from shared.journal import Journal
from shared.journal.follow import Follower
from tests.services import kit
from tests.services.kit import KEY, NODE, key_of

RULES: list[dict[str, Any]] = [
    {
        "key": "talk",
        "opens": {"on": "standing_reached", "standing": "client"},
        "due_days": 7,
        "closes": {"on": "conversation_held"},
        "repeats_days": 23,
    },
    {
        "key": "ask_outcome",
        "opens": {"on": "attendance_recorded", "activity": "duuniin"},
        "due_days": 30,
        "closes": {"on": "outcome_recorded", "activity": "duuniin"},
    },
    {
        "key": "next_step",
        "opens": {"on": "step_left", "step": "outreach"},
        "due_days": 0,
        "closes": {"on": "step_entered"},
        "owner": "coordinator",
    },
    {"key": "action", "opens": {"on": "action_agreed"}, "due_days": 14},
    {"key": "meet", "opens": {"on": "meeting_planned"}, "due_days": 1, "closes": {"on": "conversation_held"}},
]
DOCUMENT: dict[str, Any] = copy.deepcopy(kit.DOCUMENT) | {
    "steps": [
        {"key": "outreach", "name": {"fi": "Etsivä työ"}, "level": "individual"},
        {"key": "resources", "name": {"fi": "Voimavarat"}, "level": "individual"},
        {"key": "togetherness", "name": {"fi": "Yhdessä"}, "level": "community"},
        {"key": "network", "name": {"fi": "Verkosto"}, "level": "service_system"},
    ],
    "periods": [
        {"key": "year", "name": {"fi": "2015"}, "start": "2015-05-01", "end": "2015-12-31"},
        {"key": "whole_project", "name": {"fi": "Koko hanke"}, "start": "2015-05-01", "end": "2017-05-31"},
    ],
    "tasks": [{"name": {"fi": rule["key"]}, **rule} for rule in RULES],
}
ANNA, BERTTA = "a5" * 16, "b5" * 16


def hex_id(*names: object) -> str:
    """An id that is the same whenever it is asked for."""
    return hashlib.sha256(repr(names).encode()).hexdigest()[:32]


def noon(day: str | date) -> datetime:
    """Noon UTC of a day, which is the same day in Helsinki."""
    return datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC)


NOW = noon("2016-11-22")


def known(engine: Engine, document: dict[str, Any] = DOCUMENT) -> Journal:
    """The journal of a node that has loaded the programme."""
    kit.put_programme(engine, shelf, document)
    return Journal(engine, NODE)


def record(journal: Journal, *facts: Fact, now: datetime = NOW) -> int:
    """Write facts down, as their services would."""
    with journal.unit(now) as unit:
        for fact in facts:
            unit.record(fact, KEY)
    assert unit.pos is not None
    return unit.pos


def follower(journal: Journal) -> Follower:
    """Pathways hearing what it hears, as `service.py` wires it."""
    return Follower(journal, "pathways", {(kind, 1): hearing.heard for kind in hearing.KINDS if (kind, 1) in FACTS})


def follow(journal: Journal, now: datetime = NOW) -> None:
    """Have pathways hear everything."""
    following = follower(journal)
    while following.advance(now):
        pass


def tell(journal: Journal, *facts: Fact, now: str = "2016-03-01") -> None:
    """Have the journal say it at noon of that day, and pathways hear it."""
    record(journal, *facts, now=noon(now))
    follow(journal, noon(now))


def client(subject: str = ANNA, day: str | None = "2016-03-01") -> Fact:
    return StandingReached(subject, standing="client", occurred_on=day)


def session(name: object, activity: str = "duuniin", day: str = "2016-03-01") -> Fact:
    return SessionHeld(None, session=hex_id("session", name), activity=activity, occurred_on=day)


def there(at: object, subject: str = ANNA, role: str = "participant", day: str = "2016-03-01") -> Fact:
    ids = {"attendance": hex_id("attendance", at, subject), "session": hex_id("session", at)}
    return AttendanceRecorded(subject, **ids, role=role, occurred_on=day)


def heads(at: object, number: int) -> Fact:
    return HeadsCounted(None, session=hex_id("session", at), heads=number, basis="counted")


def talk(name: object, day: str, subject: str = ANNA) -> Fact:
    ids = {"session": hex_id("session", name), "programme": KEY}
    return ConversationHeld(subject, **ids, how="meeting", occurred_on=day)


def action(name: object, subject: str = ANNA, due_on: str | None = None) -> Fact:
    ids = {"action": hex_id("action", name), "text_ref": hex_id("text", name)}
    return ActionAgreed(subject, **ids, programme=KEY, due_on=due_on)


def meeting(name: object, on: str, subject: str = ANNA) -> Fact:
    return MeetingPlanned(subject, meeting=hex_id("meeting", name), programme=KEY, on=on)


def left(day: str = "2016-06-01", reason: str = "completed", who: str = ANNA) -> ParticipationEnded:
    return ParticipationEnded(who, reason=reason, occurred_on=day)


def stay(name: str = "s", subject: str = ANNA, step: str = "outreach", **days: str | None) -> NewStay:
    """Somebody on a step, from 1 March 2016 on; `entered_on`, `left_on` replace days."""
    entered, left = days.get("entered_on") or "2016-03-01", days.get("left_on")
    return NewStay(key_of(name), subject, step, date.fromisoformat(entered), date.fromisoformat(left) if left else None)


def outcome(name: str = "o", subject: str = ANNA, code: str = "education", day: str = "2016-08-15") -> NewOutcome:
    return NewOutcome(key_of(name), subject, code, date.fromisoformat(day))


def record_steps(journal: Journal, *items: NewStay, **options: Any) -> Any:
    return stepping.record_steps(journal, KEY, items, **{"by": "worker", "now": NOW, **options})


def pause(name: str = "p", subject: str = ANNA, step: str = "outreach", **days: str | None) -> NewPause:
    """Somebody away from a step, from 1 April 2016 on; `paused_on`, `resumed_on` replace days."""
    since, until = days.get("paused_on") or "2016-04-01", days.get("resumed_on")
    back = date.fromisoformat(until) if until else None
    return NewPause(key_of(name), subject, step, date.fromisoformat(since), back)


def record_pauses(journal: Journal, *items: NewPause, **options: Any) -> Any:
    return stepping.record_pauses(journal, KEY, items, **{"by": "worker", "now": NOW, **options})


def record_outcomes(journal: Journal, *items: NewOutcome, **options: Any) -> Any:
    return operations.record_outcomes(journal, KEY, items, **{"by": "worker", "now": NOW, **options})
